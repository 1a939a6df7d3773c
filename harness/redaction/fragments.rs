//! Finds secrets and parts of them in bytes, in one pass.
//!
//! Invariant: apart from what is found, the bytes have no [`WINDOW`] consecutive bytes of an encoding, unless they are words
//! that every report has. A part may be all that is left of a secret that a program or the suite cut off.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memmem;

use super::encodings::SHORTEST;

/// How many consecutive bytes of a secret are found wherever they are.
pub(super) const WINDOW: usize = 8;
/// Every window contains a gram that begins at a multiple of [`STRIDE`], so the search looks only there.
const GRAM: usize = 4;
const STRIDE: usize = WINDOW - GRAM + 1;
/// How many bits of the filter there are for each gram.
const SPREAD: usize = 32;
/// Marks where text was cut off. What is next to it may be a shorter part of a secret.
const CUT: &[u8] = "…".as_bytes();
/// Words of the suite's own texts. A secret that contains one of them does not hide it everywhere.
const WORDS: &[&str] = &[
    "x-twenty-webhook-signature",
    "x-twenty-webhook-timestamp",
    "x-twenty-webhook-nonce",
    "twenty_webhook_secret",
    "content-type: application/json; charset=utf-8",
    "content-length: ",
    "transfer-encoding: ",
    "connection: keep-alive",
    "user-agent: ",
    "http://127.0.0.1:",
    "https://127.0.0.1:",
    "http://localhost:",
    "authorization: ",
    "twenty-conform",
    "webhooks",
    "receivers",
    "receiver's",
    "senders",
    "sender's",
    "deliveries",
    "delivery ",
    "signatures",
    "timestamps",
    "accepted",
    "accepts ",
    "rejected",
    "rejects ",
    "requirements",
    "verification",
    "reception",
    "processing",
    "processed",
    "inconclusive",
    "interrupted",
    "acknowledges",
    "acknowledged",
    "documented",
    "documentation",
    "development",
    "production",
    "workspace",
    "password",
    "[redacted:part:base64url-unpadded]",
];

/// A secret in one encoding.
#[derive(Debug, Clone)]
pub(super) struct Encoding {
    pub(super) text: Vec<u8>,
    pub(super) name: Cow<'static, str>,
}

/// All encodings of all secrets, with an index of their windows.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragments {
    pub(super) encodings: Vec<Encoding>,
    /// The encodings that are shorter than a window, longest first.
    short: Vec<usize>,
    /// The encodings that begin with a window.
    whole: HashMap<u64, Vec<usize>>,
    /// The last of the places of each window.
    windows: HashMap<u64, usize>,
    places: Vec<Place>,
    /// A bit for the hash of each gram. Its length is a power of two.
    filter: Vec<u64>,
    grams: usize,
}

/// Where an encoding has a window.
#[derive(Debug, Clone, Copy)]
struct Place {
    encoding: usize,
    offset: usize,
    /// Another place of the same window, in an earlier encoding.
    before: Option<usize>,
}

/// A secret, or a part of one, in some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The index of the encoding, and the offset in it.
    pub(super) encoding: usize,
    pub(super) offset: usize,
}

impl Fragments {
    pub(super) fn is_empty(&self) -> bool {
        self.encodings.is_empty()
    }

    pub(super) fn add(&mut self, text: Vec<u8>, name: Cow<'static, str>) {
        // Two secrets may have an encoding in common: the first name is used.
        let is_short = text.len() < WINDOW;
        let alike = if is_short { Some(&self.short) } else { self.whole.get(&window(&text, 0)) };
        if alike.into_iter().flatten().any(|&known| self.encodings[known].text == text) {
            return;
        }
        let number = self.encodings.len();
        if is_short {
            let longer = |&known: &usize| self.encodings[known].text.len() >= text.len();
            self.short.insert(self.short.partition_point(longer), number);
        } else {
            self.whole.entry(window(&text, 0)).or_default().push(number);
            for at in 0..=text.len() - WINDOW {
                self.note_window(window(&text, at), number, at);
            }
            self.grams += text.len() - GRAM + 1;
        }
        self.encodings.push(Encoding { text, name });
        if self.grams * SPREAD > self.filter.len() * 64 {
            self.filter = vec![0; (self.grams * SPREAD * 2 / 64).next_power_of_two()];
            (0..self.encodings.len()).for_each(|number| self.note_grams(number));
        } else {
            self.note_grams(number);
        }
    }

    fn note_window(&mut self, window: u64, encoding: usize, offset: usize) {
        let before = self.windows.get(&window).copied();
        // One place in each encoding is enough.
        if before.is_none_or(|before| self.places[before].encoding != encoding) {
            self.windows.insert(window, self.places.len());
            self.places.push(Place { encoding, offset, before });
        }
    }

    fn note_grams(&mut self, number: usize) {
        let text = &self.encodings[number].text;
        if text.len() >= WINDOW {
            for at in 0..=text.len() - GRAM {
                let (word, bit) = slot(text, at, self.filter.len());
                self.filter[word] |= bit;
            }
        }
    }

    /// What is found, in order and without overlaps.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut found = self.long(bytes);
        for &number in &self.short {
            let text = &self.encodings[number].text;
            for start in memmem::find_iter(bytes, text) {
                add(&mut found, Found { start, end: start + text.len(), encoding: number, offset: 0 });
            }
        }
        for mark in memmem::find_iter(bytes, CUT) {
            let (before, after) = (self.cut_before(bytes, mark), self.cut_after(bytes, mark + CUT.len()));
            before.into_iter().chain(after).for_each(|one| add(&mut found, one));
        }
        // The bytes may have been cut themselves. A short part is found if it becomes longer where it is written.
        let edges = [self.cut_after(bytes, 0), self.cut_before(bytes, bytes.len()), self.only_part(bytes)];
        for one in edges.into_iter().flatten() {
            if grows(&bytes[one.start..one.end]) || std::str::from_utf8(bytes).is_err() {
                add(&mut found, one);
            }
        }
        found
    }

    /// Whole encodings and parts, of at least a window.
    fn long(&self, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        if self.filter.is_empty() || bytes.len() < WINDOW {
            return found;
        }
        let (mut from, mut gram) = (0, 0);
        while gram + GRAM <= bytes.len() {
            if !self.may_have(bytes, gram) {
                gram += STRIDE;
                continue;
            }
            let first = gram.saturating_sub(STRIDE - 1).max(from);
            let last = gram.min(bytes.len() - WINDOW);
            match (first..=last).find_map(|start| self.at(bytes, start)) {
                Some(one) => {
                    (from, gram) = (one.end, one.end);
                    found.push(one);
                }
                None => gram += STRIDE,
            }
        }
        found
    }

    /// The longest encoding that begins here, or else the longest part of one.
    fn at(&self, bytes: &[u8], start: usize) -> Option<Found> {
        let here = window(bytes, start);
        let mut next = Some(*self.windows.get(&here)?);
        let rest = &bytes[start..];
        let whole = self.whole.get(&here).into_iter().flatten();
        let whole = whole.filter(|&&number| rest.starts_with(&self.encodings[number].text));
        if let Some(&encoding) = whole.max_by_key(|&&number| self.encodings[number].text.len()) {
            let end = start + self.encodings[encoding].text.len();
            return Some(Found { start, end, encoding, offset: 0 });
        }
        let mut longest = Found { start, end: start, encoding: 0, offset: 0 };
        while let Some(Place { encoding, offset, before }) = next.map(|place| self.places[place]) {
            let text = &self.encodings[encoding].text[offset..];
            let end = start + rest.iter().zip(text).take_while(|(one, other)| one == other).count();
            // Of equal parts, that of the first encoding.
            if end >= longest.end {
                longest = Found { start, end, encoding, offset };
            }
            next = before;
        }
        let part = &bytes[start..longest.end];
        let lower = part.to_ascii_lowercase();
        let is_word = WORDS.iter().any(|word| memmem::find(word.as_bytes(), &lower).is_some());
        (!is_word).then_some(longest)
    }

    /// The beginning of an encoding that was cut off at `end`.
    fn cut_before(&self, bytes: &[u8], end: usize) -> Option<Found> {
        (SHORTEST..WINDOW).rev().find_map(|length| {
            let start = end.checked_sub(length).filter(|&start| self.may_have(bytes, start))?;
            let part = &bytes[start..end];
            let encoding = self.encodings.iter().position(|one| one.text.starts_with(part))?;
            Some(Found { start, end, encoding, offset: 0 })
        })
    }

    /// The end of an encoding that was cut off at `start`.
    fn cut_after(&self, bytes: &[u8], start: usize) -> Option<Found> {
        (SHORTEST..WINDOW).rev().find_map(|length| {
            let end = start + length;
            let part = bytes.get(start..end).filter(|_| self.may_have(bytes, end - GRAM))?;
            let encoding = self.encodings.iter().position(|one| one.text.ends_with(part))?;
            Some(Found { start, end, encoding, offset: self.encodings[encoding].text.len() - length })
        })
    }

    /// The short part that these bytes are.
    fn only_part(&self, bytes: &[u8]) -> Option<Found> {
        if !(SHORTEST..WINDOW).contains(&bytes.len()) || !self.may_have(bytes, 0) {
            return None;
        }
        let place = |(number, one): (usize, &Encoding)| Some((number, memmem::find(&one.text, bytes)?));
        let (encoding, offset) = self.encodings.iter().enumerate().find_map(place)?;
        Some(Found { start: 0, end: bytes.len(), encoding, offset })
    }

    /// Whether an encoding may have the gram at this offset.
    fn may_have(&self, bytes: &[u8], at: usize) -> bool {
        !self.filter.is_empty() && {
            let (word, bit) = slot(bytes, at, self.filter.len());
            self.filter[word] & bit != 0
        }
    }
}

/// Whether JSON, HTML or XML escape a byte of it.
fn grows(part: &[u8]) -> bool {
    part.iter().any(|byte| byte.is_ascii_control() || b"\"\\&<>'".contains(byte))
}

/// Adds what overlaps nothing that was found before.
fn add(found: &mut Vec<Found>, one: Found) {
    let at = found.partition_point(|other| other.end <= one.start);
    if found.get(at).is_none_or(|next| next.start >= one.end) {
        found.insert(at, one);
    }
}

/// The window at an offset, as a number.
fn window(bytes: &[u8], at: usize) -> u64 {
    let mut window = [0; WINDOW];
    window.copy_from_slice(&bytes[at..at + WINDOW]);
    u64::from_le_bytes(window)
}

/// The bit of the gram at an offset, in a filter of `length` words.
fn slot(bytes: &[u8], at: usize, length: usize) -> (usize, u64) {
    let mut gram = [0; GRAM];
    gram.copy_from_slice(&bytes[at..at + GRAM]);
    // The golden ratio spreads similar grams.
    let hash = u64::from(u32::from_le_bytes(gram)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
    (usize::try_from(hash >> 6).unwrap_or_default() & (length - 1), 1 << (hash & 63))
}
