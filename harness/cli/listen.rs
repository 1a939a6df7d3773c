//! `listen`: judges each delivery as it arrives, from a sender that the suite does not control.
//!
//! Invariant: wrong options are reported before the port opens, and the summary is always printed.

mod ends;
mod messages;
mod printer;
mod watching;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use self::ends::{Early, Until, Wanted};
use self::messages as words;
use self::printer::{Printer, To};
use self::watching::{Told, Watching};
use super::console::Console;
use super::headings::{ENDPOINT, LIMITS, OUTPUT, REPORTS, TARGET, VERDICT};
use super::keyboard::Keyboard;
use super::messages as said;
use super::options::{DialectOption, GateLevel, ListenOptions, SecretOptions, random_seed};
use super::signals::{asked_to_end, writing};
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::report::watched::keeping::{self, Keeping, Verdicts};
use crate::report::watched::kinds::Kinds;
use crate::report::watched::show::{Show, TrafficCounts};
use crate::suite::run;
use crate::suite::traffic::Traffic;
use crate::suite::traffic::listening::{Answering, Ended, Judge, Listening, Notices, Store, Wish};
use crate::suite::traffic::tally::TrafficTally;
use crate::suite::transcript::Limits;
use crate::wire::client::Target;
use crate::wire::client::forwarding::{Forwarding, leads_to};

/// How long the answer to a forwarded request may take. Twenty gives up after 5 s, and then never learns what failed.
const FORWARD_WAIT: Duration = Duration::from_millis(4500);
/// How long notes may delay the end.
const LAST_NOTES: Duration = Duration::from_secs(1);
/// Ctrl-D.
const END_OF_INPUT: u8 = 4;

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
    /// Wait for a delivery, print one line of JSON about it, and stop
    ///
    /// MATCH is KEY=PATTERN; * in a pattern stands for any characters. The keys are event, object, action, record, verdict,
    /// signature, failed (a requirement), cause, path, and data.NAME for a member of the record, such as data.name.firstName.
    /// All conditions must be met, whether joined by & or given by repeating the option; \\& is an ampersand. The status is 0 if
    /// the delivery conforms, 1 if not, and 3 if it did not come within --timeout.
    #[arg(long, value_name = "MATCH", value_parser = Wanted::parse, help_heading = LIMITS)]
    #[arg(conflicts_with_all = ["once", "count", "until_covered"])]
    wait_for: Vec<Wanted>,
    /// Stop when every kind of event has come, such as created, updated and deleted
    #[arg(long, conflicts_with_all = ["once", "count"], help_heading = LIMITS)]
    until_covered: bool,
    /// Stop after the first delivery
    #[arg(long, conflicts_with = "count", help_heading = LIMITS)]
    once: bool,
    /// Stop after N deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = LIMITS)]
    count: Option<u64>,
    /// Stop with status 3 if what --wait-for, --until-covered, --once or --count waits for has not come by then
    ///
    /// Without these options, it is --forward-timeout.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = LIMITS)]
    timeout: Option<Duration>,
    /// Wait this long for the answer to a forwarded request, or 4.5s; Twenty gives up after 5 s
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = LIMITS)]
    forward_timeout: Option<Duration>,
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
    let target = arguments.forward_target(console)?;
    let redaction = Redaction::new(secret.as_ref());
    let kept = arguments.out.as_deref().map(|folder| keeping::claim(folder, redaction)).transpose()?;
    let (store, verdicts) = kept.unzip();
    let stored = store.as_ref().map(Keeping::counts);
    let until = arguments.until();
    let forwarding = target.clone().map(|target| arguments.forwarding(target));
    let answering = Answering {
        clock: Clock::system(),
        status: arguments.status,
        forwarding: forwarding.clone(),
        most: if let Until::Count(most) = until { Some(most) } else { None },
        store: store.map(|store| Box::new(store) as Box<dyn Store>),
    };
    survive_the_limit_on_file_sizes();
    let signal = asked_to_end();
    let address = arguments.listen.address();
    let listening = Listening::at(address, answering).await.map_err(|why| arguments.listen.refused(&why))?;
    if let Some(target) = &target {
        refuse_itself(target, &listening).await?;
    }
    let dialect = arguments.dialect.dialect();
    let show = Show { json: arguments.json, secret: secret.is_some(), forwards: target.is_some() };
    let mut judge =
        Judge::new(Traffic { dialect, auto: arguments.dialect.is_auto(), limits: Limits::default(), secret });
    let began = Instant::now();
    let quit = Arc::new(Notify::new());
    let ending = arguments.ending(signal, quit.clone());
    let notices = listening.notices();
    arguments.announce(&show, &listening.url("/"), console)?;
    let keyboard = arguments.keyboard(&notices, &quit);
    if keyboard.is_some() {
        console.note(&words::keys(target.is_some()));
    }
    let mut watching =
        Watching { verdicts, forwarding, ..arguments.watching(console, show, notices, &ending)? };
    let mut asked = ending.clone();
    let asked = async move { drop(asked.wait_for(Option::is_some).await) };
    let ended = listening
        .judge(&mut judge, asked, async |arrived, judge: &Judge| watching.show(arrived, judge).await);
    let Ended { received, not_judged, unused } = ended.await?;
    drop(keyboard);
    let early = *ending.borrow();
    let _writing = writing();
    let lost = watching.verdicts.take();
    let lost = lost.as_ref().and_then(Verdicts::lost);
    let counts = TrafficCounts {
        received,
        not_judged,
        stored: stored.map(|counts| [counts.stored(), counts.failed()]),
        verdicts_lost: lost.map_or(0, |(count, _)| count),
        unused,
    };
    arguments.note_gaps(&counts, lost, watching.console);
    arguments.end(watching, &judge.tally, counts, early, began.elapsed()).await
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
    /// What ends it.
    fn until(&self) -> Until {
        match self.count {
            _ if !self.wait_for.is_empty() => Until::Match,
            _ if self.until_covered => Until::Covered,
            _ if self.once => Until::Count(1),
            Some(count) => Until::Count(count),
            None => Until::Asked,
        }
    }

    fn forwarding(&self, target: Target) -> Arc<Forwarding> {
        let name = format!("twenty-conform-{}", Random::from_seed(random_seed()).nonce());
        let wait = match (self.forward_timeout, self.timeout) {
            (Some(wait), _) => wait,
            (None, Some(limit)) if self.until() == Until::Asked => limit,
            (None, limit) => limit.map_or(FORWARD_WAIT, |limit| limit.min(FORWARD_WAIT)),
        };
        Arc::new(Forwarding::new(target, wait, Clock::system(), name))
    }

    /// Says where it listens, and what for.
    fn announce(&self, show: &Show, url: &str, console: &mut Console) -> Result<(), Error> {
        match show.ready(url).filter(|_| self.wait_for.is_empty()) {
            Some(line) => console.print(&line)?,
            None => console.note(&said::listening_on(url)),
        }
        if !self.wait_for.is_empty() {
            console.note(&words::waiting_for(&self.conditions()));
            self.wait_for.iter().flat_map(Wanted::notes).for_each(|note| console.note(&note));
        }
        Ok(())
    }

    /// The conditions of all --wait-for as one.
    fn conditions(&self) -> String {
        self.wait_for.iter().map(Wanted::to_string).collect::<Vec<_>>().join("&")
    }

    /// The keys of the terminal, if people read the output.
    fn keyboard(&self, notices: &Notices, quit: &Arc<Notify>) -> Option<Keyboard> {
        if self.json || !self.wait_for.is_empty() {
            return None;
        }
        let (notices, quit) = (notices.clone(), quit.clone());
        Keyboard::read(move |key| {
            match key {
                b'r' | b'R' => notices.ask(Wish::SendAgain),
                b'v' | b'V' => notices.ask(Wish::Details),
                b'q' | b'Q' | END_OF_INPUT => {
                    quit.notify_one();
                    return false;
                }
                _ => {}
            }
            true
        })
    }

    /// Becomes the reason to end early: a signal, a key, or the time limit.
    fn ending(
        &self,
        signal: impl Future<Output = ()> + Send + 'static,
        quit: Arc<Notify>,
    ) -> watch::Receiver<Option<Early>> {
        let (told, ending) = watch::channel(None);
        let limit = self.timeout.filter(|_| self.until() != Until::Asked);
        tokio::spawn(async move {
            let why = tokio::select! {
                biased;
                () = signal => Early::Signal,
                () = quit.notified() => Early::Key,
                () = sleep(limit.unwrap_or_default()), if limit.is_some() => Early::TimedOut,
            };
            told.send_replace(Some(why));
            // A signal after a time-out is one more reason to end.
            told.closed().await;
        });
        ending
    }

    /// What shows the deliveries. Errors: no thread can be started to print them.
    fn watching<'a>(
        &'a self,
        console: &'a mut Console,
        show: Show,
        notices: Notices,
        ending: &watch::Receiver<Option<Early>>,
    ) -> Result<Watching<'a>, Error> {
        let printer = |to| {
            Printer::start(console.second(), to, ending.clone())
                .map_err(|why| Error::Harness(words::no_thread(&why)))
        };
        let (out, err) = (printer(To::Stdout)?, printer(To::Stderr)?);
        let dialect = self.dialect.dialect();
        Ok(Watching {
            console,
            show,
            until: self.until(),
            wanted: &self.wait_for,
            fail_on: self.fail_on.level(),
            dialect,
            out,
            err,
            verdicts: None,
            kinds: Kinds::new(dialect, !self.dialect.is_auto()),
            forwarding: None,
            notices,
            matched: None,
            told: Told::default(),
            last: None,
        })
    }

    /// Prints the end: the summary, or what arrived instead of what was waited for. Returns the exit status.
    async fn end(
        &self,
        mut watching: Watching<'_>,
        tally: &TrafficTally,
        counts: TrafficCounts,
        early: Option<Early>,
        took: Duration,
    ) -> Result<ExitStatus, Error> {
        let (show, until) = (watching.show, watching.until);
        let came = watching.has_come() || matches!(until, Until::Count(most) if tally.judged >= most);
        let of_deliveries = counts.exit(tally, self.fail_on.level());
        let mut exit = match (until, watching.matched) {
            (Until::Match, Some(matched)) => matched,
            (Until::Match, None) if early == Some(Early::TimedOut) => ExitStatus::Incomplete,
            (Until::Match, None) => ExitStatus::Interrupted,
            _ => until.exit(of_deliveries, came, early),
        };
        if until == Until::Match && of_deliveries == ExitStatus::Harness {
            exit = ExitStatus::Harness;
        }
        if until != Until::Match {
            if early == Some(Early::TimedOut) && !came {
                watching.console.note(&words::timed_out(self.timeout.unwrap_or_default()));
            }
            watching.out.print(show.summary(tally, &watching.kinds, counts, exit, took)).await?;
        } else if watching.matched.is_none() {
            let conditions: Vec<String> = self.wait_for.iter().map(Wanted::to_string).collect();
            let interrupted = exit == ExitStatus::Interrupted;
            watching.out.print(show.missed(&conditions, &watching.kinds, tally, interrupted, took)).await?;
            let (events, _) = watching.kinds.events();
            let events = events.iter().map(|(name, count)| (name.as_str(), *count));
            let instead = words::came_instead(events, tally.strays);
            watching.console.note(&words::did_not_come(&self.conditions(), took, &instead));
        }
        let missing = watching.out.finish().await?;
        if missing > 0 {
            watching.console.note(&words::not_printed(missing));
            exit = ExitStatus::Harness;
            watching.console.note(&show.result(tally, counts, exit));
        } else {
            // What no one reads there is not waited for.
            let _ = tokio::time::timeout(LAST_NOTES, watching.err.finish()).await;
        }
        Ok(exit)
    }

    /// Notes what is missing in the folder and in the summary.
    fn note_gaps(&self, counts: &TrafficCounts, lost: Option<(u64, &str)>, console: &mut Console) {
        if let Some((count, why)) = lost {
            console.note(&said::verdicts_not_saved(count, why));
        }
        if counts.not_judged > 0 {
            console.note(&said::not_judged(counts.not_judged, self.out.as_deref()));
        }
    }

    /// The target of --forward. Errors: its URL is malformed or not allowed.
    fn forward_target(&self, console: &mut Console) -> Result<Option<Target>, Error> {
        let Some(url) = &self.forward else {
            return if self.trust.given() {
                Err(Error::Usage(said::trust_without_forward().to_owned()))
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
        Ok(true) => Err(Error::Usage(said::forwards_to_itself(&url, &listening.url("/")))),
        Err(why) => Err(Error::Usage(said::forward_not_resolved(&url, why))),
    }
}
