//! A node, and what may be told of its address.

use super::{NetworkError, Settings, words_of};
use crate::{cli::SpendArgs, files};
use alloy::{eips::BlockId, transports::http::reqwest::Url};
use ccc_chain::{
    Chain, ChainError, ChainKind, ConnectOptions,
    custody::{CustodyError, Step},
    https::Authorities,
    status,
};
use std::{
    net::IpAddr,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a node may take for its first answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest file of certificate authorities: a system's has a quarter of a million bytes.
const MAX_AUTHORITIES: u64 = 1 << 22;

/// The fewest characters of a piece of an address that may be an access key; shorter ones are words such as `v3`.
const SHORTEST_KEY: usize = 6;

const WEI_PER_GWEI: u128 = 1_000_000_000;

/// Chain ids that stand for chains on one machine.
const LOCAL_IDS: [u64; 2] = [31337, 1337];

/// A node that has answered.
pub(crate) struct Node {
    /// The chain behind it.
    pub(crate) chain: Chain,
    /// Scheme, host and port.
    pub(crate) shown: String,
    /// What of the address is not shown.
    hidden: Vec<String>,
    local: bool,
}

impl Node {
    /// Connects to the node of the settings.
    ///
    /// # Errors
    /// [`NetworkError::Address`], [`NetworkError::Authorities`], [`NetworkError::Tls`], [`NetworkError::Node`].
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, NetworkError> {
        let url = parsed(&settings.rpc_url.value)?;
        let (shown, hidden) = (of_url(&url), hidden(&url));
        let path = settings.rpc_ca.as_ref().map(|setting| setting.value.as_path());
        let authorities = authorities(path, url.as_str())?;
        let expected_chain_id = settings.chain_id.as_ref().map(|setting| setting.value);
        let options = ConnectOptions { expected_chain_id, pin_block_times: false, ..ConnectOptions::default() };
        let failed =
            |reason: &str| NetworkError::Node { node: shown.clone(), reason: scrubbed(reason, &hidden, &shown) };
        let connected = async {
            match &authorities {
                Some(authorities) => Chain::connect_trusting(url.as_str(), authorities, &options).await,
                None => Chain::connect(url.as_str(), &options).await,
            }
        };
        let chain = match tokio::time::timeout(PATIENCE, connected).await {
            Err(_) => return Err(failed("no answer within 10 seconds")),
            Ok(Err(ChainError::Tls(source))) => return Err(NetworkError::Tls { node: shown, source }),
            Ok(Err(error)) => return Err(failed(&error.to_string())),
            Ok(Ok(chain)) => chain,
        };
        let local = is_loopback(&url) && LOCAL_IDS.contains(&chain.chain_id());
        Ok(Self { chain, shown, hidden, local })
    }

    /// Whether the chain is one for trying things out, on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// The same node, whose transactions cost no more than told.
    pub(crate) fn within(self, spend: SpendArgs) -> Self {
        match spend.most_fee {
            None => self,
            Some(gwei) => Self { chain: self.chain.with_most_fee(u128::from(gwei) * WEI_PER_GWEI), ..self },
        }
    }

    /// Whether transactions are sent: on a local chain unless told otherwise, elsewhere only when told so.
    pub(crate) fn sends(&self, spend: SpendArgs) -> bool {
        spend.broadcast || (self.local && !spend.dry_run)
    }

    /// The time by which ages and deadlines are told, Unix time: this machine's, as a node that has stopped calls an old
    /// block new; the embedded chain has its own.
    ///
    /// # Errors
    /// [`NetworkError::Node`].
    pub(crate) async fn now(&self) -> Result<u64, NetworkError> {
        let read = async {
            let newest = self.chain.block(BlockId::latest()).await?;
            status::now(&self.chain, newest).await
        };
        let time = read.await.map_err(|error| self.error(&error))?;
        Ok(self.by_the_clock(time))
    }

    /// The last second of what is signed for so many seconds from now.
    ///
    /// *Security*: elsewhere than on a local chain this machine's clock alone counts. A node that calls a later year the present
    /// would get a signature that holds until then.
    ///
    /// # Errors
    /// [`NetworkError::Node`].
    pub(crate) async fn until(&self, seconds: u64) -> Result<u64, NetworkError> {
        let now = if self.local { self.now().await? } else { machine_time() };
        Ok(now.saturating_add(seconds))
    }

    /// A block's time, or this machine's where that is later and the chain has no time of its own.
    pub(crate) fn by_the_clock(&self, time: u64) -> u64 {
        if self.chain.kind() == ChainKind::Embedded { time } else { time.max(machine_time()) }
    }

    /// The chain's error, with a refusal in words and nothing of the address that is not shown.
    pub(crate) fn error(&self, error: &ChainError) -> NetworkError {
        if let ChainError::RefusedInBlock { refusal, transaction, block } = error {
            let (by, reason) = (refusal.by.to_string(), plain(&words_of(refusal)));
            let place = format!("transaction {transaction}, block {block}");
            return NetworkError::RefusedInBlock { by, reason, place };
        }
        if let ChainError::OtherPool { .. } = error {
            return NetworkError::OtherPool { reason: plain(&error.to_string()) };
        }
        match error {
            ChainError::Tls(source) => NetworkError::Tls { node: self.shown.clone(), source: source.clone() },
            ChainError::NoPermit { token, reason } => {
                NetworkError::NoPermit { token: token.to_string(), reason: reason.clone() }
            }
            other => self.refusal_or_failure(other),
        }
    }

    fn refusal_or_failure(&self, error: &ChainError) -> NetworkError {
        match error.refusal() {
            Some(refusal) => NetworkError::Refused { by: refusal.by.to_string(), reason: plain(&words_of(refusal)) },
            None => NetworkError::Node {
                node: self.shown.clone(),
                reason: scrubbed(&error.to_string(), &self.hidden, &self.shown),
            },
        }
    }

    /// As [`Self::error`], of a deployment.
    pub(crate) fn custody_error(&self, error: CustodyError) -> NetworkError {
        match error {
            CustodyError::Plan(error) => error.into(),
            CustodyError::Step { step, steps, source } => {
                let reason = self.error(&source).to_string();
                NetworkError::Step { step, done: steps.len(), reason, made: made_by(&steps) }
            }
        }
    }
}

/// Unix time by this machine's clock.
fn machine_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

/// What stands on the chain after these transactions.
fn made_by(steps: &[Step]) -> String {
    let one = |step: &Step| step.address.map(|address| format!("{} {address}", step.what));
    let made: Vec<String> = steps.iter().filter_map(one).collect();
    if made.is_empty() { String::new() } else { format!("; made before: {}", made.join(", ")) }
}

fn parsed(text: &str) -> Result<Url, NetworkError> {
    let url: Url = text.parse().map_err(|_| NetworkError::Address)?;
    let known = ["http", "https"].contains(&url.scheme());
    if known && url.host_str().is_some() { Ok(url) } else { Err(NetworkError::Address) }
}

/// The authorities of a file. A file for a node without TLS is a mistake, whichever of the two was meant.
///
/// # Errors
/// [`NetworkError::Authorities`].
pub(crate) fn authorities(path: Option<&Path>, url: &str) -> Result<Option<Authorities>, NetworkError> {
    let Some(path) = path else { return Ok(None) };
    let refused = |reason: String| NetworkError::Authorities { path: path.into(), reason };
    if parsed(url)?.scheme() != "https" {
        return Err(refused("the node's address is not https://".to_owned()));
    }
    let text = files::read(path, MAX_AUTHORITIES).map_err(|error| refused(error.to_string()))?;
    Ok(Some(Authorities::from_pem(&text).map_err(|error| refused(error.to_string()))?))
}

/// Scheme, host and port of an address, whatever stands in the rest.
pub(crate) fn shown(text: &str) -> String {
    parsed(text).map_or_else(|_| "an address that is neither http:// nor https://".to_owned(), |url| of_url(&url))
}

fn of_url(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let rest = if hidden(url).is_empty() { "" } else { "/…" };
    format!("{}://{host}{port}{rest}", url.scheme())
}

/// The parts of an address in which access keys stand, whole and in pieces: a node may quote one of them alone.
fn hidden(url: &Url) -> Vec<String> {
    let path = Some(url.path()).filter(|path| path.len() > 1);
    let parts = [path, url.query(), url.password(), Some(url.username()), url.fragment()];
    let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
    let pieces = |part: &'_ str| -> Vec<String> {
        let pieces = part.split(['/', '&', '=', ':']).filter(|piece| piece.len() >= SHORTEST_KEY);
        pieces.chain([part]).map(str::to_owned).collect()
    };
    parts.flat_map(pieces).collect()
}

fn scrubbed(text: &str, hidden: &[String], shown: &str) -> String {
    let pieces = hidden.iter().any(|part| text.contains(part.as_str()));
    if pieces { format!("the request to {shown} failed") } else { plain(text) }
}

/// What a node or a contract said, so that it cannot steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::{
        primitives::{Address, B256},
        sol_types::SolError,
    };
    use ccc_chain::{EmbeddedConfig, Refusal, bindings::CREDarkPool};

    #[test]
    fn what_may_be_a_key_is_not_shown() {
        for (address, expected) in [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("http://node.example/v3/0123abcd", "http://node.example/…"),
            ("http://user:pass@node.example:1", "http://node.example:1/…"),
            ("http://node.example?key=0123", "http://node.example/…"),
            ("https://node.example/v3/0123abcd", "https://node.example/…"),
            ("wss://node.example", "an address that is neither http:// nor https://"),
            ("secret", "an address that is neither http:// nor https://"),
        ] {
            assert_eq!(shown(address), expected);
        }
        let url = parsed("http://node.example/v3/0123abcd").expect("an address");
        let text = "error sending request for url (http://node.example/v3/0123abcd)";
        assert_eq!(scrubbed("a\u{1b}[2J\nb", &[], ""), "a [2J b", "nothing steers the terminal");
        let alone = "invalid project id 0123abcd";
        for text in [text, alone] {
            assert!(!scrubbed(text, &hidden(&url), "http://node.example/…").contains("0123abcd"), "{text}");
        }
        let url = parsed("http://node.example?chain=v1&key=0123abcd").expect("an address");
        assert!(!scrubbed(alone, &hidden(&url), "http://node.example/…").contains("0123abcd"));
    }

    /// What was mined and refused has cost its gas, and must not be told as if nothing had been sent.
    #[test]
    fn a_refusal_in_a_block_is_told_as_one() {
        let config = EmbeddedConfig { chain_id: 1, genesis_time: 1, rich: Vec::new() };
        let node = Node { chain: Chain::embedded(&config), shown: "node".into(), hidden: Vec::new(), local: true };
        let data = CREDarkPool::Halted {}.abi_encode();
        let refusal = || Box::new(Refusal::decode(Address::ZERO, data.clone().into()));
        let mined = ChainError::RefusedInBlock { refusal: refusal(), transaction: B256::repeat_byte(7), block: 9 };
        let told = node.error(&mined);
        assert_eq!(told.parts().0, "refused-in-block");
        let text = told.to_string();
        assert!(text.contains("block 9: the pool's rounds have ended for ever") && text.contains("0x0707"), "{text}");
        assert_eq!(node.error(&ChainError::Refused(refusal())).parts().0, "contract-refused");
    }

    #[test]
    fn only_this_machine_is_local() {
        for (address, expected) in [
            ("http://127.0.0.1:8545", true),
            ("http://127.9.9.9", true),
            ("http://localhost:1", true),
            ("http://[::1]:8545", true),
            ("http://10.0.0.1:8545", false),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
        ] {
            assert_eq!(is_loopback(&parsed(address).expect("an address")), expected, "{address}");
        }
    }
}
