//! The headings of options in help, in the order in which every command shows them.
//!
//! clap orders headings by the first option that has each, so options are declared in this order too.

pub(super) const ENDPOINT: &str = "Endpoint";
pub(super) const TARGET: &str = "Target";
pub(super) const SECRET: &str = "Secret";
pub(super) const TLS: &str = "TLS";
pub(super) const PAYLOAD: &str = "Payload";
pub(super) const SELECTION: &str = "Selection";
pub(super) const CASES: &str = "Generated cases";
pub(super) const LOAD: &str = "Load";
pub(super) const VERDICT: &str = "Verdict";
pub(super) const LIMITS: &str = "Limits";
pub(super) const COMPARISON: &str = "Comparison";
pub(super) const REPORTS: &str = "Reports";
pub(super) const OUTPUT: &str = "Output";
pub(super) const CONFIGURATION: &str = "Configuration";
