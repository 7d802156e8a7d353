//! One participant of the vault: what it checks before it gives a share, and the journal that keeps it from
//! giving two for one request to one recipient.

mod enclaves;

pub use enclaves::{EnclaveRefusal, Enclaves};

use ccc_core::{
    ciphertext::{Ciphertext, CiphertextError, LabelKind, VerifiedCiphertext},
    enclave::{
        attestation::{Policy, PolicyRefusal},
        identity::IdentitySignature,
    },
    encoding::{EncodingError, Kind},
    envelope::Envelope,
    epoch::Epoch,
    guard::{Guard, stands},
    identifier::Identifier,
    keys::{Committee, KeyShare, ParticipantKeys},
    report::keccak256,
    table::{Header, RollbackError, check_current},
    vault::{
        self, AttestedRecipient, Mode, Recipient, Request, RequestError, SealError, compact::PARTIAL_LEN,
        simulated::seal_wrong,
    },
};
use rand_core::CryptoRng;
use std::{collections::HashMap, sync::Arc};

/// What the chain says at a finalised block, as this participant reads it itself.
#[derive(Clone, Debug, Default)]
pub struct ChainView {
    /// Hash of the block.
    pub block_hash: [u8; 32],
    /// Its time.
    pub time: u64,
    /// Hash of the current table header; zero before the first version.
    pub header_hash: [u8; 32],
    /// Version of the table.
    pub version: u64,
    /// Every submission up to the block, by identifier.
    pub submissions: Arc<HashMap<[u8; 32], OnChain>>,
    /// What the registry of enclaves says; nothing where the deployment has none.
    pub enclaves: Option<Enclaves>,
}

/// One submission, as the contract keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnChain {
    /// Who called.
    pub who: [u8; 20],
    /// keccak256 of the ciphertext.
    pub hash: [u8; 32],
    /// For a collateral request, when it may be opened.
    pub opens_at: u64,
}

/// A request with everything that it names.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The request.
    pub request: Request,
    /// The enclave's keys and evidence.
    pub card: AttestedRecipient,
    /// Which enclave it is: what its identity signed of its keys and the request.
    pub identity: Option<IdentitySignature>,
    /// The ciphertexts, in the request's order.
    pub ciphertexts: Vec<Ciphertext>,
    /// The header whose key is asked for, if any.
    pub header: Option<Header>,
}

/// Why a participant gives no share. Its journal and its keys are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// For another chain, contract, epoch, committee or mode.
    #[error("the request is for another {what}")]
    Foreign {
        /// What differs.
        what: &'static str,
    },
    /// None, too many, or one that is named twice.
    #[error("the request: {0}")]
    Request(#[from] RequestError),
    /// The request's block is not the one read.
    #[error("the request names a block that is not finalised here")]
    Block,
    /// Too late.
    #[error("the request ended at {deadline}, it is {now}")]
    Expired {
        /// Last second.
        deadline: u64,
        /// Now.
        now: u64,
    },
    /// A request that would have to be remembered for longer than a participant remembers.
    #[error("the request ends at {deadline}, it is {now}: at most {MAX_LIFETIME} s ahead are possible")]
    Lifetime {
        /// Last second.
        deadline: u64,
        /// Now.
        now: u64,
    },
    /// Another number of ciphertexts, or another one, than the request names.
    #[error("ciphertext {index} is not the one that the request names")]
    OtherCiphertext {
        /// Position.
        index: usize,
    },
    /// A ciphertext that fails its proof.
    #[error("ciphertext {index}: {source}")]
    Ciphertext {
        /// Position.
        index: usize,
        /// What fails.
        source: CiphertextError,
    },
    /// The contract does not know the ciphertext under its identifier.
    #[error("ciphertext {index} is not what the chain holds under its identifier")]
    NotOnChain {
        /// Position.
        index: usize,
    },
    /// A ciphertext of a kind that participants do not open, or whose time is over.
    #[error("ciphertext {index} is {what}")]
    Label {
        /// Position.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// An order before its deadline.
    #[error("ciphertext {index} opens at {opens_at}, the chain is at {time}")]
    TooEarly {
        /// Position.
        index: usize,
        /// When it opens.
        opens_at: u64,
        /// The chain's time.
        time: u64,
    },
    /// A table that is not the current one.
    #[error("table: {0}")]
    Rollback(#[from] RollbackError),
    /// A table's key without its header, or the reverse.
    #[error("a table's key is asked for with its header, and first")]
    Header,
    /// The enclave's keys are no keys.
    #[error("recipient: {0}")]
    Recipient(#[from] EncodingError),
    /// The evidence is refused.
    #[error("attestation: {0}")]
    Policy(#[from] PolicyRefusal),
    /// Keys that claim to be of another program than the evidence for them.
    #[error("the enclave's keys name another measurement than their evidence")]
    Measurement {
        /// What the evidence says.
        expected: [u8; 32],
        /// What travels with the keys.
        found: [u8; 32],
    },
    /// An enclave that the registry does not call current.
    #[error("{0}")]
    Enclave(#[from] EnclaveRefusal),
    /// The same request identifier with another digest.
    #[error("this request identifier was answered with another digest before")]
    Answered,
    /// One recipient too many.
    #[error("this request was answered to {answered} of the enclave's keys, where {MAX_RECIPIENTS} are possible")]
    Recipients {
        /// Recipients so far.
        answered: usize,
    },
    /// The answer could not be kept, so it is not given.
    #[error("the journal did not keep the answer: {reason}")]
    Journal {
        /// What the journal says.
        reason: String,
    },
    /// The share could not be made.
    #[error("share: {0}")]
    Seal(#[from] SealError),
}

/// The most recipients to which a participant answers one request.
///
/// An enclave that is restarted comes with fresh keys for the same request. Each recipient is one more run of the
/// program over the same ciphertexts, and so one more boolean for a host that gives it inputs which no signer would
/// sign for: hence few.
pub const MAX_RECIPIENTS: usize = 4;

/// Seconds that a request's deadline may lie ahead: until then its answers stay in the journal, whoever asked.
pub const MAX_LIFETIME: u64 = 7_200;

/// One answer under a request identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Digest of the request.
    pub request: [u8; 64],
    /// Digest of the enclave's keys to which the share is sealed.
    pub recipient: [u8; 64],
    /// The last second at which this may be given: the request's deadline, or the expiry of an order that is opened under no
    /// other identifier. Whoever forgets what ended before a second must refuse every later answer that ended before it.
    pub until: u64,
    /// The signed envelope.
    pub bytes: Vec<u8>,
}

/// What a participant has answered, by request identifier. A repeat gets the same bytes, after a restart too.
pub trait Journal {
    /// The answers under an identifier, oldest first.
    ///
    /// # Errors
    /// A sentence, when they cannot be read: then nothing must be answered under it.
    fn answers(&self, id: &[u8; 32]) -> Result<Vec<Answer>, String>;
    /// Keeps an answer before it is sent.
    ///
    /// # Errors
    /// A sentence, when the answer could not be kept: then it must not be sent.
    fn keep(&mut self, id: [u8; 32], answer: &Answer) -> Result<(), String>;
    /// Has everything that was kept on the medium; a journal whose `keep` does that has nothing to do here.
    ///
    /// # Errors
    /// A sentence, when answers could not be kept: then none of them must be sent.
    fn settle(&mut self) -> Result<(), String> {
        Ok(())
    }
    /// Whether another answer could be kept, as far as is known without trying.
    ///
    /// # Errors
    /// A sentence.
    fn writable(&self) -> Result<(), String> {
        Ok(())
    }
    /// Takes some of the answers out whose time ended before `now`; whether there is more to do. A journal that forgets
    /// nothing has nothing to do here.
    ///
    /// *Security*: `now` is no later than the node's clock and the newest finalised block; what was forgotten is past for
    /// ever, whatever a clock says afterwards.
    ///
    /// # Errors
    /// A sentence, when they could not be taken out.
    fn forget(&mut self, now: u64) -> Result<bool, String> {
        let _kept = now;
        Ok(false)
    }
}

impl<J: Journal + ?Sized> Journal for &mut J {
    fn answers(&self, id: &[u8; 32]) -> Result<Vec<Answer>, String> {
        (**self).answers(id)
    }

    fn keep(&mut self, id: [u8; 32], answer: &Answer) -> Result<(), String> {
        (**self).keep(id, answer)
    }

    fn settle(&mut self) -> Result<(), String> {
        (**self).settle()
    }

    fn writable(&self) -> Result<(), String> {
        (**self).writable()
    }

    fn forget(&mut self, now: u64) -> Result<bool, String> {
        (**self).forget(now)
    }
}

/// An answer that passed every check, before the journal has it.
///
/// *Security*: it leaves the participant through [`Answered::keep`] alone.
pub struct Prepared {
    id: [u8; 32],
    request: [u8; 64],
    recipient: [u8; 64],
    until: u64,
    envelope: Envelope,
}

/// A journal in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal(HashMap<[u8; 32], Vec<Answer>>);

impl Journal for MemoryJournal {
    fn answers(&self, id: &[u8; 32]) -> Result<Vec<Answer>, String> {
        Ok(self.0.get(id).cloned().unwrap_or_default())
    }

    fn keep(&mut self, id: [u8; 32], answer: &Answer) -> Result<(), String> {
        self.0.entry(id).or_default().push(answer.clone());
        Ok(())
    }
}

/// Whether a participant keeps to the protocol; the other two are for scenarios and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// It does.
    #[default]
    Honest,
    /// It answers with a share that does not verify, correctly signed and sealed.
    Lying,
    /// It never answers.
    Silent,
}

/// A participant with its secrets: every check that its journal has no part in, and the making of shares. Nothing that
/// it does changes it.
pub struct Participant {
    keys: ParticipantKeys,
    share: KeyShare,
    committee: Committee,
    policy: Policy,
    contract: [u8; 20],
    chain: u64,
    mode: Mode,
    behaviour: Behaviour,
    asks_registry: bool,
}

/// An ask that passed every check but the journal's.
pub struct Checked {
    id: [u8; 32],
    request: [u8; 64],
    recipient: [u8; 64],
    until: u64,
    verified: Vec<VerifiedCiphertext>,
}

/// The journal, and what it forbids.
pub struct Answered<J>(J);

impl<J: Journal> Answered<J> {
    /// The answer that a request had before: the same one to the same recipient, and none yet to another, as long as
    /// the request is the same and its recipients are few.
    ///
    /// # Errors
    /// [`Refusal::Answered`], [`Refusal::Recipients`], [`Refusal::Journal`].
    pub fn before(&self, checked: &Checked) -> Result<Option<Prepared>, Refusal> {
        let Checked { id, request, recipient, until, .. } = *checked;
        let envelope = self.find(&id, &request, &recipient)?;
        Ok(envelope.map(|envelope| Prepared { id, request, recipient, until, envelope }))
    }

    fn find(&self, id: &[u8; 32], request: &[u8; 64], recipient: &[u8; 64]) -> Result<Option<Envelope>, Refusal> {
        let answers = self.0.answers(id).map_err(|reason| Refusal::Journal { reason })?;
        if answers.iter().any(|answer| answer.request != *request) && stands(Guard::OneDigest) {
            return Err(Refusal::Answered);
        }
        if let Some(answer) = answers.iter().find(|answer| answer.recipient == *recipient) {
            return Ok(Some(Envelope::from_bytes(&answer.bytes)?));
        }
        match answers.len() {
            answered @ MAX_RECIPIENTS.. => Err(Refusal::Recipients { answered }),
            _ => Ok(None),
        }
    }

    /// The answer goes into the journal, unless the journal has one for this request and recipient, which is then the
    /// answer. It must not be sent before [`Self::settle`] has returned.
    ///
    /// # Errors
    /// [`Refusal::Answered`], [`Refusal::Recipients`], [`Refusal::Journal`].
    pub fn keep(&mut self, prepared: Prepared) -> Result<Envelope, Refusal> {
        let Prepared { id, request, recipient, until, envelope } = prepared;
        if let Some(envelope) = self.find(&id, &request, &recipient)? {
            return Ok(envelope);
        }
        let answer = Answer { request, recipient, until, bytes: envelope.to_bytes() };
        self.0.keep(id, &answer).map_err(|reason| Refusal::Journal { reason })?;
        Ok(envelope)
    }

    /// Has every kept answer on the medium.
    ///
    /// # Errors
    /// [`Refusal::Journal`]: no answer kept since the last time may be sent.
    pub fn settle(&mut self) -> Result<(), Refusal> {
        self.0.settle().map_err(|reason| Refusal::Journal { reason })
    }

    /// As [`Journal::writable`].
    ///
    /// # Errors
    /// [`Refusal::Journal`].
    pub fn writable(&self) -> Result<(), Refusal> {
        self.0.writable().map_err(|reason| Refusal::Journal { reason })
    }

    /// As [`Journal::forget`].
    ///
    /// # Errors
    /// [`Refusal::Journal`].
    pub fn forget(&mut self, now: u64) -> Result<bool, Refusal> {
        self.0.forget(now).map_err(|reason| Refusal::Journal { reason })
    }
}

/// A participant with its journal.
pub struct VaultNode<J> {
    participant: Participant,
    answered: Answered<J>,
}

impl<J: Journal> VaultNode<J> {
    /// A participant that serves one contract on one chain, in mode sealed.
    #[must_use]
    pub fn new(
        keys: ParticipantKeys,
        share: KeyShare,
        committee: Committee,
        policy: Policy,
        served: (u64, [u8; 20]),
        journal: J,
    ) -> Self {
        let (chain, contract) = served;
        let (mode, behaviour) = (Mode::Sealed, Behaviour::Honest);
        let asks_registry = false;
        let participant =
            Participant { keys, share, committee, policy, contract, chain, mode, behaviour, asks_registry };
        Self { participant, answered: Answered(journal) }
    }

    /// The one mode that the participant serves; `Mode::Public` serves nobody, since there is no enclave in it.
    ///
    /// *Security*: the participant's operator chooses it, not the host: the modes rest on different assumptions
    /// (`docs/spec/compact.md`), and one committee asked in two modes answers neither of the two requests.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.participant.mode = mode;
        self
    }

    /// The same participant, which gives no share without the registry's word on whose enclave asks.
    #[must_use]
    pub fn with_registry(mut self) -> Self {
        self.participant.asks_registry = true;
        self
    }

    /// Makes the participant misbehave.
    #[must_use]
    pub fn with_behaviour(mut self, behaviour: Behaviour) -> Self {
        self.participant.behaviour = behaviour;
        self
    }

    /// Who it is.
    #[must_use]
    pub fn identifier(&self) -> Identifier {
        self.participant.share.identifier()
    }

    /// The two halves: a server lets many callers check at once, and one at a time reach the journal.
    #[must_use]
    pub fn into_parts(self) -> (Participant, Answered<J>) {
        (self.participant, self.answered)
    }

    /// Checks a request against the chain and answers in the participant's mode, signed: with a sealed share or with
    /// compact partials. `None` when silent.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn reencrypt(
        &mut self,
        view: &ChainView,
        ask: &Ask,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<Envelope>, Refusal> {
        let Some(checked) = self.participant.check(view, ask, now)? else { return Ok(None) };
        let prepared = match self.answered.before(&checked)? {
            Some(prepared) => prepared,
            None => self.participant.make(ask, checked, rng)?,
        };
        let envelope = self.answered.keep(prepared)?;
        if stands(Guard::Settled) {
            self.answered.settle()?;
        }
        Ok(Some(envelope))
    }
}

impl Participant {
    /// The committee of its share.
    #[must_use]
    pub fn committee(&self) -> &Committee {
        &self.committee
    }

    /// The epoch of its share.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.committee.epoch()
    }

    /// Every check but the journal's, the cheap ones first: no proof is looked at for an enclave that is not accepted.
    /// `None` when silent.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, view: &ChainView, ask: &Ask, now: u64) -> Result<Option<Checked>, Refusal> {
        if self.behaviour == Behaviour::Silent {
            return Ok(None);
        }
        self.check_request(view, &ask.request, now)?;
        let (id, request, recipient) = (ask.request.id, ask.request.digest(), ask.card.recipient.digest());
        self.check_recipient(&ask.card, &request, now)?;
        self.check_enclave(view, ask, &request, now)?;
        self.check_named(view, ask)?;
        let verified = self.check_proofs(ask)?;
        Ok(Some(Checked { id, request, recipient, until: until(view, ask), verified }))
    }

    /// The signed answer to what was checked.
    ///
    /// # Errors
    /// [`Refusal::Seal`], [`Refusal::Recipient`].
    pub fn make(&self, ask: &Ask, checked: Checked, rng: &mut impl CryptoRng) -> Result<Prepared, Refusal> {
        let Checked { id, request, recipient, until, verified } = checked;
        let made = self.answer(&ask.request, &ask.card.recipient, &verified, rng)?;
        let (committee, epoch) = (self.committee.digest(), self.committee.epoch());
        let from = self.share.identifier();
        let envelope = Envelope::sign(&self.keys, &committee, epoch, from, &request, made.kind, made.payload)?;
        Ok(Prepared { id, request, recipient, until, envelope })
    }

    /// The measurement is under the share's seal and not under the evidence's user data: altered on the way, it
    /// would leave an answer in the journal that no enclave opens.
    fn check_recipient(&self, card: &AttestedRecipient, digest: &[u8; 64], now: u64) -> Result<(), Refusal> {
        let recipient = &card.recipient;
        let evidence = self.policy.check(&card.evidence, &recipient.user_data(digest), digest, now)?;
        let (expected, found) = (evidence.measurement, recipient.measurement);
        if expected == found { Ok(()) } else { Err(Refusal::Measurement { expected, found }) }
    }

    fn answer(
        &self,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut impl CryptoRng,
    ) -> Result<vault::Answer, SealError> {
        match (self.behaviour, request.mode) {
            (Behaviour::Lying, Mode::Sealed) => self.sealed_lie(request, recipient, ciphertexts, rng),
            (Behaviour::Lying, _) => {
                vault::answer(&self.share, &self.committee, request, recipient, ciphertexts, rng).map(bend_partials)
            }
            (Behaviour::Honest | Behaviour::Silent, _) => {
                vault::answer(&self.share, &self.committee, request, recipient, ciphertexts, rng)
            }
        }
    }

    /// Wrong shares under a right seal.
    fn sealed_lie(
        &self,
        request: &Request,
        recipient: &Recipient,
        ciphertexts: &[VerifiedCiphertext],
        rng: &mut impl CryptoRng,
    ) -> Result<vault::Answer, SealError> {
        let sealed = seal_wrong(&self.share, &self.committee, request, recipient, ciphertexts, rng)?;
        Ok(vault::Answer { kind: Kind::Sealed, payload: sealed.to_bytes() })
    }

    fn check_request(&self, view: &ChainView, request: &Request, now: u64) -> Result<(), Refusal> {
        let expected = [
            ("chain", request.chain == self.chain),
            ("contract", request.contract == self.contract),
            ("epoch", request.epoch == self.committee.epoch()),
            ("committee", request.committee == self.committee.digest()),
            ("mode", request.mode == self.mode && request.mode != Mode::Public),
        ];
        if let Some((what, _)) = expected.into_iter().find(|(_, holds)| !holds) {
            return Err(Refusal::Foreign { what });
        }
        if request.block_hash != view.block_hash {
            return Err(Refusal::Block);
        }
        if now > request.deadline {
            return Err(Refusal::Expired { deadline: request.deadline, now });
        }
        if request.deadline > now.saturating_add(MAX_LIFETIME) {
            return Err(Refusal::Lifetime { deadline: request.deadline, now });
        }
        Ok(request.check()?)
    }

    /// The ciphertexts are those that the request names, and the chain has them.
    fn check_named(&self, view: &ChainView, ask: &Ask) -> Result<(), Refusal> {
        let named = &ask.request.ciphertexts;
        if named.len() != ask.ciphertexts.len() {
            return Err(Refusal::OtherCiphertext { index: named.len().min(ask.ciphertexts.len()) });
        }
        check_header(view, ask)?;
        for (index, (ciphertext, digest)) in ask.ciphertexts.iter().zip(named).enumerate() {
            if ciphertext.digest() != *digest {
                return Err(Refusal::OtherCiphertext { index });
            }
            self.check_label(view, ask, index, ciphertext)?;
        }
        Ok(())
    }

    fn check_proofs(&self, ask: &Ask) -> Result<Vec<VerifiedCiphertext>, Refusal> {
        let one = |(index, ciphertext): (usize, &Ciphertext)| {
            let verified = ciphertext.clone().verify(self.committee.master_public_key());
            verified.map_err(|source| Refusal::Ciphertext { index, source })
        };
        ask.ciphertexts.iter().enumerate().map(one).collect()
    }

    fn check_label(&self, view: &ChainView, ask: &Ask, index: usize, ciphertext: &Ciphertext) -> Result<(), Refusal> {
        let label = ciphertext.label();
        if label.chain != self.chain || label.contract != self.contract {
            return Err(Refusal::Label { index, what: "for another contract or chain" });
        }
        match label.kind {
            LabelKind::Public => Err(Refusal::Label { index, what: "of a kind that is not re-encrypted" }),
            LabelKind::TableKey if index == 0 && ask.header.is_some() => Ok(()),
            LabelKind::TableKey => Err(Refusal::Header),
            LabelKind::Recipient => check_submission(view, ask, index, ciphertext),
        }
    }
}

/// Partials of which the last one's A_i is replaced by the proof's first commitment: they are read, and do not verify.
fn bend_partials(mut made: vault::Answer) -> vault::Answer {
    if let Some(start) = made.payload.len().checked_sub(PARTIAL_LEN) {
        made.payload.copy_within(start + 64..start + 96, start);
    }
    made
}

fn check_header(view: &ChainView, ask: &Ask) -> Result<(), Refusal> {
    let Some(header) = &ask.header else {
        return if ask.request.table_header.is_none() { Ok(()) } else { Err(Refusal::Header) };
    };
    check_current(header, view.header_hash, view.version)?;
    let wrapped = header.wrapped();
    let first = ask.request.ciphertexts.first();
    if ask.request.table_header == Some(header.hash()) && first == Some(&wrapped.digest()) {
        Ok(())
    } else {
        Err(Refusal::Header)
    }
}

fn check_submission(view: &ChainView, ask: &Ask, index: usize, ciphertext: &Ciphertext) -> Result<(), Refusal> {
    let label = ciphertext.label();
    let known = view.submissions.get(&label.id).ok_or(Refusal::NotOnChain { index })?;
    if known.hash != keccak256(&[&ciphertext.to_bytes()]) || known.who != label.requester {
        return Err(Refusal::NotOnChain { index });
    }
    if label.expiry < view.time {
        return Err(Refusal::Label { index, what: "past its expiry" });
    }
    if known.opens_at > 0 && ask.request.id != label.id {
        return Err(Refusal::Label { index, what: "an order, asked for under another identifier than its own" });
    }
    if known.opens_at > view.time {
        return Err(Refusal::TooEarly { index, opens_at: known.opens_at, time: view.time });
    }
    Ok(())
}

/// How long an answer is remembered, and until when it may be given. An order is opened under its own identifier alone and
/// for one digest, so its answers stay for as long as its label lives, and no longer: whatever deadline another request for
/// it has, a journal that forgot what ended before some second refuses it by its label. Every other request could as well
/// come under another identifier.
fn until(view: &ChainView, ask: &Ask) -> u64 {
    let order = |ciphertext: &Ciphertext| {
        let label = ciphertext.label();
        let known = view.submissions.get(&label.id).filter(|_| label.kind == LabelKind::Recipient)?;
        (known.opens_at > 0).then_some(label.expiry)
    };
    ask.ciphertexts.iter().filter_map(order).min().unwrap_or(ask.request.deadline)
}
