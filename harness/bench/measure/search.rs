//! The search for the highest rate at which a receiver meets an objective.
//!
//! It stops at once if the receiver accepts a probe or rejects everything: no rate fixes that.

use std::time::Duration;

use crate::bench::generate::plan::{HIGHEST_RATE, LoadPlan, Mode};
use crate::bench::measure::load::{LoadEnding, LoadOutcome, LoadTarget, run};
use crate::bench::measure::messages;
use crate::bench::measure::objective::{Bound, BoundCheck, Objective, RateSearch};
use crate::bench::measure::report::{RateTrial, SearchEntry};
use crate::bench::measure::summary::ACHIEVED;
use crate::bench::measure::verdict::Tolerance;
use crate::error::Error;

/// The default first rate of a search, in deliveries per second.
pub const FIRST_RATE: f64 = 500.0;
/// The most average lateness of the generator in a trial that counts.
const LATE: Duration = Duration::from_millis(2);

#[derive(Debug, Clone)]
pub struct SearchPlan {
    pub objective: Objective,
    pub text: String,
    pub first: f64,
    pub trial: Duration,
    /// An accepted probe that fails the run also ends the search.
    pub tolerance: Tolerance,
}

/// The outcome of a search.
#[derive(Debug)]
pub struct FoundRate {
    pub entry: SearchEntry,
    /// The outcome of the trial that confirmed the rate, or of the last trial.
    pub outcome: LoadOutcome,
    pub plan: LoadPlan,
}

/// Searches for the highest rate. `on_trial` is called after each trial.
///
/// Errors: those of [`run`] in the first trial.
pub async fn find(
    plan: &LoadPlan,
    subject: &LoadTarget<'_>,
    search_plan: &SearchPlan,
    mut on_trial: impl FnMut(&RateTrial),
) -> Result<FoundRate, Error> {
    let mut search = RateSearch::from(search_plan.first, HIGHEST_RATE);
    let mut trials = Vec::new();
    let mut last: Option<(LoadOutcome, LoadPlan)> = None;
    let mut numbers = 0;
    while let Some(rate) = search.next_rate() {
        let warm_up = if trials.is_empty() { plan.warm_up } else { plan.warm_up.min(search_plan.trial / 4) };
        let plan =
            LoadPlan { mode: Mode::Rates(vec![rate]), duration: search_plan.trial, warm_up, ..plan.clone() };
        let outcome = match (run(&plan, subject, numbers).await, &mut last) {
            (Ok(outcome), _) => outcome,
            // The receiver is gone, but the earlier trials are still worth a report.
            (Err(Error::Subject(why)), Some((before, _))) => {
                before.ending = LoadEnding::Gone;
                let trial = RateTrial {
                    rate,
                    confirmation: search.confirms(),
                    cut_short: true,
                    why: why.to_string(),
                    ..RateTrial::default()
                };
                on_trial(&trial);
                trials.push(trial);
                break;
            }
            (Err(why), _) => return Err(why),
        };
        numbers = outcome.numbers;
        let trial = judge(rate, search.confirms(), &outcome, search_plan);
        on_trial(&trial);
        let counts = outcome.counts();
        let continues = outcome.ending == LoadEnding::Complete
            && (counts.acknowledged > 0 || counts.ended() == 0)
            && outcome.broken_level().is_none_or(|level| level > search_plan.tolerance.fail_on);
        if continues {
            search.record(trial.held);
        }
        trials.push(trial);
        last = Some((outcome, plan));
        if !continues {
            break;
        }
    }
    let (outcome, plan) = last.ok_or_else(|| Error::Harness(messages::no_trial().to_owned()))?;
    let entry = SearchEntry { objective: search_plan.text.clone(), found: search.found(), trials };
    Ok(FoundRate { entry, outcome, plan })
}

fn judge(rate: f64, confirmation: bool, outcome: &LoadOutcome, search_plan: &SearchPlan) -> RateTrial {
    let counts = outcome.counts();
    let achieved = outcome.entries().first().map_or(0.0, |entry| entry.achieved);
    let (late, all, _) = counts.late;
    let late = all.checked_div(u32::try_from(late).unwrap_or(u32::MAX)).unwrap_or_default();
    let missed = search_plan.objective.check(&counts, search_plan.tolerance.max_errors).into_iter();
    let mut why: Vec<String> = missed.filter(|check| !check.held).map(|check| missed_by(&check)).collect();
    let cut_short = outcome.ending != LoadEnding::Complete;
    if cut_short {
        why.push(messages::trial_ended_early().to_owned());
    }
    if late > LATE {
        why.push(messages::trial_generator_late().to_owned());
    } else if achieved < rate * ACHIEVED {
        why.push(messages::trial_rate_missed(achieved));
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

fn missed_by(check: &BoundCheck) -> String {
    match check.bound {
        Bound::Errors(_) => messages::measured_errors(check.measured),
        Bound::Latency(measure, _) => messages::measured_latency(&measure, check.measured),
    }
}
