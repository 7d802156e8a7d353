//! Signers put their names to a solvency report; the report is checked from its file alone.

use ccc_core::report::{
    Binding, Origin, Payload, Report, ReportContext, ReportSigner, SignedReport, SignerSet, Solvency, Statement,
    Verdict,
};
use ccc_examples::{Anything, generator, holds};
use rand::Rng;

const CHAIN: u64 = 31_337;
const FORWARDER: [u8; 20] = [0xF0; 20];
const RECEIVER: [u8; 20] = [0xAA; 20];
const NOW: u64 = 1_800_000_000;

fn main() -> Result<(), Anything> {
    let mut rng = generator()?;
    let mut signers = Vec::new();
    for _ in 0..4 {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        signers.push(ReportSigner::from_bytes(&key)?);
    }
    let set =
        SignerSet { don_id: 7, config_version: 1, f: 1, signers: signers.iter().map(ReportSigner::address).collect() };
    set.check()?;

    let report = report()?;
    let context = ReportContext { config_digest: set.config_digest(CHAIN, &FORWARDER), sequence: 1 };
    let signatures: Vec<_> = signers.iter().take(2).map(|signer| signer.sign(&report, &context)).collect();

    let refused = SignedReport::assemble(report.clone(), context, &signatures[..1], &set, &FORWARDER);
    println!("one signature: {}", refused.as_ref().map_or_else(ToString::to_string, |_| "accepted".into()));
    holds("f signatures are refused", refused.is_err())?;
    let repeated = [signatures[0], signatures[0]];
    let refused = SignedReport::assemble(report.clone(), context, &repeated, &set, &FORWARDER);
    holds("one signer counts once", refused.is_err())?;

    let file = SignedReport::assemble(report, context, &signatures, &set, &FORWARDER)?.to_bytes()?;
    let read = SignedReport::from_bytes(&file)?;
    read.verify(&set, &FORWARDER)?;
    println!("two of four signatures, in a file of {} bytes: accepted", file.len());
    let elsewhere = read.verify(&set, &[0xF1; 20]);
    holds("the signatures hold for one forwarder", elsewhere.is_err())
}

fn report() -> Result<Report, Anything> {
    let binding = Binding {
        chain: CHAIN,
        receiver: RECEIVER,
        epoch: 1,
        sequence: 1,
        valid_until: NOW + 600,
        attestation: [0xBB; 32],
    };
    let statement = Statement::Solvency(Solvency {
        verdict: Verdict::Solvent,
        block: 100,
        block_time: NOW,
        header_hash: [1; 32],
        envelope_digest: [2; 32],
    });
    // the workflow's identifier begins with a zero byte
    let mut workflow_id = [0x33; 32];
    workflow_id[0] = 0;
    let origin = Origin { don_id: 7, config_version: 1, workflow_id, workflow_owner: [0x44; 20] };
    Ok(Report::new(origin, 100, Payload { binding, statement })?)
}
