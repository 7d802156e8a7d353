//! The public fields of an artifact, for a person and for a program. Never a secret.

mod evidence;

use crate::{
    artifact::{Artifact, SummaryShape},
    message::tdh2::{Document, Sealed},
    rounds::session::SessionFile,
    ui::one_line,
};
use ccc_chain::Deployment;
use ccc_core::{
    ciphertext::{Ciphertext, Label},
    enclave::attestation::{EvidenceList, Hardware, OperatingMode, Policy, ProviderKind, evidence_digest},
    envelope::Envelope,
    keys::{Committee, reshare::Certificate, rounds::Posting},
    report::{Payload, SignedReport, Statement, Verdict},
    table::Header,
    vault::{AttestedRecipient, Request},
};
use ccc_enclave::query::Answers;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Fields in the order in which they are shown.
#[derive(Default)]
pub(crate) struct Fields(Vec<(Cow<'static, str>, Value)>);

impl Fields {
    pub(crate) fn add(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    fn bytes(self, name: impl Into<Cow<'static, str>>, bytes: &[u8]) -> Self {
        self.add(name, hex::encode(bytes))
    }

    /// What is accepted of hardware, where anything is.
    fn hardware(self, hardware: &Hardware) -> Self {
        if *hardware == Hardware::default() {
            return self;
        }
        let configurations: Vec<String> = hardware.configurations.iter().map(hex::encode).collect();
        let statuses: Vec<&str> = hardware.dcap_statuses.iter().map(|status| status.name()).collect();
        self.add("kinds_together", hardware.kinds)
            .add("nitro_programs", hardware.nitro.len())
            .add("snp_programs", hardware.snp.len())
            .add("configurations", configurations.join(" "))
            .add("snp_minimum", hardware.snp_minimum.to_string())
            .generations(hardware)
            .add("tdx_programs", hardware.tdx.len())
            .add("sgx_programs", hardware.sgx.len())
            .add("dcap_statuses", statuses.join(" "))
            .add("dcap_evaluation", hardware.dcap_evaluation)
    }

    /// The least firmware of generations that have their own.
    fn generations(self, hardware: &Hardware) -> Self {
        let own = hardware.snp_generations.iter().map(|(generation, least)| format!("{generation}: {least}"));
        match own.collect::<Vec<_>>() {
            none if none.is_empty() => self,
            own => self.add("snp_minimum_of", own.join("; ")),
        }
    }

    /// `name: value`, one per line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        self.0.iter().map(|(name, value)| format!("{name:width$}  {}", shown(value))).collect()
    }

    /// One object.
    pub(crate) fn object(self) -> Value {
        Value::Object(self.0.into_iter().map(|(name, value)| (name.into_owned(), value)).collect::<Map<_, _>>())
    }
}

/// A value as a person reads it: what a list holds one after another, what an object holds with its names.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => one_line(text),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join("; "),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Describes an artifact of `size` bytes.
pub(crate) fn describe(artifact: &Artifact, size: usize) -> Fields {
    let fields = Fields::default().add("file", artifact.words()).add("bytes", size);
    match artifact {
        Artifact::Ciphertext(ciphertext) => of_ciphertext(fields, ciphertext),
        Artifact::Envelope(envelope) => of_envelope(fields, envelope),
        Artifact::Request(request) => of_request(fields, request),
        Artifact::Recipient(recipient) => of_recipient(fields, recipient),
        Artifact::Committee(committee) => of_committee(fields, committee),
        Artifact::Report(report) => of_report(fields, report),
        Artifact::Dealing(dealing) => {
            fields.add("dealer", dealing.dealer()).bytes("commitment_digest", &dealing.commitment_digest())
        }
        Artifact::Certificate(certificate) => of_certificate(fields, certificate),
        Artifact::TableHeader(header) => of_header(fields, header),
        Artifact::Evidence(bytes) => evidence::of(fields.bytes("digest", &evidence_digest(bytes)), bytes),
        Artifact::AgentEnvelope(bytes) => fields.bytes("digest", &ccc_core::suite::digest(bytes)),
        Artifact::Receipts(receipts) => {
            fields.bytes("table_header", &receipts.header()).add("receipts", receipts.sealed().len())
        }
        Artifact::Query(query) => fields.bytes("request", &query.request),
        Artifact::Answers(answers) => of_answers(fields, answers),
        Artifact::Sidecar(_) => fields,
        Artifact::TableBody(bytes) => fields.bytes("body_root", &ccc_core::table::body_root(bytes)),
        Artifact::Tdh2(document) => of_tdh2(fields, document),
        Artifact::Deployment(deployment) => of_deployment(fields, deployment),
        Artifact::Policy(policy) => of_policy(fields, policy),
        Artifact::Session(session) => of_session(fields, session),
        Artifact::PublicKeys(keys) => {
            fields.bytes("signing_key", &keys.signing_key()).bytes("dealing_key", &keys.dealing_key())
        }
        Artifact::Transcript(transcript) => {
            fields.add("transactions", transcript.transactions.len()).add("events", transcript.events.len())
        }
        Artifact::Summary(summary) => of_summary(fields, summary),
        Artifact::Secret { content, sealed } => {
            fields.add("content", *content).add("protection", if *sealed { "passphrase" } else { "none" })
        }
    }
}

fn of_recipient(fields: Fields, AttestedRecipient { recipient, evidence }: &AttestedRecipient) -> Fields {
    fields
        .bytes("measurement", &recipient.measurement)
        .bytes("key_x", &recipient.x)
        .bytes("key_e", &recipient.e())
        .add("provider", providers(evidence))
        .add("evidence_bytes", evidence.len())
}

/// Who claims to have made the evidence, of several everybody in their order.
fn providers(evidence: &[u8]) -> String {
    let Ok(list) = EvidenceList::from_bytes(evidence) else { return "unknown".into() };
    let word = |piece: &&[u8]| ProviderKind::of(piece).map_or_else(|_| "unknown".into(), |kind| kind.to_string());
    list.pieces().iter().map(word).collect::<Vec<_>>().join(", ")
}

fn of_certificate(fields: Fields, certificate: &Certificate) -> Fields {
    fields
        .bytes("session", &certificate.session())
        .bytes("transcript", &certificate.transcript())
        .add("confirmations", certificate.confirmations().len())
}

fn of_answers(fields: Fields, answers: &Answers) -> Fields {
    fields
        .bytes("request", &answers.request)
        .bytes("table_header", &answers.header)
        .add("answers", answers.sealed.len())
        .add("answer_bytes", answers.sealed.first().map_or(0, Vec::len))
        .bytes("evidence", &evidence_digest(&answers.evidence))
}

fn of_summary(fields: Fields, summary: &SummaryShape) -> Fields {
    fields
        .add("scenario", summary.scenario.clone())
        .add("initial_status", summary.initial_status.clone())
        .add("final_status", summary.final_status.clone())
        .add("table_version", summary.table_version)
        .add("artifacts", summary.artifacts.len())
}

fn of_tdh2(fields: Fields, document: &Document) -> Fields {
    match document {
        Document::PublicKey(key) => {
            let fields = fields.add("participants", key.participants());
            match key.threshold() {
                Ok(threshold) => fields.add("threshold", threshold.t()),
                Err(error) => fields.add("threshold", format!("none: {error}")),
            }
        }
        Document::Sealed(sealed) => of_sealed(fields, sealed),
        Document::Share(share) => fields.add("index", share.index()),
        Document::PrivateShare { index } => fields.add("index", *index).add("protection", "none"),
        Document::MasterSecret => fields.add("protection", "none"),
    }
}

fn of_sealed(fields: Fields, sealed: &Sealed) -> Fields {
    fields.bytes("label", sealed.label()).add("message_bytes", sealed.message_len())
}

fn of_deployment(fields: Fields, deployment: &Deployment) -> Fields {
    fields
        .add("chain", deployment.chain_id)
        .bytes("pool", deployment.pool.as_slice())
        .bytes("attestation", deployment.attestation.as_slice())
        .bytes("forwarder", deployment.forwarder.as_slice())
        .bytes("feed", deployment.feed.as_slice())
        .bytes("reserve", deployment.reserve.as_slice())
        .bytes("table", deployment.table_id.as_slice())
        .add("epoch", deployment.workflow.epoch)
        .add("signers", deployment.signers.addresses.len())
        .add("faulty_signers", deployment.signers.f)
}

pub(crate) fn of_policy(fields: Fields, policy: &Policy) -> Fields {
    let mode = match policy.mode {
        OperatingMode::Production => "production",
        OperatingMode::Simulation => "simulation",
    };
    let listed: Vec<String> = policy.measurements.iter().map(hex::encode).collect();
    fields
        .add("mode", mode)
        .add("measurements", listed.join(" "))
        .add("max_age", policy.max_age)
        .add("simulated_roots", policy.simulated_roots.len())
        .hardware(&policy.hardware)
}

fn of_ciphertext(fields: Fields, ciphertext: &Ciphertext) -> Fields {
    of_label(fields.bytes("digest", &ciphertext.digest()), ciphertext.label())
}

fn of_label(fields: Fields, label: &Label) -> Fields {
    fields
        .add("label", label.kind.to_string())
        .add("chain", label.chain)
        .bytes("contract", &label.contract)
        .bytes("id", &label.id)
        .bytes("requester", &label.requester)
        .add("expiry", label.expiry)
}

fn of_envelope(fields: Fields, envelope: &Envelope) -> Fields {
    let fields = fields.add("participant", envelope.identifier().get()).bytes("topic", envelope.topic());
    match Posting::claimed(envelope) {
        Some(posting) => fields.add("message", posting.to_string()).add("round", posting.round().to_string()),
        None => fields,
    }
}

fn of_session(fields: Fields, session: &SessionFile) -> Fields {
    let fields = match session.id() {
        Ok(id) => fields.bytes("session", &id),
        Err(error) => fields.add("session", format!("none: {error}")),
    };
    let fields = fields
        .add("protocol", serde_json::json!(session.protocol))
        .add("epoch", session.epoch)
        .add("participants", session.members.len())
        .add("threshold", session.threshold)
        .bytes("nonce", &session.nonce.0);
    match &session.committee {
        Some(digest) => fields.bytes("committee", &digest.0),
        None => fields,
    }
}

fn of_request(fields: Fields, request: &Request) -> Fields {
    let fields = fields
        .bytes("digest", &request.digest())
        .add("chain", request.chain)
        .bytes("contract", &request.contract)
        .bytes("id", &request.id)
        .bytes("block", &request.block_hash)
        .add("deadline", request.deadline)
        .add("mode", request.mode.to_string())
        .add("epoch", request.epoch.0)
        .add("ciphertexts", request.ciphertexts.len());
    match &request.table_header {
        Some(hash) => fields.bytes("table_header", hash),
        None => fields,
    }
}

fn of_committee(fields: Fields, committee: &Committee) -> Fields {
    fields
        .bytes("digest", &committee.digest())
        .add("epoch", committee.epoch().0)
        .add("participants", committee.threshold().n())
        .add("threshold", committee.threshold().t())
        .bytes("master_public_key", &committee.master_public_key().to_bytes())
}

fn of_report(fields: Fields, report: &SignedReport) -> Fields {
    let Payload { binding, statement } = report.report().payload();
    let fields = fields
        .add("signatures", report.signatures().len())
        .add("chain", binding.chain)
        .bytes("receiver", &binding.receiver)
        .add("epoch", binding.epoch)
        .add("sequence", binding.sequence)
        .add("valid_until", binding.valid_until);
    of_statement(fields, statement)
}

fn of_statement(fields: Fields, statement: &Statement) -> Fields {
    match statement {
        Statement::Solvency(solvency) => fields
            .add("report", "solvency")
            .add("status", verdict(solvency.verdict))
            .add("block", solvency.block)
            .add("block_time", solvency.block_time)
            .bytes("table_header", &solvency.header_hash),
        Statement::Round(round) => fields
            .add("report", "round")
            .bytes("request", &round.request_id)
            .add("success", round.success)
            .add("version", round.version)
            .bytes("previous", &round.previous)
            .bytes("table_header", &round.header_hash)
            .add("operations", round.count),
        Statement::Enclave(admission) => fields
            .add("report", "enclave")
            .bytes("measurement", &admission.measurement)
            .bytes("signer", &admission.signer)
            .add("expiry", admission.expiry),
        Statement::Payout(payout) => fields
            .add("report", "payout")
            .bytes("withdrawal", &payout.withdrawal_id)
            .bytes("to", &payout.to)
            .bytes("token", &payout.token)
            .add("amount", payout.amount.to_string()),
    }
}

/// A verdict in one word.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown => "unknown",
        Verdict::Solvent => "solvent",
        Verdict::Insolvent => "insolvent",
    }
}

fn of_header(fields: Fields, header: &Header) -> Fields {
    fields
        .bytes("hash", &header.hash())
        .add("chain", header.id().chain)
        .bytes("contract", &header.id().contract)
        .bytes("table", &header.id().table)
        .add("epoch", header.epoch().0)
        .add("version", header.version())
        .bytes("previous", &header.previous())
        .add("rows", header.tier().rows())
        .bytes("body_root", &header.body_root())
        .bytes("state_root", &header.state_root())
}
