//! Every name that goes into a hash or a generator here, in one place: two uses of one name would make equal what must
//! be independent.
//!
//! *Source*: `docs/spec/encodings.md`, the function H. The labels of the cryptography itself stand in
//! [`ccc_core::suite::domain`]; none of these is among them.

/// The root of a seed: H("seed"; seed u64).
pub(crate) const SEED: &str = "seed";
/// A generator: H("generator"; root 32, stream's name, index u64).
pub(crate) const GENERATOR: &str = "generator";
/// The identifier of a round that settles no request: H("idle-round"; pool 20, version u64, attempt u64).
pub(crate) const IDLE_ROUND: &str = "idle-round";
/// The identifier of a reserve check: H("reserve-check"; attestation contract 20, sequence u64).
pub(crate) const RESERVE_CHECK: &str = "reserve-check";
/// The identifier of a host's reserve check, which another block asks for anew: H("reserve-check-at"; attestation contract
/// 20, sequence u64, block hash 32).
pub(crate) const RESERVE_CHECK_AT: &str = "reserve-check-at";
/// What a signer's record knows a claim by: H("signed-claim"; chain u64, receiver 20, kind u8, epoch u64, claim u8, value 32).
pub(crate) const SIGNED_CLAIM: &str = "signed-claim";

/// What the workflow of a deployment is named after: the digest of these bytes.
pub(crate) const WORKFLOW: &[u8] = b"ccc workflow";
/// What the table of a deployment is named after.
pub(crate) const TABLE: &[u8] = b"ccc table";

/// The names of a run's generators: [`crate::seed::Randomness`]. Each is drawn from once, or once per index.
pub(crate) mod stream {
    /// The participants' signing and dealing keys.
    pub(crate) const PARTICIPANT_KEYS: &str = "participant keys";
    /// The dealings of the key generation.
    pub(crate) const KEY_GENERATION: &str = "key generation";
    /// The key of the account that deploys and delivers.
    pub(crate) const OPERATOR: &str = "operator";
    /// The key of the reserve's account, on the chain and in the table.
    pub(crate) const RESERVE: &str = "reserve";
    /// The key of a maker's account on the chain.
    pub(crate) const MAKER: &str = "maker";
    /// The key that stands for the hardware's.
    pub(crate) const HARDWARE: &str = "hardware";
    /// The agent's key.
    pub(crate) const AGENT: &str = "agent";
    /// The enclave's identity: public by its address, so the same in two runs that differ in secrets.
    pub(crate) const IDENTITY: &str = "enclave identity";
    /// The report signers' keys.
    pub(crate) const REPORT_SIGNERS: &str = "report signers";
    /// What the simulated feed says.
    pub(crate) const PRICES: &str = "prices";
    /// How much a maker pays in.
    pub(crate) const DEPOSIT_AMOUNT: &str = "deposit amount";
    /// The salt of a maker's deposit.
    pub(crate) const DEPOSIT_SALT: &str = "deposit";
    /// The salt of a maker's standing order.
    pub(crate) const STANDING_ORDER_SALT: &str = "standing order";
    /// The salt of a maker's second submission.
    pub(crate) const SECOND_SALT: &str = "second submission";
    /// The salt of the reserve's deposit.
    pub(crate) const RESERVE_DEPOSIT_SALT: &str = "reserve deposit";
    /// The salt of the request for collateral.
    pub(crate) const REQUEST_SALT: &str = "request";
    /// Hidden: the makers' table accounts and reading keys.
    pub(crate) const TABLE_OWNERS: &str = "table owners";
    /// Hidden: the reserve's reading key.
    pub(crate) const RESERVE_READING_KEY: &str = "reserve reading key";
    /// Hidden: what the simulated custodian says.
    pub(crate) const BOOKS: &str = "books";
    /// Hidden: the simulated custodian's bearer token.
    pub(crate) const CUSTODIAN_TOKEN: &str = "custodian token";
    /// Hidden: a maker's offer.
    pub(crate) const COMMITMENT: &str = "commitment";
    /// Hidden: the encryption of the reserve's deposit.
    pub(crate) const RESERVE_ENCRYPTION: &str = "reserve encryption";
    /// Hidden: the encryption of a maker's submissions.
    pub(crate) const MAKER_ENCRYPTION: &str = "maker encryption";
    /// Hidden: the encryption of a maker's second submission.
    pub(crate) const SECOND_ENCRYPTION: &str = "second encryption";
    /// Hidden: the agent's order and its encryption.
    pub(crate) const ORDER: &str = "order";
    /// Hidden: an enclave's attempt.
    pub(crate) const ENCLAVE: &str = "enclave";
    /// Hidden: a participant's answer to an attempt.
    pub(crate) const PARTICIPANT: &str = "participant";
    /// Hidden: the weights with which the host checks compact answers.
    pub(crate) const COMBINER: &str = "combiner";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// What the constants of a source file say, those of its tests left out.
    fn names(source: &str) -> Vec<&str> {
        let lines = source.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        lines.filter_map(|line| line.split_once(": &str = \"")?.1.strip_suffix("\";")).collect()
    }

    #[test]
    fn no_two_uses_share_a_name() {
        let (ours, cores) = (names(include_str!("domain.rs")), names(include_str!("../../ccc-core/src/suite.rs")));
        let distinct: BTreeSet<&str> = ours.iter().copied().collect();
        assert!(ours.len() > 20 && cores.len() > 20, "the files are read");
        assert_eq!(distinct.len(), ours.len());
        let (labels, _) = ours.split_at(6);
        let hashed = [super::SEED, super::GENERATOR, super::IDLE_ROUND, super::RESERVE_CHECK];
        assert_eq!(labels, [hashed.as_slice(), &[super::RESERVE_CHECK_AT, super::SIGNED_CLAIM]].concat());
        assert!(labels.iter().all(|label| !cores.contains(label)), "a label of the cryptography");
    }
}
