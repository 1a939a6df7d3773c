//! How a load is judged: accepted probes, load that is shed, and what is processed.
//!
//! Every receiver that stops verifying fails, and the reference passes.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use twenty_conform::bench::generate::ids::Ids;
use twenty_conform::bench::generate::plan::LoadPlan;
use twenty_conform::bench::measure::load::LoadEnding;
use twenty_conform::bench::measure::report::BenchReport;
use twenty_conform::bench::show::text;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant::receiver::Mutant;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::suite::requirement::Level;
use twenty_conform::suite::transcript::Observed;
use twenty_conform::webhook::signature::Secret;

use super::{answers, judged, plan, run, run_by, run_until, samples};
use crate::peers::receiver::{OK, Peer, serve};

fn settings() -> Settings {
    Settings::new(Secret::new(super::SECRET))
}

#[tokio::test]
async fn reference_passes_and_processes_each_delivery_once() {
    let processed: Arc<Mutex<Vec<String>>> = Arc::default();
    let ids = processed.clone();
    let observer = Arc::new(move |observed: Observed| ids.lock().unwrap().extend(observed.id));
    let (target, _server) = serve(Receiver::new(settings(), Clock::system(), observer)).await;
    let plan = LoadPlan { probe_share: 0.2, threads: 2, warm_up: Duration::from_millis(50), ..plan(250) };
    let outcome = run(&plan, &target).await;
    let report = judged(&outcome, &plan, 0.0, &[]);
    assert_eq!(report.result.describe(), "pass", "{report:?}");
    assert_eq!(report.total.acknowledged, report.total.sent);
    assert!(report.probes.sent > 0 && report.probes.let_through == 0);
    assert!(report.probes.statuses.iter().all(|one| matches!(one.status, 400 | 401)), "{:?}", report.probes);
    let processed = processed.lock().unwrap();
    let run = Ids::of(plan.seed).run();
    let numbers: HashSet<u64> = processed
        .iter()
        .map(|id| Ids::read(id.as_bytes()).unwrap())
        .map(|id| {
            assert_eq!(id.run, run);
            id.number
        })
        .collect();
    assert_eq!(numbers.len(), processed.len(), "no id was processed twice");
    assert!(processed.len() as u64 >= report.total.acknowledged, "the warm-up is processed too");
    let text = text::render(&report);
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("RESULT: pass rate ") && last.ends_with(" seed 7"), "{last}");
}

#[tokio::test]
async fn even_the_shortest_load_sends_a_probe() {
    let (target, _server) = serve(Receiver::new(settings(), Clock::system(), Arc::new(drop))).await;
    let plan = LoadPlan { probe_share: 1e-12, ..plan(50) };
    let report = judged(&run(&plan, &target).await, &plan, 0.0, &[]);
    assert_eq!((report.probes.sent, report.result.describe()), (1, "pass"));
}

#[tokio::test]
async fn load_without_answers_to_probes_is_incomplete() {
    let peer = Peer::new(|mut connection| async move {
        while let Some(number) = connection.request().await {
            // The first delivery is the probe.
            if number > 0 {
                connection.write(OK).await;
            }
        }
    })
    .await;
    let timeout = Duration::from_millis(100);
    let plan = LoadPlan { probe_share: 1e-12, concurrency: 1, timeout, ..plan(300) };
    let report = judged(&run(&plan, &peer.target).await, &plan, 0.0, &[]);
    assert_eq!((report.probes.sent, report.probes.unanswered), (1, 1));
    assert!(report.total.acknowledged > 0);
    assert_eq!(report.result.describe(), "incomplete", "{:?}", report.notes);
    assert!(
        report.notes.iter().any(|note| note.contains("does not count as a rejection")),
        "{:?}",
        report.notes
    );
}

/// Runs loads on a mutant until it accepts a probe of that name. Returns the level of its requirement.
async fn level_of_accepted(fault: ReceiverFault, name: &str) -> Level {
    let mutant = Mutant::new(fault, settings(), Clock::system(), Duration::ZERO, Arc::new(drop));
    let (target, _server) = serve(mutant).await;
    let (stop, interrupted) = watch::channel(false);
    // Several short loads: the probes are random.
    for seed in 0..50 {
        let plan = LoadPlan { probe_share: 0.5, seed, ..plan(100) };
        let outcome = run_until(&plan, &target, &samples(), &interrupted).await;
        let report = judged(&outcome, &plan, 0.0, &[]);
        let Some(kind) = report.probes.kinds.iter().find(|kind| kind.name == name && kind.let_through > 0)
        else {
            continue;
        };
        let exchange = kind.exchange.as_ref().unwrap();
        assert_eq!(exchange.status, Some(200));
        assert!(
            exchange.request.starts_with("POST / HTTP/1.1\r\n")
                && exchange.answer.starts_with("HTTP/1.1 200")
        );
        let level = outcome.broken_level().unwrap();
        let expected = if level == Level::Must { "fail" } else { "pass" };
        assert_eq!(report.result.describe(), expected, "{report:?}");
        let text = anstream::adapter::strip_str(&text::render(&report)).to_string();
        let accepted = format!("accepted {} of {} ", kind.let_through, kind.sent);
        assert!(text.contains(&accepted) && text.contains(&kind.requirement), "{text}");
        drop(stop);
        return level;
    }
    panic!("{fault:?} accepted no probe named {name}");
}

#[tokio::test]
async fn accepting_unsigned_deliveries_breaks_a_must() {
    assert_eq!(
        level_of_accepted(ReceiverFault::AcceptsMissingSignature, "signature-missing").await,
        Level::Must
    );
}

#[tokio::test]
async fn accepting_stale_deliveries_breaks_a_should() {
    assert_eq!(level_of_accepted(ReceiverFault::NoWindow, "stale").await, Level::Should);
}

#[tokio::test]
async fn receiver_that_sheds_load_with_2xx_fails() {
    // It answers before it verifies anything.
    let peer = Peer::answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await;
    let plan = LoadPlan { probe_share: 0.5, ..plan(150) };
    let report = judged(&run(&plan, &peer.target).await, &plan, 1.0, &[]);
    assert!(report.probes.sent > 0 && report.probes.let_through == report.probes.sent);
    assert_eq!((report.result.describe(), report.exit_status), ("fail", 1));
}

#[tokio::test]
async fn load_shed_with_503_fails_unless_errors_are_allowed() {
    let peer = Peer::new(|mut connection| async move {
        while let Some(number) = connection.request().await {
            let busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".as_slice();
            connection.write(if number % 4 == 0 { busy } else { OK }).await;
        }
    })
    .await;
    let plan = plan(150);
    let outcome = run(&plan, &peer.target).await;
    let report = judged(&outcome, &plan, 0.0, &[]);
    assert_eq!((report.result.describe(), report.exit_status), ("fail", 1));
    assert!(answers(&report, 503) > 0 && answers(&report, 503) == report.total.refused);
    assert_eq!(report.unexpected[0].kind, "503");
    assert_eq!(report.unexpected[0].count, report.total.refused);
    assert_eq!(judged(&outcome, &plan, 0.5, &[]).result.describe(), "pass");
    let slow = judged(&outcome, &plan, 0.5, &["errors<1%"]);
    assert_eq!((slow.result.describe(), slow.exit_status), ("slow", 6));
}

#[tokio::test]
async fn interrupted_load_has_a_partial_report() {
    let (stop, interrupted) = watch::channel(false);
    let stop = Arc::new(stop);
    let peer = Peer::new(move |mut connection| {
        let stop = stop.clone();
        async move {
            while let Some(number) = connection.request().await {
                connection.write(OK).await;
                if number == 50 {
                    stop.send_replace(true);
                }
            }
        }
    })
    .await;
    let plan = plan(3_600_000);
    let outcome = run_until(&plan, &peer.target, &samples(), &interrupted).await;
    assert_eq!(outcome.ending, LoadEnding::Interrupted);
    let report = judged(&outcome, &plan, 0.0, &["p50<1us"]);
    assert_eq!((report.result.describe(), report.exit_status), ("interrupted", 130));
    assert!(report.total.acknowledged >= 40, "{:?}", report.total);
    assert_eq!(report.series.points.iter().map(|point| point.sent).sum::<u64>(), report.total.sent);
    assert!(report.series.points.len() < 60, "the series ends with the load");
}

#[test]
fn rejects_reports_of_other_formats() {
    for (text, words) in [
        ("{", "not a report"),
        (r#"{"format":"twenty-conform-report/1"}"#, "twenty-conform-report/1"),
        (r#"{"format":"twenty-conform-bench/1"}"#, "broken"),
    ] {
        let why = BenchReport::parse(text).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test]
async fn clock_that_is_set_during_a_load_does_not_blame_the_receiver() {
    let (target, _server) = serve(Receiver::new(settings(), Clock::system(), Arc::new(drop))).await;
    let (_never, interrupted) = watch::channel(false);
    for (hours, way) in [(1, "forward by 3600 s"), (-1, "back by 3600 s")] {
        // It is set after the first reading, which is that of the load's start.
        let (system, readings) = (Clock::system(), AtomicU64::new(0));
        let clock = Clock::showing(move || {
            let step = if readings.fetch_add(1, Ordering::Relaxed) == 0 { 0 } else { hours * 3_600_000 };
            system.now_ms().saturating_add_signed(step)
        });
        let plan = plan(200);
        let outcome = run_by(&clock, &plan, &target, &samples(), &interrupted).await;
        let report = judged(&outcome, &plan, 0.0, &[]);
        assert_eq!(report.result.describe(), "incomplete", "{report:?}");
        assert!(report.total.error_share > 0.9, "{report:?}");
        assert!(report.notes.iter().any(|note| note.contains(way)), "{:?}", report.notes);
    }
    let report = judged(&run(&plan(200), &target).await, &plan(200), 0.0, &[]);
    assert_eq!(
        (report.result.describe(), report.notes.iter().any(|note| note.contains("clock"))),
        ("pass", false)
    );
}
