//! The generator and the locustfile against the same wrong receivers: they count alike, and judge alike.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use twenty_conform::bench::generate::plan::LoadPlan;
use twenty_conform::bench::measure::report::BenchReport;
use twenty_conform::bench::tools::import;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant::receiver::Mutant;
use twenty_conform::peers::receiver::Settings;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::Target;

use super::distributed::python;
use super::exports::export;
use crate::load::{SECRET, judged, plan, run};
use crate::peers::receiver::{OK, Peer, serve};

/// Enough deliveries that each of four connections reaches a fifth request.
const ENOUGH: u64 = 40;

/// The report of a process of locust, which runs longer if a busy machine let it send too little.
fn by_locust(python: &str, exported: &Path, target: &Target, probe_share: f64) -> BenchReport {
    let report = by_locust_for("4s", python, exported, target, probe_share);
    let is_enough = report.total.sent >= ENOUGH;
    if is_enough { report } else { by_locust_for("20s", python, exported, target, probe_share) }
}

fn by_locust_for(
    time: &str,
    python: &str,
    exported: &Path,
    target: &Target,
    probe_share: f64,
) -> BenchReport {
    let folder = TempDir::new().unwrap();
    let results = folder.path().join("results.json");
    let mut locust = Command::new(python);
    locust.args([
        "-m",
        "locust",
        "--headless",
        "--only-summary",
        "-u",
        "4",
        "-r",
        "4",
        "-t",
        time,
        "--locustfile",
    ]);
    locust.arg(exported.join("locustfile.py")).args(["--host", &target.url()]);
    locust.args(["--probe-share", &probe_share.to_string(), "--results"]).arg(&results);
    locust.current_dir(folder.path()).env("TWENTY_WEBHOOK_SECRET", SECRET);
    let ended = locust.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let report = import::read(&results).unwrap();
    assert_eq!(ended.code(), Some(i32::from(report.exit_status)), "{:?}", report.notes);
    report
}

/// Whatever depends on the receiver, and not on how fast it was.
fn account(report: &BenchReport) -> String {
    let total = &report.total;
    let unsent =
        total.errors.iter().filter(|error| error.name == "unsent").map(|error| error.count).sum::<u64>();
    assert_eq!(total.sent, total.acknowledged + total.refused + total.failed - unsent, "{total:?}");
    let of_statuses = |of: fn(u16) -> bool| {
        let those = total.statuses.iter().filter(|one| of(one.status));
        those.map(|one| one.count).sum::<u64>()
    };
    assert_eq!(total.acknowledged, of_statuses(|status| status / 100 == 2));
    assert_eq!(total.refused, of_statuses(|status| status / 100 != 2));
    assert_eq!(total.failed, total.errors.iter().map(|error| error.count).sum::<u64>());
    let statuses: Vec<u16> = total.statuses.iter().map(|one| one.status).collect();
    let errors: Vec<&str> = total.errors.iter().map(|error| &*error.name).collect();
    let unexpected: Vec<&str> = report.unexpected.iter().map(|one| &*one.kind).collect();
    format!("{} {} {statuses:?} {errors:?} {unexpected:?}", report.result, report.exit_status)
}

#[tokio::test]
async fn locustfile_and_generator_count_alike() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    assert_eq!(export(&["locust"], folder.path()).status, Some(0));
    let mutant = |fault| {
        let settings = Settings::new(Secret::new(SECRET));
        Mutant::new(fault, settings, Clock::system(), Duration::ZERO, Arc::new(drop))
    };
    let (stale, _stale) = serve(mutant(ReceiverFault::NoWindow)).await;
    let altered = Peer::answering(OK).await;
    // Every fifth request is answered with this, or the connection is closed.
    let every_fifth = |answer: Option<&'static [u8]>| {
        Peer::new(move |mut connection| async move {
            while let Some(number) = connection.request().await {
                match answer {
                    _ if number % 5 != 4 => connection.write(OK).await,
                    Some(answer) => connection.write(answer).await,
                    None => return,
                }
            }
        })
    };
    let failing = every_fifth(Some(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")).await;
    let limiting = every_fifth(Some(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")).await;
    let closing = every_fifth(None).await;
    let receivers = [
        (stale, 0.5, "pass 0 [200] [] []"),
        (altered.target.clone(), 0.5, "fail 1 [200] [] []"),
        (failing.target.clone(), 0.0, "fail 1 [200, 500] [] [\"500\"]"),
        (limiting.target.clone(), 0.0, "fail 1 [200, 429] [] [\"429\"]"),
        (closing.target.clone(), 0.0, "fail 1 [200] [\"closed\"] [\"closed\"]"),
    ];
    // One process of locust at a time: other tests run meanwhile.
    for (target, share, expected) in &receivers {
        let (python, exported) = (python.clone(), folder.path().to_owned());
        let (to, of_probes) = (target.clone(), *share);
        let locust = spawn_blocking(move || by_locust(&python, &exported, &to, of_probes));
        let plan = LoadPlan { probe_share: *share, ..plan(1000) };
        let ours = judged(&run(&plan, target).await, &plan, 0.0, &[]);
        let theirs = locust.await.unwrap();
        assert_eq!((account(&ours).as_str(), account(&theirs).as_str()), (*expected, *expected));
        assert_eq!(ours.probes.kinds.len(), theirs.probes.kinds.len());
        let mut accepted = 0;
        for (one, other) in ours.probes.kinds.iter().zip(&theirs.probes.kinds) {
            assert_eq!(
                (&one.name, &one.requirement, &one.level),
                (&other.name, &other.requirement, &other.level)
            );
            if one.sent > 0 && other.sent > 0 {
                assert_eq!(one.let_through > 0, other.let_through > 0, "{}", one.name);
                accepted += usize::from(one.let_through > 0);
            }
        }
        let sent = (ours.probes.sent, theirs.probes.sent);
        // A slow machine may not reach every kind.
        let is_whole = sent.0.min(sent.1) >= 2 * ours.probes.kinds.len() as u64;
        assert!(accepted > 0 || !is_whole || *share == 0.0, "{expected}: {sent:?} probes");
    }
}
