//! `ccc table restore`: brings the version that the head names back from a copy.

use super::{
    Context,
    export::HEADER,
    exported::{self, Exported},
};
use crate::{
    cli::RestoreArgs,
    error::Error,
    pool::{Pool, hexed::Hex, table},
    ui::Answer,
};
use ccc_core::table::{StoreError, TableStore, VersionReader};
use ccc_store::{DirectoryStore, restore_from};
use serde_json::json;
use std::path::Path;

pub(super) fn run(arguments: &RestoreArgs, ctx: &Context<'_>) -> Result<Answer, Error> {
    let (pool, store) = Pool::open_alone(&arguments.pool)?;
    let bar = ctx.ui.working("comparing and copying the version");
    let restored = restore(&pool, &store, &arguments.from);
    bar.finish_and_clear();
    let restored = restored?;
    let current = pool.current(&store)?;
    let (version, hash) = (pool.head.version, pool.head.header_hash);
    let line = if restored {
        format!("table version {version} is restored from {}", arguments.from.display())
    } else {
        format!("table version {version} was whole already: nothing was copied")
    };
    let object = json!({
        "version": version, "header_hash": Hex(hash.0), "from": arguments.from, "restored": restored,
        "bytes": if restored { table::bytes_of(current.header()) } else { 0 },
    });
    ctx.ui.result(&[line], &object);
    Ok(Answer::Done)
}

/// Whether anything had to be copied.
fn restore(pool: &Pool, store: &DirectoryStore, from: &Path) -> Result<bool, Error> {
    if from.join(HEADER).exists() {
        // a wrong version is told before its parts are read
        check_hash(pool, exported::header(from)?.hash(), from)?;
        return take(pool, store, &Exported::open(from)?, from);
    }
    // a copy of table/, or of the whole pool directory
    let roots = [from.to_owned(), from.join("table")];
    let root = roots.into_iter().find(|root| root.join("versions").is_dir());
    let root = root.ok_or_else(|| Error::NoCopy { path: from.into() })?;
    let refused = |source: StoreError| Error::Copy { path: root.clone(), source: source.into() };
    let copies = DirectoryStore::open_to_read(&root).map_err(refused)?;
    let copy = copies.reader(&pool.head.header_hash.0).map_err(refused)?;
    take(pool, store, &*copy, &root)
}

fn take(pool: &Pool, store: &DirectoryStore, copy: &dyn VersionReader, from: &Path) -> Result<bool, Error> {
    pool.check_head(copy.header())?;
    restore_from(store, copy, &pool.head.header_hash.0).map_err(|error| match error {
        // what is written is read back and compared, so that only the copy can be another
        source @ (StoreError::Corrupt { .. } | StoreError::Missing { .. } | StoreError::Sidecar { .. }) => {
            Error::Copy { path: from.into(), source: source.into() }
        }
        of_the_pool => of_the_pool.into(),
    })
}

fn check_hash(pool: &Pool, found: [u8; 32], from: &Path) -> Result<(), Error> {
    let header_hash = pool.head.header_hash.0;
    let source = Box::new(StoreError::Missing { header_hash });
    if found == header_hash { Ok(()) } else { Err(Error::Copy { path: from.into(), source }) }
}
