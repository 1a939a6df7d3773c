//! Which connection the client uses for a delivery.
//!
//! Invariant: a connection is reused only if nothing forbids it.

use twenty_conform::subject::port::free_port;
use twenty_conform::wire::client::Target;
use twenty_conform::wire::exchange::{Delivery, Exchange, Outcome, Transfer};

use super::{client, delivery, status};
use crate::peers::scripted::{OK, Seen, many};

fn deliveries<const N: usize>() -> [Delivery; N] {
    std::array::from_fn(|at| delivery(at.to_string(), Transfer::Whole))
}

/// The connection of each request. All requests arrived once and in order.
fn connections(seen: &Seen) -> Vec<usize> {
    let seen = seen.lock().unwrap();
    let bodies: Vec<_> = seen.iter().map(|(_, body)| String::from_utf8(body.clone()).unwrap()).collect();
    assert_eq!(bodies, (0..bodies.len()).map(|at| at.to_string()).collect::<Vec<_>>());
    seen.iter().map(|(connection, _)| *connection).collect()
}

fn all_answered(exchanges: &[Exchange]) {
    assert!(exchanges.iter().all(|exchange| exchange.outcome.status() == Some(200)), "{exchanges:#?}");
}

/// Sends three deliveries one after another to a peer that answers with these bytes.
async fn send_three(answer: &'static [u8]) -> Vec<usize> {
    let (target, seen) = many(answer, 3).await;
    let client = client();
    for delivery in deliveries::<3>() {
        assert_eq!(status(&client.send(&target, &delivery).await.outcome), 200);
    }
    connections(&seen)
}

#[tokio::test]
async fn keeps_a_connection_if_the_answer_allows_it() {
    for answer in [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: b\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: x-closed\r\nContent-Length: 0\r\n\r\n",
    ] {
        assert_eq!(send_three(answer).await, [0, 0, 0], "{}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test]
async fn closes_a_connection_if_the_answer_forbids_reuse() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nConnection: x,  CLOSE\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
    ] {
        assert_eq!(send_three(answer).await, [0, 1, 2], "{}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test]
async fn closes_a_connection_if_the_request_forbids_reuse() {
    let (target, seen) = many(OK, 3).await;
    let client = client();
    for mut delivery in deliveries::<2>() {
        delivery.headers.add("connection", "close");
        assert_eq!(status(&client.send(&target, &delivery).await.outcome), 200);
    }
    assert_eq!(connections(&seen), [0, 1]);
}

#[tokio::test]
async fn replaces_a_kept_connection_that_was_closed() {
    let (target, seen) = many(OK, 2).await;
    let client = client();
    for delivery in deliveries::<5>() {
        assert_eq!(status(&client.send(&target, &delivery).await.outcome), 200);
    }
    assert_eq!(connections(&seen), [0, 0, 1, 1, 2]);
}

#[tokio::test]
async fn keeps_separate_connections_for_each_target() {
    let ((one, seen_by_one), (other, seen_by_other)) = (many(OK, 9).await, many(OK, 9).await);
    let client = client();
    for delivery in deliveries::<2>() {
        for target in [&one, &other] {
            assert_eq!(status(&client.send(target, &delivery).await.outcome), 200);
        }
    }
    assert_eq!((connections(&seen_by_one), connections(&seen_by_other)), (vec![0, 0], vec![0, 0]));
}

#[tokio::test]
async fn send_all_uses_one_new_connection() {
    let (target, seen) = many(OK, 9).await;
    let client = client();
    let all = deliveries::<6>();
    assert_eq!(status(&client.send(&target, &all[0]).await.outcome), 200);
    all_answered(&client.send_all(&target, &all[1..]).await);
    assert_eq!(connections(&seen), [0, 1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn send_all_reconnects_if_the_peer_closes() {
    for answer in [OK, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"] {
        let on_each = if answer == OK { 2 } else { 1 };
        let (target, seen) = many(answer, on_each).await;
        let exchanges = client().send_all(&target, &deliveries::<5>()).await;
        all_answered(&exchanges);
        let expected: &[usize] = if on_each == 2 { &[0, 0, 1, 1, 2] } else { &[0, 1, 2, 3, 4] };
        assert_eq!(connections(&seen), expected);
    }
}

#[tokio::test]
async fn send_all_reports_each_refused_connection() {
    let port = free_port().unwrap();
    let target = Target::http("127.0.0.1", port, "/");
    let exchanges = client().send_all(&target, &deliveries::<3>()).await;
    assert!(exchanges.iter().all(|exchange| exchange.outcome == Outcome::Refused), "{exchanges:#?}");
}

#[tokio::test]
async fn aborted_delivery_uses_its_own_connection() {
    let (target, seen) = many(OK, 9).await;
    let client = client();
    let [first, mut second, third] = deliveries::<3>();
    assert_eq!(status(&client.send(&target, &first).await.outcome), 200);
    second.transfer = Transfer::Broken(0);
    assert_eq!(client.send(&target, &second).await.outcome, Outcome::Abandoned);
    assert_eq!(status(&client.send(&target, &third).await.outcome), 200);
    let mut seen = seen.lock().unwrap().clone();
    // The two connections are read concurrently.
    seen.sort();
    assert_eq!(seen, [(0, b"0".to_vec()), (0, b"2".to_vec()), (1, Vec::new())]);
}
