//! Every sentence of the command line outside of help and `bench`: errors, notes and progress, in the order of the commands.
//! Long because: it is one list, which is read from top to bottom.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;

use crate::plural::counted;
use crate::suite::requirement::Role;
use crate::wire::exchange::Outcome;

pub(super) mod captures;
pub(super) mod ci;
pub(super) mod config;
pub(super) mod doctor;
pub(super) mod github;
pub(super) mod help;
pub(super) mod init;
pub(super) mod known;
pub(super) mod man;
pub(super) mod outputs;
pub(super) mod rejudge;
pub(super) mod replay;
pub(super) mod saved;
pub(super) mod sign;
pub(super) mod skills;
pub(super) mod twenty;
pub(super) mod vectors;

// Progress.

/// The line that is redrawn while a run goes on.
pub(super) const PROGRESS: &str = "{prefix}  {seconds} s · {requests} requests · {pos} of {len} · {wide_msg}";

/// The figures of a load while it runs. `left` is in seconds.
pub(super) fn live(rate: f64, (p50, p99): (f64, f64), errors: u64, left: Option<f64>) -> String {
    let left = left.map(|seconds| format!(" · {seconds:.0} s left")).unwrap_or_default();
    let errors = counted(usize::try_from(errors).unwrap_or(usize::MAX), "error", "errors");
    format!("{rate:.0}/s · p50 {p50:.3} ms · p99 {p99:.3} ms · {errors}{left}")
}

/// Above the charts of the rate and the p99, with their highest values.
pub(super) fn chart_titles(rate: f64, p99: f64) -> (String, String) {
    (format!("rate, at most {rate:.0}/s"), format!("p99, at most {p99:.3} ms"))
}

/// A group of requirements that were tried.
pub(super) fn group_tried(group: &str, count: usize) -> String {
    format!("  {group:<24} {} tried", counted(count, "requirement", "requirements"))
}

// Values of options.

pub(super) fn not_in_range(text: &str, least: usize, most: usize) -> String {
    format!("{text:?} is not a number from {least} to {most}")
}

pub(super) fn unknown_unit(unit: &str) -> String {
    format!("unknown unit {unit:?}; use ms, s or m")
}

pub(super) fn not_a_duration(text: &str) -> String {
    format!("{text:?} is not a duration; write 10s or 500ms")
}

pub(super) fn duration_out_of_range(text: &str) -> String {
    format!("{text:?} is not between 1 ms and one day")
}

pub(super) fn not_a_report_option() -> &'static str {
    "expected FORMAT=PATH, such as json=report.json"
}

pub(super) fn unknown_report_format(format: &str, formats: &[String]) -> String {
    format!("unknown report format {format:?}; use {}", alternatives(formats))
}

pub(super) fn empty_report_path() -> &'static str {
    "the path is empty; write FORMAT=PATH, or FORMAT=- for stdout"
}

pub(super) fn wrong_path(why: &str) -> String {
    format!("--path {why}")
}

pub(super) fn path_with_url() -> &'static str {
    "--path is for a receiver that --exec starts; put the path into the URL of --url"
}

/// `option` is about how a command is started.
pub(super) fn needs_exec(option: &str) -> String {
    format!("{option} is for a program that --exec starts; add --exec, or leave out {option}")
}

pub(super) fn not_a_folder(option: &str, path: &Path) -> String {
    format!("{option} {} is not a folder; name one that exists", path.display())
}

pub(super) fn not_an_assignment() -> &'static str {
    "expected NAME=VALUE, such as NODE_ENV=test"
}

/// Names as a list in a sentence: `text, json or junit`.
pub(super) fn alternatives(names: &[String]) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => "none".to_owned(),
    }
}

// The configuration file and the environment.

pub(super) fn line_too_long(most: usize) -> String {
    format!("stdin has a line longer than {} MiB", most >> 20)
}

pub(super) fn cannot_read(name: impl Display, why: impl Display) -> String {
    format!("cannot read {name}: {why}")
}

/// `nearest` is the known variable that is most like it.
pub(super) fn unknown_variable(name: &str, nearest: Option<&str>) -> String {
    let hint = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
    format!("warning: the variable {name} is not known{hint}")
}

// The secret.

/// What a secret is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretWord {
    /// That of a webhook.
    Secret,
    /// The key of an API.
    Key,
}

pub(super) fn secret_is_empty(what: SecretWord) -> &'static str {
    match what {
        SecretWord::Secret => "the secret is empty; give the secret that the webhook was registered with",
        SecretWord::Key => "the API key is empty; make one in Twenty's settings, under APIs & Webhooks",
    }
}

/// The value may be a secret, so it is not shown.
pub(super) fn variable_not_utf8(name: &str) -> String {
    format!("the variable {name} is not UTF-8; set it to text, or unset it")
}

/// `oddities` say what the secret, or the text of its file, has, each from a function below.
pub(super) fn secret_is_odd(file: Option<&Path>, oddities: &[&str], what: SecretWord) -> String {
    let place = file.map_or_else(|| "that is given".to_owned(), |file| format!("in {}", file.display()));
    let oddities = oddities.join(" and ");
    match what {
        SecretWord::Secret => format!(
            "warning: the secret {place} {oddities}, which is used as part of the secret; remove it if the webhook was registered \
             without it"
        ),
        SecretWord::Key => {
            format!(
                "warning: the API key {place} {oddities}, which is used as part of the key; write the key alone"
            )
        }
    }
}

pub(super) fn has_mark() -> &'static str {
    "begins with a byte order mark"
}

pub(super) fn has_comment() -> &'static str {
    "has a comment after it"
}

pub(super) fn has_escape() -> &'static str {
    "has a backslash and an n at its end instead of a line break"
}

pub(super) fn has_quotes() -> &'static str {
    "has quotes around it"
}

pub(super) fn has_name() -> &'static str {
    "begins with a name and an equals sign"
}

pub(super) fn has_line_breaks() -> &'static str {
    "has a line break in it or more than one at its end"
}

pub(super) fn has_carriage_return() -> &'static str {
    "has a carriage return"
}

pub(super) fn has_blanks() -> &'static str {
    "has a blank at an end"
}

pub(super) fn secret_is_missing() -> &'static str {
    "the secret is missing; give --secret, --secret-file or TWENTY_WEBHOOK_SECRET"
}

// Input.

pub(super) fn not_utf8(file: &Path, why: impl Display) -> String {
    format!("{} is not UTF-8: {why}", file.display())
}

pub(super) fn not_json(file: &Path, why: impl Display) -> String {
    format!("{} is not JSON: {why}", file.display())
}

// Endpoints.

pub(super) fn listening_on(url: &str) -> String {
    format!("listening on {url}")
}

pub(super) fn cannot_listen(address: SocketAddr, why: impl Display) -> String {
    format!("cannot listen on {address}: {why}; choose another --port or --host")
}

/// `full` is the URL as it is used.
pub(super) fn scheme_is_missing(url: &str, full: &str) -> String {
    format!("{url} has no scheme; {full} is used")
}

pub(super) fn server_stopped() -> &'static str {
    "the server stopped unexpectedly"
}

pub(super) fn certificate_is_not_verified(address: &str) -> String {
    format!("the certificate of {address} is not verified (--insecure)")
}

// Runs.

pub(super) fn runtime_not_started(why: impl Display) -> String {
    format!("cannot start the async runtime: {why}")
}

/// Files of patterns that have none. Without a pattern everything would run.
pub(super) fn no_patterns(files: &[String]) -> String {
    format!("--run {} has no pattern; add one, or leave out --run to run everything", files.join(" "))
}

pub(super) fn nothing_selected() -> &'static str {
    "nothing was selected to run; change --run, --skip or --level"
}

pub(super) fn evidence_is_incomplete() -> &'static str {
    "the evidence is incomplete; the notes in the report name what could not be written"
}

pub(super) fn json_not_written(why: impl Display) -> String {
    format!("cannot write the report as JSON: {why}")
}

// `demo`.

pub(super) const REFERENCE_PEERS: &str = "the reference sender and receiver";

// `receiver`.

pub(super) fn no_receiver() -> &'static str {
    "no receiver is given; use --url URL for a running receiver, or --exec 'COMMAND' to start one"
}

pub(super) fn trust_without_url() -> &'static str {
    "--ca and --insecure need --url with an https URL; a receiver started with --exec is reached over plain HTTP"
}

/// What an interruption left undone: `tested`, `sent` or `measured`.
pub(super) fn interrupted_before_ready(undone: &str) -> String {
    format!("interrupted before the receiver was ready; nothing was {undone}")
}

pub(super) fn running_again(time: &str, change: &str) -> String {
    format!("\n{time}: {change}; running again")
}

// `sender`.

pub(super) fn no_sender() -> &'static str {
    "no sender is given; use --exec 'COMMAND' to start one, --control URL for a running sender, --twenty URL for a Twenty, or \
     --transcript FILE for recorded deliveries"
}

pub(super) fn trust_without_control() -> &'static str {
    "--ca and --insecure need --control or --twenty with an https URL"
}

pub(super) fn secret_without_transcript() -> &'static str {
    "--secret and --secret-file need --transcript; a sender that runs gets secrets from the suite, one for each webhook"
}

pub(super) fn wrong_transcript(file: &Path, why: impl Display) -> String {
    format!("{}: {why}", file.display())
}

// `listen`.

pub(super) fn trust_without_forward() -> &'static str {
    "--ca and --insecure need --forward with an https URL"
}

pub(super) fn forwards_to_itself(url: &str, own: &str) -> String {
    format!("--forward {url} is this endpoint itself ({own}); give another URL, or another --port")
}

/// A request that `listen` forwarded has come back to it.
pub(super) fn forwards_in_a_loop(url: &str) -> String {
    format!(
        "a request that was forwarded to {url} came back and is answered 508; give another URL with --forward"
    )
}

/// The first delivery that cannot be saved.
pub(super) fn not_saved(why: &str) -> String {
    format!("deliveries that cannot be saved are answered 503: {why}")
}

/// Verdicts that could not be saved, after the summary.
pub(super) fn verdicts_not_saved(count: u64, why: &str) -> String {
    format!("{} not saved: {why}", counted(count, "verdict is", "verdicts are"))
}

/// Deliveries that were not judged before the end.
pub(super) fn not_judged(count: u64, out: Option<&Path>) -> String {
    let count = counted(count, "delivery was", "deliveries were");
    match out {
        Some(out) => format!(
            "{count} not judged before the end; judge what was saved with sender --transcript {}",
            out.join("deliveries.jsonl").display()
        ),
        None => format!("{count} not judged before the end"),
    }
}

pub(super) fn forward_not_resolved(url: &str, why: impl Display) -> String {
    format!("--forward {url}: cannot resolve the host: {why}")
}

// `serve sender`.

pub(super) fn hello_comes_first() -> &'static str {
    "send hello first, with a known dialect"
}

// `send`.

/// `outcome` is a status, or why there is no answer.
pub(super) fn sent(event: &str, url: &str, outcome: &Outcome, took_ms: f64) -> String {
    let word = if outcome.status().is_some() { "in" } else { "after" };
    format!("{event} to {url}: {outcome} {word} {took_ms:.1} ms\n")
}

/// A captured request in that sentence. `place` is its number and how many there are, if there are several.
pub(super) fn captured_request(method: &str, place: Option<(usize, usize)>, is_resigned: bool) -> String {
    let place = place.map(|(number, count)| format!(" {number} of {count}")).unwrap_or_default();
    let how = if is_resigned { "signed again" } else { "unchanged" };
    format!("captured {method}{place}, {how},")
}

pub(super) fn no_such_entry(entry: usize, count: usize) -> String {
    format!("--entry {entry} is not in the file, which has {}", counted(count, "request", "requests"))
}

pub(super) fn captured_elsewhere(url: &str) -> String {
    format!("the captured request went to {url}, which is not this machine; say with --url where to send it")
}

pub(super) fn captured_without_url(target: &str) -> String {
    format!("the captured request has no URL, only the path {target}; say with --url where to send it")
}

pub(super) fn captured_is_old() -> &'static str {
    "note: the captured timestamp is more than 5 minutes from now, which receivers reject; --resign signs the request again"
}

/// `cause` is a code with its detail.
pub(super) fn captured_is_not_whole(cause: impl Display) -> String {
    format!("note: what is sent is not what was captured on the wire: {cause}")
}

pub(super) fn captured_does_not_match() -> &'static str {
    "note: the captured signature does not match with this secret; `twenty-conform verify` tells why"
}

pub(super) fn no_sample(event: &str) -> String {
    format!("there is no sample of {event}; give a record with --data FILE")
}

// `verify`.

pub(super) fn signature_matches() -> &'static str {
    "the signature matches\n"
}

/// `lines` are the name and the text of each line of an explanation.
pub(super) fn signature_differs(expected: &str, captured: &str, lines: &[(&str, String)]) -> String {
    let lines: String = lines.iter().map(|(name, text)| format!("  {name:<8}  {text}\n")).collect();
    format!("the signature does not match\n  expected  {expected}\n  captured  {captured}\n{lines}")
}

/// `is_long` is whether the body is too long for some causes.
pub(super) fn no_known_cause(is_long: bool) -> &'static str {
    if is_long {
        "unknown: the body is too long to try every known cause"
    } else {
        "unknown: no known cause gives this signature"
    }
}

pub(super) fn check_the_secret() -> &'static str {
    "check that the secret is the right one"
}

/// `oddities` are what the secret has.
pub(super) fn secret_is_wrong(file: Option<&Path>, oddities: &[&str]) -> String {
    let place = file.map_or_else(|| "that is given".to_owned(), |file| format!("in {}", file.display()));
    format!("the secret {place} {}; without that, the signature matches", oddities.join(" and "))
}

/// The same if there is another cause, which is told too.
pub(super) fn secret_is_wrong_too(file: Option<&Path>, oddities: &[&str]) -> String {
    let place = file.map_or_else(|| "that is given".to_owned(), |file| format!("in {}", file.display()));
    format!("the secret {place} {}, and there is another cause", oddities.join(" and "))
}

pub(super) fn write_the_secret_alone(file: Option<&Path>) -> String {
    match file {
        Some(file) => {
            format!("write the secret alone into {}; one line break after it is ignored", file.display())
        }
        None => "give the secret alone, as the webhook was registered with it".to_owned(),
    }
}

/// After the fix of a sender that prints a body again.
pub(super) fn or_the_tool_printed_it() -> &'static str {
    "or, if a proxy or the tool that captured the request printed its body again, capture the raw bytes"
}

pub(super) fn not_one_header(name: &str, count: usize) -> String {
    format!("the captured request has {count} {name} headers; it needs exactly one")
}

// `explain`.

/// The heading of the fix for a program of this role, where the other's differs.
pub(super) fn fix_of(role: Role) -> String {
    format!("Fix of a {role}")
}

/// Where the page is on a cause in receivers that Twenty runs.
pub(super) fn in_applications(page: &str) -> String {
    format!("\nIn a Twenty application: {page}\n")
}

/// `nearest` are names like it.
pub(super) fn nothing_to_explain(what: &str, nearest: &[String]) -> String {
    let hint =
        if nearest.is_empty() { String::new() } else { format!("did you mean {}? ", alternatives(nearest)) };
    format!(
        "{what:?} is not a requirement, a check or a cause; {hint}`twenty-conform list` shows the requirements, \
         docs/requirements.md the causes"
    )
}

pub(super) fn needs_capability(role: Role, capability: &str) -> String {
    match role {
        Role::Receiver => "Applies only with --observe, which shows what the receiver processes.".to_owned(),
        Role::Sender => format!("Applies only to senders that declare the capability `{capability}`."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_adapt_to_their_arguments() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (said, expected) in [
            (alternatives(&names(&["text"])), "text"),
            (alternatives(&names(&["text", "json", "junit"])), "text, json or junit"),
            (
                unknown_report_format("xml", &names(&["text", "json"])),
                "unknown report format \"xml\"; use text or json",
            ),
            (
                signature_differs("aa", "bb", &[("cause", no_known_cause(false).to_owned())]),
                "the signature does not match\n  expected  aa\n  captured  bb\n  cause     unknown: no known cause gives \
                 this signature\n",
            ),
            (interrupted_before_ready("sent"), "interrupted before the receiver was ready; nothing was sent"),
            (sent("a.b", "u", &Outcome::Refused, 0.3), "a.b to u: connection refused after 0.3 ms\n"),
        ] {
            assert_eq!(said, expected);
        }
    }
}
