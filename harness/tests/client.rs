//! The byte-exact client against peers, each of which does one thing.
//!
//! Invariant: tests compare the bytes that the peer received, and the outcome that the client reports.

mod acknowledgement;
mod connections;
pub(crate) mod tls;

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use twenty_conform::clock::Clock;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::exchange::{Delivery, Headers, Outcome, Transfer};

use crate::cli::program::run;
use crate::peers::scripted::{self as peer, OK, head, once, request, to_the_end};

const WAIT: Duration = Duration::from_secs(20);
/// More than fits the buffers of a socket.
const LARGE: usize = 16 * 1024 * 1024;

fn client() -> Client {
    Client::new(WAIT, Clock::fixed(1))
}

/// A delivery with this body, and two headers that an ordinary client would not send.
fn delivery(body: impl Into<Bytes>, transfer: Transfer) -> Delivery {
    let mut headers = Headers::default();
    headers.add("x-TwEnTy", &b"a\xe9b"[..]);
    headers.add("x-TwEnTy", "twice");
    Delivery { method: "POST".to_owned(), target: "/p?q=1".to_owned(), headers, body: body.into(), transfer }
}

fn large(transfer: Transfer) -> Delivery {
    delivery(vec![b'x'; LARGE], transfer)
}

fn status(outcome: &Outcome) -> u16 {
    outcome.status().unwrap_or_else(|| panic!("{outcome}"))
}

/// The head of every request in these tests, up to its framing.
fn head_of(target: &Target) -> Vec<u8> {
    let line = format!("POST /p?q=1 HTTP/1.1\r\nHost: {}\r\n", target.authority());
    [line.as_bytes(), b"x-TwEnTy: a\xe9b\r\nx-TwEnTy: twice\r\n"].concat()
}

#[tokio::test]
async fn sends_each_transfer_byte_for_byte() {
    for (transfer, rest, pauses) in [
        (Transfer::Whole, "Content-Length: 5\r\n\r\nabcde", 0),
        (Transfer::Segments(vec![0, 2]), "Content-Length: 5\r\n\r\nabcde", 3),
        (Transfer::Chunks(vec![3]), "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 0),
    ] {
        let length = rest.len();
        let (target, seen) = once(async move |stream| {
            let mut seen = head(stream).await;
            let body = rest.split_once("\r\n\r\n").map_or(0, |(framing, _)| length - framing.len() - 4);
            seen.extend(peer::exactly(stream, body).await);
            stream.write_all(OK).await.unwrap();
            seen
        })
        .await;
        let exchange = client().send(&target, &delivery("abcde", transfer.clone())).await;
        assert_eq!(status(&exchange.outcome), 200, "{transfer:?}");
        assert_eq!(seen.await.unwrap(), [&head_of(&target)[..], rest.as_bytes()].concat(), "{transfer:?}");
        // Segments are sent separately: at least the pauses between them pass.
        assert!(exchange.took >= Duration::from_millis(5) * pauses, "{transfer:?} took {:?}", exchange.took);
    }
}

#[tokio::test]
async fn sends_large_bodies_unchanged() {
    let chunks = Transfer::Chunks(vec![LARGE / 3, 1, 4097]);
    for transfer in [Transfer::Whole, Transfer::Segments(vec![0, LARGE / 2]), chunks, Transfer::Expecting] {
        let (target, seen) = once(async |stream| {
            let head = head(stream).await;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            let body = peer::body(stream, &head).await;
            stream.write_all(OK).await.unwrap();
            body
        })
        .await;
        let body: Bytes = (0..LARGE).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let exchange = client().send(&target, &delivery(body.clone(), transfer.clone())).await;
        assert_eq!(status(&exchange.outcome), 200, "{transfer:?}");
        assert!(seen.await.unwrap() == body, "{transfer:?}");
    }
}

#[tokio::test]
async fn sends_expecting_body_after_100_continue() {
    let (target, seen) = once(async |stream| {
        let head = head(stream).await;
        stream
            .write_all(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\nX: y\r\n\r\n")
            .await
            .unwrap();
        let body = peer::body(stream, &head).await;
        stream.write_all(OK).await.unwrap();
        // The connection is still usable.
        let (_, again) = request(stream).await;
        stream.write_all(OK).await.unwrap();
        (head, body, again)
    })
    .await;
    let client = client();
    let exchange = client.send(&target, &delivery("abcde", Transfer::Expecting)).await;
    assert_eq!(status(&exchange.outcome), 200);
    assert_eq!(status(&client.send(&target, &delivery("again", Transfer::Whole)).await.outcome), 200);
    let (head, body, again) = seen.await.unwrap();
    let framing: &[u8] = b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(head, [&head_of(&target)[..], framing].concat());
    assert_eq!((&body[..], &again[..]), (&b"abcde"[..], &b"again"[..]));
}

#[tokio::test]
async fn sends_expecting_body_after_a_second_without_continue() {
    let (target, seen) = once(async |stream| {
        let head = head(stream).await;
        let began = Instant::now();
        let body = peer::body(stream, &head).await;
        stream.write_all(OK).await.unwrap();
        (body, began.elapsed())
    })
    .await;
    let exchange = client().send(&target, &delivery("abcde", Transfer::Expecting)).await;
    assert_eq!(status(&exchange.outcome), 200);
    let (body, waited) = seen.await.unwrap();
    assert_eq!(&body[..], b"abcde");
    assert!(waited > Duration::from_millis(900), "it came after {waited:?}");
}

#[tokio::test]
async fn does_not_send_expecting_body_after_a_final_answer() {
    for refusal in [413, 417, 401, 200] {
        let (target, seen) = once(async move |stream| {
            head(stream).await;
            let answer = format!("HTTP/1.1 {refusal} \r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            to_the_end(stream).await
        })
        .await;
        let client = client();
        let exchange = client.send(&target, &delivery("abcde", Transfer::Expecting)).await;
        assert_eq!(status(&exchange.outcome), refusal);
        // The announced body was not sent, so the connection is unusable; the client closed it.
        assert_eq!(seen.await.unwrap(), b"", "{refusal}");
    }
}

#[tokio::test]
async fn aborts_a_body_at_the_given_length() {
    for (sent, arrives) in [(0, ""), (3, "abc"), (9, "abcde")] {
        let (target, seen) = once(async |stream| (head(stream).await, to_the_end(stream).await)).await;
        let exchange = client().send(&target, &delivery("abcde", Transfer::Broken(sent))).await;
        assert_eq!(exchange.outcome, Outcome::Abandoned);
        assert_eq!(exchange.outcome.to_string(), "connection closed early on purpose");
        let (head, body) = seen.await.unwrap();
        assert_eq!(head, [&head_of(&target)[..], b"Content-Length: 5\r\n\r\n"].concat());
        assert_eq!(body, arrives.as_bytes());
    }
}

#[tokio::test]
async fn counts_an_answer_before_the_abort() {
    let (target, _seen) = once(async |stream| {
        head(stream).await;
        stream.write_all(b"HTTP/1.1 413 \r\nContent-Length: 0\r\n\r\n").await.unwrap();
        // The body does not fit the socket buffers, so the client cannot have sent all of it before this is read.
        to_the_end(stream).await;
    })
    .await;
    let exchange = client().send(&target, &large(Transfer::Broken(LARGE - 1))).await;
    assert_eq!(status(&exchange.outcome), 413);
}

#[tokio::test]
async fn counts_an_answer_before_a_reset() {
    for transfer in [Transfer::Whole, Transfer::Chunks(vec![LARGE / 2]), Transfer::Segments(vec![9])] {
        let (target, _seen) = once(async |stream| {
            head(stream).await;
            stream.write_all(b"HTTP/1.1 413 \r\nContent-Length: 3\r\n\r\nbig").await.unwrap();
            // Closing with an unread body resets the connection.
        })
        .await;
        let exchange = client().send(&target, &large(transfer.clone())).await;
        assert_eq!(status(&exchange.outcome), 413, "{transfer:?}");
    }
}

#[tokio::test]
async fn reports_a_reset_without_an_answer() {
    let (target, _seen) = once(async |stream| drop(head(stream).await)).await;
    assert_eq!(client().send(&target, &large(Transfer::Whole)).await.outcome, Outcome::Reset);
}

#[tokio::test]
async fn reads_an_answer_byte_by_byte() {
    let (target, _seen) = once(async |stream| {
        request(stream).await;
        for byte in b"HTTP/1.1 102 \r\n\r\nHTTP/1.1 207 Multi\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" {
            stream.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await;
    match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
        Outcome::Answered(response) => assert_eq!((response.status, &response.body[..]), (207, &b"ok"[..])),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn incomplete_answer_times_out() {
    let (target, seen) = once(async |stream| {
        request(stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le").await.unwrap();
        to_the_end(stream).await
    })
    .await;
    let client = Client::new(Duration::from_millis(100), Clock::fixed(1));
    assert_eq!(client.send(&target, &delivery("{}", Transfer::Whole)).await.outcome, Outcome::TimedOut);
    assert_eq!(seen.await.unwrap(), b"", "nothing more was sent, and the connection was closed");
}

#[tokio::test]
async fn rejects_an_endless_header() {
    let (target, _seen) = once(async |stream| {
        request(stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await.unwrap();
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    })
    .await;
    let outcome = client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome;
    assert!(matches!(&outcome, Outcome::Malformed(why) if why.contains("65536")), "{outcome}");
}

#[tokio::test]
async fn accepts_an_answer_with_an_endless_body() {
    for framing in ["Content-Length: 99999999999", "Transfer-Encoding: chunked", "X: until the end"] {
        let (target, _seen) = once(async move |stream| {
            request(stream).await;
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n").as_bytes()).await.unwrap();
            let part = [b"400\r\n", &[b'x'; 1024][..], b"\r\n"].concat();
            while stream.write_all(&part).await.is_ok() {}
        })
        .await;
        match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
            // An incomplete body is not kept.
            Outcome::Answered(response) => assert!(response.body.len() <= 64 * 1024, "{framing}"),
            other => panic!("{framing}: {other}"),
        }
    }
}

#[tokio::test]
async fn body_without_length_ends_with_the_connection() {
    let (target, _seen) = once(async |stream| {
        request(stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nall of it").await.unwrap();
    })
    .await;
    match client().send(&target, &delivery("{}", Transfer::Whole)).await.outcome {
        Outcome::Answered(response) => assert_eq!(&response.body[..], b"all of it"),
        other => panic!("{other}"),
    }
}

#[test]
fn host_header_omits_only_the_default_port() {
    for (url, authority, address) in [
        ("http://localhost:3000/a", "localhost:3000", "localhost:3000"),
        ("http://localhost/a", "localhost", "localhost:80"),
        ("http://localhost:80/a", "localhost", "localhost:80"),
        ("http://localhost:443/a", "localhost:443", "localhost:443"),
        ("http://[::1]/a", "[::1]", "[::1]:80"),
        ("http://[::1]:8080/a", "[::1]:8080", "[::1]:8080"),
    ] {
        let target = Target::parse(url).unwrap();
        assert_eq!((target.authority(), target.address()), (authority.to_owned(), address.to_owned()));
        assert_eq!(target.url(), format!("http://{authority}/a"));
    }
}

#[tokio::test]
async fn send_offers_the_transfers_of_the_suite() {
    for (more, framing, first_bytes) in [
        (&["--chunks=7"][..], "Transfer-Encoding: chunked\r\n\r\n", "7\r\n{\"even"),
        (&["--expect"], "Expect: 100-continue\r\n\r\n", "{\"event\":"),
        (&[], "Content-Length: ", "{\"event\":"),
    ] {
        let (target, seen) = once(async |stream| {
            let head = head(stream).await;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            let first = peer::exactly(stream, 9).await;
            stream
                .write_all(b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                .await
                .unwrap();
            (String::from_utf8(head).unwrap(), String::from_utf8(first).unwrap())
        })
        .await;
        let arguments = ["send", "--secret=s3cr3t", "--url"].map(str::to_owned);
        let arguments =
            arguments.into_iter().chain([target.url()]).chain(more.iter().map(|&one| one.to_owned()));
        let arguments: Vec<String> = arguments.collect();
        let ran = tokio::task::spawn_blocking(move || run(arguments)).await.unwrap().expect(0);
        assert!(ran.stdout.contains(": 202 in "), "{ran:#?}");
        let (head, first) = seen.await.unwrap();
        assert!(head.contains(framing), "{more:?}: {head}");
        assert_eq!(first, first_bytes, "{more:?}");
    }
    for wrong in [&["--chunks=0"][..], &["--chunks=few"], &["--chunks=1", "--expect"]] {
        let given = ["send", "--secret=s3cr3t", "--url=http://127.0.0.1:1/"];
        run(given.iter().chain(wrong)).expect(2).complains_of(&["--chunks"]);
    }
}
