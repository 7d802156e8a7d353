//! As for seals and partials: shares in the clear, which the combiner itself reads.

use super::*;

/// A lie of member 1, and whether the ciphertexts open with it all the same.
type PlainLie = (String, Shares, bool);

struct Plain {
    world: World,
    cts: [VerifiedCiphertext; 2],
    request: Request,
    honest: Vec<(Identifier, Shares)>,
}

impl Plain {
    fn new() -> Self {
        let mut world = world(7);
        let cts = [world.encrypt(LabelKind::Public, b"one"), world.encrypt(LabelKind::Public, b"two")];
        let request = world.request(Mode::Public, &cts);
        let honest = world.public_shares(&request, &cts);
        Self { world, cts, request, honest }
    }

    fn combine(&mut self, lie: &Shares, second: &Shares) -> (Vec<Vec<u8>>, Vec<Culprit>) {
        let mut shares = self.honest.clone();
        (shares[0].1, shares[1].1) = (lie.clone(), second.clone());
        shares.reverse();
        let World { committee, rng, .. } = &mut self.world;
        let opened = combine_public(committee, &self.request, &self.cts, shares, rng).unwrap();
        let culprits = opened.culprits.clone();
        (opened.every(&self.cts).unwrap().iter().map(|p| p.to_vec()).collect(), culprits)
    }

    fn lies(&mut self) -> Vec<PlainLie> {
        let good = self.honest[0].1.to_bytes();
        let read = |wire: &[u8], m| Shares::from_bytes(wire, m).unwrap();
        let generator = RistrettoPoint::mul_base(&Scalar::ONE).compress().to_bytes();
        let five = Scalar::from(5u8).to_bytes();
        let fields =
            [("D", 0, generator), ("D", 32, generator), ("A", 64, generator), ("B", 96, generator), ("z", 128, five)];
        let replaced = fields.map(|(field, at, value)| {
            let wire = [&good[..at], &value, &good[at + 32..]].concat();
            (format!("{field} replaced"), read(&wire, 2), field != "D")
        });
        let swapped = [&good[32..64], &good[..32], &good[64..]].concat();
        let other = Request { id: [9; 32], ..self.request.clone() };
        let foreign = self.world.public_shares(&other, &self.cts).remove(0).1;
        let mut lies = Vec::from(replaced);
        lies.extend([
            ("in another order".to_owned(), read(&swapped, 2), false),
            ("another member's".to_owned(), self.honest[3].1.clone(), false),
            ("of another request".to_owned(), foreign, true),
        ]);
        lies
    }
}

/// Alone a lie that opens is not looked at, and one that does not is named; beside another that does not, both are.
#[test]
fn n057_every_lie_about_plain_shares_names_the_liar_and_nobody_else() {
    let mut plain = Plain::new();
    let messages = vec![b"one".to_vec(), b"two".to_vec()];
    let (honest, accomplice) = (plain.honest[1].1.clone(), plain.honest[2].1.clone());
    for (name, lie, opens) in plain.lies() {
        let alone = if opens { vec![] } else { vec![fault(1, CulpritReason::Proof)] };
        assert_eq!(plain.combine(&lie, &honest), (messages.clone(), alone), "{name}, alone");
        let both = [1, 2].map(|i| fault(i, CulpritReason::Proof)).to_vec();
        assert_eq!(plain.combine(&lie, &accomplice), (messages.clone(), both), "{name}, with an accomplice");
    }
    let one =
        Shares::from_bytes(&[&plain.honest[0].1.to_bytes()[..32], &plain.honest[0].1.to_bytes()[64..]].concat(), 1);
    let malformed = plain.combine(&one.unwrap(), &honest).1;
    assert_eq!(malformed, [fault(1, CulpritReason::Malformed)], "one share too few");
}
