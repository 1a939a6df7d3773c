//! `demo`: the whole suite on the built-in reference peers, in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;

use super::console::{Console, ProgressLine};
use super::options::RunOptions;
use super::plan::RunPlan;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::peers::receiver::{Receiver, Settings};
use crate::peers::sender::pooled::Pooled;
use crate::peers::sender::{ANSWER_WAIT, Sender};
use crate::random::Random;
use crate::subject;
use crate::subject::observations::{Observations, Source};
use crate::suite::requirement::Role;
use crate::suite::run;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::http;

/// Options of `demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut plan = RunPlan::of(&arguments.run, &[Role::Sender, Role::Receiver])?;
    let folder = arguments.run.reports.folder()?;
    let random = Random::from_seed(plan.options.seed);

    let subject = "the reference sender and receiver";
    let of_sender = folder.as_ref().map(|folder| folder.within("sender"));
    let evidence = of_sender.map(|folder| plan.keep(&folder, Role::Sender, subject, None));
    let options = &plan.options;

    let transport = Pooled::new(ANSWER_WAIT).map_err(Error::Harness)?;
    let sender = Sender::new(
        options.dialect,
        options.clock.clone(),
        Random::from_seed(options.seed),
        Arc::new(transport),
    );
    let progress = ProgressLine::new("sender", arguments.run.reports.quiet);
    let sent =
        run::sender(&sender, &plan.selected_for(Role::Sender), options, &|at| progress.show(at)).await?;
    let report = plan.report(&sent, subject, evidence.as_ref());

    let secret = Secret::new(random.secret());
    let subject = "the reference receiver";
    let of_receiver = folder.as_ref().map(|folder| folder.within("receiver"));
    let evidence = of_receiver.map(|folder| plan.keep(&folder, Role::Receiver, subject, Some(&secret)));
    let options = &plan.options;
    let observations = Observations::default();
    let told = observations.clone();
    let observer = Arc::new(move |observed| told.add(observed));
    let receiver = Receiver::new(Settings::new(secret.clone()), options.clock.clone(), observer);
    let server = http::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(receiver)).await;
    let server = server.map_err(|why| Error::Harness(format!("no port can be listened on: {why}")))?;
    let mut attached =
        subject::receiver::Receiver::here(server, "/", secret).observed_by(Source::Told(observations));
    let progress = ProgressLine::new("receiver", arguments.run.reports.quiet);
    let received =
        run::receiver(&mut attached, &plan.selected_for(Role::Receiver), options, &|at| progress.show(at))
            .await?;

    let mut report = report.merged(plan.report(&received, subject, evidence.as_ref()));
    if let Some(folder) = &folder {
        folder.report(&mut report);
    }
    arguments.run.reports.publish(&report, console)
}
