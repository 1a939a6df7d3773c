//! Receivers that write their secret into answers and output: runs, loads, single deliveries and replays.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use super::scan::Windows;
use crate::cli::program::{Ran, finish, serve, twenty};
use crate::implementations::is_missing;

/// Can be in a header name, so every mode can write it.
const WORD: &str = "Zq7Xv2Kd9Lw4Rt6Yp1Mn8Bc3Hj5Gf0SaQeWzUxIoPkLmNbVcDrTyHuJiKoLpZ1x2";
/// Every encoding of it is different.
const SPECIAL: &str = "kLjúč-\"7\"&<Zq9/x>'Qw\\4+Тест~ Rt%6Yp=1Mn?";

const ANSWERS: [&str; 18] = [
    "body",
    "encoded",
    "bytes",
    "header-value",
    "header-name",
    "lower-name",
    "reason",
    "start-line",
    "status",
    "length",
    "bad-header",
    "chunk-length",
    "chunk-extension",
    "trailer",
    "redirect",
    "two-writes",
    "large-body",
    "no-http",
];

/// Those that are also tried with the special secret.
const SPECIAL_ANSWERS: [&str; 6] = ["encoded", "bytes", "bad-header", "start-line", "redirect", "large-body"];

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile/leaking_receiver.py")
}

/// Runs the suite with every output. Returns what was printed, and the folder with the files.
fn run_with_every_output(secret: &str, patterns: &[&str], subject: &[&str]) -> (Ran, TempDir) {
    let folder = TempDir::new().unwrap();
    let mut command = twenty(["receiver", "--seed", "1", "--cases", "0", "--timeout", "2s", "-v"]);
    command.args(patterns.iter().flat_map(|pattern| ["--run", pattern])).args(subject);
    command.env("TWENTY_WEBHOOK_SECRET", secret);
    for format in ["text", "json", "junit", "html", "tap", "sarif", "markdown"] {
        command.arg("--report").arg(format!("{format}={}", folder.path().join(format).display()));
    }
    command.arg("--out").arg(folder.path().join("out"));
    (finish(command), folder)
}

fn leaks_nowhere(secret: &str, mode: &str, width: &str) {
    let windows = Windows::of([secret]);
    let what = format!("{mode} {width} with {secret}");
    let mut command = Command::new("python3");
    command.arg(script()).args([mode, width]).env("TWENTY_WEBHOOK_SECRET", secret).env_remove("PORT");
    let served = serve(command);
    let (ran, folder) = run_with_every_output(secret, &["RCV-1", "VER-22"], &["--url", &served.url]);
    assert!([Some(1), Some(3)].contains(&ran.status), "{ran:#?}");
    windows.assert_not_in(&ran, &what);
    assert!(windows.assert_not_under(folder.path(), &what) >= 8, "{what}");
    let on_it = |arguments: &[&str]| {
        let mut command = twenty(arguments);
        command.args(["--url", &served.url]).env("TWENTY_WEBHOOK_SECRET", secret);
        command
    };
    let sent = finish(on_it(&["send", "--timeout", "2s"]));
    windows.assert_not_in(&sent, &what);
    let mut load =
        on_it(&["bench", "receiver", "--duration", "50ms", "--warm-up", "0", "--concurrency", "2"]);
    for format in ["text", "json", "html"] {
        load.arg("--report").arg(format!("{format}={}", folder.path().join("bench").display()) + format);
    }
    windows.assert_not_in(&finish(load), &what);
    let case = folder.path().join("out/cases/RCV-1.json");
    if case.exists() {
        windows.assert_not_in(&finish(on_it(&["replay", &case.display().to_string()])), &what);
    }
    windows.assert_not_under(folder.path(), &what);
}

#[test]
fn answers_with_the_secret_leak_it_nowhere() {
    if is_missing("python3") {
        return;
    }
    thread::scope(|scope| {
        for part in ANSWERS.chunks(6) {
            scope.spawn(move || {
                for mode in part {
                    leaks_nowhere(WORD, mode, "58");
                    if SPECIAL_ANSWERS.contains(mode) {
                        leaks_nowhere(SPECIAL, mode, "90");
                    }
                }
            });
        }
    });
}

#[test]
fn quotes_cut_at_any_byte_have_no_part_of_the_secret() {
    if is_missing("python3") {
        return;
    }
    // A quote has 120 bytes; the head before the secret has 13.
    thread::scope(|scope| {
        for from in [0, 1] {
            scope.spawn(move || {
                for width in (43 + 4 * from..110).step_by(8) {
                    leaks_nowhere(WORD, "status", &width.to_string());
                }
            });
        }
    });
}

#[test]
fn output_of_a_receiver_that_dies_has_no_part_of_the_secret() {
    if is_missing("python3") {
        return;
    }
    for (secret, mode, width) in [
        (WORD, "early-death", "20"),
        (WORD, "early-death", "58"),
        (SPECIAL, "early-death", "10"),
        (WORD, "death", "58"),
        (SPECIAL, "death", "10"),
        (WORD, "encoded", "10"),
    ] {
        let windows = Windows::of([secret]);
        let exec = format!("python3 '{}' {mode} {width}", script().display());
        let (ran, folder) =
            run_with_every_output(secret, &["RCV-12", "PRC-1"], &["--exec", &exec, "--observe", "stdout"]);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(shown.contains("[redacted") || mode == "encoded", "{mode} is shown: {shown}");
        windows.assert_not_in(&ran, mode);
        windows.assert_not_under(folder.path(), mode);
    }
}
