//! Two receivers measured against each other on one machine: the order of loads, and what their ratios mean.
//!
//! There are three series, each with freshly started receivers. The A/A control measures the base against itself, which shows
//! what this machine can measure. The second series measures the base against the candidate. The third repeats the second if
//! that shows a regression. A round of a series is four loads in the order base, candidate, candidate, base. Every second round
//! has the opposite order.
//!
//! A control whose interval is too wide gets up to three times its rounds while that may help. The other series get as many
//! rounds as the control. Only the width decides this, never the ratio: continuing until the ratio looks good would bias it.
//!
//! If the control is not steady, the result is inconclusive. Two series have to agree on a regression.

use serde::{Deserialize, Serialize};

use super::messages;
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::LoadFacts;
use crate::bench::measure::result::BenchResult;
use crate::statistics::{Better, Interval, Place, RESAMPLES, Steadiness, interval, log_ratio};

pub const FORMAT: &str = "twenty-conform-pair/1";
pub const MOST_ROUNDS: usize = 1000;
/// A control may have this many times the planned rounds.
const LONGEST_CONTROL: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Accepted deliveries per second, in a closed loop.
    Rate,
    /// The 99th percentile of latencies, in an open loop.
    P99,
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
    pub figure: Figure,
    /// How much worse the candidate may be, as a share.
    pub max_regression: f64,
    /// The series that were begun. The last may be incomplete.
    pub series: Vec<PairSeries>,
    pub result: BenchResult,
    pub why: String,
    pub exit_status: u8,
    pub duration_ms: u64,
    pub notes: Vec<String>,
}

/// The rounds of two receivers that run at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairSeries {
    pub name: SeriesName,
    /// The complete rounds.
    pub rounds: Vec<PairRound>,
    /// The ratio of the second receiver's figure to the base's, if all rounds are complete.
    pub ratio: Option<Interval>,
}

described! {
    pub enum SeriesName {
        Control: "A/A control (base against itself)",
        First: "candidate against base",
        Second: "candidate against base, repeated",
    }
}

/// The figures of a round's four loads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairRound {
    pub base: [f64; 2],
    pub candidate: [f64; 2],
}

#[derive(Debug, Clone, PartialEq)]
pub enum Conclusion {
    Continue(SeriesName),
    Final(BenchResult, String),
}

impl Figure {
    pub fn better(self) -> Better {
        match self {
            Self::Rate => Better::Higher,
            Self::P99 => Better::Lower,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::P99 => "p99",
        }
    }
}

impl PairSeries {
    /// A complete series.
    pub fn of(name: SeriesName, rounds: Vec<PairRound>, seed: u64) -> Self {
        let ratio = ratio(name, &rounds, seed);
        Self { name, rounds, ratio }
    }

    /// Whether a series has all its rounds. `planned` is the number of rounds asked for; after the control, the control's number.
    pub fn is_over(name: SeriesName, rounds: &[PairRound], planned: usize, seed: u64, most: f64) -> bool {
        let count = rounds.len();
        if name != SeriesName::Control || count < planned {
            return count >= planned;
        }
        if !count.is_multiple_of(planned.max(1)) {
            return false;
        }
        let Some(ratio) = ratio(name, rounds, seed) else { return true };
        // The width falls with the square root of the rounds. If the maximum would not be enough either, measuring more is pointless.
        let at_best = ratio.width() * (count as f64 / (LONGEST_CONTROL * planned) as f64).sqrt();
        count >= LONGEST_CONTROL * planned
            || ratio.steadiness(most) != Steadiness::Wide
            || at_best > most / 2.0
    }
}

fn ratio(name: SeriesName, rounds: &[PairRound], seed: u64) -> Option<Interval> {
    let logs: Vec<f64> = rounds.iter().map(|round| log_ratio(round.base, round.candidate)).collect();
    // Each series has a seed of its own.
    interval(&logs, seed ^ name as u64, RESAMPLES).map(Interval::ratio)
}

/// Whether each of a round's four loads goes to the second receiver.
pub fn order(round: usize) -> [bool; 4] {
    if round.is_multiple_of(2) { [false, true, true, false] } else { [true, false, false, true] }
}

/// Decides from the ratios so far: the control's, and those of the candidate's series.
pub fn conclude(control: Option<&Interval>, candidate: &[Interval], better: Better, most: f64) -> Conclusion {
    let Some(control) = control else { return Conclusion::Continue(SeriesName::Control) };
    let inconclusive = |why: String| Conclusion::Final(BenchResult::Inconclusive, why);
    match control.steadiness(most) {
        Steadiness::Steady => {}
        Steadiness::Wide => return inconclusive(messages::control_noisy(control, most)),
        Steadiness::Biased => return inconclusive(messages::control_biased(control, most)),
    }
    let places: Vec<Place> = candidate.iter().map(|one| one.place(better, most)).collect();
    match (candidate, places.as_slice()) {
        ([], _) => Conclusion::Continue(SeriesName::First),
        ([one, ..], [Place::Within, ..]) => {
            Conclusion::Final(BenchResult::Pass, messages::pair_passed(one, most))
        }
        ([one, ..], [Place::Astride, ..]) => inconclusive(messages::pair_undecided(one, most)),
        ([_], _) => Conclusion::Continue(SeriesName::Second),
        ([first, second, ..], [_, Place::Beyond, ..]) => {
            Conclusion::Final(BenchResult::Slow, messages::pair_slower(first, second, most))
        }
        ([first, second, ..], _) => inconclusive(messages::pair_contradicted(first, second, most)),
    }
}
