//! Text that a tool read or wrote in another encoding, and characters that a text program replaced.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::white::replaced;
use super::{Tell, messages};
use crate::suite::cause::Code;

/// What bytes from 0x80 are in encodings other than Latin-1. Bytes without a character are the control characters with their number.
const TABLES: [(&str, &str); 4] = [
    (
        "windows-1252",
        "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
    ),
    (
        "cp437",
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
    ),
    (
        "cp850",
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
    ),
    (
        "Mac OS Roman",
        "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ",
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
    let Ok(text) = std::str::from_utf8(body) else { return eight_bits(body, tell) };
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

/// Bytes that are no UTF-8, as text of each encoding with one byte a character.
fn eight_bits(body: &[u8], tell: Tell<'_>) -> bool {
    let latin: String = body.iter().map(|&byte| char::from(byte)).collect();
    let code = Code::CaptureTextEncoding;
    tell(code, messages::in_encoding(LATIN_1), latin.into_bytes().into())
        && TABLES.iter().all(|(name, table)| {
            let table: Vec<char> = table.chars().collect();
            let character = |&byte: &u8| {
                let beyond = byte.checked_sub(0x80).and_then(|at| table.get(usize::from(at)));
                beyond.copied().unwrap_or(char::from(byte))
            };
            let text: String = body.iter().map(character).collect();
            tell(code, messages::in_encoding(name), text.into_bytes().into())
        })
}

/// The bytes that were read in another encoding and written as UTF-8.
fn misread(text: &str, tell: Tell<'_>) -> bool {
    let code = Code::CaptureTextEncoding;
    let latin: Option<Vec<u8>> = text.chars().map(|one| u8::try_from(u32::from(one)).ok()).collect();
    let latin = latin.filter(|bytes| std::str::from_utf8(bytes).is_ok());
    latin.is_none_or(|bytes| tell(code, messages::read_as(LATIN_1), bytes.into()))
        && TABLES.iter().all(|(name, table)| {
            let byte = |character: char| match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => Some(byte),
                _ => {
                    let at = table.chars().position(|other| other == character)?;
                    u8::try_from(at + 0x80).ok()
                }
            };
            let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
            let bytes = bytes.filter(|bytes| std::str::from_utf8(bytes).is_ok());
            bytes.is_none_or(|bytes| tell(code, messages::read_as(name), bytes.into()))
        })
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
