//! White space that editors and tools change: line ends, line breaks at the end, indentation.

use std::borrow::Cow;

use super::{Tell, messages};
use crate::suite::cause::Code;
use crate::webhook::json::Json;
use crate::webhook::json::printer::Layout;
use crate::webhook::json::{DEEPEST, Text};
use crate::webhook::rewriting::{Rewriting, Space};
use crate::webhook::serialiser::Serialiser;

/// How much white space is removed byte by byte.
const MOST: usize = 8;

const CR_LF: &[u8] = b"\r\n";

/// White space more or less before and after the body.
pub(super) fn newline(body: &[u8], tell: Tell<'_>) -> bool {
    let code = Code::CaptureNewline;
    let end = body.trim_ascii_end().len();
    let start = body.len() - body.trim_ascii_start().len();
    let ends = (end..body.len()).rev().take(MOST).chain((body.len() - end > MOST).then_some(end));
    let starts = (1..=start).take(MOST).chain((start > MOST).then_some(start));
    let added = [&b"\n"[..], CR_LF, b" ", b"\t", b"\n\n", b"\r\n\r\n", b"\r"];
    ends.into_iter().all(|at| tell(code, messages::more_at_end(&body[at..]), body[..at].into()))
        && starts
            .into_iter()
            .filter(|_| end > 0)
            .all(|at| tell(code, messages::more_at_start(&body[..at]), body[at..].into()))
        && added.iter().all(|end| tell(code, messages::less_at_end(end), [body, end].concat().into()))
        && added[..2]
            .iter()
            .all(|start| tell(code, messages::less_at_start(start), [start, body].concat().into()))
}

/// Line ends of another kind.
pub(super) fn line_ends(body: &[u8], tell: Tell<'_>) -> bool {
    if !body.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return true;
    }
    let unix = replaced(body, CR_LF, b"\n");
    // CR CR LF is what a text file of Windows becomes if it is converted twice.
    let twice = replaced(body, b"\r\r\n", CR_LF);
    let forms: [(&str, &str, Cow<'_, [u8]>); 8] = [
        ("CR LF", "LF", unix.clone()),
        ("LF", "CR LF", replaced(&unix, b"\n", CR_LF).into_owned().into()),
        ("CR", "LF", replaced(&unix, b"\r", b"\n").into_owned().into()),
        ("CR", "CR LF", replaced(&unix, b"\r", CR_LF).into_owned().into()),
        ("LF", "CR", replaced(&unix, b"\n", b"\r").into_owned().into()),
        ("CR CR LF", "CR LF", twice.clone()),
        ("CR CR LF", "LF", replaced(&twice, CR_LF, b"\n").into_owned().into()),
        ("CR LF", "CR", replaced(body, CR_LF, b"\r").into_owned().into()),
    ];
    let doubled = [replaced(&unix, b"\n\n", b"\n"), replaced(body, b"\r\n\r\n", CR_LF)];
    let code = Code::CaptureLineEnds;
    forms.into_iter().all(|(captured, signed, text)| tell(code, messages::line_ends(captured, signed), text))
        && doubled.into_iter().all(|text| tell(code, messages::doubled_line_ends().to_owned(), text))
}

/// Line breaks that a program put into the text to make its lines shorter.
pub(super) fn wrapped(body: &[u8], tell: Tell<'_>) -> bool {
    let text = replaced(body.trim_ascii_end(), CR_LF, b"\n");
    if !text.contains(&b'\n') {
        return true;
    }
    let lines = || text.split(|&byte| byte == b'\n');
    let unindented =
        || lines().enumerate().map(|(at, line)| if at == 0 { line } else { line.trim_ascii_start() });
    let continued = || lines().map(|line| line.strip_suffix(b"\\").unwrap_or(line));
    let (plain, cut): (Vec<_>, Vec<_>) = (lines().collect(), unindented().collect());
    [
        plain.concat(),
        plain.join(&b' '),
        cut.concat(),
        cut.join(&b' '),
        continued().collect::<Vec<_>>().concat(),
    ]
    .into_iter()
    .all(|text| tell(Code::CaptureLineEnds, messages::wrapped().to_owned(), text.into()))
}

/// The same where all lines but the last are equally long, which no indented text is.
pub(super) fn wrapped_evenly(body: &[u8], tell: Tell<'_>) -> bool {
    let text = replaced(body.trim_ascii_end(), CR_LF, b"\n");
    let mut lines: Vec<usize> = text.split(|&byte| byte == b'\n').map(<[u8]>::len).collect();
    let last = lines.pop().unwrap_or_default();
    let first = lines.first().copied().unwrap_or_default();
    let is_even = first > 1 && last <= first && lines.iter().all(|&length| length == first);
    !is_even || wrapped(body, tell)
}

/// Indentation by a tool that prints JSON for people.
pub(super) fn pretty(body: &[u8], tell: Tell<'_>) -> bool {
    let code = Code::CapturePretty;
    let Some(text) = std::str::from_utf8(body).ok().filter(|text| is_laid_out(text)) else { return true };
    let conversions = || {
        [
            (messages::blanks_for_tabs(), indents(body, b"    ", b"\t")),
            (messages::blanks_for_tabs(), indents(body, b"  ", b"\t")),
            (messages::blanks_for_tabs(), indents(body, b"        ", b"\t")),
            (messages::tabs_for_blanks(), indents(body, b"\t", b"  ")),
            (messages::tabs_for_blanks(), indents(body, b"\t", b"    ")),
            (messages::lines_indented(), unindented(body)),
            (messages::blanks_at_line_ends(), replaced(body, b",\n", b", \n").into_owned()),
        ]
    };
    let rewritings = || Rewriting::all().into_iter().filter(|one| one.space != Space::Kept);
    let rewritten = |one: Rewriting, tell: Tell<'_>| {
        let how = one.describe(text);
        let what =
            if how == "compact" { messages::indented().to_owned() } else { messages::indented_and(&how) };
        one.of(text).is_none_or(|signed| tell(code, what, signed.into_bytes().into()))
    };
    let printed = |one: Serialiser, tell: Tell<'_>| {
        let what = messages::printed_by(one.describe());
        one.reprint(body).is_none_or(|signed| tell(code, what, signed.into()))
    };
    rewritings().all(|one| rewritten(one, tell))
        && conversions().into_iter().all(|(what, text)| tell(code, what.to_owned(), text.into()))
        && Serialiser::ALL.iter().all(|&one| printed(one, tell))
        && other_indents(body, tell)
}

/// The text with another indentation, and a blank or none after each colon.
fn other_indents(body: &[u8], tell: Tell<'_>) -> bool {
    let Ok(json) = Json::parse(body) else { return true };
    for indent in ["  ", "    ", "\t", "   ", " ", ""] {
        for colon in [": ", ":", " : "] {
            let printed = json.print(Layout { colon, indent: Some(indent), ..Layout::COMPACT }, Text::quote);
            let dos = printed.replace('\n', "\r\n");
            let what = || messages::other_indent().to_owned();
            let code = Code::CapturePretty;
            if !tell(code, what(), printed.into_bytes().into())
                || !tell(code, what(), dos.into_bytes().into())
            {
                return false;
            }
        }
    }
    true
}

/// Whether a JSON text has white space between tokens that programs do not write for programs: more than one blank after a comma
/// or colon.
pub(super) fn is_laid_out(text: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    let mut before = ' ';
    text.trim().chars().any(|character| {
        let is_space = !in_string && matches!(character, ' ' | '\t' | '\r' | '\n');
        let is_usual = character == ' ' && matches!(before, ',' | ':');
        if in_string {
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
        } else {
            in_string = character == '"';
        }
        before = character;
        is_space && !is_usual
    })
}

/// The text with each unit of indentation at the beginning of a line replaced.
fn indents(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let line = |line: &[u8]| {
        let mut rest = line;
        let mut count = 0;
        while let Some(after) = rest.strip_prefix(from).filter(|_| count < DEEPEST) {
            rest = after;
            count += 1;
        }
        [to.repeat(count).as_slice(), rest].concat()
    };
    body.split(|&byte| byte == b'\n').map(line).collect::<Vec<_>>().join(&b'\n')
}

/// The text without the white space with which every line begins.
fn unindented(body: &[u8]) -> Vec<u8> {
    let lines = || body.split(|&byte| byte == b'\n');
    let full = lines().filter(|line| !line.trim_ascii().is_empty());
    let common = full.map(|line| line.len() - line.trim_ascii_start().len()).min().unwrap_or_default();
    lines().map(|line| line.get(common..).unwrap_or_default()).collect::<Vec<_>>().join(&b'\n')
}

/// The text with each `from` replaced.
pub(super) fn replaced<'a>(text: &'a [u8], from: &[u8], to: &[u8]) -> Cow<'a, [u8]> {
    let mut out = Vec::new();
    let mut after = 0;
    for at in memchr::memmem::find_iter(text, from) {
        out.extend_from_slice(&text[after..at]);
        out.extend_from_slice(to);
        after = at + from.len();
    }
    if after == 0 {
        return text.into();
    }
    out.extend_from_slice(&text[after..]);
    out.into()
}
