//! A signer of versions of their own, around the pool in memory: its view is made by hand.

use super::pool::{Job, World};
use ccc_core::report::{Origin, ReportContext, ReportSigner};
use ccc_enclave::{
    intake::Log,
    result::AttestedResult,
    upkeep::{Duty, Upkeep},
};
use ccc_node::workflow_node::{Shown, SignerRefusal, SignerView, WorkflowNode};

pub const CONTEXT: ReportContext = ReportContext { config_digest: [5; 32], sequence: 7 };

/// The log of a version of its own after rounds that have read orders up to block 90.
pub fn instructed(world: &World, duty: Duty) -> Log {
    Log { consumed: world.consumed, upkeep: Some(Upkeep { duty, read: 90 }), ..Log::default() }
}

/// What a signer reads whose operator gave it this log; the registry is in the present committee's epoch.
pub fn signer_view(world: &World, job: &Job, log: Log) -> SignerView {
    let header = world.header().map_or(([0; 32], 0), |header| (header.hash(), header.version()));
    SignerView {
        chain: world.config.chain,
        receivers: [world.config.reserve_attestation, world.config.pool],
        epoch: world.committee.epoch().0,
        now: world.time,
        inputs: world.inputs(),
        block_hash: world.block_hash,
        log,
        header,
        latest: header,
        last_sequence: job.validity.sequence - 1,
        accumulator: Some(world.consumed.value()),
        price_source: world.config.price_source,
        observations: job.observations.clone(),
        enclave: None,
    }
}

/// The constants of every report's header.
pub fn origin() -> Origin {
    let mut workflow_id = [7; 32];
    workflow_id[0] = 0;
    Origin { don_id: 1, config_version: 1, workflow_id, workflow_owner: [8; 20] }
}

/// The refusal of a signer that is shown the last request.
pub fn sign(world: &World, result: &AttestedResult, view: &SignerView) -> Option<SignerRefusal> {
    let key = ReportSigner::from_bytes(&[4; 32]).expect("a key");
    let signer = WorkflowNode::new(key, world.policy(), world.config.clone(), world.key());
    let shown = Shown { request: world.asked.as_ref().expect("a request"), header: world.header() };
    signer.sign(result, shown, view, origin(), &CONTEXT).err()
}
