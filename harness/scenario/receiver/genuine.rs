//! What a receiver must acknowledge: genuine deliveries, in every form that HTTP allows.
//!
//! Invariant: everything sent here is correctly signed at the time of sending.

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::json;
use serde_json::value::RawValue;

use super::{CONCURRENT, PLAIN_EVENT, Stage, spelling, with_member};
use crate::dialect;
use crate::event::{Event, EventName};
use crate::exchange::{Delivery, Transfer};
use crate::subject::SubjectError;
use crate::transcript::{Respect, Scenario};

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

impl Stage<'_> {
    pub(super) async fn genuine(&mut self) -> Result<(), SubjectError> {
        let standard = |event: &Event| {
            ["created", "updated", "deleted"].contains(&event.name.action())
                && ["person", "company", "note", "task", "opportunity"].contains(&event.name.object())
        };
        let events: Vec<Event> = self.transcript.dialect.samples().into_iter().filter(standard).collect();
        // The plain one first: if it is refused, the report's first line is about the simplest case.
        let (plain, others): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| event.name.as_str() == PLAIN_EVENT);
        for event in plain.into_iter().chain(others) {
            let sent = self.send_event(&event.with_id(&self.random.uuid())).await?;
            self.write(
                Scenario::Genuine,
                format!("a genuine delivery of {}", event.name),
                Respect::Genuine,
                sent.id,
                [],
            );
        }
        Ok(())
    }

    pub(super) async fn unfamiliar(&mut self) -> Result<(), SubjectError> {
        let plain = self.plain();
        let mut cases: Vec<(String, Event)> = Vec::new();
        let renamed = |name: &str| Event { name: EventName::new(name), ..plain.clone() };
        cases.push((
            "a genuine delivery of an unknown event (person.merged)".to_owned(),
            renamed("person.merged"),
        ));
        cases.push((
            "a genuine delivery of an unknown object (starship.created)".to_owned(),
            renamed("starship.created"),
        ));
        let further = plain.edit(|record| {
            record["memberOfALaterVersion"] = json!({ "nested": [1, null, "text"] });
        });
        cases.push(("a genuine delivery whose record has an unknown member".to_owned(), further));
        let known = self.transcript.dialect.samples();
        let special = known.into_iter().filter(|event| {
            event.name.is_metadata()
                || event.name.object() == "rocket"
                || !["created", "updated", "deleted"].contains(&event.name.action())
        });
        cases.extend(special.map(|event| (format!("a genuine delivery of {}", event.name), event)));
        for (what, event) in cases {
            let twin = self.send_event(&self.plain()).await?.id;
            let sent = self.send_event(&event.with_id(&self.random.uuid())).await?;
            self.write(Scenario::Unfamiliar, what, Respect::Genuine, sent.id, [twin]);
        }
        let twin = self.send_event(&self.plain()).await?.id;
        let body = with_member(&self.render(&self.plain()), "memberOfALaterVersion", &json!("text"));
        let sent = self.send_body(body).await?;
        let what = "a genuine delivery whose body has an unknown member".to_owned();
        self.write(Scenario::Unfamiliar, what, Respect::Genuine, sent.id, [twin]);
        Ok(())
    }

    pub(super) async fn header_case(&mut self) -> Result<(), SubjectError> {
        for (case, spell) in HEADER_CASES {
            let twin = self.send_event(&self.plain()).await?.id;
            let (mut delivery, _) = self.sign(self.render(&self.plain()));
            for (name, _) in &mut delivery.headers.0 {
                *name = spell(name);
            }
            let id = self.send(delivery).await?;
            let what = format!("a genuine delivery with its header names in {case} case");
            self.write(Scenario::HeaderCase, what, Respect::Genuine, id, [twin]);
        }
        Ok(())
    }

    pub(super) async fn concurrent(&mut self) -> Result<(), SubjectError> {
        let plain = self.plain();
        let twin = self.send_event(&plain).await?.id;
        let deliveries: Vec<Delivery> =
            (0..CONCURRENT).map(|_| self.sign(self.render(&plain.with_id(&self.random.uuid()))).0).collect();
        let target = self.subject.target().clone();
        let exchanges = join_all(deliveries.iter().map(|delivery| self.client.send(&target, delivery))).await;
        let mut broken = None;
        for exchange in exchanges {
            let answered = exchange.outcome.status().is_some();
            let id = self.transcript.record(exchange);
            broken = broken.or((!answered).then_some(id));
            let what = format!("one of {CONCURRENT} genuine deliveries at the same time");
            self.write(Scenario::Concurrent, what, Respect::Genuine, id, [twin]);
        }
        match broken {
            Some(id) => self.revive(id).await,
            None => Ok(()),
        }
    }

    pub(super) async fn content_type(&mut self) -> Result<(), SubjectError> {
        self.form(Scenario::ContentType, "Content-Type with a charset", |delivery| {
            delivery.headers.set("Content-Type", "application/json; charset=utf-8");
        })
        .await
    }

    pub(super) async fn framing(&mut self) -> Result<(), SubjectError> {
        let scenario = Scenario::Framing;
        self.form(scenario, "in one chunk", |delivery| delivery.transfer = Transfer::Chunks(Vec::new()))
            .await?;
        self.form(scenario, "in chunks of 7 bytes", |delivery| {
            delivery.transfer = Transfer::Chunks(vec![7; delivery.body.len() / 7]);
        })
        .await?;
        self.form(scenario, "in three segments", |delivery| {
            let length = delivery.body.len();
            delivery.transfer = Transfer::Segments(vec![0, length / 3, 2 * length / 3]);
        })
        .await?;
        for (what, chunked) in
            [("in segments split inside a character", false), ("in chunks split inside a character", true)]
        {
            let record = with_raw_member(&self.plain(), r#""name":"日本語 👩🏽‍🚀""#);
            let twin = self.send_event(&self.plain()).await?.id;
            let (mut delivery, _) = self.sign(self.render(&record));
            // The second byte of the first character that has several.
            let inside = delivery.body.iter().position(|byte| !byte.is_ascii()).map_or(1, |at| at + 1);
            delivery.transfer =
                if chunked { Transfer::Chunks(vec![inside]) } else { Transfer::Segments(vec![0, inside]) };
            let id = self.send(delivery).await?;
            self.write(scenario, format!("a genuine delivery {what}"), Respect::Form(what), id, [twin]);
        }
        self.on_one_connection(scenario).await
    }

    /// Several deliveries one after another on one connection, for as long as the receiver keeps it.
    async fn on_one_connection(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        let plain = self.plain();
        let twin = self.send_event(&plain).await?.id;
        let deliveries: Vec<Delivery> =
            (0..5).map(|_| self.sign(self.render(&plain.with_id(&self.random.uuid()))).0).collect();
        let exchanges = self.client.send_all(self.subject.target(), &deliveries).await;
        for exchange in exchanges {
            let answered = exchange.outcome.status().is_some();
            let id = self.transcript.record(exchange);
            let what = "on one connection";
            self.write(scenario, format!("a genuine delivery: {what}"), Respect::Form(what), id, [twin]);
            if !answered {
                self.revive(id).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn large(&mut self, scenario: Scenario, kib: usize) -> Result<(), SubjectError> {
        let twin = self.send_event(&self.plain()).await?.id;
        let id = self.send_body(self.padded(kib * 1024)).await?.id;
        let what = format!("a genuine delivery of {kib} KiB");
        self.write(scenario, what, Respect::Form("size"), id, [twin]);
        Ok(())
    }

    /// Doubles the body until it is refused, and sends the refused size in chunks as well.
    pub(super) async fn body_limit(&mut self) -> Result<(), SubjectError> {
        for mib in [1, 2, 4, 8, 16] {
            let twin = self.send_event(&self.plain()).await?.id;
            let (mut delivery, _) = self.sign(self.padded(mib * 1024 * 1024));
            let id = self.send(delivery.clone()).await?;
            if self.transcript.acknowledged(id) {
                continue;
            }
            let what = format!("a genuine delivery of {mib} MiB");
            self.write(Scenario::BodyLimit, what.clone(), Respect::Form("with its length"), id, [twin]);
            delivery.transfer = Transfer::Chunks(vec![64 * 1024; delivery.body.len() / (64 * 1024)]);
            let id = self.send(delivery).await?;
            self.write(Scenario::BodyLimit, what + " in chunks", Respect::Form("in chunks"), id, [twin]);
            return Ok(());
        }
        Ok(())
    }

    pub(super) async fn repeated(&mut self) -> Result<(), SubjectError> {
        let first = self.send_event(&self.plain()).await?;
        let again = self.send_body(first.delivery.body).await?.id;
        let what = "a delivery that was acknowledged before, under a new timestamp and signature".to_owned();
        self.write(Scenario::Repeated, what, Respect::Genuine, again, [first.id]);
        Ok(())
    }

    pub(super) async fn javascript_json(&mut self) -> Result<(), SubjectError> {
        self.records(Scenario::JavascriptJson, spelling::JAVASCRIPT).await
    }

    pub(super) async fn lone_surrogate(&mut self) -> Result<(), SubjectError> {
        self.records(Scenario::LoneSurrogate, &[("a lone surrogate, escaped", spelling::LONE_SURROGATE)])
            .await
    }

    pub(super) async fn other_spelling(&mut self) -> Result<(), SubjectError> {
        self.records(Scenario::OtherSpelling, spelling::FOREIGN).await?;
        for (what, respell) in spelling::RESPELLINGS {
            let twin = self.send_event(&self.plain()).await?.id;
            let body = self.render(&self.plain());
            let Some(body) = std::str::from_utf8(&body).ok().and_then(respell) else { continue };
            let id = self.send_body(body.into()).await?.id;
            self.write(
                Scenario::OtherSpelling,
                format!("a genuine delivery with {what}"),
                Respect::Form(what),
                id,
                [twin],
            );
        }
        Ok(())
    }

    pub(super) async fn other_dialect(&mut self) -> Result<(), SubjectError> {
        let twin = self.send_event(&self.plain()).await?.id;
        let own = self.transcript.dialect;
        for dialect in dialect::ALL.into_iter().filter(|dialect| dialect.name != own.name) {
            let Some(event) = dialect.sample(PLAIN_EVENT) else { continue };
            let body = self.render_as(dialect, &event.with_id(&self.random.uuid()));
            let id = self.send_body(body).await?.id;
            let what = format!("a genuine delivery in dialect {}", dialect.name);
            self.write(Scenario::OtherDialect, what, Respect::Form(dialect.name), id, [twin]);
        }
        Ok(())
    }

    pub(super) async fn recent(&mut self) -> Result<(), SubjectError> {
        for (what, offset_ms) in
            [("a minute ago", -59_000), ("a minute ahead", 59_000), ("ten seconds ago", -10_000)]
        {
            let twin = self.send_event(&self.plain()).await?.id;
            let sent_ms = self.clock.now_ms().saturating_add_signed(offset_ms);
            let (delivery, _) = self.sign_at(self.render(&self.plain()), sent_ms);
            let id = self.send(delivery).await?;
            self.write(
                Scenario::Recent,
                format!("a genuine delivery signed for {what}"),
                Respect::Form(what),
                id,
                [twin],
            );
        }
        Ok(())
    }

    /// A genuine delivery in another form, behind a plain one.
    async fn form(
        &mut self,
        scenario: Scenario,
        what: &'static str,
        change: impl Fn(&mut Delivery),
    ) -> Result<(), SubjectError> {
        let twin = self.send_event(&self.plain()).await?.id;
        let (mut delivery, _) = self.sign(self.render(&self.plain()));
        change(&mut delivery);
        let id = self.send(delivery).await?;
        self.write(scenario, format!("a genuine delivery: {what}"), Respect::Form(what), id, [twin]);
        Ok(())
    }

    /// Genuine deliveries of records with a further member, each behind a plain one.
    async fn records(
        &mut self,
        scenario: Scenario,
        members: &[(&'static str, &'static str)],
    ) -> Result<(), SubjectError> {
        for &(what, member) in members {
            let plain = self.plain();
            let twin = self.send_event(&plain).await?.id;
            let id = self.send_event(&with_raw_member(&plain.with_id(&self.random.uuid()), member)).await?.id;
            self.write(scenario, format!("a genuine delivery with {what}"), Respect::Form(what), id, [twin]);
        }
        Ok(())
    }

    /// A plain body of so many bytes.
    fn padded(&self, length: usize) -> Bytes {
        let bare = self.render(&with_raw_member(&self.plain(), r#""padding":"""#)).len();
        let padding = format!("\"padding\":\"{}\"", "x".repeat(length.saturating_sub(bare)));
        self.render(&with_raw_member(&self.plain(), &padding))
    }
}

/// The event with a further member at the end of its record, as the text that it is.
fn with_raw_member(event: &Event, member: &str) -> Event {
    let record = event.record.get().trim_end();
    let record = format!("{},{member}}}", record.strip_suffix('}').unwrap_or(record));
    // The members come from the constants of `spelling`, which a test parses.
    let record = RawValue::from_string(record).unwrap_or_else(|why| unreachable!("{member}: {why}"));
    Event { record, ..event.clone() }
}
