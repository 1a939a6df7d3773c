//! `demo`: the whole suite on the built-in sender and receiver, in one process.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Args;

use super::console::{Console, ProgressLine};
use super::messages;
use super::options::RunOptions;
use super::plan::RunPlan;
use crate::api::receiver::reference;
use crate::api::sender::Sender;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::suite::requirement::Role;
use crate::suite::run::{self, Progress};
use crate::webhook::signature::Secret;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunOptions,
}

/// How long the built-in sender waits for an answer: longer than the late answers of the suite's endpoints. A sender with the usual
/// wait makes a run 4 s longer.
const ANSWER_WAIT: Duration = Duration::from_millis(1_500);

/// How long to watch for deliveries that must not come. The built-in sender has nothing in it that sends one later.
const QUIET: Duration = Duration::from_millis(100);

/// Checks both at the same time: each waits for itself.
pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut plan = RunPlan::of(&arguments.run, &[Role::Sender, Role::Receiver])?;
    // Its own peers speak every dialect: there is nothing to find out.
    plan.options.auto = false;
    plan.options.limits.quiet = QUIET;
    let folder = arguments.run.reports.claim(&arguments.run.inputs())?;
    let within = |role: Role| folder.as_ref().map(|folder| folder.within(role.as_str()));
    let progress = Both::new(arguments.run.reports.is_quiet());

    let of_sender =
        within(Role::Sender).map(|folder| plan.keep(&folder, Role::Sender, messages::REFERENCE_PEERS, None));
    let options = plan.options.clone();
    let selected = plan.selected_for(Role::Sender);
    let show = |at| progress.show(Role::Sender, at);
    let built_in = Sender::reference_that_waits(ANSWER_WAIT);
    let sending = built_in.run(&selected, &options, &show);

    let secret = Secret::new(Random::from_seed(plan.options.seed).secret());
    let receiver = "the reference receiver";
    let of_receiver =
        within(Role::Receiver).map(|folder| plan.keep(&folder, Role::Receiver, receiver, Some(&secret)));
    let mut subject = reference(secret, plan.options.clock.clone()).await?;
    let selected = plan.played();
    let show = |at| progress.show(Role::Receiver, at);
    let receiving = run::receiver(&mut subject, &selected, &plan.options, &show);

    let (sent, mut received) = tokio::try_join!(sending, receiving)?;
    plan.narrow(&mut received);
    drop(progress);
    let report = plan.report(&sent, messages::REFERENCE_PEERS, of_sender.as_ref());
    let mut report = report.merged(plan.report(&received, receiver, of_receiver.as_ref()));
    if let Some(folder) = &folder {
        folder.report(&mut report);
    }
    arguments.run.reports.publish(&report, console)
}

/// The progress of two runs in one line.
struct Both {
    line: ProgressLine,
    at: Mutex<[Option<Progress>; 2]>,
}

impl Both {
    fn new(quiet: bool) -> Self {
        Self { line: ProgressLine::new("demo", quiet), at: Mutex::default() }
    }

    fn show(&self, role: Role, progress: Progress) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at[usize::from(role == Role::Receiver)] = Some(progress);
        let known = || at.iter().flatten();
        self.line.show(Progress {
            done: known().map(|one| one.done).sum(),
            of: known().map(|one| one.of).sum(),
            scenario: progress.scenario.or_else(|| known().find_map(|one| one.scenario)),
        });
    }
}
