//! A carrier that drops, delays, reorders and repeats answers: nothing wrong opens, and asking the others opens all.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Seven members, t = 5, two of them out of reach for good.
struct Network {
    world: World,
    cts: [VerifiedCiphertext; 1],
    request: Request,
    keys: AttemptKeys,
    answers: Vec<Envelope>,
    arrived: Vec<usize>,
}

impl Network {
    fn new(mode: Mode) -> Self {
        let mut world = world(7);
        let cts = [world.encrypt(LabelKind::Recipient, b"message")];
        let request = world.request(mode, &cts);
        let (keys, to) = attempt(&mut world);
        let answers = world.answers(&request, &to, &cts);
        Self { world, cts, request, keys, answers, arrived: Vec::new() }
    }

    fn reached(&self) -> BTreeSet<usize> {
        self.arrived.iter().copied().collect()
    }

    /// What has arrived opens exactly when t different members are among it.
    fn check(&self) -> bool {
        let keys = AttemptKeys::from_bytes(&self.keys.to_bytes()).unwrap();
        let envelopes = self.arrived.iter().map(|&who| self.answers[who].clone()).collect();
        let opened = self.world.open(keys, &self.request, &self.cts, envelopes);
        let have = self.reached().len();
        let enough = have >= 5;
        let expected = CombineError::NotEnoughShares { need: 5, have, culprits: vec![] };
        assert_eq!(opened, if enough { Ok((vec![b"message".to_vec()], vec![])) } else { Err(expected) });
        enough
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn n070_answers_that_are_dropped_delayed_repeated_and_reordered_open_once_enough_are_here(
        carried in proptest::collection::vec((0usize..7, 0usize..4), 0..12),
        dead in proptest::collection::btree_set(0usize..7, 0..=2),
        compact in any::<bool>(),
    ) {
        let mut network = Network::new(if compact { Mode::Compact } else { Mode::Sealed });
        for (who, copies) in carried.into_iter().filter(|(who, _)| !dead.contains(who)) {
            network.arrived.splice(0..0, std::iter::repeat_n(who, copies));
        }
        let mut open = network.check();
        for who in (0..7).filter(|who| !dead.contains(who)) {
            if open {
                break;
            }
            if !network.reached().contains(&who) {
                network.arrived.push(who);
                open = network.check();
            }
        }
        prop_assert!(open, "five of seven are always within reach");
    }
}
