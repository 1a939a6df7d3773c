//! `bench distributed`: load on a receiver from several processes of locust.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::watch;

use super::command_line;
use super::load::{LoadOptions, rate};
use super::output::OutputOptions;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::MOST_CONNECTIONS;
use crate::bench::measure::load;
use crate::bench::measure::report::BenchReport;
use crate::bench::tools::distributed::{self, MOST_WORKERS, Order, conclude, folder, ledger};
use crate::bench::tools::export::{ExportContent, locust, write};
use crate::cli::attach::AttachOptions;
use crate::cli::console::Console;
use crate::cli::options::random_seed;
use crate::cli::signals::interruption;
use crate::cli::trust::TrustOptions;
use crate::cli::values::{duration, pause, up_to};
use crate::clock::Clock;
use crate::duration::milliseconds;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::subject::receiver::Receiver;
use crate::webhook::signature::Secret;

/// Options of `bench distributed`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    attach: AttachOptions,
    #[command(flatten)]
    load: LoadOptions,
    /// How many processes send
    #[arg(long, default_value = "2", value_name = "N", value_parser = up_to::<MOST_WORKERS>)]
    workers: usize,
    /// The Python that has locust
    #[arg(long, default_value = "python3", value_name = "PATH")]
    python: String,
    /// Deliveries per second of all workers together [default: as many as the connections carry]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// How many connections all workers have together
    #[arg(long, default_value = "64", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>)]
    concurrency: usize,
    /// How long it is measured
    #[arg(long, default_value = "10s", value_parser = duration)]
    duration: Duration,
    /// How long it goes on before it is measured; 0 for not at all
    #[arg(long, default_value = "1s", value_parser = pause)]
    warm_up: Duration,
    /// Keep the locustfile and its results in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    arguments.output.check::<BenchReport>()?;
    let seed = random_seed();
    let made = || Secret::new(Random::from_seed(seed).secret());
    let attachment =
        arguments.attach.attachment(&arguments.load.path, made, &TrustOptions::default(), console)?;
    if let Some(target) = attachment.target() {
        load::check(target)?;
    }
    if arguments.concurrency < arguments.workers {
        return Err(Error::Usage(format!(
            "{} connections are fewer than the {} workers that share them; give more with --concurrency",
            arguments.concurrency, arguments.workers
        )));
    }
    let own = arguments.load.corpus()?;
    let version = distributed::version(&arguments.python).await?;
    let (clock, interrupted) = (Clock::system(), interruption());
    let begun = Instant::now();
    let Some(mut receiver) = attachment.reach(&interrupted, false).await? else {
        console.complain("interrupted before the receiver was ready; nothing was measured");
        return Ok(ExitStatus::Interrupted);
    };
    if !arguments.output.quiet {
        let (workers, name) = (arguments.workers, &attachment.name);
        console.tell(&format!("measuring {name} with locust {version}, {workers} workers"));
    }
    let (place, temporary) = match &arguments.out {
        Some(out) => (out.clone(), false),
        None => (folder(&std::env::temp_dir(), seed)?, true),
    };
    let ran = arguments.measure(&receiver, own, &place, &version, (&clock, &interrupted)).await;
    let ended = receiver.ended().await;
    receiver.stop().await;
    if temporary {
        // What cannot be taken away is no reason to say nothing of what was measured.
        let _ = fs::remove_dir_all(place);
    }
    let mut report = match ran {
        // An interruption comes first among the statuses; the outcome is said all the same.
        Err(why) if *interrupted.borrow() => {
            console.complain(&why.to_string());
            return Ok(ExitStatus::Interrupted);
        }
        ran => ran?,
    };
    let redaction = Redaction::new([&attachment.secret]);
    report.subject = redaction.text(&attachment.name);
    report.command = command_line(&redaction);
    report.duration_ms = milliseconds(begun.elapsed());
    report.notes.extend(ended);
    report.notes = report.notes.iter().map(|note| redaction.text(note)).collect();
    arguments.output.publish(&report, report.status(), console)
}

impl Arguments {
    /// Runs locust on a receiver, and holds what it says against the receiver's ledger, where that has one.
    async fn measure(
        &self,
        receiver: &Receiver,
        own: Option<Corpus>,
        folder: &Path,
        version: &str,
        (clock, interrupted): (&Clock, &watch::Receiver<bool>),
    ) -> Result<BenchReport, Error> {
        let (target, dialect) = (receiver.target(), self.load.dialect());
        let corpus = own.unwrap_or_else(|| Corpus::samples(dialect, &target.url(), clock.now_ms()));
        let content = ExportContent { dialect, corpus: &corpus, url: &target.url(), now_ms: clock.now_ms() };
        write(folder, &locust(&content).map_err(Error::Harness)?).map_err(Error::Usage)?;
        let before = ledger(target, clock).await;
        let fail_on = self.load.tolerance().fail_on.to_string();
        let played = distributed::run(&Order {
            python: &self.python,
            folder,
            target,
            allow_remote: self.attach.allow_remote,
            secret: receiver.secret(),
            workers: self.workers,
            users: self.concurrency,
            rate: self.rate,
            duration: self.duration,
            warm_up: self.warm_up,
            timeout: self.load.timeout,
            probe_share: self.load.probe_share,
            fail_on: &fail_on,
            max_errors: self.load.tolerance().max_errors,
            interrupted,
        })
        .await?;
        let after = match &before {
            Some(_) => ledger(target, clock).await,
            None => None,
        };
        Ok(conclude(&played, (before.as_ref(), after.as_ref()), version))
    }
}
