//! `bench receiver`: load on a receiver.
//!
//! Invariant: wrong options are reported before anything is reached or started, and a started receiver is always stopped.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::watch;

use super::baseline::{BaselineOptions, note_repetition, publish};
use super::command_line;
use super::load::{LoadOptions, MOST_THREADS, check_lengths, rate};
use super::messages;
use super::output::OutputOptions;
use crate::bench::compare::baseline::Baseline;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::{LoadPlan, MOST_CONNECTIONS, Mode, Phase};
use crate::bench::measure::load::{self, LoadTarget};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::objective::{Bound, Objective};
use crate::bench::measure::report::{BenchReport, BenchRole, CorpusFacts, LoadFacts, Origin};
use crate::bench::measure::search::{SearchPlan, SearchStep, find};
use crate::bench::measure::verdict::{ReceiverFacts, report};
use crate::cli::attach::{AttachOptions, Attachment};
use crate::cli::console::Console;
use crate::cli::headings::{LOAD, VERDICT};
use crate::cli::live::{LiveOptions, LoadLine, watched};
use crate::cli::options::random_seed;
use crate::cli::signals::interruption;
use crate::cli::trust::TrustOptions;
use crate::cli::values::{duration, pause, up_to};
use crate::clock::Clock;
use crate::duration::milliseconds;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::peers::receiver::{Receiver as Reference, Settings};
use crate::random::Random;
use crate::redaction::Redaction;
use crate::subject::messages::no_free_port;
use crate::subject::receiver::Receiver;
use crate::webhook::signature::Secret;
use crate::wire::descriptors;
use crate::wire::endpoint::http;

const MOST_STEPS: usize = 100;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    attach: AttachOptions,
    #[command(flatten)]
    load: LoadOptions,
    /// Send N deliveries per second (open loop) [default: as many as the connections allow]
    ///
    /// Deliveries are due at fixed times, and latency counts from the planned time (corrected for coordinated omission).
    /// --find-max starts at this rate, and without it at the throughput of a closed loop.
    #[arg(long, value_name = "N", conflicts_with = "rate_steps", value_parser = rate, help_heading = LOAD)]
    rate: Option<f64>,
    /// Send at each of these rates in turn, each for the whole duration
    #[arg(long, value_name = "N,N", value_parser = rate, help_heading = LOAD)]
    rate_steps: Vec<f64>,
    /// Open N connections
    #[arg(long, default_value = "64", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>, help_heading = LOAD)]
    concurrency: usize,
    /// Send from N threads [default: half of the processors]
    #[arg(long, value_name = "N", value_parser = up_to::<MOST_THREADS>, help_heading = LOAD)]
    threads: Option<usize>,
    /// Measure for this long at each rate
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = LOAD)]
    duration: Duration,
    /// Send for this long before the measurement
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = pause, help_heading = LOAD)]
    warm_up: Duration,
    /// Generate the same ids, nonces and probes again from this seed [default: random]
    #[arg(long, value_name = "N", help_heading = LOAD)]
    seed: Option<u64>,
    /// Search for the highest rate that meets this objective, such as 'p99<50ms,errors<0.1%'
    #[arg(long, value_name = "OBJECTIVE", conflicts_with_all = ["rate_steps", "save", "baseline"])]
    #[arg(help_heading = LOAD)]
    find_max: Option<String>,
    /// Try each rate of a search for this long
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration, help_heading = LOAD)]
    trial_duration: Duration,
    /// Exit with status 6 unless this bound is met: 'p99<50ms', 'max<1s', 'mean<5ms' or 'errors<0.1%'; repeatable
    #[arg(long, value_name = "BOUND", help_heading = VERDICT)]
    threshold: Vec<Bound>,
    #[command(flatten)]
    baseline: BaselineOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    live: LiveOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    if arguments.rate_steps.len() > MOST_STEPS {
        return Err(Error::Usage(messages::too_many_rates(MOST_STEPS)));
    }
    for rate in arguments.rate.iter().chain(&arguments.rate_steps).filter(|_| arguments.find_max.is_none()) {
        check_lengths(&arguments.threshold, *rate, arguments.duration)?;
    }
    let plan = arguments.plan();
    let search_plan = arguments.search_plan()?;
    let inputs = [arguments.attach.inputs(), arguments.load.inputs()].concat();
    let baseline = arguments.baseline.open(&arguments.output, inputs)?;
    let load = LoadFacts::of(&plan, arguments.load.tolerance().max_errors, search_plan.is_some());
    baseline.check(&load, BenchRole::Receiver, arguments.load.dialect().name)?;
    let made = || Secret::new(Random::secret_of(plan.seed));
    let (path, trust) = (arguments.load.paths(), TrustOptions::default());
    let attachment = match arguments.attach.named() {
        true => Some(arguments.attach.attachment(path, made, &trust, console)?),
        false => None,
    };
    if let Some(target) = attachment.as_ref().and_then(Attachment::target) {
        load::check(target)?;
    }
    // Files are read before anything is started.
    let own = arguments.load.corpus()?;
    let sockets = if attachment.is_some() { plan.concurrency } else { 2 * plan.concurrency };
    descriptors::allow(sockets).map_err(Error::Usage)?;
    let (clock, interrupted) = (Clock::system(), interruption());
    let secret = match &attachment {
        Some(attachment) => attachment.secret.clone(),
        None => arguments.attach.given_secret(console)?.unwrap_or_else(made),
    };
    console.redact(&secret);
    let reached = reach(attachment.as_ref(), &secret, &clock, &interrupted, console).await?;
    let Some((mut receiver, name)) = reached else {
        console.error(&crate::cli::messages::interrupted_before_ready("measured"));
        return Ok(ExitStatus::Interrupted);
    };
    let target = receiver.target().clone();
    let dialect = arguments.load.dialect();
    let corpus = own.unwrap_or_else(|| Corpus::samples(dialect, &target.url(), clock.now_ms()));
    let live = watched(arguments.output.quiet);
    let measurement = Measurement {
        arguments: &arguments,
        name: &name,
        subject: LoadTarget {
            target: &target,
            secret: &secret,
            dialect,
            corpus: &corpus,
            clock: &clock,
            interrupted: &interrupted,
            live: live.as_ref(),
            idle: None,
        },
        plan,
        search_plan,
        redaction: Redaction::new([&secret]),
    };
    let measured = measurement.measure_with(&baseline, &mut receiver, console).await;
    receiver.stop().await;
    publish(&measured?, &arguments.output, &baseline, console)
}

struct Measurement<'a> {
    arguments: &'a Arguments,
    name: &'a str,
    subject: LoadTarget<'a>,
    plan: LoadPlan,
    search_plan: Option<SearchPlan>,
    redaction: Redaction,
}

impl Measurement<'_> {
    /// Measures, and repeats the load when a figure looks worse than the baseline.
    async fn measure_with(
        &self,
        baseline: &Baseline,
        receiver: &mut Receiver,
        console: &mut Console,
    ) -> Result<BenchReport, Error> {
        baseline.check_bodies(&CorpusFacts::of(self.subject.corpus))?;
        let mut first = 0;
        let measure = async |console: &mut Console| {
            let (report, numbers) = self.measure(first, receiver, console).await?;
            first = numbers;
            Ok(report)
        };
        let quiet = self.arguments.output.quiet;
        baseline.measured(console, |console| note_repetition(quiet, console), measure).await
    }

    /// Measures once. `first` is the number of the first record id; the number after the last one is returned.
    async fn measure(
        &self,
        first: u64,
        receiver: &mut Receiver,
        console: &mut Console,
    ) -> Result<(BenchReport, u64), Error> {
        let begun = Instant::now();
        let started_at_ms = self.subject.clock.now_ms();
        let line = |length| LoadLine::new(self.subject.live, length, self.arguments.live.chart);
        let ran = match &self.search_plan {
            None => {
                self.arguments.note(console, &messages::measuring_for(self.name, length(&self.plan)));
                let _line = line(Some(length(&self.plan)));
                let ran = load::run(&self.plan, &self.subject, first).await;
                ran.map(|outcome| (outcome, self.plan.clone(), None))
            }
            Some(search_plan) => {
                let line = line(None);
                let note =
                    |step: SearchStep<'_>| line.above(|| self.arguments.note(console, &progress(&step)));
                let found = find(&self.plan, &self.subject, search_plan, note).await;
                found.map(|found| (found.outcome, found.plan, Some(found.entry)))
            }
        };
        let ended = receiver.ended().await;
        let (outcome, plan, search) = ran?;
        let answered =
            outcome.tally.phases.iter().any(|counts| {
                counts.statuses.iter().chain(counts.probe_statuses.iter()).any(|&count| count > 0)
            });
        if let Some(how) = ended.as_ref().filter(|_| !answered) {
            return Err(receiver.ended_unanswered(how).into());
        }
        let facts = ReceiverFacts {
            origin: Origin {
                role: BenchRole::Receiver,
                tool: Tool::this(),
                machine: Machine::this(),
                command: command_line(&self.redaction),
                subject: self.name.to_owned(),
                dialect: self.subject.dialect.name.to_owned(),
                started_at_ms,
                took_ms: milliseconds(begun.elapsed()),
                seed: Some(plan.seed),
            },
            plan: &plan,
            corpus: self.subject.corpus,
            tolerance: self.arguments.load.tolerance(),
            thresholds: &self.arguments.threshold,
            redaction: &self.redaction,
            search,
            ended,
        };
        Ok((report(&outcome, facts), outcome.numbers))
    }
}

/// The receiver to measure with its name; the reference receiver if none is given. `None` if interrupted.
async fn reach(
    attachment: Option<&Attachment>,
    secret: &Secret,
    clock: &Clock,
    interrupted: &watch::Receiver<bool>,
    console: &mut Console,
) -> Result<Option<(Receiver, String)>, Error> {
    if let Some(attachment) = attachment {
        let reached = attachment.reach(interrupted, false).await?;
        return Ok(reached.map(|receiver| (receiver, attachment.name.clone())));
    }
    console.note(messages::no_receiver());
    let reference = Reference::new(Settings::new(secret.clone()), clock.clone(), Arc::new(drop));
    let server = http::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(reference)).await;
    let server = server.map_err(|why| Error::Harness(no_free_port(why)))?;
    Ok(Some((Receiver::here(server, "/", secret.clone()), messages::REFERENCE_RECEIVER.to_owned())))
}

impl Arguments {
    fn plan(&self) -> LoadPlan {
        let mode = match (self.rate, self.rate_steps.as_slice()) {
            (Some(rate), _) => Mode::Rates(vec![rate]),
            (None, []) => Mode::Saturation,
            (None, rates) => Mode::Rates(rates.to_vec()),
        };
        let half = Machine::this().cores / 2;
        LoadPlan {
            mode,
            concurrency: self.concurrency,
            threads: self.threads.unwrap_or(half).clamp(1, self.concurrency),
            duration: self.duration,
            deliveries: None,
            warm_up: self.warm_up,
            timeout: self.load.timeout,
            probe_share: self.load.probe_share,
            gone_after: LoadPlan::default().gone_after,
            seed: self.seed.unwrap_or_else(random_seed),
        }
    }

    fn search_plan(&self) -> Result<Option<SearchPlan>, Error> {
        let Some(text) = &self.find_max else { return Ok(None) };
        let objective: Objective =
            text.parse().map_err(|why| Error::Usage(messages::wrong_objective(text, why)))?;
        Ok(Some(SearchPlan {
            objective,
            text: text.clone(),
            first: self.rate,
            trial: self.trial_duration,
            tolerance: self.load.tolerance(),
        }))
    }

    fn note(&self, console: &mut Console, text: &str) {
        if !self.output.quiet {
            console.note(text);
        }
    }
}

/// The planned length of a load.
fn length(plan: &LoadPlan) -> Duration {
    plan.phases().last().map_or(Duration::ZERO, Phase::end)
}

fn progress(step: &SearchStep<'_>) -> String {
    match step {
        SearchStep::Saturated(rate) => messages::saturated(*rate),
        SearchStep::Tried(trial) => {
            let missed = (!trial.held).then_some(&*trial.why);
            messages::tried(trial.rate, trial.p99_us as f64 / 1000.0, missed)
        }
    }
}
