//! `demo`: the whole suite on the built-in sender and receiver, in one process.

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
use crate::suite::run;
use crate::webhook::signature::Secret;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut plan = RunPlan::of(&arguments.run, &[Role::Sender, Role::Receiver])?;
    // Its own peers speak every dialect: there is nothing to find out.
    plan.options.auto = false;
    let folder = arguments.run.reports.claim(&arguments.run.inputs())?;
    let random = Random::from_seed(plan.options.seed);

    let subject = messages::REFERENCE_PEERS;
    let of_sender = folder.as_ref().map(|folder| folder.within("sender"));
    let evidence = of_sender.map(|folder| plan.keep(&folder, Role::Sender, subject, None));
    let progress = ProgressLine::new("sender", arguments.run.reports.is_quiet());
    let selected = plan.selected_for(Role::Sender);
    let sent = Sender::reference().run(&selected, &plan.options, &|at| progress.show(at)).await?;
    let report = plan.report(&sent, subject, evidence.as_ref());

    let secret = Secret::new(random.secret());
    let subject = "the reference receiver";
    let of_receiver = folder.as_ref().map(|folder| folder.within("receiver"));
    let evidence = of_receiver.map(|folder| plan.keep(&folder, Role::Receiver, subject, Some(&secret)));
    let mut receiver = reference(secret, plan.options.clock.clone()).await?;
    let progress = ProgressLine::new("receiver", arguments.run.reports.is_quiet());
    let selected = plan.selected_for(Role::Receiver);
    let received = run::receiver(&mut receiver, &selected, &plan.options, &|at| progress.show(at)).await?;

    let mut report = report.merged(plan.report(&received, subject, evidence.as_ref()));
    if let Some(folder) = &folder {
        folder.report(&mut report);
    }
    arguments.run.reports.publish(&report, console)
}
