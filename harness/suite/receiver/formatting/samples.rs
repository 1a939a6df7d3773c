//! JSON in many formattings: what `JSON.stringify` writes, and what other programs write for the same content.
//!
//! Invariant: each formatting is JSON that RFC 8259 allows, and reformatting never changes what a body means.

use serde_json::Value;

use crate::suite::cause::receiver::TRAILING_NEWLINE;
use crate::webhook::dialect::Members;

/// Members to add to a record, as `JSON.stringify` can write them: a description of each, and its text.
pub(in crate::suite::receiver) const JAVASCRIPT: &[(&str, &str)] = &[
    ("text in many scripts", r#""scripts":["Łódź","日本語","العربية","हिन्दी","👩🏽‍🚀"]"#),
    ("control characters", r#""controls":"\b\t\n\f\r\u0000\u001f""#),
    ("unescaped line separators", "\"separators\":\"\u{2028}\u{2029}\u{7f}\""),
    ("markup and slashes", r#""markup":"<b>&amp;</b> \"https://example.com/\\""#),
    ("large and small numbers", r#""numbers":[1e+21,1e-7,0.1234567890123456,9007199254740991,5e-324]"#),
    ("integer-like keys", r#""keys":{"1":"a","2":"b","10":"c","b":1,"a":2}"#),
    ("an empty key and __proto__", r#""":0,"__proto__":{"polluted":true},"constructor":null"#),
    ("nesting to 64 levels", NESTED),
];

/// 60 levels of arrays; the record and the body around them make it 64.
const NESTED: &str = concat!(
    r#""nested":"#,
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
);

/// A member to add to a record that `JSON.stringify` writes and that the parsers of several languages reject.
pub(in crate::suite::receiver) const LONE_SURROGATE: &str = r#""lone":"\ud800""#;

/// Members to add to a record, as other programs can write them.
pub(in crate::suite::receiver) const FOREIGN: &[(&str, &str)] = &[
    ("unneeded escapes", r#""escaped":"\u0041\/\u00e9\ud83d\ude80""#),
    ("numbers such as 1.0, 1e3 and -0", r#""numbers":[1.0,1e3,-0,1E+2,0.10]"#),
    ("integers beyond 2^53", r#""big":[9007199254740993,123456789012345678901234567890]"#),
    ("duplicate keys", r#""twice":1,"twice":2"#),
    ("keys out of order", r#""zz":1,"10":2,"9":3,"aa":4"#),
];

/// A way to write a whole body differently.
pub(in crate::suite::receiver) type Reformat = fn(&str) -> Option<String>;

/// Other formattings of a whole body.
pub(in crate::suite::receiver) const REFORMATTINGS: &[(&str, Reformat)] = &[
    ("white space between tokens", |body| {
        let value: Value = serde_json::from_str(body).ok()?;
        serde_json::to_string_pretty(&value).ok()
    }),
    ("a space after colons and commas", |body| {
        let members = Members::parse(body.as_bytes()).ok()?;
        Some(joined(members.keys().filter_map(|key| Some((key, members.get(key)?.get()))), ", ", ": "))
    }),
    ("members in another order", |body| {
        let members = Members::parse(body.as_bytes()).ok()?;
        let keys: Vec<&str> = members.keys().collect();
        Some(joined(keys.into_iter().rev().filter_map(|key| Some((key, members.get(key)?.get()))), ",", ":"))
    }),
    ("an escaped letter", |body| {
        let reformatted = body.replacen("\"person.", "\"\\u0070erson.", 1);
        (reformatted != body).then_some(reformatted)
    }),
    (TRAILING_NEWLINE, |body| Some(format!("{body}\n"))),
];

fn joined<'a>(members: impl Iterator<Item = (&'a str, &'a str)>, comma: &str, colon: &str) -> String {
    let members: Vec<String> =
        members.map(|(key, value)| format!("{}{colon}{value}", Value::from(key))).collect();
    format!("{{{}}}", members.join(comma))
}
