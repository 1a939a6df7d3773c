//! The accounting endpoint over the wire: under load, and with invalid requests.
//!
//! Whatever it receives, it keeps running and its accounts add up.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use twenty_conform::bench::accounts::arrivals::{Accounts, Webhooks};
use twenty_conform::bench::accounts::entry::LedgerEntry;
use twenty_conform::bench::generate::plan::LoadPlan;
use twenty_conform::clock::Clock;
use twenty_conform::redaction::Redaction;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::{Key, Secret};
use twenty_conform::wire::client::Target;
use twenty_conform::wire::endpoint::intake::{Limits, Service};

use super::{SECRET, answers, at_rate, judged, plan, run};

const BODY: &str = r#"{"event":"person.created","data":{"id":"p1"},"timestamp":"2025-02-10T15:30:50Z"}"#;
const NOW_MS: u64 = 1_735_066_639_761;

struct Endpoint {
    service: Service,
    accounts: Arc<Accounts>,
}

impl Endpoint {
    async fn new(webhooks: Webhooks, clock: Clock, limits: Limits) -> Self {
        let redaction = Redaction::new([&Secret::new(SECRET)]);
        let window = Some(Duration::from_secs(300));
        let accounts = Arc::new(Accounts::new(webhooks, &DOCUMENTED, clock, window, redaction));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let service = Service::start(address, limits, accounts.clone()).await.unwrap();
        Self { service, accounts }
    }

    async fn at_fixed_time(limits: Limits) -> Self {
        Self::new(Webhooks::Anywhere(Secret::new(SECRET)), Clock::fixed(NOW_MS), limits).await
    }

    fn target(&self) -> Target {
        Target::http("127.0.0.1", self.service.address().port(), "/hook")
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.service.address()).await.unwrap()
    }

    /// Sends bytes on a new connection, closes its sending side, and reads everything that is answered.
    async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The endpoint may reject the request before it is complete.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        rest(&mut stream).await
    }

    /// The accounts after the endpoint has ended.
    async fn end(self) -> LedgerEntry {
        self.service.end().await;
        let entry = self.accounts.entry(true);
        assert_eq!(entry.received, entry.verified + entry.wrong, "{entry:?}");
        assert!(!serde_json::to_string(&entry).unwrap().contains(SECRET));
        entry
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn headers(timestamp: &str, signed: &str) -> String {
    let signature = Key::new(&Secret::new(SECRET)).sign(timestamp.as_bytes(), signed.as_bytes()).to_hex();
    format!("x-twenty-webhook-signature: {signature}\r\nX-TWENTY-Webhook-Timestamp: {timestamp}\r\n")
}

fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn valid(body: &str) -> String {
    post("/hook", &headers(&NOW_MS.to_string(), body), body)
}

fn count(entry: &LedgerEntry, kind: &str) -> u64 {
    entry.kinds.iter().find(|one| one.kind == kind).map_or(0, |one| one.count)
}

#[tokio::test]
async fn counts_every_delivery_of_a_load() {
    let limits = Limits { threads: 2, ..Limits::default() };
    let endpoint = Endpoint::new(Webhooks::Anywhere(Secret::new(SECRET)), Clock::system(), limits).await;
    let plan = LoadPlan { probe_share: 0.2, threads: 2, warm_up: Duration::from_millis(30), ..plan(200) };
    let report = judged(&run(&plan, &endpoint.target()).await, &plan, 0.0, &[]);
    assert_eq!(report.result.describe(), "pass", "{report:?}");
    assert!(report.probes.sent > 0 && report.probes.let_through == 0, "{:?}", report.probes);
    assert!(report.probes.statuses.iter().all(|one| matches!(one.status, 400 | 401)), "{:?}", report.probes);
    let ledger = endpoint.end().await;
    assert!(ledger.verified >= report.total.sent, "the ledger includes the warm-up");
    assert_eq!(
        (ledger.verified, ledger.lost, ledger.duplicated),
        (ledger.distinct, Some(0), 0),
        "{ledger:?}"
    );
    assert_eq!(ledger.wrong, report.probes.sent);
    assert_eq!((ledger.runs.len(), ledger.webhooks[0].path.as_str()), (1, "/hook"));
}

#[tokio::test]
async fn counts_as_many_deliveries_and_bytes_as_were_sent() {
    let endpoint =
        Endpoint::new(Webhooks::Anywhere(Secret::new(SECRET)), Clock::system(), Limits::default()).await;
    let plan = at_rate(400.0, 200);
    let report = judged(&run(&plan, &endpoint.target()).await, &plan, 0.0, &[]);
    let ledger = endpoint.end().await;
    assert_eq!(answers(&report, 204), 80, "{report:?}");
    assert_eq!((ledger.received, ledger.verified, ledger.lost), (80, 80, Some(0)), "{ledger:?}");
    assert!(ledger.bytes == report.total.bytes_sent, "{ledger:?}");
}

#[tokio::test]
async fn each_defect_has_its_name_and_status() {
    let webhooks = Webhooks::At(vec![("/hook".to_owned(), Secret::new(SECRET))]);
    let endpoint = Endpoint::new(webhooks, Clock::fixed(NOW_MS), Limits::default()).await;
    let now = NOW_MS.to_string();
    let old = (NOW_MS - 86_400_000).to_string();
    let signed = headers(&now, BODY);
    let only = |name: &str| {
        let lines = signed.split_inclusive("\r\n");
        lines.filter(|line| line.to_lowercase().contains(name)).collect::<String>()
    };
    let odd = r#"{"event":"person.created"}"#;
    for (request, status, kind) in [
        (post("/hook", &headers(&now, "other"), BODY), 401, "bad-signature"),
        (post("/hook", &only("timestamp"), BODY), 401, "missing-signature"),
        (post("/hook", &only("signature"), BODY), 401, "missing-timestamp"),
        (post("/hook", &(signed.clone() + &only("signature")), BODY), 401, "two-headers"),
        (post("/hook", &headers(&old, BODY), BODY), 401, "stale"),
        (post("/hook", &headers("1e3", BODY), BODY), 401, "stale"),
        (post("/hook", &headers(&now, "{"), "{"), 400, "not-json"),
        (post("/hook", &headers(&now, odd), odd), 400, "wrong-shape"),
        (post("/hook?x", &signed, BODY), 404, "unknown-path"),
        (valid(BODY).replace("POST", "PUT"), 405, "method"),
    ] {
        let before = count(&endpoint.accounts.entry(false), kind);
        let answer = endpoint.send(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{kind}: {answer}");
        assert_eq!(count(&endpoint.accounts.entry(false), kind), before + 1, "{kind}: {request}");
    }
    assert_eq!(endpoint.send(valid(BODY).as_bytes()).await, "HTTP/1.1 204 No Content\r\n\r\n");
    let ledger = endpoint.end().await;
    assert_eq!((ledger.verified, ledger.wrong), (1, 10), "{ledger:?}");
}

#[tokio::test]
async fn answers_pipelined_requests_in_order_and_counts_duplicates() {
    let endpoint = Endpoint::at_fixed_time(Limits::default()).await;
    let chunked = format!(
        "POST /hook HTTP/1.1\r\nHost: x\r\n{}Transfer-Encoding: chunked\r\n\r\n7\r\n{}\r\n{:x};x\r\n{}\r\n0\r\n\r\n",
        headers(&NOW_MS.to_string(), BODY),
        &BODY[..7],
        BODY.len() - 7,
        &BODY[7..]
    );
    let answers = endpoint.send(format!("{}{chunked}{}", valid(BODY), valid(BODY)).as_bytes()).await;
    assert_eq!(answers, "HTTP/1.1 204 No Content\r\n\r\n".repeat(3));
    // Byte by byte.
    let mut stream = endpoint.connect().await;
    stream.set_nodelay(true).unwrap();
    for byte in valid(BODY).as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "HTTP/1.1 204 No Content\r\n\r\n");
    let ledger = endpoint.end().await;
    assert_eq!((ledger.verified, ledger.distinct, ledger.duplicated), (4, 1, 3), "{ledger:?}");
    assert_eq!(ledger.first_duplicated.as_deref(), Some("\"person.created\" \"p1\""));
}

#[tokio::test]
async fn garbage_ends_only_its_own_connection() {
    let endpoint = Endpoint::at_fixed_time(Limits::default()).await;
    for garbage in [
        "\u{16}\u{3}\u{1} a handshake".as_bytes(),
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        &[b'A'; 100_000],
    ] {
        let answer = endpoint.send(garbage).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("Connection: close"), "{answer}");
    }
    endpoint.send(b"").await;
    endpoint.send(&valid(BODY).as_bytes()[..100]).await;
    assert!(endpoint.send(valid(BODY).as_bytes()).await.starts_with("HTTP/1.1 204"));
    let ledger = endpoint.end().await;
    assert_eq!((count(&ledger, "malformed"), count(&ledger, "cut-off")), (4, 1), "{ledger:?}");
    assert_eq!((ledger.verified, ledger.wrong), (1, 5));
}

#[tokio::test]
async fn accepts_a_body_at_the_limit_and_answers_413_to_a_longer_one() {
    let limits = Limits { body: 1024 * 1024, ..Limits::default() };
    let endpoint = Endpoint::at_fixed_time(limits).await;
    let padded = |length: usize| {
        let body = BODY.replace("p1", &"p".repeat(length + 2 - BODY.len()));
        assert_eq!(body.len(), length);
        body
    };
    let (long, longer) = (padded(limits.body), padded(limits.body + 1));
    assert!(endpoint.send(valid(&long).as_bytes()).await.starts_with("HTTP/1.1 204"));
    assert!(endpoint.send(valid(&longer).as_bytes()).await.starts_with("HTTP/1.1 413"));
    let as_chunks = |body: &str| {
        let signed = headers(&NOW_MS.to_string(), body);
        let chunks: String = body
            .as_bytes()
            .chunks(10_000)
            .map(|part| format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part)))
            .collect();
        format!(
            "POST /hook HTTP/1.1\r\nHost: x\r\n{signed}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
        )
    };
    assert!(endpoint.send(as_chunks(&long).as_bytes()).await.starts_with("HTTP/1.1 204"));
    assert!(endpoint.send(as_chunks(&longer).as_bytes()).await.starts_with("HTTP/1.1 413"));
    // A client that sends Expect gets 100 Continue.
    let (head, body) = (valid(BODY).replace("Host: x", "Host: x\r\nExpect: 100-continue"), BODY);
    let mut stream = endpoint.connect().await;
    stream.write_all(head.strip_suffix(body).unwrap().as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 204"));
    let ledger = endpoint.end().await;
    assert_eq!((ledger.verified, count(&ledger, "too-large")), (3, 2), "{ledger:?}");
}

#[tokio::test]
async fn answers_408_to_slow_requests_and_still_serves_others() {
    let limits = Limits { patience: Duration::from_millis(100), connections: 4, ..Limits::default() };
    let endpoint = Endpoint::at_fixed_time(limits).await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut stream = endpoint.connect().await;
        stream.write_all(b"POST /hook HTTP/1.1\r\nHost").await.unwrap();
        slow.push(stream);
    }
    // This connection waits until one of the slow ones has timed out.
    assert!(endpoint.send(valid(BODY).as_bytes()).await.starts_with("HTTP/1.1 204"));
    for stream in &mut slow {
        assert!(rest(stream).await.starts_with("HTTP/1.1 408"));
    }
    // An idle connection is closed without an answer.
    assert_eq!(rest(&mut endpoint.connect().await).await, "");
    let ledger = endpoint.end().await;
    assert_eq!((count(&ledger, "timed-out"), ledger.verified, ledger.wrong), (4, 1, 4), "{ledger:?}");
}

#[tokio::test]
async fn serves_the_accounts_while_it_runs() {
    let endpoint = Endpoint::at_fixed_time(Limits::default()).await;
    endpoint.send(valid(BODY).as_bytes()).await;
    let read = async |path: &str| {
        let answer = endpoint.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/json"), "{head}");
        serde_json::from_str::<LedgerEntry>(body).unwrap()
    };
    let (running, settled) = (read("/ledger").await, read("/ledger?settled").await);
    assert_eq!((running.verified, running.lost), (1, None));
    assert_eq!((settled.verified, settled.lost), (1, Some(0)));
    let other = endpoint.send(b"GET /hook HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 405 ") && other.contains("Allow: POST"), "{other}");
}
