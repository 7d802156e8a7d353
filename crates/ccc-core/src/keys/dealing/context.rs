//! What every proof and key of a dealing is bound to.
//!
//! *Source*: the proof of possession of Komlo and Goldberg 2020 (FROST, figure 1), Schnorr's over C_0, with protocol,
//! session, epoch, roster, dealer and all commitments under the challenge.

use crate::encoding::{EncodingError, Reader};
use crate::epoch::Epoch;
use crate::keys::session::{Protocol, Session};
use crate::point::Encoded;
use crate::proof::Schnorr;
use crate::secret::{SecretScalar, proof_nonce};
use crate::suite::{challenge, domain};
use alloc::vec::Vec;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// Protocol, session, epoch, roster and dealer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) protocol: Protocol,
    pub(super) session: [u8; 32],
    pub(super) epoch: Epoch,
    pub(super) roster: [u8; 64],
    pub(super) dealer: u16,
}

/// The context in bytes: as hashed, and as written.
pub(super) struct Fields {
    protocol: [u8; 1],
    session: [u8; 32],
    epoch: [u8; 8],
    roster: [u8; 64],
    dealer: [u8; 2],
}

impl Context {
    pub(super) fn new(session: &Session, dealer: u16) -> Self {
        let roster = session.roster();
        let (epoch, digest) = (roster.epoch(), roster.digest());
        Self { protocol: session.protocol(), session: session.id(), epoch, roster: digest, dealer }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, EncodingError> {
        Ok(Self {
            protocol: Protocol::from_byte(reader.u8("protocol")?)?,
            session: reader.array("session")?,
            epoch: Epoch(reader.u64("epoch")?),
            roster: reader.array("roster digest")?,
            dealer: reader.u16("dealer")?,
        })
    }

    /// H("pop"; protocol, session, ε, roster, dealer, all C_k, T).
    pub(super) fn possession_challenge(&self, commitments: &[Encoded], t: &Encoded) -> Scalar {
        let fields = Fields::of(self);
        let mut fields = fields.with_commitments(commitments, 1);
        fields.push(t.bytes());
        challenge(domain::POSSESSION, &fields)
    }

    pub(super) fn prove_possession(
        &self,
        commitments: &[Encoded],
        secret: &SecretScalar,
        random: &[u8; 64],
    ) -> Schnorr {
        let v = proof_nonce(random, secret, &Fields::of(self).with_commitments(commitments, 0), 0);
        let t = Encoded::new(RistrettoPoint::mul_base(v.expose()));
        let z = v.expose() + self.possession_challenge(commitments, &t) * secret.expose();
        Schnorr { t, z }
    }
}

impl Fields {
    pub(super) fn of(context: &Context) -> Self {
        Self {
            protocol: [context.protocol as u8],
            session: context.session,
            epoch: context.epoch.to_bytes(),
            roster: context.roster,
            dealer: context.dealer.to_be_bytes(),
        }
    }

    /// protocol, session, ε, roster, dealer.
    pub(super) fn list(&self) -> [&[u8]; 5] {
        [&self.protocol, &self.session, &self.epoch, &self.roster, &self.dealer]
    }

    /// The same and all C_k, in a list with room for `more`.
    pub(super) fn with_commitments<'a>(&'a self, commitments: &'a [Encoded], more: usize) -> Vec<&'a [u8]> {
        let list = self.list();
        let mut all = Vec::with_capacity(list.len() + commitments.len() + more);
        all.extend(list);
        all.extend(commitments.iter().map(|commitment| commitment.bytes().as_slice()));
        all
    }
}
