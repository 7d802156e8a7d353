//! A complaint: a recipient shows the Diffie–Hellman point of its share, and anybody decides who is at fault.
//!
//! *Source*: Gennaro, Jarecki, Krawczyk and Rabin 1999 for complaints; decided by a DLEQ (Chaum and Pedersen 1992) over
//! the Diffie–Hellman point in the place of an answer by the dealer.
//!
//! *Security*: the point is computed only for a [`VerifiedDealing`], whose dealer has proved to know the logarithm of
//! R; it opens what this dealing holds for the accuser's dealing key, and nothing else. That is one share, or all shares
//! of a participant with several identifiers: shares of a dealing that does not count, or of an accuser that shows its
//! own.

use super::dealing::{ShareFault, VerifiedDealing};
use super::participant::ParticipantKeys;
use super::session::Session;
use crate::encoding::{EncodingError, Reader};
use crate::identifier::Identifier;
use crate::point::{Claimed, Encoded};
use crate::proof::{Dleq, Equation};
use crate::secret::{RandomnessError, proof_nonce, random64};
use crate::suite::{challenge, domain};
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;

/// Bytes of an encoded complaint.
pub const COMPLAINT_LEN: usize = 128;

/// DH = sk_j·R with the proof that it is.
///
/// *Layout*, 128 bytes: DH 32 ‖ A 32 ‖ B 32 ‖ z 32. Dealer and accuser stand beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    shared: Encoded,
    proof: Dleq,
}

/// What a complaint can be about: a dealing whose dealer has proved to know the logarithm of R.
pub(crate) trait Disputed {
    /// The session of its dealer and its recipients.
    fn session(&self) -> &Session;

    /// Who dealt.
    fn dealer(&self) -> u16;

    /// The ephemeral point.
    fn r(&self) -> &Encoded;

    /// What is wrong with a recipient's share under this Diffie–Hellman point.
    fn dispute(&self, recipient: Identifier, shared: &Encoded) -> Result<(), ShareFault>;
}

impl Disputed for VerifiedDealing {
    fn session(&self) -> &Session {
        self.session()
    }

    fn dealer(&self) -> u16 {
        self.dealer()
    }

    fn r(&self) -> &Encoded {
        self.r()
    }

    fn dispute(&self, recipient: Identifier, shared: &Encoded) -> Result<(), ShareFault> {
        let share = self.open_share_with(recipient, shared)?;
        self.check_share_vartime(recipient, &share)
    }
}

/// Who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The dealer: the share is not what its commitments say.
    Dealer(ShareFault),
    /// The accuser: the proof is wrong, or the share is right.
    Accuser,
}

impl Complaint {
    /// Complains about the share dealt to this participant.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn create<R: CryptoRng + ?Sized>(
        dealing: &VerifiedDealing,
        accuser: Identifier,
        keys: &ParticipantKeys,
        rng: &mut R,
    ) -> Result<Self, RandomnessError> {
        Self::about(dealing, accuser, keys, rng)
    }

    /// The same about any dealing of this form.
    pub(crate) fn about<D: Disputed, R: CryptoRng + ?Sized>(
        dealing: &D,
        accuser: Identifier,
        keys: &ParticipantKeys,
        rng: &mut R,
    ) -> Result<Self, RandomnessError> {
        let (random, secret, r) = (random64(rng)?, keys.dealing_secret(), dealing.r());
        let shared = Encoded::new(r.point() * secret.expose());
        let statement = Statement::new(dealing, accuser, &keys.dealing_key());
        let nonce = proof_nonce(&random, secret, &statement.fields(&shared), 0);
        let a = Claimed::of(&RistrettoPoint::mul_base(nonce.expose()));
        let b = Claimed::of(&(r.point() * nonce.expose()));
        let z = nonce.expose() + statement.challenge(&shared, &a, &b) * secret.expose();
        Ok(Self { shared, proof: Dleq { a, b, z } })
    }

    /// Encodes the complaint.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(COMPLAINT_LEN);
        out.extend_from_slice(self.shared.bytes());
        self.proof.write(&mut out);
        out
    }

    /// Reads a complaint.
    ///
    /// # Errors
    /// [`EncodingError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let mut reader = Reader::new(bytes);
        let complaint = Self { shared: Encoded::read(&mut reader, "DH")?, proof: Dleq::read(&mut reader)? };
        reader.finish()?;
        Ok(complaint)
    }

    /// Decides: a wrong proof is the accuser's fault; with a right one, a share that does not open or match is the
    /// dealer's; else it is the accuser's.
    #[must_use]
    pub fn judge(&self, dealing: &VerifiedDealing, accuser: Identifier) -> Verdict {
        self.decide(dealing, accuser)
    }

    /// The same about any dealing of this form.
    pub(crate) fn decide<D: Disputed>(&self, dealing: &D, accuser: Identifier) -> Verdict {
        let Some(member) = dealing.session().roster().member(accuser) else { return Verdict::Accuser };
        let statement = Statement::new(dealing, accuser, &member.dealing_key);
        let challenge = statement.challenge(&self.shared, &self.proof.a, &self.proof.b);
        let (p, u, d) = (member.dealing_key, *dealing.r().point(), *self.shared.point());
        if !(Equation { p, u, d, proof: &self.proof, challenge }).holds_vartime() {
            return Verdict::Accuser;
        }
        match dealing.dispute(accuser, &self.shared) {
            Ok(()) => Verdict::Accuser,
            Err(fault) => Verdict::Dealer(fault),
        }
    }
}

struct Statement {
    session: [u8; 32],
    epoch: [u8; 8],
    dealer: [u8; 2],
    accuser: [u8; 2],
    dealing_key: [u8; 32],
    r: [u8; 32],
}

impl Statement {
    fn new<D: Disputed>(dealing: &D, accuser: Identifier, dealing_key: &RistrettoPoint) -> Self {
        let session = dealing.session();
        Self {
            session: session.id(),
            epoch: session.roster().epoch().to_bytes(),
            dealer: dealing.dealer().to_be_bytes(),
            accuser: accuser.to_bytes(),
            dealing_key: dealing_key.compress().to_bytes(),
            r: *dealing.r().bytes(),
        }
    }

    fn fields<'a>(&'a self, shared: &'a Encoded) -> [&'a [u8]; 7] {
        let Self { session, epoch, dealer, accuser, dealing_key, r } = self;
        [session, epoch, dealer, accuser, dealing_key, r, shared.bytes()]
    }

    /// H("complaint"; session, ε, dealer, j, pk_j, R, DH, A, B).
    fn challenge(&self, shared: &Encoded, a: &Claimed, b: &Claimed) -> Scalar {
        let mut fields = self.fields(shared).to_vec();
        fields.extend([a.bytes().as_slice(), b.bytes().as_slice()]);
        challenge(domain::COMPLAINT, &fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::dealing::{Dealing, tests::session};
    use crate::support::{Replay, array, bytes, list, number, text, vectors};

    fn keys(case: &serde_json::Value) -> ParticipantKeys {
        let mut wire = crate::encoding::header(crate::encoding::Kind::ParticipantKeys).to_vec();
        wire.extend([1; 32]);
        wire.extend(array::<32>(case, "dealing_secret"));
        ParticipantKeys::from_bytes(&wire).unwrap()
    }

    #[test]
    fn n011_complaints_reproduce_the_bytes_and_the_verdicts() {
        let file = vectors("complaint");
        let session = session(&file);
        let wire = bytes(&file["dealing"], "wire");
        let dealing = Dealing::from_bytes(&wire).unwrap().verify(&session).unwrap();
        for case in list(&file, "cases") {
            let accuser = Identifier::new(u16::try_from(number(case, "identifier")).unwrap()).unwrap();
            let recorded = Complaint::from_bytes(&bytes(case, "wire")).unwrap();
            assert_eq!(recorded.to_bytes(), bytes(case, "wire"));
            let name = text(case, "name");
            let dealer_at_fault = matches!(recorded.judge(&dealing, accuser), Verdict::Dealer(_));
            assert_eq!(dealer_at_fault, text(case, "fault") == "dealer", "{name}");
            if name != "bad proof on a bad share" {
                let mut rng = Replay(bytes(case, "random64"));
                let made = Complaint::create(&dealing, accuser, &keys(case), &mut rng).unwrap();
                assert_eq!(made, recorded, "{name}");
            }
        }
    }

    #[test]
    fn n016_every_field_of_a_complaint_is_under_its_proof() {
        let statement = || Statement {
            session: [1; 32],
            epoch: [2; 8],
            dealer: [3; 2],
            accuser: [4; 2],
            dealing_key: [5; 32],
            r: [6; 32],
        };
        let [shared, other] = [7u8, 8].map(|n| Encoded::new(RistrettoPoint::mul_base(&Scalar::from(n))));
        let [a, b] = [9u8, 10].map(|n| Claimed::of(&RistrettoPoint::mul_base(&Scalar::from(n))));
        let good = statement().challenge(&shared, &a, &b);
        let alterations: [fn(&mut Statement); 6] = [
            |s| s.session[31] ^= 1,
            |s| s.epoch[7] ^= 1,
            |s| s.dealer[1] ^= 1,
            |s| s.accuser[1] ^= 1,
            |s| s.dealing_key[31] ^= 1,
            |s| s.r[31] ^= 1,
        ];
        for (field, alter) in alterations.iter().enumerate() {
            let mut altered = statement();
            alter(&mut altered);
            assert_ne!(altered.challenge(&shared, &a, &b), good, "{field}");
        }
        for (shared, a, b) in [(&other, &a, &b), (&shared, &b, &b), (&shared, &a, &a)] {
            assert_ne!(statement().challenge(shared, a, b), good);
        }
    }

    /// The accuser shows another point than sk·R, with a proof of which one equation holds: a right share would look wrong.
    #[test]
    fn n011_a_complaint_of_which_one_equation_alone_holds_is_the_accusers_fault() {
        let file = vectors("complaint");
        let dealing = Dealing::from_bytes(&bytes(&file["dealing"], "wire")).unwrap().verify(&session(&file)).unwrap();
        let case = list(&file, "cases").iter().find(|case| text(case, "name") == "good share").unwrap();
        let accuser = Identifier::new(u16::try_from(number(case, "identifier")).unwrap()).unwrap();
        let (keys, r, nonce) = (keys(case), *dealing.r().point(), Scalar::from(5u8));
        let other = keys.dealing_secret().expose() + Scalar::ONE;
        let shared = Encoded::new(r * other);
        let statement = Statement::new(&dealing, accuser, &keys.dealing_key());
        let (a, b) = (Claimed::of(&RistrettoPoint::mul_base(&nonce)), Claimed::of(&(r * nonce)));
        let challenge = statement.challenge(&shared, &a, &b);
        for logarithm in [keys.dealing_secret().expose(), &other] {
            let proof = Dleq { a, b, z: nonce + challenge * logarithm };
            let forged = Complaint { shared, proof };
            assert_eq!(forged.judge(&dealing, accuser), Verdict::Accuser);
        }
    }
}
