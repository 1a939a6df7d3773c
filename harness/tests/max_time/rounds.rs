//! Generated cases come in rounds, as many as fit the time.

use std::time::Duration;

use super::{generated, hostile, within};

#[test]
fn as_many_generated_cases_are_tried_as_fit_the_time() {
    let Some(command) = hostile("slow_receiver.py", "--delay 0.04") else { return };
    let options = ["--max-time", "2500ms", "--cases", "1000", "--run", "VER-1,RCV-3"];
    let (ran, report) = within(Duration::from_millis(2500), "receiver", &command, &options);
    let ran = ran.expect(0);
    let (tried, of) = generated(&ran).unwrap_or_else(|| panic!("{ran:#?}"));
    assert!((4..500).contains(&tried) && of == 1000, "{ran:#?}");
    assert_eq!(report.with("pass").len(), 2, "enough were tried: {report:#?}");
    assert!(ran.stdout.contains("were tried in 2.5 s; raise --max-time"), "{ran:#?}");
}

#[test]
fn requirement_with_too_few_generated_cases_is_inconclusive() {
    let Some(command) = hostile("slow_receiver.py", "--delay 0.3 --one-at-a-time") else { return };
    let options = ["--max-time", "4s", "--jobs", "1", "--run", "RCV-3,RCV-4"];
    let (ran, report) = within(Duration::from_secs(4), "receiver", &command, &options);
    let ran = ran.expect(3);
    assert!(report.message("RCV-3").starts_with("out of time: "), "{ran:#?}");
    assert!(report.with("pass").contains("RCV-4"), "it has fixed cases only: {ran:#?}");
}

#[test]
fn quick_receiver_gets_all_generated_cases() {
    let Some(command) = hostile("slow_receiver.py", "") else { return };
    let options = ["--cases", "70", "--run", "VER-1,RCV-3", "--max-time", "60s"];
    let (ran, report) = within(Duration::from_secs(30), "receiver", &command, &options);
    let ran = ran.expect(0);
    assert_eq!(generated(&ran), None);
    // 3 fixed cases and those of one property.
    assert_eq!(report.check("RCV-3")["cases"], 73, "{ran:#?}");
}
