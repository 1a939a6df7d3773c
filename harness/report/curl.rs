//! A delivery as a command that a person can paste.
//!
//! Invariant: the command sends the same header values and the same body bytes; what cannot be typed goes through base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::exchange::{Delivery, Transfer};

/// The command that sends this delivery to a URL.
pub(super) fn command(url: &str, delivery: &Delivery) -> String {
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
    match std::str::from_utf8(&delivery.body) {
        Ok(text)
            if !text.starts_with('@')
                && !text.chars().any(|character| character.is_control() && character != '\n') =>
        {
            words.push(quoted(text));
            words.join(" ")
        }
        _ => {
            words.push("@-".to_owned());
            format!("printf %s {} | base64 -d | {}", STANDARD.encode(&delivery.body), words.join(" "))
        }
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
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
        let command = command("http://h/?a=1&b=2", &delivery(b"{\"a\":\"it's\"}"));
        assert_eq!(
            command,
            r#"curl -sS -i -X POST 'http://h/?a=1&b=2' -H 'X-A: it'\''s' --data-binary '{"a":"it'\''s"}'"#
        );
    }

    #[test]
    fn pipes_what_cannot_be_typed() {
        let command = command("http://h/", &delivery(b"\xff\x00"));
        assert!(
            command.starts_with("printf %s /wA= | base64 -d | curl ")
                && command.ends_with("--data-binary @-")
        );
    }
}
