//! The small commands: help, list, explain, sign, verify, send.
//!
//! Invariant: expected signatures come from other programs (the vectors) or from the `hmac` crate.

use std::fs;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use twenty_conform::suite::cause::Code;
use twenty_conform::suite::requirement::Role;
use twenty_conform::suite::requirements;

use super::program::{Ran, run, run_on, serve_receiver, twenty};
use crate::peers::servers::ClosedPort;

#[test]
fn help_and_version_are_printed() {
    for arguments in [["--help"], ["help"], ["-h"]] {
        let ran = run(arguments).expect(0);
        for command in [
            "demo", "receiver", "sender", "listen", "replay", "serve", "send", "sign", "verify", "list",
            "explain",
        ] {
            assert!(ran.stdout.contains(&format!("\n  {command} ")), "{command} in {ran:#?}");
        }
    }
    let version = run(["--version"]).expect(0).stdout;
    assert_eq!(version, format!("twenty-conform {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_command_line_exits_2() {
    let nothing: [&str; 0] = [];
    run(nothing).expect(2).complains_of(&["Usage: twenty-conform"]);
    run(["conform"]).expect(2).complains_of(&["conform"]);
    run(["receiver"]).expect(2).complains_of(&["--url", "--exec"]);
    run(["receiver", "--url", "http://127.0.0.1:1/", "--exec", "x"]).expect(2).complains_of(&["--exec"]);
    run(["sender"]).expect(2).complains_of(&["--exec"]);
    for (option, value, named) in [
        ("--timeout", "soon", "\"soon\""),
        ("--timeout", "0s", "\"0s\""),
        ("--timeout", "-1s", "-1s"),
        ("--deadline", "3 weeks", "3 weeks"),
        ("--seed", "many", "many"),
        ("--level", "maybe", "maybe"),
        ("--dialect", "klingon", "klingon"),
        ("--fail-on", "advice", "advice"),
        ("--report", "json", "FORMAT=PATH"),
        ("--report", "xml=report.xml", "\"xml\""),
        ("--report", "json=", "path is empty"),
        ("--color", "pink", "pink"),
    ] {
        let ran = run(["demo".to_owned(), format!("{option}={value}")]).expect(2);
        ran.complains_of(&[option, named]);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn environment_variables_switch_flags() {
    for (value, status) in [("1", 0), ("true", 0), ("off", 0), ("2", 2)] {
        let mut command = twenty(["demo", "--run", "RCV-1"]);
        command.env("TWENTY_CONFORM_QUIET", value);
        let ran = super::program::finish(command).expect(status);
        assert_eq!(ran.stdout.contains("reception"), value == "off", "{value}: {ran:#?}");
    }
}

#[test]
fn list_shows_every_requirement_with_its_check() {
    let lines = |arguments: &[&str]| {
        let stdout = run(arguments).expect(0).stdout;
        stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = lines(&["list"]);
    assert_eq!(all.len(), requirements::all().count());
    for (line, requirement) in all.iter().zip(requirements::all()) {
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        let level = requirement.level.to_string();
        assert_eq!(words, [requirement.id, level.as_str(), requirement.check_id], "{line}");
        assert!(line.ends_with(requirement.title), "{line}");
    }
    let (senders, receivers) = (lines(&["list", "sender"]), lines(&["list", "receiver"]));
    assert!(senders.iter().all(|line| line.contains(" sender/")) && !senders.is_empty());
    assert!(receivers.iter().all(|line| line.contains(" receiver/")) && !receivers.is_empty());
    assert_eq!(senders.len() + receivers.len(), all.len());
}

/// The text with single spaces instead of line breaks.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn explain_describes_requirements_checks_and_causes() {
    for requirement in requirements::all() {
        let by_id = run(["explain", requirement.id]).expect(0).stdout;
        for words in
            [requirement.id, requirement.title, requirement.check_id, requirement.text, requirement.why]
        {
            assert!(unwrapped(&by_id).contains(&unwrapped(words)), "{words:?} in {by_id}");
        }
    }
    let by_id = run(["explain", "VER-1"]).expect(0).stdout;
    assert_eq!(run(["explain", "ver-1"]).expect(0).stdout, by_id);
    assert_eq!(run(["explain", "receiver/verification/altered-content"]).expect(0).stdout, by_id);
    for code in [Code::MessageBodyAlone, Code::AcceptsEverything, Code::SendCrash] {
        let text = run(["explain", code.as_str()]).expect(0).stdout;
        assert!(text.starts_with(code.as_str()), "{text}");
        let text = unwrapped(&text);
        let (receiver, sender) = (code.fix(Role::Receiver), code.fix(Role::Sender));
        let avoid = [Role::Receiver, Role::Sender].map(|role| code.avoid(role));
        for words in [code.text(), receiver, sender].into_iter().chain(avoid) {
            assert!(text.contains(&unwrapped(words)), "{words:?} in {text}");
        }
        let link = format!("docs/requirements.md#{}", code.as_str().replace('.', "-"));
        assert!(text.ends_with(&link), "{text}");
    }
    run(["explain", "VER-999"]).expect(2).complains_of(&["\"VER-999\"", "twenty-conform list"]);
}

/// The vector of that name: secret, timestamp, body and the signature of other programs.
fn vector(name: &str) -> [String; 4] {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/vectors/signing.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let vector = file["vectors"].as_array().unwrap().iter().find(|vector| vector["name"] == name).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let signature = text(&vector["signatures"]["openssl"]);
    [text(&vector["secret"]), text(&vector["timestamp"]), text(&vector["body"]), signature]
}

#[test]
fn sign_agrees_with_other_programs() {
    let [secret, timestamp, body, signature] = vector("documentation-sample");
    let expected =
        format!("X-Twenty-Webhook-Timestamp: {timestamp}\nX-Twenty-Webhook-Signature: {signature}\n");
    let options = ["sign", "--secret", &secret, "--timestamp", &timestamp];
    assert_eq!(run_on(options, body.clone()).expect(0).stdout, expected);
    let folder = tempfile::tempdir().unwrap();
    let (body_file, secret_file) = (folder.path().join("body.json"), folder.path().join("secret"));
    fs::write(&body_file, &body).unwrap();
    fs::write(&secret_file, format!("{secret}\n")).unwrap();
    let (body_file, secret_file) = (body_file.to_str().unwrap(), secret_file.to_str().unwrap());
    assert_eq!(run(options.iter().chain(&[body_file])).expect(0).stdout, expected);
    let by_file = ["sign", "--secret-file", secret_file, "--timestamp", &timestamp, body_file];
    assert_eq!(run(by_file).expect(0).stdout, expected);
    let mut by_variable = twenty(["sign", "--timestamp", &timestamp, body_file]);
    by_variable.env("TWENTY_WEBHOOK_SECRET", &secret);
    assert_eq!(super::program::finish(by_variable).expect(0).stdout, expected);
    // A line feed at the end is signed too.
    assert_ne!(run_on(options, body + "\n").expect(0).stdout, expected);
}

#[test]
fn sign_names_missing_input() {
    run(["sign"]).expect(2).complains_of(&["--secret", "TWENTY_WEBHOOK_SECRET"]);
    run(["sign", "--secret", ""]).expect(2).complains_of(&["secret is empty"]);
    run(["sign", "--secret", "s", "no/such/file"]).expect(2).complains_of(&["no/such/file"]);
    run(["sign", "--secret-file", "no/such/file"]).expect(2).complains_of(&["no/such/file"]);
}

#[test]
fn sign_refuses_a_timestamp_that_is_not_a_number() {
    let with = |more: &[&str]| run_on(["sign", "--secret", "s3cr3t"].iter().chain(more), "{}");
    for wrong in ["abc", "", "1735066639.761", "1e12", "2025-01-01T00:00:00Z"] {
        with(&["--timestamp", wrong])
            .expect(2)
            .complains_of(&["not a number of milliseconds", "--any-timestamp"]);
    }
    let ran = with(&["--timestamp", "2025-01-01T00:00:00Z", "--any-timestamp"]).expect(0);
    assert!(ran.stdout.starts_with("X-Twenty-Webhook-Timestamp: 2025-01-01T00:00:00Z\n"), "{ran:?}");
    with(&["--timestamp", "1\nX-Other: 2", "--any-timestamp"])
        .expect(2)
        .complains_of(&["control characters"]);
}

#[test]
fn sign_prints_deliveries_for_tests() {
    let [secret, timestamp, body, signature] = vector("documentation-sample");
    let with = |more: &[&str], input: &str| {
        run_on(["sign", "--secret", &secret, "--timestamp", &timestamp].iter().chain(more), input)
    };
    let printed = |more: &[&str], input: &str| -> Value {
        serde_json::from_str(&with(more, input).expect(0).stdout).unwrap()
    };
    let made = printed(&["--json"], &body);
    let headers = serde_json::json!([
        ["Content-Type", "application/json"],
        ["X-Twenty-Webhook-Signature", signature],
        ["X-Twenty-Webhook-Timestamp", timestamp],
    ]);
    assert_eq!((&made["method"], &made["headers"]), (&"POST".into(), &headers));
    assert_eq!(made["body"]["text"], *body);
    // Invisible characters stand in it as escapes, and a secret that is a part of the body stays in it.
    let sample = printed(&["--event", "note.created"], "");
    assert!(sample["body"]["text"].as_str().unwrap().contains('\u{200d}'), "{sample}");
    let own = run_on(["sign", "--secret", "person.created", "--json"], &*body).expect(0);
    assert!(own.stdout.contains("person.created"), "{own:?}");
    let unsigned = printed(&["--broken", "accepts.unsigned", "--event", "person.created"], "");
    assert_eq!(unsigned["headers"].as_array().unwrap().len(), 2, "{unsigned}");
    let shipped = printed(&["--event", "person.created", "--dialect", "shipped"], "");
    assert!(shipped["body"]["text"].as_str().unwrap().contains("\"eventName\""), "{shipped}");
    with(&["--broken", "accepts.stal"], "{}").expect(2).complains_of(&["did you mean accepts.stale?"]);
    with(&["--broken", "answer.late"], "{}").expect(2).complains_of(&["no delivery that must be rejected"]);
    with(&["--event", "no.such"], "").expect(2).complains_of(&["no.such"]);
    let long = "9".repeat(30);
    let too_long = ["sign", "--secret", "s", "--timestamp", &long, "--json"];
    run_on(too_long, "{}").expect(2).complains_of(&["milliseconds"]);
}

#[test]
fn path_with_a_url_is_refused() {
    let path = ["--url", "http://127.0.0.1:9/", "--path", "/hook", "--secret", "s3cr3t"];
    for command in [&["receiver"][..], &["bench", "receiver"]] {
        run(command.iter().chain(&path))
            .expect(2)
            .complains_of(&["--path is for a receiver that --exec starts"]);
    }
}

#[test]
fn unknown_variable_is_a_warning_with_the_nearest_name() {
    let with = |name: &str| {
        let mut command = twenty(["list"]);
        command.env(name, "7");
        super::program::finish(command).expect(0)
    };
    let warned = with("TWENTY_CONFORM_TIMEOUTS");
    warned.complains_of(&["TWENTY_CONFORM_TIMEOUTS is not known", "did you mean TWENTY_CONFORM_TIMEOUT?"]);
    with("TWENTY_CONFORM_XYZZY_PLUGH")
        .complains_of(&["warning: the variable TWENTY_CONFORM_XYZZY_PLUGH is not known\n"]);
    for known in
        ["TWENTY_CONFORM_TIMEOUT", "TWENTY_CONFORM_URL", "TWENTY_CONFORM_INSECURE", "TWENTY_CONFORM_RESULTS"]
    {
        assert_eq!(with(known).stderr, "", "{known}");
    }
}

/// A captured request.
fn captured(timestamp: &str, signature: &str, body: &str) -> String {
    format!(
        "POST /hooks HTTP/1.1\r\nHost: example.com\r\ncontent-type: application/json\r\n\
         x-twenty-webhook-timestamp: {timestamp}\r\nX-TWENTY-WEBHOOK-SIGNATURE: {signature}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn verify(secret: &str, request: String) -> Ran {
    run_on(["verify", "--secret", secret], request)
}

fn hmac_by_hand(key: &[u8], message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    const_hex::encode(mac.finalize().into_bytes())
}

#[test]
fn verify_accepts_valid_requests() {
    for name in ["documentation-sample", "documentation-sample-indented", "shipped-record-event"] {
        let [secret, timestamp, body, signature] = vector(name);
        let ran = verify(&secret, captured(&timestamp, &signature, &body)).expect(0);
        assert_eq!(ran.stdout, "the signature matches\n");
        let apart = ["verify", "--secret", &secret, "--timestamp", &timestamp, "--signature", &signature];
        run_on(apart, body).expect(0);
    }
}

#[test]
fn verify_names_the_cause_of_a_mismatch() {
    let [secret, timestamp, body, right] = vector("documentation-sample");
    let [_, _, _, stringified_twice] = vector("documentation-sample-stringified-twice");
    let hex_secret = "9f2c4e7a1b3d5f60718293a4b5c6d7e8";
    let hex_key = const_hex::decode(hex_secret).unwrap();
    let whole = format!("{timestamp}:{body}");
    for (secret, signature, cause) in [
        (secret.as_str(), hmac_by_hand(secret.as_bytes(), &body), &["message.body-alone:"][..]),
        (&secret, stringified_twice, &["message.double-stringified"]),
        (
            &secret,
            hmac_by_hand(secret.as_bytes(), &format!("{timestamp}.{body}")),
            &["message.separator (.)"],
        ),
        (hex_secret, hmac_by_hand(&hex_key, &whole), &["key.hex-decoded:"]),
        (hex_secret, hmac_by_hand(&hex_key, &body), &["message.body-alone", "decoded from hexadecimal"]),
        (&secret, right.to_uppercase() + "0", &["capture.copied-wrong", "digit 65"]),
        (&secret, hmac_by_hand(b"unrelated", "text"), &["unknown", "no known cause"]),
        ("another", right.clone(), &["unknown"]),
    ] {
        let ran = verify(secret, captured(&timestamp, &signature, &body)).expect(1);
        let line = ran.stdout.lines().find(|line| line.starts_with("  cause")).unwrap_or_default();
        assert!(cause.iter().all(|words| line.contains(words)), "{cause:?} in {ran:#?}");
    }
}

#[test]
fn verify_rejects_malformed_input() {
    let [secret, timestamp, body, signature] = vector("documentation-sample");
    let good = captured(&timestamp, &signature, &body);
    let header = format!("X-TWENTY-WEBHOOK-SIGNATURE: {signature}\r\n");
    for (request, words) in [
        (String::new(), "it is empty"),
        (body.clone(), "it is a body without its headers"),
        ("\u{0}\u{1}rubbish\r\n\r\n".to_owned(), "it is binary"),
        (good.split("\r\n\r\n").next().unwrap().to_owned(), "no empty line"),
        (good.replace(&header, ""), "0 X-Twenty-Webhook-Signature headers"),
        (good.replace(&header, &header.repeat(2)), "2 X-Twenty-Webhook-Signature headers"),
        (good.replace("x-twenty-webhook-timestamp", "date"), "0 X-Twenty-Webhook-Timestamp headers"),
    ] {
        verify(&secret, request).expect(2).complains_of(&[words]);
    }
    run_on(["verify", "--secret", &secret, "--timestamp", "1"], body)
        .expect(2)
        .complains_of(&["--signature"]);
    run_on(["verify"], good).expect(2).complains_of(&["--secret"]);
}

#[test]
fn reference_receiver_accepts_what_send_sends() {
    let mut receiver = serve_receiver("s3cr3t");
    let url = receiver.url.clone();
    let send =
        |arguments: &[&str]| run(["send", "--url", &url, "--secret", "s3cr3t"].iter().chain(arguments));

    let ran = send(&[]).expect(0);
    assert!(ran.stdout.starts_with(&format!("person.created to {url}: 200 in ")), "{ran:#?}");
    assert!(receiver.next_line().contains("\"event\":\"person.created\""));

    send(&["--dialect", "shipped", "--event", "company.deleted"]).expect(0);
    assert!(receiver.next_line().contains("\"event\":\"company.deleted\""));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    fs::write(&file, r#"{"id": "r1", "mass": 1.50}"#).unwrap();
    send(&["--event", "comet.sighted", "--data", file.to_str().unwrap()]).expect(0);
    assert_eq!(receiver.next_line(), "{\"observed\":{\"event\":\"comet.sighted\",\"id\":\"r1\"}}\n");

    fs::write(&file, "{").unwrap();
    send(&["--data", file.to_str().unwrap()]).expect(2).complains_of(&["record.json is not JSON"]);
    send(&["--event", "comet.sighted"]).expect(2).complains_of(&["comet.sighted", "--data"]);
}

#[test]
fn send_exits_1_when_rejected_and_3_without_an_answer() {
    let receiver = serve_receiver("s3cr3t");
    let rejected = run(["send", "--url", &receiver.url, "--secret", "another"]).expect(1);
    assert!(rejected.stdout.contains(": 401 in "), "{rejected:#?}");
    let closed = ClosedPort::new();
    let unreachable = run(["send", "--url", &closed.url(), "--secret", "s3cr3t"]).expect(3);
    assert!(unreachable.stdout.contains("connection refused"), "{unreachable:#?}");
    run(["send", "--url", &receiver.url]).expect(2).complains_of(&["--secret"]);
    run(["send", "--url", "ftp://127.0.0.1/", "--secret", "s"]).expect(2).complains_of(&["\"ftp\""]);
}

#[test]
fn remote_address_needs_allow_remote() {
    for command in ["send", "receiver"] {
        let ran = run([command, "--url", "http://192.0.2.1/", "--secret", "s3cr3t"]).expect(2);
        ran.complains_of(&["192.0.2.1:80", "--allow-remote"]);
        assert_eq!(ran.stdout, "");
    }
}
