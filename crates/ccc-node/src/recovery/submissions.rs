//! What makers, reserve and agent put on the chain.

use super::{
    RecoveryError,
    setup::{BASE, BASE_LOT, QUOTE, SUBMISSION_LIFETIME},
    world::World,
};
use crate::{
    domain::stream,
    leak::Secret,
    maker::{Instruction, Offer},
    scenario::{Liquidity, Scenario, SecondThought},
    timeline::Timeline,
};
use alloy::primitives::{Address, B256, Bytes, I256, U256};
use ccc_chain::{
    Wallet,
    bindings::{CREDarkPool, SimulatedFeed, TestToken},
    calls,
};
use ccc_enclave::intake::submission_id;
use rand::{Rng, RngExt};

/// Micro-dollars for a bitcoin, about which the simulated feed moves.
pub(super) const PRICE: i64 = 97_000_000_000;

/// What one maker brings.
struct Commitment {
    /// Base units paid in: public.
    deposit: u64,
    offer: Offer,
}

impl World {
    pub(super) fn salt(&self, name: &str, index: u64) -> [u8; 32] {
        let mut salt = [0; 32];
        self.randomness.generator(name, index).fill_bytes(&mut salt);
        salt
    }

    fn token(&self, asset: u32) -> Result<Address, RecoveryError> {
        Ok(Address::from(self.config.asset(asset)?.token))
    }

    /// Mints, approves and deposits tokens under a ciphertext that names the table account.
    async fn deposit(
        &self,
        wallet: &Wallet,
        asset: u32,
        amount: u128,
        salt: [u8; 32],
        ciphertext: Vec<u8>,
    ) -> Result<(), RecoveryError> {
        let token = TestToken::new(self.token(asset)?, self.chain.provider());
        let amount = U256::from(amount);
        let pool = self.deployment.pool;
        let mint = token.mint(wallet.address(), amount).into_transaction_request();
        self.chain.send(wallet, mint).await?;
        self.chain.send(wallet, calls::approve(*token.address(), pool, amount)).await?;
        let deposit = calls::deposit(pool, asset, amount, B256::from(salt), Bytes::from(ciphertext));
        self.chain.send(wallet, deposit).await?;
        Ok(())
    }

    /// The reserve brings the means of payment, every maker its liquidity and a standing order.
    pub(super) async fn fund_pool(
        &mut self,
        scenario: &Scenario,
        gap: u64,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        let now = timeline.chain(self.chain.finalised_block()).await?.time;
        let expiry = now.saturating_add(SUBMISSION_LIFETIME);
        let dollars = u128::from(scenario.reserve.deposit_dollars);
        self.fund_reserve(dollars * 1_000_000, expiry, timeline).await?;
        let makers = self.makers.len();
        for index in 0..makers {
            let commitment = self.commitment(index, scenario, gap, expiry)?;
            self.fund_maker(index, &commitment, timeline).await?;
            timeline.advance(index + 1, makers);
        }
        Ok(())
    }

    async fn fund_reserve(&self, amount: u128, expiry: u64, timeline: &mut Timeline<'_>) -> Result<(), RecoveryError> {
        let salt = self.salt(stream::RESERVE_DEPOSIT_SALT, 0);
        let who = self.reserve.address().0.0;
        let id = submission_id(&self.config, &who, &salt);
        let mut rng = self.randomness.hidden(stream::RESERVE_ENCRYPTION, 0);
        // the reserve's table account is its public address, so its deposit needs no account of its own inside
        let ciphertext = self.reserve_owner.deposit(
            &self.config,
            self.committee.master_public_key(),
            (id, who),
            expiry,
            &mut rng,
        )?;
        timeline.chain(self.deposit(&self.reserve, QUOTE, amount, salt, ciphertext.to_bytes())).await
    }

    /// The deposit is public, so it follows from public numbers alone; the offer is a secret part of it.
    fn commitment(
        &self,
        index: usize,
        scenario: &Scenario,
        gap: u64,
        expiry: u64,
    ) -> Result<Commitment, RecoveryError> {
        let Liquidity { cover_basis_points, max_spread, .. } = scenario.liquidity;
        let deposit = self.maker_deposit(index, scenario)?;
        let mut rng = self.randomness.hidden(stream::COMMITMENT, index as u64);
        let share = self.share(gap, cover_basis_points);
        let wanted = share * u128::from(rng.random_range(850u32..1_150)) / 1_000;
        let size = u64::try_from(wanted).map_err(|_| RecoveryError::Range { what: "a maker's size" })?;
        let size = size.saturating_add(rng.random_range(1..BASE_LOT)).clamp(BASE_LOT, deposit);
        let spread = rng.random_range(max_spread / 8..=max_spread / 2 + 1);
        let offer = Offer { asset: BASE, spread, size, cap: size, minimum: 0, expiry };
        Ok(Commitment { deposit, offer })
    }

    fn maker_deposit(&self, index: usize, scenario: &Scenario) -> Result<u64, RecoveryError> {
        let mut rng = self.randomness.generator(stream::DEPOSIT_AMOUNT, index as u64);
        let share = self.share(scenario.reserve.nominal_gap(), scenario.liquidity.deposit_basis_points);
        let lots = share * u128::from(rng.random_range(950u32..1_050)) / 1_000 / u128::from(BASE_LOT);
        let lots = u64::try_from(lots).map_err(|_| RecoveryError::Range { what: "a maker's deposit" })?;
        lots.saturating_add(2).checked_mul(BASE_LOT).ok_or(RecoveryError::Range { what: "a maker's deposit" })
    }

    /// One maker's equal part of a share of a gap.
    fn share(&self, gap: u64, basis_points: u32) -> u128 {
        let makers = self.makers.len().max(1) as u128;
        u128::from(gap) * u128::from(basis_points) / 10_000 / makers
    }

    async fn fund_maker(
        &mut self,
        index: usize,
        commitment: &Commitment,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        let salts =
            [self.salt(stream::DEPOSIT_SALT, index as u64), self.salt(stream::STANDING_ORDER_SALT, index as u64)];
        let maker = &self.makers[index];
        let who = maker.wallet.address().0.0;
        let [deposit_id, order_id] = salts.map(|salt| submission_id(&self.config, &who, &salt));
        let key = self.committee.master_public_key();
        let mut rng = self.randomness.hidden(stream::MAKER_ENCRYPTION, index as u64);
        let expiry = commitment.offer.expiry;
        let deposit = maker.owner.deposit(&self.config, key, (deposit_id, who), expiry, &mut rng)?;
        let order = maker.owner.standing_order(&self.config, key, (order_id, who), &commitment.offer, &mut rng)?;
        let account = maker.owner.account();
        let amount = u128::from(commitment.deposit);
        timeline.chain(self.deposit(&maker.wallet, BASE, amount, salts[0], deposit.to_bytes())).await?;
        let pool = self.deployment.pool;
        let submit = calls::submit_standing_order(pool, B256::from(salts[1]), Bytes::from(order.to_bytes()));
        timeline.chain(self.chain.send(&maker.wallet, submit)).await?;
        self.makers[index].order = Some(order.digest());
        self.secrets.push(Secret::bytes("a maker's table account", &account));
        self.hide("a standing order's size", u128::from(commitment.offer.size));
        Ok(())
    }

    /// The first maker's second submission: its order at half the spread, or the order's end. Both live as long.
    pub(super) async fn reconsider(
        &mut self,
        thought: SecondThought,
        scenario: &Scenario,
        gap: u64,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        let now = timeline.chain(self.chain.finalised_block()).await?.time;
        let expiry = now.saturating_add(SUBMISSION_LIFETIME);
        let Commitment { offer, .. } = self.commitment(0, scenario, gap, expiry)?;
        let (salt, maker) = (self.salt(stream::SECOND_SALT, 0), &self.makers[0]);
        let who = maker.wallet.address().0.0;
        let (key, submitted) = (self.committee.master_public_key(), (submission_id(&self.config, &who, &salt), who));
        let mut rng = self.randomness.hidden(stream::SECOND_ENCRYPTION, 0);
        let ciphertext = match thought {
            SecondThought::Replace => {
                let offer = Offer { spread: offer.spread / 2, ..offer };
                maker.owner.standing_order(&self.config, key, submitted, &offer, &mut rng)?
            }
            SecondThought::Cancel => {
                let order = maker.order.ok_or(RecoveryError::NotShown { what: "an order of the maker" })?;
                let instruction = (&Instruction::Cancel { order }, expiry);
                maker.owner.instruct(&self.config, key, submitted, instruction, &mut rng)?
            }
        };
        let pool = self.deployment.pool;
        let submit = calls::submit_standing_order(pool, B256::from(salt), Bytes::from(ciphertext.to_bytes()));
        timeline.chain(self.chain.send(&maker.wallet, submit)).await?;
        Ok(())
    }

    /// Pushes fresh answers to the simulated feed.
    pub(super) async fn push_prices(&self, timeline: &mut Timeline<'_>) -> Result<(), RecoveryError> {
        let feed = SimulatedFeed::new(self.deployment.feed, self.chain.provider());
        let now = timeline.chain(self.chain.finalised_block()).await?.time;
        let mut rng = self.randomness.generator(stream::PRICES, now);
        for age in [1_500u64, 1_000, 600, 200, 5] {
            let micro = PRICE + rng.random_range(-300_000_000i64..300_000_000);
            let answer = I256::try_from(micro * 100).map_err(|_| RecoveryError::Range { what: "a price" })?;
            let push = feed.push(answer, U256::from(now.saturating_sub(age)));
            timeline.chain(self.chain.send(&self.operator, push.into_transaction_request())).await?;
        }
        Ok(())
    }

    /// Submits the reserve's encrypted order.
    pub(super) async fn request_collateral(
        &self,
        salt: [u8; 32],
        deadline: u64,
        ciphertext: Vec<u8>,
        timeline: &mut Timeline<'_>,
    ) -> Result<(), RecoveryError> {
        let pool = CREDarkPool::new(self.deployment.pool, self.chain.provider());
        let request = pool.requestCollateral(B256::from(salt), deadline, Bytes::from(ciphertext));
        timeline.chain(self.chain.send(&self.reserve, request.into_transaction_request())).await?;
        Ok(())
    }
}
