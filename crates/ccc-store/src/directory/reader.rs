//! A version in a directory, read in pieces.

use super::{DirectoryStore, medium};
use crate::{files::FileSystem, record::Manifest};
use ccc_core::table::{Header, Part, StoreError, VersionReader};
use std::io;

pub(super) struct DirectoryReader<'a, F: FileSystem> {
    store: &'a DirectoryStore<F>,
    manifest: Manifest,
    hash: [u8; 32],
    body: F::File,
    sidecar: F::File,
}

impl<'a, F: FileSystem> DirectoryReader<'a, F> {
    pub(super) fn new(store: &'a DirectoryStore<F>, hash: [u8; 32]) -> Result<Self, StoreError> {
        let record = store.record(&hash)?;
        let open = |part: Part, directory: &str, name: [u8; 32]| {
            let file = open(store, hash, directory, &hex::encode(name))?;
            let len = store.files.len(&file).map_err(medium("measuring a file"))?;
            let whole = len == part.len(record.manifest.header.tier());
            if whole { Ok(file) } else { Err(StoreError::Corrupt { header_hash: hash, part: part.name() }) }
        };
        let body = open(Part::Body, "bodies", record.manifest.header.body_root())?;
        let sidecar = open(Part::Sidecar, "sidecars", record.sidecar())?;
        Ok(Self { store, manifest: record.manifest, hash, body, sidecar })
    }
}

fn open<F: FileSystem>(
    store: &DirectoryStore<F>,
    header_hash: [u8; 32],
    directory: &str,
    name: &str,
) -> Result<F::File, StoreError> {
    store.files.open(&store.path(directory, name)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::Missing { header_hash },
        _ => medium("opening a file")(error),
    })
}

impl<F: FileSystem> VersionReader for DirectoryReader<'_, F> {
    fn header(&self) -> &Header {
        &self.manifest.header
    }

    fn sidecar_digest(&self) -> [u8; 32] {
        self.manifest.sidecar_digest
    }

    fn read_at(&self, part: Part, offset: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        part.check_range(self.manifest.header.tier(), offset, bytes.len())?;
        let file = if part == Part::Body { &self.body } else { &self.sidecar };
        self.store.files.read_at(file, offset, bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => StoreError::Corrupt { header_hash: self.hash, part: part.name() },
            _ => medium("reading a file")(error),
        })
    }
}
