//! Two receivers measured against each other on one machine: the order of loads, and what their figures mean.
//!
//! Three processes run at a time: the base, the candidate, and the base again as an A/A control. A round is six short loads, in an
//! order and its reverse, so that a steady drift cancels out. The median of the rounds after a start gives one ratio for the
//! candidate (to both processes of the base) and one for the control. All loads together give another, in which rare work
//! counts. Then all three are started anew: two processes of one program differ too (the layout of memory, what is compiled when),
//! and only starts show how much. The intervals are those of a t-distribution over the starts.

use serde::{Deserialize, Serialize};

use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::LoadFacts;
use crate::bench::measure::result::BenchResult;
use crate::statistics::{Better, Interval, Place, Spread, median, trimmed_mean};

pub const FORMAT: &str = "twenty-conform-pair/2";
/// The most rounds after a start.
pub const MOST_ROUNDS: usize = 1000;

described! {
    /// What is compared.
    pub enum Figure {
        Rate: "rate",
        P99: "p99",
        /// User and system time of all processes, for a delivery.
        ProcessorTime: "processor time",
        /// The resident memory of all processes at the end of a load.
        Memory: "memory",
    }
}

/// The result of measuring two receivers against each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairReport {
    pub format: String,
    pub tool: Tool,
    pub machine: Machine,
    /// The arguments of the command, without the secret.
    pub command: Vec<String>,
    pub base: String,
    pub candidate: String,
    pub dialect: String,
    /// In RFC 3339.
    pub started_at: String,
    pub seed: u64,
    /// Each load of a round. The warm-up runs once, after the receivers start.
    pub load: LoadFacts,
    /// How much worse the candidate may be, as a share.
    pub max_regression: f64,
    pub figures: Vec<PairFigure>,
    /// The figure that decided, if one did.
    pub decided_by: Option<Figure>,
    /// The complete rounds of each start. Those of the last may be fewer.
    pub starts: Vec<PairStart>,
    pub result: BenchResult,
    pub why: String,
    pub exit_status: u8,
    pub duration_ms: u64,
    pub notes: Vec<String>,
}

/// What was measured of three processes that ran at the same time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PairStart {
    pub rounds: Vec<PairRound>,
}

/// The two loads of a round on each process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairRound {
    pub base: [PairLoad; 2],
    pub candidate: [PairLoad; 2],
    /// The second process of the base.
    pub control: [PairLoad; 2],
}

/// The figures of a load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PairLoad {
    /// Accepted deliveries per second.
    pub rate: f64,
    pub p99_us: f64,
    /// For a delivery, in microseconds; `None` where the system does not say it, or if a process ended or was added.
    pub processor_us: Option<f64>,
    /// At the end of the load, in MiB.
    pub memory_mib: Option<f64>,
}

/// A figure of all starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairFigure {
    pub figure: Figure,
    /// Whether it can decide. The others are only shown.
    pub decides: bool,
    /// How much worse it may be, as a share.
    pub threshold: f64,
    /// The base's and the candidate's, in deliveries per second, microseconds or MiB.
    pub base: f64,
    pub candidate: f64,
    /// The candidate's ratio to the base, from the median of each start's rounds, since most noise is short; `None` with too few starts.
    pub ratio: Option<Interval>,
    /// The same of all loads of a start together, with the work that is done only now and then.
    pub total: Option<Interval>,
    /// The ratio of two processes of the base.
    pub control: Option<Interval>,
    /// The probability that a regression of twice the threshold would have been found.
    pub power: Option<f64>,
}

/// What a figure says about the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Slower,
    NotSlower,
    /// The interval has the threshold in it.
    TooWide,
    /// Two processes of the base differ too much to say anything.
    Unsteady,
    /// There are too few starts.
    TooFew,
}

impl Figure {
    pub fn better(self) -> Better {
        match self {
            Self::Rate => Better::Higher,
            Self::P99 | Self::ProcessorTime | Self::Memory => Better::Lower,
        }
    }

    fn of(self, load: &PairLoad) -> Option<f64> {
        match self {
            Self::Rate => Some(load.rate),
            Self::P99 => Some(load.p99_us),
            Self::ProcessorTime => load.processor_us,
            Self::Memory => load.memory_mib,
        }
        .filter(|value| *value > 0.0)
    }

    /// The figure of several loads with equally many deliveries, as of one long load: work that is done now and then counts in full.
    fn of_all(self, loads: impl IntoIterator<Item = PairLoad>) -> Option<f64> {
        let values: Vec<f64> = loads.into_iter().map(|load| self.of(&load)).collect::<Option<_>>()?;
        let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count as f64;
        let (values, count) = (values.iter().copied(), values.len());
        (count > 0).then(|| match self {
            // Their times add up, not their rates.
            Self::Rate => 1.0 / mean(&mut values.map(f64::recip), count),
            Self::P99 | Self::ProcessorTime | Self::Memory => mean(&mut values.into_iter(), count),
        })
    }
}

impl PairLoad {
    /// Leaves out what depends on which processes there are.
    pub(super) fn without_processes(&mut self) {
        (self.processor_us, self.memory_mib) = (None, None);
    }
}

impl PairStart {
    /// The figure of all loads of each process: base, candidate and control.
    fn totals(&self, figure: Figure) -> Option<[f64; 3]> {
        let of = |pick: fn(&PairRound) -> [PairLoad; 2]| figure.of_all(self.rounds.iter().flat_map(pick));
        Some([of(|round| round.base)?, of(|round| round.candidate)?, of(|round| round.control)?])
    }

    /// The medians of the rounds' ratios, as logarithms: the candidate's to both processes of the base, and that of these two.
    fn medians(&self, figure: Figure) -> Option<[f64; 2]> {
        let of = |round: &PairRound| {
            let totals = [round.base, round.candidate, round.control].map(|loads| figure.of_all(loads));
            let [base, candidate, control] = totals;
            Some(log_ratios([base?, candidate?, control?]))
        };
        let (candidate, control): (Vec<f64>, Vec<f64>) =
            self.rounds.iter().map(of).collect::<Option<Vec<_>>>()?.into_iter().map(|[a, b]| (a, b)).unzip();
        Some([median(&candidate)?, median(&control)?])
    }
}

/// From the figures of base, candidate and control: the candidate's ratio to both processes of the base, and that of these two.
fn log_ratios([base, candidate, control]: [f64; 3]) -> [f64; 2] {
    [candidate.ln() - f64::midpoint(base.ln(), control.ln()), control.ln() - base.ln()]
}

impl PairFigure {
    /// A figure of these starts. `None` if no start has it.
    pub fn of(figure: Figure, decides: bool, threshold: f64, starts: &[PairStart]) -> Option<Self> {
        let totals: Vec<[f64; 3]> = starts.iter().filter_map(|start| start.totals(figure)).collect();
        let mean = |nth: usize| trimmed_mean(&totals.iter().map(|one| one[nth]).collect::<Vec<_>>());
        let total: Vec<f64> = totals.iter().map(|one| log_ratios(*one)[0]).collect();
        let (ratio, control): (Vec<f64>, Vec<f64>) =
            starts.iter().filter_map(|start| start.medians(figure)).map(|[a, b]| (a, b)).unzip();
        let [ratio, total, control] = [ratio, total, control].map(|one| Spread::of(&one));
        let worse = |share: f64| match figure.better() {
            Better::Higher => -(1.0 - share).max(f64::MIN_POSITIVE).ln(),
            Better::Lower => (1.0 + share).ln(),
        };
        let interval = |spread: Option<Spread>| spread.map(|spread| spread.interval().ratio());
        Some(Self {
            figure,
            decides,
            threshold,
            base: mean(0)?,
            candidate: mean(1)?,
            ratio: interval(ratio),
            total: interval(total),
            control: interval(control),
            power: ratio.map(|spread| spread.power(worse(2.0 * threshold) - worse(threshold))),
        })
    }

    pub fn says(&self) -> Says {
        let (Some(ratio), Some(control)) = (self.ratio, self.control) else { return Says::TooFew };
        let off = (control.estimate - 1.0).abs();
        let may_be_one = control.low <= 1.0 && control.high >= 1.0;
        // The interval of the candidate's ratio has the noise in it already. This finds what it cannot: a bias. NaN is not steady.
        let is_steady = off <= self.threshold / 2.0 || may_be_one && off <= self.threshold;
        match ratio.place(self.figure.better(), self.threshold) {
            _ if !is_steady => Says::Unsteady,
            _ if self.slower().is_some() => Says::Slower,
            Place::Within => Says::NotSlower,
            Place::Beyond | Place::Astride => Says::TooWide,
        }
    }

    /// The ratio by which it decides.
    pub fn deciding(&self) -> Option<Interval> {
        self.slower().or(self.ratio)
    }

    /// The ratio that is worse by more than the threshold with all of its interval: of the rounds, or of all loads together.
    fn slower(&self) -> Option<Interval> {
        let is_beyond = |one: &Interval| one.place(self.figure.better(), self.threshold) == Place::Beyond;
        [self.ratio, self.total].into_iter().flatten().find(is_beyond)
    }

    /// Whether it looks worse by more than the threshold, however wide its interval is.
    pub(super) fn looks_slower(&self) -> bool {
        let worse = match self.figure.better() {
            Better::Higher => |ratio: f64| 1.0 - ratio,
            Better::Lower => |ratio: f64| ratio - 1.0,
        };
        let looks = |one: Interval| worse(one.estimate) > self.threshold;
        [self.ratio, self.total].into_iter().flatten().any(looks)
    }
}

/// The order of a round's first three loads, as indices of base, candidate and control. The other three have the reverse order.
pub fn order(round: usize) -> [usize; 3] {
    [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0], [1, 0, 2], [0, 2, 1]][round % 6]
}
