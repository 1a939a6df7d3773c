//! Combines many verdicts into one.

use crate::suite::messages;
use crate::suite::requirement::Verdict;

/// The worst of many verdicts: failure, then inconclusive, then pass. `nothing` is the reason if there are none.
pub(crate) fn of_all(verdicts: impl Iterator<Item = Verdict>, nothing: &str, things: &str) -> Verdict {
    let (mut failed, mut unclear, mut not_applicable, mut passed) = (Vec::new(), None, None, 0_usize);
    let mut count = 0_usize;
    for verdict in verdicts {
        count += 1;
        match verdict {
            Verdict::Pass => passed += 1,
            Verdict::Fail(evidence) => failed.push(*evidence),
            Verdict::Inconclusive(reason) => unclear = unclear.or(Some(reason)),
            Verdict::NotApplicable(reason) => not_applicable = not_applicable.or(Some(reason)),
        }
    }
    let number = failed.len();
    if let Some(mut evidence) = failed.into_iter().reduce(|mut first, other| {
        first.exchanges.extend(other.exchanges);
        first
    }) {
        evidence.message = messages::first_of(&evidence.message, number, count, things);
        return evidence.fail();
    }
    match (unclear, not_applicable) {
        (Some(reason), _) => Verdict::Inconclusive(reason),
        (None, Some(reason)) if passed == 0 => Verdict::NotApplicable(reason),
        (None, _) if passed == 0 => Verdict::Inconclusive(nothing.to_owned()),
        _ => Verdict::Pass,
    }
}
