//! The verdicts of `bench pair` on simulated machines. Every figure comes from a seed, so counts are the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use twenty_conform::bench::compare::decision::{Conclusion, conclude, verdict};
use twenty_conform::bench::compare::pair::{Figure, PairFigure, PairLoad, PairRound, PairStart, Says, order};
use twenty_conform::bench::compare::rounds::{PairSetup, measure_pair};
use twenty_conform::bench::measure::verdict::Tolerance;
use twenty_conform::clock::Clock;
use twenty_conform::exit::ExitStatus;
use twenty_conform::redaction::Redaction;
use twenty_conform::statistics::{FEWEST, Interval};
use twenty_conform::suite::requirement::Level;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::Secret;

use super::statistics::normal;
use super::{SECRET, plan};
use crate::cli::program::reference;

/// The starts that the time of a run allows.
const STARTS: usize = 10;
const ROUNDS: usize = 30;

/// A simulated machine.
struct Machine {
    random: StdRng,
    /// The standard deviation of a load's figure.
    noise: f64,
    /// The standard deviation between processes of one program.
    between: f64,
    /// How much slower it gets from load to load.
    drift: f64,
    /// The probability that other work disturbs a load, and the largest share of the load that this costs.
    disturbed: (f64, f64),
    loads: f64,
}

impl Machine {
    fn new(seed: u64, noise: f64, between: f64, drift: f64, disturbed: (f64, f64)) -> Self {
        Self { random: StdRng::seed_from_u64(seed), noise, between, drift, disturbed, loads: 0.0 }
    }

    fn load(&mut self, speed: f64) -> PairLoad {
        self.loads += 1.0;
        let disturbed = self.random.random_bool(self.disturbed.0);
        let lost = if disturbed { self.random.random_range(0.0..self.disturbed.1) } else { 0.0 };
        let rate =
            speed * (self.noise * normal(&mut self.random) - self.drift * self.loads).exp() * (1.0 - lost);
        PairLoad { rate, ..PairLoad::default() }
    }

    fn start(&mut self, candidate: f64) -> PairStart {
        let speeds =
            [1.0, candidate, 1.0].map(|speed| speed * (self.between * normal(&mut self.random)).exp());
        let round = |nth| {
            let (order, mut loads) = (order(nth), [[PairLoad::default(); 2]; 3]);
            for (at, process) in order.into_iter().chain(order.into_iter().rev()).enumerate() {
                loads[process][at / 3] = self.load(speeds[process]);
            }
            let [base, candidate, control] = loads;
            PairRound { base, candidate, control }
        };
        PairStart { rounds: (0..ROUNDS).map(round).collect() }
    }

    /// The result of `bench pair` for a candidate of that speed. The base has speed 1.
    fn pair(&mut self, candidate: f64) -> ExitStatus {
        let mut starts = Vec::new();
        loop {
            starts.push(self.start(candidate));
            let figures = [PairFigure::of(Figure::Rate, true, 0.05, &starts).unwrap()];
            match conclude(&figures) {
                Conclusion::Decided(result, figure) => {
                    assert_eq!((figure, starts.len() >= FEWEST), (Figure::Rate, true));
                    return result.status();
                }
                Conclusion::Undecided if starts.len() == STARTS => {
                    return verdict(&figures, starts.len()).0.status();
                }
                Conclusion::Undecided => {}
            }
        }
    }

    /// How many of the runs end with that status.
    fn count(make: impl Fn(u64) -> Self, runs: u64, candidate: f64, status: ExitStatus) -> usize {
        (0..runs).filter(|seed| make(*seed).pair(candidate) == status).count()
    }
}

#[test]
fn ten_percent_regression_is_found_on_a_shared_machine() {
    // 10 % more work is 1/1.1 of the rate.
    for (noise, between) in [(0.02, 0.0), (0.1, 0.0), (0.1, 0.01)] {
        let shared = |seed| Machine::new(seed, noise, between, 0.0, (0.01, 0.3));
        let found = Machine::count(shared, 40, 1.0 / 1.1, ExitStatus::Slower);
        assert!(found >= 38, "{found} of 40 with a noise of {noise} and {between}");
        let passed = Machine::count(shared, 40, 1.0, ExitStatus::Passed);
        assert!(passed >= 38, "{passed} of 40 equal pairs pass with a noise of {noise} and {between}");
    }
}

#[test]
fn equal_receivers_are_never_slower_on_any_machine() {
    // Drifting, noisy, with processes that differ, and with other work during half of the loads.
    for (noise, between, drift, disturbed) in [
        (0.01, 0.0, 0.001, (0.0, 0.1)),
        (0.2, 0.0, 0.0, (0.0, 0.1)),
        (0.03, 0.05, 0.0001, (0.5, 0.5)),
        (0.3, 0.03, -0.0002, (0.2, 0.6)),
    ] {
        let machine = |seed| Machine::new(seed, noise, between, drift, disturbed);
        let slower = Machine::count(machine, 100, 1.0, ExitStatus::Slower);
        assert_eq!(slower, 0, "{noise} {between} {drift} {disturbed:?}");
    }
    // A drift alone does not hide a regression.
    let drifting = |seed| Machine::new(seed, 0.01, 0.0, 0.001, (0.0, 0.1));
    assert!(Machine::count(drifting, 10, 1.0, ExitStatus::Passed) >= 9);
    assert!(Machine::count(drifting, 10, 1.0 / 1.1, ExitStatus::Slower) >= 9);
    // If processes of one program differ by a tenth, nothing can be said about a difference of that size.
    let uneven = |seed| Machine::new(seed, 0.01, 0.1, 0.0, (0.0, 0.1));
    assert!(Machine::count(uneven, 40, 1.0, ExitStatus::Incomplete) >= 36);
    assert_eq!(Machine::count(uneven, 40, 1.0, ExitStatus::Slower), 0);
    assert_eq!(Machine::count(uneven, 40, 0.85, ExitStatus::Passed), 0);
}

#[test]
fn candidate_at_the_threshold_is_seldom_called_slower() {
    // It is as slow as it may be, and the figures are looked at after each start.
    let machine = |seed| Machine::new(seed, 0.1, 0.01, 0.0, (0.0, 0.1));
    let slower = Machine::count(machine, 200, 0.95, ExitStatus::Slower);
    assert!(slower <= 6, "{slower} of 200");
}

#[test]
fn figure_says_nothing_without_a_steady_control() {
    let at = |low: f64, high: f64| Some(Interval { low, estimate: f64::midpoint(low, high), high });
    let figure = |figure, decides, ratio, control| PairFigure {
        figure,
        decides,
        threshold: 0.05,
        base: 1.0,
        candidate: 1.0,
        ratio,
        total: ratio,
        control,
        power: None,
    };
    let steady = at(0.98, 1.02);
    let rate = |ratio, control| figure(Figure::Rate, true, ratio, control);
    let time = |ratio| figure(Figure::ProcessorTime, true, ratio, steady);
    for (one, says) in [
        (rate(at(0.90, 0.92), steady), Says::Slower),
        (rate(at(0.96, 1.2), steady), Says::NotSlower),
        (rate(at(0.90, 0.96), steady), Says::TooWide),
        (rate(at(0.90, 0.92), at(0.94, 1.0)), Says::Slower),
        (rate(at(0.90, 0.92), at(0.95, 0.99)), Says::Unsteady),
        (rate(at(0.90, 0.92), at(0.85, 1.03)), Says::Unsteady),
        (rate(at(0.90, 0.92), at(1.02, 1.049)), Says::Unsteady),
        (rate(at(0.90, 0.92), at(f64::NAN, f64::NAN)), Says::Unsteady),
        (rate(None, None), Says::TooFew),
        (time(at(1.06, 1.2)), Says::Slower),
        (time(at(0.8, 0.9)), Says::NotSlower),
    ] {
        assert_eq!(one.says(), says, "{one:?}");
    }
    let memory = figure(Figure::Memory, false, at(1.5, 1.6), steady);
    for (figures, status, by, words) in [
        // The processor time decides although the rate is too noisy, unless the rate looks slower.
        (
            vec![time(at(0.99, 1.01)), rate(at(0.9, 1.1), steady)],
            0,
            Some(Figure::ProcessorTime),
            "not more than 5% worse",
        ),
        (vec![time(at(0.99, 1.01)), rate(at(0.7, 1.0), steady)], 3, None, "the rate is 0.700 to 1.000"),
        (
            vec![time(at(0.9, 1.1)), rate(at(0.96, 1.1), steady)],
            0,
            Some(Figure::Rate),
            "the rate is 0.960 to 1.100",
        ),
        (
            vec![time(at(1.06, 1.1)), rate(at(0.99, 1.1), steady)],
            6,
            Some(Figure::ProcessorTime),
            "more than 5% worse",
        ),
        // Memory is only shown.
        (vec![time(at(0.99, 1.01)), memory], 0, Some(Figure::ProcessorTime), "processor time"),
        (vec![memory], 3, None, ""),
        (
            vec![rate(at(0.9, 0.92), at(0.9, 0.97))],
            3,
            None,
            "two processes of the base differ too much in the rate",
        ),
    ] {
        let (result, decided, why) = verdict(&figures, FEWEST);
        assert_eq!((result.status().code(), decided), (status, by), "{figures:?}");
        assert!(why.contains(words), "{why}");
    }
    let (result, _, why) = verdict(&[rate(None, None)], 2);
    assert!(result.status() == ExitStatus::Incomplete && why.contains("at least 5 starts"), "{why}");
}

#[test]
fn order_of_a_round_is_fair() {
    // Over six rounds each process is at each place equally often, and after each other process.
    for place in 0..3 {
        let at: Vec<usize> = (0..6).map(|nth| order(nth)[place]).collect();
        assert!((0..3).all(|process| at.iter().filter(|one| **one == process).count() == 2), "{at:?}");
    }
    let distinct: std::collections::BTreeSet<_> = (0..6).map(order).collect();
    assert_eq!(distinct.len(), 6);
}

#[test]
fn work_that_is_done_now_and_then_is_found_too() {
    // One load in five of the candidate needs one and a half times as much.
    let load = |processor: f64| PairLoad {
        rate: 1e6 / processor,
        processor_us: Some(processor),
        ..PairLoad::default()
    };
    let round = |nth: usize| PairRound {
        base: [load(10.0); 2],
        candidate: [load(if nth % 5 < 2 { 15.0 } else { 10.0 }), load(10.0)],
        control: [load(10.0); 2],
    };
    let starts = vec![PairStart { rounds: (0..10).map(round).collect() }; FEWEST];
    for (figure, ratio) in [(Figure::ProcessorTime, 1.1), (Figure::Rate, 1.0 / 1.1)] {
        let one = PairFigure::of(figure, true, 0.05, &starts).unwrap();
        assert!((one.total.unwrap().estimate - ratio).abs() < 1e-9, "{one:?}");
        assert_eq!(one.ratio.unwrap().estimate, 1.0, "most rounds have none of it");
        assert_eq!(
            (one.says(), one.deciding(), one.control.unwrap().estimate),
            (Says::Slower, one.total, 1.0)
        );
    }
    // Without the processor time of one process there is none.
    let mut starts = starts;
    starts[0].rounds[3].control[1].processor_us = None;
    let one = PairFigure::of(Figure::ProcessorTime, true, 0.05, &starts).unwrap();
    assert_eq!((one.says(), one.ratio), (Says::TooFew, None));
}

#[tokio::test]
async fn clock_that_is_set_during_a_pair_does_not_blame_the_candidate() {
    let receiver = reference("receiver");
    let secret = Secret::new(SECRET);
    let redaction = Redaction::new([&secret]);
    let (_never, interrupted) = tokio::sync::watch::channel(false);
    // It goes on by an hour with each reading, so every delivery is stale or from the future.
    let (system, readings) = (Clock::system(), Arc::new(AtomicU64::new(0)));
    let clock =
        Clock::showing(move || system.now_ms() + 3_600_000 * readings.fetch_add(1, Ordering::Relaxed));
    let setup = PairSetup {
        base: &receiver,
        candidate: &receiver,
        path: "/",
        secret: &secret,
        ready: Duration::from_secs(30),
        dialect: &DOCUMENTED,
        corpus: None,
        clock: &clock,
        interrupted: &interrupted,
        plan: &plan(50),
        rounds: 1,
        max_time: Duration::from_secs(5),
        figures: &[(Figure::Rate, true)],
        max_regression: 0.1,
        tolerance: Tolerance { max_errors: 0.0, fail_on: Level::Must },
        redaction: &redaction,
    };
    let measured = measure_pair(&setup).await.unwrap();
    assert_eq!(measured.result.describe(), "incomplete", "{}", measured.why);
    assert!(measured.why.contains("clock of this machine was set forward"), "{}", measured.why);
}
