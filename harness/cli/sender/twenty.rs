//! `sender --twenty`: a run on a Twenty, the list of its calls, and the removal of what earlier runs left.
//!
//! Invariant: what is made there is announced before the first call, and what is left in the end is named.

use std::sync::Mutex;

use super::Arguments;
use crate::api::sender::twenty::{Rehearsed, Twenty};
use crate::cli::console::{Console, ProgressLine};
use crate::cli::messages::twenty as messages;
use crate::cli::options::random_seed;
use crate::cli::plan::{NotStarted, RunPlan};
use crate::cli::signals::asked_to_end;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::report::evidence::RunEvidence;
use crate::shell::word;
use crate::subject::twenty::cleanup::{self, Removal};
use crate::suite::max_time::MaxTime;
use crate::suite::requirement::Role;
use crate::suite::run::Run;
use crate::webhook::dialect::SHIPPED;

/// Runs the command for the Twenty at this URL.
pub(super) async fn run(
    arguments: &Arguments,
    url: &str,
    mut plan: RunPlan,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    arguments.refuse_others()?;
    let target = arguments.trust.target(url, console)?;
    target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
    let key = arguments.access.key(console)?;
    let per_minute = usize::try_from(arguments.calls_per_minute).unwrap_or(usize::MAX);
    let twenty = Twenty::at(target, key.clone(), per_minute, Random::from_seed(random_seed()).nonce());
    plan.options.dialect = &SHIPPED;
    plan.options.auto = false;
    plan.options.hidden = Some(key);
    plan.options.place = arguments.access.place().clone();
    plan.options.max_time = MaxTime::new(arguments.run.max_time.unwrap_or(MaxTime::of_crm()));
    match (arguments.cleanup, arguments.dry_run) {
        (true, true) => list_leftovers(arguments, &twenty, console).await,
        (true, false) => clean_up(arguments, &twenty, console).await,
        (false, true) => list_calls(&twenty, &plan, console).await,
        (false, false) => judge(arguments, (url, &twenty), plan, console).await,
    }
}

impl Arguments {
    /// Errors: an option is about another kind of sender.
    fn refuse_others(&self) -> Result<(), Error> {
        self.launch.refused()?;
        if self.secret.given() {
            return Err(Error::Usage(super::messages::secret_without_transcript().to_owned()));
        }
        let dialect = self.run.dialect;
        if !dialect.is_auto() && dialect.dialect().name != SHIPPED.name {
            return Err(Error::Usage(messages::sends_shipped().to_owned()));
        }
        Ok(())
    }

    /// The words that attach the Twenty again, without a key that stands on the command line; `None` if a shell cannot pass them.
    fn words_of_twenty(&self, url: &str) -> Option<String> {
        let mut words = format!("sender --twenty {}{}", word(url.as_bytes())?, self.access.words()?);
        if self.calls_per_minute != super::CALLS_PER_MINUTE {
            words.push_str(&format!(" --calls-per-minute {}", self.calls_per_minute));
        }
        words.push_str(&self.trust.words()?);
        if self.allow_remote {
            words.push_str(" --allow-remote");
        }
        Some(words)
    }
}

/// Lists the calls of a run on stdout.
async fn list_calls(twenty: &Twenty, plan: &RunPlan, console: &mut Console) -> Result<ExitStatus, Error> {
    console.note(messages::rehearsing());
    let Some(rehearsed) = rehearse(twenty, plan).await? else {
        console.error(messages::interrupted_before_start());
        return Ok(ExitStatus::Interrupted);
    };
    let calls: String = rehearsed.calls.iter().map(|call| format!("{call}\n")).collect();
    console.print(&calls)?;
    console.print(&format!("{}\n", announcement(twenty, &rehearsed)))?;
    Ok(ExitStatus::Passed)
}

/// Finds out what a run does; `None` if that was interrupted.
async fn rehearse(twenty: &Twenty, plan: &RunPlan) -> Result<Option<Rehearsed>, Error> {
    let rehearsed = twenty.rehearse(&plan.selected, &plan.options).await?;
    Ok((!*plan.options.interrupted.borrow()).then_some(rehearsed))
}

fn announcement(twenty: &Twenty, rehearsed: &Rehearsed) -> String {
    let (calls, at_least) = (rehearsed.calls.len(), rehearsed.at_least);
    let made = rehearsed.made();
    messages::announcement(&twenty.url(), (calls, twenty.calls_per_minute(), at_least), &made)
}

async fn list_leftovers(
    arguments: &Arguments,
    twenty: &Twenty,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    let found = tokio::select! {
        found = twenty.leftovers(arguments.run.timeout) => found?,
        () = asked_to_end() => return Ok(ExitStatus::Interrupted),
    };
    let lines: String = found.made.iter().map(|one| format!("{}\n", messages::would_remove(one))).collect();
    console.print(&lines)?;
    found.unseen.iter().for_each(|why| console.error(why));
    if found.made.is_empty() && found.unseen.is_empty() {
        console.print(&format!("{}\n", messages::nothing_left()))?;
    }
    Ok(if found.unseen.is_empty() { ExitStatus::Passed } else { ExitStatus::Incomplete })
}

async fn clean_up(
    arguments: &Arguments,
    twenty: &Twenty,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    let second = Mutex::new(console.second());
    let removing = |count: usize| {
        if let (true, Ok(mut console)) = (count > 0, second.lock()) {
            console.note(&messages::removing_leftovers(count));
        }
    };
    let removal = tokio::select! {
        removal = twenty.clean_up(arguments.run.timeout, &removing) => removal?,
        () = asked_to_end() => {
            console.error(messages::cleanup_interrupted());
            return Ok(ExitStatus::Interrupted);
        }
    };
    let lines: String = removal.removed.iter().map(|one| format!("{}\n", messages::removed(one))).collect();
    console.print(&lines)?;
    if removal.removed.is_empty() && removal.is_complete() {
        console.print(&format!("{}\n", messages::nothing_left()))?;
    } else {
        console.print(&format!("{}\n", messages::removed(cleanup::counts(&removal.removed))))?;
    }
    removal.left.iter().for_each(|why| console.error(why));
    Ok(if removal.is_complete() { ExitStatus::Passed } else { ExitStatus::Incomplete })
}

/// Runs the suite against it.
async fn judge(
    arguments: &Arguments,
    (url, twenty): (&str, &Twenty),
    mut plan: RunPlan,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    let reports = &arguments.run.reports;
    let inputs = [arguments.access.inputs(), arguments.trust.inputs(), arguments.run.inputs()].concat();
    let folder = reports.claim(&inputs)?;
    plan.attached = arguments.words_of_twenty(url);
    let evidence = folder.map(|folder| plan.keep(&folder, Role::Sender, url, None));
    if let (Some(evidence), Some(key)) = (&evidence, &plan.options.hidden) {
        evidence.hide_key(key);
    }
    match rehearse(twenty, &plan).await {
        Ok(Some(rehearsed)) => {
            console.note(&announcement(twenty, &rehearsed));
            if rehearsed.at_least > plan.options.max_time.whole() {
                console.note(messages::time_is_short());
            }
        }
        ended => {
            evidence.iter().for_each(RunEvidence::discard);
            ended?;
            console.error(messages::interrupted_before_start());
            return Ok(ExitStatus::Interrupted);
        }
    }
    plan.options.max_time = plan.options.max_time.again();
    let (run, removal) = drive(arguments, twenty, &plan, console).await;
    let command = plan.attached.as_deref();
    say_what_is_left(&removal, command, console);
    let mut run = match run {
        Err(Error::Subject(why)) => {
            let not_started = NotStarted { role: Role::Sender, subject: url, secret: None, why };
            return plan.publish_not_started(not_started, reports, evidence.as_ref(), console);
        }
        Err(why) => {
            evidence.iter().for_each(RunEvidence::discard);
            return Err(why);
        }
        Ok(run) => run,
    };
    let left = removal.left.iter().map(|why| messages::not_removed(why, command));
    run.transcript.remarks.extend(left);
    let report = plan.report(&run, url, evidence.as_ref());
    reports.publish(&report, console)
}

/// Plays the run and removes what it made.
async fn drive(
    arguments: &Arguments,
    twenty: &Twenty,
    plan: &RunPlan,
    console: &mut Console,
) -> (Result<Run, Error>, Removal) {
    let progress = ProgressLine::new("sender", arguments.run.reports.is_quiet());
    let (second, interrupted) = (Mutex::new(console.second()), plan.options.interrupted.clone());
    let command = plan.attached.as_deref();
    let removing = |count: usize| {
        if let (true, Ok(mut console)) = (count > 0, second.lock()) {
            console.note(&messages::removing(count, interrupted.borrow().then_some(command)));
        }
    };
    twenty.run(&plan.selected, &plan.options, &|at| progress.show(at), &removing).await
}

/// Names on stderr what could not be removed, with the command that does.
fn say_what_is_left(removal: &Removal, command: Option<&str>, console: &mut Console) {
    removal.left.iter().for_each(|why| console.error(why));
    if !removal.is_complete() {
        console.note(&messages::clean_up_with(command));
    }
}
