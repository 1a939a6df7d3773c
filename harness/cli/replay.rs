//! `replay`: sends one saved case again and judges the answer.
//!
//! Invariant: the delivery is sent between its controls, as in the run; if they are rejected there is no verdict.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::attach::AttachOptions;
use super::console::Console;
use super::headings::{LIMITS, PAYLOAD, TARGET};
use super::messages;
use super::signals::interruption;
use super::trust::TrustOptions;
use super::values::duration;
use crate::budget::LARGE_FILE;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::input;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::report::Tool;
use crate::report::case::replayed::Replayed;
use crate::report::case::{Case, entry};
use crate::suite::replay;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::terminal::{clean, text};
use crate::webhook::signature::Secret;
use crate::wire::client::Client;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Replay this case, which a run with --out saved as DIR/cases/ID.json
    file: PathBuf,
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
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let unusable = |why: String| Error::Usage(messages::cannot_replay(&arguments.file, &why));
    let case = Case::parse(&read(&arguments.file).map_err(unusable)?).map_err(unusable)?;
    let named = |one: &&Requirement| one.role() == Role::Receiver && one.id == case.requirement;
    let requirement = requirements::all()
        .find(named)
        .ok_or_else(|| unusable(messages::not_a_receiver_requirement(&case.requirement)))?;
    let made = || Secret::new(Random::secret_of(case.seed));
    let path = (arguments.path.as_deref(), case.path());
    let attachment = arguments.attach.attachment(path, made, &arguments.trust, console)?;
    let case = case.with_secret(&attachment.secret);
    let clock = Clock::system();
    let timing = case.timing(&attachment.secret, arguments.as_saved, clock.now_ms());
    let timing = timing.map_err(|doubt| Error::Usage(doubt.to_string()))?;
    let mut interrupted = interruption();
    let Some(mut subject) = attachment.reach(&interrupted, false).await? else {
        console.error(&messages::interrupted_before_ready("sent"));
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
        console.error(messages::interrupted_while_sending());
        return Ok(ExitStatus::Interrupted);
    };
    let attempt = attempt?;

    let replayed = case.judge(&attempt, &timing);
    let redaction = Redaction::new([&attachment.secret]);
    let how = if arguments.as_saved { "as saved" } else { "signed again" };
    let heading = format!(
        "{} {} · replay {} · receiver {} · {how}\n\n",
        Tool::THIS.name,
        Tool::THIS.version,
        clean(&text(arguments.file.as_os_str().as_encoded_bytes())),
        clean(&attachment.name)
    );
    let shown = entry::render(requirement, &case, (&attempt, &replayed), &target, &redaction);
    console.print(&(redaction.text(&heading) + &shown))?;
    Ok(match replayed {
        Replayed::StillFails(_) => ExitStatus::Failed,
        Replayed::Fixed => ExitStatus::Passed,
        Replayed::Inconclusive(_) => ExitStatus::Incomplete,
    })
}

/// Reads the file. Errors: it cannot be read, or is too long to be a case.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let found = fs::metadata(path).map_err(|why| why.to_string())?;
    if !found.is_file() {
        return Err(messages::not_a_file().to_owned());
    }
    input::file(path, LARGE_FILE).map_err(|why| why.to_string())
}
