//! The kill matrix of a role: what each mutant fails, as it must be after a second run at the latest.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use twenty_conform::suite::run::Run;

use super::{PATIENCE, causes, failed, short_reports, tell_late};
use crate::snapshot::assert_snapshot;

/// How many mutants may need the second run.
const MOST_LATE: usize = 8;

/// The runs on all mutants of a role.
#[derive(Default)]
pub(super) struct Matrix {
    wrong: String,
    /// How many mutants needed the second run.
    late: usize,
    rows: Vec<(String, Vec<String>)>,
}

impl Matrix {
    /// Adds the first run on a mutant or, if it failed more than `expected`, what `again` returns.
    pub(super) async fn add(
        &mut self,
        fault: &str,
        expected: &BTreeSet<&'static str>,
        mut run: Run,
        unexpected: impl Fn(&Run) -> String,
        again: impl AsyncFnOnce() -> Run,
    ) {
        let first = unexpected(&run);
        if !first.is_empty() {
            // Lateness fails more than the fault alone, and never less.
            let is_late = expected.is_subset(&failed(&run));
            self.late += usize::from(is_late);
            run = again().await;
            let second = unexpected(&run);
            if is_late && self.late <= MOST_LATE && second.is_empty() {
                tell_late(&first);
            } else {
                writeln!(self.wrong, "{first}  with limits {PATIENCE} times as long: {second}").unwrap();
            }
        }
        self.wrong += &short_reports::too_long(fault, &run);
        self.rows.push((fault.to_owned(), causes(&run)));
    }

    pub(super) fn assert(&self, name: &str) {
        assert_eq!(self.wrong, "", "mutants and the requirements that name their faults disagree");
        assert_matrix(name, &self.rows);
    }
}

/// Compares a kill matrix with its snapshot.
fn assert_matrix(name: &str, rows: &[(String, Vec<String>)]) {
    let mut text = String::new();
    for (fault, killed_by) in rows {
        writeln!(text, "{fault}").unwrap();
        for kill in killed_by {
            writeln!(text, "  {kill}").unwrap();
        }
    }
    assert_snapshot(name, &text);
}
