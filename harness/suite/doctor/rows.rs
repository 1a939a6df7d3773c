//! The rows of a visit, in the order in which a request passes what they are about.

use super::visit::Surroundings;
use super::{Findings, Row, between, clock, forms, reached, routed, sizes};

/// Judges what was seen.
pub fn of(seen: &Surroundings) -> Findings {
    let mut rows: Vec<Row> = reached::rows(seen);
    if !seen.sent.is_empty() {
        rows.extend(routed::row(seen));
        rows.extend(between::row(seen));
        rows.extend(forms::rows(seen));
        rows.extend(sizes::row(seen));
        rows.extend(clock::row(seen));
    }
    Findings { subject: seen.target.url(), rows, requests: seen.sent.len(), cut: seen.cut }
}
