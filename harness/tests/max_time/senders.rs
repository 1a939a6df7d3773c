//! Senders that reply or deliver late, or never.

use std::time::Duration;

use super::{generated, hostile, within};
use crate::cli::program::run;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn sender_that_replies_late_is_judged_as_far_as_the_time_allows() {
    let Some(command) = hostile("slow_sender.py", "--reply 0.3") else { return };
    let options = ["--max-time", "9s", "--timeout", "2s"];
    let (ran, report) = within(11 * SECOND, "sender", &command, &options);
    let ran = ran.expect(3);
    assert!(report.with("pass").contains("SUB-1"), "{ran:#?}");
    ran.says(&["out of time: not all of its cases were tried in 9 s; raise --max-time"]);
    assert!(report.with("fail").is_empty() && report.with("error").is_empty(), "{ran:#?}");
}

/// 16 events at once would make a sender with one reply after another miss the timeout.
#[test]
fn bursts_fit_the_time_of_a_reply() {
    let Some(command) = hostile("slow_sender.py", "--reply 0.2") else { return };
    let options = ["--timeout", "2s", "--cases", "4", "--run", "PAY-2", "--max-time", "60s"];
    let (ran, report) = within(50 * SECOND, "sender", &command, &options);
    let ran = ran.expect(0);
    assert!(report.with("pass").contains("PAY-2"), "{ran:#?}");
    assert_eq!(generated(&ran), None);
}

#[test]
fn late_deliveries_are_told_in_time() {
    let Some(command) = hostile("slow_sender.py", "--deliver 0.8") else { return };
    // Twice the deadline is waited for: the delivery is late, and well within the wait.
    let options = ["--max-time", "2s", "--timeout", "2s", "--deadline", "700ms", "--run", "DLV-6"];
    let (ran, report) = within(4 * SECOND, "sender", &command, &options);
    let ran = ran.expect(1);
    assert!(report.with("fail").contains("DLV-6"), "{ran:#?}");
}

#[test]
fn sender_that_stops_replying_ends_the_run() {
    let Some(command) = hostile("slow_sender.py", "--mute 5") else { return };
    let (ran, _) = within(4 * SECOND, "sender", &command, &["--max-time", "2s", "--timeout", "2s"]);
    ran.expect(70).says(&["did not reply"]);
}

#[test]
fn demo_ends_in_time_too() {
    run(["demo", "--max-time", "300ms"]).expect(3).says(&["out of time: not all of its cases were tried"]);
}
