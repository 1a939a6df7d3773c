//! All endpoints agree on which bytes are a request.
//!
//! Invariant: each case is sent to each endpoint on its own connection, whole and in pieces.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twenty_conform::wire::codec::FramingFault::{self, *};
use twenty_conform::wire::codec::MOST_HEADERS;
use twenty_conform::wire::endpoint::intake::{Broken, Intake, IntakeAnswer, Limits, Request, Service};
use twenty_conform::wire::endpoint::scripted::{Endpoint, Script};
use twenty_conform::wire::endpoint::{Handler, http};
use twenty_conform::wire::exchange::{Delivery, Response};

use super::{WAIT, settings};

const BODY: &str = "hello";

/// Invalid requests with their faults.
const BROKEN: &[(FramingFault, &str)] = &[
    (LengthTwice, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nhello"),
    (LengthTwice, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    (LengthSigned, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"),
    (LengthSigned, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello"),
    (LengthListed, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello"),
    (LengthNotDigits, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello"),
    (LengthNotDigits, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\nhello"),
    (LengthNotDigits, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhello"),
    (LengthNotDigits, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nhello"),
    (
        LengthAndChunked,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        UnknownCoding,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        UnknownCoding,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        UnknownCoding,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        UnknownCoding,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
    (CodingInHttp10, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    (ChunkSize, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n"),
    (ChunkSize, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n"),
    (ChunkSize, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n"),
    (ChunkSize, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
    (ChunkSize, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n"),
    (
        ChunkSize,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    ),
    (
        ChunkEnd,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloGARBAGE\r\n0\r\n\r\n",
    ),
    (ChunkEnd, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n"),
    (BareLineFeed, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"),
    (HostMissing, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
    (HostTwice, "POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    (HostTwice, "POST / HTTP/1.0\r\nHost: a\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello"),
    (BareLineFeed, "POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello"),
    (BareLineFeed, "POST / HTTP/1.1\r\nHost: a\nContent-Length: 5\r\n\r\nhello"),
    (BareLineFeed, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\n\r\nhello"),
    (BareLineFeed, "\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    (BareCarriageReturn, "POST / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\nContent-Length: 5\r\n\r\nhello"),
    (BareCarriageReturn, "POST / HTTP/1.1\rHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    (SpaceBeforeColon, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello"),
    (FoldedLine, "POST / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello"),
    (HeaderName, "POST / HTTP/1.1\r\nHost: a\r\nX(y): a\r\nContent-Length: 5\r\n\r\nhello"),
    (HeaderName, "POST / HTTP/1.1\r\nHost: a\r\n: a\r\nContent-Length: 5\r\n\r\nhello"),
    (HeaderValue, "POST / HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\nContent-Length: 5\r\n\r\nhello"),
    (StartLine, "POST /\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    (StartLine, "POST / HTTP/2.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    (StartLine, "POST  / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
    (NotHttp, "\u{16}\u{3}\u{1} a handshake\r\n\r\n"),
];

/// Valid requests, however unusual.
const VALID: &[&str] = &[
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nhOST:a\r\ncontent-LENGTH:\t 05 \r\nConnection: close\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost:\r\nContent-Length: 5\r\n\r\nhello",
    "\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\nX:\r\nX: \u{e9}\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n002;a=\"b\";c\r\nhe\r\n3 ;d\r\nllo\r\n0;e\r\nX: y\r\n\r\n",
];

/// The body that an endpoint read, or the fault that it found.
type Judgement = Result<Vec<u8>, Option<FramingFault>>;

/// An intake and handler that records requests.
#[derive(Default)]
struct Notes(Mutex<Vec<Judgement>>);

impl Notes {
    fn note(&self, judgement: Judgement) {
        self.0.lock().unwrap().push(judgement);
    }
}

impl Intake for Notes {
    fn handle(&self, request: &Request<'_>) -> IntakeAnswer<'_> {
        self.note(Ok(request.body.to_vec()));
        IntakeAnswer::Now(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into())
    }

    fn broken(&self, what: Broken, _: &[u8]) -> Option<BoxFuture<'_, ()>> {
        self.note(Err(if let Broken::Malformed(fault) = what { Some(fault) } else { None }));
        None
    }
}

impl Handler for Notes {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        async move {
            self.note(Ok(delivery.body.to_vec()));
            Some(Response::text(200, ""))
        }
        .boxed()
    }
}

/// Sends bytes in pieces of this length and closes. Returns the answer.
async fn send(address: SocketAddr, bytes: &[u8], piece: usize) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for part in bytes.chunks(piece) {
        // The connection may be closed before all of it is sent.
        let _ = stream.write_all(part).await;
        tokio::task::yield_now().await;
    }
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(WAIT, stream.read_to_end(&mut answer)).await.expect("it hung");
    String::from_utf8_lossy(&answer).into_owned()
}

/// How each endpoint reads the bytes. For the endpoint on hyper, the fault is found in its answer.
async fn judgements(bytes: &[u8], piece: usize) -> [(&'static str, String, Judgement); 3] {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let limits = Limits { patience: Duration::from_secs(10), ..Limits::default() };

    let notes = Arc::new(Notes::default());
    let service = Service::start(here, limits, notes.clone()).await.unwrap();
    let intake_answer = send(service.address(), bytes, piece).await;
    service.end().await;
    let intake = notes.0.lock().unwrap().pop().expect("the intake saw nothing");

    let endpoint = Endpoint::start(settings(WAIT)).await.unwrap();
    endpoint.follow(Script::default());
    let address = endpoint.url("").strip_prefix("http://").unwrap().parse().unwrap();
    let scripted_answer = send(address, bytes, piece).await;
    let seen = endpoint.seen(WAIT);
    let scripted = match (&seen.received[..], &seen.broken[..]) {
        ([one], []) => Ok(one.delivery.body.to_vec()),
        ([], [broken]) => Err(broken.fault),
        other => panic!("{other:?}"),
    };

    let notes = Arc::new(Notes::default());
    let server = http::serve(here, notes.clone()).await.unwrap();
    let http_answer = send(server.address(), bytes, piece).await;
    let fault = |fault: &&FramingFault| http_answer.ends_with(&format!("invalid HTTP request: {fault}\n"));
    let refused = FramingFault::ALL.iter().find(fault).copied();
    let http = notes.0.lock().unwrap().pop().unwrap_or(Err(refused));
    [("intake", intake_answer, intake), ("scripted", scripted_answer, scripted), ("http", http_answer, http)]
}

#[tokio::test]
async fn every_endpoint_rejects_broken_framing_for_the_same_reason() {
    for (fault, request) in BROKEN {
        for piece in [request.len(), request.len() / 2] {
            for (endpoint, answer, judgement) in judgements(request.as_bytes(), piece).await {
                // hyper may reject the first piece of a head by itself.
                let by_hyper = endpoint == "http" && piece < request.len() && judgement == Err(None);
                assert!(by_hyper || judgement == Err(Some(*fault)), "{endpoint}: {request:?}: {judgement:?}");
                assert!(answer.starts_with("HTTP/1.1 400 "), "{endpoint}: {request:?}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_endpoint_accepts_unusual_valid_requests() {
    for request in VALID {
        for piece in [request.len(), request.len() / 2, 1] {
            for (endpoint, answer, judgement) in judgements(request.as_bytes(), piece).await {
                assert_eq!(judgement, Ok(BODY.as_bytes().to_vec()), "{endpoint}: {request:?}");
                assert!(answer.contains(" 200 OK\r\n"), "{endpoint}: {request:?}: {answer:?}");
            }
        }
    }
}

#[test]
fn every_fault_has_a_unique_description() {
    let mut words: Vec<_> = FramingFault::ALL.iter().map(|fault| fault.describe()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), FramingFault::ALL.len());
    assert!(TooManyHeaders.describe().contains(&MOST_HEADERS.to_string()));
}
