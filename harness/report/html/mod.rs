//! The report as one HTML file: the verdict, the findings with their fixes, and every requirement with what shows its verdict.
//!
//! It is rendered from the report alone, whose secrets are redacted already. What others wrote is escaped, and cut where it is
//! long; the page says how much is missing.

mod diff;
mod exchange;
mod failure;
mod findings;
mod heading;
mod latency;
mod messages;
mod pair;
mod requirements;
mod room;

use maud::{Markup, html};

use self::room::Room;
use super::{CheckEntry, Report, VerdictName};
use crate::page::parts::{notes, result_line, word};
use crate::page::{Page, copied, text};
use crate::suite::requirement::Level;
use crate::terminal::inert_with;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The page with the requirements and causes, if the project has an address.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const REQUIREMENTS: &str = "blob/main/docs/requirements.md";

/// How often the page is made shorter.
const ATTEMPTS: u32 = 5;

/// The report as a whole HTML file.
pub fn render(report: &Report) -> String {
    let failures = report.checks.iter().filter(|check| failure::has_details(check)).count();
    let mut page = page(report, Room::of(failures, 0));
    for attempt in 1..=ATTEMPTS {
        if page.len() <= room::PAGE {
            break;
        }
        page = self::page(report, Room::of(failures, attempt));
    }
    // As entities, which a browser shows as what they stand for.
    inert_with(&page, ("&#58;", "&#35;")).into_owned()
}

fn page(report: &Report, room: Room) -> String {
    let main = html! {
        (heading::heading(report))
        @if let Some(failure) = &report.not_started { (heading::not_started(failure)) }
        (findings::findings(report))
        (findings::after_fix(report))
        (requirements::requirements(report, room))
        @if let Some(latency) = &report.latency_us { (latency::latency(latency)) }
        (notes(&report.notes))
        (result_line(&report.result_line()))
    };
    let title = messages::title(report.result.as_str(), &report.role, &report.subject);
    Page { title: &title, kind: messages::kind(), style: STYLE, script: SCRIPT, main }.render()
}

/// A verdict as a word with its colour.
fn verdict(verdict: VerdictName) -> Markup {
    html! { span.verdict data-verdict=(verdict.as_str()) { (word(verdict.as_str())) } }
}

fn level(level: Level) -> Markup {
    html! { span.level data-level=(level.as_str()) { (level.as_str()) } }
}

/// A link to the part of this page about a requirement.
fn to_requirement(id: &str) -> Markup {
    html! { a.id href={ "#" (text::attribute(id)) } { (text::line(id)) } }
}

/// The documentation of a requirement or a cause: a link, or the command that prints it.
fn documentation(name: &str) -> Markup {
    let anchor = name.to_ascii_lowercase().replace('.', "-");
    html! {
        @if REPOSITORY.is_empty() {
            (copied(&messages::documentation_of(name), &messages::explain_command(name)))
        } @else {
            p { a href={ (REPOSITORY) "/" (REQUIREMENTS) "#" (text::attribute(&anchor)) } { (messages::documentation_of(name)) } }
        }
    }
}

/// The verdict's name of a check that is open or failed, for what is not a pass.
fn is_open(check: &CheckEntry) -> bool {
    matches!(check.verdict, VerdictName::Inconclusive | VerdictName::Error)
}
