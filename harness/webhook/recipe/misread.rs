//! What programs hash instead of the body, because they decoded, consumed or wrapped it first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use serde_json::Value;

use super::escape_non_ascii;

described! {
    /// A text that programs mistake for the body, as the end of "signed …".
    pub enum Misread {
        /// With a question mark for each UTF-16 unit beyond ASCII, as .NET and Java write it.
        Ascii: "over the body in ASCII, with ? for other characters",
        /// With a question mark for each character beyond ASCII, as Python and Ruby write it.
        AsciiCharacters: "over the body in ASCII, with one ? for each other character",
        AsciiDropped: "over the body without its characters beyond ASCII",
        Latin1: "over the body in Latin-1, with ? for other characters",
        /// Decoded as Latin-1 and encoded as UTF-8.
        DecodedAsLatin1: "over the body decoded as Latin-1",
        /// Decoded as ASCII, with U+FFFD for each other byte.
        Replaced: "over the body with U+FFFD for each byte beyond ASCII",
        Escaped: "over the body with \\uXXXX for characters beyond ASCII",
        /// With line feeds, carriage returns and tabs escaped too.
        EscapedControls: "over the body with escapes for line ends, tabs and characters beyond ASCII",
        Empty: "over an empty body",
        ObjectObject: "over the text [object Object]",
        Promise: "over the text [object Promise]",
        Stream: "over the text [object ReadableStream]",
        ArrayBuffer: "over the text [object ArrayBuffer]",
        Undefined: "over the text undefined",
        Null: "over the text null",
        EmptyObject: "over the text {}",
        None: "over the text None",
        Array: "over the text Array",
        /// As `JSON.stringify` prints a buffer of Node.js.
        BufferJson: "over the JSON of a buffer",
        /// As JavaScript prints an array of bytes.
        CommaNumbers: "over the numbers of the body's bytes with commas",
        /// As Go prints a slice of bytes.
        BlankNumbers: "over the numbers of the body's bytes in brackets",
        /// As Python prints a dictionary.
        Dictionary: "over the parsed body as Python prints it",
        Base64: "over the base64 text of the body",
        /// As Python prints bytes.
        BytesLiteral: "over the body as Python prints bytes (b'…')",
    }
}

impl Misread {
    /// Whether it differs from most bodies only in characters beyond ASCII.
    pub fn is_encoding(self) -> bool {
        matches!(
            self,
            Self::Ascii
                | Self::AsciiCharacters
                | Self::AsciiDropped
                | Self::Latin1
                | Self::DecodedAsLatin1
                | Self::Replaced
                | Self::Escaped
                | Self::EscapedControls
        )
    }

    /// What is hashed instead of this body; `None` if the body is not text.
    pub fn of(self, body: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(body).ok()?;
        Some(match self {
            Self::Ascii => text
                .encode_utf16()
                .map(|unit| u8::try_from(unit).ok().filter(u8::is_ascii))
                .map(or_mark)
                .collect(),
            Self::AsciiCharacters => {
                text.chars().map(|one| u8::try_from(one).ok().filter(u8::is_ascii)).map(or_mark).collect()
            }
            Self::AsciiDropped => body.iter().copied().filter(u8::is_ascii).collect(),
            Self::Latin1 => text.encode_utf16().map(|unit| u8::try_from(unit).ok()).map(or_mark).collect(),
            Self::DecodedAsLatin1 => {
                body.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes()
            }
            Self::Replaced => {
                let decoded =
                    |&byte: &u8| if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
                body.iter().map(decoded).collect::<String>().into_bytes()
            }
            Self::Escaped => escape_non_ascii(text).into_bytes(),
            Self::EscapedControls => {
                let text = text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
                escape_non_ascii(&text).into_bytes()
            }
            Self::Empty => Vec::new(),
            Self::ObjectObject => b"[object Object]".to_vec(),
            Self::Promise => b"[object Promise]".to_vec(),
            Self::Stream => b"[object ReadableStream]".to_vec(),
            Self::ArrayBuffer => b"[object ArrayBuffer]".to_vec(),
            Self::None => b"None".to_vec(),
            Self::Array => b"Array".to_vec(),
            Self::BufferJson => {
                format!("{{\"type\":\"Buffer\",\"data\":[{}]}}", numbers(body, ",")).into_bytes()
            }
            Self::CommaNumbers => numbers(body, ",").into_bytes(),
            Self::BlankNumbers => format!("[{}]", numbers(body, " ")).into_bytes(),
            Self::Dictionary => dictionary(&serde_json::from_slice(body).ok()?).into_bytes(),
            Self::Undefined => b"undefined".to_vec(),
            Self::Null => b"null".to_vec(),
            Self::EmptyObject => b"{}".to_vec(),
            Self::Base64 => STANDARD.encode(body).into_bytes(),
            Self::BytesLiteral => bytes_literal(body).into_bytes(),
        })
    }
}

fn or_mark(byte: Option<u8>) -> u8 {
    byte.unwrap_or(b'?')
}

fn numbers(body: &[u8], between: &str) -> String {
    body.iter().map(u8::to_string).collect::<Vec<_>>().join(between)
}

/// A parsed body as Python's `str` prints it. Numbers are as in most bodies: whole ones.
fn dictionary(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let escaped =
                text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
            format!("{quote}{}{quote}", escaped.replace(quote, &format!("\\{quote}")))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(dictionary).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", dictionary(&Value::from(name.as_str())), dictionary(value))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Bytes as Python's `repr` prints them.
fn bytes_literal(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = format!("b{quote}");
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b' '..=b'~' if char::from(byte) == quote => text.extend(['\\', quote]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push(quote);
    text
}
