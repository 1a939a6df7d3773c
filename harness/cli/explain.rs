//! `explain`: why a requirement exists, what its check sends and which faults it catches; or what a cause means.

use clap::Args;

use super::catalogue;
use super::console::Console;
use super::headings::OUTPUT;
use super::messages;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::nearest;
use crate::suite::cause::Code;
use crate::suite::requirement::{Requirement, Role, sources_in_words};
use crate::suite::requirements;

/// The page with an anchor for each requirement and each cause.
const PAGE: &str = "docs/requirements.md";

/// The page on receivers that Twenty runs, where these causes have reasons of their own.
const APPLICATIONS: (&str, &[Code]) = (
    "docs/twenty-applications.md",
    &[Code::HeaderNotForwarded, Code::AcceptsEverything, Code::RefusesEverything],
);

const WIDTH: usize = 100;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Explain a requirement (VER-1), a check (receiver/verification/altered-content) or a cause (message.body-alone)
    #[arg(value_name = "ID|CHECK|CODE")]
    what: String,
    /// Print JSON for programs
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let what = &arguments.what;
    let named = |requirement: &&Requirement| {
        requirement.id.eq_ignore_ascii_case(what) || requirement.check_id.eq_ignore_ascii_case(what)
    };
    let requirement = requirements::all().find(named);
    let code = Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(what));
    let text = match (requirement, code) {
        (Some(requirement), _) if arguments.json => catalogue::requirement(requirement),
        (Some(requirement), _) => of_requirement(requirement),
        (None, Some(code)) if arguments.json => catalogue::cause(code),
        (None, Some(code)) => of_cause(code),
        (None, None) => return Err(Error::Usage(messages::nothing_to_explain(what, &nearest_to(what)))),
    };
    console.print(&text)?;
    Ok(ExitStatus::Passed)
}

/// The names that are most like one that does not exist.
fn nearest_to(what: &str) -> Vec<String> {
    let requirements = requirements::all().flat_map(|one| {
        let name = one.check_id.rsplit('/').next().unwrap_or_default();
        [(one.id, one.id), (one.check_id, one.check_id), (name, one.check_id)]
    });
    let causes = Code::ALL.iter().map(|code| (code.as_str(), code.as_str()));
    let names = requirements.chain(causes).map(|(spelling, shown)| (spelling.to_owned(), shown.to_owned()));
    nearest::several(what, names)
}

fn of_requirement(requirement: &Requirement) -> String {
    let Requirement { id, title, level, check_id, .. } = requirement;
    let mut text = format!("{id}  {title}\n\n");
    let source = sources_in_words(requirement.source);
    for (name, value) in [
        ("level", level.as_str()),
        ("role", &requirement.role().to_string()),
        ("check", check_id),
        ("source", &source),
    ] {
        text.push_str(&format!("  {name:<8}{value}\n"));
    }
    section(&mut text, "Requirement", [requirement.text], "");
    section(&mut text, "Why", [requirement.why], "");
    section(&mut text, "What is sent", requirement.scenarios.iter().map(|one| one.sends), "- ");
    if let Some(capability) = requirement.needs {
        text.push_str(&wrapped(&messages::needs_capability(requirement.role(), capability.as_str()), "  "));
    }
    section(&mut text, "What it catches", requirement.counterexamples.descriptions(), "- ");
    text + &more(id)
}

fn of_cause(code: Code) -> String {
    let mut text = format!("{}\n", code.as_str());
    section(&mut text, "Meaning", [code.text()], "");
    let (receiver, sender) = (code.fix(Role::Receiver), code.fix(Role::Sender));
    if receiver == sender {
        section(&mut text, "Fix", [receiver], "");
    } else {
        section(&mut text, &messages::fix_of(Role::Receiver), [receiver], "");
        section(&mut text, &messages::fix_of(Role::Sender), [sender], "");
    }
    let (receiver, sender) = (code.avoid(Role::Receiver), code.avoid(Role::Sender));
    let both = [receiver, sender];
    section(&mut text, "Do not", both.into_iter().take(if receiver == sender { 1 } else { 2 }), "");
    if APPLICATIONS.1.contains(&code) {
        text.push_str(&messages::in_applications(APPLICATIONS.0));
    }
    text + &more(code.as_str())
}

fn section<'a>(text: &mut String, name: &str, paragraphs: impl IntoIterator<Item = &'a str>, bullet: &str) {
    text.push_str(&format!("\n{name}\n"));
    for paragraph in paragraphs {
        text.push_str(&wrapped(&format!("{bullet}{paragraph}"), "  "));
    }
}

/// The line that leads to the page.
fn more(name: &str) -> String {
    format!("\nMore: {PAGE}#{}\n", name.to_lowercase().replace('.', "-"))
}

/// Breaks a text into lines of at most `WIDTH` characters after `margin`.
fn wrapped(text: &str, margin: &str) -> String {
    let (mut lines, mut line) = (String::new(), margin.to_owned());
    for word in text.split_inclusive(' ') {
        if line.chars().count() + word.trim_end().chars().count() > WIDTH && line != margin {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = margin.to_owned();
            if text.starts_with("- ") {
                line.push_str("  ");
            }
        }
        line.push_str(word);
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, more, wrapped};

    #[test]
    fn long_texts_are_wrapped_and_names_become_anchors() {
        let text = format!("- {}", "word ".repeat(50));
        let lines: Vec<String> = wrapped(&text, "  ").lines().map(str::to_owned).collect();
        assert!(lines.len() == 3 && lines.iter().all(|line| line.len() <= WIDTH), "{lines:#?}");
        assert!(lines[0].starts_with("  - word") && lines[1].starts_with("    word"), "{lines:#?}");
        assert_eq!(more("VER-16"), "\nMore: docs/requirements.md#ver-16\n");
        assert_eq!(more("message.body-alone"), "\nMore: docs/requirements.md#message-body-alone\n");
    }
}
