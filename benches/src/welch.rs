//! Whether two classes of measurements have the same mean.
//!
//! *Source*: Welch 1947; used on timings as in Reparaz, Balasch and Verbauwhede, *Dude, is my code constant time?*,
//! 2017: a large |t| says that the classes differ, a small one that this many samples do not show it.

/// Mean and variance of a stream, without keeping it.
///
/// *Source*: Welford 1962.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes one sample.
    pub fn push(&mut self, sample: f64) {
        self.count += 1.0;
        let before = sample - self.mean;
        self.mean += before / self.count;
        self.squares += before * (sample - self.mean);
    }

    /// The variance of the mean: s²/n.
    fn of_the_mean(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

/// Welch's t; zero where either class has fewer than two samples or neither varies.
#[must_use]
pub fn t_statistic(one: &Moments, other: &Moments) -> f64 {
    let spread = one.of_the_mean() + other.of_the_mean();
    if one.count < 2.0 || other.count < 2.0 || spread <= 0.0 {
        return 0.0;
    }
    (one.mean - other.mean) / spread.sqrt()
}

/// The median; zero without samples.
#[must_use]
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Samples of two classes in the order in which they were taken.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<(bool, f64)>);

impl Samples {
    /// Takes a sample of the first class or, with `other`, of the second.
    pub fn push(&mut self, other: bool, sample: f64) {
        self.0.push((other, sample));
    }

    /// Samples of both classes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of one class and those of another.
    #[must_use]
    pub fn of(one: &[f64], other: &[f64]) -> Self {
        let class = |other: bool| move |sample: &f64| (other, *sample);
        Self(one.iter().map(class(false)).chain(other.iter().map(class(true))).collect())
    }

    /// The median of each class; zero without samples.
    #[must_use]
    pub fn medians(&self) -> [f64; 2] {
        [false, true].map(|class| {
            let of_class: Vec<f64> = self.0.iter().filter(|(c, _)| *c == class).map(|(_, sample)| *sample).collect();
            median(&of_class)
        })
    }

    /// The t of largest magnitude among those over all samples and over the fastest `fractions` of both classes
    /// together. An interrupt is a large sample in either class, and hides a small difference until it is cut off.
    #[must_use]
    pub fn largest_t(&self, fractions: &[f64]) -> f64 {
        let mut sorted: Vec<f64> = self.0.iter().map(|(_, sample)| *sample).collect();
        sorted.sort_by(f64::total_cmp);
        let bound = |fraction: &f64| sorted.get(rank(sorted.len(), *fraction)).copied();
        let bounds = fractions.iter().filter_map(bound).chain([f64::INFINITY]);
        let largest = |t: f64, bound: f64| if self.t_below(bound).abs() > t.abs() { self.t_below(bound) } else { t };
        bounds.fold(0.0, largest)
    }

    fn t_below(&self, bound: f64) -> f64 {
        let mut classes = [Moments::default(); 2];
        for (other, sample) in self.0.iter().filter(|(_, sample)| *sample < bound) {
            classes[usize::from(*other)].push(*sample);
        }
        t_statistic(&classes[0], &classes[1])
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a length is a length")]
#[allow(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
fn rank(length: usize, fraction: f64) -> usize {
    (length as f64 * fraction) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(samples: &[f64]) -> Moments {
        let mut moments = Moments::default();
        samples.iter().for_each(|sample| moments.push(*sample));
        moments
    }

    /// The example of two samples with unequal variances, worked by hand: means 3 and 6, variances 2.5 and 10, n = 5.
    #[test]
    fn t_is_the_difference_over_its_deviation() {
        let (one, other) = (moments(&[1.0, 2.0, 3.0, 4.0, 5.0]), moments(&[2.0, 4.0, 6.0, 8.0, 10.0]));
        let expected = -3.0 / (2.5f64 / 5.0 + 10.0 / 5.0).sqrt();
        assert!((t_statistic(&one, &other) - expected).abs() < 1e-12);
    }

    #[test]
    fn too_few_samples_and_equal_ones_say_nothing() {
        assert_eq!(t_statistic(&moments(&[1.0]), &moments(&[2.0, 3.0])).to_bits(), 0.0f64.to_bits());
        assert_eq!(t_statistic(&moments(&[1.0, 1.0]), &moments(&[1.0, 1.0])).to_bits(), 0.0f64.to_bits());
        assert_eq!(Samples::default().largest_t(&[0.5]).to_bits(), 0.0f64.to_bits());
    }

    /// One outlier hides a difference that every other sample shows.
    #[test]
    fn cutting_the_slowest_uncovers_a_difference() {
        let mut samples = Samples::default();
        for k in 0..1000u32 {
            let noise = f64::from(k % 7);
            samples.push(false, 100.0 + noise);
            samples.push(true, 103.0 + noise);
        }
        samples.push(false, 1e9);
        assert!(samples.t_below(f64::INFINITY).abs() < 2.0);
        assert!(samples.largest_t(&[0.9]).abs() > 10.0);
    }
}
