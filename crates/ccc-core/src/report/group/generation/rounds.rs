//! The states of a participant, and what moves it from one to the next.

use super::dealing::{GroupDealing, VerifiedGroupDealing};
use super::party::Party;
use super::sharing::{add_up, committee, that_count, transcript, weights};
use super::{GroupCommittee, GroupSession};
use crate::encoding::{Kind, kind_of};
use crate::envelope::Envelope;
use crate::identifier::Identifier;
use crate::keys::rounds::package::{
    MAX_PER_SENDER, Opening, Package, collect, collect_complaints, collect_confirmations, confirmations,
};
use crate::keys::rounds::{Culprit, Fault, Faults, Role, RoundsError, Seed};
use crate::keys::{Complaint, DealingError, ShareFault, Verdict};
use crate::report::group::GroupShare;
use crate::secret::random64;
use crate::suite::{digest32, domain};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use blsttc::SecretKeyShare;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// A participant before the first round. It posts nothing.
pub struct Participant<'k> {
    party: Party<'k>,
    seed: Seed,
}

/// A participant that has committed to its dealing.
pub struct Committed<'k> {
    me: Me<'k>,
    dealing: Option<GroupDealing>,
}

/// A participant that has opened its dealing.
pub struct Opened<'k> {
    me: Me<'k>,
    commitments: BTreeMap<Identifier, [u8; 32]>,
}

/// A participant that has seen all dealings and complained about the wrong ones.
pub struct Complained<'k> {
    me: Me<'k>,
    digests: BTreeMap<Identifier, [u8; 32]>,
    dealings: BTreeMap<Identifier, VerifiedGroupDealing>,
    shares: BTreeMap<Identifier, SecretKeyShare>,
}

/// A participant with a result that the others have not confirmed.
pub struct Unconfirmed<'k> {
    me: Me<'k>,
    committee: GroupCommittee,
    share: Option<GroupShare>,
    transcript: [u8; 32],
}

/// What a run gives one participant: the same committee and transcript for all, a share for itself.
#[non_exhaustive]
pub struct Outcome {
    /// The public result.
    pub committee: GroupCommittee,
    /// This participant's share, if it receives.
    pub share: Option<GroupShare>,
    /// digest32 H("group-transcript"; …).
    pub transcript: [u8; 32],
    /// Who was found at fault on the way.
    pub culprits: Vec<Culprit>,
}

struct Me<'k> {
    party: Party<'k>,
    seed: Seed,
    faults: Faults,
    outgoing: Vec<Envelope>,
}

type Wrong = BTreeMap<Identifier, ShareFault>;

impl<'k> Participant<'k> {
    /// Joins: the only point at which randomness is drawn.
    ///
    /// # Errors
    /// [`RoundsError::Randomness`].
    pub fn join<R: CryptoRng + ?Sized>(party: Party<'k>, rng: &mut R) -> Result<Self, RoundsError> {
        Ok(Self { party, seed: random64(rng)? })
    }

    /// Joins again with a stored seed, and will post the same.
    ///
    /// *Security*: MUST be the seed of the same run and party; see [`Participant::seed`].
    #[must_use]
    pub fn resume(party: Party<'k>, seed: Zeroizing<[u8; 64]>) -> Self {
        Self { party, seed }
    }

    /// What is to be stored, sealed, before anything is posted. *Security*: with the dealing key it gives the whole
    /// dealing away.
    #[must_use]
    pub fn seed(&self) -> &Zeroizing<[u8; 64]> {
        &self.seed
    }

    /// Deals, and commits to the dealing.
    ///
    /// # Errors
    /// [`RoundsError::Randomness`].
    pub fn commit(self) -> Result<Committed<'k>, RoundsError> {
        let Self { party, seed } = self;
        let (dealing, later) = (party.deal(&seed)?, party.later_seed(&seed)?);
        let outgoing = match &dealing {
            Some(dealing) => party.post_commitment(commitment_digest(&dealing.to_bytes()))?,
            None => Vec::new(),
        };
        Ok(Committed { me: Me { party, seed: later, faults: Faults::default(), outgoing }, dealing })
    }
}

impl<'k> Committed<'k> {
    /// What is to be posted in the commit round: the digest of the dealing.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// Takes everybody's commitments and opens the dealing.
    ///
    /// # Errors
    /// [`RoundsError::TooFewDealers`].
    pub fn open(self, commit_round: &[Envelope]) -> Result<Opened<'k>, RoundsError> {
        let Self { mut me, dealing } = self;
        let mut commitments = BTreeMap::new();
        for (dealer, digests) in me.said_by_dealers(commit_round, Package::commitment) {
            match digests.as_slice() {
                [digest] => drop(commitments.insert(dealer, *digest)),
                _ => me.faults.blame(Role::Dealer, dealer, Fault::Equivocation),
            }
        }
        me.blame_silent(&commitments);
        me.require(commitments.len())?;
        me.outgoing = dealing.map_or(Ok(Vec::new()), |dealing| me.party.post_dealing(&dealing))?;
        Ok(Opened { me, commitments })
    }
}

impl<'k> Opened<'k> {
    /// What is to be posted in the open round: the dealing.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// Takes everybody's dealings, and complains about shares that are wrong.
    ///
    /// # Errors
    /// [`RoundsError::TooFewDealers`].
    pub fn complain(self, open_round: &[Envelope]) -> Result<Complained<'k>, RoundsError> {
        let Self { mut me, commitments } = self;
        let session = me.party.session().clone();
        let posted = me.said_by_dealers(open_round, |envelope| {
            opening(&session, envelope, commitments.get(&envelope.identifier())?)
        });
        let mut dealings = BTreeMap::new();
        for dealer in commitments.keys() {
            match opened_dealing(&session, *dealer, posted.get(dealer)) {
                Ok(dealing) => drop(dealings.insert(*dealer, dealing)),
                Err(fault) => me.faults.blame(Role::Dealer, *dealer, fault),
            }
        }
        me.refuse_repeated_points(&mut dealings);
        me.require(dealings.len())?;
        let (shares, wrong) = me.open_shares(&dealings);
        me.outgoing = me.complaints(&dealings, &wrong)?;
        Ok(Complained { me, digests: commitments, dealings, shares })
    }
}

impl<'k> Complained<'k> {
    /// What is to be posted in the complain round: mostly nothing.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// Takes everybody's complaints, fixes the qualified dealers and adds up their dealings.
    ///
    /// # Errors
    /// [`RoundsError`].
    pub fn finish(self, complaint_round: &[Envelope]) -> Result<Unconfirmed<'k>, RoundsError> {
        let Self { mut me, digests, mut dealings, shares } = self;
        for (accuser, complaints) in collect_complaints(me.party.session().rounds(), complaint_round) {
            for (dealer, complaint) in complaints {
                me.judge(&mut dealings, accuser, dealer, &complaint);
            }
        }
        me.require(dealings.len())?;
        let session = me.party.session();
        let counted = that_count(session, &dealings);
        let weights = weights(session, &counted)?;
        let committee = committee(session, &counted, &weights)?;
        let transcript = transcript(session, &counted, &digests, &committee);
        let receive =
            |seat: crate::keys::rounds::Seat<'_>| add_up(&counted, &weights, &shares, seat.identifier, &committee);
        let share = me.party.receiver().map(receive).transpose()?;
        me.outgoing = me.party.post_as_receiver(Package::Confirmation(transcript))?;
        Ok(Unconfirmed { me, committee, share, transcript })
    }
}

impl Unconfirmed<'_> {
    /// What is to be posted in the confirm round: the transcript's digest. *Security*: it says that the share is stored.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// Takes everybody's confirmations: the result counts once n − F receivers have the same.
    ///
    /// # Errors
    /// [`RoundsError::NotConfirmed`]; the new share is gone.
    pub fn confirm(mut self, confirm_round: &[Envelope]) -> Result<Outcome, RoundsError> {
        let rounds = self.me.party.session().rounds().clone();
        for (identifier, found) in collect_confirmations(&rounds, confirm_round) {
            let fault = match found.as_slice() {
                [same] if *same == self.transcript => continue,
                [_] => Fault::Disagreement,
                _ => Fault::Equivocation,
            };
            self.me.faults.blame(Role::Receiver, identifier, fault);
        }
        let confirmed = confirmations(&rounds, &self.transcript, confirm_round);
        for member in rounds.roster().members().iter().filter(|m| !confirmed.contains_key(&m.identifier)) {
            self.me.faults.blame(Role::Receiver, member.identifier, Fault::Silent);
        }
        let (need, have, culprits) = (rounds.enough_confirmations(), confirmed.len(), self.me.faults.culprits());
        if have < need {
            return Err(RoundsError::NotConfirmed { need, have, culprits });
        }
        let Self { committee, share, transcript, .. } = self;
        Ok(Outcome { committee, share, transcript, culprits })
    }
}

impl Me<'_> {
    /// What the dealers of this run signed for it, per dealer in the board's order.
    fn said_by_dealers<T: PartialEq>(
        &self,
        envelopes: &[Envelope],
        read: impl Fn(&Envelope) -> Option<T>,
    ) -> BTreeMap<Identifier, Vec<T>> {
        let session = self.party.session();
        collect(session.rounds(), envelopes, MAX_PER_SENDER, |dealer| session.dealer_key(dealer), read)
    }

    fn blame_silent(&mut self, spoke: &BTreeMap<Identifier, [u8; 32]>) {
        for member in self.party.session().dealers().members().iter().filter(|m| !spoke.contains_key(&m.identifier)) {
            self.faults.blame(Role::Dealer, member.identifier, Fault::Silent);
        }
    }

    fn require(&self, have: usize) -> Result<(), RoundsError> {
        let need = self.party.session().enough_dealers();
        if have >= need {
            return Ok(());
        }
        Err(RoundsError::TooFewDealers { need, have, culprits: self.faults.culprits() })
    }

    /// A copied ephemeral point would turn complaints about one dealing into keys of another.
    fn refuse_repeated_points(&mut self, dealings: &mut BTreeMap<Identifier, VerifiedGroupDealing>) {
        let mut dealers: BTreeMap<[u8; 32], Vec<Identifier>> = BTreeMap::new();
        for (dealer, dealing) in dealings.iter() {
            dealers.entry(*dealing.point()).or_default().push(*dealer);
        }
        for dealer in dealers.into_values().filter(|same| same.len() > 1).flatten() {
            dealings.remove(&dealer);
            self.faults.blame(Role::Dealer, dealer, Fault::RepeatedPoint);
        }
    }

    fn open_shares(
        &self,
        dealings: &BTreeMap<Identifier, VerifiedGroupDealing>,
    ) -> (BTreeMap<Identifier, SecretKeyShare>, Wrong) {
        let (mut shares, mut wrong) = (BTreeMap::new(), Wrong::new());
        let Some(seat) = self.party.receiver() else { return (shares, wrong) };
        for (dealer, dealing) in dealings {
            match dealing.open_share(seat.identifier, seat.keys) {
                Ok(share) => drop(shares.insert(*dealer, share)),
                Err(fault) => drop(wrong.insert(*dealer, fault)),
            }
        }
        (shares, wrong)
    }

    fn complaints(
        &self,
        dealings: &BTreeMap<Identifier, VerifiedGroupDealing>,
        wrong: &Wrong,
    ) -> Result<Vec<Envelope>, RoundsError> {
        let (mut envelopes, Some(seat)) = (Vec::new(), self.party.receiver()) else { return Ok(Vec::new()) };
        for (dealer, dealing) in dealings.iter().filter(|(dealer, _)| wrong.contains_key(dealer)) {
            let mut rng = seat.draws(&self.seed, self.party.session().rounds(), &dealer.to_bytes());
            let complaint = Complaint::about(dealing, seat.identifier, seat.keys, &mut rng)?;
            envelopes.extend(self.party.post_as_receiver(Package::Complaint(*dealer, Box::new(complaint)))?);
        }
        Ok(envelopes)
    }

    fn judge(
        &mut self,
        dealings: &mut BTreeMap<Identifier, VerifiedGroupDealing>,
        accuser: Identifier,
        dealer: Identifier,
        complaint: &Complaint,
    ) {
        let Some(dealing) = dealings.get(&dealer) else { return };
        match complaint.decide(dealing, accuser) {
            Verdict::Dealer(fault) => {
                dealings.remove(&dealer);
                self.faults.blame(Role::Dealer, dealer, Fault::Share(fault));
            }
            Verdict::Accuser => self.faults.blame(Role::Receiver, accuser, Fault::FalseComplaint),
        }
    }
}

fn commitment_digest(wire: &[u8]) -> [u8; 32] {
    digest32(domain::DEALING_COMMITMENT, &[wire])
}

/// What somebody posted as a dealing: kept only if it is the one committed to. What is longer than any may be is of no
/// round, and is not hashed.
fn opening(session: &GroupSession, envelope: &Envelope, committed: &[u8; 32]) -> Option<Opening> {
    let wire = envelope.unverified_payload();
    let is_dealing = envelope.kind() == Kind::GroupDealing
        && wire.len() <= GroupDealing::longest(session)
        && kind_of(wire) == Ok(Kind::GroupDealing);
    let digest = is_dealing.then(|| commitment_digest(wire))?;
    Some(if digest == *committed { Opening::AsCommitted(wire.to_vec()) } else { Opening::Other(digest) })
}

/// The dealing that was committed to, if it was opened and is right in public.
fn opened_dealing(
    session: &GroupSession,
    dealer: Identifier,
    posted: Option<&Vec<Opening>>,
) -> Result<VerifiedGroupDealing, Fault> {
    let bytes = match posted.map(Vec::as_slice) {
        None | Some([]) => return Err(Fault::Silent),
        Some([one]) => one.as_committed().ok_or(Fault::NotAsCommitted)?,
        Some([_, _, ..]) => return Err(Fault::Equivocation),
    };
    let dealing = GroupDealing::from_bytes(bytes).map_err(|_| Fault::Malformed)?;
    if dealing.dealer() != dealer {
        return Err(Fault::Dealing(DealingError::Dealer { found: dealing.dealer().get() }));
    }
    dealing.verify(session).map_err(Fault::Dealing)
}
