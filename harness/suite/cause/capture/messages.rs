//! The details of causes that are faults of the capture, shown in parentheses after a code.

use crate::plural::counted;

/// White space that the capture has and the signed body has not, or the other way round.
fn white(bytes: &[u8]) -> String {
    let line_feeds = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    match bytes {
        b"\r" => "one carriage return".to_owned(),
        _ if line_feeds == bytes.len() => counted_line_feeds(line_feeds),
        _ if pairs * 2 == bytes.len() => match pairs {
            1 => "one CR LF".to_owned(),
            _ => format!("{pairs} times CR LF"),
        },
        _ if bytes.iter().all(|byte| matches!(byte, b' ' | b'\t')) => counted(bytes.len(), "blank", "blanks"),
        _ => format!("{} of white space", counted(bytes.len(), "byte", "bytes")),
    }
}

fn counted_line_feeds(count: usize) -> String {
    if count == 1 { "one line feed".to_owned() } else { format!("{count} line feeds") }
}

pub(super) fn more_at_end(bytes: &[u8]) -> String {
    format!("{} more at its end than was signed", white(bytes))
}

pub(super) fn less_at_end(bytes: &[u8]) -> String {
    format!("{} less at its end than was signed", white(bytes))
}

pub(super) fn more_at_start(bytes: &[u8]) -> String {
    format!("{} more before it than was signed", white(bytes))
}

pub(super) fn less_at_start(bytes: &[u8]) -> String {
    format!("{} less before it than was signed", white(bytes))
}

pub(super) fn line_ends(captured: &str, signed: &str) -> String {
    format!("{captured} where {signed} was signed")
}

pub(super) fn doubled_line_ends() -> &'static str {
    "two line breaks where one was signed"
}

pub(super) fn wrapped() -> &'static str {
    "wrapped: line breaks were put into it"
}

pub(super) fn indented() -> &'static str {
    "indented, and compact text was signed"
}

/// `how` is how the signed text differs from the captured one.
pub(super) fn indented_and(how: &str) -> String {
    format!("indented, and the signed text is {how}")
}

pub(super) fn printed_by(serialiser: &str) -> String {
    format!("indented, and the signed text is as {serialiser} prints it")
}

pub(super) fn other_indent() -> &'static str {
    "indented otherwise than the signed text"
}

pub(super) fn blanks_for_tabs() -> &'static str {
    "blanks where tabs were signed"
}

pub(super) fn tabs_for_blanks() -> &'static str {
    "tabs where blanks were signed"
}

pub(super) fn lines_indented() -> &'static str {
    "every line is indented by more than was signed"
}

pub(super) fn blanks_at_line_ends() -> &'static str {
    "the blanks at the ends of its lines are missing"
}

/// `form` is how the body is written in the capture.
pub(super) fn still_encoded(form: &str) -> String {
    format!("it is {form}, and the plain text was signed")
}

pub(super) fn unescaped() -> &'static str {
    "the escapes in its strings were turned into the characters themselves"
}

pub(super) fn backslashes_lost() -> &'static str {
    "one of each two backslashes is missing"
}

pub(super) fn byte_order_mark() -> &'static str {
    "a byte-order mark before it"
}

pub(super) fn in_encoding(name: &str) -> String {
    format!("it is in {name}, and UTF-8 was signed")
}

pub(super) fn read_as(name: &str) -> String {
    format!("UTF-8 that was read as {name}")
}

pub(super) fn composed(captured: &str, signed: &str) -> String {
    format!("accents in form {captured} where {signed} was signed")
}

pub(super) fn typographic() -> &'static str {
    "typographic quotes, dashes or blanks instead of plain ones"
}

pub(super) fn invisible() -> &'static str {
    "invisible characters that were not signed"
}

pub(super) fn twice_there() -> &'static str {
    "the body is there twice"
}

pub(super) fn text_around() -> &'static str {
    "other text before or after it"
}

pub(super) fn quoted_lines() -> &'static str {
    "`> ` before each line"
}

pub(super) fn end_missing(end: &str) -> String {
    format!("its end is missing: `{end}`")
}

pub(super) fn start_missing(start: &str) -> String {
    format!("its beginning is missing: `{start}`")
}

pub(super) fn bytes_missing(missing: u64, declared: u64) -> String {
    format!("{missing} of the {} that Content-Length declares are missing", counted_bytes(declared))
}

fn counted_bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

pub(super) fn ends_inside_json() -> &'static str {
    "its JSON text has no end"
}

pub(super) fn no_body() -> &'static str {
    "there is no body"
}

pub(super) fn no_body_of(declared: u64) -> String {
    format!("there is none, and Content-Length declares {}", counted_bytes(declared))
}

pub(super) fn placeholder(text: &str) -> String {
    format!("`{text}` instead of it")
}

/// `place` is `signature`, `timestamp` or `body`; digits are counted from 1.
pub(super) fn wrong(unit: &str, place: &str, at: usize, captured: char, signed: char) -> String {
    format!("{unit} {at} of the {place} is `{captured}` instead of `{signed}`")
}

pub(super) fn two_wrong(place: &str, one: usize, other: usize) -> String {
    format!("digits {one} and {other} of the {place} are wrong")
}

pub(super) fn exchanged(unit: &str, place: &str, at: usize) -> String {
    format!("{unit}s {at} and {} of the {place} are exchanged", at + 1)
}

pub(super) fn missing(unit: &str, place: &str, at: usize) -> String {
    format!("{unit} {at} of the {place} is missing")
}

pub(super) fn too_many(unit: &str, place: &str, at: usize) -> String {
    format!("{unit} {at} of the {place} is one too many")
}

pub(super) fn two_off(at: usize) -> String {
    format!("two digits of the signature are missing, too many or wrong, from digit {at} on")
}

pub(super) fn characters_around(place: &str) -> String {
    format!("characters in or around the {place} that do not belong to it")
}

pub(super) fn only_first(count: usize) -> String {
    format!("only the first {count} digits of the signature")
}

pub(super) fn only_last(count: usize) -> String {
    format!("only the last {count} digits of the signature")
}

pub(super) fn twice() -> &'static str {
    "the signature is there twice"
}

pub(super) fn swapped() -> &'static str {
    "signature and timestamp are exchanged"
}

/// `signed` is the timestamp that was signed.
pub(super) fn timestamp_as(form: &str, signed: &str) -> String {
    format!("the timestamp is {form}; {signed} was signed")
}

pub(super) fn question_marks() -> &'static str {
    "`?` in its strings, perhaps instead of characters beyond ASCII; they cannot be restored"
}

pub(super) fn replacements() -> &'static str {
    "U+FFFD in it, instead of characters that cannot be restored"
}

/// Another fault of the capture, with its code.
pub(super) fn and(first: &str, code: &str, second: &str) -> String {
    format!("{first}; and {code}: {second}")
}

/// A fault of the capture together with a wrong way of signing, by its code.
pub(super) fn and_signed(first: &str, recipe: &str) -> String {
    format!("{first}; and the sender signed {recipe}")
}

pub(super) fn sorted() -> &'static str {
    "its members are sorted"
}

pub(super) fn other_order() -> &'static str {
    "its members are in another order"
}

pub(super) fn escaped_as(escape: &str, printer: &str) -> String {
    format!("`{escape}` in it, as {printer} escapes it and JavaScript does not")
}

/// `signed` are the right characters.
pub(super) fn replaced(captured: &str, signed: &str) -> String {
    format!("`{captured}` instead of `{signed}`")
}

pub(super) fn without_accent(at: usize, captured: char, signed: char) -> String {
    wrong("character", "body", at, captured, signed)
}

pub(super) fn dropped(at: usize, signed: char) -> String {
    format!("character {at} is missing: `{signed}`")
}

pub(super) fn shortened_buffer() -> &'static str {
    "a buffer as Node.js prints it, of which only the first bytes are shown"
}

pub(super) fn compressed_with(name: &str) -> String {
    format!("it is compressed with {name}")
}

pub(super) fn not_utf8() -> &'static str {
    "its bytes are no UTF-8"
}
