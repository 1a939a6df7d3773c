//! The requirements of a report together with their checks.

use crate::report::{CheckEntry, Report, RequirementEntry};

/// The requirements of a report with their checks.
pub(super) fn entries(report: &Report) -> impl Iterator<Item = (&RequirementEntry, &CheckEntry)> {
    report.requirements.iter().zip(&report.checks)
}
