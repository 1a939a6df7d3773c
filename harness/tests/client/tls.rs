//! The client with `https` URLs: which certificates it accepts, and what it says about the others.
//!
//! Invariant: every certificate is made by the test, and nothing else trusts it.

pub(crate) mod certificates;
mod command_line;

use std::fs;

use rcgen::{CertificateParams, date_time_ymd};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use twenty_conform::wire::client::Target;
use twenty_conform::wire::exchange::{Outcome, Transfer, Trust};

use self::certificates::{
    CaFile, Shown, answering, authority, configuration, expired, secured, self_signed, signed, signed_by,
};
use super::{client, delivery, head_of, large, status};
use crate::peers::scripted::{self as peer, OK, exactly, head, request, to_the_end};

fn target(host: &str, port: u16, trust: Trust) -> Target {
    Target::trusting(&format!("https://{host}:{port}/p?q=1"), trust).unwrap()
}

/// The outcome of a delivery to a peer with this certificate.
async fn outcome(shown: &Shown, host: &str, trust: Trust) -> Outcome {
    let (port, _seen) = answering(shown).await;
    client().send(&target(host, port, trust), &delivery("{}", Transfer::Whole)).await.outcome
}

/// The error of a rejected certificate.
async fn refused(shown: &Shown, host: &str, trust: Trust) -> String {
    match outcome(shown, host, trust).await {
        Outcome::Tls(why) => why,
        other => panic!("{other}"),
    }
}

#[track_caller]
fn contains_all(text: &str, words: &[&str]) {
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[tokio::test]
async fn trusts_only_the_authorities_of_the_ca_file() {
    let (shown, ca) = signed(|_| {});
    let (_, other) = signed_by("another authority", |_| {});
    let (_, renewed) = signed(|_| {});
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(status(&outcome(&shown, host, ca.trust()).await), 200);
    }
    contains_all(
        &refused(&shown, "localhost", other.trust()).await,
        &["UnknownIssuer", "--ca", "--insecure"],
    );
    contains_all(&refused(&shown, "localhost", renewed.trust()).await, &["BadSignature", "another key"]);
    // A file with several certificates and text between them.
    let both = CaFile::new(
        [&fs::read(other.path()).unwrap()[..], b"\nThe other:\n", &fs::read(ca.path()).unwrap()].concat(),
    );
    assert_eq!(status(&outcome(&shown, "localhost", both.trust()).await), 200);
    // A file with the server's certificate itself.
    assert_eq!(status(&outcome(&shown, "localhost", CaFile::new(&shown.pem).trust()).await), 200);
}

#[tokio::test]
async fn trusts_self_signed_certificate_if_given_or_unchecked() {
    for made in [self_signed(|_| {}), self_signed(authority)] {
        let own = CaFile::new(&made.pem);
        let (_, other) = signed(|_| {});
        assert_eq!(status(&outcome(&made, "localhost", own.trust()).await), 200);
        assert_eq!(status(&outcome(&made, "localhost", Trust::Any).await), 200);
        contains_all(&refused(&made, "localhost", other.trust()).await, &["--ca", "--insecure"]);
    }
}

#[tokio::test]
async fn system_trust_rejects_certificates_of_the_test() {
    let (shown, _) = signed(|_| {});
    let (port, _seen) = answering(&shown).await;
    match Target::parse(&format!("https://localhost:{port}/")) {
        Ok(target) => match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
            Outcome::Tls(why) => contains_all(&why, &["UnknownIssuer", "--ca"]),
            other => panic!("{other}"),
        },
        // A machine without certificates.
        Err(why) => contains_all(&why, &["the system's certificates", "--ca"]),
    }
}

#[tokio::test]
async fn checks_dates_and_names_of_trusted_certificates() {
    let future = |parameters: &mut CertificateParams| parameters.not_before = date_time_ymd(3000, 1, 1);
    let elsewhere = |parameters: &mut CertificateParams| {
        *parameters = CertificateParams::new(["h.example".to_owned()]).unwrap()
    };
    let (shown, ca) = signed(expired);
    contains_all(&refused(&shown, "localhost", ca.trust()).await, &["expired", "renew"]);
    assert_eq!(status(&outcome(&shown, "localhost", Trust::Any).await), 200);
    let (shown, ca) = signed(future);
    contains_all(&refused(&shown, "localhost", ca.trust()).await, &["not valid yet", "clocks"]);
    let (shown, ca) = signed(elsewhere);
    contains_all(&refused(&shown, "localhost", ca.trust()).await, &["localhost", "h.example", "name"]);
    assert_eq!(status(&outcome(&shown, "localhost", Trust::Any).await), 200);
    // Dates and names are also checked if the file contains the certificate itself.
    let (shown, _) = signed(expired);
    contains_all(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["expired"]);
    let (shown, _) = signed(elsewhere);
    contains_all(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["h.example"]);
    let shown = self_signed(|parameters| {
        authority(parameters);
        expired(parameters);
    });
    contains_all(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["expired"]);
    let shown = self_signed(|parameters| {
        elsewhere(parameters);
        authority(parameters);
    });
    contains_all(&refused(&shown, "localhost", CaFile::new(&shown.pem).trust()).await, &["h.example"]);
}

#[tokio::test]
async fn keeps_bytes_and_connections_inside_tls() {
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
    assert!(second.1 == body, "the large body changed");
}

#[tokio::test]
async fn expects_and_aborts_bodies_inside_tls() {
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
    // Reading succeeds, so the connection ended with close_notify.
    assert_eq!(seen.await.unwrap().unwrap(), b"abc");
}

#[tokio::test]
async fn names_a_server_without_tls() {
    let send = async |script: fn(u8) -> &'static [u8]| {
        let (plain, _seen) = peer::once(async move |stream| {
            let first = exactly(stream, 1).await;
            stream.write_all(script(first[0])).await.unwrap();
        })
        .await;
        let target = target("127.0.0.1", plain.port, Trust::Any);
        match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
            Outcome::Tls(why) => why,
            other => panic!("{other}"),
        }
    };
    contains_all(
        &send(|_| b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await,
        &["did not speak TLS", "http://"],
    );
    let silent = send(|_| b"").await;
    assert!(silent.contains("handshake"), "{silent}");
}

#[tokio::test]
async fn names_a_server_that_requires_a_client_certificate() {
    let shown = self_signed(|_| {});
    let acceptor = TlsAcceptor::from(configuration(&shown, true));
    let (plain, _seen) = peer::once(async move |stream| acceptor.accept(stream).await.is_ok()).await;
    let target = target("127.0.0.1", plain.port, Trust::Any);
    match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
        Outcome::Tls(why) => contains_all(&why, &["requires a client certificate"]),
        other => panic!("{other}"),
    }
}
