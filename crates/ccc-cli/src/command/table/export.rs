//! `ccc table export`: a version of the table as files, copied in constant memory and checked while it is copied.

use super::{Context, proof};
use crate::{
    cli::ExportArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{Pool, hexed::Hex},
    ui::{Answer, Side, columns, decimal},
};
use ccc_core::table::{
    Header, Part, SEALED_CHUNK_LEN, StoreError, TableStore, VersionReader, check_sidecar, part_digest,
};
use ccc_store::DirectoryStore;
use indicatif::ProgressBar;
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The header's file in an exported version.
pub(super) const HEADER: &str = "table.header";
const SIDECAR: &str = "table.sidecar";
const BODY: &str = "table.body";
const MANIFEST: &str = "manifest.json";
/// What a file of a manifest may be held against.
const DIGESTS: [&str; 3] = ["keccak256", "body_root", "blake3"];

pub(super) fn run(arguments: &ExportArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    match (&arguments.account_key, &arguments.pool) {
        (Some(key), _) => proof::run(arguments, key, ctx),
        (None, Some(pool)) => version(pool, arguments, ctx),
        // clap asks for the key beside --table
        (None, None) => Err(Error::Missing { path: arguments.out.clone(), what: "a pool" }),
    }
}

fn version(directory: &Path, arguments: &ExportArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    files::check_empty(&arguments.out)?;
    let (pool, store) = Pool::open_alone(directory)?;
    let header = wanted(&pool, &store, arguments.version)?;
    let parent = arguments.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |source| Error::Write { path: arguments.out.clone(), source };
    let draft = tempfile::Builder::new().prefix(".ccc-table-").tempdir_in(parent).map_err(failed)?;
    let manifest = write(draft.path(), &store, &header, ctx)?;
    fs::rename(draft.path(), &arguments.out).map_err(failed)?;
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)?;
    let mut lines = vec![format!("table version {} in {}", header.version(), arguments.out.display())];
    lines.extend(listing(&manifest));
    ctx.ui.result(&lines, &manifest);
    Ok(Answer::Done)
}

/// The files of a manifest as a table.
fn listing(manifest: &serde_json::Value) -> Vec<String> {
    let row = |file: &serde_json::Value| {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_owned();
        let bytes = file["bytes"].as_u64().unwrap_or_default();
        let digest = DIGESTS.iter().find(|name| file[**name].is_string()).copied().unwrap_or_default();
        [text("file"), decimal(bytes.into(), 0), digest.replace('_', " "), text(digest)]
    };
    let heads = [("file", Side::Left), ("bytes", Side::Right), ("digest", Side::Left), ("", Side::Left)];
    columns(heads, manifest["files"].as_array().into_iter().flatten().map(row).collect())
}

fn wanted(pool: &Pool, store: &DirectoryStore, version: Option<u64>) -> Result<Header, Error> {
    match version {
        Some(version) => pool.history(store)?.version(version).cloned(),
        None => Ok(pool.current(store)?.header().clone()),
    }
}

/// Writes header, body, sidecar and manifest into a directory, and gives the manifest.
fn write(
    directory: &Path,
    store: &DirectoryStore,
    header: &Header,
    ctx: &Context<'_>,
) -> Result<serde_json::Value, Error> {
    let reader = store.reader(&header.hash())?;
    let steps: u64 = Part::ALL.iter().map(|part| part.len(header.tier()).div_ceil(SEALED_CHUNK_LEN as u64)).sum();
    let bar = ctx.ui.progress(steps, "writing the table");
    let header_path = directory.join(HEADER);
    files::write(&header_path, &header.to_bytes(), Audience::Everyone, Replace::Never)?;
    let digests = Part::ALL.map(|part| copy(&*reader, part, &path_of(directory, part), &bar));
    let [body, sidecar] = digests;
    let (body, sidecar) = (body?, sidecar?);
    bar.finish_and_clear();
    let manifest = manifest(header, body, sidecar);
    let text = format!("{manifest:#}\n");
    files::write(&directory.join(MANIFEST), text.as_bytes(), Audience::Everyone, Replace::Never)?;
    Ok(manifest)
}

/// The file of a part in an exported version.
pub(super) fn path_of(directory: &Path, part: Part) -> PathBuf {
    directory.join(match part {
        Part::Body => BODY,
        Part::Sidecar => SIDECAR,
    })
}

fn medium(operation: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Medium { operation, source: Box::new(source) }
}

/// Copies a part and gives its digest, which is that of the version; of a sidecar, the copy's tree is the header's.
fn copy(reader: &dyn VersionReader, part: Part, path: &Path, bar: &ProgressBar) -> Result<[u8; 32], StoreError> {
    let header = reader.header();
    let mut file =
        File::options().read(true).write(true).create_new(true).open(path).map_err(medium("making a file"))?;
    let digest = part_digest(part, header.tier(), |offset, bytes| {
        reader.read_at(part, offset, bytes)?;
        bar.inc(1);
        file.write_all(bytes).map_err(medium("writing a file"))
    })?;
    let expected = match part {
        Part::Body => header.body_root(),
        Part::Sidecar => reader.sidecar_digest(),
    };
    if digest != expected {
        return Err(StoreError::Corrupt { header_hash: header.hash(), part: part.name() });
    }
    if part == Part::Sidecar {
        check_sidecar(header, |offset, bytes| {
            let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(bytes));
            read.map_err(medium("reading a file back"))
        })?;
    }
    file.sync_all().map_err(medium("writing a file"))?;
    Ok(digest)
}

/// What the files are, and what each is held against.
fn manifest(header: &Header, body_root: [u8; 32], sidecar: [u8; 32]) -> serde_json::Value {
    let id = header.id();
    serde_json::json!({
        "chain": id.chain, "contract": Hex(id.contract), "table": Hex(id.table), "version": header.version(),
        "epoch": header.epoch().0, "rows": header.tier().rows(), "header_hash": Hex(header.hash()),
        "previous": Hex(header.previous()), "state_root": Hex(header.state_root()),
        "files": [
            { "file": HEADER, "bytes": header.to_bytes().len(), "keccak256": Hex(header.hash()) },
            { "file": BODY, "bytes": Part::Body.len(header.tier()), "body_root": Hex(body_root) },
            { "file": SIDECAR, "bytes": Part::Sidecar.len(header.tier()), "blake3": Hex(sidecar) },
        ],
    })
}
