//! The process that is killed: it goes on from the version that the store names.

use crate::{
    common::{ID, data_key, master},
    history::{History, Step, params, rng},
};
use ccc_core::table::{Header, Outputs, SealedBody, StoredBody, StoredVersion, Streamed, TableStore, Tier, genesis_to};
use ccc_store::{Confirmation, DirectoryStore, Keep, collect};
use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};

pub(crate) const CHILD: &str = "CCC_STORE_CHILD";
/// Versions that a store takes before a new one begins.
pub(crate) const VERSIONS: usize = 40;
/// Every so many versions the past is collected.
pub(crate) const COLLECTED_EVERY: usize = 4;
pub(crate) const ANCESTORS: u32 = 2;

/// How a writer comes by the next version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It puts one that is sealed already.
    Put,
    /// It updates the one that the store holds, by the path that streams.
    Update,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Update => "update",
        }
    }

    /// Microseconds before the kill: longer than a version takes, so that every part of it is met.
    pub(crate) fn longest_wait(self) -> u64 {
        match self {
            Self::Put => 30_000,
            Self::Update => 120_000,
        }
    }
}

pub(crate) fn open(store: &str, path: &Path) -> Box<dyn TableStore> {
    match store {
        #[cfg(feature = "redb")]
        "journal" => Box::new(ccc_store::JournalStore::open(path.join("journal")).expect("opens")),
        #[cfg(feature = "object-store-local")]
        "bucket" => {
            let objects = object_store::local::LocalFileSystem::new_with_prefix(path).expect("a directory");
            let objects = std::sync::Arc::new(objects.with_fsync(true));
            Box::new(ccc_store::BucketStore::open(objects, "").expect("opens"))
        }
        _ => Box::new(DirectoryStore::open(path).expect("opens")),
    }
}

/// The next version to write, from the store's own hint.
pub(crate) fn next_index(store: &dyn TableStore) -> usize {
    let hint = store.head_hint(&ID).expect("read");
    // version 1 has index 0, so the version is the next index
    hint.map_or(0, |hint| {
        usize::try_from(store.header(&hint).expect("the hint names a version").version()).expect("small")
    })
}

/// Not a test of its own: the process that `n156a_killed_writers_lose_nothing_acknowledged` kills.
#[test]
fn child_writer() {
    let Ok(child) = std::env::var(CHILD) else { return };
    let [name, way, path, history] = child.split('#').collect::<Vec<_>>().try_into().expect("store, way, two paths");
    let (store, history) = (open(name, Path::new(path)), History::at(PathBuf::from(history)));
    for index in next_index(&*store)..VERSIONS {
        let header = if way == Way::Update.name() { update(&*store, index) } else { put(&*store, &history, index) };
        store.set_head_hint(&ID, &header.hash()).expect("kept");
        println!("acknowledged {index};");
        if index % COLLECTED_EVERY == COLLECTED_EVERY - 1 {
            collect_before(&*store, &header);
        }
    }
}

fn put(store: &dyn TableStore, history: &History, index: usize) -> Header {
    let table = history.read(index);
    store.put(&table).expect("kept");
    table.header
}

/// The next version, read from the store and written to it chunk by chunk.
fn update(store: &dyn TableStore, index: usize) -> Header {
    if index == 0 {
        return stream(store, params().tier, |outputs| {
            genesis_to(&params(), &master(), outputs, &mut rng(0)).expect("genesis")
        });
    }
    let hash = store.head_hint(&ID).expect("read").expect("the version before");
    let (reader, step) = (store.reader(&hash).expect("whole"), Step::to(index));
    let (header, key) = (reader.header(), data_key(reader.header()));
    let sealed = SealedBody { header, key: &key, body: &mut StoredBody::new(&*reader) };
    stream(store, step.tier(header.tier()), |outputs| {
        sealed.apply(&step.update(), &master(), outputs, &mut rng(index)).expect("updates")
    })
}

type StoreOutputs<'a, 'w> = Outputs<'a, ccc_core::table::StoredChunks<'a, 'w>, ccc_core::table::StoredPlaces<'a, 'w>>;

fn stream(store: &dyn TableStore, tier: Tier, make: impl FnOnce(StoreOutputs<'_, '_>) -> Streamed) -> Header {
    let version = StoredVersion::new(store.writer(tier).expect("begins"));
    let (body, sidecar) = (&mut version.body(), &mut version.sidecar());
    let Streamed { header, .. } = make(Outputs { body, sidecar, progress: &mut |_| () });
    version.commit(&header).expect("kept");
    header
}

fn collect_before(store: &dyn TableStore, header: &Header) {
    let keep = Keep { ancestors: NonZeroU32::new(ANCESTORS).expect("not zero") };
    let collection = collect(store, &ID, header.head(), keep).expect("planned");
    let confirmation = Confirmation { head: header.head(), removals: collection.removals().len() };
    collection.carry_out(confirmation).expect("carried out");
}
