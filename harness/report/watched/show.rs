//! The output of `listen`, for people or as JSON lines.
//!
//! Control characters and the secret never appear in it.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::kinds::Kinds;
use super::messages as words;
use super::seen::Seen;
use super::{DeliveryEntry, SignatureState};
use crate::duration::milliseconds;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::report::messages;
use crate::report::text::mark;
use crate::suite::cause::Cause;
use crate::suite::requirement::{Binds, Level, Recorded};
use crate::suite::traffic::listening::Storage;
use crate::suite::traffic::tally::TrafficTally;
use crate::suite::verdict::VerdictName;
use crate::terminal::{self, BAD, DIM, UNCLEAR, clipped, lines};
use crate::webhook::dialect::rfc3339;
use crate::wire::client::forwarding::Forwarded;
use crate::wire::exchange::acknowledges;

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
    /// How many connections were closed without a request.
    pub unused: u64,
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

#[derive(Debug, Clone, Copy)]
pub struct Show {
    pub json: bool,
    /// Whether the secret is known.
    pub secret: bool,
    /// Whether deliveries are forwarded.
    pub forwards: bool,
}

impl Show {
    /// The line that tells programs where `listen` listens.
    pub fn ready(&self, url: &str) -> Option<String> {
        self.json.then(|| line(&json!({ "ready": { "url": url } })))
    }

    pub fn delivery(&self, one: &Seen<'_>, redaction: &Redaction) -> String {
        if self.json {
            return line(&one.json(redaction).into());
        }
        let Seen { exchange, storage, forwarded, judged } = one;
        let at = rfc3339(exchange.at_ms);
        let (style, mark) = mark(judged.verdict);
        let time = at.split('T').nth(1).unwrap_or(&at);
        let name = |name: &Option<String>| {
            name.as_deref().map_or_else(|| "-".to_owned(), |name| clipped(name, LONGEST))
        };
        let signature = words::signature(judged.signature.as_str());
        let is_open = judged.failed.is_empty() && judged.inconclusive.is_empty();
        let verdict = match judged.signature {
            // The line must not read like a pass.
            SignatureState::NotChecked if is_open => format!("{UNCLEAR}{signature}{UNCLEAR:#}"),
            _ => format!("{signature}  {style}{mark}{style:#}"),
        };
        let answered = match forwarded {
            Some(Forwarded::Answered(status)) if acknowledges(*status) => {
                format!(" {DIM}{}{DIM:#}", words::forwarded(*status))
            }
            Some(failed) => {
                let why = clipped(&redaction.text(&failed.describe()), LONGEST);
                format!(" {BAD}{}{BAD:#}", words::forward_failed(&why))
            }
            None => {
                exchange.outcome.status().map(|status| format!(" {DIM}→ {status}{DIM:#}")).unwrap_or_default()
            }
        };
        let stored = match storage {
            Storage::Failed(_) => format!("  {BAD}{}{BAD:#}", messages::not_stored()),
            Storage::Unasked | Storage::Stored => String::new(),
        };
        let mut text = format!(
            "{time}  #{}  {}  {}  {} B  {verdict}{answered}{stored}\n",
            exchange.id.0,
            name(&judged.event),
            name(&judged.record),
            exchange.delivery.body.len(),
        );
        failures(&mut text, judged);
        text
    }

    /// The line about the delivery that was waited for.
    pub fn awaited(&self, one: &Seen<'_>, fail_on: Level, redaction: &Redaction) -> String {
        let mut object = one.json(redaction);
        let cause = one.judged.cause().and_then(|cause| serde_json::to_value(cause).ok());
        let exit = one.exit(fail_on);
        object.insert("cause".to_owned(), cause.unwrap_or_default());
        object.insert("result".to_owned(), result_word(exit).into());
        object.insert("exit_status".to_owned(), exit.code().into());
        line(&object.into())
    }

    /// The line if the delivery that was waited for did not come: what arrived instead.
    pub fn missed(
        &self,
        conditions: &[String],
        kinds: &Kinds,
        tally: &TrafficTally,
        interrupted: bool,
        took: Duration,
    ) -> String {
        let (events, others) = kinds.events();
        let exit = if interrupted { ExitStatus::Interrupted } else { ExitStatus::Incomplete };
        let mut instead: Map<String, Value> =
            events.iter().map(|(name, count)| (name.clone(), (*count).into())).collect();
        if others > 0 {
            instead.insert("(other)".to_owned(), others.into());
        }
        line(&json!({
            "timed_out": !interrupted, "interrupted": interrupted, "wait_for": conditions,
            "waited_ms": milliseconds(took), "came": tally.judged, "came_instead": instead,
            "failed": tally.failed, "broken": tally.broken, "passed_over": tally.strays,
            "result": result_word(exit), "exit_status": exit.code(),
        }))
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

    /// Bytes that are neither a request nor a part of a delivery.
    pub fn scrap(&self, what: &str) -> String {
        if self.json {
            return line(&json!({ "passed_over": { "bytes": what } }));
        }
        format!("{DIM}{}{DIM:#}\n", words::scrap(&clipped(what, LONGEST)))
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
        kinds: &Kinds,
        counts: TrafficCounts,
        exit: ExitStatus,
        took: Duration,
    ) -> String {
        if self.json {
            return self.json_summary(tally, kinds, counts, exit, took);
        }
        let mut text = String::from("\n");
        requirements(&mut text, tally, self.secret);
        for (cause, count) in tally.causes() {
            let _ = writeln!(text, "  {DIM}cause{DIM:#}        {} ({count})", lines(cause, SUMMARY_MARGIN));
        }
        let begin = text.len();
        if tally.judged > 0 {
            let _ = writeln!(text, "{}", words::kinds(&kinds.seen(), &kinds.missing()));
        }
        if tally.not_forwarded > 0 {
            let of = tally.forwarded + tally.not_forwarded;
            let losses: Vec<_> = tally.losses().collect();
            let losses = words::not_forwarded(tally.not_forwarded, of, &losses);
            let _ = writeln!(text, "{BAD}{}{BAD:#}", lines(&losses, SUMMARY_MARGIN));
        }
        if tally.strays > 0 {
            let _ = writeln!(text, "{}", messages::passed_over_in_all(tally.strays));
        }
        if counts.unused > 0 {
            let _ = writeln!(text, "{}", words::unused_in_all(counts.unused));
        }
        if text.len() > begin {
            text.insert(begin, '\n');
        }
        let _ = writeln!(text, "\n{}", self.result(tally, counts, exit));
        text
    }

    /// The last line of the summary.
    pub fn result(&self, tally: &TrafficTally, counts: TrafficCounts, exit: ExitStatus) -> String {
        let judged = [tally.judged, tally.failed, tally.broken];
        let TrafficCounts { received, not_judged, stored, .. } = counts;
        let mut line = messages::listen_result(result_word(exit), received, judged, not_judged, stored);
        if self.forwards {
            line += &words::result_of_forwarding(tally.forwarded, tally.not_forwarded);
        }
        if !self.secret {
            line += words::signatures_not_checked();
        }
        line
    }

    fn json_summary(
        &self,
        tally: &TrafficTally,
        kinds: &Kinds,
        counts: TrafficCounts,
        exit: ExitStatus,
        took: Duration,
    ) -> String {
        let requirements = tally.entries.iter().map(|entry| {
            json!({
                "id": entry.requirement.id, "level": entry.requirement.level, "verdict": entry.verdict(),
                "passed": entry.passed, "failed": entry.failed, "inconclusive": entry.inconclusive,
                "first": entry.first, "why": entry.why,
            })
        });
        let causes = tally.causes().map(|(cause, count)| json!({ "cause": cause, "count": count }));
        let seen: Map<String, Value> =
            kinds.seen().into_iter().map(|(kind, count)| (kind.to_owned(), count.into())).collect();
        let losses: Map<String, Value> =
            tally.losses().map(|(why, count)| (why.to_owned(), count.into())).collect();
        line(&json!({ "summary": {
            "result": result_word(exit), "exit_status": exit.code(), "received": counts.received,
            "judged": tally.judged, "failed": tally.failed, "broken": tally.broken,
            "passed_over": tally.strays, "unused_connections": counts.unused,
            "stored": counts.stored.map(|[stored, _]| stored),
            "not_stored": counts.stored.map(|[_, failed]| failed), "not_judged": counts.not_judged,
            "forwarded": self.forwards.then_some(tally.forwarded),
            "not_forwarded": self.forwards.then_some(tally.not_forwarded),
            "forward_failures": self.forwards.then_some(losses),
            "signatures_checked": self.secret,
            "kinds": { "seen": seen, "missing": kinds.missing() },
            "duration_ms": milliseconds(took),
            "requirements": requirements.collect::<Vec<_>>(), "causes": causes.collect::<Vec<_>>(),
        }}))
    }
}

/// The word for an exit status.
fn result_word(exit: ExitStatus) -> &'static str {
    match exit {
        ExitStatus::Passed => "pass",
        ExitStatus::Failed => "fail",
        ExitStatus::Harness => "error",
        ExitStatus::Interrupted => "interrupted",
        _ => "incomplete",
    }
}

/// The lines about what a delivery failed and leaves open.
fn failures(text: &mut String, judged: &DeliveryEntry) {
    for failure in &judged.failed {
        let message = lines(&failure.message, MARGIN);
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {BAD}{:<6}{BAD:#} {:<6}  {message}", failure.requirement, failure.level);
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
}

/// A line for each requirement that was shown, and one for all others.
fn requirements(text: &mut String, tally: &TrafficTally, secret: bool) {
    let is_shown = |verdict| verdict != VerdictName::NotApplicable;
    for entry in tally.entries.iter().filter(|entry| is_shown(entry.verdict())) {
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
    let hidden: Vec<_> = tally.entries.iter().filter(|entry| !is_shown(entry.verdict())).collect();
    let needs_secret = |binds: &Binds| matches!(binds, Binds::Sender(Recorded::ShowsWithSecret));
    let by_secret = hidden.iter().filter(|entry| !secret && needs_secret(&entry.requirement.binds)).count();
    let not_shown = match tally.judged {
        0 => words::nothing_shown().to_owned(),
        _ => words::not_shown(hidden.len(), by_secret),
    };
    if !hidden.is_empty() {
        let _ = writeln!(text, "  {DIM}{not_shown}{DIM:#}");
    }
}

fn line(value: &Value) -> String {
    terminal::json(format!("{value}\n"))
}
