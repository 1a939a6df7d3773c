//! Where two byte strings differ.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Up to this many bytes between the common beginning and end, characters are compared.
const CHARACTERS: usize = 512;
/// The same for words. What is longer differs as a whole.
const WORDS: usize = 8 * 1024;
/// Fewer equal bytes between parts that differ are chance, as in two hashes.
const CHANCE: usize = 4;

/// A part of both strings, which is equal or differs. If it differs, one of the ranges may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) is_equal: bool,
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
}

/// The parts of both strings in order. Together they are all of both. Equal and differing parts alternate.
pub(super) fn pieces(old: &[u8], new: &[u8]) -> Vec<Piece> {
    let mut found = Vec::new();
    compare(old, new, (0, 0), &mut found);
    found = merge(found);
    join_chance(&mut found, old);
    found
}

/// Adds the parts of two strings that begin at these positions.
fn compare(old: &[u8], new: &[u8], at: (usize, usize), found: &mut Vec<Piece>) {
    let begin = common_beginning(old, new);
    let end = common_end(&old[begin..], &new[begin..]);
    let (old_middle, new_middle) = (&old[begin..old.len() - end], &new[begin..new.len() - end]);
    let longest = old_middle.len().max(new_middle.len());
    add(found, true, (at.0, begin), (at.1, begin));
    let middle = (at.0 + begin, at.1 + begin);
    if old_middle.is_empty() || new_middle.is_empty() || longest > WORDS {
        add(found, false, (middle.0, old_middle.len()), (middle.1, new_middle.len()));
    } else if longest <= CHARACTERS {
        by_units(&characters(old_middle), &characters(new_middle), middle, found, &|_, _, _, _| false);
    } else {
        let refine = |old: &[u8], new: &[u8], at, found: &mut Vec<Piece>| {
            let is_short = old.len().max(new.len()) <= CHARACTERS;
            if is_short {
                compare(old, new, at, found);
            }
            is_short
        };
        by_units(&words(old_middle), &words(new_middle), middle, found, &refine);
    }
    add(found, true, (middle.0 + old_middle.len(), end), (middle.1 + new_middle.len(), end));
}

/// Compares more finely what was replaced, if it can: the bytes, where they begin, and the parts to add to.
type Refine<'a> = &'a dyn Fn(&[u8], &[u8], (usize, usize), &mut Vec<Piece>) -> bool;

fn by_units(old: &[&[u8]], new: &[&[u8]], at: (usize, usize), found: &mut Vec<Piece>, refine: Refine<'_>) {
    let (mut old_at, mut new_at) = at;
    let bytes = |units: &[&[u8]]| units.concat();
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        let (old_bytes, new_bytes) = (bytes(&old[op.old_range()]), bytes(&new[op.new_range()]));
        let is_replaced = matches!(op, DiffOp::Replace { .. });
        if !(is_replaced && refine(&old_bytes, &new_bytes, (old_at, new_at), found)) {
            let is_equal = matches!(op, DiffOp::Equal { .. });
            add(found, is_equal, (old_at, old_bytes.len()), (new_at, new_bytes.len()));
        }
        old_at += old_bytes.len();
        new_at += new_bytes.len();
    }
}

/// Adds a part of these beginnings and lengths, unless it is empty.
fn add(found: &mut Vec<Piece>, is_equal: bool, old: (usize, usize), new: (usize, usize)) {
    if old.1 + new.1 > 0 {
        found.push(Piece { is_equal, old: old.0..old.0 + old.1, new: new.0..new.0 + new.1 });
    }
}

/// Short equal parts of a word that was replaced differ too. What was only inserted or removed next to them is exact.
fn join_chance(pieces: &mut Vec<Piece>, old: &[u8]) {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || *byte == b'-';
    loop {
        let chance = (1..pieces.len().saturating_sub(1)).find(|&at| {
            let (before, after) = (&pieces[at - 1], &pieces[at + 1]);
            let is_insertion = before.old.is_empty() && after.old.is_empty();
            let is_removal = before.new.is_empty() && after.new.is_empty();
            let same = &old[pieces[at].old.clone()];
            let is_between = pieces[at].is_equal && !before.is_equal && !after.is_equal;
            let is_chance = same.len() < CHANCE && same.iter().all(is_word);
            is_between && is_chance && !is_insertion && !is_removal
        });
        let Some(at) = chance else { return };
        pieces[at].is_equal = false;
        *pieces = merge(std::mem::take(pieces));
    }
}

fn merge(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        match merged.last_mut() {
            Some(last) if last.is_equal == piece.is_equal => {
                last.old.end = piece.old.end;
                last.new.end = piece.new.end;
            }
            _ => merged.push(piece),
        }
    }
    merged
}

/// Whether a byte continues a character of UTF-8.
fn continues(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// How many bytes are equal at the beginning, without a part of a character.
fn common_beginning(old: &[u8], new: &[u8]) -> usize {
    let mut length = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let splits =
        |at: usize| [old, new].iter().any(|bytes| bytes.get(at).is_some_and(|byte| continues(*byte)));
    while length > 0 && splits(length) {
        length -= 1;
    }
    length
}

fn common_end(old: &[u8], new: &[u8]) -> usize {
    let mut length = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    while length > 0 && continues(old[old.len() - length]) {
        length -= 1;
    }
    length
}

/// Characters, and single bytes that belong to none.
fn characters(bytes: &[u8]) -> Vec<&[u8]> {
    split(bytes, |_, byte| !continues(byte))
}

/// Runs of letters and digits, and single other characters.
fn words(bytes: &[u8]) -> Vec<&[u8]> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
    split(bytes, |before, byte| !(is_word(before) && is_word(byte)))
}

/// Splits before each byte that begins a unit, given the byte before it.
fn split(bytes: &[u8], begins: impl Fn(u8, u8) -> bool) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let mut start = 0;
    for at in 1..bytes.len() {
        if begins(bytes[at - 1], bytes[at]) {
            units.push(&bytes[start..at]);
            start = at;
        }
    }
    if start < bytes.len() {
        units.push(&bytes[start..]);
    }
    units
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Piece, pieces};

    /// The differing parts, as `old>new`.
    fn differing(old: &str, new: &str) -> Vec<String> {
        let shown = |piece: &Piece| format!("{}>{}", &old[piece.old.clone()], &new[piece.new.clone()]);
        let found = pieces(old.as_bytes(), new.as_bytes());
        found.iter().filter(|piece| !piece.is_equal).map(shown).collect()
    }

    #[test]
    fn marks_what_differs_and_no_more() {
        for (old, new, expected) in [
            ("", "", vec![]),
            ("same", "same", vec![]),
            ("", "all", vec![">all"]),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#, vec!["2>3"]),
            (r#"{"a":1,"b":2}"#, r#"{"a": 1, "b": 2}"#, vec!["> ", "> ", "> "]),
            ("caf\u{e9}", "caf\u{e8}", vec!["\u{e9}>\u{e8}"]),
            ("1.50", "1.5", vec!["0>"]),
            ("id-0123456789abcdef", "id-f1e3d5c7b9a0cdef", vec!["0123456789ab>f1e3d5c7b9a0"]),
            ("\"further\":\"x\"", "\"escaped\":\"y\"", vec!["further>escaped", "x>y"]),
        ] {
            assert_eq!(differing(old, new), expected, "{old} {new}");
        }
    }

    #[test]
    fn long_strings_are_compared_by_words() {
        let record = |name: &str| format!("{{\"name\":\"{name}\",\"rest\":\"{}\"", "some words ".repeat(200));
        let ends = |name: &str, end: &str| format!("{}{end}}}", record(name));
        let found = differing(&ends("Alice", "1"), &ends("Alina", "2"));
        assert_eq!(found, ["ce>na", "1>2"]);
    }

    proptest! {
        #[test]
        fn parts_are_all_of_both(
            old in proptest::collection::vec(0_u8..4, 0..40),
            new in proptest::collection::vec(0_u8..4, 0..40),
        ) {
            let (mut of_old, mut of_new) = (Vec::new(), Vec::new());
            for piece in pieces(&old, &new) {
                let (one, other) = (&old[piece.old], &new[piece.new]);
                prop_assert!(!piece.is_equal || one == other);
                of_old.extend_from_slice(one);
                of_new.extend_from_slice(other);
            }
            prop_assert_eq!(of_old, old);
            prop_assert_eq!(of_new, new);
        }
    }
}
