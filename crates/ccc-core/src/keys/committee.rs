//! The committee: who shares the master secret in one epoch, with the public table of verification keys.
//!
//! *Source*: Feldman 1987 for the keys; the check that they lie on one polynomial is SCRAPE's (Cascudo and David 2017,
//! section 2.1).

use super::master::MasterPublicKey;
use super::roster::{MembershipError, Roster, RosterMember};
use super::weight::PublicKeys;
use crate::encoding::{EncodingError, HEADER_LEN, Kind, Reader, header};
use crate::epoch::Epoch;
use crate::identifier::Identifier;
use crate::point::Encoded;
use crate::polynomial::dual_word;
use crate::suite::{Hasher, SUITE_BYTES, challenge, domain};
use crate::threshold::Threshold;
use alloc::vec::Vec;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use curve25519_dalek::{RistrettoPoint, Scalar};
use ed25519_dalek::VerifyingKey;

/// A participant, as everybody knows it: a line of the roster with its verification key P_i = x_i·G.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The x-coordinate i.
    pub identifier: Identifier,
    pub(crate) verification_key: RistrettoPoint,
    pub(crate) signing_key: VerifyingKey,
    pub(crate) dealing_key: RistrettoPoint,
}

impl Member {
    /// Joins a line of the roster with a verification key of 32 bytes.
    ///
    /// # Errors
    /// [`EncodingError`]: no canonical ristretto255 element, or the identity.
    pub fn new(member: &RosterMember, verification_key: &[u8; 32]) -> Result<Self, EncodingError> {
        let RosterMember { identifier, signing_key, dealing_key } = *member;
        let verification_key = Reader::new(verification_key).point("verification key")?;
        Ok(Self { identifier, verification_key, signing_key, dealing_key })
    }

    /// P_i, 32 bytes.
    #[must_use]
    pub fn verification_key(&self) -> [u8; 32] {
        self.verification_key.compress().to_bytes()
    }

    /// The keys of the participant that owns this identifier.
    #[must_use]
    pub fn keys(&self) -> PublicKeys {
        PublicKeys { signing_key: self.signing_key, dealing_key: self.dealing_key }
    }
}

const MEMBER_LEN: usize = 2 + 3 * 32;

/// A sharing of the master secret in one epoch.
///
/// Made by a key generation, published on the chain, trusted by digest.
///
/// *Layout*: header 8 ‖ ε u64 ‖ n u16 ‖ t u16 ‖ Y 32 ‖ n × (i u16 ‖ P_i 32 ‖ signing key 32 ‖ dealing key 32).
/// *Security*: the verification keys are the values of one polynomial of degree t − 1 whose value at zero is Y; this
/// is checked whenever a committee is made or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee {
    roster: Roster,
    master: MasterPublicKey,
    members: Vec<Member>,
    verification_keys: Vec<Encoded>,
    digest: [u8; 64],
}

impl Committee {
    /// Joins the parts and checks that they belong together.
    ///
    /// # Errors
    /// [`MembershipError`].
    pub fn from_parts(
        epoch: Epoch,
        threshold: Threshold,
        master: MasterPublicKey,
        members: Vec<Member>,
    ) -> Result<Self, MembershipError> {
        let roster = Roster::new(epoch, threshold, members.iter().map(roster_member).collect())?;
        Self::of_roster(roster, master, members.iter().map(|m| Encoded::new(m.verification_key)).collect())
    }

    /// The roster with its verification keys, in its order; checked as [`Committee::from_parts`] does.
    pub(crate) fn of_roster(
        roster: Roster,
        master: MasterPublicKey,
        verification_keys: Vec<Encoded>,
    ) -> Result<Self, MembershipError> {
        let (expected, found) = (roster.threshold().n(), verification_keys.len());
        if found != usize::from(expected) {
            return Err(MembershipError::Count { expected, found });
        }
        let members: Vec<_> = roster.members().iter().zip(&verification_keys).map(member).collect();
        if let Some(weak) = members.iter().find(|m| m.verification_key.is_identity()) {
            return Err(MembershipError::WeakKey { identifier: weak.identifier });
        }
        let digest = digest(&roster, &master, &verification_keys);
        let committee = Self { roster, master, members, verification_keys, digest };
        if !committee.shares_master_key_vartime() {
            return Err(MembershipError::VerificationKeys);
        }
        Ok(committee)
    }

    /// Encodes the committee.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + 44 + MEMBER_LEN * self.members.len());
        out.extend_from_slice(&header(Kind::Committee));
        out.extend_from_slice(&self.epoch().to_bytes());
        out.extend_from_slice(&self.threshold().n().to_be_bytes());
        out.extend_from_slice(&self.threshold().t().to_be_bytes());
        out.extend_from_slice(self.master.bytes());
        for ((member, key), pk) in
            self.members.iter().zip(&self.verification_keys).zip(self.roster.encoded_dealing_keys())
        {
            out.extend_from_slice(&member.identifier.to_bytes());
            out.extend_from_slice(key.bytes());
            out.extend_from_slice(member.signing_key.as_bytes());
            out.extend_from_slice(pk);
        }
        out
    }

    /// Reads a committee and checks it as [`Committee::from_parts`] does.
    ///
    /// # Errors
    /// [`MembershipError`]; the length is compared with n before anything is allocated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MembershipError> {
        let mut reader = Reader::new(bytes);
        reader.header(Kind::Committee)?;
        let epoch = Epoch(reader.u64("epoch")?);
        let n = reader.u16("n")?;
        let threshold = Threshold::new(reader.u16("t")?, n)?;
        let master = MasterPublicKey::read(&mut reader)?;
        let expected = MEMBER_LEN * usize::from(n);
        if reader.remaining() < expected {
            return Err(EncodingError::Truncated { what: "members", expected, found: reader.remaining() }.into());
        }
        let members = (0..n).map(|_| read_member(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        reader.finish()?;
        Self::from_parts(epoch, threshold, master, members)
    }

    /// The epoch of this sharing.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.roster.epoch()
    }

    /// t of n.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        self.roster.threshold()
    }

    /// Y.
    #[must_use]
    pub fn master_public_key(&self) -> &MasterPublicKey {
        &self.master
    }

    /// The members, ascending.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member with this identifier.
    #[must_use]
    pub fn member(&self, identifier: Identifier) -> Option<&Member> {
        self.members.get(self.position(identifier)?)
    }

    /// The roster from which this committee came.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// H("committee"; S, ε, n, t, Y, then (i, P_i, signing key, dealing key) ascending).
    #[must_use]
    pub fn digest(&self) -> [u8; 64] {
        self.digest
    }

    /// P_i of every member, in order.
    pub(crate) fn verification_keys(&self) -> &[Encoded] {
        &self.verification_keys
    }

    pub(crate) fn verification_key(&self, identifier: Identifier) -> Option<&Encoded> {
        self.verification_keys.get(self.position(identifier)?)
    }

    fn position(&self, identifier: Identifier) -> Option<usize> {
        self.members.binary_search_by_key(&identifier, |m| m.identifier).ok()
    }

    /// Σ w_j·P_j = 0 for one word w of the dual code, drawn from the digest of the whole table.
    fn shares_master_key_vartime(&self) -> bool {
        let identifiers: Vec<_> = self.members.iter().map(|m| m.identifier).collect();
        let Some(word) = dual_word(&identifiers, &mask(&self.digest, self.threshold())) else { return false };
        let points = core::iter::once(self.master.point()).chain(self.members.iter().map(|m| m.verification_key));
        RistrettoPoint::vartime_multiscalar_mul(word, points).is_identity()
    }
}

/// The n − t + 1 coefficients of the polynomial that picks the word, of degree n − t: with one fewer, values of degree t
/// would pass.
fn mask(digest: &[u8; 64], threshold: Threshold) -> Vec<Scalar> {
    let last = u32::from(threshold.n() - threshold.t());
    (0..=last).map(|k| challenge(domain::WEIGHT, &[digest, &k.to_be_bytes()])).collect()
}

fn roster_member(member: &Member) -> RosterMember {
    let Member { identifier, signing_key, dealing_key, .. } = *member;
    RosterMember { identifier, signing_key, dealing_key }
}

fn member((line, key): (&RosterMember, &Encoded)) -> Member {
    let RosterMember { identifier, signing_key, dealing_key } = *line;
    Member { identifier, verification_key: *key.point(), signing_key, dealing_key }
}

fn read_member(reader: &mut Reader<'_>) -> Result<Member, EncodingError> {
    let identifier = Identifier::new(reader.u16("identifier")?)?;
    let verification_key = reader.point("verification key")?;
    let signing_key = reader.signing_key("signing key")?;
    Ok(Member { identifier, verification_key, signing_key, dealing_key: reader.point("dealing key")? })
}

fn digest(roster: &Roster, master: &MasterPublicKey, verification_keys: &[Encoded]) -> [u8; 64] {
    let threshold = roster.threshold();
    let mut hasher = Hasher::new(domain::COMMITTEE, 5 + 4 * verification_keys.len());
    hasher.field(&SUITE_BYTES).field(&roster.epoch().to_bytes());
    hasher.field(&threshold.n().to_be_bytes()).field(&threshold.t().to_be_bytes()).field(master.bytes());
    for ((member, key), pk) in roster.members().iter().zip(verification_keys).zip(roster.encoded_dealing_keys()) {
        hasher.field(&member.identifier.to_bytes()).field(key.bytes());
        hasher.field(member.signing_key.as_bytes()).field(pk);
    }
    hasher.finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::support::{array, list, number, text, vectors};
    use serde_json::Value;

    fn small(case: &Value, key: &str) -> u16 {
        u16::try_from(number(case, key)).unwrap()
    }

    pub(crate) fn roster_members(lines: &[Value]) -> Vec<RosterMember> {
        let line = |m: &Value| RosterMember {
            identifier: Identifier::new(small(m, "identifier")).unwrap(),
            signing_key: VerifyingKey::from_bytes(&array(m, "signing_key")).unwrap(),
            dealing_key: Reader::new(&array::<32>(m, "dealing_key")).point("dealing key").unwrap(),
        };
        lines.iter().map(line).collect()
    }

    fn parts(case: &Value) -> (Epoch, Threshold, MasterPublicKey, Vec<Member>) {
        let lines = list(case, "members");
        let members = roster_members(lines).into_iter().zip(lines).map(|(m, line)| Member {
            identifier: m.identifier,
            verification_key: Reader::new(&array::<32>(line, "P")).point("P").unwrap(),
            signing_key: m.signing_key,
            dealing_key: m.dealing_key,
        });
        let threshold = Threshold::new(small(case, "t"), small(case, "n")).unwrap();
        let master = MasterPublicKey::from_bytes(&array::<32>(case, "Y")).unwrap();
        (Epoch(number(case, "epoch")), threshold, master, members.collect())
    }

    pub(crate) fn committee(case: &Value) -> Committee {
        let (epoch, threshold, master, members) = parts(case);
        Committee::from_parts(epoch, threshold, master, members).unwrap()
    }

    #[test]
    fn digests_are_the_recorded_ones() {
        for case in list(&vectors("committee"), "cases") {
            let committee = committee(case);
            assert_eq!(hex::encode(committee.digest()), text(case, "committee"));
            assert_eq!(hex::encode(committee.roster().digest()), text(case, "roster"));
            let mask = mask(&committee.digest(), committee.threshold());
            let mask: Vec<_> = mask.iter().map(|c| hex::encode(c.as_bytes())).collect();
            assert_eq!(mask, list(case, "mask").iter().map(|c| c.as_str().unwrap()).collect::<Vec<_>>());
            assert_eq!(Committee::from_bytes(&committee.to_bytes()), Ok(committee));
        }
    }

    #[test]
    fn a_member_says_its_own_verification_key() {
        for case in list(&vectors("committee"), "cases") {
            for (member, line) in committee(case).members().iter().zip(list(case, "members")) {
                assert_eq!(member.verification_key(), array::<32>(line, "P"));
            }
        }
    }

    #[test]
    fn n005_fewer_members_than_n_are_refused_before_any_is_read() {
        for case in list(&vectors("committee"), "cases") {
            let whole = committee(case).to_bytes();
            let expected = MEMBER_LEN * usize::from(small(case, "n"));
            for missing in [1, MEMBER_LEN, expected] {
                let found = expected - missing;
                let truncated = EncodingError::Truncated { what: "members", expected, found };
                let cut = &whole[..whole.len() - missing];
                assert_eq!(Committee::from_bytes(cut), Err(MembershipError::Encoding(truncated)));
            }
        }
    }

    #[test]
    fn verification_keys_off_the_polynomial_are_refused() {
        let file = vectors("committee");
        for case in list(&file, "cases") {
            let (epoch, threshold, master, mut members) = parts(case);
            members[3].verification_key += RistrettoPoint::mul_base(&Scalar::ONE);
            let made = Committee::from_parts(epoch, threshold, master, members);
            assert_eq!(made, Err(MembershipError::VerificationKeys));
            let (epoch, threshold, _, members) = parts(case);
            let other = MasterPublicKey::new(RistrettoPoint::mul_base(&Scalar::ONE)).unwrap();
            assert_eq!(Committee::from_parts(epoch, threshold, other, members), Err(MembershipError::VerificationKeys));
        }
    }

    /// Of the lowest degree that t shares do not open, with the right value at zero.
    #[test]
    fn verification_keys_of_degree_t_are_refused() {
        for case in list(&vectors("committee"), "cases") {
            let (epoch, threshold, master, mut members) = parts(case);
            for member in &mut members {
                let i = member.identifier.to_scalar();
                let power: Scalar = (0..threshold.t()).map(|_| i).product();
                member.verification_key += RistrettoPoint::mul_base(&power);
            }
            let made = Committee::from_parts(epoch, threshold, master, members);
            assert_eq!(made, Err(MembershipError::VerificationKeys));
        }
    }

    #[test]
    fn n004_members_are_distinct_ascending_and_share_no_key() {
        let file = vectors("committee");
        let case = &list(&file, "cases")[0];
        let members = roster_members(list(case, "members"));
        let threshold = Threshold::new(3, 5).unwrap();
        let id = |i| Identifier::new(i).unwrap();

        let mut twice = members.clone();
        twice[1].identifier = id(1);
        let expected = MembershipError::Order { previous: id(1), found: id(1) };
        assert_eq!(Roster::new(Epoch(7), threshold, twice), Err(expected));

        let mut shared = members.clone();
        shared[4].dealing_key = shared[2].dealing_key;
        let expected = MembershipError::SharedKey { first: id(3), second: id(5) };
        assert_eq!(Roster::new(Epoch(7), threshold, shared), Err(expected));

        let mut weak = members.clone();
        weak[0].dealing_key = RistrettoPoint::default();
        let expected = MembershipError::WeakKey { identifier: id(1) };
        assert_eq!(Roster::new(Epoch(7), threshold, weak), Err(expected));

        let expected = MembershipError::Count { expected: 5, found: 4 };
        assert_eq!(Roster::new(Epoch(7), threshold, members[..4].to_vec()), Err(expected));
    }

    #[test]
    fn n029_truncated_and_extended_committees_are_refused() {
        let file = vectors("committee");
        let wire = committee(&list(&file, "cases")[0]).to_bytes();
        for n in 0..wire.len() {
            assert!(matches!(Committee::from_bytes(&wire[..n]), Err(MembershipError::Encoding(_))), "{n}");
        }
        for extra in [1, 64] {
            let mut long = wire.clone();
            long.resize(wire.len() + extra, 0);
            let expected = MembershipError::Encoding(EncodingError::Trailing { found: extra });
            assert_eq!(Committee::from_bytes(&long), Err(expected));
        }
    }
}
