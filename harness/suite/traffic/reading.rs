//! Reads recorded traffic from a file: the suite's own JSON lines (`exchanges.jsonl`, `deliveries.jsonl`), or HAR.
//!
//! A file is read as a whole or rejected with an error that names the line.

use serde::Deserialize;
use serde_json::Value;

use super::recording::{Recording, line_of};
use super::{har, messages};
use crate::redaction::Redaction;
use crate::wire::exchange::{Exchange, ExchangeId};

/// Reads a file. If the secret was redacted from a line and is known, it is restored.
///
/// Errors: the file is empty, cut off, or in another format. The message begins with the line.
pub fn read(bytes: &[u8], redaction: &Redaction) -> Result<Recording, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|why| messages::not_utf8(line_of(&bytes[..why.valid_up_to()])))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some((number, first)) = lines(text).next() else {
        return Err(messages::empty_file());
    };
    let head: Result<Value, _> = serde_json::from_str(first);
    let is_har = match &head {
        Ok(head) => head.get("log").is_some(),
        // A HAR file spans several lines.
        Err(_) => {
            first.starts_with('{') && !first.starts_with("{\"number\"") && !first.starts_with("{\"at_ms\"")
        }
    };
    let recording = if is_har { har::read(text) } else { own_lines(text, redaction) }?;
    if recording.exchanges.is_empty() {
        return Err(messages::no_deliveries(number));
    }
    Ok(recording)
}

/// What a line has in addition to its exchange.
#[derive(Deserialize)]
struct Mark {
    /// Whether the secret was redacted from it.
    #[serde(default)]
    redacted: bool,
}

fn own_lines(text: &str, redaction: &Redaction) -> Result<Recording, String> {
    let mut exchanges = Vec::new();
    for (number, line) in lines(text) {
        let refused = |why| invalid_line(number, line, &why);
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

/// The lines that are not blank, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(at, line)| (at + 1, line))
}

fn invalid_line(number: usize, line: &str, why: &serde_json::Error) -> String {
    use serde_json::error::Category;
    // The text ends with a line and column; the line is always 1.
    let words = why.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    match why.classify() {
        Category::Eof => messages::line_cut_off(number, line.len(), words),
        Category::Data => messages::not_an_exchange(number, words),
        Category::Syntax | Category::Io => messages::line_not_json(number, why.column(), words),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::read;
    use crate::redaction::Redaction;
    use crate::webhook::signature::Secret;

    const LINE: &str = r#"{"number":1,"at_ms":5,"took_us":1,"delivery":{"method":"POST","target":"/[redacted]","headers":[["X-A",{"base64":"/w=="}]],"body":"{}","transfer":{"chunks":[2]}},"outcome":{"answered":{"status":200,"headers":[],"body":""}},"redacted":true,"verdict":"pass"}"#;

    fn error_of(text: &str) -> String {
        read(text.as_bytes(), &Redaction::default()).unwrap_err()
    }

    #[test]
    fn reads_lines_and_restores_the_secret() {
        let redaction = Redaction::new(Some(&Secret::new("s3cr3t")));
        let recording = read(format!("{LINE}\n\n{LINE}").as_bytes(), &redaction).unwrap();
        assert_eq!(recording.exchanges.len(), 2);
        let delivery = &recording.exchanges[1].delivery;
        assert_eq!((delivery.target.as_str(), &delivery.headers.0[0].1[..]), ("/s3cr3t", &b"\xff"[..]));
        assert!(recording.exchanges[0].outcome.acknowledges());
    }

    #[test]
    fn error_names_the_line() {
        for (text, words) in [
            (String::new(), "line 1: the file is empty"),
            ("\n \n".to_owned(), "line 1: the file is empty"),
            (format!("{LINE}\n{}", &LINE[..80]), "line 2 is cut off after 80 bytes"),
            (format!("{LINE}\nwhat\n"), "line 2 is not JSON"),
            (format!("{LINE}\n{{\"ready\":1}}\n"), "line 2 is not an exchange: missing field"),
            ("<xml/>".to_owned(), "line 1 is not JSON"),
            ("POST / HTTP/1.1\n".to_owned(), "line 1 is not JSON"),
            ("[]".to_owned(), "line 1 is not an exchange"),
            (r#"{"log":{"entries":[]}}"#.to_owned(), "line 1: the file has no deliveries"),
            ("{\n\"log\": {\n \"entries\": [\n".to_owned(), "line 4"),
            ("{\n\"tool\": {}\n}".to_owned(), "log"),
        ] {
            let why = error_of(&text);
            assert!(why.contains(words), "{text}: {why}");
        }
        assert_eq!(read(b"{}\n\xff", &Redaction::default()).unwrap_err(), "line 2: the file is not UTF-8");
    }
}
