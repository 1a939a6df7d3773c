//! `listen --forward` to a target that does not take deliveries: it is told and counted, and nothing is lost or delayed for long.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::listen::{Listening, SECRET, body, valid};
use super::program::twenty;
use crate::peers::servers::{ClosedPort, always, serve};

/// A target that takes requests and never answers.
fn hanging() -> String {
    serve(|mut stream| {
        while stream.read(&mut [0; 4096])? > 0 {}
        Ok(())
    })
}

/// The summary after one delivery was forwarded there, and its line.
fn forwarded(target: &str, options: &[&str]) -> (Value, Option<i32>, Value) {
    let mut listening =
        Listening::new(&[&["--secret", SECRET, "--once", "--forward", target][..], options].concat());
    listening.send(&valid("/", &body(1)));
    let told = listening.next();
    let (status, summary) = listening.end();
    (told, status, summary)
}

#[test]
fn failed_forwarding_is_told_and_fails_the_run() {
    let closed = ClosedPort::new();
    let backlog = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silent = format!("http://{}/", backlog.local_addr().unwrap());
    let quick = ["--forward-timeout", "200ms"];
    for (target, options, why, status) in [
        (closed.url(), &[][..], "connection refused", 502),
        (always(500), &[], "answered 500", 500),
        (always(302), &[], "answered 302", 302),
        (hanging(), &quick, "no answer within 200ms", 502),
        (silent, &["--timeout", "200ms"], "no answer within 200ms", 502),
    ] {
        let (told, ended, summary) = forwarded(&target, options);
        assert_eq!((&told["verdict"], &told["status"]), (&"pass".into(), &status.into()), "{told}");
        assert_eq!((ended, &summary["result"]), (Some(1), &"fail".into()), "{summary}");
        assert_eq!((&summary["forwarded"], &summary["not_forwarded"]), (&0.into(), &1.into()), "{summary}");
        assert_eq!(summary["forward_failures"][why], 1, "{summary}");
    }
    let (told, ended, summary) = forwarded(&always(204), &[]);
    assert_eq!((ended, &told["forwarded"]["status"]), (Some(0), &204.into()), "{summary}");
    assert_eq!((&summary["forwarded"], &summary["not_forwarded"]), (&1.into(), &0.into()), "{summary}");
}

#[test]
fn hanging_target_delays_no_answer_beyond_its_limit() {
    const LIMIT: Duration = Duration::from_millis(500);
    let target = hanging();
    let forwarding = ["--forward", &target, "--forward-timeout", "500ms"];
    let mut listening = Listening::new(&[&["--secret", SECRET, "--count", "6"][..], &forwarding].concat());
    let began = Instant::now();
    thread::scope(|scope| {
        for id in 0..6 {
            let listening = &listening;
            scope.spawn(move || {
                let answer = listening.send(&valid("/", &body(id)));
                assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
            });
        }
    });
    // All at the same time, on a busy machine.
    assert!(began.elapsed() >= LIMIT && began.elapsed() < 5 * LIMIT, "{:?}", began.elapsed());
    (0..6).for_each(|_| assert_eq!(listening.next()["verdict"], "pass"));
    let (status, summary) = listening.end();
    assert_eq!((status, &summary["judged"], &summary["not_forwarded"]), (Some(1), &6.into(), &6.into()));
}

#[cfg(unix)]
#[test]
fn delivery_whose_target_hangs_is_stored_when_listen_is_interrupted() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().display().to_string();
    let (begun, wait) = std::sync::mpsc::channel();
    let target = serve(move |mut stream| {
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer)? > 0 {
            // The test may be over.
            let _ = begun.send(());
        }
        Ok(())
    });
    let forwarding = ["--forward", &target, "--forward-timeout", "1m", "--out", &out];
    let listening = Listening::new(&[&["--secret", SECRET][..], &forwarding].concat());
    thread::scope(|scope| {
        let sending = scope.spawn(|| listening.send(&valid("/", &body(1))));
        wait.recv().unwrap();
        listening.interrupt();
        let answer = sending.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("before the end"), "{answer}");
    });
    let (status, summary) = listening.end();
    assert_eq!(status, Some(1), "{summary}");
    for what in ["received", "judged", "stored", "not_forwarded"] {
        assert_eq!(summary[what], 1, "{what}: {summary}");
    }
    assert!(fs::read_to_string(folder.path().join("1.http")).unwrap().ends_with(&body(1)));
}

#[test]
fn summary_counts_what_was_not_passed_on() {
    let closed = ClosedPort::new();
    let command =
        twenty(["listen", "--color", "never", "--secret", SECRET, "--once", "--forward", &closed.url()]);
    let served = super::program::serve(command);
    super::listen_ends::send(&served, &valid("/", &body(1)));
    let (status, text) = served.end();
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("pass → forward failed: connection refused"), "{text}");
    assert!(text.contains("\nnot passed on: 1 of 1 delivery: connection refused (1)\n"), "{text}");
    assert!(text.ends_with(" passed on 0 not passed on 1\n"), "{text}");
}
