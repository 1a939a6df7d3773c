//! Some captures as transcripts, with the verdict of each requirement that they show.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use twenty_conform::suite::traffic;
use twenty_conform::suite::transcript::{Answers, ReadTranscript, Transcript, WrittenTranscript};
use twenty_conform::suite::verdict::VerdictName;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::exchange::Exchange;

use super::{captures, exchange, secret, selected, traffic as recorded};

/// One of each kind of event, of each kind of webhook, and one whose signature does not fit.
const CHOSEN: [&str; 14] = [
    "bad-signature-candidate.1021.pet.created",
    "company.created.apikey",
    "company.updated.user",
    "metadata.fieldMetadata.updated.user",
    "metadata.index.created.apikey",
    "metadata.objectMetadata.created.user",
    "metadata.view.deleted.apikey",
    "nosecret.person.created",
    "note.restored.user",
    "opportunity.destroyed.user",
    "person.created.user",
    "person.deleted.apikey",
    "rocket.updated.apikey",
    "task.created.apikey",
];

/// The secrets in a file, by which the deliveries were signed.
const NONE: &str = "";

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts");
    folder.join(format!("twenty-2.31.{name}.json"))
}

/// The verdicts on a transcript, by requirement. What traffic does not show is left out.
fn verdicts(transcript: &Transcript) -> BTreeMap<&'static str, String> {
    let findings = traffic::judge(transcript, &selected());
    let named = |finding: &twenty_conform::suite::run::Finding| {
        let verdict = VerdictName::from(&finding.judgement);
        let cause = finding.cause().map(|cause| format!(" ({cause})")).unwrap_or_default();
        let shown = verdict != VerdictName::NotApplicable;
        shown.then(|| (finding.requirement.id, format!("{}{cause}", verdict.as_str())))
    };
    findings.iter().filter_map(named).collect()
}

fn write(name: &str) {
    let transcript = recorded(secret(name)).transcript(vec![exchange(&captures()[name])]);
    let secret = secret(name).map_or(NONE.to_owned(), |secret| secret.expose().to_owned());
    let text = format!(
        "{{\"secret\":{},\n\"verdicts\":{},\n\"run\":{},\n\"lines\":[\n{}\n]}}\n",
        json!(secret),
        json!(verdicts(&transcript)),
        json!(WrittenTranscript::new(&transcript, 1)),
        json!(transcript.exchanges.after(0)[0]),
    );
    fs::write(path(name), text).unwrap();
}

#[test]
fn transcripts_of_twenty_are_judged_as_they_say() {
    for name in CHOSEN {
        if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
            write(name);
        }
        let mut file: Value = serde_json::from_str(&fs::read_to_string(path(name)).unwrap()).unwrap();
        let lines: Vec<Exchange> = serde_json::from_value(file["lines"].take()).unwrap();
        assert_eq!(lines, [exchange(&captures()[name])], "{name} is not the capture");
        let run: ReadTranscript = serde_json::from_value(file["run"].take()).unwrap();
        let secret = file["secret"].as_str().filter(|secret| *secret != NONE).map(Secret::new);
        let transcript = run.with(lines, Answers::default(), secret, &[]).unwrap();
        assert_eq!(json!(verdicts(&transcript)), file["verdicts"], "{name}");
    }
}
