//! What a receiver must acknowledge: genuine deliveries, in every form that HTTP allows.
//!
//! Invariant: everything sent here is correctly signed at the time of sending.

use futures_util::future::join_all;
use serde_json::json;

use super::{CONCURRENT, PLAIN_EVENT, Stage, with_member};
use crate::event::{Event, EventName};
use crate::exchange::Delivery;
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
            let sent = self.send_event(event).await?;
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
            let twin = self.send_event(&plain).await?.id;
            let sent = self.send_event(&event).await?;
            self.write(Scenario::Unfamiliar, what, Respect::Genuine, sent.id, [twin]);
        }
        let twin = self.send_event(&plain).await?.id;
        let body = with_member(&self.render(&plain), "memberOfALaterVersion", &json!("text"));
        let sent = self.send_body(body).await?;
        let what = "a genuine delivery whose body has an unknown member".to_owned();
        self.write(Scenario::Unfamiliar, what, Respect::Genuine, sent.id, [twin]);
        Ok(())
    }

    pub(super) async fn header_case(&mut self) -> Result<(), SubjectError> {
        for (case, spell) in HEADER_CASES {
            let plain = self.plain();
            let twin = self.send_event(&plain).await?.id;
            let (mut delivery, _) = self.sign(self.render(&plain));
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
}
