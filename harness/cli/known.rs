//! `known`: shows and checks a list of known failures, and changes it according to a run; and how every run reads its lists.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use similar::TextDiff;

use super::console::Console;
use super::headings::OUTPUT;
use super::messages::{self, help, known as said};
use super::outputs::Input;
use super::saved;
use crate::budget::KNOWN_FAILURES;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::Report;
use crate::report::known::{EntryState, described};
use crate::suite::known::{self, Entry, Fault};
use crate::{files, input, nearest};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show a list: what fails, since which version, why, and what it means; without a name, the lists that come with the tool
    #[command(after_long_help = help::KNOWN_SHOW)]
    Show(ShowArguments),
    /// Check a list: what it names, whether an entry has expired, and with a run, whether each still holds
    #[command(after_long_help = help::KNOWN_CHECK)]
    Check(CheckArguments),
    /// Correct a list according to a whole run; comments and order stay
    #[command(after_long_help = help::KNOWN_FIX)]
    Fix(FixArguments),
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// The list: a TOML file, or the name of a list that comes with the tool (twenty-2.31)
    #[arg(value_name = "FILE|NAME")]
    list: Option<String>,
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// The list: a TOML file, or the name of a list that comes with the tool (twenty-2.31)
    #[arg(value_name = "FILE|NAME")]
    list: String,
    /// The run: its --out folder, or its JSON report
    #[arg(value_name = "DIR|REPORT")]
    run: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct FixArguments {
    /// The list, a TOML file; with --add it need not exist
    #[arg(value_name = "FILE")]
    list: PathBuf,
    /// The run: its --out folder, or its JSON report
    #[arg(value_name = "DIR|REPORT")]
    run: PathBuf,
    /// Add an entry for each failure without one, with the reason "TODO"
    #[arg(long, help_heading = OUTPUT)]
    add: bool,
    /// Print the change, and write nothing
    #[arg(long, help_heading = OUTPUT)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    match &arguments.action {
        Action::Show(arguments) => show(arguments, console),
        Action::Check(arguments) => check(arguments, console),
        Action::Fix(arguments) => fix(arguments, console),
    }
}

/// The entries of these lists, each a file or a name.
///
/// Errors: a list cannot be read or is wrong, or two entries name the same requirement.
pub(super) fn read(lists: &[String]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for list in lists {
        entries.extend(parsed(list, &text_of(list)?)?);
    }
    without_contradictions(&entries)?;
    Ok(entries)
}

/// Errors: two entries name the same requirement.
fn without_contradictions(entries: &[Entry]) -> Result<(), Error> {
    match known::contradictions(entries) {
        clashes if clashes.is_empty() => Ok(()),
        clashes => Err(Error::Usage(said::first_of(&clashes))),
    }
}

/// The files among lists.
pub(super) fn inputs(lists: &[String]) -> impl Iterator<Item = Input> + '_ {
    let files = lists.iter().filter(|list| known::shipped(list).is_none());
    files.map(|list| Input::of("--known-failures", Path::new(list)))
}

/// The text of a list. Errors: there is neither such a file nor such a name.
fn text_of(list: &str) -> Result<String, Error> {
    if let Some(text) = known::shipped(list) {
        return Ok(text.to_owned());
    }
    if list.is_empty() {
        return Err(Error::Usage(said::no_name().to_owned()));
    }
    let path = Path::new(list);
    let cannot = |why: String| Error::Usage(messages::cannot_read(list, why));
    if path.is_dir() {
        return Err(cannot(said::is_folder().to_owned()));
    }
    input::text(path, KNOWN_FAILURES).map_err(|why| match &why {
        input::Unread::Io(io) if io.kind() == std::io::ErrorKind::NotFound => {
            let names: Vec<&str> = known::names().collect();
            Error::Usage(said::no_list(list, nearest::to(list, names.iter().copied()), &names))
        }
        _ => cannot(why.to_string()),
    })
}

fn parsed(list: &str, text: &str) -> Result<Vec<Entry>, Error> {
    known::parse(list, text).map_err(|faults| {
        let line = |Fault { line, why }: &Fault| messages::config::at_line(Path::new(list), *line, why);
        Error::Usage(said::first_of(&faults.iter().map(line).collect::<Vec<_>>()))
    })
}

fn show(arguments: &ShowArguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let text = match &arguments.list {
        None => known::names()
            .map(|name| said::list_in_one_line(name, &known::title(known::shipped(name).unwrap_or_default())))
            .collect(),
        Some(list) => {
            let entries = read(std::slice::from_ref(list))?;
            let blocks: Vec<String> = entries.iter().map(said::whole_entry).collect();
            blocks.join("\n") + &said::how_to_use(list, entries.len())
        }
    };
    console.print(&text)?;
    Ok(ExitStatus::Passed)
}

fn check(arguments: &CheckArguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let entries = read(std::slice::from_ref(&arguments.list))?;
    let today = known::day(Clock::system().now_ms()).map_err(|why| Error::Harness(why.to_string()))?;
    let report = arguments.run.as_deref().map(report_of).transpose()?;
    let seen = report.as_ref().map(Report::seen);
    let mut text = String::new();
    let mut counts = [0; 3];
    for entry in &entries {
        let (state, words) = match &seen {
            Some(seen) => described(entry, seen, today),
            None if entry.has_expired(today) => described(entry, &[], today),
            None => (EntryState::Right, said::entry(entry)),
        };
        counts[state as usize] += 1;
        text.push_str(&format!("{}  {}: {words}\n", entry.place(), entry.check()));
    }
    if let Some(why) = report.as_ref().and_then(|report| report.partial(&entries)) {
        text.push_str(&format!("{}\n", said::not_whole(&why)));
    }
    text.push_str(&format!("{}\n", said::counts(seen.is_some(), counts)));
    console.print(&text)?;
    let is_wrong = counts[EntryState::Wrong as usize] > 0;
    Ok(if is_wrong { ExitStatus::KnownFailures } else { ExitStatus::Passed })
}

fn fix(arguments: &FixArguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let path = &arguments.list;
    let list = path.display().to_string();
    if known::shipped(&list).is_some() && !path.exists() {
        return Err(Error::Usage(said::not_to_change(&list)));
    }
    let is_new = arguments.add && !path.exists();
    let text = if is_new { String::new() } else { text_of(&list)? };
    let entries = parsed(&list, &text)?;
    without_contradictions(&entries)?;
    let report = report_of(&arguments.run)?;
    if let Some(why) = report.partial(&entries) {
        return Err(Error::Usage(said::refused(&list, &why)));
    }
    let today = known::day(Clock::system().now_ms()).map_err(|why| Error::Harness(why.to_string()))?;
    let fixed = known::fixed(&text, &entries, &report.seen(), today, arguments.add)
        .map_err(|why| Error::Usage(messages::cannot_read(&list, why)))?;
    let mut told = fixed.changes.clone();
    told.extend(fixed.left.iter().map(|line| said::left(line)));
    if fixed.changes.is_empty() {
        told.push(said::nothing_to_change(&list));
    } else if arguments.dry_run {
        let diff = TextDiff::from_lines(&text, &fixed.text);
        told.push(
            diff.unified_diff().context_radius(2).header(&list, &list).to_string().trim_end().to_owned(),
        );
        told.push(said::not_written(&list));
    } else {
        // What is written must be read again by the next run.
        parsed(&list, &fixed.text).map_err(|why| Error::Harness(why.to_string()))?;
        files::write(path, fixed.text.as_bytes())
            .map_err(|source| Error::File { path: path.clone(), source })?;
        told.push(said::written(&list, fixed.changes.len()));
    }
    console.print(&(told.join("\n") + "\n"))?;
    Ok(if fixed.left.is_empty() { ExitStatus::Passed } else { ExitStatus::KnownFailures })
}

/// The report of a run: of its folder, or a file. Errors: it is none, or damaged.
fn report_of(run: &Path) -> Result<Report, Error> {
    saved::open(run).map(|saved| saved.report)
}
