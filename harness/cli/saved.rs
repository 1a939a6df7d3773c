//! Saved runs on the command line.

use std::path::Path;

use super::console::Console;
use super::messages;
use crate::budget::Budget;
use crate::error::Error;
use crate::report::stored::{self, Saved};

/// Reads a saved run. Errors: it is none, or a damaged one.
pub(super) fn open(path: &Path) -> Result<Saved, Error> {
    stored::open(path).map_err(|why| Error::Usage(why.to_string()))
}

/// Adds the exchanges that its report shows. A report is complete without them, so what cannot be read is only noted.
pub(super) fn add_exchanges(saved: &mut Saved, budget: &Budget, console: &mut Console) {
    if let Err(why) = saved.add_exchanges(budget) {
        console.note(&messages::saved::without_exchanges(&why));
    }
}
