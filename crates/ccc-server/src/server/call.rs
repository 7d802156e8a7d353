//! One call: its bounds, its body, its answer.

use super::Shared;
use crate::{
    application::{Application, Denied, Door, Said},
    body::{BodyError, Held},
    peers::Peer,
};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

/// Bytes of a body for one token of its peer's rate: no ciphertext is shorter.
const TOKEN: usize = 256;

/// Why a call gets no replies: its status, and a sentence that says nothing about what the node knows.
#[derive(Debug)]
pub(super) enum Turned {
    NoPath,
    Method,
    Type,
    TooLarge,
    Crumbs,
    Slow,
    Broken,
    Malformed(String),
    Refused,
    Busy(Duration),
    NotReady,
}

impl Turned {
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoPath => (StatusCode::NOT_FOUND, "no-path"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Type => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Crumbs => (StatusCode::BAD_REQUEST, "small-frames"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "slow"),
            Self::Broken => (StatusCode::BAD_REQUEST, "broken-off"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::Refused => (StatusCode::FORBIDDEN, "refused"),
            Self::Busy(_) => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
        }
    }

    fn response(&self) -> Response<Full<Bytes>> {
        let (status, code) = self.parts();
        let text = match self {
            Self::Malformed(reason) => format!("{code}: {reason}\n"),
            _ => format!("{code}\n"),
        };
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if let Self::Busy(wait) = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

/// The calls of one connection.
pub(super) struct Calls<A> {
    shared: Arc<Shared<A>>,
    peer: Arc<Peer>,
    /// Calls that run, and when the last one came or ended.
    active: Mutex<(usize, Instant)>,
}

impl<A: Application> Calls<A> {
    pub(super) fn new(shared: Arc<Shared<A>>, peer: Arc<Peer>) -> Self {
        Self { shared, peer, active: Mutex::new((0, Instant::now())) }
    }

    /// For how long no call ran.
    pub(super) fn idle_for(&self) -> Duration {
        match *self.active.lock().unwrap_or_else(PoisonError::into_inner) {
            (0, since) => since.elapsed(),
            _ => Duration::ZERO,
        }
    }

    fn count(&self, change: isize) {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        *active = (active.0.saturating_add_signed(change), Instant::now());
    }

    /// Answers whatever came.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let active = Active::new(Arc::clone(&self));
        let came = Instant::now();
        let replied = self.replies(request, came).await;
        let (kind, response) = match replied {
            Ok((door, said)) => ("replied", replied_with(door, said)),
            Err(turned) => (turned.parts().1, turned.response()),
        };
        self.shared.meters.call(kind, came.elapsed().as_secs_f64());
        drop(active);
        Ok(response)
    }

    async fn replies(&self, request: Request<Incoming>, came: Instant) -> Result<(Door, Said), Turned> {
        let door = check_head(&request, self.shared.application.doors())?;
        let busy = |_| Turned::Busy(Duration::from_secs(1));
        let _call = Arc::clone(&self.peer.calls).try_acquire_owned().map_err(busy)?;
        self.peer.take(1).map_err(Turned::Busy)?;
        let body = self.body(request).await?;
        let tokens = body.bytes.len().div_ceil(TOKEN);
        if tokens > self.shared.limits.burst as usize {
            return Err(Turned::TooLarge);
        }
        self.peer.take(tokens).map_err(Turned::Busy)?;
        let said = self.work(door, body).await;
        for outcome in said.iter().flat_map(|said| &said.outcomes) {
            self.shared.meters.ask(outcome);
        }
        if matches!(&said, Ok(Said { held: true, .. }) | Err(Turned::Refused)) {
            hold(came, self.shared.limits.refusal_step).await;
        }
        Ok((door, said?))
    }

    async fn body(&self, request: Request<Incoming>) -> Result<Held, Turned> {
        let (limits, room) = (&self.shared.limits, &self.shared.bodies);
        let read = timeout(limits.body_time, room.read(request.into_body(), limits.body)).await;
        read.map_err(|_| Turned::Slow)?.map_err(|error| match error {
            BodyError::TooLarge => Turned::TooLarge,
            BodyError::Crumbs => Turned::Crumbs,
            BodyError::Busy => Turned::Busy(Duration::from_secs(1)),
            BodyError::Broken => Turned::Broken,
        })
    }

    /// On the blocking pool, after this peer's turn and then everybody's; reading the asks is work too.
    async fn work(&self, door: Door, mut body: Held) -> Result<Said, Turned> {
        let turn = (turn(&self.peer.workers).await?, turn(&self.shared.workers).await?);
        let (application, peer) = (Arc::clone(&self.shared.application), Arc::clone(&self.peer));
        let answered = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            application.answer(&door, &peer.name, &mut body).map_err(|denied| match denied {
                Denied::Malformed(reason) => Turned::Malformed(reason),
                Denied::NotReady => Turned::NotReady,
                Denied::Refused => Turned::Refused,
            })
        });
        answered.await.unwrap_or(Err(Turned::NotReady))
    }
}

async fn turn(workers: &Arc<tokio::sync::Semaphore>) -> Result<OwnedSemaphorePermit, Turned> {
    Arc::clone(workers).acquire_owned().await.map_err(|_| Turned::NotReady)
}

/// A call that counts as running until it is dropped, whether it was answered or broken off.
struct Active<A: Application>(Arc<Calls<A>>);

impl<A: Application> Active<A> {
    fn new(calls: Arc<Calls<A>>) -> Self {
        calls.count(1);
        Self(calls)
    }
}

impl<A: Application> Drop for Active<A> {
    fn drop(&mut self) {
        self.0.count(-1);
    }
}

fn check_head(request: &Request<Incoming>, doors: &[Door]) -> Result<Door, Turned> {
    let door = doors.iter().find(|door| door.path == request.uri().path()).ok_or(Turned::NoPath)?;
    if request.method() != Method::POST {
        return Err(Turned::Method);
    }
    match request.headers().get(CONTENT_TYPE) {
        Some(found) if found.as_bytes() == door.asks.as_bytes() => Ok(*door),
        _ => Err(Turned::Type),
    }
}

fn replied_with(door: Door, said: Said) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(said.body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(door.replies));
    response
}

/// Waits until the next multiple of the step after the call came: a refusal takes one of few times, whichever check made
/// it.
async fn hold(came: Instant, step: Duration) {
    tokio::time::sleep_until((came + due(came.elapsed(), step)).into()).await;
}

/// The next multiple of the step after so long.
fn due(elapsed: Duration, step: Duration) -> Duration {
    let step = step.max(Duration::from_millis(1));
    let steps = u32::try_from(elapsed.as_nanos() / step.as_nanos()).unwrap_or(u32::MAX - 1) + 1;
    step.saturating_mul(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the work took inside of a step does not show.
    #[test]
    fn n052_a_refusal_is_due_at_a_multiple_of_the_step() {
        let ms = Duration::from_millis;
        assert_eq!([0, 1, 130, 249].map(|took| due(ms(took), ms(250))), [ms(250); 4]);
        assert_eq!([250, 499].map(|took| due(ms(took), ms(250))), [ms(500); 2]);
        assert_eq!(due(ms(5), Duration::ZERO), ms(6));
    }
}
