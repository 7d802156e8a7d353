//! `ccc table init`: a pool directory with the first version of its table.

use super::Context;
use crate::{
    cli::TableInitArgs,
    error::Error,
    files::{
        self, Audience, Replace,
        sealed::Content,
        secret::{self, Secrets},
    },
    pool::{
        Paths, Pool,
        attempt::Purpose,
        head::Head,
        hexed::Hex,
        log::{self, Event},
        now, random, read_committee,
        settings::{self, AssetSettings, Auditors, Price, Settings, Signers, Solvency},
        settings_text,
        view::Seen,
        write_head,
    },
    ui::{Answer, Ui},
};
use ccc_core::{
    enclave::attestation::simulated::SimulatedHardware,
    keys::Committee,
    report::ReportSigner,
    table::{AuditorSet, Outputs, Progress, StoredBody, StoredVersion, TableStore, Tier},
};
use ccc_enclave::{
    attempt::Enclave,
    config::ConfigError,
    reserve::Validity,
    round::{Current, RoundInput, StreamedRound},
};
use ccc_node::{policy_file::ModeName, workflow_node::Shown};
use rand::rngs::StdRng;
use std::{
    fs,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const BASE: u32 = 0;
const QUOTE: u32 = 1;
/// Base units of one lot of the base asset: 0.0001 of a coin of 8 decimals.
const BASE_LOT: u64 = 10_000;
const MAX_KEY_TEXT: u64 = 256;

pub(super) fn run(arguments: &TableInitArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    files::check_empty(&arguments.out)?;
    let committee = read_committee(&arguments.committee)?;
    let agent_key = read_public_key(&arguments.agent_key)?;
    let auditors = read_auditors(&arguments.auditors)?;
    let mut rng = ctx.rng()?;
    let parent = arguments.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |source| Error::Write { path: arguments.out.clone(), source };
    let draft = tempfile::Builder::new().prefix(".ccc-pool-").tempdir_in(parent).map_err(failed)?;
    let pool = fill(draft.path(), arguments, &committee, (agent_key, auditors), &mut rng, ctx)?;
    fs::rename(draft.path(), &arguments.out).map_err(failed)?;
    let head = &pool.head;
    ctx.ui.result(
        &[
            format!(
                "pool in {}: table version {}, header {}",
                arguments.out.display(),
                head.version,
                hex::encode(head.header_hash.0)
            ),
            format!(
                "measurement {}, configuration {}",
                hex::encode(pool.config.measurement()),
                hex::encode(pool.config.digest())
            ),
        ],
        &serde_json::json!({
            "measurement": Hex(pool.config.measurement()), "configuration": Hex(pool.config.digest()),
            "pool": arguments.out, "version": head.version, "header_hash": head.header_hash,
            "contract": pool.settings.pool.contract, "chain": pool.settings.pool.chain,
        }),
    );
    Ok(Answer::Done)
}

fn read_public_key(path: &Path) -> Result<[u8; 32], Error> {
    let text = files::read(path, MAX_KEY_TEXT)?;
    let mut key = [0; 32];
    let decoded = hex::decode_to_slice(text.trim_ascii(), &mut key);
    decoded.map_err(|_| Error::PoolFile { path: path.into(), reason: "64 hexadecimal digits are wanted".into() })?;
    Ok(key)
}

/// The first set of a pool, version 1, if it has auditors.
fn read_auditors(paths: &[PathBuf]) -> Result<Option<Auditors>, Error> {
    let keys = read_keys(paths)?;
    if keys.is_empty() {
        return Ok(None);
    }
    Ok(Some(Auditors(AuditorSet::new(1, keys)?)))
}

/// Public keys from their files, ascending.
pub(super) fn read_keys(paths: &[PathBuf]) -> Result<Vec<[u8; 32]>, Error> {
    let mut keys = paths.iter().map(|path| read_public_key(path)).collect::<Result<Vec<_>, _>>()?;
    keys.sort_unstable();
    Ok(keys)
}

fn fill(
    directory: &Path,
    arguments: &TableInitArgs,
    committee: &Committee,
    (agent_key, auditors): ([u8; 32], Option<Auditors>),
    rng: &mut StdRng,
    ctx: &Context<'_>,
) -> Result<Pool, Error> {
    let paths = Paths::new(directory);
    files::directory(&paths.signers())?;
    let addresses = make_signers(&paths, arguments.signers, rng, ctx)?;
    let root = make_hardware(&paths, rng, ctx)?;
    let mut settings = template(arguments, committee, rng);
    settings.pool.agent_key = Hex(agent_key);
    settings.auditors = auditors;
    settings.pool.simulated_hardware = Hex(root);
    settings.signers.addresses = addresses;
    settings.enclave().validate()?;
    settings.signer_set().check()?;
    let text = settings_text(&paths, &settings)?;
    files::write(&paths.settings(), text.as_bytes(), Audience::Everyone, Replace::Never)?;
    files::write(&paths.committee(), &committee.to_bytes(), Audience::Everyone, Replace::Never)?;
    files::write(&paths.log(), b"", Audience::Everyone, Replace::Never)?;
    log::append(&paths.log(), text.as_bytes(), &Event::Block { time: now() })?;
    write_head(&paths.head(), &Head::empty(), Replace::Never)?;
    let bar = ctx.ui.working("sealing the table");
    let pool = first_version(Pool::open(directory)?, &mut |progress| Ui::pass(&bar, progress), rng, ctx);
    bar.finish_and_clear();
    pool
}

fn make_signers(paths: &Paths, count: u8, rng: &mut StdRng, ctx: &Context<'_>) -> Result<Vec<Hex<20>>, Error> {
    let mut addresses = Vec::new();
    for i in 1..=usize::from(count) {
        let key = Zeroizing::new(random::<32>(rng));
        addresses.push(Hex(ReportSigner::from_bytes(&key)?.address()));
        let secrets = Secrets::new(&[key.as_slice()]);
        secret::save(&paths.signer(i), Content::Signer, &secrets, Replace::Never, &ctx.passphrases, rng)?;
    }
    Ok(addresses)
}

fn make_hardware(paths: &Paths, rng: &mut StdRng, ctx: &Context<'_>) -> Result<[u8; 32], Error> {
    let seed = Zeroizing::new(random::<32>(rng));
    let secrets = Secrets::new(&[seed.as_slice()]);
    secret::save(&paths.hardware(), Content::Hardware, &secrets, Replace::Never, &ctx.passphrases, rng)?;
    ctx.ui.note("enclave.key stands for the enclave's hardware: whoever has it can attest anything");
    Ok(SimulatedHardware::from_seed(&seed).root().to_bytes())
}

/// Settings with fresh names in place of the addresses that a chain would give; keys are filled in later.
fn template(arguments: &TableInitArgs, committee: &Committee, rng: &mut StdRng) -> Settings {
    Settings {
        pool: pool(arguments, committee, rng),
        price: Price {
            source: Hex(random(rng)),
            decimals: 8,
            window: 1_200,
            max_gap: 900,
            max_stale: 600,
            collar: 500,
        },
        solvency: Solvency {
            solvent_at: 10_000,
            recover_to: 10_500,
            custodian_account: arguments.custodian_account.clone(),
            max_statement_age: 3_600,
            envelope_lifetime: 900,
        },
        signers: signers(arguments, rng),
        auditors: None,
        asset: vec![
            AssetSettings { token: Hex(random(rng)), decimals: 8, lot: BASE_LOT },
            AssetSettings { token: Hex(random(rng)), decimals: 6, lot: 1 },
        ],
    }
}

/// The pool itself, on the chain that was named.
fn pool(arguments: &TableInitArgs, committee: &Committee, rng: &mut StdRng) -> settings::Pool {
    settings::Pool {
        mode: ModeName::Simulation,
        chain: arguments.chain,
        contract: Hex(random(rng)),
        reserve_attestation: Hex(random(rng)),
        reserve: Hex(arguments.reserve.0),
        operator: arguments.operator.map(|operator| Hex(operator.0)),
        master_public_key: Hex(committee.master_public_key().to_bytes()),
        former_master_public_key: None,
        agent_key: Hex([0; 32]),
        table: Hex(random(rng)),
        tier: arguments.tier,
        suite: arguments.suite,
        base: BASE,
        quote: QUOTE,
        slots: 1,
        order_slots: arguments.order_slots,
        simulated_hardware: Hex([0; 32]),
    }
}

/// As many faulty signers as their number tolerates.
fn signers(arguments: &TableInitArgs, rng: &mut StdRng) -> Signers {
    Signers {
        forwarder: Hex(random(rng)),
        don_id: 1,
        config_version: 1,
        workflow_id: Hex(workflow_id(rng)),
        workflow_owner: Hex(random(rng)),
        f: arguments.signers.saturating_sub(1) / 3,
        addresses: Vec::new(),
    }
}

/// The first byte of a workflow's identifier is zero.
fn workflow_id(rng: &mut StdRng) -> [u8; 32] {
    let mut id = random(rng);
    id[0] = 0;
    id
}

/// The enclave makes the empty table, the signers sign its report, the head names it.
fn first_version(
    pool: Pool,
    progress: &mut dyn FnMut(Progress),
    rng: &mut StdRng,
    ctx: &Context<'_>,
) -> Result<Pool, Error> {
    let (at, time) = (&pool.log, pool.log.time());
    let scope = pool.scope(at, None, Purpose::Round)?;
    let plan = scope.plan.as_ref().ok_or(Error::HeadBehind)?;
    let provider = pool.hardware(&ctx.passphrases)?;
    let enclave = Enclave::new(pool.config.clone(), &provider)?;
    let request = pool.request(&pool.committee, at, None, &scope);
    let attempt = enclave.attempt(request.clone(), time, rng)?;
    let opened = attempt.open(&pool.committee, Vec::new(), Vec::new())?;
    let input = RoundInput {
        observations: &[],
        price_block: at.number(),
        inputs: pool.inputs(at)?,
        validity: Validity { sequence: 1, valid_until: time.saturating_add(900) },
        payout_sequence: 1,
        progress: &|_| {},
    };
    let store = pool.store()?;
    let tier = Tier::new(pool.config.tier).ok_or(ConfigError::Bound { what: "tier" })?;
    let version = StoredVersion::new(store.writer(tier)?);
    let outputs = Outputs { body: &mut version.body(), sidecar: &mut version.sidecar(), progress };
    let StreamedRound { result, header, .. } =
        opened.round_to(plan, None::<Current<'_, StoredBody<'_>>>, &input, outputs, rng)?;
    let shown = Shown { request: &request, header: None };
    let seen = Seen { at, latest: &pool.head, observations: &[], now: time, duty: None };
    let report = pool.sign(&result, shown, &seen, &ctx.passphrases)?;
    version.commit(&header)?;
    pool.record(&header.hash(), &report, None)?;
    let head =
        Head { header_hash: Hex(header.hash()), version: header.version(), round_sequence: 1, ..pool.head.clone() };
    pool.set_head(&head)?;
    Ok(Pool { head, ..pool })
}
