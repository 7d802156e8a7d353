//! Does the time of an operation depend on its secret? Two classes of secrets, interleaved at random, and Welch's t.
//!
//! ```text
//! cargo bench -p ccc-benches --bench timing
//! ```
//!
//! *Source*: Reparaz, Balasch and Verbauwhede, *Dude, is my code constant time?*, 2017, as `ccc_benches::timing` does it.
//!
//! How to read it: t counts by how many standard deviations the means differ; the largest |t| among all samples and the
//! fastest halves, nine tenths and 99 hundredths is shown. Below 4.5 this many samples show no dependence; above 10 there
//! is one; a real difference grows with the root of the number of samples, chance does not. So a run that reaches 4.5 is
//! followed by a fresh one of twice the samples, up to four times, or until three have reached 10. A
//! small t is no proof of constant time, on this machine or another. Two lines are controls: share creation over two
//! classes of random secrets, of which a large |t| says that the measurement tells classes apart by something else, such
//! as where they lie in memory; and an operation that varies on purpose.
//! Exit code 1: no run of an operation stayed below 4.5; or none of the first control did, or of a clearing's random pools
//! beside other random ones, or none of a second control reached 10, so that the run says nothing; 2: no number of samples.
//!
//! Clearing is sampled over four classes of pools, in one stream: random, one maker that covers all, all at one spread, and
//! a pool that is too small. The random one is compared with each other, the largest |t| is shown, with the medians of the
//! four and by how much they lie apart; *alike* is t of random pools beside other random ones, and is judged as the first
//! control is. By both rules and every kernel: one solve, a whole clearing with minimums, and a batch of three requests with minimums and counterparty lists of both sides. Its control is a sort.
//!
//! `CCC_TIMING_SAMPLES` is a number of samples in the place of the fifteen seconds for each operation.
//! `.ci/deep timing` takes a million.
//!
//! With `--test` a few samples are taken and nothing is said about time. A free argument selects operations by name.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_benches::clearing_timing::{Pools, Times, Way, ways};
use ccc_benches::timing::{Classes, FRACTIONS, Secret};
use ccc_benches::verdict::{Found, SHOWN, is_seen, stays_below};
use ccc_benches::welch::Samples;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long each operation is sampled at first.
const BUDGET: Duration = Duration::from_secs(15);
/// Standing orders of a clearing: few enough that their columns and the pool copied into them fit the first cache together.
const SLOTS: usize = 1 << 8;
/// Samples in smoke mode.
const FEW: u32 = 64;

/// What the command line asks for.
struct Asked {
    smoke: bool,
    filter: Option<String>,
    samples: Option<u32>,
}

impl Asked {
    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| format!("timing/{name}").contains(filter.as_str()))
    }

    /// Whether one more sample is to be taken, given their number, in a run of so many times the samples.
    fn more(&self, factor: u32) -> impl Fn(u32) -> bool + use<> {
        let (started, smoke, samples) = (Instant::now(), self.smoke, self.samples);
        move |taken| match (smoke, samples) {
            (true, _) => taken < FEW,
            (false, Some(samples)) => taken < samples.max(FEW).saturating_mul(factor),
            (false, None) => taken < FEW || started.elapsed() < BUDGET * factor,
        }
    }

    /// What `judge` says of the runs of an operation, if it is asked for; in smoke mode, after one run, nothing.
    fn judge(&self, name: &str, judge: Judge, mut run: impl FnMut(u32) -> f64) -> Option<bool> {
        if !self.wants(name) {
            return None;
        }
        if self.smoke {
            run(1);
            return None;
        }
        Some(judge(&mut run).is_ok())
    }

    /// Whether the classes stay alike, and whether random pools stay beside other random ones in any run.
    fn clearing(&self, name: &str, pools: &mut Pools, way: Way) -> [Option<bool>; 2] {
        let mut alike = false;
        let verdict = self.judge(name, ALIKE, |factor| {
            let times = pools.sample(way, self.more(factor));
            report_clearing(name, &times, self.smoke);
            alike |= times.alike().abs() < SHOWN;
            times.greatest()
        });
        [verdict, verdict.map(|_| alike)]
    }

    fn sort(&self, name: &str, pools: &mut Pools) -> Option<bool> {
        self.judge(name, VARIES, |factor| {
            report_clearing(name, &pools.sample(Way::Sort, self.more(factor)), self.smoke)
        })
    }

    fn operation(&self, name: &str, judge: Judge, classes: &Classes, mut run: impl FnMut(&Secret)) -> Option<bool> {
        self.judge(name, judge, |factor| report(name, &classes.sample(self.more(factor), &mut run), self.smoke))
    }
}

/// Whether runs show what they should; they are asked for by how many times the samples of the first they have.
type Judge = fn(&mut dyn FnMut(u32) -> f64) -> Result<f64, Vec<f64>>;

/// For operations and the first control.
const ALIKE: Judge = |run| stays_below(run);
/// For the controls that vary.
const VARIES: Judge = |run| is_seen(run);

fn report(name: &str, samples: &Samples, smoke: bool) -> f64 {
    let t = samples.largest_t(&FRACTIONS);
    let [fixed, random] = samples.medians().map(|median| median / 1e3);
    if smoke {
        println!("timing/{name}: {} samples taken", samples.len());
    } else {
        println!("timing/{name}: {} samples, medians {fixed:.2} and {random:.2} µs, t = {t:.1}", samples.len());
    }
    t
}

fn report_clearing(name: &str, times: &Times, smoke: bool) -> f64 {
    let ((class, t), taken) = (times.largest_t(), times.len());
    if smoke {
        println!("timing/{name}: {taken} samples taken");
        return t;
    }
    let medians = times.medians().map(|median| format!("{:.2}", median / 1e3)).join(", ");
    let (apart, class, alike) = (100.0 * times.spread(), class.name(), times.alike());
    println!(
        "timing/{name}: {taken} samples, medians {medians} µs, {apart:.2} % apart, t = {t:.1} ({class}), alike {alike:.1}"
    );
    t
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let smoke = arguments.iter().any(|argument| argument == "--test");
    let samples = match std::env::var("CCC_TIMING_SAMPLES").map(|text| text.parse()) {
        Ok(Ok(samples)) => Some(samples),
        Ok(Err(_)) => {
            println!("timing: CCC_TIMING_SAMPLES is no number of samples");
            return ExitCode::from(2);
        }
        Err(_) => None,
    };
    let asked = Asked { smoke, filter: arguments.into_iter().find(|argument| !argument.starts_with('-')), samples };
    let wrong = measure(&asked).wrong();
    wrong.iter().for_each(|sentence| println!("timing: {sentence}"));
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(asked: &Asked) -> Found {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (classes, others) = (Classes::new(&mut rng), Classes::alike(&mut rng));
    let mut pools = Pools::new(SLOTS);
    let mut operations = vec![
        named("share creation", |name| asked.operation(name, ALIKE, &classes, |secret| secret.create(&mut rng))),
        named("decapsulation", |name| asked.operation(name, ALIKE, &classes, Secret::open)),
    ];
    let mut alike = Vec::new();
    for (name, way) in ways() {
        let [verdict, of_alike] = asked.clearing(&name, &mut pools, way);
        operations.push((name.clone(), verdict));
        alike.push((name, of_alike));
    }
    let control = |name: &str| asked.operation(name, ALIKE, &others, |secret| secret.create(&mut rng));
    alike.push(named("control, two classes alike", control));
    let varying = vec![
        named("control, varies on purpose", |name| asked.operation(name, VARIES, &classes, Secret::vary)),
        named("sort and fill, varies on purpose", |name| asked.sort(name, &mut pools)),
    ];
    Found { operations, alike, varying }
}

fn named(name: &str, verdict: impl FnOnce(&str) -> Option<bool>) -> (String, Option<bool>) {
    (name.to_owned(), verdict(name))
}
