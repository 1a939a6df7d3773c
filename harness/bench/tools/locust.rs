//! The results that the exported locustfile writes at its end: the counts of all workers.

use std::collections::BTreeMap;

use serde::Deserialize;

pub const FORMAT: &str = "twenty-conform-locust/1";

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustResults {
    pub format: String,
    /// `pass`, `fail` or `incomplete`.
    pub result: String,
    pub exit_status: u8,
    pub reasons: Vec<String>,
    /// The version of the tool that exported the locustfile.
    pub tool: String,
    pub locust: String,
    pub python: String,
    pub machine: LocustMachine,
    pub url: String,
    pub dialect: String,
    /// The start, in milliseconds since the epoch.
    pub begun_ms: u64,
    pub ended_ms: u64,
    pub load: LocustLoad,
    pub corpus: LocustCorpus,
    pub workers: Vec<LocustWorker>,
    /// Counts of the whole run, including the warm-up.
    pub all: LocustCounts,
    pub stretch_ms: f64,
    pub measured: LocustMeasured,
    /// Counts of each kind of probe, including the warm-up.
    pub probes: Vec<LocustProbe>,
    pub probe_statuses: BTreeMap<u16, u64>,
    pub series: LocustSeries,
    /// The first exchange of each unexpected kind: a status, the name of an error, or `probe` and its name.
    #[serde(rename = "witnesses")]
    pub exchanges: BTreeMap<String, LocustExchange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustMachine {
    /// The operating system, as Python names it.
    pub os: String,
    pub arch: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustLoad {
    /// Deliveries per second; `None` for saturation.
    pub rate: Option<f64>,
    pub users: usize,
    /// The planned duration, including the warm-up.
    pub run_time_ms: Option<u64>,
    pub warm_up_ms: u64,
    pub timeout_ms: u64,
    pub probe_share: f64,
    pub max_errors: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustCorpus {
    pub bodies: usize,
    /// The length of each body, in bytes.
    pub lengths: Vec<u64>,
    /// How many bodies have no record id.
    pub without_id: usize,
}

described! {
    /// How a worker ended, as far as the master knows.
    pub enum WorkerState {
        Reported: "reported",
        Lost: "was lost",
        Left: "left early",
        Silent: "never reported",
        Overdue: "did not report in time",
        Late: "joined after the start",
        Doubled: "is there twice",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustWorker {
    pub state: WorkerState,
    pub sent: u64,
    pub acknowledged: u64,
    pub cores: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct LocustCounts {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a complete answer, including the unsent ones.
    pub failed: u64,
    /// Deliveries that were due but not sent.
    pub unsent: u64,
    /// Deliveries in flight at the end.
    pub in_flight: u64,
    pub probes: u64,
    pub let_through: u64,
    /// Probes in flight at the end.
    pub probes_in_flight: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustMeasured {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a complete answer, by kind.
    pub failed: BTreeMap<String, u64>,
    pub statuses: BTreeMap<u16, u64>,
    /// Probes by kind: how many were sent, were accepted, and got no answer.
    pub probes: BTreeMap<String, [u64; 3]>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub latency: LocustLatency,
    /// How late deliveries were sent although a user was free.
    pub late: LocustLateness,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustLatency {
    /// Counts by the highest value of each bucket. Buckets have three significant digits.
    pub buckets: BTreeMap<u64, u64>,
    pub sum_us: u64,
    pub squares_us: f64,
    pub min_us: Option<u64>,
    pub max_us: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LocustLateness {
    pub count: u64,
    pub sum_us: u64,
    pub max_us: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustProbe {
    pub name: String,
    pub requirement: String,
    pub level: String,
    pub sent: u64,
    pub let_through: u64,
    pub unanswered: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustSeries {
    pub interval_ms: u64,
    pub points: Vec<LocustPoint>,
}

/// A point of the series: sent, accepted, rejected, failed, and counts of latencies in buckets of two significant digits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustPoint(pub u64, pub u64, pub u64, pub u64, pub BTreeMap<u64, u64>);

/// An unexpected exchange, with the number of its kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustExchange {
    pub count: u64,
    /// The time of its end, since the start of the test.
    pub at_ms: f64,
    pub took_ms: f64,
    pub status: Option<u16>,
    pub request: String,
    pub answer: String,
}
