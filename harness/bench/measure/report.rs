//! What a benchmark has shown, as the data that every format is written from and that comparisons read back.
//!
//! Invariant: a member is never given another meaning; what a reader does not know it may pass over. No secret is in it.

use serde::{Deserialize, Serialize};

use crate::bench::accounts::ledger::entry::LedgerEntry;
use crate::bench::compare::comparison::Comparison;

/// The name and version of the JSON form.
pub const FORMAT: &str = "twenty-conform-bench/1";

/// The result of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchReport {
    /// [`FORMAT`].
    pub format: String,
    /// What was measured: `receiver`, `sender` or `endpoint`.
    pub role: String,
    /// What made it.
    pub tool: Tool,
    /// The machine that it was made on.
    pub machine: Machine,
    /// The arguments of the command, without the secret.
    pub command: Vec<String>,
    /// What was measured: a URL, a command, the reference.
    pub subject: String,
    /// The dialect's name.
    pub dialect: String,
    /// When it began, as RFC 3339.
    pub started_at: String,
    /// The seed, with which ids and probes can be made again; `None` where they came from none.
    pub seed: Option<u64>,
    /// The load.
    pub load: LoadFacts,
    /// The bodies.
    pub corpus: CorpusFacts,
    /// `pass`, `fail`, `slow` (a bound was not held, or it is slower than the baseline), `inconclusive` (whether it is slower
    /// than the baseline could not be told), `incomplete` or `interrupted`.
    pub result: String,
    /// The exit status that goes with it.
    pub exit_status: u8,
    /// How long it took in all, in milliseconds.
    pub duration_ms: u64,
    /// What was measured in all.
    pub total: Measured,
    /// What was measured at each rate, in the order of the run.
    pub phases: Vec<PhaseEntry>,
    /// The measured time in equal parts.
    pub series: SeriesEntry,
    /// The deliveries that had to be refused.
    pub probes: Probes,
    /// Answers to genuine deliveries that were none or not 2xx, by kind, warm-up included.
    pub unexpected: Vec<Unexpected>,
    /// The bounds that were given, and whether they were held.
    pub thresholds: Vec<ThresholdEntry>,
    /// The search for the highest rate, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchEntry>,
    /// The comparison with a baseline, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What is measured of senders alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<SendingEntry>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

impl BenchReport {
    /// Reads a report that was written as JSON. Errors: it is none, or one of another version; a fragment of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            format: String,
        }
        let form: Form =
            serde_json::from_str(text).map_err(|why| format!("it is no report of a benchmark: {why}"))?;
        if form.format != FORMAT {
            return Err(format!("it has the format {:?}; this version reads {FORMAT:?}", form.format));
        }
        serde_json::from_str(text).map_err(|why| format!("it is a broken report of a benchmark: {why}"))
    }
}

/// What is measured of a sender alone. Elsewhere in its report a delivery is sent when the sender is asked for its event, and
/// acknowledged when it has arrived and is verified; its latency is the time between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendingEntry {
    /// The name and the version that the sender gives itself.
    pub sender: String,
    /// How many webhooks there were, each of which was to get every event.
    pub webhooks: usize,
    /// How many events were asked for at most; `None` where time was the bound.
    pub events: Option<u64>,
    /// Events per second, until the last delivery of each had arrived.
    pub events_per_s: f64,
    /// How long doubles were waited for behind the last delivery, in milliseconds.
    pub settle_ms: u64,
    /// Deliveries of nothing that was asked for.
    pub strange: u64,
    /// What arrived, warm-up included.
    pub ledger: LedgerEntry,
}

/// What made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The machine. Figures of different ones are not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// How many processors this process may use.
    pub cores: usize,
    /// The operating system.
    pub os: String,
    /// The processor's architecture.
    pub arch: String,
    /// The processor's model, where the system tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Whether the tool was built with optimisations.
    pub optimised: bool,
}

/// The load that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadFacts {
    /// `saturation`, `rate`, `rate-steps` or `find-max`.
    pub mode: String,
    /// The rates that were asked for, in deliveries per second; none in saturation.
    pub rates: Vec<f64>,
    /// How many connections there were.
    pub concurrency: usize,
    /// How many threads sent.
    pub threads: usize,
    /// How long it was to be measured at each rate, in milliseconds.
    pub duration_ms: u64,
    /// How long it went on before, in milliseconds.
    pub warm_up_ms: u64,
    /// How long an answer was waited for, in milliseconds.
    pub timeout_ms: u64,
    /// Which share of deliveries was to be probes, from 0 to 1.
    pub probe_share: f64,
    /// Which share of errors was allowed, from 0 to 1.
    pub max_errors: f64,
}

/// The bodies that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusFacts {
    /// How many there are.
    pub bodies: usize,
    /// How long all are together, in bytes.
    pub bytes: u64,
    /// How long the longest is.
    pub longest: u64,
    /// How many have no place for a record id of their own.
    pub without_id: usize,
}

/// What was measured in a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How long the stretch is, in milliseconds: to its end, or to the last acknowledgement behind it.
    pub duration_ms: f64,
    /// Acknowledged genuine deliveries per second.
    pub rate: f64,
    /// Genuine deliveries that were begun.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Those that were answered otherwise.
    pub refused: u64,
    /// Those without a whole answer, and those that were due and never sent.
    pub failed: u64,
    /// Which share of those that came to an end was not acknowledged, from 0 to 1.
    pub error_share: f64,
    /// Those without a whole answer by kind: `refused`, `timed-out`, …
    pub errors: Vec<Named>,
    /// The answers to genuine deliveries by status.
    pub statuses: Vec<StatusCount>,
    /// Bytes sent, heads and probes included.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Latencies of acknowledged deliveries, and of those that were waited for in vain.
    pub latency: Latency,
    /// How late the generator itself was, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Lateness>,
}

/// How many of something there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// How many answers had a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCount {
    /// The status.
    pub status: u16,
    /// How many.
    pub count: u64,
}

/// A distribution of latencies, in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// The least.
    pub min_us: u64,
    /// The mean.
    pub mean_us: f64,
    /// The standard deviation.
    pub stdev_us: f64,
    /// Half of them took no longer.
    pub p50_us: u64,
    /// 90 of 100 took no longer.
    pub p90_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
    /// 999 of 1,000 took no longer.
    pub p999_us: u64,
    /// The greatest.
    pub max_us: u64,
    /// The distribution to a hundredth part: the highest value of each part that is not empty, with how many lie in it.
    pub buckets: Vec<(u64, u64)>,
}

/// How late deliveries went out though a connection was free.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lateness {
    /// How many found a free connection.
    pub count: u64,
    /// The mean, in microseconds.
    pub mean_us: f64,
    /// The greatest, in microseconds.
    pub max_us: u64,
}

/// A stretch of the run with one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseEntry {
    /// The rate that was asked for, probes included; `None` in saturation.
    pub rate: Option<f64>,
    /// Deliveries that went out per second, probes included.
    pub achieved: f64,
    /// What was measured.
    pub measured: Measured,
}

/// The measured time in equal parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesEntry {
    /// How long each part is, in milliseconds.
    pub interval_ms: u64,
    /// The parts, in their order.
    pub points: Vec<Point>,
}

/// A part of the series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Genuine deliveries that were begun.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Those that were answered otherwise.
    pub refused: u64,
    /// Those without a whole answer.
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    /// How many were sent.
    pub sent: u64,
    /// How many of them were acknowledged.
    pub let_through: u64,
    /// How many of them got no answer.
    pub unanswered: u64,
    /// Their answers by status.
    pub statuses: Vec<StatusCount>,
    /// Each kind.
    pub kinds: Vec<ProbeEntry>,
}

/// A kind of probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeEntry {
    /// Its name.
    pub name: String,
    /// The requirement that forbids it.
    pub requirement: String,
    /// That requirement's level.
    pub level: String,
    /// How many were sent.
    pub sent: u64,
    /// How many of them were acknowledged.
    pub let_through: u64,
    /// The first of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Shown>,
}

/// Genuine deliveries that were not acknowledged, of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unexpected {
    /// The status, or the name of the error.
    pub kind: String,
    /// What it means.
    pub text: String,
    /// How many there were.
    pub count: u64,
    /// The first of them.
    pub exchange: Shown,
}

/// An exchange, cut short, without the secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// When it ended, from the start of the load, in milliseconds.
    pub at_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// The status, where there was one.
    pub status: Option<u16>,
    /// The beginning of the request.
    pub request: String,
    /// The beginning of the answer.
    pub answer: String,
}

/// A bound, and whether it was held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdEntry {
    /// The bound as it was given, such as `p99<50ms`.
    pub bound: String,
    /// What was measured: milliseconds, or percent of errors.
    pub measured: f64,
    /// Whether it was held.
    pub held: bool,
}

/// The search for the highest rate that holds an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchEntry {
    /// The objective as it was given.
    pub objective: String,
    /// The highest rate that held it, twice; `None` where none did.
    pub found: Option<f64>,
    /// Each rate that was tried.
    pub trials: Vec<Trial>,
}

/// A rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The rate that was asked for.
    pub rate: f64,
    /// Deliveries that went out per second.
    pub achieved: f64,
    /// Whether it was a second trial of a rate that had held.
    pub confirmation: bool,
    /// Whether it held.
    pub held: bool,
    /// Whether it was not brought to its end, so that it says nothing of the rate.
    #[serde(default)]
    pub cut_short: bool,
    /// Why not, or nothing.
    pub why: String,
    /// Half of the deliveries took no longer, in microseconds.
    pub p50_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
    /// Which share was not acknowledged.
    pub error_share: f64,
}
