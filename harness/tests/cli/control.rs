//! `sender --control`: the attachment protocol by POST.
//!
//! Invariant: the sender is the reference sender, served by this test binary, and errors quote malformed replies.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;
use twenty_conform::clock::Clock;
use twenty_conform::peers::sender::Sender;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::random::Random;
use twenty_conform::subject::protocol::Op;
use twenty_conform::subject::sender::Sender as _;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::wire::endpoint::{Handler, http};
use twenty_conform::wire::exchange::{Delivery, Response};

use super::program::{judged, run};
use crate::peers::servers::{ClosedPort, always, read_request, serve};

/// The reference sender, controlled by POST. It refuses every tenth request with a rate limit.
struct Controlled(Sender, AtomicUsize);

impl Handler for Controlled {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        async move {
            if self.1.fetch_add(1, Ordering::Relaxed).is_multiple_of(10) {
                let mut limit = Response::text(429, "");
                limit.headers.add("Retry-After", "0");
                return Some(limit);
            }
            let (id, op) = Op::decode(std::str::from_utf8(&delivery.body).ok()?);
            let reply = match op {
                Ok(op) => self.0.call(op).await.ok()?,
                Err(refusal) => refusal,
            };
            Some(Response::text(200, reply.encode(&id)))
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_sender_passes_with_control() {
    let transport = Arc::new(Pooled::new(Duration::from_secs(5)).unwrap());
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = http::serve(address, Arc::new(Controlled(sender, AtomicUsize::new(0)))).await.unwrap();
    let url = server.url("/control");
    let (ran, report) = spawn_blocking(move || judged(["sender", "--control", &url])).await.unwrap();
    let ran = ran.expect(0);
    assert!(report.with("pass").len() > 20, "{ran:?}");
    // The reference sender never retries.
    assert!(
        report.with("not-applicable").iter().all(|id| ["NON-1", "SIG-7", "ACK-4"].contains(id)),
        "{report:?}"
    );
}

#[test]
fn control_quotes_malformed_replies() {
    let text = serve(|mut stream| {
        use std::io::Write as _;
        read_request(&mut stream)?;
        stream.write_all(b"HTTP/1.1 500 \r\nContent-Length: 8\r\n\r\n<oops />")
    });
    let ran = run(["sender", "--control", &text]).expect(70);
    ran.says(&["`hello`", "500", "<oops />", "not JSON"]);
    run(["sender", "--control", &always(200)]).expect(70).says(&["`hello`", "not JSON"]);
}

#[test]
fn unreachable_control_exits_3() {
    let closed = ClosedPort::new();
    let (ran, report) = judged(["sender", "--control", &closed.url()]);
    ran.expect(3).says(&[&closed.url(), "connection refused"]);
    assert!(report.with("pass").is_empty() && report.with("inconclusive").contains("DLV-1"));
    run(["sender", "--control", "http://192.0.2.1/"]).expect(2).complains_of(&["--allow-remote"]);
    run(["sender", "--control", "ftp://127.0.0.1/"]).expect(2).complains_of(&["ftp"]);
}

#[test]
fn sender_on_an_unknown_host_is_unreachable() {
    let control = ["sender", "--control", "http://no-such-host.invalid/", "--allow-remote"];
    run(control).expect(3).says(&["http://no-such-host.invalid/ cannot be reached"]);
}
