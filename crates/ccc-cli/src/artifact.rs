//! What a file is, told from its bytes alone.

use crate::{
    error::Error,
    files::sealed::{SealedError, SecretFile},
    message::tdh2::{self, Document},
    rounds::session::{PublicLine, SessionFile},
};
use ccc_chain::Deployment;
use ccc_core::{
    ciphertext::{Ciphertext, CiphertextError},
    compat::tdh2_p256::FormatError,
    enclave::attestation::{Body, Policy},
    encoding::{EncodingError, Kind, kind_of},
    envelope::Envelope,
    keys::{Committee, Dealing, MembershipError, reshare::Certificate},
    report::{QuorumError, SignedReport},
    table::{HEADER_LEN, Header, HeaderError, Receipts, SEALED_CHUNK_LEN},
    vault::{AttestedRecipient, Request},
};
use ccc_enclave::query::{Answers, QueryFile};
use ccc_node::policy_file::{PolicyFile, PolicyFileError};
use serde::{Deserialize, de::IgnoredAny};
use std::path::Path;

/// A file's content, read but not yet verified.
pub(crate) enum Artifact {
    /// A threshold ciphertext.
    Ciphertext(Ciphertext),
    /// A participant's signed envelope; of kind sealed it is a re-encrypted share, of kind share a plain one.
    Envelope(Envelope),
    /// A request for re-encryption.
    Request(Request),
    /// An enclave's keys with their evidence.
    Recipient(AttestedRecipient),
    /// A committee.
    Committee(Box<Committee>),
    /// A signed report.
    Report(SignedReport),
    /// A dealing of a key generation.
    Dealing(Box<Dealing>),
    /// The confirmations of a refresh or a reshare.
    Certificate(Certificate),
    /// Evidence of an attestation provider.
    Evidence(Vec<u8>),
    /// The agent's envelope.
    AgentEnvelope(Vec<u8>),
    /// The sealed receipts of a round.
    Receipts(Receipts),
    /// An owner's sealed query.
    Query(QueryFile),
    /// An enclave's sealed answers with their evidence.
    Answers(Answers),
    /// A table's header.
    TableHeader(Box<Header>),
    /// A table's sidecar.
    Sidecar(Vec<u8>),
    /// A table's body: recognised by its length, proven only by its header.
    TableBody(Vec<u8>),
    /// A JSON object of Chainlink's tdh2.
    Tdh2(Document),
    /// The contracts of a run: `deployment.json`.
    Deployment(Box<Deployment>),
    /// What is accepted as the enclave of a run: `policy.json`.
    Policy(Policy),
    /// Who takes part in a key generation, a refresh or a reshare.
    Session(Box<SessionFile>),
    /// A participant's public keys: `NAME.pub`.
    PublicKeys(PublicLine),
    /// What a run made public on its chain: `transcript.json`.
    Transcript(TranscriptShape),
    /// What a run printed with `--json`: `summary.json`.
    Summary(SummaryShape),
    /// A secret file: what is known without its passphrase.
    Secret { content: &'static str, sealed: bool },
}

/// The members by which JSON objects are told apart; their values are not kept.
#[derive(Deserialize)]
struct Members {
    protocol: Option<IgnoredAny>,
    dealing_key: Option<IgnoredAny>,
    forwarder: Option<IgnoredAny>,
    measurements: Option<IgnoredAny>,
    transactions: Option<IgnoredAny>,
    final_status: Option<IgnoredAny>,
}

/// How much a transcript holds.
#[derive(Deserialize)]
pub(crate) struct TranscriptShape {
    pub(crate) transactions: Vec<IgnoredAny>,
    pub(crate) events: Vec<IgnoredAny>,
}

/// What a summary tells first.
#[derive(Deserialize)]
pub(crate) struct SummaryShape {
    pub(crate) scenario: String,
    pub(crate) initial_status: String,
    pub(crate) final_status: String,
    pub(crate) table_version: u64,
    pub(crate) artifacts: Vec<String>,
}

fn json<T: serde::de::DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, ArtifactError> {
    serde_json::from_slice(bytes).map_err(|source| ArtifactError::Json { what, source })
}

/// Bytes that are none of the above.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ArtifactError {
    #[error("none of this project's files")]
    Unknown,
    #[error("{} does not stand in a file of its own", bare(*.0))]
    Bare(Kind),
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    #[error("ciphertext: {0}")]
    Ciphertext(#[from] CiphertextError),
    #[error("committee: {0}")]
    Committee(#[from] MembershipError),
    #[error("report: {0}")]
    Report(#[from] QuorumError),
    #[error("table header: {0}")]
    TableHeader(#[from] HeaderError),
    #[error("tdh2: {0}")]
    Tdh2(#[from] FormatError),
    #[error("secret file: {0}")]
    Secret(#[from] SealedError),
    #[error("{what}: {source}")]
    Json { what: &'static str, source: serde_json::Error },
    #[error("policy: {0}")]
    Policy(#[from] PolicyFileError),
}

impl Artifact {
    /// What a policy is, in words.
    pub(crate) const POLICY: &'static str = "an attestation policy";

    /// Reads bytes of any kind, strictly.
    ///
    /// # Errors
    /// [`ArtifactError`].
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, ArtifactError> {
        match bytes.get(..4) {
            Some(b"CCTB") => return Ok(Self::TableHeader(Box::new(Header::from_bytes(&bytes)?))),
            Some(b"CCTS") => return Ok(Self::Sidecar(bytes)),
            _ => {}
        }
        // a body is sealed bytes, any of which it may start with
        let text = (bytes.first() == Some(&b'{') && !is_body(&bytes)).then(|| Self::text(&bytes));
        if let Some(known @ (Ok(_) | Err(ArtifactError::Json { .. } | ArtifactError::Policy(_)))) = text {
            return known;
        }
        if let Some(document) = tdh2::is_json(&bytes).then(|| Document::read(&bytes)).flatten() {
            return Ok(Self::Tdh2(document?));
        }
        if let Some(document) = Body::from_raw(&bytes, None) {
            return Ok(Self::Evidence(document.to_bytes()?));
        }
        match kind_of(&bytes) {
            Ok(kind) => Self::headed(kind, bytes),
            Err(EncodingError::Magic { .. }) if is_body(&bytes) => Ok(Self::TableBody(bytes)),
            Err(EncodingError::Magic { .. } | EncodingError::Truncated { .. }) => Err(ArtifactError::Unknown),
            Err(error) => Err(error.into()),
        }
    }

    fn headed(kind: Kind, bytes: Vec<u8>) -> Result<Self, ArtifactError> {
        Ok(match kind {
            Kind::Ciphertext => Self::Ciphertext(Ciphertext::from_bytes(&bytes)?),
            Kind::Share
            | Kind::Composite
            | Kind::Sealed
            | Kind::Compact
            | Kind::Complaint
            | Kind::GroupDealing
            | Kind::Envelope
            | Kind::RepairRequest
            | Kind::RepairPacket
            | Kind::RepairComplaint => Self::Envelope(Envelope::from_bytes(&bytes)?),
            Kind::Request => Self::Request(Request::from_bytes(&bytes)?),
            Kind::Recipient => Self::Recipient(AttestedRecipient::from_bytes(&bytes)?),
            Kind::Committee => Self::Committee(Box::new(Committee::from_bytes(&bytes)?)),
            Kind::SignedReport => Self::Report(SignedReport::from_bytes(&bytes)?),
            Kind::Dealing => dealing_or_envelope(&bytes)?,
            Kind::Certificate => Self::Certificate(Certificate::from_bytes(&bytes)?),
            Kind::Evidence => Self::Evidence(bytes),
            Kind::AgentEnvelope => Self::AgentEnvelope(bytes),
            Kind::Receipts => Self::Receipts(Receipts::from_bytes(&bytes)?),
            Kind::Query => Self::Query(QueryFile::from_bytes(&bytes)?),
            Kind::Answers => Self::Answers(Answers::from_bytes(&bytes)?),
            Kind::SealedFile => {
                let file = SecretFile::parse(&bytes)?;
                Self::Secret { content: file.content().words(), sealed: file.cost().is_some() }
            }
            Kind::KeyShare | Kind::ParticipantKeys | Kind::AttemptKeys | Kind::RoundsState | Kind::SealedState => {
                return Err(ArtifactError::Bare(kind));
            }
        })
    }

    /// A JSON object of a recovery or of a key generation, told by a member that no other has.
    fn text(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let members: Members = serde_json::from_slice(bytes).map_err(|_| ArtifactError::Unknown)?;
        if members.forwarder.is_some() {
            Ok(Self::Deployment(Box::new(json("deployment", bytes)?)))
        } else if members.measurements.is_some() {
            Ok(Self::Policy(Policy::try_from(&json::<PolicyFile>("policy", bytes)?)?))
        } else if members.transactions.is_some() {
            Ok(Self::Transcript(json("transcript", bytes)?))
        } else if members.final_status.is_some() {
            Ok(Self::Summary(json("summary", bytes)?))
        } else if members.protocol.is_some() {
            Ok(Self::Session(Box::new(json("session", bytes)?)))
        } else if members.dealing_key.is_some() {
            Ok(Self::PublicKeys(json("public keys", bytes)?))
        } else {
            Err(ArtifactError::Unknown)
        }
    }

    /// What it is, in words, with its article.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Ciphertext(_) => "a ciphertext",
            Self::Envelope(envelope) => envelope_words(envelope.kind()),
            Self::Request(_) => "a request for re-encryption",
            Self::Recipient(_) => "an enclave's attested keys",
            Self::Committee(_) => "a committee",
            Self::Report(_) => "a signed report",
            Self::Dealing(_) => "a dealing",
            Self::Certificate(_) => "a certificate of a handover",
            Self::Evidence(_) => "attestation evidence",
            Self::AgentEnvelope(_) => "an agent's envelope",
            Self::Receipts(_) => "the receipts of a round",
            Self::Query(_) => "a sealed query",
            Self::Answers(_) => "an enclave's sealed answers",
            Self::TableHeader(_) => "a table header",
            Self::Sidecar(_) => "a table's sidecar",
            Self::TableBody(_) => "a table's body",
            Self::Tdh2(document) => document.words(),
            Self::Deployment(_) => "a deployment",
            Self::Policy(_) => Self::POLICY,
            Self::Session(_) => "a session",
            Self::PublicKeys(_) => "a participant's public keys",
            Self::Transcript(_) => "a recovery's transcript",
            Self::Summary(_) => "a recovery's summary",
            Self::Secret { .. } => "a secret file",
        }
    }
}

/// The error for a file that could not be read as `expected`: what it is instead, where that is known, else `otherwise`.
pub(crate) fn instead(path: &Path, bytes: Vec<u8>, expected: &'static str, otherwise: Error) -> Error {
    let found = match Artifact::read(bytes) {
        Ok(Artifact::Secret { content, .. }) => content,
        Ok(Artifact::Tdh2(Document::PrivateShare { .. } | Document::MasterSecret)) => return otherwise,
        Ok(artifact) => artifact.words(),
        Err(_) => return otherwise,
    };
    if found == expected { otherwise } else { Error::OtherContent { path: path.into(), expected, found } }
}

/// A dealing, or a message of the rounds in which dealings are made: both have the dealing's header.
fn dealing_or_envelope(bytes: &[u8]) -> Result<Artifact, EncodingError> {
    match (Dealing::from_bytes(bytes), Envelope::from_bytes(bytes)) {
        (Ok(dealing), _) => Ok(Artifact::Dealing(Box::new(dealing))),
        (Err(_), Ok(envelope)) => Ok(Artifact::Envelope(envelope)),
        (Err(error), Err(_)) => Err(error),
    }
}

const fn envelope_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Sealed => "a participant's re-encrypted share",
        Kind::Share => "a participant's plain share",
        Kind::Dealing => "a participant's message of a key generation or handover",
        Kind::Complaint => "a participant's complaint",
        Kind::GroupDealing => "a participant's dealing of a group's key",
        Kind::RepairRequest => "a request to repair a share",
        Kind::RepairPacket => "a helper's packet of a repair",
        Kind::RepairComplaint => "a complaint of a repair",
        _ => "a participant's signed envelope",
    }
}

const fn bare(kind: Kind) -> &'static str {
    match kind {
        Kind::KeyShare => "a key share",
        Kind::ParticipantKeys => "a participant's key pair",
        Kind::AttemptKeys => "an attempt's key pair",
        Kind::SealedState => "an enclave's sealed state",
        Kind::RoundsState => "a state of a key generation or handover",
        _ => "this object",
    }
}

fn is_body(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.len().is_multiple_of(SEALED_CHUNK_LEN) && bytes.len() != HEADER_LEN
}
