//! `listen`: stands as an endpoint for a sender that cannot be driven, and judges each delivery as it comes.
//!
//! Invariant: whatever is wrong with the options is said before anything is listened to, and the summary is printed
//! whichever way the listening ends.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::console::Console;
use super::options::{DialectOption, GateLevel, ListenOptions, SecretOptions};
use super::signals::asked_to_end;
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::watched::DeliveryEntry;
use crate::report::watched::keeping::Keeping;
use crate::report::watched::show::{Show, TrafficCounts};
use crate::suite::run;
use crate::suite::traffic::Traffic;
use crate::suite::traffic::listening::{Answering, Judge, Listening, Watched};
use crate::suite::transcript::Limits;
use crate::wire::client::Target;
use crate::wire::client::forwarding::{Forwarding, leads_to};

/// Options of `listen`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    dialect: DialectOption,
    /// The status that deliveries are answered with
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u16).range(200..=599), conflicts_with = "forward")]
    status: u16,
    /// Pass each request on, and answer what comes back; a path other than / takes the place of the request's
    #[arg(long, value_name = "URL")]
    forward: Option<String>,
    /// How long the answer to a request that was passed on is waited for
    #[arg(long, default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Pass requests on to an address that is not this machine's
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    trust: TrustOptions,
    /// Keep each delivery in this folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// End behind the first delivery
    #[arg(long, conflicts_with = "count")]
    once: bool,
    /// End behind so many deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Print JSON lines: one when it is ready, one for each delivery, and a summary
    #[arg(long)]
    json: bool,
    /// The weakest level whose failures fail the run
    #[arg(long, value_enum, default_value = "must")]
    fail_on: GateLevel,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    run::check_oracles()?;
    let secret = arguments.secret.read()?;
    secret.iter().for_each(|secret| console.conceal(secret));
    let mut keeping = arguments.out.as_deref().map(Keeping::claim).transpose()?;
    let onward = arguments.onward(console)?;
    let forwarding = |target| Forwarding::new(target, arguments.timeout, Clock::system());
    let answering = Answering {
        clock: Clock::system(),
        status: arguments.status,
        forwarding: onward.clone().map(forwarding),
        most: if arguments.once { Some(1) } else { arguments.count },
    };
    let asked = asked_to_end();
    let address = arguments.listen.address();
    let listening = Listening::at(address, answering).await.map_err(|why| arguments.listen.refused(&why))?;
    if let Some(target) = &onward {
        refuse_itself(target, &listening).await?;
    }
    let dialect = arguments.dialect.dialect();
    let mut judge = Judge::new(Traffic { dialect, limits: Limits::default(), secret });
    let show = Show { json: arguments.json };
    let began = Instant::now();
    let url = listening.url("/");
    match show.ready(&url) {
        Some(line) => console.print(&line)?,
        None => console.tell(&format!("listening on {url}")),
    }
    let print = |arrived: Vec<Watched>, judge: &Judge| {
        let mut text = String::new();
        for one in arrived {
            let (exchange, findings) = match one {
                Watched::Delivery { exchange, findings } => (exchange, findings),
                Watched::Broken(what) => {
                    text.push_str(&show.broken(&what));
                    continue;
                }
            };
            let entry = DeliveryEntry::new(dialect, &exchange.delivery.body, &findings, &judge.redaction);
            text.push_str(&show.delivery(&exchange, &entry, &judge.redaction));
            if let Some(keeping) = &mut keeping {
                keeping.keep(*exchange, &entry, &judge.redaction)?;
            }
        }
        keeping.as_mut().map_or(Ok(()), Keeping::flush)?;
        console.print(&text)
    };
    let received = listening.judge(&mut judge, asked, print).await?;
    let fail_on = arguments.fail_on.level();
    let counts = TrafficCounts { received, stored: keeping.as_ref().map(Keeping::stored) };
    console.print(&show.summary(&judge.tally, counts, fail_on, began.elapsed()))?;
    Ok(judge.tally.exit(fail_on))
}

impl Arguments {
    /// Where requests are passed on to, where they are. Errors: a URL that is none, or that may not be sent to.
    fn onward(&self, console: &mut Console) -> Result<Option<Target>, Error> {
        let Some(url) = &self.forward else {
            return if self.trust.given() {
                Err(Error::Usage("--ca and --insecure are for --forward to an https URL".to_owned()))
            } else {
                Ok(None)
            };
        };
        let target = self.trust.target(url, console)?;
        target.check_allowed(self.allow_remote).map_err(Error::Usage)?;
        Ok(Some(target))
    }
}

/// Errors: what is passed on would come back here, for ever.
async fn refuse_itself(target: &Target, listening: &Listening) -> Result<(), Error> {
    let url = target.url();
    match leads_to(target, listening.address()).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Usage(format!(
            "--forward {url} leads to this endpoint itself ({}); give another URL or another --port",
            listening.url("/")
        ))),
        Err(why) => Err(Error::Usage(format!("--forward {url}: its host cannot be resolved: {why}"))),
    }
}
