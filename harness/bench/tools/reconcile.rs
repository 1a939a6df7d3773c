//! Whether what was sent, what was acknowledged and what the endpoint verified can all be true.

use serde::Deserialize;

use crate::bench::tools::locust::{LocustResults, WorkerState};

/// What an endpoint of the suite has counted (`GET /ledger`), as far as it is held against anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LedgerCounts {
    pub verified: u64,
    /// Deliveries that had come before.
    #[serde(default)]
    pub duplicated: u64,
    /// Numbers of a load that are missing below the highest that came.
    #[serde(default)]
    pub gaps: u64,
}

/// What does not agree: one sentence for each. `before` and `after` are the ledger at the start and at the end, where the
/// receiver has one.
pub fn reconcile(results: &LocustResults, ledger: Option<(&LedgerCounts, &LedgerCounts)>) -> Vec<String> {
    let mut wrong = Vec::new();
    let all = &results.all;
    let ended = all.acknowledged + all.refused + all.failed.saturating_sub(all.unsent);
    if all.sent != ended + all.in_flight {
        wrong.push(format!(
            "{} valid deliveries were begun, and {ended} came to an end with {} in flight",
            all.sent, all.in_flight
        ));
    }
    let (sent, acknowledged) = results
        .workers
        .iter()
        .fold((0, 0), |(sent, acknowledged), one| (sent + one.sent, acknowledged + one.acknowledged));
    if (sent, acknowledged) != (all.sent, all.acknowledged) {
        wrong.push(format!(
            "the workers sent {sent} and had {acknowledged} acknowledged, and the master has {} and {}",
            all.sent, all.acknowledged
        ));
    }
    for worker in results.workers.iter().filter(|worker| worker.state != WorkerState::Reported) {
        wrong.push(format!("a worker is {}: what it sent is not known", worker.state.describe()));
    }
    let Some((before, after)) = ledger else { return wrong };
    let (Some(verified), Some(duplicated), Some(missing)) = (
        after.verified.checked_sub(before.verified),
        after.duplicated.checked_sub(before.duplicated),
        after.gaps.checked_sub(before.gaps),
    ) else {
        wrong.push("the ledger has less at the end than at the start: it was begun anew".to_owned());
        return wrong;
    };
    // What got no answer may have arrived all the same; so may what was under way. Probes that were let through (stale ones)
    // may be rightly signed.
    let unsure =
        all.in_flight + all.failed.saturating_sub(all.unsent) + all.let_through + all.probes_in_flight;
    if verified < all.acknowledged || verified > all.acknowledged + unsure {
        wrong.push(format!(
            "{} valid deliveries were acknowledged with {unsure} of which nothing is known, and the ledger has verified \
             {verified}",
            all.acknowledged
        ));
    }
    if duplicated > 0 {
        wrong.push(format!("the ledger has {duplicated} deliveries twice"));
    }
    if missing > unsure {
        wrong.push(format!(
            "the ledger misses {missing} deliveries among those that have come, and of {unsure} alone nothing is known"
        ));
    }
    wrong
}
