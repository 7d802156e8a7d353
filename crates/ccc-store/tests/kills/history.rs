//! The one history that every writer writes: rounds, refused batches, growth and new epochs, on the table and on the
//! plain ledger.

use crate::common::{ID, data_key, master};
use ccc_core::{
    epoch::Epoch,
    table::{
        AccountId, AssetId, AssetRule, BoundaryOperation, Delta, HEADER_LEN, Header, OpenTable, ResultCode,
        SealedTable, TableParams, TableSuite, Tier, Update, Updated, body_len, genesis, ledger::Ledger,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    fs,
    path::{Path, PathBuf},
};

const ASSETS: [AssetRule; 2] = [AssetRule { lot: 1 }, AssetRule { lot: 10 }];
const ACCOUNTS: usize = 5;
/// Every so many versions a batch is refused.
const REFUSED_EVERY: usize = 7;
/// Every so many versions a new epoch begins.
const EPOCH_EVERY: usize = 9;
/// The version that is larger than the one before.
const GROWTH: usize = 12;

/// What makes the version with some index of the one before.
pub(crate) enum Step {
    Round { boundary: Vec<BoundaryOperation>, deltas: [Delta; 2] },
    Growth,
    Epoch(Epoch),
}

impl Step {
    pub(crate) fn to(index: usize) -> Self {
        match index {
            GROWTH => Self::Growth,
            _ if index.is_multiple_of(EPOCH_EVERY) => Self::Epoch(Epoch(index as u64)),
            _ => Self::round(index),
        }
    }

    fn round(index: usize) -> Self {
        let (account, asset, moved) = (account(index), AssetId(u32::from(index % 2 == 1)), 1 + index as i128);
        let deposit = |account| BoundaryOperation::Deposit { account, asset, amount: 1_000, reading_key: [9; 32] };
        let withdraw = BoundaryOperation::Withdraw { account, asset, amount: 3 };
        let next = self::account(index + 1);
        let moved = if index.is_multiple_of(REFUSED_EVERY) { i128::from(u64::MAX) } else { moved };
        let delta = |account, amount| Delta { account, asset, amount, reserved: 0 };
        Self::Round {
            boundary: vec![deposit(account), deposit(next), withdraw],
            deltas: [delta(account, -moved), delta(next, moved)],
        }
    }

    pub(crate) fn update(&self) -> Update<'_> {
        match self {
            Self::Round { boundary, deltas } => Update::Round { boundary, deltas, k: 16, assets: &ASSETS },
            Self::Growth => Update::Growth,
            Self::Epoch(epoch) => Update::Epoch(*epoch),
        }
    }

    /// The tier of the version that it makes.
    pub(crate) fn tier(&self, before: Tier) -> Tier {
        match self {
            Self::Growth => before.next().expect("a larger tier"),
            _ => before,
        }
    }

    /// The same step on the plain ledger.
    fn take(&self, ledger: &mut Ledger) -> ResultCode {
        match self {
            Self::Round { boundary, deltas } => ledger.update(boundary, deltas, &ASSETS).0,
            Self::Growth => {
                ledger.grow(self.tier(Tier::SMALLEST));
                ResultCode::Done
            }
            Self::Epoch(_) => ResultCode::Done,
        }
    }
}

fn account(number: usize) -> AccountId {
    AccountId([1 + u8::try_from(number % ACCOUNTS).expect("small"); 20])
}

/// What a version is sealed with: the same whoever seals it, so that two writers of it write the same bytes.
pub(crate) fn rng(index: usize) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(index as u64)
}

pub(crate) fn params() -> TableParams {
    TableParams { id: ID, epoch: Epoch(0), tier: Tier::SMALLEST, suite: TableSuite::ChaCha20Poly1305 }
}

/// The sealed versions, one file each, so that a writer need not seal.
pub(crate) struct History(PathBuf);

impl History {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn hash(&self, index: usize) -> [u8; 32] {
        self.read(index).header.hash()
    }

    fn file(&self, index: usize) -> PathBuf {
        self.0.join(index.to_string())
    }

    pub(crate) fn read(&self, index: usize) -> SealedTable {
        let bytes = fs::read(self.file(index)).expect("there");
        let (header, parts) = bytes.split_at(HEADER_LEN);
        let header = Header::from_bytes(header).expect("a header");
        let (body, sidecar) = parts.split_at(body_len(header.tier()));
        SealedTable { body: body.to_vec(), sidecar: sidecar.to_vec(), header }
    }

    fn write(&self, index: usize, table: &SealedTable) {
        let SealedTable { header, body, sidecar } = table;
        fs::write(self.file(index), [&header.to_bytes()[..], body, sidecar].concat()).expect("written");
    }
}

/// The history and what the plain ledger holds at each of its versions.
pub(crate) struct Twins {
    pub(crate) history: History,
    ledgers: Vec<Ledger>,
}

impl Twins {
    /// Makes the history in a new directory, on open tables and on the plain ledger.
    pub(crate) fn make(path: PathBuf, versions: usize) -> Self {
        fs::create_dir(&path).expect("made");
        let (history, mut ledger) = (History::at(path), Ledger::new(Tier::SMALLEST));
        let Updated { table, mut rows, .. } = genesis(&params(), &master(), &mut rng(0)).expect("genesis");
        history.write(0, &table);
        let (mut ledgers, mut refused) = (vec![ledger.clone()], 0);
        for index in 1..versions {
            let step = Step::to(index);
            let made = rows.apply(&step.update(), &master(), &mut rng(index)).expect("updates");
            assert_eq!(made.code, step.take(&mut ledger), "version {index}");
            refused += usize::from(!made.code.is_done());
            history.write(index, &made.table);
            ledgers.push(ledger.clone());
            rows = made.rows;
        }
        assert!(refused > 0 && ledger.used_rows() > ACCOUNTS, "the history is too tame");
        Self { history, ledgers }
    }

    /// Whether a version is that of the history, byte for byte.
    pub(crate) fn wrote(&self, found: &SealedTable) -> bool {
        let index = usize::try_from(found.header.version()).ok().and_then(|version| version.checked_sub(1));
        let Some(index) = index.filter(|index| *index < self.ledgers.len()) else { return false };
        let SealedTable { header, body, sidecar } = self.history.read(index);
        found.header.to_bytes() == header.to_bytes() && found.body == body && found.sidecar == sidecar
    }

    /// Whether a version opens under its key and holds what the plain ledger holds at this index.
    pub(crate) fn holds(&self, index: usize, found: &SealedTable) -> bool {
        let open = OpenTable::open(&found.header, &found.body, &data_key(&found.header));
        open.is_ok_and(|open| is_twin(&open, &self.ledgers[index]))
    }
}

fn is_twin(open: &OpenTable, ledger: &Ledger) -> bool {
    let assets = [AssetId(0), AssetId(1)];
    let all: Vec<_> = (0..ACCOUNTS).flat_map(|number| assets.map(|asset| (account(number), asset))).collect();
    let rows = open.find_many(&all).iter().zip(&all).all(|(row, (a, s))| row.as_ref() == ledger.find(*a, *s));
    let sums = assets.iter().all(|asset| Some(open.sum(*asset)) == ledger.sum(*asset));
    rows && sums && open.used_rows() as usize == ledger.used_rows()
}
