//! `verify` on captures: every form is read, several requests in one file each get a verdict, and bad input is an error with its fix.

mod bad;
mod files;
mod writers;

use proptest::prelude::*;
use twenty_conform::capture::{self, Body, Captured};
use twenty_conform::sign;
use writers::{HOST, Sent, TARGET, WRITERS};

pub(crate) const SECRET: &str = "your-secret";
const TIMESTAMP: &str = "1767323045678";

/// A request that is signed with [`SECRET`].
pub(crate) fn signed(body: &str) -> Sent {
    let header = |name: &str, value: String| (name.to_owned(), value);
    Sent {
        headers: vec![
            header("Host", HOST.to_owned()),
            header("Content-Type", "application/json".to_owned()),
            header("X-Twenty-Webhook-Timestamp", TIMESTAMP.to_owned()),
            header("X-Twenty-Webhook-Signature", sign(SECRET, TIMESTAMP, body)),
        ],
        body: body.to_owned(),
    }
}

#[track_caller]
fn read(text: &str) -> capture::Captures {
    capture::read(text.as_bytes()).unwrap_or_else(|why| panic!("{why:?} in {text}"))
}

fn header<'a>(request: &'a Captured, name: &str) -> Option<&'a [u8]> {
    request.headers.single(name).map(|value| &**value)
}

/// Bodies as webhooks have them, with everything that a shell or a parser may change.
fn bodies() -> impl Strategy<Value = String> {
    let text = "([ -~\u{e4}-\u{eb}\u{4e00}\u{1f600}]|\\\\n|\\\\\\\\|\\\\\"){0,24}";
    (text, any::<bool>(), any::<u16>()).prop_map(|(text, is_pretty, number)| {
        let value = serde_json::json!({"event": "note.created", "data": {"body": text, "position": number}});
        if is_pretty { format!("{value:#}") } else { value.to_string() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn request_in_every_form_reads_back_the_same(body in bodies()) {
        let sent = signed(&body);
        for (name, form, write) in WRITERS {
            let text = write(&sent);
            let captures = read(&text);
            prop_assert_eq!(captures.form, *form, "{}: {}", name, &text);
            prop_assert_eq!(captures.requests.len(), 1, "{}: {}", name, &text);
            let request = &captures.requests[0];
            prop_assert_eq!((&*request.method, &*request.target), ("POST", TARGET), "{}: {}", name, &text);
            let found = request.bytes().map(|body| String::from_utf8_lossy(body).into_owned());
            prop_assert_eq!(found.as_ref(), Ok(&body), "{}: {}", name, &text);
            for (header_name, value) in &sent.headers {
                prop_assert_eq!(header(request, header_name), Some(value.as_bytes()), "{}: {}", name, &text);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = capture::read(&bytes);
    }

    /// Text of the kinds that parsers look at, and written captures with a part cut out or put in twice.
    #[test]
    fn any_change_of_a_capture_is_read_or_refused(
        writer in 0..WRITERS.len(),
        (from, to) in (0.0..1.0_f64, 0.0..1.0_f64),
        with in "[-'\"`^$@{}()\\[\\]\\\\<>|&;#:,= \r\nu0x]{0,12}",
    ) {
        let text = (WRITERS[writer].2)(&signed("{\"event\":\"a.b\",\"data\":{\"x\":\"\u{eb}'&\"}}")).into_bytes();
        let place = |share: f64| (text.len() as f64 * share) as usize;
        let (first, second) = (place(from.min(to)), place(from.max(to)));
        let cut = [&text[..first], with.as_bytes(), &text[second..]].concat();
        let twice = [&text[..second], with.as_bytes(), &text[first..]].concat();
        for changed in [cut, twice] {
            if let Ok(captures) = capture::read(&changed) {
                prop_assert!(!captures.requests.is_empty());
            }
        }
    }
}

#[test]
fn several_requests_of_one_file_are_read() {
    let sent = signed("{\"event\":\"a.b\"}");
    for (name, form, write) in WRITERS {
        let one = write(&sent);
        let text =
            format!("{}\n\n{}", one.trim_end_matches(['\r', '\n']), one.trim_start_matches('\u{feff}'));
        let captures = read(&text);
        assert_eq!(captures.requests.len(), 2, "{name}: {text}");
        assert_eq!(captures.form, *form, "{name}");
        for (at, request) in captures.requests.iter().enumerate() {
            assert_eq!(request.bytes().map(|body| &**body), Ok(sent.body.as_bytes()), "{name}");
            assert_eq!(request.number, at + 1, "{name}");
        }
        let second = one.lines().count().max(one.trim_end().lines().count());
        assert!(captures.requests[1].line > second.saturating_sub(4), "{name}: {captures:?}\n{text}");
    }
}

#[test]
fn body_that_was_not_recorded_is_told_apart() {
    let head = "POST / HTTP/1.1\nX-Twenty-Webhook-Signature: 1\n";
    for (text, words) in [
        (head.to_owned(), "no empty line"),
        (
            format!("* Connected\n> {}> \n< HTTP/1.1 401\n", head.trim_end().replace('\n', "\n> ") + "\n"),
            "curl -v",
        ),
        ("curl https://a.b/ -H 'X-Twenty-Webhook-Signature: 1'".to_owned(), "sends no body"),
        ("curl https://a.b/ --data-binary @- -H 'X-Twenty-Webhook-Signature: 1'".to_owned(), "from stdin"),
        ("curl https://a.b/ -F 'a=b' -H 'X-Twenty-Webhook-Signature: 1'".to_owned(), "sends a form"),
        (r#"{"headers":{"x-twenty-webhook-signature":"1"}}"#.to_owned(), "no body"),
        (
            r#"{"request":{"method":"POST","url":"http://h/","headers":[],"bodySize":7}}"#.to_owned(),
            "`postData` is missing",
        ),
        (
            r#"{"request":{"method":"POST","url":"http://h/","headers":[],"postData":{"params":[]}}}"#
                .to_owned(),
            "`params`",
        ),
    ] {
        let captures = read(&text);
        let why = captures.requests[0].bytes().unwrap_err();
        assert!(why.contains(words), "{why} in {text}");
    }
    let parsed = read(r#"{"headers":{"a":"b"},"body":{"n":1.0,"text":"\u00eb/"}}"#);
    assert_eq!(parsed.requests[0].body, Body::Parsed("{\"n\":1,\"text\":\"ë/\"}".into()));
    assert!(parsed.requests[0].notes[0].contains("JSON.stringify"));
}

/// What `curl --trace` prints of a request.
const TRACE: &str = "== Info: Connected to a.b\n\
    => Send header, 25 bytes (0x19)\n\
    0000: 50 4f 53 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d POST / HTTP/1.1.\n\
    0010: 0a 61 3a 20 62 0d 0a 0d 0a                      .a: b....\n\
    => Send data, 10 bytes (0xa)\n\
    0000: 7b 22 61 22 3a 22 c3 ab 22 7d                   {\"a\":\"..\"}\n\
    <= Recv header, 17 bytes (0x11)\n\
    0000: 48 54 54 50 2f 31 2e 31 20 32 30 30 20 4f 4b 0d HTTP/1.1 200 OK.\n\
    0010: 0a                                              .\n";

#[test]
fn text_is_read_as_the_tool_that_made_it_means_it() {
    let body = |text: &str| String::from_utf8(read(text).requests[0].bytes().unwrap().to_vec()).unwrap();
    for (text, expected) in [
        // Options of one letter together, values attached to them, several parts.
        ("$ curl -sSkXPOST -d{} -da=1 https://a.b/ | jq .", "{}&a=1"),
        ("# a comment\nSIG=1 curl --json '{}' a.b 2>/dev/null >> log", "{}"),
        ("curl -d $'\\x7b\\u007d\\t\\101\\cG' a.b", "{}\tA\u{7}"),
        ("curl.exe -H \"a: b\" -d \"{\\\"a\\\":\\\"b & c\\\"}\" ^\r\n a.b", "{\"a\":\"b & c\"}"),
        ("PS C:\\> curl.exe -d '{''a''}' `\n a.b", "{'a'}"),
        (
            "$body = @\"\n{`\"a`\"}\n\"@\n$h = @{}\n$h.Add(\"a\", \"b\")\nirm 'https://a.b/' -Method Post -Headers $h -Body $body",
            "{\"a\"}",
        ),
        ("irm } , = a.b -Body '{}' }", "{}"),
        ("iwr a.b -Body ([System.Text.Encoding]::UTF8.GetBytes('{}'))", "{}"),
        // Stdin of a command.
        ("curl a.b -d @- <<'EOF'\n{\n\"a\"}\nEOF\ncurl c.d", "{\"a\"}"),
        ("curl --data-binary @- a.b <<< '{}' | jq", "{}\n"),
        // Traces.
        (TRACE, "{\"a\":\"\u{eb}\"}"),
        (
            "=> Send header, 32 bytes (0x20)\n0000: POST / HTTP/1.1\n0011: a: b\n0017: \n=> Send data, 2 bytes (0x2)\n0000: {}\n",
            "{}",
        ),
        // Headers next to the body.
        (r#"{"HTTP_X_TWENTY_WEBHOOK_SIGNATURE":"1","REQUEST_METHOD":"POST","body":"{}"}"#, "{}"),
        // Logs.
        ("2026-01-02 INFO start\napp_1 | {\"headers\":{\"HTTP_X_A\":\"1\"},\"body\":\"{}\"}\nend", "{}"),
        ("[12:00] {\"headers\":{\"a\":1},\"body\":\"{}\"}\n[12:01] {\"a\":1}\n", "{}"),
        ("\"{\\\"headers\\\":{\\\"a\\\":1},\\\"body\\\":\\\"{}\\\"}\"", "{}"),
        // What clients of editors and HTTPie write.
        ("### first\n# @name a\nPOST https://a.b/ HTTP/1.1\na: b\n\n{}\n\n###\nGET /", "{}"),
        ("POST / HTTP/1.1\na: b\n\n{}\n\nHTTP/1.1 200 OK\nc: d\n\nok", "{}"),
        ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n{}", "{}"),
        ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n", "{}"),
        ("POST / HTTP/1.1\nContent-Length: 2\n\n{}\n", "{}"),
        ("POST / HTTP/1.1\nContent-Length: 2\n\n{ }\n", "{ }\n"),
    ] {
        assert_eq!(body(text), expected, "{text}");
    }
    let utf16: Vec<u8> = "\u{feff}curl a.b -d '\u{eb}'".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let captures = capture::read(&utf16).unwrap();
    assert_eq!(captures.requests[0].bytes().unwrap(), "\u{eb}".as_bytes());
    assert!(captures.notes[0].contains("UTF-16"));
}
