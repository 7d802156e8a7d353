//! What is established about each kind of file, and what it takes.

use super::{
    Established, answers,
    ceremony::{self, Ceremony},
    check_wrapped, repair, same,
};
use crate::{
    artifact::Artifact,
    error::Error,
    message::{native, tdh2::Document},
    pool::Pool,
};
use ccc_chain::Deployment;
use ccc_core::{
    ciphertext::Ciphertext,
    enclave::attestation::{Evidence, EvidenceList, Policy, PolicyRefusal, ProviderKind},
    encoding::Kind,
    envelope::{Envelope, EnvelopeError},
    epoch::Epoch,
    keys::{Committee, reshare::Certificate},
    report::{Round, SignedReport, Statement},
    suite,
    table::{Header, Sidecar, body_root},
    vault::{AttestedRecipient, Request},
};
use std::path::{Path, PathBuf};

/// The files of one run, and what they are held against.
pub(super) struct Checker<'a> {
    pub(super) pool: Option<&'a Pool>,
    pub(super) deployment: Option<&'a Deployment>,
    pub(super) committee: Option<&'a Committee>,
    pub(super) policy: Option<Policy>,
    pub(super) ceremony: Option<&'a Ceremony>,
    pub(super) artifacts: &'a [(PathBuf, Artifact)],
    pub(super) at: u64,
}

impl Checker<'_> {
    /// Checks one file.
    ///
    /// # Errors
    /// [`Error::NotVerified`] when it does not hold, [`Error::Missing`] when something to hold it against is
    /// not given, [`Error::Unverifiable`].
    pub(super) fn check(&self, path: &Path, artifact: &Artifact) -> Result<String, Error> {
        let established = match self.ceremony.and_then(|ceremony| ceremony.check(artifact)) {
            Some(established) => established,
            None => self.established(path, artifact)?,
        };
        established.map_err(|reason| Error::NotVerified { path: path.into(), reason })
    }

    fn established(&self, path: &Path, artifact: &Artifact) -> Result<Established, Error> {
        Ok(match artifact {
            Artifact::Ciphertext(ciphertext) => self.ciphertext(ciphertext, self.committee(path)?),
            Artifact::Envelope(share) if share.kind() == Kind::Share => self.plain_share(share, path)?,
            Artifact::Envelope(envelope) if repair::concerns(envelope) => {
                repair::check(envelope, self.artifacts, self.committee(path)?)
            }
            Artifact::Envelope(envelope) => self.envelope(envelope, self.committee(path)?),
            Artifact::Request(request) => self.request(request, self.committee(path)?),
            Artifact::Recipient(card) => self.recipient(card, self.policy(path)?, path)?,
            Artifact::Committee(committee) => self.members(committee),
            Artifact::Report(report) => match (self.deployment, self.pool) {
                (Some(deployment), _) => self.report_on_chain(report, deployment),
                (None, Some(pool)) => self.report(report, pool),
                (None, None) => return Err(missing(path, "a pool or a deployment")),
            },
            Artifact::TableHeader(header) => self.header(header, self.committee(path)?),
            Artifact::TableBody(bytes) => body(bytes, &self.headers(path)?),
            Artifact::Sidecar(bytes) => sidecar(bytes, &self.headers(path)?),
            Artifact::Certificate(certificate) => confirmed(certificate, self.committee(path)?),
            Artifact::Evidence(bytes) => self.evidence(bytes, self.policy(path)?),
            Artifact::AgentEnvelope(bytes) => self.agent_envelope(bytes, path)?,
            Artifact::Receipts(receipts) => answers::receipts(receipts, &self.headers(path)?),
            Artifact::Query(query) => answers::query(query, &self.given_requests(path)?),
            Artifact::Answers(found) => {
                answers::answers(found, &self.given_requests(path)?, self.policy(path)?, self.at)
            }
            Artifact::Tdh2(document) => self.tdh2(document, path)?,
            Artifact::Deployment(deployment) => self.contracts(deployment),
            Artifact::Policy(policy) => enclaves(policy),
            Artifact::Session(file) => ceremony::alone(file, path, self.committee)?,
            Artifact::PublicKeys(keys) => match keys.check() {
                Ok(()) => return Err(unverifiable(path, artifact)),
                Err(error) => Err(error.to_string()),
            },
            Artifact::Dealing(_) | Artifact::Secret { .. } | Artifact::Transcript(_) | Artifact::Summary(_) => {
                return Err(unverifiable(path, artifact));
            }
        })
    }

    fn committee(&self, path: &Path) -> Result<&Committee, Error> {
        self.committee.ok_or_else(|| missing(path, "a committee"))
    }

    fn policy(&self, path: &Path) -> Result<&Policy, Error> {
        self.policy.as_ref().ok_or_else(|| missing(path, "a pool or a policy"))
    }

    /// The chain and the contract that labels and requests must name.
    fn place(&self) -> Option<(u64, [u8; 20])> {
        let of_pool = self.pool.map(|pool| (pool.config.chain, pool.config.pool));
        of_pool.or_else(|| self.deployment.map(|deployment| (deployment.chain_id, deployment.pool.0.0)))
    }

    /// The requests that were given beside a file.
    fn requests(&self) -> impl Iterator<Item = &Request> {
        self.artifacts.iter().filter_map(|(_, artifact)| match artifact {
            Artifact::Request(request) => Some(request),
            _ => None,
        })
    }

    /// The requests that were given; never none.
    fn given_requests(&self, path: &Path) -> Result<Vec<&Request>, Error> {
        let given: Vec<_> = self.requests().collect();
        if given.is_empty() { Err(missing(path, "its request")) } else { Ok(given) }
    }

    /// The headers given, else the pool's current one; never none.
    fn headers(&self, path: &Path) -> Result<Vec<Header>, Error> {
        let given = self.artifacts.iter().filter_map(|(_, artifact)| match artifact {
            Artifact::TableHeader(header) => Some(header.as_ref().clone()),
            _ => None,
        });
        let given: Vec<Header> = given.collect();
        match self.pool {
            _ if !given.is_empty() => Ok(given),
            Some(pool) => Ok(vec![pool.header()?]),
            None => Err(missing(path, "its header")),
        }
    }

    fn ciphertext(&self, ciphertext: &Ciphertext, committee: &Committee) -> Established {
        ciphertext.clone().verify(committee.master_public_key()).map_err(|error| error.to_string())?;
        let label = ciphertext.label();
        if let Some((chain, contract)) = self.place() {
            same("the chain of its label", label.chain == chain)?;
            same("the contract of its label", label.contract == contract)?;
        }
        if label.expiry != 0 && label.expiry < self.at {
            return Err(format!("it expired at {}, it is {}", label.expiry, self.at));
        }
        Ok("its author knew the plaintext and bound it to its label".into())
    }

    /// A plain share against the ciphertext that was given beside it.
    fn plain_share(&self, share: &Envelope, path: &Path) -> Result<Established, Error> {
        let committee = self.committee(path)?;
        let ciphertexts = self.artifacts.iter().filter_map(|(_, artifact)| match artifact {
            Artifact::Ciphertext(ciphertext) => Some(ciphertext),
            _ => None,
        });
        let mut ciphertexts = ciphertexts.peekable();
        if ciphertexts.peek().is_none() {
            return Err(missing(path, "its ciphertext"));
        }
        let checked = native::check(share, committee, ciphertexts);
        Ok(checked.map(|()| format!("participant {}'s part of this ciphertext", share.identifier())))
    }

    /// An envelope's signature. What a re-encrypted share holds, its enclave alone can check.
    fn envelope(&self, envelope: &Envelope, committee: &Committee) -> Established {
        let sender = envelope.identifier();
        match envelope.verify(committee) {
            Err(EnvelopeError::Committee) if matches!(envelope.kind(), Kind::Dealing | Kind::Complaint) => {
                envelope.verify_roster(committee.roster()).map_err(|error| error.to_string())?;
                return Ok(format!("signed by participant {sender} for a session of this committee's roster"));
            }
            verified => drop(verified.map_err(|error| error.to_string())?),
        }
        if self.requests().next().is_none() {
            return Ok(format!("signed by participant {sender}; name the request to check what it answers"));
        }
        let answers = self.requests().any(|request| request.digest() == *envelope.topic());
        if answers {
            Ok(format!("signed by participant {sender} for this request"))
        } else {
            Err("it answers another request".into())
        }
    }

    fn request(&self, request: &Request, committee: &Committee) -> Established {
        request.check().map_err(|error| error.to_string())?;
        same("the committee", request.committee == committee.digest())?;
        same("the epoch", request.epoch == committee.epoch())?;
        if let Some((chain, contract)) = self.place() {
            same("the chain", request.chain == chain)?;
            same("the contract", request.contract == contract)?;
        }
        let Some(pool) = self.pool else {
            return Ok("for this committee; name the pool to check its block and header".into());
        };
        same("the table header", request.table_header == Some(pool.head.header_hash.0))?;
        let at = pool.log.up_to(&request.block_hash).ok_or("the log has no such block")?;
        let header = pool.header().map_err(|error| error.to_string())?;
        pool.ciphertexts(&at, Some(&header), &request.ciphertexts).map_err(|error| error.to_string())?;
        Ok(format!("at block {} of the pool's log, on top of the current table", at.number()))
    }

    fn recipient(&self, card: &AttestedRecipient, policy: &Policy, path: &Path) -> Result<Established, Error> {
        let attested = self.requests().map(|request| attested(card, policy, request, self.at));
        // the last refusal stands if no request fits
        let found = attested.reduce(|refused, next| if refused.is_ok() { refused } else { next });
        found.ok_or_else(|| missing(path, "its request"))
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
                let why = "it is a secret that its file does not seal";
                Err(Error::Unverifiable { path: path.into(), what: document.words(), why })
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

    /// Of an epoch that the pool was in: its committee is the pool's own or one that it has kept.
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
        let epoch = Epoch(payload.binding.epoch);
        pool.committee_of(epoch)
            .map_err(|error| format!("it is of epoch {epoch}, whose committee the pool does not hold: {error}"))?;
        same("the workflow", report.report().header().origin == pool.settings.origin())?;
        match &payload.statement {
            Statement::Round(round) => current(round, pool)?,
            Statement::Payout(payout) => settled(payout.version, pool.head.version)?,
            Statement::Solvency(_) | Statement::Enclave(_) => {}
        }
        payload.check_time(self.at).map_err(|error| error.to_string())?;
        let (signed, of) = (report.signatures().len(), set.signers.len());
        let former = if epoch == pool.committee.epoch() { String::new() } else { format!(" in epoch {epoch}") };
        Ok(format!("signed by {signed} of {of} signers{former}, still valid"))
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
        if let Some((chain, contract)) = self.place() {
            same("the chain of the table", header.id().chain == chain)?;
            same("the contract of the table", header.id().contract == contract)?;
        }
        let (version, named) = (header.version(), self.named_by_report(header.version()));
        named.map_or(Ok(()), |hash| same("the hash in its round's report", hash == header.hash()))?;
        match (self.pool, named) {
            (Some(pool), _) => {
                same("the current header", header.hash() == pool.head.header_hash.0)?;
                Ok(format!("version {version}, the pool's current one"))
            }
            (None, Some(_)) => Ok(format!("version {version}, which its round's report names")),
            (None, None) => Ok(format!("version {version}; name the pool to check that it is current")),
        }
    }

    /// The header's hash in a report of the round that made a version, if one was given beside the header.
    fn named_by_report(&self, version: u64) -> Option<[u8; 32]> {
        self.artifacts.iter().find_map(|(_, artifact)| match artifact {
            Artifact::Report(report) => match &report.report().payload().statement {
                Statement::Round(round) if round.version == version => Some(round.header_hash),
                _ => None,
            },
            _ => None,
        })
    }

    fn evidence(&self, bytes: &[u8], policy: &Policy) -> Established {
        match EvidenceList::from_bytes(bytes) {
            Ok(list) if list.pieces().len() > 1 => self.several(bytes, policy),
            _ => self.one(bytes, policy),
        }
    }

    /// Of as many makers as the policy asks for, which all answer one request.
    fn several(&self, bytes: &[u8], policy: &Policy) -> Established {
        let accepted = policy.genuine_together(bytes, self.at).map_err(|error| refused(&error))?;
        let kinds: Vec<String> = accepted.iter().map(|evidence| evidence.kind.to_string()).collect();
        let genuine = format!("genuine evidence of accepted enclaves ({})", kinds.join(", "));
        let nonce = shared_nonce(&accepted)?;
        self.for_request(&genuine, nonce, "; its user data, and so the keys, is not judged")
    }

    fn one(&self, bytes: &[u8], policy: &Policy) -> Established {
        let evidence = policy.genuine(bytes, self.at).map_err(|error| refused(&error))?;
        let genuine = format!("genuine {} evidence of the accepted enclave", evidence.kind);
        if policy.hardware.kinds != 1 {
            let needed = policy.hardware.kinds;
            return Err(format!("{genuine}, of one maker, where the policy asks for {needed} together"));
        }
        let unjudged = match evidence.kind {
            ProviderKind::Simulated => "",
            _ => "; its user data, and so its configuration, is not judged",
        };
        self.for_request(&genuine, evidence.nonce.as_deref(), unjudged)
    }

    /// Whether genuine evidence is for a request that is named, if any is.
    fn for_request(&self, genuine: &str, nonce: Option<&[u8]>, unjudged: &str) -> Established {
        let mut requests = self.requests().peekable();
        let named = requests.peek().is_some();
        match nonce {
            None if named => {
                Err(format!("{genuine}, age not stated; it has no nonce, and nothing here binds it to the request"))
            }
            None => Ok(format!(
                "{genuine}, age not stated; it has no nonce, and which request it is for its user data says{unjudged}"
            )),
            Some(_) if !named => Ok(format!("{genuine}; name the request to check its nonce{unjudged}")),
            Some(nonce) => {
                same("the nonce: the request", requests.any(|request| *nonce == request.digest()[..]))?;
                Ok(format!("{genuine}, for this request{unjudged}"))
            }
        }
    }

    fn agent_envelope(&self, bytes: &[u8], path: &Path) -> Result<Established, Error> {
        let reported = self.artifacts.iter().filter_map(|(_, artifact)| match artifact {
            Artifact::Report(report) => match report.report().payload().statement {
                Statement::Solvency(solvency) => Some(solvency.envelope_digest),
                _ => None,
            },
            _ => None,
        });
        let mut reported = reported.peekable();
        if reported.peek().is_none() {
            return Err(missing(path, "its solvency report"));
        }
        let established = same("the digest in the report", reported.any(|digest| digest == suite::digest(bytes)));
        Ok(established.map(|()| "the envelope that the report names".into()))
    }

    /// What a deployment's file says of itself. That its contracts stand on the chain, the chain alone can tell.
    fn contracts(&self, deployment: &Deployment) -> Established {
        let set = deployment.signer_set();
        set.check().map_err(|error| error.to_string())?;
        if let Some(committee) = self.committee {
            same("the epoch", deployment.workflow.epoch == committee.epoch().0)?;
        }
        Ok(format!(
            "{} signers, {} of them may be faulty; its chain alone tells that it stands",
            set.signers.len(),
            set.f
        ))
    }
}

/// The nonce of evidence that was accepted together: several pieces answer one request, or are nothing together.
fn shared_nonce(accepted: &[Evidence]) -> Result<Option<&[u8]>, String> {
    let [first, others @ ..] = accepted else { return Ok(None) };
    let nonce = first.nonce.as_deref();
    if others.is_empty() {
        return Ok(nonce);
    }
    if let Some(without) = accepted.iter().find(|evidence| evidence.nonce.is_none()) {
        let kind = without.kind;
        return Err(format!(
            "the {kind} evidence has no nonce, and nothing here ties it to the other pieces of its list"
        ));
    }
    if others.iter().all(|other| other.nonce.as_deref() == nonce) {
        return Ok(nonce);
    }
    Err("the nonces of the list differ: its pieces answer no one request".into())
}

/// Whether an enclave's keys are attested for a request.
fn attested(card: &AttestedRecipient, policy: &Policy, request: &Request, at: u64) -> Established {
    let digest = request.digest();
    let user_data = card.recipient.user_data(&digest);
    let checked = policy.check(&card.evidence, &user_data, &digest, at);
    let evidence = checked.map_err(|error| error.to_string())?;
    same("the measurement in its evidence", evidence.measurement == card.recipient.measurement)?;
    Ok(format!("attested ({}) as the accepted enclave, for this request", evidence.kind))
}

/// A refusal, with what a policy would have to list: whoever writes one has the evidence and looks for the program in it.
fn refused(refusal: &PolicyRefusal) -> String {
    match refusal {
        PolicyRefusal::Measurement { found, .. } => format!("{refusal}; it is {}", hex::encode(found)),
        other => other.to_string(),
    }
}

fn enclaves(policy: &Policy) -> Established {
    policy.check_configuration().map_err(|error| error.to_string())?;
    let programs = policy.measurements.len() + policy.hardware.programs();
    Ok(format!("it accepts {programs} programs on {} simulated roots", policy.simulated_roots.len()))
}

fn missing(path: &Path, what: &'static str) -> Error {
    Error::Missing { path: path.into(), what }
}

fn unverifiable(path: &Path, artifact: &Artifact) -> Error {
    let why = match artifact {
        Artifact::Dealing(_) => "it holds within its key generation, whose participants check it",
        Artifact::Secret { .. } => "it is checked where it is opened",
        Artifact::PublicKeys(_) => "nobody signs it: its owner alone can say that the keys are its own",
        Artifact::Transcript(_) => "it repeats what a node said; its chain alone can confirm it",
        _ => "it repeats what the run printed; the reports beside it are what was signed",
    };
    Error::Unverifiable { path: path.into(), what: artifact.words(), why }
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

/// A payout counts once the version that debited it stands.
fn settled(debited: u64, stands: u64) -> Result<(), String> {
    if debited <= stands {
        Ok(())
    } else {
        Err(format!("table version {debited} debits it, and version {stands} stands"))
    }
}

fn body(bytes: &[u8], headers: &[Header]) -> Established {
    let root = body_root(bytes);
    let header = headers.iter().find(|header| header.body_root() == root).ok_or("the body root differs")?;
    Ok(format!("the body of table version {}", header.version()))
}

fn sidecar(bytes: &[u8], headers: &[Header]) -> Established {
    let mut refusal = "it has no header".to_owned();
    for header in headers {
        match Sidecar::parse(bytes, header) {
            Ok(_) => {
                let version = header.version();
                return Ok(format!(
                    "the sidecar of table version {version}; its tree leads to the state root, and its entries open for their owners alone"
                ));
            }
            Err(error) => refusal = error.to_string(),
        }
    }
    Err(refusal)
}

#[cfg(test)]
mod tests;
