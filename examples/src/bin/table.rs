//! Two owners deposit, a clearing moves their rows, the table is sealed anew, and an owner finds its balance in what
//! was published and proves it against the header alone.

use ccc_core::{
    epoch::Epoch,
    identifier::Identifier,
    keys::{MasterPublicKey, ParticipantKeys, Roster, dealer},
    table::{
        AccountId, AssetId, AssetRule, BoundaryOperation, Delta, Sidecar, TableId, TableParams, TableSuite, Tier,
        Update, Updated, genesis, verify_row,
    },
    threshold::Threshold,
};
use ccc_examples::{Anything, generator, holds};
use rand::{Rng, rngs::StdRng};

const EPOCH: Epoch = Epoch(1);
const BASE: AssetId = AssetId(0);
const QUOTE: AssetId = AssetId(1);
const ASSETS: [AssetRule; 2] = [AssetRule { lot: 1_000_000 }, AssetRule { lot: 1 }];
const MAKER: AccountId = AccountId([1; 20]);
const RESERVE: AccountId = AccountId([2; 20]);
/// Public: so many delta slots has every round of this size, whatever it does.
const SLOTS: usize = 16;

fn main() -> Result<(), Anything> {
    let mut rng = generator()?;
    let master = master_public_key(&mut rng)?;
    let mut maker_key = [0; 32];
    rng.fill_bytes(&mut maker_key);

    let first = genesis(&params(), &master, &mut rng)?;
    let funded = next(first, &deposits(maker_key), &[], &master, &mut rng)?;
    let settled = next(funded, &[], &trade(), &master, &mut rng)?;
    let idle = next(settled, &[], &[], &master, &mut rng)?;
    let table = &idle.table;
    println!(
        "version {}: header {} bytes, body {} bytes",
        table.header.version(),
        table.header.to_bytes().len(),
        table.body.len()
    );

    // the owner: what was published, and a key of its own
    let sidecar = Sidecar::parse(&table.sidecar, &table.header)?;
    let rows = sidecar.open_all(&maker_key);
    for exit in &rows {
        let row = exit.balance()?;
        println!("the maker owns {} of asset {}, in row {}", row.amount, row.asset.0, exit.index);
        let (root, tier) = (table.header.state_root(), table.header.tier());
        verify_row(&root, tier, exit.index, &exit.row, &exit.salt, &exit.path)?;
    }
    holds("an owner finds its own rows and no other", rows.len() == 2)?;
    holds("another key opens nothing", sidecar.open_all(&[0; 32]).is_empty())?;
    let sums = (idle.rows.sum(BASE), idle.rows.sum(QUOTE));
    holds("nothing was made and nothing was lost", sums == (500_000_000, 400_000_000_000))
}

fn next(
    from: Updated,
    boundary: &[BoundaryOperation],
    deltas: &[Delta],
    master: &MasterPublicKey,
    rng: &mut StdRng,
) -> Result<Updated, Anything> {
    let (previous, size) = (from.table.header.hash(), from.table.body.len());
    let updated = from.rows.apply(&Update::Round { boundary, deltas, k: SLOTS, assets: &ASSETS }, master, rng)?;
    holds("every operation succeeded", updated.code.is_done() && updated.boundary.iter().all(Result::is_ok))?;
    holds("the version follows its parent", updated.table.header.previous() == previous)?;
    holds("the size does not tell what happened", updated.table.body.len() == size)?;
    Ok(updated)
}

fn deposits(maker_key: [u8; 32]) -> [BoundaryOperation; 5] {
    let deposit =
        |account, asset, amount, reading_key| BoundaryOperation::Deposit { account, asset, amount, reading_key };
    [
        deposit(MAKER, BASE, 500_000_000, maker_key),
        deposit(RESERVE, QUOTE, 400_000_000_000, [9; 32]),
        // a delta moves rows that exist: each side opens the row of what it will receive
        BoundaryOperation::Open { account: MAKER, asset: QUOTE },
        BoundaryOperation::Open { account: RESERVE, asset: BASE },
        BoundaryOperation::Reserve { account: MAKER, asset: BASE, lots: 300 },
    ]
}

/// The maker gives three coins out of its reservation for 180 000 dollars.
fn trade() -> [Delta; 4] {
    let delta = |account, asset, amount, reserved| Delta { account, asset, amount, reserved };
    [
        delta(MAKER, BASE, -300_000_000, -300),
        delta(RESERVE, BASE, 300_000_000, 0),
        delta(RESERVE, QUOTE, -180_000_000_000, 0),
        delta(MAKER, QUOTE, 180_000_000_000, 0),
    ]
}

fn params() -> TableParams {
    let id = TableId { chain: 31_337, contract: [0xC0; 20], table: [0x7A; 32] };
    TableParams { id, epoch: EPOCH, tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 }
}

fn master_public_key(rng: &mut StdRng) -> Result<MasterPublicKey, Anything> {
    let members = (1..=4)
        .map(|number| Ok(ParticipantKeys::generate(rng)?.public(Identifier::new(number)?)))
        .collect::<Result<Vec<_>, Anything>>()?;
    let roster = Roster::new(EPOCH, Threshold::default_for(4)?, members)?;
    let (committee, _shares) = dealer::deal(&roster, rng)?;
    Ok(*committee.master_public_key())
}
