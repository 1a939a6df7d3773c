//! What editors, tools and people do to a captured body.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use twenty_conform::suite::cause::Code;

pub(super) struct Change {
    pub(super) name: &'static str,
    /// The cause that is told.
    pub(super) code: Code,
    /// The body in the capture; `None` if it would be the same, or another change.
    pub(super) change: fn(&str) -> Option<Vec<u8>>,
    /// Whether it is about white space between tokens, and so a different thing for an indented body.
    pub(super) is_layout: bool,
}

const fn change(name: &'static str, code: Code, change: fn(&str) -> Option<Vec<u8>>) -> Change {
    Change { name, code, change, is_layout: false }
}

const fn layout(name: &'static str, code: Code, change: fn(&str) -> Option<Vec<u8>>) -> Change {
    Change { name, code, change, is_layout: true }
}

pub(super) const ALL: &[Change] = &[
    change("line feed at the end", Code::CaptureNewline, |body| some(format!("{body}\n"))),
    change("two line feeds at the end", Code::CaptureNewline, |body| some(format!("{body}\n\n"))),
    change("CR LF at the end", Code::CaptureNewline, |body| some(format!("{body}\r\n"))),
    change("blanks at the end", Code::CaptureNewline, |body| some(format!("{body}   "))),
    change("line feed at the start", Code::CaptureNewline, |body| some(format!("\n{body}"))),
    layout("indented by two", Code::CapturePretty, |body| Some(indented(body, b"  "))),
    layout("indented by four", Code::CapturePretty, |body| Some(indented(body, b"    "))),
    layout("indented by tabs", Code::CapturePretty, |body| Some(indented(body, b"\t"))),
    layout("indented with CR LF", Code::CapturePretty, |body| {
        some(String::from_utf8(indented(body, b"  ")).unwrap().replace('\n', "\r\n"))
    }),
    layout("indented with a line feed at the end", Code::CapturePretty, |body| {
        Some([indented(body, b"  "), b"\n".to_vec()].concat())
    }),
    layout("wrapped at 40 bytes", Code::CaptureLineEnds, |body| {
        let lines: Vec<&[u8]> = body.as_bytes().chunks(40).collect();
        (lines.len() > 2).then(|| lines.join(&b'\n'))
    }),
    layout("wrapped at 64 bytes with CR LF", Code::CaptureLineEnds, |body| {
        let lines: Vec<&[u8]> = body.as_bytes().chunks(64).collect();
        (lines.len() > 2).then(|| lines.join(&b"\r\n"[..]))
    }),
    change("byte-order mark", Code::CaptureTextEncoding, |body| some(format!("\u{feff}{body}"))),
    change("UTF-16, little end first", Code::CaptureTextEncoding, |body| {
        let units = std::iter::once(0xfeff).chain(body.encode_utf16());
        Some(units.flat_map(u16::to_le_bytes).collect())
    }),
    change("UTF-16, big end first", Code::CaptureTextEncoding, |body| {
        Some(body.encode_utf16().flat_map(u16::to_be_bytes).collect())
    }),
    change("read as Latin-1", Code::CaptureTextEncoding, |body| {
        beyond(body)?;
        some(body.bytes().map(char::from).collect())
    }),
    change("read as Latin-1 twice", Code::CaptureTextEncoding, |body| {
        beyond(body)?;
        let once: String = body.bytes().map(char::from).collect();
        some(once.bytes().map(char::from).collect())
    }),
    change("read as windows-1252", Code::CaptureTextEncoding, |body| {
        beyond(body)?;
        // The bytes of these characters in windows-1252 are letters and signs.
        let known = |byte: u8| match byte {
            0x80 => Some('€'),
            0x82..=0x8c | 0x8e | 0x91..=0x9c | 0x9e | 0x9f => {
                "‚ƒ„…†‡ˆ‰Š‹Œ_Ž__‘’“”•–—˜™š›œ_žŸ".chars().nth(usize::from(byte) - 0x82)
            }
            0x81 | 0x8d | 0x8f | 0x90 | 0x9d => None,
            other => Some(char::from(other)),
        };
        body.bytes().map(known).collect::<Option<String>>().map(String::into_bytes)
    }),
    change("written as Latin-1", Code::CaptureTextEncoding, |body| {
        beyond(body)?;
        body.chars().map(|one| u8::try_from(u32::from(one)).ok()).collect()
    }),
    change("typographic quotes", Code::CaptureTextEncoding, |body| some(body.replace('"', "”"))),
    change("blanks that do not break", Code::CaptureTextEncoding, |body| {
        body.contains(' ').then(|| body.replace(' ', "\u{a0}").into_bytes())
    }),
    change("a blank without width", Code::CaptureTextEncoding, |body| {
        let (begin, end) = body.split_at(body.char_indices().nth(3)?.0);
        some(format!("{begin}\u{200b}{end}"))
    }),
    change("base64", Code::CaptureDecoded, |body| some(STANDARD.encode(body))),
    change("base64 for URLs", Code::CaptureDecoded, |body| some(URL_SAFE_NO_PAD.encode(body))),
    change("base64 in lines", Code::CaptureDecoded, |body| {
        let text = STANDARD.encode(body);
        Some(text.as_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n'))
    }),
    change("hexadecimal", Code::CaptureDecoded, |body| some(const_hex::encode(body))),
    change("gzip", Code::CaptureDecoded, |body| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(body.as_bytes()).ok()?;
        writer.finish().ok()
    }),
    change("deflate", Code::CaptureDecoded, |body| {
        let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(body.as_bytes()).ok()?;
        writer.finish().ok()
    }),
    change("URL-encoded", Code::CaptureDecoded, |body| {
        some(body.bytes().map(|byte| format!("%{byte:02X}")).collect())
    }),
    change("a form", Code::CaptureDecoded, |body| {
        some(url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", body).finish())
    }),
    change("a JSON string", Code::CaptureDecoded, |body| some(serde_json::Value::from(body).to_string())),
    change("a JSON string without its quotes", Code::CaptureDecoded, |body| {
        let text = serde_json::Value::from(body).to_string();
        some(text[1..text.len() - 1].to_owned())
    }),
    change("Python's bytes", Code::CaptureDecoded, |body| {
        let byte = |byte: u8| match byte {
            b'\'' => "\\'".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b'\n' => "\\n".to_owned(),
            b' '..=b'~' => char::from(byte).to_string(),
            other => format!("\\x{other:02x}"),
        };
        some(format!("b'{}'", body.bytes().map(byte).collect::<String>()))
    }),
    change("numbers", Code::CaptureDecoded, |body| {
        some(format!("[{}]", body.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ")))
    }),
    change("a buffer of Node.js", Code::CaptureDecoded, |body| {
        some(serde_json::json!({"type": "Buffer", "data": body.as_bytes()}).to_string())
    }),
    change("a dump of xxd", Code::CaptureDecoded, |body| {
        let line = |(at, bytes): (usize, &[u8])| {
            let pairs: Vec<String> = bytes.chunks(2).map(const_hex::encode).collect();
            let text: String = bytes
                .iter()
                .map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '.' })
                .collect();
            format!("{:08x}: {:<39}  {text}\n", at * 16, pairs.join(" "))
        };
        some(body.as_bytes().chunks(16).enumerate().map(line).collect())
    }),
    change("HTML-escaped", Code::CaptureDecoded, |body| {
        some(body.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;"))
    }),
    change("quoted-printable", Code::CaptureDecoded, |body| {
        let byte = |byte: u8| {
            if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("={byte:02X}") }
        };
        Some(
            body.bytes()
                .map(byte)
                .collect::<String>()
                .as_bytes()
                .chunks(75)
                .collect::<Vec<_>>()
                .join(&b"=\n"[..]),
        )
    }),
    change("chunks", Code::CaptureDecoded, |body| some(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))),
    change("escapes printed", Code::CaptureDecoded, |body| {
        let is_clear = body.contains("\\n") && !body.contains("\\\\");
        is_clear.then(|| body.replace("\\n", "\n").into_bytes())
    }),
    change("a dump of hexdump", Code::CaptureDecoded, |body| {
        let line = |(at, bytes): (usize, &[u8])| {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{:08x}  {:<48} |{}|\n", at * 16, digits.join(" "), ".".repeat(bytes.len()))
        };
        let lines: String = body.as_bytes().chunks(16).enumerate().map(line).collect();
        some(format!("{lines}{:08x}\n", body.len()))
    }),
    change("an array of C", Code::CaptureDecoded, |body| {
        let bytes: Vec<String> = body.bytes().map(|byte| format!("0x{byte:02x}")).collect();
        some(format!("unsigned char body[] = {{\n  {}\n}};\n", bytes.join(", ")))
    }),
    change("quoted for a shell", Code::CaptureDecoded, |body| {
        let character =
            |one: char| if one.is_ascii_punctuation() { format!("\\{one}") } else { one.to_string() };
        some(body.chars().map(character).collect())
    }),
    change("a data URL", Code::CaptureDecoded, |body| {
        some(format!("data:application/json;base64,{}", STANDARD.encode(body)))
    }),
    change("a log of nginx", Code::CaptureDecoded, |body| {
        let byte = |byte: u8| match byte {
            b'"' | b'\\' | 0..=31 | 127.. => format!("\\x{byte:02X}"),
            other => char::from(other).to_string(),
        };
        some(body.bytes().map(byte).collect())
    }),
    change("bytes of Java", Code::CaptureDecoded, |body| {
        let bytes: Vec<String> = body.bytes().map(|byte| byte.cast_signed().to_string()).collect();
        some(format!("[{}]", bytes.join(", ")))
    }),
    change("a field of a CSV file", Code::CaptureDecoded, |body| {
        some(format!("\"{}\"", body.replace('"', "\"\"")))
    }),
    change("a literal of SQL", Code::CaptureDecoded, |body| {
        body.contains('\'').then(|| format!("'{}'", body.replace('\'', "''")).into_bytes())
    }),
    change("a string of PowerShell", Code::CaptureDecoded, |body| {
        some(format!("\"{}\"", body.replace('"', "`\"")))
    }),
    change("a dictionary of Python", Code::CaptureDecoded, |body| {
        some(printed(&serde_json::from_str(body).unwrap(), ": ", ["None", "True", "False"]))
    }),
    change("a hash of Ruby", Code::CaptureDecoded, |body| {
        some(printed(&serde_json::from_str(body).unwrap(), "=>", ["nil", "true", "false"]))
    }),
    change("the console of Windows", Code::CaptureTextEncoding, |body| {
        // In cp850 these are the bytes of `ë`, and nothing else that bodies of tests have.
        let beyond: String = body.chars().filter(|one| !one.is_ascii()).collect();
        (beyond == "ë").then(|| body.replace('ë', "├½").into_bytes())
    }),
    change("the body twice", Code::CaptureCopiedWrong, |body| some(format!("{body}\n{body}\n"))),
    change("quotes around it", Code::CaptureCopiedWrong, |body| some(format!("'{body}'"))),
    change("a code block around it", Code::CaptureCopiedWrong, |body| {
        some(format!("```json\n{body}\n```\n"))
    }),
    change("a prompt before it", Code::CaptureCopiedWrong, |body| some(format!("body: {body}"))),
    change("without its last brace", Code::CaptureCut, |body| some(body[..body.len() - 1].to_owned())),
    change("without its first brace", Code::CaptureCut, |body| some(body[1..].to_owned())),
    change("no body", Code::CaptureBodyMissing, |_| some(String::new())),
    change("an object's name instead of it", Code::CaptureBodyMissing, |_| {
        some("[object Object]".to_owned())
    }),
];

/// The change of this name.
pub(super) fn of(name: &str) -> fn(&str) -> Option<Vec<u8>> {
    ALL.iter().find(|change| change.name == name).unwrap().change
}

fn some(text: String) -> Option<Vec<u8>> {
    Some(text.into_bytes())
}

/// A value in the notation of a language. `words` are those for null, true and false.
fn printed(value: &serde_json::Value, between: &str, words: [&str; 3]) -> String {
    let quoted = |text: &str| {
        let json = serde_json::Value::from(text).to_string();
        format!("'{}'", json[1..json.len() - 1].replace("\\\"", "\"").replace('\'', "\\'"))
    };
    match value {
        serde_json::Value::Null => words[0].to_owned(),
        serde_json::Value::Bool(true) => words[1].to_owned(),
        serde_json::Value::Bool(false) => words[2].to_owned(),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(text) => quoted(text),
        serde_json::Value::Array(elements) => {
            let all: Vec<String> = elements.iter().map(|one| printed(one, between, words)).collect();
            format!("[{}]", all.join(", "))
        }
        serde_json::Value::Object(members) => {
            let member = |(name, value): (&String, &serde_json::Value)| {
                format!("{}{between}{}", quoted(name), printed(value, between, words))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

fn beyond(body: &str) -> Option<()> {
    (!body.is_ascii()).then_some(())
}

fn indented(body: &str, indent: &'static [u8]) -> Vec<u8> {
    use serde::Serialize as _;
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter)).unwrap();
    out
}
