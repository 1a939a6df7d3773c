//! Visits over TLS: a certificate that is fine, and each that is not.

use std::sync::Arc;

use rcgen::{CertificateParams, date_time_ymd};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use twenty_conform::suite::doctor::{Findings, State, Topic};
use twenty_conform::wire::client::Target;
use twenty_conform::wire::exchange::Trust;

use super::{examined, examined_at, expect, plan, rest_is_fine};
use crate::client::tls::certificates::{Shown, configuration, expired, self_signed, signed, signed_by};
use crate::peers::scripted::{OK, head};
use crate::peers::servers::always;

/// The first byte of a TLS connection.
const TLS_HANDSHAKE: [u8; 1] = [22];

/// A server with this certificate that answers the head of each request with 200, and closes. A request without TLS gets `plain`.
async fn server(shown: &Shown, plain: &'static [u8]) -> u16 {
    let acceptor = TlsAcceptor::from(configuration(shown, false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let acceptor = Arc::new(acceptor.clone());
            tokio::spawn(async move {
                let mut first = [0];
                let _ = stream.peek(&mut first).await;
                if first != TLS_HANDSHAKE && !plain.is_empty() {
                    head(&mut stream).await;
                    let _ = stream.write_all(plain).await;
                    return;
                }
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                head(&mut stream).await;
                let _ = stream.write_all(OK).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    port
}

async fn examined_with(shown: &Shown, host: &str, trust: Trust) -> Findings {
    let port = server(shown, b"").await;
    let target = Target::trusting(&format!("https://{host}:{port}/"), trust).unwrap();
    examined(&plan(target)).await
}

fn soon(parameters: &mut CertificateParams) {
    let days = i64::try_from(super::CLOCK.now_ms() / 86_400_000).unwrap() + 5;
    let end = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
    let (month, day) = (u8::try_from(end.month()).unwrap(), u8::try_from(end.day()).unwrap());
    parameters.not_after = date_time_ymd(end.year().into(), month, day);
}

#[tokio::test]
async fn certificates_are_told() {
    let (fine, ca) = signed(|_| {});
    let findings = examined_with(&fine, "localhost", ca.trust()).await;
    expect(&findings, Topic::Tls, State::Ok, &["TLS 1.3"]);
    expect(&findings, Topic::Certificate, State::Ok, &["trusted, for localhost, 127.0.0.1", "an authority"]);
    let findings = examined_with(&fine, "localhost", Trust::Any).await;
    expect(&findings, Topic::Certificate, State::NotKnown, &["--insecure", "--ca FILE"]);

    let (ends, ca) = signed(soon);
    let findings = examined_with(&ends, "localhost", ca.trust()).await;
    expect(&findings, Topic::Certificate, State::Warning, &["it ends in", "days", "renew"]);
    let (ended, ca) = signed(expired);
    let findings = examined_with(&ended, "localhost", ca.trust()).await;
    expect(&findings, Topic::Certificate, State::Unreachable, &["expired", "valid until 2020-01-01"]);
    assert_eq!(findings.result(), "unreachable");
    rest_is_fine(&findings, &[Topic::Certificate]);

    let (other, ca) = signed(|parameters| {
        *parameters = CertificateParams::new(["other.example".to_owned()]).unwrap();
    });
    let findings = examined_with(&other, "localhost", ca.trust()).await;
    expect(&findings, Topic::Certificate, State::Unreachable, &["not valid for name", "for other.example"]);
}

#[tokio::test]
async fn unknown_issuer_may_be_a_missing_intermediate() {
    let (shown, _) = signed(|_| {});
    let (_, ca) = signed_by("another authority", |_| {});
    let findings = examined_with(&shown, "localhost", ca.trust()).await;
    expect(&findings, Topic::Certificate, State::Unreachable, &["only its own certificate", "full chain"]);
    let findings = examined_with(&self_signed(|_| {}), "localhost", ca.trust()).await;
    let row = super::row(&findings, Topic::Certificate);
    assert!(!row.fix.as_ref().unwrap().contains("full chain"), "{row:?}");
}

#[tokio::test]
async fn the_other_scheme_is_named() {
    let (shown, ca) = signed(|_| {});
    let says = b"HTTP/1.1 400 \r\nContent-Length: 2\r\n\r\nno";
    for plain in [&b""[..], says] {
        let port = server(&shown, plain).await;
        let findings = examined_at(&format!("http://localhost:{port}/x")).await;
        let url = format!("use --url https://localhost:{port}/x");
        expect(&findings, Topic::Tls, State::Unreachable, &["speaks TLS", &url]);
        assert_eq!(findings.result(), "unreachable");
    }
    let plain = always(200).replace("http:", "https:");
    let findings = examined(&plan(Target::trusting(&plain, ca.trust()).unwrap())).await;
    expect(&findings, Topic::Tls, State::Unreachable, &["plain HTTP", "use --url http://"]);
}
