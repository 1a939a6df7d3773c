//! `bench pair`: two receivers that are started here, measured against each other.

use std::time::{Duration, Instant};

use clap::Args;

use super::baseline::ProjectOptions;
use super::command_line;
use super::load::{LoadOptions, MOST_THREADS, rate};
use super::output::OutputOptions;
use crate::bench::compare::pair::{Figure, MOST_ROUNDS, PairReport, SeriesName};
use crate::bench::compare::rounds::{PairSetup, measure_pair};
use crate::bench::generate::limits;
use crate::bench::generate::plan::{LoadPlan, MOST_CONNECTIONS, Mode};
use crate::bench::measure::compared::Metric;
use crate::cli::attach::check_path;
use crate::cli::console::Console;
use crate::cli::options::{SecretOptions, random_seed};
use crate::cli::signals::interruption;
use crate::cli::values::{duration, from_to, pause, up_to};
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::statistics::FEWEST;
use crate::webhook::signature::Secret;

/// The rounds of a series, and how long each load is, at saturation: with these a run takes about half a minute.
const SATURATED: (usize, Duration) = (20, Duration::from_millis(100));
/// The same at a rate, where a load must have enough deliveries for a p99.
const PACED: (usize, Duration) = (10, Duration::from_millis(250));
/// The fewest deliveries of a load at a rate: of fewer the p99 is the slowest one.
const FEWEST_DELIVERIES: f64 = 100.0;

/// Options of `bench pair`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The command that starts the receiver to compare with; it gets PORT and TWENTY_WEBHOOK_SECRET, and no shell
    #[arg(long, value_name = "COMMAND")]
    base: String,
    /// The command that starts the receiver that is compared
    #[arg(long, value_name = "COMMAND")]
    candidate: String,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    load: LoadOptions,
    /// How long a command may take until its port accepts
    #[arg(long, default_value = "30s", value_parser = duration)]
    ready_timeout: Duration,
    /// Deliveries per second: p99 is compared then [default: as many as the connections carry, and the rates are compared]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// How many connections, each with one delivery under way at most
    #[arg(long, default_value = "16", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>)]
    concurrency: usize,
    /// How many threads send
    #[arg(long, default_value = "1", value_name = "N", value_parser = up_to::<MOST_THREADS>)]
    threads: usize,
    /// How many rounds each series has, of four loads each: base, candidate, candidate, base; up to three times as many where the
    /// control needs them [default: 20; 10 with --rate]
    #[arg(long, value_name = "N", value_parser = from_to::<FEWEST, MOST_ROUNDS>)]
    rounds: Option<usize>,
    /// How long each load is measured [default: 100ms; 250ms with --rate]
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// How long a receiver that was just started has load before it is measured; 0 for not at all
    #[arg(long, default_value = "500ms", value_parser = pause)]
    warm_up: Duration,
    /// By how much the figure that is compared may be worse; it wins over --max-regression
    #[arg(long, value_name = "SHARE", value_parser = threshold)]
    threshold: Option<f64>,
    /// What ids, nonces, the places of probes and the intervals are made from [default: random]
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    project: ProjectOptions,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    arguments.output.check::<PairReport>()?;
    let (rounds, plan) = arguments.plan()?;
    let figure = if arguments.rate.is_some() { Figure::P99 } else { Figure::Rate };
    let most = arguments.project.read()?.most;
    let most = arguments.threshold.unwrap_or_else(|| match figure {
        Figure::Rate => most.of(Metric::Rate),
        Figure::P99 => most.of(Metric::P99),
    });
    let corpus = arguments.load.corpus()?;
    limits::allow(plan.concurrency).map_err(Error::Usage)?;
    let secret = arguments.secret.read()?;
    let secret = secret.unwrap_or_else(|| Secret::new(Random::from_seed(plan.seed).secret()));
    console.conceal(&secret);
    let redaction = Redaction::new([&secret]);
    let (clock, interrupted) = (Clock::system(), interruption());
    let (begun, started_at_ms) = (Instant::now(), clock.now_ms());
    let dialect = arguments.load.dialect();
    let quiet = arguments.output.quiet;
    let told = |series: SeriesName| {
        if !quiet {
            let length = 4 * rounds as u32 * plan.duration + 2 * plan.warm_up;
            console.tell(&format!("{}: for about {:.0} s", series.describe(), length.as_secs_f64().max(1.0)));
        }
    };
    let comparison = PairSetup {
        base: &arguments.base,
        candidate: &arguments.candidate,
        path: &arguments.load.path,
        secret: &secret,
        ready: arguments.ready_timeout,
        dialect,
        corpus: corpus.as_ref(),
        clock: &clock,
        interrupted: &interrupted,
        plan: &plan,
        rounds,
        figure,
        max_regression: most,
        tolerance: arguments.load.tolerance(),
        redaction: &redaction,
    };
    let measured = measure_pair(&comparison, told).await?;
    let report = comparison.report(measured, command_line(&redaction), started_at_ms, begun.elapsed());
    arguments.output.publish(&report, report.result.status(), console)
}

impl Arguments {
    /// The rounds of a series, and each load.
    ///
    /// Errors: a load with too few deliveries to compare a p99, or a path that is none.
    fn plan(&self) -> Result<(usize, LoadPlan), Error> {
        check_path(&self.load.path)?;
        let (rounds, duration) = if self.rate.is_some() { PACED } else { SATURATED };
        let duration = self.duration.unwrap_or(duration);
        if let Some(rate) = self.rate
            && rate * duration.as_secs_f64() < FEWEST_DELIVERIES
        {
            return Err(Error::Usage(format!(
                "a load of {} ms at {rate} deliveries per second has less than the {FEWEST_DELIVERIES} deliveries that a p99 \
                 needs; give --duration {:.1}s or more",
                duration.as_millis(),
                (FEWEST_DELIVERIES / rate * 10.0).ceil() / 10.0
            )));
        }
        let plan = LoadPlan {
            mode: self.rate.map_or(Mode::Saturation, |rate| Mode::Rates(vec![rate])),
            concurrency: self.concurrency,
            threads: self.threads.clamp(1, self.concurrency),
            duration,
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
