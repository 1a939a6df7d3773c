//! Which parts of a rejected generated delivery matter: the record is varied and sent again, validly signed.

use bytes::Bytes;
use tokio::time::Instant;

use super::ReceiverStage;
use super::batch::Tried;
use crate::suite::messages::parts as messages;
use crate::suite::parts::{Parts, Seen};
use crate::suite::property::MAX_TIME;
use crate::suite::receiver::case::Case;
use crate::suite::receiver::maker::Maker;
use crate::webhook::event::EventName;
use crate::webhook::json::{Json, Text};
use crate::webhook::signature::NONCE_HEADER;
use crate::wire::exchange::{Delivery, ExchangeId};

/// A body whose record can be varied.
struct Body {
    whole: Json,
    /// The member that has the record.
    content: &'static str,
    record: Json,
}

impl Body {
    /// `None` if the record cannot be varied: it is none, or the formatting of the body may matter.
    fn of(body: &[u8], maker: &Maker) -> Option<Self> {
        let whole = Json::parse(body).ok().filter(|json| json.compact().as_bytes() == body)?;
        let Json::Text(name) = whole.get(maker.dialect.event_member)? else { return None };
        let content = maker.dialect.content_member(&EventName::new(name.to_unicode()?));
        let record = whole.get(content).filter(|record| matches!(record, Json::Object(_)))?.clone();
        Some(Self { whole, content, record })
    }

    fn names(&self) -> Vec<Text> {
        match &self.record {
            Json::Object(members) => members.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// The same with another record, which gets a new id: a receiver may accept a repeated one without a look at it.
    fn with(&self, mut record: Json, id: &str) -> Bytes {
        let mut whole = self.whole.clone();
        if let Json::Object(members) = &mut record {
            let own = members.iter_mut().filter(|(name, _)| *name == Text::from("id"));
            own.for_each(|(_, value)| *value = Json::Text(Text::from(id)));
        }
        if let Json::Object(members) = &mut whole {
            let content = Text::from(self.content);
            if let Some((_, value)) = members.iter_mut().find(|(name, _)| *name == content) {
                *value = record;
            }
        }
        whole.compact().into()
    }
}

impl ReceiverStage<'_> {
    /// What matters in a valid delivery that is rejected, in a sentence; `None` if that was not found out. The last control must be
    /// accepted, or the rejections may have another reason.
    pub(super) async fn what_matters(&mut self, tried: &Tried) -> Option<String> {
        let end = Instant::now() + MAX_TIME.min(self.max_time.left() / 8);
        let maker = self.maker.with_seed(self.maker.random.seed());
        let rejected = self.transcript.exchange(tried.trial).delivery.clone();
        let control = self.transcript.exchange(*tried.controls.first()?).delivery.body.clone();
        let body = Body::of(&rejected.body, &maker)?;
        // It must fail again, alone.
        let again = resigned(&rejected, body.with(body.record.clone(), &maker.random.uuid()), &maker);
        let again = self.send(again).await.ok()?;
        if self.seen(again) != Seen::Fails {
            return None;
        }
        let mut parts = Parts::new(body.record.clone(), body.content, &Body::of(&control, &maker)?.names());
        while let Some(record) = parts.next() {
            let varied = resigned(&rejected, body.with(record, &maker.random.uuid()), &maker);
            let seen = match self.send(varied).await {
                Ok(id) => self.seen(id),
                Err(_) => Seen::Unclear,
            };
            parts.answer(seen);
            if seen == Seen::Unclear || Instant::now() >= end {
                parts.stop();
            }
        }
        let control = self.send(maker.deliver(&maker.plain())).await.ok()?;
        parts.sentence().filter(|_| self.transcript.acknowledged(control))
    }

    /// The same for a case that says itself what can be varied. Each part is varied in several ways: it does not matter if all of
    /// them are rejected.
    pub(super) async fn what_matters_of(&mut self, case: &Case) -> Option<String> {
        let end = Instant::now() + MAX_TIME.min(self.max_time.left() / 8);
        let maker = self.maker.with_seed(self.maker.random.seed());
        let again = self.try_alone(case, &maker).await.ok()??;
        if self.seen_under_control(&again) != Seen::Fails {
            return None;
        }
        let (mut matters, mut free): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for (part, variant) in case.variants() {
            if matters.iter().any(|one| one == part) {
                continue;
            }
            let maker = self.maker.with_seed(self.maker.random.seed());
            let Some(tried) = self.try_alone(variant, &maker).await.ok()? else { continue };
            match self.seen_under_control(&tried) {
                Seen::Passes => {
                    free.retain(|one| one != part);
                    matters.push((*part).to_owned());
                }
                Seen::Fails if !free.iter().any(|one| one == part) => free.push((*part).to_owned()),
                Seen::Fails => {}
                Seen::Unclear => return None,
            }
            if Instant::now() >= end {
                return None;
            }
        }
        let kind = case.respect.describe();
        (!matters.is_empty() || !free.is_empty()).then(|| messages::what_matters_of(&kind, &matters, &free))
    }

    /// A rejection shows something only if the control was accepted.
    fn seen_under_control(&self, tried: &Tried) -> Seen {
        let is_controlled = tried.controls.iter().all(|&control| self.transcript.acknowledged(control));
        match self.seen(tried.trial) {
            Seen::Fails if !is_controlled => Seen::Unclear,
            seen => seen,
        }
    }

    fn seen(&self, id: ExchangeId) -> Seen {
        let outcome = self.transcript.outcome(id);
        match outcome.status() {
            _ if outcome.acknowledges() => Seen::Passes,
            Some(_) if outcome.rate_limit().is_none() => Seen::Fails,
            _ => Seen::Unclear,
        }
    }
}

/// The delivery with another body, signed for it.
fn resigned(delivery: &Delivery, body: Bytes, maker: &Maker) -> Delivery {
    let mut delivery = Delivery { body, ..delivery.clone() };
    if maker.dialect.nonce {
        delivery.headers.set(NONCE_HEADER, maker.random.nonce());
    }
    let now = maker.manner.stamp(maker.clock.now_ms());
    maker.date(&mut delivery, now.as_bytes());
    delivery
}
