//! Receivers that are slow, silent or broken.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use super::{AROUND, hostile, within};
use crate::cli::program::{finish, run, serve_receiver, twenty};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn receiver_that_answers_after_seconds_fails_rcv_7() {
    let Some(command) = hostile("slow_receiver.py", "--delay 5.2") else { return };
    let options = ["--max-time", "5s", "--run", "RCV-1,RCV-7,VER-1", "--fail-on", "should"];
    let (ran, report) = within(15 * SECOND, "receiver", &command, &options);
    ran.expect(1).says(&["The answer comes too late.", "200 OK · \"ok\" · 5.2 s"]);
    assert_eq!(report.cause("RCV-7"), "answer.late");
    assert_eq!(
        report.message("VER-1"),
        "out of time: not all of its cases were tried in 5 s; raise --max-time"
    );
}

#[test]
fn missing_freshness_check_is_found_at_40_ms_an_answer() {
    let Some(command) = hostile("slow_receiver.py", "--delay 0.04 --any-age") else { return };
    let options = ["--max-time", "6s", "--run", "RCV-1,VER-1,VER-11", "--fail-on", "should"];
    let (ran, report) = within(6 * SECOND, "receiver", &command, &options);
    ran.expect(1);
    assert_eq!(report.cause("VER-11"), "accepts.stale");
    assert!(report.with("pass").contains("RCV-1"), "{report:#?}");
}

/// The search for the window's bounds stays within 64 bits.
#[test]
fn window_of_a_day_is_measured() {
    let Some(command) = hostile("slow_receiver.py", "--hours 24") else { return };
    let (ran, _) = within(10 * SECOND, "receiver", &command, &["--run", "VER-11", "--cases", "4"]);
    ran.says(&["the receiver accepts deliveries up to about 2"]);
}

#[test]
fn receiver_that_serves_one_connection_at_a_time_is_judged() {
    let Some(command) = hostile("slow_receiver.py", "--one-at-a-time") else { return };
    let options =
        ["--timeout", "5s", "--cases", "4", "--run", "RCV-1,RCV-5,RCV-8,VER-1", "--fail-on", "should"];
    let (ran, report) = within(15 * SECOND, "receiver", &command, &options);
    ran.expect(0).says(&["cases were sent one at a time"]);
    assert!(report.with("inconclusive").is_empty(), "{report:#?}");
}

/// Without the bound on waits for bodies, each of several hundred exchanges takes a second.
#[test]
fn bodies_that_do_not_come_cost_little() {
    for body in ["never", "drip"] {
        let Some(command) = hostile("slow_receiver.py", &format!("--body {body}")) else { return };
        let options = ["--cases", "16", "--run", "RCV-1,RCV-2,VER-1,VER-2,VER-3"];
        let (ran, report) = within(10 * SECOND, "receiver", &command, &options);
        ran.expect(0);
        assert_eq!(report.with("pass").len(), 5, "{report:#?}");
    }
}

/// Without the bound on waits for the end of the process, each of several hundred exchanges takes 300 ms.
#[test]
fn broken_answers_of_a_living_process_cost_little() {
    for broken in ["head", "cut", "reset", "garbage"] {
        let Some(command) = hostile("slow_receiver.py", &format!("--broken {broken}")) else { return };
        let options = ["--run", "RCV-2,VER-1,VER-3,VER-6"];
        let (ran, report) = within(30 * SECOND, "receiver", &command, &options);
        let ran = ran.expect(3);
        assert!(!ran.stdout.contains("out of time"), "{ran:#?}");
        assert_eq!(report.with("inconclusive").len(), 4, "{report:#?}");
    }
}

#[test]
fn process_that_ends_after_many_broken_answers_is_noticed() {
    let Some(command) = hostile("slow_receiver.py", "--closes --exits") else { return };
    let options = ["--cases", "4", "--run", "VER-1,VER-2,VER-3,VER-4"];
    let (ran, report) = within(60 * SECOND, "receiver", &command, &options);
    ran.expect(1);
    let message = report.message("VER-4");
    assert!(message.contains("without a signature") && message.contains("exit status: 9"), "{message}");
    assert_eq!(report.with("fail"), BTreeSet::from(["VER-4"]), "{report:#?}");
}

#[test]
fn every_run_ends_in_time_with_a_report() {
    let subjects = [
        "--delay 0.9",
        "--delay 3",
        "--body drip",
        "--broken head",
        "--broken cut",
        "--broken reset",
        "--broken garbage",
        "--broken silence",
        "--one-at-a-time --delay 0.2",
    ];
    let run = |options: &str| {
        let Some(command) = hostile("slow_receiver.py", options) else { return };
        let limits = ["--max-time", "5s", "--timeout", "1s"];
        let (ran, report) = within(6 * SECOND, "receiver", &command, &limits);
        assert!(ran.result_line().starts_with("RESULT: "), "{options}: {ran:#?}");
        assert!(report.verdicts().len() > 30, "{options}: {report:#?}");
    };
    let run = &run;
    thread::scope(|scope| {
        for options in subjects {
            scope.spawn(move || run(options));
        }
    });
}

#[test]
fn receiver_that_does_not_listen_is_not_waited_for_longer() {
    let began = Instant::now();
    run(["receiver", "--max-time", "1s", "--exec", "sleep 600"])
        .expect(3)
        .says(&["did not listen", "within 1 s"]);
    assert!(began.elapsed() < SECOND + AROUND, "{:?}", began.elapsed());
}

#[test]
fn maximum_is_also_read_from_the_environment() {
    let served = serve_receiver("s3cr3t");
    let mut command = twenty(["receiver", "--url", &served.url, "--secret", "s3cr3t", "--run", "VER-1"]);
    command.env("TWENTY_CONFORM_MAX_TIME", "1ms");
    finish(command).expect(3).says(&["out of time: not all of its cases were tried in 1 ms"]);
    run(["receiver", "--max-time", "0", "--url", "http://127.0.0.1:1/"])
        .expect(2)
        .complains_of(&["--max-time"]);
}
