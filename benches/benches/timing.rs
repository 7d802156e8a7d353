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
//! is one; between them, run again: a real difference grows with the root of the number of samples, chance does not. A
//! small t is no proof of constant time, on this machine or another. Two lines are controls: share creation over two
//! classes of random secrets, of which a large |t| says that the measurement tells classes apart by something else, such
//! as where they lie in memory; and an operation that varies on purpose.
//! Exit code 1: an operation reached 10; or the first control did, or the second stayed below it, so that the run says
//! nothing; 2: no number of samples.
//!
//! Clearing is sampled over four classes of pools: random beside one maker that covers all, all at one spread, and a pool that
//! is too small; fifteen seconds for each pair. By both rules and every kernel: one solve, a whole clearing with minimums, and
//! a batch of three requests with minimums and counterparty lists of both sides. Its control is a sort.
//!
//! `CCC_TIMING_SAMPLES` is a number of samples in the place of the fifteen seconds; operations and the first control may
//! then not reach 5.
//! `.ci/deep timing` takes a million.
//!
//! With `--test` a few samples are taken and nothing is said about time. A free argument selects operations by name.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_benches::clearing::Class;
use ccc_benches::clearing_timing::{Pools, Way, ways};
use ccc_benches::timing::{CERTAIN, Classes, FRACTIONS, Secret};
use ccc_benches::welch::Samples;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long each operation is sampled.
const BUDGET: Duration = Duration::from_secs(15);
/// The bound on an operation's |t| over a number of samples that was asked for.
const OVER_MANY: f64 = 5.0;
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

    /// Whether one more sample is to be taken, given their number.
    fn more(&self) -> impl Fn(u32) -> bool + use<> {
        let (started, smoke, samples) = (Instant::now(), self.smoke, self.samples);
        move |taken| match (smoke, samples) {
            (true, _) => taken < FEW,
            (false, Some(samples)) => taken < samples.max(FEW),
            (false, None) => taken < FEW || started.elapsed() < BUDGET,
        }
    }

    /// |t| of clearing if it is asked for, the largest of the classes beside the random one.
    fn clearing(&self, name: &str, pools: &mut Pools, way: Way) -> Option<f64> {
        if !self.wants(name) {
            return None;
        }
        let of_class = |class: Class| {
            let name = format!("{name}, {}", class.name());
            report(&name, &pools.sample(class, way, self.more()), self.smoke).abs()
        };
        Some(Pools::OTHERS.map(of_class).into_iter().fold(0.0, f64::max))
    }

    /// |t| of an operation if it is asked for, sampled until the budget, or the few of smoke mode, are used up.
    fn measure(&self, name: &str, classes: &Classes, operation: impl FnMut(&Secret)) -> Option<f64> {
        self.wants(name).then(|| report(name, &classes.sample(self.more(), operation), self.smoke).abs())
    }
}

fn report(name: &str, samples: &Samples, smoke: bool) -> f64 {
    let t = samples.largest_t(&FRACTIONS);
    let [fixed, random] = samples.medians();
    if smoke {
        println!("timing/{name}: {} samples taken", samples.len());
    } else {
        let (fixed, random) = (fixed / 1e3, random / 1e3);
        println!("timing/{name}: {} samples, medians {fixed:.2} and {random:.2} µs, t = {t:.1}", samples.len());
    }
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
    let found = Found::measure(&asked);
    if smoke {
        return ExitCode::SUCCESS;
    }
    match found.against(if samples.is_some() { OVER_MANY } else { CERTAIN }) {
        Some(sentence) => {
            println!("timing: {sentence}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

/// |t| of what was asked for.
struct Found {
    operations: Vec<Option<f64>>,
    alike: Option<f64>,
    varying: [Option<f64>; 2],
}

impl Found {
    fn measure(asked: &Asked) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let (classes, alike) = (Classes::new(&mut rng), Classes::alike(&mut rng));
        let mut pools = Pools::new(SLOTS);
        let mut operations = vec![
            asked.measure("share creation", &classes, |secret| secret.create(&mut rng)),
            asked.measure("decapsulation", &classes, Secret::open),
        ];
        operations.extend(ways().into_iter().map(|(name, way)| asked.clearing(&name, &mut pools, way)));
        Self {
            operations,
            alike: asked.measure("control, two classes alike", &alike, |secret| secret.create(&mut rng)),
            varying: [
                asked.measure("control, varies on purpose", &classes, Secret::vary),
                asked.clearing("sort and fill, varies on purpose", &mut pools, Way::Sort),
            ],
        }
    }

    /// What is wrong, if anything is.
    fn against(&self, bound: f64) -> Option<&'static str> {
        if self.varying.iter().flatten().any(|t| *t < CERTAIN) {
            Some("the control was not seen to vary, so this run says nothing")
        } else if self.alike.is_some_and(|t| t >= bound) {
            Some("two classes alike were told apart, so this run says nothing")
        } else if self.operations.iter().flatten().any(|t| *t >= bound) {
            Some("an operation varies with its secret")
        } else {
            None
        }
    }
}
