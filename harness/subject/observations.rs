//! What a receiver says that it processed: lines on its stdout, answers of a URL, or calls of the reference receiver.
//!
//! Invariant: bounded. Lines longer than 64 KiB are skipped, and at most a million observations are kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::observed::Observed;
use super::{SubjectError, messages};
use crate::clock::Clock;
use crate::wire::client::{Client, Target};
use crate::wire::codec::quote;
use crate::wire::exchange::{Delivery, Headers, Outcome};

/// The longest line that is parsed, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// How many observations are kept.
const MAX_KEPT: usize = 1_000_000;
const PACE: Duration = Duration::from_millis(20);

/// Where a receiver says what it processed.
#[derive(Debug, Clone)]
pub enum Source {
    /// Observations arrive from its stdout, or from the reference receiver.
    Pushed(Observations),
    /// Observations are read from a URL, again and again.
    Polled(Target),
}

/// The observations so far.
#[derive(Debug, Clone, Default)]
pub struct Observations(Arc<Log>);

#[derive(Debug, Default)]
struct Log {
    seen: Mutex<Vec<Observed>>,
    more: Notify,
}

#[derive(Debug, Deserialize)]
struct Line {
    observed: Observed,
}

impl Observations {
    pub fn add(&self, observed: Observed) {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MAX_KEPT {
            seen.push(observed);
        }
        drop(seen);
        self.0.more.notify_waiters();
    }

    /// Reads a stream to its end; other lines are skipped.
    pub(super) async fn read<R: AsyncRead + Unpin>(self, stream: R) {
        let mut stream = BufReader::with_capacity(MAX_LINE, stream);
        let mut line = Vec::new();
        // Whether the stream is inside a line that is too long.
        let mut inside = false;
        while let Ok(1..) = (&mut stream).take(MAX_LINE as u64).read_until(b'\n', &mut line).await {
            let whole = line.last() == Some(&b'\n') || line.len() < MAX_LINE;
            // Most lines of most receivers are not JSON, and there may be many.
            let object = line.trim_ascii_start().first() == Some(&b'{');
            if whole
                && !inside
                && object
                && let Ok(Line { observed }) = serde_json::from_slice(&line)
            {
                self.add(observed);
            }
            inside = !whole;
            line.clear();
        }
    }

    fn all(&self) -> Vec<Observed> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Source {
    /// Waits until the observations are `enough`, or `wait` is over. Returns all of them.
    ///
    /// Errors: [`SubjectError::ProtocolViolation`] if the URL does not answer with a JSON array of observations.
    pub(crate) async fn until(
        &self,
        wait: Duration,
        mut enough: impl FnMut(&[Observed]) -> bool,
    ) -> Result<Vec<Observed>, SubjectError> {
        let deadline = Instant::now() + wait;
        loop {
            match self {
                Self::Pushed(observations) => {
                    // Subscribe before looking, so that no arrival in between is missed.
                    let more = observations.0.more.notified();
                    let seen = observations.all();
                    if enough(&seen) || timeout_at(deadline, more).await.is_err() {
                        return Ok(observations.all());
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

async fn ask(target: &Target) -> Result<Vec<Observed>, SubjectError> {
    let broke = |why: String| SubjectError::ProtocolViolation(messages::no_observations(&target.url(), &why));
    let delivery = Delivery::new("GET", &target.path, Headers::default(), Bytes::new());
    // The time of day does not matter here.
    let client = Client::new(Duration::from_secs(10), Clock::fixed(0)).keeping(16 * 1024 * 1024);
    let response = match client.send(target, &delivery).await.outcome {
        Outcome::Answered(response) if response.status == 200 => response,
        other => return Err(broke(messages::observe_answered(other))),
    };
    serde_json::from_slice(&response.body)
        .map_err(|why| broke(messages::invalid_observations(why, &quote(&response.body))))
}
