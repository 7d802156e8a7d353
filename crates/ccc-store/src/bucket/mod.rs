//! A bucket of an object store, for many machines.
//!
//! *Layout*:
//!
//! | object | content |
//! |---|---|
//! | `format` | the format's number in decimal, here 1 |
//! | `pieces/<BLAKE3 of it>` | 65 552 bytes of body or sidecar; the last of a part is shorter |
//! | `versions/<header hash>` | header 435 ‖ BLAKE3 of the sidecar 32 ‖ BLAKE3 of each piece, body first ‖ BLAKE3 of all before 32 |
//! | `heads/<chain>-<contract>-<table>` | header hash 32 ‖ BLAKE3 of it 32 |
//!
//! Everything but a hint is named by its hash and created only where nothing is, so that writers on several machines
//! need no lock: whoever comes second finds the bytes there. A version's manifest is created last, once every piece
//! has been read back, so that it exists only for a complete version. A piece is compared with its name whenever it
//! is read. What an interrupted write leaves is pieces that no manifest names.

mod reader;
mod record;
mod worker;
mod writer;

use crate::record::{DIGEST_LEN, HINT_LEN, hash_of, hint_bytes, read_hint, table_name};
use ccc_core::table::{Header, StoreError, TableId, TableStore, Tier, VersionReader, VersionWriter};
use futures::TryStreamExt;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, path::Path};
use reader::BucketReader;
use record::{PIECE_LEN, Record, count, position};
use std::{collections::BTreeSet, sync::Arc};
use worker::Worker;
use writer::BucketWriter;

const FORMAT: u64 = 1;
/// No number that is written in decimal is longer.
const FORMAT_LIMIT: usize = 20;

/// Sealed versions in a bucket of an object store: of a provider, or a directory for trials.
///
/// *Security*: the provider sees sealed bytes, their sizes and the times of access, and can withhold them or serve old
/// ones; the chain's header hash finds that out. Durability is the provider's promise: what it has acknowledged, the
/// store calls kept.
///
/// *Timing*: one request per piece of 64 KiB, one after the other; removing a version reads the manifest of every other.
#[derive(Debug)]
pub struct BucketStore {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    worker: Worker,
}

impl BucketStore {
    /// Opens the store under a prefix of a bucket, `""` for the whole of it. Any number of machines may have it open.
    ///
    /// # Errors
    /// [`StoreError::Format`], [`StoreError::Malformed`] for a prefix that is no path, [`StoreError::Medium`].
    pub fn open(objects: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self, StoreError> {
        let prefix = Path::parse(prefix).map_err(|_| StoreError::Malformed { what: "prefix" })?;
        let worker = Worker::start().map_err(|source| StoreError::Medium {
            operation: "starting the store's thread",
            source: Box::new(source),
        })?;
        let store = Self { objects, prefix, worker };
        store.check_format()?;
        Ok(store)
    }

    fn check_format(&self) -> Result<(), StoreError> {
        let path = self.prefix.clone().join("format");
        let read = || self.read(&path, FORMAT_LIMIT, "reading the format");
        let kept = match read()? {
            // a bucket that is there already is opened without a write: a reader's credentials are enough
            Some(kept) => kept,
            None => {
                self.create(&path, FORMAT.to_string().into_bytes(), "writing the format")?;
                read()?.unwrap_or_default()
            }
        };
        let found = std::str::from_utf8(&kept).ok().and_then(|text| text.parse().ok());
        match found.ok_or(StoreError::Malformed { what: "format object" })? {
            FORMAT => Ok(()),
            found => Err(StoreError::Format { expected: FORMAT, found }),
        }
    }

    fn path(&self, part: &'static str, name: &str) -> Path {
        self.prefix.clone().join(part).join(name)
    }

    /// An object's bytes; `None` where it is absent, empty where it is longer than it may be.
    fn read(&self, path: &Path, limit: usize, operation: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        let (objects, path) = (self.objects.clone(), path.clone());
        let read = async move {
            let found = objects.get(&path).await?;
            // the length is known before a byte is fetched
            if found.meta.size > limit as u64 { Ok(vec![]) } else { Ok(found.bytes().await?.to_vec()) }
        };
        match self.worker.run(operation, read)? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(medium(operation, error)),
        }
    }

    fn put_object(
        &self,
        path: &Path,
        bytes: Vec<u8>,
        mode: PutMode,
        operation: &'static str,
    ) -> Result<object_store::Result<()>, StoreError> {
        let (objects, path) = (self.objects.clone(), path.clone());
        let options = PutOptions { mode, ..PutOptions::default() };
        self.worker
            .run(operation, async move { objects.put_opts(&path, PutPayload::from(bytes), options).await.map(drop) })
    }

    /// Creates an object where there is none; whether it did.
    fn create(&self, path: &Path, bytes: Vec<u8>, operation: &'static str) -> Result<bool, StoreError> {
        match self.put_object(path, bytes, PutMode::Create, operation)? {
            Ok(()) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(medium(operation, error)),
        }
    }

    fn overwrite(&self, path: &Path, bytes: Vec<u8>, operation: &'static str) -> Result<(), StoreError> {
        self.put_object(path, bytes, PutMode::Overwrite, operation)?.map_err(|error| medium(operation, error))
    }

    fn delete(&self, path: &Path, operation: &'static str) -> Result<(), StoreError> {
        let (objects, path) = (self.objects.clone(), path.clone());
        match self.worker.run(operation, async move { objects.delete(&path).await })? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(medium(operation, error)),
        }
    }

    fn piece_path(&self, digest: &[u8; DIGEST_LEN]) -> Path {
        self.path("pieces", &hex::encode(digest))
    }

    /// A piece, compared with its name; `None` where it is absent.
    fn piece(&self, digest: &[u8; DIGEST_LEN]) -> Result<Option<Piece>, StoreError> {
        let bytes = self.read(&self.piece_path(digest), PIECE_LEN, "reading a piece")?;
        Ok(bytes.map(|bytes| if blake3::hash(&bytes) == *digest { Piece::Whole(bytes) } else { Piece::Altered }))
    }

    /// Keeps a piece under its hash; what is there already is compared, and replaced where it was altered.
    fn keep_piece(&self, bytes: &[u8]) -> Result<[u8; DIGEST_LEN], StoreError> {
        let digest = *blake3::hash(bytes).as_bytes();
        let path = self.piece_path(&digest);
        let created = self.create(&path, bytes.to_vec(), "writing a piece")?;
        if !created && !matches!(self.piece(&digest)?, Some(Piece::Whole(_))) {
            self.overwrite(&path, bytes.to_vec(), "replacing a piece")?;
        }
        Ok(digest)
    }

    /// Takes the pieces out that a manifest names: all of them where one cannot be read, since nobody knows its own.
    fn keep_named(&self, pieces: &mut BTreeSet<[u8; DIGEST_LEN]>) -> Result<(), StoreError> {
        for hash in self.versions()? {
            if pieces.is_empty() {
                return Ok(());
            }
            match self.record(&hash) {
                Ok(record) => record.pieces.iter().for_each(|named| _ = pieces.remove(named)),
                Err(StoreError::Corrupt { .. }) => pieces.clear(),
                // removed by another machine since it was listed
                Err(StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn record(&self, hash: &[u8; 32]) -> Result<Record, StoreError> {
        let path = self.path("versions", &hex::encode(hash));
        let bytes = self.read(&path, Record::len(Tier::LARGEST), "reading a version")?;
        Record::read(&bytes.ok_or(StoreError::Missing { header_hash: *hash })?, hash)
    }
}

enum Piece {
    Whole(Vec<u8>),
    Altered,
}

impl TableStore for BucketStore {
    fn writer(&self, tier: Tier) -> Result<Box<dyn VersionWriter + '_>, StoreError> {
        Ok(Box::new(BucketWriter::new(self, tier)))
    }

    fn reader(&self, hash: &[u8; 32]) -> Result<Box<dyn VersionReader + '_>, StoreError> {
        Ok(Box::new(BucketReader::new(self, self.record(hash)?)))
    }

    fn header(&self, hash: &[u8; 32]) -> Result<Header, StoreError> {
        Ok(self.record(hash)?.manifest.header)
    }

    fn sidecar_digest(&self, hash: &[u8; 32]) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(Some(self.record(hash)?.manifest.sidecar_digest))
    }

    fn versions(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let (objects, prefix) = (self.objects.clone(), self.prefix.clone().join("versions"));
        let operation = "listing versions";
        let listed =
            self.worker.run(operation, async move { objects.list(Some(&prefix)).try_collect::<Vec<_>>().await })?;
        let listed = listed.map_err(|error| medium(operation, error))?;
        Ok(listed.iter().filter_map(|object| hash_of(object.location.filename()?)).collect())
    }

    fn set_head_hint(&self, table: &TableId, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.overwrite(&self.path("heads", &table_name(table)), hint_bytes(hash).to_vec(), "writing the head hint")
    }

    fn head_hint(&self, table: &TableId) -> Result<Option<[u8; 32]>, StoreError> {
        let kept = self.read(&self.path("heads", &table_name(table)), HINT_LEN, "reading the head hint")?;
        kept.map(|bytes| read_hint(&bytes)).transpose()
    }

    fn remove(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        let record = match self.record(hash) {
            Err(StoreError::Missing { .. } | StoreError::Corrupt { .. }) => None,
            other => Some(other?),
        };
        // the manifest goes first: what is left after a cut is no version any more
        self.delete(&self.path("versions", &hex::encode(hash)), "removing a version")?;
        let mut pieces: BTreeSet<_> = record.map(|record| record.pieces).unwrap_or_default().into_iter().collect();
        self.keep_named(&mut pieces)?;
        pieces.iter().try_for_each(|piece| self.delete(&self.piece_path(piece), "removing a piece"))
    }
}

fn medium(operation: &'static str, error: Error) -> StoreError {
    StoreError::Medium { operation, source: Box::new(error) }
}
