//! What is said of captures: why something is in no known form, and what was changed to read it.

use crate::terminal::quoted;

/// How many bytes of a line are quoted.
const QUOTED: usize = 60;

pub(super) fn empty() -> &'static str {
    "it is empty"
}

pub(super) fn at_line(line: usize, why: &str) -> String {
    format!("line {line}: {why}")
}

/// `form` is the one that it begins like.
pub(super) fn no_request_in(form: &str) -> String {
    format!("it begins like {form}, but there is no request in it")
}

pub(super) fn too_many(before: usize, most: usize) -> String {
    format!("the {before} requests before this line take {most} MiB of memory; split the file")
}

pub(super) fn too_many_words(most: usize) -> String {
    format!("the commands have more than {most} words; split the file")
}

// What a file is instead.

pub(super) fn is_compressed() -> &'static str {
    "it is compressed with gzip; decompress it first"
}

pub(super) fn is_an_archive() -> &'static str {
    "it is a ZIP archive; export the request as HAR or as raw HTTP"
}

pub(super) fn has_packets() -> &'static str {
    "it has packets of a network; let Wireshark follow the HTTP stream, and save that as raw"
}

pub(super) fn is_binary() -> &'static str {
    "it is binary"
}

/// JSON that has `event` or `type` and no headers.
pub(super) fn is_a_body() -> &'static str {
    "it is a body without its headers; give the values of both headers with --timestamp and --signature"
}

// Raw HTTP.

pub(super) fn not_a_header(line: &[u8]) -> String {
    let shown = quoted(&line[..line.len().min(QUOTED)]);
    format!("{shown} is neither a request line nor a header, and no empty line is before it")
}

pub(super) fn neither_line_nor_own_header() -> &'static str {
    "it has lines like headers, but no request line and no header of Twenty's webhooks"
}

pub(super) fn too_many_headers(most: usize) -> String {
    format!("the request has more than {most} headers")
}

pub(super) fn only_an_answer() -> &'static str {
    "it is an answer of a server; give the request that it answers"
}

pub(super) fn ends_after_headers() -> &'static str {
    "it has no empty line after its headers, and no body"
}

pub(super) fn no_chunk_size(read: usize) -> String {
    format!("after {read} bytes the chunked body has no size of a chunk, so it was cut or changed")
}

pub(super) fn chunk_is_cut(size: usize, left: usize) -> String {
    format!("a chunk of {size} bytes is cut off after {left}; give the whole body")
}

pub(super) fn chunk_does_not_end(size: usize) -> String {
    format!("no line ends after a chunk of {size} bytes, so the body was changed")
}

pub(super) fn chunks_are_removed() -> &'static str {
    "the header says that the body is chunked; it was recorded without its chunks"
}

pub(super) fn header_was_folded() -> &'static str {
    "a header of Twenty continued on the next line; the lines were joined"
}

pub(super) fn mark_removed() -> &'static str {
    "the file begins with a byte order mark, which was left out"
}

pub(super) fn utf16_decoded() -> &'static str {
    "the file is in UTF-16, as PowerShell writes it; it was read as UTF-8"
}

// Commands.

/// `open` is how the string began.
pub(super) fn quote_is_open(open: &str) -> String {
    format!("{open} is not closed")
}

/// `what` is a variable or a command inside of the command.
pub(super) fn is_expanded(what: &str) -> String {
    format!("the command has {what}, whose value is not in it; write the value there")
}

/// `end` is the word that the last line should be.
pub(super) fn document_is_open(end: &str) -> String {
    format!("the here-document does not end with a line {end}")
}

pub(super) fn too_deep() -> &'static str {
    "brackets are nested too deeply"
}

pub(super) fn headers_in_a_file(name: &str) -> String {
    format!("the command reads headers from {name}; write them into the command")
}

pub(super) fn command_reads_options(name: &str) -> String {
    format!("the command reads options from {name}; write them into the command")
}

pub(super) fn command_sends_a_form(option: &str) -> String {
    format!("the command sends a form ({option}), and a webhook's body is JSON")
}

pub(super) fn command_without_body() -> &'static str {
    "the command sends no body"
}

pub(super) fn body_from_stdin() -> &'static str {
    "the command reads the body from stdin, so it is not in the command"
}

pub(super) fn body_in_a_file() -> &'static str {
    "the body is in a file that was not read"
}

pub(super) fn verbose_has_no_body() -> &'static str {
    "curl -v shows the headers and not the body, which curl --trace FILE shows too"
}

pub(super) fn trace_as_text() -> &'static str {
    "--trace-ascii shows each byte that is not ASCII, and each end of a line, as a dot or not at all; --trace shows every byte"
}

pub(super) fn fetch_without_url() -> &'static str {
    "the first argument of fetch is no string"
}

pub(super) fn fetch_without_json() -> &'static str {
    "the second argument of fetch is no JSON, as a browser copies it"
}

pub(super) fn fetch_without_body() -> &'static str {
    "the options of fetch have no `body` as a string"
}

// JSON.

pub(super) fn not_json(why: &str) -> String {
    format!("it begins like JSON and is not: {why}")
}

pub(super) fn too_many_values(most: usize) -> String {
    format!("it has more than {most} values; take the request out of it")
}

pub(super) fn no_headers_in_json() -> &'static str {
    "it is JSON, but no object in it has the headers of a request"
}

pub(super) fn not_headers() -> &'static str {
    "its headers are neither an object nor a list of names and values"
}

pub(super) fn no_body_in_json() -> &'static str {
    "it has headers and no body"
}

/// `member` is the one that should have been base64.
pub(super) fn not_base64(member: &str, why: &str) -> String {
    format!("`{member}` is not base64: {why}")
}

pub(super) fn parsed_body() -> &'static str {
    "the body was recorded as parsed JSON and not as text; it was written again as JSON.stringify does, which need not give the bytes \
     that were signed"
}

pub(super) fn not_ours(why: &str) -> String {
    format!("it is not a line that `listen --out` writes: {why}")
}

pub(super) fn insomnia_is_yaml() -> &'static str {
    "it is the YAML of Insomnia 5; export it as HAR, or copy the request as curl"
}

// HAR.

/// The place of an entry that cannot be read, and why.
pub(super) fn har_entry(line: usize, at: usize, why: &str) -> String {
    format!("line {line}: log.entries[{at}]: {why}")
}

pub(super) fn har_not_read(why: &str) -> String {
    format!("cannot be read: {why}")
}

/// A file that begins like HAR and is not.
pub(super) fn not_har(line: usize, why: &str, cut_off: bool) -> String {
    let cut_off = if cut_off { " (the file is cut off)" } else { "" };
    format!("line {line}: {why}{cut_off}; give JSON lines of exchanges, or a HAR file with `log.entries`")
}

pub(super) fn har_without_body() -> &'static str {
    "`postData` has no `text`: the body was not recorded"
}

pub(super) fn har_with_params() -> &'static str {
    "`postData` has `params` and no `text`: the body was read as a form, and its bytes were not recorded"
}

pub(super) fn har_body_missing() -> &'static str {
    "`postData` is missing, though the request had a body: the body was not recorded"
}

pub(super) fn har_not_base64(why: &str) -> String {
    format!("`postData.text` is not base64: {why}")
}

pub(super) fn har_unknown_encoding(encoding: &str) -> String {
    format!("`postData.encoding` is {encoding:?}; only base64 is supported")
}

/// A file or an entry of it that has too many bytes.
pub(super) fn too_long(most: u64) -> String {
    format!("it is longer than {most} MiB")
}

pub(super) fn entry_too_long(most: u64) -> String {
    format!("an entry is longer than {most} MiB")
}

#[cfg(test)]
mod tests {
    use super::not_har;

    #[test]
    fn har_errors_say_whether_the_file_is_cut_off() {
        assert!(not_har(4, "EOF", true).starts_with("line 4: EOF (the file is cut off); give"));
        assert!(not_har(4, "expected a map", false).starts_with("line 4: expected a map; give"));
    }
}
