//! `list`: the requirements and their checks, one per line.

use clap::{Args, ValueEnum};

use super::console::Console;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::suite::requirement::Role;
use crate::suite::requirements;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// List the requirements on this role only
    #[arg(value_enum)]
    role: Option<RoleName>,
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
    let mut text = String::new();
    for requirement in requirements::all().filter(|one| wanted.is_none_or(|role| one.role() == role)) {
        text.push_str(&format!(
            "{:<6} {:<6} {:<42} {}\n",
            requirement.id, requirement.level, requirement.check_id, requirement.title
        ));
    }
    console.print(&text)?;
    Ok(ExitStatus::Passed)
}
