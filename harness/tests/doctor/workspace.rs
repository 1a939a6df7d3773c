//! `doctor --twenty`: each fault of a fake Twenty shows in its row, and nothing is left there.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::cli::program::{Ran, run};
use crate::peers::servers::ClosedPort;
use crate::peers::twenty::{FakeTwenty, Permissions, Restore, Settings};

/// Examines a fake Twenty with these settings, and checks that nothing is left.
async fn examined(settings: Settings, key: Option<&str>, more: &'static [&'static str]) -> Ran {
    let fake = FakeTwenty::start(settings).await;
    let (url, key) = (fake.url(), key.unwrap_or(fake.key()).to_owned());
    let ran = spawn_blocking(move || {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("key.txt");
        fs::write(&file, key).unwrap();
        let own = ["doctor", "--twenty", &url, "--api-key-file", file.to_str().unwrap()];
        run(own.iter().chain(more))
    })
    .await
    .unwrap();
    assert!(fake.webhooks().is_empty() && fake.objects().is_empty(), "{ran:#?}");
    assert!(fake.records("person").is_empty(), "{:#?}", fake.records("person"));
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_that_can_be_tested_has_nothing_to_report() {
    let ran = examined(Settings { restore: Restore::Older, ..Settings::default() }, None, &["--json"]).await;
    let report: Value = serde_json::from_str(&ran.expect(0).stdout).unwrap();
    let topics: Vec<&str> =
        report["rows"].as_array().unwrap().iter().map(|row| row["topic"].as_str().unwrap()).collect();
    assert_eq!(
        topics,
        [
            "name",
            "connection",
            "twenty",
            "api-key",
            "custom-object",
            "routes",
            "arrival",
            "clock",
            "timestamp",
            "rate-limit",
            "cleanup"
        ]
    );
    let routes = &report["rows"][5]["seen"];
    assert!(routes.as_str().unwrap().contains("PATCH /rest/restore/people"), "{routes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_has_its_row() {
    let wrong = examined(Settings::default(), Some("eyJ-no-such-key"), &[]).await.expect(1);
    wrong.says(&["problem    api-key", "does not accept the API key (401)", "make a new key"]);
    let no_objects = Permissions { objects: false, ..Permissions::ALL };
    let limited = examined(Settings { permissions: no_objects, ..Settings::default() }, None, &[]).await;
    limited.expect(0).says(&["warning    custom-object", "Data Model"]);
    let no_webhooks = Permissions { webhooks: false, ..Permissions::ALL };
    let refused = examined(Settings { permissions: no_webhooks, ..Settings::default() }, None, &[]).await;
    refused.expect(1).says(&["problem    api-key", "API Keys & Webhooks"]);
    let silent = Settings { refuses_private_addresses: true, ..Settings::default() };
    let silent = examined(silent, None, &["--max-time", "4s"]).await.expect(3);
    silent.says(&["problem    arrival", "none arrives", "OUTBOUND_HTTP_SAFE_MODE_ENABLED=false"]);
    let slow = Settings { webhook_cache: Some(std::time::Duration::from_secs(3)), ..Settings::default() };
    let slow = examined(slow, None, &[]).await.expect(0);
    slow.says(&["ok         arrival", "takes time to be in force"]);
}

#[test]
fn other_options_are_refused_and_a_closed_port_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("key.txt");
    fs::write(&file, "key\n").unwrap();
    let key = ["--api-key-file", file.to_str().unwrap()];
    let closed = ClosedPort::new();
    let url = closed.url();
    let twenty = ["doctor", "--twenty", &url];
    run([&twenty[..], &key].concat()).expect(3).says(&["connection refused"]);
    run(twenty).expect(2).complains_of(&["the API key is missing"]);
    for other in [["--url", "http://127.0.0.1:9/"], ["--exec", "true"], ["--secret", "x"]] {
        run([&twenty[..], &key, &other].concat()).expect(2).complains_of(&[other[0]]);
    }
    run(["doctor", "--twenty", "http://192.0.2.1/", key[0], key[1]])
        .expect(2)
        .complains_of(&["--allow-remote"]);
}
