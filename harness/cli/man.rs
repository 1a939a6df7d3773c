//! `man`: one manual page for the program and for each command.
//!
//! Invariant: no file is overwritten that is not such a page, and if one is in the way, nothing is written.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::console::Console;
use super::grammar;
use super::messages::man as messages;
use super::outputs;
use crate::error::Error;
use crate::exit::ExitStatus;

/// What the source of every page is called.
const SOURCE: &str = concat!("twenty-conform ", env!("CARGO_PKG_VERSION"));
/// What a page begins with, in every version.
const MARK: &str = ".TH twenty-conform";
/// How much of a file is read to see what it is.
const MARKED: u64 = 64;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write the pages into this folder, which is created if missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// A page, after the name of its file.
type Page = (String, Vec<u8>);

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let pages = pages().map_err(|why| Error::Harness(messages::not_made(why)))?;
    outputs::write_all(&arguments.folder, &pages, |path, _| in_the_way(path), console)?;
    Ok(ExitStatus::Passed)
}

/// Why a page cannot have this path, if so.
fn in_the_way(path: &Path) -> Option<String> {
    let found = fs::symlink_metadata(path).ok()?;
    if !found.is_file() {
        return Some(messages::not_a_file(path));
    }
    let mut start = Vec::new();
    match File::open(path).and_then(|file| file.take(MARKED).read_to_end(&mut start)) {
        Err(why) => Some(messages::unreadable(path, why)),
        // An empty file has nothing to lose.
        Ok(_) if start.is_empty() || start.starts_with(MARK.as_bytes()) => None,
        Ok(_) => Some(messages::other_file(path)),
    }
}

fn pages() -> io::Result<Vec<Page>> {
    let mut program = grammar::visible(&grammar::declared());
    program.build();
    let mut pages = Vec::new();
    collect(&program, true, &mut pages)?;
    Ok(pages)
}

fn collect(command: &Command, is_program: bool, pages: &mut Vec<Page>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let man = Man::new(command.clone()).source(SOURCE);
    let mut text = part(|to| man.render_title(to))?;
    // What an apostrophe is, once.
    text.push_str(&Roff::new().render());
    text.push_str(&part(|to| man.render_name_section(to))?);
    text.push_str(&part(|to| man.render_synopsis_section(to))?);
    text.push_str(&part(|to| man.render_description_section(to))?);
    if is_program {
        text.push_str(&listed(command).to_roff());
    } else if command.has_subcommands() {
        text.push_str(&part(|to| man.render_subcommands_section(to))?);
    }
    text.push_str(&part(|to| man.render_options_section(to))?);
    if let Some(after) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        text.push_str(&sections(&after.to_string()).to_roff());
    }
    pages.push((format!("{name}.1"), text.into_bytes()));
    command.get_subcommands().try_for_each(|one| collect(one, false, pages))
}

/// A section, without what an apostrophe is: each section that is made alone says it.
fn part(render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut bytes = Vec::new();
    render(&mut bytes)?;
    let preamble = Roff::new().render();
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix(preamble.as_str()).unwrap_or(&text).to_owned())
}

/// The commands in their groups.
fn listed(program: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for (title, commands) in grammar::groups(program) {
        roff.control("SS", [title]);
        for one in commands {
            roff.control("TP", []).text([bold(format!("{}-{}(1)", program.get_name(), one.get_name()))]);
            roff.text([roman(grammar::about(one))]);
        }
    }
    roff
}

/// What follows the options in help, with its line breaks: each heading begins a section.
fn sections(text: &str) -> Roff {
    let mut roff = Roff::new();
    let mut is_open = false;
    for line in text.lines() {
        if let Some(heading) = line.strip_suffix(':').filter(|line| !line.starts_with(' ')) {
            if is_open {
                roff.control("fi", []);
            }
            roff.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
            is_open = true;
        } else if !line.is_empty() || is_open {
            roff.text([roman(line)]);
        }
    }
    if is_open {
        roff.control("fi", []);
    }
    roff
}
