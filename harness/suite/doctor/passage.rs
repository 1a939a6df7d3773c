//! Sends requests to a URL that leads back to this machine, through a proxy or a tunnel, and compares what was sent with what
//! arrives, and what was answered with what comes back.
//!
//! Invariant: a request that arrives is taken for what was sent only if it has the mark of that one, or if the answer to it came back.
//! Others are counted.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Cut;
use super::visit::{Plan, Surroundings, reach};
use crate::webhook::signature::{Key, NONCE_HEADER};
use crate::wire::client::look::{Looker, Told, sent_headers};
use crate::wire::endpoint::witness::{Witness, Witnessed};
use crate::wire::exchange::{Delivery, Headers, Outcome, Response, Transfer};

/// The size of the large request.
pub const LARGE: usize = 1024 * 1024;
/// The header that marks an answer of this machine.
pub const MARK: &str = "X-Conform-Answer";
/// Headers with an unusual spelling, twice, and with a byte beyond ASCII.
pub const ODD_NAME: &str = "x-CONFORM-Odd";
pub const TWICE: &str = "X-Conform-Twice";
pub const BYTES: &str = "X-Conform-Bytes";
/// How long a request may take to arrive after it was answered by something else.
const LATE: Duration = Duration::from_millis(300);
const CHUNK: usize = 100;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// A delivery whose body has every spelling that programs print differently.
    Plain,
    /// The same over the connection of the one before, answered 401.
    Again,
    /// A body in two parts with a pause between, answered 500.
    Slow,
    Chunked,
    Expecting,
    Large,
    /// A header twice, and one with a byte beyond ASCII.
    HeaderBytes,
}

/// The order in which they are sent, and the status that answers each.
const PROBES: [(Probe, u16); 7] = [
    (Probe::Plain, 200),
    (Probe::Again, 401),
    (Probe::Chunked, 204),
    (Probe::Expecting, 200),
    (Probe::Slow, 500),
    (Probe::HeaderBytes, 200),
    (Probe::Large, 200),
];

/// A request, what arrived of it, and how the answer came back.
#[derive(Debug, Clone)]
pub struct Passed {
    pub probe: Probe,
    pub delivery: Delivery,
    /// The headers as sent, with those of the connection.
    pub headers: Headers,
    pub began: Instant,
    pub arrived: Vec<Witnessed>,
    /// Bytes that arrived and are no request: why.
    pub malformed: Vec<String>,
    /// The answer that was given.
    pub given: Response,
    pub told: Told,
}

/// What was seen between a URL and this machine.
#[derive(Debug)]
pub struct Passage {
    pub around: Surroundings,
    /// Where this machine listens.
    pub listens: String,
    pub passed: Vec<Passed>,
    /// How many requests of others arrived.
    pub strays: usize,
}

impl Passage {
    /// Nothing was seen yet.
    pub fn of(plan: &Plan, witness: &Witness) -> Self {
        let around = Surroundings::of(plan);
        Self { around, listens: witness.address().to_string(), passed: Vec::new(), strays: 0 }
    }

    pub(super) fn passed(&self, probe: Probe) -> Option<&Passed> {
        self.passed.iter().find(|passed| passed.probe == probe)
    }
}

impl Passed {
    pub(super) fn first(&self) -> Option<&Witnessed> {
        self.arrived.first()
    }
}

/// Measures, and adds what is seen to `seen`.
pub async fn measure(plan: &Plan, witness: &Witness, seen: &mut Passage) {
    if !reach(plan, &mut seen.around).await {
        return;
    }
    let mut looker = Looker::new(plan.target.clone(), plan.timeout);
    for (probe, status) in PROBES {
        if plan.max_time.is_over() {
            seen.around.cut = Some(Cut::Time);
            return;
        }
        looker.wait(plan.timeout.min(plan.max_time.left()));
        let mark = plan.mark(probe);
        let delivery = plan.request(probe, &mark);
        let given = answer(status, &mark);
        witness.answer(given.clone());
        let (before, began) = (witness.count(), Instant::now());
        let told = match probe {
            Probe::Slow => looker.send_slowly(&delivery).await,
            _ => looker.send(&delivery).await,
        };
        let is_there = |all: &[Witnessed], malformed: &[String]| {
            !malformed.is_empty() || all.iter().any(|one| has(&one.delivery, &mark))
        };
        let (all, malformed) = witness.wait(before, LATE, is_there).await;
        let count = all.len();
        let (mut arrived, mut others): (Vec<Witnessed>, Vec<Witnessed>) =
            all.into_iter().partition(|one| has(&one.delivery, &mark));
        if arrived.is_empty() && came_back(&told.outcome, &mark) {
            // Its marks are lost, but this machine has answered it.
            arrived.extend(others.pop());
        }
        seen.strays += count - arrived.len();
        let headers = sent_headers(&delivery, &plan.target);
        let has_arrived = !arrived.is_empty();
        seen.passed.push(Passed { probe, delivery, headers, began, arrived, malformed, given, told });
        if probe == Probe::Plain && !has_arrived {
            return;
        }
    }
}

/// Whether a request has a mark anywhere.
fn has(delivery: &Delivery, mark: &str) -> bool {
    let contains = |bytes: &[u8]| memchr::memmem::find(bytes, mark.as_bytes()).is_some();
    contains(&delivery.body) || delivery.headers.0.iter().any(|(_, value)| contains(value))
}

/// Whether an answer is the one of this machine.
fn came_back(outcome: &Outcome, mark: &str) -> bool {
    matches!(outcome, Outcome::Answered(answer) if answer.headers.all(MARK).any(|value| value == mark))
}

/// The answer of this machine.
fn answer(status: u16, mark: &str) -> Response {
    let mut answer =
        Response::text(status, if status == 204 { String::new() } else { format!("conform {mark}\n") });
    answer.headers.add(MARK, mark.to_owned());
    answer
}

impl Plan {
    /// What no other request has.
    fn mark(&self, probe: Probe) -> String {
        let random = crate::random::Random::from_seed(self.seed ^ probe as u64);
        random.nonce()
    }

    fn request(&self, probe: Probe, mark: &str) -> Delivery {
        let body = body(mark, if probe == Probe::Large { LARGE } else { 0 });
        let key = Key::new(&self.secret);
        let mut headers = Headers::of_delivery(Some(&key), self.clock.now_ms(), None, &body);
        headers.add(NONCE_HEADER, mark.to_owned());
        headers.add(ODD_NAME, "Odd");
        if probe == Probe::HeaderBytes {
            headers.add(TWICE, "one");
            headers.add(TWICE, "two");
            headers.add(BYTES, &b"caf\xe9"[..]);
        }
        let mut delivery = Delivery::new("POST", self.target.path.clone(), headers, body);
        delivery.transfer = match probe {
            Probe::Chunked => Transfer::Chunks(vec![CHUNK; delivery.body.len() / CHUNK]),
            Probe::Expecting => Transfer::Expecting,
            _ => Transfer::Whole,
        };
        delivery
    }
}

/// A body with what programs print differently when they parse it and print it again, filled up to a size.
fn body(mark: &str, size: usize) -> Bytes {
    let begin = format!(
        "{{ \"event\" : \"person.created\",\r\n\"data\":{{\"id\":\"{mark}\",\"name\":\"日本語 👩🏽‍🚀 \\u00e9é <&> \
         a\\/b\",\"number\":1.0,\"large\":12345678901234567890,\"power\":1E2,\"twice\":1,\"twice\":2,\"padding\":\""
    );
    let end = "\"},\"timestamp\":\"2025-01-01T00:00:00.000Z\"}\n";
    let padding = size.saturating_sub(begin.len() + end.len());
    let mut body = begin.into_bytes();
    body.resize(body.len() + padding, b'x');
    body.extend_from_slice(end.as_bytes());
    body.into()
}
