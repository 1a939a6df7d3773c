//! What is told of captured requests whose signature does not match: every change that editors, tools and people make, undone.
//!
//! Invariant: the changes are written here, independently of the code that undoes them.

mod changes;
mod copied;

use proptest::prelude::*;
use twenty_conform::suite::cause::capture::{Signed, evident, explain, suspected};
use twenty_conform::suite::cause::{Cause, Code, sender};
use twenty_conform::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};
use twenty_conform::webhook::signature::{Key, Secret};

use self::changes::{ALL, Change};

const SECRET: &str = "s3cr3t";
const TIMESTAMP: &str = "1795880619500";
const BODY: &str = r#"{"event":"person.created","data":{"id":"p-1","firstName":"Zoë","lastName":"O'Brien & <Co>","url":"https://example.com/a","note":"a \"b\"\n","n":1,"createdAt":"2026-01-02T03:04:05.000Z"},"timestamp":"2026-01-02T03:04:05.000Z"}"#;

fn sign(timestamp: &str, body: &[u8]) -> String {
    Key::new(&Secret::new(SECRET)).sign(timestamp.as_bytes(), body).to_hex()
}

/// A capture of this body, without a declared length.
fn capture<'a>(timestamp: &'a str, signature: &'a str, body: &'a [u8]) -> Signed<'a> {
    Signed {
        timestamp: timestamp.as_bytes(),
        signature: signature.as_bytes(),
        body,
        after: b"",
        content_length: None,
    }
}

fn told(timestamp: &str, signature: &str, body: &[u8]) -> Option<Cause> {
    explain(&capture(timestamp, signature, body), SECRET)
}

/// What is told of a body that is not the signed one.
fn of_body(signed: &str, captured: &[u8]) -> String {
    told(TIMESTAMP, &sign(TIMESTAMP, signed.as_bytes()), captured)
        .map(|cause| cause.to_string())
        .unwrap_or_default()
}

#[test]
fn each_change_of_a_body_is_told() {
    for Change { name, code, change, .. } in ALL {
        let Some(captured) = change(BODY) else { panic!("{name} changes nothing") };
        let cause = told(TIMESTAMP, &sign(TIMESTAMP, BODY.as_bytes()), &captured);
        assert_eq!(cause.as_ref().map(|cause| cause.code), Some(*code), "{name}: {cause:?}");
    }
}

#[test]
fn each_change_of_an_indented_body_is_told() {
    let indented =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(BODY).unwrap()).unwrap();
    for Change { name, code, change, .. } in ALL.iter().filter(|change| !change.is_layout) {
        let Some(captured) = change(&indented) else { continue };
        let cause = told(TIMESTAMP, &sign(TIMESTAMP, indented.as_bytes()), &captured);
        assert_eq!(cause.as_ref().map(|cause| cause.code), Some(*code), "{name}: {cause:?}");
    }
    let code_of =
        |captured: &str| of_body(&indented, captured.as_bytes()).split(' ').next().unwrap().to_owned();
    for (captured, code) in [
        (indented.replace('\n', "\r\n"), "capture.line-ends"),
        (indented.replace('\n', "\r"), "capture.line-ends"),
        (indented.replace('\n', "\n\n"), "capture.line-ends"),
        (indented.replace("  ", "\t"), "capture.pretty"),
        (indented.replace("  ", "    "), "capture.pretty"),
        (indented.replace('\n', "\n    "), "capture.pretty"),
    ] {
        assert_eq!(code_of(&captured), code, "{captured}");
    }
    let tabs = indented.replace("  ", "\t");
    assert_eq!(of_body(&tabs, indented.as_bytes()), "capture.pretty (blanks where tabs were signed)");
    let dos = indented.replace('\n', "\r\n");
    assert_eq!(of_body(&dos, indented.as_bytes()), "capture.line-ends (LF where CR LF was signed)");
}

/// Bodies of any form: an object with texts in several scripts, numbers as written, and nested values.
fn bodies() -> impl Strategy<Value = String> {
    let text = "[a-zA-Z0-9 éüñßøŁ😀中/<>&'\\\\\"\n-]{0,12}";
    let scalar = prop_oneof![
        text.prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let value = scalar.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec(("[a-z]{1,8}", inner), 1..4)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    prop::collection::vec(("[a-z]{2,10}", value), 1..6).prop_map(|members| {
        let record: serde_json::Map<_, _> = members.into_iter().collect();
        serde_json::json!({"event": "person.created", "data": record, "timestamp": "2026-01-02T03:04:05.000Z"})
            .to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_of_any_body_is_told_as_what_it_is(body in bodies(), at in 0..ALL.len()) {
        let Change { name, code, change, .. } = &ALL[at];
        if let Some(captured) = change(&body).filter(|captured| captured != body.as_bytes()) {
            let cause = told(TIMESTAMP, &sign(TIMESTAMP, body.as_bytes()), &captured);
            prop_assert_eq!(cause.as_ref().map(|cause| cause.code), Some(*code), "{}: {:?}", name, cause);
        }
    }

    #[test]
    fn a_wrong_digit_of_any_request_is_told(body in bodies(), at in 0..64_usize, by in 1..16_u32, place in 0..13_usize, more in 1..10_u32) {
        let right = sign(TIMESTAMP, body.as_bytes());
        let digit = right[at..=at].chars().next().and_then(|digit| digit.to_digit(16)).unwrap();
        let wrong = char::from_digit((digit + by) % 16, 16).unwrap();
        let signature = format!("{}{wrong}{}", &right[..at], &right[at + 1..]);
        let cause = told(TIMESTAMP, &signature, body.as_bytes()).map(|cause| cause.to_string());
        let digit = char::from_digit(digit, 16).unwrap();
        let expected = format!("capture.copied-wrong (digit {} of the signature is `{wrong}` instead of `{digit}`)", at + 1);
        prop_assert_eq!(cause, Some(expected));

        let old = TIMESTAMP[place..=place].parse::<u32>().unwrap();
        let captured = format!("{}{}{}", &TIMESTAMP[..place], (old + more) % 10, &TIMESTAMP[place + 1..]);
        let cause = told(&captured, &right, body.as_bytes()).unwrap();
        let all = [vec![cause.to_string()], cause.or.clone()].concat().join("; ");
        let expected = format!("digit {} of the timestamp is `{}` instead of `{old}`", place + 1, (old + more) % 10);
        prop_assert!(all.contains(&expected), "{}", all);
        // Two readings of a clock differ in the last digits.
        prop_assert!(place > 10 || cause.code == Code::CaptureCopiedWrong, "{:?}", cause);
    }
}

#[test]
fn nothing_is_told_of_a_whole_body_with_another_secret() {
    let indented =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(BODY).unwrap()).unwrap();
    for body in [BODY, &indented, "{\"event\":\"a.b\"}", "[1]", "x"] {
        let signature =
            Key::new(&Secret::new("another")).sign(TIMESTAMP.as_bytes(), body.as_bytes()).to_hex();
        assert_eq!(told(TIMESTAMP, &signature, body.as_bytes()), None, "{body}");
        assert_eq!(told(TIMESTAMP, &sign(TIMESTAMP, body.as_bytes()), body.as_bytes()), None, "{body}");
    }
    for signature in ["", "x", &"0".repeat(63), "sha256="] {
        assert_eq!(told(TIMESTAMP, signature, BODY.as_bytes()), None, "{signature}");
    }
}

#[test]
fn wrong_ways_of_signing_stay_the_sender_s() {
    let recipes = Recipe::lattice().into_iter().filter(|recipe| {
        let contract = Recipe::CONTRACT;
        let differing = [
            recipe.message != contract.message,
            recipe.key != contract.key,
            recipe.digest != contract.digest,
        ];
        differing.into_iter().filter(|&differs| differs).count() == 1
    });
    let recipes = recipes.chain(Recipe::misreadings());
    // Digits of either case are right.
    let recipes = recipes.filter(|recipe| recipe.digest != Digest::Uppercase);
    for recipe in recipes.filter(|recipe| recipe.message != Message::TrailingNewline) {
        let Some(header) = recipe.compute(SECRET, TIMESTAMP.as_bytes(), BODY.as_bytes()) else { continue };
        let by_sender =
            sender::signature(SECRET, &[], TIMESTAMP.as_bytes(), BODY.as_bytes(), header.as_bytes());
        let cause = told(TIMESTAMP, &header, BODY.as_bytes());
        let codes = [by_sender, cause].map(|cause| cause.map(|cause| cause.code));
        assert_eq!(codes[0], codes[1], "{}", recipe.describe());
    }
}

#[test]
fn a_declared_length_decides_where_two_causes_fit() {
    let pretty = changes::of("indented by two")(BODY).unwrap();
    let signature = sign(TIMESTAMP, BODY.as_bytes());
    let with = |body: &[u8], length: usize| {
        let signed = Signed { content_length: Some(length as u64), ..capture(TIMESTAMP, &signature, body) };
        explain(&signed, SECRET).unwrap()
    };
    let arrived = with(&pretty, pretty.len());
    assert_eq!(arrived.code, Code::CapturePretty);
    assert!(arrived.or.iter().any(|other| other.starts_with("message.reserialised")), "{arrived:?}");
    assert!(with(&pretty, BODY.len()).or.is_empty());

    // The length that was declared cuts off the end of a longer text.
    let (body, after) = pretty.split_at(BODY.len());
    let signed =
        Signed { after, content_length: Some(BODY.len() as u64), ..capture(TIMESTAMP, &signature, body) };
    assert_eq!(explain(&signed, SECRET).unwrap().code, Code::CapturePretty);

    let signature = sign(TIMESTAMP, format!("{BODY}\n").as_bytes());
    let newline =
        Signed { content_length: Some(BODY.len() as u64), ..capture(TIMESTAMP, &signature, BODY.as_bytes()) };
    assert_eq!(explain(&newline, SECRET).unwrap().code, Code::MessagePrefixOrNewline);
    let newline = Signed { content_length: None, ..newline };
    assert_eq!(explain(&newline, SECRET).unwrap().code, Code::CaptureNewline);
}

#[test]
fn a_body_that_is_not_whole_is_told_from_the_capture_alone() {
    let of = |body: &str, content_length: Option<u64>| {
        let signed = Signed { content_length, ..capture(TIMESTAMP, "x", body.as_bytes()) };
        evident(&signed).map(|cause| cause.to_string())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        of("", Some(207)),
        some("capture.body-missing (there is none, and Content-Length declares 207 bytes)")
    );
    assert_eq!(of("\n", None), some("capture.body-missing (there is no body)"));
    assert_eq!(of("[object Object]", None), some("capture.body-missing (`[object Object]` instead of it)"));
    let buffer = "<Buffer 7b 22 65 76 65 6e ... 157 more bytes>";
    assert!(of(buffer, None).is_some_and(|cause| cause.starts_with("capture.cut (a buffer")));
    let cut = &BODY[..100];
    assert_eq!(
        of(cut, Some(230)),
        some("capture.cut (130 of the 230 bytes that Content-Length declares are missing)")
    );
    assert_eq!(of(cut, None), some("capture.cut (its JSON text has no end)"));
    assert_eq!(of(BODY, None), None);
    assert_eq!(of(BODY, Some(BODY.len() as u64)), None);
    // The end of a JSON text can be guessed, and then the signature proves it.
    assert_eq!(of_body(BODY, &BODY.as_bytes()[..BODY.len() - 2]), "capture.cut (its end is missing: `\"}`)");
    assert_eq!(of_body(BODY, &BODY.as_bytes()[1..]), "capture.cut (its beginning is missing: `{`)");
    assert_eq!(of_body(BODY, &BODY.as_bytes()[..99]), "capture.cut (its JSON text has no end)");
}

#[test]
fn replaced_characters_are_told_where_they_can_be_found_and_suspected_elsewhere() {
    assert_eq!(
        of_body(BODY, BODY.replace('ë', "?").as_bytes()),
        "capture.text-encoding (`?` instead of `ë`)"
    );
    assert_eq!(
        of_body(BODY, BODY.replace('ë', "??").as_bytes()),
        "capture.text-encoding (`??` instead of `ë`)"
    );
    let fffd = BODY.replace('ë', "\u{fffd}");
    assert_eq!(of_body(BODY, fffd.as_bytes()), "capture.text-encoding (`\u{fffd}` instead of `ë`)");
    let plain = of_body(BODY, BODY.replace('ë', "e").as_bytes());
    assert!(
        plain.starts_with("capture.text-encoding (character ") && plain.ends_with("is `e` instead of `ë`)"),
        "{plain}"
    );
    let dropped = of_body(BODY, BODY.replace('ë', "").as_bytes());
    assert!(
        dropped.starts_with("capture.text-encoding (character ") && dropped.ends_with("is missing: `ë`)"),
        "{dropped}"
    );
    let signed = BODY.replace("Zoë", "Łucja Żółć");
    let captured = BODY.replace("Zoë", "?ucja ????");
    assert_eq!(of_body(&signed, captured.as_bytes()), "");
    let perhaps = |body: &str| suspected(&capture(TIMESTAMP, "", body.as_bytes())).map(|cause| cause.code);
    assert_eq!(perhaps(&captured), Some(Code::CaptureTextEncoding));
    assert_eq!(perhaps(&BODY.replace("example.com/a", "example.com/?a")), None);
    assert_eq!(perhaps(r#"{"a":"\u0026"}"#), Some(Code::MessageReserialised));
    let binary = |body: &[u8]| suspected(&capture(TIMESTAMP, "", body)).map(|cause| cause.to_string());
    assert_eq!(
        binary(b"\x28\xB5\x2F\xFD\xFF"),
        Some("capture.decoded (it is compressed with zstd)".to_owned())
    );
    assert_eq!(binary(b"{\xFF}"), Some("capture.text-encoding (its bytes are no UTF-8)".to_owned()));
}

#[test]
fn a_body_with_sorted_members_is_told() {
    let signed = r#"{"event":"a.b","data":{"z":1,"b":"<é>"},"timestamp":"t"}"#;
    let sorted = r#"{"data":{"b":"\u003cé\u003e","z":1},"event":"a.b","timestamp":"t"}"#;
    let cause = of_body(signed, sorted.as_bytes());
    assert!(cause.starts_with("message.reserialised (its members are sorted, `\\u003c` in it"), "{cause}");
    let other = r#"{"timestamp":"t","data":{"b":"<é>","z":1},"event":"a.b"}"#;
    assert_eq!(of_body(signed, other.as_bytes()), "message.reserialised (its members are in another order)");
    let indented = sorted.replace(',', ",\n  ");
    assert!(of_body(signed, indented.as_bytes()).starts_with("capture.pretty (its members are sorted"));
}

#[test]
fn two_faults_are_told_together() {
    let marked = format!("\u{feff}{BODY}\r\n");
    assert_eq!(
        of_body(BODY, marked.as_bytes()),
        "capture.text-encoding (a byte-order mark before it; and capture.newline: one CR LF more at its end than was signed)"
    );
    let right = sign(TIMESTAMP, BODY.as_bytes());
    let wrong = format!("{}{}", &right[..63], if right.ends_with('0') { '1' } else { '0' });
    let both = told(TIMESTAMP, &wrong, format!("{BODY}\n").as_bytes()).unwrap().to_string();
    assert!(
        both.starts_with("capture.newline (one line feed more")
            && both.contains("capture.copied-wrong: digit 64"),
        "{both}"
    );
    let alone = Recipe::message(Message::BodyAlone);
    let header = alone.compute(SECRET, TIMESTAMP.as_bytes(), BODY.as_bytes()).unwrap();
    let both = told(TIMESTAMP, &header, format!("\u{feff}{BODY}").as_bytes()).unwrap().to_string();
    assert_eq!(
        both,
        "capture.text-encoding (a byte-order mark before it; and the sender signed over the body alone)"
    );
}

#[test]
fn two_faults_of_a_sender_are_told_together() {
    let escaped =
        BODY.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e").replace('\'', "\\u0027");
    let of = |recipe: Recipe, text: &str| {
        let header = recipe.compute(SECRET, TIMESTAMP.as_bytes(), text.as_bytes()).unwrap();
        told(TIMESTAMP, &header, BODY.as_bytes()).map(|cause| cause.to_string()).unwrap_or_default()
    };
    let gson = r"message.reserialised (HTML-escaped: \u0026 \u0027 \u003c \u003e; and signed ";
    assert_eq!(of(Recipe::digest(Digest::Base64), &escaped), format!("{gson}in base64)"));
    assert_eq!(of(Recipe::message(Message::BodyAlone), &escaped), format!("{gson}over the body alone)"));
    let trimmed = of(Recipe::key(KeyForm::Uppercase), &escaped);
    assert!(trimmed.starts_with(gson), "{trimmed}");
    let ascii = Misread::AsciiCharacters.of(BODY.as_bytes()).unwrap();
    let both = of(Recipe::digest(Digest::Prefixed), std::str::from_utf8(&ascii).unwrap());
    assert!(both.starts_with("message.text-encoding (") && both.contains("sha256="), "{both}");
}

/// The search ends early for long bodies, and still finds what is cheap.
#[test]
fn long_bodies_are_explained() {
    let long = format!(r#"{{"event":"a.b","data":{{"text":"{}"}}}}"#, "x é ".repeat(60_000));
    assert_eq!(
        of_body(&long, format!("{long}\n").as_bytes()),
        "capture.newline (one line feed more at its end than was signed)"
    );
    let signature = sign(TIMESTAMP, b"another");
    assert_eq!(told(TIMESTAMP, &signature, long.as_bytes()), None);
}

#[test]
fn every_code_of_the_capture_is_told() {
    let signature = sign(TIMESTAMP, BODY.as_bytes());
    let changed = ALL.iter().filter_map(|change| (change.change)(BODY));
    let others = [
        Vec::new(),
        BODY.as_bytes()[..90].to_vec(),
        BODY.replace("p-1", "p-2").into_bytes(),
        format!("{BODY}\r\n").into_bytes(),
    ];
    let found: std::collections::BTreeSet<Code> = changed
        .chain(others)
        .filter_map(|captured| told(TIMESTAMP, &signature, &captured))
        .map(|cause| cause.code)
        .collect();
    for code in Code::ALL.iter().filter(|code| code.as_str().starts_with("capture.")) {
        assert!(found.contains(code), "{}", code.as_str());
    }
}
