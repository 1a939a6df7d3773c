//! The client against servers that answer anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twenty_conform::clock::Clock;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::exchange::Outcome;

use super::{Hangs, NOW, WAIT, valid};
use crate::peers::plain;

/// A server that reads one request and answers it with these bytes.
async fn peer(answer: &'static [u8]) -> (Target, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::parse(&format!("http://{}/p?q=1", listener.local_addr().unwrap())).unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 1024];
        while !request.ends_with(b"}}") {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the request was cut off");
            request.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(answer).await.unwrap();
        request
    });
    (target, task)
}

#[tokio::test]
async fn client_sends_exact_bytes() {
    let (target, request) = peer(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let mut delivery = valid();
    delivery.target = target.path.clone();
    delivery.headers.0.clear();
    delivery.headers.add("X-TwEnTy", &b"a\xe9b"[..]);
    delivery.headers.add("X-TwEnTy", "twice");
    let exchange = Client::new(WAIT, Clock::fixed(NOW)).send(&target, &delivery).await;
    assert_eq!(exchange.outcome.status(), Some(204));
    let body = &*delivery.body;
    let expected = [
        format!("POST /p?q=1 HTTP/1.1\r\nHost: {}\r\n", target.authority()).as_bytes(),
        b"X-TwEnTy: a\xe9b\r\nX-TwEnTy: twice\r\n",
        format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(),
        body,
    ]
    .concat();
    assert_eq!(request.await.unwrap(), expected);
}

#[tokio::test]
async fn client_names_each_outcome() {
    let answered = |answer: &'static [u8]| async move {
        let (target, _) = peer(answer).await;
        Client::new(WAIT, Clock::fixed(NOW)).send(&target, &valid()).await.outcome
    };
    let status = |outcome: Outcome| outcome.status();
    assert_eq!(
        status(answered(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await),
        Some(200)
    );
    assert_eq!(status(answered(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut").await), Some(200));
    assert_eq!(answered(b"").await, Outcome::ClosedEarly);
    assert_eq!(answered(b"HTTP/1.1 200 OK\r\nContent-Le").await, Outcome::ClosedEarly);
    assert!(matches!(answered(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").await, Outcome::Malformed(_)));
    match answered(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n",
    )
    .await
    {
        Outcome::Answered(response) => assert_eq!(&*response.body, b"abcde"),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn client_times_out_or_is_refused() {
    let server = plain::serve(Arc::new(Hangs)).await.unwrap();
    let target = Target::parse(&server.url("/")).unwrap();
    let client = Client::new(Duration::from_millis(50), Clock::fixed(NOW));
    assert_eq!(client.send(&target, &valid()).await.outcome, Outcome::TimedOut);
    drop(server);
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Target::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap()
    };
    assert_eq!(client.send(&refused, &valid()).await.outcome, Outcome::Refused);
}

#[test]
fn targets_recognise_loopback() {
    for (url, loopback) in [
        ("http://localhost:3000/hooks", true),
        ("http://127.0.0.53/", true),
        ("http://[::1]:80/", true),
        ("http://192.0.2.1/", false),
        ("http://localhost.example/", false),
    ] {
        assert_eq!(Target::parse(url).unwrap().is_loopback(), loopback, "{url}");
    }
    assert_eq!(Target::parse("http://[::1]:8080/a?b=c").unwrap().url(), "http://[::1]:8080/a?b=c");
    for wrong in ["", "localhost:3000", "/hooks", "ftp://127.0.0.1/"] {
        assert!(Target::parse(wrong).is_err(), "{wrong}");
    }
}
