//! `bench pair` as a user sees it.
//!
//! Invariant: loads are short and stay on this machine.

use serde_json::Value;

use super::bench_compare::defaults;
use super::program::{Ran, reference, run, twenty};
use crate::implementations::is_missing;

/// `bench pair` with short loads.
fn pair(base: &str, candidate: &str, arguments: &[&str]) -> Ran {
    let short = [
        ["--rounds", "1"],
        ["--duration", "20ms"],
        ["--max-time", "1s"],
        ["--warm-up", "0"],
        ["--concurrency", "2"],
        ["--seed", "7"],
    ];
    let short = defaults(&short, arguments);
    run(["bench", "pair", "--base", base, "--candidate", candidate].iter().chain(&short).chain(arguments))
}

#[test]
fn pair_compares_processor_time_rate_and_memory() {
    let receiver = reference("receiver");
    let ran = pair(&receiver, &receiver, &["--threshold", "90%", "--max-time", "20s", "--json"]);
    // Such short loads may be inconclusive, but a receiver is never slower than itself.
    assert!(matches!(ran.status, Some(0 | 3)), "{ran:#?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["format"], "twenty-conform-pair/2");
    assert_eq!(report["exit_status"].as_i64(), ran.status.map(i64::from));
    assert!(report["starts"].as_array().unwrap().len() >= 5, "{report}");
    let figures = report["figures"].as_array().unwrap();
    let names: Vec<&str> = figures.iter().filter_map(|one| one["figure"].as_str()).collect();
    let expected: &[&str] = match cfg!(target_os = "linux") {
        true => &["processor-time", "rate", "p99", "memory"],
        false => &["rate", "p99"],
    };
    assert_eq!(names, expected);
    for one in figures {
        let is_shown = matches!(one["figure"].as_str(), Some("p99" | "memory"));
        assert_eq!(one["decides"], !is_shown, "{one}");
        assert!(
            one["ratio"]["estimate"].as_f64().unwrap() > 0.0 && one["base"].as_f64().unwrap() > 0.0,
            "{one}"
        );
        assert!(one["control"]["low"].as_f64() <= one["control"]["high"].as_f64(), "{one}");
    }
    if ran.status == Some(0) {
        assert!(expected.contains(&report["decided_by"].as_str().unwrap()), "{report}");
    }
    ran.complains_of(&["for up to 20 s"]);
    // At a rate the p99 is compared.
    let ran = pair(
        &receiver,
        &receiver,
        &["--rate", "1000", "--duration", "100ms", "--threshold", "90%", "--max-time", "60s"],
    );
    assert!(matches!(ran.status, Some(0 | 3)), "{ran:#?}");
    ran.says(&["  p99 ", "  processor time  ", "  memory ", "starts of all three processes"]);
}

#[test]
fn pair_says_how_many_starts_it_needs() {
    let receiver = reference("receiver");
    let ran = pair(&receiver, &receiver, &["--max-time", "1ms"]).expect(3);
    ran.says(&["at least 5 starts", "--max-time", "RESULT: inconclusive"]);
}

#[test]
fn pair_names_the_receiver_that_does_not_start() {
    let receiver = reference("receiver");
    let loose = ["--threshold", "90%"];
    pair("no-such-command", &receiver, &loose).expect(3).says(&["no-such-command", "cannot start"]);
    // `--version` ends at once, without listening.
    let dies = receiver.replace("serve receiver", "--version");
    let ran = pair(&dies, &receiver, &loose).expect(3);
    ran.says(&["the base: the receiver ended before it listened", "(exit status: 0)", "RESULT: incomplete"]);
}

#[cfg(unix)]
#[test]
fn pair_reports_a_broken_candidate_as_failed_not_slow() {
    let receiver = reference("receiver");
    let said = |candidate: &str, status: i32, words: &[&str]| {
        // On a busy machine no delivery may end in a short load.
        for duration in ["50ms", "1s"] {
            let ran = pair(&receiver, candidate, &["--duration", duration, "--probe-share", "50%"]);
            if duration == "1s" || !ran.stdout.contains("finished within") {
                ran.expect(status).says(words);
                return;
            }
        }
    };
    let other = receiver.replace("serve receiver", "serve receiver --secret another-secret");
    said(&other, 1, &["the candidate accepted 0 of", "401", "RESULT: fail"]);
    if !is_missing("node") {
        let serve = "require(\"http\").createServer((q,r)=>{q.resume();q.on(\"end\",()=>r.end())}).listen(process.env.PORT)";
        let everything = format!("node -e '{serve}'");
        said(
            &everything,
            1,
            &["the candidate accepted deliveries that must be rejected", "VER-", "RESULT: fail"],
        );
    }
    said(
        "sh -c 'exit 3'",
        3,
        &["the candidate: the receiver ended before it listened", "RESULT: incomplete"],
    );
}

#[cfg(unix)]
#[test]
fn pair_is_incomplete_when_a_receiver_dies() {
    let receiver = reference("receiver");
    // It lives for far fewer rounds; whenever it ends, the report says so.
    let ran = pair(
        &format!("timeout 0.5 {receiver}"),
        &receiver,
        &["--rounds", "1000", "--max-time", "60s", "--json"],
    )
    .expect(3);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["result"], "incomplete");
    let why = report["why"].as_str().unwrap();
    assert!(why.starts_with("the base") && why.contains("ended with"), "{why}");
    assert_eq!((report["starts"].as_array().unwrap().len(), &report["decided_by"]), (1, &Value::Null));
}

#[cfg(unix)]
#[test]
fn interrupted_pair_writes_a_partial_report() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let receiver = reference("receiver");
    let mut command = twenty(["bench", "pair", "--base", &receiver, "--candidate", &receiver]);
    command.args(["--rounds", "1000", "--duration", "60s"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("measuring"), "{line}");
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stdout}");
    assert!(stdout.contains("interrupted") && stdout.contains("RESULT: interrupted "), "{stdout}");
}

#[test]
fn pair_rejects_wrong_options() {
    for (arguments, words) in [
        (["--rounds", "0"].as_slice(), ["--rounds", "from 1"]),
        (&["--max-time", "0"], ["--max-time", "0"]),
        (&["--rate", "100"], ["100 deliveries", "--duration 1.0s"]),
        (&["--max-regression", "x"], ["--max-regression", "not a share"]),
        (&["--threshold", "0%"], ["0%", "between"]),
        (&["--path", "x"], ["--path", "slash"]),
        (&["--report", "bmf=x"], ["bmf", "text or json"]),
        (&["--corpus", "no/such"], ["corpus", "no/such"]),
    ] {
        let given = ["bench", "pair", "--base", "no-such-command", "--candidate", "no-such-command"];
        run(given.iter().chain(arguments)).expect(2).complains_of(&words);
    }
}
