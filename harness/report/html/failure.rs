//! What a requirement opens to: its sentence, and what shows its verdict.

use maud::{Markup, html};

use super::room::Room;
use super::{documentation, exchange, is_open, messages, pair};
use crate::page::parts::fact;
use crate::page::{copied, text};
use crate::report::{CheckEntry, RequirementEntry, VerdictName};
use crate::wire::exchange::Exchange;

/// Whether a check shows exchanges.
pub(super) fn has_details(check: &CheckEntry) -> bool {
    !check.exchanges_shown.is_empty() || check.answer.is_some()
}

pub(super) fn details(requirement: &RequirementEntry, check: &CheckEntry, room: Room) -> Markup {
    html! {
        p.sentence { (text::prose(&requirement.text)) }
        p.small.dim {
            (text::line(&messages::source(&requirement.source))) " · " code { (text::line(&check.id)) }
            @if check.cases > 0 { " · " (messages::cases(check.cases)) }
        }
        @if check.verdict != VerdictName::Pass {
            (facts(check))
            (exchanges(check, room))
            (commands(requirement, check, room))
        }
    }
}

fn facts(check: &CheckEntry) -> Markup {
    let line = |value: &String| html! { (text::block(value)) };
    let name = if check.verdict == VerdictName::NotApplicable || is_open(check) { "Reason" } else { "Found" };
    let cause = check.cause.as_ref();
    html! {
        dl.facts {
            (fact(name, check.message.as_ref().map(line)))
            (fact("Expected", check.expected.as_ref().map(line)))
            (fact("Actual", check.actual.as_ref().map(line)))
            (fact("Sent", check.sent.as_ref().map(line)))
            @if !check.cases_that_fail.is_empty() {
                (fact("Cases", Some(html! { ul { @for case in &check.cases_that_fail { li { (text::line(case)) } } } })))
            }
            (fact(messages::what_matters(), check.what_matters.as_ref().map(line)))
            (fact("Output", check.output.as_ref().map(|output| html! { code { (text::line(output)) } })))
            (fact("Cause", cause.map(|cause| html! {
                code.cause { (text::line(&cause.code)) } " " (text::block(&cause.sentence()))
                @if !cause.or.is_empty() { br; span.dim { (text::line(&messages::or(&cause.or))) } }
            })))
            (fact("Why", check.shown.as_ref().map(line)))
            @if let Some(cause) = cause {
                div.fix { dt { "Fix" } dd {
                    (text::prose(&cause.fix))
                    @if let Some(code) = &check.code_line { (copied(messages::line_of_code(), code)) }
                } }
                (fact("Do not", Some(text::prose(&cause.avoid))))
            }
            @if let Some(provisional) = check.provisional {
                (fact("Provisional", Some(html! { (messages::provisional(provisional.as_str())) })))
            }
            @if let Some(after) = &check.after_fix {
                (fact("After the fix", Some(html! {
                    (text::block(&after.message))
                    @if let Some(cause) = &after.cause { br; code.cause { (text::line(&cause.code)) } " " (text::line(&cause.fix)) }
                })))
            }
        }
    }
}

/// The first exchange that shows the failure with a control, then the others.
fn exchanges(check: &CheckEntry, room: Room) -> Markup {
    let number = |wanted: &usize| check.exchanges_shown.iter().find(|exchange| exchange.id.0 == *wanted);
    let failing = check.exchanges.first().and_then(number);
    // Where every valid delivery is rejected, one that was accepted shows the cause.
    let accepted = |one: &&Exchange| matches!(one.outcome.status(), Some(200..=299));
    let shows_cause = || {
        let cause = check.cause.as_ref().filter(|_| !failing.as_ref().is_some_and(accepted))?;
        cause.shown_by.iter().filter_map(number).find(accepted)
    };
    let control = check.controls.iter().find_map(number).or_else(shows_cause);
    let is_first = |one: &&Exchange| failing.is_some_and(|first| first.id == one.id);
    let others: Vec<&Exchange> = check.exchanges_shown.iter().filter(|one| !is_first(one)).collect();
    let is_receiver = check.id.starts_with("receiver/");
    html! {
        @if let Some((control, failing)) = control.zip(failing) {
            h4 { (messages::minimal_pair()) }
            (pair::pair(control, failing, room))
        }
        @match (failing, &check.answer) {
            (Some(failing), _) => {
                // What a sender was answered is the suite's own; what it sent is what shows the failure.
                @if is_receiver { (exchange::answer_in_short(failing, room)) }
                details.more open[!is_receiver] {
                    summary { (messages::whole_exchange(failing.id)) }
                    (exchange::exchange(failing, is_receiver, room))
                }
            }
            (None, Some(answer)) => {
                h4 { "Answer" }
                (exchange::stored_answer(answer, room))
            }
            (None, None) => {}
        }
        @for one in others.iter().take(room.further) {
            details.more {
                summary {
                    (messages::exchange(one.id, &one.outcome, one.took))
                    @if check.controls.contains(&one.id.0) { " · control" }
                }
                (exchange::brief(one, room))
            }
        }
        @if !check.exchanges.is_empty() {
            p.small.dim { (messages::shown_by(&check.exchanges, others.len().saturating_sub(room.further))) }
        }
    }
}

fn commands(requirement: &RequirementEntry, check: &CheckEntry, room: Room) -> Markup {
    let short = |command: &&str| command.len() <= room.command;
    let repeat = check.repeat();
    html! {
        @if check.rerun.is_some() || repeat.is_some() || check.beyond_curl {
            h4 { "Repeat" }
            @if let Some(rerun) = &check.rerun { (copied(messages::rerun(), rerun)) }
            @match repeat.filter(short) {
                Some(command) => (copied(messages::repeat(check.emit.is_some()), command)),
                None if repeat.is_some() => p.small.dim { (messages::long_command()) },
                None => {
                    @if check.beyond_curl { p.small.dim { (messages::no_curl_command()) } }
                }
            }
        }
        @if check.verdict != VerdictName::NotApplicable {
            h4 { "Documentation" }
            (documentation(&requirement.id))
        }
    }
}
