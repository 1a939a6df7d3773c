//! The accounts of an endpoint for people: the counts, and the first example of each defect.
//!
//! Text from a sender cannot control the terminal. Colours only repeat what the words say.

use std::fmt::Write as _;

use anstyle::Style;

use super::messages;
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
    let _ = writeln!(text, "  verified     {}", messages::verified(ledger.verified, ledger.distinct));
    bad(&mut text, "wrong", ledger.wrong);
    bad(&mut text, "duplicated", ledger.duplicated);
    match ledger.lost {
        Some(lost) => bad(&mut text, "lost", lost),
        None => drop(writeln!(text, "  missing      {}", messages::missing_so_far(ledger.gaps))),
    }
    let _ = writeln!(text, "  out of order {}", ledger.out_of_order);
    if ledger.without_id > 0 {
        let _ = writeln!(text, "  without id   {}", messages::without_id(ledger.without_id));
    }
    if ledger.untracked > 0 {
        let _ = writeln!(text, "  untracked    {}", messages::untracked(ledger.untracked));
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
        let first = messages::first_duplicate(ledger.duplicated, &clean(first));
        let _ = writeln!(text, "\n{BAD}duplicated{BAD:#} {first}");
    }
    for run in ledger.runs.iter().filter(|run| run.gaps > 0) {
        let missing =
            messages::missing(run.gaps, &run.run, &clean(&run.webhook), run.first_missing.as_deref());
        let _ = writeln!(text, "\n{BAD}missing{BAD:#} {missing}");
    }
    ledger.kinds.iter().for_each(|kind| wrong(&mut text, kind));
    text
}

/// The last line, which scripts can search for.
pub fn result_line(ledger: &LedgerEntry, result: BenchResult) -> String {
    messages::ledger_result(result, ledger)
}

fn rate(ledger: &LedgerEntry) -> String {
    let mib = ledger.bytes as f64 / 1_048_576.0;
    if ledger.span_ms == 0 {
        return format!("{mib:.1} MiB");
    }
    let seconds = ledger.span_ms as f64 / 1e3;
    messages::bytes_received(mib, seconds, ledger.received as f64 / seconds)
}

fn bad(text: &mut String, word: &str, count: u64) {
    let style = if count > 0 { BAD } else { Style::new() };
    let _ = writeln!(text, "  {style}{word:<12}{style:#} {count}");
}

fn wrong(text: &mut String, kind: &WrongEntry) {
    let of_kind = messages::wrong(kind.count, kind.status, &kind.text);
    let _ = writeln!(text, "\n{BAD}{}{BAD:#} {of_kind}", kind.kind);
    let Some(first) = &kind.first else { return };
    let webhook = first.webhook.as_deref().map(clean);
    let example = messages::first_wrong(&first.at, webhook.as_deref(), &clean(&first.detail));
    let _ = writeln!(text, "    {example}");
    message(text, '→', &first.request);
}
