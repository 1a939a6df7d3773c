//! What the properties generate of genuine deliveries: times, framings, header names, events, sizes.
//!
//! Invariant: everything is correctly signed, and differs from its twin in the one respect that is generated.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

use crate::suite::receiver::scenario::case::Case;
use crate::suite::receiver::scenario::maker::{BEYOND_ASCII, FURTHER, Maker, with_raw_member};
use crate::suite::receiver::scenario::property::{Expected, Property};
use crate::suite::transcript::Respect;
use crate::webhook::event::{Event, EventName};
use crate::wire::exchange::{Delivery, Transfer};

/// VER-11: up to a minute off.
pub(in crate::suite::receiver::scenario) fn recent() -> Property<i64> {
    Property {
        name: "deliveries up to a minute off",
        expected: Expected::Acknowledged,
        strategy: (-59_000..=59_000_i64).boxed(),
        case: |&offset_ms| {
            let what = format!("a genuine delivery signed for {offset_ms} ms from now");
            Case::valid(what, Respect::Form("up to a minute off"), move |maker| {
                let sent_ms = maker.clock.now_ms().saturating_add_signed(offset_ms);
                Some(maker.sign_at(maker.render(&maker.plain()), sent_ms))
            })
        },
    }
}

/// How a body is cut on its way.
#[derive(Debug, Clone)]
pub(in crate::suite::receiver::scenario) enum Cutting {
    Chunks(Vec<usize>),
    Segments(Index, Index),
}

/// RCV-5: framings.
pub(in crate::suite::receiver::scenario) fn cuttings() -> Property<Cutting> {
    let strategy = prop_oneof![
        7 => vec(1..64_usize, 0..40).prop_map(Cutting::Chunks),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Cutting::Segments(one, other)),
    ];
    Property {
        name: "chunks and segments",
        expected: Expected::Acknowledged,
        strategy: strategy.boxed(),
        case: |cutting| {
            let which = match cutting {
                Cutting::Chunks(_) => "in chunks of any length",
                Cutting::Segments(..) => "in segments of any length",
            };
            let cutting = cutting.clone();
            Case::valid(format!("a genuine delivery {which}"), Respect::Form(which), move |maker| {
                let mut delivery = maker.deliver(&with_raw_member(&maker.plain(), BEYOND_ASCII));
                let length = delivery.body.len();
                delivery.transfer = match &cutting {
                    Cutting::Chunks(lengths) => Transfer::Chunks(lengths.clone()),
                    Cutting::Segments(one, other) => {
                        let mut starts = [one.index(length), other.index(length)];
                        starts.sort_unstable();
                        Transfer::Segments(starts.into())
                    }
                };
                Some(delivery)
            })
            .of_record_with(BEYOND_ASCII)
        },
    }
}

/// RCV-3: header names with each letter in either case.
pub(in crate::suite::receiver::scenario) fn header_cases() -> Property<u64> {
    Property {
        name: "header names in any case",
        expected: Expected::Acknowledged,
        strategy: any::<u64>().boxed(),
        case: |&mask| {
            Case::valid(
                "a genuine delivery with its header names in any case",
                Respect::Valid,
                move |maker| {
                    let mut delivery = maker.deliver(&maker.plain());
                    for (name, _) in &mut delivery.headers.0 {
                        let letter = |(at, letter): (usize, char)| {
                            let upper = mask.rotate_right(u32::try_from(at).unwrap_or_default()) & 1 == 1;
                            if upper { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
                        };
                        *name = name.chars().enumerate().map(letter).collect();
                    }
                    Some(delivery)
                },
            )
        },
    }
}

/// RCV-2: events of any object and action.
pub(in crate::suite::receiver::scenario) fn event_names() -> Property<(String, String)> {
    let word = || {
        let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
        (select(('a'..='z').collect::<Vec<_>>()), vec(select(letters), 0..24))
            .prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect::<String>())
    };
    Property {
        name: "events of any name",
        expected: Expected::Acknowledged,
        strategy: (word(), word()).boxed(),
        case: |(object, action)| {
            let name = format!("{object}.{action}");
            Case::valid(format!("a genuine delivery of {name}"), Respect::Valid, move |maker| {
                Some(maker.deliver(&Event { name: EventName::new(name.clone()), ..maker.plain() }))
            })
        },
    }
}

/// VER-8: records of any size up to 64 KiB: how much, and of what.
pub(in crate::suite::receiver::scenario) fn sizes() -> Property<(u32, u8)> {
    Property {
        name: "records of up to 64 KiB",
        expected: Expected::Acknowledged,
        strategy: (0..=255_u32, 0..4_u8).prop_map(|(root, filler)| (root * root, filler)).boxed(),
        case: |&(length, filler)| {
            let (which, unit) = match filler {
                0 => ("text", "x"),
                1 => ("text beyond ASCII", "é"),
                2 => ("numbers", "1.5,"),
                _ => ("members", ""),
            };
            let what = format!("a genuine delivery whose record has {length} bytes more of {which}");
            Case::valid(what, Respect::Form("size"), move |maker: &Maker| {
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
            .of_record_with(FURTHER)
        },
    }
}
