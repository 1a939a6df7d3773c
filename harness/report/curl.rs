//! A delivery as a command that a person can paste.
//!
//! Invariant: the command sends the same header values and the same body bytes; what cannot be typed goes through base64.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::exchange::{Delivery, Transfer};

/// The longest body that is shown in a command where it can stand in a file instead.
const SHOWN_BODY: usize = 512;

/// Whether a body is better read from a file than shown: it is long, or a shell cannot take it as it is.
pub(super) fn wants_file(body: &[u8]) -> bool {
    body.len() > SHOWN_BODY || typed(body).is_none()
}

/// The command that sends this delivery to a URL, its body from a file where there is one.
pub(super) fn command(url: &str, delivery: &Delivery, file: Option<&Path>) -> String {
    let mut words =
        vec!["curl".to_owned(), "-sS".to_owned(), "-i".to_owned(), "-X".to_owned(), delivery.method.clone()];
    words.push(quoted(url));
    if matches!(delivery.transfer, Transfer::Chunks(_)) {
        // curl chooses the chunks' lengths itself; the coding is what it can repeat.
        words.extend(["-H".to_owned(), quoted("Transfer-Encoding: chunked")]);
    }
    for (name, value) in &delivery.headers.0 {
        words.push("-H".to_owned());
        let value = String::from_utf8_lossy(value);
        // curl drops a header with an empty value unless it ends with a semicolon.
        words.push(quoted(&if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") }));
    }
    words.push("--data-binary".to_owned());
    if let Some(file) = file {
        words.push(quoted(&format!("@{}", file.display())));
        return words.join(" ");
    }
    match typed(&delivery.body) {
        Some(text) => {
            words.push(quoted(text));
            words.join(" ")
        }
        None => {
            words.push("@-".to_owned());
            format!("printf %s {} | base64 -d | {}", STANDARD.encode(&delivery.body), words.join(" "))
        }
    }
}

/// The body as a text that can be typed between quotes, where it is one.
fn typed(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let is_typed = |character: char| !character.is_control() || character == '\n';
    (!text.starts_with('@') && text.chars().all(is_typed)).then_some(text)
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bytes::Bytes;

    use super::command;
    use crate::exchange::{Delivery, Headers, Transfer};

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

    #[test]
    fn quotes_what_a_shell_would_take_apart() {
        let command = command("http://h/?a=1&b=2", &delivery(b"{\"a\":\"it's\"}"), None);
        assert_eq!(
            command,
            r#"curl -sS -i -X POST 'http://h/?a=1&b=2' -H 'X-A: it'\''s' --data-binary '{"a":"it'\''s"}'"#
        );
    }

    #[test]
    fn pipes_what_cannot_be_typed() {
        let command = command("http://h/", &delivery(b"\xff\x00"), None);
        assert!(
            command.starts_with("printf %s /wA= | base64 -d | curl ")
                && command.ends_with("--data-binary @-")
        );
    }

    #[test]
    fn reads_what_is_long_or_cannot_be_typed_from_a_file() {
        let long = [b'x'; super::SHOWN_BODY + 1];
        for (body, wants) in
            [(&b"{}"[..], false), (b"\xff", true), (b"@file", true), (b"a\nb", false), (&long, true)]
        {
            assert_eq!(super::wants_file(body), wants, "{body:?}");
        }
        let command = command("http://h/", &delivery(b"\xff"), Some(Path::new("out dir/bodies/7.bin")));
        assert!(command.ends_with(" --data-binary '@out dir/bodies/7.bin'"), "{command}");
    }
}
