//! From shares to the 32 bytes.

use super::INPUT_LEN;
use super::ciphertext::VerifiedCiphertext;
use super::error::CombineError;
use super::group::Encoded;
use super::polynomial::{Sample, at_zero, has_degree_below_vartime};
use super::share::DecryptionShare;
use crate::flood::{Different, Place};
use crate::threshold::Threshold;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The message of a raw ciphertext.
#[non_exhaustive]
pub struct Combined {
    /// The 32 bytes.
    pub message: Zeroizing<[u8; INPUT_LEN]>,
    /// Indices under which a share came whose proof does not verify, ascending.
    pub refused: Vec<u16>,
    /// Indices under which more than 8 different shares came, ascending: those after the eighth were not looked at.
    pub flooded: Vec<u16>,
}

/// Opens a ciphertext with at least k shares; every share is verified first.
///
/// A participant may occur several times and counts once: the same share again is left out, and of different ones the
/// first 8 are looked at. Shares of this format are not signed, so whoever can put 8 wrong ones before the right one shuts
/// it out: put those first whose sender you know. `threshold` is [`PublicKey::threshold`]'s, which a caller that
/// opens many ciphertexts derives once.
///
/// # Errors
/// [`CombineError`]: too few shares are an error and never another message; shares that contradict each other are
/// refused as far as the format shows it.
///
/// [`PublicKey::threshold`]: super::PublicKey::threshold
pub fn combine(
    ciphertext: &VerifiedCiphertext<'_>,
    threshold: Threshold,
    shares: &[DecryptionShare],
) -> Result<Combined, CombineError> {
    let (expected, found) = (ciphertext.public_key().participants(), threshold.n());
    if expected != found {
        return Err(CombineError::Participants { expected, found });
    }
    let Sorted { valid, refused, flooded } = Sorted::new(ciphertext, shares)?;
    let (need, have) = (threshold.t(), valid.len());
    if have < usize::from(need) {
        return Err(CombineError::NotEnoughShares { need, have, refused, flooded });
    }
    let samples: Vec<_> = valid.into_iter().map(|(index, point)| Sample::of_index(index, point)).collect();
    if !has_degree_below_vartime(need.into(), &samples) {
        return Err(CombineError::Contradiction);
    }
    let k = at_zero(&samples[..need.into()]);
    Ok(Combined { message: ciphertext.open(&k), refused, flooded })
}

/// Shares by index, the valid ones apart.
struct Sorted<'s> {
    valid: BTreeMap<u16, &'s Encoded>,
    refused: Vec<u16>,
    flooded: Vec<u16>,
}

impl<'s> Sorted<'s> {
    fn new(ciphertext: &VerifiedCiphertext<'_>, shares: &'s [DecryptionShare]) -> Result<Self, CombineError> {
        let (mut valid, mut refused) = (BTreeMap::<u16, &Encoded>::new(), BTreeSet::new());
        let (mut looked_at, mut flooded) = (Different::default(), BTreeSet::new());
        for share in shares {
            match looked_at.put(share.index(), share) {
                Place::New => {}
                Place::Repeated => continue,
                Place::Full => {
                    flooded.insert(share.index());
                    continue;
                }
            }
            if share.verify(ciphertext).is_err() {
                refused.insert(share.index());
                continue;
            }
            let first = *valid.entry(share.index()).or_insert(share.u_i());
            if first != share.u_i() {
                return Err(CombineError::Contradiction);
            }
        }
        Ok(Self { valid, refused: refused.into_iter().collect(), flooded: flooded.into_iter().collect() })
    }
}
