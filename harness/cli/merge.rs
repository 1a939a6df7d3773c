//! `merge`: joins the shards of a run into one report.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::outputs::Input;
use super::reports::ReportOptions;
use super::saved;
use crate::budget::{Budget, CAPTURES};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::stored::merge::{Whole, merge};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of each shard, which it made with --shard and --out
    #[arg(value_name = "DIR", required = true)]
    shards: Vec<PathBuf>,
    #[command(flatten)]
    reports: ReportOptions,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let (budget, mut shards) = (Budget::of(CAPTURES), Vec::new());
    for path in &arguments.shards {
        let mut shard = saved::open(path)?;
        saved::add_exchanges(&mut shard, &budget, console);
        shards.push(shard);
    }
    let Whole { mut report, manifests } = merge(shards).map_err(|why| Error::Usage(why.to_string()))?;
    let inputs: Vec<Input> = arguments.shards.iter().map(|path| Input::saved(path)).collect();
    if let Some(folder) = arguments.reports.claim(&inputs)? {
        folder.join(&manifests, &mut report);
    }
    arguments.reports.publish(&report, console)
}
