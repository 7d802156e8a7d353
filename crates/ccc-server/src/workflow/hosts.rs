//! The enclaves' hosts as one signer asks them, each over its own key.

use super::agreement::{Agreed, NoAgreement, Votes};
use crate::{
    application::Door,
    attested::{AttestedError, Check, ENVELOPE, Made, PAYOUTS, RESERVE, ROUND},
    client::{CallError, Connection},
    enclave::Neighbour,
    identity::Identity,
};
use ccc_enclave::{agent::envelope_digest, result::AttestedResult};
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// How long an enclave may take.
const FOR_ENCLAVES: Duration = Duration::from_secs(60);
/// How long the other enclaves are waited for after enough have said the same: who says something else is named then.
const GRACE: Duration = Duration::from_secs(2);
/// How long a host may take for something that it has already.
const FOR_KEPT: Duration = Duration::from_secs(5);

/// Why a peer gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum PeerError {
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("{0}")]
    Body(#[from] AttestedError),
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("it does not sign: {0}")]
    Refused(String),
    #[error("its signature is not that of another signer of the set")]
    Signature,
}

/// Calls one peer, within a time.
pub(super) async fn call(
    identity: &Identity,
    peer: &Neighbour,
    door: Door,
    body: Vec<u8>,
    patience: Duration,
) -> Result<Vec<u8>, PeerError> {
    let called = async {
        let connection = Connection::open(identity, peer.address, peer.key).await?;
        connection.call(door.path, door.asks, body).await
    };
    Ok(timeout(patience, called).await.map_err(|_| PeerError::Late(patience))??)
}

/// Every host of a signer's file, and how many of them have to say the same.
pub(super) struct Hosts {
    pub(super) identity: Identity,
    pub(super) all: Vec<Neighbour>,
    pub(super) agree: usize,
    /// How long one host may take for a round before the next one is asked.
    pub(super) patience: Duration,
}

impl Hosts {
    /// What enough hosts say of a check, each asked by this signer itself. With a result in hand it ends as soon as that one
    /// is among those that enough agree with.
    pub(super) async fn agreed(
        &self,
        check: Check,
        vouched: impl Fn(&Made) -> Result<(), String>,
        wanted: Option<&AttestedResult>,
    ) -> Result<Agreed, NoAgreement> {
        let ask = async |host: &Neighbour| {
            let answer = call(&self.identity, host, RESERVE, check.to_bytes(), FOR_ENCLAVES).await;
            answer.and_then(|bytes| Ok(Made::from_bytes(&bytes)?)).map_err(|error| error.to_string())
        };
        let mut asked: FuturesUnordered<_> =
            self.all.iter().map(|host| async { (host.name.as_str(), ask(host).await) }).collect();
        let mut votes = Votes::new(self.agree, self.all.len(), check);
        let (mut end, mut seen) = (Instant::now() + FOR_ENCLAVES, wanted.is_none());
        loop {
            tokio::select! {
                answered = asked.next() => {
                    let Some((name, made)) = answered else { break };
                    seen |= made.as_ref().is_ok_and(|made| Some(&made.result) == wanted);
                    votes.take(name, made, &vouched);
                }
                () = sleep_until(end) => break,
            }
            if votes.enough() && seen {
                end = end.min(Instant::now() + if wanted.is_some() { Duration::ZERO } else { GRACE });
            }
        }
        votes.agreed()
    }

    /// The round that a host makes at a block.
    pub(super) async fn round(&self, host: &Neighbour, block: [u8; 32]) -> Result<Made, PeerError> {
        Ok(Made::from_bytes(&call(&self.identity, host, ROUND, block.to_vec(), self.patience).await?)?)
    }

    /// What hosts say that a version owes, of every host that made it.
    pub(super) async fn payouts(&self, header: [u8; 32]) -> Vec<(String, Made)> {
        let asked = self.all.iter().map(|host| call(&self.identity, host, PAYOUTS, header.to_vec(), FOR_KEPT));
        let mut found = Vec::new();
        for (host, answer) in self.all.iter().zip(join_all(asked).await) {
            match answer.map(|bytes| (!bytes.is_empty()).then(|| Made::from_bytes(&bytes)).transpose()) {
                Ok(Ok(Some(made))) => found.push((host.name.clone(), made)),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => odd(&host.name, &error),
                Err(error) => odd(&host.name, &error),
            }
        }
        found
    }

    /// Whether a host gives the envelope that its result names.
    pub(super) async fn has_envelope(&self, name: &str, digest: [u8; 32]) -> bool {
        let Some(host) = self.all.iter().find(|host| host.name == name) else { return false };
        let given = call(&self.identity, host, ENVELOPE, digest.to_vec(), FOR_KEPT).await;
        given.is_ok_and(|envelope| envelope_digest(&envelope) == digest)
    }
}

fn odd(enclave: &str, error: &dyn std::fmt::Display) {
    tracing::warn!(target: "ccc_server::workflow", enclave, "payouts: {error}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        application::{Application, Body, Denied, Said},
        limits::Limits,
        meters::Meters,
        server::{Server, Stop},
        workflow::{
            agreement::tests::{CHECK, made},
            signer::among,
        },
    };
    use ccc_core::{keys::ParticipantKeys, report::Verdict};
    use rand::{SeedableRng, rngs::StdRng};
    use std::sync::Arc;
    use tokio::net::TcpListener;

    /// A host that gives one result for every check, or says nothing for a long time.
    struct Fixed(Option<Made>);

    impl Application for Fixed {
        fn doors(&self) -> &'static [Door] {
            &[RESERVE, PAYOUTS]
        }

        fn ready(&self) -> Result<(), String> {
            Ok(())
        }

        fn answer(&self, door: &Door, _: &str, _: &mut dyn Body) -> Result<Said, Denied> {
            match &self.0 {
                Some(made) if *door == RESERVE => Ok(Said { body: made.to_bytes(), ..Said::default() }),
                Some(_) => Ok(Said::default()),
                None => {
                    std::thread::sleep(Duration::from_secs(4));
                    Err(Denied::Refused)
                }
            }
        }
    }

    fn identity(seed: u64) -> Identity {
        Identity::new(ParticipantKeys::generate(&mut StdRng::seed_from_u64(seed)).expect("keys"))
    }

    /// Hosts that say these things, `agree` of which are needed, as one signer asks them.
    async fn hosts(agree: usize, results: Vec<Option<Made>>) -> (Hosts, Vec<Stop>) {
        let own = identity(1);
        let (mut all, mut stops) = (Vec::new(), Vec::new());
        for (place, result) in results.into_iter().enumerate() {
            let host = identity(10 + place as u64);
            let known = [(own.public(), "signer".to_owned())];
            let server = Server::new(Arc::new(Fixed(result)), &host, &known, Limits::waiting(), Meters::of("t"));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its number");
            let (stop, told) = Stop::new();
            tokio::spawn(server.expect("a server").run(listener, told));
            all.push(Neighbour { name: format!("enclave-{place}"), key: host.public(), address });
            stops.push(stop);
        }
        (Hosts { identity: own, all, agree, patience: Duration::from_secs(5) }, stops)
    }

    /// What a signer does with a result that it is shown.
    async fn judged(hosts: &Hosts, shown: &Made) -> Result<bool, NoAgreement> {
        let agreed = hosts.agreed(CHECK, |_| Ok(()), Some(&shown.result)).await?;
        Ok(among(&shown.result, &agreed.members).is_ok())
    }

    #[tokio::test]
    async fn a_signer_shown_what_one_of_three_says_refuses() {
        let (lie, one, other) = (made(Verdict::Solvent, 1), made(Verdict::Insolvent, 2), made(Verdict::Insolvent, 3));
        let results = [lie.clone(), one.clone(), other.clone()].map(Some);
        let (hosts, _stops) = hosts(2, results.to_vec()).await;
        assert_eq!(judged(&hosts, &lie).await, Ok(false), "two others agree, and on something else");
        assert_eq!(judged(&hosts, &one).await, Ok(true));
        assert_eq!(judged(&hosts, &other).await, Ok(true));
        assert_eq!(judged(&hosts, &made(Verdict::Insolvent, 9)).await, Ok(false), "one that no host gives");
    }

    #[tokio::test]
    async fn a_signer_refuses_a_check_that_fewer_enclaves_made_than_have_to() {
        let one = made(Verdict::Solvent, 1);
        let (hosts, _stops) = hosts(2, vec![Some(one.clone()), Some(one.clone()), None]).await;
        let refused = judged(&hosts, &one).await.expect_err("one enclave behind two hosts");
        assert_eq!((refused.need, refused.asked, refused.found), (2, 3, 1));
    }

    #[tokio::test]
    async fn a_host_that_says_nothing_does_not_hold_up_those_that_agree() {
        let (one, other) = (made(Verdict::Solvent, 1), made(Verdict::Solvent, 2));
        let (hosts, _stops) = hosts(2, vec![None, Some(one.clone()), Some(other)]).await;
        let began = Instant::now();
        assert_eq!(judged(&hosts, &one).await, Ok(true));
        assert!(began.elapsed() < GRACE, "a result in hand is not waited for");
        let agreed = hosts.agreed(CHECK, |_| Ok(()), None).await.expect("two agree");
        assert_eq!(agreed.members.len(), 2);
        assert!(began.elapsed() < Duration::from_millis(3_900), "no longer than the grace");
        assert!(hosts.payouts([1; 32]).await.is_empty(), "nothing is owed");
    }
}
