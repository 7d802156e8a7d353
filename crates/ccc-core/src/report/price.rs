//! The digest of the prices that a round consumed.

use super::word::WordWriter;
use super::{ReportError, Word, keccak256};

/// One answer of an aggregator.
///
/// *Units*: `answer` in the feed's decimals, `updated_at` in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceObservation {
    /// The aggregator's round, below 2^80.
    pub round: u128,
    /// The price.
    pub answer: i128,
    /// When the aggregator took it.
    pub updated_at: u64,
}

/// keccak256(abi.encode((uint80 round, int256 answer, uint256 updatedAt)[])), oldest first.
///
/// *Source*: `docs/spec/report.md`. Signers read the feed again and compare before they sign.
///
/// # Errors
/// A round above 80 bits.
pub fn price_digest(observations: &[PriceObservation]) -> Result<Word, ReportError> {
    let head = WordWriter::default().uint(32).uint(observations.len() as u128);
    let words = observations.iter().try_fold(head, write_observation)?;
    Ok(keccak256(&[&words.finish()]))
}

fn write_observation(words: WordWriter, observation: &PriceObservation) -> Result<WordWriter, ReportError> {
    if observation.round >> 80 != 0 {
        return Err(ReportError::PriceRound { found: observation.round });
    }
    Ok(words.uint(observation.round).int(observation.answer).uint(observation.updated_at.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_the_hash_of_the_written_words() {
        let one = PriceObservation { round: 1, answer: -2, updated_at: 3 };
        let words = concat!(
            "0000000000000000000000000000000000000000000000000000000000000020",
            "0000000000000000000000000000000000000000000000000000000000000001",
            "0000000000000000000000000000000000000000000000000000000000000001",
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe",
            "0000000000000000000000000000000000000000000000000000000000000003",
        );
        let expected = keccak256(&[&hex::decode(words).unwrap()]);
        assert_eq!(price_digest(&[one]).unwrap(), expected);
    }

    #[test]
    fn round_above_80_bits_is_refused() {
        let found = 1u128 << 80;
        let wide = PriceObservation { round: found, answer: 1, updated_at: 1 };
        assert_eq!(price_digest(&[wide]), Err(ReportError::PriceRound { found }));
    }
}
