//! `ccc table export --account-key`: what an owner needs to leave the pool without anyone's help, from the pool or from
//! an exported version: its rows with their proofs, and for each the call of the contract's `exit`.
//!
//! *Security*: the file shows what the account holds, so its owner alone may read it, until it is used.

use super::{Context, export, exported};
use crate::{
    cli::ExportArgs,
    error::Error,
    files::{self, Audience, Replace},
    pool::{Pool, account},
    ui::Answer,
};
use ccc_chain::calls::ExitProof;
use ccc_core::table::{Exit, Header, Part, Row, Sidecar, TableStore, sidecar_len};
use ccc_node::maker::TableOwner;
use serde_json::{Value, json};
use std::path::Path;

/// A version without its body.
struct Source {
    header: Header,
    sidecar: Vec<u8>,
}

impl Source {
    /// An exported version.
    fn exported(directory: &Path) -> Result<Self, Error> {
        let header = exported::header(directory)?;
        let sidecar = files::read(&export::path_of(directory, Part::Sidecar), sidecar_len(header.tier()) as u64)?;
        Ok(Self { header, sidecar })
    }

    /// The account's rows with their proofs; there is one at least.
    fn rows(&self, owner: &TableOwner, ctx: &Context<'_>) -> Result<Vec<(Exit, Row)>, Error> {
        let bar = ctx.ui.working("finding the account's rows");
        let sidecar = Sidecar::parse(&self.sidecar, &self.header)?;
        let rows: Vec<(Exit, Row)> = sidecar
            .open_all(owner.reading_key())
            .into_iter()
            .filter_map(|exit| Some((exit.balance().ok()?, exit)))
            .filter(|(row, _)| row.account.0 == owner.account())
            .map(|(row, exit)| (exit, row))
            .collect();
        bar.finish_and_clear();
        if rows.is_empty() { Err(Error::NoRows { version: self.header.version() }) } else { Ok(rows) }
    }
}

/// The account's rows of an exported version, of which there is one at least, each with its proof for the pool.
///
/// # Errors
/// [`Error::NoRows`], and the errors of reading.
pub(in crate::command) fn of_version(
    directory: &Path,
    owner: &TableOwner,
    ctx: &Context<'_>,
) -> Result<(Header, Vec<(Row, ExitProof)>), Error> {
    let source = Source::exported(directory)?;
    let rows = source.rows(owner, ctx)?.into_iter().map(|(exit, row)| (row, exit_proof(&source.header, &exit)));
    let rows = rows.collect();
    Ok((source.header, rows))
}

pub(super) fn run(arguments: &ExportArgs, key: &Path, ctx: &Context<'_>) -> Result<Answer, Error> {
    let replace = Replace::from_flag(arguments.force);
    if !files::is_stream(&arguments.out) {
        files::check_target(&arguments.out, replace)?;
    }
    let source = read(arguments)?;
    let owner = account::open(key, &ctx.passphrases)?;
    let rows = source.rows(&owner, ctx)?;
    let text = format!("{:#}\n", proofs(&source.header, &owner.account(), &rows));
    files::write(&arguments.out, text.as_bytes(), Audience::Owner, replace)?;
    if !files::is_stream(&arguments.out) {
        let (count, version) = (rows.len(), source.header.version());
        ctx.ui.result(
            &[format!("{count} rows of table version {version} are proved in {}", arguments.out.display())],
            &json!({ "version": version, "rows": count, "file": arguments.out }),
        );
    }
    Ok(Answer::Done)
}

fn read(arguments: &ExportArgs) -> Result<Source, Error> {
    let Some(directory) = &arguments.table else {
        let missing = || Error::Missing { path: arguments.out.clone(), what: "a pool" };
        return current(&Pool::open(arguments.pool.as_deref().ok_or_else(missing)?)?);
    };
    Source::exported(directory)
}

/// Header and sidecar of the pool's current version, without its body.
fn current(pool: &Pool) -> Result<Source, Error> {
    let store = pool.store()?;
    // an owner leaves also where the body is damaged: whoever parses the sidecar holds it against the header
    let reader = match store.reader(&pool.head.header_hash.0) {
        Ok(reader) => reader,
        Err(_) => pool.current(&store)?,
    };
    let header = reader.header().clone();
    let mut sidecar = vec![0; sidecar_len(header.tier())];
    reader.read_at(Part::Sidecar, 0, &mut sidecar)?;
    Ok(Source { header, sidecar })
}

fn bytes(value: impl AsRef<[u8]>) -> String {
    format!("0x{}", hex::encode(value))
}

fn proofs(header: &Header, account: &[u8; 20], rows: &[(Exit, Row)]) -> Value {
    let id = header.id();
    json!({
        "chain": id.chain, "contract": bytes(id.contract), "account": bytes(account), "version": header.version(),
        "header_hash": bytes(header.hash()), "state_root": bytes(header.state_root()), "header": bytes(header.to_bytes()),
        "rows": rows.iter().map(|(exit, row)| proof(header, exit, row)).collect::<Vec<_>>(),
    })
}

fn proof(header: &Header, exit: &Exit, row: &Row) -> Value {
    json!({
        "asset": row.asset.0, "amount": row.amount.to_string(), "index": exit.index, "row": bytes(exit.row),
        "salt": bytes(exit.salt), "path": exit.path.iter().map(bytes).collect::<Vec<_>>(),
        "call": bytes(exit_proof(header, exit).calldata()),
    })
}

/// The proof of a row as the pool takes it.
fn exit_proof(header: &Header, exit: &Exit) -> ExitProof {
    ExitProof {
        header: header.to_bytes().to_vec().into(),
        index: exit.index,
        row: exit.row.to_vec().into(),
        salt: exit.salt.into(),
        path: exit.path.iter().map(Into::into).collect(),
    }
}
