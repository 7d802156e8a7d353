//! A node between the client and a node, which drops, delays and lies as its script says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy::transports::http::reqwest::Client;
use axum::{Router, body::Bytes, extract::State, http::StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// What happens to a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It does not reach the node, and nothing useful comes back.
    Drop,
    /// It reaches the node, and the answer is lost.
    Lose,
    /// It reaches the node after this time.
    Delay(Duration),
    /// It does not reach the node; an error of the node comes back.
    Say(&'static str),
    /// It does not reach the node; this comes back.
    Lie(Value),
}

/// A fault for the next so many requests of a method; of any method, where none is named.
#[derive(Clone, Debug)]
struct Rule {
    method: Option<&'static str>,
    times: u32,
    fault: Fault,
}

/// What the proxy does and has seen.
#[derive(Debug, Default)]
struct Script {
    rules: Vec<Rule>,
    asked: Vec<String>,
}

#[derive(Clone)]
struct Behind {
    url: String,
    client: Client,
    script: Arc<Mutex<Script>>,
}

/// A proxy that ends with the test.
pub(crate) struct Proxy {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::<Mutex<Script>>::default();
        let behind = Behind { url: url.to_owned(), client: Client::new(), script: Arc::clone(&script) };
        let router = Router::new().fallback(answer).with_state(behind);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url: own, script, task }
    }

    /// Adds a fault for the next `times` requests of `method`; of any, where it is empty.
    pub(crate) fn fault(&self, method: &'static str, times: u32, fault: Fault) {
        let method = Some(method).filter(|method| !method.is_empty());
        self.script.lock().unwrap().rules.push(Rule { method, times, fault });
    }

    /// How many requests of a method came.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.script.lock().unwrap().asked.iter().filter(|asked| *asked == method).count()
    }

    /// Whether every fault happened.
    pub(crate) fn is_spent(&self) -> bool {
        self.script.lock().unwrap().rules.iter().all(|rule| rule.times == 0)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Behind {
    fn fault(&self, method: &str) -> Option<Fault> {
        let mut script = self.script.lock().unwrap();
        script.asked.push(method.to_owned());
        let fits = |rule: &&mut Rule| rule.times > 0 && rule.method.is_none_or(|wanted| wanted == method);
        let rule = script.rules.iter_mut().find(fits)?;
        rule.times -= 1;
        Some(rule.fault.clone())
    }

    async fn forward(&self, body: Bytes) -> String {
        let sent = self.client.post(&self.url).header("content-type", "application/json").body(body).send().await;
        sent.unwrap().text().await.unwrap()
    }
}

async fn answer(State(behind): State<Behind>, body: Bytes) -> (StatusCode, String) {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    let told = |what: Value| {
        let mut answer = json!({ "jsonrpc": "2.0", "id": request["id"] });
        answer.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        (StatusCode::OK, answer.to_string())
    };
    match behind.fault(&method) {
        None => (StatusCode::OK, behind.forward(body).await),
        Some(Fault::Drop) => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        Some(Fault::Lose) => {
            behind.forward(body).await;
            (StatusCode::BAD_GATEWAY, String::new())
        }
        Some(Fault::Delay(time)) => {
            tokio::time::sleep(time).await;
            (StatusCode::OK, behind.forward(body).await)
        }
        Some(Fault::Say(words)) => told(json!({ "error": { "code": -32000, "message": words } })),
        Some(Fault::Lie(value)) => told(json!({ "result": value })),
    }
}
