//! When deliveries are sent, how that affects latencies, and the search for the highest rate.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::time::timeout;
use twenty_conform::bench::generate::plan::{LoadPlan, Mode, Schedule};
use twenty_conform::bench::measure::objective::{Bound, Objective, share};
use twenty_conform::bench::measure::rate_search::{LOWEST_RATE, MOST_TRIALS, RateSearch, SearchEnd};

use super::{at_rate, errors, judged, plan, run};
use crate::peers::receiver::{OK, Peer};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn plan_has_a_phase_for_the_warm_up_and_each_rate() {
    let steps = LoadPlan { mode: Mode::Rates(vec![10.0, 20.0]), warm_up: ms(500), ..plan(1000) };
    let phases = steps.phases();
    let shape: Vec<_> = phases.iter().map(|one| (one.rate, one.from, one.end(), one.measured)).collect();
    assert_eq!(
        shape,
        [
            (Some(10.0), ms(0), ms(500), false),
            (Some(10.0), ms(500), ms(1500), true),
            (Some(20.0), ms(1500), ms(2500), true)
        ]
    );
    assert_eq!(plan(1000).phases().len(), 1, "there is no phase without a warm-up");
    assert_eq!(plan(1000).phases()[0].rate, None);
}

#[tokio::test]
async fn rate_covers_the_whole_time_even_with_few_deliveries() {
    let peer = Peer::answering(OK).await;
    let plan = at_rate(20.0, 300);
    let total = run(&plan, &peer.target).await.total();
    assert_eq!(total.sent, 6);
    assert!(total.rate <= 20.0, "{} a second", total.rate);
}

#[tokio::test]
async fn deliveries_sent_after_their_phase_count_as_a_missed_rate() {
    // Four connections at 25 ms per answer carry 160 a second; the others are answered after the end.
    let peer = Peer::new(|mut connection| async move {
        while connection.request().await.is_some() {
            let _ = timeout(ms(25), pending::<()>()).await;
            connection.write(OK).await;
        }
    })
    .await;
    let plan = at_rate(250.0, 600);
    let outcome = run(&plan, &peer.target).await;
    let report = judged(&outcome, &plan, 0.0, &[]);
    assert_eq!((report.total.sent, report.total.acknowledged), (150, 150), "all were sent in the end");
    let achieved = report.phases[0].achieved;
    assert!(achieved < 200.0, "{achieved} a second");
    assert!(report.notes.iter().any(|note| note.contains("sent in time")), "{:?}", report.notes);
}

#[test]
fn schedule_follows_from_the_plan() {
    let steps = LoadPlan { mode: Mode::Rates(vec![10.0, 40.0]), warm_up: ms(500), ..plan(1000) };
    let schedule = Schedule::new(&steps.phases());
    assert_eq!(schedule.total(), 5 + 10 + 40);
    assert_eq!(schedule.at(0), Some((0, ms(0))));
    assert_eq!(schedule.at(4), Some((0, ms(400))));
    assert_eq!(schedule.at(5), Some((1, ms(500))));
    assert_eq!(schedule.at(15), Some((2, ms(1500))));
    assert_eq!(schedule.at(16), Some((2, ms(1525))));
    assert_eq!(schedule.at(54), Some((2, ms(2475))));
    assert_eq!(schedule.at(55), None);
    for number in 0..schedule.total() {
        let (_, at) = schedule.at(number).unwrap();
        assert_eq!(schedule.due(at), number + 1, "each is due at its own time");
        assert_eq!(schedule.due(at + ms(10)), number + 1, "and the next one is not");
    }
    assert_eq!(schedule.due(ms(60_000)), schedule.total());
    // Rates that do not divide a second evenly, and one with less than one delivery.
    for (rate, expected) in [(3.0, 3), (7.7, 8), (0.4, 1), (99_999.9, 100_000)] {
        assert_eq!(Schedule::new(&at_rate(rate, 1000).phases()).total(), expected, "{rate}");
    }
}

#[tokio::test]
async fn stall_shows_in_every_delivery_that_was_due() {
    let (open, gate) = watch::channel(true);
    let open = Arc::new(open);
    let peer = Peer::new(move |mut connection| {
        let (open, mut gate) = (open.clone(), gate.clone());
        async move {
            while let Some(number) = connection.request().await {
                if number == 20 {
                    open.send_replace(false);
                    // The stall: nothing is answered until it is over.
                    let _ = timeout(ms(300), pending::<()>()).await;
                    open.send_replace(true);
                }
                gate.wait_for(|open| *open).await.unwrap();
                connection.write(OK).await;
            }
        }
    })
    .await;
    let plan = LoadPlan { concurrency: 2, ..at_rate(200.0, 700) };
    let outcome = run(&plan, &peer.target).await;
    let report = judged(&outcome, &plan, 0.0, &["p50<100ms", "p90<100ms"]);
    assert_eq!(report.total.acknowledged, 140, "every delivery that was due was sent: {:?}", report.total);
    // At 200 per second 60 were due in the stall, 40 of them more than 100 ms before its end. Two connections that measure from
    // the time of sending would have seen two slow deliveries.
    let slow = report.total.latency.buckets.iter().filter(|(us, _)| *us > 100_000);
    let slow: u64 = slow.map(|(_, count)| count).sum();
    assert!((35..110).contains(&slow), "{slow} waited for more than 100 ms");
    assert!(report.total.latency.max_us >= 290_000, "{:?}", report.total.latency);
    // p90 is in the stall however slow the machine is.
    assert_eq!((report.result.describe(), report.exit_status), ("slow", 6));
    assert!(!report.thresholds[1].held);
}

#[tokio::test]
async fn bound_on_latency_at_saturation_says_that_stalls_are_not_counted() {
    let peer = || {
        Peer::new(|mut connection| async move {
            while connection.request().await.is_some() {
                connection.write(OK).await;
            }
        })
    };
    let told = async |plan: LoadPlan, bound: &str| {
        let peer = peer().await;
        let outcome = run(&plan, &peer.target).await;
        let report = judged(&outcome, &plan, 0.0, &[bound]);
        report.notes.iter().any(|note| note.contains("stalls are not counted in p99<1s"))
    };
    let saturation = || LoadPlan { mode: Mode::Saturation, ..at_rate(100.0, 100) };
    assert!(told(saturation(), "p99<1s").await);
    assert!(!told(saturation(), "errors<1%").await);
    assert!(!told(at_rate(100.0, 100), "p99<1s").await);
}

#[tokio::test]
async fn due_deliveries_without_a_connection_count_as_unsent() {
    let peer = Peer::new(|mut connection| async move {
        // The first delivery is read and never answered.
        connection.request().await;
        pending::<()>().await;
    })
    .await;
    let plan = LoadPlan { concurrency: 1, timeout: ms(1500), ..at_rate(100.0, 100) };
    let outcome = run(&plan, &peer.target).await;
    let report = judged(&outcome, &plan, 0.0, &[]);
    assert_eq!((errors(&report, "timed-out"), errors(&report, "unsent")), (1, 9), "{:?}", report.total);
    assert_eq!(report.total.latency.count, 10);
    assert!(report.total.latency.p50_us >= 900_000, "{:?}", report.total.latency);
    assert_eq!(report.result.describe(), "fail");
}

#[tokio::test]
async fn measures_each_rate_separately() {
    let peer = Peer::answering(OK).await;
    let plan = LoadPlan { mode: Mode::Rates(vec![100.0, 300.0]), warm_up: ms(50), ..plan(250) };
    let outcome = run(&plan, &peer.target).await;
    let report = judged(&outcome, &plan, 0.0, &["p50<5s"]);
    let sent: Vec<u64> = report.phases.iter().map(|phase| phase.measured.sent).collect();
    assert_eq!(sent, [25, 75], "the warm-up is not measured");
    assert_eq!(report.total.acknowledged, 100);
    let of_series: u64 = report.series.points.iter().map(|point| point.acknowledged).sum();
    assert_eq!(of_series, 100);
    assert_eq!(report.phases[1].rate, Some(300.0));
    assert_eq!(report.result.describe(), "pass", "{report:?}");
}

#[test]
fn parses_and_displays_objectives() {
    for text in ["p99<50ms", "p99.9<800us", "max<1s", "mean<5ms", "errors<0.1%", "p50<1500us"] {
        assert_eq!(text.parse::<Bound>().unwrap().to_string(), text);
    }
    assert_eq!("p99 < 0.05s, errors<1%".parse::<Objective>().unwrap().0.len(), 2);
    for wrong in [
        "",
        "p99",
        "p99>50ms",
        "p0<1ms",
        "p100<1ms",
        "px<1ms",
        "mode<1ms",
        "p99<50",
        "p99<0ms",
        "p99<50min",
        "errors<0%",
        "errors<101%",
        "errors<x",
    ] {
        assert!(wrong.parse::<Objective>().is_err(), "{wrong}");
    }
    assert_eq!(share("1%"), Ok(0.01));
    assert_eq!(share("0.25"), Ok(0.25));
    assert!(share("-1%").is_err() && share("2").is_err() && share("NaN").is_err());
}

/// Searches with a function that says whether a rate meets the objective. Returns the search and the number of trials.
fn search(first: f64, highest: f64, mut holds: impl FnMut(f64, usize) -> bool) -> (RateSearch, usize) {
    let mut search = RateSearch::from(first, highest);
    let mut trials = 0;
    while let Some(rate) = search.next_rate() {
        assert!((LOWEST_RATE..=highest).contains(&rate), "{rate}");
        search.record(holds(rate, trials));
        trials += 1;
        assert!(trials <= MOST_TRIALS, "the search does not end");
    }
    (search, trials)
}

#[test]
fn search_finds_the_highest_rate_from_any_first_rate() {
    for limit in [3.0, 90.0, 512.0, 10_000.0, 81_234.5] {
        for first in [1.0, 500.0, 60_000.0] {
            let (search, trials) = search(first, 1e6, |rate, _| rate <= limit);
            let found =
                search.found().unwrap_or_else(|| panic!("{limit} from {first}: nothing in {trials} trials"));
            assert!(found <= limit && found * 1.06 >= limit, "{found} for {limit} from {first}");
            let missed = search.missed().unwrap();
            assert!(missed > limit && missed <= found * 1.06, "{missed} for {limit} from {first}");
        }
    }
}

#[test]
fn search_from_saturation_needs_few_trials() {
    let (search, trials) = search(10_000.0, 1e6, |rate, _| rate <= 9_000.0);
    assert!(search.found().is_some_and(|found| found > 8_500.0) && trials <= 10, "{trials}");
}

/// A machine that stalls in one trial of eight, at any rate, moves the result of no search far.
#[test]
fn stalls_do_not_move_the_result() {
    let mut random = StdRng::seed_from_u64(1);
    let found: Vec<Option<f64>> = (0..200)
        .map(|_| search(10_000.0, 1e6, |rate, _| rate <= 9_000.0 && random.random_ratio(7, 8)).0.found())
        .collect();
    let near = found.iter().flatten().filter(|found| (7_650.0..=9_000.0).contains(*found)).count();
    assert!(near >= 180, "{near} of 200: {found:?}");
}

#[test]
fn search_always_ends() {
    let (too_slow, _) = search(500.0, 1e6, |_, _| false);
    assert_eq!((too_slow.found(), too_slow.end()), (None, Some(SearchEnd::TooSlow)));
    assert_eq!(search(500.0, 1e6, |_, _| true).0.found(), Some(1e6));
    for every in [2, 3, 5] {
        search(500.0, 1e6, |_, trial| trial % every == 0);
    }
}

#[test]
fn rates_that_miss_their_confirmation_make_a_search_unstable() {
    // Meets it once at each rate.
    let mut tried = Vec::new();
    let (unstable, _) = search(1_000.0, 1e6, |rate, _| {
        let is_new = !tried.contains(&rate);
        tried.push(rate);
        is_new && rate <= 2_000.0
    });
    assert_eq!((unstable.found(), unstable.end()), (None, Some(SearchEnd::Unstable)));
    // One rate that is not confirmed is not found, but one below it is.
    let (found, _) = search(100.0, 1e6, |rate, trial| rate <= 1000.0 && (rate <= 600.0 || trial < 8));
    assert!(found.found().is_some_and(|found| found <= 1000.0), "{found:?}");
}
