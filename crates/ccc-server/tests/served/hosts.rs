//! Hosts and signers from their files, on a chain that a socket serves.

use crate::{
    common::{self, CHAIN_ID},
    files::{public, served},
    scene::{Listening, Scene, quick},
};
use alloy::primitives::B256;
use ccc_chain::embedded::ChainServer;
use ccc_core::{
    keys::ParticipantKeys,
    report::{Payload, Report, Statement},
    table::TableSuite,
};
use ccc_enclave::config::{Asset, EnclaveConfig, PriceBounds};
use ccc_node::vault_node::Behaviour;
use ccc_server::{
    attested::{Made, PAYOUTS, ROUND, TABLE},
    client::{CallError, Connection},
    enclave::{
        self, Rooms,
        config::EnclaveConfigFile,
        sources::{Class, Source},
    },
    follow::NotReady,
    identity::Identity,
    server::Stop,
    service::{Public, StartError},
    serving::Serving,
    workflow::{self, Workflow, config::WorkflowConfig},
};
use ccc_store::DirectoryStore;
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, atomic::Ordering::SeqCst},
};
use tokio::{runtime::Handle, task::JoinHandle};
use zeroize::Zeroizing;

/// What the custodian takes; no answer may hold it.
pub(crate) const TOKEN: &str = "a-token-that-nobody-shall-read";
pub(crate) const ACCOUNT: &str = "cold-wallet-of-the-reserve";

/// A scene on a chain behind a socket, and who speaks to its nodes.
pub(crate) struct Net {
    pub(crate) scene: Scene,
    pub(crate) chain: ChainServer,
    keys: [Vec<u8>; 4],
}

/// Whose keys.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Host,
    Signer,
    Reader,
    Stranger,
}

impl Net {
    pub(crate) async fn new() -> Self {
        let (mut scene, chain) = served().await;
        let keys = [(); 4].map(|()| ParticipantKeys::generate(&mut scene.rng).unwrap().to_bytes().to_vec());
        Self { scene, chain, keys }
    }

    pub(crate) fn keys(&self, who: Who) -> ParticipantKeys {
        ParticipantKeys::from_bytes(&self.keys[who as usize]).unwrap()
    }

    pub(crate) fn identity(&self, who: Who) -> Identity {
        Identity::new(self.keys(who))
    }

    fn hex(&self, who: Who) -> String {
        hex::encode(self.identity(who).public())
    }

    pub(crate) fn enclave(&self) -> EnclaveConfig {
        let deployment = &self.scene.world.deployment;
        let asset = |index: usize, decimals, lot| Asset { token: deployment.tokens[index].address.0.0, decimals, lot };
        EnclaveConfig {
            chain: CHAIN_ID,
            pool: deployment.pool.0.0,
            reserve_attestation: deployment.attestation.0.0,
            master_public_key: self.scene.committee.master_public_key().to_bytes(),
            reserve: self.scene.world.reserve.address().0.0,
            agent_key: [0x55; 32],
            table: deployment.table_id.0,
            tier: 10,
            assets: vec![asset(0, 6, common::USDC_LOT), asset(1, 8, 1_000)],
            base: 1,
            quote: 0,
            price_source: deployment.feed.0.0,
            price_decimals: 8,
            price: PriceBounds { window: 1_200, max_gap: 900, max_stale: 600, collar: 300 },
            solvent_at: 10_000,
            recover_to: 10_000,
            custodian_account: ACCOUNT.to_owned(),
            max_statement_age: 24 * 3_600,
            envelope_lifetime: 600,
            slots: 1,
            order_slots: 6,
            auditors: None,
            operator: None,
            suite: TableSuite::ChaCha20Poly1305,
            former_master_public_key: None,
        }
    }

    pub(crate) fn public(&self) -> Public {
        let mut public = public(&self.scene);
        public.policy.measurements = vec![self.enclave().measurement()];
        public
    }

    fn head(&self, directory: &Path, name: &str) -> String {
        let key = directory.join(name);
        format!(
            "key = {key:?}\ncommittee = 'c'\ndeployment = 'd'\npolicy = 'p'\npool = 'p'\nrpc_url = '{}'\n\
             listen = '127.0.0.1:0'\noperations = '127.0.0.1:0'\n",
            self.chain.url()
        )
    }

    /// `more` may list participants, and stands last.
    pub(crate) fn host_file(&self, directory: &Path, more: &str) -> EnclaveConfigFile {
        let vault = if more.contains("[[vault]]") { "" } else { "vault = []\n" };
        let store = directory.join("tables");
        let text = format!(
            "{}hardware = 'h'\nstore = {store:?}\n{vault}[chain]\ninterval = 1\n[limits]\nbody = 65536\n\
             [[workflow]]\nname = 'signer'\nkey = '{}'\n[[reader]]\nname = 'reader'\nkey = '{}'\n\
             [[source]]\nurl = 'http://127.0.0.1:9/s'\ntoken_file = 't'\nclass = 'auditor'\n{more}",
            self.head(directory, "host.ccc"),
            self.hex(Who::Signer),
            self.hex(Who::Reader),
        );
        EnclaveConfigFile::read(&text, std::iter::empty()).unwrap()
    }

    pub(crate) fn signer_file(&self, directory: &Path) -> WorkflowConfig {
        let text = format!(
            "{}signer = 's'\nwallet = 'w'\nschedule = {{ cadence = 3600 }}\n[chain]\ninterval = 1\n[limits]\nbody = 65536\n\
             [[enclave]]\nname = 'host'\nkey = '{}'\naddress = '127.0.0.1:9'\n\
             [[workflow]]\nname = 'reader'\nkey = '{}'\naddress = '127.0.0.1:9'\n",
            self.head(directory, "signer.ccc"),
            self.hex(Who::Host),
            self.hex(Who::Reader),
        );
        WorkflowConfig::read(&text, std::iter::empty()).unwrap()
    }

    pub(crate) fn material(&self, file: &EnclaveConfigFile, keys: ParticipantKeys) -> enclave::service::Material {
        let token = Zeroizing::new(TOKEN.to_owned());
        enclave::service::Material {
            keys,
            hardware: Zeroizing::new([7; 32]),
            public: self.public(),
            enclave: self.enclave(),
            store: Box::new(DirectoryStore::open(&file.own.store).unwrap()),
            sources: vec![Source {
                url: "http://127.0.0.1:9/s".to_owned(),
                token,
                class: Class::Auditor,
                authorities: None,
            }],
        }
    }

    pub(crate) async fn host(&self, file: &EnclaveConfigFile) -> Result<Serving<Rooms>, StartError> {
        let material = self.material(file, self.keys(Who::Host));
        enclave::service::prepare(file, material, Arc::clone(&self.scene.clock) as _, false).await
    }

    pub(crate) fn signing(&self, keys: ParticipantKeys, seed: u8) -> workflow::service::Material {
        workflow::service::Material {
            keys,
            signer: common::report_signer(seed),
            record: Arc::new(ccc_store::MemoryRecords::default()),
            wallet: common::wallet(9),
            public: self.public(),
            enclave: self.enclave(),
        }
    }

    pub(crate) async fn signer(&self, file: &WorkflowConfig) -> Result<Workflow, StartError> {
        let material = self.signing(self.keys(Who::Signer), 101);
        Workflow::prepare(file, material, Arc::clone(&self.scene.clock) as _, false).await
    }

    /// Has a host make the first version, and the signers deliver it.
    async fn first_version(&self, directory: &Path) {
        let (world, running) = (&self.scene.world, self.host(&self.host_file(directory, "")).await.unwrap());
        let (running, block) = (Running::host(running), world.chain.finalised_block().await.unwrap());
        let signer = self.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
        let made = signer.call(ROUND.path, ROUND.asks, block.hash.0.to_vec()).await.unwrap();
        let payload = Made::from_bytes(&made).unwrap().result.payload;
        let mut payload = Payload::from_bytes(&payload).unwrap();
        // the epoch that the deployment was made for
        payload.binding.epoch = common::EPOCH;
        let report = Report::new(world.deployment.origin(), block.time, payload).unwrap();
        world.deliver(&world.signed(report)).await.unwrap();
        drop(signer);
        running.end().await;
    }

    /// A request of the reserve's; its deadline comes out.
    async fn requested(&mut self, salt: u8) -> u64 {
        let reserve = self.scene.world.reserve.address().0.0;
        let order = self.scene.encrypted_by(reserve, salt, b"buy 25").to_bytes();
        let (world, salt) = (&self.scene.world, B256::repeat_byte(salt));
        let deadline = world.now().await + 60;
        world.act().request_collateral(&world.reserve, salt, deadline, order.into()).await.unwrap();
        deadline
    }

    pub(crate) async fn connect(&self, who: Who, address: SocketAddr, node: Who) -> Result<Connection, CallError> {
        Connection::open(&self.identity(who), address, self.identity(node).public()).await
    }
}

/// A node that runs.
pub(crate) struct Running {
    pub(crate) addresses: [SocketAddr; 2],
    stop: Stop,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn host(serving: Serving<Rooms>) -> Self {
        let (addresses, (stop, stopped)) = (serving.addresses().unwrap(), Stop::new());
        Self { addresses, stop, task: tokio::spawn(serving.run(stopped)) }
    }

    pub(crate) fn signer(workflow: Workflow) -> Self {
        let (addresses, (stop, stopped)) = (workflow.addresses().unwrap(), Stop::new());
        // its turns stay on one thread
        let run = move || Handle::current().block_on(workflow.run(stopped));
        Self { addresses, stop, task: tokio::task::spawn_blocking(run) }
    }

    pub(crate) async fn end(self) {
        self.stop.stop();
        self.task.await.unwrap();
    }
}

/// Copies what a process has on its medium, as it is while it runs.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// A second one made after a restart would be another result for the same version: signers that have seen the first refuse it.
#[tokio::test]
async fn n156_a_host_that_was_killed_gives_the_round_again_that_it_made() {
    let net = Net::new().await;
    let [first, killed, forgot] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let file = net.host_file(first.path(), "");
    let block = || async { net.scene.world.chain.finalised_block().await.unwrap().hash.0.to_vec() };
    let running = Running::host(net.host(&file).await.unwrap());
    let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
    let made = signer.call(ROUND.path, ROUND.asks, block().await).await.unwrap();
    let result = Made::from_bytes(&made).unwrap().result;
    let Statement::Round(round) = Payload::from_bytes(&result.payload).unwrap().statement else { panic!("a round") };
    for directory in [&killed, &forgot] {
        copy(first.path(), directory.path());
    }
    drop(signer);
    running.end().await;
    fs::remove_file(forgot.path().join("tables.kept")).unwrap();
    for (directory, same) in [(&killed, true), (&forgot, false)] {
        let running = Running::host(net.host(&net.host_file(directory.path(), "")).await.unwrap());
        let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
        let again = signer.call(ROUND.path, ROUND.asks, block().await).await.unwrap();
        assert_eq!(again == made, same);
        let table = signer.call(TABLE.path, TABLE.asks, round.header_hash.to_vec()).await.unwrap();
        assert!(!table.is_empty());
        drop(signer);
        running.end().await;
    }
    // the chain moves on by another round: what was kept is of no version that is current
    net.scene.world.idle_round().await;
    let running = Running::host(net.host(&net.host_file(killed.path(), "")).await.unwrap());
    let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
    let refused = signer.call(ROUND.path, ROUND.asks, block().await).await.unwrap_err();
    assert!(matches!(&refused, CallError::Status { status, .. } if status.as_u16() == 403), "{refused}");
    assert!(signer.call(PAYOUTS.path, PAYOUTS.asks, vec![1; 32]).await.unwrap().is_empty());
    drop(signer);
    running.end().await;
    let head = ccc_server::audit::verify(&net.host_file(killed.path(), "").audit_path()).unwrap();
    assert_eq!((head.given, head.refused), (4, 1), "the copy's round and its own, a table, payouts and the refusal");
}

/// Under a request's identifier participants answer one request. The round of it that was killed is tried at its own block again,
/// where those that answered answer once more; at another one there would be no quorum for it.
#[tokio::test]
async fn n156_a_round_that_was_killed_is_tried_again_at_its_own_block() {
    let mut net = Net::new().await;
    net.scene.host = net.identity(Who::Host);
    net.scene.measurement = net.enclave().measurement();
    let [first, killed, forgot] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    net.first_version(first.path()).await;
    let deadline = net.requested(2).await;
    net.scene.world.chain.advance_time(deadline + 5).await.unwrap();
    net.scene.clock.0.store(deadline + 15, SeqCst);
    let mut nodes = Vec::new();
    for index in 0..4 {
        nodes.push(net.scene.listen(index, Behaviour::Honest, quick()).await);
    }
    let vault = |count: usize| -> String {
        let one =
            |node: &Listening| format!("[[vault]]\nparticipant = {}\naddress = '{}'\n", node.identifier, node.address);
        nodes.iter().take(count).map(one).collect()
    };
    let block = || async { net.scene.world.chain.finalised_block().await.unwrap().hash.0 };
    let named = block().await;
    let running = Running::host(net.host(&net.host_file(first.path(), &vault(2))).await.unwrap());
    let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
    let refused = signer.call(ROUND.path, ROUND.asks, named.to_vec()).await.unwrap_err();
    assert!(
        matches!(&refused, CallError::Status { status, .. } if status.as_u16() == 403),
        "two gave a share: {refused}"
    );
    for directory in [&killed, &forgot] {
        copy(first.path(), directory.path());
    }
    drop(signer);
    running.end().await;
    fs::remove_file(forgot.path().join("tables.kept")).unwrap();
    net.scene.world.chain.advance_time(deadline + 12).await.unwrap();
    assert_ne!(block().await, named);
    for (directory, remembers) in [(&killed, true), (&forgot, false)] {
        let running = Running::host(net.host(&net.host_file(directory.path(), &vault(4))).await.unwrap());
        let signer = net.connect(Who::Signer, running.addresses[0], Who::Host).await.unwrap();
        let made = signer.call(ROUND.path, ROUND.asks, block().await.to_vec()).await;
        assert_eq!(made.is_ok(), remembers, "{made:?}");
        if let Ok(made) = made {
            let beside = Made::from_bytes(&made).unwrap().beside;
            assert_eq!((beside.request.block_hash, beside.request.ciphertexts.is_empty()), (named, false));
        }
        drop(signer);
        running.end().await;
    }
}

fn cause(error: Option<StartError>) -> String {
    match error {
        Some(StartError::NotReady(why)) => match &*why {
            NotReady::ClockBehind { .. } => "clock behind".to_owned(),
            NotReady::Stale { .. } => "stale".to_owned(),
            NotReady::WentBack { .. } => "went back".to_owned(),
            NotReady::Memory { .. } => "memory".to_owned(),
            other => other.to_string(),
        },
        Some(StartError::OthersKeys { name }) => format!("keys of {name}"),
        Some(StartError::OtherPool { what }) => format!("another {what}"),
        Some(StartError::Chain(ccc_chain::ChainError::WrongChain { .. })) => "wrong chain".to_owned(),
        Some(StartError::Records { source, .. }) => format!("{source:?}"),
        Some(StartError::NoSigner { .. }) => "no signer".to_owned(),
        Some(StartError::Audit(ccc_store::chained::ChainedError::Line { line, .. })) => format!("line {line}"),
        other => format!("{:?}", other.map(|error| error.to_string())),
    }
}

/// What a host and a signer say to the same mistakes.
struct Both<'a> {
    net: &'a Net,
    directory: &'a Path,
}

impl Both<'_> {
    async fn start(&self) -> [String; 2] {
        let host = self.net.host(&self.net.host_file(self.directory, "")).await.err();
        let signer = self.net.signer(&self.net.signer_file(self.directory)).await.err();
        [cause(host), cause(signer)]
    }

    /// With something else among what they are started from.
    async fn with(&self, change: impl Fn(&mut Public, &mut EnclaveConfig)) -> [String; 2] {
        let (host, signer) = (self.net.host_file(self.directory, ""), self.net.signer_file(self.directory));
        let mut material = self.net.material(&host, self.net.keys(Who::Host));
        change(&mut material.public, &mut material.enclave);
        material.public.policy.measurements.push(material.enclave.measurement());
        let clock = || Arc::clone(&self.net.scene.clock) as _;
        let host = enclave::service::prepare(&host, material, clock(), false).await.err();
        let mut material = self.net.signing(self.net.keys(Who::Signer), 101);
        change(&mut material.public, &mut material.enclave);
        let signer = Workflow::prepare(&signer, material, clock(), false).await.err();
        [cause(host), cause(signer)]
    }

    async fn with_keys(&self, keys: impl Fn() -> ParticipantKeys) -> [String; 2] {
        let (host, signer) = (self.net.host_file(self.directory, ""), self.net.signer_file(self.directory));
        let clock = || Arc::clone(&self.net.scene.clock) as _;
        let host = enclave::service::prepare(&host, self.net.material(&host, keys()), clock(), false).await.err();
        let signer = Workflow::prepare(&signer, self.net.signing(keys(), 101), clock(), false).await.err();
        [cause(host), cause(signer)]
    }
}

const RIGHT: [&str; 2] = ["None", "None"];

#[tokio::test]
async fn n155_hosts_and_signers_refuse_other_nodes_files_a_wrong_chain_and_a_wrong_clock() {
    let net = Net::new().await;
    let directory = tempfile::tempdir().unwrap();
    let both = Both { net: &net, directory: directory.path() };
    assert_eq!(both.with_keys(|| net.keys(Who::Reader)).await, ["keys of reader"; 2]);
    assert_eq!(both.with_keys(|| net.scene.secrets(1).0).await, ["keys of participant 2"; 2]);
    let elsewhere = |public: &mut Public, _: &mut EnclaveConfig| public.deployment.chain_id += 1;
    assert_eq!(both.with(elsewhere).await, ["another chain"; 2]);
    let there = |public: &mut Public, enclave: &mut EnclaveConfig| {
        public.deployment.chain_id += 1;
        enclave.chain += 1;
    };
    assert_eq!(both.with(there).await, ["wrong chain"; 2]);
    let key = |_: &mut Public, enclave: &mut EnclaveConfig| enclave.master_public_key[0] ^= 1;
    assert_eq!(both.with(key).await, ["another master public key"; 2]);
    let now = net.scene.clock.0.load(SeqCst);
    for (clock, why) in [(now - 10_000, "clock behind"), (now + 10_000, "stale")] {
        net.scene.clock.0.store(clock, SeqCst);
        assert_eq!(both.start().await, [why; 2]);
    }
    net.scene.clock.0.store(now, SeqCst);
    let outsider = net.signing(net.keys(Who::Signer), 55);
    let file = net.signer_file(directory.path());
    let outsider = Workflow::prepare(&file, outsider, Arc::clone(&net.scene.clock) as _, false).await.err();
    assert_eq!(cause(outsider), "no signer");
    assert_eq!(both.start().await, RIGHT);
    let host = net.host_file(directory.path(), "");
    let running = (net.host(&host).await.unwrap(), net.signer(&file).await.unwrap());
    let tables = directory.path().join("elsewhere");
    let second = || async {
        let store = Box::new(DirectoryStore::open(&tables).unwrap());
        let material =
            enclave::service::Material { store, ..net.material(&net.host_file(&tables, ""), net.keys(Who::Host)) };
        let host = enclave::service::prepare(&host, material, Arc::clone(&net.scene.clock) as _, false).await.err();
        [cause(host), cause(net.signer(&file).await.err())]
    };
    assert_eq!(second().await, ["Locked"; 2], "one process is one node");
    drop(running);
    assert_eq!(both.start().await, RIGHT);
}

/// An endpoint that was put back, files of another node, a log that somebody altered.
#[tokio::test]
async fn n155_a_host_and_a_signer_remember_the_chain_and_know_their_own_files() {
    use alloy::providers::Provider;
    let net = Net::new().await;
    let directory = tempfile::tempdir().unwrap();
    let both = Both { net: &net, directory: directory.path() };
    let provider = net.scene.world.chain.provider().clone();
    let control = |method: &'static str, parameters: serde_json::Value| {
        let provider = provider.clone();
        async move { provider.raw_request::<_, serde_json::Value>(method.into(), parameters).await.unwrap() }
    };
    let before = control("evm_snapshot", serde_json::json!([])).await;
    net.scene.world.idle_round().await;
    assert_eq!(both.start().await, RIGHT);
    control("evm_revert", serde_json::json!([before])).await;
    assert_eq!(both.start().await, ["went back"; 2]);
    let (host, signer) = (net.host_file(directory.path(), ""), net.signer_file(directory.path()));
    let clock = || Arc::clone(&net.scene.clock) as _;
    let material = net.material(&host, net.keys(Who::Host));
    drop(enclave::service::prepare(&host, material, clock(), true).await.unwrap());
    drop(Workflow::prepare(&signer, net.signing(net.keys(Who::Signer), 101), clock(), true).await.unwrap());
    assert_eq!(both.start().await, RIGHT, "what was seen is forgotten");
    assert_eq!(both.with_keys(|| net.keys(Who::Stranger)).await, ["memory"; 2], "records of another node");
    for name in ["host.audit", "signer.audit"] {
        fs::write(directory.path().join(name), "{}\n").unwrap();
    }
    assert_eq!(both.start().await, ["line 1"; 2]);
}
