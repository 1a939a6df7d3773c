//! Generated JSON: what `JSON.stringify` can write, and the same content in other spellings.
//!
//! Invariant: whatever comes out is JSON that RFC 8259 allows, and a respelling never changes what a body means.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

use super::case::Case;
use super::maker::{FURTHER, with_raw_member};
use super::property::{Expected, Property};
use crate::suite::transcript::Respect;
use crate::webhook::json::{Json, Text};
use crate::webhook::serialiser::Serialiser;

/// A further member of the records that are respelled, with something of everything in it.
const SAMPLE: &str =
    r#""sample":{"numbers":[1,20,-3,0.5],"text":"one/two","list":["x",true,null],"empty":{}}"#;

/// VER-8: a further member as `JSON.stringify` writes it.
pub(crate) fn javascript() -> Property<Json> {
    Property {
        name: "whatever JSON.stringify can emit",
        expected: Expected::Acknowledged,
        strategy: json().boxed(),
        case: |json| {
            let printed = Serialiser::Javascript.print(json).unwrap_or_default();
            let text = String::from_utf8(printed).unwrap_or_default();
            let which = feature(json, 0);
            let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
            let what = format!("a genuine delivery whose record has {which} ({shown})");
            Case::valid(what, Respect::Form(which), move |maker| {
                Some(maker.deliver(&with_raw_member(&maker.plain(), &format!("\"generated\":{text}"))))
            })
            .of_record_with(FURTHER)
        },
    }
}

fn json() -> impl Strategy<Value = Json> {
    let special = select(
        &[
            "<b>&amp;</b>",
            "https://example.com/",
            "\\ \"",
            "\u{2028}\u{2029}",
            "\u{0}\u{1f}\u{7f}",
            "é",
            "日本",
            "👩🏽‍🚀",
        ][..],
    );
    let text = || {
        prop_oneof![
            vec(any::<char>(), 0..12).prop_map(|all| all.into_iter().collect()),
            special.clone().prop_map(str::to_owned)
        ]
    };
    let key = prop_oneof![
        4 => text(),
        1 => any::<u32>().prop_map(|number| number.to_string()),
        1 => select(&["", "__proto__", "constructor", "toString", "0", "10", "9"][..]).prop_map(str::to_owned),
    ];
    let number = prop_oneof![
        any::<i32>().prop_map(f64::from),
        any::<f64>().prop_map(|number| if number.is_finite() { number } else { 1e21 }),
        select(
            &[0.0, 1e21, 1e-7, 5e-324, 9_007_199_254_740_991.0, 0.1, 1e300, 123_456_789_012_345_680_000.0][..]
        ),
    ];
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        3 => number.prop_map(|number| Json::Number(format!("{number:e}"))),
        4 => text().prop_map(|text: String| Json::Text(text.as_str().into())),
    ];
    let tree = leaf.prop_recursive(6, 48, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Json::Array),
            vec((key.clone().prop_map(|key| Text::from(key.as_str())), inner), 0..8).prop_map(Json::Object),
        ]
    });
    // A record stands in a body, and the member in the record: 64 levels in all.
    let nested = (0..60_usize)
        .prop_map(|levels| (0..levels).fold(Json::Array(Vec::new()), |inner, _| Json::Array(vec![inner])));
    prop_oneof![8 => tree, 1 => nested]
}

/// What is most particular about a JSON text, for a person who looks for the reason why it is refused.
fn feature(json: &Json, depth: usize) -> &'static str {
    fn of_text(text: &Text) -> &'static str {
        let has = |wanted: fn(char) -> bool| text.characters().any(|one| one.is_ok_and(wanted));
        if has(|character| character < ' ') {
            "control characters"
        } else if has(|character| !character.is_ascii()) {
            "text beyond ASCII"
        } else if has(|character| "<>&/".contains(character)) {
            "markup or slashes"
        } else {
            "plain text"
        }
    }
    fn of_key(key: &Text) -> &'static str {
        match key.to_unicode().as_deref() {
            Some("") => "an empty key",
            Some("__proto__" | "constructor" | "toString") => {
                "a key that JavaScript's objects have by themselves"
            }
            Some(name) if name.bytes().all(|byte| byte.is_ascii_digit()) => "keys that look like integers",
            _ => of_text(key),
        }
    }
    if depth > 8 {
        return "deep nesting";
    }
    let of_parts: Vec<&'static str> = match json {
        Json::Null | Json::Bool(_) => Vec::new(),
        Json::Number(_) => vec!["a number"],
        Json::Text(text) => vec![of_text(text)],
        Json::Array(elements) => elements.iter().map(|element| feature(element, depth + 1)).collect(),
        Json::Object(members) => {
            let members = members.iter();
            members.flat_map(|(key, value)| [of_key(key), feature(value, depth + 1)]).collect()
        }
    };
    // The most particular first.
    const RANKED: [&str; 8] = [
        "deep nesting",
        "control characters",
        "an empty key",
        "a key that JavaScript's objects have by themselves",
        "keys that look like integers",
        "text beyond ASCII",
        "markup or slashes",
        "a number",
    ];
    RANKED.into_iter().find(|ranked| of_parts.contains(ranked)).unwrap_or("a further member")
}

/// One change of spelling.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reformatting {
    /// White space before a token.
    Space(Index, &'static str),
    /// A character of a text as an escape.
    Escape(Index, Index, bool),
    /// A number with a fraction or an exponent that changes nothing.
    Number(Index, &'static str),
    /// Two members of an object in the other order.
    Swap(Index, Index),
    /// A member twice.
    Duplicate(Index, Index),
    /// White space behind everything.
    Behind(&'static str),
}

fn reformattings() -> impl Strategy<Value = Vec<Reformatting>> {
    let at = any::<Index>;
    let space = || select(&[" ", "\t", "\n", "\r\n", "    "][..]);
    let one = prop_oneof![
        (at(), space()).prop_map(|(at, space)| Reformatting::Space(at, space)),
        (at(), at(), any::<bool>()).prop_map(|(token, at, upper)| Reformatting::Escape(token, at, upper)),
        (at(), select(&[".0", ".000", "e0", "E+0", "e-0"][..]))
            .prop_map(|(at, form)| Reformatting::Number(at, form)),
        (at(), at()).prop_map(|(object, at)| Reformatting::Swap(object, at)),
        (at(), at()).prop_map(|(object, at)| Reformatting::Duplicate(object, at)),
        space().prop_map(Reformatting::Behind),
    ];
    vec(one, 1..6)
}

/// VER-16: other spellings, correctly signed.
pub(crate) fn spellings() -> Property<Vec<Reformatting>> {
    Property {
        name: "other spellings",
        expected: Expected::Acknowledged,
        strategy: reformattings().boxed(),
        case: |changes| {
            let (which, changes) = (name(changes), changes.clone());
            Case::valid(format!("a genuine delivery with {which}"), Respect::Form(which), move |maker| {
                let body = maker.render(&with_raw_member(&maker.plain(), SAMPLE));
                Some(maker.sign(reformat(&body, &changes)?.into()))
            })
            .of_record_with(SAMPLE)
        },
    }
}

/// VER-17: other spellings under the old signature.
pub(crate) fn reformatted() -> Property<Vec<Reformatting>> {
    Property {
        name: "respellings behind the signature",
        expected: Expected::Refused,
        strategy: reformattings().boxed(),
        case: |changes| {
            let (which, changes) = (name(changes), changes.clone());
            let what = format!("a delivery respelled behind its signature: {which}");
            Case::forged(what, Respect::Reformatted(which), move |_, delivery, _| {
                delivery.body = reformat(&delivery.body, &changes)?.into();
                Some(())
            })
            .of_record_with(SAMPLE)
        },
    }
}

fn name(changes: &[Reformatting]) -> &'static str {
    let of_one = |change: &Reformatting| match change {
        Reformatting::Space(..) => "white space between tokens",
        Reformatting::Escape(..) => "escapes of what needs none",
        Reformatting::Number(..) => "fractions or exponents that change nothing",
        Reformatting::Swap(..) => "another order of members",
        Reformatting::Duplicate(..) => "duplicate keys",
        Reformatting::Behind(_) => "white space at its end",
    };
    let mut names = changes.iter().map(of_one);
    let first = names.next().unwrap_or("nothing changed");
    if names.all(|name| name == first) { first } else { "several changes of spelling" }
}

/// The body in another spelling; `None` where the changes leave it as it is.
fn reformat(body: &[u8], changes: &[Reformatting]) -> Option<Vec<u8>> {
    let mut json = Json::parse(body).ok()?;
    for change in changes {
        let (object, at, twice) = match change {
            Reformatting::Swap(object, at) => (object, at, false),
            Reformatting::Duplicate(object, at) => (object, at, true),
            _ => continue,
        };
        let mut objects = Vec::new();
        collect(&mut json, &mut Vec::new(), &mut objects);
        let path = objects.get(object.index(objects.len().max(1)))?;
        let members = object_at(&mut json, path)?;
        let at = at.index(members.len());
        if twice {
            let copy = members[at].clone();
            members.insert(at, copy);
        } else if members.len() > 1 {
            let next = (at + 1) % members.len();
            members.swap(at, next);
        }
    }
    let text = json.compact();
    let mut tokens = tokens(&text);
    for change in changes {
        match change {
            Reformatting::Space(at, space) => {
                let at = at.index(tokens.len());
                tokens.insert(at, (*space).to_owned());
            }
            Reformatting::Escape(token, at, upper) => escape(&mut tokens, token, at, *upper),
            Reformatting::Number(at, form) => {
                let integer =
                    |token: &String| token.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
                let numbers: Vec<usize> = (0..tokens.len()).filter(|&at| integer(&tokens[at])).collect();
                if !numbers.is_empty() {
                    tokens[numbers[at.index(numbers.len())]].push_str(form);
                }
            }
            Reformatting::Behind(space) => tokens.push((*space).to_owned()),
            Reformatting::Swap(..) | Reformatting::Duplicate(..) => {}
        }
    }
    let reformatted = tokens.concat().into_bytes();
    (reformatted != body).then_some(reformatted)
}

/// Writes one character of one text as an escape.
fn escape(tokens: &mut [String], token: &Index, at: &Index, upper: bool) {
    let plain = |token: &String| {
        token.len() > 2 && token.starts_with('"') && token.is_ascii() && !token.contains('\\')
    };
    let texts: Vec<usize> = (0..tokens.len()).filter(|&at| plain(&tokens[at])).collect();
    if texts.is_empty() {
        return;
    }
    let token = &mut tokens[texts[token.index(texts.len())]];
    let at = 1 + at.index(token.len() - 2);
    let byte = token.as_bytes()[at];
    let escaped = match (byte, upper) {
        (b'/', _) => "\\/".to_owned(),
        (_, true) => format!("\\u{byte:04X}"),
        (_, false) => format!("\\u{byte:04x}"),
    };
    token.replace_range(at..=at, &escaped);
}

/// The paths of all objects that have members.
fn collect(json: &mut Json, path: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    let inner: Vec<&mut Json> = match json {
        Json::Object(members) => {
            if !members.is_empty() {
                found.push(path.clone());
            }
            members.iter_mut().map(|(_, value)| value).collect()
        }
        Json::Array(elements) => elements.iter_mut().collect(),
        _ => return,
    };
    for (at, value) in inner.into_iter().enumerate() {
        path.push(at);
        collect(value, path, found);
        path.pop();
    }
}

fn object_at<'a>(json: &'a mut Json, path: &[usize]) -> Option<&'a mut Vec<(Text, Json)>> {
    let Some((first, rest)) = path.split_first() else {
        return match json {
            Json::Object(members) => Some(members),
            _ => None,
        };
    };
    match json {
        Json::Object(members) => object_at(&mut members.get_mut(*first)?.1, rest),
        Json::Array(elements) => object_at(elements.get_mut(*first)?, rest),
        _ => None,
    }
}

/// The tokens of a JSON text without white space.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let (mut inside, mut escaped) = (false, false);
    // Whether the next character goes on with the token before it.
    let mut goes_on = false;
    for character in text.chars() {
        if inside {
            if let Some(token) = tokens.last_mut() {
                token.push(character);
            }
            inside = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        let punctuation = "{}[]:,".contains(character);
        if goes_on && !punctuation && character != '"' {
            if let Some(token) = tokens.last_mut() {
                token.push(character);
            }
        } else {
            tokens.push(character.to_string());
        }
        inside = character == '"';
        goes_on = !punctuation && !inside;
    }
    tokens
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test")]
mod tests {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    use super::{SAMPLE, reformat, reformattings, tokens};

    #[test]
    fn tokens_are_those_of_json() {
        let text = r#"{"a":[1.5e3,true,"b\"c,\\"],"d":null}"#;
        let expected = [
            "{",
            "\"a\"",
            ":",
            "[",
            "1.5e3",
            ",",
            "true",
            ",",
            r#""b\"c,\\""#,
            "]",
            ",",
            "\"d\"",
            ":",
            "null",
            "}",
        ];
        assert_eq!(tokens(text), expected);
    }

    #[test]
    fn a_respelling_means_what_was_spelled_before() {
        let body = format!("{{\"event\":\"person.created\",{SAMPLE}}}");
        let before: serde_json::Value = serde_json::from_str(&body).unwrap();
        let as_numbers = |value: &serde_json::Value| {
            value["sample"]["numbers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_f64().unwrap())
                .collect::<Vec<_>>()
        };
        let mut runner = TestRunner::deterministic();
        let mut changed = 0;
        for _ in 0..500 {
            let changes = reformattings().new_tree(&mut runner).unwrap().current();
            let Some(reformatted) = reformat(body.as_bytes(), &changes) else { continue };
            changed += 1;
            let mut after: serde_json::Value = serde_json::from_slice(&reformatted).unwrap();
            assert_eq!(as_numbers(&before), as_numbers(&after), "{changes:?}");
            after["sample"]["numbers"] = before["sample"]["numbers"].clone();
            assert_eq!(before, after, "{changes:?}");
        }
        assert!(changed > 400, "{changed}");
    }
}
