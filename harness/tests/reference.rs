//! The reference peers, the client and the parsers of bodies, in cases that no scenario reaches.

mod client;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use twenty_conform::clock::Clock;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{ANSWER_WAIT, Sender};
use twenty_conform::random::Random;
use twenty_conform::suite::transcript::Observed;
use twenty_conform::webhook::dialect::{DOCUMENTED, Dialect, Members, NotAnObject, SHIPPED};
use twenty_conform::webhook::event::EventName;
use twenty_conform::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::endpoint::{Handler, http};
use twenty_conform::wire::exchange::{Delivery, Headers, Response, Transfer};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::peers::plain;

const NOW: u64 = 1_735_066_639_761;
const WAIT: Duration = Duration::from_secs(20);

fn key() -> Key {
    Key::new(&Secret::new("s3cr3t"))
}

fn delivery_at(now_ms: u64, body: &str) -> Delivery {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let headers = Headers::of_delivery(Some(&key()), now_ms, None, &body);
    Delivery { method: "POST".to_owned(), target: "/".to_owned(), headers, body, transfer: Transfer::Whole }
}

fn valid() -> Delivery {
    delivery_at(NOW, r#"{"event":"person.created","data":{"id":"abc12345"}}"#)
}

/// A receiver with a fixed clock, and what it processes.
fn receiver() -> (Receiver, Arc<Mutex<Vec<Observed>>>) {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let keep = observed.clone();
    let observer = Arc::new(move |observation| keep.lock().unwrap().push(observation));
    (Receiver::new(Settings::new(Secret::new("s3cr3t")), Clock::fixed(NOW), observer), observed)
}

#[test]
fn reference_receiver_processes_repeated_delivery_once() {
    let (receiver, observed) = receiver();
    let again = delivery_at(NOW + 5000, r#"{"event":"person.created","data":{"id":"abc12345"}}"#);
    for delivery in [valid(), valid(), again] {
        assert_eq!(receiver.answer(&delivery).status, 200);
    }
    let other = delivery_at(NOW, r#"{"event":"person.updated","data":{"id":"abc12345"}}"#);
    assert_eq!(receiver.answer(&other).status, 200);
    let events: Vec<String> = observed.lock().unwrap().iter().map(|one| one.event.clone()).collect();
    assert_eq!(events, ["person.created", "person.updated"]);
}

#[test]
fn reference_receiver_forgets_oldest_delivery_first() {
    let observed = Arc::new(AtomicUsize::new(0));
    let count = observed.clone();
    let observer = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let settings = Settings { remembered: 2, ..Settings::new(Secret::new("s3cr3t")) };
    let receiver = Receiver::new(settings, Clock::fixed(NOW), observer);
    let body = |number: u32| format!(r#"{{"event":"person.created","data":{{"id":"{number}"}}}}"#);
    for number in [1, 2, 3, 3, 2, 1] {
        receiver.answer(&delivery_at(NOW, &body(number)));
    }
    assert_eq!(
        observed.load(Ordering::SeqCst),
        4,
        "1, 2 and 3 are new, and 1 was forgotten when it was repeated"
    );
}

#[test]
fn reference_receiver_window_is_five_minutes_both_ways() {
    let (receiver, _) = receiver();
    let at = |ms| receiver.answer(&delivery_at(ms, r#"{"event":"a.b","data":{}}"#)).status;
    for (ms, status) in [
        (NOW - 300_000, 200),
        (NOW + 300_000, 200),
        (NOW - 300_001, 401),
        (NOW + 300_001, 401),
        (NOW / 1000, 401),
        (0, 401),
    ] {
        assert_eq!(at(ms), status, "{ms}");
    }
}

#[test]
fn reference_receiver_rejects_with_fitting_status() {
    let (receiver, observed) = receiver();
    let altered = |change: &dyn Fn(&mut Delivery)| {
        let mut delivery = valid();
        change(&mut delivery);
        receiver.answer(&delivery).status
    };
    assert_eq!(altered(&|one| "GET".clone_into(&mut one.method)), 405);
    for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER] {
        assert_eq!(altered(&|one| one.headers.remove(name)), 401);
        assert_eq!(altered(&|one| one.headers.set(name, "")), 401);
        let doubled = |one: &mut Delivery| one.headers.add(name, one.headers.single(name).unwrap().clone());
        assert_eq!(altered(&doubled), 401);
    }
    assert_eq!(altered(&|one| one.headers.set(SIGNATURE_HEADER, &b"\xe9"[..])), 401);
    assert_eq!(altered(&|one| one.headers.set(TIMESTAMP_HEADER, &b"\xe9"[..])), 401);
    for body in ["", "[]", "null", "\"x\"", "{}", r#"{"event":""}"#, r#"{"event":7}"#, r#"{"event":"a.b""#] {
        assert_eq!(receiver.answer(&delivery_at(NOW, body)).status, 400, "{body}");
    }
    assert!(observed.lock().unwrap().is_empty(), "a rejected delivery was processed");
}

#[test]
fn reference_receiver_accepts_any_json_object() {
    let (receiver, observed) = receiver();
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for rest in [
        r#""data":{"id":"1","lone":"\ud800"}"#,
        r#""data":{"id":"1","big":123456789012345678901234567890,"tiny":1e-400}"#,
        r#""data":{"id":"1"},"data":{"id":"2"}"#,
        &format!(r#""data":{{"id":"1","deep":{deep}}}"#),
    ] {
        let body = format!(" {{ \"event\" : \"person.created\",\n{rest} }}\n");
        assert_eq!(receiver.answer(&delivery_at(NOW, &body)).status, 200, "{body}");
    }
    let shipped = r#"{"eventName":"metadata.view.deleted","event":{"recordId":"r1","metadataName":"view"}}"#;
    assert_eq!(receiver.answer(&delivery_at(NOW, shipped)).status, 200);
    let last = observed.lock().unwrap().pop().unwrap();
    assert_eq!(last, Observed { event: "metadata.view.deleted".to_owned(), id: Some("r1".to_owned()) });
}

#[tokio::test]
async fn reference_receiver_answers_413_past_body_limit() {
    let (receiver, _) = receiver();
    let server = http::serve(([127, 0, 0, 1], 0).into(), Arc::new(receiver)).await.unwrap();
    let target = Target::parse(&server.url("/")).unwrap();
    let client = Client::new(WAIT, Clock::fixed(NOW));
    for (length, status) in [(5 * 1024 * 1024 - 100, 200), (6 * 1024 * 1024, 413)] {
        let body = format!(r#"{{"event":"a.b","data":{{"x":"{}"}}}}"#, "x".repeat(length));
        let exchange = client.send(&target, &delivery_at(NOW, &body)).await;
        assert_eq!(exchange.outcome.status(), Some(status), "{length}: {}", exchange.outcome);
    }
}

/// An endpoint of another server: it answers 200 to everything and counts requests.
struct Endpoint {
    server: MockServer,
    arrived: Arc<Semaphore>,
}

struct Counts(Arc<Semaphore>);

impl Respond for Counts {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.0.add_permits(1);
        ResponseTemplate::new(200)
    }
}

impl Endpoint {
    async fn start() -> Self {
        let (server, arrived) = (MockServer::start().await, Arc::new(Semaphore::new(0)));
        Mock::given(any()).respond_with(Counts(arrived.clone())).mount(&server).await;
        Self { server, arrived }
    }

    fn url(&self) -> String {
        format!("{}/", self.server.uri())
    }

    /// Waits until this many requests have arrived, and checks that no more did.
    async fn wait(&self, count: usize) -> Vec<Request> {
        let permits = u32::try_from(count).unwrap();
        timeout(WAIT, self.arrived.acquire_many(permits))
            .await
            .expect("a delivery did not arrive")
            .unwrap()
            .forget();
        let received = self.server.received_requests().await.unwrap();
        assert_eq!(received.len(), count);
        received
    }
}

fn sender(dialect: &'static Dialect) -> Sender {
    let transport = Arc::new(Pooled::new(ANSWER_WAIT).unwrap());
    Sender::new(dialect, Clock::system(), Random::from_seed(1), transport)
}

#[tokio::test]
async fn reference_sender_applies_filters() {
    let (endpoint, all) = (Endpoint::start().await, Endpoint::start().await);
    let sender = sender(&SHIPPED);
    let filter = vec!["person.*".to_owned(), "*.deleted".to_owned()];
    sender.create_webhook(&endpoint.url(), Some(&Secret::new("a")), Some(filter)).unwrap();
    sender.create_webhook(&all.url(), Some(&Secret::new("b")), Some(vec!["*.*".to_owned()])).unwrap();
    let samples = SHIPPED.samples();
    for event in &samples {
        sender.emit(event);
    }
    // Metadata events match neither.
    let is_record = |name: &EventName| !name.object().starts_with("metadata.");
    let wanted =
        |name: &EventName| name.object() == "person" || is_record(name) && name.action() == "deleted";
    let expected = samples.iter().filter(|event| wanted(&event.name)).count();
    all.wait(samples.len()).await;
    endpoint.wait(expected).await;
}

#[tokio::test]
async fn reference_sender_signs_only_with_a_secret_and_sends_new_nonces() {
    let (unsigned, signed) = (Endpoint::start().await, Endpoint::start().await);
    let sender = sender(&SHIPPED);
    sender.create_webhook(&unsigned.url(), None, None).unwrap();
    sender.create_webhook(&signed.url(), Some(&Secret::new("b")), None).unwrap();
    let event = SHIPPED.sample("person.created").unwrap();
    for _ in 0..5 {
        sender.emit(&event);
    }
    let is_signed =
        |request: &Request| request.headers.keys().any(|name| name.as_str().starts_with("x-twenty"));
    assert!(!unsigned.wait(5).await.iter().any(is_signed));
    let nonce = |request: &Request| request.headers[NONCE_HEADER].as_bytes().to_vec();
    let mut nonces: Vec<Vec<u8>> = signed.wait(5).await.iter().map(nonce).collect();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 5);
}

/// Never answers.
struct Hangs;

impl Handler for Hangs {
    fn handle(&self, _: Delivery) -> BoxFuture<'_, Option<Response>> {
        std::future::pending().boxed()
    }
}

#[tokio::test]
async fn reference_sender_is_not_delayed_by_hanging_or_dead_endpoints() {
    let hanging = plain::serve(Arc::new(Hangs)).await.unwrap();
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let healthy = Endpoint::start().await;
    let sender = sender(&DOCUMENTED);
    sender.create_webhook(&hanging.url("/"), Some(&Secret::new("a")), None).unwrap();
    let dead = sender.create_webhook(&dead, Some(&Secret::new("b")), None).unwrap();
    sender.create_webhook(&healthy.url(), Some(&Secret::new("c")), None).unwrap();
    let event = DOCUMENTED.sample("person.created").unwrap();
    let began = Instant::now();
    // More than the sender sends to one webhook at the same time.
    for _ in 0..100 {
        sender.emit(&event);
    }
    healthy.wait(100).await;
    assert!(began.elapsed() < ANSWER_WAIT, "the healthy endpoint waited for the hanging one");
    let settled = sender.outcomes(dead).unwrap();
    assert!(settled.iter().all(|one| !one.delivered && one.status.is_none()));
}

#[test]
fn reference_sender_rejects_malformed_urls() {
    let sender = Sender::new(
        &DOCUMENTED,
        Clock::fixed(NOW),
        Random::from_seed(1),
        Arc::new(Pooled::new(ANSWER_WAIT).unwrap()),
    );
    for url in ["", "hook", "ftp://127.0.0.1/"] {
        assert!(sender.create_webhook(url, None, None).unwrap_err().contains(url));
    }
    assert!(!sender.delete_webhook(1));
    assert!(sender.outcomes(1).is_none());
}

#[test]
fn filters_match_as_in_twenty() {
    let name = |text: &str| EventName::new(text);
    for (pattern, event, matches) in [
        ("*.*", "person.created", true),
        ("*.*", "metadata.view.deleted", true),
        ("person.*", "person.created", true),
        ("person.*", "company.created", false),
        ("*.created", "rocket.created", true),
        ("*.created", "rocket.updated", false),
        ("person.created", "person.created", true),
        ("person", "person.created", false),
    ] {
        assert_eq!(name(event).matches(pattern), matches, "{pattern} on {event}");
    }
}

#[test]
fn parses_members_as_raw_text() {
    let members = Members::parse(br#" {"a": 1.0 ,"b":{"c":[ 1 ]},"a":2e3} "#).unwrap();
    assert_eq!(members.get("a").unwrap().get(), "2e3");
    assert_eq!(members.get("b").unwrap().get(), r#"{"c":[ 1 ]}"#);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["a", "b", "a"]);
    for (body, found) in
        [("[]", "an array"), ("\"x\"", "text"), ("null", "null"), ("true", "a boolean"), ("-1", "a number")]
    {
        assert!(
            matches!(Members::parse(body.as_bytes()), Err(NotAnObject::OtherType(other)) if other == found)
        );
    }
    for body in [&b"{"[..], b"", b"{}{}", b"\xEF\xBB\xBF{}", b"{\"a\":\"\xff\"}"] {
        assert!(matches!(Members::parse(body), Err(NotAnObject::NotJson(_))));
    }
}
