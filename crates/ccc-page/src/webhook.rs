//! Tells another server when the status changes.
//!
//! *Layout*: POST of a JSON object, with the field `ccc-signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 under the shared
//! secret of the bytes SECONDS ‖ "." ‖ body. `id` in the body is the same in every attempt: a receiver that has it already
//! does nothing.
//!
//! *Bounds*: [`MOST_WAITING`] notices wait; when more come, the oldest is left out, for the newest status is what counts. Each is
//! tried [`ATTEMPTS`] times, the pause between doubling from one second.

use std::{collections::VecDeque, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{clock, model::Status};

/// Notices that wait.
pub const MOST_WAITING: usize = 64;
/// Attempts for each.
pub const ATTEMPTS: u32 = 6;
/// The field.
pub const FIELD: &str = "ccc-signature";
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The least bytes of a secret.
pub const LEAST_SECRET: usize = 16;

/// Why a webhook is not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// Not the form of a signature field.
    #[error("the field is not t=SECONDS,v1=HEX")]
    Form,
    /// The time in it is too far from the receiver's.
    #[error("it was signed at {found}, more than {most} s from now")]
    Age {
        /// The field's.
        found: u64,
        /// The receiver's bound.
        most: u64,
    },
    /// Another secret, another time or another body.
    #[error("the signature is another's, or of another body")]
    Signature,
}

/// Why no webhook is sent at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoWebhook {
    /// The address.
    #[error("a webhook's address is http:// with a loopback host; `{found}` is not")]
    Address {
        /// What was given.
        found: String,
    },
    /// The secret.
    #[error("a webhook's secret has at least {LEAST_SECRET} bytes, this one has {found}")]
    Secret {
        /// Its length.
        found: usize,
    },
    /// The client.
    #[error("the webhook's client: {0}")]
    Client(String),
}

fn mac(secret: &[u8], time: u64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(time.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// The field for a body that is sent now.
#[must_use]
pub fn signature(secret: &[u8], time: u64, body: &[u8]) -> Option<String> {
    let code = mac(secret, time, body)?.finalize().into_bytes();
    Some(format!("t={time},v1={}", hex::encode(code)))
}

/// What a receiver does before it believes a word.
///
/// # Errors
/// [`Forged`].
pub fn verify(secret: &[u8], field: &str, body: &[u8], now: u64, most: u64) -> Result<(), Forged> {
    let (time, code) = field.split_once(",v1=").ok_or(Forged::Form)?;
    let time = time.strip_prefix("t=").and_then(|time| time.parse::<u64>().ok()).ok_or(Forged::Form)?;
    let code = hex::decode(code).map_err(|_| Forged::Form)?;
    mac(secret, time, body).ok_or(Forged::Signature)?.verify_slice(&code).map_err(|_| Forged::Signature)?;
    if now.abs_diff(time) > most { Err(Forged::Age { found: time, most }) } else { Ok(()) }
}

/// Where notices go, and what signs them.
pub struct Webhook {
    url: String,
    secret: Zeroizing<Vec<u8>>,
    client: reqwest::Client,
    pause: Duration,
}

/// A notice that waits.
struct Notice {
    body: Vec<u8>,
}

impl Webhook {
    /// A webhook; the address is on this machine, as the client has no TLS: elsewhere through a proxy here.
    ///
    /// # Errors
    /// [`NoWebhook`].
    pub fn new(url: &str, secret: Zeroizing<Vec<u8>>) -> Result<Self, NoWebhook> {
        let parsed = reqwest::Url::parse(url).ok();
        let host = parsed.as_ref().filter(|url| url.scheme() == "http").and_then(|url| url.host_str());
        if !host.is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host)) {
            return Err(NoWebhook::Address { found: url.to_owned() });
        }
        if secret.len() < LEAST_SECRET {
            return Err(NoWebhook::Secret { found: secret.len() });
        }
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(|error| NoWebhook::Client(error.to_string()))?;
        Ok(Self { url: url.to_owned(), secret, client, pause: Duration::from_secs(1) })
    }

    /// With another first pause between attempts.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Tells of each change, until the status is told no more. `trouble` hears of notices that were given up.
    pub async fn run(self, mut changes: tokio::sync::watch::Receiver<Status>, trouble: impl Fn(String)) {
        let mut waiting: VecDeque<Notice> = VecDeque::new();
        let mut number = 0u64;
        let process = format!("{}-{}", clock::now(), std::process::id());
        loop {
            while let Some(notice) = waiting.pop_front() {
                // what changes meanwhile waits, oldest first
                let mut sending = std::pin::pin!(self.deliver(&notice));
                let ended = loop {
                    tokio::select! {
                        ended = &mut sending => break ended,
                        changed = changes.changed() => {
                            if changed.is_err() { return; }
                            number += 1;
                            waiting.push_back(notice_of(&process, number, &changes.borrow_and_update()));
                            if waiting.len() > MOST_WAITING {
                                waiting.pop_front();
                                trouble("a webhook's notice was left out: newer ones wait".to_owned());
                            }
                        }
                    }
                };
                if let Err(reason) = ended {
                    trouble(format!("a webhook's notice was given up: {reason}"));
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
            number += 1;
            waiting.push_back(notice_of(&process, number, &changes.borrow_and_update()));
        }
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), String> {
        let mut reason = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(self.pause * 2u32.pow(attempt - 1)).await;
            }
            match self.send(notice).await {
                Ok(()) => return Ok(()),
                Err(found) => reason = found,
            }
        }
        Err(reason)
    }

    async fn send(&self, notice: &Notice) -> Result<(), String> {
        let field = signature(&self.secret, clock::now(), &notice.body).ok_or("no signature can be made")?;
        let request = self.client.post(&self.url).header("content-type", "application/json").header(FIELD, field);
        let answer = request.body(notice.body.clone()).send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status().as_u16())) }
    }
}

fn notice_of(process: &str, number: u64, status: &Status) -> Notice {
    let object = json!({ "id": format!("{process}-{number}"), "what": "status", "status": status });
    Notice { body: object.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"sixteen bytes and more";

    #[test]
    fn a_notice_is_believed_with_its_body_its_secret_and_its_time_alone() {
        let body = br#"{"what":"status"}"#;
        let field = signature(SECRET, 1_000, body).expect("signed");
        assert_eq!(verify(SECRET, &field, body, 1_300, 300), Ok(()));
        assert_eq!(verify(SECRET, &field, br#"{"what":"statuS"}"#, 1_000, 300), Err(Forged::Signature));
        assert_eq!(verify(b"another secret of some", &field, body, 1_000, 300), Err(Forged::Signature));
        let moved = field.replace("t=1000", "t=1200");
        assert_eq!(verify(SECRET, &moved, body, 1_200, 300), Err(Forged::Signature), "the time is signed");
        assert_eq!(verify(SECRET, &field, body, 1_301, 300), Err(Forged::Age { found: 1_000, most: 300 }));
        for form in ["", "t=1", "v1=00", "t=x,v1=00", "t=1000,v1=zz"] {
            assert_eq!(verify(SECRET, form, body, 1_000, 300), Err(Forged::Form), "{form}");
        }
        assert_eq!(verify(SECRET, "t=1000,v1=", body, 1_000, 300), Err(Forged::Signature), "no code at all");
    }

    /// The code of RFC 4231's second case, through the same library.
    #[test]
    fn the_code_is_hmac_sha_256() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").expect("a key");
        mac.update(b"what do ya want for nothing?");
        let code = hex::encode(mac.finalize().into_bytes());
        assert_eq!(code, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn it_goes_to_this_machine_alone_and_under_a_secret() {
        let secret = || Zeroizing::new(SECRET.to_vec());
        for url in ["https://127.0.0.1/", "http://example.org/", "http://127.0.0.1.example/", "ftp://localhost", "x"] {
            assert!(matches!(Webhook::new(url, secret()), Err(NoWebhook::Address { .. })), "{url}");
        }
        let short = Webhook::new("http://127.0.0.1:1/", Zeroizing::new(vec![1; 15]));
        assert!(matches!(short, Err(NoWebhook::Secret { found: 15 })));
        assert!(Webhook::new("http://[::1]:1/hook", secret()).is_ok());
    }
}
