//! `doctor`: what surrounds a receiver, before a run; or what is between a URL and this machine; or what a run on a Twenty needs.
//!
//! Invariant: what was seen until an interruption is printed, a started receiver is always stopped, and what was made in a Twenty
//! is removed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, timeout};

use super::attach::{AttachOptions, Attachment};
use super::console::Console;
use super::headings::{LIMITS, OUTPUT, TARGET};
use super::messages;
use super::messages::doctor as said;
use super::options::{DialectOption, random_seed};
use super::signals::{interruption, writing};
use super::trust::TrustOptions;
use super::twenty::TwentyOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::report::doctor::{json, text};
use crate::subject::{StartFailure, SubjectError};
use crate::suite::doctor::passage::{Passage, measure};
use crate::suite::doctor::visit::{Plan, Surroundings, visit};
use crate::suite::doctor::workspace::{self, Driver, Workspace};
use crate::suite::doctor::{Cut, Findings, Row, State, Topic, passed, rows};
use crate::suite::max_time::MaxTime;
use crate::webhook::signature::Secret;
use crate::wire::client::Target;
use crate::wire::endpoint::witness::Witness;

/// How long after the time limit an examination is cut off, so that its own end comes first.
const GRACE: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    attach: AttachOptions,
    /// Send deliveries to this path of the started receiver [default: /]
    #[arg(long, help_heading = TARGET)]
    path: Option<String>,
    /// Measure what is between instead: send to this URL of a proxy or tunnel that leads to --listen-on, and compare with what
    /// arrives there
    #[arg(long, value_name = "URL", help_heading = TARGET, requires = "listen_on")]
    #[arg(conflicts_with_all = ["url", "exec", "path", "twenty"])]
    through: Option<String>,
    /// With --through, listen here, where the proxy or tunnel leads, instead of the receiver
    #[arg(long, value_name = "[ADDRESS:]PORT", help_heading = TARGET, requires = "through")]
    listen_on: Option<ListenAddress>,
    /// Look at the Twenty at this URL instead: its API, the key, and whether it reaches this machine
    #[arg(long, value_name = "URL", help_heading = TARGET, conflicts_with_all = ["url", "exec", "path"])]
    twenty: Option<String>,
    #[command(flatten)]
    access: TwentyOptions,
    #[command(flatten)]
    trust: TrustOptions,
    #[command(flatten)]
    dialect: DialectOption,
    /// Wait this long for each answer, such as 10s or 500ms
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = LIMITS)]
    timeout: Duration,
    /// End after this long, with what was seen until then
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = LIMITS)]
    max_time: Duration,
    /// Print JSON for programs
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

/// An address to listen on: a port of this machine alone, or of an address.
#[derive(Debug, Clone, Copy)]
struct ListenAddress(SocketAddr);

impl FromStr for ListenAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(port) = text.parse() {
            return Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        let address = named.as_deref().unwrap_or(text).parse();
        address.map(Self).map_err(|_| said::not_an_address())
    }
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let began = Instant::now();
    if arguments.twenty.is_none() {
        arguments.access.refused()?;
    }
    let findings = match (&arguments.twenty, &arguments.through, arguments.listen_on) {
        (Some(url), _, _) => workspace(&arguments, url, console).await?,
        (None, Some(url), Some(ListenAddress(address))) => through(&arguments, url, address, console).await?,
        _ => match examine(&arguments, console).await? {
            Some(findings) => findings,
            None => return Ok(ExitStatus::Interrupted),
        },
    };
    let _writing = writing();
    let report =
        if arguments.json { json(&findings, began.elapsed()) } else { text(&findings, console.width()) };
    console.print(&report)?;
    Ok(findings.exit_status())
}

/// Examines the surroundings of a receiver; `None` if that was interrupted before it was ready.
async fn examine(arguments: &Arguments, console: &mut Console) -> Result<Option<Findings>, Error> {
    if !arguments.attach.named() {
        return Err(Error::Usage(said::nothing_named().to_owned()));
    }
    let made = || Secret::new(Random::from_seed(random_seed()).secret());
    let path = (arguments.path.as_deref(), "/");
    let attachment = arguments.attach.attachment(path, made, &arguments.trust, console)?;
    let Some(target) = attachment.target() else { return started(arguments, &attachment, console).await };
    Ok(Some(arguments.visit(target.clone(), attachment.secret.clone()).await))
}

/// Starts the receiver, examines it, and stops it.
async fn started(
    arguments: &Arguments,
    attachment: &Attachment,
    console: &mut Console,
) -> Result<Option<Findings>, Error> {
    let receiver = match attachment.reach_within(arguments.max_time, &interruption(), false).await {
        Ok(Some(receiver)) => receiver,
        Ok(None) => {
            console.error(&messages::interrupted_before_ready("examined"));
            return Ok(None);
        }
        // A program reads JSON, whatever happens. The error for people has the output too.
        Err(SubjectError::NotStarted(failure)) if arguments.json => {
            return Ok(Some(not_started(&attachment.name, &failure)));
        }
        Err(why) => return Err(why.into()),
    };
    let (target, secret) = (receiver.target().clone(), receiver.secret().clone());
    let findings = arguments.visit(target, secret).await;
    receiver.stop().await;
    Ok(Some(findings))
}

/// The findings if the receiver was not started.
fn not_started(subject: &str, failure: &StartFailure) -> Findings {
    let row = Row {
        topic: Topic::Connection,
        state: State::Unreachable,
        seen: failure.fault.clone(),
        fix: failure.fixes.first().cloned(),
        cause: None,
    };
    Findings { subject: subject.to_owned(), rows: vec![row], requests: 0, cut: None }
}

impl Arguments {
    fn plan(&self, target: Target, secret: Secret) -> Plan {
        Plan {
            target,
            secret,
            dialect: self.dialect.dialect(),
            is_auto: self.dialect.is_auto(),
            timeout: self.timeout,
            max_time: MaxTime::new(self.max_time),
            clock: Clock::system(),
            seed: random_seed(),
        }
    }

    async fn visit(&self, target: Target, secret: Secret) -> Findings {
        let plan = self.plan(target, secret);
        let mut seen = Surroundings::of(&plan);
        let cut = until_cut(&plan, visit(&plan, &mut seen)).await;
        seen.cut = cut.or(seen.cut);
        rows::of(&seen)
    }
}

/// Measures what is between a URL and an address of this machine.
async fn through(
    arguments: &Arguments,
    url: &str,
    address: SocketAddr,
    console: &mut Console,
) -> Result<Findings, Error> {
    arguments.attach.refuse_start()?;
    let target = arguments.trust.target(url, console)?;
    target.check_allowed(arguments.attach.allow_remote).map_err(Error::Usage)?;
    let witness = Witness::start(address).await;
    let witness = witness.map_err(|why| Error::Usage(said::cannot_listen(address, why)))?;
    if !arguments.json {
        console.note(&said::measuring(&target.url(), witness.address()));
    }
    let plan = arguments.plan(target, Secret::new(Random::from_seed(random_seed()).secret()));
    let mut seen = Passage::of(&plan, &witness);
    let cut = until_cut(&plan, measure(&plan, &witness, &mut seen)).await;
    seen.around.cut = cut.or(seen.around.cut);
    Ok(passed::of(&seen))
}

/// Looks at a Twenty.
async fn workspace(arguments: &Arguments, url: &str, console: &mut Console) -> Result<Findings, Error> {
    arguments.attach.refuse_receiver()?;
    let target = arguments.trust.target(url, console)?;
    target.check_allowed(arguments.attach.allow_remote).map_err(Error::Usage)?;
    let key = arguments.access.key(console)?;
    let place = arguments.access.place().clone();
    if !arguments.json {
        console.note(&said::looking_at_twenty(&target.url(), place.host()));
    }
    let random = Random::from_seed(random_seed());
    let plan = arguments.plan(target, Secret::new(random.secret()));
    let driver = Driver::new(&plan, key, random.nonce());
    let mut seen = Workspace::of(&plan, place);
    let cut = until_cut(&plan, driver.examine(&plan, &mut seen)).await;
    seen.around.cut = cut.or(seen.around.cut);
    driver.finish(&mut seen).await;
    Ok(workspace::rows::of(&seen))
}

/// Runs an examination until its end, a signal, or the end of the time. Returns what cut it off.
async fn until_cut(plan: &Plan, examining: impl Future<Output = ()>) -> Option<Cut> {
    let mut interrupted = interruption();
    tokio::select! {
        ended = timeout(plan.max_time.left() + GRACE, examining) => ended.err().map(|_| Cut::Time),
        Ok(_) = interrupted.wait_for(|on| *on) => Some(Cut::Interrupted),
    }
}
