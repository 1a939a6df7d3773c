//! `replay`: sends one saved case again, and says whether its finding is still there.
//!
//! Invariant: the delivery goes out between its controls, as in the run; where they are rejected nothing is claimed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::attach::AttachOptions;
use super::console::Console;
use super::signals::interruption;
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::report::Tool;
use crate::report::case::replayed::Replayed;
use crate::report::case::{Case, entry};
use crate::suite::replay;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::webhook::signature::Secret;
use crate::wire::client::Client;

/// The longest file that is read: a body of 16 MiB, every byte of it escaped.
const LONGEST_FILE: u64 = 256 * 1024 * 1024;

/// Options of `replay`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A case that a run with --out saved: DIR/cases/ID.json
    file: PathBuf,
    #[command(flatten)]
    attach: AttachOptions,
    #[command(flatten)]
    trust: TrustOptions,
    /// The path at which the started receiver takes deliveries [default: that of the case]
    #[arg(long)]
    path: Option<String>,
    /// Send it byte for byte as it was, under its old timestamp, instead of signing it anew
    #[arg(long)]
    as_saved: bool,
    /// How long an answer is waited for
    #[arg(long, default_value = "10s", value_parser = duration)]
    timeout: Duration,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let no_case =
        |why: String| Error::Usage(format!("{} cannot be replayed: {why}", arguments.file.display()));
    let case = Case::parse(&read(&arguments.file).map_err(no_case)?).map_err(no_case)?;
    let named = |one: &&Requirement| one.role() == Role::Receiver && one.id == case.requirement;
    let requirement = requirements::all().find(named).ok_or_else(|| {
        no_case(format!("it is about {:?}, which is no requirement on receivers", case.requirement))
    })?;
    let made = || Secret::new(Random::from_seed(case.seed).secret());
    let path = arguments.path.as_deref().unwrap_or_else(|| case.path());
    let attachment = arguments.attach.attachment(path, made, &arguments.trust, console)?;
    let case = case.with_secret(&attachment.secret);
    let clock = Clock::system();
    let timing = case.timing(&attachment.secret, arguments.as_saved, clock.now_ms());
    let timing = timing.map_err(|doubt| Error::Usage(doubt.to_string()))?;
    let mut interrupted = interruption();
    let Some(mut subject) = attachment.reach(&interrupted, false).await? else {
        console.complain("interrupted before the receiver was ready; nothing was sent");
        return Ok(ExitStatus::Interrupted);
    };
    let case = case.at_path(&subject.target().path);
    let target = subject.target().clone();
    let deliveries = case.deliveries(&attachment.secret, &timing, clock.now_ms());
    let client = Client::new(arguments.timeout, clock);
    let attempt = tokio::select! {
        attempt = replay::send(&client, &mut subject, &deliveries, case.died.is_some()) => Some(attempt),
        Ok(_) = interrupted.wait_for(|on| *on) => None,
    };
    subject.stop().await;
    let Some(attempt) = attempt else {
        console.complain("interrupted before everything was sent; nothing can be told");
        return Ok(ExitStatus::Interrupted);
    };
    let attempt = attempt?;

    let replayed = case.judge(&attempt, &timing);
    let redaction = Redaction::new([&attachment.secret]);
    let how = if arguments.as_saved { "as it was saved" } else { "signed anew" };
    let heading = format!(
        "{} {} · replay {} · receiver {} · {how}\n\n",
        Tool::THIS.name,
        Tool::THIS.version,
        arguments.file.display(),
        attachment.name
    );
    let shown = entry::render(requirement, &case, (&attempt, &replayed), &target, &redaction);
    console.print(&(redaction.text(&heading) + &shown))?;
    Ok(match replayed {
        Replayed::StillThere(_) => ExitStatus::Failed,
        Replayed::Gone => ExitStatus::Passed,
        Replayed::Inconclusive(_) => ExitStatus::Incomplete,
    })
}

/// Reads the file. Errors: it cannot be read, or is too long to be a case.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let found = fs::metadata(path).map_err(|why| why.to_string())?;
    if !found.is_file() {
        return Err("it is no file".to_owned());
    }
    if found.len() > LONGEST_FILE {
        return Err(format!("it has {} bytes, and no case is that long", found.len()));
    }
    fs::read(path).map_err(|why| why.to_string())
}
