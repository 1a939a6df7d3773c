//! What noisy figures say of each other: a mean that a few outliers do not move, and the interval that a ratio lies in.
//!
//! Invariant: the same figures and the same seed give the same interval; too few figures give none; and with the two sides
//! exchanged a ratio is the inverse.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// How much of the figures that come out by chance an interval holds.
pub(crate) const CONFIDENCE: f64 = 0.95;
/// How often figures are drawn anew for an interval.
pub(crate) const RESAMPLES: usize = 1000;
/// The fewest figures that an interval is made of.
pub const FEWEST: usize = 5;
/// Of a mean one figure in so many is left out at each end: what disturbs a machine for a moment disturbs a few of them.
const TRIM: usize = 5;

/// An estimate and the interval that it lies in: of logarithms, or (after [`Interval::ratio`]) of ratios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub estimate: f64,
    pub high: f64,
}

/// Which way a figure gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// As a rate does.
    Higher,
    /// As a latency does.
    Lower,
}

/// Where an interval of ratios (new to old) lies, as to a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Nothing in it is worse than the threshold.
    Within,
    /// Some of it is, and some is not: it does not tell.
    Astride,
    /// All of it is worse than the threshold.
    Beyond,
}

/// Whether a measure of a thing against itself says that a machine can tell a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Steadiness {
    Steady,
    /// The interval is wider than half the threshold: what is looked for is lost in it.
    Wide,
    /// The interval lies further from 1 than half the threshold: alike things do not measure alike.
    Biased,
}

impl Interval {
    /// From logarithms to ratios.
    #[must_use]
    pub fn ratio(self) -> Self {
        Self { low: self.low.exp(), estimate: self.estimate.exp(), high: self.high.exp() }
    }

    /// The same, about another estimate.
    #[must_use]
    pub(crate) fn about(self, estimate: f64) -> Self {
        let moved = estimate - self.estimate;
        Self { low: self.low + moved, estimate, high: self.high + moved }
    }

    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Where these ratios lie, as to a share by which the new figure may be worse.
    pub fn place(&self, better: Better, threshold: f64) -> Place {
        let (all_worse, none_worse) = match better {
            Better::Higher => (self.high < 1.0 - threshold, self.low >= 1.0 - threshold),
            Better::Lower => (self.low > 1.0 + threshold, self.high <= 1.0 + threshold),
        };
        match (all_worse, none_worse) {
            (true, _) => Place::Beyond,
            (false, true) => Place::Within,
            // Not a number is neither.
            (false, false) => Place::Astride,
        }
    }

    /// What these ratios of a thing to itself say of the machine, as to the threshold that is looked for.
    pub fn steadiness(&self, threshold: f64) -> Steadiness {
        let most = threshold / 2.0;
        // What is not a number is not steady.
        if self.width().is_nan() || self.width() > most {
            Steadiness::Wide
        } else if self.low > 1.0 + most || self.high < 1.0 - most {
            Steadiness::Biased
        } else {
            Steadiness::Steady
        }
    }
}

/// The mean of what is left when a fifth is taken off at each end; `None` of nothing.
pub fn trimmed_mean(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let kept = &sorted[sorted.len() / TRIM..sorted.len() - sorted.len() / TRIM];
    (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64)
}

/// The logarithm of how a candidate's two figures of a round are to the base's two. In the order base, candidate, candidate,
/// base a drift that goes on evenly cancels out.
pub fn log_ratio(base: [f64; 2], candidate: [f64; 2]) -> f64 {
    let mean = |[first, second]: [f64; 2]| f64::midpoint(first.ln(), second.ln());
    mean(candidate) - mean(base)
}

/// The interval of these figures' trimmed mean: a percentile bootstrap.
pub fn interval(values: &[f64], seed: u64, resamples: usize) -> Option<Interval> {
    let estimate = trimmed_mean(values)?;
    let mut sample = Resampler::new(values, values.len() / TRIM)?;
    let mut random = StdRng::seed_from_u64(seed);
    Some(percentiles(estimate, resamples, || sample.draw(&mut random)))
}

/// The interval of how much higher the mean of the new figures is than that of the old ones, with all outliers: they are part of
/// what the whole is made of.
pub fn difference(old: &[f64], new: &[f64], seed: u64, resamples: usize) -> Option<Interval> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let estimate = mean(new) - mean(old);
    let (mut old, mut new) = (Resampler::new(old, 0)?, Resampler::new(new, 0)?);
    let mut random = StdRng::seed_from_u64(seed);
    Some(percentiles(estimate, resamples, || new.draw(&mut random) - old.draw(&mut random)))
}

/// The interval of how the mean of the new figures is to that of the old ones, as logarithms; figures may be nothing, means not.
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

/// Figures that are drawn from again and again.
struct Resampler {
    sorted: Vec<f64>,
    /// How often each was drawn: in their order already, so that nothing is sorted again.
    counts: Vec<usize>,
    /// How many of those drawn are left out at each end.
    cut: usize,
}

impl Resampler {
    fn new(values: &[f64], cut: usize) -> Option<Self> {
        let usable = values.len() >= FEWEST && values.iter().all(|value| value.is_finite());
        usable.then(|| Self { sorted: sorted(values), counts: vec![0; values.len()], cut })
    }

    /// The mean of as many figures as there are, drawn with putting back.
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
