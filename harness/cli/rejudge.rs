//! `rejudge`: judges a saved run again, from its exchanges, and compares the verdicts with the run's own.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::messages::rejudge as messages;
use super::options::SecretOptions;
use super::outputs::Input;
use super::reports::ReportOptions;
use crate::budget::LARGE_FILE;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::input;
use crate::report::rejudge::{Rejudged, rejudge};
use crate::report::{CheckEntry, Report, Tool};
use crate::suite::run;
use crate::webhook::signature::Secret;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder that a run made with --out
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    reports: ReportOptions,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let folder = &arguments.folder;
    let secret = arguments.secret.read(console)?;
    arguments.reports.claim(&[Input::with_contents("", folder)])?;
    run::check_vectors()?;
    let mut report = judged(folder, secret.as_ref())?;
    let differences = match own(folder) {
        Ok(own) => differences(&own, &report),
        Err(why) => {
            console.note(&messages::not_compared(&why));
            Vec::new()
        }
    };
    report.notes.extend(differences.iter().cloned());
    let status = arguments.reports.publish(&report, console)?;
    if differences.is_empty() {
        return Ok(status);
    }
    console.error(&messages::differs(differences.len()));
    Ok(status.min(ExitStatus::Harness))
}

/// The report of a run that is judged again, or of one on each role.
fn judged(folder: &Path, secret: Option<&Secret>) -> Result<Report, Error> {
    let of_roles = ["sender", "receiver"].map(|role| folder.join(role));
    if of_roles.iter().all(|part| part.join("transcript.json").exists()) {
        let [sender, receiver] = of_roles;
        return Ok(one(&sender, secret)?.merged(one(&receiver, secret)?));
    }
    one(folder, secret)
}

fn one(folder: &Path, secret: Option<&Secret>) -> Result<Report, Error> {
    let Rejudged { run, heading, notes } = rejudge(folder, secret)?;
    let mut report = Report::new(&run, &heading);
    report.notes.extend(notes);
    Ok(report)
}

/// The report that the run itself made. Errors: why it cannot be read.
fn own(folder: &Path) -> Result<Report, String> {
    let path = folder.join("report.json");
    let why = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let text = input::text(&path, LARGE_FILE).map_err(|unread| why(&unread))?;
    let report: Report = serde_json::from_str(&text).map_err(|wrong| why(&wrong))?;
    if report.tool != Tool::THIS {
        return Err(messages::other_version(&path, &report.tool.version, &Tool::THIS.version));
    }
    Ok(report)
}

/// What is judged otherwise than in the run, in a sentence for each requirement.
fn differences(own: &Report, again: &Report) -> Vec<String> {
    let find = |report: &Report, id: &str| {
        report.checks.iter().find(|check| check.requirements[0] == id).map(judgement)
    };
    let mut ids: Vec<&str> =
        own.checks.iter().chain(&again.checks).map(|check| &*check.requirements[0]).collect();
    ids.sort_unstable();
    ids.dedup();
    let compared = ids.into_iter().map(|id| (id, find(own, id), find(again, id)));
    compared
        .filter(|(_, own, again)| own != again)
        .map(|(id, own, again)| messages::other_verdict(id, own, again))
        .collect()
}

/// The verdict of a check with its cause, and what it provisionally comes to.
fn judgement(check: &CheckEntry) -> String {
    let cause = check.cause.as_ref().map(|cause| match &cause.detail {
        Some(detail) => format!(" for {} ({detail})", cause.code),
        None => format!(" for {}", cause.code),
    });
    let provisional =
        check.provisional.map(|provisional| format!(", provisionally {}", provisional.as_str()));
    format!("{}{}{}", check.verdict.as_str(), cause.unwrap_or_default(), provisional.unwrap_or_default())
}
