//! The accounts as data, for `GET /ledger` and reports.

use serde::{Deserialize, Serialize};

/// What fails a run, unless it is allowed. The comments of the variants are help texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LedgerFault {
    /// Deliveries that are rejected, for example for a bad signature
    Wrong,
    /// Deliveries that arrived before
    Duplicated,
    /// Deliveries that did not arrive
    Lost,
}

impl LedgerEntry {
    /// The lost deliveries or, while some are in flight, those that are missing so far.
    pub(in crate::bench) fn lost_so_far(&self) -> u64 {
        self.lost.unwrap_or(self.gaps)
    }

    /// The faults that occurred and are not allowed.
    pub fn faults(&self, allowed: &[LedgerFault]) -> Vec<LedgerFault> {
        let lost = self.lost.unwrap_or(0);
        let counted = [
            (LedgerFault::Wrong, self.wrong),
            (LedgerFault::Duplicated, self.duplicated),
            (LedgerFault::Lost, lost),
        ];
        let counts = |(fault, count): &(LedgerFault, u64)| *count > 0 && !allowed.contains(fault);
        counted.into_iter().filter(counts).map(|(fault, _)| fault).collect()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// All requests: `verified` and `wrong` together.
    pub received: u64,
    /// Correctly signed, fresh, well-formed deliveries.
    pub verified: u64,
    pub wrong: u64,
    /// Verified deliveries without duplicates.
    pub distinct: u64,
    /// Verified deliveries that had arrived at the same webhook before.
    pub duplicated: u64,
    /// Deliveries with an id of a load that arrived after one with a higher number.
    pub out_of_order: u64,
    /// Verified deliveries without a record id, which may be duplicates.
    pub without_id: u64,
    /// Verified deliveries that exceeded the memory limit, which may be duplicates.
    pub untracked: u64,
    /// Missing numbers of a load, below the highest that arrived.
    pub gaps: u64,
    /// The same once nothing is in flight any more; `None` before.
    pub lost: Option<u64>,
    /// Bytes of complete requests.
    pub bytes: u64,
    pub first_at: Option<String>,
    pub last_at: Option<String>,
    /// The time from the first to the last, in milliseconds.
    pub span_ms: u64,
    /// The event and record id of the first duplicate, as in its body.
    pub first_duplicated: Option<String>,
    pub kinds: Vec<WrongEntry>,
    pub webhooks: Vec<WebhookEntry>,
    /// The runs of loads that arrived, at most 64.
    pub runs: Vec<RunEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongEntry {
    pub kind: String,
    pub text: String,
    pub status: u16,
    pub count: u64,
    pub first: Option<SampleEntry>,
}

/// A kept arrival, truncated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleEntry {
    pub at: String,
    pub webhook: Option<String>,
    /// More about the defect, or empty.
    pub detail: String,
    pub request: String,
}

/// The account of one webhook, with the members of [`LedgerEntry`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEntry {
    pub path: String,
    pub received: u64,
    pub verified: u64,
    pub wrong: u64,
    pub distinct: u64,
    pub duplicated: u64,
    pub out_of_order: u64,
    pub gaps: u64,
    pub lost: Option<u64>,
    pub bytes: u64,
}

/// The deliveries of one run of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEntry {
    pub webhook: String,
    /// The run's digits in its ids.
    pub run: String,
    /// How many different numbers arrived.
    pub distinct: u64,
    pub highest: u64,
    pub gaps: u64,
    /// The record id of the first missing delivery, if known.
    pub first_missing: Option<String>,
}
