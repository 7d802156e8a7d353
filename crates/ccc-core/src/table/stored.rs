//! Versions of a store as source and sinks of a table that streams.

use super::{
    Header, Part, StoreError, VersionReader, VersionWriter,
    chunks::{ChunkSink, ChunkSource, MediumError, PlaceSink, extent},
};
use alloc::{boxed::Box, vec::Vec};
use core::cell::RefCell;

/// The body of a kept version.
///
/// *Security*: whoever keeps it can change it between two readings, so every reading is compared with the body root.
pub struct StoredBody<'a> {
    reader: &'a dyn VersionReader,
    buffer: Vec<u8>,
}

/// A version on its way into a store, as the two sinks of [`Outputs`](super::Outputs).
///
/// Dropped before it is committed, it leaves nothing that anybody reads.
pub struct StoredVersion<'a>(RefCell<Box<dyn VersionWriter + 'a>>);

/// The body of a [`StoredVersion`].
pub struct StoredChunks<'a, 'w> {
    version: &'a StoredVersion<'w>,
    offset: u64,
    buffer: Vec<u8>,
}

/// The sidecar of a [`StoredVersion`].
pub struct StoredPlaces<'a, 'w>(&'a StoredVersion<'w>);

fn failed(operation: &'static str) -> impl FnOnce(StoreError) -> MediumError {
    move |source| MediumError { operation, source: Box::new(source) }
}

impl<'a> StoredBody<'a> {
    /// The body that this reader reads.
    #[must_use]
    pub fn new(reader: &'a dyn VersionReader) -> Self {
        Self { reader, buffer: Vec::new() }
    }
}

impl ChunkSource for StoredBody<'_> {
    fn len(&mut self) -> Result<u64, MediumError> {
        Ok(Part::Body.len(self.reader.header().tier()))
    }

    fn is_fixed(&self) -> bool {
        false
    }

    fn load(&mut self, first: u32, count: u32) -> Result<&[u8], MediumError> {
        let (offset, len) = extent(first, count);
        self.buffer.resize(len, 0);
        self.reader.read_at(Part::Body, offset, &mut self.buffer).map_err(failed("reading chunks"))?;
        Ok(&self.buffer)
    }
}

impl<'w> StoredVersion<'w> {
    /// What this writer writes.
    #[must_use]
    pub fn new(writer: Box<dyn VersionWriter + 'w>) -> Self {
        Self(RefCell::new(writer))
    }

    /// The sink of the body.
    #[must_use]
    pub fn body(&self) -> StoredChunks<'_, 'w> {
        StoredChunks { version: self, offset: 0, buffer: Vec::new() }
    }

    /// The sink of the sidecar.
    #[must_use]
    pub fn sidecar(&self) -> StoredPlaces<'_, 'w> {
        StoredPlaces(self)
    }

    /// Keeps the version that an update wrote; when it returns, the version survives a power cut.
    ///
    /// # Errors
    /// Those of [`VersionWriter::commit`]; earlier versions stay readable.
    pub fn commit(self, header: &Header) -> Result<(), StoreError> {
        self.0.into_inner().commit(header)
    }

    /// The borrow ends with the call, and a writer cannot reach the version that holds it.
    fn write_at(&self, part: Part, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.borrow_mut().write_at(part, offset, bytes)
    }
}

impl ChunkSink for StoredChunks<'_, '_> {
    fn space(&mut self, first: u32, count: u32) -> Result<&mut [u8], MediumError> {
        let (offset, len) = extent(first, count);
        self.offset = offset;
        self.buffer.resize(len, 0);
        Ok(&mut self.buffer)
    }

    fn keep(&mut self) -> Result<(), MediumError> {
        self.version.write_at(Part::Body, self.offset, &self.buffer).map_err(failed("writing chunks"))
    }
}

impl PlaceSink for StoredPlaces<'_, '_> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), MediumError> {
        self.0.write_at(Part::Sidecar, offset, bytes).map_err(failed("writing the sidecar"))
    }
}
