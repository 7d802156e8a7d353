//! The vectors of the independent implementation.

use serde_json::Value;

use super::*;
use crate::support::vectors;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn fixed<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap()
}

fn signed(value: &Value) -> i128 {
    value.as_str().unwrap().parse().unwrap()
}

fn wide(value: &Value) -> u128 {
    value.as_u64().map(u128::from).or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap()
}

fn set(config: &Value) -> SignerSet {
    SignerSet {
        don_id: u32::try_from(number(&config["don_id"])).unwrap(),
        config_version: u32::try_from(number(&config["config_version"])).unwrap(),
        f: u8::try_from(number(&config["fault_tolerance"])).unwrap(),
        signers: config["signers"].as_array().unwrap().iter().map(fixed).collect(),
    }
}

fn statement(kind: u64, f: &Value) -> Statement {
    match kind {
        1 => Statement::Solvency(Solvency {
            verdict: Verdict::try_from(u8::try_from(number(&f["status"])).unwrap()).unwrap(),
            block: number(&f["block"]),
            block_time: number(&f["block_time"]),
            header_hash: fixed(&f["header_hash"]),
            envelope_digest: fixed(&f["envelope_digest"]),
        }),
        2 => Statement::Round(Round {
            request_id: fixed(&f["request_id"]),
            success: f["success"].as_bool().unwrap(),
            version: number(&f["version"]),
            previous: fixed(&f["previous"]),
            header_hash: fixed(&f["header_hash"]),
            count: number(&f["count"]),
            accumulator: fixed(&f["accumulator"]),
            price_block: number(&f["price_block"]),
            source: fixed(&f["source"]),
            price_digest: fixed(&f["price_digest"]),
        }),
        3 => Statement::Enclave(EnclaveAdmission {
            measurement: fixed(&f["measurement"]),
            box_key: fixed(&f["box_key"]),
            signer: fixed(&f["signer"]),
            expiry: number(&f["expiry"]),
        }),
        _ => Statement::Payout(Payout {
            withdrawal_id: fixed(&f["withdrawal_id"]),
            to: fixed(&f["to"]),
            token: fixed(&f["token"]),
            amount: wide(&f["amount"]),
            version: number(&f["version"]),
        }),
    }
}

fn report(vector: &Value) -> Report {
    let origin = Origin {
        don_id: u32::try_from(number(&vector["don_id"])).unwrap(),
        config_version: u32::try_from(number(&vector["config_version"])).unwrap(),
        workflow_id: fixed(&vector["workflow_id"]),
        workflow_owner: fixed(&vector["workflow_owner"]),
    };
    let binding = Binding {
        chain: number(&vector["chain"]),
        receiver: fixed(&vector["receiver"]),
        epoch: number(&vector["epoch"]),
        sequence: number(&vector["sequence"]),
        valid_until: number(&vector["valid_until"]),
        attestation: fixed(&vector["attestation"]),
    };
    let statement = statement(number(&vector["kind"]), &vector["fields"]);
    Report::new(origin, number(&vector["timestamp"]), Payload { binding, statement }).unwrap()
}

#[test]
fn reports_agree_to_the_byte() {
    let vectors = vectors("report");
    let digest = set(&vectors["config"])
        .config_digest(number(&vectors["config"]["chain"]), &fixed(&vectors["config"]["forwarder"]));
    assert_eq!(digest, fixed(&vectors["config_digest"]));
    for vector in vectors["reports"].as_array().unwrap() {
        let report = report(vector);
        let context = ReportContext { config_digest: digest, sequence: number(&vector["sequence"]) };
        assert_eq!(report.payload().to_bytes(), bytes(&vector["payload"]));
        assert_eq!(report.header().execution_id, fixed(&vector["execution_id"]));
        assert_eq!(report.header().workflow_name, fixed(&vector["workflow_name"]));
        assert_eq!(report.header().to_bytes(), fixed(&vector["header"]));
        assert_eq!(report.header().metadata(), fixed(&vector["metadata"]));
        assert_eq!(report.raw(), bytes(&vector["raw_report"]));
        assert_eq!(context.to_bytes(), fixed(&vector["context"]));
        assert_eq!(report.signing_digest(&context), fixed(&vector["digest"]));
        assert_eq!(Report::from_raw(&bytes(&vector["raw_report"])), Ok(report));
    }
}

#[test]
fn price_digests_agree() {
    let vectors = vectors("price");
    let observation = |value: &Value| PriceObservation {
        round: wide(&value["round"]),
        answer: signed(&value["answer"]),
        updated_at: number(&value["updated_at"]),
    };
    let rounds: Vec<_> = vectors["rounds"].as_array().unwrap().iter().map(observation).collect();
    assert_eq!(price_digest(&rounds), Ok(fixed(&vectors["price_digest"])));
    assert_eq!(price_digest(&[]), Ok(fixed(&vectors["price_digest_none"])));
    let negative = &vectors["price_digest_negative"];
    assert_eq!(price_digest(&[observation(negative)]), Ok(fixed(&negative["price_digest"])));
}

#[test]
fn accumulators_agree() {
    let vectors = vectors("report");
    let mut accumulator = Accumulator::default();
    for step in vectors["accumulator"].as_array().unwrap() {
        assert_eq!(accumulator.count(), number(&step["index"]));
        let (who, ciphertext) = (fixed(&step["who"]), bytes(&step["ciphertext"]));
        accumulator = match number(&step["kind"]) {
            1 => accumulator.deposit(who, fixed(&step["token"]), wide(&step["amount"]), &ciphertext).unwrap(),
            _ => accumulator.withdrawal(who, &ciphertext).unwrap(),
        };
        assert_eq!(accumulator.value(), fixed(&step["accumulator"]));
    }
}
