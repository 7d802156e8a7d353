//! Dealings against the recorded bytes.

use super::*;
use crate::keys::committee::tests::roster_members;
use crate::keys::roster::Roster;
use crate::keys::sharing::Sharing;
use crate::support::{Replay, array, arrays, bytes, list, number, text, vectors};
use crate::threshold::Threshold;
use serde_json::Value;

pub(crate) fn session(run: &Value) -> Session {
    let small = |key| u16::try_from(number(run, key)).unwrap();
    let members = roster_members(list(&vectors("committee")["cases"][0], "members"));
    let threshold = Threshold::new(small("t"), small("n")).unwrap();
    let roster = Roster::new(Epoch(number(run, "epoch")), threshold, members).unwrap();
    let protocol = Protocol::from_byte(u8::try_from(number(&run["session"], "protocol")).unwrap()).unwrap();
    let session = Session::new(protocol, None, roster, &array(&run["session"], "board_nonce"));
    assert_eq!(hex::encode(session.id()), text(&run["session"], "session"));
    session
}

/// The bytes from which `create` draws a recorded dealing: scalars are drawn wide, so each is followed by zeros.
fn recorded(case: &Value) -> (SecretScalar, Replay) {
    let mut coefficients = arrays::<32>(case, "coefficients");
    let constant = Scalar::from_canonical_bytes(coefficients.remove(0)).unwrap();
    coefficients.push(array(case, "u"));
    let mut drawn: Vec<u8> = coefficients.iter().flat_map(|c| [c.as_slice(), &[0; 32]].concat()).collect();
    drawn.extend(bytes(case, "pop_random64"));
    drawn.extend(bytes(case, "dealing_random64"));
    (SecretScalar::new(constant), Replay(drawn))
}

#[test]
fn dealings_reproduce_the_bytes() {
    let file = vectors("dealing");
    for name in ["dealer", "dkg"] {
        let run = &file[name];
        let session = session(run);
        let mut verified = Vec::new();
        for case in list(run, "dealings") {
            let (constant, mut rng) = recorded(case);
            let dealer = u16::try_from(number(case, "dealer")).unwrap();
            let dealing = Dealing::create(&session, dealer, constant, &mut rng).unwrap();
            assert_eq!(hex::encode(dealing.to_bytes()), text(case, "wire"), "{name}");
            assert_eq!(hex::encode(dealing.commitment_digest()), text(case, "commitment_digest"), "{name}");
            assert_eq!(Dealing::from_bytes(&bytes(case, "wire")), Ok(dealing.clone()));
            verified.push(dealing.verify(&session).unwrap());
        }
        let sharing = Sharing::of(&session, &verified.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(hex::encode(sharing.transcript), text(run, "transcript"), "{name}");
        assert_eq!(hex::encode(sharing.committee.master_public_key().to_bytes()), text(run, "Y"), "{name}");
    }
}

#[test]
fn recipients_open_the_recorded_shares() {
    let file = vectors("dealing");
    let run = &file["dkg"];
    let session = session(run);
    for case in list(run, "dealings") {
        let dealing = Dealing::from_bytes(&bytes(case, "wire")).unwrap().verify(&session).unwrap();
        for line in list(case, "recipients") {
            let identifier = Identifier::new(u16::try_from(number(line, "identifier")).unwrap()).unwrap();
            let shared = Encoded::read(&mut Reader::new(&bytes(line, "DH")), "DH").unwrap();
            let share = dealing.open_share_with(identifier, &shared).unwrap();
            assert_eq!(hex::encode(share.to_bytes().as_slice()), text(line, "share"));
            assert_eq!(dealing.check_share_vartime(identifier, &share), Ok(()));
        }
    }
}

/// The recorded reasons name the check of the twin, which proves first and compares fields later.
#[test]
fn refused_dealings_are_refused() {
    let file = vectors("dealing");
    let session = session(&file["dealer"]);
    for case in list(&file, "refused") {
        let (name, reason) = (text(case, "name"), text(case, "reason"));
        let error = Dealing::from_bytes(&bytes(case, "wire"))
            .map_err(DealingError::from)
            .and_then(|d| d.verify(&session))
            .unwrap_err();
        let expected = match reason {
            "header" | "length" => matches!(error, DealingError::Encoding(_)),
            "dealing proof" => error == DealingError::Proof,
            "degree" => error == DealingError::ZeroCommitment { index: 2 },
            "pop" if name == "protocol changed" => matches!(error, DealingError::Encoding(_)),
            "pop" if name == "dealer changed" => error == DealingError::Dealer { found: 1 },
            "pop" => matches!(error, DealingError::Possession | DealingError::Session),
            _ => false,
        };
        assert!(expected, "{name}: {reason}: {error:?}");
    }
}
