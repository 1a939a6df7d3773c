//! `bench sender`: load on a sender.
//!
//! Invariant: wrong options are reported before anything is reached or started, and a started sender is always stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::block_in_place;

use super::baseline::{BaselineOptions, note_repetition, publish};
use super::command_line;
use super::load::{MOST_THREADS, check_lengths, rate};
use super::messages;
use super::output::OutputOptions;
use crate::bench::accounts::entry::LedgerFault;
use crate::bench::generate::plan::{LoadPlan, MOST_CONNECTIONS, Mode};
use crate::bench::measure::live::LiveFigures;
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::objective::Bound;
use crate::bench::measure::report::{BenchRole, Origin};
use crate::bench::sending::run::{self as sending, SenderLoad, SenderOutcome, SenderUnderLoad};
use crate::bench::sending::verdict::SenderFacts;
use crate::bench::sending::watch::MOST_WEBHOOKS;
use crate::cli::console::Console;
use crate::cli::headings::{LIMITS, LOAD, TARGET, VERDICT};
use crate::cli::live::{LiveOptions, LoadLine, watched};
use crate::cli::options::{DialectOption, random_seed};
use crate::cli::outputs::Input;
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
use crate::subject::launch::Launch;
use crate::subject::sender::{Command, Sender};
use crate::webhook::dialect::Dialect;
use crate::wire::client::Target;
use crate::wire::descriptors;

const MOST_EVENTS: u64 = 1_000_000_000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Start the sender with this command, without a shell; it reads requests as JSON lines on stdin and replies on stdout
    #[arg(long, value_name = "COMMAND", conflicts_with = "control", help_heading = TARGET)]
    exec: Option<String>,
    /// Control the sender at this URL on this machine by POST, with the same protocol
    #[arg(long, value_name = "URL", help_heading = TARGET)]
    control: Option<String>,
    #[command(flatten)]
    dialect: DialectOption,
    /// Emit N events per second (open loop) [default: each new event when an earlier one has arrived]
    ///
    /// Events are due at fixed times, and latency counts from the planned time (corrected for coordinated omission).
    #[arg(long, value_name = "N", value_parser = rate, help_heading = LOAD)]
    rate: Option<f64>,
    /// Keep N events in flight; with --rate, N requests that wait for their reply
    #[arg(long, default_value = "64", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>, help_heading = LOAD)]
    concurrency: usize,
    /// Register N webhooks, each with its own secret; every event must reach each of them
    #[arg(long, default_value = "1", value_name = "N", value_parser = up_to::<MOST_WEBHOOKS>, help_heading = LOAD)]
    webhooks: usize,
    /// Stop after N events; without --rate, after one hour at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_EVENTS))]
    #[arg(conflicts_with_all = ["duration", "warm_up"], help_heading = LOAD)]
    events: Option<u64>,
    /// Measure for this long [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = LOAD)]
    duration: Option<Duration>,
    /// Emit events for this long before the measurement [default: 1s; 0 with --events]
    #[arg(long, value_name = "TIME", value_parser = pause, help_heading = LOAD)]
    warm_up: Option<Duration>,
    /// Receive with N threads [default: half of the processors]
    #[arg(long, value_name = "N", value_parser = up_to::<MOST_THREADS>, help_heading = LOAD)]
    threads: Option<usize>,
    /// Generate the same ids and secrets again from this seed [default: random]
    #[arg(long, value_name = "N", help_heading = LOAD)]
    seed: Option<u64>,
    /// Do not fail if deliveries are late, lost, duplicated or wrong in this way; repeatable
    #[arg(long, value_enum, value_name = "FAULT", help_heading = VERDICT)]
    allow: Vec<LedgerFault>,
    /// Exit with status 6 unless this bound is met: 'p99<50ms', 'max<1s', 'mean<5ms' or 'errors<0.1%'; repeatable
    #[arg(long, value_name = "BOUND", help_heading = VERDICT)]
    threshold: Vec<Bound>,
    /// Wait this long for each reply, and for each delivery after its event
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, help_heading = LIMITS)]
    timeout: Duration,
    /// Wait this long for duplicates after the last delivery
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = pause, help_heading = LIMITS)]
    settle: Duration,
    #[command(flatten)]
    baseline: BaselineOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    live: LiveOptions,
}

enum Attached {
    Exec(String),
    Control(String),
    Reference,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let attached = arguments.attached();
    let task = arguments.task();
    if let Some(rate) = arguments.rate {
        // Every event reaches every webhook.
        check_lengths(&arguments.threshold, rate * arguments.webhooks as f64, task.plan.duration)?;
    }
    if let Attached::Control(url) = &attached {
        target(url)?;
    }
    // With the built-in sender, both ends of each connection are in this process.
    let ends = if matches!(attached, Attached::Reference) { 2 } else { 1 };
    descriptors::allow(ends * task.connections()).map_err(Error::Usage)?;
    let (clock, interrupted) = (Clock::system(), interruption());
    let dialect = arguments.dialect.dialect();
    let baseline = arguments.baseline.open(&arguments.output, attached.inputs())?;
    baseline.check(&task.load(), BenchRole::Sender, dialect.name)?;
    baseline.check_events(task.webhooks, task.events)?;
    let name = match &attached {
        Attached::Exec(name) | Attached::Control(name) => name.clone(),
        Attached::Reference => messages::REFERENCE_SENDER.to_owned(),
    };
    if matches!(attached, Attached::Reference) {
        console.note(messages::no_sender());
    }
    if !arguments.output.quiet {
        console.note(&match task.events {
            Some(events) => messages::measuring_events(&name, events),
            None => messages::measuring_for(&name, task.plan.duration),
        });
    }
    let live = watched(arguments.output.quiet);
    // The number of events says nothing about the time.
    let length = task.events.is_none().then(|| task.plan.warm_up + task.plan.duration);
    let measure = async |_: &mut Console| {
        let (begun, started_at_ms) = (Instant::now(), clock.now_ms());
        let sent = {
            let _line = LoadLine::new(live.as_ref(), length, arguments.live.chart);
            attached.measure(&task, dialect, &clock, &interrupted, live.as_ref()).await?
        };
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
            thresholds: &arguments.threshold,
        }))
    };
    let quiet = arguments.output.quiet;
    let report = baseline.measured(console, |console| note_repetition(quiet, console), measure).await?;
    publish(&report, &arguments.output, &baseline, console)
}

impl Attached {
    fn inputs(&self) -> Vec<Input> {
        match self {
            Self::Exec(command) => Input::of_command("--exec", command),
            Self::Control(_) | Self::Reference => Vec::new(),
        }
    }

    /// Runs the load, and stops a started sender.
    async fn measure(
        &self,
        task: &SenderLoad,
        dialect: &'static Dialect,
        clock: &Clock,
        interrupted: &watch::Receiver<bool>,
        live: Option<&Arc<LiveFigures>>,
    ) -> Result<SenderOutcome, Error> {
        let subject = |sender: Arc<dyn Sender>| SenderUnderLoad { sender, dialect, clock, interrupted, live };
        let wait = task.plan.timeout;
        match self {
            Self::Exec(command) => {
                let sender = Arc::new(Command::start(&Launch::of(command), &[], wait)?);
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
                // One thread: the endpoint uses the other processors, and moving deliveries between threads costs more than
                // it gains.
                let subject = subject(Arc::new(sender));
                block_in_place(|| {
                    let runtime = Builder::new_current_thread().enable_all().build();
                    let runtime = runtime
                        .map_err(|why| Error::Harness(crate::cli::messages::runtime_not_started(why)))?;
                    runtime.block_on(sending::run(task, &subject))
                })
            }
        }
    }
}

/// The URL of a control. Errors: it is malformed, or on another machine, from which deliveries cannot reach this one.
fn target(url: &str) -> Result<Target, Error> {
    let target = Target::parse(url).map_err(Error::Usage)?;
    if target.is_loopback() {
        return Ok(target);
    }
    Err(Error::Usage(messages::control_is_elsewhere(url)))
}

impl Arguments {
    fn attached(&self) -> Attached {
        let exec = self.exec.clone().map(Attached::Exec);
        exec.or_else(|| self.control.clone().map(Attached::Control)).unwrap_or(Attached::Reference)
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
