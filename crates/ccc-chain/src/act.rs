//! What accounts do with the contracts.

use alloy::{
    primitives::{Address, B256, Bytes, I256, U256, keccak256},
    sol_types::SolValue,
};

use crate::{
    Chain, ChainError, Deployment, Sent, Wallet,
    bindings::{CREDarkPool, SimulatedFeed, TestToken},
    calls::{self, ExitProof},
    deploy::DeployedToken,
};

/// The id that the pool gives to what `sender` submits with `salt`.
///
/// *Layout*: keccak256(abi.encode(chain id, pool, sender, salt)).
#[must_use]
pub fn submission_id(chain_id: u64, pool: Address, sender: Address, salt: B256) -> B256 {
    keccak256((U256::from(chain_id), pool, sender, salt).abi_encode_params())
}

/// Something submitted under an id.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its id at the pool.
    pub id: B256,
    /// The transaction.
    pub sent: Sent,
}

/// The contracts of a deployment, for accounts that use them.
#[derive(Clone, Copy, Debug)]
pub struct Actions<'a> {
    chain: &'a Chain,
    deployment: &'a Deployment,
}

impl<'a> Actions<'a> {
    /// Actions on a deployment.
    #[must_use]
    pub const fn new(chain: &'a Chain, deployment: &'a Deployment) -> Self {
        Self { chain, deployment }
    }

    fn pool(&self) -> CREDarkPool::CREDarkPoolInstance<&'a alloy::providers::DynProvider> {
        CREDarkPool::new(self.deployment.pool, self.chain.provider())
    }

    fn token(&self, asset: u32) -> Result<&'a DeployedToken, ChainError> {
        let at = usize::try_from(asset).ok();
        let token = at.and_then(|at| self.deployment.tokens.get(at));
        token.ok_or_else(|| ChainError::OutOfRange { field: "asset", found: asset.to_string() })
    }

    fn submitted(&self, wallet: &Wallet, salt: B256, sent: Sent) -> Submitted {
        let id = submission_id(self.chain.chain_id(), self.deployment.pool, wallet.address(), salt);
        Submitted { id, sent }
    }

    /// Mints test tokens to `to`.
    ///
    /// # Errors
    /// An asset that the deployment does not have; see [`ChainError`].
    pub async fn mint(&self, wallet: &Wallet, asset: u32, to: Address, amount: U256) -> Result<Sent, ChainError> {
        let token = TestToken::new(self.token(asset)?.address, self.chain.provider());
        self.chain.send(wallet, token.mint(to, amount).into_transaction_request()).await
    }

    /// Lets the pool take `amount` from the wallet's account.
    ///
    /// # Errors
    /// An asset that the deployment does not have; see [`ChainError`].
    pub async fn approve(&self, wallet: &Wallet, asset: u32, amount: U256) -> Result<Sent, ChainError> {
        let request = calls::approve(self.token(asset)?.address, self.deployment.pool, amount);
        self.chain.send(wallet, request).await
    }

    /// Approves and deposits `amount`; the ciphertext names the table account.
    ///
    /// # Errors
    /// The pool's refusal; see [`ChainError`]. The approval stands even then.
    pub async fn deposit(
        &self,
        wallet: &Wallet,
        asset: u32,
        amount: U256,
        salt: B256,
        ciphertext: Bytes,
    ) -> Result<Submitted, ChainError> {
        self.approve(wallet, asset, amount).await?;
        let request = calls::deposit(self.deployment.pool, asset, amount, salt, ciphertext);
        let sent = self.chain.send(wallet, request).await?;
        Ok(self.submitted(wallet, salt, sent))
    }

    /// Asks to be paid out; the ciphertext says what and from which account.
    ///
    /// # Errors
    /// The pool's refusal; see [`ChainError`].
    pub async fn request_withdrawal(
        &self,
        wallet: &Wallet,
        salt: B256,
        ciphertext: Bytes,
    ) -> Result<Submitted, ChainError> {
        let request = calls::request_withdrawal(self.deployment.pool, salt, ciphertext);
        let sent = self.chain.send(wallet, request).await?;
        Ok(self.submitted(wallet, salt, sent))
    }

    /// Promises liquidity under seal.
    ///
    /// # Errors
    /// The pool's refusal; see [`ChainError`].
    pub async fn submit_standing_order(
        &self,
        wallet: &Wallet,
        salt: B256,
        ciphertext: Bytes,
    ) -> Result<Submitted, ChainError> {
        let request = calls::submit_standing_order(self.deployment.pool, salt, ciphertext);
        let sent = self.chain.send(wallet, request).await?;
        Ok(self.submitted(wallet, salt, sent))
    }

    /// Asks for collateral in the reserve's name, to be settled after `deadline` (Unix time).
    ///
    /// # Errors
    /// The pool's refusal; see [`ChainError`].
    pub async fn request_collateral(
        &self,
        wallet: &Wallet,
        salt: B256,
        deadline: u64,
        encrypted_order: Bytes,
    ) -> Result<Submitted, ChainError> {
        let request = self.pool().requestCollateral(salt, deadline, encrypted_order).into_transaction_request();
        let sent = self.chain.send(wallet, request).await?;
        Ok(self.submitted(wallet, salt, sent))
    }

    /// Lets `operator` request collateral for the reserve, or no longer.
    ///
    /// # Errors
    /// The pool's refusal of everybody but the reserve; see [`ChainError`].
    pub async fn approve_operator(
        &self,
        wallet: &Wallet,
        operator: Address,
        approved: bool,
    ) -> Result<Sent, ChainError> {
        let request = self.pool().approveOperator(operator, approved).into_transaction_request();
        self.chain.send(wallet, request).await
    }

    /// Ends a request that no round settled in time.
    ///
    /// # Errors
    /// The pool's refusal; see [`ChainError`].
    pub async fn expire(&self, wallet: &Wallet, request_id: B256) -> Result<Sent, ChainError> {
        self.chain.send(wallet, self.pool().expire(request_id).into_transaction_request()).await
    }

    /// Leaves with a row of the current table.
    ///
    /// # Errors
    /// The pool's refusal; see [`ChainError`].
    pub async fn exit(&self, wallet: &Wallet, proof: &ExitProof) -> Result<Sent, ChainError> {
        self.chain.send(wallet, calls::exit(self.deployment.pool, proof)).await
    }

    /// Takes back a deposit that no round consumed.
    ///
    /// # Errors
    /// The pool's refusal; see [`ChainError`].
    pub async fn reclaim(
        &self,
        wallet: &Wallet,
        index: u64,
        asset: u32,
        amount: U256,
        ciphertext_hash: B256,
    ) -> Result<Sent, ChainError> {
        let token = self.token(asset)?.address;
        let request = calls::reclaim(self.deployment.pool, index, token, amount, ciphertext_hash);
        self.chain.send(wallet, request).await
    }

    /// Pushes an answer to the simulated feed; its owner alone may.
    ///
    /// # Errors
    /// The feed's refusal; see [`ChainError`].
    pub async fn push_price(&self, wallet: &Wallet, answer: i128, updated_at: u64) -> Result<Sent, ChainError> {
        let feed = SimulatedFeed::new(self.deployment.feed, self.chain.provider());
        let answer = I256::try_from(answer);
        let answer = answer.map_err(|_| ChainError::OutOfRange { field: "price", found: "above 255 bits".into() })?;
        self.chain.send(wallet, feed.push(answer, U256::from(updated_at)).into_transaction_request()).await
    }
}
