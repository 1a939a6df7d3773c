//! The details of one delivery, for someone at a terminal: its head, its body, and every finding on it.

use std::fmt::Write as _;

use super::seen::Seen;
use super::{FailureEntry, messages};
use crate::redaction::Redaction;
use crate::report::messages::inconclusive;
use crate::terminal::{BAD, BOLD, DIM, clean, clipped, lines, text};
use crate::webhook::dialect::rfc3339;

/// How many bytes of a body are shown.
const SHOWN: usize = 4096;
/// How many characters of a header's value are shown.
const LONGEST: usize = 400;
const MARGIN: &str = "    ";

/// The details of a delivery, without its secret and without characters that control a terminal.
pub fn details(one: &Seen<'_>, redaction: &Redaction) -> String {
    let (exchange, _) = redaction.exchange(one.exchange);
    let delivery = &exchange.delivery;
    let mut shown = format!(
        "{BOLD}#{}  {}  {} {}{BOLD:#}\n",
        exchange.id.0,
        rfc3339(exchange.at_ms),
        clean(&delivery.method),
        clipped(&delivery.target, LONGEST),
    );
    for (name, value) in &delivery.headers.0 {
        // Writing to a string does not fail.
        let _ = writeln!(shown, "{MARGIN}{DIM}{}:{DIM:#} {}", clean(name), clipped(&text(value), LONGEST));
    }
    let body = &delivery.body[..delivery.body.len().min(SHOWN)];
    let body = if body.is_empty() { messages::empty_body().into() } else { text(body) };
    let _ = writeln!(shown, "\n{MARGIN}{}", lines(&body, MARGIN));
    if delivery.body.len() > SHOWN {
        let _ = writeln!(shown, "{MARGIN}{DIM}{}{DIM:#}", messages::more_bytes(delivery.body.len() - SHOWN));
    }
    let judged = one.judged;
    let _ = writeln!(shown, "\n{MARGIN}{}", messages::signature(judged.signature.as_str()));
    for FailureEntry { requirement, level, expected, actual, message, cause, .. } in &judged.failed {
        let _ = writeln!(shown, "{MARGIN}{BAD}{requirement}{BAD:#} {level}  {}", lines(message, MARGIN));
        for (what, words) in [("expected", expected), ("actual", actual)] {
            let _ = writeln!(shown, "{MARGIN}  {DIM}{what}{DIM:#}  {}", lines(words, MARGIN));
        }
        if let Some(cause) = cause {
            let _ = writeln!(shown, "{MARGIN}  {DIM}cause{DIM:#}  {}", lines(&cause.to_string(), MARGIN));
            let _ = writeln!(shown, "{MARGIN}  {DIM}fix{DIM:#}  {}", lines(&cause.fix, MARGIN));
        }
    }
    if !judged.inconclusive.is_empty() {
        let _ = writeln!(shown, "{MARGIN}{}", inconclusive(&judged.inconclusive));
    }
    if !judged.passed.is_empty() {
        let _ = writeln!(shown, "{MARGIN}{DIM}{}{DIM:#}", messages::passed(&judged.passed));
    }
    shown
}
