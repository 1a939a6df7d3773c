//! The limits of runs on mutants, and how late those are.

use std::time::Duration;

use twenty_conform::suite::transcript::Limits;

/// Every wait of these limits this many times as long.
pub(super) fn longer(limits: Limits, times: u32) -> Limits {
    Limits {
        deadline: limits.deadline * times,
        timeout: limits.timeout * times,
        prompt: limits.prompt * times,
        quick: limits.quick * times,
        ..limits
    }
}

/// Limits that are short, but long enough for a busy machine.
pub(super) fn short() -> Limits {
    Limits {
        deadline: Duration::from_millis(2500),
        prompt: Duration::from_millis(1500),
        quick: Duration::from_millis(1500),
        timeout: Duration::from_secs(8),
        ..Limits::default()
    }
}

/// The same with a longer timeout: many receivers read bodies of 16 MiB at the same time.
pub(super) fn patient() -> Limits {
    Limits { timeout: Duration::from_secs(30), ..short() }
}

/// How late the late senders and receivers are, respectively.
pub(super) const LATE_DELIVERY: Duration = Duration::from_millis(2700);
pub(super) const LATE: Duration = Duration::from_millis(1900);
/// How long senders wait for an answer: all of them have an endpoint that never answers.
pub(super) const MUTANT_WAIT: Duration = Duration::from_secs(3);
