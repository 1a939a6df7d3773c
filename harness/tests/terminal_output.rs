//! What a program under test, a file or an argument contains is displayed without the power to control the terminal.
//!
//! Invariant: the commands run on a terminal, where they print styles, and each shows the text that the other side wrote.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;

use nix::pty::openpty;
use serde_json::json;
use tempfile::TempDir;
use twenty_conform::report::case::FORMAT;

use crate::cli::program::{reference, run, twenty};
use crate::implementations::is_missing;
use crate::peers::servers::{always, read_request, serve};

/// Text with everything that must not reach a terminal.
const HOSTILE: &str = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{1b}[31mRED\u{1b}[5m\u{9b}5m\u{8}\r\u{7f}\u{202e}\u{2066}\u{200b}\u{2028}\u{61c}\u{feff}\u{e0041}";

/// The styles of the program, and those that the parser of the command line adds.
const STYLES: [&str; 9] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[4m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[36m",
    "\u{1b}[1m\u{1b}[31m",
];

/// Characters that would change what a reader sees.
fn is_forbidden(character: char) -> bool {
    let is_layout = matches!(character, '\n' | '\t');
    character.is_control() && !is_layout
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(character, '\u{61c}' | '\u{ad}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The same, and fails unless it has the text of the other side.
#[track_caller]
fn assert_escaped(what: &str, output: &[u8]) {
    assert_harmless(what, output);
    let shown = output.windows(5).any(|window| window == b"pwned");
    assert!(shown, "{what} does not show the text: {:?}", String::from_utf8_lossy(output));
}

/// Fails unless a terminal would show this as it is.
#[track_caller]
fn assert_harmless(what: &str, output: &[u8]) {
    let text = std::str::from_utf8(output).unwrap_or_else(|why| panic!("{what}: {why}: {output:?}"));
    // A terminal makes two characters of a line feed.
    let mut rest = text.replace("\r\n", "\n");
    for style in STYLES {
        rest = rest.replace(style, "");
    }
    let found: Vec<char> = rest.chars().filter(|&one| is_forbidden(one)).collect();
    assert!(found.is_empty(), "{what}: {found:?} in {text:?}");
    let forged = rest.lines().find(|line| line.starts_with("OVER") || line.starts_with("pwned"));
    assert_eq!(forged, None, "{what}: a line of its own in {text:?}");
}

/// Runs a command with a terminal as stdout, and as stderr too if that is not set. Returns what the terminal received.
fn on_terminal(
    mut command: Command,
    stderr: Option<Stdio>,
    during: impl FnOnce(&mut std::process::Child),
) -> Vec<u8> {
    let terminal = openpty(None, None).unwrap();
    let stderr = stderr.unwrap_or_else(|| terminal.slave.try_clone().unwrap().into());
    command.env("TERM", "xterm-256color").stdout(terminal.slave).stderr(stderr);
    let mut child = command.spawn().unwrap();
    // It holds the other end of the terminal.
    drop(command);
    let mut terminal = File::from(terminal.master);
    let reading = thread::spawn(move || {
        let (mut output, mut buffer) = (Vec::new(), [0; 4096]);
        // Linux reports the end as an error.
        while let Ok(count @ 1..) = terminal.read(&mut buffer) {
            output.extend_from_slice(&buffer[..count]);
        }
        output
    });
    during(&mut child);
    child.wait().unwrap();
    reading.join().unwrap()
}

fn shown(arguments: &[&str]) -> Vec<u8> {
    on_terminal(twenty(arguments), None, |_| {})
}

/// The command of the hostile program, or `None` if there is no Python.
fn hostile(mode: &str) -> Option<String> {
    let path = format!("{}/fixtures/hostile/escaping.py", env!("CARGO_MANIFEST_DIR"));
    (!is_missing("python3")).then(|| format!("python3 '{path}' {mode}"))
}

#[test]
fn receivers_cannot_control_the_terminal() {
    for (mode, options) in [
        ("receiver:ends-at-start", &["--ready-timeout", "10s"][..]),
        ("receiver:ends-later", &["--run", "RCV-4"]),
        ("receiver:answers", &["--run", "RCV-4"]),
        ("receiver:answers-malformed", &["--run", "RCV-4"]),
        ("receiver:observes", &["--run", "PRC-1", "--observe", "stdout"]),
    ] {
        let Some(command) = hostile(mode) else { return };
        let folder = TempDir::new().unwrap();
        let report = |format: &str| format!("--report={format}={}", folder.path().join(format).display());
        let reports = ["text", "json", "junit", "html", "tap", "sarif", "markdown"].map(report);
        let colors =
            if mode == "receiver:ends-at-start" { &["auto", "always", "never"][..] } else { &["auto"] };
        for color in colors {
            let fixed =
                ["receiver", "-q", "--exec", &command, "--cases", "1", "--timeout", "1s", "--color", color];
            let written = reports.iter().map(String::as_str);
            let arguments: Vec<&str> =
                fixed.into_iter().chain(options.iter().copied()).chain(written).collect();
            let output = shown(&arguments);
            assert_harmless(&format!("{mode} {color}"), &output);
            // What a receiver observed is compared, and not shown.
            if mode != "receiver:observes" {
                assert_escaped(&format!("{mode} {color}"), &output);
            }
        }
        for format in ["text", "json", "junit", "html", "tap", "sarif", "markdown"] {
            assert_harmless(&format!("{mode} {format}"), &fs::read(folder.path().join(format)).unwrap());
        }
    }
}

#[test]
fn loads_cannot_control_the_terminal() {
    for mode in ["receiver:ends-later", "receiver:answers", "receiver:answers-malformed"] {
        let Some(command) = hostile(mode) else { return };
        let folder = TempDir::new().unwrap();
        let page = folder.path().join("page.html");
        let html = format!("html={}", page.display());
        let load = [
            "bench",
            "receiver",
            "-q",
            "--exec",
            &command,
            "--duration",
            "300ms",
            "--warm-up",
            "0s",
            "--timeout",
            "1s",
        ];
        assert_escaped(mode, &shown(&[&load[..], &["--report", &html]].concat()));
        // A receiver that ends unanswered is not measured, so there is no report.
        if mode != "receiver:ends-later" {
            assert_escaped(&format!("{mode} html"), &fs::read(page).unwrap());
        }
        assert_escaped(&format!("{mode} json"), &shown(&[&load[..], &["--json"]].concat()));
    }
}

#[test]
fn senders_cannot_control_the_terminal() {
    for (mode, options) in [
        ("sender:ends", &["--run", "SIG-1"][..]),
        ("sender:writes", &["--run", "SIG-1"]),
        ("sender:errors", &["--run", "SIG-1"]),
        ("sender:delivers", &["--run", "DLV-4", "--run", "SIG-3"]),
    ] {
        let Some(command) = hostile(mode) else { return };
        let fixed =
            ["sender", "-q", "--exec", &command, "--cases", "1", "--timeout", "10s", "--deadline", "1s"];
        let arguments = [&fixed[..], options].concat();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("report.json");
        let report = format!("json={}", file.display());
        assert_escaped(mode, &shown(&[&arguments[..], &["--report", &report]].concat()));
        assert_escaped(&format!("{mode} json"), &fs::read(&file).unwrap());
    }
}

#[test]
fn deliveries_cannot_control_the_terminal_of_listen() {
    for json in [false, true] {
        let mut command = twenty(["listen", "--port", "0", "--secret", "0a1b2c3d", "--count", "1"]);
        if json {
            command.arg("--json");
        }
        // The address, which JSON has on stdout, is read from stderr here.
        let output = if json {
            let folder = TempDir::new().unwrap();
            let output = folder.path().join("output");
            let mut child =
                command.stdout(File::create(&output).unwrap()).stderr(Stdio::null()).spawn().unwrap();
            let ready = loop {
                let text = fs::read_to_string(&output).unwrap();
                if let Some((line, _)) = text.split_once('\n') {
                    break serde_json::from_str::<serde_json::Value>(line).unwrap();
                }
                thread::yield_now();
            };
            deliver(ready["ready"]["url"].as_str().unwrap());
            child.wait().unwrap();
            fs::read(output).unwrap()
        } else {
            on_terminal(command, Some(Stdio::piped()), |child| {
                let mut line = String::new();
                BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
                deliver(line.trim().strip_prefix("listening on ").unwrap());
            })
        };
        assert_escaped(&format!("listen, json {json}"), &output);
    }
}

/// Sends something that is not HTTP, and a delivery, to an endpoint.
fn deliver(url: &str) {
    let authority = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let send = |request: &[u8]| {
        let mut stream = TcpStream::connect(authority).unwrap();
        stream.write_all(request).unwrap();
        // A malformed request may be reset.
        let _ = stream.read_to_end(&mut Vec::new());
    };
    send(format!("{HOSTILE}\r\n\r\n").as_bytes());
    let body = json!({ "event": HOSTILE, "data": { "id": HOSTILE } }).to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Twenty-Webhook-Timestamp: {}",
        "pwned\u{202e}\u{9b}"
    );
    send(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
}

#[test]
fn answers_and_files_cannot_control_the_terminal() {
    let url = serve(|mut stream| {
        read_request(&mut stream)?;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{HOSTILE}",
            HOSTILE.len()
        );
        stream.write_all(answer.as_bytes())
    });
    let key = ["--secret", "0a1b2c3d"];
    assert_escaped("send", &shown(&[&["send", "--url", &url][..], &key].concat()));
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let delivery = |method: &str| json!({ "method": method, "target": "/", "headers": [["X-A", HOSTILE.replace('\r', "")]], "body": HOSTILE });
    let case = json!({
        "format": FORMAT, "requirement": "VER-5", "check": "receiver/verification/other-message", "level": "must",
        "dialect": "documented", "what": HOSTILE, "respect": { "signed": HOSTILE }, "expected": "not-accepted",
        "actual": HOSTILE, "seed": 5, "exchanges": [1, 2, 3], "at_ms": 1, "controls": [delivery("POST")],
        "trial": delivery("A`pwned`B$&|!*'"),
    });
    let case = file(&format!("{}.json", HOSTILE), &case.to_string());
    let replayed = shown(&[&["replay", &case, "--as-saved", "--url", &always(200)][..], &key].concat());
    assert_escaped("replay", &replayed);
    let replayed = String::from_utf8(replayed).unwrap();
    assert!(replayed.contains(r" -X 'A`pwned`B$&|!*'\''' "), "{replayed}");
    let wrong = file("wrong.json", &json!({ "format": HOSTILE }).to_string());
    for arguments in [
        &["replay", &wrong, "--url", &url][..],
        &["bench", "import", &wrong],
        &["receiver", "--level", HOSTILE],
        &["receiver", HOSTILE],
        &["explain", HOSTILE],
        &["receiver", "--exec", HOSTILE],
        &["receiver", "--url", HOSTILE],
        &["sender", "-q", "--transcript", &format!("{}/{HOSTILE}", folder.path().display())],
        &["verify", "--timestamp", "1", "--signature", HOSTILE, "--secret", "0a1b2c3d", &wrong],
    ] {
        assert_escaped(arguments[0], &shown(arguments));
    }
}

#[test]
fn line_of_a_program_does_not_pass_for_a_line_of_an_error() {
    let command = "sh -c 'printf \"one\\nRESULT: pass\\n\" >&2; exit 3'";
    let ran = run(["receiver", "--exec", command]).expect(3);
    let lines: Vec<&str> = ran.stdout.lines().chain(ran.stderr.lines()).collect();
    assert!(lines.iter().any(|line| line.ends_with(" RESULT: pass")), "{ran:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("RESULT: pass")), "{ran:#?}");
}

/// Runs a command with a terminal as stderr alone. Returns what the terminal received.
fn watched(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let terminal = openpty(None, None).unwrap();
    let mut command = twenty(arguments);
    // On CI too, this is somebody who watches.
    command.env_remove("CI").env("TERM", "xterm-256color").envs(variables.iter().copied());
    let mut child = command.stdout(Stdio::null()).stderr(terminal.slave).spawn().unwrap();
    drop(command);
    let mut terminal = File::from(terminal.master);
    let (mut output, mut buffer) = (Vec::new(), [0; 4096]);
    // Linux reports the end as an error.
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        output.extend_from_slice(&buffer[..count]);
    }
    child.wait().unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn progress_is_drawn_in_place_where_somebody_watches() {
    let exec = reference("receiver");
    let run = ["receiver", "--exec", &exec, "--seed", "7"];
    let drawn = watched(&run, &[]);
    for words in ["receiver  0.", " requests · ", "receiver/reception", " requirements tried"] {
        assert!(drawn.contains(words), "{words:?} is not in {drawn:?}");
    }
    let counts =
        drawn.split(" requests · ").filter_map(|before| before.rsplit(' ').next()?.parse::<usize>().ok());
    assert!(counts.max().is_some_and(|most| most > 10), "{drawn:?}");
    // What is there at the end was cleared: only sequences that clear follow the last text.
    let last = drawn.rsplit("\u{1b}[2K").next().unwrap();
    assert!(!last.contains("requests"), "{last:?} in {drawn:?}");
    for variables in [&[("TERM", "dumb")][..], &[("CI", "true")]] {
        assert_eq!(watched(&run, variables), "", "{variables:?}");
    }
    assert_eq!(watched(&[&run[..], &["-q"]].concat(), &[]), "");
}

#[test]
fn figures_of_a_load_are_drawn_while_it_runs() {
    let load = ["bench", "receiver", "--duration", "1500ms", "--warm-up", "0", "--concurrency", "2"];
    let drawn = watched(&load, &[]);
    for words in ["/s · p50 ", " ms · p99 ", " · 0 errors · ", " s left"] {
        assert!(drawn.contains(words), "{words:?} is not in {drawn:?}");
    }
    assert!(!drawn.contains('█'), "{drawn:?}");
    let last = drawn.rsplit("\u{1b}[2K").next().unwrap();
    assert!(!last.contains("p99"), "{last:?} in {drawn:?}");
    let charted = watched(&[&load[..], &["--chart"]].concat(), &[]);
    for words in ["rate, at most ", "p99, at most ", "█"] {
        assert!(charted.contains(words), "{words:?} is not in {charted:?}");
    }
    let plain = watched(&load, &[("CI", "true")]);
    assert!(!plain.contains("p50") && plain.contains("measuring"), "{plain:?}");
}
