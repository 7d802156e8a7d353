//! A refresh and a reshare against the recorded bytes of the independent implementation.

use super::*;
use crate::encoding::{Kind, header};
use crate::envelope::Envelope;
use crate::epoch::Epoch;
use crate::keys::committee::tests::committee;
use crate::keys::dealing::{Dealing, VerifiedDealing, tests::recorded};
use crate::keys::sharing::{Sharing, that_count, weights};
use crate::keys::{Protocol, Roster};
use crate::support::{array, arrays, bytes, list, number, text, vectors};
use crate::threshold::Threshold;
use alloc::collections::BTreeMap;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;
use std::sync::Arc;

fn small(value: &Value, key: &str) -> u16 {
    u16::try_from(number(value, key)).unwrap()
}

fn id(value: &Value) -> Identifier {
    Identifier::new(small(value, "identifier")).unwrap()
}

fn keys(member: &Value) -> ParticipantKeys {
    let wire = [&header(Kind::ParticipantKeys)[..], &bytes(member, "signing_seed"), &bytes(member, "dealing_secret")];
    ParticipantKeys::from_bytes(&wire.concat()).unwrap()
}

fn share(line: &Value, committee: &Committee) -> KeyShare {
    let (epoch, i) = (committee.epoch().to_bytes(), id(line).to_bytes());
    let wire = [&header(Kind::KeyShare)[..], &epoch, &committee.digest(), &i, &bytes(line, "share")];
    KeyShare::from_bytes(&wire.concat()).unwrap()
}

fn envelopes(run: &Value, key: &str) -> Vec<Envelope> {
    list(run, "dealings").iter().map(|case| Envelope::from_bytes(&bytes(case, key)).unwrap()).collect()
}

/// One recorded run.
struct Recorded {
    run: Value,
    session: Session,
    /// The new roster's members with their keys.
    receivers: Vec<(Identifier, ParticipantKeys)>,
}

impl Recorded {
    fn all() -> [Self; 2] {
        let mut file = vectors("reshare");
        ["refresh", "reshare"].map(|name| Self::new(file[name].take()))
    }

    fn new(run: Value) -> Self {
        let old = committee(&list(&vectors("committee"), "cases")[0]);
        let receivers: Vec<_> = list(&run, "members").iter().map(|member| (id(member), keys(member))).collect();
        let lines = receivers.iter().map(|(i, keys)| keys.public(*i)).collect();
        let threshold = Threshold::new(small(&run, "t"), small(&run, "n")).unwrap();
        let roster = Roster::new(Epoch(number(&run, "epoch")), threshold, lines).unwrap();
        let protocol = Protocol::from_byte(u8::try_from(number(&run, "protocol")).unwrap()).unwrap();
        let nonce = array(&run["session"], "board_nonce");
        let session = Session::handover(protocol, Arc::new(old), roster, &nonce).unwrap();
        assert_eq!(hex::encode(session.id()), text(&run["session"], "session"));
        Self { run, session, receivers }
    }

    fn dealings(&self) -> BTreeMap<Identifier, VerifiedDealing> {
        let verified = |case: &Value| {
            let dealing = Dealing::from_bytes(&bytes(case, "wire")).unwrap().verify(&self.session).unwrap();
            (Identifier::new(dealing.dealer()).unwrap(), dealing)
        };
        list(&self.run, "dealings").iter().map(verified).collect()
    }

    fn party<'k>(&self, (identifier, keys): &'k (Identifier, ParticipantKeys)) -> Party<'k> {
        Party::new(self.session.clone(), None, Some(NewMember { identifier: *identifier, keys })).unwrap()
    }
}

#[test]
fn recorded_dealings_are_reproduced_from_the_old_shares() {
    let file = vectors("reshare");
    for Recorded { run, session, .. } in Recorded::all() {
        for case in list(&run, "dealings") {
            let (constant, mut rng) = recorded(case);
            let dealer = small(case, "dealer");
            let holder = list(&file, "holders").iter().find(|line| small(line, "identifier") == dealer).unwrap();
            assert_eq!(constant.to_bytes().as_slice(), bytes(holder, "share"));
            let dealing = Dealing::create(&session, dealer, constant, &mut rng).unwrap();
            assert_eq!(hex::encode(dealing.to_bytes()), text(case, "wire"));
            assert_eq!(hex::encode(dealing.commitment_digest()), text(case, "commitment_digest"));
        }
    }
}

/// The t old dealers with the smallest numbers count, with Lagrange's coefficients as weights.
#[test]
fn recorded_dealings_add_up_to_the_recorded_table_and_transcript() {
    for recorded in Recorded::all() {
        let Recorded { run, session, .. } = &recorded;
        let dealings = recorded.dealings();
        let counted = that_count(session, &dealings);
        let dealers: Vec<_> = counted.iter().map(|dealing| u64::from(dealing.dealer())).collect();
        assert_eq!(dealers, list(run, "counted").iter().map(|i| i.as_u64().unwrap()).collect::<Vec<_>>());
        let found: Vec<_> = weights(session, &counted).unwrap().iter().map(|weight| weight.to_bytes()).collect();
        assert_eq!(found, arrays::<32>(run, "lagrange"));
        let sharing = Sharing::of(session, &counted).unwrap();
        assert_eq!(hex::encode(sharing.transcript), text(run, "transcript"));
        assert_eq!(hex::encode(sharing.committee.digest()), text(run, "committee"));
        assert_eq!(hex::encode(sharing.committee.to_bytes()), text(run, "committee_wire"));
        assert_eq!(sharing.committee.master_public_key(), session.old().unwrap().master_public_key());
    }
}

/// The receivers' states read the recorded messages, say the recorded ones, and end with the recorded shares and bytes.
#[test]
fn receivers_of_the_recorded_messages_end_with_the_recorded_shares_and_certificate() {
    for recorded in Recorded::all() {
        let (run, mut rng) = (&recorded.run, ChaCha20Rng::from_seed([0; 32]));
        let confirm: Vec<_> =
            arrays::<219>(run, "confirmations").iter().map(|e| Envelope::from_bytes(e).unwrap()).collect();
        for (receiver, line) in recorded.receivers.iter().zip(list(run, "shares")) {
            let state = Participant::join(recorded.party(receiver), &mut rng).unwrap().commit().unwrap();
            let state = state.open(&envelopes(run, "commit_envelope")).unwrap();
            let state = state.complain(&envelopes(run, "open_envelope")).unwrap();
            assert!(state.outgoing().is_empty());
            let state = state.finish(&[]).unwrap();
            let silent = list(run, "silent").iter().any(|i| i.as_u64() == Some(receiver.0.get().into()));
            assert!(silent != confirm.contains(&state.outgoing()[0]));
            let Handover { committee, key_share, certificate, .. } = state.confirm(&confirm).unwrap();
            assert_eq!(key_share.unwrap().to_bytes(), share(line, &committee).to_bytes());
            assert_eq!(hex::encode(certificate.to_bytes()), text(run, "certificate"));
        }
    }
}

#[test]
fn recorded_certificates_verify_for_their_session_alone() {
    let [refresh, reshare] = Recorded::all();
    for (recorded, other) in [(&refresh, &reshare), (&reshare, &refresh)] {
        let certificate = Certificate::from_bytes(&bytes(&recorded.run, "certificate")).unwrap();
        assert_eq!(certificate.verify(&recorded.session), Ok(()));
        assert_eq!(hex::encode(certificate.transcript()), text(&recorded.run, "transcript"));
        assert_eq!(certificate.verify(&other.session), Err(CertificateError::Session));
        let need = usize::from(small(&recorded.run, "need"));
        let few = certificate.confirmations()[..need - 1].to_vec();
        let fewer = Certificate::new(recorded.session.id(), certificate.transcript(), few);
        let expected = CertificateError::NotConfirmed { need, have: need - 1 };
        assert_eq!(fewer.verify(&recorded.session), Err(expected));
    }
}
