//! What people copy wrongly: digits of the signature and the timestamp, and the ends of the body.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::encoding::MARK;
use super::white::replaced;
use super::{Tell, messages};
use crate::suite::cause::Code;

/// The fewest digits of a signature that are told as a part of it.
const FEWEST: usize = 8;
/// How many digits more or less a copied signature may have.
const MOST_OFF: usize = 2;

const SIGNATURE: &str = "signature";
const TIMESTAMP: &str = "timestamp";
const BODY: &str = "body";
const DIGIT: &str = "digit";
const CHARACTER: &str = "character";

/// How a copied signature differs from `signed`, the right one; `None` if it is another one.
pub(super) fn signature(signed: &str, header: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(header).to_lowercase();
    let copied: Vec<char> = text.chars().filter(|one| one.is_alphanumeric()).collect();
    let right: Vec<char> = signed.chars().collect();
    if copied == right {
        return Some(messages::characters_around(SIGNATURE));
    }
    if copied.len() == 2 * right.len() && copied.chunks(right.len()).all(|half| half == right) {
        return Some(messages::twice().to_owned());
    }
    let is_part = (FEWEST..right.len() - MOST_OFF).contains(&copied.len());
    if is_part && right.starts_with(&copied) {
        return Some(messages::only_first(copied.len()));
    }
    if is_part && right.ends_with(&copied) {
        return Some(messages::only_last(copied.len()));
    }
    differing(&copied, &right)
}

/// The same for one or two digits.
fn differing(copied: &[char], right: &[char]) -> Option<String> {
    let same = copied.iter().zip(right).take_while(|(one, other)| one == other).count();
    let (after, rest) = (copied.get(same..)?, &right[same..]);
    let tail = |text: &[char], from: usize| text.get(from..).unwrap_or_default().to_vec();
    match copied.len().cmp(&right.len()) {
        std::cmp::Ordering::Equal => {
            let mut wrong = (same..right.len()).filter(|&at| copied[at] != right[at]);
            match (wrong.next()?, wrong.next(), wrong.next()) {
                (at, None, _) => Some(messages::wrong(DIGIT, SIGNATURE, at + 1, copied[at], right[at])),
                (at, Some(next), None)
                    if next == at + 1 && copied[at] == right[next] && copied[next] == right[at] =>
                {
                    Some(messages::exchanged(DIGIT, SIGNATURE, at + 1))
                }
                (at, Some(next), None) => Some(messages::two_wrong(SIGNATURE, at + 1, next + 1)),
                _ => None,
            }
        }
        std::cmp::Ordering::Less if tail(rest, 1) == after => {
            Some(messages::missing(DIGIT, SIGNATURE, same + 1))
        }
        std::cmp::Ordering::Greater if tail(after, 1) == rest => {
            Some(messages::too_many(DIGIT, SIGNATURE, same + 1))
        }
        _ => None,
    }
    .or_else(|| is_near(after, rest, MOST_OFF).then(|| messages::two_off(same + 1)))
}

/// Whether at most `most` digits are missing, too many or wrong.
fn is_near(one: &[char], other: &[char], most: usize) -> bool {
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[same..], &other[same..]);
    match (one, other) {
        ([], rest) | (rest, []) => rest.len() <= most,
        _ if most == 0 => false,
        ([_, one_rest @ ..], [_, other_rest @ ..]) => {
            is_near(one_rest, other_rest, most - 1)
                || is_near(one_rest, other, most - 1)
                || is_near(one, other_rest, most - 1)
        }
    }
}

/// Timestamps that may have been signed, with what is wrong in the captured one. The likely ones come first.
pub(super) fn timestamps(captured: &[u8]) -> impl Iterator<Item = (String, String)> + '_ {
    let text = std::str::from_utf8(captured).unwrap_or_default().trim();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_plain = digits.as_bytes() == captured;
    let around =
        (!is_plain && !digits.is_empty()).then(|| (digits.clone(), messages::characters_around(TIMESTAMP)));
    let numbers: Vec<char> = if is_plain { digits.chars().collect() } else { Vec::new() };
    around.into_iter().chain(dates(text)).chain(units(text)).chain(wrong_digits(numbers))
}

/// The same for two digits that are wrong.
pub(super) fn timestamps_of_two(captured: &[u8]) -> impl Iterator<Item = (String, String)> {
    let text = std::str::from_utf8(captured).unwrap_or_default();
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let length = if digits.len() == text.len() { digits.len() } else { 0 };
    (0..length).flat_map(move |one| {
        let digits = digits.clone();
        (one + 1..length).flat_map(move |other| {
            let digits = digits.clone();
            (0..100_u8).filter_map(move |value| {
                let (first, second) = (char::from(b'0' + value / 10), char::from(b'0' + value % 10));
                let is_new = digits[one] != first && digits[other] != second;
                let mut text = digits.clone();
                (text[one], text[other]) = (first, second);
                is_new.then(|| (text.iter().collect(), messages::two_wrong(TIMESTAMP, one + 1, other + 1)))
            })
        })
    })
}

fn wrong_digits(digits: Vec<char>) -> impl Iterator<Item = (String, String)> {
    let length = digits.len();
    let all = || '0'..='9';
    let (changed, swapped, shorter, longer) = (digits.clone(), digits.clone(), digits.clone(), digits);
    let wrong = (0..length).flat_map(move |at| {
        let digits = changed.clone();
        all().filter(move |&digit| digit != digits[at]).map({
            let digits = changed.clone();
            move |digit| {
                let mut text = digits.clone();
                text[at] = digit;
                (text.iter().collect(), messages::wrong(DIGIT, TIMESTAMP, at + 1, digits[at], digit))
            }
        })
    });
    let exchanged = (1..length).filter_map(move |at| {
        let mut text = swapped.clone();
        text.swap(at - 1, at);
        (text != swapped).then(|| (text.iter().collect(), messages::exchanged(DIGIT, TIMESTAMP, at)))
    });
    let too_many = (0..length).map(move |at| {
        let mut text = shorter.clone();
        text.remove(at);
        (text.iter().collect(), messages::too_many(DIGIT, TIMESTAMP, at + 1))
    });
    let places = if length == 0 { 0 } else { length + 1 };
    let missing = (0..places).flat_map(move |at| {
        let digits = longer.clone();
        all().map(move |digit| {
            let mut text = digits.clone();
            text.insert(at, digit);
            (text.iter().collect(), messages::missing(DIGIT, TIMESTAMP, at + 1))
        })
    });
    wrong.chain(exchanged).chain(too_many).chain(missing)
}

/// Timestamps that a tool shows in seconds, microseconds or as a floating number.
fn units(text: &str) -> impl Iterator<Item = (String, String)> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let told =
        |form: &'static str| move |signed: String| (signed.clone(), messages::timestamp_as(form, &signed));
    let seconds = text.to_owned();
    let of_seconds = (0..1000_u32).map(move |ms| format!("{seconds}{ms:03}"));
    let smaller = if text.len() == 16 { "in microseconds" } else { "in nanoseconds" };
    let longer = [16, 19].contains(&text.len()).then(|| text.get(..13).map(str::to_owned)).flatten();
    let float =
        text.parse::<f64>().ok().filter(|value| !is_whole && (1e8..1e15).contains(value)).map(|value| {
            // Below this it is in seconds: milliseconds would be in the year 1973.
            format!("{:.0}", if value < 1e11 { value * 1000.0 } else { value })
        });
    of_seconds
        .take(if is_whole && text.len() == 10 { 1000 } else { 0 })
        .map(told("in seconds"))
        .chain(longer.filter(|_| is_whole).into_iter().map(told(smaller)))
        .chain(float.into_iter().map(told("a floating-point number")))
}

/// Timestamps that a tool shows as a date.
fn dates(text: &str) -> impl Iterator<Item = (String, String)> {
    let rfc_9110 = || jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let time = text.parse::<jiff::Timestamp>().ok().or_else(rfc_9110);
    let ms = time.and_then(|time| u64::try_from(time.as_millisecond()).ok());
    // A date without a fraction leaves open which millisecond.
    let count = if ms.is_some_and(|ms| ms % 1000 == 0) { 1000 } else { 1 };
    ms.into_iter().flat_map(move |ms| (ms..ms + count).map(|ms| ms.to_string())).map(|signed| {
        let told = messages::timestamp_as("a date", &signed);
        (signed, told)
    })
}

/// Text around the body, and a body without its first or last characters.
pub(super) fn ends(body: &[u8], tell: Tell<'_>) -> bool {
    let wrong = Code::CaptureCopiedWrong;
    let first = body.iter().position(|byte| matches!(byte, b'{' | b'['));
    let last = body.iter().rposition(|byte| matches!(byte, b'}' | b']'));
    let inner = first.zip(last).filter(|(first, last)| first < last).map(|(first, last)| &body[first..=last]);
    // White space and a byte-order mark are causes of their own.
    let around = |inner: &[u8]| {
        let (before, after) =
            (&body[..first.unwrap_or_default()], &body[first.unwrap_or_default() + inner.len()..]);
        !before.strip_prefix(MARK).unwrap_or(before).trim_ascii().is_empty() || !after.trim_ascii().is_empty()
    };
    let inner = inner.filter(|inner| around(inner));
    let (half, rest) = body.split_at(body.trim_ascii_end().len() / 2);
    let single = (half.trim_ascii() == rest.trim_ascii() && !half.is_empty()).then(|| half.trim_ascii());
    let unquoted = body.starts_with(b"> ").then(|| replaced(&body[2..], b"\n> ", b"\n"));
    inner.is_none_or(|text| tell(wrong, messages::text_around().to_owned(), text.into()))
        && single.is_none_or(|text| tell(wrong, messages::twice_there().to_owned(), text.into()))
        && unquoted.is_none_or(|text| tell(wrong, messages::quoted_lines().to_owned(), text))
        && missing_end(body).iter().all(|end| {
            tell(Code::CaptureCut, messages::end_missing(end), [body, end.as_bytes()].concat().into())
        })
        && ["{", "{\"", "["].iter().all(|start| {
            let text: Cow<'_, [u8]> = [start.as_bytes(), body].concat().into();
            tell(Code::CaptureCut, messages::start_missing(start), text)
        })
}

/// What would close a JSON text that ends early: as it is, after a quote, and with fewer brackets after it.
fn missing_end(body: &[u8]) -> Vec<String> {
    let Some((in_string, open)) = unclosed(body) else { return Vec::new() };
    let brackets: String = open.iter().rev().map(|&byte| if byte == b'{' { '}' } else { ']' }).collect();
    if in_string {
        return vec![format!("\"{brackets}")];
    }
    if brackets.is_empty() { Vec::new() } else { vec![brackets] }
}

/// Whether a JSON text ends inside a string, and which brackets are open at its end; `None` if it is whole or not JSON.
fn unclosed(body: &[u8]) -> Option<(bool, Vec<u8>)> {
    let (mut in_string, mut escaped) = (false, false);
    let mut open = Vec::new();
    for &byte in body {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => open.push(byte),
            b'}' | b']' => drop(open.pop()?),
            _ => {}
        }
    }
    (in_string || !open.is_empty()).then_some((in_string, open))
}

/// Whether the body begins as a JSON object or array and ends inside it.
pub(super) fn is_cut(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) && unclosed(body).is_some()
}

/// One digit of the body that is wrong, or one character that is one too many or exchanged with the next.
pub(super) fn digits(body: &[u8], tell: Tell<'_>) -> bool {
    let code = Code::CaptureCopiedWrong;
    let end = body.len();
    (0..end).filter(|&at| body[at].is_ascii_digit()).all(|at| substituted(body, at, b'0'..=b'9', tell))
        && (1..end).all(|at| {
            let mut text = body.to_vec();
            text.swap(at - 1, at);
            tell(code, messages::exchanged(CHARACTER, BODY, place(body, at - 1)), text.into())
        })
        && (0..end).all(|at| {
            let text = [&body[..at], &body[at + 1..]].concat();
            tell(code, messages::too_many(CHARACTER, BODY, place(body, at)), text.into())
        })
}

/// One character of the body that is missing.
pub(super) fn missing_character(body: &[u8], tell: Tell<'_>) -> bool {
    (0..=body.len()).all(|at| {
        (b' '..=b'~').all(|byte| {
            let text = [&body[..at], &[byte], &body[at..]].concat();
            let what = messages::missing(CHARACTER, BODY, place(body, at));
            tell(Code::CaptureCopiedWrong, what, text.into())
        })
    })
}

/// One character of the body that is wrong.
pub(super) fn wrong_character(body: &[u8], tell: Tell<'_>) -> bool {
    (0..body.len()).filter(|&at| body[at].is_ascii()).all(|at| substituted(body, at, b' '..=b'~', tell))
}

fn substituted(body: &[u8], at: usize, by: RangeInclusive<u8>, tell: Tell<'_>) -> bool {
    let mut text = body.to_vec();
    by.into_iter().filter(|&byte| byte != body[at]).all(|byte| {
        text[at] = byte;
        let (captured, signed) = (char::from(body[at]), char::from(byte));
        let what = messages::wrong(CHARACTER, BODY, place(body, at), captured, signed);
        tell(Code::CaptureCopiedWrong, what, text.as_slice().into())
    })
}

/// The number of the character at this byte, from 1.
fn place(body: &[u8], at: usize) -> usize {
    String::from_utf8_lossy(&body[..at]).chars().count() + 1
}
