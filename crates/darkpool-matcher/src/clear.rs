//! The meaning of a clearing, in numbered steps.

use crate::error::ClearError;
use crate::kernel::Kernel;
use crate::kernel::columns::{Columns, SliceColumns, Slot};
use crate::kernel::mask::{self, Mask, hide, nonzero, select};
use crate::kernel::scalar::{Demand, Solved, gate, solve};
use crate::market::Market;
use crate::outcome::{Fill, Outcome, Reason};
use crate::price::{PriceRefusal, Twap};
use crate::request::{Request, Terms};
use crate::rules::Pricing;
use crate::standing_order::StandingOrder;
use crate::types::{AMOUNT_BITS, Lots, Notional};

/// Memory for one clearing: one entry per standing order in each column.
///
/// *Security*: afterwards it holds capacities and fills; the caller wipes it or keeps it sealed.
#[derive(Debug)]
pub struct Workspace<'a> {
    pub(crate) columns: SliceColumns<'a>,
}

impl<'a> Workspace<'a> {
    /// Four columns of one length; what they hold does not matter.
    ///
    /// *Errors*: [`ClearError::Length`] if the lengths differ from that of `spreads`.
    pub fn new(
        spreads: &'a mut [u16],
        capacities: &'a mut [u64],
        minimums: &'a mut [u64],
        fills: &'a mut [u64],
    ) -> Result<Self, ClearError> {
        let slots = spreads.len();
        check_length("capacities", slots, capacities.len())?;
        check_length("minimums", slots, minimums.len())?;
        check_length("column of fills", slots, fills.len())?;
        let kernel = Kernel::detected();
        Ok(Self { columns: SliceColumns { kernel, spreads, capacities, minimums, fills } })
    }

    /// With passes made by this kernel and not by the one detected.
    #[must_use]
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.columns.kernel = kernel;
        self
    }

    /// The solves alone, on the capacities that the columns hold, which sum to `pool`; returns what was filled.
    ///
    /// For measurements: no price, no request, and no capacity is looked at before.
    #[doc(hidden)]
    pub fn solve_alone(&mut self, size: Lots, pool: Lots, market: &Market) -> Lots {
        let demand = Demand { size: size.get(), least: 0 };
        Lots::masked(solve(&mut self.columns, &demand, pool.get(), &market.plan()).filled)
    }

    pub(crate) fn slots(&self) -> usize {
        self.columns.spreads.len()
    }

    /// One entry per slot; what it holds does not matter.
    pub(crate) fn scratch(&mut self) -> &mut [u64] {
        self.columns.fills
    }
}

/// [`clear_in`] with a workspace of its own.
///
/// *Errors*: as [`clear_in`].
#[cfg(feature = "alloc")]
pub fn clear(
    request: &Request,
    orders: &[StandingOrder],
    permutation: &[u32],
    price: Result<Twap, PriceRefusal>,
    market: &Market,
    fills: &mut [Fill],
) -> Result<Outcome, ClearError> {
    let slots = orders.len();
    let mut spreads = alloc::vec![0; slots];
    let mut capacities = alloc::vec![0; slots];
    let mut minimums = alloc::vec![0; slots];
    let mut filled = alloc::vec![0; slots];
    let mut workspace = Workspace::new(&mut spreads, &mut capacities, &mut minimums, &mut filled)?;
    clear_in(request, orders, permutation, price, market, &mut workspace, fills)
}

/// Clears one request against the standing orders by the market's [`Rules`](crate::Rules).
///
/// `permutation` lists the slots in canonical order. `fills` has one entry per standing order, in the order
/// of `orders`; it is overwritten.
///
/// 1. The lengths and the permutation are checked. They are public; nothing else is checked by branching.
/// 2. The request is evaluated at its deadline.
/// 3. The effective capacities are gathered in canonical order.
/// 4. A refused price or a range exceeded sets every capacity to zero; the steps below run all the same.
/// 5. The wanted total is min(Q, Σe), or zero if that is below the least total.
/// 6. Rule A: the least spread at which the capacity reaches it is the margin; cheaper orders are filled in full,
///    orders at the margin pro rata. Rule B: everybody is filled to the least level that reaches it. Orders
///    filled below their minimum are dropped. As often as the rules say: four times by default.
/// 7. The last fills are kept if the least total was reached and no minimum violated, else they become zero.
/// 8. Each fill is priced, at its own spread or at the greatest filled, rounded up to the maker; the total is the
///    sum of the rounded.
///
/// *Source*: `docs/spec/clearing.md`.
///
/// *Errors*: [`ClearError`], about public shape only; the fills are then zero. Every other failure is an
/// [`Outcome`] with the shape of success.
///
/// *Timing*: steps and addresses depend on the number of orders, the permutation and the market. Three choices are
/// read once, outside every pass, and may be compiled to a jump: which success rule, whether there is a
/// dispersion limit, and whether the price was refused, which follows from public observations.
pub fn clear_in(
    request: &Request,
    orders: &[StandingOrder],
    permutation: &[u32],
    price: Result<Twap, PriceRefusal>,
    market: &Market,
    workspace: &mut Workspace<'_>,
    fills: &mut [Fill],
) -> Result<Outcome, ClearError> {
    fills.fill(Fill::default());
    check_shape(orders.len(), permutation, workspace, fills.len())?;
    let pool = Pool { orders, permutation };
    Ok(clear_columns(request, &pool, price, market, &mut workspace.columns, fills))
}

/// The standing orders with their canonical order, which was checked: it names every slot once.
pub(crate) struct Pool<'a> {
    pub(crate) orders: &'a [StandingOrder],
    pub(crate) permutation: &'a [u32],
}

impl Pool<'_> {
    /// The slots in canonical order.
    fn slots(&self) -> impl Iterator<Item = usize> {
        self.permutation.iter().map(|&slot| usize::try_from(slot).unwrap_or(usize::MAX))
    }
}

/// Steps 2 to 8 of [`clear_in`], in columns and into fills that have an entry for each order.
pub(crate) fn clear_columns<C: Columns>(
    request: &Request,
    pool: &Pool<'_>,
    price: Result<Twap, PriceRefusal>,
    market: &Market,
    columns: &mut C,
    fills: &mut [Fill],
) -> Outcome {
    let terms = Terms::of(request);
    let total = gather(&terms, pool, columns);
    let price = price.map_or(0, |twap| twap.price().get());
    let gates = Gates::of(&terms, price, total, market);
    gate(columns, gates.open());
    let solved = solve(columns, &terms.demand, gates.admit(total), &market.plan());
    let verdict = Verdict::of(&gates, &solved);
    let pay = Pay { success: verdict.success, price, uniform: uniform(market), dearest: solved.dearest };
    let total = settle(columns, pool, &pay, market, fills);
    verdict.outcome(solved.filled, total)
}

pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), ClearError> {
    if expected == found {
        return Ok(());
    }
    Err(ClearError::Length { what, expected, found })
}

fn check_shape(
    slots: usize,
    permutation: &[u32],
    workspace: &mut Workspace<'_>,
    fills: usize,
) -> Result<(), ClearError> {
    check_length("canonical order", slots, permutation.len())?;
    check_length("workspace", slots, workspace.slots())?;
    check_length("fills", slots, fills)?;
    check_permutation(permutation, workspace.columns.fills)
}

/// Every slot once. `seen` is scratch memory with one entry per slot.
pub(crate) fn check_permutation(permutation: &[u32], seen: &mut [u64]) -> Result<(), ClearError> {
    seen.fill(0);
    let slots = seen.len();
    for (position, &found) in permutation.iter().enumerate() {
        let index = usize::try_from(found).unwrap_or(usize::MAX);
        let entry = seen.get_mut(index).ok_or(ClearError::UnknownSlot { position, slots, found })?;
        if *entry != 0 {
            return Err(ClearError::RepeatedSlot { position, found });
        }
        *entry = 1;
    }
    Ok(())
}

/// Writes spread, capacity and minimum of every order into the columns; returns Σe, below 2^83.
fn gather<C: Columns>(terms: &Terms, pool: &Pool<'_>, columns: &mut C) -> u128 {
    let mut total = 0u128;
    columns.gather(pool.slots().map(|slot| {
        let row = pool.orders.get(slot).map_or(Slot::EMPTY, |order| order.row(terms));
        total = total.wrapping_add(u128::from(row.capacity));
        row
    }));
    total
}

/// The conditions under which no order takes part.
#[derive(Clone, Copy)]
struct Gates {
    /// There is a price.
    priced: Mask,
    /// Σe or Q · lot is 2^51 or more.
    too_large: Mask,
}

impl Gates {
    fn of(terms: &Terms, price: u64, pool: u128, market: &Market) -> Self {
        let units = u128::from(terms.demand.size) * u128::from(market.lot());
        Self { priced: nonzero(price), too_large: exceeds_amount(pool) | exceeds_amount(units) }
    }

    fn open(&self) -> Mask {
        hide(self.priced & !self.too_large)
    }

    /// Σe if the gates are open, else zero.
    #[allow(clippy::cast_possible_truncation, reason = "open gates mean a pool below 2^51")]
    fn admit(&self, pool: u128) -> u64 {
        pool as u64 & self.open()
    }
}

/// x ≥ 2^51, for x below 2^115.
#[allow(clippy::cast_possible_truncation, reason = "51 of at most 115 bits are shifted out")]
fn exceeds_amount(x: u128) -> Mask {
    nonzero((x >> AMOUNT_BITS) as u64)
}

/// Success and reason as numbers.
struct Verdict {
    success: Mask,
    reason: u64,
}

impl Verdict {
    /// The reason is that of the first step that failed.
    fn of(gates: &Gates, solved: &Solved) -> Self {
        let success = hide(gates.open() & solved.enough & !solved.violated);
        let short = select(solved.enough_at_first, Reason::Minimum as u64, Reason::TooSmall as u64);
        let gated = select(gates.too_large, Reason::TooLarge as u64, short);
        let failed = select(gates.priced, gated, Reason::Price as u64);
        Self { success, reason: failed & !success }
    }

    fn outcome(&self, filled: u64, total: Notional) -> Outcome {
        Outcome {
            success: mask::bit(self.success) == 1,
            reason: Reason::from_code(self.reason),
            filled: Lots::masked(filled & self.success),
            total,
        }
    }
}

/// What every fill is paid by.
struct Pay {
    success: Mask,
    /// Micro-dollars per coin, or zero.
    price: u64,
    uniform: Mask,
    /// The greatest spread filled.
    dearest: u64,
}

/// All ones if everybody is paid one spread.
fn uniform(market: &Market) -> Mask {
    mask::from_flag(market.rules().pricing == Pricing::Uniform)
}

/// Writes the fills, priced or zero, in the order of the standing orders; returns the sum of the notionals.
fn settle<C: Columns>(columns: &C, pool: &Pool<'_>, pay: &Pay, market: &Market, fills: &mut [Fill]) -> Notional {
    let mut total = 0u128;
    let mut slots = pool.slots();
    columns.settle(|spread, lots| {
        let Some(fill) = slots.next().and_then(|slot| fills.get_mut(slot)) else {
            return;
        };
        let lots = lots & pay.success;
        let paid = select(pay.uniform, pay.dearest, u64::from(spread));
        let notional = market.notional_of(lots, pay.price, paid);
        total = total.wrapping_add(notional.get());
        *fill = Fill { lots: Lots::masked(lots), notional };
    });
    Notional::new(total)
}
