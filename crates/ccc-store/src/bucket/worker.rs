//! Asynchronous requests for callers that wait: a runtime on a thread of its own.
//!
//! The caller may itself be inside of a runtime, where waiting on another one is a panic; a thread is none.

use ccc_core::table::StoreError;
use std::{io, sync::mpsc, thread};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

#[derive(Debug)]
pub(super) struct Worker {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let body = move || runtime.block_on(async { _ = stopped.await });
        let thread = thread::Builder::new().name("object store".to_owned()).spawn(body)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Waits for a request.
    ///
    /// # Errors
    /// [`StoreError::Medium`] where the request was given up, because the store behind it panicked.
    pub(super) fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        request: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = mpsc::sync_channel(1);
        // nobody waits for the answer any more only where this thread has gone
        self.handle.spawn(async move { _ = answer.send(request.await) });
        answered.recv().map_err(|source| StoreError::Medium { operation, source: Box::new(source) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // a thread that panicked has nothing left to do
            let _ = thread.join();
        }
    }
}
