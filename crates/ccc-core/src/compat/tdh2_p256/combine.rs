//! From shares to the 32 bytes.

use super::INPUT_LEN;
use super::ciphertext::VerifiedCiphertext;
use super::error::CombineError;
use super::group::Encoded;
use super::polynomial::{Sample, at_zero, has_degree_below_vartime};
use super::share::DecryptionShare;
use crate::flood::MAX_DIFFERENT;
use crate::threshold::Threshold;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The message of a raw ciphertext.
#[non_exhaustive]
pub struct Combined {
    /// The 32 bytes.
    pub message: Zeroizing<[u8; INPUT_LEN]>,
    /// Indices under which a share came whose proof does not verify, and those that no participant has, ascending.
    pub refused: Vec<u16>,
    /// Participants under whose index more than 8 different shares came, ascending: those after the eighth were looked at
    /// only as far as they were needed.
    pub flooded: Vec<u16>,
}

/// Opens a ciphertext with at least k shares; every share is verified first.
///
/// A participant may occur several times and counts once: the same share again is left out, and of different ones the
/// first 8 are looked at. Where that leaves fewer than k participants, the others are looked at too, one of each index by
/// turns, until there are k or 8·n more checks have been made: at most 16·n in all. An index that no participant has is
/// told and costs no check. Shares of this format are not signed: 8 wrong ones under an index do not shut the right one
/// out, but whoever can put those 8 and 8·n more different ones before it does. Put those first whose sender you know.
/// `threshold` is [`PublicKey::threshold`]'s, which a caller that opens many ciphertexts derives once.
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
    let need = threshold.t();
    let Sorted { valid, refused, flooded } = Sorted::new(ciphertext, need.into(), shares)?;
    let have = valid.len();
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
    fn new(
        ciphertext: &VerifiedCiphertext<'_>,
        need: usize,
        shares: &'s [DecryptionShare],
    ) -> Result<Self, CombineError> {
        let mut checks = Checks::new(ciphertext);
        let (mut seen, mut later) = (BTreeMap::<u16, BTreeSet<_>>::new(), BTreeMap::<u16, Vec<_>>::new());
        for share in shares {
            let index = share.index();
            if index >= ciphertext.public_key().participants() {
                checks.refused.insert(index);
                continue;
            }
            let different = seen.entry(index).or_default();
            match (different.insert(share.fields()), different.len()) {
                (true, ..=MAX_DIFFERENT) => checks.check(share)?,
                (true, _) => later.entry(index).or_default().push(share),
                (false, _) => {}
            }
        }
        checks.go_on(&later, need)?;
        let Checks { valid, refused, .. } = checks;
        Ok(Self { valid, refused: refused.into_iter().collect(), flooded: later.into_keys().collect() })
    }
}

/// What the checks so far have shown, and how many may follow those of the first shares of each index.
struct Checks<'a, 's> {
    ciphertext: &'a VerifiedCiphertext<'a>,
    valid: BTreeMap<u16, &'s Encoded>,
    refused: BTreeSet<u16>,
    left: usize,
}

impl<'a, 's> Checks<'a, 's> {
    fn new(ciphertext: &'a VerifiedCiphertext<'a>) -> Self {
        let left = MAX_DIFFERENT * usize::from(ciphertext.public_key().participants());
        Self { ciphertext, valid: BTreeMap::new(), refused: BTreeSet::new(), left }
    }

    fn check(&mut self, share: &'s DecryptionShare) -> Result<(), CombineError> {
        if share.verify(self.ciphertext).is_err() {
            self.refused.insert(share.index());
            return Ok(());
        }
        let first = *self.valid.entry(share.index()).or_insert(share.u_i());
        if first == share.u_i() { Ok(()) } else { Err(CombineError::Contradiction) }
    }

    /// Looks at what came after the first of an index that has no valid one, as long as participants are missing. By turns,
    /// so that wrong ones under one index use up no more than those under another.
    fn go_on(&mut self, later: &BTreeMap<u16, Vec<&'s DecryptionShare>>, need: usize) -> Result<(), CombineError> {
        let most = later.values().map(Vec::len).max().unwrap_or_default();
        for turn in 0..most {
            for share in later.values().filter_map(|shares| shares.get(turn)) {
                if self.valid.len() >= need || self.left == 0 {
                    return Ok(());
                }
                if !self.valid.contains_key(&share.index()) {
                    self.left -= 1;
                    self.check(share)?;
                }
            }
        }
        Ok(())
    }
}
