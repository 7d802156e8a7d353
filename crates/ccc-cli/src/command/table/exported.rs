//! An exported version as it is read: header, body and sidecar in a directory.

use super::export;
use crate::{artifact::ArtifactError, error::Error, files};
use ccc_core::table::{Header, Part, StoreError, VersionReader, part_digest};
use ccc_store::{Disk, DiskFile, FileSystem};
use std::{io, path::Path};

const MAX_HEADER: u64 = 4096;

/// The header of an exported version.
///
/// # Errors
/// [`Error::Artifact`] and the errors of reading.
pub(super) fn header(directory: &Path) -> Result<Header, Error> {
    let path = directory.join(export::HEADER);
    let header = Header::from_bytes(&files::read(&path, MAX_HEADER)?);
    header.map_err(|error| Error::Artifact { path, source: ArtifactError::TableHeader(error) })
}

/// A whole exported version.
pub(super) struct Exported {
    header: Header,
    body: DiskFile,
    sidecar: DiskFile,
    sidecar_digest: [u8; 32],
}

impl Exported {
    /// Opens the files of a version. Nothing is compared with the header yet but lengths.
    ///
    /// # Errors
    /// As [`header`]; [`Error::Copy`] where a part is missing, has another length or cannot be read.
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let header = header(directory)?;
        let opened = Self::parts(directory, header);
        opened.map_err(|source| Error::Copy { path: directory.into(), source: source.into() })
    }

    fn parts(directory: &Path, header: Header) -> Result<Self, StoreError> {
        let open = |part: Part| {
            let file = Disk.open(&export::path_of(directory, part)).map_err(medium("opening a file"))?;
            let whole = Disk.len(&file).map_err(medium("measuring a file"))? == part.len(header.tier());
            if whole { Ok(file) } else { Err(altered(&header, part)) }
        };
        let (body, sidecar) = (open(Part::Body)?, open(Part::Sidecar)?);
        let read = |offset, bytes: &mut [u8]| read(&sidecar, offset, bytes);
        let sidecar_digest = part_digest(Part::Sidecar, header.tier(), read)?;
        Ok(Self { header, body, sidecar, sidecar_digest })
    }
}

impl VersionReader for Exported {
    fn header(&self) -> &Header {
        &self.header
    }

    fn sidecar_digest(&self) -> [u8; 32] {
        self.sidecar_digest
    }

    fn read_at(&self, part: Part, offset: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
        part.check_range(self.header.tier(), offset, bytes.len())?;
        read(if part == Part::Body { &self.body } else { &self.sidecar }, offset, bytes)
    }
}

fn read(file: &DiskFile, offset: u64, bytes: &mut [u8]) -> Result<(), StoreError> {
    Disk.read_at(file, offset, bytes).map_err(medium("reading a file"))
}

fn altered(header: &Header, part: Part) -> StoreError {
    StoreError::Corrupt { header_hash: header.hash(), part: part.name() }
}

fn medium(operation: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Medium { operation, source: Box::new(source) }
}
