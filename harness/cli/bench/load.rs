//! The options that benchmarks of receivers share: what is sent, and which answers fail the run.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::messages;
use crate::bench::generate::corpus::Corpus;
use crate::bench::generate::plan::HIGHEST_RATE;
use crate::bench::measure::objective::{Bound, share};
use crate::bench::measure::verdict::Tolerance;
use crate::cli::headings::{LIMITS, LOAD, PAYLOAD, TARGET, VERDICT};
use crate::cli::options::{DialectOption, GateLevel};
use crate::cli::outputs::Input;
use crate::cli::values::duration;
use crate::error::Error;
use crate::webhook::dialect::Dialect;

pub(super) const MOST_THREADS: usize = 64;

/// What is sent to a receiver, and which answers fail the run.
#[derive(Debug, Args)]
pub(super) struct LoadOptions {
    /// Send deliveries to this path of the started receiver [default: /]
    #[arg(long, help_heading = TARGET)]
    path: Option<String>,
    #[command(flatten)]
    dialect: DialectOption,
    /// Send these bodies instead of samples: a JSON file, a file of JSON lines, or a folder of such files
    #[arg(long, value_name = "FILE|DIR", help_heading = PAYLOAD)]
    corpus: Option<PathBuf>,
    /// Share of probes: deliveries that must be rejected, because they are wrongly signed, altered or stale
    #[arg(long, default_value = "1%", value_name = "SHARE", value_parser = probe_share, help_heading = LOAD)]
    pub(super) probe_share: f64,
    /// Fail the run if a probe of this level or above is accepted
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "must", help_heading = VERDICT)]
    fail_on: GateLevel,
    /// Maximum share of non-2xx answers to valid deliveries (load shedding included)
    #[arg(long, default_value = "0%", value_name = "SHARE", value_parser = share, help_heading = VERDICT)]
    max_errors: f64,
    /// Wait this long for each answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, help_heading = LIMITS)]
    pub(super) timeout: Duration,
}

impl LoadOptions {
    pub(super) fn dialect(&self) -> &'static Dialect {
        self.dialect.dialect()
    }

    /// The path that is given, and the usual one.
    pub(super) fn paths(&self) -> (Option<&str>, &'static str) {
        (self.path.as_deref(), "/")
    }

    /// The path of a started receiver.
    pub(super) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }

    pub(super) fn tolerance(&self) -> Tolerance {
        Tolerance { max_errors: self.max_errors, fail_on: self.fail_on.level() }
    }

    /// The file or folder of the bodies.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.corpus.iter().map(|path| Input::with_contents("--corpus", path)).collect()
    }

    /// The bodies of --corpus. Errors: they cannot be read, or there are none.
    pub(super) fn corpus(&self) -> Result<Option<Corpus>, Error> {
        self.corpus.as_deref().map(Corpus::read).transpose().map_err(Error::Usage)
    }
}

/// Checks that a load at this rate is long enough for each bound. Errors: it is too short.
pub(super) fn check_lengths(bounds: &[Bound], rate: f64, duration: Duration) -> Result<(), Error> {
    bounds.iter().try_for_each(|bound| bound.check_length(rate, duration)).map_err(Error::Usage)
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.1..=HIGHEST_RATE).contains(rate));
    rate.ok_or_else(|| messages::not_a_rate(text, HIGHEST_RATE))
}

fn probe_share(text: &str) -> Result<f64, String> {
    share(text).and_then(|share| if share <= 0.5 { Ok(share) } else { Err(messages::more_than_half(text)) })
}
