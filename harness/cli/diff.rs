//! `diff`: compares two saved runs.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::headings::OUTPUT;
use super::saved;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::stored::diff::Difference;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The earlier run: the folder that it made with --out, or its report as JSON
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The later run
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print Markdown, for a comment or a CI summary
    #[arg(long, conflicts_with = "json", help_heading = OUTPUT)]
    markdown: bool,
    /// Print JSON for programs
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let (old, new) = (saved::open(&arguments.old)?, saved::open(&arguments.new)?);
    let difference = Difference::of(&old, &new).map_err(|why| Error::Usage(why.to_string()))?;
    let text = if arguments.json {
        difference.json()
    } else if arguments.markdown {
        difference.markdown()
    } else {
        difference.text(console.width())
    };
    console.print(&text)?;
    Ok(difference.exit())
}
