//! Text reports about mutants are short, and say early what to change.

use anstream::adapter::strip_str;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::report::text::{Detail, WIDTH, render};
use twenty_conform::report::{FindingEntry, Heading, Report};
use twenty_conform::suite::requirement::{Level, Role};
use twenty_conform::suite::run::Run;

use super::run_receiver_mutant;
use crate::goldens::masked;
use crate::snapshot::assert_snapshot;

/// What a report for agents has at most, for each finding.
const MOST_LINES: usize = 20;
const MOST_BYTES: usize = 1500;

/// Widths of terminals.
const WIDTHS: [usize; 5] = [40, 60, 80, WIDTH, 120];

/// How many lines of a report say what to change.
const FIRST: usize = 12;

/// The report as the command line makes it.
pub(crate) fn report(run: &Run) -> Report {
    let attached = match run.transcript.role {
        Role::Receiver => "receiver --exec 'node server.mjs' --path /webhooks/twenty",
        Role::Sender => "sender --exec 'node sender.mjs'",
    };
    let heading = Heading {
        subject: "node server.mjs".to_owned(),
        seed: 18_446_744_073_709_551_615,
        attached: Some(attached.to_owned()),
        fail_on: Level::Must,
        required: Vec::new(),
        out: None,
    };
    Report::new(run, &heading)
}

/// Reports on a receiver that signs otherwise, and on one with several faults.
#[tokio::test(flavor = "multi_thread")]
async fn reports_on_mutants() {
    for (name, fault) in [
        ("receiver-body-alone", ReceiverFault::VerifiesBodyAlone),
        ("receiver-several-findings", ReceiverFault::AcceptsMissingSignature),
    ] {
        let run = run_receiver_mutant(fault, 1).await;
        assert_eq!(too_long(name, &run), "");
        let report = report(&run);
        for (form, detail) in
            [("text", Detail::Normal), ("short", Detail::Quiet), ("verbose", Detail::Verbose)]
        {
            let text = strip_str(&render(&report, detail, WIDTH)).to_string();
            assert_snapshot(&format!("reports/{name}.{form}"), &masked(&text));
        }
    }
}

/// Whether a line is copied or searched for: a command, code, or the last one.
fn stays_whole(report: &Report, line: &str) -> bool {
    let code = |finding: &FindingEntry| finding.code_line.as_ref().is_some_and(|code| line.trim() == code);
    let starts = ["again ", "more ", "RESULT: "];
    starts.iter().any(|start| line.trim_start().starts_with(start)) || report.findings.iter().any(code)
}

/// What is wrong with the length of the reports of a run; empty if nothing is.
pub(crate) fn too_long(name: &str, run: &Run) -> String {
    let report = report(run);
    let findings = report.findings.len().max(1);
    let mut wrong = String::new();
    let short = strip_str(&render(&report, Detail::Quiet, WIDTH)).to_string();
    if short.lines().count() > MOST_LINES * findings || short.len() > MOST_BYTES * findings {
        wrong += &format!("{name}: {} bytes for {findings} findings:\n{short}\n", short.len());
    }
    for width in WIDTHS {
        let text = strip_str(&render(&report, Detail::Normal, width)).to_string();
        // A word that is as long as a line cannot be broken.
        let breaks = |line: &str| line.split_whitespace().all(|word| word.chars().count() < width / 2);
        let longer =
            |line: &&str| line.chars().count() > width && breaks(line) && !stays_whole(&report, line);
        // What follows the first line is wrapped.
        for line in text.lines().skip(1).filter(longer) {
            wrong += &format!("{name}: wider than {width}: {line}\n");
        }
    }
    let text = strip_str(&render(&report, Detail::Normal, WIDTH)).to_string();
    if let [finding] = &report.findings[..]
        && let Some(fix) = &finding.fix
    {
        let first: Vec<&str> = text.lines().take(FIRST).flat_map(str::split_whitespace).collect();
        let fix = fix.split_whitespace().collect::<Vec<_>>().join(" ");
        if !first.join(" ").contains(&fix) {
            wrong += &format!("{name}: not in the first {FIRST} lines: {fix}\n{text}\n");
        }
    }
    wrong
}
