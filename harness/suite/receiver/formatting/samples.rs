//! JSON in every spelling: what `JSON.stringify` writes, and what other programs write for the same content.
//!
//! Invariant: each spelling is a JSON text that RFC 8259 allows; what a body means is never changed by a respelling.

use serde_json::Value;

use crate::webhook::dialect::Members;

/// A record's further member, as `JSON.stringify` can write it: what it shows, and its text.
pub(in crate::suite::receiver) const JAVASCRIPT: &[(&str, &str)] = &[
    ("text in many scripts", r#""scripts":["Łódź","日本語","العربية","हिन्दी","👩🏽‍🚀"]"#),
    ("control characters", r#""controls":"\b\t\n\f\r\u0000\u001f""#),
    ("line separators as they are", "\"separators\":\"\u{2028}\u{2029}\u{7f}\""),
    ("markup and slashes", r#""markup":"<b>&amp;</b> \"https://example.com/\\""#),
    ("large and small numbers", r#""numbers":[1e+21,1e-7,0.1234567890123456,9007199254740991,5e-324]"#),
    ("keys that look like integers", r#""keys":{"1":"a","2":"b","10":"c","b":1,"a":2}"#),
    ("an empty key and __proto__", r#""":0,"__proto__":{"polluted":true},"constructor":null"#),
    ("nesting to 64 levels", NESTED),
];

/// Sixty levels of arrays, in a record, in a body.
const NESTED: &str = concat!(
    r#""nested":"#,
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
);

/// A record's further member that `JSON.stringify` writes and that several languages' parsers refuse.
pub(in crate::suite::receiver) const LONE_SURROGATE: &str = r#""lone":"\ud800""#;

/// A record's further member, as other programs can write it.
pub(in crate::suite::receiver) const FOREIGN: &[(&str, &str)] = &[
    ("escapes of what needs none", r#""escaped":"\u0041\/\u00e9\ud83d\ude80""#),
    ("fractions that are none", r#""numbers":[1.0,1e3,-0,1E+2,0.10]"#),
    ("integers beyond 2^53", r#""big":[9007199254740993,123456789012345678901234567890]"#),
    ("duplicate keys", r#""twice":1,"twice":2"#),
    ("keys out of order", r#""zz":1,"10":2,"9":3,"aa":4"#),
];

/// A way to write a whole body differently.
pub(in crate::suite::receiver) type Reformat = fn(&str) -> Option<String>;

/// Whole bodies in another spelling of the same content.
pub(in crate::suite::receiver) const REFORMATTINGS: &[(&str, Reformat)] = &[
    ("white space between tokens", |body| {
        let value: Value = serde_json::from_str(body).ok()?;
        serde_json::to_string_pretty(&value).ok()
    }),
    ("a space behind colons and commas", |body| {
        let members = Members::parse(body.as_bytes()).ok()?;
        Some(joined(members.keys().filter_map(|key| Some((key, members.get(key)?.get()))), ", ", ": "))
    }),
    ("another order of members", |body| {
        let members = Members::parse(body.as_bytes()).ok()?;
        let keys: Vec<&str> = members.keys().collect();
        Some(joined(keys.into_iter().rev().filter_map(|key| Some((key, members.get(key)?.get()))), ",", ":"))
    }),
    ("an escaped letter", |body| {
        let reformatted = body.replacen("\"person.", "\"\\u0070erson.", 1);
        (reformatted != body).then_some(reformatted)
    }),
    ("a line feed at its end", |body| Some(format!("{body}\n"))),
];

fn joined<'a>(members: impl Iterator<Item = (&'a str, &'a str)>, comma: &str, colon: &str) -> String {
    let members: Vec<String> =
        members.map(|(key, value)| format!("{}{colon}{value}", Value::from(key))).collect();
    format!("{{{}}}", members.join(comma))
}
