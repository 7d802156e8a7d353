//! Bodies of bounded size: one buffer each, whatever frames they come in, out of what all bodies together may take.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one place.
const PLACE: usize = 4 << 10;
/// Frames that a body may have beside one for each 64 bytes.
const FRAMES: usize = 1 << 10;

/// Why a body is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Above its limit.
    TooLarge,
    /// In frames so small that they cost more than they carry.
    Crumbs,
    /// All bodies together have taken what they may.
    Busy,
    /// It ended early.
    Broken,
}

/// What all bodies together may take.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

/// A body, and the room that it takes until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.div_ceil(PLACE).min(Semaphore::MAX_PERMITS))))
    }

    /// Reads a body of at most so many bytes. Every frame is copied and dropped at once.
    pub(crate) async fn read<B: Body<Data = Bytes> + Unpin>(&self, body: B, most: usize) -> Result<Held, BodyError> {
        let mut held = Held { bytes: Vec::new(), room: None };
        gather(body, most, |bytes| held.take(&self.0, bytes, most)).await?;
        Ok(held)
    }
}

impl crate::application::Body for Held {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn done(&mut self) {
        self.bytes = Vec::new();
        self.room = None;
    }
}

impl Held {
    /// Room is taken for what the buffer has, before it grows.
    fn take(&mut self, room: &Arc<Semaphore>, frame: &[u8], most: usize) -> Result<(), BodyError> {
        let needed = self.bytes.len() + frame.len();
        let taken = self.bytes.capacity();
        if needed > taken {
            let wanted = needed.max(2 * taken).next_multiple_of(PLACE).min(most.next_multiple_of(PLACE));
            let places = u32::try_from((wanted - taken).div_ceil(PLACE)).map_err(|_| BodyError::TooLarge)?;
            let more = Arc::clone(room).try_acquire_many_owned(places).map_err(|_| BodyError::Busy)?;
            match &mut self.room {
                Some(room) => room.merge(more),
                None => self.room = Some(more),
            }
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(frame);
        Ok(())
    }
}

/// Hands on the frames of a body of at most so many bytes.
async fn gather<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
    most: usize,
    mut take: impl FnMut(&[u8]) -> Result<(), BodyError>,
) -> Result<(), BodyError> {
    let (mut length, mut frames) = (0, 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        (length, frames) = (length + data.len(), frames + 1);
        if length > most {
            return Err(BodyError::TooLarge);
        }
        if frames > FRAMES + length / 64 {
            return Err(BodyError::Crumbs);
        }
        take(&data)?;
    }
    Ok(())
}

/// Reads a body of at most so many bytes for a caller that waits for few of them.
pub(crate) async fn read<B: Body<Data = Bytes> + Unpin>(body: B, most: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    gather(body, most, |frame| {
        bytes.extend_from_slice(frame);
        Ok(())
    })
    .await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use std::convert::Infallible;

    fn frames(size: usize, count: usize) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let frame = move |_| Ok(Frame::data(Bytes::from(vec![7; size])));
        StreamBody::new(futures::stream::iter((0..count).map(frame)))
    }

    #[tokio::test]
    async fn n154_a_body_takes_its_size_and_no_more_whatever_its_frames_are() {
        let room = Room::new(1 << 20);
        let held = room.read(frames(100, 5_000), 1 << 20).await.expect("read");
        assert_eq!(held.bytes, vec![7; 500_000]);
        assert!(held.bytes.capacity() <= 1 << 20, "{}", held.bytes.capacity());
        let places = room.0.available_permits();
        assert_eq!(places, (1 << 20) / PLACE - held.bytes.capacity() / PLACE);
        drop(held);
        assert_eq!(room.0.available_permits(), (1 << 20) / PLACE);
        assert_eq!(room.read(frames(1, 1_024), 1 << 20).await.expect("few").bytes.len(), 1_024);
        for size in [0, 1, 4, 60] {
            assert_eq!(room.read(frames(size, 200_000), 1 << 24).await.err(), Some(BodyError::Crumbs), "{size}");
        }
        assert_eq!(room.read(frames(100, 6), 599).await.err(), Some(BodyError::TooLarge));
        assert_eq!(room.read(frames(100, 6), 600).await.expect("just").bytes.len(), 600);
    }

    #[tokio::test]
    async fn n154_all_bodies_together_take_what_they_may() {
        let room = Room::new(64 << 10);
        let first = room.read(frames(16 << 10, 3), 1 << 20).await.expect("the first");
        assert_eq!(room.read(frames(16 << 10, 2), 1 << 20).await.err(), Some(BodyError::Busy));
        drop(first);
        room.read(frames(16 << 10, 2), 1 << 20).await.expect("room again");
    }
}
