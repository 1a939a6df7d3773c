//! Searches for the highest rate on receivers whose limit is known.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use twenty_conform::bench::measure::load::LoadTarget;
use twenty_conform::bench::measure::report::Limit;
use twenty_conform::bench::measure::search::{FoundRate, SearchPlan, SearchStep, find};
use twenty_conform::bench::measure::verdict::Tolerance;
use twenty_conform::clock::Clock;
use twenty_conform::suite::requirement::Level;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::Secret;

use super::{SECRET, plan, samples};
use crate::peers::receiver::{OK, Peer};

const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";

/// Lets a number of requests per second through, and three at once.
struct Bucket {
    rate: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let grown = self.tokens + now.duration_since(self.filled).as_secs_f64() * self.rate;
        (self.tokens, self.filled) = (grown.min(3.0), now);
        let taken = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(taken));
        taken
    }
}

/// Searches with short trials. Returns what was found, with the steps.
async fn search(peer: &Peer, objective: &str, first: Option<f64>) -> (FoundRate, Vec<String>) {
    let (_never, interrupted) = watch::channel(false);
    let subject = LoadTarget {
        target: &peer.target,
        secret: &Secret::new(SECRET),
        dialect: &DOCUMENTED,
        corpus: &samples(),
        clock: &Clock::system(),
        interrupted: &interrupted,
        live: None,
        idle: None,
    };
    let search_plan = SearchPlan {
        objective: objective.parse().unwrap(),
        text: objective.to_owned(),
        first,
        trial: Duration::from_millis(300),
        tolerance: Tolerance { max_errors: 0.0, fail_on: Level::Must },
    };
    let mut steps = Vec::new();
    let note = |step: SearchStep<'_>| {
        steps.push(match step {
            SearchStep::Saturated(_) => "saturated".to_owned(),
            SearchStep::Tried(trial) => trial.rate.to_string(),
        });
    };
    let found = find(&plan(300), &subject, &search_plan, note).await.unwrap();
    (found, steps)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate_limit_is_found_and_named() {
    let bucket = Arc::new(Mutex::new(Bucket { rate: 200.0, tokens: 0.0, filled: Instant::now() }));
    let peer = Peer::new(move |mut connection| {
        let bucket = bucket.clone();
        async move {
            while connection.request().await.is_some() {
                let passes = bucket.lock().unwrap().take();
                connection.write(if passes { OK } else { TOO_MANY }).await;
            }
        }
    })
    .await;
    let (found, steps) = search(&peer, "errors<5%", None).await;
    let entry = found.entry;
    assert_eq!(steps[0], "saturated");
    let saturation = entry.saturation.unwrap();
    assert!((150.0..260.0).contains(&saturation), "{saturation} pass in a second");
    // A busy machine may deliver unevenly, which a search calls unstable.
    if entry.stable {
        assert_eq!(entry.bounded_by, Some(Limit::RateLimit), "{entry:#?}");
        assert!(entry.found.is_some_and(|rate| rate < 260.0), "{entry:#?}");
    }
    let missed = entry.trials.iter().filter(|trial| trial.bounded_by == Some(Limit::RateLimit)).count();
    assert!(missed >= 2, "a missed rate is tried again: {entry:#?}");
}

#[tokio::test]
async fn receiver_that_rejects_everything_ends_a_search_at_once() {
    let peer = Peer::answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let (found, steps) = search(&peer, "p99<1s", None).await;
    assert_eq!(steps, ["saturated"]);
    assert_eq!((found.entry.found, found.entry.saturation), (None, None));
    assert!(found.entry.trials.is_empty() && found.outcome.counts().refused > 0);
}

#[tokio::test]
async fn given_first_rate_replaces_the_closed_loop() {
    let peer = Peer::answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let (found, steps) = search(&peer, "p99<1s", Some(50.0)).await;
    assert_eq!(steps, ["50"]);
    assert_eq!((found.entry.found, found.entry.saturation), (None, None));
}
