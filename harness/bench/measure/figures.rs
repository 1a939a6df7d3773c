//! What was measured, as data: counts, latencies, the series, and the exchanges that are shown.

use serde::{Deserialize, Serialize};

/// What was measured in a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How long the stretch is, in milliseconds: to its end, or to the last acknowledgement after it.
    pub duration_ms: f64,
    pub rate: f64,
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a whole answer, and those that were due and never sent.
    pub failed: u64,
    /// Which share of those that came to an end was not acknowledged, from 0 to 1.
    pub error_share: f64,
    /// Deliveries without a whole answer by kind: `refused`, `timed-out`, …
    pub errors: Vec<Named>,
    pub statuses: Vec<StatusCount>,
    /// Bytes sent, heads and probes included.
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Latencies of acknowledged deliveries, and of those that were waited for in vain.
    pub latency: Latency,
    /// How late the generator itself was, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Lateness>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCount {
    pub status: u16,
    pub count: u64,
}

/// A distribution of latencies, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    pub count: u64,
    pub min_us: u64,
    pub mean_us: f64,
    pub stdev_us: f64,
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
    /// The distribution to a hundredth part: the highest value of each part that is not empty, with how many lie in it.
    pub buckets: Vec<(u64, u64)>,
}

/// How late deliveries went out though a connection was free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lateness {
    /// How many found a free connection.
    pub count: u64,
    pub mean_us: f64,
    pub max_us: u64,
}

/// A stretch of the run with one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseEntry {
    /// The rate that was asked for, probes included; `None` in saturation.
    pub rate: Option<f64>,
    /// Deliveries that went out per second, probes included.
    pub achieved: f64,
    pub measured: Measured,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesEntry {
    /// How long each part is, in milliseconds.
    pub interval_ms: u64,
    pub points: Vec<SeriesPoint>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPoint {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a whole answer.
    pub failed: u64,
    /// Half of those acknowledged took no longer, in microseconds; `None` where there was none.
    pub p50_us: Option<u64>,
    /// 90 of 100 of those acknowledged took no longer, in microseconds.
    #[serde(default)]
    pub p90_us: Option<u64>,
    /// 99 of 100 of those acknowledged took no longer, in microseconds.
    pub p99_us: Option<u64>,
}

/// The deliveries that had to be refused, warm-up included.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    pub sent: u64,
    pub let_through: u64,
    pub unanswered: u64,
    pub statuses: Vec<StatusCount>,
    pub kinds: Vec<ProbeEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeEntry {
    pub name: String,
    pub requirement: String,
    pub level: String,
    pub sent: u64,
    pub let_through: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<ShownExchange>,
}

/// Valid deliveries that were not acknowledged, of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unexpected {
    /// The status, or the name of the error.
    pub kind: String,
    pub text: String,
    pub count: u64,
    pub exchange: ShownExchange,
}

/// An exchange, cut short, without the secret.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownExchange {
    /// When it ended, from the start of the load, in milliseconds.
    pub at_ms: f64,
    pub took_ms: f64,
    pub status: Option<u16>,
    pub request: String,
    pub answer: String,
}
