//! The search for the highest rate: the rate of each trial against its latency.

use maud::{Markup, html};

use super::axis::Axis;
use super::chart::{Chart, Column, Limit, Mark};
use super::mark::MarkKind;
use super::messages;
use crate::bench::measure::objective::{Bound, BoundCheck, Measure, Objective};
use crate::bench::measure::report::{RateTrial, SearchEntry};
use crate::bench::show::messages as said;
use crate::bench::show::text::ms;
use crate::page::text;

/// The latency that a search is about.
struct Aim {
    /// `p99`.
    name: String,
    /// The bound as a text, and in milliseconds.
    limit: Option<(String, f64)>,
}

impl Aim {
    /// Without a bound on the latency, or in a text that cannot be read, it is the p99.
    fn of(objective: &str) -> Self {
        let bounds = objective.parse::<Objective>().map(|objective| objective.0).unwrap_or_default();
        let latency = bounds.into_iter().find(|bound| matches!(bound, Bound::Latency(..)));
        match latency {
            Some(bound @ Bound::Latency(measure, most)) => {
                let limit = Some((bound.to_string(), most.as_secs_f64() * 1e3));
                Self { name: measure.to_string(), limit }
            }
            _ => Self { name: Measure::Quantile(0.99).to_string(), limit: None },
        }
    }

    /// The latency of a trial in milliseconds, if any delivery was accepted.
    fn measured(&self, trial: &RateTrial) -> Option<f64> {
        let is_latency = |check: &&BoundCheck| matches!(check.bound, Bound::Latency(..));
        let kept = trial.measured.iter().find(is_latency).map(|check| check.measured);
        // Earlier reports have only these.
        let known = || match self.name.as_str() {
            "p50" => Some(trial.p50_us as f64 / 1e3),
            "p99" => Some(trial.p99_us as f64 / 1e3),
            _ => None,
        };
        kept.or_else(known).filter(|ms| *ms > 0.0)
    }
}

pub(super) fn search(search: &SearchEntry) -> Markup {
    let told = match search.found {
        Some(rate) => said::highest(rate, search.missed.zip(search.bounded_by)),
        None if !search.stable => said::unstable().to_owned(),
        None => said::no_confirmed_rate().to_owned(),
    };
    let aim = Aim::of(&search.objective);
    html! {
        section aria-labelledby="search" {
            h2 #search { (text::line(&said::search_heading(&search.objective, search.found))) }
            @if let Some(rate) = search.saturation { p.dim { (messages::sentence(&said::saturation(rate))) } }
            p { (text::line(&messages::sentence(&told))) }
            (chart(search, &aim))
        }
    }
}

fn chart(search: &SearchEntry, aim: &Aim) -> Markup {
    let marks: Vec<Mark> = search.trials.iter().filter_map(|trial| mark(trial, aim)).collect();
    let mut heights: Vec<f64> = marks.iter().map(|mark| mark.up).collect();
    heights.extend(aim.limit.iter().map(|(_, limit)| limit));
    let rates: Vec<f64> = search.trials.iter().map(|trial| trial.rate).collect();
    let limit = aim.limit.clone().map(|(name, limit)| Limit::Up(limit, name));
    let found = search.found.map(|rate| Limit::Across(rate, messages::found(rate)));
    let up_name = messages::of_trials(&aim.name);
    let chart = Chart {
        label: messages::search_chart(),
        up_name: &up_name,
        across: Axis::around(&rates, "/s").across(),
        up: Axis::logarithmic(&heights).up(),
        lines: Vec::new(),
        marks,
        limits: limit.into_iter().chain(found).collect(),
        head: vec!["rate", "trial", "result", &aim.name, "p50", "sent", "reason"],
        columns: columns(search, aim),
        is_open: false,
    };
    if chart.marks.is_empty() { chart.table() } else { chart.render() }
}

fn kind(trial: &RateTrial) -> MarkKind {
    match (trial.held, trial.cut_short) {
        (true, _) => MarkKind::Met,
        (false, true) => MarkKind::Stopped,
        (false, false) => MarkKind::Missed,
    }
}

fn mark(trial: &RateTrial, aim: &Aim) -> Option<Mark> {
    let up = aim.measured(trial)?;
    Some(Mark { kind: kind(trial), across: trial.rate, up, is_confirmation: trial.confirmation })
}

/// The trials of each rate, in the order of the rates.
fn columns(search: &SearchEntry, aim: &Aim) -> Vec<Column> {
    let mut trials: Vec<(usize, &RateTrial)> = (1..).zip(&search.trials).collect();
    trials.sort_by(|(_, one), (_, other)| one.rate.total_cmp(&other.rate));
    let same = trials.chunk_by(|(_, one), (_, other)| one.rate.total_cmp(&other.rate).is_eq());
    same.filter_map(|trials| {
        let rate = trials.first()?.1.rate;
        let rows = trials.iter().map(|(number, trial)| row(*number, trial, aim)).collect();
        let said: Vec<String> = trials.iter().map(|(_, trial)| said_of(trial, aim)).collect();
        Some(Column { at: rate, said: messages::at_rate(rate, &said), rows })
    })
    .collect()
}

/// `met, p99 4.447 ms`.
fn said_of(trial: &RateTrial, aim: &Aim) -> String {
    let latency = aim.measured(trial).map(|ms| format!("{} {ms:.3} ms", aim.name));
    let result = messages::result_of_trial(kind(trial), trial.confirmation);
    messages::list(&[result, latency.unwrap_or_default()])
}

fn row(number: usize, trial: &RateTrial, aim: &Aim) -> Vec<String> {
    vec![
        format!("{:.1}/s", trial.rate),
        number.to_string(),
        messages::result_of_trial(kind(trial), trial.confirmation),
        aim.measured(trial).map(|value| format!("{value:.3} ms")).unwrap_or_default(),
        if trial.p50_us == 0 { String::new() } else { format!("{} ms", ms(trial.p50_us)) },
        format!("{:.1}/s", trial.achieved),
        trial.why.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Aim, Bound, BoundCheck, Measure, RateTrial};

    #[test]
    fn latency_of_a_trial_is_the_objective_s() {
        let trial = RateTrial { p50_us: 1_000, p99_us: 9_000, ..RateTrial::default() };
        for (objective, name, limit, measured) in [
            ("p99<50ms", "p99", Some(50.0), Some(9.0)),
            ("errors<1%,p50<2ms", "p50", Some(2.0), Some(1.0)),
            ("errors<1%", "p99", None, Some(9.0)),
            ("p99.9<1s", "p99.9", Some(1000.0), None),
            ("<script>", "p99", None, Some(9.0)),
        ] {
            let aim = Aim::of(objective);
            assert_eq!(
                (aim.name.as_str(), aim.limit.as_ref().map(|(_, ms)| *ms)),
                (name, limit),
                "{objective}"
            );
            assert_eq!(aim.measured(&trial), measured, "{objective}");
        }
        let aim = Aim::of("p99.9<1s");
        let check = |bound, measured| BoundCheck { bound, measured, held: true };
        let latency = Bound::Latency(Measure::Quantile(0.999), Duration::from_secs(1));
        let measured = vec![check(Bound::Errors(0.01), 0.0), check(latency, 70.5)];
        let trial = RateTrial { measured, ..trial };
        assert_eq!(aim.measured(&trial), Some(70.5));
    }
}
