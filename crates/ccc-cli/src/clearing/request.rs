//! Requests in the clear: TOML with the market's lot, a price or the observations of one, and one or more requests.

use super::{
    canonical,
    cell::{self, OrderId},
    error::{RequestError, Wrong},
};
use crate::pool::hexed::Hex;
use darkpool_matcher::{
    BaseUnits, BasisPoints, CounterpartyList, Lots, Market, MicroDollars, Observation, PriceRefusal, PriceRules,
    Request, Rules, Spread, SpreadSchedule, SuccessRule, TierMask, Twap, UnixSeconds, dispersion_limit, twap,
};
use serde::Deserialize;
use std::fmt::Display;

/// The longest file of requests.
pub(crate) const MAX_LEN: u64 = 1 << 20;
/// The most requests of one file.
const MAX_REQUESTS: usize = 64;
const TIERS: u8 = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "one")]
    lot: u64,
    #[serde(default)]
    epoch: u64,
    salt: Option<Hex<16>>,
    price: PriceFile,
    request: Vec<RequestFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    micro_dollars: Option<u64>,
    window: Option<u64>,
    max_gap: Option<u64>,
    max_stale: Option<u64>,
    collar: Option<u16>,
    minimum_observations: Option<usize>,
    observations: Option<Vec<ObservationFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObservationFile {
    round: u64,
    micro_dollars: u64,
    at: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFile {
    name: Option<String>,
    owner: String,
    size: u64,
    minimum_total: Option<u64>,
    spread: [u16; 2],
    times: Option<[u64; 2]>,
    deadline: u64,
    dispersion: Option<[u16; 2]>,
    seed: Option<Hex<32>>,
    tiers: Option<Vec<u8>>,
    counterparties: Option<String>,
}

fn one() -> u64 {
    1
}

/// What a file of requests says, ready for the matcher.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) market: Market,
    pub(crate) salt: [u8; 16],
    pub(crate) epoch: u64,
    pub(crate) requests: Vec<Named>,
}

/// One request with the price at its deadline, or why there is none.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: OrderId,
    pub(crate) request: Request,
    /// The makers that it admits or refuses.
    pub(crate) list: CounterpartyList,
    pub(crate) price: Result<Twap, PriceRefusal>,
}

/// Where prices come from.
enum Feed {
    Fixed(MicroDollars),
    Observed(Vec<Observation>, PriceRules),
}

impl Requests {
    /// Reads a file of requests. What it does not draw itself follows from `seed`.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) fn parse(bytes: &[u8], seed: u64, rules: Rules) -> Result<Self, RequestError> {
        let text = std::str::from_utf8(bytes).map_err(|_| RequestError::Form("it is not UTF-8 text".into()))?;
        let file: File = toml::from_str(text).map_err(|error| form(text, &error))?;
        let market = Market::new(file.lot).map_err(|_| wrong("lot", &range(1, BaseUnits::MAX.get()), file.lot))?;
        let feed = file.price.feed()?;
        let number = file.request.len();
        if number == 0 || number > MAX_REQUESTS {
            return Err(wrong("request", &format!("1 to {MAX_REQUESTS} requests"), number));
        }
        let reader = Reader { market, feed, seed };
        let requests = file.request.iter().zip(1..).map(|(request, place)| reader.named(request, place));
        let requests = requests.collect::<Result<Vec<_>, _>>()?;
        check_names(&requests)?;
        let salt = file.salt.map_or_else(|| first_half(canonical::derived("salt", seed)), |salt| salt.0);
        Ok(Self { market: market.with_rules(rules), salt, epoch: file.epoch, requests })
    }
}

fn first_half(bytes: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    half
}

/// TOML's own sentence with the line at which it stands.
fn form(text: &str, error: &toml::de::Error) -> RequestError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    RequestError::Form(format!("line {line}: {}", error.message()))
}

fn wrong(field: impl Into<String>, expected: &str, found: impl Display) -> RequestError {
    RequestError::Value { field: field.into(), wrong: Wrong::new(expected, &found.to_string()) }
}

fn range(least: u64, greatest: u64) -> String {
    format!("a whole number from {least} to {greatest}")
}

fn check_names(requests: &[Named]) -> Result<(), RequestError> {
    for (place, request) in requests.iter().enumerate() {
        if requests.iter().take(place).any(|earlier| earlier.name == request.name) {
            return Err(wrong(format!("request {}, name", place + 1), "every name once", request.name.text()));
        }
    }
    Ok(())
}

impl PriceFile {
    fn feed(self) -> Result<Feed, RequestError> {
        let bounded = self.window.is_some() || self.max_gap.is_some() || self.max_stale.is_some();
        let bounded = bounded || self.collar.is_some() || self.minimum_observations.is_some();
        match (self.micro_dollars, &self.observations) {
            (Some(price), None) if !bounded => dollars("price, micro_dollars", price).map(Feed::Fixed),
            (None, Some(observations)) => Ok(Feed::Observed(observed(observations)?, self.rules()?)),
            _ => Err(wrong("price", "either micro_dollars alone or observations with their bounds", "something else")),
        }
    }

    fn rules(&self) -> Result<PriceRules, RequestError> {
        let needed = |field: &str, value: Option<u64>| {
            value.ok_or_else(|| wrong(format!("price, {field}"), "a number of seconds", ""))
        };
        let collar = self.collar.ok_or_else(|| wrong("price, collar", "a number of basis points", ""))?;
        Ok(PriceRules {
            window: needed("window", self.window)?,
            max_gap: needed("max_gap", self.max_gap)?,
            max_stale: needed("max_stale", self.max_stale)?,
            collar: basis_points("price, collar", collar, 0)?,
            minimum_observations: self.minimum_observations.unwrap_or(1),
        })
    }
}

fn dollars(field: &str, found: u64) -> Result<MicroDollars, RequestError> {
    MicroDollars::new(found).map_err(|_| wrong(field, &range(1, MicroDollars::MAX.get()), found))
}

fn observed(observations: &[ObservationFile]) -> Result<Vec<Observation>, RequestError> {
    let each = observations.iter().zip(1..).map(|(observation, place)| {
        let price = dollars(&format!("price, observation {place}, micro_dollars"), observation.micro_dollars)?;
        Ok(Observation { round: u128::from(observation.round), price, at: UnixSeconds(observation.at) })
    });
    each.collect()
}

fn basis_points(field: &str, found: u16, least: u16) -> Result<BasisPoints, RequestError> {
    let refused = || wrong(field, &range(u64::from(least), u64::from(BasisPoints::MAX.get())), found);
    BasisPoints::new(found).ok().filter(|points| points.get() >= least).ok_or_else(refused)
}

/// What every request of a file shares.
struct Reader {
    market: Market,
    feed: Feed,
    seed: u64,
}

impl Reader {
    fn named(&self, file: &RequestFile, place: u64) -> Result<Named, RequestError> {
        let at = |field: &str| format!("request {place}, {field}");
        let of = |field: &str, wrong| RequestError::Value { field: at(field), wrong };
        let name = file.name.clone().unwrap_or_else(|| format!("request-{place}"));
        let name = OrderId::parse(&name).map_err(|wrong| of("name", wrong))?;
        let size = self.size(file.size).ok_or_else(|| wrong(at("size"), &range(1, BaseUnits::MAX.get()), file.size))?;
        if file.deadline == 0 {
            return Err(wrong(at("deadline"), "seconds from 1", 0));
        }
        let request = Request {
            owner: cell::owner(&file.owner).map_err(|wrong| of("owner", wrong))?,
            size,
            schedule: schedule(file, &at)?,
            success: self.success(file, &at)?,
            dispersion: self.dispersion(file, size, &name, &at)?,
            tiers: tiers(file, &at)?,
            deadline: UnixSeconds(file.deadline),
        };
        let list = file.counterparties.as_deref().map_or(Ok(CounterpartyList::EMPTY), cell::counterparties);
        let list = list.map_err(|wrong| of("counterparties", wrong))?;
        Ok(Named { name, request, list, price: self.feed.price(request.deadline) })
    }

    /// In lots, rounded up; none for zero and from 2^51 base units.
    fn size(&self, units: u64) -> Option<Lots> {
        let units = BaseUnits::new(units).ok().filter(|units| *units != BaseUnits::MIN)?;
        Some(Lots::ceil(units, &self.market))
    }

    fn success(&self, file: &RequestFile, at: &impl Fn(&str) -> String) -> Result<SuccessRule, RequestError> {
        let Some(least) = file.minimum_total else { return Ok(SuccessRule::AllOrNone) };
        let lots = self.size(least).filter(|_| least <= file.size);
        lots.map(SuccessRule::AtLeast).ok_or_else(|| wrong(at("minimum_total"), &range(1, file.size), least))
    }

    fn dispersion(
        &self,
        file: &RequestFile,
        size: Lots,
        name: &OrderId,
        at: &impl Fn(&str) -> String,
    ) -> Result<Option<Lots>, RequestError> {
        let Some([lo, hi]) = file.dispersion else { return Ok(None) };
        let field = at("dispersion");
        let (lo, hi) = (basis_points(&field, lo, 1)?, basis_points(&field, hi, lo)?);
        let seed = file.seed.map_or_else(|| canonical::derived("dispersion", self.seed), |seed| seed.0);
        Ok(Some(dispersion_limit(canonical::draw(name.as_bytes(), &seed), lo, hi, size)))
    }
}

fn schedule(file: &RequestFile, at: &impl Fn(&str) -> String) -> Result<SpreadSchedule, RequestError> {
    let spread = |found: u16| {
        Spread::new(found).map_err(|_| wrong(at("spread"), &range(0, u64::from(Spread::MAX.get())), found))
    };
    let [s0, s1] = file.spread;
    let times = match file.times {
        Some([t0, t1]) if t0 < t1 => [t0, t1],
        Some([_, t1]) => return Err(wrong(at("times"), "the end after the start", t1)),
        None if s0 == s1 => [0, 0],
        None => return Err(wrong(at("times"), "start and end of a spread that slides", "")),
    };
    Ok(SpreadSchedule { s0: spread(s0)?, s1: spread(s1)?, t0: UnixSeconds(times[0]), t1: UnixSeconds(times[1]) })
}

fn tiers(file: &RequestFile, at: &impl Fn(&str) -> String) -> Result<TierMask, RequestError> {
    let Some(tiers) = &file.tiers else { return Ok(TierMask::ALL) };
    if let Some(tier) = tiers.iter().find(|tier| **tier >= TIERS) {
        return Err(wrong(at("tiers"), &range(0, u64::from(TIERS) - 1), tier));
    }
    Ok(TierMask(tiers.iter().fold(0, |mask, tier| mask | 1 << tier)))
}

impl Feed {
    fn price(&self, deadline: UnixSeconds) -> Result<Twap, PriceRefusal> {
        match self {
            Self::Observed(observations, rules) => twap(observations, rules, deadline),
            Self::Fixed(price) => {
                let at = UnixSeconds(deadline.0.saturating_sub(1));
                let rules = PriceRules {
                    window: 1,
                    max_gap: 1,
                    max_stale: 1,
                    collar: BasisPoints::MAX,
                    minimum_observations: 1,
                };
                twap(&[Observation { round: 1, price: *price, at }], &rules, deadline)
            }
        }
    }
}
