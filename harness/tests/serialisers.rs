//! The serialisers of each language: compared with the output of the real programs, and tested as properties.
//!
//! Invariant: a wrong byte in any output fails a test, which names the body and the serialiser.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use twenty_conform::webhook::json::{Json, Text};
use twenty_conform::webhook::serialiser::Serialiser;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    origin: BTreeMap<String, String>,
    #[serde(rename = "made_by")]
    _made_by: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    input: String,
    outputs: BTreeMap<String, Option<Output>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Output {
    Whole(String),
    Hashed { sha256: String },
}

fn file() -> File {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/vectors/serialisers.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_serialiser_prints_what_the_real_program_printed() {
    let file = file();
    assert_eq!(file.format, "twenty-conform-serialisers/1");
    assert!(["node", "python", "go", "php"].iter().all(|program| file.origin.contains_key(*program)));
    assert!(file.cases.len() >= 120, "only {} bodies", file.cases.len());
    let mut wrong = Vec::new();
    for case in &file.cases {
        assert_eq!(case.outputs.len(), Serialiser::ALL.len(), "{}", case.name);
        for serialiser in Serialiser::ALL {
            let ours = serialiser.reprint(case.input.as_bytes());
            let agrees = match (&case.outputs[serialiser.name()], &ours) {
                (Some(Output::Whole(theirs)), Some(ours)) => theirs.as_bytes() == ours,
                (Some(Output::Hashed { sha256 }), Some(ours)) => {
                    *sha256 == const_hex::encode(Sha256::digest(ours))
                }
                (None, None) => true,
                _ => false,
            };
            if !agrees {
                let ours = ours.map(|ours| String::from_utf8(ours).unwrap());
                let theirs = match &case.outputs[serialiser.name()] {
                    Some(Output::Whole(text)) => text,
                    Some(Output::Hashed { sha256 }) => sha256,
                    None => "(refused)",
                };
                wrong.push(format!(
                    "{} of {:?}:\n    real program: {theirs:.600}\n    suite:        {:.600}",
                    serialiser.name(),
                    case.name,
                    ours.as_deref().unwrap_or("(refused)")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} disagree:\n  {}", wrong.len(), wrong.join("\n  "));
}

#[test]
fn probe_distinguishes_all_serialisers() {
    let probe = Serialiser::probe();
    let parsed = Json::parse(probe.as_bytes()).unwrap();
    assert_eq!(parsed.compact(), probe, "the probe is in compact form");
    assert!(
        file().cases.iter().any(|case| case.input == probe),
        "the probe is not among the recorded bodies"
    );
    for body in
        [probe.to_owned(), format!(r#"{{"event":"person.created","data":{{"id":"a1","probe":{probe}}}}}"#)]
    {
        let mut outputs: BTreeSet<Vec<u8>> =
            Serialiser::ALL.iter().map(|serialiser| serialiser.reprint(body.as_bytes()).unwrap()).collect();
        outputs.insert(body.into_bytes());
        assert_eq!(outputs.len(), Serialiser::ALL.len() + 1);
    }
}

#[test]
fn json_errors_name_fault_and_position() {
    for (text, at, why) in [
        (&b"\xef\xbb\xbf{}"[..], 0, "byte-order mark"),
        (b"{\"a\":\"\xff\"}", 6, "UTF-8"),
        (b"[1,]", 3, "expected a value"),
        (b"[1", 2, "`,` or `]`"),
        (b"{\"a\" 1}", 5, "`:`"),
        (b"{a:1}", 1, "name"),
        (b"\"a\nb\"", 2, "control character"),
        (b"\"\\x\"", 1, "escape"),
        (b"\"\\ud83\"", 1, "four hexadecimal digits"),
        (b"01", 1, "after the value"),
        (b"-", 1, "digit"),
        (b"", 0, "unexpected end"),
    ] {
        let malformed = Json::parse(text).unwrap_err();
        let text = String::from_utf8_lossy(text);
        assert_eq!(malformed.at, at, "{text}");
        assert!(malformed.why.describe().contains(why), "{text}: {malformed}");
    }
    let deep = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
    assert!(Json::parse(deep(512).as_bytes()).is_ok());
    assert!(Json::parse(deep(513).as_bytes()).unwrap_err().why.describe().contains("512"));
    assert!(Json::parse(deep(1_000_000).as_bytes()).is_err());
}

#[test]
fn finds_the_spans_of_members() {
    let body = br#" { "a" : 1 , "secret":{"secret":2},"\u0061":[ ] } "#;
    let members = Json::members(body).unwrap();
    let found: Vec<(String, &str)> = members
        .iter()
        .map(|member| (member.name.to_string(), std::str::from_utf8(&body[member.span.clone()]).unwrap()))
        .collect();
    let expected = [("a", r#""a" : 1"#), ("secret", r#""secret":{"secret":2}"#), ("a", r#""\u0061":[ ]"#)];
    assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text)));
    assert_eq!(Json::members(b"[1]").unwrap(), []);
    assert!(Json::members(b"{} x").is_err());
    assert_eq!(Json::parse(body).unwrap().get("a"), Some(&Json::Array(Vec::new())));
}

#[test]
fn removes_a_member_with_its_comma() {
    for (body, rest) in [
        (r#"{"secret":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"secret":1}"#, r#"{"a":2}"#),
        (r#"{"a": 1, "secret": [1, {"secret": 2}], "b": {"secret": 3}}"#, r#"{"a": 1, "b": {"secret": 3}}"#),
        (r#"{"secret":1,"a":2,"\u0073ecret":3,"b":4,"secret":5}"#, r#"{"a":2,"b":4}"#),
        ("{\n  \"secret\": 1\n}\n", "{}\n"),
        ("{\n  \"a\": 1,\n  \"secret\": 1\n}", "{\n  \"a\": 1\n}"),
    ] {
        let cut = Json::without(body.as_bytes(), "secret").map(|cut| String::from_utf8(cut).unwrap());
        assert_eq!(cut.as_deref(), Some(rest), "{body}");
    }
    for body in [r#"{"a":{"secret":1}}"#, "{}", r#"["secret"]"#, r#"{"secret":1"#] {
        assert_eq!(Json::without(body.as_bytes(), "secret"), None, "{body}");
    }
}

fn texts() -> impl Strategy<Value = Text> {
    prop_oneof![
        4 => "[ -~]{0,8}".prop_map(|text| Text::from(&*text)),
        2 => any::<String>().prop_map(|text| Text::from(&*text)),
        2 => "0|[1-9][0-9]{0,10}".prop_map(|text| Text::from(&*text)),
        2 => "[<>&/\"\\\\\u{8}\u{c}\u{7f}\u{2028}é😀]{0,6}".prop_map(|text| Text::from(&*text)),
        1 => proptest::collection::vec(any::<u16>(), 0..6).prop_map(Text::from),
        1 => proptest::collection::vec(0xd7fe_u16..0xe002, 0..6).prop_map(Text::from),
    ]
}

fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,25})",
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        any::<f64>()
            .prop_filter("finite", |double| double.is_finite())
            .prop_map(|double| format!("{double:?}")),
        any::<i64>().prop_map(|integer| integer.to_string()),
    ]
}

fn trees() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        numbers().prop_map(Json::Number),
        texts().prop_map(Json::Text),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            proptest::collection::vec((texts(), inner.clone()), 0..8).prop_map(Json::Object),
            // Keys that count up from 0 are a list in PHP.
            proptest::collection::vec(inner, 0..4).prop_map(|values| {
                let name = |(at, value): (usize, Json)| (Text::from(&*at.to_string()), value);
                Json::Object(values.into_iter().enumerate().map(name).collect())
            }),
        ]
    })
}

/// Whether `holds` is true of any value in the tree.
fn any_value(json: &Json, holds: &impl Fn(&Json) -> bool) -> bool {
    holds(json)
        || match json {
            Json::Array(elements) => elements.iter().any(|element| any_value(element, holds)),
            Json::Object(members) => members.iter().any(|(_, value)| any_value(value, holds)),
            _ => false,
        }
}

/// The text without white space between its tokens.
fn squeezed(text: &[u8]) -> String {
    Json::parse(text).unwrap().compact()
}

proptest! {
    #[test]
    fn tree_survives_printing_and_parsing(tree in trees()) {
        prop_assert_eq!(Json::parse(tree.compact().as_bytes()), Ok(tree));
    }

    #[test]
    fn accepts_the_same_bytes_as_serde_json(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{},:\"\\\\0-9.eE+u \\-a-f]{0,60}") {
        for bytes in [&bytes[..], text.as_bytes()] {
            let ours = Json::parse(bytes);
            // A second parser, which differs only in the limits for depth and exponents.
            let theirs = serde_json::from_slice::<&serde_json::value::RawValue>(bytes);
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", ours);
            for serialiser in Serialiser::ALL {
                prop_assert!(ours.is_ok() || serialiser.reprint(bytes).is_none());
            }
        }
    }

    #[test]
    fn printed_json_parses_back(tree in trees()) {
        for serialiser in Serialiser::ALL {
            let Some(printed) = serialiser.print(&tree) else { continue };
            let infinite = |value: &Json| matches!(value, Json::Number(raw) if raw.parse::<f64>().unwrap().is_infinite());
            let again = Json::parse(&printed);
            if again.is_err() && any_value(&tree, &infinite) {
                prop_assert!(serialiser.name().starts_with("python"), "only Python prints Infinity");
                continue;
            }
            prop_assert!(again.is_ok(), "{}: {}", serialiser.name(), String::from_utf8_lossy(&printed));
        }
    }

    #[test]
    fn printing_a_second_time_changes_nothing(tree in trees()) {
        for serialiser in Serialiser::ALL {
            let Some(once) = serialiser.print(&tree) else { continue };
            // PHP prints -0.0 as -0, and reads that as the integer 0.
            let zero = |value: &Json| matches!(value, Json::Number(raw) if raw == "-0");
            let printed = Json::parse(&once);
            if printed.is_err() || (*serialiser == Serialiser::Php && any_value(&printed.unwrap(), &zero)) {
                continue;
            }
            let twice = serialiser.reprint(&once).map(|twice| String::from_utf8(twice).unwrap());
            prop_assert_eq!(twice, Some(String::from_utf8(once).unwrap()), "{}", serialiser.name());
        }
    }

    #[test]
    fn white_space_between_tokens_does_not_matter(tree in trees()) {
        for serialiser in Serialiser::ALL {
            let pretty = Serialiser::Pretty.print(&tree).unwrap();
            let javascript = Serialiser::Javascript.print(&tree).unwrap();
            prop_assert_eq!(serialiser.reprint(&pretty), serialiser.reprint(&javascript));
        }
    }

    #[test]
    fn forms_of_one_language_differ_only_in_white_space_and_escapes(tree in trees()) {
        let print = |serialiser: Serialiser| serialiser.print(&tree).filter(|text| Json::parse(text).is_ok());
        let javascript = print(Serialiser::Javascript).unwrap();
        prop_assert_eq!(squeezed(&print(Serialiser::Pretty).unwrap()).into_bytes(), javascript);
        if let (Some(default), Some(compact)) = (print(Serialiser::PythonDefault), print(Serialiser::PythonCompact)) {
            prop_assert!(compact.is_ascii() && default.is_ascii());
            prop_assert_eq!(squeezed(&default), squeezed(&compact));
            if let Some(unescaped) = print(Serialiser::PythonUnescaped) {
                prop_assert_eq!(squeezed(&unescaped).into_bytes(), unescaped.clone());
                prop_assert_eq!(squeezed(&unescaped), squeezed(&compact));
            }
        }
    }

    #[test]
    fn removing_a_member_equals_printing_without_it(
        members in proptest::collection::vec(("[a-z]{1,3}", trees()), 0..5),
        at in any::<prop::sample::Index>(),
    ) {
        let mut members: Vec<_> = members.iter().map(|(name, value)| (Text::from(&**name), value.clone())).collect();
        let rest = Json::Object(members.clone());
        members.insert(at.index(members.len() + 1), (Text::from("secret"), Json::Null));
        for serialiser in Serialiser::ALL {
            let whole = serialiser.print(&Json::Object(members.clone()));
            let Some((whole, rest)) = whole.zip(serialiser.print(&rest)) else { continue };
            // PHP prints an empty object as a list, and Infinity is not JSON.
            if Json::parse(&whole).is_ok() && rest != b"[]" {
                prop_assert_eq!(Json::without(&whole, "secret"), Some(rest), "{}", serialiser.name());
            }
        }
    }

    #[test]
    fn sorted_serialiser_sorts_all_keys_and_keeps_values(tree in trees()) {
        let unsorted = |value: &Json| match value {
            Json::Object(members) => !members.is_sorted_by(|(one, _), (other, _)| one < other),
            _ => false,
        };
        let sorted = Json::parse(&Serialiser::Sorted.print(&tree).unwrap()).unwrap();
        prop_assert!(!any_value(&sorted, &unsorted));
        let javascript = Serialiser::Javascript.print(&tree).unwrap();
        prop_assert_eq!(Serialiser::Sorted.reprint(&javascript), Serialiser::Sorted.print(&tree));
    }
}
