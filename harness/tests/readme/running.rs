//! Runs the commands of a page, in order, in a folder with the files that the page names.
//!
//! Programs that run until Ctrl-C are started and kept until the page ends or another one needs their port. Ports that a page
//! shows are replaced by free ones, and loads are shortened.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use twenty_conform::subject::port::free_port;

use super::pages::{Shown, arguments, assignments, calls, commands, page, pages, root};
use crate::cli::program::{Ran, as_given, finish};
use crate::guide::write_programs;
use crate::implementations::is_missing;
use crate::skip::skip;

/// Commands that are not run, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    (".ci/run", "runs this test"),
    ("cargo bench", "needs minutes, and the benchmarks are tested by CI"),
    ("cargo clippy", "a step of CI"),
    ("cargo fmt", "a step of CI"),
    ("cargo install", "builds the binary that this test runs"),
    ("cargo test", "runs this test"),
    ("INSTA_UPDATE=always cargo test", "writes into the repository"),
    ("UPDATE_README=1 cargo test", "writes into the repository"),
    ("packaging/build", "a step of CI"),
    ("packaging/try", "a step of CI"),
    ("python3 benches/compare/", "needs minutes, a release build and other load tools"),
];

/// Scripts that end by themselves.
const ENDING: &[&str] = &["vectors/check.mjs", "vectors/check.py"];

/// Bench commands whose verdict depends on the load of the machine: 3 (inconclusive) and 6 (too slow) are right too.
const MEASURED: &[&str] = &["compare", "pair", "--baseline", "--find-max", "--rate", "--threshold"];

/// The text before the port of a service.
const BEFORE_PORT: &[&str] = &["--port ", "PORT=", "control.py "];

/// How long a program may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that runs until it is ended.
struct Service {
    line: String,
    child: Child,
    port: Option<u16>,
    /// The status that the page promises, for our own binary.
    status: Option<i32>,
    output: PathBuf,
}

/// Runs every command of a page. If a runtime is missing, it skips the page, visibly.
pub(super) fn run_page(name: &str) {
    let page = page(name);
    let mut shown = commands(&page.text);
    shown.retain(|command| !EXEMPT.iter().any(|(exempt, _)| command.line.starts_with(exempt)));
    if is_runtime_missing(&shown) {
        return;
    }
    let folder = prepare();
    if shown.iter().any(|command| command.line.contains("--profile")) {
        let (_, text) = page.text.split_once("```toml\n").unwrap();
        fs::write(folder.path().join("twenty-conform.toml"), text.split("```").next().unwrap()).unwrap();
    }
    let ports = ports(&shown);
    let mut services: Vec<Service> = Vec::new();
    for command in &shown {
        if command.line.contains("bench distributed") && !root().join("fixtures/locust/.venv").exists() {
            skip(&command.line, "fixtures/locust/.venv is missing; .ci/run makes it");
            continue;
        }
        let command = Shown { line: replaced(&command.line, &ports), ..*command };
        run_command(&command, folder.path(), &mut services);
    }
    while let Some(service) = services.pop() {
        service.end();
    }
}

/// Whether a runtime is missing that most commands of a page need.
fn is_runtime_missing(shown: &[Shown]) -> bool {
    let needs = |word: &str| shown.iter().any(|shown| shown.line.contains(word));
    let runtimes = [("node ", "node"), ("python3 ", "python3"), ("curl ", "curl")];
    runtimes.iter().any(|(word, runtime)| needs(word) && is_missing(runtime))
}

/// A folder with the files that pages name.
fn prepare() -> TempDir {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink(root().join("fixtures"), at("fixtures")).unwrap();
    symlink(root().join("fixtures/locust/.venv"), at(".venv")).unwrap();
    symlink(root().join("fixtures/locust/results.json"), at("twenty-conform-locust.json")).unwrap();
    fs::create_dir(at("src")).unwrap();
    fs::create_dir(at("runs")).unwrap();
    let receiver = "receivers/node-http/server.mjs";
    let copies = [
        ("server.mjs", receiver),
        ("old/server.mjs", receiver),
        ("new/server.mjs", receiver),
        ("sender.mjs", "senders/node/sender.mjs"),
    ];
    for (name, of) in copies {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::copy(root().join("fixtures/implementations").join(of), at(name)).unwrap();
    }
    write_programs(folder.path());
    let body = r#"{"event":"person.created","data":{"id":"abc12345"},"timestamp":"2025-02-10T15:30:50Z"}"#;
    let timestamp = "1735066639761";
    let signature = twenty_conform::sign("s3cr3t", timestamp, body);
    let captured = format!(
        "POST / HTTP/1.1\r\nHost: example.com\r\nX-Twenty-Webhook-Timestamp: {timestamp}\r\nX-Twenty-Webhook-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for (name, text) in
        [("captured.http", &*captured), ("body.json", body), ("secret.txt", "s3cr3t\n"), ("key.txt", "k3y\n")]
    {
        fs::write(at(name), text).unwrap();
    }
    folder
}

/// A free port for each that the page's commands name.
fn ports(shown: &[Shown]) -> BTreeMap<String, u16> {
    let mut found = BTreeMap::new();
    for line in shown.iter().map(|shown| &shown.line) {
        for rest in BEFORE_PORT.iter().chain(&["127.0.0.1:"]).flat_map(|before| line.split(before).skip(1)) {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            found.entry(digits).or_insert_with(|| free_port().unwrap());
        }
    }
    found
}

/// A line with free ports: numbers are replaced as a whole.
fn replaced(line: &str, ports: &BTreeMap<String, u16>) -> String {
    let edge = |pair: &[u8]| pair[0].is_ascii_digit() != pair[1].is_ascii_digit();
    let edges = (1..line.len()).filter(|at| edge(&line.as_bytes()[at - 1..=*at]));
    let (mut text, mut from) = (String::new(), 0);
    for to in edges.chain([line.len()]) {
        let piece = &line[from..to];
        text.push_str(&ports.get(piece).map_or_else(|| piece.to_owned(), u16::to_string));
        from = to;
    }
    text
}

fn run_command(shown: &Shown, folder: &Path, services: &mut Vec<Service>) {
    let calls = calls(&shown.line);
    let [call] = &*calls else {
        let known = ["echo", "python3", "twenty-conform"];
        let is_file = |name: &str| shown.line.contains(&format!("> {name}"));
        let is_known = calls.iter().all(|call| known.contains(&call[0].as_str()) || is_file(&call[0]));
        assert!(is_known, "neither run nor exempt: {}", shown.line);
        let mut command = Command::new("sh");
        command.args(["-c", &shown.line]).stdin(Stdio::null());
        return expect(finish(surroundings(command, folder)), shown);
    };
    let ends = call.get(1).is_some_and(|script| ENDING.contains(&script.as_str()));
    if ends {
        expect(finish(program(call, folder, 1)), shown);
    } else if is_service(call) {
        let port = port(&shown.line);
        if let Some(at) = services.iter().position(|service| port.is_some() && service.port == port) {
            services.remove(at).end();
        }
        services.push(Service::start(shown, program(call, folder, 1), port, folder));
    } else if arguments(call).is_some() || call[0] == "curl" {
        let mut ran = finish(program(call, folder, 1));
        // On a busy machine nothing may end in so short a load.
        if ran.stdout.contains("RESULT: incomplete") {
            ran = finish(program(call, folder, 10));
        }
        expect(ran, shown);
    } else {
        panic!("neither run nor exempt: {}", shown.line);
    }
}

/// The port that a service listens on.
fn port(line: &str) -> Option<u16> {
    let after = BEFORE_PORT.iter().find_map(|before| line.split_once(before))?.1;
    after.split(' ').next()?.parse().ok()
}

/// Whether a call runs until it is ended.
fn is_service(call: &[String]) -> bool {
    let Some(ours) = arguments(call) else {
        return ["node", "python3"].contains(&call[assignments(call)].as_str());
    };
    let begins = |words: &[&str]| ours.len() >= words.len() && ours.iter().zip(words).all(|(a, b)| a == b);
    begins(&["listen"])
        || begins(&["serve", "receiver"])
        || begins(&["bench", "endpoint"])
        || ours.iter().any(|word| word == "--watch")
}

/// A call as a process to start, with options that shorten it.
fn program(call: &[String], folder: &Path, times: u32) -> Command {
    let (variables, rest) = call.split_at(assignments(call));
    let mut command = match arguments(call) {
        Some(ours) => {
            let mut command = as_given(ours);
            command.args(shorter(ours, times));
            command
        }
        None => {
            let mut command = Command::new(&rest[0]);
            command.args(&rest[1..]).stdin(Stdio::null());
            command
        }
    };
    command.envs(variables.iter().filter_map(|word| word.split_once('=')));
    surroundings(command, folder)
}

fn surroundings(mut command: Command, folder: &Path) -> Command {
    let binary = assert_cmd::cargo::cargo_bin!("twenty-conform").parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([binary].into_iter().chain(std::env::split_paths(&path))).unwrap();
    command.current_dir(folder).env("PATH", path);
    // `replay` without arguments needs what an earlier command of the page kept.
    command.env("XDG_CACHE_HOME", folder.join(".cache")).env_remove("TWENTY_CONFORM_NO_CACHE");
    command
}

/// Options that let a page run in seconds, unless the command gives them. Loads last that many times as long.
fn shorter(ours: &[String], times: u32) -> Vec<String> {
    let words: Vec<&str> = ours.iter().map(String::as_str).collect();
    let options: &[(&str, u32, &str)] = match words[..] {
        ["bench", ..] if words.contains(&"--find-max") => {
            &[("--trial-duration", 100, "ms"), ("--warm-up", 100, "ms")]
        }
        // A bound on the p99 needs 100 deliveries.
        ["bench", "receiver" | "sender", ..] if words.contains(&"--threshold") => {
            &[("--duration", 600, "ms"), ("--warm-up", 100, "ms")]
        }
        ["bench", "receiver" | "sender", ..] => &[("--duration", 300, "ms"), ("--warm-up", 100, "ms")],
        ["bench", "distributed", ..] => &[("--duration", 1_000, "ms"), ("--warm-up", 300, "ms")],
        ["bench", "pair", ..] => &[("--rounds", 2, ""), ("--max-time", 2_000, "ms"), ("--warm-up", 50, "ms")],
        ["demo" | "receiver" | "sender", ..] => &[("--cases", 4, "")],
        _ => &[],
    };
    let missing = options.iter().filter(|(name, ..)| !words.contains(name));
    missing
        .flat_map(|(name, value, unit)| {
            let value = if unit.is_empty() { *value } else { value * times };
            [(*name).to_owned(), format!("{value}{unit}")]
        })
        .collect()
}

fn expect(ran: Ran, shown: &Shown) {
    let words: Vec<&str> = shown.line.split(' ').collect();
    let is_measured = words.contains(&"bench") && words.iter().any(|word| MEASURED.contains(word));
    let right = match ran.status {
        Some(3 | 6) if is_measured => ran.stdout.contains("RESULT: "),
        status => status == Some(shown.status),
    };
    assert!(right, "{}: the page promises exit status {}: {ran:#?}", shown.line, shown.status);
}

impl Service {
    fn start(shown: &Shown, mut command: Command, port: Option<u16>, folder: &Path) -> Self {
        let ours = shown.line.starts_with("twenty-conform");
        let output = folder.join(format!(".output-{}", fs::read_dir(folder).unwrap().count()));
        let file = File::create(&output).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file).process_group(0);
        let child = command.spawn().unwrap_or_else(|why| panic!("{}: {why}", shown.line));
        let mut service =
            Self { line: shown.line.clone(), child, port, status: ours.then_some(shown.status), output };
        let ready = if shown.line.contains("--watch") { "RESULT: " } else { "listening on " };
        let is_ready = |service: &mut Self| match port {
            Some(port) if !ours => TcpStream::connect(("127.0.0.1", port)).is_ok(),
            _ => service.printed().contains(ready),
        };
        let ended = service.wait_until(|service| is_ready(service) || service.ended().is_some());
        assert!(ended && service.ended().is_none(), "{} is not ready: {}", service.line, service.printed());
        service
    }

    fn printed(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Polls a condition; whether it became true in time.
    fn wait_until(&mut self, mut condition: impl FnMut(&mut Self) -> bool) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if condition(self) {
                return true;
            }
            thread::park_timeout(Duration::from_millis(10));
        }
        false
    }

    /// Ends it as Ctrl-C does, and compares its status with what the page promises.
    fn end(mut self) {
        // It may have ended by itself.
        let _ = kill(self.pid(), Signal::SIGINT);
        assert!(self.wait_until(|service| service.ended().is_some()), "{} does not end", self.line);
        let status = self.ended().and_then(|status| status.code());
        if self.status.is_some() {
            assert_eq!(status, self.status, "{}: {}", self.line, self.printed());
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

#[test]
fn ports_are_replaced_as_whole_numbers() {
    let ports = BTreeMap::from([("3000".to_owned(), 45_671), ("4567".to_owned(), 30_001)]);
    let line = "PORT=3000 … http://127.0.0.1:4567/ 17304567 3000";
    assert_eq!(replaced(line, &ports), "PORT=45671 … http://127.0.0.1:30001/ 17304567 45671");
}

#[test]
fn exempt_commands_are_on_a_page() {
    let shown: Vec<String> =
        pages().iter().flat_map(|page| commands(&page.text)).map(|shown| shown.line).collect();
    for (exempt, _) in EXEMPT {
        assert!(shown.iter().any(|line| line.starts_with(exempt)), "{exempt} is on no page");
    }
}

/// Commands that are not run must at least name benchmarks and scripts that exist.
#[test]
fn benchmarks_on_pages_exist() {
    let mut checked = 0;
    for shown in pages().iter().flat_map(|page| commands(&page.text)) {
        let words: Vec<&str> = shown.line.split_whitespace().collect();
        let path = match words[..] {
            ["cargo", "bench", "--bench", name, ..] => format!("benches/{name}.rs"),
            ["python3", script, ..] if script.starts_with("benches/") => script.to_owned(),
            _ => continue,
        };
        assert!(root().join(&path).exists(), "{}: {path} does not exist", shown.line);
        checked += 1;
    }
    assert!(checked > 0);
}

fn try_command(line: &str) {
    let folder = TempDir::new().unwrap();
    run_command(&Shown { line: line.to_owned(), status: 0 }, folder.path(), &mut Vec::new());
}

#[test]
#[should_panic(expected = "the page promises exit status 0")]
fn unexpected_exit_status_is_named() {
    try_command("twenty-conform explain VER-999");
}

#[test]
#[should_panic(expected = "neither run nor exempt: make")]
fn unknown_command_is_named() {
    try_command("make install");
}
