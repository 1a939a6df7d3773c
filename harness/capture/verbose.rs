//! What `curl -v` and `curl --trace` print. With `-v` the lines of a request begin with `>`, and the body is not among them.

use bytes::Bytes;

use super::{Body, Captured, Fault, Requests, http, messages};

/// What a trace says before the bytes that were sent.
const SENT: [&[u8]; 2] = [b"=> Send header,", b"=> Send data,"];

/// Every request. With `-v`, a body is not recorded unless the request has none.
pub(super) fn requests(text: &[u8]) -> Result<Vec<Captured>, Fault> {
    let mut found = Requests::default();
    if is_trace(text) {
        traced(text)?.into_iter().try_for_each(|request| found.add(request))?;
        return Ok(found.all);
    }
    let mut head: Option<(usize, Vec<u8>)> = None;
    for (at, line) in lines(text) {
        let Some(sent) = line.strip_prefix(b">") else { continue };
        let sent = sent.strip_prefix(b" ").unwrap_or(sent);
        let (_, lines) = head.get_or_insert((at, Vec::new()));
        lines.extend_from_slice(sent);
        lines.push(b'\n');
        if sent.trim_ascii().is_empty() {
            request(head.take())?.map_or(Ok(()), |request| found.add(request))?;
        }
    }
    request(head)?.map_or(Ok(()), |request| found.add(request))?;
    Ok(found.all)
}

/// Lines without their ends, with their numbers.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = text.split(|&byte| byte == b'\n').enumerate();
    lines.map(|(at, line)| (at + 1, line.strip_suffix(b"\r").unwrap_or(line)))
}

/// Whether a text is what `--trace` or `--trace-ascii` prints.
pub(super) fn is_trace(text: &[u8]) -> bool {
    memchr::memmem::find(text, SENT[0]).is_some()
}

fn request(head: Option<(usize, Vec<u8>)>) -> Result<Option<Captured>, Fault> {
    let Some((line, lines)) = head else { return Ok(None) };
    Ok(parsed(&lines, line)?.into_iter().next().map(|mut request| {
        if request.content_length() != Some(0) {
            request.body = Body::NotRecorded(messages::verbose_has_no_body().to_owned());
        }
        request.at(line)
    }))
}

/// The requests of a text that begins on this line of the whole.
fn parsed(text: &[u8], line: usize) -> Result<Vec<Captured>, Fault> {
    http::requests(text).map_err(|fault| Fault::at(line + fault.line - 1, fault.why))
}

/// The requests of a trace: the bytes that were sent, in hexadecimal digits or as text.
fn traced(text: &[u8]) -> Result<Vec<Captured>, Fault> {
    let mut found: Vec<(Vec<u8>, Vec<u8>, usize, bool)> = Vec::new();
    // Whether the lines that follow are of a head or of a body that was sent.
    let mut part = None;
    for (at, line) in lines(text) {
        // A time may stand before it.
        let is = |sent: &[u8]| memchr::memmem::find(line, sent).is_some();
        if is(SENT[0]) {
            part = Some(0);
            found.push((Vec::new(), Vec::new(), at, false));
        } else if is(SENT[1]) {
            part = Some(1);
        } else if let (Some(part), Some((is_hex, bytes))) = (part, shown(line)) {
            let Some((head, body, _, is_text)) = found.last_mut() else { continue };
            *is_text |= !is_hex;
            let into = if part == 0 { head } else { body };
            into.extend_from_slice(&bytes);
            if part == 0 && !is_hex {
                into.push(b'\n');
            }
        } else {
            part = None;
        }
    }
    let mut requests = Vec::new();
    for (head, body, line, is_text) in found {
        let Some(mut request) = parsed(&[&*head, b"\n"].concat(), line)?.into_iter().next() else { continue };
        if is_text {
            request.notes.push(messages::trace_as_text().to_owned());
        }
        request.body = Body::Bytes(Bytes::from(body));
        requests.push(request.at(line));
    }
    Ok(requests)
}

/// The bytes on a line such as `0010: 50 4f 53 54  POST` or `0010: POST`, and whether they are hexadecimal digits.
fn shown(line: &[u8]) -> Option<(bool, Vec<u8>)> {
    let colon = memchr::memchr(b':', line).filter(|&at| (4..=8).contains(&at))?;
    let is_offset = line[..colon].iter().all(u8::is_ascii_hexdigit);
    let rest = is_offset.then(|| line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]))?;
    // Sixteen bytes with blanks take 48 columns.
    let pairs = rest.get(..48).map(|digits| digits.chunks(3).take_while(|pair| pair[0] != b' '));
    let bytes: Option<Vec<u8>> = pairs.and_then(|pairs| {
        let of = |pair: &[u8]| match pair {
            [high, low, b' '] => const_hex::decode([*high, *low]).ok()?.first().copied(),
            _ => None,
        };
        pairs.map(of).collect()
    });
    match bytes {
        Some(bytes) if !bytes.is_empty() => Some((true, bytes)),
        _ => Some((false, rest.to_vec())),
    }
}
