//! What has arrived: right, wrong, doubled, out of order, missing.

pub mod accounts;
pub mod ledger;
