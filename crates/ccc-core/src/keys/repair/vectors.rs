//! Repair against the recorded bytes of the independent implementation, and against the sums of another's.

use super::complaint::RepairComplaint;
use super::*;
use crate::encoding::{Kind, header};
use crate::keys::committee::tests::committee;
use crate::keys::{Committee, KeyShare, ParticipantKeys};
use crate::secret::{SecretScalar, sum};
use crate::support::{array, arrays, bytes, list, number, outside, text, vectors};
use curve25519_dalek::Scalar;
use serde_json::Value;

fn id(value: &Value, key: &str) -> Identifier {
    Identifier::new(u16::try_from(number(value, key)).unwrap()).unwrap()
}

fn keys(member: &Value) -> ParticipantKeys {
    let wire = [&header(Kind::ParticipantKeys)[..], &bytes(member, "signing_seed"), &bytes(member, "dealing_secret")];
    ParticipantKeys::from_bytes(&wire.concat()).unwrap()
}

fn share(member: &Value, committee: &Committee) -> KeyShare {
    let (epoch, i) = (committee.epoch().to_bytes(), id(member, "identifier").to_bytes());
    let wire = [&header(Kind::KeyShare)[..], &epoch, &committee.digest(), &i, &bytes(member, "share")];
    KeyShare::from_bytes(&wire.concat()).unwrap()
}

fn session(file: &Value) -> RepairSession {
    let committee = committee(&list(&vectors("committee"), "cases")[0]);
    let request = Envelope::from_bytes(&bytes(file, "request_envelope")).unwrap();
    RepairSession::requested(committee, &request).unwrap()
}

fn member(file: &Value, i: Identifier) -> &Value {
    list(file, "members").iter().find(|member| id(member, "identifier") == i).unwrap()
}

fn recorded(file: &Value, key: &str) -> Vec<Envelope> {
    list(file, key).iter().map(|case| Envelope::from_bytes(&bytes(case, "envelope")).unwrap()).collect()
}

#[test]
fn sessions_and_requests_are_the_recorded_ones() {
    let file = vectors("repair");
    let session = session(&file);
    assert_eq!(hex::encode(session.id()), text(&file, "session"));
    assert_eq!(hex::encode(session.request().to_bytes().unwrap()), text(&file, "request"));
    assert_eq!(hex::encode(session.request().nonce), text(&file, "nonce"));
    let keys = keys(member(&file, session.lost()));
    let request = Receiver::new(session, &keys).unwrap().request().unwrap();
    assert_eq!(hex::encode(request.to_bytes()), text(&file, "request_envelope"));
}

#[test]
fn the_recorded_run_is_reproduced_and_gives_the_recorded_share() {
    let file = vectors("repair");
    let session = session(&file);
    let (first, second) = (recorded(&file, "splits"), recorded(&file, "sums"));
    for (at, &helper) in session.helpers().iter().enumerate() {
        let member = member(&file, helper);
        let (share, keys) = (share(member, session.committee()), keys(member));
        let helper = Helper::new(session.clone(), &share, &keys).unwrap();
        assert_eq!(helper.split().unwrap(), first[at]);
        assert_eq!(helper.sum(&first).unwrap(), second[at]);
    }
    let lost = member(&file, session.lost());
    let keys = keys(lost);
    let found = Receiver::new(session.clone(), &keys).unwrap().finish(&first, &second).unwrap();
    assert_eq!(found.to_bytes(), share(lost, session.committee()).to_bytes());
    assert_eq!(judge(&session, [&first, &second, &[]]), Ok(()));
}

#[test]
fn recorded_complaints_are_reproduced_and_name_the_recorded_culprit() {
    let file = vectors("repair");
    let session = session(&file);
    for case in list(&file, "complaints") {
        let name = text(case, "name");
        let complaint = Envelope::from_bytes(&bytes(case, "envelope")).unwrap();
        let accused = Envelope::from_bytes(&bytes(case, "accused")).unwrap();
        let packet = RepairPacket::from_bytes(accused.unverified_payload()).unwrap();
        let (accuser, of) = (complaint.identifier(), (packet::Stage::Split, accused.identifier()));
        let made = RepairComplaint::create(&session, of, &packet, accuser, &keys(member(&file, accuser)));
        assert_eq!(hex::encode(made.to_bytes()), text(case, "payload"), "{name}");
        let right = text(case, "name") == "right part";
        let (mut first, mut second) = (recorded(&file, "splits"), vec![complaint]);
        first[1] = accused;
        let expected = if right {
            second.extend(recorded(&file, "sums"));
            vec![(id(case, "fault"), RepairFault::FalseComplaint)]
        } else {
            let wrong = (id(case, "fault"), RepairFault::Scalar(ShareFault::Commitment));
            vec![(session.helpers()[0], RepairFault::Silent), wrong]
        };
        let expected = expected.into_iter().map(|(identifier, fault)| RepairCulprit { identifier, fault }).collect();
        let expected = RepairError::Ended { culprits: expected, complaints: vec![] };
        assert_eq!(judge(&session, [&first, &second, &[]]), Err(expected), "{name}");
    }
}

#[test]
fn sums_are_those_of_the_frost_vectors() {
    let file = outside("zcash-frost/frost-ristretto255-repair-share.json");
    for (room, names, total) in [
        ("scalar_generation", &["random_scalar_1", "random_scalar_2", "random_scalar_3"][..], "random_scalar_sum"),
        ("sigma_generation", &["sigma_1", "sigma_2", "sigma_3", "sigma_4"], "sigma_sum"),
    ] {
        let scalar = |name: &&str| SecretScalar::new(Scalar::from_canonical_bytes(array(&file[room], name)).unwrap());
        let scalars: Vec<_> = names.iter().map(scalar).collect();
        assert_eq!(hex::encode(sum(&scalars).to_bytes().as_slice()), text(&file[room], total));
    }
}

/// The recorded parts and sums, which nobody sees in a run.
#[test]
fn recorded_parts_add_up_to_the_recorded_sums() {
    let file = vectors("repair");
    let scalar = |bytes: [u8; 32]| SecretScalar::new(Scalar::from_canonical_bytes(bytes).unwrap());
    let rows: Vec<Vec<[u8; 32]>> = list(&file, "splits").iter().map(|split| arrays(split, "parts")).collect();
    for (j, case) in list(&file, "sums").iter().enumerate() {
        let column: Vec<_> = rows.iter().map(|row| scalar(row[j])).collect();
        assert_eq!(hex::encode(sum(&column).to_bytes().as_slice()), text(case, "sigma"));
    }
    for (row, weight) in rows.into_iter().zip(arrays::<32>(&file, "lagrange")) {
        let at = list(&file, "splits").iter().position(|split| arrays::<32>(split, "parts") == row).unwrap();
        let share = member(&file, id(&list(&file, "splits")[at], "identifier"));
        let weighted = scalar(weight).expose() * scalar(array(share, "share")).expose();
        assert_eq!(sum(&row.into_iter().map(scalar).collect::<Vec<_>>()).expose(), &weighted);
    }
}
