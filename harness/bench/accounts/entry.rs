//! What the accounts say, as the data that `GET /ledger` and reports are written from.

use serde::{Deserialize, Serialize};

/// What fails a run, unless it is allowed. The variants' comments are help texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LedgerFault {
    /// Deliveries that are not as they must be
    Wrong,
    /// Deliveries that came before
    Duplicated,
    /// Deliveries that did not come
    Lost,
}

impl LedgerEntry {
    /// What is at fault, without what is allowed.
    pub fn faults(&self, allowed: &[LedgerFault]) -> Vec<LedgerFault> {
        let lost = self.lost.unwrap_or(0);
        let counted = [
            (LedgerFault::Wrong, self.wrong),
            (LedgerFault::Duplicated, self.duplicated),
            (LedgerFault::Lost, lost),
        ];
        let at_fault = |(fault, count): &(LedgerFault, u64)| *count > 0 && !allowed.contains(fault);
        counted.into_iter().filter(at_fault).map(|(fault, _)| fault).collect()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Everything that came: `verified` and `wrong` together.
    pub received: u64,
    /// Deliveries that were as they must be.
    pub verified: u64,
    pub wrong: u64,
    /// Verified deliveries that differ from each other.
    pub distinct: u64,
    /// Verified deliveries that had come to the same webhook before.
    pub duplicated: u64,
    /// Deliveries with an id of a load after one with a higher number.
    pub out_of_order: u64,
    /// Verified deliveries without a record id: whether they are doubles is not known.
    pub without_id: u64,
    /// Verified deliveries that there was no room left to remember.
    pub untracked: u64,
    /// Numbers of a load that are missing below the highest that came.
    pub gaps: u64,
    /// The same once nothing is under way any more; `None` before.
    pub lost: Option<u64>,
    /// How many bytes came in whole requests.
    pub bytes: u64,
    pub first_at: Option<String>,
    pub last_at: Option<String>,
    /// The time between the two, in milliseconds.
    pub span_ms: u64,
    /// The event and the record's id of the first that came again, as they stand in the body.
    pub first_duplicated: Option<String>,
    pub kinds: Vec<WrongEntry>,
    pub webhooks: Vec<WebhookEntry>,
    /// The runs of loads that came, at most 64.
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

/// An arrival that was kept, cut short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleEntry {
    pub at: String,
    pub webhook: Option<String>,
    /// What is wrong exactly, where there is more to say.
    pub detail: String,
    pub request: String,
}

/// The account of one webhook. Its members are those of the whole.
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

/// What arrived of one run of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEntry {
    pub webhook: String,
    /// The digits of the run in its ids.
    pub run: String,
    /// How many different numbers came.
    pub distinct: u64,
    pub highest: u64,
    pub gaps: u64,
    /// The record id of the first one missing, where it is known.
    pub first_missing: Option<String>,
}
