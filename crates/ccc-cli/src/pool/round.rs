//! Running what was prepared: open, then a round or a reserve check.

use super::{
    Pool,
    attempt::{AttemptPaths, PublicAttempt, Purpose, Scope, open_keys, shares},
    head::{ClosedRequest, Head},
    hexed::Hex,
    log::ChainLog,
    reading::Reading,
    view::Seen,
};
use crate::{
    error::{Error, NotShare},
    files::passphrase::Passphrases,
};
use ccc_core::{
    ciphertext::VerifiedCiphertext,
    envelope::Envelope,
    keys::Committee,
    report::{Payload, PriceObservation, SignedReport, Statement},
    table::{Header, Outputs, Progress, Receipts, SealedTable, StoredBody, StoredVersion, TableStore},
    vault::{Culprit, Request},
};
use ccc_enclave::{
    attempt::{Attempt, AttemptError, Enclave, FormerAttempt, OpenedAttempt},
    intake::{CollateralRequest, RoundPlan},
    reserve::{ReserveInput, Validity},
    result::AttestedResult,
    round::{Current, RoundError, RoundInput, StreamedRound},
};
use ccc_node::workflow_node::Shown;
use ccc_store::DirectoryStore;
use rand_core::CryptoRng;
use std::collections::BTreeMap;

/// Seconds for which a report can be delivered.
const REPORT_LIFETIME: u64 = 900;

/// What the world tells the enclave.
pub(crate) struct Told<'a> {
    /// Price observations of a round, oldest first; a round that fills a request is not run without them.
    pub(crate) observations: Option<&'a [PriceObservation]>,
    /// The custodian's statement of a reserve check.
    pub(crate) statement: Option<&'a [u8]>,
}

impl Told<'_> {
    /// Refuses what the attempt would not read.
    fn check(&self, purpose: Purpose) -> Result<(), Error> {
        match purpose {
            Purpose::Round if self.statement.is_some() => Err(Error::NotRead { purpose: "a round", what: "statement" }),
            Purpose::ReserveCheck if self.observations.is_some() => {
                Err(Error::NotRead { purpose: "a reserve check", what: "price observations" })
            }
            Purpose::Growth | Purpose::Epoch | Purpose::Rotation if self.observations.is_some() => {
                Err(Error::NotRead { purpose: "a version of its own", what: "price observations" })
            }
            Purpose::Growth | Purpose::Epoch | Purpose::Rotation if self.statement.is_some() => {
                Err(Error::NotRead { purpose: "a version of its own", what: "statement" })
            }
            Purpose::Query | Purpose::Summary if self.observations.is_some() => {
                Err(Error::NotRead { purpose: "an attempt that answers", what: "price observations" })
            }
            Purpose::Query | Purpose::Summary if self.statement.is_some() => {
                Err(Error::NotRead { purpose: "an attempt that answers", what: "statement" })
            }
            _ => Ok(()),
        }
    }
}

/// How an attempt ended. Nothing of it counts yet.
pub(crate) enum Finished<'s> {
    /// With a signed report, and the table's next version on its way into the store; a check makes none.
    Reported(Box<Produced>, Option<StoredVersion<'s>>),
    /// With answers, which move nothing.
    Answered(Reading),
}

/// What an attempt produced. Nothing of it counts yet.
pub(crate) struct Produced {
    /// What the attempt was for.
    pub(crate) purpose: Purpose,
    pub(crate) report: SignedReport,
    /// One report per withdrawal that the round paid.
    pub(crate) payouts: Vec<SignedReport>,
    /// The agent's envelope of a reserve check.
    pub(crate) envelope: Option<Vec<u8>>,
    /// The header of the table's next version and the head that names it; a check moves its sequence alone.
    pub(crate) table: Option<Header>,
    /// The round's receipts; a version without slots has none.
    pub(crate) receipts: Option<Receipts>,
    pub(crate) head: Head,
    /// Participants whose shares were bad, and files that are no shares.
    pub(crate) culprits: BTreeMap<u16, String>,
    pub(crate) not_shares: Vec<NotShare>,
}

/// An attempt that the pool's committee opened, or the one before a rotation.
#[allow(clippy::large_enum_variant, reason = "one of them, on the stack of one command")]
pub(super) enum Opened<'a> {
    Present(OpenedAttempt<'a>),
    Former(FormerAttempt<'a>),
}

impl<'a> Opened<'a> {
    fn culprits(&self) -> &[Culprit] {
        match self {
            Self::Present(opened) => opened.culprits(),
            Self::Former(opened) => opened.culprits(),
        }
    }

    /// The attempt for everything but a rotation, which never asks for it.
    fn present(self) -> Result<OpenedAttempt<'a>, Error> {
        match self {
            Self::Present(opened) => Ok(opened),
            Self::Former(_) => Err(RoundError::OtherCommittee { expected: "present" }.into()),
        }
    }
}

/// The state that an attempt works on.
pub(super) struct Bench<'a, 's> {
    pool: &'a Pool,
    pub(super) purpose: Purpose,
    pub(super) request: Request,
    at: ChainLog,
    store: &'s DirectoryStore,
    /// Of the current table.
    pub(super) header: Header,
    now: u64,
    passphrases: &'a Passphrases,
}

impl Pool {
    /// Runs a prepared attempt.
    ///
    /// # Errors
    /// [`Error::Moved`] when the table has moved on since it was prepared; [`Error::OtherCard`] when the attested
    /// keys in the directory are not those of the attempt; everything that the enclave, the
    /// participants' shares or the signers refuse.
    pub(crate) fn run<'s>(
        &self,
        store: &'s DirectoryStore,
        paths: &AttemptPaths,
        told: &Told<'_>,
        passphrases: &Passphrases,
        progress: &mut dyn FnMut(Progress),
        rng: &mut impl CryptoRng,
    ) -> Result<Finished<'s>, Error> {
        let public = PublicAttempt::read(paths)?;
        if public.request.table_header != Some(self.head.header_hash.0) {
            return Err(Error::Moved { version: self.head.version });
        }
        let (purpose, keys) = open_keys(paths, passphrases)?;
        told.check(purpose)?;
        let at = public.block(&self.log)?;
        let (request, header) = (public.request.clone(), self.current(store)?.header().clone());
        let bench = Bench { pool: self, purpose, request, at, store, header, now: self.now(), passphrases };
        let scope = self.scope(&bench.at, Some(&bench.header), purpose)?;
        if scope.collateral.is_some() && told.observations.is_none() {
            return Err(Error::NoPrice);
        }
        let provider = self.hardware(passphrases)?;
        let enclave = Enclave::new(self.config.clone(), &provider)?;
        let committee = self.asked(purpose, &bench.header)?;
        let (envelopes, not_shares) = shares(paths, &committee, &public.request.digest());
        let attempt = enclave.resume(public.request, keys, bench.at.time())?;
        if *attempt.card() != public.card {
            return Err(Error::OtherCard { path: paths.recipient() });
        }
        let asked = bench.asked(paths, &attempt)?;
        let not_shares = [not_shares, asked.left_out].concat();
        let ciphertexts = bench.verified(&scope, &committee)?;
        let opened = bench.opened(attempt, &committee, ciphertexts, envelopes);
        let opened = opened.map_err(|error| Error::attempt(error, not_shares.clone()))?;
        let culprits = opened.culprits().iter().map(|c| (c.identifier.get(), "a wrong share".to_owned())).collect();
        let (produced, version) = match (purpose, scope.plan) {
            (Purpose::Query | Purpose::Summary, _) => {
                let answers = bench.answers(opened.present()?, asked.queries.as_ref(), rng)?;
                return Ok(Finished::Answered(Reading { purpose, answers, culprits, not_shares }));
            }
            (_, Some(plan)) => bench.round(opened, &plan, told, progress, rng)?,
            _ => (bench.reserve_check(opened.present()?, told, rng)?, None),
        };
        Ok(Finished::Reported(Box::new(Produced { culprits, not_shares, ..produced }), version))
    }
}

impl<'s> Bench<'_, 's> {
    /// The current table, whole.
    pub(super) fn table(&self) -> Result<SealedTable, Error> {
        self.pool.table_in(self.store)
    }

    /// With the shares of the committee that was asked: for a rotation the one before it.
    fn opened<'e>(
        &self,
        attempt: Attempt<'e>,
        committee: &Committee,
        ciphertexts: Vec<VerifiedCiphertext>,
        envelopes: Vec<Envelope>,
    ) -> Result<Opened<'e>, AttemptError> {
        match self.purpose {
            Purpose::Rotation => {
                let rotation = (committee, self.pool.committee.epoch());
                attempt.open_former(rotation, ciphertexts, envelopes).map(Opened::Former)
            }
            _ => attempt.open(committee, ciphertexts, envelopes).map(Opened::Present),
        }
    }

    fn verified(&self, scope: &Scope, committee: &Committee) -> Result<Vec<VerifiedCiphertext>, Error> {
        let ciphertexts = self.pool.ciphertexts(&self.at, Some(&self.header), &scope.digests)?;
        let key = committee.master_public_key();
        Ok(ciphertexts.into_iter().map(|ciphertext| ciphertext.verify(key)).collect::<Result<_, _>>()?)
    }

    /// What the signers are shown.
    fn shown(&self) -> Shown<'_> {
        Shown { request: &self.request, header: Some(&self.header) }
    }

    /// What the signers look at, without prices and without an instruction.
    fn seen<'l>(&'l self, latest: &'l Head) -> Seen<'l> {
        Seen { at: &self.at, latest, observations: &[], now: self.now, duty: None }
    }

    fn validity(&self, last: u64) -> Validity {
        Validity { sequence: last + 1, valid_until: self.now.saturating_add(REPORT_LIFETIME) }
    }

    fn round(
        &self,
        opened: Opened<'_>,
        plan: &RoundPlan,
        told: &Told<'_>,
        progress: &mut dyn FnMut(Progress),
        rng: &mut impl CryptoRng,
    ) -> Result<(Produced, Option<StoredVersion<'s>>), Error> {
        let pool = self.pool;
        let observations = told.observations.unwrap_or_default();
        let input = RoundInput {
            observations,
            price_block: self.at.number(),
            inputs: pool.inputs(&self.at)?,
            validity: self.validity(pool.head.round_sequence),
            payout_sequence: pool.head.payout_sequence + 1,
            progress: &|_| {},
        };
        let (output, version) = self.next_version(opened, plan, &input, progress, rng)?;
        let seen = Seen { duty: self.purpose.duty(), observations, ..self.seen(&pool.head) };
        let report = pool.sign(&output.result, self.shown(), &seen, self.passphrases)?;
        let mut head = self.next_head(&output.header, plan, &report)?;
        let payouts = output.payouts.iter().map(|result| self.payout(result, &mut head)).collect::<Result<_, _>>()?;
        let receipts = Some(output.receipts).filter(|receipts| !receipts.is_empty());
        let receipts = receipts.map(|sealed| Receipts::new(output.header.hash(), sealed)).transpose();
        let receipts = receipts.map_err(|source| Error::Encoding { path: pool.paths.rounds(), source })?;
        let produced = Produced {
            purpose: self.purpose,
            report,
            payouts,
            envelope: None,
            table: Some(output.header),
            receipts,
            head,
            culprits: BTreeMap::new(),
            not_shares: vec![],
        };
        Ok((produced, Some(version)))
    }

    /// Reads the table from the store and writes the next version to it, a few chunks at a time; nobody finds the version
    /// before it is committed.
    fn next_version(
        &self,
        opened: Opened<'_>,
        plan: &RoundPlan,
        input: &RoundInput<'_>,
        progress: &mut dyn FnMut(Progress),
        rng: &mut impl CryptoRng,
    ) -> Result<(StreamedRound, StoredVersion<'s>), Error> {
        let reader = self.store.reader(&self.header.hash())?;
        let found = self.header.tier();
        // where there is no larger tier the enclave refuses before it writes
        let tier = if self.purpose == Purpose::Growth { found.next().unwrap_or(found) } else { found };
        let version = StoredVersion::new(self.store.writer(tier)?);
        let outputs = Outputs { body: &mut version.body(), sidecar: &mut version.sidecar(), progress };
        let current = Current { header: &self.header, body: &mut StoredBody::new(&*reader) };
        let round = match opened {
            Opened::Present(opened) => opened.round_to(plan, Some(current), input, outputs, rng),
            Opened::Former(opened) => opened.rotate_to(plan, current, input, outputs, rng),
        }?;
        Ok((round, version))
    }

    /// Signs a payout on top of the version that debited it.
    fn payout(&self, result: &AttestedResult, head: &mut Head) -> Result<SignedReport, Error> {
        let report = self.pool.sign(result, self.shown(), &self.seen(head), self.passphrases)?;
        let Payload { binding, statement } = report.report().payload();
        if let Statement::Payout(payout) = statement {
            head.pay(binding.sequence, payout);
        }
        Ok(report)
    }

    fn next_head(&self, header: &Header, plan: &RoundPlan, report: &SignedReport) -> Result<Head, Error> {
        let log = self.pool.attempt_log(&self.at, self.purpose.duty())?;
        let mut head = self.pool.head.clone();
        head.header_hash = Hex(header.hash());
        head.version = header.version();
        head.consumed = plan.accumulator().count();
        head.accumulator = Hex(plan.accumulator().value());
        if log.upkeep.is_none() {
            head.orders_taken += log.new_orders.len() as u64;
            head.orders_read_at = self.at.number();
            head.live_orders = log.live_orders.iter().chain(&log.new_orders).map(|order| Hex(order.id)).collect();
        }
        let (version, known) = (head.version, self.pool.log.number());
        let closed = |request: CollateralRequest| ClosedRequest { id: Hex(request.submission.id), version, log: known };
        let closed = log.collateral.map(closed);
        head.closed_requests.extend(closed);
        head.round_sequence = report.report().payload().binding.sequence;
        Ok(head)
    }

    fn reserve_check(
        &self,
        opened: OpenedAttempt<'_>,
        told: &Told<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Produced, Error> {
        let (pool, table) = (self.pool, self.table()?);
        let input = ReserveInput {
            header: &table.header,
            body: &table.body,
            statement: told.statement.ok_or(Error::NoStatement)?,
            inputs: pool.inputs(&self.at)?,
            validity: self.validity(pool.head.solvency_sequence),
        };
        let output = opened.reserve(&input, rng)?;
        let report = pool.sign(&output.result, self.shown(), &self.seen(&pool.head), self.passphrases)?;
        let mut head = pool.head.clone();
        head.solvency_sequence = report.report().payload().binding.sequence;
        let envelope = Some(output.envelope);
        Ok(Produced {
            purpose: self.purpose,
            report,
            payouts: Vec::new(),
            envelope,
            table: None,
            receipts: None,
            head,
            culprits: BTreeMap::new(),
            not_shares: vec![],
        })
    }
}

impl Produced {
    /// What the report says.
    pub(crate) fn statement(&self) -> &Statement {
        let Payload { statement, .. } = self.report.report().payload();
        statement
    }
}
