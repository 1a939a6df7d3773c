//! The accounts of an endpoint for people: what came, what of it was wrong, and of each kind the first.
//!
//! Invariant: what a sender wrote has no power over the terminal, and colours carry nothing that words do not.

use std::fmt::Write as _;

use anstyle::Style;

use super::style::message;
use crate::bench::accounts::entry::{LedgerEntry, WrongEntry};
use crate::bench::measure::result::BenchResult;
use crate::terminal::{BAD, BOLD, clean};

const SHOWN_WEBHOOKS: usize = 16;
/// The accounts as text with ANSI colours.
pub fn render(ledger: &LedgerEntry) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{BOLD}{} received{BOLD:#}, {}", ledger.received, rate(ledger));
    let _ = writeln!(text, "  verified     {}, {} distinct", ledger.verified, ledger.distinct);
    bad(&mut text, "wrong", ledger.wrong);
    bad(&mut text, "duplicated", ledger.duplicated);
    match ledger.lost {
        Some(lost) => bad(&mut text, "lost", lost),
        None => drop(writeln!(text, "  missing      {} so far", ledger.gaps)),
    }
    let _ = writeln!(text, "  out of order {}", ledger.out_of_order);
    if ledger.without_id > 0 {
        let _ =
            writeln!(text, "  without id   {} (whether they are doubles is not known)", ledger.without_id);
    }
    if ledger.untracked > 0 {
        let _ =
            writeln!(text, "  untracked    {} (there was no room left to remember them)", ledger.untracked);
    }
    if ledger.webhooks.len() > 1 {
        let _ = writeln!(
            text,
            "\n{BOLD}{:>10} {:>10} {:>8} {:>10} {:>8}  webhook{BOLD:#}",
            "received", "verified", "wrong", "duplicated", "missing"
        );
        for webhook in ledger.webhooks.iter().take(SHOWN_WEBHOOKS) {
            let _ = writeln!(
                text,
                "{:>10} {:>10} {:>8} {:>10} {:>8}  {}",
                webhook.received,
                webhook.verified,
                webhook.wrong,
                webhook.duplicated,
                webhook.gaps,
                clean(&webhook.path)
            );
        }
        if ledger.webhooks.len() > SHOWN_WEBHOOKS {
            let _ = writeln!(text, "  {} more", ledger.webhooks.len() - SHOWN_WEBHOOKS);
        }
    }
    if let Some(first) = &ledger.first_duplicated {
        let _ =
            writeln!(text, "\n{BAD}duplicated{BAD:#} × {}; the first: {}", ledger.duplicated, clean(first));
    }
    for run in ledger.runs.iter().filter(|run| run.gaps > 0) {
        let first = run.first_missing.as_deref().unwrap_or("not known");
        let _ = writeln!(
            text,
            "\n{BAD}missing{BAD:#} × {} of run {} at {}; the first record: {first}",
            run.gaps,
            run.run,
            clean(&run.webhook)
        );
    }
    ledger.kinds.iter().for_each(|kind| wrong(&mut text, kind));
    text
}

/// What ends the accounts: one line that can be searched for.
pub fn result_line(ledger: &LedgerEntry, result: BenchResult) -> String {
    format!(
        "RESULT: {result} received {} verified {} wrong {} duplicated {} lost {}",
        ledger.received,
        ledger.verified,
        ledger.wrong,
        ledger.duplicated,
        ledger.lost.unwrap_or(ledger.gaps)
    )
}

fn rate(ledger: &LedgerEntry) -> String {
    let mib = ledger.bytes as f64 / 1_048_576.0;
    if ledger.span_ms == 0 {
        return format!("{mib:.1} MiB");
    }
    let seconds = ledger.span_ms as f64 / 1e3;
    format!("{mib:.1} MiB in {seconds:.1} s: {:.1} per second", ledger.received as f64 / seconds)
}

fn bad(text: &mut String, word: &str, count: u64) {
    let style = if count > 0 { BAD } else { Style::new() };
    let _ = writeln!(text, "  {style}{word:<12}{style:#} {count}");
}

fn wrong(text: &mut String, kind: &WrongEntry) {
    let _ = writeln!(
        text,
        "\n{BAD}{}{BAD:#} × {}, answered {}: {}",
        kind.kind, kind.count, kind.status, kind.text
    );
    let Some(first) = &kind.first else { return };
    let webhook = first.webhook.as_deref().map(|path| format!(", at {}", clean(path))).unwrap_or_default();
    let detail = if first.detail.is_empty() { String::new() } else { format!(": {}", clean(&first.detail)) };
    let _ = writeln!(text, "    the first one came {}{webhook}{detail}", first.at);
    message(text, '→', &first.request);
}
