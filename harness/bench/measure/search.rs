//! The search for the highest rate at which a receiver meets an objective.
//!
//! It starts at the throughput of a closed loop, measured until the receiver has warmed up. It stops at once if the receiver accepts
//! a probe or rejects everything: no rate fixes that.

use std::time::Duration;

use crate::bench::generate::plan::{HIGHEST_RATE, LoadPlan, Mode};
use crate::bench::measure::load::{LoadEnding, LoadOutcome, LoadTarget, run};
use crate::bench::measure::messages;
use crate::bench::measure::objective::{Bound, BoundCheck, Objective};
use crate::bench::measure::rate_search::{RateSearch, SearchEnd};
use crate::bench::measure::report::{Limit, RateTrial, SearchEntry};
use crate::bench::measure::summary::ACHIEVED;
use crate::bench::measure::tally::PhaseCounts;
use crate::bench::measure::verdict::Tolerance;
use crate::error::Error;

/// The most average lateness of the generator in a trial that counts.
const LATE: Duration = Duration::from_millis(2);
/// The receiver has warmed up when two successive closed loops are this close.
const WARM: f64 = 1.05;
/// The most closed loops.
const MOST_LOOPS: usize = 5;
/// The status of a receiver that limits the rate.
const TOO_MANY_REQUESTS: usize = 429;

#[derive(Debug, Clone)]
pub struct SearchPlan {
    pub objective: Objective,
    pub text: String,
    /// The first rate; without it, the throughput of a closed loop.
    pub first: Option<f64>,
    pub trial: Duration,
    /// An accepted probe that fails the run also ends the search.
    pub tolerance: Tolerance,
}

/// The outcome of a search.
#[derive(Debug)]
pub struct FoundRate {
    pub entry: SearchEntry,
    /// The outcome of the trial that confirmed the rate, or of the last load.
    pub outcome: LoadOutcome,
    pub plan: LoadPlan,
}

/// A step of a search that ended.
#[derive(Debug)]
pub enum SearchStep<'a> {
    /// A closed loop, with its deliveries accepted per second.
    Saturated(f64),
    Tried(&'a RateTrial),
}

/// Searches for the highest rate. `on_step` is called after each load.
///
/// Errors: those of [`run`] in the first load.
pub async fn find(
    plan: &LoadPlan,
    subject: &LoadTarget<'_>,
    search_plan: &SearchPlan,
    on_step: impl FnMut(SearchStep<'_>),
) -> Result<FoundRate, Error> {
    let mut loads = Loads { plan, subject, search_plan, on_step, numbers: 0, last: None };
    let mut trials = Vec::new();
    let saturation = if search_plan.first.is_none() { loads.saturate().await? } else { None };
    let first = search_plan.first.or(saturation);
    let mut search = RateSearch::from(first.unwrap_or_default(), HIGHEST_RATE);
    while let Some(rate) = search.next_rate().filter(|_| first.is_some()) {
        let (trial, continues) = loads.try_rate(rate, search.confirms()).await?;
        if continues {
            search.record(trial.held);
        }
        trials.push(trial);
        if !continues {
            break;
        }
    }
    let (outcome, plan) = loads.last.ok_or_else(|| Error::Harness(messages::no_trial().to_owned()))?;
    let entry = SearchEntry {
        objective: search_plan.text.clone(),
        saturation,
        found: search.found(),
        missed: search.missed(),
        bounded_by: search.missed().and_then(|rate| bounded_by(&trials, rate)),
        stable: search.end() != Some(SearchEnd::Unstable),
        trials,
    };
    Ok(FoundRate { entry, outcome, plan })
}

/// The loads of a search, one after the other.
struct Loads<'a, F> {
    plan: &'a LoadPlan,
    subject: &'a LoadTarget<'a>,
    search_plan: &'a SearchPlan,
    on_step: F,
    /// How many record ids were used.
    numbers: u64,
    last: Option<(LoadOutcome, LoadPlan)>,
}

impl<F: FnMut(SearchStep<'_>)> Loads<'_, F> {
    /// Deliveries accepted per second in a closed loop, once they no longer rise. `None` if no search can follow.
    async fn saturate(&mut self) -> Result<Option<f64>, Error> {
        let mut before: Option<f64> = None;
        for _ in 0..MOST_LOOPS {
            let Ended::Load { outcome, continues } = self.load(Mode::Saturation).await? else {
                return Ok(None);
            };
            let rate = outcome.total().rate;
            (self.on_step)(SearchStep::Saturated(rate));
            if !continues || rate <= 0.0 {
                return Ok(None);
            }
            if let Some(before) = before.filter(|before| rate <= before * WARM) {
                return Ok(Some(rate.max(before)));
            }
            before = Some(rate);
        }
        Ok(before)
    }

    /// Tries a rate. Whether the search can continue is returned with the trial.
    async fn try_rate(&mut self, rate: f64, confirmation: bool) -> Result<(RateTrial, bool), Error> {
        let search_plan = self.search_plan;
        let (trial, continues) = match self.load(Mode::Rates(vec![rate])).await? {
            Ended::Load { outcome, continues } => {
                (judge(rate, confirmation, outcome, search_plan), continues)
            }
            Ended::Gone(why) => {
                (RateTrial { rate, confirmation, cut_short: true, why, ..RateTrial::default() }, false)
            }
        };
        (self.on_step)(SearchStep::Tried(&trial));
        Ok((trial, continues))
    }

    async fn load(&mut self, mode: Mode) -> Result<Ended<'_>, Error> {
        let trial = self.search_plan.trial;
        let warm_up = if self.last.is_none() { self.plan.warm_up } else { self.plan.warm_up.min(trial / 4) };
        let plan = LoadPlan { mode, duration: trial, warm_up, ..self.plan.clone() };
        let outcome = match (run(&plan, self.subject, self.numbers).await, &mut self.last) {
            (Ok(outcome), _) => outcome,
            // The earlier loads are still worth a report.
            (Err(Error::Subject(why)), Some((before, _))) => {
                before.ending = LoadEnding::Gone;
                return Ok(Ended::Gone(why.to_string()));
            }
            (Err(why), _) => return Err(why),
        };
        self.numbers = outcome.numbers;
        let counts = outcome.counts();
        let continues = outcome.ending == LoadEnding::Complete
            && (counts.acknowledged > 0 || counts.ended() == 0)
            && outcome.broken_level().is_none_or(|level| level > self.search_plan.tolerance.fail_on);
        let (outcome, _) = self.last.insert((outcome, plan));
        Ok(Ended::Load { outcome, continues })
    }
}

/// How a load of a search ended.
enum Ended<'a> {
    Load {
        outcome: &'a LoadOutcome,
        /// Whether the search can continue.
        continues: bool,
    },
    /// The receiver cannot be reached any more.
    Gone(String),
}

/// What bounded most of the trials that missed this rate; of two, the later.
fn bounded_by(trials: &[RateTrial], rate: f64) -> Option<Limit> {
    let limits: Vec<Limit> =
        trials.iter().filter(|trial| trial.rate == rate).filter_map(|trial| trial.bounded_by).collect();
    let times = |limit: &Limit| limits.iter().filter(|other| *other == limit).count();
    limits.iter().copied().max_by_key(times)
}

fn judge(rate: f64, confirmation: bool, outcome: &LoadOutcome, search_plan: &SearchPlan) -> RateTrial {
    let counts = outcome.counts();
    let achieved = outcome.entries().first().map_or(0.0, |entry| entry.achieved);
    let (late, all, _) = counts.late;
    let late = all.checked_div(u32::try_from(late).unwrap_or(u32::MAX)).unwrap_or_default();
    let checks = search_plan.objective.check(&counts, search_plan.tolerance.max_errors).into_iter();
    let missed: Vec<BoundCheck> = checks.filter(|check| !check.held).collect();
    let mut why: Vec<String> = missed.iter().map(missed_by).collect();
    let cut_short = outcome.ending != LoadEnding::Complete;
    if cut_short {
        why.push(messages::trial_ended_early().to_owned());
    }
    let is_late = late > LATE;
    let unreached = achieved < rate * ACHIEVED;
    if is_late {
        why.push(messages::trial_generator_late().to_owned());
    } else if unreached {
        why.push(messages::trial_rate_missed(achieved));
    }
    let total = outcome.total();
    RateTrial {
        rate,
        achieved,
        confirmation,
        held: why.is_empty(),
        cut_short,
        bounded_by: limit(&missed, &counts, is_late, unreached).filter(|_| !cut_short),
        why: why.join(", "),
        p50_us: total.latency.p50_us,
        p99_us: total.latency.p99_us,
        error_share: total.error_share,
        measured: search_plan.objective.0.iter().map(|bound| bound.check(&counts)).collect(),
    }
}

/// What a trial was bounded by: the first that applies explains the others.
fn limit(missed: &[BoundCheck], counts: &PhaseCounts, is_late: bool, unreached: bool) -> Option<Limit> {
    let misses_errors = missed.iter().any(|check| matches!(check.bound, Bound::Errors(_)));
    if misses_errors && counts.statuses[TOO_MANY_REQUESTS] * 2 > counts.errors() {
        Some(Limit::RateLimit)
    } else if is_late {
        Some(Limit::Generator)
    } else if misses_errors && counts.refused * 2 > counts.errors() {
        Some(Limit::Errors)
    } else if missed.iter().any(|check| matches!(check.bound, Bound::Latency(..))) {
        Some(Limit::Latency)
    } else if misses_errors {
        Some(Limit::Errors)
    } else {
        unreached.then_some(Limit::Connections)
    }
}

fn missed_by(check: &BoundCheck) -> String {
    match check.bound {
        Bound::Errors(_) => messages::measured_errors(check.measured),
        Bound::Latency(measure, _) => messages::measured_latency(&measure, check.measured),
    }
}
