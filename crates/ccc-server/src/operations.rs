//! For the operator alone, in the clear on loopback: `/healthz`, `/readyz` and `/metrics`.

use crate::{
    application::Application,
    meters::Meters,
    routes::{self, Missing, Page},
    server::stopped,
};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::timeout,
};

/// Connections at one time.
const MOST: usize = 16;
/// For a connection, from its beginning to its end.
const TIME: Duration = Duration::from_secs(10);

/// Serves until told to stop.
pub async fn run<A: Application>(
    listener: TcpListener,
    application: Arc<A>,
    meters: Meters,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => return,
        };
        let (Ok((stream, _)), Ok(place)) = (stream, Arc::clone(&places).try_acquire_owned()) else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (application, meters) = (Arc::clone(&application), meters.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = answer(&request, &*application, &meters);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(TIME)
                .max_buf_size(16 << 10)
                .serve_connection(TokioIo::new(stream), service);
            let _ended = timeout(TIME, connection).await;
            drop(place);
        });
    }
}

fn answer<A: Application>(request: &Request<Incoming>, application: &A, meters: &Meters) -> Response<Full<Bytes>> {
    let found = routes::find(request.method().as_str(), request.uri().path());
    let (status, text) = match found.map(|route| route.page) {
        Ok(Page::Health) => (StatusCode::OK, "ok\n".to_owned()),
        Ok(Page::Ready) => match application.ready() {
            Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
            Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
        },
        Ok(Page::Meters) => (StatusCode::OK, meters.text()),
        Ok(Page::Door) | Err(Missing::Path) => (StatusCode::NOT_FOUND, "no such page\n".to_owned()),
        Err(Missing::Method) => (StatusCode::METHOD_NOT_ALLOWED, "method\n".to_owned()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
