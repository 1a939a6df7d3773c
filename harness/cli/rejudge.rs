//! `rejudge`: judges a saved run again, from its exchanges, and compares the verdicts with the run's own.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::messages::rejudge as messages;
use super::options::SecretOptions;
use super::outputs::Input;
use super::reports::Rendering;
use super::saved;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::evidence::{OF_ROLES, TRANSCRIPT};
use crate::report::rejudge::{Rejudged, rejudge};
use crate::report::stored::Saved;
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
    shown: Rendering,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let folder = &arguments.folder;
    let secret = arguments.secret.read(console)?;
    arguments.shown.check(&[Input::saved(folder)], None)?;
    run::check_vectors()?;
    let saved = saved::open(folder)?;
    if saved.manifests.iter().any(|one| one.merged_from.is_some()) {
        return Err(Error::Usage(messages::joined(folder)));
    }
    if saved.report.not_started.is_some() {
        console.error(&messages::nothing_to_judge(folder));
        return Ok(saved.report.exit);
    }
    let mut report = judged(folder, secret.as_ref())?;
    let differences = match compared(&saved, &mut report) {
        Ok(differences) => {
            if differences.is_empty() {
                console.note(messages::agrees());
            }
            differences
        }
        Err(why) => {
            console.note(&messages::not_compared(&why));
            Vec::new()
        }
    };
    report.notes.extend(differences.iter().cloned());
    arguments.shown.write(&report, console)?;
    if differences.is_empty() {
        return Ok(report.exit);
    }
    console.error(&messages::differs(differences.len()));
    Ok(report.exit.min(ExitStatus::Harness))
}

/// Takes over what the run says of itself, and returns what is judged otherwise. Errors: why nothing is compared.
fn compared(saved: &Saved, report: &mut Report) -> Result<Vec<String>, String> {
    let shard = saved.manifests.first().and_then(|first| first.shard);
    if let Some(shard) = shard {
        report.mark_shard(shard, saved.manifests.iter().map(|one| one.selection.len()).sum());
    }
    let own = &saved.report;
    report.know_as(own);
    if own.tool != Tool::THIS {
        return Err(messages::other_version(&saved.path, &own.tool.version, &Tool::THIS.version));
    }
    Ok(differences(own, report))
}

/// The report of a run that is judged again, or of one on each role.
fn judged(folder: &Path, secret: Option<&Secret>) -> Result<Report, Error> {
    let of_roles = OF_ROLES.map(|role| folder.join(role));
    if of_roles.iter().all(|part| part.join(TRANSCRIPT).exists()) {
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
    let cause = check.cause.as_ref().map(|cause| format!(" for {}", cause.named()));
    let provisional =
        check.provisional.map(|provisional| format!(", provisionally {}", provisional.as_str()));
    format!("{}{}{}", check.verdict.as_str(), cause.unwrap_or_default(), provisional.unwrap_or_default())
}
