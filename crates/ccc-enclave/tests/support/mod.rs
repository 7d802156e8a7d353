//! A pool in memory: a dealt committee of four, table owners, the chain's log, and the way from a request to an
//! opened attempt. Nothing here checks anything; the program under test does.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, reason = "included by several test binaries")]

pub mod owner;

use ccc_core::{
    ciphertext::{Ciphertext, VerifiedCiphertext},
    enclave::{
        AttemptKeys,
        attestation::{
            AttestationProvider, Hardware, OperatingMode, Policy,
            simulated::{SimulatedHardware, SimulatedProvider},
        },
    },
    encoding::Kind,
    envelope::Envelope,
    epoch::Epoch,
    identifier::Identifier,
    keys::{Committee, KeyShare, MasterPublicKey, ParticipantKeys, Roster, dealer},
    report::{Accumulator, OperationKind, PriceObservation},
    table::{AccountId, AssetId, DataKey, Header, OpenTable, SealedTable, TableSuite},
    threshold::Threshold,
    vault::{Mode, Recipient, Request, sealed},
};
use ccc_enclave::{
    agent::AgentKey,
    attempt::{AttemptError, Enclave, FormerAttempt, OpenedAttempt},
    config::{Asset, EnclaveConfig, PriceBounds},
    instruction::CollateralOrder,
    intake::{self, BoundaryEvent, CollateralRequest, Log, RoundPlan, Submission, submission_id},
    reserve::{ReserveError, ReserveInput, ReserveOutput, Validity},
    result::PublicInputs,
    round::{RoundError, RoundInput, RoundOutput},
};
use owner::Owner;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Satoshi in a lot.
pub const LOT: u64 = 1_000_000;
pub const BASE: u32 = 0;
pub const QUOTE: u32 = 1;
/// Micro-dollars for a bitcoin.
pub const PRICE: i128 = 65_000_000_000;
pub const NOW: u64 = 1_767_225_600;
/// Hash of every block of a chain that is not there.
pub const BLOCK_HASH: [u8; 32] = [0xBB; 32];
pub const EXPIRY: u64 = NOW + 30 * 24 * 3_600;
/// The address that makes collateral requests, and the reserve's table account.
pub const ENVELOPE_LIFETIME: u64 = 3_600;

/// Everything around the program.
pub struct World {
    pub rng: StdRng,
    pub config: EnclaveConfig,
    pub committee: Committee,
    pub members: Vec<(ParticipantKeys, KeyShare)>,
    /// The committee before a rotation, and its members.
    pub former: Option<Holders>,
    pub provider: SimulatedProvider,
    pub agent: AgentKey,
    pub reserve: Owner,
    pub table: Option<SealedTable>,
    pub time: u64,
    pub block: u64,
    /// Its hash.
    pub block_hash: [u8; 32],
    pub custody: u128,
    /// Operations of the log, and how many the table has consumed.
    pub boundary: Vec<BoundaryEvent>,
    pub consumed: Accumulator,
    /// Standing orders of the log, and how many of them have reservations.
    pub orders: Vec<Submission>,
    pub settled_orders: usize,
    /// The last request to the vault.
    pub asked: Option<Request>,
    attempts: u64,
    salts: u64,
}

/// One round before it runs; a test changes what it wants to see refused.
pub struct Job {
    pub log: Log,
    pub observations: Vec<PriceObservation>,
    pub inputs: PublicInputs,
    pub validity: Validity,
    pub payout_sequence: u64,
}

/// A committee with all of its members' secrets.
pub type Holders = (Committee, Vec<(ParticipantKeys, KeyShare)>);

impl Job {
    /// What the program is told.
    pub fn input(&self) -> RoundInput<'_> {
        RoundInput {
            observations: &self.observations,
            price_block: self.inputs.block,
            inputs: self.inputs.clone(),
            validity: self.validity,
            payout_sequence: self.payout_sequence,
            progress: &|_| {},
        }
    }
}

/// A dealt committee with t = 3 of 4, of epoch 1.
pub fn committee(seed: u64) -> Holders {
    committee_in(Epoch(1), seed)
}

/// As [`committee`], of an epoch.
pub fn committee_in(epoch: Epoch, seed: u64) -> Holders {
    let mut rng = StdRng::seed_from_u64(seed);
    let keys: Vec<_> = (1..=4)
        .map(|i| (Identifier::new(i).expect("not zero"), ParticipantKeys::generate(&mut rng).expect("keys")))
        .collect();
    let members = keys.iter().map(|(identifier, keys)| keys.public(*identifier)).collect();
    let roster = Roster::new(epoch, Threshold::new(3, 4).expect("3 of 4"), members).expect("a roster");
    let (committee, shares) = dealer::deal(&roster, &mut rng).expect("dealt");
    (committee, keys.into_iter().map(|(_, keys)| keys).zip(shares).collect())
}

fn config(committee: &Committee, agent: &AgentKey, reserve: &Owner) -> EnclaveConfig {
    EnclaveConfig {
        chain: 31_337,
        pool: [0xC0; 20],
        reserve_attestation: [0xA7; 20],
        master_public_key: committee.master_public_key().to_bytes(),
        reserve: reserve.account(),
        agent_key: agent.public(),
        table: [0x7A; 32],
        tier: 10,
        assets: vec![
            Asset { token: [0xB1; 20], decimals: 8, lot: LOT },
            Asset { token: [0xB2; 20], decimals: 6, lot: 1 },
        ],
        base: BASE,
        quote: QUOTE,
        price_source: [0xFE; 20],
        price_decimals: 8,
        price: PriceBounds { window: 1_200, max_gap: 900, max_stale: 600, collar: 300 },
        solvent_at: 10_000,
        recover_to: 10_000,
        custodian_account: "cold".to_owned(),
        max_statement_age: 24 * 3_600,
        envelope_lifetime: ENVELOPE_LIFETIME,
        slots: 1,
        order_slots: 6,
        auditors: None,
        operator: None,
        suite: TableSuite::ChaCha20Poly1305,
        former_master_public_key: None,
    }
}

/// Five answers around [`PRICE`] before `time`, in the feed's eight decimals.
pub fn observations(time: u64) -> Vec<PriceObservation> {
    let ages = [1_500, 1_000, 600, 200, 5];
    let at = |(round, age): (u128, u64)| PriceObservation { round, answer: PRICE * 100, updated_at: time - age };
    (1..).zip(ages).map(at).collect()
}

impl World {
    /// Before the first version.
    pub fn empty(seed: u64) -> Self {
        Self::configured(seed, |_| {})
    }

    /// As [`Self::empty`], with another configuration.
    pub fn configured(seed: u64, change: impl FnOnce(&mut EnclaveConfig)) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let (committee, members) = committee(seed);
        let agent = AgentKey::generate(&mut rng);
        let reserve = Owner::new(1);
        let mut config = config(&committee, &agent, &reserve);
        change(&mut config);
        let provider = SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), config.measurement());
        Self {
            rng,
            config,
            committee,
            members,
            former: None,
            provider,
            agent,
            reserve,
            table: None,
            time: NOW,
            block: 100,
            block_hash: BLOCK_HASH,
            custody: 0,
            boundary: Vec::new(),
            consumed: Accumulator::default(),
            orders: Vec::new(),
            settled_orders: 0,
            asked: None,
            attempts: 0,
            salts: 0,
        }
    }

    /// With the first version of the table.
    pub fn new(seed: u64) -> Self {
        let mut world = Self::empty(seed);
        world.idle();
        world
    }

    /// The enclave's hardware, with the measurement of the present configuration.
    pub fn hardware(&self) -> SimulatedProvider {
        SimulatedProvider::new(SimulatedHardware::from_seed(&[9; 32]), self.config.measurement())
    }

    pub fn key(&self) -> MasterPublicKey {
        *self.committee.master_public_key()
    }

    pub fn policy(&self) -> Policy {
        Policy {
            mode: OperatingMode::Simulation,
            measurements: vec![self.config.measurement()],
            max_age: 600,
            simulated_roots: vec![self.provider.root()],
            hardware: Hardware::default(),
        }
    }

    pub fn inputs(&self) -> PublicInputs {
        PublicInputs {
            block: self.block,
            block_time: self.time,
            custody: self.custody,
            consumed: self.consumed.count(),
            accumulator: self.consumed.value(),
        }
    }

    /// An identifier that `who` has not used.
    pub fn fresh_id(&mut self, who: [u8; 20]) -> [u8; 32] {
        self.salts += 1;
        let mut salt = [0; 32];
        salt[..8].copy_from_slice(&self.salts.to_be_bytes());
        submission_id(&self.config, &who, &salt)
    }

    /// Logs a deposit by `who` with these bytes.
    pub fn deposit_bytes(&mut self, who: [u8; 20], asset: u32, amount: u128, id: [u8; 32], ciphertext: Vec<u8>) {
        if asset == self.config.base {
            self.custody += amount;
        }
        let submission = Submission { id, who, ciphertext };
        self.boundary.push(BoundaryEvent { kind: OperationKind::Deposit, asset, amount, submission });
    }

    /// Logs a deposit for an owner, paid by `who`.
    pub fn deposit(&mut self, who: [u8; 20], owner: &Owner, asset: u32, amount: u128) {
        let id = self.fresh_id(who);
        let ciphertext = owner.deposit(&self.config, &self.key(), (id, who), &mut self.rng);
        self.deposit_bytes(who, asset, amount, id, ciphertext);
    }

    /// Logs a withdrawal request with these bytes.
    pub fn withdrawal_bytes(&mut self, who: [u8; 20], id: [u8; 32], ciphertext: Vec<u8>) {
        let submission = Submission { id, who, ciphertext };
        self.boundary.push(BoundaryEvent { kind: OperationKind::Withdrawal, asset: 0, amount: 0, submission });
    }

    /// Logs a standing order of an owner, submitted by `who`.
    pub fn order(&mut self, who: [u8; 20], owner: &Owner, lots: u64, spread: u16) {
        let terms = owner.terms(lots * LOT, spread);
        let id = self.fresh_id(who);
        let ciphertext = owner.standing_order(&self.config, &self.key(), (id, who), terms, &mut self.rng);
        self.orders.push(Submission { id, who, ciphertext });
    }

    /// A collateral order of this size that any maker may fill alone, at up to 1 %.
    pub fn plain_order(&self, size: u64) -> CollateralOrder {
        CollateralOrder {
            size,
            minimum_total: 0,
            spread: [10_000, 10_000],
            times: [self.time - 10, self.time],
            dispersion: [10_000, 10_000],
            tiers: u64::MAX,
            seed: [3; 32],
        }
    }

    /// The request for an order, by the reserve's address.
    pub fn request(&mut self, order: &CollateralOrder) -> CollateralRequest {
        self.request_bytes(&order.to_bytes())
    }

    /// The request whose ciphertext holds these bytes.
    pub fn request_bytes(&mut self, plaintext: &[u8]) -> CollateralRequest {
        let who = self.config.reserve;
        let id = self.fresh_id(who);
        let label = intake::label(&self.config, id, who, EXPIRY);
        let ciphertext = Ciphertext::encrypt(&self.key(), &label, plaintext, &mut self.rng).expect("encrypts");
        CollateralRequest { deadline: self.time, submission: Submission { id, who, ciphertext: ciphertext.to_bytes() } }
    }

    /// What the log says since the last round.
    pub fn log(&self, collateral: Option<CollateralRequest>) -> Log {
        if self.table.is_none() {
            return Log { consumed: self.consumed, ..Log::default() };
        }
        let consumed = usize::try_from(self.consumed.count()).expect("small");
        let (live, new) = self.orders.split_at(self.settled_orders);
        Log {
            consumed: self.consumed,
            boundary: self.boundary[consumed..].to_vec(),
            new_orders: new.to_vec(),
            live_orders: live.to_vec(),
            collateral,
            upkeep: None,
        }
    }

    pub fn job(&self, collateral: Option<CollateralRequest>) -> Job {
        Job {
            log: self.log(collateral),
            observations: observations(self.time),
            inputs: self.inputs(),
            validity: Validity { sequence: 7, valid_until: self.time + 900 },
            payout_sequence: 40,
        }
    }

    pub fn header(&self) -> Option<&Header> {
        self.table.as_ref().map(|table| &table.header)
    }

    pub fn plan(&self, log: Log) -> RoundPlan {
        RoundPlan::new(&self.config, &self.key(), self.header(), log, self.time).expect("a plan")
    }

    /// A request to the vault for these ciphertexts.
    pub fn vault_request(&mut self, header: Option<[u8; 32]>, ciphertexts: &[[u8; 32]]) -> Request {
        self.attempts += 1;
        let mut id = [0xAA; 32];
        id[..8].copy_from_slice(&self.attempts.to_be_bytes());
        let request = Request {
            chain: self.config.chain,
            contract: self.config.pool,
            id,
            table_header: header,
            block_hash: self.block_hash,
            deadline: self.time + 300,
            mode: Mode::Sealed,
            epoch: self.committee.epoch(),
            committee: self.committee.digest(),
            ciphertexts: ciphertexts.to_vec(),
        };
        self.asked = Some(request.clone());
        request
    }

    /// Every member's sealed shares, signed.
    pub fn shares(
        &mut self,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
    ) -> Vec<Envelope> {
        let (committee, rng) = (&self.committee, &mut self.rng);
        let seal = |(keys, share): &(ParticipantKeys, KeyShare)| {
            let sealed = sealed::seal(share, committee, request, recipient, ciphertexts, rng).expect("sealed");
            let (digest, topic) = (committee.digest(), request.digest());
            let bytes = sealed.to_bytes();
            Envelope::sign(keys, &digest, committee.epoch(), share.identifier(), &topic, Kind::Sealed, bytes)
                .expect("signed")
        };
        if ciphertexts.is_empty() { Vec::new() } else { self.members.iter().map(seal).collect() }
    }

    /// Opens an attempt at a plan, in an enclave, for `request`.
    pub fn open<'e>(&mut self, enclave: &'e Enclave<'_>, request: Request, plan: &mut RoundPlan) -> OpenedAttempt<'e> {
        let attempt = enclave.attempt(request.clone(), self.time, &mut self.rng).expect("an attempt");
        let envelopes = self.shares(&request, &attempt.card().recipient, plan.ciphertexts());
        attempt.open(&self.committee, plan.take_ciphertexts(), envelopes).expect("opened")
    }

    /// Runs a round; the world is as it was.
    pub fn run(&mut self, job: &Job) -> Result<RoundOutput, RoundError> {
        let provider = self.hardware();
        self.run_on(&provider, job)
    }

    /// Runs a round in an enclave of this provider; the world is as it was.
    pub fn run_on(&mut self, provider: &dyn AttestationProvider, job: &Job) -> Result<RoundOutput, RoundError> {
        let enclave = Enclave::new(self.config.clone(), provider).expect("a configuration");
        self.run_in(&enclave, job)
    }

    /// Runs a round in this enclave; the world is as it was.
    pub fn run_in(&mut self, enclave: &Enclave<'_>, job: &Job) -> Result<RoundOutput, RoundError> {
        let mut plan = self.plan(job.log.clone());
        let head = self.header().map(Header::hash);
        let request = self.vault_request(head, plan.digests());
        let opened = self.open(enclave, request, &mut plan);
        let table = self.table.clone();
        let mut rng = StdRng::from_rng(&mut self.rng);
        let table = table.as_ref().map(|table| (&table.header, table.body.as_slice()));
        opened.round(&plan, table, &job.input(), &mut rng)
    }

    /// Hands the vault to a committee with another master public key, and lists the enclave that knows both.
    pub fn hand_over(&mut self, seed: u64) {
        let holders = committee_in(Epoch(self.committee.epoch().0 + 1), seed);
        self.former = Some((self.committee.clone(), std::mem::take(&mut self.members)));
        self.config.former_master_public_key = Some(self.config.master_public_key);
        (self.committee, self.members) = holders;
        self.config.master_public_key = self.committee.master_public_key().to_bytes();
        self.provider = self.hardware();
    }

    /// Asks the former committee where the present one was asked, and the reverse.
    pub fn swap(&mut self) {
        let (committee, members) = self.former.as_mut().expect("a former committee");
        std::mem::swap(&mut self.committee, committee);
        std::mem::swap(&mut self.members, members);
    }

    /// The request for a plan to the former committee, opened for a rotation.
    pub fn open_former<'e>(
        &mut self,
        enclave: &'e Enclave<'_>,
        plan: &mut RoundPlan,
    ) -> Result<FormerAttempt<'e>, AttemptError> {
        let epoch = self.committee.epoch();
        self.swap();
        let head = self.header().map(Header::hash);
        let request = self.vault_request(head, plan.digests());
        let attempt = enclave.attempt(request.clone(), self.time, &mut self.rng).expect("an attempt");
        let envelopes = self.shares(&request, &attempt.card().recipient, plan.ciphertexts());
        let opened = attempt.open_former((&self.committee, epoch), plan.take_ciphertexts(), envelopes);
        self.swap();
        opened
    }

    /// Runs the version that takes the table to the present committee's key; the world is as it was.
    pub fn rotate(&mut self, job: &Job) -> Result<RoundOutput, RoundError> {
        let mut plan = self.plan(job.log.clone());
        let provider = self.hardware();
        let enclave = Enclave::new(self.config.clone(), &provider).expect("a configuration");
        let opened = self.open_former(&enclave, &mut plan).expect("opened");
        let (table, mut rng) = (self.table.clone().expect("a table"), StdRng::from_rng(&mut self.rng));
        opened.rotate(&plan, (&table.header, &table.body), &job.input(), &mut rng)
    }

    /// What the chain does with an accepted round.
    pub fn accept(&mut self, job: &Job, output: &RoundOutput) {
        self.settled_orders = if self.table.is_some() { self.orders.len() } else { 0 };
        self.consumed = *self.plan(job.log.clone()).accumulator();
        self.table = Some(output.table.clone());
        self.block += 1;
        self.time += 12;
    }

    /// A round that is accepted.
    pub fn round(&mut self, collateral: Option<CollateralRequest>) -> RoundOutput {
        let job = self.job(collateral);
        let output = self.run(&job).expect("a round");
        self.accept(&job, &output);
        output
    }

    pub fn idle(&mut self) -> RoundOutput {
        self.round(None)
    }

    /// Runs a reserve check with this statement.
    pub fn check(&mut self, statement: &[u8]) -> Result<ReserveOutput, ReserveError> {
        let (table, inputs) = (self.table.clone().expect("a table"), self.inputs());
        self.check_with(&table.header.clone(), &table, statement, inputs)
    }

    /// Runs a reserve check in which the request names `named` and the program reads `table`.
    pub fn check_with(
        &mut self,
        named: &Header,
        table: &SealedTable,
        statement: &[u8],
        inputs: PublicInputs,
    ) -> Result<ReserveOutput, ReserveError> {
        let mut plan = RoundPlan::new(&self.config, &self.key(), Some(named), Log::default(), self.time).expect("plan");
        let request = self.vault_request(Some(named.hash()), plan.digests());
        let provider = self.hardware();
        let enclave = Enclave::new(self.config.clone(), &provider).expect("a configuration");
        let opened = self.open(&enclave, request, &mut plan);
        let validity = Validity { sequence: 3, valid_until: self.time + 900 };
        let input = ReserveInput { header: &table.header, body: &table.body, statement, inputs, validity };
        opened.reserve(&input, &mut self.rng)
    }

    /// The current table, opened by the whole committee for the test.
    pub fn rows(&mut self) -> OpenTable {
        let table = self.table.clone().expect("a table");
        self.rows_of(&table)
    }

    /// A table, opened by the whole committee for the test.
    pub fn rows_of(&mut self, table: &SealedTable) -> OpenTable {
        let key = self.key();
        let verified = vec![table.header.wrapped().clone().verify(&key).expect("a wrapped key")];
        let request = self.vault_request(Some(table.header.hash()), &[verified[0].digest()]);
        let keys = AttemptKeys::generate(&mut self.rng).expect("keys");
        let recipient = keys.recipient([0; 32]);
        let envelopes = self.shares(&request, &recipient, &verified);
        let opened = keys.open(&self.committee, &request, [0; 32], &verified, envelopes).expect("opens");
        let key = opened.plaintexts[0].as_ref().expect("a key");
        OpenTable::open(&table.header, &table.body, &DataKey::from_opened(key).expect("a data key")).expect("opens")
    }

    /// Amount and reservation of an account's row; nothing where there is none.
    pub fn balance(&mut self, account: [u8; 20], asset: u32) -> (u128, u64) {
        let row = self.rows().find(AccountId(account), AssetId(asset));
        row.map_or((0, 0), |row| (row.amount, row.reserved))
    }

    /// The sum of each asset over all rows.
    pub fn sums(&mut self) -> [u128; 2] {
        let rows = self.rows();
        [BASE, QUOTE].map(|asset| rows.sum(AssetId(asset)))
    }

    /// Owners with deposits and reservations: 10, 20 and 30 lots at 10, 20 and 30 basis points, and a reserve that
    /// can pay.
    pub fn with_makers(seed: u64) -> (Self, [Owner; 3]) {
        Self::with_makers_configured(seed, |_| {})
    }

    /// As [`Self::with_makers`], with another configuration.
    pub fn with_makers_configured(seed: u64, change: impl FnOnce(&mut EnclaveConfig)) -> (Self, [Owner; 3]) {
        let mut world = Self::configured(seed, change);
        world.idle();
        let makers = [Owner::new(2), Owner::new(3), Owner::new(4)];
        for (index, maker) in (1u8..).zip(&makers) {
            let lots = 10 * u64::from(index);
            world.deposit([index; 20], maker, BASE, u128::from(lots * LOT));
            world.order([index; 20], maker, lots, 1_000 * u16::from(index));
        }
        let reserve = Owner::new(1);
        world.deposit(reserve.account(), &reserve, QUOTE, 1_000_000_000_000);
        world.idle();
        (world, makers)
    }
}

/// A statement made at [`NOW`].
pub fn statement(reserves: u64, liabilities: u64) -> Vec<u8> {
    format!(r#"{{"account":"cold","unit":"satoshi","time":{NOW},"reserves":{reserves},"liabilities":{liabilities}}}"#)
        .into_bytes()
}

/// Bytes that no reader takes.
pub fn noise(rng: &mut StdRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}
