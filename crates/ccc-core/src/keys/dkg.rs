//! Distributed key generation: everybody deals, nobody learns the master secret, all agree on what came of it.
//!
//! Four rounds on a board: digests of dealings, dealings, complaints, confirmations. The states do no input or output:
//! each takes what the board carried and gives what is to be posted.
//!
//! *Source*: joint Feldman (Pedersen 1991) with proofs of possession, commit-then-open, and publicly decidable
//! complaints. *Security*: the last to open may still abort, which leaves it a choice among 2^F public keys: harmless
//! for an encryption key.

mod package;
mod run;

pub use run::run_in_process;

use super::committee::Committee;
use super::complaint::{Complaint, Verdict};
use super::dealing::{Dealing, DealingError, ShareFault, VerifiedDealing};
use super::participant::ParticipantKeys;
use super::roster::MembershipError;
use super::session::{Protocol, Session};
use super::share::{KeyShare, KeyShareError};
use super::sharing::Sharing;
use crate::encoding::EncodingError;
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::secret::{RandomnessError, SecretScalar, random_scalar};
use curve25519_dalek::Scalar;
use package::{Package, collect};
use rand_core::CryptoRng;
use std::collections::BTreeMap;

/// What a participant of a key generation did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It posted nothing in a round.
    Silent,
    /// It signed two different messages in one round.
    Equivocation,
    /// It opened another dealing than it had committed to.
    NotAsCommitted,
    /// Its dealing is wrong in public.
    Dealing(DealingError),
    /// Its dealing uses the same ephemeral point as another.
    RepeatedPoint,
    /// A complaint proved that a share it dealt is wrong.
    Share(ShareFault),
    /// It complained without reason.
    FalseComplaint,
    /// It confirmed another transcript.
    Disagreement,
}

/// A participant at fault. Everything but silence is proved by its own signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkgCulprit {
    /// Who.
    pub identifier: Identifier,
    /// What.
    pub fault: Fault,
}

/// Why a key generation ended without a key. No share is left behind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DkgError {
    /// Keys that are not the roster's for this identifier.
    #[error("participant {identifier} with these keys is not on the roster")]
    NotOnTheRoster {
        /// The identifier.
        identifier: Identifier,
    },
    /// A session of another protocol.
    #[error("a session of protocol {found:?}, where a key generation is wanted")]
    Protocol {
        /// The session's protocol.
        found: Protocol,
    },
    /// Fewer dealers than n − F are left.
    #[error("{have} dealers qualify, where {need} are needed")]
    TooFewDealers {
        /// n − F.
        need: usize,
        /// Dealers left.
        have: usize,
        /// Who is at fault.
        culprits: Vec<DkgCulprit>,
    },
    /// A dealer dealt this participant a wrong share, and the board does not carry the complaint.
    #[error("the share of dealer {dealer} is wrong and the complaint is missing on the board")]
    ComplaintMissing {
        /// The dealer.
        dealer: Identifier,
    },
    /// Fewer than n − F participants confirmed this transcript.
    #[error("{have} participants confirm the transcript, where {need} are needed")]
    NotConfirmed {
        /// n − F.
        need: usize,
        /// Confirmations.
        have: usize,
        /// Who is at fault.
        culprits: Vec<DkgCulprit>,
    },
    /// The random generator is broken.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// A message does not fit an envelope.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The dealings add up to no committee.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// The shares add up to another share than the committee's table says.
    #[error(transparent)]
    KeyShare(#[from] KeyShareError),
}

/// What a key generation gives one participant: the same committee and transcript for all, a share for itself.
pub struct Outcome {
    /// The public result.
    pub committee: Committee,
    /// This participant's share.
    pub key_share: KeyShare,
    /// digest32 H("transcript"; …).
    pub transcript: [u8; 32],
    /// Who was found at fault on the way.
    pub culprits: Vec<DkgCulprit>,
}

/// A participant before the first round.
pub struct Participant<'k> {
    me: Me<'k>,
}

/// What every state carries.
struct Me<'k> {
    session: Session,
    identifier: Identifier,
    keys: &'k ParticipantKeys,
    culprits: BTreeMap<Identifier, Fault>,
}

/// A participant that has committed to its dealing.
pub struct Committed<'k> {
    me: Me<'k>,
    dealing: Dealing,
}

/// A participant that has opened its dealing.
pub struct Opened<'k> {
    me: Me<'k>,
    commitments: BTreeMap<Identifier, [u8; 32]>,
}

/// A participant that has seen all dealings and complained about the wrong ones.
pub struct Complained<'k> {
    me: Me<'k>,
    dealings: BTreeMap<Identifier, Received>,
}

/// A participant with a result that is not yet confirmed by the others.
pub struct Unconfirmed<'k> {
    me: Me<'k>,
    committee: Committee,
    key_share: KeyShare,
    transcript: [u8; 32],
}

struct Received {
    dealing: VerifiedDealing,
    share: Result<SecretScalar, ShareFault>,
}

impl<'k> Participant<'k> {
    /// A participant of this session.
    ///
    /// # Errors
    /// [`DkgError::NotOnTheRoster`], [`DkgError::Protocol`].
    pub fn new(session: Session, identifier: Identifier, keys: &'k ParticipantKeys) -> Result<Self, DkgError> {
        if session.protocol() != Protocol::Dkg {
            return Err(DkgError::Protocol { found: session.protocol() });
        }
        if session.roster().member(identifier) != Some(&keys.public(identifier)) {
            return Err(DkgError::NotOnTheRoster { identifier });
        }
        Ok(Self { me: Me { session, identifier, keys, culprits: BTreeMap::new() } })
    }

    /// Deals, and commits to the dealing. *Security*: MUST run once per session.
    ///
    /// # Errors
    /// [`DkgError::Randomness`].
    pub fn commit<R: CryptoRng + ?Sized>(self, rng: &mut R) -> Result<(Committed<'k>, Envelope), DkgError> {
        let Self { me } = self;
        let dealing = Dealing::create(&me.session, me.identifier.get(), random_scalar(rng)?, rng)?;
        let envelope = me.sign(Package::Commitment(dealing.commitment_digest()))?;
        Ok((Committed { me, dealing }, envelope))
    }
}

impl<'k> Committed<'k> {
    /// Takes everybody's commitments and opens the dealing.
    ///
    /// # Errors
    /// [`DkgError::TooFewDealers`].
    pub fn open(self, commit_round: &[Envelope]) -> Result<(Opened<'k>, Envelope), DkgError> {
        let Self { mut me, dealing } = self;
        let mut commitments = BTreeMap::new();
        for (identifier, packages) in collect(&me.session, commit_round, Package::commitment) {
            match packages.as_slice() {
                [digest] => drop(commitments.insert(identifier, *digest)),
                _ => me.blame(identifier, Fault::Equivocation),
            }
        }
        me.blame_silent(&commitments);
        me.require(commitments.len())?;
        let envelope = me.sign(Package::Dealing(dealing.to_bytes()))?;
        Ok((Opened { me, commitments }, envelope))
    }
}

impl<'k> Opened<'k> {
    /// Takes everybody's dealings, and complains about shares that are wrong.
    ///
    /// # Errors
    /// [`DkgError::TooFewDealers`], [`DkgError::Randomness`].
    pub fn complain<R: CryptoRng + ?Sized>(
        self,
        open_round: &[Envelope],
        rng: &mut R,
    ) -> Result<(Complained<'k>, Vec<Envelope>), DkgError> {
        let Self { mut me, commitments } = self;
        let posted = collect(&me.session, open_round, Package::dealing);
        let mut dealings = BTreeMap::new();
        for (identifier, digest) in &commitments {
            match me.dealing(*identifier, digest, posted.get(identifier)) {
                Ok(dealing) => drop(dealings.insert(*identifier, dealing)),
                Err(fault) => me.blame(*identifier, fault),
            }
        }
        me.refuse_repeated_points(&mut dealings);
        me.require(dealings.len())?;
        let dealings = me.open_shares(dealings);
        let envelopes = me.complaints(&dealings, rng)?;
        Ok((Complained { me, dealings }, envelopes))
    }
}

impl<'k> Complained<'k> {
    /// Takes everybody's complaints, fixes the qualified dealers and adds up their dealings.
    ///
    /// # Errors
    /// [`DkgError`].
    pub fn finish(self, complaint_round: &[Envelope]) -> Result<(Unconfirmed<'k>, Envelope), DkgError> {
        let Self { mut me, mut dealings } = self;
        for (accuser, complaints) in collect(&me.session, complaint_round, Package::complaint) {
            for (dealer, complaint) in complaints {
                me.judge(&mut dealings, accuser, dealer, &complaint);
            }
        }
        me.require(dealings.len())?;
        let mut secret = SecretScalar::new(Scalar::ZERO);
        for (&dealer, received) in &dealings {
            let share = received.share.as_ref().map_err(|_| DkgError::ComplaintMissing { dealer })?;
            secret = SecretScalar::new(secret.expose() + share.expose());
        }
        let qualified: Vec<_> = dealings.values().map(|received| &received.dealing).collect();
        let Sharing { committee, transcript } = Sharing::of(&me.session, &qualified)?;
        let key_share = KeyShare::new(me.identifier, secret, &committee)?;
        let envelope = me.sign(Package::Confirmation(transcript))?;
        Ok((Unconfirmed { me, committee, key_share, transcript }, envelope))
    }
}

impl Unconfirmed<'_> {
    /// Takes everybody's confirmations: the result counts once n − F participants have the same.
    ///
    /// # Errors
    /// [`DkgError::NotConfirmed`]; the share is gone.
    pub fn confirm(self, confirm_round: &[Envelope]) -> Result<Outcome, DkgError> {
        let Self { mut me, committee, key_share, transcript } = self;
        let mut have = 0;
        for (identifier, found) in collect(&me.session, confirm_round, Package::confirmation) {
            match found.as_slice() {
                [same] if *same == transcript => have += 1,
                [_] => me.blame(identifier, Fault::Disagreement),
                _ => me.blame(identifier, Fault::Equivocation),
            }
        }
        let (need, culprits) = (me.quorum(), me.culprits());
        if have < need {
            return Err(DkgError::NotConfirmed { need, have, culprits });
        }
        Ok(Outcome { committee, key_share, transcript, culprits })
    }
}

impl Me<'_> {
    fn sign(&self, package: Package) -> Result<Envelope, EncodingError> {
        let roster = self.session.roster();
        let (kind, payload) = package.encode();
        Envelope::sign(self.keys, &roster.digest(), roster.epoch(), self.identifier, &self.session.id(), kind, payload)
    }

    fn blame(&mut self, identifier: Identifier, fault: Fault) {
        self.culprits.entry(identifier).or_insert(fault);
    }

    fn blame_silent(&mut self, spoke: &BTreeMap<Identifier, [u8; 32]>) {
        let members: Vec<_> = self.session.roster().members().iter().map(|m| m.identifier).collect();
        for identifier in members.into_iter().filter(|i| !spoke.contains_key(i)) {
            self.blame(identifier, Fault::Silent);
        }
    }

    fn culprits(&self) -> Vec<DkgCulprit> {
        let culprit = |(&identifier, fault): (&Identifier, &Fault)| DkgCulprit { identifier, fault: fault.clone() };
        self.culprits.iter().map(culprit).collect()
    }

    fn quorum(&self) -> usize {
        let threshold = self.session.roster().threshold();
        usize::from(threshold.n() - threshold.max_faulty())
    }

    fn require(&self, have: usize) -> Result<(), DkgError> {
        let need = self.quorum();
        if have >= need { Ok(()) } else { Err(DkgError::TooFewDealers { need, have, culprits: self.culprits() }) }
    }

    /// The dealing that was committed to, if it was opened and is right in public.
    fn dealing(
        &self,
        identifier: Identifier,
        digest: &[u8; 32],
        posted: Option<&Vec<Vec<u8>>>,
    ) -> Result<VerifiedDealing, Fault> {
        let posted = posted.ok_or(Fault::Silent)?;
        let bytes = posted.iter().find(|bytes| Package::digest(bytes) == *digest).ok_or(Fault::NotAsCommitted)?;
        let dealing = Dealing::from_bytes(bytes).map_err(|error| Fault::Dealing(error.into()))?;
        if dealing.dealer() != identifier.get() {
            return Err(Fault::Dealing(DealingError::Dealer { found: dealing.dealer() }));
        }
        dealing.verify(&self.session).map_err(Fault::Dealing)
    }

    fn refuse_repeated_points(&mut self, dealings: &mut BTreeMap<Identifier, VerifiedDealing>) {
        let mut dealers: BTreeMap<[u8; 32], Vec<Identifier>> = BTreeMap::new();
        for (identifier, dealing) in dealings.iter() {
            dealers.entry(*dealing.r().bytes()).or_default().push(*identifier);
        }
        for identifier in dealers.into_values().filter(|same| same.len() > 1).flatten() {
            dealings.remove(&identifier);
            self.blame(identifier, Fault::RepeatedPoint);
        }
    }

    /// Opens every share and checks each against its own commitments.
    ///
    /// *Security*: a check of their sum would let two dealers hide errors that cancel in it, and part them by having
    /// one of the two evicted. A sum with random weights costs as much as the single checks.
    fn open_shares(&self, dealings: BTreeMap<Identifier, VerifiedDealing>) -> BTreeMap<Identifier, Received> {
        let open = |(identifier, dealing): (Identifier, VerifiedDealing)| {
            let share = dealing.open_share(self.identifier, self.keys);
            let checked = share.and_then(|share| {
                dealing.check_share_vartime(self.identifier, &share)?;
                Ok(share)
            });
            (identifier, Received { dealing, share: checked })
        };
        dealings.into_iter().map(open).collect()
    }

    fn complaints<R: CryptoRng + ?Sized>(
        &self,
        dealings: &BTreeMap<Identifier, Received>,
        rng: &mut R,
    ) -> Result<Vec<Envelope>, DkgError> {
        let mut envelopes = Vec::new();
        for (dealer, received) in dealings.iter().filter(|(_, received)| received.share.is_err()) {
            let complaint = Complaint::create(&received.dealing, self.identifier, self.keys, rng)?;
            envelopes.push(self.sign(Package::Complaint(*dealer, Box::new(complaint)))?);
        }
        Ok(envelopes)
    }

    fn judge(
        &mut self,
        dealings: &mut BTreeMap<Identifier, Received>,
        accuser: Identifier,
        dealer: Identifier,
        complaint: &Complaint,
    ) {
        let Some(received) = dealings.get(&dealer) else { return };
        match complaint.judge(&received.dealing, accuser) {
            Verdict::Dealer(fault) => {
                dealings.remove(&dealer);
                self.culprits.insert(dealer, Fault::Share(fault));
            }
            Verdict::Accuser => self.blame(accuser, Fault::FalseComplaint),
        }
    }
}

#[cfg(test)]
mod tests;
