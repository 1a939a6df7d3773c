//! Looks for parts of secrets in outputs and files.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::cli::program::Ran;

/// How many bytes of a secret nothing may contain.
const WINDOW: usize = 8;

/// The windows of some secrets, each with the encoding that has it.
pub(super) struct Windows {
    names: Vec<&'static str>,
    search: AhoCorasick,
}

impl Windows {
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut windows: BTreeMap<[u8; WINDOW], &'static str> = BTreeMap::new();
        for secret in secrets {
            for (name, encoded) in encodings(secret) {
                for window in encoded.as_bytes().windows(WINDOW) {
                    windows.entry(window.try_into().unwrap()).or_insert(name);
                }
            }
        }
        let search = AhoCorasick::new(windows.keys()).unwrap();
        Self { names: windows.into_values().collect(), search }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The encoding and the text around the first part of a secret.
    pub(super) fn found_in(&self, bytes: &[u8]) -> Option<(&'static str, String)> {
        let found =
            self.search.find_overlapping_iter(bytes).find(|found| !is_number(bytes, found.range()))?;
        let around = &bytes[found.start().saturating_sub(80)..bytes.len().min(found.start() + 80)];
        Some((self.names[found.pattern().as_usize()], String::from_utf8_lossy(around).into_owned()))
    }

    /// Fails if a part of a secret is in what a command printed.
    #[track_caller]
    pub(super) fn assert_not_in(&self, ran: &Ran, what: &str) {
        assert_eq!(self.found_in(ran.stdout.as_bytes()), None, "{what}: stdout");
        assert_eq!(self.found_in(ran.stderr.as_bytes()), None, "{what}: stderr");
    }

    /// Fails if a part of a secret is in a file of a folder or its subfolders, or in a file's name. Returns the number of files.
    #[track_caller]
    pub(super) fn assert_not_under(&self, folder: &Path, what: &str) -> usize {
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(self.found_in(path.file_name().unwrap().as_encoded_bytes()), None, "{what}: a name");
            if path.is_dir() {
                count += self.assert_not_under(&path, what);
            } else {
                assert_eq!(self.found_in(&fs::read(&path).unwrap()), None, "{what}: {}", path.display());
                count += 1;
            }
        }
        count
    }
}

/// Whether a place is in a number of JSON: a time can have any digits, and numbers are not redacted.
fn is_number(bytes: &[u8], place: Range<usize>) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let from = bytes[..place.start].iter().rposition(|byte| !is_digit(byte));
    let to = bytes[place.end..].iter().find(|byte| !is_digit(byte));
    let before = bytes[..from.map_or(0, |from| from + 1)].trim_ascii_end().last();
    bytes[place].iter().all(is_digit)
        && matches!(before, Some(b':' | b'[' | b','))
        && matches!(to, Some(b',' | b']' | b'}' | b'\n'))
}

/// A secret in the encodings that programs use, made without the code under test.
pub(super) fn encodings(secret: &str) -> Vec<(&'static str, String)> {
    let escaped = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let once = escaped(secret);
    let ascii = |text: &str| -> String {
        let unit = |unit: &u16| format!("\\u{unit:04x}");
        let mut units = [0; 2];
        let mut of = |one: char| match one {
            '\u{80}'.. => one.encode_utf16(&mut units).iter().map(unit).collect(),
            _ => one.to_string(),
        };
        text.chars().map(&mut of).collect()
    };
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let markup =
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut all = vec![
        ("plain", secret.to_owned()),
        ("json twice", escaped(&once)),
        ("json in ascii", ascii(&once)),
        ("json", once),
        ("upper hex", hex.to_uppercase()),
        ("hex", hex),
        ("url", form.replace('+', "%20")),
        ("form", form),
        ("html", markup.replace('\'', "&#x27;")),
        ("lower case", secret.to_lowercase()),
        ("upper case", secret.to_uppercase()),
    ];
    // Only the digits that do not depend on what is before and after.
    for before in 0..3 {
        let inside = |encoded: &str| {
            let begin = before + usize::from(before > 0);
            encoded.get(begin..encoded.len().saturating_sub(2)).unwrap_or_default().to_owned()
        };
        let bytes = [&b"::"[..before], secret.as_bytes()].concat();
        all.push(("base64", inside(&STANDARD_NO_PAD.encode(&bytes))));
        all.push(("base64url", inside(&URL_SAFE_NO_PAD.encode(&bytes))));
    }
    all
}

#[test]
fn time_with_digits_of_a_secret_is_no_part_of_it() {
    // In hexadecimal digits 365970314D.
    let windows = Windows::of(["6Yp1M", "6597031412345678"]);
    for (text, is_found) in [
        ("{\"at_ms\":1796065970314}", false),
        ("{\n  \"at_ms\": 1796065970314,\n", false),
        ("[1,65970314.5]", false),
        ("{\"at_ms\":\"5970314D\"}", true),
        ("{\"at_ms\":\"1796065970314\"}", true),
        ("{\"at_ms\":1796065970314,\"text\":\"65970314\"}", true),
        ("at 1796065970314 ms", true),
    ] {
        assert_eq!(windows.found_in(text.as_bytes()).is_some(), is_found, "{text}");
    }
}
