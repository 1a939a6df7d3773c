//! The rows of a Twenty that was looked at, in the order of a run's calls.

use super::{Arrived, Probe, Told, Workspace};
use crate::subject::twenty::api::Version;
use crate::subject::twenty::error::{ApiError, ApiFault};
use crate::subject::twenty::{mark, outbound};
use crate::suite::cause::Code;
use crate::suite::doctor::clock::{self, Dated, SMALL_MS, WINDOW_MS};
use crate::suite::doctor::messages::workspace as messages;
use crate::suite::doctor::{Findings, Row, State, Topic, reached};

/// Headers in which servers tell a rate limit.
const LIMITS: [&str; 6] = [
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-limit",
    "x-ratelimit-limit",
    "ratelimit-remaining",
    "x-ratelimit-remaining",
];

/// Judges what was seen.
pub fn of(seen: &Workspace) -> Findings {
    let mut rows = reached::rows(&seen.around);
    rows.extend(seen.version.as_ref().map(twenty));
    rows.extend(seen.key.as_ref().map(key));
    rows.extend(seen.object.as_ref().map(object));
    if let Some(probe) = &seen.probe {
        rows.extend(routes(probe, &seen.told));
        rows.push(arrival(seen, probe));
    }
    rows.extend(clock_of_api(&seen.told));
    rows.extend(seen.probe.as_ref().and_then(|probe| probe.arrived.as_ref()).map(clock_of_worker));
    if !seen.told.is_empty() {
        rows.push(rate_limit(&seen.told));
    }
    rows.extend(seen.removal.as_ref().map(|removal| {
        if removal.is_complete() {
            return Row::new(Topic::Cleanup, State::Ok, removal.summary());
        }
        Row::new(Topic::Cleanup, State::Problem, removal.left.join("; ")).fixed_by(messages::clean_up())
    }));
    let subject = seen.around.target.url();
    Findings { subject, rows, requests: seen.told.len(), cut: seen.around.cut }
}

/// A row about a call that failed. `fix` is for one that does not name its own.
fn failed(topic: Topic, error: &ApiError) -> Row {
    use ApiFault::{Lost, NoRoute, NotTwenty, TimedOut, Unreachable};
    let state = match error.fault {
        Unreachable | TimedOut | Lost | NotTwenty | NoRoute => State::Unreachable,
        _ => State::Problem,
    };
    let fix = Some(error.fix.clone()).filter(|fix| !fix.is_empty());
    Row { fix, ..Row::new(topic, state, error.message.clone()) }
}

fn twenty(version: &Result<Version, ApiError>) -> Row {
    match version {
        Ok(Version(Some(version))) => Row::new(Topic::Twenty, State::Ok, messages::version(version)),
        Ok(Version(None)) => Row::new(Topic::Twenty, State::NotKnown, messages::version_unknown()),
        Err(error) if matches!(error.fault, ApiFault::WrongKey | ApiFault::Forbidden) => {
            failed(Topic::ApiKey, error)
        }
        Err(error) => failed(Topic::Twenty, error),
    }
}

fn key(key: &Result<(), ApiError>) -> Row {
    match key {
        Ok(()) => Row::new(Topic::ApiKey, State::Ok, messages::key_is_good()),
        Err(error) => failed(Topic::ApiKey, error),
    }
}

fn object(made: &Result<(), String>) -> Row {
    match made {
        Ok(()) => Row::new(Topic::CustomObject, State::Ok, messages::object_is_made()),
        Err(why) => Row::new(Topic::CustomObject, State::Warning, messages::no_object(why))
            .fixed_by(messages::allow_objects()),
    }
}

/// Which routes there are, as far as the probe needed them.
fn routes(probe: &Probe, told: &[Told]) -> Option<Row> {
    if let Some(why) = &probe.refused {
        return Some(
            Row::new(Topic::Routes, State::Problem, messages::not_driven(why)).fixed_by(messages::read_log()),
        );
    }
    let restored = probe.restored.as_ref()?;
    let route = told.iter().rev().find(|one| one.call.contains("/restore") && one.is_fine());
    Some(match restored {
        Ok(()) => {
            let route = route.map(|one| without_id(&one.call)).unwrap_or_default();
            Row::new(Topic::Routes, State::Ok, messages::routes(&route))
        }
        Err(why) => {
            Row::new(Topic::Routes, State::Warning, messages::not_restored(why)).fixed_by(messages::upgrade())
        }
    })
}

/// A call with `{id}` instead of the id of our record.
fn without_id(call: &str) -> String {
    let parts = call.split('/').map(|part| if mark::is_our_record(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether its deliveries reach this machine.
fn arrival(seen: &Workspace, probe: &Probe) -> Row {
    if probe.refused.is_some() && probe.events == 0 {
        return Row::new(Topic::Arrival, State::NotKnown, messages::nothing_emitted());
    }
    if let Some(Arrived { after, .. }) = probe.arrived {
        let told = messages::arrives(&probe.url, after, probe.events);
        return Row::new(Topic::Arrival, State::Ok, told);
    }
    let (host, unknown) = (seen.place.host(), Version::default());
    let version = seen.version.as_ref().and_then(|version| version.as_ref().ok()).unwrap_or(&unknown);
    let fixes = outbound::fixes(version, host, seen.place.is_loopback());
    Row::new(Topic::Arrival, State::Unreachable, messages::nothing_arrives(&probe.url, probe.events))
        .fixed_by(messages::all_of(&fixes))
}

/// The clock of the server, from the dates of its answers.
fn clock_of_api(told: &[Told]) -> Option<Row> {
    let answered = told.iter().filter(|one| one.status.is_some());
    let dates = answered.map(|one| Dated {
        at_ms: one.at_ms,
        took: one.took,
        date: one.headers.all("date").next().map(|value| &**value),
    });
    clock::row_of(dates.collect())
}

/// The clock of the worker, from the timestamp of its delivery.
fn clock_of_worker(arrived: &Arrived) -> Row {
    let timestamp: Option<i64> = arrived.timestamp.as_deref().and_then(|value| value.parse().ok());
    let Some(timestamp) = timestamp else {
        return Row::new(Topic::Timestamp, State::NotKnown, messages::no_timestamp());
    };
    let at = i64::try_from(arrived.at_ms).unwrap_or(i64::MAX);
    let difference = timestamp.saturating_sub(at);
    let told = messages::timestamp(difference);
    let off = difference.abs();
    if off <= SMALL_MS {
        return Row::new(Topic::Timestamp, State::Ok, told);
    }
    if off <= WINDOW_MS {
        return Row::new(Topic::Timestamp, State::Warning, told).fixed_by(messages::set_clocks());
    }
    let row = Row::new(Topic::Timestamp, State::Problem, told).fixed_by(messages::set_clocks());
    Row { cause: Some(Code::ClockOff), ..row }
}

fn rate_limit(told: &[Told]) -> Row {
    let refused = told.iter().filter(|one| one.status == Some(429)).count();
    if refused > 0 {
        let seen = messages::limited(refused, told.len());
        return Row::new(Topic::RateLimit, State::Warning, seen).fixed_by(messages::raise_limit());
    }
    let shown = told.iter().rev().flat_map(|one| &one.headers.0);
    let named = shown.filter(|(name, _)| LIMITS.iter().any(|limit| name.eq_ignore_ascii_case(limit)));
    let named: Vec<String> =
        named.take(2).map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect();
    Row::new(Topic::RateLimit, State::Ok, messages::not_limited(told.len(), &named))
}

impl Told {
    fn is_fine(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}
