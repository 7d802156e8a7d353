//! Which of several enclaves' results for one check is signed: one that enough of them agree with.

use crate::attested::Made;
use ccc_core::report::{Payload, Statement, keccak256};
use std::collections::BTreeMap;

/// A result that enough enclaves agree with, and who says something else.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) made: Made,
    pub(super) odd: Vec<String>,
}

/// Too few enclaves say the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} of {answered} enclaves say the same, {need} are needed; {}", .names.join(", "))]
pub(super) struct NoAgreement {
    /// Enclaves that have to say the same.
    pub(super) need: usize,
    /// Those that answered.
    pub(super) answered: usize,
    /// The most that said the same.
    pub(super) found: usize,
    /// Who answered.
    pub(super) names: Vec<String>,
}

/// What an enclave says of the reserve, without what differs between two honest ones: its evidence, and the randomness of
/// the agent's envelope. Nothing for a payload of another kind.
fn said(made: &Made) -> Option<[u8; 32]> {
    let mut payload = Payload::from_bytes(&made.result.payload).ok()?;
    let Statement::Solvency(solvency) = &mut payload.statement else { return None };
    solvency.envelope_digest = [0; 32];
    payload.binding.attestation = [0; 32];
    Some(keccak256(&[&payload.to_bytes(), &made.result.inputs.to_bytes(), &made.result.request]))
}

/// The first result among those that at least `need` enclaves agree with.
pub(super) fn agree(need: usize, results: Vec<(String, Made)>) -> Result<Agreed, NoAgreement> {
    let mut groups: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    let words: Vec<_> = results.iter().map(|(_, made)| said(made)).collect();
    words.iter().flatten().for_each(|word| *groups.entry(*word).or_default() += 1);
    let most = groups.iter().max_by_key(|(_, count)| **count).map(|(word, count)| (*word, *count));
    let (answered, found) = (results.len(), most.map_or(0, |(_, count)| count));
    let Some((word, _)) = most.filter(|(_, count)| *count >= need) else {
        let names = results.into_iter().map(|(name, _)| name).collect();
        return Err(NoAgreement { need, answered, found, names });
    };
    let mut odd = Vec::new();
    let mut chosen = None;
    for ((name, made), found) in results.into_iter().zip(words) {
        if found != Some(word) {
            odd.push(name);
        } else if chosen.is_none() {
            chosen = Some(made);
        }
    }
    let none = NoAgreement { need, answered, found, names: Vec::new() };
    Ok(Agreed { made: chosen.ok_or(none)?, odd })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attested::Beside;
    use ccc_core::{
        epoch::Epoch,
        report::{Binding, Solvency, Verdict},
        vault::{Mode, Request},
    };
    use ccc_enclave::result::{AttestedResult, PublicInputs};

    fn made(verdict: Verdict, enclave: u8) -> Made {
        let binding = Binding {
            chain: 1,
            receiver: [2; 20],
            epoch: 1,
            sequence: 1,
            valid_until: 900,
            attestation: [enclave; 32],
        };
        let statement = Statement::Solvency(Solvency {
            verdict,
            block: 1,
            block_time: 2,
            header_hash: [3; 32],
            envelope_digest: [enclave; 32],
        });
        let request = Request {
            chain: 1,
            contract: [2; 20],
            id: [3; 32],
            table_header: None,
            block_hash: [4; 32],
            deadline: 5,
            mode: Mode::Sealed,
            epoch: Epoch(1),
            committee: [7; 64],
            ciphertexts: Vec::new(),
        };
        let inputs = PublicInputs { block: 1, block_time: 2, custody: 3, consumed: 4, accumulator: [5; 32] };
        let result = AttestedResult {
            payload: Payload { binding, statement }.to_bytes(),
            inputs,
            request: request.digest(),
            header: [3; 32],
            log: [0; 32],
            evidence: vec![enclave],
            identity: None,
        };
        Made { result, beside: Beside { request, header: None }, payouts: Vec::new() }
    }

    fn named(results: &[(u8, Verdict)]) -> Vec<(String, Made)> {
        results.iter().map(|(enclave, verdict)| (format!("enclave-{enclave}"), made(*verdict, *enclave))).collect()
    }

    #[test]
    fn two_of_three_agree_and_the_odd_one_is_named() {
        let results = [(1, Verdict::Solvent), (2, Verdict::Insolvent), (3, Verdict::Insolvent)];
        let agreed = agree(2, named(&results)).expect("two agree");
        assert_eq!(agreed.odd, ["enclave-1"]);
        assert_eq!(agreed.made.to_bytes(), made(Verdict::Insolvent, 2).to_bytes());
    }

    #[test]
    fn too_few_that_say_the_same_are_no_agreement() {
        let split = [(1, Verdict::Solvent), (2, Verdict::Insolvent), (3, Verdict::Unknown)];
        let refused = agree(2, named(&split)).expect_err("three say three things");
        assert_eq!((refused.need, refused.answered, refused.found), (2, 3, 1));
        let refused = agree(2, named(&split[..1])).expect_err("one alone");
        assert_eq!((refused.answered, refused.found), (1, 1));
        let refused = agree(1, Vec::new()).expect_err("nobody");
        assert_eq!((refused.answered, refused.found), (0, 0));
        let mut other = named(&[(1, Verdict::Solvent), (2, Verdict::Solvent)]);
        other[1].1.result.inputs.custody += 1;
        assert_eq!(agree(2, other).expect_err("other inputs").found, 1);
    }
}
