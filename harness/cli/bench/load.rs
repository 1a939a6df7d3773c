//! What the benchmarks of receivers have in common: what is sent, what must come of it, and how such values are read.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::HIGHEST_RATE;
use crate::bench::measure::objective::share;
use crate::bench::measure::verdict::Tolerance;
use crate::cli::options::{DialectOption, GateLevel};
use crate::cli::values::duration;
use crate::error::Error;
use crate::webhook::dialect::Dialect;

/// How many threads a load can have.
pub(super) const MOST_THREADS: usize = 64;

/// What is sent to a receiver, and what must come of it.
#[derive(Debug, Args)]
pub(super) struct LoadOptions {
    /// The path at which a receiver that is started takes deliveries
    #[arg(long, default_value = "/")]
    pub(super) path: String,
    #[command(flatten)]
    dialect: DialectOption,
    /// How long an answer is waited for
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub(super) timeout: Duration,
    /// Which share of the deliveries must be refused: wrongly signed, altered or stale ones, at random places
    #[arg(long, default_value = "1%", value_name = "SHARE", value_parser = probe_share)]
    pub(super) probe_share: f64,
    /// The weakest level whose probes fail the run when they are acknowledged
    #[arg(long, value_enum, default_value = "must")]
    fail_on: GateLevel,
    /// Which share of the valid deliveries may go without a 2xx, shed ones among them, until the run fails
    #[arg(long, default_value = "0%", value_name = "SHARE", value_parser = share)]
    max_errors: f64,
    /// The bodies, in the place of the sample events: a file or a folder of files, each with one JSON text or one on each line
    #[arg(long, value_name = "FILE|DIR")]
    corpus: Option<PathBuf>,
}

impl LoadOptions {
    pub(super) fn dialect(&self) -> &'static Dialect {
        self.dialect.dialect()
    }

    pub(super) fn tolerance(&self) -> Tolerance {
        Tolerance { max_errors: self.max_errors, fail_on: self.fail_on.level() }
    }

    /// The bodies, where they are not the sample events. Errors: they cannot be read, or are none.
    pub(super) fn corpus(&self) -> Result<Option<Corpus>, Error> {
        self.corpus.as_deref().map(Corpus::read).transpose().map_err(Error::Usage)
    }
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.1..=HIGHEST_RATE).contains(rate));
    rate.ok_or_else(|| format!("{text:?} is no rate from 0.1 to {HIGHEST_RATE} deliveries per second"))
}

fn probe_share(text: &str) -> Result<f64, String> {
    share(text)
        .and_then(|share| if share <= 0.5 { Ok(share) } else { Err(format!("{text:?} is more than half")) })
}

/// A length of time as it is told.
pub(super) fn spoken(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    if seconds < 9.95 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}
