//! What a desk's commands seal, opened with the committee's key.

use super::{
    desk::{Desk, id_of, key_of, on, wallet},
    support::liar::objects,
};
use ccc_chain::{submission, watch::Event};
use ccc_core::ciphertext::{Ciphertext, LABEL_LEN, Label};
use ccc_enclave::{
    authorisation,
    instruction::{CancelInstruction, DepositInstruction, StandingOrderTerms, WithdrawalInstruction},
};
use curve25519_dalek::{Scalar, ristretto::CompressedRistretto};

/// The committee's private key, of the shares of everybody.
fn master(desk: &Desk) -> Scalar {
    let share = |i: u64| {
        let objects = objects(&desk.scratch.read(&format!("keys/participant-{i}.ccc")));
        let scalar = *objects[0].last_chunk::<32>().expect("a share ends in its scalar");
        Scalar::from_canonical_bytes(scalar).expect("a scalar")
    };
    let weight = |own: u64| -> Scalar {
        let others = (1..=4).filter(|other| *other != own).map(Scalar::from);
        others.map(|other| other * (other - Scalar::from(own)).invert()).product()
    };
    (1..=4).map(|i| weight(i) * share(i)).sum()
}

/// The ciphertext that the pool has under an id.
fn submitted(desk: &Desk, id: &str) -> Ciphertext {
    let found = on(async {
        let chain = desk.chain().await;
        submission::find(&chain, &desk.deployment, key_of(id).into()).await.expect("read").expect("found")
    });
    let ciphertext = match found.event {
        Event::Deposited { ciphertext, .. }
        | Event::WithdrawalRequested { ciphertext, .. }
        | Event::StandingOrderSubmitted { ciphertext, .. } => Some(ciphertext),
        _ => None,
    };
    Ciphertext::from_bytes(&ciphertext.expect("a submission")).expect("a ciphertext")
}

/// What stands in it.
fn opened(desk: &Desk, id: &str) -> (Label, Vec<u8>) {
    let ciphertext = submitted(desk, id);
    let label = ciphertext.label().clone();
    let u = CompressedRistretto::from_slice(&ciphertext.to_bytes()[8 + LABEL_LEN..][..32]).expect("32 bytes");
    let shared = master(desk) * u.decompress().expect("a point");
    let verified = ciphertext.verify(&desk.master()).expect("under the vault's key");
    (label, verified.open_with(shared.compress().as_bytes()).expect("the committee opens it").to_vec())
}

fn signed(account: [u8; 20], label: &Label, unsigned: &[u8], signature: &[u8; 65]) {
    authorisation::check(&account, label, unsigned, signature).expect("signed by the account");
}

#[test]
fn the_committee_reads_what_the_desk_asked_for() {
    let desk = Desk::new();
    let account = desk.account.0.0;
    let deposit = id_of(&desk.done("deposit --asset base --amount 5000"));
    let (label, plain) = opened(&desk, &deposit);
    let said = DepositInstruction::from_bytes(&plain).expect("a deposit");
    assert_eq!((said.account, said.reading_key), (account, desk.reading_key()));
    signed(account, &label, &said.unsigned(), &said.signature);

    let order = id_of(&desk.done("order new --size 4000 --spread 50 --minimum 1000 --cap 3000"));
    let (label, plain) = opened(&desk, &order);
    let said = StandingOrderTerms::from_bytes(&plain).expect("an order");
    assert_eq!((said.account, said.asset, said.spread, said.size), (account, 0, 50, 4000));
    assert_eq!((said.minimum, said.cap, said.expiry), (1000, 3000, label.expiry));
    signed(account, &label, &said.unsigned(), &said.signature);

    let cancellation = id_of(&desk.done(&format!("order cancel {order}")));
    let (label, plain) = opened(&desk, &cancellation);
    let said = CancelInstruction::from_bytes(&plain).expect("a cancellation");
    assert_eq!((said.account, said.order), (account, submitted(&desk, &order).digest()));
    signed(account, &label, &said.unsigned(), &said.signature);

    let withdrawal =
        id_of(&desk.done("withdraw --asset base --amount 1000 --to 0x0101010101010101010101010101010101010101"));
    let (label, plain) = opened(&desk, &withdrawal);
    let said = WithdrawalInstruction::from_bytes(&plain).expect("a withdrawal");
    assert_eq!((said.account, said.asset, said.amount, said.recipient), (account, 0, 1000, [1; 20]));
    assert_eq!(label.requester, wallet().address().0.0);
    signed(account, &label, &said.unsigned(), &said.signature);
}
