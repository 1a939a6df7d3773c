//! The evidence that a run writes with `--out`, and what happens if it cannot be written.
//!
//! Invariant: the evidence has each exchange that a report counts exactly once, and never the secret.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, Report, finish, reference, run, twenty};
use crate::implementations::is_missing;
use crate::peers::servers::{always, read_request, serve};

/// Has characters that JSON and URLs escape, and is long enough to be found in base64.
const SECRET: &str = "Mellon \"hAlf\" mÄsk\\77";

/// A run with evidence: its output, and the folder.
fn kept(arguments: &[&str]) -> (Ran, TempDir) {
    let folder = TempDir::new().unwrap();
    let mut command = twenty(arguments);
    command.arg("--out").arg(folder.path());
    (finish(command), folder)
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{} ends in a line", path.display());
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}")))
        .collect()
}

/// Every file in a folder and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Fails unless the exchanges in a folder are numbered from 1 without a gap, and the report counts as many.
#[track_caller]
fn assert_complete(folder: &Path) -> Vec<Value> {
    let exchanges = lines(&folder.join("exchanges.jsonl"));
    for (at, exchange) in exchanges.iter().enumerate() {
        assert_eq!(exchange["number"], at + 1);
        for field in ["at_ms", "took_us"] {
            assert!(exchange[field].is_u64(), "{field} in {exchange}");
        }
        assert!(exchange["delivery"]["headers"].is_array() && !exchange["outcome"].is_null(), "{exchange}");
    }
    let report = json(&folder.join("report.json"));
    assert_eq!(report["exchanges"], exchanges.len());
    assert!(fs::read_to_string(folder.join("report.txt")).unwrap().contains("\nRESULT: "));
    exchanges
}

#[test]
fn evidence_has_every_exchange_and_trial() {
    let (ran, folder) = kept(&["receiver", "--exec", &reference("receiver"), "--seed", "42", "--cases", "8"]);
    let (ran, folder) = (ran.expect(0), folder.path());
    assert_eq!(ran.stderr, "");
    let manifest = json(&folder.join("run.json"));
    for (field, expected) in [
        ("format", Value::from("twenty-conform-run/2")),
        ("role", "receiver".into()),
        ("dialect", "documented".into()),
        ("subject", reference("receiver").into()),
        ("seed", 42.into()),
        ("cases", 8.into()),
        ("level", "advice".into()),
        ("fail_on", "must".into()),
    ] {
        assert_eq!(manifest[field], expected, "{field}");
    }
    assert_eq!(manifest["limits"]["timeout_ms"], 10_000);
    let exchanges = assert_complete(folder);
    let numbers = |trial: &Value| {
        let controls = trial["controls"].as_array().unwrap().iter();
        controls.chain([&trial["exchange"]]).map(|number| number.as_u64().unwrap()).collect::<Vec<_>>()
    };
    let trials = lines(&folder.join("trials.jsonl"));
    assert!(trials.len() > 150, "{}", trials.len());
    for trial in &trials {
        assert!(trial["scenario"].is_string() && trial["what"].is_string(), "{trial}");
        assert!(
            numbers(trial).iter().all(|&number| (1..=exchanges.len() as u64).contains(&number)),
            "{trial}"
        );
    }
    let scenarios: BTreeSet<&str> = trials.iter().map(|trial| trial["scenario"].as_str().unwrap()).collect();
    for scenario in ["valid", "body-256-kib", "altered-content", "back-door"] {
        assert!(scenarios.contains(scenario), "{scenario} in {scenarios:?}");
    }
    // Binary bodies and chunked ones are kept byte for byte.
    let coded = exchanges.iter().filter_map(|one| one["delivery"]["body"]["base64"].as_str());
    assert!(coded.map(|text| STANDARD.decode(text).unwrap()).any(|body| body.contains(&0xff)));
    assert!(exchanges.iter().any(|one| one["delivery"]["transfer"]["chunks"].is_array()));
    assert!(!folder.join("cases").exists() && !folder.join("bodies").exists());
}

#[test]
fn report_counts_cases_and_exchanges() {
    let (ran, folder) =
        kept(&["receiver", "--exec", &reference("receiver"), "--cases", "5", "--run", "VER-2,RCV-1"]);
    let report = Report::read(&folder.path().join("report.json")).unwrap();
    assert_eq!(report.check("VER-2")["cases"], 8, "three that are fixed and five that are generated");
    assert_eq!(report.check("RCV-1")["cases"], 15);
    let (count, rate) =
        (report.0["exchanges"].as_f64().unwrap(), report.0["exchanges_per_s"].as_f64().unwrap());
    let seconds =
        (report.0["duration_ms"].as_f64().unwrap() - report.0["waited_ms"].as_f64().unwrap()) / 1000.0;
    assert!((count / rate - seconds).abs() < 0.01, "{count} at {rate} in {seconds}");
    let line = ran.expect(0).stdout.lines().rev().nth(1).unwrap().to_owned();
    assert!(line.starts_with(&format!("{count} requests in ")), "{line}");
    let verbose = fs::read_to_string(folder.path().join("report.txt")).unwrap();
    assert!(verbose.contains("rejects an altered timestamp (8 cases)\n"), "{verbose}");
}

#[test]
fn demo_keeps_evidence_of_both_runs() {
    let (ran, folder) = kept(&["demo", "--cases", "4"]);
    ran.expect(0);
    let folder = folder.path();
    let both: usize =
        ["sender", "receiver"].iter().map(|role| assert_complete(&folder.join(role)).len()).sum();
    let report = json(&folder.join("report.json"));
    assert_eq!((&report["role"], &report["exchanges"]), (&"both".into(), &both.into()));
    let intakes = lines(&folder.join("receiver/trials.jsonl"));
    assert!(intakes.iter().any(|one| one["processing"] == "same" && one["times"] == 1));
}

/// The forms of a secret to look for: plain, escaped in JSON once and twice, in base64, escaped for a URL.
fn encodings(secret: &str) -> Vec<String> {
    let escaped = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let once = escaped(secret);
    let ascii: String = secret
        .chars()
        .map(|character| match character {
            '\u{80}'.. => format!("\\u{:04x}", character as u32),
            _ => escaped(&character.to_string()),
        })
        .collect();
    let mut all = vec![secret.to_owned(), escaped(&once), escaped(&ascii), once, ascii];
    all.extend([STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]);
    all.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    all
}

#[test]
fn evidence_never_contains_the_secret() {
    // A receiver that leaks the secret in every form.
    let leaked = encodings(SECRET).join(" | ");
    let answer =
        format!("HTTP/1.1 200 \r\nX-Key: {leaked}\r\nContent-Length: {}\r\n\r\n{leaked}", leaked.len());
    let leaky = serve(move |mut stream| {
        while read_request(&mut stream)? {
            std::io::Write::write_all(&mut stream, answer.as_bytes())?;
        }
        Ok(())
    });
    // This secret can be the value of a header.
    let plain = "Mellon-hAlf-mAsk-77";
    let with_secret = format!("{} --secret {plain}", reference("receiver"));
    let everything = always(200);
    for (secret, subject, status) in [
        (SECRET, ["--url", &leaky], 1),
        (plain, ["--url", &everything], 1),
        (plain, ["--exec", &with_secret], 0),
    ] {
        let mut arguments = vec!["receiver", "--cases", "4", "--secret", secret];
        arguments.extend(subject);
        let (ran, folder) = kept(&arguments);
        let ran = ran.expect(status);
        let encoded = encodings(secret);
        let holds = |bytes: &[u8]| {
            encoded.iter().find(|spelling| memmem::find(bytes, spelling.as_bytes()).is_some()).cloned()
        };
        for path in files(folder.path()) {
            assert_eq!(holds(&fs::read(&path).unwrap()), None, "{}", path.display());
        }
        assert_eq!(holds(ran.stdout.as_bytes()), None);
        assert!(fs::read_to_string(folder.path().join("exchanges.jsonl")).unwrap().contains("[redacted]"));
        assert_complete(folder.path());
    }
}

/// Every header of an exchange, as text.
fn headers(exchange: &Value) -> String {
    exchange["delivery"]["headers"].to_string()
}

#[test]
fn evidence_redacts_secrets_that_a_sender_leaks() {
    if is_missing("python3") {
        return;
    }
    let example = "fixtures/implementations/senders/python/sender.py";
    let example = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(example)).unwrap();
    let signed = "headers = {\"X-Twenty-Webhook-Timestamp\": timestamp,";
    assert!(example.contains(signed));
    // The script notes its secrets next to itself, so that the test can look for them in the evidence.
    let leaking = example.replace(
        signed,
        "open(__file__ + '.secrets', 'a').write(secret + '\\n')\n    headers = {\"X-Leak\": secret.encode().hex(), \
         \"X-Key\": secret if secret.isascii() else 'none', \"X-Twenty-Webhook-Timestamp\": timestamp,",
    );
    let scripts = TempDir::new().unwrap();
    let script = scripts.path().join("sender.py");
    fs::write(&script, leaking).unwrap();
    let exec = format!("python3 '{}'", script.display());
    let (ran, folder) = kept(&["sender", "--exec", &exec, "--seed", "5"]);
    ran.expect(1);
    let exchanges = assert_complete(folder.path());
    let leaks: Vec<_> = exchanges.iter().filter(|one| headers(one).contains("X-Leak")).collect();
    assert!(!leaks.is_empty() && leaks.iter().all(|one| one["redacted"] == true));
    assert!(leaks.iter().any(|one| headers(one).contains("[redacted]")));
    let secrets = fs::read_to_string(scripts.path().join("sender.py.secrets")).unwrap();
    let secrets: BTreeSet<&str> = secrets.lines().collect();
    assert!(secrets.len() >= 5, "{secrets:?}");
    for path in files(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        for secret in &secrets {
            let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
            for encoded in [secret, secret.trim(), hex.as_str()] {
                let found = memmem::find(&bytes, encoded.as_bytes());
                assert_eq!(found, None, "{encoded} in {}", path.display());
            }
        }
    }
}

#[test]
fn evidence_of_recorded_traffic_equals_the_recording() {
    let (ran, first) = kept(&["sender", "--exec", &reference("sender"), "--seed", "5"]);
    ran.expect(0);
    let exchanges = assert_complete(first.path());
    let file = first.path().join("exchanges.jsonl").display().to_string();
    let (ran, again) = kept(&["sender", "--transcript", &file]);
    ran.expect(0);
    let deliveries =
        |exchanges: &[Value]| -> Vec<Value> { exchanges.iter().map(|one| one["delivery"].clone()).collect() };
    assert_eq!(deliveries(&assert_complete(again.path())), deliveries(&exchanges));
    fs::write(first.path().join("broken"), "{").unwrap();
    let broken = first.path().join("broken").display().to_string();
    let (ran, nothing) = kept(&["sender", "--transcript", &broken]);
    ran.expect(2);
    assert!(!nothing.path().exists());
}

#[test]
fn long_bodies_are_kept_next_to_their_command() {
    let secret = ["--secret", "s3cr3t", "--cases", "4"];
    let (refusing, accepting) = (always(401), always(200));
    // This dialect has long bodies.
    let long = ["receiver", "--url", &refusing, "--run", "RCV-1", "--dialect", "shipped"];
    let (ran, long) = kept(&[&long, &secret[..]].concat());
    ran.expect(1);
    assert_eq!(files(&long.path().join("bodies")).len(), 1);
    let short = ["receiver", "--url", &accepting, "--run", "VER-1,VER-12,VER-19"];
    let (ran, short) = kept(&[&short, &secret[..]].concat());
    ran.expect(1);
    for folder in [long.path(), short.path()] {
        let exchanges = lines(&folder.join("exchanges.jsonl"));
        let report = json(&folder.join("report.json"));
        for check in report["checks"].as_array().unwrap() {
            let Some(repro) = check["curl"].as_str() else { continue };
            let number = check["exchanges"][0].as_u64().unwrap();
            let body = &exchanges[usize::try_from(number).unwrap() - 1]["delivery"]["body"];
            let path = folder.join("bodies").join(format!("{number}.bin"));
            match repro.split_once("--data-binary '@") {
                Some((_, file)) => {
                    assert_eq!(file.trim_end_matches('\''), path.display().to_string());
                    let bytes = fs::read(&path).unwrap();
                    match body["base64"].as_str() {
                        Some(coded) => assert_eq!(bytes, STANDARD.decode(coded).unwrap()),
                        None => assert_eq!(bytes, body.as_str().unwrap().as_bytes()),
                    }
                }
                None => assert!(body.as_str().is_some_and(|text| text.len() <= 512), "{repro}"),
            }
        }
    }
}

#[test]
fn evidence_never_overwrites_files() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("mine"), "mine").unwrap();
    let out = folder.path().display().to_string();
    let exec = reference("receiver");
    let run = |out: &str| run(["receiver", "--exec", &exec, "--run", "RCV-1", "--out", out]);
    run(&out).expect(2).complains_of(&[&out, "is not empty", "--out"]);
    assert_eq!(files(folder.path()).len(), 1);
    // A file cannot contain a folder.
    let below = folder.path().join("mine/out").display().to_string();
    run(&below).expect(2).complains_of(&[&below, "cannot create the folder"]);
    let new = folder.path().join("a/b").display().to_string();
    run(&new).expect(0);
    run(&new).expect(2).complains_of(&[&new, "is not empty"]);
    let mut command = twenty(["receiver", "--exec", &exec, "--run", "RCV-1"]);
    command.env("TWENTY_CONFORM_OUT", folder.path().join("c"));
    finish(command).expect(0);
    assert_complete(&folder.path().join("c"));
}

#[test]
fn run_that_cannot_start_leaves_its_reason() {
    let closed = crate::peers::servers::ClosedPort::new();
    let (ran, folder) = kept(&["receiver", "--url", &closed.url(), "--secret", "s3cr3t"]);
    ran.expect(3).says(&["cannot be reached"]);
    assert!(assert_complete(folder.path()).is_empty());
    let (ran, folder) = kept(&["receiver", "--exec", "no-such-command"]);
    ran.expect(3).says(&["cannot start the command"]);
    assert!(assert_complete(folder.path()).is_empty());
    // After a usage error, the folder stays free for the next attempt.
    let (ran, folder) = kept(&["receiver", "--exec", "quote ' missing"]);
    ran.expect(2);
    assert!(!folder.path().exists() || files(folder.path()).is_empty());
}

/// The binary, in a shell that limits the size of files to this many blocks of 512 bytes (1024 in some shells).
#[cfg(unix)]
fn with_file_limit(blocks: u32, arguments: &[&str]) -> Command {
    let binary = twenty(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    command.arg(binary.get_program()).args(binary.get_args()).current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, value) in binary.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[cfg(unix)]
#[test]
fn unwritable_evidence_exits_70() {
    let folder = TempDir::new().unwrap();
    let exec = reference("receiver");
    for (name, blocks, lost) in [
        ("small", 256, &["exchanges.jsonl"][..]),
        ("tiny", 1, &["run.json", "exchanges.jsonl", "trials.jsonl", "report.json", "report.txt"]),
    ] {
        let out = folder.path().join(name);
        let arguments = ["receiver", "--exec", &exec, "--cases", "4", "--out", out.to_str().unwrap()];
        let ran = finish(with_file_limit(blocks, &arguments)).expect(70);
        ran.complains_of(&["the evidence is incomplete"]);
        // The run reached its verdict, and the report names every incomplete file.
        assert!(ran.result_line().starts_with("RESULT: error must 10/10 "), "{ran:#?}");
        for file in ["run.json", "exchanges.jsonl", "trials.jsonl", "report.json", "report.txt"] {
            let note = format!("note: the evidence is incomplete: cannot write {}", out.join(file).display());
            assert_eq!(ran.stdout.contains(&note), lost.contains(&file), "{file}: {ran:#?}");
        }
        // Every line that was written is whole, except the last.
        let text = fs::read_to_string(out.join("exchanges.jsonl")).unwrap();
        let whole = text.lines().take_while(|line| serde_json::from_str::<Value>(line).is_ok()).count();
        assert!(whole + 1 >= text.lines().count());
        if name == "small" {
            let report = Report::read(&out.join("report.json")).unwrap();
            assert_eq!((&report.0["result"], &report.0["exit_status"]), (&"error".into(), &70.into()));
        }
    }
}
