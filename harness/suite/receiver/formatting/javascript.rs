//! Generated JSON as `JSON.stringify` writes it.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use crate::suite::receiver::case::Case;
use crate::suite::receiver::maker::{Maker, PLAIN_MEMBER, with_raw_member};
use crate::suite::receiver::property::Property;
use crate::suite::transcript::Respect;
use crate::webhook::json::{Json, Text};
use crate::webhook::serialiser::Serialiser;
use crate::wire::exchange::Delivery;

/// VER-8: an added member as `JSON.stringify` writes it.
pub(super) fn javascript() -> Property {
    Property::of("whatever JSON.stringify can emit", json(), |json| {
        let printed = Serialiser::Javascript.print(json).unwrap_or_default();
        let text = String::from_utf8(printed).unwrap_or_default();
        let which = feature(json, 0);
        let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
        let what = format!("a valid delivery whose record has {which} ({shown})");
        Case::valid(what, Respect::Javascript(which), move |maker| {
            Some(maker.deliver(&with_raw_member(&maker.plain(), &format!("\"generated\":{text}"))))
        })
        .of_record_with(PLAIN_MEMBER)
    })
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
    // The member is in a record, and the record in a body: 64 levels in all.
    let nested = (0..60_usize)
        .prop_map(|levels| (0..levels).fold(Json::Array(Vec::new()), |inner, _| Json::Array(vec![inner])));
    prop_oneof![8 => tree, 1 => nested]
}

/// The most unusual feature of a JSON text, which is the likeliest reason for a rejection.
fn feature(json: &Json, depth: usize) -> &'static str {
    fn of_text(text: &Text) -> &'static str {
        let has = |wanted: fn(char) -> bool| text.characters().any(|one| one.is_ok_and(wanted));
        if has(|character| character < ' ') {
            "control characters"
        } else if has(|character| !character.is_ascii()) {
            "non-ASCII text"
        } else if has(|character| "<>&/".contains(character)) {
            "markup or slashes"
        } else {
            "plain text"
        }
    }
    fn of_key(key: &Text) -> &'static str {
        match key.to_unicode().as_deref() {
            Some("") => "an empty key",
            Some("__proto__" | "constructor" | "toString") => "a key such as __proto__",
            Some(name) if name.bytes().all(|byte| byte.is_ascii_digit()) => "integer-like keys",
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
    // The most unusual first.
    const RANKED: [&str; 8] = [
        "deep nesting",
        "control characters",
        "an empty key",
        "a key such as __proto__",
        "integer-like keys",
        "non-ASCII text",
        "markup or slashes",
        "a number",
    ];
    RANKED.into_iter().find(|ranked| of_parts.contains(ranked)).unwrap_or("an added member")
}

/// VER-8: records of any size up to 64 KiB, with several kinds of content.
pub(super) fn sizes() -> Property {
    Property::of(
        "records of up to 64 KiB",
        (0..=255_u32, 0..4_u8).prop_map(|(root, filler)| (root * root, filler)),
        |&(length, filler)| {
            let (which, unit) = match filler {
                0 => ("text", "x"),
                1 => ("non-ASCII text", "é"),
                2 => ("numbers", "1.5,"),
                _ => ("members", ""),
            };
            let what = format!("a valid delivery whose record has {length} more bytes of {which}");
            Case::valid(what, Respect::Javascript("size"), move |maker: &Maker| {
                let length = length as usize;
                let filling = match filler {
                    0 | 1 => format!("\"filling\":\"{}\"", unit.repeat(length / unit.len())),
                    2 => format!("\"filling\":[{}0]", unit.repeat(length / unit.len())),
                    _ => {
                        let member = |at: usize| format!("\"member{at}\":{{\"at\":{at}}}");
                        let members: Vec<String> = (0..length / 30).map(|at| member(at + 100_000)).collect();
                        format!("\"filling\":{{{}}}", members.join(","))
                    }
                };
                let delivery: Delivery = maker.deliver(&with_raw_member(&maker.plain(), &filling));
                Some(delivery)
            })
            .of_record_with(PLAIN_MEMBER)
        },
    )
}
