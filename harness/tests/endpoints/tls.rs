//! The scripted endpoints with HTTPS: how clients react to each certificate, and what is recorded of connections without a
//! request.
//!
//! Invariant: every connection is recorded, and an endpoint keeps running whatever it is sent.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use twenty_conform::clock::Clock;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::endpoint::certificates::Authority;
use twenty_conform::wire::endpoint::scripted::{Broken, Endpoint, Handshake, Script};
use twenty_conform::wire::exchange::{Delivery, Headers, Outcome, Transfer, Trust};
use twenty_conform::wire::handshake::{Certificate, HandshakeEnd};

use super::{WAIT, post, seen, settings};

fn authority() -> Authority {
    Authority::new(Clock::system())
}

async fn secured(authority: &Authority, certificate: Certificate, patience: Duration) -> Endpoint {
    Endpoint::start_secured(settings(patience), authority, certificate).await.unwrap()
}

async fn connect_without_tls(endpoint: &Endpoint) -> TcpStream {
    TcpStream::connect(endpoint.url("").strip_prefix("https://").unwrap()).await.unwrap()
}

/// The outcome of a delivery to this URL.
async fn deliver(url: &str, trust: Trust) -> Outcome {
    let target = Target::trusting(url, trust).unwrap();
    let mut headers = Headers::default();
    headers.add("X-SpElLeD", "As Is");
    let delivery = Delivery {
        method: "POST".to_owned(),
        target: target.path.clone(),
        headers,
        body: "{\"a\": 1}".into(),
        transfer: Transfer::Whole,
    };
    Client::new(WAIT, Clock::fixed(1)).send(&target, &delivery).await.outcome
}

fn trusting(authority: &Authority) -> Trust {
    Trust::File(authority.file().unwrap().to_owned())
}

/// The only connection without a request.
async fn handshake(endpoint: &Endpoint) -> Handshake {
    let seen = seen(endpoint, |seen| !seen.handshakes.is_empty()).await;
    let [one] = &seen.handshakes[..] else { panic!("{seen:?}") };
    one.clone()
}

async fn still_answers(endpoint: &Endpoint, authority: &Authority) {
    let before = endpoint.count();
    assert_eq!(deliver(&endpoint.url("/"), trusting(authority)).await.status(), Some(200));
    assert_eq!(endpoint.count(), before + 1);
}

#[tokio::test]
async fn records_decrypted_requests_unchanged() {
    let authority = authority();
    let endpoint = secured(&authority, Certificate::Good, WAIT).await;
    endpoint.follow(Script::always(twenty_conform::wire::endpoint::scripted::Answer::status(202)));
    let url = endpoint.url("/hook?x=a%20b");
    for url in [url.clone(), url.replace("127.0.0.1", "localhost")] {
        assert_eq!(deliver(&url, trusting(&authority)).await.status(), Some(202), "{url}");
    }
    let received = endpoint.received();
    let delivery = &received[0].delivery;
    assert_eq!(
        (received.len(), &*delivery.target, &*delivery.body),
        (2, "/hook?x=a%20b", &b"{\"a\": 1}"[..])
    );
    assert!(delivery.headers.0.iter().any(|(name, value)| name == "X-SpElLeD" && value == "As Is"));
    assert_eq!(delivery.headers.single("host").unwrap(), url.split('/').nth(2).unwrap());
    assert!(received[0].began_ms > 0 && received[0].began_ms <= received[0].at_ms);
    assert_eq!(endpoint.seen(WAIT).handshakes, []);
}

#[tokio::test]
async fn bad_certificate_is_rejected_unless_unchecked() {
    let authority = authority();
    for (certificate, words, alert) in [
        (Certificate::Expired, "expired", "CertificateExpired"),
        (Certificate::SelfSigned, "UnknownIssuer", "UnknownCA"),
        (Certificate::OtherHost, "not valid for", ""),
    ] {
        let endpoint = secured(&authority, certificate, WAIT).await;
        match deliver(&endpoint.url("/"), trusting(&authority)).await {
            Outcome::Tls(why) => assert!(why.contains(words), "{certificate:?}: {why}"),
            other => panic!("{certificate:?}: {other}"),
        }
        let recorded = handshake(&endpoint).await;
        assert_eq!(recorded.end, HandshakeEnd::Refused, "{recorded:?}");
        assert!(
            recorded.what.contains("the sender rejected the certificate (alert ")
                && recorded.what.contains(alert),
            "{recorded:?}"
        );
        assert_eq!((endpoint.count(), endpoint.visits()), (0, 1));
        assert_eq!(deliver(&endpoint.url("/"), Trust::Any).await.status(), Some(200));
        assert_eq!((endpoint.count(), endpoint.visits()), (1, 2));
    }
}

#[tokio::test]
async fn client_without_the_authority_rejects_its_certificates() {
    let (authority, other) = (authority(), Authority::new(Clock::fixed(1_735_066_639_761)));
    let endpoint = secured(&authority, Certificate::Good, WAIT).await;
    assert!(matches!(deliver(&endpoint.url("/"), trusting(&other)).await, Outcome::Tls(_)));
    let recorded = handshake(&endpoint).await;
    assert_eq!(recorded.end, HandshakeEnd::Refused, "{recorded:?}");
    still_answers(&endpoint, &authority).await;
}

#[tokio::test]
async fn answers_and_records_plain_http() {
    let authority = authority();
    let endpoint = secured(&authority, Certificate::Good, WAIT).await;
    let mut stream = connect_without_tls(&endpoint).await;
    stream.write_all(post("{}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(WAIT, stream.read_to_string(&mut answer)).await.expect("it hung").unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("HTTPS"), "{answer}");
    let recorded = handshake(&endpoint).await;
    assert_eq!(recorded.end, HandshakeEnd::NoTls);
    assert!(recorded.what.contains("did not speak TLS: it sent \"POST /hook?x=1"), "{recorded:?}");
    still_answers(&endpoint, &authority).await;
}

#[tokio::test]
async fn gives_up_incomplete_handshakes() {
    let authority = authority();
    // Nothing, part of a record, and a record that never becomes complete.
    for begin in [&b""[..], b"\x16\x03\x01", b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03"] {
        let endpoint = secured(&authority, Certificate::Good, Duration::from_millis(200)).await;
        let mut stream = connect_without_tls(&endpoint).await;
        stream.write_all(begin).await.unwrap();
        let mut answer = Vec::new();
        // With a reset or without one.
        let _ = timeout(WAIT, stream.read_to_end(&mut answer)).await.expect("it hung");
        let recorded = handshake(&endpoint).await;
        assert_eq!(recorded.end, HandshakeEnd::Broken, "{begin:?}");
        assert!(recorded.what.contains("not complete 0.2 s after it began"), "{recorded:?}");
    }
}

#[tokio::test]
async fn records_garbage_and_closed_connections() {
    let authority = authority();
    let endpoint = secured(&authority, Certificate::Good, WAIT).await;
    let mut stream = connect_without_tls(&endpoint).await;
    stream.write_all(&[22; 64 * 1024]).await.unwrap();
    assert_eq!(handshake(&endpoint).await.end, HandshakeEnd::Broken);

    let endpoint = secured(&authority, Certificate::Good, WAIT).await;
    drop(connect_without_tls(&endpoint).await);
    assert_eq!(handshake(&endpoint).await.end, HandshakeEnd::Left);
    still_answers(&endpoint, &authority).await;
}

#[tokio::test]
async fn records_cut_off_request_inside_tls() {
    let authority = authority();
    let endpoint = secured(&authority, Certificate::Good, WAIT).await;
    // Only a part of this request is sent.
    let target = Target::trusting(&endpoint.url("/"), trusting(&authority)).unwrap();
    let (headers, body) = (Headers::default(), vec![b'x'; 4096].into());
    let cut = Delivery {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers,
        body,
        transfer: Transfer::Broken(10),
    };
    Client::new(WAIT, Clock::fixed(1)).send(&target, &cut).await;
    let seen = seen(&endpoint, |seen| !seen.broken.is_empty()).await;
    let [Broken { what, .. }] = &seen.broken[..] else { panic!("{seen:?}") };
    assert!(what.contains("beginning \"POST / HTTP/1.1"), "{what}");
    still_answers(&endpoint, &authority).await;
}

#[tokio::test]
async fn files_of_the_authority_are_removed_with_it() {
    let authority = authority();
    let file = authority.file().unwrap().to_owned();
    let own = std::fs::read_to_string(&file).unwrap();
    assert!(own.starts_with("-----BEGIN CERTIFICATE-----") && !own.contains("PRIVATE"), "{own}");
    let (folder, other) = (tempfile::tempdir().unwrap(), Authority::new(Clock::system()));
    let known = folder.path().join("known.pem");
    std::fs::copy(other.file().unwrap(), &known).unwrap();
    let both = std::fs::read_to_string(authority.appended_to(&known, "both.pem").unwrap()).unwrap();
    assert!(both.contains(own.trim()) && both.matches("BEGIN CERTIFICATE").count() == 2, "{both}");
    let missing = authority.appended_to(Path::new("/nowhere/at-all.pem"), "none.pem").unwrap_err();
    assert!(missing.contains("/nowhere/at-all.pem"), "{missing}");
    drop(authority);
    assert!(!file.exists() && !file.parent().unwrap().exists());
}
