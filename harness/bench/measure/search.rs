//! The search for the highest rate that holds an objective, on a receiver.
//!
//! Invariant: it stops at once where a receiver lets a probe through, or acknowledges nothing: no rate fixes that.

use std::time::Duration;

use crate::bench::generate::plan::{HIGHEST_RATE, LoadPlan, Mode};
use crate::bench::measure::load::{LoadEnding, LoadOutcome, LoadTarget, run};
use crate::bench::measure::objective::{Bound, BoundCheck, Objective, RateSearch};
use crate::bench::measure::report::{RateTrial, SearchEntry};
use crate::bench::measure::summary::ACHIEVED;
use crate::bench::measure::verdict::Tolerance;
use crate::error::Error;

/// The rate that a search begins with where none is given, in deliveries per second.
pub const FIRST_RATE: f64 = 500.0;
/// How late the generator may be on average in a trial that counts.
const LATE: Duration = Duration::from_millis(2);

#[derive(Debug, Clone)]
pub struct Quest {
    pub objective: Objective,
    pub text: String,
    pub first: f64,
    pub trial: Duration,
    /// What the receiver may do wrong; a probe that fails the run ends the search.
    pub tolerance: Tolerance,
}

/// What a search has found: each trial, the last load that tells of the result, and its plan.
#[derive(Debug)]
pub struct FoundRate {
    pub entry: SearchEntry,
    /// The outcome of the trial that confirmed the rate, or of the last one.
    pub outcome: LoadOutcome,
    pub plan: LoadPlan,
}

/// Searches. `told` hears of each trial.
///
/// Errors: as [`run`], for the first trial.
pub async fn find(
    plan: &LoadPlan,
    subject: &LoadTarget<'_>,
    quest: &Quest,
    mut told: impl FnMut(&RateTrial),
) -> Result<FoundRate, Error> {
    let mut search = RateSearch::from(quest.first, HIGHEST_RATE);
    let mut trials = Vec::new();
    let mut last: Option<(LoadOutcome, LoadPlan)> = None;
    let mut numbers = 0;
    while let Some(rate) = search.next_rate() {
        let warm_up = if trials.is_empty() { plan.warm_up } else { plan.warm_up.min(quest.trial / 4) };
        let plan = LoadPlan { mode: Mode::Rates(vec![rate]), duration: quest.trial, warm_up, ..plan.clone() };
        let outcome = match (run(&plan, subject, numbers).await, &mut last) {
            (Ok(outcome), _) => outcome,
            // What was found out until then is not lost with the receiver.
            (Err(Error::Subject(why)), Some((before, _))) => {
                before.ending = LoadEnding::Gone;
                let trial = RateTrial {
                    rate,
                    confirmation: search.confirms(),
                    cut_short: true,
                    why: why.to_string(),
                    ..RateTrial::default()
                };
                told(&trial);
                trials.push(trial);
                break;
            }
            (Err(why), _) => return Err(why),
        };
        numbers = outcome.numbers;
        let trial = judge(rate, search.confirms(), &outcome, quest);
        told(&trial);
        let counts = outcome.counts();
        let goes_on = outcome.ending == LoadEnding::Complete
            && (counts.acknowledged > 0 || counts.ended() == 0)
            && outcome.broken_level().is_none_or(|level| level > quest.tolerance.fail_on);
        if goes_on {
            search.tell(trial.held);
        }
        trials.push(trial);
        last = Some((outcome, plan));
        if !goes_on {
            break;
        }
    }
    let (outcome, plan) = last.ok_or_else(|| Error::Harness("a search without a trial".to_owned()))?;
    let entry = SearchEntry { objective: quest.text.clone(), found: search.found(), trials };
    Ok(FoundRate { entry, outcome, plan })
}

fn judge(rate: f64, confirmation: bool, outcome: &LoadOutcome, quest: &Quest) -> RateTrial {
    let counts = outcome.counts();
    let achieved = outcome.entries().first().map_or(0.0, |entry| entry.achieved);
    let (late, all, _) = counts.late;
    let late = all.checked_div(u32::try_from(late).unwrap_or(u32::MAX)).unwrap_or_default();
    let broken: Vec<BoundCheck> = quest
        .objective
        .held_by(&counts, quest.tolerance.max_errors)
        .into_iter()
        .filter(|one| !one.held)
        .collect();
    let mut why: Vec<String> = broken.iter().map(words).collect();
    let cut_short = outcome.ending != LoadEnding::Complete;
    if cut_short {
        why.push("the load ended early".to_owned());
    }
    if late > LATE {
        why.push("the generator itself did not keep up".to_owned());
    } else if achieved < rate * ACHIEVED {
        why.push(format!("only {achieved:.1}/s went out in time"));
    }
    let total = outcome.total();
    RateTrial {
        rate,
        achieved,
        confirmation,
        held: why.is_empty(),
        cut_short,
        why: why.join(", "),
        p50_us: total.latency.p50_us,
        p99_us: total.latency.p99_us,
        error_share: total.error_share,
    }
}

fn words(held: &BoundCheck) -> String {
    match held.bound {
        Bound::Errors(_) => format!("{:.3}% errors", held.measured),
        Bound::Latency(measure, _) => format!("{measure} {:.3} ms", held.measured),
    }
}
