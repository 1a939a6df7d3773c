//! Checks that the counts of deliveries sent, accepted and verified are consistent.

use serde::Deserialize;

use crate::bench::tools::locust::{LocustResults, WorkerState};
use crate::bench::tools::messages;

/// The counts of a ledger (`GET /ledger`) that are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LedgerCounts {
    pub verified: u64,
    #[serde(default)]
    pub duplicated: u64,
    /// Missing numbers below the highest number that arrived.
    #[serde(default)]
    pub gaps: u64,
}

/// One message for each disagreement. The ledger's counts are those before and after the load, if the receiver has a ledger.
pub fn reconcile(results: &LocustResults, ledger: Option<(&LedgerCounts, &LedgerCounts)>) -> Vec<String> {
    let mut wrong = Vec::new();
    let all = &results.all;
    let ended = all.acknowledged + all.refused + all.failed.saturating_sub(all.unsent);
    if all.sent != ended + all.in_flight {
        wrong.push(messages::unaccounted(all.sent, ended, all.in_flight));
    }
    let (sent, acknowledged) = results
        .workers
        .iter()
        .fold((0, 0), |(sent, acknowledged), one| (sent + one.sent, acknowledged + one.acknowledged));
    if (sent, acknowledged) != (all.sent, all.acknowledged) {
        wrong.push(messages::workers_disagree((sent, acknowledged), (all.sent, all.acknowledged)));
    }
    for worker in results.workers.iter().filter(|worker| worker.state != WorkerState::Reported) {
        wrong.push(messages::worker_incomplete(worker.state));
    }
    let Some((before, after)) = ledger else { return wrong };
    let (Some(verified), Some(duplicated), Some(missing)) = (
        after.verified.checked_sub(before.verified),
        after.duplicated.checked_sub(before.duplicated),
        after.gaps.checked_sub(before.gaps),
    ) else {
        wrong.push(messages::ledger_restarted());
        return wrong;
    };
    // Deliveries without an answer and those in flight may have arrived. Accepted probes may be correctly signed, as stale ones are.
    let unknown =
        all.in_flight + all.failed.saturating_sub(all.unsent) + all.let_through + all.probes_in_flight;
    if verified < all.acknowledged || verified > all.acknowledged + unknown {
        wrong.push(messages::ledger_disagrees(all.acknowledged, unknown, verified));
    }
    if duplicated > 0 {
        wrong.push(messages::ledger_has_duplicates(duplicated));
    }
    if missing > unknown {
        wrong.push(messages::ledger_has_gaps(missing, unknown));
    }
    wrong
}
