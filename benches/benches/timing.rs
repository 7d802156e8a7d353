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
//! small t is no proof of constant time, on this machine or another. The last line is a control that varies on purpose.
//! Exit code 1: an operation reached 10, or the control stayed below it, so that the run could see nothing; 2: no number
//! of samples.
//!
//! Clearing is sampled over four classes of pools: random beside one maker that covers all, all at one spread, and a pool that
//! is too small; fifteen seconds for each pair. Its control is a sort.
//!
//! `CCC_TIMING_SAMPLES` is a number of samples in the place of the fifteen seconds; an operation may then not reach 5.
//! `.ci/deep timing` takes a million.
//!
//! With `--test` a few samples are taken and nothing is said about time. A free argument selects operations by name.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up ends")]

use ccc_benches::clearing::Class;
use ccc_benches::clearing_timing::{Pools, Way, portable};
use ccc_benches::timing::{CERTAIN, Classes, FRACTIONS, Secret};
use ccc_benches::welch::Samples;
use darkpool_matcher::Kernel;
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
/// What is asked of a clearing.
const WAYS: [(&str, Way); 4] = [
    ("clearing, detected kernel", Way::Heart(Kernel::detected)),
    ("clearing, portable kernel", Way::Heart(portable)),
    ("whole clearing, detected kernel", Way::Whole(Kernel::detected)),
    ("whole clearing, portable kernel", Way::Whole(portable)),
];
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
    fn more(&self) -> impl FnMut(u32) -> bool {
        let (started, smoke, samples) = (Instant::now(), self.smoke, self.samples);
        move |taken| match (smoke, samples) {
            (true, _) => taken < FEW,
            (false, Some(samples)) => taken < samples.max(FEW),
            (false, None) => taken < FEW || started.elapsed() < BUDGET,
        }
    }

    /// |t| of clearing, the largest of the classes beside the random one.
    fn clearing(&self, name: &str, pools: &mut Pools, way: Way) -> f64 {
        if !self.wants(name) {
            return 0.0;
        }
        let of_class = |class: Class| {
            let name = format!("{name}, {}", class.name());
            report(&name, &pools.sample(class, way, self.more()), self.smoke).abs()
        };
        Pools::OTHERS.map(of_class).into_iter().fold(0.0, f64::max)
    }

    /// |t| of an operation, sampled until the budget, or the few of smoke mode, are used up.
    fn measure(&self, name: &str, classes: &Classes, operation: impl FnMut(&Secret)) -> f64 {
        report(name, &classes.sample(self.more(), operation), self.smoke).abs()
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
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let classes = Classes::new(&mut rng);
    let mut worst: f64 = 0.0;
    if asked.wants("share creation") {
        worst = worst.max(asked.measure("share creation", &classes, |secret| secret.create(&mut rng)));
    }
    if asked.wants("decapsulation") {
        worst = worst.max(asked.measure("decapsulation", &classes, Secret::open));
    }
    let mut pools = Pools::new(SLOTS);
    for (name, way) in WAYS {
        worst = worst.max(asked.clearing(name, &mut pools, way));
    }
    let sorting =
        asked.wants("sort and fill").then(|| asked.clearing("sort and fill, varies on purpose", &mut pools, Way::Sort));
    let control = asked.wants("control").then(|| asked.measure("control, varies on purpose", &classes, Secret::vary));
    if smoke {
        return ExitCode::SUCCESS;
    }
    if worst >= if samples.is_some() { OVER_MANY } else { CERTAIN } {
        println!("timing: an operation varies with its secret");
        return ExitCode::FAILURE;
    }
    if [control, sorting].into_iter().flatten().any(|t| t < CERTAIN) {
        println!("timing: the control was not seen to vary, so this run says nothing");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
