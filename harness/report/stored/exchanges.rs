//! The exchanges of a saved run that its report shows. They are not part of the JSON report.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::names::EXCHANGES;
use super::unusable::{Unusable, Why, unusable};
use super::{Saved, is_file, messages};
use crate::budget::{Budget, INPUT_LINE};
use crate::input;
use crate::report::CheckEntry;
use crate::report::check::shown_numbers;
use crate::suite::requirement::group_of;
use crate::wire::exchange::Exchange;

/// The longest line, in bytes: a body of 16 MiB that is not text, as base64.
const LONGEST_LINE: usize = 2 * INPUT_LINE;

/// The number of an exchange in its line.
#[derive(Deserialize)]
struct Numbered {
    number: usize,
}

impl Saved {
    /// Adds to each failure the exchanges that show it, as the run itself had them, as far as the budget allows. Those of joined shards
    /// are in other folders.
    ///
    /// Errors: they cannot be read; the report is complete without them.
    pub fn add_exchanges(&mut self, budget: &Budget) -> Result<(), Unusable> {
        if self.manifests.iter().any(|one| one.merged_from.is_some()) {
            return Ok(());
        }
        for (folder, role) in self.exchanges.clone() {
            let is_of_role = |check: &&mut CheckEntry| role.is_none_or(|role| is_of(role, check));
            let checks: Vec<_> = self.report.checks.iter_mut().filter(is_of_role).collect();
            let wanted: BTreeSet<usize> = checks.iter().flat_map(|check| shown_numbers(check)).collect();
            if wanted.is_empty() {
                continue;
            }
            let known = read(&folder.join(EXCHANGES), &wanted, budget)?;
            for check in checks {
                let shown = shown_numbers(check).into_iter().filter_map(|number| known.get(&number).cloned());
                check.exchanges_shown = shown.collect();
            }
        }
        Ok(())
    }
}

fn is_of(role: &str, check: &CheckEntry) -> bool {
    group_of(&check.id).split('/').next() == Some(role)
}

/// The exchanges of these numbers, as many as fit the budget.
fn read(
    path: &Path,
    wanted: &BTreeSet<usize>,
    budget: &Budget,
) -> Result<BTreeMap<usize, Exchange>, Unusable> {
    is_file(path)?;
    let failed = |why| unusable(path, Why::Unread(why));
    let mut lines = BufReader::new(input::open(path).map_err(failed)?);
    let mut known = BTreeMap::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        (&mut lines)
            .take(LONGEST_LINE as u64)
            .read_until(b'\n', &mut line)
            .map_err(|why| failed(why.into()))?;
        if known.len() == wanted.len() {
            return Ok(known);
        }
        if line.is_empty() {
            return match wanted.iter().find(|number| !known.contains_key(number)) {
                Some(number) => Err(unusable(path, Why::Malformed(messages::lacks_exchange(*number)))),
                None => Ok(known),
            };
        }
        // A run that was killed leaves a last line that is cut.
        let Ok(Numbered { number }) = serde_json::from_slice(&line) else {
            return if line.ends_with(b"\n") || line.len() == LONGEST_LINE {
                Err(unusable(path, Why::Malformed(messages::not_an_exchange().to_owned())))
            } else {
                Ok(known)
            };
        };
        if wanted.contains(&number) {
            let exchange = serde_json::from_slice(&line);
            let exchange = exchange.map_err(|why| unusable(path, Why::Malformed(why.to_string())))?;
            if budget.take(line.len()) < line.len() {
                return Ok(known);
            }
            known.insert(number, exchange);
        }
    }
}
