//! The report of a benchmark as data: every format is written from it, and comparisons read it back.
//!
//! A member never changes its meaning, and readers ignore members that they do not know. A report contains no secret.

use serde::{Deserialize, Serialize};

use super::compared::ReportComparison;
use super::figures::{Measured, PhaseEntry, Probes, SeriesEntry, SeriesPoint, Unexpected};
use super::machine::{Machine, Tool};
use super::messages;
use super::objective::{Bound, BoundCheck};
use super::result::BenchResult;
use crate::bench::accounts::entry::LedgerEntry;
use crate::exit::ExitStatus;
use crate::webhook::dialect::rfc3339;

pub const FORMAT: &str = "twenty-conform-bench/1";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchReport {
    pub format: String,
    pub role: BenchRole,
    pub tool: Tool,
    pub machine: Machine,
    /// The arguments of the command, without the secret.
    pub command: Vec<String>,
    /// The program measured: a URL, a command, or the reference.
    pub subject: String,
    pub dialect: String,
    /// The start, in RFC 3339.
    pub started_at: String,
    /// The seed that reproduces ids and probes; `None` if they have no seed.
    pub seed: Option<u64>,
    pub load: LoadFacts,
    pub corpus: CorpusFacts,
    pub result: BenchResult,
    pub exit_status: u8,
    pub duration_ms: u64,
    pub total: Measured,
    /// The figures at each rate, in the order of the run.
    pub phases: Vec<PhaseEntry>,
    pub series: SeriesEntry,
    /// The deliveries that must be rejected.
    pub probes: Probes,
    /// Valid deliveries that were not answered with 2xx, by kind, including the warm-up.
    pub unexpected: Vec<Unexpected>,
    /// The bounds, and whether they were met.
    pub thresholds: Vec<BoundCheck>,
    /// The search for the highest rate, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchEntry>,
    /// The comparison with a baseline, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ReportComparison>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<SendingEntry>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchRole {
    Receiver,
    Sender,
}

/// How deliveries are timed, as named in reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadMode {
    /// Closed loop: each connection sends as soon as it has an answer.
    #[default]
    Saturation,
    /// Open loop: deliveries are due at fixed times.
    Rate,
    /// Open loop, at several rates in turn.
    RateSteps,
    /// Open loop, at the rates of a search.
    FindMax,
}

/// The parts of a report other than its figures: what was measured, with what, and when.
#[derive(Debug, Clone)]
pub struct Origin {
    pub role: BenchRole,
    pub tool: Tool,
    pub machine: Machine,
    /// The arguments of the command, without the secret.
    pub command: Vec<String>,
    /// The program measured, as named in reports, without the secret.
    pub subject: String,
    pub dialect: String,
    /// The start, in milliseconds since the epoch.
    pub started_at_ms: u64,
    pub took_ms: u64,
    pub seed: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Figures {
    pub total: Measured,
    pub phases: Vec<PhaseEntry>,
    pub series: SeriesEntry,
    pub probes: Probes,
    pub unexpected: Vec<Unexpected>,
}

impl BenchRole {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Sender => "sender",
        }
    }
}

impl LoadMode {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Saturation => "saturation",
            Self::Rate => "rate",
            Self::RateSteps => "rate-steps",
            Self::FindMax => "find-max",
        }
    }
}

impl BenchReport {
    /// What a bound on the latency does not show in a closed loop: nothing is sent while the receiver stalls, so the deliveries that
    /// would have waited are not counted. `None` without such a bound.
    pub(in crate::bench) fn note_on_stalls(&self) -> Option<String> {
        let is_latency = |check: &&BoundCheck| matches!(check.bound, Bound::Latency(..));
        let bound =
            self.thresholds.iter().find(is_latency).filter(|_| self.load.mode == LoadMode::Saturation)?;
        let empty = |point: &&SeriesPoint| point.acknowledged == 0;
        // The last part may be a shorter one.
        let whole = self.series.points.len().saturating_sub(1);
        let stalled = self.series.points.iter().take(whole).filter(empty).count() as u64;
        Some(messages::stalls_not_counted(&bound.bound.to_string(), stalled * self.series.interval_ms))
    }

    /// A report of these figures, to which bounds, a search, a comparison and notes can be added.
    pub fn new(
        origin: Origin,
        load: LoadFacts,
        corpus: CorpusFacts,
        figures: Figures,
        result: BenchResult,
    ) -> Self {
        let Origin { role, tool, machine, command, subject, dialect, started_at_ms, took_ms, seed } = origin;
        let Figures { total, phases, series, probes, unexpected } = figures;
        Self {
            format: FORMAT.to_owned(),
            role,
            tool,
            machine,
            command,
            subject,
            dialect,
            started_at: rfc3339(started_at_ms),
            seed,
            load,
            corpus,
            result,
            exit_status: result.status().code(),
            duration_ms: took_ms,
            total,
            phases,
            series,
            probes,
            unexpected,
            thresholds: Vec::new(),
            search: None,
            comparison: None,
            sending: None,
            notes: Vec::new(),
        }
    }

    /// Changes the result and its exit status.
    pub fn settle(&mut self, result: BenchResult) {
        self.result = result;
        self.exit_status = result.status().code();
    }

    pub fn status(&self) -> ExitStatus {
        self.result.status()
    }

    /// Whether deliveries were due at fixed times, so that latencies count from there.
    pub fn is_open_loop(&self) -> bool {
        self.load.mode != LoadMode::Saturation
    }

    /// Reads a report in JSON. Errors: the text is not a report, or a report of another version.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct FormatOnly {
            format: String,
        }
        let form: FormatOnly = serde_json::from_str(text).map_err(|why| messages::not_a_report(&why))?;
        if form.format != FORMAT {
            return Err(messages::other_format(&form.format, FORMAT));
        }
        serde_json::from_str(text).map_err(|why| messages::broken_report(&why))
    }
}

/// The figures of a sender. In its report a delivery counts as sent when its event is requested, and as acknowledged when it
/// arrives and is verified. The latency is the time between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendingEntry {
    /// The sender's own name and version.
    pub sender: String,
    /// The number of webhooks; each gets every event.
    pub webhooks: usize,
    /// The most events requested; `None` if the load was limited by time.
    pub events: Option<u64>,
    /// Events per second; an event counts when its last delivery has arrived.
    pub events_per_s: f64,
    /// The wait for duplicates after the last delivery, in milliseconds.
    pub settle_ms: u64,
    /// Verified deliveries of events that were not requested.
    pub strange: u64,
    /// The accounts, including the warm-up.
    pub ledger: LedgerEntry,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadFacts {
    pub mode: LoadMode,
    /// The requested rates, in deliveries per second; empty in a closed loop.
    pub rates: Vec<f64>,
    pub concurrency: usize,
    pub threads: usize,
    /// The planned time at each rate, in milliseconds.
    pub duration_ms: u64,
    pub warm_up_ms: u64,
    /// The timeout of an answer, in milliseconds.
    pub timeout_ms: u64,
    /// The planned share of probes, from 0 to 1.
    pub probe_share: f64,
    /// The allowed share of errors, from 0 to 1.
    pub max_errors: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusFacts {
    pub bodies: usize,
    /// The sum of their lengths, in bytes.
    pub bytes: u64,
    pub longest: u64,
    /// How many have no place for a record id.
    pub without_id: usize,
}

/// The search for the highest rate that meets an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchEntry {
    pub objective: String,
    /// Deliveries accepted per second in a closed loop, where the search started; `None` if a first rate was given.
    #[serde(default)]
    pub saturation: Option<f64>,
    /// The highest confirmed rate, if any.
    pub found: Option<f64>,
    /// The lowest rate that missed the objective, if any.
    #[serde(default)]
    pub missed: Option<f64>,
    /// What the lowest rate that missed was bounded by.
    #[serde(default)]
    pub bounded_by: Option<Limit>,
    /// Whether the rates met or missed the objective again when they were repeated.
    #[serde(default = "stable")]
    pub stable: bool,
    pub trials: Vec<RateTrial>,
}

/// Reports of earlier versions do not say it.
fn stable() -> bool {
    true
}

/// What keeps a rate from meeting an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The load generator sent late although connections were free.
    Generator,
    /// Most errors were answers 429.
    RateLimit,
    Errors,
    Latency,
    /// All connections waited for answers.
    Connections,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RateTrial {
    pub rate: f64,
    /// Deliveries sent per second.
    pub achieved: f64,
    /// Whether the rate had met the objective before.
    pub confirmation: bool,
    pub held: bool,
    /// Whether the trial ended early, so that it says nothing about the rate.
    #[serde(default)]
    pub cut_short: bool,
    pub why: String,
    /// The first of the reasons.
    #[serde(default)]
    pub bounded_by: Option<Limit>,
    pub p50_us: u64,
    pub p99_us: u64,
    pub error_share: f64,
    /// The bounds of the objective, with what was measured. Reports of earlier versions do not have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<BoundCheck>,
}
