//! A running Twenty as the sender of a run: rehearsed before, driven through its API, and cleaned up after every end.
//!
//! Invariant: what a run made is removed before the run is reported, however it ended.

use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;

use crate::api::messages;
use crate::clock::Clock;
use crate::error::{Error, StartFailure, SubjectError};
use crate::subject::twenty::adapter::Twenty as Adapter;
use crate::subject::twenty::api::{Api, Version};
use crate::subject::twenty::cleanup::{self, Leftovers, Removal};
use crate::subject::twenty::error::ApiError;
use crate::subject::twenty::outbound;
use crate::subject::twenty::pace::RateLimits;
use crate::subject::twenty::transport::{Call, Network, Recorder};
use crate::suite::requirement::Requirement;
use crate::suite::run::{self, Options, Progress, Run};
use crate::suite::transcript::{Ending, Transcript};
use crate::webhook::signature::Secret;
use crate::wire::client::Target;
use crate::wire::endpoint::scripted::Place;

/// The most calls in a second.
const PER_SECOND: usize = 100;
/// The version that a rehearsal plays: it makes no call, so it asks no server for its own.
const REHEARSED: &str = "2.31.0";

/// A Twenty that a run drives.
#[derive(Debug, Clone)]
pub(crate) struct Twenty {
    server: Target,
    key: Secret,
    limits: RateLimits,
    /// What distinguishes the run from others: 32 hexadecimal digits.
    run: String,
}

/// What a run will do there.
#[derive(Debug, Clone)]
pub(crate) struct Rehearsed {
    /// Every call, the removal of what was made among them.
    pub(crate) calls: Vec<Call>,
    /// How long they take at least.
    pub(crate) at_least: Duration,
}

/// What a run makes there, each with its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) webhooks: usize,
    pub(crate) records: usize,
    pub(crate) objects: usize,
}

impl Rehearsed {
    /// What the run makes.
    pub(crate) fn made(&self) -> Amounts {
        let mut made = Amounts::default();
        for call in self.calls.iter().filter(|call| call.method == "POST") {
            let path = call.path.split('?').next().unwrap_or_default();
            match path.strip_prefix("/rest/metadata/") {
                Some("webhooks") => made.webhooks += 1,
                Some("objects") => made.objects += 1,
                Some(_) => {}
                None if path.starts_with("/rest/batch/") => made.records += in_list(call),
                None => made.records += 1,
            }
        }
        made
    }
}

/// How many records a call creates together.
fn in_list(call: &Call) -> usize {
    let body = call.body.as_deref().unwrap_or_default();
    serde_json::from_str::<Vec<IgnoredAny>>(body).map_or(0, |records| records.len())
}

impl Twenty {
    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The most calls in a minute.
    pub(crate) fn calls_per_minute(&self) -> usize {
        self.limits.per_minute
    }

    /// The Twenty at this address. `run` is random: 32 hexadecimal digits.
    pub(crate) fn at(server: Target, key: Secret, calls_per_minute: usize, run: String) -> Self {
        let limits =
            RateLimits { per_second: PER_SECOND.min(calls_per_minute), per_minute: calls_per_minute };
        Self { server, key, limits, run }
    }

    /// Finds out what a run will do, without a call.
    ///
    /// Errors: the suite's own test vectors fail, or the endpoints cannot be started.
    pub(crate) async fn rehearse(
        &self,
        selected: &[&'static Requirement],
        options: &Options,
    ) -> Result<Rehearsed, Error> {
        let recorder = Arc::new(Recorder::new(self.server.url(), REHEARSED));
        let adapter = Adapter::new(Api::new(recorder.clone(), self.limits), &*self.run);
        let rehearsed = Options { keeper: None, requests: Arc::default(), ..options.clone() };
        run::sender(&adapter, selected, &rehearsed.rehearsing(), &|_| {}).await?;
        adapter.stop().await;
        let calls = recorder.calls();
        Ok(Rehearsed { at_least: self.limits.time_for(calls.len()), calls })
    }

    /// Runs the suite against it. `removing` is called with how many things will be removed.
    ///
    /// Errors: it cannot be reached, does not accept the key, or nothing that it was made to send arrived.
    pub(crate) async fn run(
        &self,
        selected: &[&'static Requirement],
        options: &Options,
        progress: &(dyn Fn(Progress) + Sync),
        removing: &(dyn Fn(usize) + Sync),
    ) -> (Result<Run, Error>, Removal) {
        let adapter = Adapter::new(self.api(options.limits.timeout, &options.clock), &*self.run);
        let run = run::sender(&adapter, selected, options, progress).await;
        removing(adapter.left());
        let removal = adapter.stop().await;
        let run =
            run.and_then(|run| match silence(&run, &adapter.version(), (&self.server, &options.place)) {
                Some(failure) => Err(SubjectError::NotStarted(Box::new(failure)).into()),
                None => Ok(run),
            });
        (run, removal)
    }

    /// Finds what earlier runs left there.
    ///
    /// Errors: it cannot be reached, is no Twenty, or does not accept the key.
    pub(crate) async fn leftovers(&self, wait: Duration) -> Result<Leftovers, Error> {
        cleanup::find(&self.api(wait, &Clock::system())).await.map_err(at_start)
    }

    /// Removes what earlier runs left there. `removing` is called with how many things will be removed.
    ///
    /// Errors: as those of [`Twenty::leftovers`].
    pub(crate) async fn clean_up(
        &self,
        wait: Duration,
        removing: &(dyn Fn(usize) + Sync),
    ) -> Result<Removal, Error> {
        cleanup::clean_up(&self.api(wait, &Clock::system()), removing).await.map_err(at_start)
    }

    fn api(&self, wait: Duration, clock: &Clock) -> Api {
        let network = Network::new(self.server.clone(), self.key.clone(), wait, clock.clone());
        Api::new(Arc::new(network), self.limits)
    }
}

fn at_start(error: ApiError) -> Error {
    error.at_start().into()
}

/// Why nothing arrived, if nothing did although the run was not interrupted.
fn silence(run: &Run, version: &Version, (server, place): (&Target, &Place)) -> Option<StartFailure> {
    let transcript: &Transcript = &run.transcript;
    let was_asked = !transcript.emissions.is_empty();
    if run.interrupted || !was_asked || !transcript.arrivals.is_empty() || !transcript.broken.is_empty() {
        return None;
    }
    let refused = transcript.endings.iter().find_map(|(_, ending)| match ending {
        Ending::RequestFailed(why) | Ending::Died(why) => Some(why.clone()),
        _ => None,
    });
    if let Some(why) = refused {
        return Some(StartFailure { fault: why, ..StartFailure::default() });
    }
    Some(StartFailure {
        fault: messages::nothing_arrived(&server.url(), version.0.as_deref(), place.host()),
        fixes: outbound::fixes(version, place.host(), place.is_loopback()),
        ..StartFailure::default()
    })
}
