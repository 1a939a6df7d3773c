//! Secrets in mistyped options, and variables that are not text.

use super::scan::Windows;
use crate::cli::program::{finish, run, twenty};

#[test]
fn mistyped_options_do_not_show_the_secret() {
    const SECRET: &str = "s3cr3t-Value-9Kx2Lm7Q";
    let windows = Windows::of([SECRET]);
    for argument in [
        "--secret{}",
        "--secret-{}",
        "--secrets={}",
        "--secrt={}",
        "-s{}",
        "-s={}",
        "-secret={}",
        "secret={}",
    ] {
        for secret in [SECRET, "abc", "k3y", "12345"] {
            let argument = argument.replace("{}", secret);
            for command in [&["sign"][..], &["receiver"], &["bench", "receiver"], &[]] {
                let ran = run(command.iter().copied().chain([&*argument])).expect(2);
                windows.assert_not_in(&ran, &argument);
                assert!(!ran.stderr.contains(secret), "{argument}: {ran:#?}");
                // As an argument of `sign` it is a file.
                assert!(argument.starts_with("secret") || ran.stderr.contains("--help"), "{ran:#?}");
            }
        }
    }
    for arguments in [&["--secret", SECRET, "--secret", SECRET][..], &["--secret", SECRET, "--timestamp"]] {
        windows.assert_not_in(&run(["sign"].iter().chain(arguments)).expect(2), "twice");
    }
    run(["sign", "--secret", ""]).expect(2).complains_of(&["the secret is empty"]);
}

#[cfg(unix)]
#[test]
fn variables_that_are_not_utf8_are_usage_errors() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let value = OsStr::from_bytes(b"s3cr3t-\xff\xfe");
    for (variable, arguments) in [
        ("TWENTY_WEBHOOK_SECRET", &["sign"][..]),
        ("TWENTY_WEBHOOK_SECRET", &["receiver", "--exec", "true"]),
        ("TWENTY_WEBHOOK_SECRET", &["demo"]),
        ("TWENTY_CONFORM_SEED", &["demo"]),
        ("TWENTY_CONFORM_URL", &["receiver"]),
        ("TWENTY_CONFORM_RUN", &["demo"]),
    ] {
        let mut command = twenty(arguments);
        command.env(variable, value);
        let ran = finish(command).expect(2);
        ran.complains_of(&[variable, "not UTF-8"]);
        assert!(!ran.stderr.contains("s3cr3t"), "{ran:#?}");
    }
    let mut help = twenty(["--help"]);
    help.env("TWENTY_WEBHOOK_SECRET", value);
    finish(help).expect(0);
    // A path need not be UTF-8.
    let mut list = twenty(["list"]);
    list.env("TWENTY_CONFORM_OUT", value);
    finish(list).expect(0);
}
