//! Snapshots of what people and programs read: reports in each format, the output of `listen`, and the help of every command.
//!
//! Times, ports, signatures and numbers of exchanges differ from run to run, so they are masked.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::report::{Report, junit, markdown, sarif, tap};

use crate::cli::listen::{SECRET, body, request, valid};
use crate::cli::program::{Ran, as_given, finish, reference, serve, serve_receiver, twenty};
use crate::cli::saved::assert_reads_back;
use crate::cli::transcripts::recorded;
use crate::peers::servers::always;
use crate::snapshot::assert_snapshot;

type Renderer = fn(&Report) -> String;

/// Compares a run's report with its snapshot in each format.
fn assert_reports(name: &str, arguments: &[&str], status: i32) {
    let folder = TempDir::new().unwrap();
    let path = |format: &str| folder.path().join(format).display().to_string();
    let mut command = as_given(arguments);
    for format in ["json", "junit", "tap", "sarif", "markdown"] {
        command.arg("--report").arg(format!("{format}={}", path(format)));
    }
    let saved = folder.path().join("saved");
    command.arg("--out").arg(&saved);
    let Ran { stdout, .. } = finish(command).expect(status);
    let written = [path("json"), path("junit")];
    let written = [("json", Path::new(&written[0])), ("junit", Path::new(&written[1]))];
    assert_reads_back(&saved, &stdout, &written);
    assert_judged_alike(&saved, arguments, status);
    assert_snapshot(&format!("reports/{name}.text"), &masked(&stdout));
    let read = |format: &str| fs::read_to_string(path(format)).unwrap();
    let stored: Report = serde_json::from_str(&read("json")).unwrap();
    for format in ["json", "sarif"] {
        let mut value: Value = serde_json::from_str(&read(format)).unwrap();
        mask(&mut value);
        let shown = serde_json::to_string_pretty(&value).unwrap();
        assert_snapshot(&format!("reports/{name}.{format}"), &shown);
    }
    for format in ["junit", "tap"] {
        assert_snapshot(&format!("reports/{name}.{format}"), &masked(&read(format)));
    }
    // Its references to characters look like numbers of exchanges.
    let page = masked(&read("markdown").replace("&#", "&\u{1}")).replace("&\u{1}", "&#");
    assert_snapshot(&format!("reports/{name}.markdown"), &page);
    // The stored report has all that they show.
    let renderers: [(&str, Renderer); 4] = [
        ("junit", junit::render),
        ("tap", tap::render),
        ("sarif", sarif::render),
        ("markdown", markdown::render),
    ];
    for (format, render) in renderers {
        assert_eq!(render(&stored), read(format), "{format}");
    }
}

/// Judges the saved run again. Recorded traffic needs the secret of the run.
fn assert_judged_alike(saved: &Path, arguments: &[&str], status: i32) {
    let mut command = twenty(["rejudge", "-q"]);
    command.arg(saved);
    if let Some(at) = arguments.iter().position(|argument| *argument == "--secret") {
        command.args(&arguments[at..at + 2]);
    }
    let ran = finish(command).expect(status);
    let told = ["every verdict and every cause is the run's own", "so there is nothing to judge"];
    assert!(told.iter().any(|words| ran.stderr.contains(words)), "{ran:#?}");
}

/// Masks members of a JSON report that differ from run to run.
fn mask(value: &mut Value) {
    match value {
        Value::String(text) => *text = masked(text),
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::Object(members) => {
            for (name, value) in members {
                let is_time = name.ends_with("_ms") || name.ends_with("_us") || name.ends_with("_per_s");
                if is_time || ["exchanges", "controls"].contains(&name.as_str()) {
                    *value = format!("[{name}]").into()
                } else {
                    mask(value)
                }
            }
        }
        _ => {}
    }
}

/// Masks words of a text that differ from run to run.
pub(crate) fn masked(text: &str) -> String {
    let text = text.replace(env!("CARGO_BIN_EXE_twenty-conform"), "twenty-conform");
    let text = text.replace(&std::env::temp_dir().display().to_string(), "[tmp]");
    let mut masked = String::new();
    for line in text.split_inclusive('\n') {
        let line = match line.split_once(" requests in ") {
            Some(_) => "[count] requests in [duration]\n",
            None => line,
        };
        let ends = |character: char| !character.is_ascii_alphanumeric() && !".:-#".contains(character);
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = if ends(first) { first.len_utf8() } else { rest.find(ends).unwrap_or(rest.len()) };
            masked.push_str(&masked_word(&rest[..length]));
            rest = &rest[length..];
        }
    }
    let attributes = masked.split(" time=\"").enumerate().map(|(at, piece)| match piece.split_once('"') {
        Some((_, rest)) if at > 0 => format!(" time=\"[time]\"{rest}"),
        _ => piece.to_owned(),
    });
    attributes.collect()
}

fn masked_word(word: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = |length: usize| word.len() == length && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(rest) = word.strip_prefix("127.0.0.1:") {
        return format!(
            "127.0.0.1:[port]{}",
            rest.trim_start_matches(|character: char| character.is_ascii_digit())
        );
    }
    match word {
        _ if digits(64) => "[signature]".to_owned(),
        "twenty-conform-report" => word.to_owned(),
        // Temporary folders of tests and of the binary.
        _ if word.len() == 10 && word.starts_with(".tmp") => "[folder]".to_owned(),
        _ if word.len() == 21 && word.starts_with("twenty-conform-") => "[folder]".to_owned(),
        _ if is_number(word) && word.len() == 13 => "[milliseconds]".to_owned(),
        // Times of `listen`.
        _ if word.len() == 13 && word.ends_with('Z') && word.contains(':') => "[time]".to_owned(),
        // Dates of deliveries have milliseconds; those of records do not.
        _ if word.len() == 24 && word.ends_with('Z') && word.contains('T') => "[now]".to_owned(),
        _ if word.strip_prefix('#').is_some_and(|rest| is_number(rest.trim_end_matches(':'))) => {
            "#[n]".to_owned()
        }
        _ => word.to_owned(),
    }
}

const RECEIVER_REQUIREMENTS: &str = "RCV-1,RCV-5,VER-1,VER-4,VER-9,RCV-10,PRC-1";

fn assert_receiver(name: &str, url: &str, requirements: &str, status: i32) {
    let options = ["--secret", "s3cr3t", "--seed", "1", "--cases", "4", "--jobs", "1"];
    let arguments = [&["receiver", "--url", url, "--run", requirements][..], &options].concat();
    assert_reports(name, &arguments, status);
}

#[test]
fn reports_on_a_passing_receiver() {
    let served = serve_receiver("s3cr3t");
    assert_receiver("receiver-passes", &served.url, RECEIVER_REQUIREMENTS, 0);
}

#[test]
fn reports_on_a_receiver_that_accepts_everything() {
    let url = format!("{}hook", always(200));
    assert_receiver("receiver-accepts-everything", &url, RECEIVER_REQUIREMENTS, 1);
}

#[test]
fn reports_on_a_receiver_that_rejects_everything() {
    let url = format!("{}hook", always(401));
    assert_receiver("receiver-rejects-everything", &url, RECEIVER_REQUIREMENTS, 1);
}

#[test]
fn reports_on_a_receiver_elsewhere() {
    let url = format!("{}hook", always(404));
    assert_text("receiver-not-found", &["receiver", "--url", &url, "--secret", "s3cr3t", "--cases", "4"], 1);
}

#[test]
fn reports_in_the_short_form() {
    let url = format!("{}hook", always(200));
    let run =
        ["receiver", "--url", &url, "--secret", "s3cr3t", "--run", RECEIVER_REQUIREMENTS, "--cases", "4"];
    assert_text("receiver-in-short", &[&run[..], &["--agent"]].concat(), 1);
}

#[test]
fn reports_on_a_receiver_that_does_not_start() {
    assert_text("receiver-not-started", &["receiver", "--exec", "'twenty-conform-is-not-here'"], 3);
}

/// Compares the text report of a run with its snapshot.
fn assert_text(name: &str, arguments: &[&str], status: i32) {
    let Ran { stdout, .. } = finish(as_given([arguments, &["--seed", "1"]].concat())).expect(status);
    assert_snapshot(&format!("reports/{name}.text"), &masked(&stdout));
}

#[test]
fn reports_on_an_inconclusive_run() {
    let url = format!("{}hook", always(401));
    assert_receiver("receiver-inconclusive", &url, "VER-1,VER-4", 3);
}

#[test]
fn reports_on_a_passing_sender() {
    let exec = reference("sender");
    let options = ["--seed", "1", "--cases", "4"];
    let arguments =
        [&["sender", "--exec", &exec, "--run", "DLV-1,PAY-1,SIG-4,ACK-1,NON-1"][..], &options].concat();
    assert_reports("sender-passes", &arguments, 0);
}

#[test]
fn reports_on_recorded_traffic() {
    let file = recorded();
    assert_reports("sender-recorded", &file.arguments(&["--secret", SECRET, "--seed", "1"]), 1);
}

#[test]
fn reports_on_a_sender_that_violates_the_protocol() {
    assert_reports(
        "sender-breaks-protocol",
        &["sender", "--exec", "cat", "--seed", "1", "--run", "DLV-1"],
        70,
    );
}

/// The text that `listen` prints for these requests, masked.
fn listened(arguments: &[&str], requests: &[Vec<u8>], status: i32) -> String {
    let count = requests.len().to_string();
    let served = serve(twenty([&["listen", "--count", &count][..], arguments].concat()));
    let address = served.url.strip_prefix("http://").unwrap().trim_end_matches('/');
    for request in requests {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let (ended, text) = served.end();
    assert_eq!(ended, Some(status), "{text}");
    masked(&text)
}

#[test]
fn listen_with_a_secret() {
    let body_alone = request("/", &body(1), "close", |_, body| body.to_owned());
    let text = listened(&["--secret", SECRET], &[valid("/", &body(1)), body_alone], 1);
    assert_snapshot("reports/listen.text", &text);
}

#[test]
fn listen_without_a_secret() {
    let text = listened(&[], &[valid("/", &body(1))], 0);
    assert_snapshot("reports/listen-without-secret.text", &text);
}

#[test]
fn help_of_every_command() {
    let mut text = String::new();
    let mut commands = vec![Vec::new()];
    while let Some(command) = commands.pop() {
        let mut call = twenty(command.iter().map(String::as_str).chain(["--help"]));
        // The default width, not that of a terminal.
        call.env_remove("COLUMNS").env_remove("LINES");
        let help = finish(call).expect(0).stdout;
        text += &format!(
            "$ twenty-conform {}\n{help}\n",
            [&command[..], &["--help".to_owned()]].concat().join(" ")
        );
        let under: Vec<Vec<String>> =
            subcommands(&help).map(|name| [&command[..], &[name.to_owned()]].concat()).collect();
        commands.extend(under.into_iter().rev());
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_snapshot("help", &lines.join("\n"));
}

/// The commands that a help text lists: the rows between the usage and the examples that begin with a name.
pub(crate) fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Usage:"));
    let rows = lines.take_while(|line| *line != "Examples:").filter_map(|line| line.strip_prefix("  "));
    let names = rows.filter_map(|row| row.split_once("  ")).map(|(name, _)| name);
    let is_name = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase());
    // The `help` that clap adds has no page of its own.
    let has_help = help.contains("\nSet-up:");
    names.filter(move |name| is_name(name) && !name.contains(' ') && (*name != "help" || has_help))
}
