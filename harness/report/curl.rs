//! A delivery as a `curl` command for bash.
//!
//! The command sends the same header values and the same body bytes. Bytes that cannot be typed are escaped in headers, and
//! base64-encoded in bodies.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::wire::exchange::{Delivery, ExchangeId, Transfer, Trust};

/// Past this body length curl sends `Expect: 100-continue` by itself.
const EXPECTS_PAST: usize = 1024 * 1024;

/// The longest argument: every system allows 128 KiB.
const LONGEST_WORD: usize = 100_000;

/// The longest body that is shown in a command if a file can have it instead.
const SHOWN_BODY: usize = 512;

/// The file with the body of an exchange, in the folder of a run's evidence.
pub(super) fn body_name(id: ExchangeId) -> PathBuf {
    Path::new("bodies").join(format!("{}.bin", id.0))
}

/// Whether a body is better read from a file: it is long, or cannot be typed.
pub(super) fn wants_file(body: &[u8]) -> bool {
    let typed = std::str::from_utf8(body).is_ok_and(is_printable) && !body.starts_with(b"@");
    body.len() > SHOWN_BODY || !typed
}

/// The command that sends this delivery to a URL, with the body from a file if one is given.
pub(super) fn command(url: &str, trust: &Trust, delivery: &Delivery, file: Option<&Path>) -> String {
    let mut words =
        vec!["curl".to_owned(), "-sS".to_owned(), "-i".to_owned(), "-X".to_owned(), delivery.method.clone()];
    words.push(quoted(url.as_bytes()));
    if url.starts_with("https:") {
        // Without it, curl may choose HTTP/2.
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
    // curl chooses the lengths of chunks and segments itself, so only the framing can be repeated.
    let framing = match delivery.transfer {
        Transfer::Chunks(_) => Some("Transfer-Encoding: chunked".to_owned()),
        Transfer::Expecting => Some("Expect: 100-continue".to_owned()),
        Transfer::Broken(_) | Transfer::Aborted(_) => {
            let announced = format!("Content-Length: {}", body.len());
            body = &body[..delivery.transfer.cut_off_after(body.len()).unwrap_or(body.len())];
            words.extend(["--max-time".to_owned(), "1".to_owned()]);
            Some(announced)
        }
        Transfer::Whole | Transfer::Segments(_) => None,
    };
    let unasked =
        (body.len() > EXPECTS_PAST && delivery.transfer != Transfer::Expecting).then(|| "Expect:".to_owned());
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
    // The shell's builtin printf accepts arguments of any length.
    let source = if text { quoted(body) } else { format!("{} | base64 -d", STANDARD.encode(body)) };
    format!("printf %s {source} | {}", words.join(" "))
}

fn is_printable(text: &str) -> bool {
    !text.chars().any(|character| character.is_control() && character != '\n')
}

/// A word for bash: in single quotes, or with escapes if it is not printable text.
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
    fn quotes_shell_metacharacters() {
        let command = command("http://h/?a=1&b=2", &Trust::System, &delivery(b"{\"a\":\"it's\"}"), None);
        assert_eq!(
            command,
            r#"curl -sS -i -X POST 'http://h/?a=1&b=2' -H 'X-A: it'\''s' --data-binary '{"a":"it'\''s"}'"#
        );
    }

    #[test]
    fn pipes_bodies_that_are_binary_or_too_long() {
        let command = plain(&delivery(b"\xff\x00"));
        assert!(
            command.starts_with("printf %s /wA= | base64 -d | curl ")
                && command.ends_with("--data-binary @-")
        );
        let long = plain(&Delivery { body: vec![b'x'; 200_000].into(), ..delivery(b"") });
        assert!(long.starts_with("printf %s 'xxx") && long.ends_with("--data-binary @-"));
    }

    #[test]
    fn escapes_binary_header_values() {
        let mut delivery = delivery(b"{}");
        delivery.headers.set("X-A", &b"\xe9a'\\\x01"[..]);
        assert!(plain(&delivery).contains(r" -H $'X-A: \xE9a\'\\\x01' "), "{}", plain(&delivery));
        delivery.headers.set("X-A", "日本 é");
        assert!(plain(&delivery).contains(" -H 'X-A: 日本 é' "), "{}", plain(&delivery));
    }

    #[test]
    fn repeats_the_framing_of_the_body() {
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
    fn says_which_certificates_are_trusted() {
        let https = |trust: Trust| command("https://h/", &trust, &delivery(b"{}"), None);
        assert!(https(Trust::System).contains(" 'https://h/' --http1.1 -H "));
        assert!(https(Trust::File("a b.pem".into())).contains(" --http1.1 --cacert 'a b.pem' -H "));
        assert!(https(Trust::Any).contains(" --http1.1 -k -H "));
        assert!(!plain(&delivery(b"{}")).contains("http1"));
    }

    #[test]
    fn reads_long_or_binary_bodies_from_a_file() {
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
