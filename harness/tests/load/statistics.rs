//! Intervals of noisy figures, and the verdicts of `bench pair` on simulated machines. Every figure comes from a seed, so counts
//! are the same in every run.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use twenty_conform::bench::compare::pair::{Conclusion, PairRound, PairSeries, SeriesName, conclude, order};
use twenty_conform::exit::ExitStatus;
use twenty_conform::statistics::{
    Better, FEWEST, Interval, Place, Steadiness, difference, interval, log_ratio, quotient, trimmed_mean,
};

/// Enough to estimate coverage, and few enough for an unoptimised build.
const RESAMPLES: usize = 300;

/// Draws from the standard normal distribution.
fn normal(random: &mut StdRng) -> f64 {
    let uniform = |random: &mut StdRng| random.random_range(f64::EPSILON..1.0);
    (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * (1.0 + one.abs().max(other.abs()))
}

fn figures() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-10.0..10.0f64, FEWEST..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn interval_scales_with_its_figures(values in figures(), by in -5.0..5.0f64, factor in 0.1..10.0f64) {
        let of = |values: &[f64]| interval(values, 7, 100).unwrap();
        let (one, moved) = (of(&values), of(&values.iter().map(|value| value * factor + by).collect::<Vec<_>>()));
        for (one, moved) in [(one.low, moved.low), (one.estimate, moved.estimate), (one.high, moved.high)] {
            prop_assert!(near(one * factor + by, moved), "{one} {moved}");
        }
    }

    #[test]
    fn interval_ignores_the_order_of_figures(values in figures(), seed: u64) {
        let mut reversed = values.clone();
        reversed.reverse();
        prop_assert_eq!(interval(&values, seed, 100), interval(&reversed, seed, 100));
        let one = interval(&values, seed, 100).unwrap();
        prop_assert!(one.low <= one.high);
        let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), &value| (a.min(value), b.max(value)));
        prop_assert!(least - 1e-9 <= one.low && one.high <= most + 1e-9 && one.estimate.is_finite());
    }

    #[test]
    fn log_ratio_cancels_drift_and_inverts(base in 1.0..1e6f64, candidate in 1.0..1e6f64, drift in 0.9..1.1f64) {
        // A steady drift, in both orders of a round: the middle two loads come after one and two steps of it.
        let step = drift.ln();
        let at = |figure: f64, step_count: f64| figure * (step * step_count).exp();
        let outer_base = log_ratio([at(base, 0.0), at(base, 3.0)], [at(candidate, 1.0), at(candidate, 2.0)]);
        let inner_base = log_ratio([at(base, 1.0), at(base, 2.0)], [at(candidate, 0.0), at(candidate, 3.0)]);
        let expected = (candidate / base).ln();
        prop_assert!(near(outer_base, expected) && near(inner_base, expected), "{outer_base} {inner_base} {expected}");
        prop_assert!(near(log_ratio([base; 2], [candidate; 2]), -log_ratio([candidate; 2], [base; 2])));
    }

    #[test]
    fn interval_of_equal_figures_contains_no_change(values in figures()) {
        let one = difference(&values, &values, 3, 100).unwrap();
        prop_assert!(near(one.estimate, 0.0) && one.low <= 1e-9 && one.high >= -1e-9, "{one:?}");
        let doubled: Vec<f64> = values.iter().map(|value| 2.0 * (value + 11.0)).collect();
        let raised: Vec<f64> = values.iter().map(|value| value + 11.0).collect();
        let two = quotient(&raised, &doubled, 3, 100).unwrap().ratio();
        prop_assert!(near(two.estimate, 2.0) && two.low <= 2.0 + 1e-9 && two.high >= 2.0 - 1e-9, "{two:?}");
        let same = vec![4.0; values.len()];
        prop_assert_eq!(interval(&same, 3, 100), Some(Interval { low: 4.0, estimate: 4.0, high: 4.0 }));
    }

    #[test]
    fn verdict_agrees_with_both_ends_of_the_interval(low in 0.5..1.5f64, width in 0.0..0.5f64, most in 0.01..0.3f64) {
        let one = Interval { low, estimate: low + width / 2.0, high: low + width };
        let higher = match one.place(Better::Higher, most) {
            Place::Beyond => one.high < 1.0 - most,
            Place::Within => one.low >= 1.0 - most,
            Place::Astride => one.low < 1.0 - most && one.high >= 1.0 - most,
        };
        let lower = match one.place(Better::Lower, most) {
            Place::Beyond => one.low > 1.0 + most,
            Place::Within => one.high <= 1.0 + most,
            Place::Astride => one.low <= 1.0 + most && one.high > 1.0 + most,
        };
        prop_assert!(higher && lower);
    }
}

#[test]
fn interval_needs_enough_finite_figures() {
    assert_eq!(trimmed_mean(&[]), None);
    assert_eq!(trimmed_mean(&[1.0, 2.0, 3.0, 4.0, 1e9]), Some(3.0));
    assert_eq!(interval(&[1.0; FEWEST - 1], 1, 100), None);
    assert_eq!(interval(&[1.0, 2.0, f64::NAN, 3.0, 4.0], 1, 100), None, "NaN is not a figure");
    assert_eq!(interval(&[1.0, 2.0, f64::INFINITY, 3.0, 4.0], 1, 100), None);
    assert_eq!(difference(&[1.0; 4], &[1.0; 9], 1, 100), None);
    assert_eq!(quotient(&[0.0; 9], &[1.0; 9], 1, 100), None, "0 has no ratio");
    assert!(quotient(&[1.0; 9], &[0.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1, 100).is_some(), "a stall is a figure");
    let nan = Interval { low: f64::NAN, estimate: f64::NAN, high: f64::NAN };
    assert_eq!(nan.steadiness(0.05), Steadiness::Wide);
    assert_eq!(nan.place(Better::Higher, 0.05), Place::Astride);
}

#[test]
fn interval_covers_the_true_value_as_often_as_stated() {
    let mut random = StdRng::seed_from_u64(11);
    // Normal figures, without and with outliers.
    for (outliers, least) in [(0.0, 92), (0.05, 92)] {
        let covered = (0..400).filter(|seed| {
            let values: Vec<f64> = (0..20)
                .map(|_| {
                    let wide = if random.random_bool(outliers) { 10.0 } else { 1.0 };
                    0.3 + 0.02 * wide * normal(&mut random)
                })
                .collect();
            let one = interval(&values, *seed, RESAMPLES).unwrap();
            one.low <= 0.3 && 0.3 <= one.high
        });
        let covered = covered.count() * 100 / 400;
        assert!((least..=98).contains(&covered), "{covered} of 100, {outliers}");
    }
}

/// A simulated machine.
struct Machine {
    random: StdRng,
    /// The standard deviation of a load's figure.
    noise: f64,
    /// How much slower it gets from load to load.
    drift: f64,
    /// The probability that other work disturbs a load, and the largest share of the load that this costs.
    disturbed: (f64, f64),
    loads: f64,
}

impl Machine {
    fn new(seed: u64, noise: f64, drift: f64, disturbed: (f64, f64)) -> Self {
        Self { random: StdRng::seed_from_u64(seed), noise, drift, disturbed, loads: 0.0 }
    }

    fn load(&mut self, speed: f64) -> f64 {
        self.loads += 1.0;
        let disturbed = self.random.random_bool(self.disturbed.0);
        let lost = if disturbed { self.random.random_range(0.0..self.disturbed.1) } else { 0.0 };
        speed * (self.noise * normal(&mut self.random) - self.drift * self.loads).exp() * (1.0 - lost)
    }

    /// The result of `bench pair` for a candidate of that speed. The base has speed 1.
    fn pair(&mut self, seed: u64, candidate: f64) -> ExitStatus {
        let mut series: Vec<PairSeries> = Vec::new();
        loop {
            let control = series.first().and_then(|one| one.ratio);
            let ratios: Vec<Interval> = series.iter().skip(1).filter_map(|one| one.ratio).collect();
            let next = match conclude(control.as_ref(), &ratios, Better::Higher, 0.05) {
                Conclusion::Final(result, _) => return result.status(),
                Conclusion::Continue(next) => next,
            };
            let other = if next == SeriesName::Control { 1.0 } else { candidate };
            let planned = series.first().map_or(20, |control| control.rounds.len());
            let mut rounds = Vec::new();
            while !PairSeries::is_over(next, &rounds, planned, seed, 0.05) {
                let (mut base, mut second) = (Vec::new(), Vec::new());
                for on_second in order(rounds.len()) {
                    if on_second {
                        second.push(self.load(other));
                    } else {
                        base.push(self.load(1.0));
                    }
                }
                rounds.push(PairRound { base: [base[0], base[1]], candidate: [second[0], second[1]] });
            }
            series.push(PairSeries::of(next, rounds, seed));
        }
    }

    /// How many of the runs end with that status.
    fn count(make: impl Fn(u64) -> Self, runs: u64, candidate: f64, status: ExitStatus) -> usize {
        (0..runs).filter(|seed| make(*seed).pair(*seed, candidate) == status).count()
    }
}

#[test]
fn ten_percent_regression_is_found_on_a_quiet_machine() {
    // 10 % more work is 1/1.1 of the rate.
    for noise in [0.01, 0.02] {
        let quiet = |seed| Machine::new(seed, noise, 0.0, (0.01, 0.3));
        let found = Machine::count(quiet, 40, 1.0 / 1.1, ExitStatus::Slower);
        assert!(found >= 38, "{found} of 40 with a noise of {noise}");
        let passed = Machine::count(quiet, 40, 1.0, ExitStatus::Passed);
        assert!(passed >= 38, "{passed} of 40 equal pairs pass with a noise of {noise}");
    }
}

#[test]
fn equal_receivers_are_never_slower_on_any_machine() {
    // Drifting by a third in a series, noisy, and with other work during half of the loads.
    for (noise, drift, disturbed) in [
        (0.01, 0.004, (0.0, 0.1)),
        (0.05, 0.0, (0.0, 0.1)),
        (0.03, 0.001, (0.5, 0.5)),
        (0.2, -0.002, (0.2, 0.6)),
    ] {
        let machine = |seed| Machine::new(seed, noise, drift, disturbed);
        let slower = Machine::count(machine, 20, 1.0, ExitStatus::Slower);
        assert_eq!(slower, 0, "{noise} {drift} {disturbed:?}");
    }
    // A drift alone does not hide a regression.
    let drifting = |seed| Machine::new(seed, 0.01, 0.004, (0.0, 0.1));
    assert!(Machine::count(drifting, 10, 1.0, ExitStatus::Passed) >= 9);
    assert!(Machine::count(drifting, 10, 1.0 / 1.1, ExitStatus::Slower) >= 9);
    // On a busy machine every result is inconclusive, even for a real regression.
    let busy = |seed| Machine::new(seed, 0.1, 0.0, (0.3, 0.6));
    assert!(Machine::count(busy, 10, 1.0, ExitStatus::Incomplete) >= 9);
    assert!(Machine::count(busy, 10, 0.7, ExitStatus::Incomplete) >= 9);
}

#[test]
fn control_continues_while_more_rounds_may_help() {
    let over = |name, count, spread: f64| {
        let round = |at| PairRound {
            base: [1.0; 2],
            candidate: [if at % 2 == 0 { 1.0 + spread } else { 1.0 - spread }; 2],
        };
        let rounds: Vec<PairRound> = (0..count).map(round).collect();
        PairSeries::is_over(name, &rounds, 20, 7, 0.05)
    };
    for (name, count, spread, expected) in [
        (SeriesName::Control, 19, 0.001, false),
        (SeriesName::Control, 20, 0.001, true),
        // Too wide, but more rounds may help.
        (SeriesName::Control, 20, 0.03, false),
        (SeriesName::Control, 30, 0.03, false),
        (SeriesName::Control, 60, 0.03, true),
        (SeriesName::Control, 20, 0.3, true),
        (SeriesName::First, 19, 0.03, false),
        (SeriesName::First, 20, 0.03, true),
    ] {
        assert_eq!(over(name, count, spread), expected, "{name:?} {count} {spread}");
    }
}

#[test]
fn pair_needs_a_steady_control_and_two_series_that_agree() {
    let at = |low: f64, high: f64| Interval { low, estimate: f64::midpoint(low, high), high };
    let steady = at(0.99, 1.01);
    let say = |control: Interval, series: &[Interval]| conclude(Some(&control), series, Better::Higher, 0.05);
    let status = |conclusion: Conclusion| match conclusion {
        Conclusion::Final(result, why) => (result.status(), why),
        Conclusion::Continue(next) => panic!("it continues with {next:?}"),
    };
    assert_eq!(conclude(None, &[], Better::Higher, 0.05), Conclusion::Continue(SeriesName::Control));
    assert_eq!(say(steady, &[]), Conclusion::Continue(SeriesName::First));
    let (slow, fine, between) = (at(0.90, 0.92), at(0.98, 1.0), at(0.94, 0.96));
    assert_eq!(say(steady, &[slow]), Conclusion::Continue(SeriesName::Second));
    for (control, series, expected, words) in [
        (steady, [fine].as_slice(), ExitStatus::Passed, "no regression"),
        (steady, &[between], ExitStatus::Incomplete, "both sides"),
        (steady, &[slow, slow], ExitStatus::Slower, "in both series"),
        (steady, &[slow, between], ExitStatus::Incomplete, "series disagree"),
        (steady, &[slow, fine], ExitStatus::Incomplete, "series disagree"),
        (at(0.97, 1.0), &[], ExitStatus::Incomplete, "wider than half"),
        (at(1.026, 1.03), &[], ExitStatus::Incomplete, "further from 1"),
        (at(0.96, 0.97), &[slow, slow], ExitStatus::Incomplete, "further from 1"),
    ] {
        let (status, why) = status(say(control, series));
        assert_eq!(status, expected, "{why}");
        assert!(why.contains(words), "{why}");
    }
    // A higher latency is worse.
    let (status, _) = status(conclude(Some(&steady), &[at(1.1, 1.2), at(1.1, 1.2)], Better::Lower, 0.05));
    assert_eq!(status, ExitStatus::Slower);
}
