//! A comparison of reports as data.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::messages;
use super::result::BenchResult;
use crate::exit::ExitStatus;
use crate::statistics::{Interval, Place};

pub const FORMAT: &str = "twenty-conform-compare/1";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    Rate,
    P50,
    P90,
    P99,
    /// The share of deliveries that were not accepted.
    Errors,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    #[serde(rename = "/s")]
    PerSecond,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "%")]
    Percent,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportComparison {
    pub format: String,
    pub old: String,
    pub new: Vec<String>,
    pub metrics: Vec<MetricEntry>,
    /// `fail` if a new load failed by itself.
    pub result: BenchResult,
    pub why: String,
    pub exit_status: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricEntry {
    pub name: Metric,
    pub unit: Unit,
    /// The share by which it may be worse; for errors, the percentage points.
    pub max_regression: f64,
    pub old: f64,
    pub new: Vec<NewFigure>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewFigure {
    pub value: f64,
    /// The ratio to the old value; for errors, the difference in percentage points. `None` if the ratio is undefined.
    pub change: Option<f64>,
    /// The confidence interval of `change`; `None` if there are too few parts.
    pub interval: Option<Interval>,
    pub place: Option<Place>,
}

impl Metric {
    pub const ALL: [Self; 5] = [Self::Rate, Self::P50, Self::P90, Self::P99, Self::Errors];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::Errors => "errors",
        }
    }

    pub fn unit(self) -> Unit {
        match self {
            Self::Rate => Unit::PerSecond,
            Self::P50 | Self::P90 | Self::P99 => Unit::Milliseconds,
            Self::Errors => Unit::Percent,
        }
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|metric| metric.name() == text);
        found.ok_or_else(|| messages::not_a_metric(text))
    }
}

impl ReportComparison {
    pub fn status(&self) -> ExitStatus {
        self.result.status()
    }

    /// Whether the only new report shows a regression, which a second report may confirm.
    pub fn is_suspicious(&self) -> bool {
        let beyond = |metric: &MetricEntry| metric.new.iter().any(|one| one.place == Some(Place::Beyond));
        self.new.len() == 1 && self.metrics.iter().any(beyond)
    }
}
