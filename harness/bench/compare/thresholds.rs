//! Thresholds: how much worse a figure may be than the one it is compared with, such as `5%`, `p99=10%` or `errors=0.1%`.

use std::str::FromStr;

use super::messages;
use crate::bench::measure::compared::Metric;
use crate::bench::measure::objective::share;

/// A threshold for one metric, or without a metric for all except errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenRegression {
    pub metric: Option<Metric>,
    pub share: f64,
}

/// The threshold of every metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxRegression([f64; Metric::ALL.len()]);

impl FromStr for GivenRegression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (metric, most) = match text.split_once('=') {
            Some((metric, most)) => (Some(metric.trim().parse()?), most.trim()),
            None => (None, text.trim()),
        };
        Ok(Self { metric, share: bound(metric, most)? })
    }
}

/// Reads the threshold of a metric. Errors: it is not a share between 0 and 1; only errors may have the threshold 0.
pub fn bound(metric: Option<Metric>, text: &str) -> Result<f64, String> {
    let share = share(text)?;
    if share == 0.0 && metric != Some(Metric::Errors) || share >= 1.0 {
        return Err(messages::threshold_out_of_range(text));
    }
    Ok(share)
}

impl Default for MaxRegression {
    /// 5 %, and 0.1 percentage points for errors.
    fn default() -> Self {
        Self([0.05, 0.05, 0.05, 0.05, 0.1])
    }
}

impl MaxRegression {
    /// The threshold as a share; for errors in percentage points.
    pub fn of(&self, metric: Metric) -> f64 {
        self.0[metric as usize]
    }

    /// Applies these thresholds. One for a single metric overrides one for all.
    #[must_use]
    pub fn with(mut self, given: &[GivenRegression]) -> Self {
        for one in given.iter().filter(|one| one.metric.is_none()) {
            self.0[..Metric::Errors as usize].fill(one.share);
        }
        for one in given {
            match one.metric {
                Some(Metric::Errors) => self.0[Metric::Errors as usize] = one.share * 100.0,
                Some(metric) => self.0[metric as usize] = one.share,
                None => {}
            }
        }
        self
    }
}
