//! `ccc node enclave` and `ccc node workflow`.

use super::{log, public, read, until_told};
use crate::{
    cli::NodeArgs,
    command::{Context, recover::token},
    error::Error,
    files::{
        self,
        passphrase::Passphrases,
        sealed::{Content, SealedError},
        secret,
    },
    network::{KeySource, open_key, runtime},
    pool::{account, parse_toml, settings::Settings},
    rounds::keys::read_keys,
    ui::Answer,
};
use ccc_chain::https::Authorities;
use ccc_core::report::ReportSigner;
use ccc_enclave::config::EnclaveConfig;
use ccc_server::{
    enclave::{self, config::EnclaveConfigFile, sources::Source},
    follow::SystemClock,
    workflow::{self, Workflow, config::WorkflowConfig},
};
use ccc_store::{DirectoryStore, RedbRecords};
use std::{net::SocketAddr, path::Path, sync::Arc};
use zeroize::Zeroizing;

const MAX_SETTINGS: u64 = 1 << 20;

pub(super) fn enclave(arguments: &NodeArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let file: EnclaveConfigFile = read(&arguments.config)?;
    let material = enclave::service::Material {
        public: public(&file.node)?,
        enclave: read_pool(&file.own.pool)?,
        keys: read_keys(&file.node.key, &ctx.passphrases)?,
        hardware: read_key(&file.own.hardware, Content::Hardware, &ctx.passphrases)?,
        store: Box::new(DirectoryStore::open(&file.own.store)?),
        sources: file.own.sources.iter().map(source).collect::<Result<_, Error>>()?,
    };
    log(&arguments.running)?;
    runtime()?.block_on(async {
        let serving = enclave::service::prepare(&file, material, Arc::new(SystemClock), arguments.forget_chain).await?;
        say("results", serving.addresses().map_err(Error::Runtime)?, ctx);
        until_told(&arguments.running, |stopped| serving.run(stopped)).await;
        Ok(Answer::Done)
    })
}

pub(super) fn workflow(arguments: &NodeArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let file: WorkflowConfig = read(&arguments.config)?;
    let signer = read_key(&file.own.signer, Content::Signer, &ctx.passphrases)?;
    let material = workflow::service::Material {
        public: public(&file.node)?,
        enclave: read_pool(&file.own.pool)?,
        keys: read_keys(&file.node.key, &ctx.passphrases)?,
        signer: ReportSigner::from_bytes(&signer)?,
        record: Arc::new(RedbRecords::open(file.signed_path())?),
        wallet: open_key(&KeySource::PrivateKeyFile(file.own.wallet.clone()), &ctx.passphrases)?,
    };
    log(&arguments.running)?;
    runtime()?.block_on(async {
        let node = Workflow::prepare(&file, material, Arc::new(SystemClock), arguments.forget_chain).await?;
        say("signatures", node.addresses().map_err(Error::Runtime)?, ctx);
        until_told(&arguments.running, |stopped| node.run(stopped)).await;
        Ok(Answer::Done)
    })
}

fn say(what: &str, [address, operations]: [SocketAddr; 2], ctx: &Context<'_>) {
    let line = format!("{what} at {address}, health and meters at http://{operations}");
    ctx.ui.result(&[line], &serde_json::json!({ "address": address, "operations": operations }));
}

/// What the enclave is built for.
pub(super) fn read_pool(path: &Path) -> Result<EnclaveConfig, Error> {
    Ok(parse_toml::<Settings>(path, &files::read(path, MAX_SETTINGS)?)?.enclave())
}

/// A secret file of 32 bytes.
fn read_key(path: &Path, content: Content, passphrases: &Passphrases) -> Result<Zeroizing<[u8; 32]>, Error> {
    let secrets = secret::open(path, content, passphrases)?;
    let key = secrets.split::<1>().and_then(|[key]| account::key(key));
    key.map_err(|source: SealedError| Error::Sealed { path: path.into(), source })
}

fn source(section: &enclave::config::SourceSection) -> Result<Source, Error> {
    let authorities = section.has_tls().then(|| authorities(section.authorities.as_deref())).transpose()?;
    Ok(Source { url: section.url.clone(), token: token(&section.token_file)?, authorities, class: section.class })
}

/// Those of a file and nobody else, or the system's.
pub(super) fn authorities(path: Option<&Path>) -> Result<Authorities, Error> {
    let read = |path: &Path| Ok::<_, Error>(Authorities::from_pem(&files::read(path, MAX_SETTINGS)?));
    path.map_or_else(|| Ok(Authorities::system()), read)?.map_err(Error::SourceAuthorities)
}
