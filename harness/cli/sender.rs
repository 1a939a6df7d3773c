//! `sender`: checks a sender.
//!
//! Invariant: the sender is ended whatever came of the run.

use clap::Args;

use super::console::{Console, ProgressLine};
use super::options::RunOptions;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::{Heading, Report};
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
    let plan = arguments.run.plan(&[Role::Sender])?;
    let subject = Command::start(&arguments.exec, plan.options.limits.timeout)?;
    let progress = ProgressLine::new("sender", arguments.run.quiet);
    let run = suite::sender(&subject, &plan.selected, &plan.options, &|at| progress.show(at)).await;
    subject.stop().await;
    let run = match run {
        Err(Error::Subject(why)) => {
            return arguments.run.publish_not_begun(Role::Sender, &arguments.exec, &plan, None, why, console);
        }
        run => run?,
    };
    let heading = Heading { subject: arguments.exec.clone(), seed: plan.options.seed, fail_on: plan.fail_on };
    arguments.run.publish(&Report::new(&run, &heading), console)
}
