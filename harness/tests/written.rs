//! Cases as tests in other languages: each fails on the mutant that failed, and passes on the reference receiver.
//!
//! Invariant: a written test is run by its language without any part of this program. Only Vitest is replaced by two functions here;
//! `packaging/try` runs one with Vitest itself.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum as _;
use futures_util::stream::{self, StreamExt};
use tempfile::TempDir;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant::receiver::Mutant;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::report::case::Case;
use twenty_conform::report::case::written::{Heading, Language};
use twenty_conform::suite::requirements;
use twenty_conform::wire::endpoint::{Handler, Server};

use crate::cli::program::{Ran, finish};
use crate::implementations::is_missing;
use crate::peers::plain;
use crate::replays::{cases, secret};

/// What Vitest has of a test: it runs, and a failed expectation is thrown.
const VITEST: &str = "
const failed = (message) => { throw new Error(message); };
export const expect = (value, message) => ({
  toBe: (other) => Object.is(value, other) || failed(message),
  toBeGreaterThan: (other) => value > other || failed(message),
});
export const test = (name, run) => run();
";

/// One of each kind of what is done to a delivery.
const FAULTS: [ReceiverFault; 12] = [
    ReceiverFault::AcceptsBodyAlone,
    ReceiverFault::AcceptsHexDecodedKey,
    ReceiverFault::AcceptsDefaultSecret,
    ReceiverFault::AcceptsMissingSignature,
    ReceiverFault::AcceptsTrailing,
    ReceiverFault::AcceptsUnkeyed,
    ReceiverFault::AcceptsLastSignature,
    ReceiverFault::AcceptsAnyTimestamp,
    ReceiverFault::AcceptsCaseFoldedKey,
    ReceiverFault::LimitsTo100Kilobytes,
    ReceiverFault::NoWindow,
    ReceiverFault::RejectsLoneSurrogates,
];

fn written(case: &Case, language: Language, url: &str) -> Result<String, String> {
    let requirement = requirements::all().find(|one| one.id == case.requirement);
    let heading = Heading { requirement, url, name: &case.requirement };
    case.as_test(&secret(), case.at_ms + 1234, language, &heading)
}

async fn serve(handler: Arc<dyn Handler>) -> Server {
    plain::serve(handler).await.unwrap()
}

fn mutant(fault: ReceiverFault) -> Arc<dyn Handler> {
    let late = Duration::from_millis(1900);
    Arc::new(Mutant::new(fault, Settings::new(secret()), Clock::system(), late, Arc::new(|_| {})))
}

/// Runs a test of a folder on a receiver.
async fn run(language: Language, folder: &Path, case: &Case, url: &str) -> Ran {
    let file = language.file(&case.requirement);
    let mut command = match language {
        Language::Pytest => {
            let name = file.trim_end_matches(".py");
            let mut command = Command::new("python3");
            command.args(["-c", &format!("import {name}; {name}.{name}()")]);
            command
        }
        Language::Vitest => {
            let mut command = Command::new("node");
            command.arg(&file);
            command
        }
        Language::Go => {
            let mut command = Command::new("go");
            command.args(["test", "-count=1", &file]).env("GOFLAGS", "-mod=mod").env("GO111MODULE", "off");
            command
        }
        Language::Curl => {
            let mut command = Command::new("sh");
            command.arg(&file);
            command
        }
    };
    command
        .current_dir(folder)
        .env("TWENTY_WEBHOOK_SECRET", secret().expose())
        .env("TWENTY_WEBHOOK_URL", url);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    tokio::task::spawn_blocking(move || finish(command)).await.unwrap()
}

fn program(language: Language) -> &'static str {
    match language {
        Language::Pytest => "python3",
        Language::Vitest => "node",
        Language::Go => "go",
        Language::Curl => "curl",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn written_tests_fail_on_the_mutant_and_pass_on_the_reference() {
    let languages: Vec<Language> =
        Language::value_variants().iter().copied().filter(|one| !is_missing(program(*one))).collect();
    let wrong: Vec<Vec<String>> = stream::iter(FAULTS)
        .map(|fault| {
            let languages = &languages;
            async move {
                let folder = TempDir::new().unwrap();
                let vitest = folder.path().join("node_modules/vitest");
                fs::create_dir_all(&vitest).unwrap();
                fs::write(vitest.join("package.json"), r#"{"type":"module","exports":"./index.js"}"#)
                    .unwrap();
                fs::write(vitest.join("index.js"), VITEST).unwrap();
                let found = cases(fault).await;
                let case = found.into_iter().find_map(Result::ok).unwrap();
                let mut wrong = Vec::new();
                for &language in languages {
                    let text = match written(&case, language, "http://127.0.0.1:9/") {
                        Ok(text) => text,
                        Err(why) => {
                            wrong.push(format!("{fault:?} {} {language:?}: {why}", case.requirement));
                            continue;
                        }
                    };
                    assert!(!text.contains(secret().expose()), "{text}");
                    fs::write(folder.path().join(language.file(&case.requirement)), &text).unwrap();
                    let faulty = serve(mutant(fault)).await;
                    let failed = run(language, folder.path(), &case, &faulty.url("/")).await;
                    let said = format!("{}{}", failed.stdout, failed.stderr);
                    if failed.status == Some(0) || !said.contains("expected ") {
                        wrong.push(format!(
                            "{fault:?} {} {language:?} on the mutant: {failed:?}\n{text}",
                            case.requirement
                        ));
                    }
                    let receiver = Receiver::new(Settings::new(secret()), Clock::system(), Arc::new(|_| {}));
                    let sound = serve(Arc::new(receiver)).await;
                    let passed = run(language, folder.path(), &case, &sound.url("/")).await;
                    if passed.status != Some(0) {
                        wrong.push(format!(
                            "{fault:?} {} {language:?} on the reference: {passed:?}\n{text}",
                            case.requirement
                        ));
                    }
                }
                wrong
            }
        })
        .buffer_unordered(2)
        .collect()
        .await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Which cases no test can send: those that need the wire or more than a status, and few others.
#[tokio::test(flavor = "multi_thread")]
async fn nearly_every_case_can_be_a_test() {
    let of = |fault: ReceiverFault| async move {
        let mut counts = (0, Vec::new());
        for case in cases(fault).await.into_iter().flatten() {
            counts.0 += 1;
            if let Err(why) = written(&case, Language::Pytest, "http://127.0.0.1:9/") {
                counts.1.push(format!("{fault:?} {} {}: {why}", case.requirement, case.what));
            }
        }
        counts
    };
    let all: Vec<(usize, Vec<String>)> =
        stream::iter(ReceiverFault::ALL.iter().copied()).map(of).buffer_unordered(16).collect().await;
    let count: usize = all.iter().map(|(count, _)| count).sum();
    let not: Vec<&String> = all.iter().flat_map(|(_, not)| not).collect();
    // How it is sent, and how long the answer takes, are no status.
    let is_unexplained =
        |why: &&&String| !why.contains("how the bytes are sent") && !why.contains("does not show");
    let unexplained: Vec<&&String> = not.iter().filter(is_unexplained).collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(count > 150 && not.len() * 20 < count, "{} of {count}: {not:#?}", not.len());
}
