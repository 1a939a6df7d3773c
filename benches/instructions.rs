//! Counts the instructions of each case, and fails if a count grew.
//!
//! Each case runs several times under Callgrind (Valgrind), which counts only what happens inside the case. Two measurements
//! must agree within 0.1 %, or the exit status is 70. They can differ only because each process hashes JSON objects under new
//! random keys; the clock, secrets and bodies are fixed. A case that exceeds its limit in `benches/instructions.toml` fails (exit
//! status 6). `--record` writes the file again.
//!
//! Counts do not depend on other work on the machine, so CI can check them. It uses the unoptimised build (`--profile dev`), which
//! it has anyway. The file has the counts of both builds.
//!
//! Instructions are not time. Callgrind hides the processor's SHA instructions, so hashing counts several times too much, and
//! caches and branches do not count at all. The other benchmarks measure time.

#![allow(clippy::unwrap_used, reason = "a benchmark stops when it cannot continue")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use twenty_conform::report::{Heading, Report, json, text};
use twenty_conform::suite::cause::sender::signature as cause;
use twenty_conform::suite::requirement::{Level, Role};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Run};
use twenty_conform::suite::traffic::{self, Traffic};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::{Context, DOCUMENTED};
use twenty_conform::webhook::shape::Shape;
use twenty_conform::webhook::signature::{Key, Secret, Signature};
use twenty_conform::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response, Transfer};

const SECRET: &str = "Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d6E7f8091a2B3c4D5e6F708192a3B4c5D";
const NOW_MS: u64 = 1_735_066_639_761;
const TIMESTAMP: &[u8] = b"1735066639761";
const LIMITS: &str = "benches/instructions.toml";
/// The number of checks in the report.
const CHECKS: usize = 1000;

/// The name of a case, how often it runs, and what it does.
type Case = (&'static str, u64, fn(&Setting));

const CASES: [Case; 7] = [
    ("sign", 200, |one| {
        black_box(one.key.sign(TIMESTAMP, black_box(&one.body)));
    }),
    ("verify", 200, |one| assert!(one.key.verify(TIMESTAMP, &one.body, black_box(&one.valid)))),
    ("refuse", 200, |one| assert!(!one.key.verify(TIMESTAMP, &one.body, black_box(&one.wrong)))),
    ("shape", 800, |one| {
        let body = serde_json::from_slice(black_box(&one.body)).unwrap();
        black_box(Shape::of(&body));
    }),
    ("judge", 10, |one| {
        let transcript = one.traffic.transcript([one.exchange.clone()]);
        let selected: Vec<_> = requirements::of(Role::Sender).collect();
        black_box(traffic::judge(&transcript, &selected));
    }),
    ("cause", 1, |one| assert!(cause(SECRET, &[], TIMESTAMP, &one.body, black_box(&one.wrong)).is_none())),
    ("report", 2, |one| {
        let report = Report::new(&one.run, &one.heading);
        black_box((text::render(&report, text::Detail::Verbose, text::WIDTH), json::render(&report)));
    }),
];

/// The input of the cases: a delivery of 1 KiB, and a run of [`CHECKS`] checks.
struct Setting {
    key: Key,
    body: Bytes,
    valid: Vec<u8>,
    wrong: Vec<u8>,
    exchange: Exchange,
    traffic: Traffic,
    run: Run,
    heading: Heading,
}

impl Setting {
    fn new() -> Self {
        let secret = Secret::new(SECRET);
        let key = Key::new(&secret);
        let event = DOCUMENTED.sample("person.created").unwrap();
        let event = event.edit(|record| record["note"] = "Call back. ".repeat(72).into());
        let context = Context { target_url: "", webhook_id: "", workspace_id: "", occurred_at_ms: NOW_MS };
        let body = DOCUMENTED.render(&event, &context);
        let signature: Signature = key.sign(TIMESTAMP, &body);
        let valid = signature.to_hex().into_bytes();
        let mut wrong = valid.clone();
        let last = wrong.last_mut().unwrap();
        *last = if *last == b'0' { b'1' } else { b'0' };
        let exchange = Exchange {
            id: ExchangeId(0),
            delivery: Delivery {
                method: "POST".to_owned(),
                target: "/".to_owned(),
                headers: Headers::of_delivery(Some(&key), NOW_MS, None, &body),
                body: body.clone(),
                transfer: Transfer::Whole,
            },
            outcome: Outcome::Answered(Response::text(200, "")),
            at_ms: NOW_MS,
            took: Duration::ZERO,
        };
        let traffic =
            Traffic { dialect: &DOCUMENTED, auto: false, limits: Limits::default(), secret: Some(secret) };
        let transcript = traffic.transcript([exchange.clone()]);
        let selected: Vec<_> = requirements::of(Role::Sender).collect();
        let selected: Vec<_> = selected.iter().copied().cycle().take(CHECKS).collect();
        let findings = run::judge(&transcript, &selected);
        let run = Run {
            transcript,
            findings,
            duration: Duration::from_secs(1),
            interrupted: false,
            after: None,
            not_started: None,
        };
        let heading = Heading {
            subject: "a subject".to_owned(),
            seed: 7,
            attached: None,
            fail_on: Level::Must,
            required: Vec::new(),
            out: None,
        };
        Self { key, body, valid, wrong, exchange, traffic, run, heading }
    }
}

/// The recorded counts, and how far a case may exceed them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    tolerance_percent: f64,
    /// Instructions of each case, by build.
    instructions: BTreeMap<String, BTreeMap<String, u64>>,
}

/// The build of this program. Each build has its own counts.
const BUILT: &str = if env!("OPTIMISATION").as_bytes()[0] == b'0' { "unoptimised" } else { "optimised" };

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [case, times] = &*arguments
        && let (Some((_, _, run)), Ok(times)) =
            (CASES.iter().find(|(name, ..)| name == case), times.parse::<u64>())
    {
        measured(*run, &Setting::new(), times);
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--test") {
        // Run each case once, for its assertions.
        let setting = Setting::new();
        CASES.iter().for_each(|(_, _, run)| run(&setting));
        return ExitCode::SUCCESS;
    }
    match gate(arguments.iter().any(|argument| argument == "--record")) {
        Ok(status) => ExitCode::from(status),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(70)
        }
    }
}

/// Callgrind counts only inside this function, by its name.
#[inline(never)]
fn measured(run: fn(&Setting), setting: &Setting, times: u64) {
    for _ in 0..times {
        run(black_box(setting));
    }
}

/// Counts every case and compares it with its limit. Returns the exit status.
///
/// Errors: a case cannot be counted, or two counts disagree.
fn gate(record: bool) -> Result<u8, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(LIMITS);
    let mut counted = BTreeMap::new();
    for (name, times, _) in CASES {
        // Counts do not depend on other work, so both can run at the same time.
        let (one, other) = thread::scope(|scope| {
            let other = scope.spawn(|| count(name, times));
            (count(name, times), other.join().unwrap())
        });
        let (one, other) = (one?, other?);
        if one.abs_diff(other) * 1000 > one {
            return Err(format!("{name} took {one} instructions, then {other}: its input is not fixed"));
        }
        counted.insert(name.to_owned(), one);
    }
    let read = fs::read_to_string(&path).map_err(|why| format!("{LIMITS}: {why}"));
    let recorded = read.and_then(|text| toml::from_str(&text).map_err(|why| format!("{LIMITS}: {why}")));
    if record {
        // A file that cannot be read is replaced.
        let mut limits =
            recorded.unwrap_or(Recorded { tolerance_percent: 3.0, instructions: BTreeMap::new() });
        limits.instructions.insert(BUILT.to_owned(), counted);
        let text = toml::to_string(&limits).map_err(|why| why.to_string())?;
        let head = "# Instructions of each case of benches/instructions.rs. `cargo bench --bench instructions -- --record` writes those\n\
                    # of the optimised build, and with `--profile dev` those of the unoptimised build.\n";
        fs::write(&path, format!("{head}{text}")).map_err(|why| format!("{LIMITS}: {why}"))?;
        println!("wrote the counts of the {BUILT} build to {LIMITS}");
        return Ok(0);
    }
    let limits: Recorded = recorded?;
    let of_this_build = limits.instructions.get(BUILT);
    let mut status = 0;
    for (name, count) in counted {
        let Some(&limit) = of_this_build.and_then(|limits| limits.get(&name)) else {
            return Err(format!(
                "{LIMITS} has no count of {name} for the {BUILT} build; write it with --record"
            ));
        };
        let change = (count as f64 / limit as f64 - 1.0) * 100.0;
        let word = if change > limits.tolerance_percent { "FAIL" } else { "ok" };
        println!("{word:<5} {name:<8} {count:>10} instructions, {change:+.2} % from {limit}");
        if word == "FAIL" {
            status = 6;
        } else if change < -limits.tolerance_percent {
            println!("      {name} takes fewer instructions than recorded; lower the limit with --record");
        }
    }
    Ok(status)
}

/// The instructions of a case, averaged over its runs under Callgrind.
fn count(name: &str, times: u64) -> Result<u64, String> {
    let own = env::current_exe().map_err(|why| why.to_string())?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measured*"]);
    command.arg(own).args([name, &times.to_string()]);
    let output = command.output().map_err(|why| {
        format!("cannot start valgrind ({why}); install it, for example with `apt-get install valgrind`")
    })?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let collected =
        stderr.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse::<u64>().ok());
    let collected = collected.filter(|count| output.status.success() && *count > 0);
    collected.map(|count| count / times).ok_or_else(|| format!("valgrind did not count {name}:\n{stderr}"))
}
