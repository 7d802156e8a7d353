//! One clearing under rule A and under rule B, drawn: fills by maker, and what the request pays by premium.
//!
//! `cargo run -p ccc-examples --bin clearing_plots -- FILE.svg`; without a file the drawing is made and checked alone.

use ccc_examples::{Anything, holds};
use darkpool_matcher::{
    Allocation, BasisPoints, Fill, Lots, Market, MicroDollars, Observation, OwnerId, PriceRules, Request, Rules,
    Spread, SpreadSchedule, StandingOrder, SuccessRule, TierMask, Twap, UnixSeconds, clear, twap,
};
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
};

const DEADLINE: UnixSeconds = UnixSeconds(1_800_000_000);
/// One lot is a hundredth of a coin.
const LOT: u64 = 1_000_000;
/// 400 coins.
const WANTED: u64 = 40_000;
/// What each maker asks, in 1/100 basis point, and offers, in coins.
const MAKERS: [(u16, u64); 16] = [
    (150, 60),
    (225, 35),
    (300, 140),
    (350, 20),
    (450, 55),
    (525, 25),
    (600, 80),
    (700, 45),
    (800, 30),
    (900, 65),
    (1_050, 15),
    (1_200, 50),
    (1_400, 90),
    (1_600, 40),
    (1_850, 70),
    (2_200, 35),
];

const SIZE: (u32, u32) = (960, 760);
const RULE_A: RGBColor = RGBColor(37, 99, 175);
const RULE_B: RGBColor = RGBColor(217, 108, 26);
const OFFERED: RGBColor = RGBColor(226, 230, 236);
const INK: RGBColor = RGBColor(40, 44, 52);
const GRID: RGBColor = RGBColor(235, 237, 240);
const FONT: &str = "sans-serif";

type Panel<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The fills of one rule.
struct Cleared {
    name: &'static str,
    colour: RGBColor,
    fills: Vec<Fill>,
}

fn main() -> Result<(), Anything> {
    let price = price()?;
    let rules = [
        cleared("rule A: cheapest first, pro rata at the margin", RULE_A, Allocation::ProRata, price)?,
        cleared("rule B: equal split, the smallest largest fill", RULE_B, Allocation::EqualSplit, price)?,
    ];
    for rule in &rules {
        let (largest, cost) = (rule.coins().fold(0.0, f64::max), rule.premiums(price).sum::<f64>());
        println!("{}: the largest fill is {largest:.2} coins, the premium {cost:.0} dollars", rule.name);
    }
    let svg = draw(&rules, price)?;
    check(&rules, price, &svg)?;
    if let Some(path) = std::env::args_os().nth(1) {
        std::fs::write(&path, &svg)?;
        println!("{} bytes: {}", svg.len(), path.display());
    }
    Ok(())
}

fn check(rules: &[Cleared; 2], price: Twap, svg: &str) -> Result<(), Anything> {
    let [a, b] = rules;
    for rule in rules {
        holds("fills add up to the request", rule.fills.iter().map(|fill| fill.lots.get()).sum::<u64>() == WANTED)?;
    }
    holds("rule A costs less", a.premiums(price).sum::<f64>() < b.premiums(price).sum())?;
    holds("rule B's largest fill is smaller", b.coins().fold(0.0, f64::max) < a.coins().fold(0.0, f64::max))?;
    holds("the drawing is a whole SVG", svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"))
}

impl Cleared {
    fn coins(&self) -> impl Iterator<Item = f64> {
        self.fills.iter().map(|fill| hundredths(fill.lots.get()))
    }

    /// What each maker is paid above the average price, in dollars.
    fn premiums(&self, price: Twap) -> impl Iterator<Item = f64> {
        self.fills.iter().map(move |fill| {
            let at_price = u128::from(fill.lots.get()) * u128::from(price.price().get()) / 100;
            let micro = fill.notional.get().saturating_sub(at_price);
            u64::try_from(micro).map_or(0.0, |micro| hundredths(micro / 10_000))
        })
    }
}

/// A number of hundredths, for drawing alone: exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "a drawing has no more than a few thousand points")]
fn hundredths(number: u64) -> f64 {
    number as f64 / 100.0
}

fn cleared(name: &'static str, colour: RGBColor, allocation: Allocation, price: Twap) -> Result<Cleared, Anything> {
    let orders = (1u8..).zip(MAKERS).map(|(maker, (spread, coins))| order(maker, spread, coins * 100));
    let orders = orders.collect::<Result<Vec<_>, _>>()?;
    let request = Request {
        owner: OwnerId([0xFF; 20]),
        size: Lots::new(WANTED)?,
        schedule: SpreadSchedule::flat(Spread::new(2_500)?),
        success: SuccessRule::AllOrNone,
        dispersion: None,
        tiers: TierMask::ALL,
        deadline: DEADLINE,
    };
    let market = Market::new(LOT)?.with_rules(Rules { allocation, ..Rules::default() });
    let permutation: Vec<u32> = (0..).take(orders.len()).collect();
    let mut fills = vec![Fill::default(); orders.len()];
    let outcome = clear(&request, &orders, &permutation, Ok(price), &market, &mut fills)?;
    holds("the request is filled", outcome.success)?;
    Ok(Cleared { name, colour, fills })
}

fn order(maker: u8, spread: u16, lots: u64) -> Result<StandingOrder, Anything> {
    let lots = Lots::new(lots)?;
    Ok(StandingOrder {
        owner: OwnerId([maker; 20]),
        spread: Spread::new(spread)?,
        size: lots,
        balance: lots,
        cap: lots,
        minimum: Lots::ZERO,
        expiry: UnixSeconds(u64::MAX),
        tiers: TierMask::ALL,
        frozen: false,
    })
}

/// 60 000 dollars for the whole window.
fn price() -> Result<Twap, Anything> {
    let collar = BasisPoints::new(200)?;
    let rules = PriceRules { window: 600, max_gap: 600, max_stale: 600, collar, minimum_observations: 1 };
    let at = UnixSeconds(DEADLINE.0 - 600);
    let observation = Observation { round: 1, price: MicroDollars::new(60_000_000_000)?, at };
    twap(&[observation], &rules, DEADLINE).map_err(|refusal| format!("the price is refused: {refusal}").into())
}

fn draw(rules: &[Cleared; 2], price: Twap) -> Result<String, Anything> {
    let mut svg = String::new();
    draw_on(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), rules, price)?;
    Ok(svg)
}

fn draw_on(root: &DrawingArea<SVGBackend<'_>, Shift>, rules: &[Cleared; 2], price: Twap) -> Result<(), Anything> {
    root.fill(&WHITE)?;
    let title = format!("One request for {} coins against {} makers", WANTED / 100, MAKERS.len());
    let root = root.margin(10, 6, 0, 0);
    let (above, below) = root.titled(&title, (FONT, 22).into_font().color(&INK))?.split_vertically(360);
    fills_by_maker(&above, rules)?;
    cost_by_premium(&below, rules, price)?;
    Ok(root.present()?)
}

fn panel<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, Shift>,
    caption: &str,
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
) -> Result<Panel<'a, 'b>, Anything> {
    Ok(ChartBuilder::on(area)
        .caption(caption, (FONT, 16).into_font().color(&INK))
        .margin(12)
        .margin_right(28)
        .x_label_area_size(48)
        .y_label_area_size(76)
        .build_cartesian_2d(x, y)?)
}

fn legend<'a, 'b: 'a>(chart: &mut Panel<'a, 'b>, place: SeriesLabelPosition) -> Result<(), Anything> {
    chart
        .configure_series_labels()
        .position(place)
        .margin(14)
        .legend_area_size(24)
        .label_font((FONT, 14).into_font().color(&INK))
        .background_style(WHITE.mix(0.9))
        .border_style(GRID)
        .draw()?;
    Ok(())
}

/// A bar of what is offered behind two bars of what each rule fills.
fn fills_by_maker(area: &DrawingArea<SVGBackend<'_>, Shift>, rules: &[Cleared; 2]) -> Result<(), Anything> {
    let mut chart = panel(area, "Fills by maker", 0.4..16.6, 0.0..150.0)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .x_labels(17)
        .x_label_formatter(&|maker| asked(*maker))
        .y_labels(6)
        .y_label_formatter(&|coins| format!("{coins:.0}"))
        .x_desc("maker, by what it asks (basis points above the price)")
        .y_desc("coins")
        .axis_desc_style((FONT, 14).into_font().color(&INK))
        .label_style((FONT, 13).into_font().color(&INK))
        .axis_style(INK)
        .draw()?;
    let offered = MAKERS.map(|(_, coins)| hundredths(coins * 100));
    bars(&mut chart, offered, -0.42..0.42, OFFERED, "offered")?;
    for (rule, place) in rules.iter().zip([-0.34..0.0, 0.0..0.34]) {
        bars(&mut chart, rule.coins(), place, rule.colour, rule.name)?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// The spread of the maker at this place of the axis, or nothing between two.
fn asked(place: f64) -> String {
    let spreads = (1u32..).zip(MAKERS).map(|(maker, (spread, _))| (f64::from(maker), spread));
    let mut near = spreads.filter(|(maker, _)| (place - maker).abs() < 0.01);
    near.next().map_or(String::new(), |(_, spread)| format!("{:.2}", f64::from(spread) / 100.0))
}

fn bars(
    chart: &mut Panel<'_, '_>,
    heights: impl IntoIterator<Item = f64>,
    place: std::ops::Range<f64>,
    colour: RGBColor,
    name: &str,
) -> Result<(), Anything> {
    let bars = (1u32..).zip(heights).map(|(maker, height)| {
        let middle = f64::from(maker);
        Rectangle::new([(middle + place.start, 0.0), (middle + place.end, height)], colour.filled())
    });
    let swatch = move |(x, y)| Rectangle::new([(x, y - 6), (x + 16, y + 6)], colour.filled());
    chart.draw_series(bars)?.label(name).legend(swatch);
    Ok(())
}

/// What has been paid above the price once all makers up to a spread are paid: steps, one per maker.
fn cost_by_premium(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    rules: &[Cleared; 2],
    price: Twap,
) -> Result<(), Anything> {
    let totals = rules.iter().map(|rule| rule.premiums(price).sum::<f64>());
    let top = totals.fold(0.0, f64::max) * 1.2;
    let mut chart = panel(area, "Premium paid, added up from the cheapest maker", 0.0..25.0, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .x_labels(6)
        .x_label_formatter(&|spread| format!("{spread:.0}"))
        .y_labels(6)
        .y_label_formatter(&|dollars| thousands(*dollars))
        .x_desc("spread (basis points above the price)")
        .y_desc("dollars above the price")
        .axis_desc_style((FONT, 14).into_font().color(&INK))
        .label_style((FONT, 13).into_font().color(&INK))
        .axis_style(INK)
        .draw()?;
    for rule in rules {
        let colour = rule.colour;
        let swatch = move |(x, y)| Rectangle::new([(x, y - 2), (x + 16, y + 2)], colour.filled());
        let line = LineSeries::new(steps(rule, price), colour.stroke_width(3));
        let total = rule.premiums(price).sum::<f64>();
        let name = rule.name.split(':').next().unwrap_or_default();
        chart.draw_series(line)?.label(format!("{name}: {} dollars in all", thousands(total))).legend(swatch);
    }
    legend(&mut chart, SeriesLabelPosition::UpperLeft)
}

/// A whole number, grouped by three.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    match digits.len().checked_sub(3) {
        Some(place @ 1..) => format!("{} {}", &digits[..place], &digits[place..]),
        _ => digits,
    }
}

fn steps(rule: &Cleared, price: Twap) -> Vec<(f64, f64)> {
    let mut points = vec![(0.0, 0.0)];
    let mut paid = 0.0;
    for ((spread, _), premium) in MAKERS.into_iter().zip(rule.premiums(price)) {
        let spread = f64::from(spread) / 100.0;
        points.push((spread, paid));
        paid += premium;
        points.push((spread, paid));
    }
    points.push((25.0, paid));
    points
}
