//! Receivers that answer in unusual ways, close connections, hang, or die.
//!
//! Every load ends in time, and every delivery is counted with its outcome.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use twenty_conform::bench::generate::plan::LoadPlan;
use twenty_conform::bench::measure::load::{self, LoadEnding, LoadTarget};
use twenty_conform::bench::measure::report::BenchReport;
use twenty_conform::clock::Clock;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::Target;

use super::{SECRET, answers, at_rate, corpus, errors, judged, plan, run, run_until};
use crate::peers::receiver::{Connection, OK, Peer};

/// The longest load of [`measure`].
const LONGEST: Duration = Duration::from_secs(10);

/// The report of a load on a peer that ends at least this many deliveries. A busy machine needs a longer load for them.
async fn measure(peer: &Peer, least: u64) -> BenchReport {
    let mut plan = plan(40);
    loop {
        let report = judged(&run(&plan, &peer.target).await, &plan, 0.0, &[]);
        let ended = report.total.acknowledged + report.total.refused + report.total.failed;
        if ended >= least || plan.duration >= LONGEST {
            return report;
        }
        plan.duration *= 4;
    }
}

#[tokio::test]
async fn accepts_every_form_of_answer() {
    for answer in [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length:  3 \r\n\r\nabc",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    ] {
        let report = measure(&Peer::answering(answer).await, 1).await;
        let what = String::from_utf8_lossy(answer);
        assert_eq!(report.result.describe(), "pass", "{what}: {report:?}");
        assert!(report.total.acknowledged > 0, "{what}");
        assert!(!report.notes.iter().any(|note| note.contains("opened")), "{what}: {:?}", report.notes);
    }
}

#[tokio::test]
async fn reopens_closed_connections() {
    for answer in [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok".as_slice(),
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 unsolicited",
    ] {
        let report = measure(&Peer::once(answer).await, 5).await;
        let what = String::from_utf8_lossy(answer);
        assert_eq!(report.result.describe(), "pass", "{what}: {report:?}");
        assert!(report.total.acknowledged > 4, "{what}: {:?}", report.total);
        assert!(report.notes.iter().any(|note| note.contains("opened")), "{what}");
    }
}

#[tokio::test]
async fn connection_closed_while_idle_is_not_an_error() {
    // It closes without Connection: close, like a server whose keep-alive times out. The pause between deliveries is long, so
    // that the connection is idle even if the machine is busy.
    let peer = Peer::once(OK).await;
    let plan = LoadPlan { concurrency: 1, ..at_rate(4.0, 1500) };
    let report = judged(&run(&plan, &peer.target).await, &plan, 0.0, &[]);
    assert_eq!((report.total.acknowledged, report.total.failed), (6, 0), "{:?}", report.total);
}

#[tokio::test]
async fn invalid_answers_are_errors_of_their_kind() {
    let head = Box::leak([b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 20_000]].concat().into_boxed_slice());
    for (answer, kind) in [
        (b"SSH-2.0-OpenSSH_9\r\n".as_slice(), "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "malformed"),
        (b"", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "closed"),
        (head, "too-long"),
    ] {
        let report = measure(&Peer::once(answer).await, 1).await;
        let what = String::from_utf8_lossy(&answer[..answer.len().min(60)]);
        // A peer that closes with unread data resets the connection.
        let count = errors(&report, kind) + if kind == "closed" { errors(&report, "reset") } else { 0 };
        assert!(count > 0 && count == report.total.failed, "{what}: {:?}", report.total.errors);
        assert_eq!((report.result.describe(), report.exit_status), ("fail", 1), "{what}");
        assert!(report.unexpected.iter().any(|one| one.kind == kind || kind == "closed"), "{what}");
    }
}

#[tokio::test]
async fn endless_answers_end_at_the_timeout() {
    let drip = |mut connection: Connection| async move {
        connection.request().await;
        connection.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        loop {
            connection.write(b"3\r\nabc\r\n").await;
            tokio::task::yield_now().await;
            if connection.stream.try_read(&mut [0]).is_ok_and(|count| count == 0) {
                return;
            }
        }
    };
    let silent = |mut connection: Connection| async move {
        connection.request().await;
        pending::<()>().await;
    };
    for peer in [Peer::new(drip).await, Peer::new(silent).await] {
        let plan = LoadPlan { timeout: Duration::from_millis(200), concurrency: 2, ..plan(500) };
        let outcome = run(&plan, &peer.target).await;
        assert_eq!(outcome.ending, LoadEnding::Complete);
        let report = judged(&outcome, &plan, 0.0, &[]);
        assert!(report.total.failed >= 2 && report.total.acknowledged == 0, "{:?}", report.total);
        assert_eq!(report.total.failed, errors(&report, "timed-out") + errors(&report, "too-long"));
        assert!(report.total.latency.min_us >= 199_000 || errors(&report, "timed-out") == 0);
    }
}

#[tokio::test]
async fn receiver_that_dies_ends_the_load_early() {
    let (die, mut dead) = watch::channel(false);
    let die = Arc::new(die);
    let peer = Peer::new(move |mut connection| {
        let die = die.clone();
        async move {
            while let Some(number) = connection.request().await {
                if number >= 30 {
                    die.send_replace(true);
                    return;
                }
                connection.write(OK).await;
            }
        }
    })
    .await;
    let target = peer.target.clone();
    tokio::spawn(async move {
        dead.wait_for(|dead| *dead).await.unwrap();
        drop(peer);
    });
    let plan = LoadPlan { gone_after: Duration::from_millis(150), ..plan(3_600_000) };
    let outcome = run(&plan, &target).await;
    assert_eq!(outcome.ending, LoadEnding::Gone);
    let report = judged(&outcome, &plan, 0.0, &[]);
    assert_eq!((report.result.describe(), report.exit_status), ("fail", 1));
    assert_eq!(report.total.acknowledged, 30);
    let refused = errors(&report, "refused");
    assert!(refused > 0 && refused < 500, "retried with pauses: {refused}");
    assert!(report.notes.iter().any(|note| note.contains("ended early")), "{:?}", report.notes);
    assert_eq!(judged(&outcome, &plan, 1.0, &[]).exit_status, 3, "allowed errors do not make it pass");
}

#[tokio::test]
async fn answer_before_the_end_of_the_request_counts() {
    let peer = Peer::new(|mut connection| async move {
        // Only the head is read; the rest does not fit into the buffers of the system.
        let mut piece = [0; 1024];
        if connection.stream.read(&mut piece).await.is_ok_and(|count| count > 0) {
            connection.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n").await;
            pending::<()>().await;
        }
    })
    .await;
    let body = format!("{{\"data\":{{\"x\":\"{}\"}}}}", "x".repeat(12 << 20));
    let corpus = corpus(&body);
    let (_never, interrupted) = watch::channel(false);
    let plan = LoadPlan { concurrency: 1, ..plan(500) };
    let outcome = run_until(&plan, &peer.target, &corpus, &interrupted).await;
    let report = judged(&outcome, &plan, 0.0, &[]);
    assert!(answers(&report, 413) > 0 && report.total.failed == 0, "{:?}", report.total);
}

#[tokio::test]
async fn rejects_impossible_loads_before_they_begin() {
    let (_never, interrupted) = watch::channel(false);
    let body = format!("\"{}\"", "x".repeat(15 << 20));
    let corpus = corpus(&body);
    let peer = Peer::answering(OK).await;
    let secure = Target::parse("https://127.0.0.1:1/").unwrap();
    for (target, words) in [(&peer.target, "--concurrency"), (&secure, "TLS")] {
        let subject = LoadTarget {
            target,
            secret: &Secret::new(SECRET),
            dialect: &DOCUMENTED,
            corpus: &corpus,
            clock: &Clock::system(),
            interrupted: &interrupted,
            live: None,
            idle: None,
        };
        let why = load::run(&LoadPlan { concurrency: 1000, ..plan(10) }, &subject, 0).await.unwrap_err();
        assert!(why.to_string().contains(words), "{why}");
        assert_eq!(why.exit_status().code(), 2);
    }
}

#[cfg(unix)]
#[test]
fn names_the_limit_on_open_files_and_its_fix() {
    use twenty_conform::wire::descriptors;

    let why = descriptors::allow(usize::MAX / 2).unwrap_err();
    assert!(why.contains("ulimit -n") && why.contains("--concurrency"), "{why}");
    descriptors::allow(8).unwrap();
}
