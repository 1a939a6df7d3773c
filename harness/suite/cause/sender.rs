//! Finds the wrong way of signing that gives a sender's signature.
//!
//! Invariant: a cause is returned only if it reproduces the header's value byte for byte. The search is bounded, whatever the
//! body's length and the number of webhooks.

mod dropped;
mod messages;
mod texts;

use std::cell::Cell;

use super::{Cause, Code};
use crate::budget::{PARSED_VALUES, SEARCHED_BODY};
use crate::webhook::dialect::Members;
use crate::webhook::json::has_at_most;
use crate::webhook::recipe::{Digest, KeyForm, Message, Messages, Misread, Recipe};
use crate::webhook::signature::{Key, Secret, Signature};

/// How many milliseconds the search for another timestamp goes from the header's: enough for two readings of a clock, or two
/// attempts.
const NEAR_MS: u64 = 5_000;
/// About how many bytes to hash in the search for a timestamp, and for another webhook's secret.
const HASHED: usize = 8 * 1024 * 1024;

/// Searches the known ways of signing for one that gives `header`. It tries the webhook's own secret and the other known ones,
/// with the unchanged request, with another timestamp, and with the reformatted body. Ways with fewer differences from the
/// contract come first.
///
/// `None` if the signature is right, or if no known way gives it.
pub fn signature(
    secret: &str,
    others: &[&str],
    timestamp: &[u8],
    body: &[u8],
    header: &[u8],
) -> Option<Cause> {
    let messages = Messages::of(timestamp, body);
    let mut found = messages.recipes(secret, header, |_| true);
    if let Some(recipe) = found.next() {
        return of_recipes(recipe, found);
    }
    drop(found);
    if let Some(recipe) = misreading(secret, timestamp, body, header) {
        return Cause::of_recipe(&recipe);
    }
    let affordable = HASHED / (body.len() + 256);
    let others = &others[..others.len().min(affordable)];
    if others.iter().any(|other| {
        Recipe::CONTRACT.compute(other, timestamp, body).is_some_and(|value| value.as_bytes() == header)
    }) {
        return Some(Cause::new(Code::KeyOtherWebhook));
    }
    if let Some(what) = other_timestamp(secret, timestamp, body, header, affordable) {
        return Some(Cause::detailed(Code::MessageTimestampDiffers, what));
    }
    if let Some(cause) = other_text(secret, timestamp, body, header) {
        return Some(cause);
    }
    // A signature made without a secret, or with an unknown one, says nothing about the other webhooks.
    let is_specific = |recipe: &Recipe| {
        !matches!(recipe.key, KeyForm::Other | KeyForm::Empty)
            && recipe.message != Message::TimestampAlone
            && recipe.digest != Digest::Unkeyed
    };
    let under_other = others.iter().take(affordable / 100);
    let under_other = under_other.flat_map(|other| messages.recipes(other, header, is_specific));
    let recipe = under_other.min_by_key(Recipe::distance)?;
    Some(Cause::detailed(Code::KeyOtherWebhook, recipe.describe()))
}

/// Searches for two differences from the contract that [`signature`] does not try together: another text instead of the body, and
/// another key, digest or text around it.
pub fn signature_of_two(secret: &str, timestamp: &[u8], body: &[u8], header: &[u8]) -> Option<Cause> {
    if body.len() > SEARCHED_BODY {
        return None;
    }
    let left = Cell::new(HASHED);
    let is_around = |recipe: &Recipe| {
        recipe.distance() == 1
            && matches!(
                recipe.message,
                Message::Contract | Message::BodyAlone | Message::Separator(_) | Message::Seconds
            )
    };
    let around: Vec<Recipe> =
        Recipe::lattice().into_iter().chain(Recipe::misreadings()).filter(is_around).collect();
    let fitting = |text: &[u8]| {
        around.iter().find(|recipe| {
            let rest = left.get().checked_sub(text.len() + 256).filter(|_| recipe.digest.looks_like(header));
            let Some(rest) = rest else { return false };
            left.set(rest);
            recipe.compute(secret, timestamp, text).is_some_and(|value| value.as_bytes() == header)
        })
    };
    let encoded = Misread::ALL.iter().find_map(|&misread| Some((misread, fitting(&misread.of(body)?)?)));
    if let Some((misread, second)) = encoded {
        let first = Cause::of_recipe(&Recipe::message(Message::Misread(misread)))?;
        let what = messages::and_signed(misread.describe(), &second.describe());
        return Some(Cause { detail: Some(what), ..first });
    }
    let second = Cell::new(None);
    let cause = texts::other_text(body, &|text| {
        second.set(fitting(text));
        second.get().is_some()
    })?;
    let what = messages::and_signed(&cause.detail.unwrap_or_default(), &second.get()?.describe());
    Some(Cause::detailed(cause.code, what))
}

/// Searches for a change that a sender made to the body after it had signed it: of text beyond ASCII, or by leaving out members.
/// `record` is the JSON text of the
/// record that the sender was given.
pub fn changed_after_signing(
    secret: &str,
    timestamp: &[u8],
    body: &[u8],
    header: &[u8],
    record: &str,
) -> Option<Cause> {
    Signature::parse(header).filter(|_| body.len() <= SEARCHED_BODY)?;
    let key = Key::new(&Secret::new(secret));
    let verifies = |text: &[u8]| key.verify(timestamp, text, header);
    texts::changed_after_signing(body, record, &verifies)
        .or_else(|| dropped::after_signing(body, record, &verifies))
}

/// The text instead of the body, or the form of the secret in a configuration file, that gives this signature.
fn misreading(secret: &str, timestamp: &[u8], body: &[u8], header: &[u8]) -> Option<Recipe> {
    Signature::parse(header).filter(|_| body.len() <= SEARCHED_BODY)?;
    let gives = |recipe: &Recipe| {
        recipe.compute(secret, timestamp, body).is_some_and(|value| value.as_bytes() == header)
    };
    Recipe::misreadings().into_iter().find(gives)
}

/// The cause, if another spelling of the body was signed, or one with fewer members.
fn other_text(secret: &str, timestamp: &[u8], body: &[u8], header: &[u8]) -> Option<Cause> {
    Signature::parse(header).filter(|_| body.len() <= SEARCHED_BODY)?;
    let key = Key::new(&Secret::new(secret));
    texts::other_text(body, &|text| key.verify(timestamp, text, header))
}

/// The timestamp that was signed instead of the header's, if it can be found. The body's time is tried last: if the body was
/// made in the millisecond of signing, that time is also the nearest to the header's.
fn other_timestamp(
    secret: &str,
    timestamp: &[u8],
    body: &[u8],
    header: &[u8],
    most: usize,
) -> Option<String> {
    Signature::parse(header)?;
    let key = Key::new(&Secret::new(secret));
    let verifies = |timestamp: &str| key.verify(timestamp.as_bytes(), body, header);
    let near = |sent: u64| {
        let most = NEAR_MS.min(most as u64 / 2);
        // The nearest first.
        let mut offsets = (1..=most).flat_map(|off| [(off, true), (off, false)]);
        offsets.find(|&(off, later)| {
            let other = if later { sent.checked_add(off) } else { sent.checked_sub(off) };
            other.is_some_and(|other| verifies(&other.to_string()))
        })
    };
    let sent = std::str::from_utf8(timestamp).ok().and_then(|text| text.parse().ok());
    if let Some((off, later)) = sent.and_then(near) {
        let how = match (off, later) {
            (..=50, _) => messages::milliseconds_apart(),
            (_, true) => messages::later_time(),
            (_, false) => messages::earlier_time(),
        };
        return Some(how.to_owned());
    }
    let members = Some(body).filter(|body| has_at_most(body, PARSED_VALUES));
    let members = Members::parse(members?).ok()?;
    ["timestamp", "eventDate"].into_iter().find_map(|member| {
        let text = members.text(member)?;
        let ms = text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond().to_string());
        let is_signed = verifies(&text) || ms.is_some_and(|ms| verifies(&ms));
        is_signed.then(|| messages::body_member(member))
    })
}

/// The cause for the first of several recipes. If several serialisers print this body in the same way, it names all of them.
fn of_recipes(first: Recipe, others: impl Iterator<Item = Recipe>) -> Option<Cause> {
    let Recipe { message: Message::Reserialised(serialiser), .. } = first else {
        return Cause::of_recipe(&first);
    };
    // They give the same value, so they have the same key and the same digest.
    let alike = others.filter_map(|recipe| match recipe.message {
        Message::Reserialised(other) => Some(other.name()),
        _ => None,
    });
    let names: Vec<&str> = std::iter::once(serialiser.name()).chain(alike).collect();
    match first.distance() {
        1 => Some(Cause::detailed(Code::MessageReserialised, names.join(" or "))),
        _ => Cause::of_recipe(&first),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::webhook::serialiser::Serialiser;

    const SECRET: &str = "5eCr3t-5eCr3t";
    const OTHER: &str = "another webhook's secret";
    const TIMESTAMP: &str = "1739201450000";
    const BODY: &str =
        r#"{"event":"note.created","data":{"id":"a1","title":"<Zoë>"},"timestamp":"2025-02-10T15:30:40Z"}"#;

    fn by(recipe: Recipe, secret: &str) -> String {
        recipe.compute(secret, TIMESTAMP.as_bytes(), BODY.as_bytes()).unwrap()
    }

    fn at(timestamp: &str) -> String {
        Key::new(&Secret::new(SECRET)).sign(timestamp.as_bytes(), BODY.as_bytes()).to_hex()
    }

    fn found(header: &str) -> Option<String> {
        let cause =
            signature(SECRET, &["unused", OTHER], TIMESTAMP.as_bytes(), BODY.as_bytes(), header.as_bytes());
        cause.map(|cause| cause.to_string())
    }

    #[test]
    fn a_right_signature_and_an_unknown_one_have_no_cause() {
        assert_eq!(found(&by(Recipe::CONTRACT, SECRET)), None);
        for unknown in ["", "x", &"a".repeat(64), &by(Recipe::CONTRACT, "a secret that is not known")] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_secret_of_another_webhook_is_found() {
        assert_eq!(found(&by(Recipe::CONTRACT, OTHER)).as_deref(), Some("key.other-webhook"));
        let twice = found(&by(Recipe::message(Message::BodyAlone), OTHER)).unwrap();
        assert_eq!(twice, "key.other-webhook (over the body alone)");
        // Nothing that has no key is told of another webhook.
        let unkeyed = found(&by(Recipe::digest(Digest::Unkeyed), OTHER)).unwrap();
        assert_eq!(unkeyed, "digest.algorithm (unkeyed)");
        assert_eq!(found(&by(Recipe::key(KeyForm::Empty), OTHER)).unwrap(), "key.empty");
        assert_eq!(found(&by(Recipe::message(Message::TimestampAlone), OTHER)), None);
    }

    #[test]
    fn other_timestamps_are_found() {
        let cause = |what: &str| Some(format!("message.timestamp-differs ({what})"));
        for (signed, what) in [
            ("1739201450001", "a few milliseconds apart"),
            ("1739201449950", "a few milliseconds apart"),
            ("1739201450051", "a later time"),
            ("1739201455000", "a later time"),
            ("1739201449949", "an earlier time"),
            ("1739201445000", "an earlier time"),
            // The body's own time, as text and in milliseconds.
            ("2025-02-10T15:30:40Z", "the body's `timestamp`"),
            ("1739201440000", "the body's `timestamp`"),
        ] {
            assert_eq!(found(&at(signed)), cause(what), "{signed}");
        }
        assert_eq!(found(&at("1739201455001")), None);
        assert_eq!(found(&at("1739201444999")), None);
    }

    #[test]
    fn a_header_that_is_no_number_is_compared_with_the_body_alone() {
        let of = |timestamp: &str| {
            signature(SECRET, &[], timestamp.as_bytes(), BODY.as_bytes(), at("1739201440000").as_bytes())
        };
        assert_eq!(of("soon").map(|cause| cause.code), Some(Code::MessageTimestampDiffers));
        assert_eq!(of("").map(|cause| cause.code), Some(Code::MessageTimestampDiffers));
    }

    #[test]
    fn misread_bodies_and_configured_keys_are_found() {
        for (recipe, cause) in [
            (
                Recipe::message(Message::Misread(Misread::ObjectObject)),
                "message.body-consumed ([object Object])",
            ),
            (Recipe::message(Message::Misread(Misread::Base64)), "message.body-base64"),
            (Recipe::message(Message::Misread(Misread::BytesLiteral)), "message.bytes-literal"),
            (Recipe::message(Message::Misread(Misread::AsciiDropped)), "message.text-encoding (dropped)"),
            (Recipe::key(KeyForm::DoubleQuoted), "key.configuration (double quotes)"),
            (Recipe::digest(Digest::Appended), "digest.appended (after the text)"),
            (Recipe::digest(Digest::AppendedUnwritten), "digest.appended (after the text, of nothing)"),
        ] {
            assert_eq!(found(&by(recipe, SECRET)).as_deref(), Some(cause));
        }
    }

    #[test]
    fn other_spellings_of_the_body_are_found() {
        let escaped = BODY.replace('<', "\\u003c").replace('>', "\\u003e");
        let header = Key::new(&Secret::new(SECRET)).sign(TIMESTAMP.as_bytes(), escaped.as_bytes()).to_hex();
        let cause = r"message.reserialised (HTML-escaped: \u003c \u003e)";
        assert_eq!(found(&header).as_deref(), Some(cause));
        // A serialiser that is known by name comes first.
        let by_go = found(&by(Recipe::message(Message::Reserialised(Serialiser::Go)), SECRET)).unwrap();
        assert_eq!(by_go, "message.reserialised (go)");
        let two = Recipe { key: KeyForm::HexDecoded, ..Recipe::message(Message::BodyAlone) };
        let hex = "00ff00ff";
        let header = two.compute(hex, TIMESTAMP.as_bytes(), BODY.as_bytes()).unwrap();
        let both = signature(hex, &[], TIMESTAMP.as_bytes(), BODY.as_bytes(), header.as_bytes()).unwrap();
        assert_eq!((both.code, both.detail), (Code::MessageBodyAlone, Some(two.describe())));
    }

    #[test]
    fn text_that_was_sent_otherwise_is_found_in_short_bodies() {
        let record = r#"{"id":"a1","title":"<Zoë>"}"#;
        let sent = BODY.replace('ë', "?");
        let (timestamp, header) = (TIMESTAMP.as_bytes(), by(Recipe::CONTRACT, SECRET));
        let of = |body: &str, header: &str| {
            changed_after_signing(SECRET, timestamp, body.as_bytes(), header.as_bytes(), record)
        };
        let cause = of(&sent, &header).unwrap();
        assert_eq!(cause.to_string(), "message.text-encoding (replaced by ? after signing)");
        assert_eq!(of(&sent, "not hexadecimal"), None);
        assert_eq!(of(&sent, &"0".repeat(64)), None);
        assert_eq!(of(&format!("{sent}{}", " ".repeat(SEARCHED_BODY)), &header), None);
    }

    /// What is found of a body of half a megabyte that was signed like this.
    fn of_long(timestamp: &str, secret: &str, recipe: Recipe, others: &[&str]) -> Option<String> {
        let body = format!("{{\"event\":\"{}\"}}", "x".repeat(512 * 1024));
        let header = recipe.compute(secret, timestamp.as_bytes(), body.as_bytes()).unwrap();
        let cause = signature(SECRET, others, TIMESTAMP.as_bytes(), body.as_bytes(), header.as_bytes());
        cause.map(|cause| cause.to_string())
    }

    #[test]
    fn search_through_many_webhooks_is_long_only_for_short_bodies() {
        let mut many = vec!["unused"; 5000];
        many.push(OTHER);
        let header = by(Recipe::CONTRACT, OTHER);
        let of_short = signature(SECRET, &many, TIMESTAMP.as_bytes(), BODY.as_bytes(), header.as_bytes());
        assert_eq!(of_short.map(|cause| cause.code), Some(Code::KeyOtherWebhook));
        let at = |place: usize, recipe| {
            let mut others = vec!["unused"; 40];
            others[place] = OTHER;
            of_long(TIMESTAMP, OTHER, recipe, &others)
        };
        assert_eq!(at(10, Recipe::CONTRACT).as_deref(), Some("key.other-webhook"));
        assert_eq!(at(30, Recipe::CONTRACT), None);
        assert_eq!(at(0, Recipe::message(Message::BodyAlone)), None);
    }

    #[test]
    fn search_for_the_timestamp_is_long_only_for_short_bodies() {
        let near = of_long("1739201450005", SECRET, Recipe::CONTRACT, &[]);
        assert_eq!(near.as_deref(), Some("message.timestamp-differs (a few milliseconds apart)"));
        assert_eq!(of_long("1739201450012", SECRET, Recipe::CONTRACT, &[]), None);
    }

    #[test]
    fn serialisers_that_print_a_body_alike_are_all_named() {
        let body = br#"{ "event": "note.created" }"#;
        let printed = Recipe::message(Message::Reserialised(Serialiser::Go));
        let header = printed.compute(SECRET, TIMESTAMP.as_bytes(), body).unwrap();
        let cause = signature(SECRET, &[], TIMESTAMP.as_bytes(), body, header.as_bytes()).unwrap();
        let names = "javascript or python, compact or python, compact, unescaped or go or php or sorted";
        assert_eq!((cause.code, cause.detail.as_deref()), (Code::MessageReserialised, Some(names)));
        let keyed = Recipe { key: KeyForm::Uppercase, ..printed };
        let header = keyed.compute("secret", TIMESTAMP.as_bytes(), body).unwrap();
        let both = signature("secret", &[], TIMESTAMP.as_bytes(), body, header.as_bytes()).unwrap();
        assert_eq!(both.code, Code::MessageReserialised);
        assert!(both.detail.is_some_and(|detail| detail.contains(KeyForm::Uppercase.describe())));
    }
}
