//! What `curl -v` prints: the lines of a request begin with `>`. The body is not among them.

use super::{Body, Captured, Fault, Requests, http, messages};

/// Every request. A body is not recorded unless the request has none.
pub(super) fn requests(text: &[u8]) -> Result<Vec<Captured>, Fault> {
    let mut found = Requests::default();
    let mut head: Option<(usize, Vec<u8>)> = None;
    for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(sent) = line.strip_prefix(b">") else { continue };
        let sent = sent.strip_prefix(b" ").unwrap_or(sent);
        let (_, lines) = head.get_or_insert((at + 1, Vec::new()));
        lines.extend_from_slice(sent);
        lines.push(b'\n');
        if sent.trim_ascii().is_empty() {
            request(head.take())?.map_or(Ok(()), |request| found.add(request))?;
        }
    }
    request(head)?.map_or(Ok(()), |request| found.add(request))?;
    Ok(found.all)
}

fn request(head: Option<(usize, Vec<u8>)>) -> Result<Option<Captured>, Fault> {
    let Some((line, lines)) = head else { return Ok(None) };
    let request = http::requests(&lines).map_err(|fault| Fault::at(line + fault.line - 1, fault.why))?;
    Ok(request.into_iter().next().map(|mut request| {
        if request.content_length() != Some(0) {
            request.body = Body::NotRecorded(messages::verbose_has_no_body().to_owned());
        }
        request.at(line)
    }))
}
