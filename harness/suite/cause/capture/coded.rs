//! Bodies that a tool encoded, or decoded once too often.

use std::io::Read;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::white::replaced;
use super::{Tell, messages};
use crate::budget::{INPUT, PARSED_VALUES};
use crate::suite::cause::Code;
use crate::webhook::json::has_at_most;

/// The text that was encoded; `None` if the body is not in this form.
type Undo = fn(&[u8]) -> Option<Vec<u8>>;

/// Characters by their names in HTML.
const ENTITIES: [(&str, char); 6] =
    [("quot", '"'), ("amp", '&'), ("lt", '<'), ("gt", '>'), ("apos", '\''), ("nbsp", '\u{a0}')];

pub(super) fn decoded(body: &[u8], tell: Tell<'_>) -> bool {
    let forms: [(&str, Undo); 20] = [
        ("base64", base64),
        ("a data URL", data_url),
        ("hexadecimal", hexadecimal),
        ("compressed", decompressed),
        ("URL-encoded", percent),
        ("URL-encoded", form),
        ("a JSON string", json_string),
        ("a Python literal", bytes_literal),
        ("escaped with `\\x`", nginx),
        ("decimal numbers", numbers),
        ("a hexadecimal dump", dump),
        ("HTML-escaped", html),
        ("a CSV field", csv),
        ("an SQL literal", sql),
        ("PowerShell-quoted", powershell),
        ("shell-quoted", shell),
        ("quoted-printable", quoted_printable),
        ("in chunks", chunks),
        ("a JSON buffer", buffer),
        ("a printed object", super::literal::json),
    ];
    let code = Code::CaptureDecoded;
    forms.iter().all(|(form, undo)| {
        undo(body).is_none_or(|text| tell(code, messages::still_encoded(form), text.into()))
    }) && escaped_again(body).is_none_or(|text| tell(code, messages::unescaped().to_owned(), text.into()))
        && doubled(body).is_none_or(|text| tell(code, messages::backslashes_lost().to_owned(), text.into()))
}

fn base64(body: &[u8]) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decode = |alphabet| GeneralPurpose::new(alphabet, lenient).decode(&text).ok();
    decode(&alphabet::STANDARD).or_else(|| decode(&alphabet::URL_SAFE)).filter(|text| !text.is_empty())
}

fn data_url(body: &[u8]) -> Option<Vec<u8>> {
    let text = body.trim_ascii().strip_prefix(b"data:")?;
    let (head, rest) = text.split_at(memchr::memchr(b',', text)? + 1);
    if head.ends_with(b";base64,") { base64(rest) } else { percent(rest) }
}

fn hexadecimal(body: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> =
        body.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && *byte != b':').collect();
    const_hex::decode(&text).ok().filter(|text| !text.is_empty())
}

fn decompressed(body: &[u8]) -> Option<Vec<u8>> {
    match body {
        [0x1f, 0x8b, ..] => read(MultiGzDecoder::new(body)),
        [0x78, ..] => read(ZlibDecoder::new(body)),
        _ => read(DeflateDecoder::new(body)),
    }
}

fn read(decoder: impl Read) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    decoder.take(INPUT + 1).read_to_end(&mut text).ok()?;
    (!text.is_empty() && text.len() as u64 <= INPUT).then_some(text)
}

fn percent(body: &[u8]) -> Option<Vec<u8>> {
    body.contains(&b'%').then(|| escapes(body, b'%'))
}

/// Text with each escape of two hexadecimal digits undone.
fn escapes(body: &[u8], escape: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == escape);
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out
}

/// The first value of a form, or the text without a name.
fn form(body: &[u8]) -> Option<Vec<u8>> {
    let mut pairs = url::form_urlencoded::parse(body.trim_ascii());
    let (name, value) = pairs.next().filter(|_| body.iter().any(|byte| matches!(byte, b'%' | b'+')))?;
    let text = if value.is_empty() { name } else { value };
    Some(text.into_owned().into_bytes())
}

fn json_string(body: &[u8]) -> Option<Vec<u8>> {
    let text = body.trim_ascii();
    let quoted = [b"\"", text, b"\""].concat();
    let parsed = serde_json::from_slice::<String>(text).or_else(|_| serde_json::from_slice(&quoted));
    parsed.ok().filter(|_| text.contains(&b'\\')).map(String::into_bytes)
}

fn bytes_literal(body: &[u8]) -> Option<Vec<u8>> {
    let text = body.trim_ascii();
    // Quotes alone are no literal of Python.
    let bytes = text.strip_prefix(b"b");
    let inner = bytes.or_else(|| text.contains(&b'\\').then_some(text))?;
    let &quote = inner.first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let mut rest = inner[1..].strip_suffix(&[quote])?;
    let mut out = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        let (byte, length) = match (first, after) {
            (b'\\', [b'x', digits @ ..]) => {
                let digits = std::str::from_utf8(digits.get(..2)?).ok()?;
                (u8::from_str_radix(digits, 16).ok()?, 4)
            }
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [other @ (b'\\' | b'\'' | b'"'), ..]) => (*other, 2),
            _ => (*first, 1),
        };
        out.push(byte);
        rest = &rest[length..];
    }
    Some(out)
}

/// The escapes with which nginx logs a body: `\x22` for a quote.
fn nginx(body: &[u8]) -> Option<Vec<u8>> {
    let mut parts = memchr::memmem::find_iter(body, b"\\x").peekable();
    parts.peek()?;
    Some(escapes(&replaced(body, b"\\x", b"\0"), b'\0'))
}

/// Quotes that are doubled, and perhaps quotes around them.
fn undoubled(body: &[u8], quote: &[u8], escaped: &[u8]) -> Option<Vec<u8>> {
    let text = body.trim_ascii();
    let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)).unwrap_or(text);
    let changed = replaced(inner, escaped, quote);
    (changed.len() < inner.len()).then(|| changed.into_owned())
}

fn csv(body: &[u8]) -> Option<Vec<u8>> {
    undoubled(body, b"\"", b"\"\"")
}

fn sql(body: &[u8]) -> Option<Vec<u8>> {
    undoubled(body, b"'", b"''").or_else(|| undoubled(body, b"'", b"\\'"))
}

/// Text in which a shell needs a backslash before each special character.
fn shell(body: &[u8]) -> Option<Vec<u8>> {
    let mut rest = body.iter();
    let mut text = Vec::with_capacity(body.len());
    while let Some(&byte) = rest.next() {
        text.push(if byte == b'\\' { *rest.next()? } else { byte });
    }
    (text.len() < body.len()).then_some(text)
}

fn powershell(body: &[u8]) -> Option<Vec<u8>> {
    undoubled(body, b"\"", b"`\"")
}

/// Decimal numbers of bytes, with commas or blanks between them and perhaps in brackets.
fn numbers(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    // An array of C, as `xxd -i` writes it, stands in braces.
    let array = text.split_once(" = {").and_then(|(_, array)| array.split('}').next());
    let text = array.unwrap_or(text).trim().trim_start_matches('[').trim_end_matches(']');
    let words = text.split(|one: char| one == ',' || one.is_whitespace()).filter(|word| !word.is_empty());
    // Java prints bytes from 0x80 as negative numbers.
    let byte = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => word.parse().ok().or_else(|| word.parse().ok().map(i8::cast_unsigned)),
    };
    let bytes: Option<Vec<u8>> = words.map(byte).collect();
    bytes.filter(|bytes| bytes.len() > 1)
}

/// Bytes hexadecimal as Node.js prints a buffer, or as `hexdump -C` and `xxd` print a file.
fn dump(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if let Some(inner) = text.strip_prefix("<Buffer ").and_then(|text| text.strip_suffix('>')) {
        return hexadecimal(inner.as_bytes());
    }
    let mut bytes = Vec::new();
    for line in text.lines() {
        // `xxd` has a colon after the offset, and the text after two blanks; `hexdump` has the text between bars.
        let Some(at) = line.find([' ', ':']) else { continue };
        let (is_xxd, rest) = (line[at..].starts_with(':'), line[at + 1..].trim_start());
        let digits =
            if is_xxd { rest.split("  ").next() } else { rest.split('|').next() }.unwrap_or_default();
        bytes.extend(hexadecimal(digits.as_bytes()).unwrap_or_default());
    }
    (!bytes.is_empty()).then_some(bytes)
}

fn html(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut parts = text.split('&');
    let mut out = parts.next()?.to_owned();
    let mut is_changed = false;
    for part in parts {
        let known = part.split_once(';').and_then(|(name, rest)| Some((entity(name)?, rest)));
        match known {
            Some((character, rest)) => {
                is_changed = true;
                out.push(character);
                out.push_str(rest);
            }
            None => {
                out.push('&');
                out.push_str(part);
            }
        }
    }
    is_changed.then(|| out.into_bytes())
}

fn entity(name: &str) -> Option<char> {
    if let Some(digits) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        return char::from_u32(u32::from_str_radix(digits, 16).ok()?);
    }
    if let Some(digits) = name.strip_prefix('#') {
        return char::from_u32(digits.parse().ok()?);
    }
    ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, character)| *character)
}

fn quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    let joined = replaced(body, b"=\r\n", b"");
    let joined = replaced(&joined, b"=\n", b"").into_owned();
    joined.contains(&b'=').then(|| escapes(&joined, b'=')).or((joined.len() < body.len()).then_some(joined))
}

/// The text of chunks with their lengths.
fn chunks(body: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut text) = (body, Vec::new());
    loop {
        let end = memchr::memchr(b'\n', rest)?;
        let length = std::str::from_utf8(rest[..end].split(|&byte| byte == b';').next()?).ok()?.trim();
        let length = usize::from_str_radix(length, 16).ok()?;
        rest = &rest[end + 1..];
        if length == 0 {
            return (!text.is_empty()).then_some(text);
        }
        text.extend_from_slice(rest.get(..length)?);
        rest = &rest[length..];
        rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
    }
}

/// `{"type":"Buffer","data":[…]}` and `{"0":123,"1":34,…}`.
fn buffer(body: &[u8]) -> Option<Vec<u8>> {
    if !has_at_most(body, PARSED_VALUES) {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let byte = |value: &serde_json::Value| u8::try_from(value.as_u64()?).ok();
    let bytes: Option<Vec<u8>> = match value.get("data").and_then(serde_json::Value::as_array) {
        Some(data) => data.iter().map(byte).collect(),
        None => value.as_object()?.values().map(byte).collect(),
    };
    bytes.filter(|bytes| !bytes.is_empty())
}

/// The body with line ends and tabs in strings as escapes, which JSON demands.
fn escaped_again(body: &[u8]) -> Option<Vec<u8>> {
    let (mut in_string, mut escaped, mut is_changed) = (false, false, false);
    let mut out = Vec::with_capacity(body.len());
    for &byte in body {
        let escape = match byte {
            b'\n' => &b"\\n"[..],
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            _ => b"",
        };
        if in_string && !escape.is_empty() {
            out.extend_from_slice(escape);
            is_changed = true;
        } else {
            out.push(byte);
        }
        in_string = if in_string { escaped || byte != b'"' } else { byte == b'"' };
        escaped = in_string && byte == b'\\' && !escaped;
    }
    is_changed.then_some(out)
}

fn doubled(body: &[u8]) -> Option<Vec<u8>> {
    body.contains(&b'\\').then(|| replaced(body, b"\\", b"\\\\").into_owned())
}
