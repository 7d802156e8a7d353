//! Which of several enclaves' results for one check is signed: one that enough of them agree with.

use crate::attested::{Check, Made};
use ccc_core::report::{Payload, Statement, keccak256};
use std::collections::BTreeMap;

/// Results that enough enclaves agree with, each of which can be signed, and who says something else.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) members: Vec<(String, Made)>,
    /// Who, and what is wrong.
    pub(super) odd: Vec<String>,
}

/// Too few enclaves say the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} of {asked} enclaves say the same, {need} are needed; {}", .words.join(", "))]
pub(super) struct NoAgreement {
    /// Enclaves that have to say the same.
    pub(super) need: usize,
    /// Those that were asked.
    pub(super) asked: usize,
    /// The most that said the same.
    pub(super) found: usize,
    /// What each of them said.
    pub(super) words: Vec<String>,
}

/// What is counted: one vote of each host, and one of each attempt of an enclave.
pub(super) struct Votes {
    need: usize,
    asked: usize,
    check: Check,
    counted: Vec<Vote>,
    /// Who does not count, and why.
    void: Vec<String>,
}

struct Vote {
    name: String,
    made: Made,
    word: [u8; 32],
}

impl Votes {
    pub(super) fn new(need: usize, asked: usize, check: Check) -> Self {
        Self { need, asked, check, counted: Vec::new(), void: Vec::new() }
    }

    /// One host's answer. It counts where an enclave vouches for it, where it is of this check, and where nobody else has
    /// given the same attempt: a host that hands on its neighbour's result has no voice of its own.
    pub(super) fn take(
        &mut self,
        name: &str,
        made: Result<Made, String>,
        vouched: impl Fn(&Made) -> Result<(), String>,
    ) {
        match self.judge(made, vouched) {
            Ok((made, word)) => self.counted.push(Vote { name: name.to_owned(), made, word }),
            Err(reason) => self.void.push(format!("{name}: {reason}")),
        }
    }

    fn judge(
        &self,
        made: Result<Made, String>,
        vouched: impl Fn(&Made) -> Result<(), String>,
    ) -> Result<(Made, [u8; 32]), String> {
        let made = made?;
        vouched(&made)?;
        let word = said(&made, self.check).ok_or("it answers something else than was asked")?;
        match self.counted.iter().find(|vote| vote.made.result.payload == made.result.payload) {
            Some(first) => Err(format!("it shows the result of {}", first.name)),
            None => Ok((made, word)),
        }
    }

    /// How many say each thing.
    fn most(&self) -> Option<([u8; 32], usize)> {
        let mut groups: BTreeMap<[u8; 32], usize> = BTreeMap::new();
        self.counted.iter().for_each(|vote| *groups.entry(vote.word).or_default() += 1);
        groups.into_iter().max_by_key(|(_, count)| *count)
    }

    /// Whether enough say the same.
    pub(super) fn enough(&self) -> bool {
        self.most().is_some_and(|(_, count)| count >= self.need)
    }

    /// Those that enough agree with. Who comes first changes from check to check.
    pub(super) fn agreed(mut self) -> Result<Agreed, NoAgreement> {
        let most = self.most();
        let found = most.map_or(0, |(_, count)| count);
        let Some((word, _)) = most.filter(|(_, count)| *count >= self.need) else {
            let says = |vote: &Vote| format!("{}: says {}", vote.name, hex::encode(&vote.word[..4]));
            let words = self.counted.iter().map(says).chain(self.void).collect();
            return Err(NoAgreement { need: self.need, asked: self.asked, found, words });
        };
        self.counted.sort_by(|a, b| a.name.cmp(&b.name));
        let (same, other): (Vec<_>, Vec<_>) = self.counted.into_iter().partition(|vote| vote.word == word);
        let others = other.into_iter().map(|vote| format!("{}: it says something else than the others", vote.name));
        let odd = others.chain(self.void).collect();
        let mut members: Vec<_> = same.into_iter().map(|vote| (vote.name, vote.made)).collect();
        let first = usize::try_from(self.check.sequence % members.len().max(1) as u64).unwrap_or(0);
        members.rotate_left(first);
        Ok(Agreed { members, odd })
    }
}

/// What an enclave says of the reserve, without what differs between two honest ones: its evidence, the randomness of the
/// agent's envelope, and until when, which its host says by the newest block. Nothing for an answer to another question.
fn said(made: &Made, check: Check) -> Option<[u8; 32]> {
    let mut payload = Payload::from_bytes(&made.result.payload).ok()?;
    let asked = payload.binding.sequence == check.sequence && made.beside.request.block_hash == check.block;
    let Statement::Solvency(solvency) = &mut payload.statement else { return None };
    solvency.envelope_digest = [0; 32];
    (payload.binding.attestation, payload.binding.valid_until) = ([0; 32], 0);
    let result = &made.result;
    let parts = [result.inputs.to_bytes().as_slice(), &result.request, &result.header, &result.log].concat();
    asked.then(|| keccak256(&[&payload.to_bytes(), &parts]))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::attested::Beside;
    use ccc_core::{
        epoch::Epoch,
        report::{Binding, Solvency, Verdict},
        vault::{Mode, Request},
    };
    use ccc_enclave::result::{AttestedResult, PublicInputs};

    pub(in crate::workflow) fn made(verdict: Verdict, enclave: u8) -> Made {
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

    pub(in crate::workflow) const CHECK: Check = Check { block: [4; 32], sequence: 1 };

    fn votes(need: usize, results: Vec<(u8, Made)>) -> Votes {
        let mut votes = Votes::new(need, results.len(), CHECK);
        for (host, made) in results {
            votes.take(&format!("enclave-{host}"), Ok(made), |made| match made.result.evidence.as_slice() {
                [0] => Err("attestation: not genuine".to_owned()),
                _ => Ok(()),
            });
        }
        votes
    }

    fn named(results: &[(u8, Verdict)]) -> Vec<(u8, Made)> {
        results.iter().map(|(enclave, verdict)| (*enclave, made(*verdict, *enclave))).collect()
    }

    fn names(agreed: &Agreed) -> Vec<&str> {
        agreed.members.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn two_of_three_agree_and_the_odd_one_is_named() {
        let results = [(1, Verdict::Solvent), (2, Verdict::Insolvent), (3, Verdict::Insolvent)];
        let agreed = votes(2, named(&results)).agreed().expect("two agree");
        assert_eq!(agreed.odd, ["enclave-1: it says something else than the others"]);
        assert_eq!(names(&agreed), ["enclave-3", "enclave-2"], "every check begins with another");
    }

    #[test]
    fn too_few_that_say_the_same_are_no_agreement() {
        let split = [(1, Verdict::Solvent), (2, Verdict::Insolvent), (3, Verdict::Unknown)];
        let refused = votes(2, named(&split)).agreed().expect_err("three say three things");
        assert_eq!((refused.need, refused.asked, refused.found, refused.words.len()), (2, 3, 1, 3));
        let refused = votes(2, named(&split[..1])).agreed().expect_err("one alone");
        assert_eq!((refused.asked, refused.found), (1, 1));
        let refused = votes(1, Vec::new()).agreed().expect_err("nobody");
        assert_eq!((refused.asked, refused.found), (0, 0));
        let mut later = named(&[(1, Verdict::Solvent), (2, Verdict::Solvent)]);
        let mut payload = Payload::from_bytes(&later[1].1.result.payload).expect("a payload");
        payload.binding.valid_until += 12;
        later[1].1.result.payload = payload.to_bytes();
        assert!(votes(2, later).enough(), "by a newer block");
        let changes: [fn(&mut Made); 3] =
            [|made| made.result.inputs.custody += 1, |made| made.result.header[0] ^= 1, |made| made.result.log[0] ^= 1];
        for change in changes {
            let mut other = named(&[(1, Verdict::Solvent), (2, Verdict::Solvent)]);
            change(&mut other[1].1);
            assert_eq!(votes(2, other).agreed().expect_err("something else").found, 1);
        }
    }

    /// One of three with bad evidence, first in the file, neither counts nor is chosen; with two it is no agreement.
    #[test]
    fn a_result_for_which_no_enclave_vouches_does_not_count() {
        let mut results = named(&[(1, Verdict::Solvent), (2, Verdict::Solvent), (3, Verdict::Solvent)]);
        results[0].1.result.evidence = vec![0];
        let agreed = votes(2, results.clone()).agreed().expect("two are left");
        assert_eq!(agreed.odd, ["enclave-1: attestation: not genuine"]);
        assert_eq!(names(&agreed), ["enclave-3", "enclave-2"]);
        let refused = votes(2, results[..2].to_vec()).agreed().expect_err("one is left");
        assert_eq!((refused.found, refused.words.len()), (1, 2));
    }

    #[test]
    fn one_attempt_of_an_enclave_is_one_vote_from_however_many_hosts() {
        let (one, other) = (made(Verdict::Solvent, 1), made(Verdict::Solvent, 2));
        let refused = votes(2, vec![(1, one.clone()), (2, one.clone())]).agreed().expect_err("one enclave");
        assert_eq!((refused.found, refused.words[1].as_str()), (1, "enclave-2: it shows the result of enclave-1"));
        let mut bent = one.clone();
        bent.result.evidence.push(7);
        assert!(!votes(2, vec![(1, one.clone()), (2, bent)]).enough(), "its evidence written in another way");
        let agreed = votes(2, vec![(1, one.clone()), (2, one), (3, other)]).agreed().expect("two enclaves");
        assert_eq!((names(&agreed).len(), agreed.odd.len()), (2, 1));
    }

    #[test]
    fn an_answer_to_another_check_does_not_count() {
        let one = made(Verdict::Solvent, 1);
        for check in [Check { sequence: 2, ..CHECK }, Check { block: [5; 32], ..CHECK }] {
            let mut votes = Votes::new(1, 1, check);
            votes.take("enclave-1", Ok(one.clone()), |_| Ok(()));
            assert!(!votes.enough());
        }
        let mut votes = Votes::new(1, 1, CHECK);
        votes.take("enclave-1", Ok(one), |_| Ok(()));
        assert!(votes.enough());
    }
}
