//! What a store lies on, as the tests see it.

use crate::common::{ID, assert_same};
use ccc_core::table::{HEADER_LEN, Header, SealedTable, StoreError, TableStore};
use ccc_store::{DirectoryStore, MemoryStore};
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A place that a store can be opened on again and again.
pub(crate) trait Medium {
    fn open(&self) -> Result<Box<dyn TableStore + '_>, StoreError>;

    /// Whether a second opener is refused while the first one is there.
    fn is_exclusive(&self) -> bool {
        true
    }

    /// Whether what is kept is still there when the store is opened again.
    fn is_lasting(&self) -> bool {
        true
    }
}

/// What is damaged of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The bytes that begin with the header.
    Manifest,
    Body,
    Sidecar,
}

/// A medium whose bytes a test can change behind the store's back, while it is closed.
pub(crate) trait Damageable: Medium {
    /// What is kept of a part of a version, as one string of bytes, is changed.
    fn alter(&self, header: &Header, target: Target, change: &mut dyn FnMut(&mut Vec<u8>));
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operation fails, its effect is absent, later ones work.
    Fails(ErrorKind),
    /// The power goes: this and all later operations fail, and what was not synced may be gone.
    PowerCut,
}

/// The operations of a simulated medium, counted, and the one at which it fails.
#[derive(Default)]
pub(crate) struct Strikes {
    operations: usize,
    fault: Option<(usize, Fault)>,
}

impl Strikes {
    /// Counts an operation; the fault that strikes it, and whether it is the first that this fault strikes.
    pub(crate) fn next(&mut self) -> Option<(Fault, bool)> {
        let turn = self.operations;
        self.operations += 1;
        self.fault.and_then(|(at, fault)| match fault {
            Fault::Fails(_) => (at == turn).then_some((fault, true)),
            Fault::PowerCut => (at <= turn).then_some((fault, at == turn)),
        })
    }

    /// [`Strikes::next`] as the error of a file system.
    pub(crate) fn operate(&mut self) -> io::Result<()> {
        match self.next() {
            None => Ok(()),
            Some((Fault::Fails(kind), _)) => Err(kind.into()),
            Some((Fault::PowerCut, _)) => Err(ErrorKind::BrokenPipe.into()),
        }
    }
}

/// A simulated medium that fails when it is told to.
pub(crate) trait Faulty: Medium {
    /// Reads or changes when it fails.
    fn strikes<R>(&self, change: impl FnOnce(&mut Strikes) -> R) -> R;

    /// The fault strikes `after` more operations.
    fn strike(&self, after: usize, fault: Fault) {
        self.strikes(|strikes| strikes.fault = Some((strikes.operations + after, fault)));
    }

    /// Whether the fault has struck.
    fn was_struck(&self) -> bool {
        self.strikes(|strikes| strikes.fault.is_some_and(|(at, _)| strikes.operations > at))
    }

    /// No further fault.
    fn heal(&self) {
        self.strikes(|strikes| strikes.fault = None);
    }

    /// The power goes. What survives of unsynced writes is chosen by `seed`, nothing for zero.
    fn cut(&self, seed: u64);

    /// Whether every write is refused from now on, and reads go on.
    fn set_read_only(&self, read_only: bool);
}

/// A store in memory, which lasts no longer than it is open.
pub(crate) struct Memory;

impl Medium for Memory {
    fn open(&self) -> Result<Box<dyn TableStore + '_>, StoreError> {
        Ok(Box::new(MemoryStore::new()))
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn is_lasting(&self) -> bool {
        false
    }
}

/// A directory of the real file system.
pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The digest that follows the header in the manifest; another one follows it.
    fn sidecar_digest(&self, header: &Header) -> [u8; 32] {
        let manifest = fs::read(self.file(header, Target::Manifest)).expect("read");
        manifest[HEADER_LEN..HEADER_LEN + 32].try_into().expect("a digest")
    }

    pub(crate) fn file(&self, header: &Header, target: Target) -> PathBuf {
        let (part, name) = match target {
            Target::Manifest => ("versions", header.hash()),
            Target::Body => ("bodies", header.body_root()),
            Target::Sidecar => ("sidecars", self.sidecar_digest(header)),
        };
        self.path().join(part).join(hex::encode(name))
    }
}

impl Medium for Directory {
    fn open(&self) -> Result<Box<dyn TableStore + '_>, StoreError> {
        Ok(Box::new(DirectoryStore::open(self.path())?))
    }
}

impl Damageable for Directory {
    fn alter(&self, header: &Header, target: Target, change: &mut dyn FnMut(&mut Vec<u8>)) {
        let path = self.file(header, target);
        let mut bytes = fs::read(&path).expect("read");
        change(&mut bytes);
        fs::write(&path, bytes).expect("written");
    }
}

pub(crate) fn put_both(store: &dyn TableStore, table: &SealedTable) -> Result<(), StoreError> {
    store.put(table)?;
    store.set_head_hint(&ID, &table.header.hash())
}

/// The first version is whole; the second is whole or absent; the hint names one of them that is whole. Whether the
/// second is there.
#[expect(clippy::panic, reason = "the lint's exception covers test functions only, and this serves several")]
pub(crate) fn assert_old_or_new(store: &dyn TableStore, first: &SealedTable, second: &SealedTable) -> bool {
    assert_same(&store.get(&first.header.hash()).expect("the first version stays"), first);
    let hint = store.head_hint(&ID).expect("read").expect("kept");
    assert!(store.get(&hint).is_ok(), "the hint names a whole version");
    match store.get(&second.header.hash()) {
        Ok(found) => {
            assert_same(&found, second);
            true
        }
        Err(StoreError::Missing { .. }) => false,
        Err(other) => panic!("neither old nor new: {other}"),
    }
}

/// The medium holds one version, and the hint names it.
pub(crate) fn prepare(medium: &impl Medium, first: &SealedTable) {
    put_both(&*medium.open().expect("opens"), first).expect("kept");
}
#[cfg(feature = "redb")]
pub(crate) use journal::Journal;

#[cfg(feature = "redb")]
mod journal {
    use super::*;
    use ccc_store::JournalStore;
    use redb::{Database, ReadableTable, TableDefinition};

    const VERSIONS: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new("versions");
    const PIECES: TableDefinition<'static, (u64, u8, u32), &[u8]> = TableDefinition::new("pieces");

    /// A journal in a file.
    pub(crate) struct Journal(TempDir);

    impl Journal {
        pub(crate) fn new() -> Self {
            Self(tempfile::tempdir().expect("directory"))
        }

        pub(crate) fn file(&self) -> PathBuf {
            self.0.path().join("journal")
        }

        pub(crate) fn unfinished(&self) -> PathBuf {
            self.0.path().join("journal.new")
        }
    }

    impl Medium for Journal {
        fn open(&self) -> Result<Box<dyn TableStore + '_>, StoreError> {
            Ok(Box::new(JournalStore::open(self.file())?))
        }
    }

    impl Damageable for Journal {
        fn alter(&self, header: &Header, target: Target, change: &mut dyn FnMut(&mut Vec<u8>)) {
            let database = Database::open(self.file()).expect("opens");
            let transaction = database.begin_write().expect("begins");
            {
                let mut versions = transaction.open_table(VERSIONS).expect("there");
                let mut record = versions.get(&header.hash()).expect("read").expect("kept").value().to_vec();
                let number = record.last_chunk().map(|number| u64::from_be_bytes(*number)).unwrap_or_default();
                match target {
                    Target::Manifest => {
                        change(&mut record);
                        versions.insert(&header.hash(), &record[..]).expect("written");
                    }
                    Target::Body => alter_pieces(&transaction, number, 0, change),
                    Target::Sidecar => alter_pieces(&transaction, number, 1, change),
                }
            }
            transaction.commit().expect("kept");
        }
    }

    fn alter_pieces(transaction: &redb::WriteTransaction, number: u64, part: u8, change: &mut dyn FnMut(&mut Vec<u8>)) {
        let mut pieces = transaction.open_table(PIECES).expect("there");
        let range = (number, part, 0)..=(number, part, u32::MAX);
        let mut whole = vec![];
        for piece in pieces.range(range.clone()).expect("read") {
            whole.extend_from_slice(piece.expect("read").1.value());
        }
        change(&mut whole);
        pieces.retain_in(range, |_, _| false).expect("removed");
        for (index, piece) in (0..).zip(whole.chunks(61_440)) {
            pieces.insert((number, part, index), piece).expect("written");
        }
    }
}
