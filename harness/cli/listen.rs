//! `listen`: judges each delivery as it arrives, from a sender that the suite does not control.
//!
//! Invariant: wrong options are reported before the port opens, and the summary is always printed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::console::Console;
use super::headings::{ENDPOINT, LIMITS, OUTPUT, REPORTS, TARGET, VERDICT};
use super::messages;
use super::options::{DialectOption, GateLevel, ListenOptions, SecretOptions, random_seed};
use super::signals::{asked_to_end, writing};
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::report::watched::DeliveryEntry;
use crate::report::watched::keeping::{self, Keeping, Verdicts};
use crate::report::watched::show::{Show, TrafficCounts};
use crate::suite::run;
use crate::suite::traffic::Traffic;
use crate::suite::traffic::listening::{Answering, Ended, Judge, Listening, Storage, Store, Watched};
use crate::suite::transcript::Limits;
use crate::wire::client::Target;
use crate::wire::client::forwarding::{Forwarding, leads_to};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    listen: ListenOptions,
    /// Answer deliveries with this status
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u16).range(200..=599))]
    #[arg(conflicts_with = "forward", help_heading = ENDPOINT)]
    status: u16,
    /// Forward each request to this URL and return its answer; a path other than / replaces the request's path
    #[arg(long, value_name = "URL", help_heading = TARGET)]
    forward: Option<String>,
    /// Allow --forward to another machine
    #[arg(long, help_heading = TARGET)]
    allow_remote: bool,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    trust: TrustOptions,
    #[command(flatten)]
    dialect: DialectOption,
    /// Fail the run if a requirement of this level or above fails
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "must", help_heading = VERDICT)]
    fail_on: GateLevel,
    /// Stop after the first delivery
    #[arg(long, conflicts_with = "count", help_heading = LIMITS)]
    once: bool,
    /// Stop after N deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = LIMITS)]
    count: Option<u64>,
    /// Wait this long for the answer to a forwarded request
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = LIMITS)]
    timeout: Duration,
    /// Save each delivery in this folder, which must be new or empty
    ///
    /// A delivery is answered after it is saved. If it cannot be saved, the answer is 503.
    #[arg(long, value_name = "DIR", help_heading = REPORTS)]
    out: Option<PathBuf>,
    /// Print JSON lines: one when ready, one for each delivery, and a summary
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    run::check_vectors()?;
    let secret = arguments.secret.read(console)?;
    let forward_target = arguments.forward_target(console)?;
    let redaction = Redaction::new(secret.as_ref());
    let kept = arguments.out.as_deref().map(|folder| keeping::claim(folder, redaction)).transpose()?;
    let (store, mut verdicts) = kept.unzip();
    let stored = store.as_ref().map(Keeping::counts);
    let name = format!("twenty-conform-{}", Random::from_seed(random_seed()).nonce());
    let forwarding = |target| Forwarding::new(target, arguments.timeout, Clock::system(), name);
    let answering = Answering {
        clock: Clock::system(),
        status: arguments.status,
        forwarding: forward_target.clone().map(forwarding),
        most: if arguments.once { Some(1) } else { arguments.count },
        store: store.map(|store| Box::new(store) as Box<dyn Store>),
    };
    survive_the_limit_on_file_sizes();
    let asked = asked_to_end();
    let address = arguments.listen.address();
    let listening = Listening::at(address, answering).await.map_err(|why| arguments.listen.refused(&why))?;
    if let Some(target) = &forward_target {
        refuse_itself(target, &listening).await?;
    }
    let dialect = arguments.dialect.dialect();
    let mut judge =
        Judge::new(Traffic { dialect, auto: arguments.dialect.is_auto(), limits: Limits::default(), secret });
    let show = Show { json: arguments.json };
    let began = Instant::now();
    let url = listening.url("/");
    announce(&show, &url, console)?;
    let mut saves = true;
    let print = |arrived: Vec<Watched>, judge: &Judge| {
        let mut text = String::new();
        for one in arrived {
            let (exchange, storage, findings) = match one {
                Watched::Delivery { exchange, storage, findings } => (exchange, storage, findings),
                Watched::Broken(what, cause) => {
                    text.push_str(&show.broken(&what, cause.as_ref()));
                    continue;
                }
                Watched::Stray(method, target) => {
                    text.push_str(&show.stray(&method, &target));
                    continue;
                }
                Watched::Loop => {
                    let to = forward_target.as_ref().map(Target::url).unwrap_or_default();
                    console.note(&messages::forwards_in_a_loop(&to));
                    continue;
                }
            };
            if let Storage::Failed(why) = &storage
                && std::mem::take(&mut saves)
            {
                console.note(&messages::not_saved(why));
            }
            let entry = DeliveryEntry::new(dialect, &exchange.delivery.body, &findings, &judge.redaction);
            text.push_str(&show.delivery(&exchange, &storage, &entry, &judge.redaction));
            if let (Some(verdicts), Storage::Stored) = (&mut verdicts, storage) {
                verdicts.keep(exchange.id.0, &entry);
            }
        }
        verdicts.iter_mut().for_each(Verdicts::flush);
        console.print(&text)
    };
    let Ended { received, not_judged } = listening.judge(&mut judge, asked, print).await?;
    let _writing = writing();
    let lost = verdicts.as_ref().and_then(Verdicts::lost);
    let counts = TrafficCounts {
        received,
        not_judged,
        stored: stored.map(|counts| [counts.stored(), counts.failed()]),
        verdicts_lost: lost.map_or(0, |(count, _)| count),
    };
    arguments.note_gaps(&counts, lost, console);
    let fail_on = arguments.fail_on.level();
    console.print(&show.summary(&judge.tally, counts, fail_on, began.elapsed()))?;
    Ok(counts.exit(&judge.tally, fail_on))
}

/// Says where `listen` listens.
fn announce(show: &Show, url: &str, console: &mut Console) -> Result<(), Error> {
    match show.ready(url) {
        Some(line) => console.print(&line)?,
        None => console.note(&messages::listening_on(url)),
    }
    Ok(())
}

/// Makes a write past the limit on file sizes (`ulimit -f`) fail, as one to a full disk does, instead of ending the process.
#[cfg(unix)]
fn survive_the_limit_on_file_sizes() {
    use nix::sys::signal::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    // The handler stays. Without it, the signal still loses nothing that was acknowledged.
    let _ = signal(SignalKind::from_raw(Signal::SIGXFSZ as i32));
}

#[cfg(not(unix))]
fn survive_the_limit_on_file_sizes() {}

impl Arguments {
    /// Notes what is missing in the folder and in the summary.
    fn note_gaps(&self, counts: &TrafficCounts, lost: Option<(u64, &str)>, console: &mut Console) {
        if let Some((count, why)) = lost {
            console.note(&messages::verdicts_not_saved(count, why));
        }
        if counts.not_judged > 0 {
            console.note(&messages::not_judged(counts.not_judged, self.out.as_deref()));
        }
    }

    /// The target of --forward. Errors: its URL is malformed or not allowed.
    fn forward_target(&self, console: &mut Console) -> Result<Option<Target>, Error> {
        let Some(url) = &self.forward else {
            return if self.trust.given() {
                Err(Error::Usage(messages::trust_without_forward().to_owned()))
            } else {
                Ok(None)
            };
        };
        let target = self.trust.target(url, console)?;
        target.check_allowed(self.allow_remote).map_err(Error::Usage)?;
        Ok(Some(target))
    }
}

/// Checks that forwarded requests do not return to this endpoint. Errors: they would.
async fn refuse_itself(target: &Target, listening: &Listening) -> Result<(), Error> {
    let url = target.url();
    match leads_to(target, listening.address()).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Usage(messages::forwards_to_itself(&url, &listening.url("/")))),
        Err(why) => Err(Error::Usage(messages::forward_not_resolved(&url, why))),
    }
}
