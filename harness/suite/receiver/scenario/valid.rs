//! What a receiver must acknowledge: genuine deliveries, in every form that HTTP allows.
//!
//! Invariant: everything sent here is correctly signed at the time of sending.

use serde_json::json;

use super::case::Case;
use super::maker::{BEYOND_ASCII, Behind, FURTHER, PADDING, PLAIN_EVENT, with_member, with_raw_member};
use super::{CONCURRENT, Stage, spelling};
use crate::subject::SubjectError;
use crate::suite::receiver::scenarios::{self, BODY_LIMIT, FRAMING, VALID};
use crate::suite::transcript::{Respect, ScenarioName, Trial};
use crate::webhook::dialect::{self, Dialect};
use crate::webhook::event::{Event, EventName};
use crate::wire::exchange::{Delivery, Transfer};

type Spell = fn(&str) -> String;

/// Ways to spell a header name.
const HEADER_CASES: [(&str, Spell); 3] = [
    ("lower", str::to_ascii_lowercase),
    ("upper", str::to_ascii_uppercase),
    ("mixed", |name| {
        let alternate = |(at, c): (usize, char)| {
            if at % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() }
        };
        name.chars().enumerate().map(alternate).collect()
    }),
];

/// The fixed cases of a scenario.
pub(crate) fn cases(scenario: ScenarioName, dialect: &'static Dialect) -> Vec<Case<'static>> {
    match scenario.0 {
        "unfamiliar" => unfamiliar(dialect),
        "header-case" => HEADER_CASES.map(header_case).into(),
        "content-type" => vec![form("Content-Type with a charset", |delivery| {
            delivery.headers.set("Content-Type", "application/json; charset=utf-8");
        })],
        "framing" => framing(),
        "body-256-kib" => vec![large(256)],
        "body-1-mib" => vec![large(1024)],
        "repeated" => vec![repeated()],
        "javascript-json" => records(spelling::JAVASCRIPT).collect(),
        "lone-surrogate" => records(&[("a lone surrogate, escaped", spelling::LONE_SURROGATE)]).collect(),
        "other-spelling" => records(spelling::FOREIGN).chain(reformatted()).collect(),
        "other-dialect" => other_dialects(dialect).collect(),
        "recent" => RECENT.iter().map(recent).collect(),
        _ => Vec::new(),
    }
}

fn unfamiliar(dialect: &'static Dialect) -> Vec<Case<'static>> {
    let mut cases = vec![
        named("a genuine delivery of an unknown event (person.merged)", "person.merged"),
        named("a genuine delivery of an unknown object (starship.created)", "starship.created"),
        Case::valid("a genuine delivery whose record has an unknown member", Respect::Valid, |maker| {
            let further = maker.plain().edit(|record| {
                record["memberOfALaterVersion"] = json!({ "nested": [1, null, "text"] });
            });
            Some(maker.deliver(&further))
        }),
    ];
    let special = dialect.samples().into_iter().filter(|event| {
        event.name.is_metadata()
            || event.name.object() == "rocket"
            || !["created", "updated", "deleted"].contains(&event.name.action())
    });
    cases.extend(special.map(|event| {
        Case::valid(format!("a genuine delivery of {}", event.name), Respect::Valid, move |maker| {
            Some(maker.deliver(&event.with_id(&maker.random.uuid())))
        })
    }));
    let what = "a genuine delivery whose body has an unknown member";
    cases.push(Case::valid(what, Respect::Valid, |maker| {
        let body = maker.render(&maker.plain());
        Some(maker.sign(with_member(&body, "memberOfALaterVersion", &json!("text"))))
    }));
    cases
}

fn named(what: &str, name: &'static str) -> Case<'static> {
    Case::valid(what, Respect::Valid, move |maker| {
        Some(maker.deliver(&Event { name: EventName::new(name), ..maker.plain() }))
    })
}

fn header_case((case, spell): (&'static str, Spell)) -> Case<'static> {
    let what = format!("a genuine delivery with its header names in {case} case");
    Case::valid(what, Respect::Valid, move |maker| {
        let mut delivery = maker.deliver(&maker.plain());
        for (name, _) in &mut delivery.headers.0 {
            *name = spell(name);
        }
        Some(delivery)
    })
}

/// A genuine delivery in another form.
fn form(what: &'static str, change: fn(&mut Delivery)) -> Case<'static> {
    Case::valid(format!("a genuine delivery: {what}"), Respect::Form(what), move |maker| {
        let mut delivery = maker.deliver(&maker.plain());
        change(&mut delivery);
        Some(delivery)
    })
}

fn framing() -> Vec<Case<'static>> {
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
    for (what, chunked) in
        [("in segments split inside a character", false), ("in chunks split inside a character", true)]
    {
        let case = Case::valid(format!("a genuine delivery {what}"), Respect::Form(what), move |maker| {
            let mut delivery = maker.deliver(&with_raw_member(&maker.plain(), BEYOND_ASCII));
            // The second byte of the first character that has several.
            let inside = delivery.body.iter().position(|byte| !byte.is_ascii()).map_or(1, |at| at + 1);
            delivery.transfer =
                if chunked { Transfer::Chunks(vec![inside]) } else { Transfer::Segments(vec![0, inside]) };
            Some(delivery)
        });
        cases.push(case.of_record_with(BEYOND_ASCII));
    }
    cases
}

fn large(kib: usize) -> Case<'static> {
    Case::valid(format!("a genuine delivery of {kib} KiB"), Respect::Form("size"), move |maker| {
        Some(maker.sign(maker.padded(kib * 1024)))
    })
    .of_record_with(PADDING)
}

fn repeated() -> Case<'static> {
    let what = "a delivery that was acknowledged before, under a new timestamp and signature";
    Case::behind(what, Respect::Valid, |maker, control| {
        let behind = Behind { body: control.delivery.body.clone(), sent_ms: control.sent_ms };
        Some(maker.sign_behind(behind, 1))
    })
}

/// Genuine deliveries of records with a further member.
fn records(members: &'static [(&'static str, &'static str)]) -> impl Iterator<Item = Case<'static>> {
    members.iter().map(|&(what, member)| {
        Case::valid(format!("a genuine delivery with {what}"), Respect::Form(what), move |maker| {
            Some(maker.deliver(&with_raw_member(&maker.plain(), member)))
        })
        .of_record_with(FURTHER)
    })
}

/// Genuine deliveries of the plain body in other spellings.
fn reformatted() -> impl Iterator<Item = Case<'static>> {
    spelling::REFORMATTINGS.iter().map(|&(what, reformat)| {
        Case::valid(format!("a genuine delivery with {what}"), Respect::Form(what), move |maker| {
            let body = maker.render(&maker.plain());
            Some(maker.sign(reformat(std::str::from_utf8(&body).ok()?)?.into()))
        })
    })
}

fn other_dialects(own: &'static Dialect) -> impl Iterator<Item = Case<'static>> {
    dialect::ALL.into_iter().filter(|dialect| dialect.name != own.name).map(|dialect| {
        let what = format!("a genuine delivery in dialect {}", dialect.name);
        Case::valid(what, Respect::Form(dialect.name), |maker| {
            let event = dialect.sample(PLAIN_EVENT)?.with_id(&maker.random.uuid());
            Some(maker.sign(maker.render_as(dialect, &event)))
        })
    })
}

const RECENT: &[(&str, i64)] =
    &[("a minute ago", -59_000), ("a minute ahead", 59_000), ("ten seconds ago", -10_000)];

fn recent(&(what, offset_ms): &(&'static str, i64)) -> Case<'static> {
    Case::valid(format!("a genuine delivery signed for {what}"), Respect::Form(what), move |maker| {
        let sent_ms = maker.clock.now_ms().saturating_add_signed(offset_ms);
        Some(maker.sign_at(maker.render(&maker.plain()), sent_ms))
    })
}

/// On a connection of its own, which is closed behind it: one that is kept open would keep a server from the others that
/// serves one connection after the other.
fn closing(mut delivery: Delivery) -> Delivery {
    delivery.headers.add("Connection", "close");
    delivery
}

impl Stage<'_> {
    pub(crate) async fn valid(&mut self) -> Result<(), SubjectError> {
        let standard = |event: &Event| {
            ["created", "updated", "deleted"].contains(&event.name.action())
                && ["person", "company", "note", "task", "opportunity"].contains(&event.name.object())
        };
        let events: Vec<Event> = self.transcript.dialect.samples().into_iter().filter(standard).collect();
        // The plain one first: if it is refused, the report's first line is about the simplest case.
        let (plain, others): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| event.name.as_str() == PLAIN_EVENT);
        for event in plain.into_iter().chain(others) {
            let id = self.send(self.maker.deliver(&event.with_id(&self.maker.random.uuid()))).await?;
            let what = format!("a genuine delivery of {}", event.name);
            self.write_single(VALID.name, what, Respect::Valid, id);
        }
        Ok(())
    }

    pub(crate) async fn concurrent(&mut self) -> Result<(), SubjectError> {
        let control = self.send(self.maker.deliver(&self.maker.plain())).await?;
        let deliveries: Vec<Delivery> =
            (0..CONCURRENT).map(|_| self.maker.deliver(&self.maker.plain())).map(closing).collect();
        for exchange in self.together(&deliveries).await? {
            self.transcript.trials.push(Trial {
                scenario: scenarios::CONCURRENT.name,
                what: format!("one of {CONCURRENT} genuine deliveries at the same time"),
                respect: Respect::Valid,
                generated: false,
                exchange,
                controls: vec![control],
            });
        }
        Ok(())
    }

    /// Several deliveries one after another on one connection, for as long as the receiver keeps it.
    pub(crate) async fn on_one_connection(&mut self) -> Result<(), SubjectError> {
        let control = self.send(self.maker.deliver(&self.maker.plain())).await?;
        let deliveries: Vec<Delivery> = (0..5).map(|_| self.maker.deliver(&self.maker.plain())).collect();
        for exchange in self.line.client.send_all(&self.line.target, &deliveries).await {
            let answered = exchange.outcome.status().is_some();
            let exchange = self.transcript.record(exchange);
            let which = "on one connection";
            self.transcript.trials.push(Trial {
                scenario: FRAMING.name,
                what: format!("a genuine delivery {which}"),
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

    /// Doubles the body until it is refused, and sends the refused size in chunks as well.
    pub(crate) async fn body_limit(&mut self) -> Result<(), SubjectError> {
        for mib in [1, 2, 4, 8, 16] {
            // The body that was taken before it is as large as this one will be.
            self.transcript.release();
            let control = with_raw_member(&self.maker.plain(), PADDING);
            let control = self.send(self.maker.deliver(&control)).await?;
            let mut delivery = self.maker.sign(self.maker.padded(mib * 1024 * 1024));
            let id = self.send(delivery.clone()).await?;
            if self.transcript.acknowledged(id) {
                continue;
            }
            delivery.transfer = Transfer::Chunks(vec![64 * 1024; delivery.body.len() / (64 * 1024)]);
            let chunked = self.send(delivery).await?;
            for (exchange, how) in [(id, "with its length"), (chunked, "in chunks")] {
                self.transcript.trials.push(Trial {
                    scenario: BODY_LIMIT.name,
                    what: format!("a genuine delivery of {mib} MiB {how}"),
                    respect: Respect::Form(how),
                    generated: false,
                    exchange,
                    controls: vec![control],
                });
            }
            return Ok(());
        }
        Ok(())
    }
}
