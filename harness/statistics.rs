//! Statistics of noisy figures: a mean that is robust against outliers, and confidence intervals of ratios.
//!
//! The same figures and seed give the same interval. Too few figures give none. Exchanging the two sides inverts a ratio.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

pub(crate) const CONFIDENCE: f64 = 0.95;
/// The confidence of an interval that is looked at again after more figures.
const SEQUENTIAL_CONFIDENCE: f64 = 0.99;
/// How often figures are resampled for an interval.
pub(crate) const RESAMPLES: usize = 1000;
/// The minimum number of figures for an interval.
pub const FEWEST: usize = 5;
/// A trimmed mean drops one figure in this many at each end, since a brief disturbance affects a few figures.
const TRIM: usize = 5;

/// An estimate and its confidence interval: of logarithms, or (after [`Interval::ratio`]) of ratios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub estimate: f64,
    pub high: f64,
}

/// Whether a higher or a lower figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Such as a rate.
    Higher,
    /// Such as a latency.
    Lower,
}

/// Where an interval of ratios (new to old) lies relative to a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// None of it is worse than the threshold.
    Within,
    /// It contains the threshold, so it is inconclusive.
    Astride,
    /// All of it is worse than the threshold.
    Beyond,
}

impl Interval {
    /// From logarithms to ratios.
    #[must_use]
    pub fn ratio(self) -> Self {
        Self { low: self.low.exp(), estimate: self.estimate.exp(), high: self.high.exp() }
    }

    /// The interval moved to another estimate.
    #[must_use]
    pub(crate) fn moved_to(self, estimate: f64) -> Self {
        let moved = estimate - self.estimate;
        Self { low: self.low + moved, estimate, high: self.high + moved }
    }

    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Where these ratios lie, if the new figure may be worse by the share `threshold`.
    pub fn place(&self, better: Better, threshold: f64) -> Place {
        let (all_worse, none_worse) = match better {
            Better::Higher => (self.high < 1.0 - threshold, self.low >= 1.0 - threshold),
            Better::Lower => (self.low > 1.0 + threshold, self.high <= 1.0 + threshold),
        };
        match (all_worse, none_worse) {
            (true, _) => Place::Beyond,
            (false, true) => Place::Within,
            // NaN is neither.
            (false, false) => Place::Astride,
        }
    }
}

/// The mean of a few figures and how far the true one may be from it, by a t-distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    mean: f64,
    /// The standard error of the mean.
    error: f64,
    distribution: StudentsT,
}

impl Spread {
    /// `None` with fewer than [`FEWEST`] figures, or if one is not finite.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.len() < FEWEST || !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let distribution = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
        Some(Self { mean, error: (variance / count).sqrt(), distribution })
    }

    /// The interval that has the true mean in it with a confidence of 99 %.
    pub fn interval(&self) -> Interval {
        let reach = self.reach();
        Interval { low: self.mean - reach, estimate: self.mean, high: self.mean + reach }
    }

    fn reach(&self) -> f64 {
        self.error * self.distribution.inverse_cdf(f64::midpoint(1.0, SEQUENTIAL_CONFIDENCE))
    }

    /// The probability that such an interval is beyond a limit that the true mean exceeds by `distance`.
    pub fn power(&self, distance: f64) -> f64 {
        if self.error > 0.0 {
            self.distribution.cdf((distance - self.reach()) / self.error)
        } else {
            f64::from(u8::from(distance > 0.0))
        }
    }
}

/// The mean without the lowest and the highest fifth; `None` if there are no values.
pub fn trimmed_mean(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let kept = &sorted[sorted.len() / TRIM..sorted.len() - sorted.len() / TRIM];
    (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64)
}

/// The median; `None` if there are no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let (sorted, middle) = (sorted(values), values.len() / 2);
    let high = sorted.get(middle)?;
    Some(if values.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], *high) } else { *high })
}

/// The interval of the trimmed mean, by a percentile bootstrap.
pub fn interval(values: &[f64], seed: u64, resamples: usize) -> Option<Interval> {
    let estimate = trimmed_mean(values)?;
    let mut sample = Resampler::new(values, values.len() / TRIM)?;
    let mut random = StdRng::seed_from_u64(seed);
    Some(percentiles(estimate, resamples, || sample.draw(&mut random)))
}

/// The interval of the difference of the two means (new minus old). Outliers count, since they are part of the total.
pub fn difference(old: &[f64], new: &[f64], seed: u64, resamples: usize) -> Option<Interval> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let estimate = mean(new) - mean(old);
    let (mut old, mut new) = (Resampler::new(old, 0)?, Resampler::new(new, 0)?);
    let mut random = StdRng::seed_from_u64(seed);
    Some(percentiles(estimate, resamples, || new.draw(&mut random) - old.draw(&mut random)))
}

/// The interval of the ratio of the two means (new to old), as logarithms. Figures may be zero, but no mean may be.
pub fn quotient(old: &[f64], new: &[f64], seed: u64, resamples: usize) -> Option<Interval> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let estimate = (mean(new) / mean(old)).ln();
    let (mut old, mut new) = (Resampler::new(old, 0)?, Resampler::new(new, 0)?);
    let mut random = StdRng::seed_from_u64(seed);
    let interval = percentiles(estimate, resamples, || (new.draw(&mut random) / old.draw(&mut random)).ln());
    [interval.low, interval.estimate, interval.high].iter().all(|value| value.is_finite()).then_some(interval)
}

fn percentiles(estimate: f64, resamples: usize, mut draw: impl FnMut() -> f64) -> Interval {
    let drawn: Vec<f64> = (0..resamples.max(1)).map(|_| draw()).collect();
    let drawn = sorted(&drawn);
    let at = |share: f64| {
        let place = share * (drawn.len() - 1) as f64;
        let (low, high) = (drawn[place.floor() as usize], drawn[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    let outside = (1.0 - CONFIDENCE) / 2.0;
    Interval { low: at(outside), estimate, high: at(1.0 - outside) }
}

/// Draws samples with replacement.
struct Resampler {
    sorted: Vec<f64>,
    /// How often each figure was drawn. Since the figures are sorted, a sample need not be.
    counts: Vec<usize>,
    /// How many drawn figures are dropped at each end.
    cut: usize,
}

impl Resampler {
    fn new(values: &[f64], cut: usize) -> Option<Self> {
        let usable = values.len() >= FEWEST && values.iter().all(|value| value.is_finite());
        usable.then(|| Self { sorted: sorted(values), counts: vec![0; values.len()], cut })
    }

    /// The mean of a sample of the same size.
    fn draw(&mut self, random: &mut StdRng) -> f64 {
        let count = self.sorted.len();
        self.counts.fill(0);
        for _ in 0..count {
            self.counts[random.random_range(0..count)] += 1;
        }
        let cut = self.cut;
        let (mut before, mut sum) = (0, 0.0);
        for (value, drawn) in self.sorted.iter().zip(&self.counts) {
            let kept = (before + drawn).min(count - cut).saturating_sub(before.max(cut));
            sum += value * kept as f64;
            before += drawn;
        }
        sum / (count - 2 * cut) as f64
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
