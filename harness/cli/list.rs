//! `list`: the requirements and their checks, one per line.

use clap::{Args, ValueEnum};

use super::catalogue;
use super::console::Console;
use super::headings::OUTPUT;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::suite::requirement::Role;
use crate::suite::requirements;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// List the requirements on this role only
    #[arg(value_enum)]
    role: Option<RoleName>,
    /// Print JSON for programs: everything about each requirement, and every cause
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// Requirements on senders
    Sender,
    /// Requirements on receivers
    Receiver,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let wanted = arguments.role.map(|role| match role {
        RoleName::Sender => Role::Sender,
        RoleName::Receiver => Role::Receiver,
    });
    let listed = requirements::all().filter(|one| wanted.is_none_or(|role| one.role() == role));
    if arguments.json {
        console.print(&catalogue::list(listed))?;
        return Ok(ExitStatus::Passed);
    }
    let mut text = String::new();
    for requirement in listed {
        text.push_str(&format!(
            "{:<6} {:<6} {:<42} {}\n",
            requirement.id, requirement.level, requirement.check_id, requirement.title
        ));
    }
    console.print(&text)?;
    Ok(ExitStatus::Passed)
}
