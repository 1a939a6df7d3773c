//! What takes much longer in the new run.
//!
//! Only large differences are named, since other programs on the machine change times, too.

use std::borrow::Cow;

use serde::Serialize;

use super::entries::entries;
use crate::report::{CheckEntry, Report};

/// How many times as long something must take.
const FACTOR: f64 = 3.0;
/// How much longer each case of a check must take on average, in microseconds.
const PER_CASE_US: f64 = 5_000.0;
/// How much longer the whole run must take, without its deliberate waits, in microseconds.
const WHOLE_US: f64 = 2_000_000.0;

/// From when on something is named: how many times as long it takes, and how many milliseconds more each case and a run take.
pub(super) fn bounds() -> (f64, f64, f64) {
    (FACTOR, PER_CASE_US / 1000.0, WHOLE_US / 1000.0)
}

/// Something that takes much longer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Slower {
    /// The requirement; `None` for the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'static, str>>,
    /// Microseconds for each case, or for the whole run without its deliberate waits.
    pub(super) old_us: f64,
    pub(super) new_us: f64,
}

impl Slower {
    fn of(id: Option<&Cow<'static, str>>, (old_us, new_us): (f64, f64), least: f64) -> Option<Self> {
        let is_slower = new_us >= old_us * FACTOR && new_us - old_us >= least;
        is_slower.then(|| Self { id: id.cloned(), old_us, new_us })
    }
}

pub(super) fn slower(old: &Report, new: &Report) -> Vec<Slower> {
    let is_same = old.requirements.iter().map(|one| &one.id).eq(new.requirements.iter().map(|one| &one.id));
    let is_whole = |report: &Report| !report.interrupted && !report.unreached;
    let times = (active_us(old), active_us(new));
    let is_comparable = is_same && is_whole(old) && is_whole(new);
    let whole = Slower::of(None, times, WHOLE_US).filter(|_| is_comparable);
    let checks = entries(new).filter_map(|(entry, check)| {
        let (_, before) = entries(old).find(|(other, _)| other.id == entry.id)?;
        Slower::of(Some(&entry.id), (per_case_us(before)?, per_case_us(check)?), PER_CASE_US)
    });
    whole.into_iter().chain(checks).collect()
}

/// `None` if nothing was measured.
#[expect(clippy::cast_precision_loss, reason = "no run has 2^53 cases or takes 2^53 µs")]
fn per_case_us(check: &CheckEntry) -> Option<f64> {
    (check.cases > 0 && check.duration_us > 0).then(|| check.duration_us as f64 / check.cases as f64)
}

#[expect(clippy::cast_precision_loss, reason = "no run takes 2^53 µs")]
fn active_us(report: &Report) -> f64 {
    report.duration_ms.saturating_sub(report.waited_ms) as f64 * 1000.0
}
