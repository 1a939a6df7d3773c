//! What a benchmark has shown, as the data that every format is written from and that comparisons read back.
//!
//! Invariant: a member is never given another meaning; what a reader does not know it may pass over. No secret is in it.

use serde::{Deserialize, Serialize};

use super::compared::ReportComparison;
use super::figures::{Measured, PhaseEntry, Probes, SeriesEntry, Unexpected};
use super::machine::{Machine, Tool};
use super::objective::BoundCheck;
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
    /// What was measured: a URL, a command, the reference.
    pub subject: String,
    pub dialect: String,
    /// When it began, as RFC 3339.
    pub started_at: String,
    /// The seed, with which ids and probes can be made again; `None` where they came from none.
    pub seed: Option<u64>,
    pub load: LoadFacts,
    pub corpus: CorpusFacts,
    pub result: BenchResult,
    pub exit_status: u8,
    pub duration_ms: u64,
    pub total: Measured,
    /// What was measured at each rate, in the order of the run.
    pub phases: Vec<PhaseEntry>,
    pub series: SeriesEntry,
    /// The deliveries that had to be refused.
    pub probes: Probes,
    /// Answers to valid deliveries that were none or not 2xx, by kind, warm-up included.
    pub unexpected: Vec<Unexpected>,
    /// The bounds that were given, and whether they were held.
    pub thresholds: Vec<BoundCheck>,
    /// The search for the highest rate, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchEntry>,
    /// The comparison with a baseline, where one was asked for.
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
    /// A sender that is asked for events.
    Sender,
}

/// How deliveries follow each other, as reports say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadMode {
    /// Each connection sends as soon as it has its answer.
    #[default]
    Saturation,
    Rate,
    /// At several rates, one after the other.
    RateSteps,
    FindMax,
}

/// What a report says besides its figures: what was measured, with what, and when.
#[derive(Debug, Clone)]
pub struct Origin {
    pub role: BenchRole,
    pub tool: Tool,
    pub machine: Machine,
    /// The arguments of the command, without the secret.
    pub command: Vec<String>,
    /// What was measured, as reports call it, without the secret.
    pub subject: String,
    pub dialect: String,
    /// When it began, in milliseconds since the epoch.
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
    /// A report of these figures; bounds, a search, a comparison and notes are added to it.
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

    /// Gives it another result, with the exit status that goes with it.
    pub fn settle(&mut self, result: BenchResult) {
        self.result = result;
        self.exit_status = result.status().code();
    }

    pub fn status(&self) -> ExitStatus {
        self.result.status()
    }

    /// Reads a report that was written as JSON. Errors: it is none, or one of another version; a fragment of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct FormatOnly {
            format: String,
        }
        let form: FormatOnly =
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
    /// How long doubles were waited for after the last delivery, in milliseconds.
    pub settle_ms: u64,
    /// Deliveries of nothing that was asked for.
    pub strange: u64,
    /// What arrived, warm-up included.
    pub ledger: LedgerEntry,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadFacts {
    pub mode: LoadMode,
    /// The rates that were asked for, in deliveries per second; none in saturation.
    pub rates: Vec<f64>,
    pub concurrency: usize,
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

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusFacts {
    pub bodies: usize,
    /// How long all are together, in bytes.
    pub bytes: u64,
    pub longest: u64,
    /// How many have no place for a record id of their own.
    pub without_id: usize,
}

/// The search for the highest rate that holds an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchEntry {
    pub objective: String,
    /// The highest rate that held it, twice; `None` where none did.
    pub found: Option<f64>,
    pub trials: Vec<RateTrial>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RateTrial {
    pub rate: f64,
    /// Deliveries that went out per second.
    pub achieved: f64,
    /// Whether it was a second trial of a rate that had held.
    pub confirmation: bool,
    pub held: bool,
    /// Whether it was not brought to its end, so that it says nothing of the rate.
    #[serde(default)]
    pub cut_short: bool,
    pub why: String,
    /// Half of the deliveries took no longer, in microseconds.
    pub p50_us: u64,
    pub p99_us: u64,
    pub error_share: f64,
}
