//! What everybody knows the keys of, and what stands in the local plan for a value of one's own.
//!
//! *Security*: a contract elsewhere that is given to one of these accounts belongs to whoever comes first.

use alloy::primitives::{Address, address};
use ccc_chain::custody::CustodyPlan;

/// The accounts of the mnemonic that everybody tries things out with.
pub(crate) const KNOWN_TO_ALL: [Address; 10] = [
    address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
    address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
    address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
    address!("976EA74026E726554dB657fA54763abd0C3a0aa9"),
    address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"),
];

/// The first part of a plan that is an account of [`KNOWN_TO_ALL`], or as it stands in the local plan.
pub(super) fn known_part(plan: &CustodyPlan, local: &CustodyPlan) -> Option<&'static str> {
    known_account(plan).or_else(|| placeholder(plan, local))
}

fn known_account(plan: &CustodyPlan) -> Option<&'static str> {
    let roles = &plan.roles;
    let each: [(_, &[Address]); 7] = [
        ("the admin", &[roles.admin]),
        ("the operator", &[roles.operator]),
        ("the guardian", &[roles.guardian]),
        ("a participant of the committee", &plan.committee.participants),
        ("a report signer", &plan.signers.addresses),
        ("the reserve", &[plan.reserve]),
        ("the workflow's owner", &[plan.workflow_owner]),
    ];
    let known = |accounts: &[Address]| accounts.iter().any(|account| KNOWN_TO_ALL.contains(account));
    each.into_iter().find(|(_, accounts)| known(accounts)).map(|(what, _)| what)
}

fn placeholder(plan: &CustodyPlan, local: &CustodyPlan) -> Option<&'static str> {
    let each = [
        ("`master_key`", plan.committee.master_key, local.committee.master_key),
        ("`verification_root`", plan.committee.verification_root, local.committee.verification_root),
        ("`agent_key`", plan.agent_key, local.agent_key),
        ("`table_id`", plan.table_id, local.table_id),
    ];
    each.into_iter().find(|(_, found, public)| found == public).map(|(what, ..)| what)
}
