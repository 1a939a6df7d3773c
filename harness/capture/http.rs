//! Requests as text: as they went over the wire, as an editor changed them, or as a tool shows them.
//!
//! More is taken than a server may accept: lines that end with a line feed alone, no request line, pseudo-headers of HTTP/2, a
//! body without the chunks that its header announces.

use bytes::Bytes;

use super::{Body, Captured, Fault, Requests, Ruler, messages};
use crate::wire::codec::is_token;
use crate::wire::exchange::Headers;

/// How many headers of a request are read.
const MOST_HEADERS: usize = 1000;
/// What separates requests in files of editors' HTTP clients.
const SEPARATOR: &[u8] = b"###";
/// The longest line with the size of a chunk.
const LONGEST_CHUNK_LINE: usize = 1024;

/// What stands before a body.
struct Head {
    method: String,
    target: String,
    headers: Headers,
    /// Whether it has a request line, or the method as a pseudo-header.
    has_line: bool,
    /// Whether an empty line follows, after which the body begins.
    ends: bool,
    /// Whether a signature or a timestamp continued on another line.
    folded: bool,
}

/// Lines with their positions.
#[derive(Clone, Copy)]
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    ruler: Ruler,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at, ruler: Ruler::new() }
    }

    /// The next line without its end.
    fn peek(&self) -> Option<&'a [u8]> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn skip(&mut self) {
        let rest = &self.text[self.at.min(self.text.len())..];
        self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.peek()?;
        self.skip();
        Some(line)
    }

    fn number(&mut self) -> usize {
        self.ruler.line(self.text, self.at)
    }
}

/// Every request of a text. Answers among them are skipped.
pub(super) fn requests(text: &[u8]) -> Result<Vec<Captured>, Fault> {
    let mut found = Requests::default();
    let mut lines = Lines::new(text, 0);
    let mut answers = None;
    while skip_to_head(&mut lines) {
        let line = lines.number();
        if lines.peek().is_some_and(is_answer) {
            answers.get_or_insert(line);
            lines.at = next_start(text, lines.at).unwrap_or(text.len());
            continue;
        }
        let head = head(&mut lines)?;
        let body = body(text, lines.at, &head);
        let (body, note, end) = body.map_err(|why| Fault::at(lines.number(), why))?;
        lines.at = end;
        let has_line = head.has_line;
        let mut captured = Captured::new(head.method, head.target, head.headers, body).at(line);
        if !has_line && !captured.is_signed() {
            return Err(Fault::at(line, messages::neither_line_nor_own_header()));
        }
        captured.notes.extend(note.map(str::to_owned));
        captured.notes.extend(head.folded.then(|| messages::header_was_folded().to_owned()));
        found.add(captured)?;
    }
    match (found.all.is_empty(), answers) {
        (true, Some(line)) => Err(Fault::at(line, messages::only_an_answer())),
        _ => Ok(found.all),
    }
}

/// Skips what may stand between requests. Returns whether something follows.
fn skip_to_head(lines: &mut Lines<'_>) -> bool {
    while let Some(line) = lines.peek() {
        let is_comment = line.starts_with(b"#") || line.starts_with(b"//");
        if !line.trim_ascii().is_empty() && !is_comment {
            return true;
        }
        lines.skip();
    }
    false
}

fn head(lines: &mut Lines<'_>) -> Result<Head, Fault> {
    let mut head = Head {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: Headers::default(),
        has_line: false,
        ends: false,
        folded: false,
    };
    if let Some((method, target)) = lines.peek().and_then(|line| request_line(line, true)) {
        (head.method, head.target) = (method, target);
        head.has_line = true;
        lines.skip();
    }
    loop {
        let number = lines.number();
        let Some(line) = lines.next() else { return Ok(head) };
        if line.trim_ascii().is_empty() {
            head.ends = true;
            return Ok(head);
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            let Some((name, value)) = head.headers.0.last_mut() else {
                return Err(Fault::at(number, messages::not_a_header(line)));
            };
            let (folded, is_own) = continued(name, value, line.trim_ascii());
            *value = folded;
            head.folded |= is_own;
            continue;
        }
        add(&mut head, line).ok_or_else(|| Fault::at(number, messages::not_a_header(line)))?;
        if head.headers.0.len() > MOST_HEADERS {
            return Err(Fault::at(number, messages::too_many_headers(MOST_HEADERS)));
        }
    }
}

/// A value that goes on in the next line. A signature or a timestamp has no space, so a line break in it was made later.
fn continued(name: &str, value: &[u8], more: &[u8]) -> (Bytes, bool) {
    let is_own = name.to_ascii_lowercase().starts_with("x-twenty-webhook-");
    let between: &[u8] = if is_own || value.is_empty() { b"" } else { b" " };
    (Bytes::from([value, between, more].concat()), is_own)
}

/// Adds a header or a pseudo-header; `None` if the line is neither.
fn add(head: &mut Head, line: &[u8]) -> Option<()> {
    let is_pseudo = line.first() == Some(&b':');
    let start = usize::from(is_pseudo);
    let colon = start + memchr::memchr(b':', &line[start..])?;
    let name = std::str::from_utf8(line[start..colon].trim_ascii()).ok()?;
    let value = line[colon + 1..].trim_ascii();
    if !is_token(name.as_bytes()) {
        return None;
    }
    let text = || String::from_utf8_lossy(value).into_owned();
    match (is_pseudo, name) {
        (false, _) => head.headers.add(name, value.to_vec()),
        (true, "method") => (head.method, head.has_line) = (text(), true),
        (true, "path") => head.target = text(),
        (true, "authority") => head.headers.add("host", value.to_vec()),
        (true, _) => {}
    }
    Some(())
}

/// Method and target of a request line. `lenient` says that the version may be missing after a path.
fn request_line(line: &[u8], lenient: bool) -> Option<(String, String)> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (method, target, version) = (words.next()?, words.next()?, words.next());
    let is_method = (3..=10).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_absolute = target.starts_with("http://") || target.starts_with("https://");
    let is_target = is_absolute || target.starts_with('/') || target == "*";
    let is_version = match version {
        Some(version) => version.starts_with("HTTP/"),
        None => lenient || is_absolute,
    };
    (is_method && is_target && is_version && words.next().is_none())
        .then(|| (method.to_owned(), target.to_owned()))
}

/// Whether a line begins an answer, such as `HTTP/1.1 401 Unauthorized`.
fn is_answer(line: &[u8]) -> bool {
    line.strip_prefix(b"HTTP/").is_some_and(|rest| {
        let mut words = rest.split(|&byte| byte == b' ');
        let status = words.nth(1).unwrap_or_default();
        status.len() == 3 && status.iter().all(u8::is_ascii_digit)
    })
}

fn is_start(line: &[u8]) -> bool {
    request_line(line, false).is_some()
        || line.starts_with(b":method:")
        || line.starts_with(SEPARATOR)
        || is_answer(line)
}

/// Where the next request or answer after this line begins.
fn next_start(text: &[u8], at: usize) -> Option<usize> {
    let mut lines = Lines::new(text, at);
    lines.skip();
    start_from(text, lines.at)
}

/// Where a request or an answer begins, from the beginning of a line on.
fn start_from(text: &[u8], at: usize) -> Option<usize> {
    let mut lines = Lines::new(text, at);
    loop {
        if is_start(lines.peek()?) {
            return Some(lines.at);
        }
        lines.skip();
    }
}

/// Whether only blank lines are left, or another request follows them.
fn is_end(text: &[u8], at: usize) -> bool {
    let mut lines = Lines::new(text, at);
    while lines.peek().is_some_and(|line| line.trim_ascii().is_empty()) {
        lines.skip();
    }
    lines.peek().is_none_or(is_start)
}

type Found = (Body, Option<&'static str>, usize);

/// The body from `at` on, a note, and where it ends. Errors: its chunks cannot be read.
fn body(text: &[u8], at: usize, head: &Head) -> Result<Found, String> {
    if !head.ends {
        return Ok((Body::NotRecorded(messages::ends_after_headers().to_owned()), None, text.len()));
    }
    let is_chunked = head
        .headers
        .all("transfer-encoding")
        .any(|value| value.to_ascii_lowercase().windows(7).any(|word| word == b"chunked"));
    let rest = &text[at..];
    if is_chunked && begins_with_a_size(rest) {
        let (bytes, length) = unchunked(rest)?;
        return Ok((Body::Bytes(bytes.into()), None, at + length));
    }
    let note = (is_chunked && !rest.is_empty()).then(messages::chunks_are_removed);
    let length = head
        .headers
        .single("content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    let end = length.and_then(|length| at.checked_add(length));
    if let Some(end) = end.filter(|&end| end <= text.len() && is_end(text, end)) {
        return Ok((Body::Bytes(Bytes::copy_from_slice(&text[at..end])), note, end));
    }
    let (body, end) = match start_from(text, at) {
        // The blank lines before the next request are not of the body.
        Some(start) => (text[at..start].trim_ascii_end(), start),
        None => (rest, text.len()),
    };
    Ok((Body::Bytes(Bytes::copy_from_slice(body)), note, end))
}

/// The size on the first line of a chunk, and the length of that line.
fn chunk_size(rest: &[u8]) -> Option<(usize, usize)> {
    let end = memchr::memchr(b'\n', &rest[..rest.len().min(LONGEST_CHUNK_LINE)])?;
    let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii();
    let is_size = (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    is_size.then_some((size, end + 1))
}

fn begins_with_a_size(rest: &[u8]) -> bool {
    chunk_size(rest).is_some()
}

/// A chunked body without its chunks, and the length of what was read. Lines may end with a line feed alone.
fn unchunked(rest: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let (size, line) = chunk_size(&rest[at..]).ok_or_else(|| messages::no_chunk_size(body.len()))?;
        at += line;
        if size == 0 {
            break;
        }
        let data = rest
            .get(at..at.saturating_add(size))
            .ok_or_else(|| messages::chunk_is_cut(size, rest.len() - at))?;
        body.extend_from_slice(data);
        at += size;
        let end = [&b"\r\n"[..], b"\n"].into_iter().find(|end| rest[at..].starts_with(end));
        at += end.ok_or_else(|| messages::chunk_does_not_end(size))?.len();
    }
    // The trailer, up to an empty line.
    let mut lines = Lines::new(rest, at);
    while lines.peek().is_some_and(|line| !is_start(line)) {
        if lines.next().is_some_and(<[u8]>::is_empty) {
            break;
        }
    }
    Ok((body, lines.at))
}
