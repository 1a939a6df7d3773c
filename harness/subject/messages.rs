//! Every sentence that this folder says to users: starting a program, talking to a sender, what a receiver observed, watching files.

use std::fmt::Display;
use std::path::Path;

use super::launch::Launch;

// Starting a program.

pub(super) fn not_a_command(command: &str) -> String {
    if command.trim().is_empty() {
        return format!("the command {command:?} is empty");
    }
    format!("the command {command:?} cannot be split into words; check its quotes")
}

pub(super) fn cannot_start(program: &str, why: impl Display) -> String {
    format!("cannot start the command {program:?}: {why}")
}

pub(super) fn check_its_path() -> &'static str {
    "check its path, or put shell syntax into sh -c '…'"
}

pub(super) fn name_its_interpreter() -> &'static str {
    "make it executable, or begin with its interpreter, as in 'python3 app.py'"
}

/// How a process ended. `output_end` is from [`last_lines`].
pub(super) fn ended(command: &str, status: impl Display, output_end: &str) -> String {
    format!("the command `{command}` ended with {status}{output_end}")
}

/// The end of a message: the last lines of a stream, such as stderr. Empty if there are no lines.
pub(super) fn last_lines(stream: &str, lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        lines => format!("; the end of its {stream}:\n    {}", lines.join("\n    ")),
    }
}

pub(crate) fn no_free_port(why: impl Display) -> String {
    format!("cannot find a free port: {why}")
}

/// `status` is that of the process, such as `exit status: 1`.
pub(super) fn receiver_ended_at_start(port: u16, status: &str) -> String {
    format!("the receiver ended before it listened on port {port} ({status})")
}

/// How to see more of a receiver that does not start; `None` if its command cannot be written.
pub(super) fn start_it_yourself(launch: &Launch, port: u16) -> Option<String> {
    // The command is split into words as in a shell, but no shell runs it.
    launch.by_hand(port).map(|again| format!("start it yourself: {again}"))
}

/// Nothing replaces a variable in the command; `None` if there is none.
pub(super) fn not_replaced(launch: &Launch) -> Option<String> {
    let name = launch.unreplaced()?;
    let place = if name.contains("PORT") { "{port}" } else { "{secret}" };
    Some(format!(
        "no shell runs the command, so the program got the text {name} itself: write {place} instead, or put the command into \
         sh -c '…'"
    ))
}

/// What the last lines of a program's output ask for, if that is known.
pub(super) fn hint(lines: &[String], launch: &Launch) -> Option<String> {
    let says = |texts: &[&str]| lines.iter().any(|line| texts.iter().any(|text| line.contains(text)));
    if says(&["EADDRINUSE", "ddress already in use", "Only one usage of each socket address"]) {
        let hint = "its port is in use: have it read the port from the variable PORT, or end the program that has it";
        return Some(hint.to_owned());
    }
    let is_missing = [
        "Cannot find module '",
        "can't open file",
        "Could not open input file",
        "Unable to access jarfile",
        "cannot open",
    ];
    let names = |line: &str| launch.names().iter().any(|name| line.contains(name.as_str()));
    if lines.iter().any(|line| names(line) && is_missing.iter().any(|text| line.contains(text))) {
        let place =
            launch.folder().map_or_else(|| "the current folder".to_owned(), |one| one.display().to_string());
        return Some(format!("check the path: the command runs in {place}; --cwd DIR runs it in another"));
    }
    if says(&["Cannot find package", "ModuleNotFoundError", "Cannot find module"]) {
        let hint = "install the package, or name the interpreter that has it, such as .venv/bin/python";
        return Some(hint.to_owned());
    }
    None
}

pub(super) fn port_is_taken(port: u16) -> String {
    format!(
        "port {port} of --port is in use; end the program that listens there, or leave out --port for a free one"
    )
}

/// A receiver that listened, and ended under a load before its first answer.
pub(super) fn receiver_ended_unanswered(status: &str) -> String {
    format!("the receiver ended before it answered anything ({status})")
}

/// A receiver that listened, and then ended without a request.
pub(super) fn receiver_ended_by_itself(status: &str) -> String {
    format!("the receiver ended by itself, without a request ({status})")
}

pub(super) fn receiver_never_listened(port: u16, seconds: f64) -> String {
    format!("the receiver did not listen on port {port} of this machine within {seconds} s")
}

/// What to do about a receiver that never listened.
pub(super) fn ask_for_port(launch: &Launch) -> Vec<String> {
    let command = launch.command();
    vec![
        format!(
            "does `{command}` read the port from the variable PORT? If it takes an argument, write {{port}} in its place; if its \
             port is fixed, name it with --port"
        ),
        "if it needs more time, use --ready-timeout or --max-time".to_owned(),
    ]
}

/// A receiver that listens, but not on the port that it was given.
pub(super) fn receiver_listens_elsewhere(port: u16, others: &[u16]) -> String {
    let others: Vec<String> = others.iter().map(u16::to_string).collect();
    let (name, others) = (if others.len() == 1 { "port" } else { "ports" }, others.join(", "));
    format!("the receiver listens on {name} {others}, not on {port} as the variable PORT says")
}

/// What to do about a receiver that listens on these ports instead.
pub(super) fn name_its_port(others: &[u16]) -> Vec<String> {
    let port = others.first().map_or_else(|| "N".to_owned(), u16::to_string);
    vec![format!(
        "have it read the port from the variable PORT, or write {{port}} where the command names it, or add --port {port}"
    )]
}

pub(super) fn receiver_not_restarted(why: impl Display) -> String {
    format!("the receiver ended, and could not be restarted: {why}")
}

// A receiver that runs already.

pub(super) fn no_connection_within(seconds: u64) -> String {
    format!("no connection within {seconds} s")
}

pub(super) fn receiver_unreachable(url: &str, why: impl Display) -> String {
    format!("the receiver at {url} cannot be reached: {why}")
}

/// What to do where a connection to the host is not even tried.
pub(super) fn check_the_host() -> String {
    "check the host in --url".to_owned()
}

/// What to do where nothing listens.
pub(super) fn start_it_first(address: &str) -> String {
    format!(
        "check that it listens on {address}: start it first, or let the suite start it with --exec 'COMMAND' instead of --url"
    )
}

// What a receiver observed.

pub(super) fn stdout_of_other_receiver() -> String {
    "--observe stdout needs a receiver started with --exec; for one that runs already, use --observe URL"
        .to_owned()
}

pub(super) fn no_observations(url: &str, why: &str) -> String {
    format!(
        "{url}, the address of --observe, must answer with a JSON array such as \
         [{{\"event\":\"person.created\",\"id\":\"abc12345\"}}]: {why}"
    )
}

pub(super) fn observe_answered(outcome: impl Display) -> String {
    format!("the answer was {outcome}")
}

pub(super) fn observe_answer_too_long(most: usize) -> String {
    format!("the answer is longer than {} MiB", most >> 20)
}

pub(super) fn invalid_observations(why: impl Display, quoted: &str) -> String {
    format!("{why}; the answer begins with {quoted}")
}

// What is wrong with a line of a sender.

pub(super) fn not_json(why: impl Display) -> String {
    format!("not JSON: {why}")
}

pub(super) fn no_numeric_id() -> String {
    "it has no numeric `id`".to_owned()
}

pub(super) fn no_result() -> String {
    "it has none of `ok`, `error` and `unsupported`".to_owned()
}

pub(super) fn reply_too_long(most: usize) -> String {
    format!("it is longer than {most} bytes")
}

pub(super) fn reply_to_other_request(request: u64) -> String {
    format!("it is the reply to request {request}")
}

// Findings about a sender's replies.

pub(super) fn invalid_line(quoted: &str, why: &str) -> String {
    format!(
        "the sender wrote {quoted} to stdout, which is not a reply ({why}); write logs to stderr, stdout is for replies \
         only"
    )
}

/// A line that does not even begin as a reply does.
pub(super) fn log_line(quoted: &str) -> String {
    format!(
        "the sender wrote {quoted} to stdout, which is for replies only; write logs to stderr (console.error in Node, \
         file=sys.stderr in Python)"
    )
}

pub(super) fn second_reply(request: u64, quoted: &str) -> String {
    format!("the sender replied to request {request} a second time: {quoted}")
}

pub(super) fn unasked_reply(request: u64, quoted: &str) -> String {
    format!("the sender replied to request {request}, which was never sent: {quoted}")
}

pub(super) fn endless_line(most: usize, quoted: &str) -> String {
    format!("the sender wrote a line longer than {most} bytes to stdout; it begins with {quoted}")
}

pub(super) fn no_reply_in_time(op: &str, request: u64, seconds: f64, stderr_end: &str) -> String {
    format!("the sender did not reply to `{op}` (request {request}) within {seconds} s{stderr_end}")
}

/// `end` says how the process ended, from [`ended`].
/// The same before its first reply.
pub(super) fn sender_ended_at_start(status: &str) -> String {
    format!("no reply to `hello`: the sender ended ({status})")
}

pub(super) fn start_sender_yourself(launch: &Launch) -> String {
    format!("start it yourself: {}", launch.command())
}

pub(super) fn sender_ended(op: &str, end: impl Display) -> String {
    format!("no reply to `{op}`: {end}")
}

pub(super) fn stdout_closed(op: &str, stderr_end: &str) -> String {
    format!("no reply to `{op}`: the sender closed its stdout, but it still runs{stderr_end}")
}

pub(super) fn invalid_answer(op: &str, why: impl Display, quoted: &str) -> String {
    format!("the sender's reply to `{op}` is invalid: {why}; it was {quoted}")
}

pub(super) fn no_webhook_name(quoted: &str) -> String {
    format!("the sender's reply to `create_webhook` has no string `webhook`; it was {quoted}")
}

pub(super) fn answered_with_error(op: &str, message: &str) -> String {
    format!("the sender answered `{op}` with an error: {message:?}")
}

pub(super) fn unsupported(op: &str, reason: &str) -> String {
    format!("the sender does not support `{op}`: {reason:?}")
}

// A sender at a URL.

pub(super) fn invalid_reply(
    url: &str,
    op: &str,
    request: u64,
    (status, quoted): (u16, &str),
    why: &str,
) -> String {
    format!(
        "the sender at {url} answered `{op}` (request {request}) with {status} and {quoted}, which is not a valid reply: {why}"
    )
}

pub(super) fn stopped_listening(url: &str, op: &str) -> String {
    format!("no reply to `{op}`: the sender stopped listening at {url}")
}

pub(super) fn no_reply_from_in_time(url: &str, op: &str, seconds: f64) -> String {
    format!("the sender at {url} did not reply to `{op}` within {seconds} s")
}

pub(super) fn no_reply_from(url: &str, op: &str, outcome: impl Display) -> String {
    format!("the sender at {url} did not reply to `{op}`: {outcome}")
}

pub(super) fn sender_unreachable(url: &str, outcome: impl Display) -> String {
    format!(
        "the sender at {url} cannot be reached: {outcome}; check that it is running and that this is its control URL"
    )
}

// Replies of the reference sender to invalid requests.

pub(super) fn invalid_request(why: impl Display) -> String {
    format!("invalid request: {why}")
}

pub(super) fn must_be_string(member: &str) -> String {
    format!("`{member}` must be a string")
}

pub(super) fn must_be_strings(member: &str) -> String {
    format!("`{member}` must be a list of strings")
}

pub(super) fn missing_member(member: &str) -> String {
    format!("`{member}` is missing")
}

pub(super) fn unknown_operation(name: &str) -> String {
    format!("unknown operation {name:?}")
}

// Watching files.

pub(super) fn cannot_watch(path: &Path, why: impl Display) -> String {
    format!("cannot watch {} (--watch): {why}", path.display())
}

pub(super) fn too_many_files(most: usize) -> String {
    format!("it contains more than {most} files; choose a smaller folder")
}

/// `first` of `count` files changed.
pub(super) fn changed(first: &str, count: usize) -> String {
    match count {
        0 | 1 => format!("{first} changed"),
        more => format!("{first} and {} more changed", more - 1),
    }
}

/// `changed` says what changed, from the function of this name.
pub(super) fn changes_in_every_run(changed: &str) -> String {
    format!("{changed} during each of the last runs; such changes no longer start a run")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_adapt_to_their_arguments() {
        for (said, expected) in [
            (not_a_command(""), "the command \"\" is empty"),
            (not_a_command("'a"), "the command \"'a\" cannot be split into words; check its quotes"),
            (
                cannot_start("cd", "No such file or directory (os error 2)"),
                "cannot start the command \"cd\": No such file or directory (os error 2)",
            ),
            (
                receiver_listens_elsewhere(1, &[3000]),
                "the receiver listens on port 3000, not on 1 as the variable PORT says",
            ),
            (
                receiver_listens_elsewhere(1, &[2, 3]),
                "the receiver listens on ports 2, 3, not on 1 as the variable PORT says",
            ),
            (
                ended("true", "exit status: 0", &last_lines("stdout", &[])),
                "the command `true` ended with exit status: 0",
            ),
            (
                ended("x", "exit status: 1", &last_lines("stderr", &["one".to_owned(), "two".to_owned()])),
                "the command `x` ended with exit status: 1; the end of its stderr:\n    one\n    two",
            ),
            (changed("a", 1), "a changed"),
            (changed("a", 3), "a and 2 more changed"),
        ] {
            assert_eq!(said, expected);
        }
    }
}
