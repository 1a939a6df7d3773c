//! `--ca`, `--insecure` and their variables on the command line.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use twenty_conform::wire::client::Target;

use super::certificates::{CaFile, answering, configuration, expired, self_signed, signed};
use super::contains_all;
use crate::cli::program::{Ran, finish, judged, run, twenty};
use crate::peers::scripted::{OK, request};

/// Runs the command line while the servers of the test keep running.
async fn run_with_servers<const N: usize>(arguments: [String; N]) -> Ran {
    tokio::task::spawn_blocking(move || run(arguments)).await.unwrap()
}

#[tokio::test]
async fn send_trusts_ca_file_or_anything_with_insecure() {
    let (shown, ca) = signed(|_| {});
    let arguments = |port: u16, more: &str| {
        ["send", &format!("--url=https://localhost:{port}/"), "--secret=s3cr3t", more].map(str::to_owned)
    };
    let given = format!("--ca={}", ca.path().display());
    let (port, _seen) = answering(&shown).await;
    let ran = run_with_servers(arguments(port, &given)).await.expect(0);
    assert!(ran.stdout.contains(&format!("https://localhost:{port}/: 200 in ")), "{ran:#?}");
    assert_eq!(ran.stderr, "");
    let (port, _seen) = answering(&shown).await;
    run_with_servers(arguments(port, "--insecure"))
        .await
        .expect(0)
        .complains_of(&["is not verified (--insecure)"]);
    let (port, _seen) = answering(&self_signed(|_| {})).await;
    let ran = run_with_servers(arguments(port, &given)).await.expect(3);
    contains_all(&ran.stdout, &["TLS error", "UnknownIssuer", "--insecure"]);
}

#[tokio::test]
async fn receiver_with_rejected_certificate_cannot_be_reached() {
    let (shown, ca) = signed(expired);
    let (port, _seen) = answering(&shown).await;
    let url = format!("--url=https://127.0.0.1:{port}/");
    let given = format!("--ca={}", ca.path().display());
    let ran =
        run_with_servers(["receiver".to_owned(), url, "--secret=s3cr3t".to_owned(), given]).await.expect(3);
    ran.says(&["cannot be reached", "expired", "renew"]);
}

#[tokio::test]
async fn report_says_that_the_certificate_was_not_checked() {
    let acceptor = TlsAcceptor::from(configuration(&self_signed(expired), false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--url=https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                // A receiver that accepts everything, so that a requirement fails.
                while !request(&mut stream).await.0.is_empty() && stream.write_all(OK).await.is_ok() {}
            });
        }
    });
    let arguments =
        ["receiver", "--secret=s3cr3t", "--insecure", "--run=VER-3", "--seed=1", &url].map(str::to_owned);
    let (ran, report) = tokio::task::spawn_blocking(move || judged(arguments)).await.unwrap();
    ran.expect(1).complains_of(&["is not verified (--insecure)"]);
    let notes = report.0["notes"].to_string();
    assert!(notes.contains("was not checked (--insecure)"), "{notes}");
    let repro = report.check("VER-3")["curl"].as_str().unwrap().to_owned();
    contains_all(&repro, &["curl ", " 'https://127.0.0.1:", " --http1.1 -k "]);
}

#[test]
fn rejects_unusable_ca_files_as_usage_errors() {
    let good = self_signed(|_| {});
    for (content, words) in [
        (&b""[..], "contains no PEM certificate"),
        (b"rubbish", "contains no PEM certificate"),
        (&good.certificate, "openssl x509 -inform der"),
        (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "not valid PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "not valid PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----"),
    ] {
        let file = CaFile::new(content);
        let why = Target::trusting("https://localhost/", file.trust()).unwrap_err();
        contains_all(&why, &["ca.pem", words]);
    }
    let ca = |path: &str| format!("--ca={path}");
    for command in ["send", "receiver"] {
        let refused = |url: &str, more: &[&str]| {
            let url = format!("--url={url}");
            run([command, "--secret=s3cr3t", &url].iter().chain(more)).expect(2)
        };
        refused("https://localhost:1/", &[&ca("no-such-file.pem")]).complains_of(&["no-such-file.pem"]);
        refused("https://localhost:1/", &[&ca("/")]).complains_of(&["the CA file /"]);
        refused("https://localhost:1/", &[&ca("x"), "--insecure"]).complains_of(&["--ca", "--insecure"]);
        refused("http://localhost:1/", &["--insecure"]).complains_of(&["--insecure", "https"]);
        refused("http://localhost:1/", &[&ca("x")]).complains_of(&["--ca", "https"]);
    }
    run(["receiver", "--exec=x", "--insecure"]).expect(2).complains_of(&["--exec", "https"]);
}

#[tokio::test]
async fn environment_sets_trust_and_the_command_line_overrides_it() {
    let (shown, ca) = signed(|_| {});
    let ca = ca.path().display().to_string();
    let send = async |variables: &[(&str, &str)], more: &[&str], scheme: &str| {
        let (port, _seen) = answering(&shown).await;
        let mut command = twenty(["send", "--secret=s3cr3t"]);
        command.args(more).arg(format!("--url={scheme}://localhost:{port}/"));
        command.envs(variables.iter().copied());
        tokio::task::spawn_blocking(move || finish(command)).await.unwrap()
    };
    let (file, insecure) = ("TWENTY_CONFORM_CA", "TWENTY_CONFORM_INSECURE");
    send(&[(file, &ca)], &[], "https").await.expect(0);
    send(&[(insecure, "yes")], &[], "https").await.expect(0).complains_of(&["is not verified (--insecure)"]);
    send(&[(insecure, "0"), (file, &ca)], &[], "https").await.expect(0);
    send(&[(file, "no-such-file.pem")], &["--insecure"], "https").await.expect(0);
    send(&[(file, "no-such-file.pem")], &[], "https").await.expect(2).complains_of(&["no-such-file.pem"]);
    send(&[(insecure, "perhaps")], &[], "https").await.expect(2).complains_of(&["perhaps"]);
    send(&[(insecure, "1"), (file, &ca)], &[], "https").await.expect(2).complains_of(&[
        "cannot be used with",
        "--ca is set by variable TWENTY_CONFORM_CA",
        "--insecure is set by variable TWENTY_CONFORM_INSECURE",
    ]);
    // Without TLS the variables do not matter.
    send(&[(file, "no-such-file.pem")], &[], "http").await.expect(3);
}
