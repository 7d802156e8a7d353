//! Random rounds and their keys, as the targets `table` and `rows` both take them.

use arbitrary::{Arbitrary, Unstructured};
use ccc_core::{
    epoch::Epoch,
    keys::MasterPublicKey,
    table::{AccountId, AssetId, AssetRule, BoundaryOperation, Delta, Header},
};
use curve25519_dalek::{RistrettoPoint, Scalar, ristretto::CompressedRistretto};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use zeroize::Zeroizing;

pub const ASSETS: [AssetRule; 3] = [AssetRule { lot: 1 }, AssetRule { lot: 1_000 }, AssetRule { lot: u64::MAX }];
pub const ACCOUNTS: u8 = 4;
pub const EPOCH: Epoch = Epoch(0);

/// One of the accounts, seldom nobody.
pub fn account(input: &mut Unstructured<'_>) -> arbitrary::Result<AccountId> {
    let number = u8::arbitrary(input)?;
    Ok(AccountId([if number < 8 { 0 } else { 1 + number % ACCOUNTS }; 20]))
}

/// One of the assets, seldom none.
pub fn asset(input: &mut Unstructured<'_>) -> arbitrary::Result<AssetId> {
    let number = u8::arbitrary(input)?;
    Ok(match number {
        0..248 => AssetId(u32::from(number) % 3),
        248..252 => AssetId(3),
        252..254 => AssetId::STATUS,
        _ => AssetId::READING_KEY,
    })
}

/// Small amounts, whole lots and the ends of the range.
pub fn amount(input: &mut Unstructured<'_>) -> arbitrary::Result<u128> {
    Ok(match input.int_in_range(0..=4u8)? {
        0 => u128::arbitrary(input)?,
        1 => u128::MAX - u128::from(u8::arbitrary(input)?),
        2 => u128::from(u64::MAX) * u128::from(u16::arbitrary(input)?),
        _ => u128::from(u16::arbitrary(input)?),
    })
}

#[derive(Debug)]
pub struct Operation(pub BoundaryOperation);

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (account, asset) = (account(input)?, asset(input)?);
        let reading_key = [u8::arbitrary(input)?; 32];
        Ok(Self(match input.int_in_range(0..=8u8)? {
            0 => BoundaryOperation::Register { account, reading_key },
            1 => BoundaryOperation::Open { account, asset },
            2 => BoundaryOperation::Withdraw { account, asset, amount: amount(input)? },
            3 => BoundaryOperation::Reserve { account, asset, lots: u16::arbitrary(input)?.into() },
            4 => BoundaryOperation::Freeze { account, asset, reason: 1, frozen: bool::arbitrary(input)? },
            5 => {
                let to = self::account(input)?;
                BoundaryOperation::ForcedTransfer { account, asset, amount: amount(input)?, to, reason: 2 }
            }
            6 => {
                let to = self::account(input)?;
                BoundaryOperation::Transfer { account, asset, amount: amount(input)?, to }
            }
            _ => BoundaryOperation::Deposit { account, asset, amount: amount(input)?, reading_key },
        }))
    }
}

/// A transfer, or one delta alone.
#[derive(Debug)]
pub struct Move(pub Vec<Delta>);

impl<'a> Arbitrary<'a> for Move {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (asset, amount) = (asset(input)?, i128::from(i16::arbitrary(input)?));
        let amount = if u8::arbitrary(input)? == 0 { i128::arbitrary(input)? } else { amount };
        let first = Delta { account: account(input)?, asset, amount, reserved: i8::arbitrary(input)?.into() };
        let second = Delta { account: account(input)?, asset, amount: amount.wrapping_neg(), reserved: 0 };
        Ok(Self(if u8::arbitrary(input)? < 16 { vec![first] } else { vec![first, second] }))
    }
}

/// A round, which may be idle.
#[derive(Debug)]
pub struct Round {
    pub boundary: Vec<BoundaryOperation>,
    pub deltas: Vec<Delta>,
    /// Slots for deltas: as many as are compared with every row, and more, which stand in bins.
    pub slots: usize,
}

impl<'a> Arbitrary<'a> for Round {
    /// A few moves, or now and then so many small transfers that they may fill the slots.
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let boundary = <[Option<Operation>; 4]>::arbitrary(input)?;
        let boundary = boundary.into_iter().flatten().map(|operation| operation.0).collect();
        let slots = *input.choose(&[16, 64, 256])?;
        let moves = <[Option<Move>; 4]>::arbitrary(input)?;
        let mut deltas: Vec<_> = moves.into_iter().flatten().flat_map(|moved| moved.0).collect();
        if u8::arbitrary(input)? > 127 {
            let pairs = input.int_in_range(0..=slots / 2)?;
            let small = (0..pairs).map(|_| small_transfer(input)).collect::<arbitrary::Result<Vec<_>>>()?;
            deltas = small.concat();
        }
        Ok(Self { boundary, deltas, slots })
    }
}

/// From one account to the next, in the asset that has the smallest lot.
fn small_transfer(input: &mut Unstructured<'_>) -> arbitrary::Result<[Delta; 2]> {
    let [number, amount] = <[u8; 2]>::arbitrary(input)?;
    let delta = |number, amount| Delta {
        account: AccountId([1 + number % ACCOUNTS; 20]),
        asset: AssetId(0),
        amount,
        reserved: 0,
    };
    // accounts 1 and 2 most often: those of the table that every input starts from
    let from = if number < 248 { number & 1 } else { number };
    let to = if number < 248 { from ^ 1 } else { number / 2 };
    Ok([delta(from, -i128::from(amount)), delta(to, i128::from(amount))])
}

/// The bytes of an input, and behind them those of the generator that its first eight seed: libFuzzer lengthens its inputs
/// slowly, and a table is too slow for it to come to whole rounds.
pub fn lengthened(bytes: &[u8]) -> [u8; 8192] {
    let mut seed = [0; 8];
    seed.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let mut long = [0; 8192];
    ChaCha20Rng::seed_from_u64(u64::from_be_bytes(seed)).fill_bytes(&mut long);
    long.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    long
}

/// The public key of a committee whose whole secret is known.
pub fn master(secret: &Scalar) -> MasterPublicKey {
    MasterPublicKey::from_bytes(RistrettoPoint::mul_base(secret).compress().as_bytes()).expect("not the identity")
}

/// Opens the wrapped data key with the whole secret, as t participants together would.
pub fn unwrap(header: &Header, master: &MasterPublicKey, secret: &Scalar) -> Zeroizing<Vec<u8>> {
    let wrapped = header.wrapped().to_wrapped().expect("a table key");
    // header 8, then U
    let u = CompressedRistretto::from_slice(&wrapped[8..40]).expect("32 bytes").decompress().expect("a point");
    let verified = header.wrapped().clone().verify(master).expect("a true proof");
    verified.open_with((u * secret).compress().as_bytes()).expect("opens")
}
