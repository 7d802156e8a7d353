//! The identities that a verifier knows.

use super::super::attestation::{Evidence, Policy, PolicyRefusal};
use super::{AttestedIdentity, Identity, IdentitySignature};
use crate::report::{Address, SignatureFault, Word};
use crate::secret::{RandomnessError, random64};
use crate::suite::{domain, hash};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use rand_core::CryptoRng;

/// What a verifier asks to be in the evidence, drawn for one admission and used up by it.
///
/// *Security*: no `Clone`: evidence that answers it is judged once.
pub struct Challenge([u8; 64]);

impl Challenge {
    /// A fresh one.
    ///
    /// # Errors
    /// [`RandomnessError`].
    pub fn draw(rng: &mut (impl CryptoRng + ?Sized)) -> Result<Self, RandomnessError> {
        random64(rng).map(|random| Self(*random))
    }

    /// The one that a chain asks for: H("identity-challenge"; chain u64, registry 20, sequence u64, block hash 32), the
    /// sequence being that of the admission's report. All verifiers of a quorum ask for the same, so one piece of
    /// evidence answers them all, and one report says it.
    ///
    /// *Security*: as fresh as the block, whose age the verifier MUST bound by the time that it reads; used up, since a
    /// registry takes a sequence once.
    #[must_use]
    pub fn of_block(chain: u64, registry: &Address, sequence: u64, block_hash: &Word) -> Self {
        let (chain, sequence) = (chain.to_be_bytes(), sequence.to_be_bytes());
        Self(hash(domain::IDENTITY_CHALLENGE, &[&chain, registry, &sequence, block_hash]))
    }

    /// What the enclave is asked for.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// Why an identity, or what it signed, is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityRefusal {
    /// The evidence: not genuine, of another program, or for another challenge.
    #[error("attestation: {0}")]
    Policy(#[from] PolicyRefusal),
    /// Of another epoch than the verifier's: an old one, or one that has not begun.
    #[error("an identity of epoch {found}, where {expected} is current")]
    Epoch {
        /// The verifier's.
        expected: u64,
        /// The identity's.
        found: u64,
    },
    /// Its time is over.
    #[error("the identity spoke until {not_after}, and it is {now}")]
    Expired {
        /// The last second.
        not_after: u64,
        /// The time given.
        now: u64,
    },
    /// It would speak for longer than the verifier admits.
    #[error("the identity would speak until {found}, where {last} is the last second")]
    Lifetime {
        /// The last second that is admitted.
        last: u64,
        /// The identity's.
        found: u64,
    },
    /// An expiry before the one that is known: an old admission, played again.
    #[error("the identity would speak until {found}, where it does until {known}")]
    Shorter {
        /// The expiry that is known.
        known: u64,
        /// The expiry found.
        found: u64,
    },
    /// Another program, configuration or box key under a known signer.
    #[error("the signer is known with another {what}")]
    Changed {
        /// What.
        what: &'static str,
    },
    /// Nobody that was admitted.
    #[error("0x{} is not an admitted identity", Hex(signer))]
    Unknown {
        /// Who signed.
        signer: Address,
    },
    /// Somebody whose identity was revoked.
    #[error("0x{} is revoked", Hex(signer))]
    Revoked {
        /// Whose.
        signer: Address,
    },
    /// A signature that is none.
    #[error("signature: {0}")]
    Signature(#[from] SignatureFault),
}

struct Hex<'a>(&'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The identities that were admitted, in the verifier's epoch.
///
/// *Units*: the longest lifetime in seconds.
pub struct KnownIdentities {
    epoch: u64,
    max_lifetime: u64,
    admitted: BTreeMap<Address, Admitted>,
    revoked: BTreeSet<Address>,
}

/// An identity with what vouched for it, kept to be judged again.
struct Admitted {
    identity: Identity,
    /// As it was presented: what revocation lists are held against.
    presented: Vec<u8>,
    /// What was accepted of it, by its position among several; the enclave's own is the first.
    accepted: Vec<(usize, Evidence)>,
    measurement: [u8; 32],
    challenge: [u8; 64],
    configuration: Option<[u8; 32]>,
}

impl Admitted {
    fn judge(&self, policy: &Policy, now: u64) -> Result<(), PolicyRefusal> {
        let user_data = self.identity.user_data(&self.challenge);
        policy.check_again((&self.presented, &self.accepted), (&user_data, &self.challenge), now)
    }

    /// What is known of a signer does not change, and does not end sooner.
    fn check_follows(&self, known: &Self) -> Result<(), IdentityRefusal> {
        let changed = |what| Err(IdentityRefusal::Changed { what });
        if known.identity.box_key != self.identity.box_key {
            return changed("box key");
        }
        if known.measurement != self.measurement {
            return changed("program");
        }
        if known.configuration != self.configuration {
            return changed("configuration");
        }
        let (known, found) = (known.identity.not_after, self.identity.not_after);
        if found < known { Err(IdentityRefusal::Shorter { known, found }) } else { Ok(()) }
    }
}

impl KnownIdentities {
    /// Nobody, in an epoch.
    #[must_use]
    pub fn new(epoch: u64, max_lifetime: u64) -> Self {
        Self { epoch, max_lifetime, admitted: BTreeMap::new(), revoked: BTreeSet::new() }
    }

    /// The verifier's epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What is known of a signer.
    #[must_use]
    pub fn identity(&self, signer: &Address) -> Option<&Identity> {
        self.admitted.get(signer).map(|known| &known.identity)
    }

    /// Goes on to a later epoch. Whoever was admitted in an earlier one has to be admitted again, and whoever has
    /// expired is forgotten. *Units*: now in Unix seconds.
    ///
    /// # Errors
    /// [`IdentityRefusal::Epoch`]: an epoch before the current one.
    pub fn enter(&mut self, epoch: u64, now: u64) -> Result<(), IdentityRefusal> {
        if epoch < self.epoch {
            return Err(IdentityRefusal::Epoch { expected: self.epoch, found: epoch });
        }
        self.epoch = epoch;
        self.admitted.retain(|_, known| now <= known.identity.not_after);
        Ok(())
    }

    /// Forgets an identity and never admits it again, whatever vouches for it: its key is said to be out.
    pub fn revoke(&mut self, signer: Address) {
        self.admitted.remove(&signer);
        self.revoked.insert(signer);
    }

    /// Admits an identity, or admits it for longer, whose evidence answers the challenge. Returns the measurement of its
    /// program.
    ///
    /// # Errors
    /// [`IdentityRefusal`]; what is known stays as it was.
    pub fn admit(
        &mut self,
        attested: &AttestedIdentity,
        policy: &Policy,
        challenge: Challenge,
        now: u64,
    ) -> Result<[u8; 32], IdentityRefusal> {
        let AttestedIdentity { identity, evidence: presented } = attested;
        let Challenge(challenge) = challenge;
        self.check_epoch(identity.epoch)?;
        self.check_lifetime(identity, now)?;
        let signer = identity.signer;
        if self.revoked.contains(&signer) {
            return Err(IdentityRefusal::Revoked { signer });
        }
        let accepted = policy.check_pieces(presented, &identity.user_data(&challenge), &challenge, now)?;
        self.remember(attested.clone(), accepted, challenge, policy)
    }

    /// Keeps an identity whose evidence is accepted, the first piece and those that vouch with it.
    pub(super) fn remember(
        &mut self,
        attested: AttestedIdentity,
        accepted: Vec<(usize, Evidence)>,
        challenge: [u8; 64],
        policy: &Policy,
    ) -> Result<[u8; 32], IdentityRefusal> {
        let AttestedIdentity { identity, evidence: presented } = attested;
        let (_, own) = accepted.first().ok_or(PolicyRefusal::NoKinds)?;
        let measurement = own.measurement;
        let configuration = policy.configuration(own, &identity.user_data(&challenge));
        let found = Admitted { identity, presented, accepted, measurement, challenge, configuration };
        if let Some(known) = self.admitted.get(&identity.signer) {
            found.check_follows(known)?;
        }
        self.admitted.insert(identity.signer, found);
        Ok(measurement)
    }

    /// Judges what an identity signed: by whom, in which epoch, and whether its time is over.
    ///
    /// # Errors
    /// [`IdentityRefusal`].
    pub fn check(&self, said: &[u8; 64], signed: &IdentitySignature, now: u64) -> Result<&Identity, IdentityRefusal> {
        let signer = signed.signer(said)?;
        if self.revoked.contains(&signer) {
            return Err(IdentityRefusal::Revoked { signer });
        }
        let Admitted { identity, .. } = self.admitted.get(&signer).ok_or(IdentityRefusal::Unknown { signer })?;
        self.check_epoch(signed.epoch)?;
        self.check_epoch(identity.epoch)?;
        check_expiry(identity, now)?;
        Ok(identity)
    }

    /// Judges everybody who is known under a policy that may have changed, and forgets and names those whose provider,
    /// program, platform or configuration is no longer accepted, or whose chain the revocation lists refuse. The age of
    /// evidence, its signatures and dates, and the list of simulated roots are judged at its admission alone. *Units*: now
    /// in Unix seconds, for the lists.
    pub fn judge_again(&mut self, policy: &Policy, now: u64) -> Vec<Address> {
        let refused = |known: &Admitted| known.judge(policy, now).is_err();
        let dropped: Vec<Address> =
            self.admitted.iter().filter(|(_, known)| refused(known)).map(|(signer, _)| *signer).collect();
        dropped.iter().for_each(|signer| drop(self.admitted.remove(signer)));
        dropped
    }

    fn check_epoch(&self, found: u64) -> Result<(), IdentityRefusal> {
        let expected = self.epoch;
        if found == expected { Ok(()) } else { Err(IdentityRefusal::Epoch { expected, found }) }
    }

    fn check_lifetime(&self, identity: &Identity, now: u64) -> Result<(), IdentityRefusal> {
        check_expiry(identity, now)?;
        let (last, found) = (now.saturating_add(self.max_lifetime), identity.not_after);
        if found <= last { Ok(()) } else { Err(IdentityRefusal::Lifetime { last, found }) }
    }
}

fn check_expiry(identity: &Identity, now: u64) -> Result<(), IdentityRefusal> {
    let not_after = identity.not_after;
    if now <= not_after { Ok(()) } else { Err(IdentityRefusal::Expired { not_after, now }) }
}
