//! The figures of a load as data: counts, latencies, the series, and example exchanges.

use serde::{Deserialize, Serialize};

/// The figures of a period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The length of the period in milliseconds: to its end, or to the last 2xx after it.
    pub duration_ms: f64,
    /// Accepted deliveries per second.
    pub rate: f64,
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a complete answer, and those that were due and never sent.
    pub failed: u64,
    /// The share of finished deliveries that were not accepted, from 0 to 1.
    pub error_share: f64,
    /// Failed deliveries by kind: `refused`, `timed-out`, …
    pub errors: Vec<Named>,
    pub statuses: Vec<StatusCount>,
    /// Bytes sent, including heads and probes.
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Latencies of accepted deliveries, and of those that timed out.
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
    /// The distribution, precise to 1 %: the highest value of each bucket that is not empty, and its count.
    pub buckets: Vec<(u64, u64)>,
}

/// How late deliveries were sent although a connection was free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lateness {
    /// How many deliveries had a free connection.
    pub count: u64,
    pub mean_us: f64,
    pub max_us: u64,
}

/// A phase of the load with one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseEntry {
    /// The requested rate, including probes; `None` in a closed loop.
    pub rate: Option<f64>,
    /// Deliveries sent per second, including probes.
    pub achieved: f64,
    pub measured: Measured,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesEntry {
    /// The length of each part, in milliseconds.
    pub interval_ms: u64,
    pub points: Vec<SeriesPoint>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesPoint {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a complete answer.
    pub failed: u64,
    /// A percentile of accepted deliveries; `None` if there were none.
    pub p50_us: Option<u64>,
    #[serde(default)]
    pub p90_us: Option<u64>,
    pub p99_us: Option<u64>,
}

/// The deliveries that must be rejected, including the warm-up.
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

/// Valid deliveries that were not accepted, of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unexpected {
    /// The status, or the name of the error.
    pub kind: String,
    pub text: String,
    pub count: u64,
    pub exchange: ShownExchange,
}

/// An exchange, truncated and without the secret.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownExchange {
    /// When it ended, from the start of the load, in milliseconds.
    pub at_ms: f64,
    pub took_ms: f64,
    pub status: Option<u16>,
    pub request: String,
    pub answer: String,
}
