//! A comparison of reports, as data.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::result::BenchResult;
use crate::exit::ExitStatus;
use crate::statistics::{Interval, Place};

pub const FORMAT: &str = "twenty-conform-compare/1";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    Rate,
    /// The latency that half of the deliveries do not exceed.
    P50,
    /// That of 90 of 100.
    P90,
    /// That of 99 of 100.
    P99,
    /// The share of deliveries that were not acknowledged.
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
    /// What it comes to; `fail` where a new load failed by itself.
    pub result: BenchResult,
    pub why: String,
    pub exit_status: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricEntry {
    pub name: Metric,
    pub unit: Unit,
    /// By which share it may be worse; of errors, by how many percent points.
    pub max_regression: f64,
    pub old: f64,
    pub new: Vec<NewFigure>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewFigure {
    pub value: f64,
    /// Its ratio to the old one; of errors, how many percent points more they are. `None` where there is no such ratio.
    pub change: Option<f64>,
    /// What that lies in; `None` where there are not enough parts to tell.
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
        found.ok_or_else(|| {
            format!("{text:?} is nothing that is compared; there are rate, p50, p90, p99 and errors")
        })
    }
}

impl ReportComparison {
    pub fn status(&self) -> ExitStatus {
        self.result.status()
    }

    /// Whether the only new report shows a regression, which a second one may confirm.
    pub fn is_suspicious(&self) -> bool {
        let beyond = |metric: &MetricEntry| metric.new.iter().any(|one| one.place == Some(Place::Beyond));
        self.new.len() == 1 && self.metrics.iter().any(beyond)
    }
}
