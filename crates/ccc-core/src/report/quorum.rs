//! Who may sign, and which of the given signatures count.

use super::word::WordWriter;
use super::{Address, QuorumError, Signature65, SignatureFault, Word, keccak256};
use alloc::vec;
use alloc::vec::Vec;

/// The most signers that a forwarder accepts in one set.
pub const MAX_SIGNERS: usize = 31;

/// The committee's report signers under one configuration.
///
/// *Security*: at most f of them may be faulty; f+1 signatures hold at least one honest one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerSet {
    /// The committee's number at the forwarder.
    pub don_id: u32,
    /// The version of this set.
    pub config_version: u32,
    /// The number of faulty signers tolerated.
    pub f: u8,
    /// The signers' addresses, in the order given to the forwarder.
    pub signers: Vec<Address>,
}

/// What is wrong with a signature inside a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The signature is wrong on its own.
    Signature(SignatureFault),
    /// The recovered address is not in the set: a foreign signer, or a signature over other bytes.
    UnknownSigner {
        /// The address that was recovered.
        recovered: Address,
    },
    /// The same signer already counted.
    Repeated {
        /// The position of the signature that counted.
        first: usize,
    },
}

/// A signature that does not count, by its position in what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// The position, from zero.
    pub position: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Signatures sorted into those that count and those that do not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examination {
    /// Index in the signer set and signature, ascending by index, each index once.
    pub good: Vec<(usize, Signature65)>,
    /// The others.
    pub culprits: Vec<Culprit>,
}

impl SignerSet {
    /// f+1: the signatures of a report.
    #[must_use]
    pub fn quorum(&self) -> usize {
        usize::from(self.f) + 1
    }

    /// The rules that the forwarder applies when a set is configured.
    ///
    /// # Errors
    /// f = 0, not more than 3f signers or more than 31, the zero address, an address twice.
    pub fn check(&self) -> Result<(), QuorumError> {
        if self.f == 0 {
            return Err(QuorumError::ZeroFaults);
        }
        let (least, found) = (3 * usize::from(self.f), self.signers.len());
        if found <= least || found > MAX_SIGNERS {
            return Err(QuorumError::SignerCount { f: self.f, least, most: MAX_SIGNERS, found });
        }
        self.check_addresses()
    }

    fn check_addresses(&self) -> Result<(), QuorumError> {
        for (second, signer) in self.signers.iter().enumerate() {
            if *signer == [0; 20] {
                return Err(QuorumError::ZeroSigner { position: second });
            }
            if let Some(first) = self.signers[..second].iter().position(|other| other == signer) {
                return Err(QuorumError::DuplicateSigner { first, second });
            }
        }
        Ok(())
    }

    /// keccak256(abi.encode(chainId, forwarder, donId, configVersion, f, signers)): what a report's
    /// context names, so that a signature holds for one chain, one forwarder and one set.
    #[must_use]
    pub fn config_digest(&self, chain: u64, forwarder: &Address) -> Word {
        const OFFSET_OF_SIGNERS: u128 = 6 * 32;
        let head = WordWriter::default()
            .uint(chain.into())
            .address(forwarder)
            .uint(self.don_id.into())
            .uint(self.config_version.into())
            .uint(self.f.into())
            .uint(OFFSET_OF_SIGNERS)
            .uint(self.signers.len() as u128);
        let words = self.signers.iter().fold(head, |words, signer| words.address(signer));
        keccak256(&[&words.finish()])
    }

    /// Sorts `signatures` over `digest` into those that count and those that do not.
    #[must_use]
    pub fn examine(&self, digest: &Word, signatures: &[Signature65]) -> Examination {
        let mut first_at = vec![None; self.signers.len()];
        let mut culprits = Vec::new();
        for (position, signature) in signatures.iter().enumerate() {
            match self.judge(digest, signature, &first_at) {
                Ok(index) => first_at[index] = Some(position),
                Err(fault) => culprits.push(Culprit { position, fault }),
            }
        }
        let good = first_at.iter().enumerate();
        let good = good.filter_map(|(index, at)| at.map(|at| (index, signatures[at]))).collect();
        Examination { good, culprits }
    }

    /// The signer's index in the set, unless the signature does not count.
    fn judge(&self, digest: &Word, signature: &Signature65, first_at: &[Option<usize>]) -> Result<usize, Fault> {
        let recovered = signature.recover(digest).map_err(Fault::Signature)?;
        let index =
            self.signers.iter().position(|signer| *signer == recovered).ok_or(Fault::UnknownSigner { recovered })?;
        match first_at[index] {
            Some(first) => Err(Fault::Repeated { first }),
            None => Ok(index),
        }
    }
}
