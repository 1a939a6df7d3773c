//! `replay`: sends failures again and judges the answers: a saved case, a folder of them, a captured request, or the failures of
//! the last run.
//!
//! Invariant: each delivery is sent between its controls, as in the run; if they are rejected there is no verdict.

mod capture;
mod sending;
mod source;
mod tally;
mod written;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use self::sending::Sending;
use self::source::{Batch, Source};
use self::tally::Tally;
use super::attach::AttachOptions;
use super::console::Console;
use super::headings::{LIMITS, OUTPUT, PAYLOAD, TARGET};
use super::last_run::last_runs;
use super::messages;
use super::messages::replay::{
    ago, last_run, last_run_is_unreadable, no_cache_folder, no_current_folder, no_last_run, nothing_failed,
};
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::case::written::Language;
use crate::report::last_runs::{Attached, LastRun};
use crate::terminal::clean;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Replay this case, each case in this folder, or this captured request [default: the failures of the last run from the
    /// current folder]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    attach: AttachOptions,
    /// Send deliveries to this path of the started receiver [default: the path of the case]
    #[arg(long, help_heading = TARGET)]
    path: Option<String>,
    #[command(flatten)]
    trust: TrustOptions,
    /// Send the saved bytes with their old timestamp instead of signing them again
    #[arg(long, help_heading = PAYLOAD)]
    as_saved: bool,
    /// Wait this long for each answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = LIMITS)]
    timeout: Duration,
    /// Send nothing; write each failure as a test in this language, which signs the delivery anew and asserts the status
    #[arg(long = "as", value_enum, value_name = "FORM", conflicts_with = "as_saved", help_heading = OUTPUT)]
    language: Option<Language>,
    /// Write the tests into this folder instead of one to stdout
    #[arg(long, value_name = "DIR", requires = "language", help_heading = OUTPUT)]
    into: Option<PathBuf>,
}

pub(super) async fn run(mut arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let source = match arguments.file.take() {
        Some(path) => source::at(&path, console)?,
        None => {
            let (source, attached) = of_last_run()?;
            if matches!(source, Source::Batch(_)) {
                let Arguments { attach, trust, .. } = &mut arguments;
                attach.keep_to(&attached, trust, console)?;
            }
            source
        }
    };
    match source {
        Source::Batch(batch) => match arguments.language {
            Some(language) => written::write(&batch, language, &arguments, console),
            None => send(batch, &arguments, console).await,
        },
        // Stdout is for the test alone.
        Source::Nothing(why) if arguments.language.is_some() => {
            console.note(&why);
            Ok(ExitStatus::NothingSelected)
        }
        Source::Nothing(why) => {
            console.print(&(clean(&why) + "\n"))?;
            Tally::default().end(false, false, console)?;
            Ok(ExitStatus::NothingSelected)
        }
    }
}

async fn send(batch: Batch, arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let captured = batch.items.iter().any(|item| item.sent.is_captured());
    // Its signature shows whether it must be accepted.
    if captured && arguments.attach.named() && arguments.attach.given_secret(console)?.is_none() {
        return Err(Error::Usage(messages::secret_is_missing().to_owned()));
    }
    Sending::new(arguments, batch, console).run().await
}

/// The failures of the last run from this folder, and how its receiver was attached.
///
/// Errors: none is kept.
fn of_last_run() -> Result<(Source, Attached), Error> {
    let runs = last_runs().map_err(|why| Error::Usage(no_cache_folder(why)))?;
    let folder = env::current_dir().map_err(|why| Error::Usage(no_current_folder(why)))?;
    let now_ms = Clock::system().now_ms();
    let ago = |run: &LastRun| ago(now_ms.saturating_sub(run.began_at_ms) / 1000);
    let newest = runs.newest(&folder);
    let newest = newest.map_err(|(path, why)| Error::Usage(last_run_is_unreadable(&path, &why)))?;
    let Some((kept, run)) = newest else {
        let elsewhere = runs.newest_of_all();
        let elsewhere = elsewhere.as_ref().map(|run| (run.folder.as_path(), ago(run)));
        return Err(Error::Usage(no_last_run(elsewhere)));
    };
    let batch = source::of_last_run(last_run(&ago(&run)), &kept, &run);
    let source = if batch.items.is_empty() && batch.unusable.is_empty() {
        let subject = run.attached.exec.as_ref().or(run.attached.url.as_ref());
        Source::Nothing(nothing_failed(&ago(&run), subject.map_or("", String::as_str)))
    } else {
        Source::Batch(batch)
    };
    Ok((source, run.attached))
}
