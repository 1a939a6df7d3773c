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
/// What separates them. With plain spaces, the redaction of all output would find digits of the secret by chance. The bytes are
/// redacted already.
const BETWEEN: char = '\u{a0}';

/// How much of a body is looked at: no page shows more.
const LONGEST: usize = 64 * 1024;

/// A message as bytes, of which only the beginning may be here.
struct Message {
    begin: Vec<u8>,
    length: usize,
}

/// One exchange: what was sent and answered, as text and digits.
pub(super) fn exchange(exchange: &Exchange, is_receiver: bool, room: Room) -> Markup {
    let request = request(&exchange.delivery);
    html! {
        h5 { (messages::bytes(messages::request(is_receiver), request.length)) }
        @if let Some(how) = messages::transfer(&exchange.delivery.transfer) { p.small.dim { (how) } }
        (scrolled(messages::sent_text(), characters(&request, room.text)))
        details.inner {
            summary { (messages::as_digits()) }
            (scrolled(messages::sent_digits(), digits(&request, room.digits)))
            p.small.dim { (messages::without_connection_headers()) }
        }
        @if let Outcome::Answered(response) = &exchange.outcome {
            @let answer = answer(response);
            h5 { (messages::bytes(messages::answer(), answer.length)) }
            (scrolled(messages::answered_text(), characters(&answer, room.text)))
            details.inner {
                summary { (messages::as_digits()) }
                (scrolled(messages::answered_digits(), digits(&answer, room.digits / 2)))
            }
            @if response.cut > 0 { p.small.dim { (messages::not_kept(response.cut)) } }
        }
    }
}

/// What was answered, and after how long.
pub(super) fn answer_in_short(exchange: &Exchange, room: Room) -> Markup {
    html! {
        h4 { (messages::answer_after(exchange.took)) }
        (outcome(&exchange.outcome, room.text / 4))
    }
}

/// The request and the answer as text alone.
pub(super) fn brief(exchange: &Exchange, room: Room) -> Markup {
    html! {
        (scrolled(messages::sent_text(), characters(&request(&exchange.delivery), room.text / 3)))
        (outcome(&exchange.outcome, room.text / 6))
    }
}

fn outcome(outcome: &Outcome, most: usize) -> Markup {
    match outcome {
        Outcome::Answered(response) => scrolled(messages::answer_text(), characters(&answer(response), most)),
        other => html! { p { (text::line(&other.to_string())) } },
    }
}

/// An answer of a report whose exchanges are elsewhere.
pub(super) fn stored_answer(answer: &AnswerEntry, room: Room) -> Markup {
    let mut head = status_line(answer.status);
    for (name, value) in &answer.headers {
        // Writing to a string does not fail.
        let _ = writeln!(head, "{name}: {value}");
    }
    let begin = format!("{head}\n{}", answer.body).into_bytes();
    let length = begin.len();
    scrolled(messages::answer_text(), characters(&Message { begin, length }, room.text))
}

/// Text that scrolls if it is long; then it can be reached by keys. `label` names it for screen readers.
fn scrolled(label: &str, (content, scrolls): (Markup, bool)) -> Markup {
    html! {
        @if scrolls { pre.raw tabindex="0" role="group" aria-label=(label) { (content) } }
        @else { pre.raw { (content) } }
    }
}

/// Whether a text may need more lines than are shown at once on a phone.
fn is_tall(text: &str) -> bool {
    /// How many lines are always visible, and how many characters fit in each.
    const VISIBLE: (usize, usize) = (17, 38);
    text.lines().map(|line| line.chars().count().div_ceil(VISIBLE.1).max(1)).sum::<usize>() > VISIBLE.0
}

/// The request without the headers that belong to the connection.
fn request(delivery: &Delivery) -> Message {
    let first = format!("{} {} HTTP/1.1\r\n", delivery.method, delivery.target);
    message(first, &delivery.headers, &delivery.body)
}

fn answer(response: &Response) -> Message {
    message(status_line(response.status), &response.headers, &response.body)
}

fn status_line(status: u16) -> String {
    format!("HTTP/1.1 {status} {}", reason(status)).trim_end().to_owned() + "\r\n"
}

fn message(first: String, headers: &Headers, body: &[u8]) -> Message {
    let mut begin = first.into_bytes();
    for (name, value) in &headers.0 {
        begin.extend_from_slice(name.as_bytes());
        begin.extend_from_slice(b": ");
        begin.extend_from_slice(value);
        begin.extend_from_slice(b"\r\n");
    }
    begin.extend_from_slice(b"\r\n");
    let length = begin.len() + body.len();
    begin.extend_from_slice(&body[..body.len().min(LONGEST)]);
    Message { begin, length }
}

/// The beginning as text, with how many bytes are missing, and whether it is tall.
fn characters(message: &Message, most: usize) -> (Markup, bool) {
    let (shown, missing) = message.shown(most);
    let shown = terminal::text(shown);
    (html! { (text::whole(&shown)) (rest(missing)) }, is_tall(&shown))
}

/// The beginning as hexadecimal digits, with how many bytes are missing. A line is too long for a phone.
fn digits(message: &Message, most: usize) -> (Markup, bool) {
    let (shown, missing) = message.shown(most);
    let mut lines = String::new();
    for (number, line) in shown.chunks(LINE).enumerate() {
        // Writing to a string does not fail.
        let _ = write!(lines, "{:06x} ", number * LINE);
        for at in 0..LINE {
            let _ = match line.get(at) {
                Some(byte) => write!(lines, "{BETWEEN}{byte:02x}"),
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
    (html! { (text::whole(lines.trim_end_matches('\n'))) (rest(missing)) }, true)
}

fn rest(missing: usize) -> Markup {
    html! { @if missing > 0 { span.cut { "\n" (messages::more_bytes(missing)) } } }
}

impl Message {
    /// At most so many of the first bytes, without a part of a character, and how many are missing. A few more are shown rather than
    /// cut.
    fn shown(&self, most: usize) -> (&[u8], usize) {
        let begin = &self.begin;
        if self.length <= most + most / 8 && begin.len() == self.length {
            return (begin, 0);
        }
        let most = most.min(begin.len());
        let continues = |at: &usize| begin.get(*at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
        let end = (most.saturating_sub(3)..=most).rev().find(|at| !continues(at)).unwrap_or(most);
        (&begin[..end], self.length - end)
    }
}

#[cfg(test)]
mod tests {
    use super::{BETWEEN, Message, digits};

    fn message(bytes: &[u8]) -> Message {
        Message { begin: bytes.to_vec(), length: bytes.len() }
    }

    #[test]
    fn digits_have_offsets_and_characters() {
        let shown = digits(&message(b"POST / HTTP/1.1\r\n\xff<"), 100).0.into_string();
        let expected = "000000 _50_4f_53_54_20_2f_20_48_54_54_50_2f_31_2e_31_0d  POST / HTTP/1.1.\n\
                        000010 _0a_ff_3c                                         ..&lt;";
        assert_eq!(shown.replace(BETWEEN, "_"), expected);
    }

    #[test]
    fn cut_is_told_and_splits_no_character() {
        assert_eq!(message("äääääääää".as_bytes()).shown(9), ("ääää".as_bytes(), 10));
        assert_eq!(message(&[0x80; 9]).shown(4).0.len(), 4);
        assert_eq!(message(b"123456789").shown(8), (&b"123456789"[..], 0));
        assert_eq!(Message { begin: b"123".to_vec(), length: 900 }.shown(800), (&b"123"[..], 897));
    }
}
