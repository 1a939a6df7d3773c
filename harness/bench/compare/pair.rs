//! Two receivers measured against each other on one machine: what is measured in which order, and what may be said of it.
//!
//! Three series, each with both receivers started anew: the base against itself (the control, which says what the machine can
//! tell at all), the base against the candidate, and, where that shows a regression, the same once more. A round of a series is
//! four loads in the order base, candidate, candidate, base, and in the opposite order in every second round. A control whose
//! interval is too wide goes on for up to three times its rounds while that may help; the other series have as many as it had.
//! Only how wide it is decides that, never where it lies: to go on until a result is liked would be to choose it.
//!
//! Invariant: judging is pure. Nothing passes and nothing fails on a machine whose control is not steady, and a regression is
//! only told by two series that agree.

use serde::{Deserialize, Serialize};

use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::report::LoadFacts;
use crate::bench::measure::result::BenchResult;
use crate::statistics::{Better, Interval, Place, RESAMPLES, Steadiness, interval, log_ratio};

pub const FORMAT: &str = "twenty-conform-pair/1";
pub const MOST_ROUNDS: usize = 1000;
/// How many times the planned rounds a control may have before it is given up.
const PATIENCE: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// Acknowledged deliveries per second, at saturation.
    Rate,
    /// The latency that 99 of 100 deliveries do not exceed, at a rate.
    P99,
}

/// What two receivers that were measured against each other have shown.
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
    /// When it began, as RFC 3339.
    pub started_at: String,
    pub seed: u64,
    /// Each load of a round; its warm-up is that of a receiver that was just started.
    pub load: LoadFacts,
    pub figure: Figure,
    /// By which share the candidate may be worse.
    pub max_regression: f64,
    /// The series, as far as they went.
    pub series: Vec<PairSeries>,
    pub result: BenchResult,
    pub why: String,
    pub exit_status: u8,
    pub duration_ms: u64,
    pub notes: Vec<String>,
}

/// Rounds of two receivers that run side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairSeries {
    pub name: SeriesName,
    /// The rounds that came to an end.
    pub rounds: Vec<PairRound>,
    /// The ratio of the second receiver's figure to the base's, where all rounds came to an end.
    pub ratio: Option<Interval>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesName {
    /// The base against itself.
    Control,
    /// The base against the candidate.
    First,
    /// The same once more.
    Second,
}

/// The figures of a round's four loads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairRound {
    pub base: [f64; 2],
    pub candidate: [f64; 2],
}

#[derive(Debug, Clone, PartialEq)]
pub enum Conclusion {
    GoOn(SeriesName),
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

impl SeriesName {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Control => "control (base against base)",
            Self::First => "candidate against base",
            Self::Second => "candidate against base, once more",
        }
    }
}

impl PairSeries {
    /// A series whose rounds all came to an end.
    pub fn of(name: SeriesName, rounds: Vec<PairRound>, seed: u64) -> Self {
        let ratio = ratio(name, &rounds, seed);
        Self { name, rounds, ratio }
    }

    /// Whether a series has had its rounds. Planned are those that were asked for; after the control, as many as it had.
    pub fn is_over(name: SeriesName, rounds: &[PairRound], planned: usize, seed: u64, most: f64) -> bool {
        let count = rounds.len();
        if name != SeriesName::Control || count < planned {
            return count >= planned;
        }
        if !count.is_multiple_of(planned.max(1)) {
            return false;
        }
        let Some(ratio) = ratio(name, rounds, seed) else { return true };
        // An interval gets narrower with the root of the rounds; where even all of them would not do, none more is measured.
        let at_best = ratio.width() * (count as f64 / (PATIENCE * planned) as f64).sqrt();
        count >= PATIENCE * planned || ratio.steadiness(most) != Steadiness::Wide || at_best > most / 2.0
    }
}

fn ratio(name: SeriesName, rounds: &[PairRound], seed: u64) -> Option<Interval> {
    let logs: Vec<f64> = rounds.iter().map(|round| log_ratio(round.base, round.candidate)).collect();
    // Each series draws on its own.
    interval(&logs, seed ^ name as u64, RESAMPLES).map(Interval::ratio)
}

/// The order of a round: whether each of the four loads is on the second receiver.
pub fn order(round: usize) -> [bool; 4] {
    if round.is_multiple_of(2) { [false, true, true, false] } else { [true, false, false, true] }
}

/// What the ratios so far say: the control's, and those of the candidate's series.
pub fn conclude(control: Option<&Interval>, candidate: &[Interval], better: Better, most: f64) -> Conclusion {
    let Some(control) = control else { return Conclusion::GoOn(SeriesName::Control) };
    let shown = |one: &Interval| format!("{:.3} to {:.3}", one.low, one.high);
    let inconclusive = |why: String| Conclusion::Final(BenchResult::Inconclusive, why);
    let percent = |share: f64| format!("{}%", (share * 1e4).round() / 1e2);
    match control.steadiness(most) {
        Steadiness::Steady => {}
        Steadiness::Wide => {
            return inconclusive(format!(
                "the base against itself gives {}, which is wider than half of {}: this machine, as busy as it is now, does \
                 not tell such a difference; give it less to do besides, more --rounds, a longer --duration or a higher \
                 --max-regression",
                shown(control),
                percent(most)
            ));
        }
        Steadiness::Biased => {
            return inconclusive(format!(
                "the base against itself gives {}, which is further from 1 than half of {}: two processes of the same \
                 command do not measure alike here",
                shown(control),
                percent(most)
            ));
        }
    }
    let places: Vec<Place> = candidate.iter().map(|one| one.place(better, most)).collect();
    match (candidate, places.as_slice()) {
        ([], _) => Conclusion::GoOn(SeriesName::First),
        ([one, ..], [Place::Within, ..]) => Conclusion::Final(
            BenchResult::Pass,
            format!("the ratio lies within {}: no regression of more than {}", shown(one), percent(most)),
        ),
        ([one, ..], [Place::Astride, ..]) => inconclusive(format!(
            "the ratio lies within {}, on both sides of {}: give more --rounds or a longer --duration",
            shown(one),
            percent(most)
        )),
        ([_], _) => Conclusion::GoOn(SeriesName::Second),
        ([first, second, ..], [_, Place::Beyond, ..]) => Conclusion::Final(
            BenchResult::Slow,
            format!(
                "a regression of more than {}, in two series that agree: the ratio lies within {}, and within {}",
                percent(most),
                shown(first),
                shown(second)
            ),
        ),
        ([first, second, ..], _) => inconclusive(format!(
            "the ratio lies within {}, and within {} once more: the two series do not agree on a regression of more than {}",
            shown(first),
            shown(second),
            percent(most)
        )),
    }
}
