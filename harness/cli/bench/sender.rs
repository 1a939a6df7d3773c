//! `bench sender`: load on a sender.
//!
//! Invariant: whatever is wrong with the options is said before anything is reached or started, and what was started is ended
//! whichever way the load goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::block_in_place;

use super::baseline::{BaselineOptions, publish, tell_again};
use super::command_line;
use super::load::{MOST_THREADS, rate, spoken};
use super::output::OutputOptions;
use crate::bench::accounts::entry::LedgerFault;
use crate::bench::generate::limits;
use crate::bench::generate::plan::{LoadPlan, MOST_CONNECTIONS, Mode};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::{BenchRole, Origin};
use crate::bench::sending::run::{self as sending, SenderLoad, SenderOutcome, SenderUnderLoad};
use crate::bench::sending::verdict::SenderFacts;
use crate::bench::sending::watch::MOST_WEBHOOKS;
use crate::cli::console::Console;
use crate::cli::environment::{first_given, word};
use crate::cli::options::{DialectOption, random_seed};
use crate::cli::signals::interruption;
use crate::cli::values::{duration, pause, up_to};
use crate::clock::Clock;
use crate::duration::milliseconds;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::peers::sender::pooled::Pooled;
use crate::peers::sender::{ANSWER_WAIT, Sender as Reference};
use crate::random::Random;
use crate::redaction::Redaction;
use crate::subject::control::Control;
use crate::subject::sender::{Command, Sender};
use crate::webhook::dialect::Dialect;
use crate::wire::client::Target;

/// How many events one run can have.
const MOST_EVENTS: u64 = 1_000_000_000;

/// Options of `bench sender`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A command that speaks the attachment protocol on its stdin and stdout; no shell
    #[arg(long, value_name = "COMMAND", conflicts_with = "control")]
    exec: Option<String>,
    /// The URL of a sender that takes the same objects by POST, on this machine
    #[arg(long, value_name = "URL")]
    control: Option<String>,
    #[command(flatten)]
    dialect: DialectOption,
    /// Events per second, whether earlier ones have arrived or not; latency counts from the time meant for each [default: as
    /// many as arrive]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// How many events are under way at the same time; with --rate, how many requests wait for their reply
    #[arg(long, default_value = "64", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>)]
    concurrency: usize,
    /// How many webhooks are registered, each with a secret of its own; every event is to reach each
    #[arg(long, default_value = "1", value_name = "K", value_parser = up_to::<MOST_WEBHOOKS>)]
    webhooks: usize,
    /// How many events, in the place of a duration; at most an hour without --rate
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_EVENTS), conflicts_with_all = ["duration", "warm_up"])]
    events: Option<u64>,
    /// How long it is measured [default: 10s]
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// How long it goes on before it is measured; 0 for not at all [default: 1s; with --events not at all]
    #[arg(long, value_parser = pause)]
    warm_up: Option<Duration>,
    /// How long a reply, and the arrival of a delivery behind its event, is waited for
    #[arg(long, default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// How long deliveries that come twice are waited for behind the last one
    #[arg(long, default_value = "250ms", value_parser = pause)]
    settle: Duration,
    /// How many threads receive [default: half of the processors]
    #[arg(long, value_name = "N", value_parser = up_to::<MOST_THREADS>)]
    threads: Option<usize>,
    /// What does not fail the run
    #[arg(long, value_enum, value_name = "FAULT")]
    allow: Vec<LedgerFault>,
    /// A bound that must hold, such as 'p99<50ms', 'max<1s', 'mean<5ms' or 'errors<0.1%'; otherwise the status is 6
    #[arg(long, value_name = "BOUND")]
    threshold: Vec<Bound>,
    /// What ids and secrets are made from [default: random]
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    baseline: BaselineOptions,
    #[command(flatten)]
    output: OutputOptions,
}

enum Attached {
    Exec(String),
    Control(String),
    Reference,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let attached = arguments.attached();
    let task = arguments.task();
    if let Attached::Control(url) = &attached {
        target(url)?;
    }
    // The built-in sender has the other ends of them in this process.
    let ends = if matches!(attached, Attached::Reference) { 2 } else { 1 };
    limits::allow(ends * task.connections()).map_err(Error::Usage)?;
    let (clock, interrupted) = (Clock::system(), interruption());
    let dialect = arguments.dialect.dialect();
    let (baseline, bounds) = arguments.baseline.open(&arguments.threshold)?;
    baseline.check(&task.load(), BenchRole::Sender, dialect.name)?;
    baseline.check_events(task.webhooks, task.events)?;
    let name = match &attached {
        Attached::Exec(name) | Attached::Control(name) => name.clone(),
        Attached::Reference => "the reference sender".to_owned(),
    };
    if matches!(attached, Attached::Reference) {
        console
            .tell("no sender is named (--exec, --control): this measures the built-in one, in this process");
    }
    if !arguments.output.quiet {
        console.tell(&match task.events {
            Some(events) => format!("measuring {name} for {events} events"),
            None => format!("measuring {name} for {}", spoken(task.plan.duration)),
        });
    }
    let measure = async |_: &mut Console| {
        let (begun, started_at_ms) = (Instant::now(), clock.now_ms());
        let sent = attached.measure(&task, dialect, &clock, &interrupted).await?;
        Ok(sent.report(SenderFacts {
            origin: Origin {
                role: BenchRole::Sender,
                tool: Tool::this(),
                machine: Machine::this(),
                command: command_line(&Redaction::new([])),
                subject: name.clone(),
                dialect: dialect.name.to_owned(),
                started_at_ms,
                took_ms: milliseconds(begun.elapsed()),
                seed: Some(task.plan.seed),
            },
            task: &task,
            allowed: &arguments.allow,
            thresholds: &bounds,
        }))
    };
    let quiet = arguments.output.quiet;
    let report = baseline.measured(console, |console| tell_again(quiet, console), measure).await?;
    publish(&report, &arguments.output, &baseline, console)
}

impl Attached {
    /// Puts the load on it, and ends what was started.
    async fn measure(
        &self,
        task: &SenderLoad,
        dialect: &'static Dialect,
        clock: &Clock,
        interrupted: &watch::Receiver<bool>,
    ) -> Result<SenderOutcome, Error> {
        let subject = |sender: Arc<dyn Sender>| SenderUnderLoad { sender, dialect, clock, interrupted };
        let wait = task.plan.timeout;
        match self {
            Self::Exec(command) => {
                let sender = Arc::new(Command::start(command, &[], wait)?);
                let sent = sending::run(task, &subject(sender.clone())).await;
                sender.stop().await;
                sent
            }
            Self::Control(url) => {
                let sender = Arc::new(Control::at(target(url)?, wait, clock.clone()));
                let sent = sending::run(task, &subject(sender.clone())).await;
                if !matches!(sent, Err(Error::Subject(_))) {
                    sender.stop().await;
                }
                sent
            }
            Self::Reference => {
                let transport = Arc::new(Pooled::new(ANSWER_WAIT).map_err(Error::Harness)?);
                let random = Random::from_seed(task.plan.seed);
                let sender = Reference::new(dialect, clock.clone(), random, transport);
                // On one thread: handing a delivery from one to the other costs more than it gains next to an endpoint that
                // takes the other processor.
                let subject = subject(Arc::new(sender));
                block_in_place(|| {
                    let runtime = Builder::new_current_thread().enable_all().build();
                    let runtime =
                        runtime.map_err(|why| Error::Harness(format!("no runtime can be had: {why}")))?;
                    runtime.block_on(sending::run(task, &subject))
                })
            }
        }
    }
}

/// The URL of a control. Errors: it is none, or not on this machine: its deliveries could not arrive here.
fn target(url: &str) -> Result<Target, Error> {
    let target = Target::parse(url).map_err(Error::Usage)?;
    if target.is_loopback() {
        return Ok(target);
    }
    Err(Error::Usage(format!(
        "--control {url} is not this machine, and the endpoint that is measured with listens on 127.0.0.1: start the sender \
         here, or put its load on `bench endpoint --host`"
    )))
}

impl Arguments {
    fn attached(&self) -> Attached {
        let exec = word("exec", self.exec.as_ref(), Attached::Exec);
        first_given([exec, word("control", self.control.as_ref(), Attached::Control)])
            .unwrap_or(Attached::Reference)
    }

    fn task(&self) -> SenderLoad {
        let default = LoadPlan::default();
        let duration = match (self.duration, self.events, self.rate) {
            (Some(duration), ..) => duration,
            (None, None, _) => default.duration,
            (None, Some(events), Some(rate)) => Duration::from_secs_f64(events as f64 / rate),
            (None, Some(_), None) => sending::LONGEST,
        };
        let warm_up = if self.events.is_some() { Duration::ZERO } else { default.warm_up };
        let plan = LoadPlan {
            mode: self.rate.map_or(Mode::Saturation, |rate| Mode::Rates(vec![rate])),
            concurrency: self.concurrency,
            duration,
            warm_up: self.warm_up.unwrap_or(warm_up),
            timeout: self.timeout,
            probe_share: 0.0,
            seed: self.seed.unwrap_or_else(random_seed),
            ..default
        };
        SenderLoad {
            plan,
            events: self.events,
            webhooks: self.webhooks,
            settle: self.settle,
            receiving: self.threads.unwrap_or(Machine::this().cores / 2).max(1),
        }
    }
}
