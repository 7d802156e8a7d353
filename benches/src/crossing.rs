//! A clearing with its edges: standing orders from ciphertexts, priced fills, sealed receipts.

use crate::clearing::{Class, Pool, market};
use crate::sealed::{element, master, params};
use crate::world::encrypt_bytes_to;
use ccc_core::ciphertext::{LabelKind, VerifiedCiphertext};
use ccc_core::table::{Header, READING_KEY_LEN, Receipt, SEALED_RECEIPT_LEN, TableSuite, Tier, genesis};
use ccc_memcheck::make_secret;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use curve25519_dalek::ristretto::CompressedRistretto;
use darkpool_matcher::{
    Allocation, BasisPoints, Fill, Kernel, Lots, Market, MicroDollars, Observation, OwnerId, PriceRefusal, PriceRules,
    Request, Spread, SpreadSchedule, StandingOrder, SuccessRule, TierMask, Twap, UnixSeconds, Workspace, clear_in,
    twap,
};
use hkdf::Hkdf;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha512};
use std::hint::black_box;

const DEADLINE: UnixSeconds = UnixSeconds(1_000_000);

/// Standing orders with the memory of a clearing.
pub struct Orders {
    orders: Vec<StandingOrder>,
    permutation: Vec<u32>,
    request: Request,
    price: Twap,
    spreads: Vec<u16>,
    capacities: Vec<u64>,
    minimums: Vec<u64>,
    filled: Vec<u64>,
    /// Priced fills.
    pub fills: Vec<Fill>,
}

impl Orders {
    /// Of a pool, in the order given.
    #[must_use]
    pub fn new(pool: &Pool) -> Self {
        let number = pool.spreads.len();
        let pairs = pool.spreads.iter().zip(&pool.capacities);
        Self {
            orders: pairs.map(|(spread, size)| order(*spread, *size)).collect(),
            permutation: (0..u32::try_from(number).unwrap()).collect(),
            request: request(pool.size),
            price: price(),
            spreads: vec![0; number],
            capacities: vec![0; number],
            minimums: vec![0; number],
            filled: vec![0; number],
            fills: vec![Fill::default(); number],
        }
    }

    /// The same with these orders.
    #[must_use]
    pub fn with(self, orders: Vec<StandingOrder>) -> Self {
        Self { orders, ..self }
    }

    /// Takes over orders and request of another pool of the same size, into the memory that is there.
    pub fn load(&mut self, other: &Self) {
        self.orders.copy_from_slice(&other.orders);
        self.request = other.request;
    }

    /// The request has its other form: at least a half, a limit of a quarter for each maker, and a premium that falls.
    pub fn limit(&mut self) {
        let size = self.request.size.get();
        self.request = Request {
            schedule: SpreadSchedule {
                s0: Spread::MAX,
                s1: Spread::MIN,
                t0: UnixSeconds(0),
                t1: UnixSeconds(DEADLINE.0 * 2),
            },
            success: SuccessRule::AtLeast(Lots::new(size / 2).unwrap()),
            dispersion: Some(Lots::new(size / 4).unwrap()),
            ..self.request
        };
    }

    /// For valgrind: orders, request and price are secret; the form of the request is not.
    pub fn make_secret(&mut self) {
        let Self { orders, request, price, .. } = self;
        make_secret(&mut orders[..]);
        make_request_secret(request);
        make_secret(price);
    }

    /// Lots of the last clearing.
    #[must_use]
    pub fn filled(&self) -> u64 {
        self.fills.iter().map(|fill| fill.lots.get()).sum()
    }

    /// [`clear_in`], with a price or a refusal.
    pub fn clear(&mut self, kernel: Kernel, market: &Market, price: Result<(), PriceRefusal>) -> u64 {
        let Self { orders, permutation, request, spreads, capacities, minimums, filled, fills, .. } = self;
        let workspace = Workspace::new(spreads, capacities, minimums, filled).unwrap();
        let mut workspace = workspace.with_kernel(kernel);
        let price = price.map(|()| self.price);
        clear_in(request, orders, permutation, price, market, &mut workspace, fills).unwrap().filled.get()
    }
}

/// For valgrind: what a request holds is secret; which success rule it has and whether there is a limit is public.
pub(crate) fn make_request_secret(request: &mut Request) {
    let Request { owner, size, schedule, success, dispersion, tiers, deadline } = request;
    make_secret(owner);
    make_secret(size);
    make_secret(schedule);
    make_secret(tiers);
    make_secret(deadline);
    if let SuccessRule::AtLeast(least) = success {
        make_secret(least);
    }
    if let Some(limit) = dispersion {
        make_secret(limit);
    }
}

/// An order of these terms, without limits.
pub(crate) fn order(spread: u16, size: u64) -> StandingOrder {
    let size = Lots::new(size).unwrap();
    StandingOrder {
        owner: OwnerId([1; 20]),
        spread: Spread::new(spread).unwrap(),
        size,
        balance: size,
        cap: Lots::MAX,
        minimum: Lots::ZERO,
        expiry: DEADLINE,
        tiers: TierMask::ALL,
        frozen: false,
    }
}

/// All or none, at any spread.
pub(crate) fn request(size: u64) -> Request {
    Request {
        owner: OwnerId([9; 20]),
        size: Lots::new(size).unwrap(),
        schedule: SpreadSchedule::flat(Spread::MAX),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask::ALL,
        deadline: DEADLINE,
    }
}

/// 60 000 dollars.
pub(crate) fn price() -> Twap {
    let rules = PriceRules {
        window: 3_600,
        max_gap: 3_600,
        max_stale: 3_600,
        collar: BasisPoints::MAX,
        minimum_observations: 1,
    };
    let at = UnixSeconds(DEADLINE.0 - rules.window);
    let price = MicroDollars::new(60_000_000_000).unwrap();
    twap(&[Observation { round: 1, price, at }], &rules, DEADLINE).unwrap()
}

/// Owner, spread, size, minimum and expiry, as the bench writes them into a ciphertext.
const PLAIN_LEN: usize = 20 + 2 + 8 + 8 + 8;

fn plain(order: &StandingOrder) -> [u8; PLAIN_LEN] {
    let StandingOrder { owner, spread, size, minimum, expiry, .. } = order;
    let numbers = [size.get(), minimum.get(), expiry.0].map(u64::to_be_bytes);
    [&owner.0[..], &spread.get().to_be_bytes(), numbers.as_flattened()].concat().try_into().unwrap()
}

fn read(plain: &[u8]) -> StandingOrder {
    let number = |at: usize| u64::from_be_bytes(plain[at..at + 8].try_into().unwrap());
    let size = Lots::new(number(22)).unwrap();
    StandingOrder {
        owner: OwnerId(plain[..20].try_into().unwrap()),
        spread: Spread::new(u16::from_be_bytes([plain[20], plain[21]])).unwrap(),
        size,
        balance: size,
        cap: Lots::MAX,
        minimum: Lots::new(number(30)).unwrap(),
        expiry: UnixSeconds(number(38)),
        tiers: TierMask::ALL,
        frozen: false,
    }
}

/// What the enclave does with every standing order once the committee's shares are combined to K = xU.
///
/// Not counted: the combination, the check of each ciphertext's proof, which both stand in the bench `vault`, and the
/// table.
pub struct Crossing {
    ciphertexts: Vec<VerifiedCiphertext>,
    commitments: Vec<[u8; 32]>,
    elements: Vec<[u8; 32]>,
    reading_keys: Vec<[u8; READING_KEY_LEN]>,
    orders: Orders,
    market: Market,
    header: Header,
    sealed: Vec<[u8; SEALED_RECEIPT_LEN]>,
}

impl Crossing {
    /// With so many makers.
    #[must_use]
    pub fn new(makers: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(29);
        let orders = Orders::new(&Pool::new(Class::Random, makers, 23));
        let master = master();
        let encrypt = |order: &StandingOrder| {
            let ciphertext = encrypt_bytes_to(&master, LabelKind::Recipient, &plain(order), &mut rng);
            ciphertext.verify(&master).unwrap()
        };
        let ciphertexts: Vec<_> = orders.orders.iter().map(encrypt).collect();
        let first = params(Tier::SMALLEST, TableSuite::ChaCha20Poly1305);
        Self {
            commitments: ciphertexts.iter().map(VerifiedCiphertext::digest).collect(),
            elements: ciphertexts.iter().map(|c| element(&c.ciphertext().to_bytes())).collect(),
            reading_keys: (0..makers).map(|_| std::array::from_fn(|_| rng.random())).collect(),
            header: genesis(&first, &master, &mut rng).unwrap().table.header,
            market: market(Allocation::ProRata, 4),
            sealed: vec![[0; SEALED_RECEIPT_LEN]; makers],
            ciphertexts,
            orders,
        }
    }

    /// Opens, clears and seals.
    pub fn round(&mut self) {
        self.open();
        self.clear();
        self.seal();
    }

    /// Holds every ciphertext against its commitment, opens it and reads the order.
    pub fn open(&mut self) {
        let committed = self.ciphertexts.iter().zip(&self.commitments).zip(&self.elements);
        for (((ciphertext, commitment), k), order) in committed.zip(&mut self.orders.orders) {
            assert_eq!(ciphertext.ciphertext().digest(), *commitment);
            *order = read(&ciphertext.open_with(k).unwrap());
        }
    }

    /// Four solves by the detected kernel, priced.
    pub fn clear(&mut self) {
        black_box(self.orders.clear(Kernel::detected(), &self.market, Ok(())));
    }

    /// A receipt for every maker, filled or not.
    pub fn seal(&mut self) {
        let slots = self.orders.fills.iter().zip(&self.commitments).zip(&self.reading_keys);
        for (((fill, digest), key), (sealed, slot)) in slots.zip(self.sealed.iter_mut().zip(0..)) {
            let receipt = Receipt {
                order_digest: *digest,
                version: self.header.version(),
                outcome: u8::from(fill.lots != Lots::ZERO),
                lots: fill.lots.get(),
                notional: fill.notional.get(),
                row_index: slot,
                ..Receipt::default()
            };
            *sealed = receipt.seal(key, &self.header, slot);
        }
    }

    /// The decoding of K alone, which is part of opening.
    pub fn decode(&mut self) {
        for k in &self.elements {
            black_box(CompressedRistretto(*k).decompress().unwrap());
        }
    }

    /// The calls that a round is made of, on bytes of the same lengths, and the clearing: hash the ciphertext, decode K,
    /// derive the body's key and open the body; derive the receipt's key and seal the receipt.
    pub fn bare(&mut self) {
        let mut body = [0; 1 << 10];
        for (ciphertext, k) in self.ciphertexts.iter().zip(&self.elements) {
            let wire = ciphertext.ciphertext().to_bytes();
            black_box(Sha512::digest(&wire));
            black_box(CompressedRistretto(*k).decompress().unwrap());
            let body = &mut body[..wire.len() - BEFORE_BODY - TAG_LEN];
            black_box(
                cipher(k, &wire[..BEFORE_BODY]).encrypt_inout_detached(&Nonce::default(), &[], body.into()).unwrap(),
            );
        }
        self.clear();
        for (key, sealed) in self.reading_keys.iter().zip(&mut self.sealed) {
            let (body, tag) = sealed.split_at_mut(SEALED_RECEIPT_LEN - TAG_LEN);
            let made = cipher(key, &P1).encrypt_inout_detached(&Nonce::default(), &[], body.into()).unwrap();
            tag.copy_from_slice(&made);
        }
    }
}

/// Bytes of a ciphertext before its body.
const BEFORE_BODY: usize = 329;
const TAG_LEN: usize = 16;
/// Bytes of a header that a receipt's key is bound to.
const P1: [u8; 400] = [0; 400];

/// HKDF over SHA-512 and the cipher under the key that it gives.
fn cipher(secret: &[u8], context: &[u8]) -> ChaCha20Poly1305 {
    let mut key = [0; 32];
    Hkdf::<Sha512>::new(Some(&[1; 8]), secret).expand(context, &mut key).unwrap();
    ChaCha20Poly1305::new(&key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_opens_what_was_encrypted_and_fills_it() {
        let mut crossing = Crossing::new(8);
        let before = crossing.orders.orders.clone();
        crossing.round();
        assert_eq!(crossing.orders.orders, before);
        assert_eq!(crossing.orders.filled(), crossing.orders.request.size.get());
        let opened = Receipt::open(&crossing.sealed[3], &crossing.reading_keys[3], &crossing.header, 3).unwrap();
        assert_eq!(opened.lots, crossing.orders.fills[3].lots.get());
        crossing.bare();
    }
}
