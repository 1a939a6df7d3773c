//! `bench pair`: compares two receivers that are started on this machine.

use std::time::{Duration, Instant};

use clap::Args;

use super::baseline::ProjectOptions;
use super::command_line;
use super::load::{LoadOptions, MOST_THREADS, rate};
use super::messages;
use super::output::OutputOptions;
use crate::bench::compare::pair::{Figure, MOST_ROUNDS, PairReport};
use crate::bench::compare::rounds::{PairSetup, measure_pair};
use crate::bench::generate::plan::{LoadPlan, MOST_CONNECTIONS, Mode};
use crate::bench::measure::compared::Metric;
use crate::cli::attach::check_path;
use crate::cli::console::Console;
use crate::cli::headings::{LOAD, TARGET, VERDICT};
use crate::cli::options::{SecretOptions, random_seed};
use crate::cli::outputs::Input;
use crate::cli::signals::interruption;
use crate::cli::values::{duration, from_to, pause, up_to};
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::webhook::signature::Secret;
use crate::wire::descriptors;

/// The rounds after a start and the length of each load, at saturation.
const SATURATED: (usize, Duration) = (50, Duration::from_millis(10));
/// The same at a rate, where a load needs enough deliveries for a p99.
const PACED: (usize, Duration) = (4, Duration::from_millis(250));
/// The processes that run at a time, each with its own connections.
const PROCESSES: usize = 3;
/// The fewest deliveries of a load at a rate: with fewer, the p99 is the slowest one.
const FEWEST_DELIVERIES: f64 = 100.0;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Start the receiver to compare with; its environment has PORT and TWENTY_WEBHOOK_SECRET
    #[arg(long, value_name = "COMMAND", help_heading = TARGET)]
    base: String,
    /// Start the receiver that may have become slower
    #[arg(long, value_name = "COMMAND", help_heading = TARGET)]
    candidate: String,
    /// Wait this long for a started receiver to accept connections
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = TARGET)]
    ready_timeout: Duration,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    load: LoadOptions,
    /// Send N deliveries per second and compare the p99 [default: compare the throughput at saturation]
    #[arg(long, value_name = "N", value_parser = rate, help_heading = LOAD)]
    rate: Option<f64>,
    /// Open N connections
    #[arg(long, default_value = "16", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>, help_heading = LOAD)]
    concurrency: usize,
    /// Send from N threads
    #[arg(long, default_value = "1", value_name = "N", value_parser = up_to::<MOST_THREADS>, help_heading = LOAD)]
    threads: usize,
    /// After each start of both, measure N rounds of loads, forwards and backwards [default: 50; 4 with --rate]
    #[arg(long, value_name = "N", value_parser = from_to::<1, MOST_ROUNDS>, help_heading = LOAD)]
    rounds: Option<usize>,
    /// Measure each load for this long [default: 10ms; 250ms with --rate]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = LOAD)]
    duration: Option<Duration>,
    /// Measure for at most this long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, help_heading = LOAD)]
    max_time: Duration,
    /// Send for this long to a started receiver before the measurement
    #[arg(long, value_name = "TIME", default_value = "700ms", value_parser = pause, help_heading = LOAD)]
    warm_up: Duration,
    /// Generate the same ids, nonces, probes and intervals again from this seed [default: random]
    #[arg(long, value_name = "N", help_heading = LOAD)]
    seed: Option<u64>,
    /// Allow the compared figure to be this much worse; overrides --max-regression
    #[arg(long, value_name = "SHARE", value_parser = threshold, help_heading = VERDICT)]
    threshold: Option<f64>,
    #[command(flatten)]
    project: ProjectOptions,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    arguments.output.check::<PairReport>(Vec::new(), &arguments.inputs())?;
    let (rounds, plan) = arguments.plan()?;
    let figures = arguments.figures();
    let most = arguments.project.project().most;
    let metric = if arguments.rate.is_some() { Metric::P99 } else { Metric::Rate };
    let most = arguments.threshold.unwrap_or_else(|| most.of(metric));
    let corpus = arguments.load.corpus()?;
    descriptors::allow(PROCESSES * plan.concurrency).map_err(Error::Usage)?;
    let secret = arguments.secret.read(console)?;
    let secret = secret.unwrap_or_else(|| Secret::new(Random::secret_of(plan.seed)));
    console.redact(&secret);
    let redaction = Redaction::new([&secret]);
    let (clock, interrupted) = (Clock::system(), interruption());
    let (begun, started_at_ms) = (Instant::now(), clock.now_ms());
    let dialect = arguments.load.dialect();
    let quiet = arguments.output.quiet;
    if !quiet {
        console.note(&messages::measuring_pair(arguments.max_time.as_secs_f64()));
    }
    let comparison = PairSetup {
        base: &arguments.base,
        candidate: &arguments.candidate,
        path: arguments.load.path(),
        secret: &secret,
        ready: arguments.ready_timeout,
        dialect,
        corpus: corpus.as_ref(),
        clock: &clock,
        interrupted: &interrupted,
        plan: &plan,
        rounds,
        max_time: arguments.max_time,
        figures: &figures,
        max_regression: most,
        tolerance: arguments.load.tolerance(),
        redaction: &redaction,
    };
    let measured = measure_pair(&comparison).await?;
    let report = comparison.report(measured, command_line(&redaction), started_at_ms, begun.elapsed());
    arguments.output.publish(&report, report.result.status(), console)
}

impl Arguments {
    fn inputs(&self) -> Vec<Input> {
        let commands = [("--base", &self.base), ("--candidate", &self.candidate)];
        let commands = commands.map(|(option, command)| Input::of_command(option, command)).concat();
        [commands, self.secret.inputs(), self.load.inputs(), self.project.inputs()].concat()
    }

    /// What is compared, and whether it decides.
    fn figures(&self) -> [(Figure, bool); 4] {
        let is_open = self.rate.is_some();
        [
            (Figure::ProcessorTime, true),
            (Figure::Rate, !is_open),
            (Figure::P99, is_open),
            (Figure::Memory, false),
        ]
    }

    /// The rounds after a start, and the plan of each load.
    ///
    /// Errors: a load has too few deliveries for a p99, or the path is malformed.
    fn plan(&self) -> Result<(usize, LoadPlan), Error> {
        check_path(self.load.path())?;
        let (rounds, duration) = if self.rate.is_some() { PACED } else { SATURATED };
        let duration = self.duration.unwrap_or(duration);
        if let Some(rate) = self.rate
            && rate * duration.as_secs_f64() < FEWEST_DELIVERIES
        {
            return Err(Error::Usage(messages::too_few_deliveries(duration, rate, FEWEST_DELIVERIES)));
        }
        let plan = LoadPlan {
            mode: self.rate.map_or(Mode::Saturation, |rate| Mode::Rates(vec![rate])),
            concurrency: self.concurrency,
            threads: self.threads.clamp(1, self.concurrency),
            duration,
            deliveries: None,
            warm_up: self.warm_up,
            timeout: self.load.timeout,
            probe_share: self.load.probe_share,
            gone_after: LoadPlan::default().gone_after,
            seed: self.seed.unwrap_or_else(random_seed),
        };
        Ok((self.rounds.unwrap_or(rounds), plan))
    }
}

fn threshold(text: &str) -> Result<f64, String> {
    crate::bench::compare::thresholds::bound(None, text)
}
