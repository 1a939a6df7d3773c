//! By how much a figure may be worse than what it is compared with: `5%`, `p99=10%`, `errors=0.1%`.

use std::str::FromStr;

use crate::bench::measure::compared::Metric;
use crate::bench::measure::objective::share;

/// A bound as it is given: for one figure, or (without a name) for all that are compared by their ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenRegression {
    pub metric: Option<Metric>,
    pub share: f64,
}

/// By how much each figure may be worse.
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

/// Reads the bound of a figure. Errors: it is no share, or one that nothing could be worse than or everything would be.
pub fn bound(metric: Option<Metric>, text: &str) -> Result<f64, String> {
    let share = share(text)?;
    if share == 0.0 && metric != Some(Metric::Errors) || share >= 1.0 {
        return Err(format!("{text:?} is not between 0% and 100%, such as 5%"));
    }
    Ok(share)
}

impl Default for MaxRegression {
    /// 5 % of each; of errors a tenth of a percent point.
    fn default() -> Self {
        Self([0.05, 0.05, 0.05, 0.05, 0.1])
    }
}

impl MaxRegression {
    /// By which share a figure may be worse; of errors, by how many percent points.
    pub fn of(&self, metric: Metric) -> f64 {
        self.0[metric as usize]
    }

    /// Takes these over; what is given for one figure wins over what is given for all.
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
