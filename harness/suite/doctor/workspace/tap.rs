//! Calls to a Twenty, with the status, the time and the headers of each answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::subject::twenty::transport::{Call, Network, Transport};
use crate::webhook::signature::Secret;
use crate::wire::client::Target;
use crate::wire::exchange::{Headers, Outcome};

/// An answer without its body.
#[derive(Debug, Clone)]
pub struct Told {
    /// Method and path of the call.
    pub call: String,
    /// When it was sent, in milliseconds since the epoch.
    pub at_ms: u64,
    pub took: Duration,
    /// `None` without an answer.
    pub status: Option<u16>,
    pub headers: Headers,
}

/// The network, with a record of the answers.
pub(super) struct Tap {
    network: Network,
    clock: Clock,
    told: Mutex<Vec<Told>>,
}

impl Tap {
    pub(super) fn new(server: Target, key: Secret, wait: Duration, clock: Clock) -> Self {
        Self { network: Network::new(server, key, wait, clock.clone()), clock, told: Mutex::default() }
    }

    /// The answers so far, in their order.
    pub(super) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for Tap {
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Outcome> {
        async move {
            let (at_ms, began) = (self.clock.now_ms(), Instant::now());
            let outcome = self.network.send(call).await;
            let headers = match &outcome {
                Outcome::Answered(answer) => answer.headers.clone(),
                _ => Headers::default(),
            };
            let (call, took, status) = (call.name(), began.elapsed(), outcome.status());
            let told = Told { call, at_ms, took, status, headers };
            self.told.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            outcome
        }
        .boxed()
    }

    fn server(&self) -> String {
        self.network.server()
    }

    fn redacted(&self, text: &str) -> String {
        self.network.redacted(text)
    }
}
