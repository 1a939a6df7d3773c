//! Characters beyond ASCII that were replaced by `?` or by U+FFFD. A few of them can be found by trying.

use std::cell::Cell;
use std::ops::Range;

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::messages;

/// What is tried for a single character, in this order: letters of Europe, punctuation, letters of Africa and Asia, Chinese, Korean.
const OF_ONE: [Range<u32>; 5] = [0xA0..0x530, 0x2010..0x20D0, 0x530..0x2000, 0x3040..0xA000, 0xAC00..0xD7A4];
/// What is tried for each of two.
const OF_TWO: Range<u32> = 0xC0..0x100;
/// Latin letters with accents.
const ACCENTED: Range<u32> = 0xC0..0x250;

/// The replaced characters, told with what was signed instead of them; `None` if there are more than two, or nothing fits.
pub(super) fn find(body: &[u8], most: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let places = places(text);
    // One mark a character, or one a byte.
    let marks: Vec<Range<usize>> = places.iter().flat_map(|place| each(text, place)).collect();
    tried(text, &places, most, fits)
        .or_else(|| tried(text, &marks, most, fits))
        .or_else(|| plain(text, most, fits).filter(|_| text.is_ascii()))
}

/// A letter that lost its accent, or a character that was left out.
fn plain(text: &str, most: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<String> {
    let base = |letter: char| {
        let decomposed =
            DecomposingNormalizerBorrowed::new_nfd().normalize_iter(std::iter::once(letter)).next();
        decomposed.filter(|base| *base != letter)
    };
    let accented: Vec<(char, char)> =
        ACCENTED.filter_map(char::from_u32).filter_map(|letter| Some((base(letter)?, letter))).collect();
    let left = Cell::new(most);
    let fits = |at: usize, length: usize, letter: char| {
        let Some(rest) = left.get().checked_sub(1) else { return false };
        left.set(rest);
        let after = text.get(at + length..).unwrap_or_default();
        fits([&text[..at], letter.encode_utf8(&mut [0; 4]), after].concat().as_bytes())
    };
    let places = || text.char_indices().enumerate();
    let replaced = places().find_map(|(number, (at, captured))| {
        let letters = accented.iter().filter(|(base, _)| *base == captured);
        let (_, letter) = letters.into_iter().find(|(_, letter)| fits(at, 1, *letter))?;
        Some(messages::without_accent(number + 1, captured, *letter))
    });
    replaced.or_else(|| {
        places().find_map(|(number, (at, _))| {
            let letter = OF_TWO.filter_map(char::from_u32).find(|letter| fits(at, 0, *letter))?;
            Some(messages::dropped(number + 1, letter))
        })
    })
}

fn tried(text: &str, places: &[Range<usize>], most: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<String> {
    let with = |signed: &[char]| {
        let mut out = String::with_capacity(text.len() + 8);
        let mut after = 0;
        for (place, character) in places.iter().zip(signed) {
            out.push_str(&text[after..place.start]);
            out.push(*character);
            after = place.end;
        }
        out + &text[after..]
    };
    let is_signed = |signed: &Vec<char>| fits(with(signed).as_bytes());
    let found = match places {
        [_] => OF_ONE
            .into_iter()
            .flatten()
            .filter_map(char::from_u32)
            .map(|one| vec![one])
            .take(most)
            .find(is_signed),
        [_, _] => {
            let pairs = OF_TWO.flat_map(|one| OF_TWO.map(move |other| (one, other)));
            pairs
                .filter_map(|(one, other)| Some(vec![char::from_u32(one)?, char::from_u32(other)?]))
                .take(most)
                .find(is_signed)
        }
        _ => None,
    }?;
    let captured = places.first().map(|place| &text[place.clone()]).unwrap_or_default();
    Some(messages::replaced(captured, &found.iter().map(char::to_string).collect::<Vec<_>>().join("` and `")))
}

/// The marks of one run, one by one.
fn each<'a>(text: &'a str, run: &Range<usize>) -> impl Iterator<Item = Range<usize>> + 'a {
    let start = run.start;
    text[run.clone()].char_indices().map(move |(at, mark)| start + at..start + at + mark.len_utf8())
}

/// Where a JSON text has runs of marks instead of characters: in strings that are no URLs.
pub(super) fn places(text: &str) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = Vec::new();
    let (mut start, mut in_string, mut escaped) = (0, false, false);
    for (at, character) in text.char_indices() {
        if !in_string {
            (in_string, start) = (character == '"', at + 1);
            continue;
        }
        let closes = character == '"' && !escaped;
        if closes {
            in_string = false;
            if text[start..at].contains("://") {
                places.retain(|place| place.start < start);
            }
        } else if matches!(character, '?' | char::REPLACEMENT_CHARACTER) {
            let end = at + character.len_utf8();
            match places.last_mut().filter(|last| last.end == at) {
                Some(last) => last.end = end,
                None => places.push(at..end),
            }
        }
        escaped = character == '\\' && !escaped;
    }
    places
}
