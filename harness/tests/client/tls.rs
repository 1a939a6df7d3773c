//! The client behind `https`: whose certificates it takes, and what it says of the others.
//!
//! Invariant: every certificate is made here and nobody outside of the test trusts it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use twenty_conform::wire::client::Target;
use twenty_conform::wire::exchange::{Outcome, Transfer, Trust};

use super::{client, delivery, head_of, large, status};
use crate::cli::program::{finish, judged, run, twenty};
use crate::peers::scripted::{self as peer, OK, exactly, head, request, to_the_end};

/// A certificate with its key, as a server shows it.
struct Shown {
    certificate: CertificateDer<'static>,
    pem: String,
    key: Vec<u8>,
}

/// For `localhost` and 127.0.0.1, good for ever.
fn parameters() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap()
}

/// What an authority signs, and the authority as a file that can be trusted.
fn signed(changed: impl FnOnce(&mut CertificateParams)) -> (Shown, CaFile) {
    signed_by("an authority of the tests", changed)
}

fn signed_by(name: &str, changed: impl FnOnce(&mut CertificateParams)) -> (Shown, CaFile) {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let file = CaFile::new(authority.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(authority, key);
    let mut parameters = parameters();
    changed(&mut parameters);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, &issuer).unwrap();
    (Shown { pem: certificate.pem(), certificate: certificate.into(), key: key.serialize_der() }, file)
}

fn self_signed(changed: impl FnOnce(&mut CertificateParams)) -> Shown {
    let mut parameters = parameters();
    changed(&mut parameters);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    Shown { pem: certificate.pem(), certificate: certificate.into(), key: key.serialize_der() }
}

/// As `openssl req -x509` makes them.
fn authority(parameters: &mut CertificateParams) {
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

fn expired(parameters: &mut CertificateParams) {
    parameters.not_after = date_time_ymd(2020, 1, 1);
}

/// A file of certificates.
struct CaFile(TempDir);

impl CaFile {
    fn new(content: impl AsRef<[u8]>) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), content).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    fn trust(&self) -> Trust {
        Trust::File(self.path())
    }
}

/// Whether a server wants its clients to show certificates.
fn configuration(shown: &Shown, asking: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = if asking {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self_signed(authority).certificate).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(shown.key.clone()));
    let mut config = builder.with_single_cert(vec![shown.certificate.clone()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A peer that shows a certificate and plays a script on the first connection where the client takes it; `None` where
/// the client does not. Returns its port.
async fn secured<T: Send + 'static>(
    shown: &Shown,
    script: impl AsyncFnOnce(&mut TlsStream<&mut TcpStream>) -> T + Send + 'static,
) -> (u16, oneshot::Receiver<Option<T>>) {
    let acceptor = TlsAcceptor::from(configuration(shown, false));
    let (target, returned) = peer::once(async move |stream| {
        let mut stream = acceptor.accept(stream).await.ok()?;
        let result = script(&mut stream).await;
        // What was written last is on its way only then.
        let _ = stream.shutdown().await;
        Some(result)
    })
    .await;
    (target.port, returned)
}

async fn answering(shown: &Shown) -> (u16, oneshot::Receiver<Option<Vec<u8>>>) {
    secured(shown, async |stream| {
        let (_, body) = request(stream).await;
        stream.write_all(OK).await.unwrap();
        body
    })
    .await
}

fn target(host: &str, port: u16, trust: Trust) -> Target {
    Target::trusting(&format!("https://{host}:{port}/p?q=1"), trust).unwrap()
}

/// What comes of a delivery to a peer that shows this certificate.
async fn outcome(shown: &Shown, host: &str, trust: Trust) -> Outcome {
    let (port, _seen) = answering(shown).await;
    client().send(&target(host, port, trust), &delivery("{}", Transfer::Whole)).await.outcome
}

/// The words of a certificate that was not taken.
async fn refused(shown: &Shown, host: &str, trust: Trust) -> String {
    match outcome(shown, host, trust).await {
        Outcome::Tls(why) => why,
        other => panic!("{other}"),
    }
}

fn holds(text: &str, words: &[&str]) {
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[tokio::test]
async fn a_given_authority_is_trusted_and_no_other() {
    let (shown, ca) = signed(|_| {});
    let (_, other) = signed_by("another authority", |_| {});
    let (_, renewed) = signed(|_| {});
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(status(&outcome(&shown, host, ca.trust()).await), 200);
    }
    holds(&refused(&shown, "localhost", other.trust()).await, &["UnknownIssuer", "--ca", "--insecure"]);
    holds(&refused(&shown, "localhost", renewed.trust()).await, &["BadSignature", "another key"]);
    // Several in a file, with text between them.
    let both = CaFile::new(
        [&fs::read(other.path()).unwrap()[..], b"\nThe other:\n", &fs::read(ca.path()).unwrap()].concat(),
    );
    assert_eq!(status(&outcome(&shown, "localhost", both.trust()).await), 200);
    // The certificate itself will do as well.
    assert_eq!(status(&outcome(&shown, "localhost", CaFile::new(&shown.pem).trust()).await), 200);
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_where_it_is_given_or_none_is_looked_at() {
    for made in [self_signed(|_| {}), self_signed(authority)] {
        let own = CaFile::new(&made.pem);
        let (_, other) = signed(|_| {});
        assert_eq!(status(&outcome(&made, "localhost", own.trust()).await), 200);
        assert_eq!(status(&outcome(&made, "localhost", Trust::Anybody).await), 200);
        holds(&refused(&made, "localhost", other.trust()).await, &["--ca", "--insecure"]);
    }
}

#[tokio::test]
async fn the_system_does_not_trust_what_is_made_here() {
    let (shown, _) = signed(|_| {});
    let (port, _seen) = answering(&shown).await;
    match Target::parse(&format!("https://localhost:{port}/")) {
        Ok(target) => match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
            Outcome::Tls(why) => holds(&why, &["UnknownIssuer", "--ca"]),
            other => panic!("{other}"),
        },
        // A machine without certificates of its own.
        Err(why) => holds(&why, &["the system's certificates", "--ca"]),
    }
}

#[tokio::test]
async fn dates_and_names_are_looked_at_too() {
    let future = |parameters: &mut CertificateParams| parameters.not_before = date_time_ymd(3000, 1, 1);
    let elsewhere = |parameters: &mut CertificateParams| {
        *parameters = CertificateParams::new(["h.example".to_owned()]).unwrap()
    };
    let (shown, ca) = signed(expired);
    holds(&refused(&shown, "localhost", ca.trust()).await, &["expired", "renew"]);
    assert_eq!(status(&outcome(&shown, "localhost", Trust::Anybody).await), 200);
    let (shown, ca) = signed(future);
    holds(&refused(&shown, "localhost", ca.trust()).await, &["not valid yet", "clocks"]);
    let (shown, ca) = signed(elsewhere);
    holds(&refused(&shown, "localhost", ca.trust()).await, &["localhost", "h.example", "name"]);
    assert_eq!(status(&outcome(&shown, "localhost", Trust::Anybody).await), 200);
    // That a certificate was given itself excuses neither.
    let (shown, _) = signed(expired);
    holds(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["expired"]);
    let (shown, _) = signed(elsewhere);
    holds(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["h.example"]);
    let shown = self_signed(|parameters| {
        authority(parameters);
        expired(parameters);
    });
    holds(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["expired"]);
    let shown = self_signed(|parameters| {
        elsewhere(parameters);
        authority(parameters);
    });
    holds(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["h.example"]);
}

#[tokio::test]
async fn everything_else_is_as_it_is_without_tls() {
    let (shown, ca) = signed(|_| {});
    let (port, seen) = secured(&shown, async |stream| {
        let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        let first = request(stream).await;
        stream.write_all(OK).await.unwrap();
        let second = request(stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nto the end").await.unwrap();
        (protocol, first, second)
    })
    .await;
    let (target, client) = (target("localhost", port, ca.trust()), client());
    assert_eq!(status(&client.send(&target, &delivery("abcde", Transfer::Whole)).await.outcome), 200);
    let body = large(Transfer::Chunks(vec![5, 100_000])).body;
    let exchange = client.send(&target, &large(Transfer::Chunks(vec![5, 100_000]))).await;
    match exchange.outcome {
        Outcome::Answered(response) => assert_eq!(&response.body[..], b"to the end"),
        other => panic!("{other}"),
    }
    let (protocol, first, second) = seen.await.unwrap().unwrap();
    assert_eq!(protocol.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(first.0, [&head_of(&target)[..], b"Content-Length: 5\r\n\r\n"].concat());
    assert_eq!(first.1, b"abcde");
    assert!(second.1 == body, "the large body came out otherwise");
}

#[tokio::test]
async fn a_body_is_expecting_and_broken_off_within_tls_too() {
    let (shown, ca) = signed(|_| {});
    let (port, seen) = secured(&shown, async |stream| {
        let expecting = head(stream).await;
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        let body = exactly(stream, 5).await;
        stream.write_all(OK).await.unwrap();
        (expecting, body)
    })
    .await;
    let exchange =
        client().send(&target("localhost", port, ca.trust()), &delivery("abcde", Transfer::Expecting)).await;
    assert_eq!(status(&exchange.outcome), 200);
    assert_eq!(seen.await.unwrap().unwrap().1, b"abcde");

    let (port, seen) = secured(&shown, async |stream| {
        head(stream).await;
        to_the_end(stream).await
    })
    .await;
    let exchange =
        client().send(&target("localhost", port, ca.trust()), &delivery("abcde", Transfer::Broken(3))).await;
    assert_eq!(exchange.outcome, Outcome::Abandoned);
    // With an end that says so, or reading would have failed.
    assert_eq!(seen.await.unwrap().unwrap(), b"abc");
}

#[tokio::test]
async fn what_is_no_tls_is_named() {
    let send = async |script: fn(u8) -> &'static [u8]| {
        let (plain, _seen) = peer::once(async move |stream| {
            let first = exactly(stream, 1).await;
            stream.write_all(script(first[0])).await.unwrap();
        })
        .await;
        let target = target("127.0.0.1", plain.port, Trust::Anybody);
        match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
            Outcome::Tls(why) => why,
            other => panic!("{other}"),
        }
    };
    holds(&send(|_| b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await, &["no TLS", "http URL"]);
    let silent = send(|_| b"").await;
    assert!(silent.contains("handshake"), "{silent}");
}

#[tokio::test]
async fn a_peer_that_asks_for_a_certificate_is_named() {
    let shown = self_signed(|_| {});
    let acceptor = TlsAcceptor::from(configuration(&shown, true));
    let (plain, _seen) = peer::once(async move |stream| acceptor.accept(stream).await.is_ok()).await;
    let target = target("127.0.0.1", plain.port, Trust::Anybody);
    match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
        Outcome::Tls(why) => holds(&why, &["asks the client for a certificate"]),
        other => panic!("{other}"),
    }
}

/// What the command line says, while the servers of this test go on.
async fn said<const N: usize>(arguments: [String; N]) -> crate::cli::program::Ran {
    tokio::task::spawn_blocking(move || run(arguments)).await.unwrap()
}

#[tokio::test]
async fn send_takes_the_certificates_that_it_is_given() {
    let (shown, ca) = signed(|_| {});
    let arguments = |port: u16, more: &str| {
        ["send", &format!("--url=https://localhost:{port}/"), "--secret=s3cr3t", more].map(str::to_owned)
    };
    let given = format!("--ca={}", ca.path().display());
    let (port, _seen) = answering(&shown).await;
    let ran = said(arguments(port, &given)).await.expect(0);
    assert!(ran.stdout.contains(&format!("https://localhost:{port}/: 200 in ")), "{ran:#?}");
    assert_eq!(ran.stderr, "");
    let (port, _seen) = answering(&shown).await;
    said(arguments(port, "--insecure")).await.expect(0).complains_of(&["not verified"]);
    let (port, _seen) = answering(&self_signed(|_| {})).await;
    let ran = said(arguments(port, &given)).await.expect(3);
    holds(&ran.stdout, &["no TLS connection", "UnknownIssuer", "--insecure"]);
}

#[tokio::test]
async fn a_receiver_whose_certificate_is_not_taken_cannot_be_reached() {
    let (shown, ca) = signed(expired);
    let (port, _seen) = answering(&shown).await;
    let url = format!("--url=https://127.0.0.1:{port}/");
    let given = format!("--ca={}", ca.path().display());
    let ran = said(["receiver".to_owned(), url, "--secret=s3cr3t".to_owned(), given]).await.expect(3);
    ran.says(&["cannot be reached", "expired", "renew"]);
}

#[tokio::test]
async fn a_report_says_that_no_certificate_was_looked_at() {
    let acceptor = TlsAcceptor::from(configuration(&self_signed(expired), false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--url=https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                // A receiver that takes everything, so that something fails.
                while !request(&mut stream).await.0.is_empty() && stream.write_all(OK).await.is_ok() {}
            });
        }
    });
    let arguments =
        ["receiver", "--secret=s3cr3t", "--insecure", "--run=VER-3", "--seed=1", &url].map(str::to_owned);
    let (ran, report) = tokio::task::spawn_blocking(move || judged(arguments)).await.unwrap();
    ran.expect(1).complains_of(&["not verified"]);
    let notes = report.0["notes"].to_string();
    assert!(notes.contains("--insecure"), "{notes}");
    let repro = report.check("VER-3")["curl"].as_str().unwrap().to_owned();
    holds(&repro, &["curl ", " 'https://127.0.0.1:", " --http1.1 -k "]);
}

#[test]
fn certificates_that_cannot_be_used_are_a_usage_error() {
    let good = self_signed(|_| {});
    for (content, words) in [
        (&b""[..], "holds no certificate"),
        (b"rubbish", "holds no certificate"),
        (&good.certificate, "openssl x509 -inform der"),
        (b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "no PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "no PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----"),
    ] {
        let file = CaFile::new(content);
        let why = Target::trusting("https://localhost/", file.trust()).unwrap_err();
        holds(&why, &["ca.pem", words]);
    }
    let ca = |path: &str| format!("--ca={path}");
    for command in ["send", "receiver"] {
        let said = |url: &str, more: &[&str]| {
            let url = format!("--url={url}");
            run([command, "--secret=s3cr3t", &url].iter().chain(more)).expect(2)
        };
        said("https://localhost:1/", &[&ca("no-such-file.pem")]).complains_of(&["no-such-file.pem"]);
        said("https://localhost:1/", &[&ca("/")]).complains_of(&["the CA file /"]);
        said("https://localhost:1/", &[&ca("x"), "--insecure"]).complains_of(&["--ca", "--insecure"]);
        said("http://localhost:1/", &["--insecure"]).complains_of(&["--insecure", "https"]);
        said("http://localhost:1/", &[&ca("x")]).complains_of(&["--ca", "https"]);
    }
    run(["receiver", "--exec=x", "--insecure"]).expect(2).complains_of(&["--exec", "https"]);
}

#[tokio::test]
async fn variables_say_it_too_and_the_command_line_wins() {
    let (shown, ca) = signed(|_| {});
    let ca = ca.path().display().to_string();
    let said = async |variables: &[(&str, &str)], more: &[&str], scheme: &str| {
        let (port, _seen) = answering(&shown).await;
        let mut command = twenty(["send", "--secret=s3cr3t"]);
        command.args(more).arg(format!("--url={scheme}://localhost:{port}/"));
        command.envs(variables.iter().copied());
        tokio::task::spawn_blocking(move || finish(command)).await.unwrap()
    };
    let (file, insecure) = ("TWENTY_CONFORM_CA", "TWENTY_CONFORM_INSECURE");
    said(&[(file, &ca)], &[], "https").await.expect(0);
    said(&[(insecure, "yes")], &[], "https").await.expect(0).complains_of(&["not verified"]);
    said(&[(insecure, "0"), (file, &ca)], &[], "https").await.expect(0);
    said(&[(file, "no-such-file.pem")], &["--insecure"], "https").await.expect(0);
    said(&[(file, "no-such-file.pem")], &[], "https").await.expect(2).complains_of(&["no-such-file.pem"]);
    said(&[(insecure, "perhaps")], &[], "https").await.expect(2).complains_of(&["perhaps"]);
    said(&[(insecure, "1"), (file, &ca)], &[], "https").await.expect(2).complains_of(&["exclude each other"]);
    // Without TLS there is no certificate, and so nothing that a variable could be wrong about.
    said(&[(file, "no-such-file.pem")], &[], "http").await.expect(3);
}
