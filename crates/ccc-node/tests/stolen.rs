//! A thief submits somebody else's order, whole, under an identifier of its own, and asks the vault to open it.

#![allow(clippy::panic, reason = "a helper of a test fails as the test does")]

mod support;

use ccc_core::report::keccak256;
use ccc_node::vault_node::{Ask, ChainView, OnChain, Refusal};
use pool::{LOT, World};
use rand::{SeedableRng, rngs::StdRng};
use std::sync::Arc;
use support::{ask, attempt, node, pool, view};

const THIEF: [u8; 20] = [0x66; 20];
const ITS_OWN: [u8; 32] = [0x77; 32];

/// The victim's ask with the chain that it is asked on, and where in it the order stands.
struct Theft {
    world: World,
    honest: Ask,
    view: ChainView,
    index: usize,
}

impl Theft {
    fn new() -> Self {
        let (mut world, _) = World::with_makers(21);
        let order = world.plain_order(25 * LOT);
        let request = world.request(&order);
        let view = view(&world, Some(&request));
        let id = request.submission.id;
        let honest = ask(&mut world, Some(request)).ask;
        let index = honest.ciphertexts.iter().position(|c| c.label().id == id).expect("the order is asked for");
        Self { world, honest, view, index }
    }

    fn victim(&self) -> [u8; 32] {
        self.honest.ciphertexts[self.index].label().id
    }

    /// The same ciphertexts under the thief's identifier, with evidence for it.
    fn stolen(&mut self) -> Ask {
        let mut ask = self.honest.clone();
        ask.request.id = ITS_OWN;
        ask.card = attempt(&mut self.world, &ask.request).1;
        ask
    }

    /// The chain once the thief has submitted the bytes as well.
    fn submitted(&self) -> ChainView {
        let order = &self.honest.ciphertexts[self.index];
        let opens_at = self.view.submissions[&self.victim()].opens_at;
        let stolen = OnChain { who: THIEF, hash: keccak256(&[&order.to_bytes()]), opens_at };
        let mut view = self.view.clone();
        Arc::make_mut(&mut view.submissions).insert(ITS_OWN, stolen);
        view
    }

    fn refusal(&self, view: &ChainView, ask: &Ask) -> Option<Refusal> {
        let mut rng = StdRng::seed_from_u64(5);
        node(&self.world, 0).reencrypt(view, ask, self.world.time, &mut rng).err()
    }
}

/// The label names the victim's identifier, whoever submits the bytes: they are opened under that one alone.
#[test]
fn n048_a_whole_ciphertext_submitted_under_a_thiefs_identifier_is_not_opened_under_it() {
    let mut theft = Theft::new();
    let (ask, view) = (theft.stolen(), theft.submitted());
    assert_eq!(ask.ciphertexts, theft.honest.ciphertexts, "nothing was altered");
    let refused = theft.refusal(&view, &ask);
    let what = "an order, asked for under another identifier than its own";
    let expected = theft.index;
    let exact = matches!(refused, Some(Refusal::Label { index, what: why }) if index == expected && why == what);
    assert!(exact, "{refused:?}");
    assert!(theft.refusal(&view, &theft.honest).is_none(), "the victim's own request is answered all the same");
}

/// Where the victim's submission is not on the chain, the thief's does not stand for it.
#[test]
fn n048_a_thiefs_submission_does_not_stand_for_the_victims() {
    let mut theft = Theft::new();
    let (ask, view, victim) = (theft.stolen(), theft.submitted(), theft.victim());
    let mut faster = view.clone();
    Arc::make_mut(&mut faster.submissions).remove(&victim);
    let mut taken = view;
    Arc::make_mut(&mut taken.submissions).get_mut(&victim).expect("known").who = THIEF;
    let expected = theft.index;
    for (view, ask) in [(&faster, &ask), (&faster, &theft.honest), (&taken, &ask), (&taken, &theft.honest)] {
        let refused = theft.refusal(view, ask);
        assert!(matches!(refused, Some(Refusal::NotOnChain { index }) if index == expected), "{refused:?}");
    }
}
