//! `explain`: why a requirement exists, what is sent for it and what breaks it; or what a cause means and its fix.

use clap::Args;

use super::console::Console;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::suite::cause::Code;
use crate::suite::requirement::Requirement;
use crate::suite::requirements;

/// Options of `explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A requirement (VER-1), a check (receiver/verification/altered-content) or a cause (message.body-alone)
    what: String,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let what = &arguments.what;
    let named = |requirement: &&Requirement| {
        requirement.id.eq_ignore_ascii_case(what) || requirement.check_id == what
    };
    let text = if let Some(requirement) = requirements::all().find(named) {
        of_requirement(requirement)
    } else if let Some(code) = Code::ALL.iter().find(|code| code.as_str() == what) {
        format!("{what}\n\n  {}\n\n  fix: {}\n", code.text(), code.fix())
    } else {
        return Err(Error::Usage(format!(
            "{what:?} is no requirement, check or cause; `twenty-conform list` shows the requirements"
        )));
    };
    console.print(&text)?;
    Ok(ExitStatus::Passed)
}

fn of_requirement(requirement: &Requirement) -> String {
    let mut text = format!(
        "{} {} ({}, {}), {}\n\n  {}\n  source: {}\n\nwhy\n  {}\n\nwhat is done\n",
        requirement.id,
        requirement.title,
        requirement.role(),
        requirement.level,
        requirement.check_id,
        requirement.text,
        requirement.source,
        requirement.why
    );
    for scenario in requirement.scenarios {
        text.push_str(&format!("  - {}\n", scenario.sends));
    }
    if let Some(capability) = requirement.needs {
        text.push_str(&format!("  (where the sender declares the capability `{}`)\n", capability.as_str()));
    }
    text.push_str("\nwhat breaks it, and is known to be found\n");
    for fault in requirement.counterexamples.descriptions() {
        text.push_str(&format!("  - {fault}\n"));
    }
    text
}
