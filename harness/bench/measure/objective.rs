//! Bounds on a load (`p99<50ms`, `errors<0.1%`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bench::measure::latency::micros;
use crate::bench::measure::messages;
use crate::bench::measure::tally::PhaseCounts;
use crate::duration::{Unreadable, seconds};

#[derive(Debug, Clone, PartialEq)]
pub struct Objective(pub Vec<Bound>);

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A latency is below this.
    Latency(Measure, Duration),
    /// The share of deliveries that were not accepted is below this.
    Errors(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// From 0 to 1.
    Quantile(f64),
    Max,
    Mean,
}

/// Whether a bound was met, and the measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundCheck {
    pub bound: Bound,
    /// In the bound's unit: milliseconds, or a share in percent.
    pub measured: f64,
    pub held: bool,
}

impl BoundCheck {
    /// What was measured, with its unit.
    pub fn shown(&self) -> String {
        let unit = if matches!(self.bound, Bound::Errors(_)) { "%" } else { " ms" };
        format!("{:.3}{unit}", self.measured)
    }
}

impl Measure {
    fn of(self, counts: &PhaseCounts) -> f64 {
        match self {
            Self::Quantile(quantile) => counts.latency.value_at_quantile(quantile) as f64,
            Self::Max => counts.latency.max() as f64,
            Self::Mean => counts.latency.mean(),
        }
    }
}

impl Bound {
    /// Checks the counts. A bound is not met if nothing was measured.
    pub fn check(&self, counts: &PhaseCounts) -> BoundCheck {
        let (measured, held) = match self {
            Self::Latency(measure, most) => {
                let measured = measure.of(counts);
                (measured / 1000.0, !counts.latency.is_empty() && measured < micros(*most) as f64)
            }
            Self::Errors(most) => {
                let share = counts.errors() as f64 / counts.ended().max(1) as f64;
                (share * 100.0, counts.ended() > 0 && share < *most)
            }
        };
        BoundCheck { bound: *self, measured, held }
    }

    /// Checks that a load at this rate has enough deliveries for the bound: with fewer than 100, a p99 is only the maximum.
    ///
    /// Errors: how long it must last.
    pub fn check_length(&self, rate: f64, duration: Duration) -> Result<(), String> {
        let Self::Latency(Measure::Quantile(quantile), _) = self else { return Ok(()) };
        // Without the rounding error of 1 - 0.99.
        let needed = (1.0 / (1.0 - quantile) - 1e-6).ceil();
        let planned = (rate * duration.as_secs_f64() + 1e-6).floor();
        if planned >= needed {
            return Ok(());
        }
        Err(messages::too_few_deliveries(self, rate, planned, needed, needed / rate))
    }
}

impl Objective {
    /// Checks each bound, and `most_errors` unless there is a bound on errors.
    pub fn check(&self, counts: &PhaseCounts, most_errors: f64) -> Vec<BoundCheck> {
        let mut held: Vec<BoundCheck> = self.0.iter().map(|bound| bound.check(counts)).collect();
        if !self.0.iter().any(|bound| matches!(bound, Bound::Errors(_))) {
            let mut errors = Bound::Errors(most_errors).check(counts);
            // Unlike a bound, `most_errors` is inclusive.
            errors.held = counts.ended() > 0 && errors.measured <= most_errors * 100.0;
            held.push(errors);
        }
        held
    }
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|bound| bound.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, most) = text.split_once('<').ok_or_else(|| messages::not_a_bound(text))?;
        let (what, most) = (what.trim(), most.trim());
        if what == "errors" {
            let share = share(most)?;
            return if share > 0.0 {
                Ok(Self::Errors(share))
            } else {
                Err(messages::no_errors_bound().to_owned())
            };
        }
        let measure = match what.strip_prefix('p') {
            Some(percent) => {
                let percent: f64 = percent.parse().map_err(|_| messages::not_a_percentile(what))?;
                if !(percent > 0.0 && percent < 100.0) {
                    return Err(messages::percentile_out_of_range(what));
                }
                Measure::Quantile(percent / 100.0)
            }
            None if what == "max" => Measure::Max,
            None if what == "mean" => Measure::Mean,
            None => return Err(messages::not_a_measure(what)),
        };
        Ok(Self::Latency(measure, latency(most)?))
    }
}

/// Reads a share, such as `0.1%` or `0.001`.
pub fn share(text: &str) -> Result<f64, String> {
    let (number, factor) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 0.01));
    let share = number.trim().parse::<f64>().map(|number| number * factor);
    share.ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| messages::not_a_share(text))
}

/// Reads a latency, such as `50ms`, `800us` or `1s`.
fn latency(text: &str) -> Result<Duration, String> {
    let units = [("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let seconds = seconds(text, &units).map_err(|why| match why {
        Unreadable::Unit(_) => messages::not_a_latency(text),
        Unreadable::Number => messages::latency_out_of_range(text),
    })?;
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration
        .filter(|duration| *duration >= Duration::from_micros(1) && duration.as_secs() <= 3600)
        .ok_or_else(|| messages::latency_out_of_range(text))
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantile(quantile) => write!(f, "p{}", rounded(quantile * 100.0)),
            Self::Max => f.write_str("max"),
            Self::Mean => f.write_str("mean"),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors(share) => write!(f, "errors<{}%", rounded(share * 100.0)),
            Self::Latency(measure, most) => match micros(*most) {
                us if us % 1_000_000 == 0 => write!(f, "{measure}<{}s", us / 1_000_000),
                us if us % 1000 == 0 => write!(f, "{measure}<{}ms", us / 1000),
                us => write!(f, "{measure}<{us}us"),
            },
        }
    }
}

/// Removes the rounding error of a multiplication by 100.
fn rounded(number: f64) -> f64 {
    let rounded = (number * 1e6).round() / 1e6;
    if rounded > 0.0 { rounded } else { number }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
