//! A delivery as a command that a person can paste into bash.
//!
//! Invariant: the command sends the same header values and the same body bytes; what cannot be typed is escaped in a
//! header, and goes through base64 in a body.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::wire::exchange::{Delivery, ExchangeId, Transfer, Trust};

/// Beyond this length curl asks for `100 Continue` by itself.
const EXPECTS_BEYOND: usize = 1024 * 1024;

/// The longest word that goes on a command line: no system takes less than 128 KiB.
const LONGEST_WORD: usize = 100_000;

/// The longest body that is shown in a command where it can stand in a file instead.
const SHOWN_BODY: usize = 512;

/// Where the body of an exchange stands in the folder of a run's evidence.
pub(super) fn body_name(id: ExchangeId) -> PathBuf {
    Path::new("bodies").join(format!("{}.bin", id.0))
}

/// Whether a body is better read from a file than shown: it is long, or a shell cannot take it as it is.
pub(super) fn wants_file(body: &[u8]) -> bool {
    let typed = std::str::from_utf8(body).is_ok_and(is_printable) && !body.starts_with(b"@");
    body.len() > SHOWN_BODY || !typed
}

/// The command that sends this delivery to a URL, its body from a file where there is one.
pub(super) fn command(url: &str, trust: &Trust, delivery: &Delivery, file: Option<&Path>) -> String {
    let mut words =
        vec!["curl".to_owned(), "-sS".to_owned(), "-i".to_owned(), "-X".to_owned(), delivery.method.clone()];
    words.push(quoted(url.as_bytes()));
    if url.starts_with("https:") {
        // It would speak HTTP/2 where the peer does.
        words.push("--http1.1".to_owned());
        match trust {
            Trust::System => {}
            Trust::File(path) => {
                words.extend(["--cacert".to_owned(), quoted(path.as_os_str().as_encoded_bytes())]);
            }
            Trust::Any => words.push("-k".to_owned()),
        }
    }
    let mut body = &delivery.body[..];
    // curl chooses the chunks' and the segments' lengths itself; the framing is what it can repeat.
    let framing = match delivery.transfer {
        Transfer::Chunks(_) => Some("Transfer-Encoding: chunked".to_owned()),
        Transfer::Expecting => Some("Expect: 100-continue".to_owned()),
        Transfer::Broken(sent) => {
            let announced = format!("Content-Length: {}", body.len());
            body = &body[..body.len().min(sent)];
            words.extend(["--max-time".to_owned(), "1".to_owned()]);
            Some(announced)
        }
        Transfer::Whole | Transfer::Segments(_) => None,
    };
    let unasked = (body.len() > EXPECTS_BEYOND && delivery.transfer != Transfer::Expecting)
        .then(|| "Expect:".to_owned());
    for header in framing.into_iter().chain(unasked) {
        words.extend(["-H".to_owned(), quoted(header.as_bytes())]);
    }
    for (name, value) in &delivery.headers.0 {
        // curl drops a header with an empty value unless it ends with a semicolon.
        let header = if value.is_empty() {
            format!("{name};").into_bytes()
        } else {
            [name.as_bytes(), b": ", value].concat()
        };
        words.extend(["-H".to_owned(), quoted(&header)]);
    }
    words.push("--data-binary".to_owned());
    if let Some(file) = file.filter(|_| body.len() == delivery.body.len()) {
        words.push(quoted(&[b"@", file.as_os_str().as_encoded_bytes()].concat()));
        return words.join(" ");
    }
    let text = std::str::from_utf8(body).is_ok_and(is_printable);
    if text && body.len() <= LONGEST_WORD && !body.starts_with(b"@") {
        words.push(quoted(body));
        return words.join(" ");
    }
    words.push("@-".to_owned());
    // The shell's own printf takes a word of any length.
    let source = if text { quoted(body) } else { format!("{} | base64 -d", STANDARD.encode(body)) };
    format!("printf %s {source} | {}", words.join(" "))
}

fn is_printable(text: &str) -> bool {
    !text.chars().any(|character| character.is_control() && character != '\n')
}

/// A word as bash reads it: in plain quotes, or with escapes where it holds what is no printable text.
fn quoted(word: &[u8]) -> String {
    if let Some(text) = std::str::from_utf8(word).ok().filter(|text| is_printable(text)) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut escaped = String::from("$'");
    for &byte in word {
        match byte {
            b'\'' | b'\\' => escaped.extend(['\\', char::from(byte)]),
            b' '..=b'~' => escaped.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => _ = write!(escaped, "\\x{byte:02X}"),
        }
    }
    escaped + "'"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bytes::Bytes;

    use super::command;
    use crate::wire::exchange::{Delivery, Headers, Transfer, Trust};

    fn delivery(body: &'static [u8]) -> Delivery {
        let headers = Headers(vec![("X-A".to_owned(), Bytes::from_static(b"it's"))]);
        Delivery {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers,
            body: Bytes::from_static(body),
            transfer: Transfer::Whole,
        }
    }

    fn plain(delivery: &Delivery) -> String {
        command("http://h/", &Trust::System, delivery, None)
    }

    #[test]
    fn quotes_what_a_shell_would_take_apart() {
        let command = command("http://h/?a=1&b=2", &Trust::System, &delivery(b"{\"a\":\"it's\"}"), None);
        assert_eq!(
            command,
            r#"curl -sS -i -X POST 'http://h/?a=1&b=2' -H 'X-A: it'\''s' --data-binary '{"a":"it'\''s"}'"#
        );
    }

    #[test]
    fn pipes_what_cannot_be_typed() {
        let command = plain(&delivery(b"\xff\x00"));
        assert!(
            command.starts_with("printf %s /wA= | base64 -d | curl ")
                && command.ends_with("--data-binary @-")
        );
        let long = plain(&Delivery { body: vec![b'x'; 200_000].into(), ..delivery(b"") });
        assert!(long.starts_with("printf %s 'xxx") && long.ends_with("--data-binary @-"));
    }

    #[test]
    fn escapes_the_bytes_of_a_header_that_are_no_text() {
        let mut delivery = delivery(b"{}");
        delivery.headers.set("X-A", &b"\xe9a'\\\x01"[..]);
        assert!(plain(&delivery).contains(r" -H $'X-A: \xE9a\'\\\x01' "), "{}", plain(&delivery));
        delivery.headers.set("X-A", "日本 é");
        assert!(plain(&delivery).contains(" -H 'X-A: 日本 é' "), "{}", plain(&delivery));
    }

    #[test]
    fn says_how_the_body_goes() {
        let mut delivery = delivery(b"{\"a\":1}");
        for (transfer, words) in [
            (Transfer::Chunks(vec![1]), " -H 'Transfer-Encoding: chunked' "),
            (Transfer::Expecting, " -H 'Expect: 100-continue' "),
            (Transfer::Broken(2), " --max-time 1 -H 'Content-Length: 7' "),
        ] {
            delivery.transfer = transfer;
            assert!(plain(&delivery).contains(words), "{}", plain(&delivery));
        }
        assert!(plain(&delivery).ends_with(r#"--data-binary '{"'"#), "{}", plain(&delivery));
        (delivery.transfer, delivery.body) = (Transfer::Whole, vec![b'x'; 2 * 1024 * 1024].into());
        assert!(plain(&delivery).contains(" -H 'Expect:' "));
    }

    #[test]
    fn says_whose_certificate_is_taken() {
        let https = |trust: Trust| command("https://h/", &trust, &delivery(b"{}"), None);
        assert!(https(Trust::System).contains(" 'https://h/' --http1.1 -H "));
        assert!(https(Trust::File("a b.pem".into())).contains(" --http1.1 --cacert 'a b.pem' -H "));
        assert!(https(Trust::Any).contains(" --http1.1 -k -H "));
        assert!(!plain(&delivery(b"{}")).contains("http1"));
    }

    #[test]
    fn reads_what_is_long_or_cannot_be_typed_from_a_file() {
        let long = [b'x'; super::SHOWN_BODY + 1];
        for (body, wants) in
            [(&b"{}"[..], false), (b"\xff", true), (b"@file", true), (b"a\nb", false), (&long, true)]
        {
            assert_eq!(super::wants_file(body), wants, "{body:?}");
        }
        let file = Path::new("out dir/bodies/7.bin");
        let command = command("http://h/", &Trust::System, &delivery(b"\xff"), Some(file));
        assert!(command.ends_with(" --data-binary '@out dir/bodies/7.bin'"), "{command}");
    }
}
