//! The states of a participant, and what moves it from one to the next.

use super::fault::{Fault, Role, RoundsError};
use super::package::{
    Opening, Package, collect_complaints, collect_confirmations, collect_from_dealers, confirmations,
};
use super::party::{Faults, Party, Seat, Seed};
use super::{Concluded, Run};
use crate::envelope::Envelope;
use crate::guard::{Guard, stands};
use crate::identifier::Identifier;
use crate::keys::committee::Committee;
use crate::keys::complaint::{Complaint, Verdict};
use crate::keys::dealing::{Dealing, DealingError, Digested, ShareFault, VerifiedDealing, verify_all};
use crate::keys::reshare::Certificate;
use crate::keys::session::Session;
use crate::keys::share::KeyShare;
use crate::keys::sharing::{Sharing, that_count, weights};
use crate::parallel::prelude::*;
use crate::secret::{SecretScalar, random64};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use curve25519_dalek::Scalar;
use rand_core::CryptoRng;

/// A participant before the first round. It posts nothing.
///
/// *Layout*, stored: the front of every state ‖ seed 64; see `docs/spec/keys.md`.
/// *Security*: the seed gives the whole dealing away. It is drawn once; MUST be stored before [`Participant::commit`]
/// posts anything, or the next state in its place.
pub struct Participant<'k, P> {
    pub(super) party: Party<'k, P>,
    pub(super) seed: Seed,
}

/// A participant that has committed to its dealing. The coefficients are erased.
///
/// *Layout*, stored: front ‖ seed 64 ‖ LP(dealing, empty for a mere receiver).
pub struct Committed<'k, P> {
    pub(super) me: Me<'k, P>,
    pub(super) dealing: Option<Dealing>,
}

/// A participant that has opened its dealing.
///
/// *Layout*, stored: as [`Committed`] ‖ count u16 × (dealer u16 ‖ digest 32), ascending.
pub struct Opened<'k, P> {
    pub(super) me: Me<'k, P>,
    pub(super) dealing: Option<Dealing>,
    pub(super) commitments: BTreeMap<Identifier, [u8; 32]>,
}

/// A participant that has gathered the dealings of the open round. It is not stored: the board has them.
///
/// Hidden: [`Opened::complain`] goes through it. Benchmarks measure the checks of a round apart from its reading.
#[doc(hidden)]
pub struct Gathered<'k, P> {
    me: Me<'k, P>,
    dealings: BTreeMap<Identifier, Result<Digested, Fault>>,
}

/// A participant that has seen all dealings and complained about the wrong ones.
///
/// *Layout*, stored: front ‖ seed 64 ‖ count u16 × LP(dealing), ascending by dealer.
pub struct Complained<'k, P> {
    pub(super) me: Me<'k, P>,
    pub(super) dealings: BTreeMap<Identifier, VerifiedDealing>,
    shares: BTreeMap<Identifier, Result<SecretScalar, ShareFault>>,
}

/// A participant with a result that is not yet confirmed by the others.
///
/// *Layout*, stored: front ‖ Y 32 ‖ n × P_j 32 ‖ transcript 32 ‖ x_j 32, the last for receivers only.
pub struct Unconfirmed<'k, P> {
    pub(super) me: Me<'k, P>,
    pub(super) committee: Committee,
    pub(super) key_share: Option<KeyShare>,
    pub(super) transcript: [u8; 32],
}

/// What every state after the first carries.
pub(super) struct Me<'k, P> {
    pub(super) party: Party<'k, P>,
    pub(super) seed: Seed,
    pub(super) faults: Faults,
    pub(super) outgoing: Vec<Envelope>,
}

impl<'k, P: Run> Participant<'k, P> {
    /// Joins a session: the only point at which randomness is drawn.
    ///
    /// # Errors
    /// [`RoundsError::Randomness`].
    pub fn join<R: CryptoRng + ?Sized>(party: Party<'k, P>, rng: &mut R) -> Result<Self, RoundsError> {
        Ok(Self { party, seed: random64(rng)? })
    }

    /// Deals, and commits to the dealing. The same stored state gives the same dealing again.
    ///
    /// # Errors
    /// [`RoundsError::Randomness`].
    pub fn commit(self) -> Result<Committed<'k, P>, RoundsError> {
        let Self { party, seed } = self;
        let (dealing, later) = (party.deal(&seed)?, party.later_seed(&seed)?);
        Committed::new(Me { party, seed: later, faults: Faults::default(), outgoing: Vec::new() }, dealing)
    }
}

impl<'k, P: Run> Committed<'k, P> {
    pub(super) fn new(mut me: Me<'k, P>, dealing: Option<Dealing>) -> Result<Self, RoundsError> {
        let digest = dealing.as_ref().map(|dealing| Package::Commitment(dealing.commitment_digest()));
        me.outgoing = me.party.sign_as_dealer(digest)?;
        Ok(Self { me, dealing })
    }

    /// What is to be posted in the commit round: the digest of the dealing.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// Takes everybody's commitments and opens the dealing.
    ///
    /// # Errors
    /// [`RoundsError::TooFewDealers`].
    pub fn open(self, commit_round: &[Envelope]) -> Result<Opened<'k, P>, RoundsError> {
        let Self { mut me, dealing } = self;
        let mut commitments = BTreeMap::new();
        for (identifier, digests) in collect_from_dealers(me.session(), commit_round, |_, e| Package::commitment(e)) {
            match digests.as_slice() {
                [digest] => drop(commitments.insert(identifier, *digest)),
                _ => me.faults.blame(Role::Dealer, identifier, Fault::Equivocation),
            }
        }
        me.faults.blame_silent(me.party.session(), &commitments);
        me.require(commitments.len())?;
        Opened::new(me, dealing, commitments)
    }
}

impl<'k, P: Run> Opened<'k, P> {
    pub(super) fn new(
        mut me: Me<'k, P>,
        dealing: Option<Dealing>,
        commitments: BTreeMap<Identifier, [u8; 32]>,
    ) -> Result<Self, RoundsError> {
        me.outgoing = me.party.sign_as_dealer(dealing.as_ref().map(|dealing| Package::Dealing(dealing.to_bytes())))?;
        Ok(Self { me, dealing, commitments })
    }

    /// What is to be posted in the open round: the dealing.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// Takes everybody's dealings, and complains about shares that are wrong.
    ///
    /// # Errors
    /// [`RoundsError::TooFewDealers`].
    pub fn complain(self, open_round: &[Envelope]) -> Result<Complained<'k, P>, RoundsError> {
        self.gather(open_round).complain()
    }

    /// Reads everybody's dealings, and checks nothing of them but whose they are.
    #[doc(hidden)]
    #[must_use]
    pub fn gather(self, open_round: &[Envelope]) -> Gathered<'k, P> {
        let Self { me, commitments, .. } = self;
        let posted = collect_from_dealers(me.session(), open_round, |dealer, envelope| {
            Package::dealing(me.session(), envelope, commitments.get(&dealer)?)
        });
        let read = |(&i, digest): (&Identifier, &[u8; 32])| (i, opened_dealing(i, digest, posted.get(&i)));
        let dealings = (&commitments).into_par_iter().map(read).collect();
        Gathered { me, dealings }
    }
}

impl<'k, P: Run> Gathered<'k, P> {
    /// Checks the dealings, and complains about shares that are wrong.
    ///
    /// # Errors
    /// [`RoundsError::TooFewDealers`].
    pub fn complain(self) -> Result<Complained<'k, P>, RoundsError> {
        let Self { mut me, dealings: read } = self;
        let (mut dealers, mut digested) = (Vec::with_capacity(read.len()), Vec::with_capacity(read.len()));
        for (identifier, one) in read {
            match one {
                Ok(one) => {
                    dealers.push(identifier);
                    digested.push(one);
                }
                Err(fault) => me.faults.blame(Role::Dealer, identifier, fault),
            }
        }
        let mut dealings = BTreeMap::new();
        for (identifier, verdict) in dealers.into_iter().zip(verify_all(digested, me.party.session(), &me.seed)) {
            match verdict {
                Ok(dealing) => drop(dealings.insert(identifier, dealing)),
                Err(fault) => me.faults.blame(Role::Dealer, identifier, Fault::Dealing(fault)),
            }
        }
        me.refuse_repeated_points(&mut dealings);
        me.require(dealings.len())?;
        Complained::new(me, dealings)
    }
}

impl<'k, P: Run> Complained<'k, P> {
    /// Opens every share and complains about the wrong ones.
    pub(super) fn new(mut me: Me<'k, P>, dealings: BTreeMap<Identifier, VerifiedDealing>) -> Result<Self, RoundsError> {
        let shares = me.party.receiver_seat().map_or_else(BTreeMap::new, |seat| open_shares(seat, &dealings));
        me.outgoing = me.complaints(&dealings, &shares)?;
        Ok(Self { me, dealings, shares })
    }

    /// What is to be posted in the complain round: mostly nothing.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// What a receiver posts after its complaints: that there are no more. The states do not need it; it tells the readers
    /// of a board without a clock that the round is over once everybody has said so.
    ///
    /// # Errors
    /// [`RoundsError::Encoding`].
    pub fn no_more_complaints(&self) -> Result<Vec<Envelope>, RoundsError> {
        let count = u16::try_from(self.me.outgoing.len()).expect("at most one complaint against each of 1024 dealers");
        self.me.party.sign_as_receiver(Some(Package::NoMoreComplaints(count)))
    }

    /// Evicts every dealer that signed two commitments, or two dealings, whichever of them this participant read when it
    /// closed the rounds. Whoever sees both messages before it confirms comes to the same dealers.
    ///
    /// Evict before [`finish`](Self::finish), and store the state as it was: what it posts stays the same.
    #[must_use]
    pub fn evict(mut self, commit_round: &[Envelope], open_round: &[Envelope]) -> Self {
        let session = self.me.session();
        let commitments = collect_from_dealers(session, commit_round, |_, e| Package::commitment(e));
        let dealings = collect_from_dealers(session, open_round, |_, e| Package::any_dealing(session, e));
        let mut twice: Vec<_> = commitments.iter().filter(|(_, all)| all.len() > 1).map(|(i, _)| *i).collect();
        twice.extend(dealings.iter().filter(|(_, all)| all.len() > 1).map(|(i, _)| *i));
        for dealer in twice {
            self.dealings.remove(&dealer);
            self.me.faults.blame(Role::Dealer, dealer, Fault::Equivocation);
        }
        self
    }

    /// Takes everybody's complaints, fixes the qualified dealers and adds up their dealings.
    ///
    /// # Errors
    /// [`RoundsError`].
    pub fn finish(self, complaint_round: &[Envelope]) -> Result<Unconfirmed<'k, P>, RoundsError> {
        let Self { mut me, mut dealings, shares } = self;
        for (accuser, complaints) in collect_complaints(me.session(), complaint_round) {
            for (dealer, complaint) in complaints {
                me.judge(&mut dealings, accuser, dealer, &complaint);
            }
        }
        me.require(dealings.len())?;
        let counted = that_count(me.session(), &dealings);
        let Sharing { committee, transcript } = Sharing::of(me.session(), &counted)?;
        if me.session().old().is_some_and(|old| old.master_public_key() != committee.master_public_key()) {
            return Err(RoundsError::MasterKey);
        }
        let key_share = match me.party.receiver() {
            Some(receiver) => Some(KeyShare::new(receiver, me.add_up(&counted, &shares)?, &committee)?),
            None => None,
        };
        Unconfirmed::new(me, committee, key_share, transcript)
    }
}

impl<'k, P: Run> Unconfirmed<'k, P> {
    pub(super) fn new(
        mut me: Me<'k, P>,
        committee: Committee,
        key_share: Option<KeyShare>,
        transcript: [u8; 32],
    ) -> Result<Self, RoundsError> {
        me.outgoing = me.party.sign_as_receiver(Some(Package::Confirmation(transcript)))?;
        Ok(Self { me, committee, key_share, transcript })
    }

    /// What is to be posted in the confirm round: the transcript's digest. *Security*: it says that the share is
    /// stored.
    #[must_use]
    pub fn outgoing(&self) -> &[Envelope] {
        &self.me.outgoing
    }

    /// The public result, which does not count yet.
    #[must_use]
    pub fn committee(&self) -> &Committee {
        &self.committee
    }

    /// digest32 H("transcript"; …), which others have to confirm as well.
    #[must_use]
    pub fn transcript(&self) -> [u8; 32] {
        self.transcript
    }

    /// Takes everybody's confirmations: the result counts once n − F receivers have the same.
    ///
    /// Who confirms two transcripts is named, and counts for this one all the same: a certificate cannot show what else
    /// its signers signed, so whoever reads the round and whoever reads a certificate of it must count alike.
    ///
    /// *Security*: give what the board carried when it closed the round. A confirmation that came later is signed all the
    /// same; that it came later, only the board knows. For a handover that is settled by a certificate there is
    /// [`confirm_by_certificate`](Self::confirm_by_certificate).
    ///
    /// # Errors
    /// [`RoundsError::NotConfirmed`]; the new share is gone.
    pub fn confirm(mut self, confirm_round: &[Envelope]) -> Result<P::Outcome, RoundsError> {
        let confirmed = self.tally(confirm_round);
        self.me.faults.blame_unconfirmed(self.me.party.session(), &confirmed);
        self.conclude(confirmed)
    }

    /// Takes a certificate in the place of the confirm round: for a participant that was away when the board closed it,
    /// or that saw it close without a result.
    ///
    /// *Security*: a certificate proves n′ − F′ signatures and no date. A run that ended without a result may get one
    /// afterwards, while a later session of the same epoch is under way. The caller MUST know from the board, the
    /// contract or the operators that this session is the one that counts; the session is part of the state, so a
    /// certificate of another is refused. Whoever passes a certificate on can leave confirmations out of it, so nobody is
    /// blamed for silence in the confirm round; a signed confirmation of another transcript is named.
    ///
    /// # Errors
    /// [`RoundsError::Protocol`] in a key generation, which has no certificate; [`RoundsError::NotConfirmed`]: another
    /// session or transcript, too few signatures; the new share is gone.
    pub fn confirm_by_certificate(mut self, certificate: &Certificate) -> Result<P::Outcome, RoundsError> {
        if self.me.session().old().is_none() {
            return Err(RoundsError::Protocol { found: self.me.session().protocol() });
        }
        let confirmed = self.tally(certificate.confirmations());
        self.conclude(confirmed)
    }

    /// Who confirms this transcript. Whoever signed another one, or two, is blamed.
    fn tally(&mut self, envelopes: &[Envelope]) -> BTreeMap<Identifier, Envelope> {
        let Self { me, transcript, .. } = self;
        for (identifier, found) in collect_confirmations(me.session(), envelopes) {
            let fault = match found.as_slice() {
                [same] if same == transcript => continue,
                [_] => Fault::Disagreement,
                _ => Fault::Equivocation,
            };
            me.faults.blame(Role::Receiver, identifier, fault);
        }
        confirmations(me.session(), transcript, envelopes)
    }

    fn conclude(self, confirmed: BTreeMap<Identifier, Envelope>) -> Result<P::Outcome, RoundsError> {
        let Self { me, committee, key_share, transcript } = self;
        let (need, have, culprits) = (me.session().enough_confirmations(), confirmed.len(), me.faults.culprits());
        if have < need && stands(Guard::Confirmations) {
            return Err(RoundsError::NotConfirmed { need, have, culprits });
        }
        let (session, confirmations) = (me.session().clone(), confirmed.into_values().collect());
        Ok(Concluded { session, committee, key_share, transcript, culprits, confirmations }.into())
    }
}

impl<P> Me<'_, P> {
    pub(super) fn session(&self) -> &Session {
        self.party.session()
    }

    fn require(&self, have: usize) -> Result<(), RoundsError> {
        self.faults.require(self.party.session(), have)
    }

    pub(super) fn refuse_repeated_points(&mut self, dealings: &mut BTreeMap<Identifier, VerifiedDealing>) {
        let mut dealers: BTreeMap<[u8; 32], Vec<Identifier>> = BTreeMap::new();
        for (identifier, dealing) in dealings.iter() {
            dealers.entry(*dealing.r().bytes()).or_default().push(*identifier);
        }
        for identifier in dealers.into_values().filter(|same| same.len() > 1).flatten() {
            dealings.remove(&identifier);
            self.faults.blame(Role::Dealer, identifier, Fault::RepeatedPoint);
        }
    }

    fn complaints(
        &self,
        dealings: &BTreeMap<Identifier, VerifiedDealing>,
        shares: &BTreeMap<Identifier, Result<SecretScalar, ShareFault>>,
    ) -> Result<Vec<Envelope>, RoundsError> {
        let (mut envelopes, Some(seat)) = (Vec::new(), self.party.receiver_seat()) else { return Ok(Vec::new()) };
        for (dealer, dealing) in dealings.iter().filter(|(dealer, _)| matches!(shares.get(dealer), Some(Err(_)))) {
            let mut rng = seat.draws(&self.seed, self.session(), &dealer.to_bytes());
            let complaint = Complaint::create(dealing, seat.identifier, seat.keys, &mut rng)?;
            let package = Package::Complaint(*dealer, Box::new(complaint));
            envelopes.extend(self.party.sign_as_receiver(Some(package))?);
        }
        Ok(envelopes)
    }

    fn judge(
        &mut self,
        dealings: &mut BTreeMap<Identifier, VerifiedDealing>,
        accuser: Identifier,
        dealer: Identifier,
        complaint: &Complaint,
    ) {
        let Some(dealing) = dealings.get(&dealer) else { return };
        match complaint.judge(dealing, accuser) {
            Verdict::Dealer(fault) => {
                dealings.remove(&dealer);
                self.faults.blame(Role::Dealer, dealer, Fault::Share(fault));
            }
            Verdict::Accuser if stands(Guard::Complaints) => {
                self.faults.blame(Role::Receiver, accuser, Fault::FalseComplaint);
            }
            Verdict::Accuser => self.faults.blame(Role::Dealer, dealer, Fault::Share(ShareFault::Commitment)),
        }
    }

    /// Σ w_i·x_ij over the dealings that count.
    fn add_up(
        &self,
        counted: &[&VerifiedDealing],
        shares: &BTreeMap<Identifier, Result<SecretScalar, ShareFault>>,
    ) -> Result<SecretScalar, RoundsError> {
        let mut sum = SecretScalar::new(Scalar::ZERO);
        for (dealing, weight) in counted.iter().zip(weights(self.session(), counted)?) {
            let dealer = Identifier::new(dealing.dealer())?;
            let Some(Ok(share)) = shares.get(&dealer) else { return Err(RoundsError::ComplaintMissing { dealer }) };
            sum = SecretScalar::new(sum.expose() + weight * share.expose());
        }
        Ok(sum)
    }
}

/// The dealing that was committed to, if it was opened.
fn opened_dealing(identifier: Identifier, digest: &[u8; 32], posted: Option<&Vec<Opening>>) -> Result<Digested, Fault> {
    let bytes = match posted.map(Vec::as_slice) {
        None | Some([]) => return Err(Fault::Silent),
        Some([one]) => one.as_committed().ok_or(Fault::NotAsCommitted)?,
        Some([_, _, ..]) => return Err(Fault::Equivocation),
    };
    let dealing = Dealing::from_bytes(bytes).map_err(|_| Fault::Malformed)?;
    if dealing.dealer() != identifier.get() {
        return Err(Fault::Dealing(DealingError::Dealer { found: dealing.dealer() }));
    }
    Ok(Digested { dealing, commitment_digest: *digest })
}

/// Opens every share and checks each against its own commitments.
///
/// *Security*: a check of their sum would let two dealers hide errors that cancel in it, and part them by having
/// one of the two evicted. A sum with random weights costs as much as the single checks.
fn open_shares(
    seat: Seat<'_>,
    dealings: &BTreeMap<Identifier, VerifiedDealing>,
) -> BTreeMap<Identifier, Result<SecretScalar, ShareFault>> {
    let Seat { identifier, keys } = seat;
    let open = |(dealer, dealing): (&Identifier, &VerifiedDealing)| {
        let checked = dealing.open_share(identifier, keys).and_then(|share| {
            dealing.check_share_vartime(identifier, &share)?;
            Ok(share)
        });
        (*dealer, checked)
    };
    dealings.into_par_iter().map(open).collect()
}
