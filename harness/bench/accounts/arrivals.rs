//! Verifies and reads each delivery that arrives, and counts it in the ledger.
//!
//! A body is read only after its signature is verified. No secret leaves the accounts.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::bench::accounts::entry::LedgerEntry;
use crate::bench::accounts::envelope::{Envelope, Unreadable};
use crate::bench::accounts::ledger::{Defect, Identity, KEPT, Ledger, VerifiedArrival, WrongArrival};
use crate::bench::accounts::messages;
use crate::bench::accounts::seen::Mark;
use crate::bench::generate::ids::{Ids, Numbered};
use crate::clock::Clock;
use crate::redaction::Redaction;
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::endpoint::intake::{AnswerBytes, Broken, Intake, IntakeAnswer, Request};

/// The answer to a verified delivery.
const ACCEPTED: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
pub const LEDGER_PATH: &str = "/ledger";

pub enum Webhooks {
    At(Vec<(String, Secret)>),
    /// Any path, with one secret for all.
    Anywhere(Secret),
}

/// Is notified of each arrival.
pub trait ArrivalListener: Send + Sync + 'static {
    /// A verified delivery; `mark` says whether it arrived before.
    fn verified(&self, webhook: usize, identity: &Identity<'_>, mark: Option<Mark>);

    /// A wrong delivery, with the unverified id in its body.
    fn wrong(&self, webhook: usize, defect: Defect, claimed: Option<Numbered>);
}

pub struct Accounts {
    dialect: &'static Dialect,
    clock: Clock,
    /// How far a timestamp may be from the current time, in milliseconds; `None` for no limit.
    window_ms: Option<u64>,
    /// The number and the key of each webhook, by path.
    paths: HashMap<Box<[u8]>, (usize, Key)>,
    /// The key of all other paths, if they are accepted.
    anywhere: Option<Key>,
    redaction: Redaction,
    listener: Option<Box<dyn ArrivalListener>>,
    ledger: Mutex<Ledger>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Accounts of these webhooks. Without a window any timestamp is accepted.
    pub fn new(
        webhooks: Webhooks,
        dialect: &'static Dialect,
        clock: Clock,
        window: Option<Duration>,
        redaction: Redaction,
    ) -> Self {
        let mut ledger = Ledger::default();
        let (paths, anywhere) = match webhooks {
            Webhooks::Anywhere(secret) => (HashMap::new(), Some(Key::new(&secret))),
            Webhooks::At(webhooks) => {
                let keyed = webhooks.into_iter().map(|(path, secret)| {
                    let number = ledger.webhook(path.as_bytes());
                    (path.into_bytes().into(), (number, Key::new(&secret)))
                });
                (keyed.collect(), None)
            }
        };
        let window_ms = window.map(|window| u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
        let ledger = Mutex::new(ledger);
        Self { dialect, clock, window_ms, paths, anywhere, redaction, listener: None, ledger }
    }

    pub fn with_listener(self, listener: impl ArrivalListener) -> Self {
        Self { listener: Some(Box::new(listener)), ..self }
    }

    /// The accounts so far. `settled` says that nothing is in flight, so that gaps are losses.
    pub fn entry(&self, settled: bool) -> LedgerEntry {
        self.ledger().entry(settled, &self.redaction)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The webhook with that path, and its key. If any path is accepted, only a verified delivery opens an account for one.
    fn webhook(&self, path: &[u8]) -> Option<(Option<usize>, &Key)> {
        match &self.anywhere {
            Some(key) => Some((self.ledger().known(path), key)),
            None => self.paths.get(path).map(|(number, key)| (Some(*number), key)),
        }
    }

    /// The defect of a request, or the content of its body.
    fn judge<'a>(
        &self,
        key: &Key,
        request: &Request<'a>,
        now_ms: u64,
    ) -> Result<Envelope<'a>, (Defect, String)> {
        let plain = |defect| (defect, String::new());
        let (mut signature, mut timestamp) = (None, None);
        for header in request.headers {
            // Both names have the same length.
            if header.name.len() != SIGNATURE_HEADER.len() {
                continue;
            }
            let place = if header.name.eq_ignore_ascii_case(SIGNATURE_HEADER) {
                &mut signature
            } else if header.name.eq_ignore_ascii_case(TIMESTAMP_HEADER) {
                &mut timestamp
            } else {
                continue;
            };
            if place.replace(header.value).is_some() {
                return Err(plain(Defect::TwoHeaders));
            }
        }
        let timestamp = timestamp.ok_or_else(|| plain(Defect::MissingTimestamp))?;
        let signature = signature.ok_or_else(|| plain(Defect::MissingSignature))?;
        if !key.verify(timestamp, request.body, signature) {
            return Err(plain(Defect::Signature));
        }
        let sent_ms = milliseconds(timestamp).ok_or_else(|| plain(Defect::Stale))?;
        if self.window_ms.is_some_and(|window| now_ms.abs_diff(sent_ms) > window) {
            return Err((Defect::Stale, messages::off_by(now_ms.abs_diff(sent_ms))));
        }
        Envelope::read(self.dialect, request.body).map_err(|why| match why {
            Unreadable::NotJson => plain(Defect::NotJson),
            Unreadable::Shape(why) => (Defect::Shape, why),
        })
    }

    fn deliver(&self, request: &Request<'_>) -> AnswerBytes {
        let now_ms = self.clock.now_ms();
        let bytes = request.head.len() + request.body.len();
        let webhook = self.webhook(request.target.as_bytes());
        let judged = match (request.method, webhook) {
            ("POST", Some((_, key))) => self.judge(key, request, now_ms),
            ("POST", None) => Err((Defect::Path, String::new())),
            _ => Err((Defect::Method, String::new())),
        };
        match (judged, webhook) {
            (Ok(envelope), Some((known, _))) => {
                let identity = identity(&envelope);
                let webhook = known.unwrap_or_else(|| self.ledger().webhook(request.target.as_bytes()));
                let mark = self.ledger().verified(&VerifiedArrival {
                    webhook,
                    identity,
                    what: format_args!("{} {}", envelope.event, envelope.id.unwrap_or_default()),
                    bytes,
                    at_ms: now_ms,
                });
                if let Some(listener) = &self.listener {
                    listener.verified(webhook, &identity, mark);
                }
                ACCEPTED.into()
            }
            (Err((defect, detail)), webhook) => {
                let webhook = webhook.and_then(|(number, _)| number);
                let rest = KEPT.saturating_sub(request.head.len()).min(request.body.len());
                let whole = [request.head, &request.body[..rest]].concat();
                self.ledger().wrong(&WrongArrival {
                    webhook,
                    defect,
                    detail: &detail,
                    request: &whole,
                    bytes,
                    at_ms: now_ms,
                });
                if let (Some(listener), Some(webhook)) = (&self.listener, webhook) {
                    listener.wrong(webhook, defect, self.claimed(request.body));
                }
                rejection(defect, &detail)
            }
            (Ok(_), None) => unreachable!("a request to no webhook is not judged"),
        }
    }

    /// The id in an unverified body: reliable if all arrivals are from one sender.
    fn claimed(&self, body: &[u8]) -> Option<Numbered> {
        Ids::read(Envelope::read(self.dialect, body).ok()?.id_text()?.as_bytes())
    }
}

impl Intake for Accounts {
    fn handle(&self, request: &Request<'_>) -> IntakeAnswer<'_> {
        let path = request.target.split('?').next().unwrap_or_default();
        if request.method == "GET" && path == LEDGER_PATH {
            // The client says that nothing is in flight any more.
            let settled = request.target.split('?').nth(1).is_some_and(|query| query == "settled");
            let body = serde_json::to_string(&self.entry(settled)).unwrap_or_default();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .into_bytes();
            return IntakeAnswer::Now(answer.into());
        }
        IntakeAnswer::Now(self.deliver(request))
    }

    fn broken(&self, what: Broken, arrived: &[u8]) -> Option<BoxFuture<'_, ()>> {
        let defect = match what {
            Broken::Malformed(_) => Defect::Malformed,
            Broken::TooLarge => Defect::TooLarge,
            Broken::Slow => Defect::Slow,
            Broken::CutOff => Defect::CutOff,
        };
        let at_ms = self.clock.now_ms();
        self.ledger().wrong(&WrongArrival {
            webhook: None,
            defect,
            detail: "",
            request: arrived,
            bytes: arrived.len(),
            at_ms,
        });
        None
    }
}

fn identity<'a>(envelope: &Envelope<'a>) -> Identity<'a> {
    match (envelope.id_text().and_then(|id| Ids::read(id.as_bytes())), envelope.id) {
        (Some(numbered), _) => Identity::Numbered(numbered),
        (None, Some(id)) => Identity::Other(envelope.event, id, envelope.time),
        (None, None) => Identity::None,
    }
}

fn milliseconds(timestamp: &[u8]) -> Option<u64> {
    let digits = timestamp.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(timestamp).ok().filter(|_| digits)?.parse().ok()
}

fn rejection(defect: Defect, detail: &str) -> AnswerBytes {
    let status = defect.status();
    let reason = match status {
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Bad Request",
    };
    let body = format!("{}\n", messages::with_detail(defect.describe(), detail));
    let allow = if defect == Defect::Method { "Allow: POST\r\n" } else { "" };
    let length = body.len();
    format!("HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\n{allow}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
        .into()
}
