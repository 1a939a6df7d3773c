//! `bench receiver`: load on a receiver.
//!
//! Invariant: whatever is wrong with the options is said before anything is reached or started, and what was started is ended
//! whichever way the load goes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::watch;

use super::baseline::{BaselineOptions, publish, tell_again};
use super::command_line;
use super::load::{LoadOptions, MOST_THREADS, rate, spoken};
use super::output::OutputOptions;
use crate::bench::compare::baseline::Baseline;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::limits;
use crate::bench::generate::plan::{LoadPlan, MOST_CONNECTIONS, Mode, Phase};
use crate::bench::measure::load::{self, LoadTarget};
use crate::bench::measure::machine::{Machine, Tool};
use crate::bench::measure::objective::{Bound, Objective};
use crate::bench::measure::report::{BenchReport, BenchRole, CorpusFacts, LoadFacts, Origin, RateTrial};
use crate::bench::measure::search::{FIRST_RATE, Quest, find};
use crate::bench::measure::verdict::{ReceiverFacts, report};
use crate::cli::attach::{AttachOptions, Attachment};
use crate::cli::console::Console;
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
use crate::subject::receiver::Receiver;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::http;

/// How many rates one run can have, one after the other.
const MOST_STEPS: usize = 100;

/// Options of `bench receiver`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    attach: AttachOptions,
    #[command(flatten)]
    load: LoadOptions,
    /// Deliveries per second, whether answers have come or not; latency counts from the time meant for each [default: as many
    /// as the connections carry]. With --find-max the rate to begin with
    #[arg(long, value_name = "N", conflicts_with = "rate_steps", value_parser = rate)]
    rate: Option<f64>,
    /// Several such rates, one after the other, each for the whole duration
    #[arg(long, value_name = "N,N", value_parser = rate)]
    rate_steps: Vec<f64>,
    /// How many connections, each with one delivery under way at most
    #[arg(long, default_value = "64", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>)]
    concurrency: usize,
    /// How many threads send [default: half of the processors]
    #[arg(long, value_name = "N", value_parser = up_to::<MOST_THREADS>)]
    threads: Option<usize>,
    /// How long it is measured, at each rate
    #[arg(long, default_value = "10s", value_parser = duration)]
    duration: Duration,
    /// How long it goes on before it is measured; 0 for not at all
    #[arg(long, default_value = "1s", value_parser = pause)]
    warm_up: Duration,
    /// A bound that must hold, such as 'p99<50ms', 'max<1s', 'mean<5ms' or 'errors<0.1%'; otherwise the status is 6
    #[arg(long, value_name = "BOUND")]
    threshold: Vec<Bound>,
    /// Search for the highest rate that holds this, such as 'p99<50ms' or 'p99<50ms,errors<0.1%'
    #[arg(long, value_name = "OBJECTIVE", conflicts_with_all = ["rate_steps", "save", "baseline"])]
    find_max: Option<String>,
    /// How long each rate of a search is tried
    #[arg(long, default_value = "2s", value_parser = duration)]
    trial_duration: Duration,
    /// What ids, nonces and the places of probes are made from [default: random]
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    baseline: BaselineOptions,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    if arguments.rate_steps.len() > MOST_STEPS {
        return Err(Error::Usage(format!("--rate-steps has more than {MOST_STEPS} rates")));
    }
    let plan = arguments.plan();
    let quest = arguments.quest()?;
    let (baseline, bounds) = arguments.baseline.open(&arguments.threshold)?;
    let load = LoadFacts::of(&plan, arguments.load.tolerance().max_errors, quest.is_some());
    baseline.check(&load, BenchRole::Receiver, arguments.load.dialect().name)?;
    let made = || Secret::new(Random::from_seed(plan.seed).secret());
    let (path, trust) = (&arguments.load.path, TrustOptions::default());
    let attachment = match arguments.attach.named() {
        true => Some(arguments.attach.attachment(path, made, &trust, console)?),
        false => None,
    };
    if let Some(target) = attachment.as_ref().and_then(Attachment::target) {
        load::check(target)?;
    }
    // What can be read is read before anything is started.
    let own = arguments.load.corpus()?;
    let sockets = if attachment.is_some() { plan.concurrency } else { 2 * plan.concurrency };
    limits::allow(sockets).map_err(Error::Usage)?;
    let (clock, interrupted) = (Clock::system(), interruption());
    let secret = match &attachment {
        Some(attachment) => attachment.secret.clone(),
        None => arguments.attach.given_secret()?.unwrap_or_else(made),
    };
    console.conceal(&secret);
    let reached = reach(attachment.as_ref(), &secret, &clock, &interrupted, console).await?;
    let Some((mut receiver, name)) = reached else {
        console.complain("interrupted before the receiver was ready; nothing was measured");
        return Ok(ExitStatus::Interrupted);
    };
    let target = receiver.target().clone();
    let dialect = arguments.load.dialect();
    let corpus = own.unwrap_or_else(|| Corpus::samples(dialect, &target.url(), clock.now_ms()));
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
        },
        plan,
        quest,
        bounds,
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
    quest: Option<Quest>,
    bounds: Vec<Bound>,
    redaction: Redaction,
}

impl Measurement<'_> {
    /// Measures, and once more where it seems worse than the baseline.
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
        baseline.measured(console, |console| tell_again(quiet, console), measure).await
    }

    /// Measures once; `first` is the number of the first record id. Returns the number after the last one too.
    async fn measure(
        &self,
        first: u64,
        receiver: &mut Receiver,
        console: &mut Console,
    ) -> Result<(BenchReport, u64), Error> {
        let begun = Instant::now();
        let started_at_ms = self.subject.clock.now_ms();
        let ran = match &self.quest {
            None => {
                self.arguments
                    .tell(console, &format!("measuring {} for {}", self.name, spoken(length(&self.plan))));
                let ran = load::run(&self.plan, &self.subject, first).await;
                ran.map(|outcome| (outcome, self.plan.clone(), None))
            }
            Some(quest) => {
                let told = |trial: &RateTrial| self.arguments.tell(console, &progress(trial));
                let found = find(&self.plan, &self.subject, quest, told).await;
                found.map(|found| (found.outcome, found.plan, Some(found.entry)))
            }
        };
        let ended = receiver.ended().await;
        let (outcome, plan, search) = ran?;
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
            thresholds: &self.bounds,
            redaction: &self.redaction,
            search,
            ended,
        };
        Ok((report(&outcome, facts), outcome.numbers))
    }
}

/// The receiver that is meant, with its name: the built-in one where none is named. `None` where that was interrupted.
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
    console.tell("no receiver is named (--url, --exec): this measures the built-in one, in this process");
    let reference = Reference::new(Settings::new(secret.clone()), clock.clone(), Arc::new(drop));
    let server = http::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(reference)).await;
    let server = server.map_err(|why| Error::Harness(format!("no port can be listened on: {why}")))?;
    Ok(Some((Receiver::here(server, "/", secret.clone()), "the reference receiver".to_owned())))
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
            warm_up: self.warm_up,
            timeout: self.load.timeout,
            probe_share: self.load.probe_share,
            gone_after: LoadPlan::default().gone_after,
            seed: self.seed.unwrap_or_else(random_seed),
        }
    }

    fn quest(&self) -> Result<Option<Quest>, Error> {
        let Some(text) = &self.find_max else { return Ok(None) };
        let objective: Objective =
            text.parse().map_err(|why| Error::Usage(format!("--find-max {text:?}: {why}")))?;
        Ok(Some(Quest {
            objective,
            text: text.clone(),
            first: self.rate.unwrap_or(FIRST_RATE),
            trial: self.trial_duration,
            tolerance: self.load.tolerance(),
        }))
    }

    fn tell(&self, console: &mut Console, text: &str) {
        if !self.output.quiet {
            console.tell(text);
        }
    }
}

/// How long a load is meant to go on.
fn length(plan: &LoadPlan) -> Duration {
    plan.phases().last().map_or(Duration::ZERO, Phase::end)
}

fn progress(trial: &RateTrial) -> String {
    let (rate, p99) = (trial.rate, trial.p99_us as f64 / 1000.0);
    let held = if trial.held { "held".to_owned() } else { format!("not held: {}", trial.why) };
    format!("{rate:.1}/s: p99 {p99:.3} ms, {held}")
}
