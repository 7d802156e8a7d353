//! From what a chain shows to what the page shows: the same for a simulation's transcript and for a chain elsewhere.

use alloy::{
    primitives::Address,
    sol_types::{SolCall, SolEvent},
};
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

/// A delivery's signed report; none where the calldata is no delivery, says what no report says, or was not taken.
///
/// *Security*: anybody may hand anybody's signed report to any receiver, again and again, and the forwarder's transaction
/// succeeds also where the receiver refused. So the receiver is the deployment's for this kind, the one that the payload
/// binds, and the forwarder's event says that it took it: that happens once for a report.
#[must_use]
pub fn signed(
    deployment: &Deployment,
    record: &TransactionRecord,
    events: &[EventRecord],
) -> Option<(SignedReport, bool)> {
    if record.to != Some(deployment.forwarder) || !record.success {
        return None;
    }
    let call = QuorumForwarder::reportCall::abi_decode(&record.calldata).ok()?;
    let report = Report::from_raw(&call.rawReport).ok()?;
    let payload = report.payload();
    let receiver = deployment.receiver(payload.statement.kind())?;
    let bound = Address::from(payload.binding.receiver);
    if call.receiver != receiver || bound != receiver || !taken(deployment, record, events, &report, receiver) {
        return None;
    }
    let context = ReportContext::from_bytes(call.reportContext.as_ref().try_into().ok()?).ok()?;
    let of = |bytes: &alloy::primitives::Bytes| Signature65::from_bytes(bytes.as_ref().try_into().ok()?).ok();
    let signatures: Vec<Signature65> = call.signatures.iter().map(of).collect::<Option<_>>()?;
    let (set, forwarder) = (deployment.signer_set(), deployment.forwarder.0.0);
    let signed = SignedReport::assemble(report, context, &signatures, &set, &forwarder).ok()?;
    let holds = signed.verify(&set, &forwarder).is_ok() && signatures.len() == set.quorum();
    Some((signed, holds))
}

/// Whether the forwarder said in the record's block that this receiver took this report.
fn taken(
    deployment: &Deployment,
    record: &TransactionRecord,
    events: &[EventRecord],
    report: &Report,
    receiver: Address,
) -> bool {
    let header = report.header();
    let of_it = |event: &EventRecord| {
        let said = (event.block == record.block && event.contract == deployment.forwarder).then_some(event)?;
        QuorumForwarder::ReportProcessed::decode_raw_log(said.topics.iter().copied(), &said.data).ok()
    };
    events.iter().filter_map(of_it).any(|event| {
        event.result
            && event.receiver == receiver
            && event.workflowExecutionId.0 == header.execution_id
            && event.reportId.0 == header.report_id
    })
}

/// The reports that their receivers took, each with its file.
#[must_use]
pub fn reports(
    deployment: &Deployment,
    records: &[TransactionRecord],
    events: &[EventRecord],
) -> Vec<(model::Report, Vec<u8>)> {
    records.iter().filter_map(|record| report(deployment, record, events)).collect()
}

fn report(
    deployment: &Deployment,
    record: &TransactionRecord,
    events: &[EventRecord],
) -> Option<(model::Report, Vec<u8>)> {
    let (signed, holds) = signed(deployment, record, events)?;
    let set = deployment.signer_set();
    let payload = signed.report().payload();
    let (kind, says) = says(&payload.statement);
    let sequence = payload.binding.sequence;
    let file = format!("{kind}-{sequence}.report");
    // what is checked comes from the page, and what it is checked against does not
    let command = "ccc verify --deployment deployment.json -".to_owned();
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
pub fn newest(
    deployment: &Deployment,
    records: &[TransactionRecord],
    events: &[EventRecord],
) -> Option<(Solvency, u64)> {
    records.iter().rev().find_map(|record| {
        let (signed, _) = signed(deployment, record, events)?;
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

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;
    use ccc_chain::deploy::{PoolTimes, Signers, Workflow};
    use ccc_core::report::{Payload, ReportSigner};

    use super::*;

    fn signer(number: u8) -> ReportSigner {
        ReportSigner::from_bytes(&[number; 32]).expect("a key")
    }

    fn deployment() -> Deployment {
        Deployment {
            chain_id: 1,
            first_block: 0,
            forwarder: Address::repeat_byte(1),
            attestation: Address::repeat_byte(2),
            pool: Address::repeat_byte(3),
            feed: Address::repeat_byte(4),
            feed_decimals: 8,
            tokens: Vec::new(),
            signers: Signers {
                don_id: 1,
                config_version: 1,
                f: 1,
                addresses: (1..=4).map(|number| Address::from(signer(number).address())).collect(),
            },
            workflow: Workflow { id: B256::left_padding_from(&[5]), owner: Address::repeat_byte(6), epoch: 1 },
            reserve: Address::repeat_byte(7),
            agent_key: B256::repeat_byte(8),
            max_age: 600,
            table_id: B256::repeat_byte(9),
            times: PoolTimes { fill_window: 1, max_delay: 1, exit_delay: 1 },
            registries: None,
            enclaves: None,
        }
    }

    /// A solvency report bound to a receiver, delivered to another perhaps, under these keys, and what the forwarder said.
    struct Delivery {
        bound: Address,
        to: Address,
        forwarder: Address,
        signers: Vec<u8>,
        result: bool,
    }

    impl Delivery {
        fn of(deployment: &Deployment) -> Self {
            let (bound, forwarder) = (deployment.attestation, deployment.forwarder);
            Self { bound, to: bound, forwarder, signers: vec![1, 2], result: true }
        }

        fn shown(&self, deployment: &Deployment) -> Option<bool> {
            let solvency = Solvency {
                verdict: Verdict::Insolvent,
                block: 1,
                block_time: 100,
                header_hash: [1; 32],
                envelope_digest: [2; 32],
            };
            let binding = deployment.binding(self.bound, 3, 1_000, B256::ZERO);
            let payload = Payload { binding, statement: Statement::Solvency(solvency) };
            let report = Report::new(deployment.origin(), 100, payload).expect("a report");
            let context = deployment.context(3);
            let sign = |number: &u8| signer(*number).sign(&report, &context).to_bytes().to_vec().into();
            let call = QuorumForwarder::reportCall {
                receiver: self.to,
                rawReport: report.raw().into(),
                reportContext: context.to_bytes().to_vec().into(),
                signatures: self.signers.iter().map(sign).collect(),
            };
            let event = QuorumForwarder::ReportProcessed {
                receiver: self.to,
                workflowExecutionId: report.header().execution_id.into(),
                reportId: report.header().report_id.into(),
                result: self.result,
            };
            let log = event.encode_log_data();
            let event = EventRecord {
                contract: self.forwarder,
                block: 9,
                log_index: 0,
                topics: log.topics().to_vec(),
                data: log.data.clone(),
            };
            let record = TransactionRecord {
                hash: B256::repeat_byte(1),
                block: 9,
                time: 100,
                from: Address::ZERO,
                to: Some(deployment.forwarder),
                calldata: call.abi_encode().into(),
                gas_used: 1,
                success: true,
                created: None,
            };
            signed(deployment, &record, &[event]).map(|(_, holds)| holds)
        }
    }

    #[test]
    fn a_report_is_one_when_its_own_receiver_took_it_under_a_quorum() {
        let own = deployment();
        assert_eq!(Delivery::of(&own).shown(&own), Some(true));
        let elsewhere = Address::repeat_byte(0xee);
        let none = [
            ("to a stranger's contract", Delivery { to: elsewhere, ..Delivery::of(&own) }),
            ("to another contract of the deployment", Delivery { to: own.pool, ..Delivery::of(&own) }),
            ("refused by its receiver", Delivery { result: false, ..Delivery::of(&own) }),
            ("bound to another receiver", Delivery { bound: elsewhere, ..Delivery::of(&own) }),
            ("bound to and taken by another", Delivery { bound: elsewhere, to: elsewhere, ..Delivery::of(&own) }),
            ("told by another contract", Delivery { forwarder: elsewhere, ..Delivery::of(&own) }),
            ("one signature too few", Delivery { signers: vec![1], ..Delivery::of(&own) }),
            ("twice the same signature", Delivery { signers: vec![1, 1], ..Delivery::of(&own) }),
            ("a signature of another key", Delivery { signers: vec![1, 9], ..Delivery::of(&own) }),
        ];
        for (what, delivery) in none {
            assert_eq!(delivery.shown(&own), None, "{what}");
        }
        assert_eq!(Delivery { signers: vec![1, 2, 3], ..Delivery::of(&own) }.shown(&own), Some(false), "one too many");
    }
}
