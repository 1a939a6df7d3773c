//! The top of the page: the result, how many requirements have each verdict, and what was tested.

use maud::{Markup, html};

use super::messages;
use crate::error::StartFailure;
use crate::page::parts::{Top, fact, word};
use crate::page::text;
use crate::report::{Report, VerdictName};
use crate::suite::requirement::Level;

pub(super) fn heading(report: &Report) -> Markup {
    let more = html! {
        @if let Some(choice) = &report.dialect_choice { p { (text::line(&choice.sentence)) } }
        div.figures {
            (counts(report))
            dl.facts.about {
                (fact(messages::role(&report.role), Some(html! { code { (text::line(&report.subject)) } })))
                (fact("Payloads", Some(html! { (text::line(&messages::payloads(report))) })))
                (fact("Seed", Some(html! { code { (report.seed) } })))
                (fact("Run", Some(html! { (messages::run(report)) })))
                (fact("Version", Some(html! { (text::line(&report.tool.name)) " " (text::line(&report.tool.version)) })))
                (fact("Exit status", Some(html! { (messages::exit(report)) })))
            }
        }
    };
    Top { measured: None, result: report.result.as_str(), lead: &messages::summary(report), more }.render()
}

/// How many requirements of each level have each verdict. Each number shows those requirements.
fn counts(report: &Report) -> Markup {
    let total = |verdict: &VerdictName| report.count(*verdict);
    let is_shown = |verdict: &VerdictName| {
        matches!(verdict, VerdictName::Pass | VerdictName::Fail | VerdictName::Inconclusive)
            || total(verdict) > 0
    };
    let columns: Vec<VerdictName> = VerdictName::ALL.into_iter().filter(is_shown).collect();
    let of = |level: Level, verdict: VerdictName| {
        report.counts.get(&level).and_then(|counts| counts.get(&verdict)).copied().unwrap_or_default()
    };
    html! {
        table.counts {
            caption.unseen { (messages::counts()) }
            thead { tr {
                th scope="col" { span.unseen { "Level" } }
                @for verdict in &columns { th scope="col" { (word(verdict.as_str())) } }
            } }
            tbody { @for level in Level::ALL {
                tr {
                    th scope="row" { (level.as_str()) }
                    @for verdict in &columns {
                        @let count = of(level, *verdict);
                        td data-verdict=[(count > 0).then_some(verdict.as_str())] {
                            @if count > 0 {
                                a href={ "#level=" (level.as_str()) "&verdict=" (verdict.as_str()) }
                                    aria-label=(messages::show(count, level.as_str(), verdict.as_str())) { (count) }
                            } @else { span.none { "0" } }
                        }
                    }
                }
            } }
        }
    }
}

/// Why nothing was tested.
pub(super) fn not_started(failure: &StartFailure) -> Markup {
    html! {
        section aria-labelledby="not-started" {
            h2 #not-started { (messages::not_started()) }
            p.lead { (text::block(&failure.fault)) }
            dl.facts {
                (fact("Command", failure.command.as_ref().map(|command| html! { code { (text::line(command)) } })))
                @if let Some((stream, lines)) = &failure.output {
                    (fact(&text::attribute(stream), Some(html! { pre.raw tabindex="0" role="group" aria-label=(text::attribute(stream)) { (text::block(&lines.join("\n"))) } })))
                }
                @for (at, fix) in failure.fixes.iter().enumerate() {
                    (fact(if at == 0 { "Fix" } else { "Or" }, Some(text::block(fix))))
                }
            }
        }
    }
}
