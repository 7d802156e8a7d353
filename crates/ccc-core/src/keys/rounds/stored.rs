//! States as bytes, so that a participant survives a restart between any two rounds.
//!
//! *Layout* of the front, the same for all: header 8 ‖ step u8 ‖ protocol u8 ‖ session 32 ‖ dealer u16 ‖ receiver u16,
//! zero where the participant has no such role. Every state but the first goes on with its culprits, ascending by role
//! and number: count u16 × (role u8 ‖ number u16 ‖ fault u8 ‖ detail u8 ‖ u16 ‖ u16), and all but the last with the
//! seed, 64. *Security*: the bytes hold secrets; only inside a sealed file. What is read is checked as if a stranger
//! had written it: dealings are verified anew, shares are opened anew, the committee's table is checked.

mod faults;

use super::fault::{Role, RoundsError};
use super::party::{Faults, Party, Seed};
use super::state::{Committed, Complained, Me, Opened, Participant, Unconfirmed};
use super::{Culprit, Run};
use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::identifier::Identifier;
use crate::keys::committee::{Committee, Member};
use crate::keys::dealing::{Dealing, DealingError, Digested, MAX_DEALING, VerifiedDealing, verify_all};
use crate::keys::master::MasterPublicKey;
use crate::keys::roster::MembershipError;
use crate::keys::session::Session;
use crate::keys::share::{KeyShare, KeyShareError};
use crate::secret::SecretScalar;
use crate::suite::length_prefixed;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Which state a stored state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Step {
    /// [`Participant`].
    Joined = 1,
    /// [`Committed`].
    Committed = 2,
    /// [`Opened`].
    Opened = 3,
    /// [`Complained`].
    Complained = 4,
    /// [`Unconfirmed`].
    Unconfirmed = 5,
}

impl Step {
    const ALL: [Self; 5] = [Self::Joined, Self::Committed, Self::Opened, Self::Complained, Self::Unconfirmed];
}

impl core::fmt::Display for Step {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Joined => "joined",
            Self::Committed => "committed",
            Self::Opened => "opened",
            Self::Complained => "complained",
            Self::Unconfirmed => "unconfirmed",
        })
    }
}

/// Why stored bytes are not this participant's state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Bytes that are no state.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Another state than the one wanted.
    #[error("a participant that has {found}, where one that has {expected} is wanted")]
    Step {
        /// The state wanted.
        expected: Step,
        /// The state found.
        found: Step,
    },
    /// A state of another session.
    #[error("a state of another session")]
    Session,
    /// A state of another participant.
    #[error("the state of {role} {found}, where {expected} is wanted; 0 is nobody")]
    Participant {
        /// The role in which they differ.
        role: Role,
        /// This participant's number.
        expected: u16,
        /// The number in the state.
        found: u16,
    },
    /// Entries that do not ascend, or are written in a second form.
    #[error("{what}: not in canonical form")]
    Canonical {
        /// The field.
        what: &'static str,
    },
    /// A dealing that does not verify, or is not the participant's own.
    #[error(transparent)]
    Dealing(#[from] DealingError),
    /// Verification keys that make no committee.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// A share that does not fit the committee.
    #[error(transparent)]
    KeyShare(#[from] KeyShareError),
    /// What the state posts cannot be made.
    #[error(transparent)]
    Rounds(#[from] RoundsError),
}

/// Which state the bytes are, for a participant that starts again.
///
/// # Errors
/// [`EncodingError`].
pub fn step_of(bytes: &[u8]) -> Result<Step, EncodingError> {
    let mut reader = Reader::new(bytes);
    reader.header(Kind::RoundsState)?;
    read_step(&mut reader)
}

impl<'k, P: Run> Participant<'k, P> {
    /// Encodes the state.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = front(Step::Joined, &self.party, 64);
        out.extend_from_slice(self.seed.as_slice());
        out
    }

    /// Reads the state of this party.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError> {
        let mut reader = read_front(bytes, Step::Joined, &party)?;
        let seed = read_seed(&mut reader)?;
        reader.finish()?;
        Ok(Self { party, seed })
    }
}

impl<'k, P: Run> Committed<'k, P> {
    /// Encodes the state.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let dealing = wire(self.dealing.as_ref());
        let mut out = self.me.front(Step::Committed, 68 + dealing.len());
        length_prefixed(&mut out, &dealing);
        out
    }

    /// Reads the state of this party.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError> {
        let (me, mut reader) = Me::read(bytes, Step::Committed, party)?;
        let dealing = read_own_dealing(&mut reader, &me.party)?;
        reader.finish()?;
        Ok(Self::new(me, dealing)?)
    }
}

impl<'k, P: Run> Opened<'k, P> {
    /// Encodes the state.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let dealing = wire(self.dealing.as_ref());
        let mut out = self.me.front(Step::Opened, 70 + dealing.len() + 34 * self.commitments.len());
        length_prefixed(&mut out, &dealing);
        out.extend_from_slice(&count(self.commitments.len()));
        for (dealer, digest) in &self.commitments {
            out.extend_from_slice(&dealer.to_bytes());
            out.extend_from_slice(digest);
        }
        out
    }

    /// Reads the state of this party.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError> {
        let (me, mut reader) = Me::read(bytes, Step::Opened, party)?;
        let dealing = read_own_dealing(&mut reader, &me.party)?;
        let mut commitments = BTreeMap::new();
        for _ in 0..reader.u16("number of commitments")? {
            let dealer = read_dealer(&mut reader, me.session())?;
            insert_ascending(&mut commitments, dealer, reader.array("commitment")?, "commitments")?;
        }
        reader.finish()?;
        Ok(Self::new(me, dealing, commitments)?)
    }
}

impl<'k, P: Run> Complained<'k, P> {
    /// Encodes the state.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let dealings: Vec<_> = self.dealings.values().map(VerifiedDealing::to_bytes).collect();
        let mut out = self.me.front(Step::Complained, 66 + dealings.iter().map(|wire| 4 + wire.len()).sum::<usize>());
        out.extend_from_slice(&count(dealings.len()));
        dealings.iter().for_each(|wire| length_prefixed(&mut out, wire));
        out
    }

    /// Reads the state of this party; opens and checks every share anew.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError> {
        let (mut me, mut reader) = Me::read(bytes, Step::Complained, party)?;
        let mut digested = BTreeMap::new();
        for _ in 0..reader.u16("number of dealings")? {
            let dealing = Dealing::from_bytes(reader.length_prefixed("dealing", MAX_DEALING)?)?;
            let (dealer, commitment_digest) = (Identifier::new(dealing.dealer())?, dealing.commitment_digest());
            me.session().dealer_key(dealer).ok_or(DealingError::Dealer { found: dealer.get() })?;
            insert_ascending(&mut digested, dealer, Digested { dealing, commitment_digest }, "dealings")?;
        }
        reader.finish()?;
        let dealers: Vec<_> = digested.keys().copied().collect();
        let verified = verify_all(digested.into_values().collect(), me.session(), &me.seed);
        let verified: Vec<_> = verified.into_iter().collect::<Result<_, _>>()?;
        let mut dealings: BTreeMap<_, _> = dealers.into_iter().zip(verified).collect();
        let found = dealings.len();
        me.refuse_repeated_points(&mut dealings);
        if dealings.len() != found {
            return Err(StateError::Canonical { what: "dealings" });
        }
        Ok(Self::new(me, dealings)?)
    }
}

impl<'k, P: Run> Unconfirmed<'k, P> {
    /// Encodes the state.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let members = self.committee.members();
        let mut out = front(Step::Unconfirmed, &self.me.party, self.me.faults.len() + 96 + 32 * members.len());
        self.me.faults.write(&mut out);
        out.extend_from_slice(self.committee.master_public_key().bytes());
        members.iter().for_each(|m| out.extend_from_slice(m.verification_key.compress().as_bytes()));
        out.extend_from_slice(&self.transcript);
        if let Some(share) = &self.key_share {
            out.extend_from_slice(share.secret().to_bytes().as_slice());
        }
        out
    }

    /// Reads the state of this party.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn from_bytes(bytes: &[u8], party: Party<'k, P>) -> Result<Self, StateError> {
        let mut reader = read_front(bytes, Step::Unconfirmed, &party)?;
        let faults = Faults::read(&mut reader, party.session())?;
        let committee = read_committee(&mut reader, party.session())?;
        let transcript = reader.array("transcript")?;
        let key_share = match party.receiver() {
            Some(i) => Some(KeyShare::new(i, SecretScalar::new(reader.scalar("key share")?), &committee)?),
            None => None,
        };
        reader.finish()?;
        Ok(Self::new(
            Me { party, seed: Seed::new([0; 64]), faults, outgoing: Vec::new() },
            committee,
            key_share,
            transcript,
        )?)
    }
}

impl<'k, P> Me<'k, P> {
    fn front(&self, step: Step, more: usize) -> Zeroizing<Vec<u8>> {
        let mut out = front(step, &self.party, self.faults.len() + more);
        self.faults.write(&mut out);
        out.extend_from_slice(self.seed.as_slice());
        out
    }

    fn read<'b>(bytes: &'b [u8], step: Step, party: Party<'k, P>) -> Result<(Self, Reader<'b>), StateError> {
        let mut reader = read_front(bytes, step, &party)?;
        let faults = Faults::read(&mut reader, party.session())?;
        let seed = read_seed(&mut reader)?;
        Ok((Self { party, seed, faults, outgoing: Vec::new() }, reader))
    }
}

impl Faults {
    /// Bytes as they are written.
    fn len(&self) -> usize {
        2 + faults::CULPRIT_LEN * self.culprits().len()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let culprits = self.culprits();
        out.extend_from_slice(&count(culprits.len()));
        culprits.iter().for_each(|culprit| out.extend_from_slice(&faults::encode(culprit)));
    }

    /// Culprits are members: so there are never more than two entries for each.
    fn read(reader: &mut Reader<'_>, session: &Session) -> Result<Self, StateError> {
        let (mut all, mut previous) = (Self::default(), None);
        for _ in 0..reader.u16("number of culprits")? {
            let Culprit { role, identifier, fault } = faults::read(reader)?;
            let member = match role {
                Role::Dealer => session.dealer_key(identifier),
                Role::Receiver => session.receiver_key(identifier),
            };
            if previous.replace((role, identifier)) >= Some((role, identifier)) || member.is_none() {
                return Err(StateError::Canonical { what: "culprits" });
            }
            all.blame(role, identifier, fault);
        }
        Ok(all)
    }
}

/// The front, with room for `more` bytes, so that no copy of a secret is left behind by growth.
fn front<P>(step: Step, party: &Party<'_, P>, more: usize) -> Zeroizing<Vec<u8>> {
    let session = party.session();
    let mut out = Zeroizing::new(Vec::with_capacity(HEADER_LEN + 38 + more));
    out.extend_from_slice(&header(Kind::RoundsState));
    out.extend_from_slice(&[step as u8, session.protocol() as u8]);
    out.extend_from_slice(&session.id());
    out.extend_from_slice(&number(party.dealer()).to_be_bytes());
    out.extend_from_slice(&number(party.receiver()).to_be_bytes());
    out
}

fn read_front<'b, P>(bytes: &'b [u8], expected: Step, party: &Party<'_, P>) -> Result<Reader<'b>, StateError> {
    let mut reader = Reader::new(bytes);
    reader.header(Kind::RoundsState)?;
    let found = read_step(&mut reader)?;
    if found != expected {
        return Err(StateError::Step { expected, found });
    }
    let (protocol, session) = (reader.u8("protocol")?, reader.array::<32>("session")?);
    if protocol != party.session().protocol() as u8 || session != party.session().id() {
        return Err(StateError::Session);
    }
    for (role, own) in [(Role::Dealer, party.dealer()), (Role::Receiver, party.receiver())] {
        let (expected, found) = (number(own), reader.u16("number")?);
        if found != expected {
            return Err(StateError::Participant { role, expected, found });
        }
    }
    Ok(reader)
}

fn read_step(reader: &mut Reader<'_>) -> Result<Step, EncodingError> {
    let found = reader.u8("step")?;
    let range = "1 to 5";
    Step::ALL.into_iter().find(|step| *step as u8 == found).ok_or(EncodingError::Range {
        what: "step",
        found: found.into(),
        range,
    })
}

fn read_seed(reader: &mut Reader<'_>) -> Result<Seed, EncodingError> {
    let mut seed = Seed::new([0; 64]);
    seed.copy_from_slice(reader.bytes("seed", 64)?);
    Ok(seed)
}

fn read_own_dealing<P>(reader: &mut Reader<'_>, party: &Party<'_, P>) -> Result<Option<Dealing>, StateError> {
    let wire = reader.length_prefixed("dealing", MAX_DEALING)?;
    if wire.is_empty() && party.dealer().is_none() {
        return Ok(None);
    }
    let dealing = Dealing::from_bytes(wire)?;
    if number(party.dealer()) != dealing.dealer() {
        return Err(DealingError::Dealer { found: dealing.dealer() }.into());
    }
    dealing.clone().verify(party.session())?;
    Ok(Some(dealing))
}

fn read_dealer(reader: &mut Reader<'_>, session: &Session) -> Result<Identifier, StateError> {
    let dealer = Identifier::new(reader.u16("dealer")?)?;
    session.dealer_key(dealer).ok_or(DealingError::Dealer { found: dealer.get() })?;
    Ok(dealer)
}

fn read_committee(reader: &mut Reader<'_>, session: &Session) -> Result<Committee, StateError> {
    let master = MasterPublicKey::read(reader)?;
    if session.old().is_some_and(|old| *old.master_public_key() != master) {
        return Err(RoundsError::MasterKey.into());
    }
    let roster = session.roster();
    let mut members = Vec::with_capacity(roster.members().len());
    for member in roster.members() {
        members.push(Member {
            identifier: member.identifier,
            verification_key: reader.point("verification key")?,
            signing_key: member.signing_key,
            dealing_key: member.dealing_key,
        });
    }
    Ok(Committee::from_parts(roster.epoch(), roster.threshold(), master, members)?)
}

fn insert_ascending<T>(
    map: &mut BTreeMap<Identifier, T>,
    key: Identifier,
    value: T,
    what: &'static str,
) -> Result<(), StateError> {
    if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
        return Err(StateError::Canonical { what });
    }
    map.insert(key, value);
    Ok(())
}

fn wire(dealing: Option<&Dealing>) -> Vec<u8> {
    dealing.map_or_else(Vec::new, Dealing::to_bytes)
}

fn number(identifier: Option<Identifier>) -> u16 {
    identifier.map_or(0, Identifier::get)
}

fn count(n: usize) -> [u8; 2] {
    u16::try_from(n).expect("at most two entries for each of 1024 members").to_be_bytes()
}
