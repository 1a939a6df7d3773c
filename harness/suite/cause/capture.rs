//! What happened to a captured request between the wire and the file, so that its signature no longer matches.
//!
//! Invariant: a cause is named only if undoing it reproduces the captured signature, or if the capture itself shows it: a body
//! that is missing, or shorter than its declared length. The search is bounded, whatever the body.

mod coded;
mod copied;
mod encoding;
mod literal;
mod messages;
mod reordered;
mod replaced;
mod white;

use std::borrow::Cow;

use super::{Cause, Code, sender};
use crate::budget::SEARCHED_BODY;
use crate::webhook::json::Json;
use crate::webhook::recipe::{Messages, Recipe};
use crate::webhook::signature::{Key, Secret, Signature};

/// How many bytes one part of the search hashes: about 0.1 s.
const HASHED: usize = 12 * 1024 * 1024;
/// The same for a body that is too long for most parts.
const HASHED_OF_LONG: usize = 256 * 1024 * 1024;
/// The longest body that is decoded, or whose line ends are changed.
const CHANGED_BODY: usize = 4 * 1024 * 1024;
/// How many changed bodies are kept to be changed again.
const MOST_CHANGED: usize = 200;
/// How many bytes they may have together. Each is parsed and printed in every way that senders do.
const CHANGED_BYTES: usize = 2 * 1024 * 1024;
/// The longest body in which each character is tried.
const SHORT_BODY: usize = 4 * 1024;
/// Up to here two readings of a clock are more likely than a digit that was copied wrong.
const NEAR_MS: u64 = 50;

/// Texts that programs log instead of a body that they have read or parsed before.
const PLACEHOLDERS: [&str; 12] = [
    "[object Object]",
    "[object ReadableStream]",
    "[object ArrayBuffer]",
    "[object Promise]",
    "[object Blob]",
    "undefined",
    "null",
    "None",
    "nil",
    "Array",
    "{}",
    "(empty)",
];

/// How compressed files begin that are not decoded here.
const COMPRESSED: [(&[u8], &str); 4] =
    [(b"\x28\xB5\x2F\xFD", "zstd"), (b"BZh", "bzip2"), (b"\xFD7zXZ", "xz"), (b"PK\x03\x04", "zip")];

/// What is told of each changed body: its fault, in a code and in words, and the body without it. `false` ends the search.
type Tell<'t> = &'t mut (dyn FnMut(Code, String, Cow<'_, [u8]>) -> bool + 't);
/// Changes of one kind.
type Kind = fn(&[u8], Tell<'_>) -> bool;

const KINDS: [Kind; 8] = [
    white::newline,
    white::line_ends,
    white::wrapped_evenly,
    encoding::text_encoding,
    coded::decoded,
    white::pretty,
    white::wrapped,
    copied::ends,
];
/// Those that are tried on long bodies, which take little memory.
const KINDS_OF_LONG: [Kind; 1] = [white::newline];
const KINDS_OF_MEDIUM: [Kind; 4] =
    [white::newline, white::line_ends, encoding::text_encoding, coded::decoded];
/// Those after which another change is looked for.
const FIRST_OF_TWO: [Kind; 6] = [
    encoding::text_encoding,
    white::newline,
    coded::decoded,
    copied::ends,
    white::line_ends,
    white::wrapped_evenly,
];

/// A captured request whose signature does not match.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The value of the timestamp header.
    pub timestamp: &'a [u8],
    /// The value of the signature header.
    pub signature: &'a [u8],
    pub body: &'a [u8],
    /// What the capture has after the body: more than the declared length.
    pub after: &'a [u8],
    /// The declared length of the body.
    pub content_length: Option<u64>,
}

/// A body with one change undone.
struct Changed {
    code: Code,
    what: String,
    body: Vec<u8>,
}

/// The cause of a signature that does not match: a fault of the capture, a wrong way of signing, or both.
///
/// `None` if the signature is right, or if nothing that is known explains it.
pub fn explain(signed: &Signed<'_>, secret: &str) -> Option<Cause> {
    let search = Search { signed, secret, key: Key::new(&Secret::new(secret)) };
    if secret.is_empty() || search.fits(signed.timestamp, signed.body) {
        return evident(signed).filter(|_| secret.is_empty());
    }
    let made = || sender::signature(secret, &[], signed.timestamp, signed.body, signed.signature);
    search
        .copied_signature(&made)
        .or_else(|| search.changed_body(&made))
        .or_else(|| search.copied_timestamp(&made))
        .or_else(made)
        .or_else(|| sender::signature_of_two(secret, signed.timestamp, signed.body, signed.signature))
        .or_else(|| search.changed_twice())
        .or_else(|| evident(signed))
        .or_else(|| search.two_digits_or_a_character())
        .or_else(|| search.reordered())
        .or_else(|| search.replaced())
}

/// What the capture shows by itself: that its body is missing or not whole.
pub fn evident(signed: &Signed<'_>) -> Option<Cause> {
    let text = signed.body.trim_ascii();
    let declared = signed.content_length.filter(|&length| length > 0);
    if text.is_empty() {
        let what = declared.map_or_else(|| messages::no_body().to_owned(), messages::no_body_of);
        return Some(Cause::detailed(Code::CaptureBodyMissing, what));
    }
    if let Some(name) = PLACEHOLDERS.iter().find(|name| name.as_bytes() == text) {
        return Some(Cause::detailed(Code::CaptureBodyMissing, messages::placeholder(name)));
    }
    if text.starts_with(b"<Buffer ") && text.ends_with(b" more bytes>") {
        return Some(Cause::detailed(Code::CaptureCut, messages::shortened_buffer()));
    }
    let captured = (signed.body.len() + signed.after.len()) as u64;
    let missing = declared.and_then(|declared| Some((declared.checked_sub(captured)?, declared)));
    let is_cut = copied::is_cut(signed.body);
    let what = match missing.filter(|(missing, _)| *missing > 0) {
        // Characters that were replaced make a body shorter too.
        Some((missing, declared)) if is_cut || suspected(signed).is_none() => {
            messages::bytes_missing(missing, declared)
        }
        _ if is_cut => messages::ends_inside_json().to_owned(),
        _ => return None,
    };
    Some(Cause::detailed(Code::CaptureCut, what))
}

/// What may have happened to the capture and cannot be proven: characters beyond ASCII that were replaced, or a body that was
/// printed again with its members in another order.
pub fn suspected(signed: &Signed<'_>) -> Option<Cause> {
    let replaced = |what: &str| Some(Cause::detailed(Code::CaptureTextEncoding, what));
    let Ok(text) = std::str::from_utf8(signed.body) else {
        let compressed = COMPRESSED.iter().find(|(begin, _)| signed.body.starts_with(begin));
        return match compressed {
            Some((_, name)) => Some(Cause::detailed(Code::CaptureDecoded, messages::compressed_with(name))),
            None => replaced(messages::not_utf8()),
        };
    };
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return replaced(messages::replacements());
    }
    if text.is_ascii() && !replaced::places(text).is_empty() {
        return replaced(messages::question_marks());
    }
    let marks = reordered::marks(text);
    (!marks.is_empty()).then(|| Cause::detailed(Code::MessageReserialised, marks.join(", ")))
}

struct Search<'a> {
    signed: &'a Signed<'a>,
    secret: &'a str,
    key: Key,
}

impl Search<'_> {
    fn fits(&self, timestamp: &[u8], body: &[u8]) -> bool {
        self.key.verify(timestamp, body, self.signed.signature)
    }

    /// How many signatures over this body one part of the search computes.
    fn affordable(&self) -> usize {
        HASHED / (self.signed.body.len() + 256)
    }

    /// `made` is a wrong way of signing that gives the signature, too.
    fn copied_signature(&self, made: &dyn Fn() -> Option<Cause>) -> Option<Cause> {
        let Signed { timestamp, signature, body, .. } = *self.signed;
        let wrong = |what: String| Cause::detailed(Code::CaptureCopiedWrong, what);
        if self.key.verify(signature, body, timestamp) {
            return Some(wrong(messages::swapped().to_owned()));
        }
        let right = self.key.sign(timestamp, body).to_hex();
        let copied = wrong(copied::signature(&right, signature)?);
        // Senders send a part of the digits, or more than the digits, too.
        let sent = Signature::parse(signature).is_none().then(made).flatten();
        Some(match sent {
            Some(sent) => sent.or(copied),
            None => copied,
        })
    }

    fn copied_timestamp(&self, made: &dyn Fn() -> Option<Cause>) -> Option<Cause> {
        let Signed { timestamp, signature, body, .. } = *self.signed;
        Signature::parse(signature)?;
        let mut tried = copied::timestamps(timestamp).take(self.affordable());
        let (right, what) = tried.find(|(other, _)| self.fits(other.as_bytes(), body))?;
        let copied = Cause::detailed(Code::CaptureCopiedWrong, what);
        let sent: Option<u64> = std::str::from_utf8(timestamp).ok().and_then(|text| text.parse().ok());
        let apart = sent.zip(right.parse().ok()).map(|(sent, right): (u64, u64)| sent.abs_diff(right));
        Some(match made() {
            Some(sent) if apart.is_some_and(|ms| ms <= NEAR_MS) => sent.or(copied),
            Some(sent) => copied.or(sent),
            None => copied,
        })
    }

    /// The bodies that the capture may mean: what was declared, and all of it.
    fn bodies(&self) -> Vec<Vec<u8>> {
        let Signed { body, after, .. } = *self.signed;
        let whole = [body, after].concat();
        if after.is_empty() { vec![whole] } else { vec![whole, body.to_vec()] }
    }

    /// One change of the body.
    fn changed_body(&self, made: &dyn Fn() -> Option<Cause>) -> Option<Cause> {
        Signature::parse(self.signed.signature)?;
        for body in self.bodies() {
            if self.fits(self.signed.timestamp, &body) {
                return None;
            }
            let (kinds, budget): (&[Kind], _) = match body.len() {
                short if short <= SEARCHED_BODY => (&KINDS, HASHED),
                medium if medium <= CHANGED_BODY => (&KINDS_OF_MEDIUM, HASHED_OF_LONG),
                _ => (&KINDS_OF_LONG, HASHED_OF_LONG),
            };
            if let Some(found) = self.search(&body, kinds, budget) {
                let cause = Cause::detailed(found.code, found.what);
                // The declared length says that the body arrived as it was captured.
                let arrived = self.signed.content_length == Some(body.len() as u64);
                let is_white =
                    [Code::CaptureNewline, Code::CaptureLineEnds, Code::CapturePretty].contains(&found.code);
                let sent = (arrived && is_white).then(made).flatten();
                // Senders add a line break to what they sign; tools seldom remove one and correct the length.
                let is_longer = found.body.len() > body.len();
                return Some(match sent {
                    Some(sent) if is_longer && found.code == Code::CaptureNewline => sent.or(cause),
                    Some(sent) => cause.or(sent),
                    None => cause,
                });
            }
        }
        None
    }

    /// The first change of these kinds without which the signature fits.
    fn search(&self, body: &[u8], kinds: &[Kind], budget: usize) -> Option<Changed> {
        let mut left = budget;
        let mut found = None;
        let mut tell = |code: Code, what: String, changed: Cow<'_, [u8]>| {
            let Some(rest) = left.checked_sub(changed.len() + 256) else { return false };
            left = rest;
            if self.fits(self.signed.timestamp, &changed) {
                found = Some(Changed { code, what, body: changed.into_owned() });
            }
            found.is_none()
        };
        let _ = kinds.iter().all(|kind| kind(body, &mut tell));
        found
    }

    /// Two changes of the body; or one, and a signature that was copied or made wrongly.
    fn changed_twice(&self) -> Option<Cause> {
        let bodies = self.bodies();
        let body = bodies.first().filter(|body| body.len() <= SEARCHED_BODY)?;
        let mut changed: Vec<Changed> = Vec::new();
        let mut left = CHANGED_BYTES;
        let mut keep = |code: Code, what: String, text: Cow<'_, [u8]>| {
            let is_new = *text != **body && !changed.iter().any(|other| *other.body == *text);
            left = left.saturating_sub(text.len());
            if is_new && left > 0 {
                changed.push(Changed { code, what, body: text.into_owned() });
            }
            changed.len() < MOST_CHANGED && left > 0
        };
        // A line break at the end often comes with another change.
        let _ = FIRST_OF_TWO.iter().all(|kind| kind(body, &mut keep))
            && FIRST_OF_TWO.iter().all(|kind| kind(body.trim_ascii_end(), &mut keep));
        let mut left = HASHED;
        for first in &changed {
            let budget = left.min(HASHED / changed.len().max(1) * 4);
            if let Some(second) = self.search(&first.body, &KINDS, budget) {
                let what = messages::and(&first.what, second.code.as_str(), &second.what);
                return Some(Cause::detailed(first.code, what));
            }
            left = left.saturating_sub(budget / 4);
        }
        let most = changed.len() + (CHANGED_BYTES / body.len().max(1)).min(MOST_CHANGED);
        let _ = white::pretty(body, &mut |code, what, text| {
            changed.push(Changed { code, what, body: text.into_owned() });
            changed.len() < most
        });
        changed.iter().find_map(|first| self.also_wrong(first))
    }

    /// The cause, if this change explains the signature together with a copied digit or with a wrong way of signing.
    fn also_wrong(&self, changed: &Changed) -> Option<Cause> {
        let Signed { timestamp, signature, .. } = *self.signed;
        let right = self.key.sign(timestamp, &changed.body).to_hex();
        if let Some(what) = copied::signature(&right, signature) {
            let what = messages::and(&changed.what, Code::CaptureCopiedWrong.as_str(), &what);
            return Some(Cause::detailed(changed.code, what));
        }
        let texts = Messages::of(timestamp, &changed.body);
        let recipe =
            texts.recipes(self.secret, signature, |recipe: &Recipe| recipe.distance() == 1).next()?;
        Some(Cause::detailed(changed.code, messages::and_signed(&changed.what, &recipe.describe())))
    }

    /// The members in another order, as programs print them that sort them or keep no order.
    fn reordered(&self) -> Option<Cause> {
        let Signed { timestamp, signature, body, .. } = *self.signed;
        Signature::parse(signature).filter(|_| body.len() <= SHORT_BODY)?;
        let most = self.affordable().min(reordered::MOST);
        let what = reordered::find(body, most, &|text| self.fits(timestamp, text))?;
        let is_laid_out = std::str::from_utf8(body).is_ok_and(white::is_laid_out);
        let code = if is_laid_out { Code::CapturePretty } else { Code::MessageReserialised };
        Some(Cause::detailed(code, what))
    }

    /// One or two characters beyond ASCII that were replaced.
    fn replaced(&self) -> Option<Cause> {
        let Signed { timestamp, signature, body, .. } = *self.signed;
        Signature::parse(signature).filter(|_| body.len() <= SEARCHED_BODY)?;
        let what = replaced::find(body, self.affordable(), &|text| self.fits(timestamp, text))?;
        Some(Cause::detailed(Code::CaptureTextEncoding, what))
    }

    /// Two wrong digits of the timestamp, or one wrong character of the body.
    fn two_digits_or_a_character(&self) -> Option<Cause> {
        let Signed { timestamp, signature, body, .. } = *self.signed;
        Signature::parse(signature)?;
        let mut two = copied::timestamps_of_two(timestamp).take(self.affordable());
        if let Some((_, what)) = two.find(|(other, _)| self.fits(other.as_bytes(), body)) {
            return Some(Cause::detailed(Code::CaptureCopiedWrong, what));
        }
        let is_short = body.len() <= SHORT_BODY && Json::parse(body).is_ok() || body.len() <= SHORT_BODY / 4;
        let kinds: [Kind; 3] = [copied::digits, copied::missing_character, copied::wrong_character];
        let mut found = kinds.iter().filter(|_| is_short).map(|&kind| self.search(body, &[kind], HASHED));
        let found = found.find_map(|found| found)?;
        Some(Cause::detailed(found.code, found.what))
    }
}
