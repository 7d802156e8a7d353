//! What t says of an operation, over runs of growing numbers of samples.
//!
//! Chance, and a busy machine, give a large t now and then; a real difference gives one that grows with the root of the
//! number of samples. So a run that shows a dependence is followed by a fresh one of twice as many.
//!
//! *Source*: the bounds are those of Reparaz, Balasch and Verbauwhede, *Dude, is my code constant time?*, 2017: 4.5, from
//! which a t asks for an explanation, and 10, of which chance is none.

/// A run whose |t| is below this shows no dependence.
pub const SHOWN: f64 = 4.5;
/// A |t| of which chance is no explanation: what a control has to reach.
pub const CERTAIN: f64 = 10.0;
/// Runs at most: the last has sixteen times the samples of the first.
const RUNS: u32 = 5;
/// Runs that reach [`CERTAIN`], after which no other is asked.
const CERTAIN_RUNS: usize = 3;

/// Runs until one stays below [`SHOWN`]; `run` takes how many times the samples of the first one it has, and gives t.
///
/// *Errors*: the |t| of all runs, if none did: as many as there may be, or those up to the third that reached [`CERTAIN`].
pub fn stays_below(mut run: impl FnMut(u32) -> f64) -> Result<f64, Vec<f64>> {
    let mut found = Vec::new();
    for turn in 0..RUNS {
        let t = run(1 << turn).abs();
        if t < SHOWN {
            return Ok(t);
        }
        found.push(t);
        if found.iter().filter(|t| **t >= CERTAIN).count() == CERTAIN_RUNS {
            break;
        }
    }
    Err(found)
}

/// Runs until one reaches [`CERTAIN`], as [`stays_below`] does.
///
/// *Errors*: the |t| of all runs, if none did.
pub fn is_seen(mut run: impl FnMut(u32) -> f64) -> Result<f64, Vec<f64>> {
    let mut found = Vec::new();
    for turn in 0..RUNS {
        let t = run(1 << turn).abs();
        if t >= CERTAIN {
            return Ok(t);
        }
        found.push(t);
    }
    Err(found)
}

/// What was asked for, by name, and whether it is as it should be; nothing where it was not asked.
#[derive(Clone, Debug)]
pub struct Found {
    /// Operations on secrets, which should not vary.
    pub operations: Vec<(String, Option<bool>)>,
    /// Classes of the same kind, which nothing should tell apart: a control, and those of an operation under its name.
    pub alike: Vec<(String, Option<bool>)>,
    /// Controls, which should vary.
    pub varying: Vec<(String, Option<bool>)>,
}

impl Found {
    /// What is wrong: an operation of which classes alike were told apart says nothing.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let [unseen, apart, varies] = [&self.varying[..], &self.alike, &self.operations].map(failed);
        let varies: Vec<_> = varies.into_iter().filter(|name| !apart.contains(name)).collect();
        let sentences =
            |names: Vec<&str>, sentence: &str| names.into_iter().map(|name| format!("{name} {sentence}")).collect();
        let wrong: [Vec<String>; 3] = [
            sentences(unseen, "was not seen to vary, so this run says nothing"),
            sentences(apart, "was told apart from its like, so this run says nothing"),
            sentences(varies, "varies with its secret"),
        ];
        wrong.concat()
    }
}

fn failed(verdicts: &[(String, Option<bool>)]) -> Vec<&str> {
    verdicts.iter().filter(|(_, verdict)| *verdict == Some(false)).map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs that give these in turn; the factors that they were asked for come back as well.
    fn judged(given: &[f64]) -> (Result<f64, Vec<f64>>, Vec<u32>) {
        let (mut left, mut factors) = (given.iter(), Vec::new());
        let verdict = stays_below(|factor| {
            factors.push(factor);
            *left.next().unwrap()
        });
        (verdict, factors)
    }

    #[test]
    fn chance_passes_and_a_difference_does_not() {
        assert_eq!(judged(&[-4.4]), (Ok(4.4), vec![1]));
        assert_eq!(judged(&[5.0, -6.0, 1.0]), (Ok(1.0), vec![1, 2, 4]));
        let grows = [5.0, 7.1, 9.9, 14.1, 20.0];
        assert_eq!(judged(&grows), (Err(grows.to_vec()), vec![1, 2, 4, 8, 16]));
        assert_eq!(judged(&[10.0, -32.0, 45.0]), (Err(vec![10.0, 32.0, 45.0]), vec![1, 2, 4]));
        assert_eq!(judged(&[4.5; 5]), (Err(vec![4.5; 5]), vec![1, 2, 4, 8, 16]));
    }

    #[test]
    fn whatever_is_told_from_its_like_says_nothing_and_a_control_has_to_vary() {
        let verdicts =
            |verdicts: [Option<bool>; 3]| ["a", "b", "c"].map(str::to_owned).into_iter().zip(verdicts).collect();
        let found = |operations, alike, varying| Found {
            operations: verdicts(operations),
            alike: verdicts(alike),
            varying: verdicts(varying),
        };
        let (well, ill) = ([Some(true), None, None], [None, Some(false), Some(true)]);
        assert!(found(well, well, well).wrong().is_empty());
        assert_eq!(found(ill, well, well).wrong(), ["b varies with its secret"]);
        let apart = ["b was told apart from its like, so this run says nothing"];
        assert_eq!(found(well, ill, well).wrong(), apart);
        assert_eq!(found(ill, ill, well).wrong(), apart);
        assert_eq!(found(well, well, ill).wrong(), ["b was not seen to vary, so this run says nothing"]);
    }

    #[test]
    fn a_control_is_seen_as_soon_as_it_is_certain() {
        assert_eq!(is_seen(|_| -10.0), Ok(10.0));
        assert_eq!(is_seen(|factor| f64::from(factor) * 3.0), Ok(12.0));
        assert_eq!(is_seen(|_| 9.9), Err(vec![9.9; 5]));
    }
}
