//! Why the signature of a captured request does not match: a fault of the capture, of the given secret, or of the sender.
//!
//! Invariant: a cause is named only if it reproduces the captured signature, or if the capture itself shows it.

use std::path::Path;

use super::{messages, secret_file};
use crate::api;
use crate::budget::SEARCHED_BODY;
use crate::redaction::Redaction;
use crate::report::CauseEntry;
use crate::suite::cause::capture::{Signed, explain, suspected};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::Role;
use crate::terminal::{clean, text};
use crate::webhook::signature::Secret;

/// Cause and fix that are told if nothing else is found.
type Otherwise = Option<(String, String)>;

/// The report of a mismatch. `file` is the one that the secret was read from.
pub(super) fn described(
    signed: &Signed<'_>,
    secret: &Secret,
    file: Option<&Path>,
    otherwise: Otherwise,
) -> String {
    let expected = api::sign(secret.expose(), signed.timestamp, signed.body);
    let lines = lines(signed, secret, file, otherwise);
    messages::signature_differs(&expected, &clean(&text(signed.signature)), &lines)
}

fn lines(
    signed: &Signed<'_>,
    secret: &Secret,
    file: Option<&Path>,
    otherwise: Otherwise,
) -> Vec<(&'static str, String)> {
    let meant = secret_file::meant(secret.expose());
    let matches = |secret: &str| api::verify(secret, signed.timestamp, signed.body, signed.signature).is_ok();
    if let Some((_, oddities)) = meant.iter().find(|(meant, _)| matches(meant)) {
        return vec![
            ("cause", messages::secret_is_wrong(file, oddities)),
            ("fix", messages::write_the_secret_alone(file)),
        ];
    }
    let given = explain(signed, secret.expose());
    if let Some(cause) = given.as_ref().filter(|cause| !is_evident(cause)) {
        return of_cause(cause, secret);
    }
    // What the capture shows by itself says nothing of the secret.
    for (meant, oddities) in &meant {
        if let Some(cause) = explain(signed, meant).filter(|cause| !is_evident(cause)) {
            let mut lines = vec![("secret", messages::secret_is_wrong_too(file, oddities))];
            lines.extend(of_cause(&cause, &Secret::new(meant.as_str())));
            return lines;
        }
    }
    match given {
        Some(cause) => of_cause(&cause, secret),
        None => match otherwise {
            Some((cause, fix)) => vec![("cause", cause), ("fix", fix)],
            None => unknown(signed),
        },
    }
}

fn unknown(signed: &Signed<'_>) -> Vec<(&'static str, String)> {
    let is_long = signed.body.len() > SEARCHED_BODY;
    let mut lines = vec![
        ("cause", messages::no_known_cause(is_long).to_owned()),
        ("fix", messages::check_the_secret().to_owned()),
    ];
    lines.extend(suspected(signed).map(|cause| ("perhaps", entry(&cause, None).to_string())));
    lines
}

fn of_cause(cause: &Cause, secret: &Secret) -> Vec<(&'static str, String)> {
    let entry = entry(cause, Some(secret));
    let mut lines = vec![("cause", entry.to_string()), ("fix", entry.fix.to_string())];
    if matches!(cause.code, Code::MessageReserialised | Code::MessageMembersDropped) {
        lines.push(("", messages::or_the_tool_printed_it().to_owned()));
    }
    lines.extend(entry.or.into_iter().map(|other| ("or", other)));
    lines
}

fn entry(cause: &Cause, secret: Option<&Secret>) -> CauseEntry {
    CauseEntry::new(cause, Role::Sender, &Redaction::new(secret))
}

/// Whether the capture shows the cause without a signature.
fn is_evident(cause: &Cause) -> bool {
    matches!(cause.code, Code::CaptureBodyMissing | Code::CaptureCut)
}
