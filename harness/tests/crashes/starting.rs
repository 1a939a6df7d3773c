//! Programs that cannot start, or end at once: reported once, on one screen, with status 3.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use tempfile::TempDir;
use twenty_conform::suite::requirement::Verdict;
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Judgement};
use twenty_conform::suite::transcript::{Ending, Limits, Role, Transcript};
use twenty_conform::webhook::dialect::DOCUMENTED;

use super::python;
use crate::cli::program::{Ran, Report, judged, run as binary, twenty};
use crate::implementations::is_missing;

/// The most lines on the terminal, including the `RESULT:` line.
const MOST_LINES: usize = 20;

/// The most lines of a run that has not begun.
const SHORT: usize = 12;

/// Fails unless all of these words are on the terminal, each on one line, and there are few lines.
#[track_caller]
fn assert_told_once(ran: &Ran, words: &[&str]) {
    let lines: Vec<&str> = ran.stdout.lines().chain(ran.stderr.lines()).collect();
    assert!(lines.len() <= MOST_LINES, "{} lines: {ran:#?}", lines.len());
    for word in words {
        let told = lines.iter().filter(|line| line.contains(word)).count();
        assert_eq!(told, 1, "{word:?} is on {told} lines: {ran:#?}");
    }
}

/// The command of a shell script.
fn script(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    format!("sh '{}'", path.display())
}

/// Every requirement is inconclusive, for a reason with these words.
#[track_caller]
fn assert_inconclusive(report: &Report, words: &str) {
    assert_eq!(report.0["result"], "incomplete");
    assert_eq!(report.0["exit_status"], 3);
    for (id, verdict) in report.verdicts() {
        assert_eq!(verdict, "inconclusive", "{id}");
        assert!(report.message(id).contains(words), "{id}: {}", report.message(id));
    }
}

#[test]
fn receiver_that_cannot_start_is_told_once() {
    let folder = TempDir::new().unwrap();
    let plain = folder.path().join("plain.txt");
    fs::write(&plain, "not a program").unwrap();
    let plain = format!("'{}'", plain.display());
    let mut commands = vec![
        ("no-such-command --at all".to_owned(), "cannot start the command \"no-such-command\""),
        (plain, "make it executable"),
        ("true".to_owned(), "(exit status: 0)"),
        (script(&folder, "says", "echo no database; exit 4"), "no database"),
    ];
    if let Some(ends) = python("starts-and-ends.py 0 300") {
        commands.push((ends, "DuplicateRoute: two routes have the same name"));
    }
    if let Some(ends) = python("starts-and-ends.py 100 300") {
        commands.push((ends, "DuplicateRoute: two routes have the same name"));
    }
    if python("").is_some() {
        let import = script(&folder, "import", "python3 -c 'import no_such_module'");
        commands.push((import, "No module named"));
    }
    for (command, words) in commands {
        for options in [&[][..], &["-q"], &["--run", "VER-9"]] {
            let (ran, report) = judged(["receiver", "--exec", &command].iter().chain(options));
            let ran = ran.expect(3);
            assert_told_once(&ran, &[words]);
            assert!(ran.result_line().starts_with("RESULT: incomplete "), "{ran:#?}");
            assert_inconclusive(&report, words);
        }
    }
}

#[test]
fn last_lines_and_the_command_to_try_are_shown() {
    let Some(ends) = python("starts-and-ends.py 50 300") else { return };
    let ran = binary(["receiver", "--exec", &ends]).expect(3);
    assert_told_once(&ran, &["at frame 299", "DuplicateRoute", "start it yourself: PORT=", "exit status: 1"]);
    assert!(ran.stdout.contains(&ends) && !ran.stdout.contains("at frame 280"), "{ran:#?}");
    // A report to stdout that is not for people leaves the reason for stderr.
    let ran = binary(["receiver", "--exec", &ends, "--report", "junit=-"]).expect(3);
    assert!(ran.stderr.contains("DuplicateRoute") && ran.stderr.lines().count() <= MOST_LINES, "{ran:#?}");
}

/// The lines of a run that has not begun: the fault first, the result last, and nothing that does not fit the screen.
#[track_caller]
fn short(ran: &Ran) -> Vec<&str> {
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines.len() <= SHORT && lines[0].starts_with("twenty-conform: "), "{ran:#?}");
    assert!(lines.last().unwrap().starts_with("RESULT: incomplete "), "{ran:#?}");
    let is_free = |line: &&str| !line.starts_with("  command ") && !line.contains("yourself: ");
    let wide = lines.iter().find(|line| is_free(line) && line.chars().count() > 100);
    assert_eq!(wide, None, "{ran:#?}");
    lines
}

#[test]
fn fault_and_fix_are_in_the_first_five_lines() {
    let folder = TempDir::new().unwrap();
    let taken =
        script(&folder, "in-use", "echo 'Error: listen EADDRINUSE: address already in use' >&2; exit 1");
    let unlisted = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{unlisted}/hooks");
    let mut cases = vec![
        (vec!["--exec", "no-such-command"], "cannot start the command", "fix      check its path"),
        (vec!["--exec", "true"], "ended before it listened on port", "fix      start it yourself: PORT="),
        (
            vec!["--exec", "sleep 60", "--ready-timeout", "100ms"],
            "did not listen on port",
            "does `sleep 60` read the port",
        ),
        (vec!["--exec", &taken], "ended before it listened", "fix      its port is in use"),
        (vec!["--url", &url, "--secret", "x"], "cannot be reached: connection refused", "start it first"),
        (vec!["--url", &url["http://".len()..], "--secret", "x"], "cannot be reached", "start it first"),
        (
            vec!["--url", "http://no-such-host.invalid/", "--secret", "x", "--allow-remote"],
            "cannot be reached",
            "check the host",
        ),
    ];
    if python("").is_some() {
        cases.push((
            vec!["--exec", "python3 no-such-file.py"],
            "ended before it listened",
            "fix      check the path",
        ));
        let elsewhere = "python3 -u -m http.server 0 --bind 127.0.0.1";
        if cfg!(target_os = "linux") {
            // Its first second may pass before it listens.
            let waits = vec!["--exec", elsewhere, "--ready-timeout", "3s"];
            cases.push((
                waits,
                "the receiver listens on port ",
                "have it read the port from the variable PORT",
            ));
        }
    }
    for (arguments, fault, fix) in cases {
        let ran = binary([&["receiver"][..], &arguments].concat()).expect(3);
        let lines = short(&ran);
        assert!(lines[0].contains(fault), "{fault:?}: {ran:#?}");
        assert!(lines[1..5.min(lines.len())].iter().any(|line| line.contains(fix)), "{fix:?}: {ran:#?}");
    }
}

#[test]
fn command_without_its_file_takes_few_lines() {
    let exec = "node nofile.mjs";
    if is_missing("node") {
        return;
    }
    let ran = binary(["receiver", "--exec", exec]).expect(3);
    let lines = short(&ran);
    assert_eq!(lines[1], "  command  node nofile.mjs");
    assert!(lines[2].starts_with("  stderr   Error: Cannot find module '"), "{ran:#?}");
    assert!(lines[3].starts_with("  fix      check the path"), "{ran:#?}");
    assert!(lines.len() <= 6, "{ran:#?}");
    let ran = binary(["sender", "--exec", exec]).expect(3);
    assert!(
        short(&ran)[0].contains("no reply to `hello`") && ran.stdout.contains("fix      check the path"),
        "{ran:#?}"
    );
    // With -v, all of what it wrote.
    let ran = binary(["receiver", "--exec", exec, "-v"]).expect(3);
    assert!(ran.stdout.contains("  throw err;") && ran.stdout.contains("at Module._load"), "{ran:#?}");
}

#[test]
fn sender_that_ends_or_speaks_no_protocol_is_told_once() {
    let folder = TempDir::new().unwrap();
    let ends = script(&folder, "ends", "echo no configuration >&2; exit 4");
    let ran = binary(["sender", "--exec", &ends]).expect(3);
    assert_told_once(&ran, &["no configuration", "exit status: 4", "RESULT: incomplete "]);
    let (ran, report) = judged(["sender", "--exec", "no-such-command"]);
    assert_told_once(&ran.expect(3), &["cannot start the command"]);
    assert_inconclusive(&report, "cannot start the command");
    let speaks = script(&folder, "speaks", "echo Listening on 3000");
    let ran = binary(["sender", "--exec", &speaks]).expect(70);
    assert_told_once(&ran, &["\"Listening on 3000\"", "(console.error in Node", "RESULT: error "]);
}

#[test]
fn bench_tells_once_that_a_program_cannot_start() {
    let folder = TempDir::new().unwrap();
    let ends = script(&folder, "ends", "echo no configuration >&2; exit 4");
    for arguments in [
        &["bench", "receiver", "--exec", &ends][..],
        &["bench", "sender", "--exec", &ends],
        &["bench", "pair", "--base", &ends, "--candidate", &ends, "--duration", "100ms"],
    ] {
        assert_told_once(&binary(arguments).expect(3), &["no configuration"]);
    }
    if let Some(ends) = python("starts-and-ends.py 100 300") {
        assert_told_once(&binary(["bench", "receiver", "--exec", &ends]).expect(3), &["DuplicateRoute"]);
    }
    for role in ["receiver", "sender"] {
        let ran = binary(["bench", role, "--exec", "no-such-command"]).expect(3);
        assert_told_once(&ran, &["cannot start the command"]);
    }
}

/// The lines of a round of `--watch`, up to the result.
fn round(lines: &mut impl Iterator<Item = String>) -> Vec<String> {
    let mut round = Vec::new();
    for line in lines {
        let is_last = line.starts_with("RESULT:");
        round.push(line);
        if is_last {
            break;
        }
    }
    round
}

#[test]
fn watch_tells_each_round_once_and_waits_for_a_change() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("start.sh");
    fs::write(&script, "echo first fault >&2; exit 1").unwrap();
    let exec = format!("sh '{}'", script.display());
    let mut command = twenty(["receiver", "--exec", &exec, "--watch", folder.path().to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for fault in ["first fault", "second fault", "third fault"] {
        fs::write(&script, format!("echo {fault} >&2; exit 1")).unwrap();
        // A change may be seen while a round still runs; then one more round tells the same.
        let mut told = Vec::new();
        while !told.iter().any(|line: &String| line.contains(fault)) {
            told = round(&mut lines);
            assert!(
                told.len() <= MOST_LINES && told.last().unwrap().starts_with("RESULT: incomplete "),
                "{told:#?}"
            );
        }
        assert_eq!(told.iter().filter(|line| line.contains(fault)).count(), 1, "{told:#?}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn receiver_that_cannot_be_restarted_is_told_once() {
    let Some(ends) = python("ends.py event note.created 0") else { return };
    let folder = TempDir::new().unwrap();
    let lock = folder.path().join("lock");
    let once = format!("mkdir '{}' || {{ echo lock is held >&2; exit 3; }}; exec {ends}", lock.display());
    let exec = script(&folder, "once", &once);
    let (ran, report) = judged(["receiver", "--exec", &exec, "--run", "RCV-*,VER-*"]);
    let ran = ran.expect(1);
    assert!(report.cause("RCV-1") == "crash.everything", "{ran:#?}");
    assert!(report.with("inconclusive").len() > 20, "{ran:#?}");
    assert_eq!(ran.stdout.matches("lock is held").count(), 1, "{ran:#?}");
    assert!(ran.stdout.lines().count() <= 2 * MOST_LINES, "{ran:#?}");
}

#[test]
fn requirement_that_was_not_tried_is_inconclusive() {
    let mut transcript = Transcript::new(Role::Receiver, &DOCUMENTED, Limits::default());
    let skipped = Ending::Skipped("the run was interrupted".to_owned());
    let selected: Vec<_> = requirements::of(Role::Receiver).filter(|one| one.needs.is_none()).collect();
    for requirement in &selected {
        for scenario in requirement.scenarios {
            transcript.endings.push((scenario.name, skipped.clone()));
        }
    }
    for finding in run::judge(&transcript, &selected) {
        let Judgement::Judged(Verdict::Inconclusive(why)) = &finding.judgement else {
            panic!("{}: {:?}", finding.requirement.id, finding.judgement);
        };
        assert_eq!(why, "the run was interrupted", "{}", finding.requirement.id);
    }
}
