//! `sender`: checks a sender.
//!
//! Invariant: the sender is ended whatever came of the run.

use clap::Args;

use super::console::{Console, ProgressLine};
use super::options::RunOptions;
use super::plan::Unbegun;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::requirement::Role;
use crate::subject::sender::Command;
use crate::suite;

/// Options of `sender`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A command that speaks the attachment protocol on its stdin and stdout; no shell
    #[arg(long, value_name = "COMMAND", env = "TWENTY_CONFORM_EXEC", hide_env = true)]
    exec: String,
    #[command(flatten)]
    run: RunOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut plan = arguments.run.plan(&[Role::Sender])?;
    let folder = arguments.run.folder()?;
    let evidence = folder.map(|folder| plan.keep(&folder, Role::Sender, &arguments.exec, None));
    let subject = Command::start(&arguments.exec, plan.options.limits.timeout)?;
    let progress = ProgressLine::new("sender", arguments.run.quiet);
    let run = suite::sender(&subject, &plan.selected, &plan.options, &|at| progress.show(at)).await;
    subject.stop().await;
    let run = match run {
        Err(Error::Subject(why)) => {
            let unbegun = Unbegun { role: Role::Sender, subject: &arguments.exec, secret: None, why };
            return plan.publish_not_begun(unbegun, &arguments.run, evidence.as_ref(), console);
        }
        run => run?,
    };
    let report = plan.report(&run, &arguments.exec, evidence.as_ref());
    arguments.run.publish(&report, console)
}
