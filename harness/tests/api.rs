//! The public API, used like from another program: no hidden item is imported.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use twenty_conform::{
    Dialect, Error, Level, Payload, Receiver, RunResult, Sender, Suite, Verdict, broken, broken_causes, sign,
    signed_request, verify,
};

use crate::cli::program::reference;
use crate::implementations::is_missing;
use crate::peers::servers::always;

/// Signing vectors made by independent programs.
const VECTORS: &str = include_str!("../../fixtures/vectors/signing.json");

/// A suite that runs for a second or two.
fn quick() -> Suite {
    Suite::new().seed(7).cases(4)
}

#[test]
fn sign_and_verify_agree_with_the_vectors() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut seen = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let text = |key: &str| vector[key].as_str();
        let (Some(secret), Some(timestamp), Some(body)) = (text("secret"), text("timestamp"), text("body"))
        else {
            continue;
        };
        let signature = sign(secret, timestamp, body);
        for (program, expected) in vector["signatures"].as_object().unwrap() {
            assert_eq!(&signature, expected, "{} by {program}", vector["name"]);
        }
        if !secret.is_empty() {
            assert_eq!(verify(secret, timestamp, body, &signature), Ok(()), "{}", vector["name"]);
            assert_eq!(verify(secret, timestamp, body, signature.to_uppercase()), Ok(()));
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn mismatch_names_its_cause() {
    let (secret, timestamp, body) = ("your-secret", "1735066639761", r#"{"event":"person.created"}"#);
    // The HMAC-SHA256 of the body alone.
    let body_alone = "5de8e53bf19557929debd25e7b336ffdf63df21c9199289784e35f8d95ba2fe4";
    let mismatch = verify(secret, timestamp, body, body_alone).unwrap_err();
    let cause = mismatch.cause.as_ref().unwrap();
    assert_eq!((&*cause.code, cause.detail.as_deref()), ("message.body-alone", None));
    assert_eq!(
        mismatch.to_string(),
        "the signature does not match: message.body-alone: the signature covers the body alone, without timestamp and \
         colon; sign the timestamp header's value, a colon, and the body that is sent: hmac(secret, timestamp + \":\" + \
         body)"
    );
}

#[test]
fn mismatch_without_a_known_cause_names_none() {
    let signature = sign("another secret", "1735066639761", "{}");
    let mismatch = verify("your-secret", "1735066639761", "{}", signature).unwrap_err();
    assert_eq!(mismatch.cause, None);
    assert_eq!(mismatch.to_string(), "the signature does not match");
}

#[test]
fn empty_secret_verifies_nothing() {
    let signature = sign("", "1735066639761", "{}");
    assert_eq!(verify("", "1735066639761", "{}", signature).unwrap_err().cause, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_receiver_passes_every_requirement() {
    let receiver = Receiver::reference().secret("s3cr3t");
    let report = quick().fail_on(Level::Advice).check_receiver(&receiver).await.unwrap();
    report.assert_conforms();
    assert_eq!((report.result(), report.exit_status()), (RunResult::Pass, 0), "{}", report.text());
    assert!(report.requirements().count() > 30);
    for one in report.requirements() {
        assert!(matches!(one.verdict, Verdict::Pass | Verdict::NotApplicable), "{one:?}");
        assert!(!one.title.is_empty() && !one.text.is_empty(), "{one:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_that_accepts_everything_fails_with_a_cause() {
    let receiver = Receiver::at(&always(200)).secret("s3cr3t");
    let suite = quick().only("RCV-1").only("receiver/verification/*").skip("VER-15").level(Level::Must);
    let report = suite.check_receiver(&receiver).await.unwrap();
    assert_eq!((report.result(), report.exit_status()), (RunResult::Fail, 1), "{}", report.text());

    let accepted = report.requirement("RCV-1").unwrap();
    assert_eq!((accepted.verdict, accepted.message, accepted.cause), (Verdict::Pass, None, None));
    let altered = report.requirement("VER-1").unwrap();
    assert_eq!((altered.level, altered.verdict), (Level::Must, Verdict::Fail));
    assert_eq!(altered.cause.unwrap().code, "accepts.everything");
    assert!(altered.message.is_some() && altered.repeat.unwrap().starts_with("curl "), "{altered:?}");
    assert_eq!(report.requirement("VER-15"), None, "skipped");
    assert_eq!(report.requirement("RCV-2"), None, "not selected");

    assert!(report.text().contains("VER-1   rejects altered content"), "{}", report.text());
    assert!(!report.text().contains('\u{1b}'), "no colours");
    let json: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!((&json["result"], &json["seed"]), (&"fail".into(), &7.into()));
    assert!(report.junit().starts_with("<?xml"), "{}", report.junit());
    assert!(report.html().starts_with("<!DOCTYPE html>"), "{}", report.html());
    assert!(
        [report.text(), report.json(), report.junit(), report.html()]
            .iter()
            .all(|text| !text.contains("s3cr3t"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_and_checks_a_receiver() {
    let receiver = Receiver::command(&reference("receiver")).path("/hooks/twenty").secret("s3cr3t");
    let report = quick().only("RCV-1").only("VER-1").check_receiver(&receiver).await.unwrap();
    assert_eq!(report.result(), RunResult::Pass, "{}", report.text());
    // Nothing shows what it processes.
    let suite = quick().only("PRC-1").only("RCV-1").require("prc-1");
    let report = suite.check_receiver(&receiver).await.unwrap();
    assert_eq!(report.result(), RunResult::Incomplete, "{}", report.text());
    assert_eq!(report.requirement("PRC-1").unwrap().verdict, Verdict::Inconclusive);
    let unknown = quick().require("SIG-1").check_receiver(&receiver).await;
    assert!(matches!(unknown, Err(Error::Usage(_))), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_assertion_has_the_cause_and_the_fix() {
    if is_missing("node") {
        return;
    }
    let faulty = "node fixtures/implementations/receivers/node-body-alone/server.mjs";
    let report = Receiver::command(faulty).secret("s3cr3t").check().await.unwrap();
    let report = std::panic::AssertUnwindSafe(report);
    let panicked = std::panic::catch_unwind(|| report.assert_conforms()).unwrap_err();
    let said = panicked.downcast_ref::<String>().unwrap();
    let first: Vec<&str> = said.lines().take(10).collect();
    let first = first.join("\n");
    assert!(first.contains("message.body-alone") && first.contains("  fix: "), "{said}");
    assert!(!said.contains("s3cr3t"), "{said}");
}

#[test]
fn requests_for_tests_are_signed() {
    let at = UNIX_EPOCH + Duration::from_millis(1_735_066_639_761);
    let body = r#"{"event":"person.created"}"#;
    let request = signed_request(body, "your-secret", at).unwrap();
    assert_eq!(request.body, body.as_bytes());
    assert_eq!(request.header("x-twenty-webhook-timestamp"), Some("1735066639761"));
    let signature = "110f71afc0a39743d18099ed4cdf542b8571449f8d99562b4bc8c8919a383dab";
    assert_eq!(request.header("X-Twenty-Webhook-Signature"), Some(signature));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    let sample = Payload::sample("person.created").dialect(Dialect::Shipped);
    let shipped = signed_request(sample, "your-secret", at).unwrap();
    assert!(
        String::from_utf8_lossy(&shipped.body).contains("eventName")
            && shipped.header("X-Twenty-Webhook-Nonce").is_some()
    );
    for cause in broken_causes() {
        // Hexadecimal digits, which are base64 too.
        let made = broken(cause, "person.created", "Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d", at).unwrap();
        assert_eq!(
            made,
            broken(cause, "person.created", "Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d", at).unwrap(),
            "{cause}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_senders_in_both_dialects() {
    let suite = quick().only("SIG-4").only("PAY-1").only("NON-1");
    let report = suite.check_sender(&Sender::reference()).await.unwrap();
    assert_eq!(report.result(), RunResult::Pass, "{}", report.text());
    assert_eq!(report.requirement("NON-1").unwrap().verdict, Verdict::NotApplicable);

    let sender = Sender::command(reference("sender"));
    let report = suite.dialect(Dialect::Shipped).check_sender(&sender).await.unwrap();
    assert_eq!(report.result(), RunResult::Pass, "{}", report.text());
    assert_eq!(report.requirement("NON-1").unwrap().verdict, Verdict::Pass);
}

#[tokio::test]
async fn unusable_arguments_and_subjects_are_errors() {
    let usage = [
        Receiver::at("ftp://127.0.0.1/").secret("s3cr3t").check().await.map(drop),
        Receiver::at("http://127.0.0.1:9/").check().await.map(drop),
        Receiver::command("true").path("hooks").secret("s3cr3t").check().await.map(drop),
        Receiver::at("http://127.0.0.1:9/").path("/hooks").secret("s3cr3t").check().await.map(drop),
        Receiver::reference().secret("s3cr3t").observed_on_stdout().check().await.map(drop),
        signed_request("persn.created", "s3cr3t", UNIX_EPOCH).map(drop),
        signed_request("person.created", "", UNIX_EPOCH).map(drop),
        broken("accepts.stall", "person.created", "s3cr3t", UNIX_EPOCH).map(drop),
        broken("refuses.large", "person.created", "s3cr3t", UNIX_EPOCH).map(drop),
        broken("key.hex-decoded", "person.created", "s3cr3t", UNIX_EPOCH).map(drop),
        Sender::at("no url").map(drop),
        Suite::new().only("VER-1").check_sender(&Sender::reference()).await.map(drop),
    ];
    for (at, result) in usage.into_iter().enumerate() {
        assert!(matches!(result, Err(Error::Usage(_))), "{at}: {result:?}");
    }
    let subject = [
        Receiver::at("http://127.0.0.1:9/").secret("s3cr3t").check().await.map(drop),
        Receiver::command("true").secret("s3cr3t").check().await.map(drop),
        Receiver::command("twenty-conform-is-not-a-command").secret("s3cr3t").check().await.map(drop),
        Suite::new().check_sender(&Sender::command("twenty-conform-is-not-a-command")).await.map(drop),
        Suite::new().check_sender(&Sender::command("true")).await.map(drop),
    ];
    for (at, result) in subject.into_iter().enumerate() {
        assert!(matches!(result, Err(Error::Subject(_))), "{at}: {result:?}");
    }
}

/// The variable with the file into which a started program writes its process id.
#[cfg(unix)]
const HOLDS: &str = "HOLDS_A_PROGRAM";

/// Uses the library in a process of its own, which is killed.
#[cfg(unix)]
#[tokio::test]
async fn holds_a_program() {
    // Only where the next test runs it.
    let Some(file) = std::env::var_os(HOLDS) else { return };
    let command = format!("sh -c 'sleep 600 & echo $$ $! > {}; wait'", file.to_str().unwrap());
    // It never listens.
    let _ = Receiver::command(&command).secret("s3cr3t").check().await;
}

#[cfg(unix)]
#[test]
fn program_ends_with_a_test_that_is_killed() {
    use nix::sys::signal::kill;
    use nix::unistd::Pid;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids");
    let mut tests = std::process::Command::new(std::env::current_exe().unwrap());
    tests.args(["--exact", "api::holds_a_program"]).env(HOLDS, &file);
    tests.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    let mut tests = tests.spawn().unwrap();
    let ids = || -> Vec<i32> {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.ends_with('\n') {
            text.split_whitespace().map(|id| id.parse().unwrap()).collect()
        } else {
            Vec::new()
        }
    };
    let wait_until = |condition: &dyn Fn() -> bool, what: &str| {
        let begun = std::time::Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    };
    wait_until(&|| ids().len() == 2, "the program has not started");
    let ids = ids();
    let runs = |id: &i32| kill(Pid::from_raw(*id), None).is_ok() && !is_zombie(*id);
    assert!(ids.iter().all(runs), "{ids:?}");
    tests.kill().unwrap();
    tests.wait().unwrap();
    wait_until(&|| !ids.iter().any(runs), "the program still runs");
}

/// Whether a process has ended and only its parent has not noticed; `false` where the system does not say.
#[cfg(unix)]
fn is_zombie(id: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z'))
}
