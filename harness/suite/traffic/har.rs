//! The deliveries of a HAR file as exchanges.

use std::io::Read;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::messages;
use super::recording::Recording;
use crate::capture::{HarEntry, Source, read_har};
use crate::wire::exchange::{Exchange, ExchangeId, Outcome, Response};

/// Reads a HAR file. Requests with neither a body nor a webhook header are skipped.
///
/// Errors: the line, and what is wrong there.
pub(super) fn read<R: Read>(source: Source<R>) -> Result<Recording, String> {
    let mut recording = Recording::default();
    let mut take = |entry: HarEntry| match entry.has_post_data || entry.request.is_signed() {
        true => recording.add(exchange(entry)?),
        false => Ok(()),
    };
    let count = read_har(source, &mut take)?;
    let skipped = count - recording.exchanges.len();
    if skipped > 0 {
        recording.remarks.push(messages::har_skipped(skipped, count));
    }
    Ok(recording)
}

fn exchange(entry: HarEntry) -> Result<Exchange, String> {
    let HarEntry { request, url, began, took_ms, status, .. } = entry;
    Url::parse(&url).map_err(|why| messages::har_bad_url(&url, &why.to_string()))?;
    let at: Timestamp = began.parse().map_err(|_| messages::har_bad_date(&began))?;
    let body = request.bytes()?.clone();
    Ok(Exchange {
        id: ExchangeId(0),
        delivery: request.delivery(body),
        outcome: match status {
            0 => Outcome::ClosedEarly,
            status => Outcome::Answered(Response { status, ..Response::default() }),
        },
        at_ms: u64::try_from(at.as_millisecond()).unwrap_or_default(),
        took: Duration::try_from_secs_f64(took_ms / 1000.0).unwrap_or_default(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::Recording;
    use crate::capture::Source;

    fn read(text: &str) -> Result<Recording, String> {
        super::read(Source::new(text.as_bytes(), 1 << 20).unwrap())
    }

    fn har(entries: &str) -> String {
        format!("{{\"log\": {{\"version\": \"1.2\",\n\"entries\": [\n{entries}\n]}}}}")
    }

    #[test]
    fn reads_deliveries_and_skips_other_requests() {
        let text = har(
            r#"{"startedDateTime":"2026-01-02T03:04:05.678+01:00","time":1.5,"request":{"method":"POST","url":"http://h/a?b=1","headers":[{"name":":path","value":"/"},{"name":"X-Q","value":"1"}],"postData":{"mimeType":"application/json","text":"{\"a\":1}"}},"response":{"status":204}},
               {"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"POST","url":"http://h/","headers":[],"postData":{"text":"/w==","encoding":"base64"}}},
               {"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"http://h/logo","headers":[]}},
               {"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"http://h/","headers":[{"name":"x-twenty-webhook-nonce","value":"0"}]}}"#,
        );
        let recording = read(&text).unwrap();
        let [first, second, third] = &recording.exchanges[..] else { panic!("{recording:?}") };
        assert_eq!((first.delivery.target.as_str(), &first.delivery.body[..]), ("/a?b=1", &b"{\"a\":1}"[..]));
        assert_eq!((first.delivery.headers.0.len(), first.at_ms), (1, 1_767_319_445_678));
        assert_eq!(first.outcome.status(), Some(204));
        assert_eq!(second.delivery.body, &b"\xff"[..]);
        assert_eq!(third.delivery.method, "GET");
        assert!(recording.remarks[0].starts_with("skipped 1 of 4 "), "{:?}", recording.remarks);
    }

    #[test]
    fn unreadable_entry_is_named_with_its_line() {
        let good = r#"{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"POST","url":"http://h/","headers":[],"postData":{"text":"{}"}}}"#;
        for (change, words) in [
            (("\"text\":\"{}\"", "\"params\":[]"), "no `text`"),
            (("\"text\":\"{}\"", "\"text\":\"x\",\"encoding\":\"gzip\""), "gzip"),
            (("http://h/", "nowhere"), "nowhere"),
            (("2026-01-02T03:04:05Z", "yesterday"), "yesterday"),
            (("\"method\":\"POST\",", ""), "method"),
        ] {
            let why = read(&har(&format!("{good},\n{}", good.replace(change.0, change.1)))).unwrap_err();
            assert!(why.starts_with("line 4: log.entries[1]: ") && why.contains(words), "{why}");
        }
    }
}
