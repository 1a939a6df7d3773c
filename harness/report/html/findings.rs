//! The findings: what is wrong, and how to fix it. Then what would still fail after the fix.

use maud::{Markup, html};

use super::{documentation, level, messages, to_requirement};
use crate::page::parts::{command, fact};
use crate::page::{copied, text};
use crate::report::text::{cases, check_of, remaining, sentence};
use crate::report::{FindingEntry, Report};

pub(super) fn findings(report: &Report) -> Markup {
    html! {
        @if !report.findings.is_empty() {
            section aria-labelledby="findings" {
                h2 #findings { (messages::findings(report.findings.len())) }
                @for (number, one) in (1..).zip(&report.findings) { (finding(report, one, number)) }
            }
        }
    }
}

fn finding(report: &Report, finding: &FindingEntry, number: usize) -> Markup {
    let check = check_of(report, finding);
    let found = check.filter(|check| finding.cause.is_some() && check.sent.is_none());
    let line = |value: &String| html! { (text::block(value)) };
    let again = finding.rerun.as_deref().or_else(|| check.and_then(|check| check.again()));
    html! {
        article.finding data-level=(finding.level.as_str()) aria-labelledby={ "finding-" (number) } {
            h3 #{ "finding-" (number) } { (text::line(sentence(report, finding).lines().next().unwrap_or_default())) }
            p.tags {
                (level(finding.level))
                @if let Some(code) = &finding.cause { code.cause { (text::line(code)) } }
                span.ids { @for id in &finding.requirements { (to_requirement(id)) " " } }
            }
            dl.facts {
                (fact("Found", found.and_then(|check| check.message.as_ref()).map(line)))
                (fact("Sent", check.and_then(|check| check.sent.as_ref()).map(line)))
                (fact("Expected", finding.expected.as_ref().map(line)))
                (fact("Actual", finding.answered.as_ref().map(line)))
                (fact("Output", check.and_then(|check| check.output.as_ref()).map(|output| html! { code { (text::line(output)) } })))
                (fact("Why", check.and_then(|check| check.shown.as_ref()).map(line)))
                @if let Some(fix) = &finding.fix {
                    div.fix { dt { "Fix" } dd {
                        (text::prose(fix))
                        @if let Some(code) = &finding.code_line { (copied(messages::line_of_code(), code)) }
                    } }
                }
                (fact("Do not", finding.avoid.as_ref().map(|avoid| text::prose(avoid))))
                (fact("Cases", cases(report, finding).as_ref().map(line)))
                (command("Run again", again.map(|command| copied(messages::rerun(), command))))
                (command("More", finding.cause.as_ref().map(|code| documentation(code))))
            }
        }
    }
}

/// What would fail if the first fault were fixed.
pub(super) fn after_fix(report: &Report) -> Markup {
    let remaining = remaining(report);
    html! {
        @if !remaining.is_empty() {
            section aria-labelledby="after-fix" {
                h2 #after-fix { (messages::after_fix()) }
                p.dim { (messages::how_after_fix_is_known()) }
                ul.remaining {
                    @for (check, failure) in remaining {
                        li {
                            p.tags {
                                (level(check.level)) (to_requirement(&check.requirements[0]))
                                @if let Some(cause) = &failure.cause { code.cause { (text::line(&cause.code)) } }
                            }
                            p { (text::block(&failure.message)) }
                            @if let Some(cause) = &failure.cause { p.small { b { "Fix: " } (text::prose(&cause.fix)) } }
                        }
                    }
                }
            }
        }
    }
}
