//! `bench distributed`: load on a receiver from several locust processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::watch;

use super::command_line;
use super::load::{LoadOptions, rate};
use super::messages;
use super::output::OutputOptions;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::MOST_CONNECTIONS;
use crate::bench::measure::load;
use crate::bench::measure::report::BenchReport;
use crate::bench::tools::distributed::{self, LocustPlan, MOST_WORKERS, RESULTS, conclude, folder, ledger};
use crate::bench::tools::export::{ExportContent, LOCUST_FILES, locust, write};
use crate::cli::attach::AttachOptions;
use crate::cli::console::Console;
use crate::cli::headings::{LOAD, REPORTS};
use crate::cli::options::random_seed;
use crate::cli::outputs::{Input, OutputFile};
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

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    attach: AttachOptions,
    #[command(flatten)]
    load: LoadOptions,
    /// Send from N processes
    #[arg(long, default_value = "2", value_name = "N", value_parser = up_to::<MOST_WORKERS>, help_heading = LOAD)]
    workers: usize,
    /// Run locust with this Python
    #[arg(long, default_value = "python3", value_name = "PATH", help_heading = LOAD)]
    python: String,
    /// Send N deliveries per second from all workers together [default: as many as the connections allow]
    #[arg(long, value_name = "N", value_parser = rate, help_heading = LOAD)]
    rate: Option<f64>,
    /// Open N connections from all workers together
    #[arg(long, default_value = "64", value_name = "N", value_parser = up_to::<MOST_CONNECTIONS>, help_heading = LOAD)]
    concurrency: usize,
    /// Measure for this long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = LOAD)]
    duration: Duration,
    /// Send for this long before the measurement
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = pause, help_heading = LOAD)]
    warm_up: Duration,
    /// Save the locustfile and its results in this folder
    #[arg(long, value_name = "DIR", help_heading = REPORTS)]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOptions,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    arguments.output.check::<BenchReport>(arguments.written(), &arguments.inputs())?;
    let seed = random_seed();
    let made = || Secret::new(Random::secret_of(seed));
    let attachment =
        arguments.attach.attachment(arguments.load.paths(), made, &TrustOptions::default(), console)?;
    if let Some(target) = attachment.target() {
        load::check(target)?;
    }
    if arguments.concurrency < arguments.workers {
        return Err(Error::Usage(messages::too_few_connections(arguments.concurrency, arguments.workers)));
    }
    let own = arguments.load.corpus()?;
    let version = distributed::version(&arguments.python).await?;
    let (clock, interrupted) = (Clock::system(), interruption());
    let begun = Instant::now();
    let Some(mut receiver) = attachment.reach(&interrupted, false).await? else {
        console.error(&crate::cli::messages::interrupted_before_ready("measured"));
        return Ok(ExitStatus::Interrupted);
    };
    if !arguments.output.quiet {
        console.note(&messages::measuring_with_locust(&attachment.name, &version, arguments.workers));
    }
    let (place, temporary) = match &arguments.out {
        Some(out) => (out.clone(), false),
        None => (folder(&std::env::temp_dir(), seed)?, true),
    };
    let ran = arguments.measure(&receiver, own, &place, &version, (&clock, &interrupted)).await;
    let ended = receiver.ended().await;
    receiver.stop().await;
    if temporary {
        // A folder that cannot be removed does not spoil the measurement.
        let _ = fs::remove_dir_all(place);
    }
    let mut report = match ran {
        // The status of an interruption comes first, so the error is only printed.
        Err(why) if *interrupted.borrow() => {
            console.error(&why.to_string());
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
    fn inputs(&self) -> Vec<Input> {
        [self.attach.inputs(), self.load.inputs()].concat()
    }

    /// The files in the folder of --out.
    fn written(&self) -> Vec<OutputFile> {
        let of = |(folder, name): (&PathBuf, &str)| {
            let path = folder.join(name);
            OutputFile::new(format!("--out {}", path.display()), &path).in_created_folder()
        };
        let names = || LOCUST_FILES.into_iter().chain([RESULTS]);
        self.out.iter().flat_map(|folder| names().map(move |name| (folder, name))).map(of).collect()
    }

    /// Runs locust on a receiver, and compares its counts with the receiver's ledger if there is one.
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
        write(folder, &locust(&content).map_err(Error::Harness)?)?;
        let before = ledger(target, clock).await;
        let fail_on = self.load.tolerance().fail_on.to_string();
        let run = distributed::run(&LocustPlan {
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
        Ok(conclude(&run, (before.as_ref(), after.as_ref()), version))
    }
}
