//! Where sealed bytes are read from and written to while a table streams through the enclave.
//!
//! A pass asks for a few chunks at a time, so that its memory does not grow with the table. What it reads is checked
//! against the header, whatever the source says; what it writes is sealed or public.

use super::seal::SEALED_CHUNK_LEN;
use alloc::boxed::Box;

/// A medium that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {source}")]
pub struct MediumError {
    /// What was being done.
    pub operation: &'static str,
    /// The medium's own error.
    pub source: Box<dyn core::error::Error + Send + Sync>,
}

/// Fewer bytes than the medium had said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes at {offset} are not there")]
struct Outside {
    offset: u64,
    len: usize,
}

/// A body that is read chunk by chunk, as often as a pass needs it.
pub trait ChunkSource {
    /// Bytes of the body.
    ///
    /// # Errors
    /// [`MediumError`].
    fn len(&mut self) -> Result<u64, MediumError>;

    /// Whether there are no bytes at all.
    ///
    /// # Errors
    /// [`MediumError`].
    fn is_empty(&mut self) -> Result<bool, MediumError> {
        self.len().map(|len| len == 0)
    }

    /// Whether the bytes lie in the enclave's own memory, so that a second reading finds what the first one found.
    ///
    /// *Security*: where a host could answer two readings differently this MUST be false; every reading is then
    /// compared with the body root.
    fn is_fixed(&self) -> bool;

    /// `count` sealed chunks from chunk `first` on, concatenated.
    ///
    /// *Security*: the bytes MUST lie where nobody else can write while they are borrowed, in an enclave its own memory: they
    /// are read more than once, for the tag, for the rows and for the root. Whether the next call gives the same bytes is
    /// another matter: [`is_fixed`](Self::is_fixed).
    ///
    /// # Errors
    /// [`MediumError`].
    fn load(&mut self, first: u32, count: u32) -> Result<&[u8], MediumError>;
}

/// A body that is written chunk by chunk, in order.
pub trait ChunkSink {
    /// Room for `count` sealed chunks from chunk `first` on; the caller fills all of it.
    ///
    /// *Security*: the room MUST lie where nobody else can read or write until [`keep`](Self::keep), in an enclave its own
    /// memory. Ciphertext is written there before its tag is made, tag and root are made of what stands there, and no tag
    /// has been seen to fit: whoever could write meanwhile would have its own rows sealed as the enclave's. An implementation
    /// MUST NOT hand any of it on before [`keep`](Self::keep), and not at all where another room is asked for in its place or
    /// the sink is dropped.
    ///
    /// # Errors
    /// [`MediumError`].
    fn space(&mut self, first: u32, count: u32) -> Result<&mut [u8], MediumError>;

    /// Keeps what was filled since [`ChunkSink::space`].
    ///
    /// # Errors
    /// [`MediumError`].
    fn keep(&mut self) -> Result<(), MediumError>;
}

/// Bytes that are written in places, each byte once: a sidecar.
pub trait PlaceSink {
    /// Writes `bytes` at `offset`.
    ///
    /// # Errors
    /// [`MediumError`].
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), MediumError>;
}

/// First byte and length of `count` chunks from chunk `first` on.
pub(super) fn extent(first: u32, count: u32) -> (u64, usize) {
    (u64::from(first) * SEALED_CHUNK_LEN as u64, count as usize * SEALED_CHUNK_LEN)
}

fn outside(operation: &'static str, offset: u64, len: usize) -> MediumError {
    MediumError { operation, source: Box::new(Outside { offset, len }) }
}

/// A body in memory that nobody else can change.
impl ChunkSource for &[u8] {
    fn len(&mut self) -> Result<u64, MediumError> {
        Ok((**self).len() as u64)
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn load(&mut self, first: u32, count: u32) -> Result<&[u8], MediumError> {
        let (offset, len) = extent(first, count);
        let from = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        from.and_then(|from| from.get(..len)).ok_or_else(|| outside("reading chunks", offset, len))
    }
}

/// A body in memory that is filled from the front.
#[derive(Debug)]
pub struct SliceSink<'a>(pub &'a mut [u8]);

impl ChunkSink for SliceSink<'_> {
    fn space(&mut self, first: u32, count: u32) -> Result<&mut [u8], MediumError> {
        let (offset, len) = extent(first, count);
        let from = usize::try_from(offset).ok().and_then(|offset| self.0.get_mut(offset..));
        from.and_then(|from| from.get_mut(..len)).ok_or_else(|| outside("writing chunks", offset, len))
    }

    fn keep(&mut self) -> Result<(), MediumError> {
        Ok(())
    }
}

impl PlaceSink for SliceSink<'_> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), MediumError> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.0.get_mut(offset..));
        let to = from.and_then(|from| from.get_mut(..bytes.len()));
        to.ok_or_else(|| outside("writing the sidecar", offset, bytes.len()))?.copy_from_slice(bytes);
        Ok(())
    }
}

#[cfg(feature = "std")]
pub use file::{FileSink, FileSource};

/// Files and whatever else can seek.
#[cfg(feature = "std")]
mod file {
    use super::{ChunkSink, ChunkSource, MediumError, PlaceSink, extent};
    use alloc::{boxed::Box, vec::Vec};
    use std::io::{self, Read, Seek, SeekFrom, Write};

    fn failed(operation: &'static str) -> impl FnOnce(io::Error) -> MediumError {
        move |source| MediumError { operation, source: Box::new(source) }
    }

    /// A body in a file; the host can change it between two readings.
    #[derive(Debug)]
    pub struct FileSource<R> {
        file: R,
        buffer: Vec<u8>,
    }

    impl<R: Read + Seek> FileSource<R> {
        /// The body from the file's first byte on.
        pub fn new(file: R) -> Self {
            Self { file, buffer: Vec::new() }
        }
    }

    impl<R: Read + Seek> ChunkSource for FileSource<R> {
        fn len(&mut self) -> Result<u64, MediumError> {
            self.file.seek(SeekFrom::End(0)).map_err(failed("measuring the body"))
        }

        fn is_fixed(&self) -> bool {
            false
        }

        fn load(&mut self, first: u32, count: u32) -> Result<&[u8], MediumError> {
            let (offset, len) = extent(first, count);
            self.buffer.resize(len, 0);
            self.file.seek(SeekFrom::Start(offset)).map_err(failed("seeking in the body"))?;
            self.file.read_exact(&mut self.buffer).map_err(failed("reading chunks"))?;
            Ok(&self.buffer)
        }
    }

    /// A body or a sidecar in a file. The caller makes it durable when the update has returned.
    #[derive(Debug)]
    pub struct FileSink<W> {
        file: W,
        offset: u64,
        buffer: Vec<u8>,
    }

    impl<W: Write + Seek> FileSink<W> {
        /// From the file's first byte on.
        pub fn new(file: W) -> Self {
            Self { file, offset: 0, buffer: Vec::new() }
        }
    }

    impl<W: Write + Seek> ChunkSink for FileSink<W> {
        fn space(&mut self, first: u32, count: u32) -> Result<&mut [u8], MediumError> {
            let (offset, len) = extent(first, count);
            self.offset = offset;
            self.buffer.resize(len, 0);
            Ok(&mut self.buffer)
        }

        fn keep(&mut self) -> Result<(), MediumError> {
            self.file.seek(SeekFrom::Start(self.offset)).map_err(failed("seeking in the new body"))?;
            self.file.write_all(&self.buffer).map_err(failed("writing chunks"))
        }
    }

    impl<W: Write + Seek> PlaceSink for FileSink<W> {
        fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), MediumError> {
            self.file.seek(SeekFrom::Start(offset)).map_err(failed("seeking in the sidecar"))?;
            self.file.write_all(bytes).map_err(failed("writing the sidecar"))
        }
    }
}
