//! RCV-3 to RCV-5: a valid delivery is accepted in every form that HTTP allows.

use futures_util::FutureExt as _;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::Index;

use super::case::Case;
use super::judge::accepts;
use super::maker::{BEYOND_ASCII, with_raw_member};
use super::property::Property;
use super::stage::ReceiverStage;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::subject::SubjectError;
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Trial};
use crate::wire::exchange::{Delivery, Transfer};

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[RCV_3, RCV_4, RCV_5];

const RCV_3: Requirement = Requirement {
    id: "RCV-3",
    title: "header case",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/reception/header-case",
    text: "Header names are matched without regard to case.",
    source: "R (RFC 9110, section 5.1)",
    why: "Many clients, proxies and HTTP/2 send header names in lower case. A case-sensitive lookup of the documented \
          name finds nothing.",
    scenarios: &[&HEADER_CASE],
    needs: None,
    check: |r, t| accepts(r.scenarios, t, |_| Some(Cause::new(Code::RefusesHeaderCase))),
    counterexamples: Faults::Receiver(&[ReceiverFault::HeaderNamesCaseSensitive]),
};

/// What is sent for RCV-3.
const HEADER_CASE: Scenario = Scenario::cases(
    "header-case",
    "valid deliveries with header names in lower, upper and mixed case",
    |_| HEADER_CASES.map(header_case).into(),
    &[header_cases],
);

type Recase = fn(&str) -> String;

const HEADER_CASES: [(&str, Recase); 3] = [
    ("lower", str::to_ascii_lowercase),
    ("upper", str::to_ascii_uppercase),
    ("mixed", |name| {
        let alternate = |(at, c): (usize, char)| {
            if at % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }
        };
        name.chars().enumerate().map(alternate).collect()
    }),
];

fn header_case((case, recase): (&'static str, Recase)) -> Case {
    let what = format!("a valid delivery with header names in {case} case");
    Case::valid(what, Respect::Valid, move |maker| {
        let mut delivery = maker.deliver(&maker.plain());
        for (name, _) in &mut delivery.headers.0 {
            *name = recase(name);
        }
        Some(delivery)
    })
}

/// RCV-3: header names with each letter in either case.
fn header_cases() -> Property {
    Property::of("header names in any case", any::<u64>(), |&mask| {
        Case::valid("a valid delivery with header names in random case", Respect::Valid, move |maker| {
            let mut delivery = maker.deliver(&maker.plain());
            for (name, _) in &mut delivery.headers.0 {
                let letter = |(at, letter): (usize, char)| {
                    let upper = mask.rotate_right(u32::try_from(at).unwrap_or_default()) & 1 == 1;
                    if upper { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
                };
                *name = name.chars().enumerate().map(letter).collect();
            }
            Some(delivery)
        })
    })
}

const RCV_4: Requirement = Requirement {
    id: "RCV-4",
    title: "content type parameters",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/content-type",
    text: "`Content-Type: application/json; charset=utf-8` is accepted.",
    source: "R (RFC 9110)",
    why: "Many HTTP clients add the charset. A receiver that compares the whole value with `application/json` rejects \
          their deliveries.",
    scenarios: &[&CONTENT_TYPE],
    needs: None,
    check: |r, t| accepts(r.scenarios, t, |_| Some(Cause::detailed(Code::RefusesSpelling, "content type"))),
    counterexamples: Faults::Receiver(&[ReceiverFault::RejectsCharset]),
};

/// What is sent for RCV-4.
const CONTENT_TYPE: Scenario = Scenario::cases(
    "content-type",
    "a valid delivery with `Content-Type: application/json; charset=utf-8`",
    |_| {
        vec![form("with a charset in its Content-Type", |delivery| {
            delivery.headers.set("Content-Type", "application/json; charset=utf-8");
        })]
    },
    &[],
);

const RCV_5: Requirement = Requirement {
    id: "RCV-5",
    title: "chunks and segments",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/framing",
    text: "A chunked body, a body that arrives in several segments (split inside a \
          multi-byte character too), and several deliveries on one connection are accepted.",
    source: "R (RFC 9112)",
    why: "The network may split a body anywhere. A receiver that decodes each piece separately breaks characters that \
          are split between two pieces, and then the signature does not match.",
    scenarios: &[&FRAMING, &ONE_CONNECTION],
    needs: None,
    check: |r, t| accepts(r.scenarios, t, of_framing),
    counterexamples: Faults::Receiver(&[ReceiverFault::RejectsChunked, ReceiverFault::DecodesEachChunk]),
};

/// What is sent for RCV-5.
pub(super) const FRAMING: Scenario = Scenario::cases(
    "framing",
    "valid deliveries in chunks and in segments, also split inside a character",
    |_| framing(),
    &[cuttings],
);

/// A valid delivery in another form; `what` is the end of "a valid delivery ...".
fn form(what: &'static str, change: fn(&mut Delivery)) -> Case {
    Case::valid(format!("a valid delivery {what}"), Respect::Form(what), move |maker| {
        let mut delivery = maker.deliver(&maker.plain());
        change(&mut delivery);
        Some(delivery)
    })
}

fn framing() -> Vec<Case> {
    let mut cases = vec![
        form("in one chunk", |delivery| delivery.transfer = Transfer::Chunks(Vec::new())),
        form("in chunks of 7 bytes", |delivery| {
            delivery.transfer = Transfer::Chunks(vec![7; delivery.body.len() / 7]);
        }),
        form("in three segments", |delivery| {
            let length = delivery.body.len();
            delivery.transfer = Transfer::Segments(vec![0, length / 3, 2 * length / 3]);
        }),
    ];
    for (which, chunked) in
        [("in segments split inside a character", false), ("in chunks split inside a character", true)]
    {
        let case =
            Case::valid(format!("a valid delivery {which}"), Respect::SplitCharacter(which), move |maker| {
                let mut delivery = maker.deliver(&with_raw_member(&maker.plain(), BEYOND_ASCII));
                // The second byte of the first character that has several.
                let inside = delivery.body.iter().position(|byte| !byte.is_ascii()).map_or(1, |at| at + 1);
                delivery.transfer = if chunked {
                    Transfer::Chunks(vec![inside])
                } else {
                    Transfer::Segments(vec![0, inside])
                };
                Some(delivery)
            });
        cases.push(case.of_record_with(BEYOND_ASCII));
    }
    cases
}

/// How a body is split.
#[derive(Debug, Clone)]
enum Cutting {
    Chunks(Vec<usize>),
    Segments(Index, Index),
}

/// RCV-5: framings.
fn cuttings() -> Property {
    let strategy = prop_oneof![
        7 => vec(1..64_usize, 0..40).prop_map(Cutting::Chunks),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Cutting::Segments(one, other)),
    ];
    Property::of("chunks and segments", strategy, |cutting| {
        let which = match cutting {
            Cutting::Chunks(_) => "in chunks of random lengths",
            Cutting::Segments(..) => "in segments of random lengths",
        };
        let cutting = cutting.clone();
        Case::valid(format!("a valid delivery {which}"), Respect::Form(which), move |maker| {
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
    })
}

/// What else is sent for RCV-5.
const ONE_CONNECTION: Scenario =
    Scenario::receiver("one-connection", "several valid deliveries on one connection", |stage| {
        stage.on_one_connection().boxed_local()
    });

impl ReceiverStage<'_> {
    /// Several deliveries one after another on one connection, as long as the receiver keeps it open.
    async fn on_one_connection(&mut self) -> Result<(), SubjectError> {
        let control = self.send(self.maker.deliver(&self.maker.plain())).await?;
        let deliveries: Vec<Delivery> = (0..5).map(|_| self.maker.deliver(&self.maker.plain())).collect();
        for exchange in self.link.deliver_all(&deliveries).await {
            let answered = exchange.outcome.status().is_some();
            let exchange = self.transcript.record(exchange);
            let which = "on one connection";
            self.transcript.trials.push(Trial {
                scenario: ONE_CONNECTION.name,
                what: format!("a valid delivery {which}"),
                respect: Respect::Form(which),
                generated: false,
                exchange,
                controls: vec![control],
            });
            if !answered {
                self.revive(exchange).await?;
            }
        }
        Ok(())
    }
}

/// Why a body in another framing is rejected.
fn of_framing(trial: &Trial) -> Option<Cause> {
    match trial.respect {
        Respect::SplitCharacter(which) => Some(Cause::detailed(Code::RefusesSplitCharacter, which)),
        Respect::Form(which) => Some(Cause::detailed(Code::RefusesChunked, which)),
        _ => None,
    }
}
