//! Questions to the table: an owner's for its balances, the auditors' summary. No version is made, and nobody outside
//! learns who asked, what was answered, or whether the account exists.
//!
//! An owner sends its query to an attempt whose request names the table's key alone: it checks the attempt's evidence,
//! seals the query to the attested key X, and signs inside. Every query gets an answer of one size; one that is not
//! readable, not signed by its account or under a bad key gets it sealed to a random key, which nobody opens.
//!
//! *Layout* of a sealed query, 167 bytes: encapsulated key 32 ‖ HPKE ciphertext of instruction 5 with its tag, info
//! "ccc/v1/query" ‖ request digest, no associated data. *Source*: `docs/spec/enclave.md`, section *Queries*.

mod wire;

pub use wire::QueryFile;

use crate::{
    attempt::{Attempt, OpenedAttempt, Session},
    authorisation::{self, AccountKey},
    config::{ConfigError, EnclaveConfig},
    instruction::BalanceQuery,
    key,
    reader::{self, ReaderKey, SEAL_OVERHEAD},
};
use ccc_core::{
    ciphertext::{Label, LabelKind},
    enclave::attestation::{Evidence, Policy, PolicyRefusal, ProviderError},
    suite::{self, domain, kdf},
    table::{AccountId, AuditorSet, DataKey, Header, OpenTable, StructuralError, holdings_len},
    vault::{Recipient, Request},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of a sealed query.
pub const SEALED_QUERY_LEN: usize = BalanceQuery::LEN + SEAL_OVERHEAD;
/// The most queries that one attempt answers. Each costs one scan of the whole table, also one that nobody can read.
pub const GREATEST_QUERIES: usize = 64;

/// Why no query is answered. Nothing has changed anywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The table is not the one that its header names.
    #[error("table: {0}")]
    Table(#[from] StructuralError),
    /// The request names more or less than the table's key.
    #[error("a query opens the table's key and nothing else")]
    Request,
    /// The header is not the one that the request names.
    #[error("the request names another table header")]
    OtherHeader,
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The queries were read under the keys of another attempt.
    #[error("the queries were made for another request")]
    OtherRequest,
    /// More queries than one attempt answers.
    #[error("{found} queries, where one attempt answers {most}")]
    Count {
        /// [`GREATEST_QUERIES`].
        most: usize,
        /// Queries given.
        found: usize,
    },
    /// The configuration names no auditors.
    #[error("the configuration names no auditors")]
    NoAuditors,
    /// A key of the auditor set is none.
    #[error("key {index} of the auditor set is not an X25519 key")]
    AuditorKey {
        /// Position in the set.
        index: usize,
    },
    /// The attestation provider failed.
    #[error("attestation: {0}")]
    Attestation(#[from] ProviderError),
}

/// The queries of an attempt, read with its key X.
///
/// *Security*: who asked is secret; no `Debug`.
pub struct Queries {
    request: [u8; 64],
    asked: Vec<Option<BalanceQuery>>,
}

/// Answers with evidence that this enclave gave them for this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// One for each query, or for each auditor of the set, in order; all of one length.
    pub sealed: Vec<Vec<u8>>,
    /// Digest of the request under which the table was opened.
    pub request: [u8; 64],
    /// Hash of the header that was read.
    pub header: [u8; 32],
    /// Evidence over the three above.
    pub evidence: Vec<u8>,
}

impl Answers {
    fn attest(session: &Session<'_>, header: [u8; 32], sealed: Vec<Vec<u8>>) -> Result<Self, ProviderError> {
        let request = session.request.digest();
        let mut answers = Self { sealed, request, header, evidence: Vec::new() };
        answers.evidence = session.attest(&answers.user_data())?;
        Ok(answers)
    }

    /// What the evidence vouches for: H("answers"; request digest 64, header hash 32, each answer).
    #[must_use]
    pub fn user_data(&self) -> [u8; 64] {
        let fields: [&[u8]; 2] = [&self.request, &self.header];
        let fields: Vec<&[u8]> = fields.into_iter().chain(self.sealed.iter().map(Vec::as_slice)).collect();
        suite::hash(domain::ANSWERS, &fields)
    }

    /// Checks the evidence against a policy at time `now`.
    ///
    /// # Errors
    /// [`PolicyRefusal`].
    pub fn check(&self, policy: &Policy, now: u64) -> Result<Evidence, PolicyRefusal> {
        policy.check(&self.evidence, &self.user_data(), &self.request, now)
    }
}

/// What an account signs a query under: the request's identifier, deadline and table header. No ciphertext has a label
/// with a context and kind *recipient*, so a query's signature serves nothing else.
fn label(request: &Request, account: [u8; 20]) -> Label {
    Label {
        kind: LabelKind::Recipient,
        chain: request.chain,
        contract: request.contract,
        id: request.id,
        version: 0,
        requester: account,
        expiry: request.deadline,
        context: request.table_header.unwrap_or_default(),
    }
}

/// A signed query of an account, sealed to the attested keys of an attempt at `request`; the answer is for `reader`.
///
/// Nothing for a recipient whose key is none. *Security*: the caller has checked the recipient's evidence.
pub fn ask(
    key: &AccountKey,
    reader: &ReaderKey,
    request: &Request,
    recipient: &Recipient,
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    let mut query = BalanceQuery { account: key.account(), answer_key: reader.public(), signature: [0; 65] };
    query.signature = key.sign(&label(request, query.account), &query.unsigned());
    let plain = Zeroizing::new(query.to_bytes());
    key::seal_message(&recipient.x, &reader::info(kdf::QUERY, &request.digest()), &[], &plain, rng)
}

impl Attempt<'_> {
    /// Reads sealed queries with the attempt's key, before opening spends it. What does not open, parse or carry its
    /// account's signature for this request keeps its place and is answered to nobody.
    ///
    /// # Errors
    /// [`QueryError::Count`].
    pub fn queries(&self, sealed: &[Vec<u8>]) -> Result<Queries, QueryError> {
        if sealed.len() > GREATEST_QUERIES {
            return Err(QueryError::Count { most: GREATEST_QUERIES, found: sealed.len() });
        }
        let request = self.session.request.digest();
        let info = reader::info(kdf::QUERY, &request);
        let asked = sealed.iter().map(|sealed| self.query(&info, sealed)).collect();
        Ok(Queries { request, asked })
    }

    fn query(&self, info: &[u8], sealed: &[u8]) -> Option<BalanceQuery> {
        if sealed.len() != SEALED_QUERY_LEN {
            return None;
        }
        let query = BalanceQuery::from_bytes(&self.keys.open_message(info, &[], sealed)?).ok()?;
        let label = label(&self.session.request, query.account);
        authorisation::check(&query.account, &label, &query.unsigned(), &query.signature).ok()?;
        Some(query)
    }
}

impl OpenedAttempt<'_> {
    /// Answers an attempt's queries from the current table.
    ///
    /// # Errors
    /// [`QueryError`].
    ///
    /// *Security*: number and length of the answers are those of the queries and of the configuration.
    pub fn answer(
        self,
        queries: &Queries,
        header: &Header,
        body: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Answers, QueryError> {
        if queries.request != self.session.request.digest() {
            return Err(QueryError::OtherRequest);
        }
        let table = self.current_table(header, body)?;
        let places = queries.asked.iter().zip(0..);
        let sealed = places.map(|(query, place)| answer(&self.session, &table, query.as_ref(), place, rng)).collect();
        Ok(Answers::attest(&self.session, header.hash(), sealed)?)
    }

    /// Seals a summary of the current table to each auditor of the configuration's set, in the set's order.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn summary(self, header: &Header, body: &[u8], rng: &mut impl CryptoRng) -> Result<Answers, QueryError> {
        let config = self.session.config;
        let set = config.auditors.as_ref().ok_or(QueryError::NoAuditors)?;
        let summary = self.current_table(header, body)?.summary(assets(config), set);
        let plain = Zeroizing::new(summary.to_bytes());
        let sealed = seal_to_all(set, &self.session.request.digest(), &plain, rng)?;
        Ok(Answers::attest(&self.session, header.hash(), sealed)?)
    }

    fn current_table(&self, header: &Header, body: &[u8]) -> Result<OpenTable, QueryError> {
        if self.session.request.table_header != Some(header.hash()) {
            return Err(QueryError::OtherHeader);
        }
        self.session.config.check_suite(header)?;
        let [Some(key)] = self.plaintexts.as_slice() else {
            return Err(QueryError::Request);
        };
        Ok(OpenTable::open(header, body, &DataKey::from_opened(key)?)?)
    }
}

fn assets(config: &EnclaveConfig) -> u32 {
    u32::try_from(config.assets.len()).unwrap_or(u32::MAX)
}

/// The answer to one query: the same scan and the same length whether it is readable, known, or neither.
fn answer(
    session: &Session<'_>,
    table: &OpenTable,
    query: Option<&BalanceQuery>,
    place: u32,
    rng: &mut impl CryptoRng,
) -> Vec<u8> {
    let nobody = ReaderKey::generate(rng).public();
    let (account, key) = query.map_or(([0; 20], nobody), |query| (query.account, query.answer_key));
    let plain = table.holdings(AccountId(account), assets(session.config)).to_bytes();
    let (label, request) = (kdf::ANSWER, session.request.digest());
    let sealed = reader::seal(&key, (label, &request), place, &plain, rng);
    let sealed = sealed.or_else(|| reader::seal(&nobody, (label, &request), place, &plain, rng));
    sealed.unwrap_or_else(|| vec![0; holdings_len(session.config.assets.len()) + SEAL_OVERHEAD])
}

fn seal_to_all(
    set: &AuditorSet,
    request: &[u8; 64],
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<Vec<u8>>, QueryError> {
    let places = set.keys().iter().enumerate().zip(0..);
    places
        .map(|((index, key), place)| {
            reader::seal(key, (kdf::SUMMARY, request), place, plain, rng).ok_or(QueryError::AuditorKey { index })
        })
        .collect()
}
