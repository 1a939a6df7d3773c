//! What a load on a sender says: errors, findings and the notes of its report.

use std::fmt::Display;

use crate::plural::counted;

// Errors.

pub(super) fn no_port(why: &impl Display) -> String {
    format!("cannot open a port for the webhooks: {why}")
}

pub(super) fn task_panicked(why: &impl Display) -> String {
    format!("a task of the load panicked: {why}")
}

pub(super) fn task_outlived() -> &'static str {
    "a task of the load did not end"
}

// Findings, each followed by its first example. Those about one delivery are in `DeliveryFailure` and `Defect`.

pub(super) fn nothing_arrived(path: &str) -> String {
    format!("nothing arrived at {path}")
}

pub(super) fn duplicated() -> &'static str {
    "the sender sent an acknowledged delivery again"
}

pub(super) fn arrived_again(path: &str) -> String {
    format!("the delivery arrived more than once at {path} and was answered 204 each time")
}

// Notes.

pub(super) fn interrupted(seconds: f64) -> String {
    format!("interrupted after {seconds:.1} s")
}

pub(super) fn sender_stopped(seconds: f64, why: &impl Display) -> String {
    format!("the sender stopped answering requests after {seconds:.1} s: {why}")
}

pub(super) fn out_of_order(count: u64) -> String {
    format!("{} after a later event; Twenty promises no order", arrived(count))
}

pub(super) fn late(count: u64, timeout_s: f64) -> String {
    format!("{} after the timeout of {timeout_s:.1} s", arrived(count))
}

pub(super) fn unknown_ids(count: u64) -> String {
    let deliveries = counted(count, "verified delivery has", "verified deliveries have");
    format!(
        "{deliveries} a record id that was not requested; check that the sender does not change record ids"
    )
}

pub(super) fn nothing_measured() -> &'static str {
    "no delivery ended in the measured time"
}

pub(super) fn generator_late(rate: f64, mean_ms: f64, most_ms: f64) -> String {
    format!(
        "the load generator did not keep up with {rate} events per second: it requested them {mean_ms:.1} ms late on average \
         and {most_ms:.1} ms at most; latencies include this"
    )
}

fn arrived(count: u64) -> String {
    counted(count, "delivery arrived", "deliveries arrived")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_deliveries() {
        assert_eq!(out_of_order(1), "1 delivery arrived after a later event; Twenty promises no order");
        assert_eq!(late(3, 5.0), "3 deliveries arrived after the timeout of 5.0 s");
        assert!(unknown_ids(1).starts_with("1 verified delivery has a record id"));
    }
}
