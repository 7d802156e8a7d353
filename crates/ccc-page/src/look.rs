//! From what a chain shows to what the page shows: the same for a simulation's transcript and for a chain elsewhere.

use alloy::{primitives::Address, sol_types::SolCall};
use ccc_chain::{
    Deployment,
    bindings::{quorum_forwarder::QuorumForwarder, simulated_feed::SimulatedFeed},
    transcript::{EventRecord, TransactionRecord},
};
use ccc_core::report::{Report, ReportContext, Signature65, SignedReport, SignerSet, Solvency, Statement, Verdict};

use crate::{
    labels::Names,
    model::{self, Bytes, Transaction},
};

/// A transaction in short.
fn short(names: &Names, record: &TransactionRecord) -> Transaction {
    Transaction {
        hash: record.hash,
        block: record.block,
        time: record.time,
        to: names.name(record.to),
        call: names.call(record.to, &record.calldata),
        bytes: record.calldata.len(),
        gas: record.gas_used,
        success: record.success,
    }
}

/// Transactions byte by byte, each with the events that are its block's.
#[must_use]
pub fn transactions(names: &Names, records: &[TransactionRecord], events: &[EventRecord]) -> Vec<Bytes> {
    let of_block = |block: u64| events.iter().filter(move |event| event.block == block);
    let one = |record: &TransactionRecord| Bytes {
        short: short(names, record),
        from: record.from,
        calldata: names.calldata(record.to, &record.calldata),
        events: of_block(record.block).map(|event| names.log(event)).collect(),
    };
    records.iter().map(one).collect()
}

/// A delivery's signed report; none where the calldata is no delivery, or says what no report says.
#[must_use]
pub fn signed(deployment: &Deployment, record: &TransactionRecord) -> Option<(SignedReport, bool)> {
    if record.to != Some(deployment.forwarder) || !record.success {
        return None;
    }
    let call = QuorumForwarder::reportCall::abi_decode(&record.calldata).ok()?;
    let report = Report::from_raw(&call.rawReport).ok()?;
    let context = ReportContext::from_bytes(call.reportContext.as_ref().try_into().ok()?).ok()?;
    let of = |bytes: &alloy::primitives::Bytes| Signature65::from_bytes(bytes.as_ref().try_into().ok()?).ok();
    let signatures: Vec<Signature65> = call.signatures.iter().map(of).collect::<Option<_>>()?;
    let (set, forwarder) = (deployment.signer_set(), deployment.forwarder.0.0);
    let signed = SignedReport::assemble(report, context, &signatures, &set, &forwarder).ok()?;
    let holds = signed.verify(&set, &forwarder).is_ok() && signatures.len() == set.quorum();
    Some((signed, holds))
}

/// The reports among transactions, each with its file.
#[must_use]
pub fn reports(deployment: &Deployment, records: &[TransactionRecord]) -> Vec<(model::Report, Vec<u8>)> {
    records.iter().filter_map(|record| report(deployment, record)).collect()
}

fn report(deployment: &Deployment, record: &TransactionRecord) -> Option<(model::Report, Vec<u8>)> {
    let (signed, holds) = signed(deployment, record)?;
    let set = deployment.signer_set();
    let payload = signed.report().payload();
    let (kind, says) = says(&payload.statement);
    let sequence = payload.binding.sequence;
    let file = format!("{kind}-{sequence}.report");
    let command = format!("ccc verify --deployment deployment.json {file}");
    let shown = model::Report {
        kind,
        sequence,
        says,
        block: record.block,
        time: record.time,
        transaction: record.hash,
        signed_by: who(&signed, &set),
        needed: set.quorum(),
        signers: set.signers.len(),
        holds,
        file,
        command,
    };
    Some((shown, signed.to_bytes().ok()?))
}

fn who(signed: &SignedReport, set: &SignerSet) -> Vec<Address> {
    let digest = signed.report().signing_digest(signed.context());
    let good = set.examine(&digest, signed.signatures()).good;
    good.iter().filter_map(|(index, _)| set.signers.get(*index)).map(|address| Address::from(*address)).collect()
}

/// Kind and words of a statement. All of it is on the chain.
fn says(statement: &Statement) -> (&'static str, String) {
    match statement {
        Statement::Solvency(Solvency { verdict, block, .. }) => {
            ("solvency", format!("the reserve is {} at block {block}", word(*verdict)))
        }
        Statement::Round(round) if round.request_id == [0; 32] => {
            ("round", format!("table version {}: an idle round", round.version))
        }
        Statement::Round(round) => {
            let ended = if round.success { "a request was filled" } else { "a request was not filled" };
            ("round", format!("table version {}: {ended}", round.version))
        }
        Statement::Enclave(_) => ("enclave", "an enclave may open ciphertexts".to_owned()),
        Statement::Payout(_) => ("payout", "a withdrawal is paid".to_owned()),
    }
}

/// The word for a verdict.
#[must_use]
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "unknown",
        Verdict::Solvent => "solvent",
        Verdict::Insolvent => "insolvent",
    }
}

/// The newest solvency report among transactions: verdict, block, its time, sequence.
#[must_use]
pub fn newest(deployment: &Deployment, records: &[TransactionRecord]) -> Option<(Solvency, u64)> {
    records.iter().rev().find_map(|record| {
        let (signed, _) = signed(deployment, record)?;
        let payload = signed.report().payload();
        match payload.statement {
            Statement::Solvency(solvency) => Some((solvency, payload.binding.sequence)),
            _ => None,
        }
    })
}

/// The last price that was pushed to the deployment's feed, in whole dollars for a coin.
#[must_use]
pub fn price(deployment: &Deployment, records: &[TransactionRecord]) -> Option<u64> {
    let pushed = records.iter().rev().filter(|record| record.to == Some(deployment.feed));
    let mut answers = pushed.filter_map(|record| SimulatedFeed::pushCall::abi_decode(&record.calldata).ok());
    let answer = u128::try_from(answers.next()?.answer).ok()?;
    let dollars = answer / 10u128.checked_pow(deployment.feed_decimals.into())?;
    u64::try_from(dollars).ok().filter(|dollars| *dollars > 0)
}
