//! The node that shares no code with the embedded chain.

#![allow(clippy::panic, reason = "a helper that fails ends its test")]

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use ccc_chain::{Chain, ConnectOptions, Finality};

use super::{CHAIN_ID, GENESIS_TIME};

/// An anvil that ends with the test.
pub(crate) struct Anvil {
    child: Child,
    pub(crate) url: String,
}

impl Anvil {
    pub(crate) fn start(binary: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(binary)
            .args(["--host", "127.0.0.1", "--hardfork", "osaka", "--silent"])
            .args(["--port", &port.to_string(), "--chain-id", &CHAIN_ID.to_string()])
            .args(["--timestamp", &GENESIS_TIME.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    pub(crate) async fn chain(&self) -> Chain {
        self.chain_with(None).await
    }

    pub(crate) async fn chain_with(&self, finality: Option<Finality>) -> Chain {
        let options = ConnectOptions {
            expected_chain_id: Some(CHAIN_ID),
            poll_interval: Duration::from_millis(5),
            finality,
            ..ConnectOptions::default()
        };
        for _ in 0..200 {
            if let Ok(chain) = Chain::connect(&self.url, &options).await {
                return chain;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("anvil did not answer at {}", self.url);
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
