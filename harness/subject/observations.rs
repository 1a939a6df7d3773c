//! What a receiver says that it processed: lines on its stdout, answers of a URL, or calls of the reference receiver.
//!
//! Invariant: bounded. Lines longer than 64 KiB are skipped, nothing is kept unless it is asked for, and what is kept has a
//! budget.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::observed::{Observations, Observed, ObservedText};
use super::{SubjectError, messages};
use crate::budget::OBSERVATIONS_ANSWER;
use crate::clock::Clock;
use crate::wire::client::{Client, Target};
use crate::wire::codec::quote;
use crate::wire::exchange::{Delivery, Headers, Outcome};

/// The longest line that is parsed, in bytes.
const MAX_LINE: usize = 64 * 1024;
const PACE: Duration = Duration::from_millis(20);

/// Where a receiver says what it processed.
#[derive(Debug, Clone)]
pub enum Source {
    /// Observations arrive from its stdout, or from the reference receiver.
    Pushed(Observing),
    /// Observations are read from a URL, again and again.
    Polled(Target),
}

/// The observations so far.
#[derive(Debug, Clone, Default)]
pub struct Observing(Arc<Log>);

#[derive(Debug, Default)]
struct Log {
    seen: Mutex<Observations>,
    more: Notify,
    /// Whether they are wanted from the lines of a stream.
    wanted: AtomicBool,
}

#[derive(Debug, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    observed: ObservedText<'a>,
}

impl Observing {
    pub fn add(&self, observed: Observed) {
        self.with(|seen| seen.add(observed));
        self.0.more.notify_waiters();
    }

    /// From now on, lines of a stream that is read are observations.
    pub(super) fn begin(&self) {
        self.0.wanted.store(true, Ordering::Relaxed);
    }

    /// Reads a stream to its end; other lines are skipped, and all of them if observations are not wanted.
    pub(super) async fn read<R: AsyncRead + Unpin>(self, stream: R) {
        let mut stream = BufReader::with_capacity(MAX_LINE, stream);
        let mut line = Vec::new();
        // Whether the stream is inside a line that is too long.
        let mut inside = false;
        while let Ok(1..) = (&mut stream).take(MAX_LINE as u64).read_until(b'\n', &mut line).await {
            let whole = line.last() == Some(&b'\n') || line.len() < MAX_LINE;
            if whole && !inside && self.0.wanted.load(Ordering::Relaxed) {
                self.read_line(&line);
            }
            inside = !whole;
            line.clear();
        }
    }

    fn read_line(&self, line: &[u8]) {
        // Most lines of most receivers are something else, and there may be many.
        let is_object = line.trim_ascii_start().first() == Some(&b'{');
        if is_object
            && memmem::find(line, b"\"observed\"").is_some()
            && let Ok(Line { observed }) = serde_json::from_slice(line)
        {
            self.with(|seen| seen.add_text(observed));
            self.0.more.notify_waiters();
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Observations) -> T) -> T {
        look(&mut self.0.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Source {
    /// Waits until the observations are `enough`, or `wait` is over. Returns all of them.
    ///
    /// Errors: [`SubjectError::ProtocolViolation`] if the URL does not answer with a JSON array of observations.
    pub(crate) async fn until(
        &self,
        wait: Duration,
        mut enough: impl FnMut(&Observations) -> bool,
    ) -> Result<Observations, SubjectError> {
        let deadline = Instant::now() + wait;
        loop {
            match self {
                Self::Pushed(observations) => {
                    // Subscribe before looking, so that no arrival in between is missed.
                    let more = observations.0.more.notified();
                    if observations.with(|seen| enough(seen)) || timeout_at(deadline, more).await.is_err() {
                        return Ok(observations.with(|seen| seen.clone()));
                    }
                }
                Self::Polled(target) => {
                    let seen = ask(target).await?;
                    if enough(&seen) || Instant::now() >= deadline {
                        return Ok(seen);
                    }
                    sleep(PACE).await;
                }
            }
        }
    }
}

async fn ask(target: &Target) -> Result<Observations, SubjectError> {
    let broke = |why: String| SubjectError::ProtocolViolation(messages::no_observations(&target.url(), &why));
    let delivery = Delivery::new("GET", &target.path, Headers::default(), Bytes::new());
    // The time of day does not matter here.
    let client = Client::new(Duration::from_secs(10), Clock::fixed(0)).keeping(OBSERVATIONS_ANSWER);
    let response = match client.send(target, &delivery).await.outcome {
        Outcome::Answered(response) if response.status == 200 => response,
        other => return Err(broke(messages::observe_answered(other))),
    };
    if response.cut > 0 {
        return Err(broke(messages::observe_answer_too_long(OBSERVATIONS_ANSWER)));
    }
    list(&response.body).map_err(|why| broke(messages::invalid_observations(why, &quote(&response.body))))
}

/// Reads a JSON array one observation at a time.
fn list(json: &[u8]) -> Result<Observations, serde_json::Error> {
    struct Each;

    impl<'de> Visitor<'de> for Each {
        type Value = Observations;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Observations, A::Error> {
            let mut all = Observations::default();
            while let Some(one) = list.next_element()? {
                all.add_text(one);
            }
            Ok(all)
        }
    }

    let mut text = serde_json::Deserializer::from_slice(json);
    let all = text.deserialize_seq(Each)?;
    text.end()?;
    Ok(all)
}
