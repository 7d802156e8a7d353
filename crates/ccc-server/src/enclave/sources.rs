//! The custodian's statement from one source or several, and the rule that makes one of them.

use ccc_enclave::statement::{Statement, StatementError};
use ccc_node::custodian::{self, CustodianError};
use futures::future::join_all;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// An auditor's own reading.
    Auditor,
    /// The custodian's interface.
    CustodianApi,
    /// The reserve's own word.
    SelfReported,
    /// Balances of addresses on a chain.
    ChainQuery,
}

impl Class {
    /// The class in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::CustodianApi => "custodian API",
            Self::SelfReported => "self-reported",
            Self::ChainQuery => "chain query",
        }
    }
}

/// What is made of several statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// All have to say the same two amounts; one that does not answer stops the check.
    #[default]
    Identical,
    /// The middle one by coverage, of two middle ones the lower; more than half have to answer.
    Median,
}

/// One source.
pub struct Source {
    /// Where it is asked: GET with a bearer token.
    pub url: String,
    /// The token.
    pub token: Zeroizing<String>,
    /// Who says it.
    pub class: Class,
}

/// Why there is no statement. No variant carries an amount.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A source gave none.
    #[error("source {index} ({}): {source}", .class.words())]
    Fetch {
        /// Its position.
        index: usize,
        /// Who it is.
        class: Class,
        /// Why.
        source: CustodianError,
    },
    /// What a source gave is no statement.
    #[error("source {index}: {source}")]
    Statement {
        /// Its position among those that answered.
        index: usize,
        /// Why.
        source: StatementError,
    },
    /// Two sources say different amounts, or speak of different accounts.
    #[error("source {index} says something else than source 0")]
    Differ {
        /// Its position among those that answered.
        index: usize,
    },
    /// Too few answered for a median.
    #[error("{found} of {asked} sources answered, more than half are needed")]
    Few {
        /// How many were asked.
        asked: usize,
        /// How many answered.
        found: usize,
    },
    /// None is configured.
    #[error("no source of the statement is configured")]
    None,
}

/// Asks every source at once and makes one statement of what they say.
///
/// # Errors
/// [`SourceError`].
pub async fn statement(rule: Rule, sources: &[Source]) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let asked = join_all(sources.iter().map(|source| custodian::fetch(&source.url, &source.token))).await;
    let mut found = Vec::new();
    for (index, (fetched, source)) in asked.into_iter().zip(sources).enumerate() {
        match fetched {
            Ok(bytes) => found.push(bytes),
            Err(error) if rule == Rule::Median => {
                tracing::warn!(target: "ccc_server::enclave", index, class = source.class.words(), "no statement: {error}");
            }
            Err(error) => return Err(SourceError::Fetch { index, class: source.class, source: error }),
        }
    }
    choose(rule, found, sources.len())
}

fn choose(rule: Rule, mut found: Vec<Zeroizing<Vec<u8>>>, asked: usize) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let parsed = |(index, bytes): (usize, &Zeroizing<Vec<u8>>)| {
        Statement::parse(bytes).map_err(|source| SourceError::Statement { index, source })
    };
    let statements = found.iter().enumerate().map(parsed).collect::<Result<Vec<_>, _>>()?;
    let first = statements.first().ok_or(if asked == 0 { SourceError::None } else { few(asked, 0) })?;
    let place = match rule {
        Rule::Identical => {
            let same =
                |other: &Statement| (other.reserves(), other.liabilities()) == (first.reserves(), first.liabilities());
            match statements.iter().position(|other| !same(other) || other.account() != first.account()) {
                Some(index) => return Err(SourceError::Differ { index }),
                None => 0,
            }
        }
        Rule::Median if 2 * statements.len() <= asked => return Err(few(asked, statements.len())),
        Rule::Median => {
            if let Some(index) = statements.iter().position(|other| other.account() != first.account()) {
                return Err(SourceError::Differ { index });
            }
            median(&statements)
        }
    };
    Ok(found.swap_remove(place))
}

fn few(asked: usize, found: usize) -> SourceError {
    SourceError::Few { asked, found }
}

/// The position of the middle one by reserves ÷ liabilities, of two the lower.
fn median(statements: &[Statement]) -> usize {
    let product = |a: &Statement, b: &Statement| u128::from(a.reserves()) * u128::from(b.liabilities());
    let mut order: Vec<usize> = (0..statements.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&statements[*a], &statements[*b]);
        product(a, b).cmp(&product(b, a)).then(a.reserves().cmp(&b.reserves()))
    });
    order[(statements.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reserves: u64, liabilities: u64) -> Zeroizing<Vec<u8>> {
        let text =
            format!(r#"{{"account":"a","unit":"satoshi","time":1,"reserves":{reserves},"liabilities":{liabilities}}}"#);
        Zeroizing::new(text.into_bytes())
    }

    fn reserves(chosen: &[u8]) -> u64 {
        Statement::parse(chosen).expect("a statement").reserves()
    }

    #[test]
    fn sources_that_differ_give_no_statement_under_the_rule_identical() {
        let same = choose(Rule::Identical, vec![said(9, 10), said(9, 10)], 2).expect("one");
        assert_eq!(reserves(&same), 9);
        for other in [said(8, 10), said(9, 11)] {
            let differ = choose(Rule::Identical, vec![said(9, 10), said(9, 10), other], 3);
            assert!(matches!(differ, Err(SourceError::Differ { index: 2 })));
        }
        assert!(matches!(choose(Rule::Identical, Vec::new(), 0), Err(SourceError::None)));
        let text = Zeroizing::new(b"{}".to_vec());
        let broken = choose(Rule::Identical, vec![said(9, 10), text], 2);
        assert!(matches!(broken, Err(SourceError::Statement { index: 1, .. })));
    }

    #[test]
    fn a_median_needs_more_than_half_and_is_no_source_that_stands_alone() {
        let three = vec![said(1_000_000, 10), said(9, 10), said(8, 10)];
        assert_eq!(reserves(&choose(Rule::Median, three, 3).expect("one")), 9);
        let two = vec![said(9, 10), said(8, 10)];
        assert_eq!(reserves(&choose(Rule::Median, two, 3).expect("one")), 8, "of two the lower");
        let few = choose(Rule::Median, vec![said(9, 10), said(8, 10)], 4);
        assert!(matches!(few, Err(SourceError::Few { asked: 4, found: 2 })));
        let zero = vec![said(0, 0), said(9, 10), said(8, 10)];
        assert!(choose(Rule::Median, zero, 3).is_ok());
    }
}
