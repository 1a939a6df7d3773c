//! What the exported locustfile writes at its end: the counts of all workers, as data.
//!
//! Invariant: every member that the locustfile writes is named here or is one that nothing is made of.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The name and version of the form.
pub const FORMAT: &str = "twenty-conform-locust/1";

/// The results of a run of the locustfile.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustResults {
    /// [`FORMAT`].
    pub format: String,
    /// `pass`, `fail` or `incomplete`.
    pub result: String,
    /// The exit status of the master.
    pub exit_status: u8,
    /// Why it did not pass.
    pub reasons: Vec<String>,
    /// The version of the tool that exported the locustfile.
    pub tool: String,
    /// The version of locust.
    pub locust: String,
    /// The version of Python.
    pub python: String,
    /// The master's machine.
    pub machine: LocustMachine,
    /// Where the deliveries went.
    pub url: String,
    /// The dialect's name.
    pub dialect: String,
    /// When it began, in milliseconds since the epoch.
    pub begun_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// What was asked for.
    pub load: LocustLoad,
    /// The bodies.
    pub corpus: LocustCorpus,
    /// The processes that sent.
    pub workers: Vec<LocustWorker>,
    /// Everything, warm-up included.
    pub all: LocustCounts,
    /// How long it was measured, in milliseconds.
    pub stretch_ms: f64,
    /// What was measured.
    pub measured: LocustMeasured,
    /// Each kind of probe, warm-up included.
    pub probes: Vec<LocustProbe>,
    /// The answers to probes by status.
    pub probe_statuses: BTreeMap<u16, u64>,
    /// The measured time in equal parts.
    pub series: LocustSeries,
    /// The first exchange of each kind that was not as it must be: a status, the name of an error, or `probe` and its name.
    pub witnesses: BTreeMap<String, LocustWitness>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustMachine {
    /// The operating system, as Python calls it.
    pub os: String,
    /// The processor's architecture.
    pub arch: String,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustLoad {
    /// Deliveries per second; `None` for as many as the users send.
    pub rate: Option<f64>,
    /// How many users there were.
    pub users: usize,
    /// How long it was to last, where that was said.
    pub run_time_ms: Option<u64>,
    /// How long it went on before it was measured.
    pub warm_up_ms: u64,
    /// How long an answer was waited for.
    pub timeout_ms: u64,
    /// Which share was to be probes.
    pub probe_share: f64,
    /// Which share of errors was allowed.
    pub max_errors: f64,
}

/// The bodies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustCorpus {
    /// How many there are.
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
    /// It has said what it sent.
    Reported,
    /// It did not answer any more.
    Lost,
    /// It left before the end.
    Left,
    /// It never said anything.
    Silent,
}

impl WorkerState {
    /// The word in results.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Lost => "lost",
            Self::Left => "left",
            Self::Silent => "silent",
        }
    }
}

/// A process that sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustWorker {
    /// What is known of how it ended.
    pub state: WorkerState,
    /// Valid deliveries that it began.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// How many processors it may use.
    pub cores: usize,
}

/// The counts of a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct LocustCounts {
    /// Valid deliveries that were begun.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Those with another status.
    pub refused: u64,
    /// Those without a whole answer, the unsent ones among them.
    pub failed: u64,
    /// Those that were due and never begun.
    pub unsent: u64,
    /// Those that were under way at the end.
    pub in_flight: u64,
    /// Probes that were sent.
    pub probes: u64,
    /// Those that were let through.
    pub let_through: u64,
    /// Those that were under way at the end.
    pub probes_in_flight: u64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustMeasured {
    /// Valid deliveries that were begun.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Those with another status.
    pub refused: u64,
    /// Those without a whole answer by kind.
    pub failed: BTreeMap<String, u64>,
    /// The answers to valid deliveries by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Probes: how many were sent, let through, and without an answer.
    pub probes: BTreeMap<String, [u64; 3]>,
    /// Bytes that were sent.
    pub bytes_sent: u64,
    /// Bytes that came.
    pub bytes_received: u64,
    /// Latencies.
    pub latency: LocustLatency,
    /// How late deliveries went out though a user was free.
    pub late: LocustLateness,
}

/// A distribution in microseconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustLatency {
    /// The highest value of each part to three digits, with how many lie in it.
    pub buckets: BTreeMap<u64, u64>,
    /// All together.
    pub sum_us: u64,
    /// Their squares together.
    pub squares_us: f64,
    /// The least.
    pub min_us: Option<u64>,
    /// The greatest.
    pub max_us: u64,
}

/// How late deliveries went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LocustLateness {
    /// How many.
    pub count: u64,
    /// All together, in microseconds.
    pub sum_us: u64,
    /// The greatest.
    pub max_us: u64,
}

/// A kind of probe.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustProbe {
    /// Its name.
    pub name: String,
    /// The requirement that forbids it.
    pub requirement: String,
    /// That requirement's level.
    pub level: String,
    /// How many were sent.
    pub sent: u64,
    /// How many of them were let through.
    pub let_through: u64,
    /// How many of them got no answer.
    pub unanswered: u64,
}

/// The measured time in equal parts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustSeries {
    /// How long each is.
    pub interval_ms: u64,
    /// The parts.
    pub points: Vec<LocustPoint>,
}

/// A part of the series: sent, acknowledged, refused, failed, and latencies to two digits with how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocustPoint(pub u64, pub u64, pub u64, pub u64, pub BTreeMap<u64, u64>);

/// An exchange that was not as it must be.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LocustWitness {
    /// How many of its kind there were.
    pub count: u64,
    /// When it ended, from the start of the test.
    pub at_ms: f64,
    /// How long it took.
    pub took_ms: f64,
    /// The status, where there was one.
    pub status: Option<u16>,
    /// The beginning of the request.
    pub request: String,
    /// The beginning of the answer.
    pub answer: String,
}
