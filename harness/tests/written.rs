//! Cases as tests in other languages: each fails on the mutant that failed, and passes on the reference receiver.
//!
//! Invariant: a written test is run by its language without any part of this program. Only Vitest is replaced by two functions here;
//! `packaging/try` runs one with Vitest itself.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::ValueEnum as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use tempfile::TempDir;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant::receiver::Mutant;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::report::case::Case;
use twenty_conform::report::case::written::{Heading, Language};
use twenty_conform::suite::requirements;
use twenty_conform::webhook::signature::{Key, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use twenty_conform::wire::endpoint::{Handler, Server};
use twenty_conform::wire::exchange::{Delivery, Headers, Response, Transfer};

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

/// A folder in which the functions of Vitest are found.
fn vitest_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let vitest = folder.path().join("node_modules/vitest");
    fs::create_dir_all(&vitest).unwrap();
    fs::write(vitest.join("package.json"), r#"{"type":"module","exports":"./index.js"}"#).unwrap();
    fs::write(vitest.join("index.js"), VITEST).unwrap();
    folder
}

/// Runs a test of a folder on a receiver.
async fn run(language: Language, folder: &Path, case: &Case, url: &str) -> Ran {
    run_file(language, folder, &language.file(&case.requirement), Some(url)).await
}

/// The same by its file, at the URL that stands in it if none is given.
async fn run_file(language: Language, folder: &Path, file: &str, url: Option<&str>) -> Ran {
    let mut command = match language {
        Language::Pytest => {
            let name = file.trim_end_matches(".py");
            let mut command = Command::new("python3");
            command.args(["-c", &format!("import {name}; {name}.{name}()")]);
            command
        }
        Language::Vitest => {
            let mut command = Command::new("node");
            command.arg(file);
            command
        }
        Language::Go => {
            let mut command = Command::new("go");
            command
                .args(["test", "-count=1", "-v", file])
                .env("GOFLAGS", "-mod=mod")
                .env("GO111MODULE", "off");
            command
        }
        Language::Curl => {
            let mut command = Command::new("sh");
            command.arg(file);
            command
        }
    };
    command
        .current_dir(folder)
        .env("TWENTY_WEBHOOK_SECRET", secret().expose())
        .env_remove("TWENTY_WEBHOOK_URL");
    if let Some(url) = url {
        command.env("TWENTY_WEBHOOK_URL", url);
    }
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
                let folder = vitest_folder();
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

fn delivered(target: &str, headers: Headers, body: String) -> Delivery {
    let (method, target, body) = ("POST".to_owned(), target.to_owned(), body.into());
    Delivery { method, target, headers, body, transfer: Transfer::Whole }
}

/// A captured request with words of the templates, the secret, and characters that end literals.
#[tokio::test(flavor = "multi_thread")]
async fn captured_request_becomes_a_test_that_passes_on_the_reference() {
    let folder = vitest_folder();
    let own = secret();
    let body = format!(
        "{{\"event\":\"person.created\",\"data\":{{\"id\":\"{}\",\"note\":\"my brand. re.base64.now mac(x) digest(x) \
         `it's` $HOME $(x) %s \\u00e9 ü\\n\"}}}}",
        own.expose()
    );
    let (sent_ms, path) = (1_735_066_639_761, "/hook?ids[]=1&x={{a,b}}&y=$b`c`");
    let key = Key::new(&own);
    let mut headers = Headers::of_delivery(Some(&key), sent_ms, None, body.as_bytes());
    headers.add("X-Token", own.expose().to_owned());
    headers.add("Content-Type", "application/json");
    let delivery = delivered(path, headers, body);
    let case = Case::of_captured(delivery, &own, false, sent_ms);
    let receiver = Receiver::new(Settings::new(secret()), Clock::system(), Arc::new(|_| {}));
    let sound = serve(Arc::new(receiver)).await;
    let url = sound.url(path);
    for &language in Language::value_variants() {
        if is_missing(program(language)) {
            continue;
        }
        let heading = Heading { requirement: None, url: &url, name: "日本 windows" };
        let text = case.as_test(&own, sent_ms, language, &heading).unwrap();
        assert!(!text.contains(own.expose()), "{text}");
        let file = language.file("日本 windows");
        fs::write(folder.path().join(&file), &text).unwrap();
        // At the URL that stands in it.
        let passed = run_file(language, folder.path(), &file, None).await;
        assert_eq!(passed.status, Some(0), "{language:?}: {passed:?}\n{text}");
        assert!(!passed.stdout.contains("no tests to run"), "{passed:?}");
        if language == Language::Go {
            let mut gofmt = Command::new("gofmt");
            gofmt.args(["-l", &file]).current_dir(folder.path());
            assert_eq!(finish(gofmt).stdout, "", "{text}");
        }
    }
    let leaking = own.expose().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let body = format!("{{\"event\":\"a.b\",\"data\":{{\"id\":\"{leaking}\"}}}}");
    let headers = Headers::of_delivery(Some(&key), sent_ms, None, body.as_bytes());
    let case = Case::of_captured(delivered("/", headers, body), &own, false, sent_ms);
    let why = written(&case, Language::Go, "http://127.0.0.1:9/").unwrap_err();
    assert!(why.contains("has the secret"), "{why}");
    let mut headers = Headers::of_delivery(Some(&key), sent_ms, None, b"{}");
    headers.add(format!("X-{}", own.expose()), "1");
    let case = Case::of_captured(delivered("/", headers, "{}".to_owned()), &own, false, sent_ms);
    let why = written(&case, Language::Go, "http://127.0.0.1:9/").unwrap_err();
    assert!(why.contains("has the secret"), "{why}");
}

/// The reference receiver, and what arrived at it.
struct Noting(Receiver, Mutex<Vec<Delivery>>);

impl Handler for Noting {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        self.1.lock().unwrap().push(delivery.clone());
        self.0.handle(delivery)
    }
}

/// What is sent differs from the valid signature as the captured one did.
#[tokio::test(flavor = "multi_thread")]
async fn changed_digit_of_an_upper_case_signature_is_sent_in_every_language() {
    let (own, sent_ms, body) = (secret(), 1_735_066_639_761, r#"{"event":"a.b","data":{"id":"1"}}"#);
    let key = Key::new(&own);
    let digit = |value: &[u8], at: usize| char::from(value[at]).to_digit(16).unwrap();
    let mut headers = Headers::of_delivery(Some(&key), sent_ms, None, body.as_bytes());
    let mut value = headers.single(SIGNATURE_HEADER).unwrap().to_ascii_uppercase();
    let moved = char::from_digit((digit(&value, 3) + 1) % 16, 16).unwrap().to_ascii_uppercase();
    value[3] = u8::try_from(moved).unwrap();
    headers.set(SIGNATURE_HEADER, value);
    let case = Case::of_captured(delivered("/", headers, body.to_owned()), &own, false, sent_ms);
    let receiver = Receiver::new(Settings::new(secret()), Clock::system(), Arc::new(|_| {}));
    let noting = Arc::new(Noting(receiver, Mutex::default()));
    let server = serve(noting.clone()).await;
    let folder = vitest_folder();
    for &language in Language::value_variants().iter().filter(|one| !is_missing(program(**one))) {
        let text = written(&case, language, &server.url("/")).unwrap();
        fs::write(folder.path().join(language.file("")), &text).unwrap();
        run(language, folder.path(), &case, &server.url("/")).await;
        let arrived = noting.1.lock().unwrap().pop().unwrap();
        let header = |name| arrived.headers.single(name).unwrap();
        let valid = key.sign(header(TIMESTAMP_HEADER), &arrived.body).to_hex().to_uppercase().into_bytes();
        let sent = header(SIGNATURE_HEADER);
        let differ: Vec<usize> = (0..valid.len()).filter(|&at| sent[at] != valid[at]).collect();
        assert_eq!(differ, [3], "{language:?}: {sent:?}\n{text}");
        assert_eq!(digit(sent, 3), (digit(&valid, 3) + 1) % 16, "{language:?}: {sent:?}\n{text}");
        assert!(!sent.iter().any(u8::is_ascii_lowercase), "{language:?}: {sent:?}\n{text}");
    }
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
