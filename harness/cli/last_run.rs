//! Where the failures of runs are kept, and the note if they cannot be.

use std::env;
use std::path::PathBuf;

use etcetera::BaseStrategy as _;

use super::console::Console;
use super::messages::replay as messages;
use super::plan::RunPlan;
use crate::report::last_runs::{Attached, LastRuns};
use crate::suite::requirement::Verdict;
use crate::suite::run::{Judgement, Run};

/// The folder of the last runs. Errors: why the system has none.
pub(super) fn last_runs() -> Result<LastRuns, String> {
    let strategy = etcetera::choose_base_strategy().map_err(|why| why.to_string())?;
    Ok(LastRuns::within(&strategy.cache_dir()))
}

/// Keeps the failures of a run for `replay`. If that fails, a note says so, and the run goes on.
pub(super) fn keep(
    run: &Run,
    plan: &RunPlan,
    (attached, began_at_ms): (Attached, u64),
    console: &mut Console,
) {
    let failed = |judgement: &Judgement| matches!(judgement, Judgement::Judged(Verdict::Fail(_)));
    let has_failures = run.findings.iter().any(|finding| failed(&finding.judgement));
    // What an interrupted run did not try may have failed in the run before it.
    if !has_failures && run.interrupted {
        return;
    }
    let kept = last_runs().map_err(|why| (None, why)).and_then(|runs| {
        let not_kept = |why: std::io::Error| (Some(runs.folder().to_owned()), why.to_string());
        let folder = env::current_dir().map_err(not_kept)?;
        runs.keep(run, attached, (&folder, plan.options.seed, began_at_ms)).map_err(not_kept)
    });
    let lost: Option<(Option<PathBuf>, String)> = kept.err().filter(|_| has_failures);
    if let Some((folder, why)) = lost {
        console.note(&messages::not_kept(folder.as_deref(), why));
    }
}
