//! Every requirement by group, with its verdict. Each opens to what is known about it.

use std::time::Duration;

use maud::{Markup, html};

use super::room::Room;
use super::{failure, level, messages, verdict};
use crate::page::parts::word;
use crate::page::text;
use crate::report::{CheckEntry, Report, RequirementEntry, VerdictName};
use crate::suite::requirement::Level;

pub(super) fn requirements(report: &Report, room: Room) -> Markup {
    let groups = report.groups();
    let rows = || report.requirements.iter().zip(&report.checks);
    html! {
        section aria-labelledby="requirements" {
            h2 #requirements { "Requirements" }
            @if report.requirements.is_empty() { p { (messages::nothing_selected()) } }
            @else {
                (filters(report, &groups))
                @for (number, group) in groups.iter().enumerate() {
                    section.group aria-labelledby={ "group-" (number) } {
                        h3 #{ "group-" (number) } { (messages::group(group)) }
                        @for (requirement, check) in rows().filter(|(_, check)| check.group() == *group) {
                            (row(requirement, check, room))
                        }
                    }
                }
                p #none-shown hidden { (messages::nothing_matches()) }
            }
        }
    }
}

/// The search and the filters, which need the script.
fn filters(report: &Report, groups: &[&str]) -> Markup {
    let verdicts = VerdictName::ALL.into_iter().filter(|verdict| report.count(*verdict) > 0);
    html! {
        form #filters role="search" hidden {
            p.field.search {
                label for="search" { "Search" }
                input #search type="search" name="q" autocomplete="off" spellcheck="false";
            }
            (choice("verdict", verdicts.map(|verdict| (verdict.as_str(), word(verdict.as_str())))))
            (choice("level", Level::ALL.into_iter().map(|level| (level.as_str(), level.as_str().to_owned()))))
            (choice("group", groups.iter().map(|group| (*group, messages::group(group)))))
            p.field { button #clear type="reset" { "Reset" } }
            p #shown .dim.small role="status" {}
        }
    }
}

fn choice<'a>(name: &str, options: impl Iterator<Item = (&'a str, String)>) -> Markup {
    html! {
        p.field {
            label for=(name) { (word(name)) }
            select #(name) name=(name) {
                option value="" { "all" }
                @for (value, word) in options { option value=(text::attribute(value)) { (word) } }
            }
        }
    }
}

fn row(requirement: &RequirementEntry, check: &CheckEntry, room: Room) -> Markup {
    let code = check.cause.as_ref().map(|cause| text::attribute(&cause.code));
    let reason = (check.verdict != VerdictName::Pass && check.cause.is_none()).then(|| check.first_line());
    let took = (check.duration_us > 0).then(|| messages::time(Duration::from_micros(check.duration_us)));
    html! {
        details.requirement id=(text::attribute(&requirement.id)) data-verdict=(requirement.verdict.as_str())
            data-level=(requirement.level.as_str()) data-group=(text::attribute(check.group())) {
            summary {
                (verdict(requirement.verdict))
                span.id { (text::line(&requirement.id)) }
                span.title {
                    (text::line(&requirement.title))
                    @if let Some(code) = code { " " code.cause { (text::line(&code)) } }
                    @if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
                        " " span.reason { (text::line(&messages::short(reason))) }
                    }
                }
                (level(requirement.level))
                span.took { @if let Some(took) = took { (took) } }
            }
            div.body { (failure::details(requirement, check, room)) }
        }
    }
}
