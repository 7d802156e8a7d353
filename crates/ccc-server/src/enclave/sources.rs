//! The custodian's statement from one source or several, and the rule that makes one of them.

use ccc_chain::https::Authorities;
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
    /// The middle one by coverage, of two middle ones the lower; more than half have to give one that can be used.
    Median,
}

/// One source.
pub struct Source {
    /// Where it is asked: GET with a bearer token.
    pub url: String,
    /// The token.
    pub token: Zeroizing<String>,
    /// Who vouches for it, behind TLS; without any it is asked in the clear, on this machine alone.
    pub authorities: Option<Authorities>,
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
    /// What a source gave is no statement, or one of another account or time.
    #[error("source {index}: {source}")]
    Statement {
        /// Its position.
        index: usize,
        /// Why.
        source: StatementError,
    },
    /// Two sources say different amounts.
    #[error("source {index} says something else than source 0")]
    Differ {
        /// Its position.
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

/// What the enclave will ask of a statement.
#[derive(Clone, Copy)]
pub(super) struct Demand<'a> {
    /// Of this account.
    pub(super) account: &'a str,
    /// Not younger than this.
    pub(super) time: u64,
    /// Nor older than it by more.
    pub(super) max_age: u64,
}

/// A source's answer, with its position in the file.
struct Answer {
    index: usize,
    class: Class,
    fetched: Result<Zeroizing<Vec<u8>>, CustodianError>,
}

struct Read {
    index: usize,
    class: Class,
    bytes: Zeroizing<Vec<u8>>,
    statement: Statement,
}

/// Asks every source at once and makes one statement of what they say.
///
/// # Errors
/// [`SourceError`].
pub(super) async fn statement(
    rule: Rule,
    sources: &[Source],
    demand: Demand<'_>,
) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let asked = join_all(sources.iter().map(ask)).await;
    let answer = |(index, (fetched, source)): (usize, (_, &Source))| Answer { index, class: source.class, fetched };
    choose(rule, asked.into_iter().zip(sources).enumerate().map(answer).collect(), demand)
}

async fn ask(source: &Source) -> Result<Zeroizing<Vec<u8>>, CustodianError> {
    match &source.authorities {
        Some(authorities) => custodian::fetch_trusting(&source.url, &source.token, authorities).await,
        None => custodian::fetch(&source.url, &source.token).await,
    }
}

/// What cannot be used stops the check under `identical`; under `median` it is one that gave nothing.
fn choose(rule: Rule, answers: Vec<Answer>, demand: Demand<'_>) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let asked = answers.len();
    let mut found = Vec::new();
    for answer in answers {
        let (index, class) = (answer.index, answer.class.words());
        match read(answer, demand) {
            Ok(read) => found.push(read),
            Err(error) if rule == Rule::Median => {
                tracing::warn!(target: "ccc_server::enclave", index, class, "no statement: {error}");
            }
            Err(error) => return Err(error),
        }
    }
    let place = match (rule, found.first()) {
        (_, None) => return Err(if asked == 0 { SourceError::None } else { few(asked, 0) }),
        (Rule::Identical, Some(first)) => identical(first, &found)?,
        (Rule::Median, Some(_)) if 2 * found.len() <= asked => return Err(few(asked, found.len())),
        (Rule::Median, Some(_)) => median(&found),
    };
    let Read { index, class, bytes, .. } = found.swap_remove(place);
    tracing::info!(target: "ccc_server::enclave", index, class = class.words(), "the statement of this source is taken");
    Ok(bytes)
}

fn read(Answer { index, class, fetched }: Answer, demand: Demand<'_>) -> Result<Read, SourceError> {
    let bytes = fetched.map_err(|source| SourceError::Fetch { index, class, source })?;
    let refused = |source| SourceError::Statement { index, source };
    let statement = Statement::parse(&bytes).map_err(refused)?;
    statement.check_account(demand.account).map_err(refused)?;
    statement.check_age(demand.time, demand.max_age).map_err(refused)?;
    Ok(Read { index, class, bytes, statement })
}

fn identical(first: &Read, found: &[Read]) -> Result<usize, SourceError> {
    let amounts = |read: &Read| (read.statement.reserves(), read.statement.liabilities());
    match found.iter().find(|other| amounts(other) != amounts(first)) {
        Some(other) => Err(SourceError::Differ { index: other.index }),
        None => Ok(0),
    }
}

fn few(asked: usize, found: usize) -> SourceError {
    SourceError::Few { asked, found }
}

/// The position of the middle one by reserves ÷ liabilities, of two the lower.
fn median(found: &[Read]) -> usize {
    let product = |a: &Statement, b: &Statement| u128::from(a.reserves()) * u128::from(b.liabilities());
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&found[*a].statement, &found[*b].statement);
        product(a, b).cmp(&product(b, a)).then(a.reserves().cmp(&b.reserves()))
    });
    order[(found.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMAND: Demand<'_> = Demand { account: "a", time: 10, max_age: 9 };

    fn text(account: &str, time: u64, [reserves, liabilities]: [u64; 2]) -> Zeroizing<Vec<u8>> {
        let text = format!(
            r#"{{"account":"{account}","unit":"satoshi","time":{time},"reserves":{reserves},"liabilities":{liabilities}}}"#
        );
        Zeroizing::new(text.into_bytes())
    }

    fn said(reserves: u64, liabilities: u64) -> Zeroizing<Vec<u8>> {
        text("a", 1, [reserves, liabilities])
    }

    fn away() -> Result<Zeroizing<Vec<u8>>, CustodianError> {
        Err(CustodianError::Refused { status: 503 })
    }

    fn chosen(
        rule: Rule,
        given: Vec<Result<Zeroizing<Vec<u8>>, CustodianError>>,
    ) -> Result<Zeroizing<Vec<u8>>, SourceError> {
        let answer = |(index, fetched)| Answer { index, class: Class::Auditor, fetched };
        choose(rule, given.into_iter().enumerate().map(answer).collect(), DEMAND)
    }

    fn reserves(chosen: &[u8]) -> u64 {
        Statement::parse(chosen).expect("a statement").reserves()
    }

    #[test]
    fn sources_that_differ_give_no_statement_under_the_rule_identical() {
        let same = chosen(Rule::Identical, vec![Ok(said(9, 10)), Ok(said(9, 10))]).expect("one");
        assert_eq!(reserves(&same), 9);
        for other in [said(8, 10), said(9, 11)] {
            let differ = chosen(Rule::Identical, vec![Ok(said(9, 10)), Ok(said(9, 10)), Ok(other)]);
            assert!(matches!(differ, Err(SourceError::Differ { index: 2 })));
        }
        assert!(matches!(chosen(Rule::Identical, Vec::new()), Err(SourceError::None)));
        for broken in [Zeroizing::new(b"{}".to_vec()), text("b", 1, [9, 10]), text("a", 0, [9, 10])] {
            let broken = chosen(Rule::Identical, vec![Ok(said(9, 10)), Ok(broken)]);
            assert!(matches!(broken, Err(SourceError::Statement { index: 1, .. })));
        }
        let away = chosen(Rule::Identical, vec![Ok(said(9, 10)), away()]);
        assert!(matches!(away, Err(SourceError::Fetch { index: 1, .. })));
    }

    #[test]
    fn a_median_needs_more_than_half_and_is_no_source_that_stands_alone() {
        let three = vec![Ok(said(1_000_000, 10)), Ok(said(9, 10)), Ok(said(8, 10))];
        assert_eq!(reserves(&chosen(Rule::Median, three).expect("one")), 9);
        let two = vec![Ok(said(9, 10)), Ok(said(8, 10)), away()];
        assert_eq!(reserves(&chosen(Rule::Median, two).expect("one")), 8, "of two the lower");
        let few = chosen(Rule::Median, vec![Ok(said(9, 10)), Ok(said(8, 10)), away(), away()]);
        assert!(matches!(few, Err(SourceError::Few { asked: 4, found: 2 })));
        let zero = vec![Ok(said(0, 0)), Ok(said(9, 10)), Ok(said(8, 10))];
        assert!(chosen(Rule::Median, zero).is_ok());
    }

    #[test]
    fn one_source_of_three_stops_no_median_whatever_it_says() {
        let lies = [
            Zeroizing::new(b"{}".to_vec()),
            Zeroizing::new(vec![0xFF; 100]),
            text("another", 1, [0, 10]),
            text("a", 0, [0, 10]),
            text("a", 11, [0, 10]),
        ];
        for lie in lies {
            let three = vec![Ok(lie), Ok(said(9, 10)), Ok(said(9, 10))];
            assert_eq!(reserves(&chosen(Rule::Median, three).expect("the two others")), 9);
        }
    }
}
