//! `receiver`: checks a receiver.
//!
//! Invariant: nothing is sent to an address that is not this machine's, unless that was asked for.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::console::{Console, ProgressLine};
use super::options::{RunOptions, SecretOptions, duration};
use super::trust::TrustOptions;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::report::{Heading, Report};
use crate::requirement::Role;
use crate::signature::Secret;
use crate::subject::observations::Source;
use crate::subject::receiver::Receiver;
use crate::suite;

/// Options of `receiver`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The URL of a receiver that runs already
    // The environment is read by hand: what stands on the command line wins over it, and does not clash with it.
    #[arg(long, conflicts_with = "exec")]
    url: Option<String>,
    /// A command that starts a receiver; it gets PORT and TWENTY_WEBHOOK_SECRET, and no shell
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    /// The path at which the started receiver takes deliveries
    #[arg(long, default_value = "/", env = "TWENTY_CONFORM_PATH", hide_env = true)]
    path: String,
    /// Where the receiver says what it takes in: stdout (of the command), or a URL that answers a GET with a JSON array
    #[arg(long, value_name = "stdout|URL", env = "TWENTY_CONFORM_OBSERVE", hide_env = true)]
    observe: Option<String>,
    /// How long the command may take until its port accepts
    #[arg(long, default_value = "30s", value_parser = duration, env = "TWENTY_CONFORM_READY_TIMEOUT", hide_env = true)]
    ready_timeout: Duration,
    /// Send to an address that is not this machine's
    #[arg(long, env = "TWENTY_CONFORM_ALLOW_REMOTE", value_parser = BoolishValueParser::new(), hide_env = true)]
    allow_remote: bool,
    #[command(flatten)]
    trust: TrustOptions,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    run: RunOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let plan = arguments.run.plan(&[Role::Receiver])?;
    let options = &plan.options;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let given = arguments.url.is_some() || arguments.exec.is_some();
    let url = arguments.url.clone().or_else(|| variable("TWENTY_CONFORM_URL").filter(|_| !given));
    let exec = arguments.exec.clone().or_else(|| variable("TWENTY_CONFORM_EXEC").filter(|_| !given));
    let (mut subject, name) = match (&url, &exec) {
        (Some(url), _) => match at(url, &arguments, console).await {
            Ok(reached) => (reached, url.clone()),
            Err(Error::Subject(why)) => {
                return arguments.run.publish_not_begun(
                    Role::Receiver,
                    url,
                    &plan,
                    arguments.secret.read()?,
                    why,
                    console,
                );
            }
            Err(why) => return Err(why),
        },
        (None, Some(_)) if arguments.trust.given() => {
            return Err(Error::Usage(
                "--ca and --insecure are for a receiver behind https, given with --url; what --exec starts is spoken to \
                 over plain http"
                    .to_owned(),
            ));
        }
        (None, Some(command)) => {
            let made = || Secret::new(Random::from_seed(options.seed).secret());
            let secret = arguments.secret.read()?.unwrap_or_else(made);
            let path = &arguments.path;
            if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
                return Err(Error::Usage(format!(
                    "--path {path:?} must begin with a slash and hold only characters that a request line can \
                     (escape the others, such as %20 for a space)"
                )));
            }
            console.conceal(&secret);
            let mut interrupted = options.interrupted.clone();
            let started = tokio::select! {
                started = Receiver::start(command, path, secret.clone(), arguments.ready_timeout) => match started {
                    Ok(started) => started,
                    Err(why) => {
                        return arguments.run.publish_not_begun(Role::Receiver, command, &plan, Some(secret), why, console);
                    }
                },
                Ok(_) = interrupted.wait_for(|on| *on) => {
                    console.complain("interrupted before the receiver was ready; nothing was tested");
                    return Ok(ExitStatus::Interrupted);
                }
            };
            (started, command.clone())
        }
        (None, None) => {
            return Err(Error::Usage(
                "give --url URL for a receiver that runs already, or --exec 'COMMAND' for one to start"
                    .to_owned(),
            ));
        }
    };
    if let Some(observe) = &arguments.observe {
        subject = observed(subject, observe, &arguments, console)?;
    }
    let progress = ProgressLine::new("receiver", arguments.run.quiet);
    let run = suite::receiver(&mut subject, &plan.selected, options, &|at| progress.show(at)).await;
    subject.stop().await;
    let report = Report::new(&run?, &Heading { subject: name, seed: options.seed, fail_on: plan.fail_on });
    arguments.run.publish(&report, console)
}

/// Attaches what says what the receiver takes in.
fn observed(
    subject: Receiver,
    observe: &str,
    arguments: &Arguments,
    console: &mut Console,
) -> Result<Receiver, Error> {
    if observe == "stdout" {
        return Ok(subject.observed_on_stdout()?);
    }
    let target = arguments.trust.target(observe, console)?;
    target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
    Ok(subject.observed_by(Source::Asked(target)))
}

async fn at(url: &str, arguments: &Arguments, console: &mut Console) -> Result<Receiver, Error> {
    let target = arguments.trust.target(url, console)?;
    target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
    Ok(Receiver::at(target, arguments.secret.require()?).await?)
}
