//! Re-encryption as a deployed network does it, out of our own parts: t boxes are opened one after the other, every
//! share is read and checked alone, and the t valid ones are combined. No peer in Rust does the same job.

use crate::floor::{Floor, SealedBox};
use crate::world::World;
use ccc_core::ciphertext::{Ciphertext, LabelKind, VerifiedCiphertext};
use ccc_core::identifier::Identifier;
use ccc_core::vault::combine_public;
use ccc_core::vault::{Mode, Request, Shares};

/// A request with t sealed boxes, one share in each.
pub struct OneByOne {
    world: World,
    floor: Floor,
    ciphertext: Ciphertext,
    request: Request,
    boxes: Vec<(Identifier, SealedBox)>,
}

impl OneByOne {
    /// Shares of the first t participants in boxes to one key. The boxes bind nothing, as in the network.
    #[must_use]
    pub fn new(t: u16, n: u16) -> Self {
        let mut world = World::new(t, n);
        let mut floor = Floor::new(2);
        let verified = world.verified(LabelKind::Public, 1);
        let request = world.request(Mode::Public, &verified);
        let shares = world.plain_shares(&request, &verified);
        let boxes = shares.into_iter().map(|(i, share)| (i, floor.seal(&share))).collect();
        Self { world, floor, ciphertext: verified[0].ciphertext().clone(), request, boxes }
    }

    /// Checks the ciphertext, opens and checks the boxes, combines.
    pub fn open(&mut self) -> Vec<u8> {
        let verified = [self.ciphertext.clone().verify(&self.world.master()).unwrap()];
        let shares = self.boxes.iter().map(|(i, sealed)| (*i, self.checked(*i, sealed, &verified))).collect();
        let World { committee, rng, .. } = &mut self.world;
        let opened = combine_public(committee, &self.request, &verified, shares, rng).unwrap();
        opened.every(&verified).unwrap()[0].to_vec()
    }

    fn checked(&self, identifier: Identifier, sealed: &SealedBox, verified: &[VerifiedCiphertext]) -> Shares {
        let shares = Shares::from_bytes(&self.floor.open(sealed), 1).unwrap();
        shares.verify(identifier, &self.world.committee, &self.request, None, verified).unwrap();
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_boxes_give_the_message() {
        assert_eq!(OneByOne::new(3, 5).open(), crate::MESSAGE);
    }
}
