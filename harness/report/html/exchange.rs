//! An exchange as text and as hexadecimal digits, cut to what the page has room for.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::messages;
use super::room::Room;
use crate::page::text;
use crate::report::AnswerEntry;
use crate::terminal;
use crate::wire::codec::reason;
use crate::wire::exchange::{Delivery, Exchange, Headers, Outcome, Response};

/// How many bytes a line of digits has.
const LINE: usize = 16;

/// One exchange: what was sent as text and digits, and the answer.
pub(super) fn exchange(exchange: &Exchange, is_receiver: bool, room: Room) -> Markup {
    let delivery = &exchange.delivery;
    let sent = messages::bytes(&messages::request(is_receiver), request(delivery).len());
    html! {
        h5 { (sent) }
        @if let Some(how) = messages::transfer(&delivery.transfer) {
            p.small.dim { (how) }
        }
        (scrolled("request as text", bytes(&request(delivery), room.text)))
        details.inner {
            summary { (messages::as_digits()) }
            (scrolled("request as hexadecimal digits", digits(&request(delivery), room.digits)))
            p.small.dim { (messages::without_connection_headers()) }
        }
        @if let Outcome::Answered(response) = &exchange.outcome {
            h5 { (messages::bytes(messages::answer(), answer(response).len())) }
            (scrolled("whole answer as text", bytes(&answer(response), room.text)))
            details.inner {
                summary { (messages::as_digits()) }
                (scrolled("answer as hexadecimal digits", digits(&answer(response), room.digits / 2)))
            }
            @if response.cut > 0 { p.small.dim { (messages::not_kept(response.cut)) } }
        }
    }
}

/// What was answered, and after how long.
pub(super) fn answer_in_short(exchange: &Exchange, room: Room) -> Markup {
    html! {
        h4 { (messages::answer_after(exchange.took)) }
        @match &exchange.outcome {
            Outcome::Answered(response) => (scrolled("answer as text", bytes(&answer(response), room.text / 4))),
            other => p { (text::line(&other.to_string())) },
        }
    }
}

/// The request and the answer as text alone.
pub(super) fn brief(exchange: &Exchange, room: Room) -> Markup {
    html! {
        (scrolled("request as text", bytes(&request(&exchange.delivery), room.text / 3)))
        @match &exchange.outcome {
            Outcome::Answered(response) => (scrolled("answer as text", bytes(&answer(response), room.text / 6))),
            other => p { (text::line(&other.to_string())) },
        }
    }
}

/// An answer of a report whose exchanges are elsewhere.
pub(super) fn stored_answer(answer: &AnswerEntry, room: Room) -> Markup {
    let mut head = status_line(answer.status);
    for (name, value) in &answer.headers {
        // Writing to a string does not fail.
        let _ = writeln!(head, "{name}: {value}");
    }
    scrolled("answer as text", bytes(format!("{head}\n{}", answer.body).as_bytes(), room.text))
}

/// Text that scrolls if it is long. `label` names it for screen readers.
fn scrolled(label: &str, content: Markup) -> Markup {
    html! { pre.raw tabindex="0" role="region" aria-label=(label) { (content) } }
}

/// The request as bytes, without the headers that belong to the connection.
fn request(delivery: &Delivery) -> Vec<u8> {
    let first = format!("{} {} HTTP/1.1\r\n", delivery.method, delivery.target);
    message(first, &delivery.headers, &delivery.body)
}

fn answer(response: &Response) -> Vec<u8> {
    message(status_line(response.status), &response.headers, &response.body)
}

fn status_line(status: u16) -> String {
    format!("HTTP/1.1 {status} {}", reason(status)).trim_end().to_owned() + "\r\n"
}

fn message(first: String, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut bytes = first.into_bytes();
    for (name, value) in &headers.0 {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// The first bytes as text, with how many are missing.
fn bytes(bytes: &[u8], most: usize) -> Markup {
    let (shown, missing) = begin(bytes, most);
    html! {
        (text::block(&terminal::text(shown)))
        @if missing > 0 {
            span.cut { "\n" (messages::more_bytes(missing)) }
        }
    }
}

/// The first bytes as hexadecimal digits, with how many are missing.
fn digits(bytes: &[u8], most: usize) -> Markup {
    let (shown, missing) = begin(bytes, most);
    let mut lines = String::new();
    for (number, line) in shown.chunks(LINE).enumerate() {
        let _ = write!(lines, "{:06x} ", number * LINE);
        for at in 0..LINE {
            let _ = match line.get(at) {
                Some(byte) => write!(lines, " {byte:02x}"),
                None => write!(lines, "   "),
            };
        }
        lines.push_str("  ");
        lines.extend(line.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        }));
        lines.push('\n');
    }
    html! {
        (text::block(lines.trim_end_matches('\n')))
        @if missing > 0 {
            span.cut { "\n" (messages::more_bytes(missing)) }
        }
    }
}

/// At most so many of the first bytes, without a part of a character, and how many are missing. A few more are shown rather than cut.
fn begin(bytes: &[u8], most: usize) -> (&[u8], usize) {
    if bytes.len() <= most + most / 8 {
        return (bytes, 0);
    }
    let continues = |at: usize| bytes[at] & 0b1100_0000 == 0b1000_0000;
    let end = (most.saturating_sub(3)..=most).rev().find(|at| !continues(*at)).unwrap_or(most);
    (&bytes[..end], bytes.len() - end)
}

#[cfg(test)]
mod tests {
    use super::{begin, digits};

    #[test]
    fn digits_have_offsets_and_characters() {
        let shown = digits(b"POST / HTTP/1.1\r\n\xff<", 100).into_string();
        let expected = "000000  50 4f 53 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d  POST / HTTP/1.1.\n\
                        000010  0a ff 3c                                         ..&lt;";
        assert_eq!(shown, expected);
    }

    #[test]
    fn cut_is_told_and_splits_no_character() {
        assert_eq!(begin("äääääääää".as_bytes(), 9), ("ääää".as_bytes(), 10));
        assert_eq!(begin(b"\x80\x80\x80\x80\x80\x80\x80\x80\x80", 4).0.len(), 4);
        assert_eq!(begin(b"123456789", 8), (&b"123456789"[..], 0));
    }
}
