//! Recorded traffic as it stands in a file: the suite's own JSON lines (`exchanges.jsonl`, `deliveries.jsonl`), or HAR.
//!
//! Invariant: pure. A file is read whole or refused, and what is wrong with it is said with the line.

use serde::Deserialize;
use serde_json::Value;

use super::har;
use super::recording::{Recording, line_of};
use crate::redaction::Redaction;
use crate::wire::exchange::{Exchange, ExchangeId};

/// Reads a file. Where the secret was taken out of a line and is known, it is put back.
///
/// Errors: it is empty, cut off, or of another format; a fragment of a sentence that begins with the line.
pub fn read(bytes: &[u8], redaction: &Redaction) -> Result<Recording, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|why| format!("line {}: bytes that are not UTF-8", line_of(&bytes[..why.valid_up_to()])))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some((number, first)) = lines(text).next() else {
        return Err("line 1: the file is empty; there is no delivery in it".to_owned());
    };
    let head: Result<Value, _> = serde_json::from_str(first);
    let is_har = match &head {
        Ok(head) => head.get("log").is_some(),
        // A HAR is spread over lines.
        Err(_) => {
            first.starts_with('{') && !first.starts_with("{\"number\"") && !first.starts_with("{\"at_ms\"")
        }
    };
    let recording = if is_har { har::read(text) } else { own_lines(text, redaction) }?;
    if recording.exchanges.is_empty() {
        return Err(format!("line {number}: there is no delivery in the file"));
    }
    Ok(recording)
}

/// What a line says beside its exchange.
#[derive(Deserialize)]
struct Mark {
    /// Whether the secret stood in it, and was taken out.
    #[serde(default)]
    redacted: bool,
}

fn own_lines(text: &str, redaction: &Redaction) -> Result<Recording, String> {
    let mut exchanges = Vec::new();
    for (number, line) in lines(text) {
        let refused = |why| refusal(number, line, &why);
        let mut exchange: Exchange = serde_json::from_str(line).map_err(refused)?;
        let Mark { redacted } = serde_json::from_str(line).map_err(refused)?;
        if redacted {
            exchange.delivery = redaction.restored(&exchange.delivery);
        }
        exchange.id = ExchangeId(0);
        exchanges.push(exchange);
    }
    Ok(Recording { exchanges, remarks: Vec::new() })
}

/// The lines that hold something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(at, line)| (at + 1, line))
}

fn refusal(number: usize, line: &str, why: &serde_json::Error) -> String {
    use serde_json::error::Category;
    // The words end with a place in the line, of which only the column tells.
    let words = why.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    match why.classify() {
        Category::Eof => format!("line {number} is cut off behind {} bytes: {words}", line.len()),
        Category::Data => format!("line {number} is no exchange: {words}"),
        Category::Syntax | Category::Io => {
            format!(
                "line {number} is not JSON: {words} (column {}); it must be JSON lines or HAR",
                why.column()
            )
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::read;
    use crate::redaction::Redaction;
    use crate::webhook::signature::Secret;

    const LINE: &str = r#"{"number":1,"at_ms":5,"took_us":1,"delivery":{"method":"POST","target":"/[redacted]","headers":[["X-A",{"base64":"/w=="}]],"body":"{}","transfer":{"chunks":[2]}},"outcome":{"answered":{"status":200,"headers":[],"body":""}},"redacted":true,"verdict":"pass"}"#;

    fn refused(text: &str) -> String {
        read(text.as_bytes(), &Redaction::default()).unwrap_err()
    }

    #[test]
    fn lines_are_read_with_the_secret_in_its_place() {
        let redaction = Redaction::new(Some(&Secret::new("s3cr3t")));
        let recording = read(format!("{LINE}\n\n{LINE}").as_bytes(), &redaction).unwrap();
        assert_eq!(recording.exchanges.len(), 2);
        let delivery = &recording.exchanges[1].delivery;
        assert_eq!((delivery.target.as_str(), &delivery.headers.0[0].1[..]), ("/s3cr3t", &b"\xff"[..]));
        assert!(recording.exchanges[0].outcome.acknowledges());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, words) in [
            (String::new(), "line 1: the file is empty"),
            ("\n \n".to_owned(), "line 1: the file is empty"),
            (format!("{LINE}\n{}", &LINE[..80]), "line 2 is cut off behind 80 bytes"),
            (format!("{LINE}\nwhat\n"), "line 2 is not JSON"),
            (format!("{LINE}\n{{\"ready\":1}}\n"), "line 2 is no exchange: missing field"),
            ("<xml/>".to_owned(), "line 1 is not JSON"),
            ("POST / HTTP/1.1\n".to_owned(), "line 1 is not JSON"),
            ("[]".to_owned(), "line 1 is no exchange"),
            (r#"{"log":{"entries":[]}}"#.to_owned(), "line 1: there is no delivery"),
            ("{\n\"log\": {\n \"entries\": [\n".to_owned(), "line 4"),
            ("{\n\"tool\": {}\n}".to_owned(), "log"),
        ] {
            let why = refused(&text);
            assert!(why.contains(words), "{text}: {why}");
        }
        assert_eq!(read(b"{}\n\xff", &Redaction::default()).unwrap_err(), "line 2: bytes that are not UTF-8");
    }
}
