//! What is established about each kind of file, and what it takes.

use super::check_wrapped;
use crate::{artifact::Artifact, error::Error, message::tdh2::Document, pool::Pool};
use ccc_chain::Deployment;
use ccc_core::{
    ciphertext::Ciphertext,
    enclave::attestation::simulated,
    encoding::Kind,
    envelope::{Envelope, EnvelopeError},
    keys::{Committee, reshare::Certificate},
    report::{Round, SignedReport, Statement},
    suite,
    table::{Header, Sidecar, body_root},
    vault::{AttestedRecipient, Request},
};
use ed25519_dalek::VerifyingKey;
use std::path::{Path, PathBuf};

/// The files of one run, and what they are held against.
pub(super) struct Checker<'a> {
    pub(super) pool: Option<&'a Pool>,
    pub(super) deployment: Option<&'a Deployment>,
    pub(super) committee: Option<&'a Committee>,
    pub(super) artifacts: &'a [(PathBuf, Artifact)],
    pub(super) at: u64,
}

/// What is established, in words, or why it does not hold.
type Established = Result<String, String>;

impl Checker<'_> {
    /// Checks one file.
    ///
    /// # Errors
    /// [`Error::NotVerified`] when it does not hold, [`Error::Missing`] when something to hold it against is
    /// not given, [`Error::Unverifiable`].
    pub(super) fn check(&self, path: &Path, artifact: &Artifact) -> Result<String, Error> {
        let established = match artifact {
            Artifact::Ciphertext(ciphertext) => self.ciphertext(ciphertext, self.committee(path)?),
            Artifact::Envelope(envelope) => self.envelope(envelope, self.committee(path)?),
            Artifact::Request(request) => self.request(request, self.committee(path)?),
            Artifact::Recipient(card) => self.recipient(card, self.pool(path)?, self.beside(path)?),
            Artifact::Committee(committee) => self.members(committee),
            Artifact::Report(report) => match self.deployment {
                Some(deployment) => self.report_on_chain(report, deployment),
                None => self.report(report, self.pool(path)?),
            },
            Artifact::TableHeader(header) => self.header(header, self.committee(path)?),
            Artifact::TableBody(bytes) => body(bytes, &self.header_for(path)?),
            Artifact::Sidecar(bytes) => sidecar(bytes, &self.header_for(path)?),
            Artifact::Certificate(certificate) => confirmed(certificate, self.committee(path)?),
            Artifact::Evidence(bytes) => self.evidence(bytes, self.pool(path)?),
            Artifact::AgentEnvelope(bytes) => self.agent_envelope(bytes, path)?,
            Artifact::Tdh2(document) => self.tdh2(document, path)?,
            Artifact::Dealing(_) | Artifact::Secret { .. } => {
                return Err(Error::Unverifiable { path: path.into(), what: artifact.words() });
            }
        };
        established.map_err(|reason| Error::NotVerified { path: path.into(), reason })
    }

    fn committee(&self, path: &Path) -> Result<&Committee, Error> {
        self.committee.ok_or_else(|| Error::Missing { path: path.into(), what: "a committee" })
    }

    fn pool(&self, path: &Path) -> Result<&Pool, Error> {
        self.pool.ok_or_else(|| Error::Missing { path: path.into(), what: "a pool" })
    }

    /// The request that was given beside a file.
    fn beside(&self, path: &Path) -> Result<&Request, Error> {
        self.given_request().ok_or_else(|| Error::Missing { path: path.into(), what: "its request" })
    }

    fn given_request(&self) -> Option<&Request> {
        self.artifacts.iter().find_map(|(_, artifact)| match artifact {
            Artifact::Request(request) => Some(request),
            _ => None,
        })
    }

    /// The header given, else the pool's current one.
    fn header_for(&self, path: &Path) -> Result<Header, Error> {
        let given = self.artifacts.iter().find_map(|(_, artifact)| match artifact {
            Artifact::TableHeader(header) => Some(header.as_ref().clone()),
            _ => None,
        });
        match (given, self.pool) {
            (Some(header), _) => Ok(header),
            (None, Some(pool)) => Ok(pool.table()?.header),
            (None, None) => Err(Error::Missing { path: path.into(), what: "its header" }),
        }
    }

    fn ciphertext(&self, ciphertext: &Ciphertext, committee: &Committee) -> Established {
        ciphertext.clone().verify(committee.master_public_key()).map_err(|error| error.to_string())?;
        let label = ciphertext.label();
        if let Some(pool) = self.pool {
            same("the chain of its label", label.chain == pool.config.chain)?;
            same("the contract of its label", label.contract == pool.config.pool)?;
        }
        if label.expiry != 0 && label.expiry < self.at {
            return Err(format!("it expired at {}, it is {}", label.expiry, self.at));
        }
        Ok("its author knew the plaintext and bound it to its label".into())
    }

    fn envelope(&self, envelope: &Envelope, committee: &Committee) -> Established {
        let sender = envelope.identifier();
        match envelope.verify(committee) {
            Err(EnvelopeError::Committee) if matches!(envelope.kind(), Kind::Dealing | Kind::Complaint) => {
                envelope.verify_roster(committee.roster()).map_err(|error| error.to_string())?;
                return Ok(format!("signed by participant {sender} for a session of this committee's roster"));
            }
            verified => drop(verified.map_err(|error| error.to_string())?),
        }
        match self.given_request() {
            Some(request) if request.digest() != *envelope.topic() => Err("it answers another request".into()),
            Some(_) => Ok(format!("signed by participant {sender} for this request")),
            None => Ok(format!("signed by participant {sender}; name the request to check what it answers")),
        }
    }

    fn request(&self, request: &Request, committee: &Committee) -> Established {
        request.check().map_err(|error| error.to_string())?;
        same("the committee", request.committee == committee.digest())?;
        same("the epoch", request.epoch == committee.epoch())?;
        let Some(pool) = self.pool else {
            return Ok("for this committee; name the pool to check its block and header".into());
        };
        same("the chain", request.chain == pool.config.chain)?;
        same("the contract", request.contract == pool.config.pool)?;
        same("the table header", request.table_header == Some(pool.head.header_hash.0))?;
        let at = pool.log.up_to(&request.block_hash).ok_or("the log has no such block")?;
        let header = pool.table().map_err(|error| error.to_string())?.header;
        pool.ciphertexts(&at, Some(&header), &request.ciphertexts).map_err(|error| error.to_string())?;
        Ok(format!("at block {} of the pool's log, on top of the current table", at.number()))
    }

    fn recipient(&self, card: &AttestedRecipient, pool: &Pool, request: &Request) -> Established {
        let digest = request.digest();
        let user_data = card.recipient.user_data(&digest);
        let checked = pool.settings.policy().check(&card.evidence, &user_data, &digest, self.at);
        let evidence = checked.map_err(|error| error.to_string())?;
        same("the measurement in its evidence", evidence.measurement == card.recipient.measurement)?;
        Ok("attested (simulated) as the pool's enclave, for this request".into())
    }

    /// A document of Chainlink's tdh2 against the public key, a share against the ciphertext, that were given beside it.
    fn tdh2(&self, document: &Document, path: &Path) -> Result<Established, Error> {
        let documents = || {
            self.artifacts.iter().filter_map(|(_, artifact)| match artifact {
                Artifact::Tdh2(document) => Some(document),
                _ => None,
            })
        };
        let missing = |what| Error::Missing { path: path.into(), what };
        let key = documents().find_map(|document| match document {
            Document::PublicKey(key) => Some(key),
            _ => None,
        });
        let sealed = documents().find(|document| matches!(document, Document::Sealed(_)));
        match (document, sealed) {
            (Document::PrivateShare { .. } | Document::MasterSecret, _) => {
                Err(Error::Unverifiable { path: path.into(), what: document.words() })
            }
            (Document::Share(_), None) => Err(missing("its ciphertext")),
            _ => Ok(document.establish(key.ok_or_else(|| missing("the tdh2 public key"))?, sealed)),
        }
    }

    fn members(&self, found: &Committee) -> Established {
        if let Some(expected) = self.committee {
            same("the committee's digest", found.digest() == expected.digest())?;
        }
        let (t, n) = (found.threshold().t(), found.threshold().n());
        Ok(format!("its {n} verification keys share the master public key, any {t} open"))
    }

    fn report(&self, report: &SignedReport, pool: &Pool) -> Established {
        let (set, forwarder) = (pool.settings.signer_set(), pool.settings.signers.forwarder.0);
        report.verify(&set, &forwarder).map_err(|error| error.to_string())?;
        let payload = report.report().payload();
        let receiver = match payload.statement {
            Statement::Solvency(_) => pool.config.reserve_attestation,
            _ => pool.config.pool,
        };
        same("the chain", payload.binding.chain == pool.config.chain)?;
        same("the receiver", payload.binding.receiver == receiver)?;
        if let Statement::Round(round) = &payload.statement {
            current(round, pool)?;
        }
        payload.check_time(self.at).map_err(|error| error.to_string())?;
        Ok(format!("signed by {} of {} signers, still valid", report.signatures().len(), set.signers.len()))
    }

    /// As [`Self::report`] without knowing which version stands: the chain itself tells that.
    fn report_on_chain(&self, report: &SignedReport, deployment: &Deployment) -> Established {
        let set = deployment.signer_set();
        report.verify(&set, &deployment.forwarder.0.0).map_err(|error| error.to_string())?;
        let payload = report.report().payload();
        let binding = &payload.binding;
        same("the chain", binding.chain == deployment.chain_id)?;
        let receiver = deployment.receiver(payload.statement.kind()).map(|address| address.0.0);
        same("the receiver", Some(binding.receiver) == receiver)?;
        same("the epoch", binding.epoch == deployment.workflow.epoch)?;
        same("the workflow", report.report().header().origin == deployment.origin())?;
        payload.check_time(self.at).map_err(|error| error.to_string())?;
        let (signed, of) = (report.signatures().len(), set.signers.len());
        Ok(format!("signed by {signed} of {of} signers of the deployment, still valid"))
    }

    fn header(&self, header: &Header, committee: &Committee) -> Established {
        check_wrapped(header, committee)?;
        let Some(pool) = self.pool else {
            return Ok(format!("version {}; name the pool to check that it is current", header.version()));
        };
        same("the current header", header.hash() == pool.head.header_hash.0)?;
        Ok(format!("version {}, the pool's current one", header.version()))
    }

    fn evidence(&self, bytes: &[u8], pool: &Pool) -> Established {
        let root = VerifyingKey::from_bytes(&pool.settings.pool.simulated_hardware.0);
        let root = root.map_err(|_| "the pool's simulated hardware key is no key")?;
        let evidence = simulated::verify(bytes, &root, self.at).map_err(|error| error.to_string())?;
        same("the measurement", evidence.measurement == pool.config.measurement())?;
        same("the debug mode", !evidence.debug)?;
        Ok("genuine simulated evidence of the pool's enclave; its keys are checked with the recipient file".into())
    }

    fn agent_envelope(&self, bytes: &[u8], path: &Path) -> Result<Established, Error> {
        let reported = self.artifacts.iter().find_map(|(_, artifact)| match artifact {
            Artifact::Report(report) => match report.report().payload().statement {
                Statement::Solvency(solvency) => Some(solvency.envelope_digest),
                _ => None,
            },
            _ => None,
        });
        let reported = reported.ok_or_else(|| Error::Missing { path: path.into(), what: "its solvency report" })?;
        let established = same("the digest in the report", suite::digest(bytes) == reported);
        Ok(established.map(|()| "the envelope that the report names".into()))
    }
}

/// Enough members of the new committee confirmed one transcript of one session.
fn confirmed(certificate: &Certificate, committee: &Committee) -> Established {
    let Some(first) = certificate.confirmations().first() else { return Err("it confirms nothing".into()) };
    let expected = [&[3][..], &certificate.transcript()].concat();
    for envelope in certificate.confirmations() {
        let payload = envelope.verify_roster(committee.roster()).map_err(|error| error.to_string())?;
        same("the session of a confirmation", envelope.topic() == first.topic())?;
        same("the transcript of a confirmation", payload == expected)?;
    }
    let (n, have) = (committee.threshold().n(), certificate.confirmations().len());
    let need = usize::from(n - committee.threshold().max_faulty());
    if have < need {
        return Err(format!("{have} members confirm, where {need} are needed"));
    }
    Ok(format!("{have} of {n} members confirm session {}: this committee serves", hex::encode(first.topic())))
}

/// A round report speaks for the pool's current version only.
fn current(round: &Round, pool: &Pool) -> Result<(), String> {
    let (made, stands) = (round.version, pool.head.version);
    if made < stands {
        return Err(format!("it is superseded: it made table version {made}, and version {stands} stands"));
    }
    same("the table header that it made", round.header_hash == pool.head.header_hash.0)
}

fn body(bytes: &[u8], header: &Header) -> Established {
    same("the body root", body_root(bytes) == header.body_root())?;
    Ok(format!("the body of table version {}", header.version()))
}

fn sidecar(bytes: &[u8], header: &Header) -> Established {
    Sidecar::parse(bytes, header).map_err(|error| error.to_string())?;
    Ok(format!("the sidecar of table version {}; its tree leads to the state root", header.version()))
}

fn same(what: &str, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{what} differs")) }
}
