//! The key of a Twenty's API: in no output and no file of a run, however the run ends.

use std::fs;

use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::scan::Windows;
use crate::cli::program::run;
use crate::peers::twenty::{FakeTwenty, RateLimit, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn key_is_in_no_output_and_no_file() {
    let rate_limit = RateLimit { per_second: None, per_minute: None, says_when: false };
    for (settings, commands) in [
        (Settings { rate_limit, ..Settings::default() }, &["sender", "doctor", "cleanup", "dry-run"][..]),
        (Settings { rate_limit, refuses_private_addresses: true, ..Settings::default() }, &["sender"]),
    ] {
        let fake = FakeTwenty::start(settings).await;
        let (url, key, commands) = (fake.url(), fake.key().to_owned(), commands.to_vec());
        let windows = Windows::of([&*key]);
        assert!(!windows.is_empty());
        spawn_blocking(move || {
            let folder = TempDir::new().unwrap();
            let file = folder.path().join("key.txt");
            fs::write(&file, &key).unwrap();
            let out = folder.path().join("out");
            let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
            for command in commands {
                let own = ["--twenty", &url, "--api-key-file", file];
                let sender =
                    [&["sender"][..], &own, &["--run", "SIG-4", "--calls-per-minute", "100000"]].concat();
                let arguments = match command {
                    "sender" => {
                        [&sender[..], &["--deadline", "200ms", "--cases", "4", "--out", out]].concat()
                    }
                    "doctor" => [&["doctor"][..], &own].concat(),
                    "cleanup" => [&sender[..], &["--cleanup"]].concat(),
                    _ => [&sender[..], &["--dry-run"]].concat(),
                };
                windows.assert_not_in(&run(arguments), command);
            }
            assert!(windows.assert_not_under(out.as_ref(), "evidence") > 0);
        })
        .await
        .unwrap();
    }
}
