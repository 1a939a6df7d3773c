//! What commands on saved runs say.

use std::fmt::Display;

/// A note: exchanges of a saved run cannot be read.
pub(crate) fn without_exchanges(why: impl Display) -> String {
    format!("the report shows no exchanges: {why}")
}

/// Examples of `report`.
pub(crate) const REPORT: &str = "\
Examples:
  # Print the report of a saved run again, with every requirement
  $ twenty-conform report evidence -v
  # Write it in another format
  $ twenty-conform report evidence --report junit=junit.xml
  # End as the run ended, such as after a step that uploads the report
  $ twenty-conform report evidence --exit-status";

/// The statuses of `report`.
pub(crate) const OF_REPORT: &str = "\
Exit status:
    0  the report was written; with --exit-status, that of the saved run
    2  usage error, not a saved run, a damaged one, or one of another version
   70  a report could not be written";

/// Examples of `diff`.
pub(crate) const DIFF: &str = "\
Examples:
  # What fails now that passed before?
  $ twenty-conform diff main/evidence evidence
  # The same for a comment on a pull request
  $ twenty-conform diff main/report.json report.json --markdown";

/// The statuses of `diff`.
pub(crate) const OF_DIFF: &str = "\
Exit status:
    0  no gated requirement newly fails
    1  a gated requirement newly fails, or the program newly ended during the run
    2  usage error, not a saved run, a damaged one, or runs of different roles
    3  nothing newly fails, but a gated requirement is newly inconclusive or an error
A requirement is gated if its failure fails the new run. What only one run has is listed, but does
not count, and neither do times.";

/// Examples of `merge`.
pub(crate) const MERGE: &str = "\
Examples:
  # Run three shards, on three machines if you like
  $ twenty-conform receiver --exec 'node server.mjs' --seed 42 --shard 1/3 --out shard-1
  $ twenty-conform receiver --exec 'node server.mjs' --seed 42 --shard 2/3 --out shard-2
  $ twenty-conform receiver --exec 'node server.mjs' --seed 42 --shard 3/3 --out shard-3
  # Join them
  $ twenty-conform merge shard-1 shard-2 shard-3 --report junit=junit.xml --out whole";
