//! Two persons for what is large: signatures over one action of one event.
//!
//! *Layout*: an approval is a line of JSON: `action` (the digest of [`crate::plan::item_digest`]), `name`, `signature` (Ed25519
//! over the bytes "ccc agent approval" ‖ digest), both in hexadecimal. It holds for that action of that event alone.

use std::collections::BTreeSet;

use alloy::primitives::B256;
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use serde::{Deserialize, Serialize};

use crate::{
    machine::Doing,
    plan::item_digest,
    policy::{DOLLAR, Policy, PolicyError},
    state::State,
};

const PREFIX: &[u8] = b"ccc agent approval";

/// One person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The digest of the action.
    pub action: B256,
    /// Who, by the policy's name.
    pub name: String,
    /// The signature, in hexadecimal.
    pub signature: String,
}

fn message(action: &B256) -> Vec<u8> {
    [PREFIX, action.as_slice()].concat()
}

impl Approval {
    /// Approves an action.
    ///
    /// # Errors
    /// [`PolicyError::Key`] for a key that the policy does not have.
    pub fn make(policy: &Policy, key: &[u8; 32], action: B256) -> Result<Self, PolicyError> {
        let key = SigningKey::from_bytes(key);
        let persons = policy.persons()?;
        let own = persons.into_iter().find(|(_, known)| *known == key.verifying_key());
        let unknown = || PolicyError::Key { name: hex::encode(key.verifying_key().as_bytes()), reason: "in no policy" };
        let (name, _) = own.ok_or_else(unknown)?;
        let signature = hex::encode(key.sign(&message(&action)).to_bytes());
        Ok(Self { action, name: name.to_owned(), signature })
    }
}

/// The persons whose signatures over an action hold.
#[must_use]
pub fn persons<'a>(policy: &Policy, approvals: &'a [Approval], action: &B256) -> BTreeSet<&'a str> {
    let Ok(known) = policy.persons() else { return BTreeSet::new() };
    let holds = |approval: &&Approval| {
        let mut bytes = [0; 64];
        approval.action == *action
            && hex::decode_to_slice(&approval.signature, &mut bytes).is_ok()
            && known
                .get(approval.name.as_str())
                .is_some_and(|key| key.verify_strict(&message(action), &Signature::from_bytes(&bytes)).is_ok())
    };
    approvals.iter().filter(holds).map(|approval| approval.name.as_str()).collect()
}

/// The action of a journal's plans that a digest names: what a person sees before approving it.
#[must_use]
pub fn named(state: &State, policy: &Policy, action: &B256) -> Option<Doing> {
    let place = (policy.chain_id, &policy.contracts.attestation);
    state.decisions.values().find_map(|decision| {
        let items = (0u32..).zip(&decision.items);
        let mut doings = items.map(|(index, item)| Doing { event: decision.event, index, item: *item });
        doings.find(|found| item_digest(place, &found.event, found.index, &found.item) == action.0)
    })
}

/// How many persons an amount still waits for.
#[must_use]
pub fn missing(policy: &Policy, approvals: &[Approval], action: &B256, value: u64) -> usize {
    match &policy.approval {
        Some(rule) if value > rule.above.saturating_mul(DOLLAR) => {
            usize::from(rule.persons).saturating_sub(persons(policy, approvals, action).len())
        }
        _ => 0,
    }
}

/// The public half of a person's key.
#[must_use]
pub fn public(key: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(key).verifying_key().to_bytes()
}
