//! A body that opens under two keys, as partitioning oracles use them, and the key commitment that refuses one.
//!
//! *Source*: Len, Grubbs and Ristenpart, *Partitioning Oracle Attacks*, 2021. A tag of Poly1305 is a linear function of
//! the ciphertext's blocks: two tags that are to be equal are two equations mod 2¹³⁰ − 5, which two blocks solve.

use super::*;
use crate::secret::random_scalar;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

const DIGIT: u64 = (1 << 26) - 1;

/// An element of the field of 2¹³⁰ − 5: five digits of 26 bits, least first, below the modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element([u64; 5]);

impl Element {
    /// low + high·2¹²⁸.
    fn new(low: u128, high: u64) -> Self {
        let digit = |at: u32| u64::try_from(low >> at & u128::from(DIGIT)).unwrap();
        Self::carried([digit(0), digit(26), digit(52), digit(78), digit(104) + (high << 24)])
    }

    fn carried(mut digits: [u64; 5]) -> Self {
        for _ in 0..3 {
            for at in 0..5 {
                let carry = digits[at] >> 26;
                digits[at] &= DIGIT;
                digits[(at + 1) % 5] += if at == 4 { 5 * carry } else { carry };
            }
        }
        if digits[0] >= DIGIT - 4 && digits[1..] == [DIGIT; 4] {
            digits = [digits[0] - (DIGIT - 4), 0, 0, 0, 0];
        }
        Self(digits)
    }

    fn plus(self, other: Self) -> Self {
        Self::carried(std::array::from_fn(|at| self.0[at] + other.0[at]))
    }

    fn minus(self, other: Self) -> Self {
        let twice = |at: usize| 2 * if at == 0 { DIGIT - 4 } else { DIGIT };
        Self::carried(std::array::from_fn(|at| self.0[at] + twice(at) - other.0[at]))
    }

    fn times(self, other: Self) -> Self {
        let mut digits = [0; 5];
        for (i, j) in (0..5).flat_map(|i| (0..5).map(move |j| (i, j))) {
            digits[(i + j) % 5] += self.0[i] * other.0[j] * if i + j > 4 { 5 } else { 1 };
        }
        Self::carried(digits)
    }

    /// self^(2¹³⁰ − 7): all bits of the exponent but the second and the third.
    fn inverse(self) -> Self {
        let square = |power: Self, bit: u32| {
            let power = power.times(power);
            if matches!(bit, 1 | 2) { power } else { power.times(self) }
        };
        (0..130).rev().fold(Self::new(1, 0), square)
    }

    /// The 16 bytes of a block whose number this is, if it is one: 2¹²⁸ above its bytes.
    fn block(self) -> Option<[u8; 16]> {
        let low = (0..5).fold(0u128, |low, at| low.wrapping_add(u128::from(self.0[at]) << (26 * at)));
        (self.0[4] >> 24 == 1).then(|| low.to_le_bytes())
    }
}

fn block(bytes: &[u8]) -> Element {
    Element::new(u128::from_le_bytes(bytes.try_into().unwrap()), 1)
}

/// r and s, which the cipher takes from the first block of its stream at nonce zero.
fn authenticator(key: &[u8; 32]) -> (Element, u128) {
    let mut first = [0; 32];
    ChaCha20Rng::from_seed(*key).fill_bytes(&mut first);
    let half = |at: usize| u128::from_le_bytes(first[at..at + 16].try_into().unwrap());
    (Element::new(half(0) & 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff, 0), half(16))
}

/// For one key: x₁·r + x₂, where x₁ and x₂ are the blocks of a ciphertext with this tag under this associated data. The
/// tag leaves two bits of the polynomial's value open.
fn wanted(key: &[u8; 32], aad: &[u8; 32], tag: u128, high: u64) -> Element {
    let (r, s) = authenticator(key);
    let squared = r.times(r);
    let lengths = Element::new(32 | 32 << 64, 1);
    let fixed = block(&aad[..16]).times(r).plus(block(&aad[16..])).times(squared);
    let rest = Element::new(tag.wrapping_sub(s), high).minus(lengths.times(r));
    rest.minus(fixed.times(squared)).times(squared.inverse())
}

/// A body of two blocks and a tag that authenticate under both keys.
fn collide(keys: [&[u8; 32]; 2], aad: &[u8; 32], rng: &mut ChaCha20Rng) -> Vec<u8> {
    let [one, two] = keys.map(|key| authenticator(key).0);
    let difference = one.minus(two).inverse();
    loop {
        let tag = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        for (high_one, high_two) in (0..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
            let sums = [wanted(keys[0], aad, tag, high_one), wanted(keys[1], aad, tag, high_two)];
            let first = sums[0].minus(sums[1]).times(difference);
            let second = sums[0].minus(first.times(one));
            if let (Some(first), Some(second)) = (first.block(), second.block()) {
                return [first, second, tag.to_le_bytes()].concat();
            }
        }
    }
}

fn label() -> Label {
    Label {
        kind: LabelKind::TableKey,
        chain: 1,
        contract: [1; 20],
        id: [2; 32],
        version: 3,
        requester: [0; 20],
        expiry: 0,
        context: [4; 32],
    }
}

/// A ciphertext of a table key, two cipher blocks without padding, right in every public check, whose body opens under
/// the key of K and under that of another element. The commitment is to one of them.
#[test]
fn n031_a_body_that_two_keys_open_is_refused_under_the_one_that_is_not_committed_to() {
    let mut rng = ChaCha20Rng::seed_from_u64(31);
    let master = MasterPublicKey::new(RistrettoPoint::mul_base(&Scalar::from(5u8))).unwrap();
    let mut ciphertext = Ciphertext::encrypt(&master, &label(), &[7; 32], &mut rng).unwrap();
    let [r, s] = [random_scalar(&mut rng).unwrap(), random_scalar(&mut rng).unwrap()];
    let [(u, u_bar), (w, w_bar)] = [&r, &s].map(multiples);
    (ciphertext.u, ciphertext.u_bar) = (Encoded::new(u), Encoded::new(u_bar));
    let (header, label_bytes) = (header(Kind::Ciphertext), label().to_bytes());
    let (u, u_bar) = (ciphertext.u, ciphertext.u_bar);
    let context = Context { header: &header, master: &master, u: &u, u_bar: &u_bar, label: &label_bytes };
    let right = Encoded::new(master.point() * r.expose());
    let other = Encoded::new(right.point() + RistrettoPoint::mul_base(&Scalar::ONE));
    let keys = [&right, &other].map(|k| context.derive(k));
    ciphertext.commitment = keys[0].commitment();
    let aad = context.associated_data(&ciphertext.commitment);
    ciphertext.body = collide([&keys[0].cipher_key(), &keys[1].cipher_key()], &aad, &mut rng);
    ciphertext.e = ciphertext.challenge(&master, &Encoded::new(w), &Encoded::new(w_bar));
    ciphertext.f = s.expose() + ciphertext.e * r.expose();

    let body = ciphertext.body.clone();
    let opened = keys.map(|key| key.open(&aad, &body).ok().unwrap());
    assert_ne!(opened[0], opened[1], "the cipher opens it under both keys, to two messages");
    let verified = Ciphertext::from_bytes(&ciphertext.to_bytes()).unwrap().verify(&master).unwrap();
    assert_eq!(verified.open(right.point()), Ok(opened[0].clone()));
    assert_eq!(verified.open(other.point()), Err(DecryptionError));
}

#[test]
fn the_field_is_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(32);
    let mut draw = || Element::new(u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64()), 3);
    for _ in 0..20 {
        let [a, b, c] = [draw(), draw(), draw()];
        assert_eq!(a.times(a.inverse()), Element::new(1, 0));
        assert_eq!(a.plus(b).times(c), a.times(c).plus(b.times(c)));
        assert_eq!(a.minus(b).plus(b), a);
    }
    assert_eq!(Element::new(u128::MAX, 3).minus(Element::new(u128::MAX - 5, 3)), Element::new(5, 0));
    assert_eq!(Element::new(u128::MAX - 4, 3), Element::new(0, 0));
}
