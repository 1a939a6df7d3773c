//! Text that a tool read or wrote in another encoding, and characters that a text program replaced.

use encoding_rs::Encoding;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::white::replaced;
use super::{Tell, messages};
use crate::suite::cause::Code;

/// Encodings of Windows, of older systems, and of Chinese and Japanese.
const ENCODINGS: [&Encoding; 12] = [
    encoding_rs::WINDOWS_1252,
    encoding_rs::WINDOWS_1250,
    encoding_rs::WINDOWS_1251,
    encoding_rs::WINDOWS_1253,
    encoding_rs::WINDOWS_1254,
    encoding_rs::ISO_8859_2,
    encoding_rs::ISO_8859_15,
    encoding_rs::KOI8_R,
    encoding_rs::MACINTOSH,
    encoding_rs::GBK,
    encoding_rs::BIG5,
    encoding_rs::SHIFT_JIS,
];
/// What bytes from 0x80 are in the console of Windows, whose encodings that library does not have.
const TABLES: [(&str, &str); 2] = [
    (
        "cp437",
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
    ),
    (
        "cp850",
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
    ),
];

const LATIN_1: &str = "Latin-1";

/// Quotes, dashes and blanks that text programs write instead of plain ones.
const TYPOGRAPHIC: [(&str, &str); 13] = [
    ("“", "\""),
    ("”", "\""),
    ("„", "\""),
    ("«", "\""),
    ("»", "\""),
    ("‘", "'"),
    ("’", "'"),
    ("\u{a0}", " "),
    ("\u{202f}", " "),
    ("…", "..."),
    ("–", "-"),
    ("—", "--"),
    ("\u{2028}", "\n"),
];
/// Which of them are replaced together: double quotes, single ones, quotes, blanks, the ellipsis, dashes, all.
const TOGETHER: [std::ops::Range<usize>; 7] = [0..5, 5..7, 0..7, 7..9, 9..10, 10..12, 0..13];
const INVISIBLE: [&str; 6] = ["\u{200b}", "\u{200c}", "\u{200e}", "\u{2060}", "\u{ad}", "\u{feff}"];

/// The byte-order mark of UTF-8.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

pub(super) fn text_encoding(body: &[u8], tell: Tell<'_>) -> bool {
    let code = Code::CaptureTextEncoding;
    let without_mark = body.strip_prefix(MARK);
    let marked =
        without_mark.is_none_or(|rest| tell(code, messages::byte_order_mark().to_owned(), rest.into()));
    if !marked || !utf_16(body, tell) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(body) else { return other_bytes(body, tell) };
    // Everything else is about characters beyond ASCII.
    text.is_ascii() || misread(text, tell) && characters(text, tell)
}

fn utf_16(body: &[u8], tell: Tell<'_>) -> bool {
    if body.len() < 4 || body.iter().filter(|&&byte| byte == 0).count() < body.len() / 8 {
        return true;
    }
    let read = |of: fn([u8; 2]) -> u16| {
        let units = body.as_chunks::<2>().0.iter().map(|&pair| of(pair));
        let text: String =
            char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        text.trim_start_matches('\u{feff}').to_owned().into_bytes()
    };
    [read(u16::from_le_bytes), read(u16::from_be_bytes)]
        .into_iter()
        .all(|text| tell(Code::CaptureTextEncoding, messages::in_encoding("UTF-16"), text.into()))
}

/// Bytes that are no UTF-8, as text of each encoding.
fn other_bytes(body: &[u8], tell: Tell<'_>) -> bool {
    let code = Code::CaptureTextEncoding;
    let latin: String = body.iter().map(|&byte| char::from(byte)).collect();
    let by_table = |table: &str| {
        let table: Vec<char> = table.chars().collect();
        let character = |&byte: &u8| {
            let beyond = byte.checked_sub(0x80).and_then(|at| table.get(usize::from(at)));
            beyond.copied().unwrap_or(char::from(byte))
        };
        body.iter().map(character).collect::<String>().into_bytes()
    };
    tell(code, messages::in_encoding(LATIN_1), latin.into_bytes().into())
        && ENCODINGS.iter().all(|encoding| {
            let text = encoding.decode_without_bom_handling_and_without_replacement(body);
            text.is_none_or(|text| {
                tell(code, messages::in_encoding(encoding.name()), text.into_owned().into_bytes().into())
            })
        })
        && TABLES.iter().all(|(name, table)| tell(code, messages::in_encoding(name), by_table(table).into()))
}

/// The bytes that were read in another encoding and written as UTF-8.
fn misread(text: &str, tell: Tell<'_>) -> bool {
    let by_table = |table: &str| -> Option<Vec<u8>> {
        let byte = |character: char| match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => Some(byte),
            _ => u8::try_from(table.chars().position(|other| other == character)? + 0x80).ok(),
        };
        text.chars().map(byte).collect()
    };
    let mut read = |name: &str, bytes: Option<Vec<u8>>| {
        let bytes = bytes.filter(|bytes| std::str::from_utf8(bytes).is_ok());
        bytes.is_none_or(|bytes| tell(Code::CaptureTextEncoding, messages::read_as(name), bytes.into()))
    };
    read(LATIN_1, text.chars().map(|one| u8::try_from(u32::from(one)).ok()).collect())
        && ENCODINGS.iter().all(|encoding| {
            let (bytes, _, is_lossy) = encoding.encode(text);
            read(encoding.name(), (!is_lossy).then(|| bytes.into_owned()))
        })
        && TABLES.iter().all(|(name, table)| read(name, by_table(table)))
}

fn characters(text: &str, tell: Tell<'_>) -> bool {
    let code = Code::CaptureTextEncoding;
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned().into_bytes();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text).into_owned().into_bytes();
    let plain = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.as_bytes().to_vec(), |text, (from, to)| {
            replaced(&text, from.as_bytes(), to.as_bytes()).into_owned()
        })
    };
    let visible = || INVISIBLE.iter().fold(text.to_owned(), |text, one| text.replace(one, ""));
    tell(code, messages::composed("NFD", "NFC"), composed.into())
        && tell(code, messages::composed("NFC", "NFD"), decomposed.into())
        && tell(code, messages::invisible().to_owned(), visible().into_bytes().into())
        && TOGETHER.iter().all(|range| {
            tell(code, messages::typographic().to_owned(), plain(&TYPOGRAPHIC[range.clone()]).into())
        })
}
