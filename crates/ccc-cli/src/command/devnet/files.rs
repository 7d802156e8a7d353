//! What the processes of a network are started from: keys, public files and configurations in one directory.
//!
//! *Security*: keys are written in the clear, mode 0600: it is a network for trying things out, and its enclave is simulated.

use super::network::Plan;
use crate::{
    error::Error,
    files::{
        self, Audience, Replace,
        passphrase::Passphrases,
        sealed::Content,
        secret::{self, Secrets},
    },
    pool::{hexed::Hex, random, settings},
    rounds::keys::with_share,
};
use ccc_core::keys::ParticipantKeys;
use ccc_enclave::config::EnclaveConfig;
use ccc_node::{
    policy_file::{ModeName, PolicyFile},
    recovery::Material,
};
use ccc_server::identity::Identity;
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};
use std::{
    fmt::Write,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
};
use zeroize::Zeroizing;

/// A node: its name, its key and its ports.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) key: [u8; 32],
    pub(super) address: SocketAddr,
    pub(super) operations: SocketAddr,
}

impl Named {
    fn section(&self, list: &str, with_address: bool) -> String {
        let mut text = format!("\n[[{list}]]\nname = \"{}\"\nkey = \"{}\"\n", self.name, hex::encode(self.key));
        if with_address {
            let _infallible = writeln!(text, "address = \"{}\"", self.address);
        }
        text
    }
}

/// A directory with everything in it.
pub(super) struct Directory {
    vaults: Vec<Named>,
    pub(super) enclaves: Vec<Named>,
    signers: Vec<Named>,
    /// Who reads tables and envelopes.
    pub(super) reader: Identity,
    /// The keys that pay for deliveries.
    pub(super) wallets: Vec<Zeroizing<[u8; 32]>>,
}

/// Writes one network.
struct Writer<'a> {
    plan: &'a Plan,
    chain: &'a str,
    material: &'a Material<'a>,
    passphrases: Passphrases,
    rng: StdRng,
    /// Ports stay taken until all are known.
    taken: Vec<TcpListener>,
}

impl Directory {
    /// Everybody's files.
    ///
    /// # Errors
    /// [`Error`]: those of writing, and a system without randomness or free ports.
    pub(super) fn write(plan: &Plan, chain: &str, material: &Material<'_>) -> Result<Self, Error> {
        let rng = StdRng::try_from_rng(&mut SysRng).map_err(|error| Error::Randomness(error.to_string()))?;
        let passphrases = Passphrases::new(None, true)?;
        let mut writer = Writer { plan, chain, material, passphrases, rng, taken: Vec::new() };
        writer.public()?;
        let vaults = writer.vaults()?;
        let enclaves = writer.named("enclave", plan.enclaves.into())?;
        let signers = writer.named("workflow", material.signers.len())?;
        let reader = Identity::new(ParticipantKeys::generate(&mut writer.rng)?);
        let readers = Named { name: "reader".to_owned(), key: reader.public(), ..vaults[0].clone() };
        for vault in &vaults {
            writer.vault_config(vault, &enclaves)?;
        }
        for enclave in &enclaves {
            writer.enclave_config(enclave, [&vaults, &enclaves, &signers], &readers)?;
        }
        let mut wallets = Vec::new();
        for (place, signer) in signers.iter().enumerate() {
            wallets.push(writer.signer_config((place, signer), [&enclaves, &signers])?);
        }
        Ok(Self { vaults, enclaves, signers, reader, wallets })
    }

    /// Everybody, with the verb that starts it.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&'static str, &Named)> {
        let vaults = self.vaults.iter().map(|node| ("vault", node));
        let enclaves = self.enclaves.iter().map(|node| ("enclave", node));
        vaults.chain(enclaves).chain(self.signers.iter().map(|node| ("workflow", node)))
    }
}

impl Writer<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.plan.directory.join(name)
    }

    fn text(&self, name: &str, text: &str) -> Result<(), Error> {
        files::write(&self.path(name), text.as_bytes(), Audience::Everyone, Replace::Never)
    }

    fn secret(&mut self, name: &str, content: Content, secrets: &Secrets) -> Result<(), Error> {
        let path = self.path(name);
        secret::save(&path, content, secrets, Replace::Never, &self.passphrases, &mut self.rng)
    }

    fn private(&self, name: &str, line: &str) -> Result<(), Error> {
        files::write(&self.path(name), line.as_bytes(), Audience::Owner, Replace::Never)
    }

    fn port(&mut self) -> Result<SocketAddr, Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(Error::Runtime)?;
        let address = listener.local_addr().map_err(Error::Runtime)?;
        self.taken.push(listener);
        Ok(address)
    }

    /// What everybody reads.
    fn public(&self) -> Result<(), Error> {
        let Material { committee, deployment, policy, config, hardware, .. } = self.material;
        let json = |value: serde_json::Result<String>| value.map_err(|error| Error::Runtime(error.into()));
        files::write(&self.path("committee.ccc"), &committee.to_bytes(), Audience::Everyone, Replace::Never)?;
        self.text("deployment.json", &json(serde_json::to_string_pretty(deployment))?)?;
        self.text("policy.json", &json(serde_json::to_string_pretty(&PolicyFile::from(*policy)))?)?;
        let root = ccc_core::enclave::attestation::simulated::SimulatedHardware::from_seed(hardware).root();
        let settings = settings_of(config, deployment, root.to_bytes());
        let path = self.path("pool.toml");
        let text = settings.to_text().map_err(|error| Error::PoolFile { path, reason: error.to_string() })?;
        self.text("pool.toml", &text)
    }

    fn vaults(&mut self) -> Result<Vec<Named>, Error> {
        let mut vaults = Vec::new();
        for (keys, share) in &self.material.members {
            let name = format!("vault-{}", share.identifier());
            self.secret(&format!("{name}.ccc"), Content::Participant, &with_share(share, keys))?;
            let key = keys.public_keys().signing_key();
            vaults.push(Named { name, key, address: self.port()?, operations: self.port()? });
        }
        Ok(vaults)
    }

    /// Nodes with fresh keys for their connections.
    fn named(&mut self, kind: &str, count: usize) -> Result<Vec<Named>, Error> {
        let mut nodes = Vec::new();
        for number in 1..=count {
            let (name, keys) = (format!("{kind}-{number}"), ParticipantKeys::generate(&mut self.rng)?);
            self.secret(&format!("{name}.ccc"), Content::Keys, &Secrets::new(&[&keys.to_bytes()]))?;
            let key = keys.public_keys().signing_key();
            nodes.push(Named { name, key, address: self.port()?, operations: self.port()? });
        }
        Ok(nodes)
    }

    /// The top of every configuration.
    fn head(&self, node: &Named) -> String {
        let Named { name, address, operations, .. } = node;
        format!(
            "key = \"{name}.ccc\"\ncommittee = \"committee.ccc\"\ndeployment = \"deployment.json\"\n\
             policy = \"policy.json\"\nrpc_url = \"{}\"\nlisten = \"{address}\"\noperations = \"{operations}\"\n",
            self.chain,
        )
    }

    fn vault_config(&self, vault: &Named, enclaves: &[Named]) -> Result<(), Error> {
        let clients: String = enclaves.iter().map(|enclave| enclave.section("client", false)).collect();
        self.text(&format!("{}.toml", vault.name), &format!("{}{CHAIN}{clients}", self.head(vault)))
    }

    fn enclave_config(
        &mut self,
        own: &Named,
        [vaults, enclaves, signers]: [&[Named]; 3],
        reader: &Named,
    ) -> Result<(), Error> {
        let name = &own.name;
        self.secret(
            &format!("{name}.hardware"),
            Content::Hardware,
            &Secrets::new(&[self.material.hardware.as_slice()]),
        )?;
        let (url, token) = &self.material.custodian;
        self.private(&format!("{name}.token"), token)?;
        let mut text = self.head(own);
        let _infallible = write!(
            text,
            "hardware = \"{name}.hardware\"\npool = \"pool.toml\"\nstore = \"{name}.tables\"\n{CHAIN}\n[[source]]\n\
             url = \"{url}\"\ntoken_file = \"{name}.token\"\nclass = \"custodian-api\"\n",
        );
        for ((_, share), vault) in self.material.members.iter().zip(vaults) {
            let participant = share.identifier();
            let _infallible =
                write!(text, "\n[[vault]]\nparticipant = {participant}\naddress = \"{}\"\n", vault.address);
        }
        signers.iter().for_each(|signer| text.push_str(&signer.section("workflow", false)));
        enclaves
            .iter()
            .filter(|other| other.name != *name)
            .for_each(|other| text.push_str(&other.section("enclave", true)));
        text.push_str(&reader.section("reader", false));
        self.text(&format!("{name}.toml"), &text)
    }

    fn signer_config(
        &mut self,
        (place, own): (usize, &Named),
        [enclaves, signers]: [&[Named]; 2],
    ) -> Result<Zeroizing<[u8; 32]>, Error> {
        let (name, key) = (&own.name, &self.material.signers[place]);
        self.secret(&format!("{name}.signer"), Content::Signer, &Secrets::new(&[key.as_slice()]))?;
        let wallet = Zeroizing::new(random::<32>(&mut self.rng));
        self.private(&format!("{name}.wallet"), &Zeroizing::new(hex::encode(wallet.as_slice())))?;
        let cadence = self.plan.cadence;
        let mut text = self.head(own);
        let _infallible = write!(
            text,
            "signer = \"{name}.signer\"\nwallet = \"{name}.wallet\"\npool = \"pool.toml\"\n{CHAIN}\n[schedule]\n\
             cadence = {cadence}\ntakeover = {}\n",
            (cadence / 2).max(1),
        );
        enclaves.iter().for_each(|enclave| text.push_str(&enclave.section("enclave", true)));
        signers
            .iter()
            .filter(|other| other.name != *name)
            .for_each(|other| text.push_str(&other.section("workflow", true)));
        self.text(&format!("{name}.toml"), &text)?;
        Ok(wallet)
    }
}

const CHAIN: &str = "\n[chain]\ninterval = 1\nclock_behind = 60\n";

/// The pool file of a deployment.
fn settings_of(config: &EnclaveConfig, deployment: &ccc_chain::Deployment, root: [u8; 32]) -> settings::Settings {
    let asset = |asset: &ccc_enclave::config::Asset| settings::AssetSettings {
        token: Hex(asset.token),
        decimals: asset.decimals,
        lot: asset.lot,
    };
    let signers = deployment.signer_set();
    settings::Settings {
        pool: pool_of(config, root),
        price: settings::Price {
            source: Hex(config.price_source),
            decimals: config.price_decimals,
            window: config.price.window,
            max_gap: config.price.max_gap,
            max_stale: config.price.max_stale,
            collar: config.price.collar,
        },
        solvency: settings::Solvency {
            solvent_at: config.solvent_at,
            recover_to: config.recover_to,
            custodian_account: config.custodian_account.clone(),
            max_statement_age: config.max_statement_age,
            envelope_lifetime: config.envelope_lifetime,
        },
        signers: settings::Signers {
            forwarder: Hex(deployment.forwarder.0.0),
            don_id: signers.don_id,
            config_version: signers.config_version,
            workflow_id: Hex(deployment.workflow.id.0),
            workflow_owner: Hex(deployment.workflow.owner.0.0),
            f: signers.f,
            addresses: signers.signers.into_iter().map(Hex).collect(),
        },
        auditors: config.auditors.clone().map(settings::Auditors),
        asset: config.assets.iter().map(asset).collect(),
    }
}

fn pool_of(config: &EnclaveConfig, root: [u8; 32]) -> settings::Pool {
    settings::Pool {
        mode: ModeName::Simulation,
        chain: config.chain,
        contract: Hex(config.pool),
        reserve_attestation: Hex(config.reserve_attestation),
        reserve: Hex(config.reserve),
        operator: config.operator.map(Hex),
        master_public_key: Hex(config.master_public_key),
        former_master_public_key: config.former_master_public_key.map(Hex),
        agent_key: Hex(config.agent_key),
        table: Hex(config.table),
        tier: config.tier,
        suite: settings::SuiteName::default(),
        base: config.base,
        quote: config.quote,
        slots: config.slots,
        order_slots: config.order_slots,
        simulated_hardware: Hex(root),
    }
}
