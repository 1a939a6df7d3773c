//! Reads recorded traffic from a file: the suite's own JSON lines (`exchanges.jsonl`, `deliveries.jsonl`), or HAR.
//!
//! A file is read once, and rejected with an error that names the line. Only the last line may be cut, since the program that wrote
//! it may have been killed.

use std::io::{BufRead, Read};

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use super::recording::Recording;
use super::{har, messages};
use crate::capture::Source;
use crate::redaction::Redaction;
use crate::wire::exchange::{Exchange, ExchangeId};

/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 64 * 1024 * 1024;
/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 32 * 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The members with which a line of the suite may begin.
const OWN: [&str; 5] = ["number", "at_ms", "took_us", "delivery", "outcome"];

/// Reads a file with this name. If the secret was redacted from a line and is known, it is restored.
///
/// Errors: the file cannot be read, is empty, too long or in another format, or a line but the last is cut off. The message begins
/// with the line.
pub fn read(file: impl Read, name: &str, redaction: &Redaction) -> Result<Recording, String> {
    let mut source = Source::new(file, LONGEST_FILE).map_err(|why| messages::not_read(&why.to_string()))?;
    if source.next().starts_with(BYTE_ORDER_MARK) {
        source.consume(BYTE_ORDER_MARK.len());
    }
    let blank = source.next().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    source.consume(blank);
    let begin = source.line_count().get() + 1;
    if source.next().is_empty() && source.is_short() {
        return Err(messages::empty_file());
    }
    let is_har = is_har(source.next(), source.is_short());
    let mut recording = if is_har { har::read(source) } else { own_lines(source, name, redaction) }?;
    if recording.strays > 0 && !is_har {
        let of = recording.strays + recording.exchanges.len();
        recording.remarks.push(messages::strays_skipped(recording.strays, of));
    }
    if recording.exchanges.is_empty() {
        return Err(messages::no_deliveries(begin));
    }
    Ok(recording)
}

/// Whether a file that begins so is HAR: one object with `log`, in any number of lines. `whole` says whether there is no more.
fn is_har(begin: &[u8], whole: bool) -> bool {
    #[derive(Deserialize)]
    struct Line {
        log: Option<IgnoredAny>,
    }

    let line = begin.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
    if line.first() != Some(&b'{') {
        return false;
    }
    if line.ends_with(b"\n") || whole {
        let object: Result<Line, _> = serde_json::from_slice(line);
        if let Ok(object) = object {
            return object.log.is_some();
        }
    }
    let member = line[1..].trim_ascii_start();
    !OWN.iter().any(|own| member.starts_with(format!("\"{own}\"").as_bytes()))
}

/// What a line has in addition to its exchange.
#[derive(Deserialize)]
struct Mark {
    /// Whether the secret was redacted from it.
    #[serde(default)]
    redacted: bool,
}

fn own_lines<R: Read>(mut source: Source<R>, name: &str, redaction: &Redaction) -> Result<Recording, String> {
    let mut recording = Recording::default();
    let mut line = Vec::new();
    loop {
        let number = source.line_count().get() + 1;
        line.clear();
        let read = (&mut source).take(LONGEST_LINE as u64).read_until(b'\n', &mut line);
        if read.map_err(|why| messages::not_read(&why.to_string()))? == 0 {
            return Ok(recording);
        }
        let ends = line.last() == Some(&b'\n');
        if !ends && line.len() == LONGEST_LINE {
            return Err(messages::line_too_long(number, LONGEST_LINE >> 20));
        }
        let may_be_cut = !ends && !recording.exchanges.is_empty();
        let cut = || messages::last_line_cut(name, recording.exchanges.len());
        let text = match std::str::from_utf8(&line) {
            Ok(text) => text.trim(),
            Err(why) if may_be_cut && why.error_len().is_none() => {
                recording.remarks.push(cut());
                return Ok(recording);
            }
            Err(_) => return Err(messages::not_utf8(number)),
        };
        if text.is_empty() {
            continue;
        }
        match exchange(text, redaction) {
            Ok(exchange) => recording.add(exchange).map_err(|why| messages::at_line(number, &why))?,
            Err(why) if may_be_cut && matches!(why.classify(), Category::Eof | Category::Syntax) => {
                recording.remarks.push(cut());
                return Ok(recording);
            }
            Err(why) => return Err(invalid_line(number, text, &why)),
        }
    }
}

/// The exchange on a line, without its number.
fn exchange(line: &str, redaction: &Redaction) -> Result<Exchange, serde_json::Error> {
    let mut exchange: Exchange = serde_json::from_str(line)?;
    if memmem::find(line.as_bytes(), b"\"redacted\"").is_some() {
        let Mark { redacted } = serde_json::from_str(line)?;
        if redacted {
            exchange.delivery = redaction.restored(&exchange.delivery);
        }
    }
    exchange.id = ExchangeId(0);
    Ok(exchange)
}

fn invalid_line(number: usize, line: &str, why: &serde_json::Error) -> String {
    // The text ends with a line and column; the line is always 1.
    let words = why.to_string();
    let words = words.rsplit_once(" at line ").map_or(&*words, |(words, _)| words);
    match why.classify() {
        Category::Eof => messages::line_cut_off(number, line.len(), words),
        Category::Data => messages::not_an_exchange(number, words),
        Category::Syntax | Category::Io => messages::line_not_json(number, why.column(), words),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{Recording, read};
    use crate::redaction::Redaction;
    use crate::webhook::signature::Secret;

    const LINE: &str = r#"{"number":1,"at_ms":5,"took_us":1,"delivery":{"method":"POST","target":"/[redacted]","headers":[["X-A",{"base64":"/w=="}]],"body":"{}","transfer":{"chunks":[2]}},"outcome":{"answered":{"status":200,"headers":[],"body":""}},"redacted":true,"verdict":"pass"}"#;

    fn of(text: impl AsRef<[u8]>) -> Result<Recording, String> {
        read(text.as_ref(), "a.jsonl", &Redaction::default())
    }

    #[test]
    fn reads_lines_and_restores_the_secret() {
        let redaction = Redaction::new(Some(&Secret::new("s3cr3t")));
        let recording = read(format!("{LINE}\n\n{LINE}").as_bytes(), "a", &redaction).unwrap();
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
            (format!("{LINE}\n{}\n", &LINE[..80]), "line 2 is cut off after 80 bytes"),
            (LINE[..80].to_owned(), "line 1 is cut off after 80 bytes"),
            (format!("{LINE}\n{{\"ready\":1}}"), "line 2 is not an exchange: missing field"),
            (format!("{LINE}\n{}\n{LINE}\n", &LINE[..80]), "line 2 is cut off after 80 bytes"),
            (format!("{LINE}\nwhat\n"), "line 2 is not JSON"),
            (format!("{LINE}\n{{\"ready\":1}}\n"), "line 2 is not an exchange: missing field"),
            ("<xml/>".to_owned(), "line 1 is not JSON"),
            ("POST / HTTP/1.1\n".to_owned(), "line 1 is not JSON"),
            ("[]".to_owned(), "line 1 is not an exchange"),
            (r#"{"log":{"entries":[]}}"#.to_owned(), "line 1: the file has no deliveries"),
            ("{\n\"log\": {\n \"entries\": [\n".to_owned(), "line 4"),
            ("{\n\"tool\": {}\n}".to_owned(), "log"),
        ] {
            let why = of(&text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
        let text = [LINE.as_bytes(), b"\n\xff"].concat();
        assert_eq!(of(text).unwrap_err(), "line 2: the file is not UTF-8");
    }

    #[test]
    fn last_line_may_be_cut() {
        // Also within a character.
        let last = LINE.replace("\"{}\"", "\"\u{e4}\"");
        for length in 1..last.len() {
            let text = [LINE.as_bytes(), b"\n", LINE.as_bytes(), b"\n", &last.as_bytes()[..length]].concat();
            let recording = of(text).unwrap();
            assert_eq!(recording.exchanges.len(), 2, "{length}");
            assert_eq!(recording.remarks, ["the last line of a.jsonl is cut; 2 deliveries were read"]);
        }
        assert_eq!(of(format!("{LINE}\n{LINE}\n{last}")).unwrap().remarks, [""; 0]);
    }

    #[test]
    fn lines_and_har_are_told_apart() {
        let entry = r#"{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"POST","url":"http://h/","headers":[],"postData":{"text":"{}"}}}"#;
        let long = "x".repeat(100_000);
        for text in [
            format!("\n{{\"log\":{{\"entries\":[{entry}]}}}}"),
            format!("\u{feff}{{\"note\":1,\"log\":{{\"entries\":[{entry}]}}}}\n"),
            format!("{{\n\"note\":\"{long}\",\"log\":{{\"entries\":[{entry}]}}}}\n"),
            format!("{{\"note\":\"{long}\",\"log\":{{\"entries\":[{entry}]}}}}\n"),
            format!("\u{feff}\n{LINE}"),
            LINE.replace("\"number\":1,", "\"log\":null,"),
            LINE.replace("\"body\":\"{}\"", &format!("\"body\":\"{long}\"")),
            format!("{}\n{LINE}", " ".repeat(100_000)),
        ] {
            assert_eq!(
                of(&text).unwrap().exchanges.len(),
                text.matches("\"POST\"").count(),
                "{}",
                &text[..50]
            );
        }
    }

    #[test]
    fn probes_are_skipped() {
        let probe = LINE.replace("\"POST\"", "\"HEAD\"").replace("{}", "");
        let named = LINE.replace("\"POST\"", "\"PUT\"").replace("{}", r#"{\"event\":\"a.b\"}"#);
        let recording = of(format!("{probe}\n{LINE}\n{named}\n")).unwrap();
        assert_eq!(recording.exchanges.len(), 2);
        assert!(recording.remarks[0].starts_with("skipped 1 of 3 requests"), "{:?}", recording.remarks);
    }

    #[test]
    fn size_of_a_recording_is_bounded() {
        let endless = |byte: u8| {
            read(std::io::Read::chain(LINE.as_bytes(), std::io::repeat(byte)), "a", &Redaction::default())
        };
        assert_eq!(endless(b'x').unwrap_err(), "line 1 is longer than 32 MiB");
        assert_eq!(endless(b'\n').unwrap_err(), "cannot be read: it is longer than 64 MiB");
        let tiny = r#"{"at_ms":1,"delivery":{"method":"POST","target":"/","headers":[],"body":"","transfer":"whole"}}"#;
        let many = format!("{tiny}\n").repeat(600_000);
        assert!(of(many).unwrap_err().contains("deliveries before this line take 72 MiB"));
    }
}
