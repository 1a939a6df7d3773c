//! Generated JSON formattings of the same content.
//!
//! Invariant: each result is JSON that RFC 8259 allows, and reformatting never changes what a body means.

mod alternatives;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

use crate::suite::receiver::case::Case;
use crate::suite::receiver::forgery::LeftOut;
use crate::suite::receiver::maker::with_raw_member;
use crate::suite::receiver::property::Property;
use crate::suite::transcript::Respect;
use crate::webhook::json::{Json, Text};

/// A member to add to the reformatted records, with a value of every JSON type.
const SAMPLE: &str =
    r#""sample":{"numbers":[1,20,-3,0.5],"text":"one/two","list":["x",true,null],"empty":{}}"#;

/// One change of formatting.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reformatting {
    /// White space before a token.
    Space(Index, &'static str),
    /// A character of a string as an escape.
    Escape(Index, Index, bool),
    /// A number with a fraction or an exponent that changes nothing.
    Number(Index, &'static str),
    /// Two members of an object in the other order.
    Swap(Index, Index),
    /// A member twice.
    Duplicate(Index, Index),
    Trailing(&'static str),
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
        space().prop_map(Reformatting::Trailing),
    ];
    vec(one, 1..6)
}

/// VER-16: other formattings, correctly signed.
pub(super) fn formattings() -> Property {
    Property::of("other formattings", reformattings(), |changes| {
        let variant = |(part, other): (&'static str, Reformatting)| (part, formatted(&[other], changes));
        let variants = match &changes[..] {
            [one] => alternatives::of(one).into_iter().map(variant).collect(),
            _ => Vec::new(),
        };
        formatted(changes, &[]).varied_as(variants)
    })
}

/// A valid delivery in another formatting; there is nothing to try if these changes give the same one.
fn formatted(changes: &[Reformatting], other_than: &[Reformatting]) -> Case {
    let (which, changes, other_than) = (name(changes), changes.to_vec(), other_than.to_vec());
    Case::valid(format!("a valid delivery with {which}"), Respect::Formatting(which), move |maker| {
        let body = maker.render(&with_raw_member(&maker.plain(), SAMPLE));
        let changed = reformat(&body, &changes)?;
        let is_same = !other_than.is_empty() && reformat(&body, &other_than).as_ref() == Some(&changed);
        (!is_same).then(|| maker.sign(changed.into()))
    })
    .of_record_with(SAMPLE)
}

/// VER-17: other formattings with the old signature.
pub(super) fn reformatted() -> Property {
    Property::of("bodies reformatted after signing", reformattings(), |changes| {
        let (which, changes) = (name(changes), changes.clone());
        let what = format!("a delivery reformatted after signing ({which})");
        Case::forged_by(LeftOut::Generated, what, Respect::Reformatted(which), move |_, delivery, _| {
            delivery.body = reformat(&delivery.body, &changes)?.into();
            Some(())
        })
        .of_record_with(SAMPLE)
    })
}

fn name(changes: &[Reformatting]) -> &'static str {
    let of_one = |change: &Reformatting| match change {
        Reformatting::Space(..) => "white space between tokens",
        Reformatting::Escape(..) => "unneeded escapes",
        Reformatting::Number(..) => "numbers with a redundant fraction or exponent",
        Reformatting::Swap(..) => "members in another order",
        Reformatting::Duplicate(..) => "duplicate keys",
        Reformatting::Trailing(_) => "trailing white space",
    };
    let mut names = changes.iter().map(of_one);
    let first = names.next().unwrap_or("no change");
    if names.all(|name| name == first) { first } else { "several changes of formatting" }
}

/// The body in another formatting; `None` if the changes leave it unchanged.
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
            Reformatting::Trailing(space) => tokens.push((*space).to_owned()),
            Reformatting::Swap(..) | Reformatting::Duplicate(..) => {}
        }
    }
    let reformatted = tokens.concat().into_bytes();
    (reformatted != body).then_some(reformatted)
}

/// Writes one character of one string as an escape.
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
    // Whether the next character may continue the last token.
    let mut continues = false;
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
        if continues && !punctuation && character != '"' {
            if let Some(token) = tokens.last_mut() {
                token.push(character);
            }
        } else {
            tokens.push(character.to_string());
        }
        inside = character == '"';
        continues = !punctuation && !inside;
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
    fn splits_json_into_tokens() {
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
    fn reformatting_keeps_the_meaning() {
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
