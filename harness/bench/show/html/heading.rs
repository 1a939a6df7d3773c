//! The top of the page: what was measured, the result with its reason, the key figures, and the command.

use maud::{Markup, html};

use super::messages;
use crate::bench::measure::figures::Measured;
use crate::bench::measure::messages::interrupted;
use crate::bench::measure::report::BenchReport;
use crate::bench::measure::result::BenchResult;
use crate::bench::show::messages as said;
use crate::bench::show::text::{concurrency, ms, seconds, seed};
use crate::page::parts::{Top, command, fact, tiles, word};
use crate::page::{copied, text};
use crate::plural::counted;
use crate::shell;

/// What a report has instead of a secret, and the options that have one.
const REDACTED: &str = "[redacted]";
const SECRET: &str = "--secret";
const SECRET_VARIABLE: &str = "\"$TWENTY_WEBHOOK_SECRET\"";

pub(super) fn heading(report: &BenchReport) -> Markup {
    let measured = messages::measured(&report.load, report.search.as_ref());
    let more = html! {
        (tiles(&figures(report)))
        @if report.search.is_some() { p.small { (messages::figures_of_last_trial()) } }
        (about(report))
    };
    let measured = Some(text::line(&measured));
    Top { measured, result: report.result.describe(), lead: &reason(report), more }.render()
}

/// The result's reason in a sentence, or in one for each cause.
fn reason(report: &BenchReport) -> String {
    let found = match report.result {
        BenchResult::Pass => vec![messages::passed(report)],
        BenchResult::Interrupted => vec![messages::sentence(interrupted())],
        BenchResult::Fail => failures(report),
        BenchResult::Slow => slowness(report),
        BenchResult::Inconclusive | BenchResult::Incomplete | BenchResult::Error => doubts(report),
    };
    let compared = report
        .comparison
        .as_ref()
        .filter(|compared| compared.result == report.result && report.result != BenchResult::Pass);
    let compared = compared.map(|compared| messages::compared(&compared.old, &compared.why));
    let reasons: Vec<String> = found.into_iter().chain(compared).collect();
    if !reasons.is_empty() {
        return reasons.join(" ");
    }
    report.notes.first().map_or_else(|| messages::no_reason().to_owned(), |note| messages::sentence(note))
}

fn failures(report: &BenchReport) -> Vec<String> {
    let BenchReport { probes, total, load, .. } = report;
    let mut found = Vec::new();
    if probes.let_through > 0 {
        found.push(messages::probes_accepted(probes.let_through, probes.sent));
    }
    if let Some(sending) = &report.sending {
        found.extend(messages::ledger_faults(&sending.ledger));
    } else if total.error_share > load.max_errors {
        found.push(messages::too_many_errors(total, load.max_errors));
    }
    found
}

fn slowness(report: &BenchReport) -> Vec<String> {
    let missed = report.thresholds.iter().filter(|check| !check.held);
    let none = report.search.iter().filter(|search| search.found.is_none());
    missed.map(messages::not_met).chain(none.map(|search| messages::no_rate(&search.objective))).collect()
}

fn doubts(report: &BenchReport) -> Vec<String> {
    let probes = &report.probes;
    let unstable = report.search.as_ref().is_some_and(|search| !search.stable);
    if report.total.acknowledged == 0 {
        vec![messages::nothing_accepted().to_owned()]
    } else if unstable {
        vec![messages::unstable().to_owned()]
    } else if probes.sent > 0 && probes.unanswered == probes.sent {
        vec![messages::probes_unanswered().to_owned()]
    } else {
        Vec::new()
    }
}

fn figures(report: &BenchReport) -> Vec<(&'static str, String)> {
    let Measured { latency, rate, .. } = &report.total;
    let latency = |us: u64| if latency.count == 0 { "–".to_owned() } else { format!("{} ms", ms(us)) };
    let mut figures = Vec::new();
    if let Some(search) = &report.search {
        let found = search.found.map_or_else(|| "none".to_owned(), |rate| format!("{rate:.1}/s"));
        figures.push(("Highest rate", found));
    }
    if let Some(sending) = &report.sending {
        figures.push(("Events", format!("{:.1}/s", sending.events_per_s)));
    }
    figures.extend([
        ("Accepted", format!("{rate:.1}/s")),
        ("p50", latency(report.total.latency.p50_us)),
        ("p99", latency(report.total.latency.p99_us)),
        ("Errors", messages::errors(&report.total)),
    ]);
    match &report.sending {
        None => {
            figures.push(("Probes accepted", messages::of(report.probes.let_through, report.probes.sent)))
        }
        Some(sending) => {
            let ledger = &sending.ledger;
            let lost = ledger.lost_so_far();
            let counts = [("Wrong", ledger.wrong), ("Duplicated", ledger.duplicated), ("Lost", lost)];
            figures.extend(counts.map(|(name, count)| (name, count.to_string())));
        }
    }
    figures
}

fn about(report: &BenchReport) -> Markup {
    let BenchReport { load, corpus, machine, tool, .. } = report;
    let line = |value: &str| Some(text::line(value));
    let how = messages::list(&[
        concurrency(report),
        counted(load.threads, "thread", "threads"),
        said::measured_time(seconds(load.duration_ms), seconds(load.warm_up_ms)),
    ]);
    let cpu = machine.cpu.clone().unwrap_or_default();
    let bodies = [said::bodies(corpus.bodies, corpus.bytes), messages::payloads(&report.dialect)];
    let pasted = pasted(&report.command);
    html! {
        dl.facts.about {
            (fact(&word(report.role.describe()), Some(html! { code { (text::line(&report.subject)) } })))
            (fact("Name", report.sending.as_ref().map(|sending| text::line(&sending.sender))))
            (fact("Load", line(&how)))
            (fact("Latency", report.is_open_loop().then(|| text::line(messages::corrected()))))
            (fact("Bodies", line(&messages::list(&bodies))))
            (fact("Machine", line(&messages::list(&[said::machine(machine), cpu]))))
            (fact("Started", line(&report.started_at)))
            (fact("Version", line(&messages::version(tool))))
            (fact("Seed", Some(html! { code { (seed(report)) } })))
            (fact("Exit status", Some(html! { (report.exit_status) })))
            (command("Command", pasted.as_ref().map(|pasted| html! {
                (copied(messages::command(), pasted))
                @if pasted.contains(SECRET_VARIABLE) { p.small.dim { (text::prose(messages::set_secret())) } }
            })))
        }
    }
}

/// The command as it can be pasted into a shell, with the secret from its variable. `None` for a report that no command made.
fn pasted(words: &[String]) -> Option<String> {
    if words.is_empty() {
        return None;
    }
    let mut pasted = vec![env!("CARGO_PKG_NAME").to_owned()];
    let mut last = "";
    for word in words {
        let shown = match word.strip_prefix(SECRET) {
            _ if last == SECRET && word == REDACTED => SECRET_VARIABLE.to_owned(),
            Some(value) if value.strip_prefix('=') == Some(REDACTED) => format!("{SECRET}={SECRET_VARIABLE}"),
            _ => shell::word(word.as_bytes())?,
        };
        pasted.push(shown);
        last = word;
    }
    Some(pasted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::pasted;

    #[test]
    fn command_is_quoted_and_has_no_secret() {
        let words = ["bench", "receiver", "--exec", "node it's.mjs; id", "--secret", "[redacted]", "-q"];
        let expected = r#"twenty-conform bench receiver --exec 'node it'\''s.mjs; id' --secret "$TWENTY_WEBHOOK_SECRET" -q"#;
        assert_eq!(pasted(&words.map(str::to_owned)).as_deref(), Some(expected));
        let joined = pasted(&["--secret=[redacted]".to_owned()]);
        assert_eq!(joined.as_deref(), Some(r#"twenty-conform --secret="$TWENTY_WEBHOOK_SECRET""#));
        assert_eq!(pasted(&[]), None);
    }
}
