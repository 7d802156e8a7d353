//! What the matcher is given beside the standing orders: the request, and the price at its deadline.

use crate::{config::EnclaveConfig, execution::Prices, instruction::CollateralOrder, round::RoundError};
use ccc_core::{
    report::PriceObservation,
    suite::{self, domain},
};
use darkpool_matcher::{
    BaseUnits, BasisPoints, Lots, Market, MicroDollars, Observation, OutOfRange, OwnerId, PriceRefusal,
    Request as ClearingRequest, Spread, SpreadSchedule, SuccessRule, TierMask, Twap, UnixSeconds, dispersion_limit,
    twap,
};

/// The matcher's request; none where the order is out of range, or was made for another deadline than the host
/// names: its sliding premium ends at the deadline, and the price is taken there.
pub(crate) fn request_of(
    config: &EnclaveConfig,
    id: &[u8; 32],
    order: &CollateralOrder,
    deadline: u64,
) -> Option<ClearingRequest> {
    if order.times[1] != deadline {
        return None;
    }
    let market = market(config).ok()?;
    let size = Lots::ceil(BaseUnits::new(order.size).ok()?, &market);
    let least = Lots::ceil(BaseUnits::new(order.minimum_total).ok()?, &market);
    let [d_lo, d_hi] = order.dispersion;
    let draw = draw(id, &order.seed);
    Some(ClearingRequest {
        owner: OwnerId(config.reserve),
        size,
        schedule: SpreadSchedule {
            s0: Spread::new(order.spread[0]).ok()?,
            s1: Spread::new(order.spread[1]).ok()?,
            t0: UnixSeconds(order.times[0]),
            t1: UnixSeconds(order.times[1]),
        },
        success: if order.minimum_total == 0 { SuccessRule::AllOrNone } else { SuccessRule::AtLeast(least) },
        dispersion: Some(dispersion_limit(draw, BasisPoints::new(d_lo).ok()?, BasisPoints::new(d_hi).ok()?, size)),
        tiers: TierMask(order.tiers),
        deadline: UnixSeconds(deadline),
    })
}

pub(crate) fn empty_request(config: &EnclaveConfig, deadline: u64) -> Result<ClearingRequest, RoundError> {
    Ok(ClearingRequest {
        owner: OwnerId(config.reserve),
        size: Lots::ZERO,
        schedule: SpreadSchedule::flat(Spread::MIN),
        success: SuccessRule::AllOrNone,
        dispersion: Some(Lots::ZERO),
        tiers: TierMask(0),
        deadline: UnixSeconds(deadline),
    })
}

/// u = the first 8 bytes of H("dispersion"; request id, seed inside the order).
fn draw(id: &[u8; 32], seed: &[u8; 32]) -> u64 {
    let wide = suite::hash(domain::DISPERSION, &[id, seed]);
    let mut first = [0; 8];
    first.copy_from_slice(&wide[..8]);
    u64::from_be_bytes(first)
}

pub(crate) fn market(config: &EnclaveConfig) -> Result<Market, RoundError> {
    Ok(Market::new(config.asset(config.base)?.lot)?)
}

/// The average price at the deadline, or why there is none: a refusal is an outcome, not an error. Answers between
/// the deadline and the block of the round are in the digest that the signers compare, and not in the price.
pub(crate) fn average(
    config: &EnclaveConfig,
    observations: &[PriceObservation],
    deadline: u64,
) -> Result<Result<Twap, PriceRefusal>, RoundError> {
    let rules = config.price_rules()?;
    let mut seen = Vec::with_capacity(observations.len());
    for observation in observations.iter().filter(|observation| observation.updated_at <= deadline) {
        match micro_dollars(config, observation) {
            Ok(price) => {
                seen.push(Observation { round: observation.round, price, at: UnixSeconds(observation.updated_at) })
            }
            Err(refusal) => return Ok(Err(PriceRefusal::Range(refusal))),
        }
    }
    Ok(twap(&seen, &rules, UnixSeconds(deadline)))
}

fn micro_dollars(config: &EnclaveConfig, observation: &PriceObservation) -> Result<MicroDollars, OutOfRange> {
    let scale = 10u128.pow(u32::from(config.price_decimals));
    let answer = u128::try_from(observation.answer).unwrap_or(0);
    let micro = answer.saturating_mul(1_000_000) / scale;
    MicroDollars::new(u64::try_from(micro).unwrap_or(u64::MAX))
}

/// What the fills of a round are measured against: the clearing's price, and the last answer by the round's block.
pub(crate) fn prices(
    config: &EnclaveConfig,
    observations: &[PriceObservation],
    price: &Result<Twap, PriceRefusal>,
    block_time: u64,
) -> Prices {
    let by_block = observations.iter().rfind(|observation| observation.updated_at <= block_time);
    let reference = by_block.and_then(|found| Some((micro_dollars(config, found).ok()?.get(), found.updated_at)));
    let (reference, reference_time) = reference.unwrap_or_default();
    let (average, last) = price.as_ref().map_or((0, 0), |twap| (twap.price().get(), twap.last().get()));
    Prices { average, last, reference, reference_time }
}
