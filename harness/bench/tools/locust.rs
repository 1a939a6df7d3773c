//! What the exported locustfile writes at its end: the counts of all workers, as data.

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
    /// When it began, in milliseconds since the epoch.
    pub begun_ms: u64,
    pub ended_ms: u64,
    pub load: LocustLoad,
    pub corpus: LocustCorpus,
    pub workers: Vec<LocustWorker>,
    /// Everything, warm-up included.
    pub all: LocustCounts,
    pub stretch_ms: f64,
    pub measured: LocustMeasured,
    /// Each kind of probe, warm-up included.
    pub probes: Vec<LocustProbe>,
    pub probe_statuses: BTreeMap<u16, u64>,
    pub series: LocustSeries,
    /// The first exchange of each kind that was not as it must be: a status, the name of an error, or `probe` and its name.
    pub witnesses: BTreeMap<String, LocustWitness>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustMachine {
    /// The operating system, as Python calls it.
    pub os: String,
    pub arch: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustLoad {
    /// Deliveries per second; `None` for as many as the users send.
    pub rate: Option<f64>,
    pub users: usize,
    /// How long it was to last, where that was said.
    pub run_time_ms: Option<u64>,
    /// How long it went on before it was measured.
    pub warm_up_ms: u64,
    pub timeout_ms: u64,
    pub probe_share: f64,
    pub max_errors: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustCorpus {
    pub bodies: usize,
    /// The length of each, in bytes.
    pub lengths: Vec<u64>,
    /// How many have no place for a record id.
    pub without_id: usize,
}

/// What the master knows of how a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkerState {
    Reported,
    Lost,
    Left,
    Silent,
}

impl WorkerState {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Lost => "lost",
            Self::Left => "left",
            Self::Silent => "silent",
        }
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
    /// Deliveries without a whole answer, the unsent ones among them.
    pub failed: u64,
    /// Deliveries that were due and never begun.
    pub unsent: u64,
    /// Deliveries under way at the end.
    pub in_flight: u64,
    pub probes: u64,
    pub let_through: u64,
    /// Probes under way at the end.
    pub probes_in_flight: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustMeasured {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Deliveries without a whole answer by kind.
    pub failed: BTreeMap<String, u64>,
    pub statuses: BTreeMap<u16, u64>,
    /// Probes: how many were sent, let through, and without an answer.
    pub probes: BTreeMap<String, [u64; 3]>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub latency: LocustLatency,
    /// How late deliveries went out though a user was free.
    pub late: LocustLateness,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustLatency {
    /// The highest value of each part to three digits, with how many lie in it.
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

/// A part of the series: sent, acknowledged, refused, failed, and latencies to two digits with how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustPoint(pub u64, pub u64, pub u64, pub u64, pub BTreeMap<u64, u64>);

/// An exchange that was not as it must be.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustWitness {
    pub count: u64,
    /// When it ended, from the start of the test.
    pub at_ms: f64,
    pub took_ms: f64,
    pub status: Option<u16>,
    pub request: String,
    pub answer: String,
}
