//! A pool whose contracts stand on a chain as for custody, with registries of the vault and of enclaves. Each actor
//! reads that chain for itself, from the pool's first block on.

mod people;

use super::support::{
    ask_for, node,
    pool::{Job, World, owner::Owner},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256, Bytes, U256},
};
use ccc_chain::{
    Actions, Chain, ChainError, Delivery, Deployment, Wallet,
    bindings::VaultRegistry,
    deploy::Registries,
    read::{BlockRef, Pool, TableState, price_observations},
    status, submit,
    watch::Watcher,
};
use ccc_core::{
    enclave::identity::IdentityKey,
    envelope::Envelope,
    keys::Committee,
    report::{Accumulator, Kind, Payload, Report, Signature65, SignedReport, Statement},
    table::Header,
    vault::Request,
};
use ccc_enclave::{
    attempt::Enclave,
    intake::{self, Log, submission_id},
    reserve::Validity,
    result::{AttestedResult, PublicInputs},
    round::RoundOutput,
    upkeep::Duty,
};
use ccc_node::{
    pool_log::{Former, PoolLog, RoundAt, read_block},
    vault_node::{Ask, ChainView, Refusal},
    workflow_node::{Registered, Shown, SignerRefusal, SignerView, WorkflowNode, identity_of},
};
use people::{identity, place, signers, wallet};
use rand::{SeedableRng, rngs::StdRng};

const REPORT_LIFETIME: u64 = 900;
/// Rounds of the feed that are read.
const PRICE_ROUNDS: u64 = 64;

/// The chain and everybody who acts on it.
pub(crate) struct Scene {
    pub(crate) chain: Chain,
    pub(crate) deployment: Deployment,
    /// Committee, enclave and owners. Its log of the chain is not used.
    pub(crate) world: World,
    sender: Wallet,
    signers: Vec<WorkflowNode>,
    identity: IdentityKey,
    /// Payload of the report that made the current version.
    former: Option<Vec<u8>>,
    salts: u8,
}

/// What the enclave made, before any signer has seen it.
pub(crate) struct Made {
    pub(crate) output: RoundOutput,
    request: Request,
    header: Option<Header>,
}

impl Scene {
    /// After the first version, with the program and the enclave in the registry.
    pub(crate) async fn new(seed: u64) -> Self {
        let mut world = World::empty(seed);
        let (chain, deployment, sender) = place(&mut world).await;
        let (signers, identity) = (signers(&world), identity(&mut world));
        let mut scene = Self { chain, deployment, world, sender, signers, identity, former: None, salts: 0 };
        scene.admit().await;
        scene.close(None).await;
        scene
    }

    pub(crate) fn registries(&self) -> Registries {
        self.deployment.registries.expect("a deployment for custody")
    }

    fn pool(&self) -> Pool {
        Pool::new(&self.chain, self.deployment.pool)
    }

    async fn latest(&self) -> BlockRef {
        self.chain.block(BlockId::latest()).await.expect("a block")
    }

    /// The table that the chain has.
    pub(crate) async fn table(&self) -> TableState {
        self.pool().table(BlockId::latest()).await.expect("a table")
    }

    /// The vault's epoch, as its registry has it.
    pub(crate) async fn epoch(&self) -> u64 {
        let registry = VaultRegistry::new(self.registries().vault, self.chain.provider());
        registry.epoch().call().await.expect("an epoch")
    }

    /// An owner pays in with the wallet of its account's key.
    pub(crate) async fn deposit(&mut self, owner: u8, asset: u32, amount: u128) {
        let (wallet, salt, id) = self.submission(owner);
        let who = wallet.address();
        let ciphertext =
            Owner::new(owner).deposit(&self.world.config, &self.world.key(), (id, who.0.0), &mut self.world.rng);
        let (act, amount) = (Actions::new(&self.chain, &self.deployment), U256::from(amount));
        act.mint(&self.sender, asset, who, amount).await.expect("minted");
        act.deposit(&wallet, asset, amount, salt, ciphertext.into()).await.expect("deposited");
    }

    /// An owner's standing order, sent as its deposit is.
    pub(crate) async fn order(&mut self, owner: u8, size: u64, spread: u16) {
        let (wallet, salt, id) = self.submission(owner);
        let (owner, submitted) = (Owner::new(owner), (id, wallet.address().0.0));
        let (key, terms) = (self.world.key(), owner.terms(size, spread));
        let ciphertext = owner.standing_order(&self.world.config, &key, submitted, terms, &mut self.world.rng);
        let act = Actions::new(&self.chain, &self.deployment);
        act.submit_standing_order(&wallet, salt, Bytes::from(ciphertext)).await.expect("submitted");
    }

    fn submission(&mut self, owner: u8) -> (Wallet, B256, [u8; 32]) {
        self.salts += 1;
        let (wallet, salt) = (wallet(owner), B256::repeat_byte(self.salts));
        let id = submission_id(&self.world.config, &wallet.address().0.0, &salt.0);
        (wallet, salt, id)
    }

    /// One actor's own reading of the pool up to a block.
    async fn read(&self, block: &BlockRef) -> PoolLog {
        let mut seen = PoolLog::new(self.deployment.pool, self.deployment.times.fill_window);
        let mut watcher = Watcher::new(&self.chain, &self.deployment, self.deployment.first_block);
        let observed = watcher.poll_to(block.number).await.expect("events");
        observed.iter().for_each(|event| seen.take(event).expect("an event"));
        seen
    }

    /// The log of the round that comes next, or of a version of its own.
    async fn log(&self, block: &BlockRef, duty: Option<Duty>) -> Log {
        let (seen, table) = (self.read(block).await, self.pool().table(block.id()).await.expect("a table"));
        let history = self.pool().history(table.consumed, block.id()).await.expect("a history");
        let at = RoundAt {
            block: block.number,
            time: block.time,
            header: table.header_hash.0,
            version: table.version,
            consumed: Accumulator::resume(history.0, table.consumed),
            former: self.former().await,
            request: None,
            opens: &|submission| intake::opens(&self.world.config, &self.world.key(), submission, block.time),
        };
        duty.map_or_else(|| seen.round(&at), |duty| seen.upkeep(&at, duty)).expect("a log")
    }

    async fn former(&self) -> Option<Former<'_>> {
        let payload = self.former.as_deref()?;
        let read = read_block(payload).expect("a payload").unwrap_or(0);
        let time = self.chain.block(BlockId::number(read)).await.expect("a block").time;
        Some(Former { payload, time })
    }

    async fn inputs(&self, block: &BlockRef) -> PublicInputs {
        let (pool, base) = (self.pool(), self.deployment.tokens[0].address);
        let consumed = pool.table(block.id()).await.expect("a table").consumed;
        PublicInputs {
            block: block.number,
            block_time: block.time,
            custody: pool.token_balance(base, block.id()).await.expect("a balance").to(),
            consumed,
            accumulator: pool.history(consumed, block.id()).await.expect("a history").0,
        }
    }

    /// What a participant reads at a block.
    async fn chain_view(&self, block: &BlockRef) -> ChainView {
        let table = self.pool().table(block.id()).await.expect("a table");
        ChainView {
            block_hash: block.hash.0,
            time: block.time,
            header_hash: table.header_hash.0,
            version: table.version,
            submissions: self.read(block).await.submissions(),
            // signers ask the registry here; that participants do is held in `vault_enclaves.rs`
            enclaves: None,
        }
    }

    /// The answers of a quorum of the committee that is asked; nothing to open needs nobody.
    pub(crate) async fn answers(&mut self, ask: &Ask) -> Result<Vec<Envelope>, Refusal> {
        if ask.ciphertexts.is_empty() {
            return Ok(Vec::new());
        }
        let mut envelopes = Vec::new();
        for index in 0..usize::from(self.world.committee.threshold().t()) {
            let block = self.chain.block(BlockId::number(self.world.block)).await.expect("a block");
            let (view, mut rng) = (self.chain_view(&block).await, StdRng::from_rng(&mut self.world.rng));
            envelopes.extend(node(&self.world, index).reencrypt(&view, ask, block.time, &mut rng)?);
        }
        Ok(envelopes)
    }

    /// The host goes on to the newest block, and to what a version is told there.
    pub(crate) async fn job(&mut self, duty: Option<Duty>) -> Job {
        let block = self.chain.finalised_block().await.expect("a block");
        (self.world.block, self.world.time, self.world.block_hash) = (block.number, block.time, block.hash.0);
        let last = self.pool().last_sequence(Kind::Round, block.id()).await.expect("a sequence");
        let observations = price_observations(&self.chain, self.deployment.feed, PRICE_ROUNDS, block.id()).await;
        Job {
            log: self.log(&block, duty).await,
            observations: observations.expect("prices"),
            inputs: self.inputs(&block).await,
            validity: Validity { sequence: last + 1, valid_until: block.time + REPORT_LIFETIME },
            payout_sequence: 1,
        }
    }

    /// The next version: of a rotation the table's key comes from the former committee.
    pub(crate) async fn make(&mut self, duty: Option<Duty>) -> Made {
        let (job, rotates) = (self.job(duty).await, duty == Some(Duty::Rotation));
        let plan = self.world.plan(job.log.clone());
        let swap = |world: &mut World| {
            if rotates {
                world.swap()
            }
        };
        swap(&mut self.world);
        let asked = ask_for(&mut self.world, plan);
        let envelopes = self.answers(&asked.ask).await.expect("answers");
        let opening = self.world.committee.clone();
        swap(&mut self.world);
        let (plan, table) = (self.world.plan(job.log.clone()), self.world.table.clone());
        let enclave = Enclave::new(self.world.config.clone(), &self.world.provider).expect("a configuration");
        let enclave = enclave.with_identity(&self.identity);
        let attempt = enclave.resume(asked.ask.request.clone(), asked.keys, self.world.time).expect("an attempt");
        let (current, mut rng) = (table.as_ref(), StdRng::from_rng(&mut self.world.rng));
        let current = current.map(|table| (&table.header, table.body.as_slice()));
        let output = if rotates {
            let epoch = self.world.committee.epoch();
            let opened = attempt.open_former((&opening, epoch), asked.verified, envelopes).expect("opened");
            opened.rotate(&plan, current.expect("a table"), &job.input(), &mut rng)
        } else {
            let opened = attempt.open(&opening, asked.verified, envelopes).expect("opened");
            opened.round(&plan, current, &job.input(), &mut rng)
        };
        Made { output: output.expect("a version"), request: asked.ask.request, header: table.map(|table| table.header) }
    }

    /// f+1 signers sign what each compares with its own reading; `duty` is what their operators ask for.
    pub(crate) async fn sign(&self, made: &Made, duty: Option<Duty>) -> Result<SignedReport, SignerRefusal> {
        let result = &made.output.result;
        let payload = Payload::from_bytes(&result.payload)?;
        let context = self.deployment.context(payload.binding.sequence);
        let shown = Shown { request: &made.request, header: made.header.as_ref() };
        let mut signed = Vec::new();
        for signer in self.signers.iter().take(self.deployment.signer_set().quorum()) {
            let view = self.signer_view(&payload, result, duty).await;
            signed.push(signer.sign(result, shown, &view, self.deployment.origin(), &context)?);
        }
        Ok(self.assembled(signed))
    }

    /// As f+1 signers would that compare nothing.
    pub(crate) fn sign_blindly(&self, made: &Made) -> SignedReport {
        let payload = Payload::from_bytes(&made.output.result.payload).expect("a payload");
        let context = self.deployment.context(payload.binding.sequence);
        let report = Report::new(self.deployment.origin(), self.world.time, payload).expect("a report");
        let keys = (0..self.deployment.signer_set().quorum()).map(people::report_signer);
        self.assembled(keys.map(|key| (report.clone(), key.sign(&report, &context))).collect())
    }

    fn assembled(&self, signed: Vec<(Report, Signature65)>) -> SignedReport {
        let (reports, signatures): (Vec<Report>, Vec<Signature65>) = signed.into_iter().unzip();
        let (set, report) = (self.deployment.signer_set(), reports.into_iter().next().expect("a report"));
        let context = self.deployment.context(report.payload().binding.sequence);
        let forwarder = self.deployment.forwarder.0.0;
        SignedReport::assemble(report, context, &signatures, &set, &forwarder).expect("a quorum")
    }

    /// What one signer reads before it signs a round.
    async fn signer_view(&self, payload: &Payload, result: &AttestedResult, duty: Option<Duty>) -> SignerView {
        let Statement::Round(round) = &payload.statement else { panic!("no round") };
        let (pool, latest) = (self.pool(), self.latest().await);
        let at = self.chain.block(BlockId::number(result.inputs.block)).await.expect("a block");
        let [table, newest] = [&at, &latest].map(|block| pool.table(block.id()));
        let [table, newest] = [table.await, newest.await].map(|table| table.expect("a table"));
        let read = BlockId::number(round.price_block);
        let observations = price_observations(&self.chain, self.deployment.feed, PRICE_ROUNDS, read).await;
        SignerView {
            chain: self.chain.chain_id(),
            receivers: [self.deployment.attestation, self.deployment.pool].map(|receiver| receiver.0.0),
            epoch: self.epoch().await,
            now: latest.time,
            inputs: self.inputs(&at).await,
            block_hash: at.hash.0,
            log: self.log(&at, duty).await,
            header: (table.header_hash.0, table.version),
            latest: (newest.header_hash.0, newest.version),
            last_sequence: pool.last_sequence(Kind::Round, latest.id()).await.expect("a sequence"),
            accumulator: pool.history(round.count, at.id()).await.ok().map(|value| value.0),
            price_source: self.deployment.feed.0.0,
            observations: observations.expect("prices"),
            enclave: Some(self.registered(result, &latest).await),
        }
    }

    async fn registered(&self, result: &AttestedResult, latest: &BlockRef) -> Registered {
        let signer = identity_of(result);
        let standing = status::standing(&self.chain, self.registries().enclaves, signer.into(), latest.id()).await;
        Registered { signer, standing: standing.expect("a standing") }
    }

    pub(crate) async fn deliver(&self, signed: &SignedReport) -> Result<Delivery, ChainError> {
        submit::deliver(&self.chain, &self.sender, self.deployment.forwarder, signed).await
    }

    /// The next version, made, signed and taken by the chain.
    pub(crate) async fn close(&mut self, duty: Option<Duty>) -> Header {
        let made = self.make(duty).await;
        let signed = self.sign(&made, duty).await.unwrap_or_else(|refusal| panic!("{refusal}"));
        self.deliver(&signed).await.expect("taken");
        self.former = Some(made.output.result.payload);
        let header = made.output.table.header.clone();
        self.world.table = Some(made.output.table);
        header
    }

    /// Hands the vault over in its registry, with so many signatures of the committee in office.
    pub(crate) async fn hand_over(&self, next: &Committee, signatures: u8) -> Result<(), ChainError> {
        let registry = VaultRegistry::new(self.registries().vault, self.chain.provider());
        let (until, next) = (self.latest().await.time + REPORT_LIFETIME, people::registered(next));
        let digest = registry.handoverDigest(next.clone(), until).call().await.expect("a digest");
        let epoch = self.epoch().await;
        let signed = (0..signatures).map(|number| people::handover_signature(epoch, number, &digest)).collect();
        let request = registry.handOver(next, until, signed).into_transaction_request();
        self.chain.send(&self.sender, request).await.map(drop)
    }
}

/// The contract that refused, and its reason with the arguments.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<T, ChainError>) -> (Address, String) {
    match outcome {
        Err(ChainError::Refused(refusal) | ChainError::RefusedInBlock { refusal, .. }) => {
            let arguments: Vec<&str> = refusal.arguments.iter().map(|argument| argument.value.as_str()).collect();
            (refusal.by, format!("{}({})", refusal.name, arguments.join(", ")))
        }
        other => panic!("expected a refusal, found {other:?}"),
    }
}
