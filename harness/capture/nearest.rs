//! Which form bytes begin like, and what is said of bytes in no known form.

use super::{Fault, Form, NotTaken, curl, messages, powershell};

/// How many lines of the beginning are looked at.
const LINES: usize = 400;

/// The form that bytes begin like. JSON is told apart later.
pub(super) fn begins_like(bytes: &[u8]) -> Form {
    let text = bytes.trim_ascii_start();
    if matches!(text.first(), Some(b'{' | b'[')) || text.starts_with(b"\"{") {
        return Form::Log;
    }
    let mut lines = text.split(|&byte| byte == b'\n').take(LINES).map(|line| line.trim_ascii());
    lines.find_map(|line| of_line(line, text)).unwrap_or(Form::RawHttp)
}

/// What a line shows; `None` for blank lines, comments and what may stand before a command.
fn of_line(line: &[u8], text: &[u8]) -> Option<Form> {
    let words = || line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let first = words().next()?;
    if super::verbose::is_trace(line) || line.starts_with(b"== Info:") {
        return Some(Form::CurlVerbose);
    }
    if first == b"*" || first == b">" && words().count() > 2 {
        return Some(Form::CurlVerbose);
    }
    if words().take(3).any(curl::is_curl) && !first.ends_with(b":") {
        return Some(curl_of(text));
    }
    let is_request = |word: &[u8]| std::str::from_utf8(word).is_ok_and(powershell::is_request);
    if words().any(is_request) {
        return Some(Form::PowerShell);
    }
    let call = memchr::memmem::find(line, b"fetch(");
    if call.is_some_and(|at| at == 0 || matches!(line[at - 1], b' ' | b'\t' | b'(')) {
        return Some(Form::Fetch);
    }
    let is_script = first.starts_with(b"$")
        || first.starts_with(b"#")
        || first.starts_with(b"//")
        || first.starts_with(b"-");
    // In a script the command stands further below.
    let is_in_string = first.starts_with(b"\"")
        || first.starts_with(b"{")
        || first.starts_with(b"}")
        || first.starts_with(b"@");
    let is_assignment = !first.contains(&b':') && line.contains(&b'=') && !first.starts_with(b"POST");
    (!is_script && !is_in_string && !is_assignment).then_some(Form::RawHttp)
}

/// The shell that a `curl` command is written for: how it continues lines, and whether its first quote is escaped.
fn curl_of(text: &[u8]) -> Form {
    let has = |what: &[u8]| memchr::memmem::find(text, what).is_some();
    let quote = memchr::memchr2(b'"', b'\'', text);
    let is_escaped = quote.is_some_and(|at| text[..at].ends_with(b"^"));
    if is_escaped || has(b"^\n") || has(b"^\r\n") {
        Form::CurlCmd
    } else if has(b"`\n") || has(b"`\r\n") || text.starts_with(b"PS ") {
        Form::CurlPowerShell
    } else {
        Form::Curl
    }
}

/// Files that are no text, by their first bytes: what to do with them.
fn binary(bytes: &[u8]) -> Option<(&'static str, Option<Form>)> {
    let begins = |start: &[u8]| bytes.starts_with(start);
    if begins(b"\x1f\x8b") {
        Some((messages::is_compressed(), None))
    } else if begins(b"PK\x03\x04") {
        Some((messages::is_an_archive(), Some(Form::Har)))
    } else if [&b"\xd4\xc3\xb2\xa1"[..], b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a", b"\x4d\x3c\xb2\xa1"]
        .into_iter()
        .any(begins)
    {
        Some((messages::has_packets(), Some(Form::RawHttp)))
    } else if bytes.iter().take(4096).any(|&byte| byte == 0) {
        Some((messages::is_binary(), None))
    } else {
        None
    }
}

/// Whether a text is a command of another client than curl.
fn is_other_command(bytes: &[u8]) -> bool {
    let word = bytes.trim_ascii_start().split(u8::is_ascii_whitespace).next();
    word.is_some_and(|word| [&b"wget"[..], b"http", b"https", b"xh", b"httpie"].contains(&word))
}

/// What is said of bytes that are in no form. They were read as `form`, which failed with `fault`, or had no request.
pub(super) fn not_taken(bytes: &[u8], form: Form, fault: Option<&Fault>) -> NotTaken {
    if let Some((why, nearest)) = binary(bytes) {
        return NotTaken { why: why.to_owned(), nearest };
    }
    let has = |what: &[u8]| memchr::memmem::find(bytes, what).is_some();
    let nearest = if form != Form::RawHttp {
        Some(form)
    } else if has(b"insomnia.rest") {
        Some(Form::Insomnia)
    } else if has(b"\"entries\"") || has(b"\"postData\"") {
        Some(Form::Har)
    } else if has(b"curl ") || is_other_command(bytes) {
        Some(Form::Curl)
    } else if has(b"\"headers\"") || has(b"'headers'") {
        Some(Form::Log)
    } else if has(b": ") || has(b"HTTP/") {
        Some(Form::RawHttp)
    } else {
        None
    };
    let why = match fault {
        _ if nearest == Some(Form::Insomnia) => messages::insomnia_is_yaml().to_owned(),
        Some(fault) => messages::at_line(fault.line, &fault.why),
        None => messages::no_request_in(form.describe()),
    };
    NotTaken { why, nearest }
}
