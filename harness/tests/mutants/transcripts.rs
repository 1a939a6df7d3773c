//! Checks are pure functions of a transcript: each judges the transcripts in `fixtures/transcripts/`, which are named by requirement and
//! verdict, as `VER-1.fail.json`.
//!
//! They were recorded from the reference, from mutants and from a receiver that rejects everything. `UPDATE_TRANSCRIPTS=1 cargo test
//! --test conform transcripts` records them anew; `UPDATE_TRANSCRIPTS=DLV-5` those of one requirement.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::Faults;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{ANSWER_WAIT, Sender, Transport};
use twenty_conform::random::Random;
use twenty_conform::subject;
use twenty_conform::subject::observations::Source;
use twenty_conform::suite::requirement::{Requirement, Role};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Options, Run};
use twenty_conform::suite::transcript::{Answers, ReadTranscript, Transcript, WrittenTranscript};
use twenty_conform::suite::verdict::VerdictName;
use twenty_conform::webhook::dialect::{DOCUMENTED, SHIPPED};
use twenty_conform::wire::endpoint::http;
use twenty_conform::wire::exchange::Exchange;

use super::nulls::rejecting;
use super::retries::Retries;
use super::{
    check_receiver_on, check_sender_on, observations, options, patient, receiver_mutant, secret,
    sender_mutant,
};

/// The seed of the runs.
const SEED: u64 = 7;

/// Longer bodies are emptied if the verdict does not depend on them.
const LONGEST_BODY: usize = 2048;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts")
}

/// The files of this test. Those of Twenty have their own.
fn files() -> Vec<PathBuf> {
    let all = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with("twenty-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn transcripts_are_judged_as_they_are_named() {
    if let Ok(which) = std::env::var("UPDATE_TRANSCRIPTS") {
        record(&which).await;
    }
    let (mut found, mut wrong) = (BTreeSet::new(), String::new());
    for path in files() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (id, verdict) = name.split_once('.').unwrap();
        let requirement = requirements::all().find(|one| one.id == id).unwrap();
        let (transcript, cause) = read(&path);
        let finding = run::judge(&transcript, &[requirement]).remove(0);
        let is_named = VerdictName::from(&finding.judgement).as_str() == verdict;
        if !is_named || finding.cause().map(ToString::to_string) != cause {
            writeln!(wrong, "{name} ({cause:?}): {:?}", finding.judgement).unwrap();
        }
        found.insert((id.to_owned(), verdict.to_owned()));
    }
    assert_eq!(wrong, "");
    for requirement in requirements::all() {
        for verdict in ["pass", "fail"] {
            assert!(
                found.contains(&(requirement.id.to_owned(), verdict.to_owned())),
                "{} {verdict}",
                requirement.id
            );
        }
    }
}

/// The transcript in a file, and the cause of its failure.
fn read(path: &Path) -> (Transcript, Option<String>) {
    parsed(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

fn parsed(mut file: Value) -> (Transcript, Option<String>) {
    let exchanges: Vec<Exchange> = serde_json::from_value(file["lines"].take()).unwrap();
    let cause = file["cause"].as_str().map(str::to_owned);
    let transcript: ReadTranscript = serde_json::from_value(file["run"].take()).unwrap();
    let mut answers = Answers::default();
    for exchange in &exchanges {
        exchange.outcome.status().into_iter().for_each(|status| answers.add(status, exchange.took));
    }
    let secret = (transcript.role() == Role::Receiver).then(secret);
    let made = transcript.made_secrets(SEED).unwrap();
    (transcript.with(exchanges, answers, secret, &made).unwrap(), cause)
}

/// Records the transcripts of the requirement with this id; with `1`, of all.
async fn record(which: &str) {
    fs::create_dir_all(folder()).unwrap();
    assert!(which == "1" || requirements::all().any(|one| one.id == which), "no requirement {which}");
    for requirement in requirements::all().filter(|one| which == "1" || one.id == which) {
        let is_of = |path: &PathBuf| {
            path.file_name().unwrap().to_str().unwrap().split('.').next() == Some(requirement.id)
        };
        files().iter().filter(|path| is_of(path)).for_each(|path| fs::remove_file(path).unwrap());
        write(requirement, &passing(requirement).await);
        write(requirement, &failing(requirement).await);
        if requirement.role() == Role::Receiver && requirement.id.starts_with("VER-") {
            let options = few(&options(&DOCUMENTED, patient()));
            write(requirement, &check_receiver_on(rejecting().await, &options, &[requirement]).await);
        }
    }
}

/// As few generated cases as there can be.
fn few(options: &Options) -> Options {
    Options { cases: 1, ..options.clone() }
}

async fn passing(requirement: &'static Requirement) -> Run {
    // Some requirements are about one dialect, and some about retries, which the reference does not make.
    let mut last = None;
    for (dialect, retries) in [(&DOCUMENTED, false), (&SHIPPED, false), (&SHIPPED, true), (&DOCUMENTED, true)]
    {
        let options = few(&options(dialect, patient()));
        let run = if requirement.role() == Role::Receiver {
            let (observations, observer) = observations();
            let reference = Receiver::new(Settings::new(secret()), Clock::system(), observer);
            let server = http::serve(([127, 0, 0, 1], 0).into(), Arc::new(reference)).await.unwrap();
            let receiver = subject::receiver::Receiver::here(server, "/", secret())
                .observed_by(Source::Pushed(observations));
            check_receiver_on(receiver, &options, &[requirement]).await
        } else {
            let pooled = Pooled::new(ANSWER_WAIT).unwrap();
            let transport: Arc<dyn Transport> =
                if retries { Arc::new(Retries(pooled)) } else { Arc::new(pooled) };
            let sender = Sender::new(dialect, Clock::system(), Random::from_seed(1), transport);
            check_sender_on(&sender, &options, &[requirement]).await
        };
        let is_passing = VerdictName::from(&run.findings[0].judgement) == VerdictName::Pass;
        last = Some(run);
        if is_passing {
            break;
        }
    }
    last.unwrap()
}

async fn failing(requirement: &'static Requirement) -> Run {
    match requirement.counterexamples {
        Faults::Receiver(faults) => {
            let (receiver, options) = receiver_mutant(faults[0], 1).await;
            check_receiver_on(receiver, &few(&options), &[requirement]).await
        }
        Faults::Sender(faults) => {
            let (sender, options) = sender_mutant(faults[0], 1);
            check_sender_on(&sender, &few(&options), &[requirement]).await
        }
    }
}

fn write(requirement: &'static Requirement, run: &Run) {
    let finding = &run.findings[0];
    let verdict = VerdictName::from(&finding.judgement).as_str();
    let kept = run.transcript.exchanges.after(0);
    let file = json!({
        "cause": finding.cause().map(ToString::to_string),
        "run": WrittenTranscript::new(&run.transcript, 1),
        "lines": kept,
    });
    let file = reduced(requirement, verdict, file);
    let lines: Vec<String> = file["lines"].as_array().unwrap().iter().map(ToString::to_string).collect();
    let text = format!(
        "{{\"cause\":{},\n\"run\":{},\n\"lines\":[\n{}\n]}}\n",
        file["cause"],
        file["run"],
        lines.join(",\n")
    );
    fs::write(folder().join(format!("{}.{verdict}.json", requirement.id)), text).unwrap();
}

/// The file without what its verdict and its cause do not depend on: trials, requests that arrived, exchanges, long bodies.
fn reduced(requirement: &'static Requirement, verdict: &str, mut file: Value) -> Value {
    let holds = |file: &Value| {
        let (transcript, cause) = parsed(file.clone());
        let finding = run::judge(&transcript, &[requirement]).remove(0);
        VerdictName::from(&finding.judgement).as_str() == verdict
            && finding.cause().map(ToString::to_string) == cause
    };
    for list in ["trials", "arrivals"] {
        let mut size = file["run"]["transcript"][list].as_array().unwrap().len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < file["run"]["transcript"][list].as_array().unwrap().len() {
                let mut smaller = file.clone();
                let entries = smaller["run"]["transcript"][list].as_array_mut().unwrap();
                let end = (at + size).min(entries.len());
                entries.drain(at..end);
                keep_named(&mut smaller);
                if holds(&smaller) { file = smaller } else { at += size }
            }
            size /= 2;
        }
    }
    for at in 0..file["lines"].as_array().unwrap().len() {
        for pointer in ["/delivery/body", "/outcome/answered/body"] {
            let mut smaller = file.clone();
            let body = smaller["lines"][at].pointer_mut(pointer);
            if let Some(body) = body.filter(|body| body.to_string().len() > LONGEST_BODY) {
                *body = "".into();
                if holds(&smaller) {
                    file = smaller;
                }
            }
        }
    }
    file
}

/// Removes the exchanges that nothing refers to.
fn keep_named(file: &mut Value) {
    let run = &file["run"]["transcript"];
    let of = |list: &str, member: &str| -> Vec<u64> {
        let entries = run[list].as_array().unwrap().iter().map(|entry| &entry[member]);
        entries
            .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]))
            .filter_map(|id| id.as_u64())
            .collect()
    };
    let mut named: BTreeSet<u64> = [
        ("trials", "exchange"),
        ("trials", "controls"),
        ("arrivals", "exchange"),
        ("processing", "exchanges"),
    ]
    .into_iter()
    .flat_map(|(list, member)| of(list, member))
    .collect();
    named.extend(run["deaths"].as_array().unwrap().iter().filter_map(|death| death[0].as_u64()));
    named.extend(run["comparison"]["shown_by"].as_array().into_iter().flatten().filter_map(Value::as_u64));
    let is_named = |id: &Value| named.contains(&id.as_u64().unwrap());
    file["run"]["exchanges"]["kept"].as_array_mut().unwrap().retain(is_named);
    file["run"]["exchanges"]["answers"].as_array_mut().unwrap().retain(|one| is_named(&one[0]));
    file["lines"].as_array_mut().unwrap().retain(|line| is_named(&line["number"]));
}
