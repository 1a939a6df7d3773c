//! `demo`: the whole suite on the built-in reference peers, in one process.
//!
//! Invariant: the reference peers are reached over real HTTP, as any other subject is.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;

use super::console::{Console, ProgressLine};
use super::options::RunOptions;
use crate::client::pooled::Pooled;
use crate::endpoint::http;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::receiver::{Receiver, Settings};
use crate::report::{Heading, Report};
use crate::requirement::Role;
use crate::sender::{ANSWER_WAIT, Sender};
use crate::signature::Secret;
use crate::subject;
use crate::subject::observations::{Observations, Source};
use crate::suite;

/// Options of `demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let plan = arguments.run.plan(&[Role::Sender, Role::Receiver])?;
    let options = &plan.options;
    let random = Random::from_seed(options.seed);
    let of = |role| plan.selected.iter().copied().filter(|one| one.role == role).collect::<Vec<_>>();
    let heading =
        |subject: &str| Heading { subject: subject.to_owned(), seed: options.seed, fail_on: plan.fail_on };

    let transport = Pooled::new(ANSWER_WAIT).map_err(Error::Harness)?;
    let sender = Sender::new(
        options.dialect,
        options.clock.clone(),
        Random::from_seed(options.seed),
        Arc::new(transport),
    );
    let progress = ProgressLine::new("sender", arguments.run.quiet);
    let sent = suite::sender(&sender, &of(Role::Sender), options, &|at| progress.show(at)).await?;

    let secret = Secret::new(random.secret());
    let observations = Observations::default();
    let told = observations.clone();
    let observer = Arc::new(move |observed| told.add(observed));
    let receiver = Receiver::new(Settings::new(secret.clone()), options.clock.clone(), observer);
    let server = http::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(receiver)).await;
    let server = server.map_err(|why| Error::Harness(format!("no port can be listened on: {why}")))?;
    let mut subject =
        subject::receiver::Receiver::here(server, "/", secret).observed_by(Source::Told(observations));
    let progress = ProgressLine::new("receiver", arguments.run.quiet);
    let received =
        suite::receiver(&mut subject, &of(Role::Receiver), options, &|at| progress.show(at)).await?;

    let report = Report::new(&sent, &heading("the reference sender and receiver"))
        .merged(Report::new(&received, &heading("the reference receiver")), plan.fail_on);
    arguments.run.publish(&report, console)
}
