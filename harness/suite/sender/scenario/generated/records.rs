//! What is generated for senders: records and secrets.
//!
//! Invariant: every generated event can occur in a CRM. Its record is a JSON object with an id from the suite and no repeated
//! name, formatted as by `JSON.stringify`. Strategies have no filters, so each always generates.

use proptest::char::range;
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::webhook::json::difference::{Concern, UNUSUAL_NAMES};
use crate::webhook::json::{Json, Text};

/// The members of a record other than its id.
pub(super) type RecordMembers = Vec<(Text, Json)>;

/// A kind of records, which must arrive unchanged.
pub(super) struct RecordProperty {
    /// The kind in the plural.
    pub(super) name: &'static str,
    pub(super) strategy: BoxedStrategy<RecordMembers>,
    /// What is compared.
    pub(super) concern: Concern,
}

impl RecordProperty {
    /// One case, which can be shrunk.
    pub(super) fn generate(&self, runner: &mut TestRunner) -> impl ValueTree<Value = RecordMembers> + use<> {
        let tree = self.strategy.new_tree(runner);
        // Strategies without filters always generate.
        tree.unwrap_or_else(|why| unreachable!("{} cannot be generated: {why}", self.name))
    }
}

/// Names that programs trip over: integer-like (JavaScript moves these first), names of an object's own members, names that
/// need escapes or mean something to others.
const NAMES: &[&str] = &[
    "0",
    "10",
    "9",
    "-1",
    "01",
    "4294967295",
    "9007199254740993",
    "toString",
    "length",
    "a.b",
    "a b",
    " ",
    "$ref",
    "$",
    "\"",
    "\\",
    "/",
    "</script>",
    "&amp;",
    "é",
    "e\u{301}",
    "名前",
    "\u{1f600}",
    "\u{0}",
    "\u{2028}",
    "null",
    "true",
    "data",
    "event",
    "timestamp",
    "record",
];

/// Integers at the limits of number types.
const EDGES: &[i64] = &[
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    32_767,
    65_536,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_648,
    -2_147_483_649,
    4_294_967_295,
    4_294_967_296,
    9_007_199_254_740_990,
    9_007_199_254_740_991,
    9_007_199_254_740_992,
    -9_007_199_254_740_991,
    -9_007_199_254_740_992,
];

/// The deepest nesting of a record. A receiver must accept it (contract VER-8).
const DEEPEST: usize = 60;

/// Every kind of records.
pub(super) fn properties() -> Vec<RecordProperty> {
    vec![
        RecordProperty { name: "records of any content", strategy: content(), concern: Concern::Values },
        RecordProperty { name: "records of up to 64 KiB", strategy: sizes(), concern: Concern::Values },
        RecordProperty {
            name: "records with long numbers",
            strategy: with_each(long_number()),
            concern: Concern::LongNumbers,
        },
        RecordProperty {
            name: "records with lone surrogates",
            strategy: with_each(lone_surrogate()),
            concern: Concern::LoneSurrogates,
        },
        RecordProperty {
            name: "records with unusual member names",
            strategy: unusually_named(),
            concern: Concern::MemberNames,
        },
    ]
}

/// Secrets too long to occur in a request by chance, and secrets of more than 64 bytes, which HMAC hashes first (RFC 2104).
/// They have no control characters: those cannot be typed, and HMAC pads a key with zeros, so a zero at the end changes nothing.
pub(super) fn secrets() -> [BoxedStrategy<String>; 2] {
    let visible = || vec(range('!', '~'), 12..64).prop_map(String::from_iter);
    let text =
        || vec(character(), 12..48).prop_map(|text| String::from_iter(text).replace(char::is_control, "0"));
    let short = prop_oneof![
        2 => visible(),
        2 => text(),
        1 => visible().prop_map(|text| format!("\t{text} ")),
    ];
    let long = (prop_oneof![visible(), text()], vec(range('a', 'z'), 64..160))
        .prop_map(|(text, rest)| text + &String::from_iter(rest));
    [short.boxed(), long.boxed()]
}

/// A character of any script, one that needs escapes, or a plain one.
fn character() -> impl Strategy<Value = char> {
    let special = "\0\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f}\"\\/<>&'\u{7f}\u{80}\u{a0}\u{ad}\u{200b}\u{200d}\u{202e}\u{2028}\
                   \u{2029}\u{feff}\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{10ffff}";
    let scripts = "ßŁżİıçğЖщіΩςאתعربيहिन्दीไทย中文日本語かなカナ한국어ქართულიአማርኛ😀👩🏽\u{200d}🚀🇺🇦𝔘𠜎";
    prop_oneof![
        3 => range(' ', '~'),
        2 => select(special.chars().collect::<Vec<_>>()),
        2 => select(scripts.chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    vec(character(), 0..24).prop_map(|text| Text::from(&*String::from_iter(text)))
}

fn name() -> impl Strategy<Value = Text> {
    prop_oneof![
        1 => select(NAMES).prop_map(Text::from),
        // The empty name is one of the unusual ones.
        1 => vec(character(), 1..24).prop_map(|text| Text::from(&*String::from_iter(text))),
    ]
}

/// Records with some unusual names, at their top or deeper. Everything else in them is plain.
fn unusually_named() -> BoxedStrategy<RecordMembers> {
    let named = |value: BoxedStrategy<Json>| {
        vec((select(&UNUSUAL_NAMES[..]).prop_map(Text::from), value), 1..4).prop_map(once_each)
    };
    let word =
        || vec(range('a', 'z'), 1..8).prop_map(|text| Json::Text(Text::from(&*String::from_iter(text))));
    let object = named(word().boxed()).prop_map(Json::Object);
    let deeper = (select(&["address", "links", "n"][..]).prop_map(Text::from), object.clone());
    let value = prop_oneof![2 => word(), 1 => object];
    prop_oneof![named(value.boxed()), deeper.prop_map(|member| vec![member])].boxed()
}

/// A number that fits a double, in its shortest form.
fn number() -> impl Strategy<Value = Json> {
    let double = proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO;
    let written =
        |number: f64| serde_json::Number::from_f64(number).map_or("0".to_owned(), |one| one.to_string());
    prop_oneof![
        select(EDGES).prop_map(|number| number.to_string()),
        any::<i32>().prop_map(|number| number.to_string()),
        double.prop_map(written),
        (any::<i32>(), 1..7_u32)
            .prop_map(move |(digits, places)| { written(f64::from(digits) / f64::from(10_u32.pow(places))) }),
    ]
    .prop_map(Json::Number)
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        3 => number(),
        4 => text().prop_map(Json::Text),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..6).prop_map(Json::Array),
            2 => vec((name(), inner), 0..6).prop_map(|all| Json::Object(once_each(all))),
        ]
    })
}

/// The members without repeated names, whose meaning is undefined (RFC 8259, section 4).
fn once_each(members: RecordMembers) -> RecordMembers {
    let mut kept: RecordMembers = Vec::with_capacity(members.len());
    for (name, value) in members {
        if kept.iter().all(|(other, _)| *other != name) {
            kept.push((name, value));
        }
    }
    kept
}

/// The same without `id`, which the suite adds.
fn of_record(members: RecordMembers) -> RecordMembers {
    let is_id = |name: &Text| *name == Text::from("id");
    once_each(members).into_iter().filter(|(name, _)| !is_id(name)).collect()
}

fn content() -> BoxedStrategy<RecordMembers> {
    let nested = (1..DEEPEST, value()).prop_map(|(depth, value)| {
        (0..depth).fold(value, |inner, level| match level % 2 {
            0 => Json::Array(vec![inner]),
            _ => Json::Object(vec![(Text::from("in"), inner)]),
        })
    });
    prop_oneof![
        3 => vec((name(), value()), 0..8),
        2 => (name(), nested).prop_map(|member| vec![member]),
    ]
    .prop_map(of_record)
    .boxed()
}

/// Records with one such value, alone or in an array. Everything else in them is plain.
fn with_each(value: impl Strategy<Value = Json> + Clone + 'static) -> BoxedStrategy<RecordMembers> {
    let nested = vec(value.clone(), 1..4).prop_map(Json::Array);
    let name = select(&["amount", "reference", "n"][..]).prop_map(Text::from);
    let other = range('a', 'z').prop_map(|letter| Json::Text(Text::from(&*letter.to_string())));
    (name, prop_oneof![value, nested], other)
        .prop_map(|(name, value, other)| vec![(name, value), (Text::from("stage"), other)])
        .boxed()
}

/// A number with more digits than fit a double, or beyond 2^53.
fn long_number() -> impl Strategy<Value = Json> + Clone {
    let digits = |count: std::ops::Range<usize>| {
        (range('1', '9'), vec(range('0', '9'), count), range('1', '9'))
            .prop_map(|(first, rest, last)| format!("{first}{}{last}", String::from_iter(rest)))
    };
    prop_oneof![
        digits(16..30),
        digits(16..30).prop_map(|digits| format!("-{digits}")),
        (0..1000_u32, digits(16..30)).prop_map(|(whole, fraction)| format!("{whole}.{fraction}")),
        any::<u32>().prop_map(|beyond| (9_007_199_254_740_993 + 2 * u64::from(beyond)).to_string()),
    ]
    .prop_map(Json::Number)
}

/// Text with a lone surrogate.
fn lone_surrogate() -> impl Strategy<Value = Json> + Clone {
    let plain = || vec(range(' ', '~'), 0..6);
    (plain(), 0xd800..0xe000_u16, plain()).prop_map(|(before, surrogate, after)| {
        let units = |text: Vec<char>| String::from_iter(text).encode_utf16().collect::<Vec<u16>>();
        Json::Text(Text::from([units(before), vec![surrogate], units(after)].concat()))
    })
}

/// Records of up to 64 KiB, with several fillings.
fn sizes() -> BoxedStrategy<RecordMembers> {
    (0..=255_usize, 0..4_u8)
        .prop_map(|(root, filler)| {
            let length = root * root;
            let filling = match filler {
                0 => Json::Text(Text::from(&*"x".repeat(length))),
                1 => Json::Text(Text::from(&*"é".repeat(length / 2))),
                2 => Json::Array(vec![Json::Number("1.5".to_owned()); length / 4]),
                _ => {
                    let member =
                        |at: usize| (Text::from(&*format!("member{at}")), Json::Number(at.to_string()));
                    Json::Object((0..length / 20).map(member).collect())
                }
            };
            vec![(Text::from("filling"), filling)]
        })
        .boxed()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::strategy::{Strategy, ValueTree};

    use super::{properties, secrets};
    use crate::suite::property::Extent;
    use crate::suite::sender::scenario::generated::GENERATED;

    use crate::webhook::json::Json;
    use crate::webhook::json::difference::{Concern, first_change};

    #[test]
    fn records_survive_a_json_round_trip() {
        let mut runner = Extent { cases: 0, jobs: 1, seed: 3 }.runner(GENERATED.name, "test");
        for property in properties() {
            for _ in 0..200 {
                let members = property.strategy.new_tree(&mut runner).unwrap().current();
                let record = Json::Object(members);
                let again = Json::parse(record.compact().as_bytes()).unwrap();
                assert_eq!(again, record, "{}", property.name);
                let nothing = Json::Object(Vec::new());
                let lost = first_change(&record, &nothing, "", property.concern);
                let is_empty = record == nothing;
                // A record without anything to compare would test nothing.
                assert!(is_empty || lost.is_some(), "{}: {}", property.name, record.compact());
                assert!(record.compact().len() <= 66_000 || property.concern != Concern::Values);
            }
        }
    }

    #[test]
    fn secrets_are_long_and_have_no_zeros() {
        let mut runner = Extent { cases: 0, jobs: 1, seed: 3 }.runner(GENERATED.name, "test");
        let made: Vec<String> =
            (0..200).map(|nth| secrets()[nth % 2].new_tree(&mut runner).unwrap().current()).collect();
        assert!(made.iter().all(|secret| secret.chars().count() >= 12 && !secret.contains('\0')));
        for wanted in [|secret: &String| secret.len() > 64, |secret: &String| !secret.is_ascii()] {
            assert!(made.iter().any(wanted));
        }
    }
}
