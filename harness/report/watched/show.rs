//! The output of `listen`, for people or as JSON lines.
//!
//! Control characters and the secret never appear in it.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::DeliveryEntry;
use crate::duration::milliseconds;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::report::messages;
use crate::report::text::mark;
use crate::suite::cause::Cause;
use crate::suite::requirement::Level;
use crate::suite::traffic::listening::Storage;
use crate::suite::traffic::tally::TrafficTally;
use crate::suite::verdict::VerdictName;
use crate::terminal::{self, BAD, DIM, clipped, lines};
use crate::webhook::dialect::rfc3339;
use crate::wire::exchange::Exchange;

/// The longest name or id that is shown.
const LONGEST: usize = 80;
/// The indentation of further lines about a failure.
const MARGIN: &str = "                   ";
/// The indentation of further lines in the summary.
const SUMMARY_MARGIN: &str = "                              ";

/// Counts that the judge does not have.
#[derive(Debug, Clone, Copy)]
pub struct TrafficCounts {
    pub received: u64,
    /// How many were not judged, because listening was interrupted.
    pub not_judged: u64,
    /// How many are stored, and how many could not be, if they are.
    pub stored: Option<[u64; 2]>,
    /// How many verdicts could not be kept.
    pub verdicts_lost: u64,
}

impl TrafficCounts {
    /// The exit status: a harness fault if something could not be written, and incomplete if not all deliveries were judged.
    pub fn exit(&self, tally: &TrafficTally, fail_on: Level) -> ExitStatus {
        let exit = tally.exit(fail_on);
        if self.verdicts_lost > 0 || self.stored.is_some_and(|[_, failed]| failed > 0) {
            ExitStatus::Harness
        } else if exit == ExitStatus::Passed && self.not_judged > 0 {
            ExitStatus::Incomplete
        } else {
            exit
        }
    }
}

pub struct Show {
    pub json: bool,
}

impl Show {
    /// The line that tells programs where `listen` listens.
    pub fn ready(&self, url: &str) -> Option<String> {
        self.json.then(|| line(&json!({ "ready": { "url": url } })))
    }

    pub fn delivery(
        &self,
        exchange: &Exchange,
        storage: &Storage,
        judged: &DeliveryEntry,
        redaction: &Redaction,
    ) -> String {
        let (delivery, status) = (&exchange.delivery, exchange.outcome.status());
        let (method, target) = (redaction.text(&delivery.method), redaction.text(&delivery.target));
        let at = rfc3339(exchange.at_ms);
        if self.json {
            let mut object = json!({
                "number": exchange.id.0, "at": at, "at_ms": exchange.at_ms, "method": method,
                "target": target, "bytes": delivery.body.len(), "status": status,
            });
            if let (Some(object), Ok(Value::Object(judged))) =
                (object.as_object_mut(), serde_json::to_value(judged))
            {
                if *storage != Storage::Unasked {
                    object.insert("stored".to_owned(), (*storage == Storage::Stored).into());
                }
                object.extend(judged);
            }
            return line(&object);
        }
        let (style, mark) = mark(judged.verdict);
        let time = at.split('T').nth(1).unwrap_or(&at);
        let name = |name: &Option<String>| {
            name.as_deref().map_or_else(|| "-".to_owned(), |name| clipped(name, LONGEST))
        };
        let answered = status.map(|status| format!(" → {status}")).unwrap_or_default();
        let stored = match storage {
            Storage::Failed(_) => format!("  {BAD}{}{BAD:#}", messages::not_stored()),
            Storage::Unasked | Storage::Stored => String::new(),
        };
        let mut text = format!(
            "{time}  #{}  {}  {}  {} B  {style}{mark}{style:#}{DIM}{answered}{DIM:#}{stored}\n",
            exchange.id.0,
            name(&judged.event),
            name(&judged.record),
            delivery.body.len(),
        );
        for failure in &judged.failed {
            let message = lines(&failure.message, MARGIN);
            // Writing to a string does not fail.
            let _ =
                writeln!(text, "    {BAD}{:<6}{BAD:#} {:<6}  {message}", failure.requirement, failure.level);
            if let Some(cause) = &failure.cause {
                let words = lines(&cause.to_string(), MARGIN);
                let _ = writeln!(text, "           {DIM}cause{DIM:#}   {words}");
                if !cause.or.is_empty() {
                    let _ = writeln!(
                        text,
                        "           {DIM}or{DIM:#}      {}",
                        lines(&messages::also_explained_by(&cause.or), MARGIN)
                    );
                }
                let _ = writeln!(text, "           {DIM}fix{DIM:#}     {}", cause.fix);
            }
        }
        if !judged.inconclusive.is_empty() {
            let _ = writeln!(text, "    {DIM}{}{DIM:#}", messages::inconclusive(&judged.inconclusive));
        }
        text
    }

    pub fn broken(&self, what: &str, cause: Option<&Cause>) -> String {
        if self.json {
            return match cause {
                Some(cause) => line(&json!({ "broken": what, "cause": cause.code.as_str() })),
                None => line(&json!({ "broken": what })),
            };
        }
        let mut text = format!("{BAD}malformed{BAD:#}  {}\n", clipped(what, LONGEST));
        if let Some(cause) = cause {
            // Writing to a string does not fail.
            let _ = writeln!(text, "           {DIM}cause{DIM:#}   {cause}");
        }
        text
    }

    /// A request that is no delivery.
    pub fn stray(&self, method: &str, target: &str) -> String {
        if self.json {
            return line(&json!({ "passed_over": { "method": method, "target": target } }));
        }
        let (method, target) = (clipped(method, LONGEST), clipped(target, LONGEST));
        format!("{DIM}{}{DIM:#}\n", messages::passed_over(&method, &target))
    }

    pub fn summary(
        &self,
        tally: &TrafficTally,
        counts: TrafficCounts,
        fail_on: Level,
        took: Duration,
    ) -> String {
        let exit = counts.exit(tally, fail_on);
        let result = match exit {
            ExitStatus::Passed => "pass",
            ExitStatus::Failed => "fail",
            ExitStatus::Harness => "error",
            _ => "incomplete",
        };
        if self.json {
            let requirements = tally.entries.iter().map(|entry| {
                json!({
                    "id": entry.requirement.id, "level": entry.requirement.level, "verdict": entry.verdict(),
                    "passed": entry.passed, "failed": entry.failed, "inconclusive": entry.inconclusive,
                    "first": entry.first, "why": entry.why,
                })
            });
            let causes = tally.causes().map(|(cause, count)| json!({ "cause": cause, "count": count }));
            return line(&json!({ "summary": {
                "result": result, "exit_status": exit.code(), "received": counts.received,
                "judged": tally.judged, "failed": tally.failed, "broken": tally.broken,
                "passed_over": tally.strays,
                "stored": counts.stored.map(|[stored, _]| stored),
                "not_stored": counts.stored.map(|[_, failed]| failed), "not_judged": counts.not_judged,
                "duration_ms": milliseconds(took),
                "requirements": requirements.collect::<Vec<_>>(), "causes": causes.collect::<Vec<_>>(),
            }}));
        }
        let mut text = String::from("\n");
        for entry in &tally.entries {
            let (style, mark) = mark(entry.verdict());
            let of = entry.passed + entry.failed + entry.inconclusive;
            let words = match entry.verdict() {
                VerdictName::Pass => messages::all_passed(entry.passed, of),
                VerdictName::Fail => messages::some_failed(entry.failed, of, entry.first),
                _ => lines(entry.why.as_deref().unwrap_or(messages::no_delivery()), SUMMARY_MARGIN),
            };
            let _ = writeln!(
                text,
                "  {style}{mark:<12}{style:#} {:<6} {DIM}{:<6}{DIM:#}  {}: {words}",
                entry.requirement.id, entry.requirement.level, entry.requirement.title
            );
        }
        for (cause, count) in tally.causes() {
            let _ = writeln!(text, "  {DIM}cause{DIM:#}        {} ({count})", lines(cause, SUMMARY_MARGIN));
        }
        if tally.strays > 0 {
            let _ = writeln!(text, "\n{}", messages::passed_over_in_all(tally.strays));
        }
        let judged = [tally.judged, tally.failed, tally.broken];
        let TrafficCounts { received, not_judged, stored, .. } = counts;
        let _ = writeln!(text, "\n{}", messages::listen_result(result, received, judged, not_judged, stored));
        text
    }
}

fn line(value: &Value) -> String {
    terminal::json(format!("{value}\n"))
}
