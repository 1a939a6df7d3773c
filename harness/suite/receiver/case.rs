//! A test case for a receiver: how its delivery is made from the control before it.
//!
//! A forged delivery differs from that control in one respect. The control after it is the same valid delivery, signed again.

use std::borrow::Cow;
use std::fmt;

use super::explained::explains;
use super::forgery::{Forgery, LeftOut, Parts, Signing};
use super::maker::{Control, Maker, Repeated, with_raw_member};
use crate::suite::transcript::Respect;
use crate::webhook::recipe::Recipe;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::Delivery;

/// Makes a delivery from the control before it; `None` if there is nothing to try with this secret or body.
type Make = Box<dyn Fn(&Maker, &Control) -> Option<Delivery> + Send + Sync>;

pub struct Case {
    /// What is sent, as a noun phrase with its article.
    pub(super) what: String,
    pub(super) respect: Respect,
    pub(super) generated: bool,
    /// How a load sends it, or why not, if it should be rejected. If so, it has a control after it too.
    forged: Option<Result<Forgery, LeftOut>>,
    /// A member added to the records of its controls, so that it differs from them in one respect only.
    member: Option<Cow<'static, str>>,
    make: Make,
    /// The same case with one part of it varied, by that part.
    variants: Vec<(&'static str, Self)>,
}

impl Case {
    /// A valid delivery that does not depend on its control.
    pub(super) fn valid(
        what: impl Into<String>,
        respect: Respect,
        make: impl Fn(&Maker) -> Option<Delivery> + Send + Sync + 'static,
    ) -> Self {
        Self {
            what: what.into(),
            respect,
            generated: false,
            forged: None,
            member: None,
            make: Box::new(move |maker, _| make(maker)),
            variants: Vec::new(),
        }
    }

    /// A valid delivery made from the control before it.
    pub(super) fn from_control(
        what: impl Into<String>,
        respect: Respect,
        make: impl Fn(&Maker, &Control) -> Option<Delivery> + Send + Sync + 'static,
    ) -> Self {
        Self {
            what: what.into(),
            respect,
            generated: false,
            forged: None,
            member: None,
            make: Box::new(make),
            variants: Vec::new(),
        }
    }

    /// A delivery to reject: the control, changed as a load changes a delivery too.
    pub(super) fn forged(what: impl Into<String>, respect: Respect, forgery: Forgery) -> Self {
        let own = forgery.clone();
        let made = move |maker: &Maker, delivery: &mut Delivery, timestamp: &str, sent_ms| {
            apply(&own, maker, delivery, timestamp, sent_ms)
        };
        Self { forged: Some(Ok(forgery)), ..Self::changed(what, respect, LeftOut::Generated, made) }
    }

    /// A delivery to reject: the control, changed by code, given the timestamp that it was signed with. A load does not send it.
    pub(super) fn forged_by(
        why: LeftOut,
        what: impl Into<String>,
        respect: Respect,
        change: impl Fn(&Maker, &mut Delivery, &str) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        Self::changed(what, respect, why, move |maker, delivery, timestamp, _| {
            change(maker, delivery, timestamp)
        })
    }

    fn changed(
        what: impl Into<String>,
        respect: Respect,
        why: LeftOut,
        change: impl Fn(&Maker, &mut Delivery, &str, u64) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        let make = move |maker: &Maker, control: &Control| {
            let mut delivery = control.delivery.clone();
            if maker.dialect.nonce {
                // The nonce is not signed. A receiver that remembers nonces would reject the control's nonce as a repeat.
                delivery.headers.set(NONCE_HEADER, maker.random.nonce());
            }
            change(maker, &mut delivery, &control.timestamp, control.sent_ms)?;
            Some(delivery)
        };
        Self {
            what: what.into(),
            respect,
            generated: false,
            forged: Some(Err(why)),
            member: None,
            make: Box::new(make),
            variants: Vec::new(),
        }
    }

    /// A delivery to reject: the control, signed by a recipe. There is nothing to try if the recipe does not apply to the
    /// secret; for example, one that is not hexadecimal cannot be decoded.
    pub(super) fn signed(recipe: Recipe) -> Self {
        let what = format!("a delivery signed {}", recipe.describe());
        match Forgery::signed(recipe) {
            Ok(forgery) => Self::forged(what, Respect::Signed(recipe), forgery),
            Err(why) => {
                Self::forged_by(why, what, Respect::Signed(recipe), move |maker, delivery, timestamp| {
                    let value = maker.signature_by(recipe, timestamp.as_bytes(), &delivery.body)?;
                    delivery.headers.set(SIGNATURE_HEADER, value);
                    Some(())
                })
            }
        }
    }

    /// The same, with this member added to the records of its controls.
    pub(super) fn of_record_with(self, member: impl Into<Cow<'static, str>>) -> Self {
        Self { member: Some(member.into()), ..self }
    }

    /// The same, with what is varied to find out what matters.
    pub(super) fn varied_as(self, variants: Vec<(&'static str, Self)>) -> Self {
        Self { variants, ..self }
    }

    pub(super) fn variants(&self) -> &[(&'static str, Self)] {
        &self.variants
    }

    pub(super) fn generated(self) -> Self {
        Self { generated: true, ..self }
    }

    /// The same as a delivery to reject, with a control after it too. A load sends this forgery, which has no second delivery.
    pub(super) fn must_be_rejected(self, forgery: Forgery) -> Self {
        Self { forged: Some(Ok(forgery)), ..self }
    }

    pub(super) fn is_forged(&self) -> bool {
        self.forged.is_some()
    }

    /// How a load sends it, or why not; `None` if it should be accepted.
    pub fn under_load(&self) -> Option<Result<&Forgery, LeftOut>> {
        self.forged.as_ref().map(|forged| forged.as_ref().map_err(|why| *why))
    }

    /// What is sent, as a noun phrase with its article.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Its delivery without the controls; `None` if there is nothing to try with this secret or body.
    pub(in crate::suite) fn alone(&self, maker: &Maker) -> Option<Delivery> {
        self.prepare(maker).map(|(_, delivery, _)| delivery)
    }

    /// Its delivery after a control of another body; `None` if there is nothing to try with this secret or body.
    pub(super) fn after(&self, maker: &Maker, control: &Control) -> Option<Delivery> {
        (self.make)(maker, control)
    }

    /// Whether its answer is compared with another one, so it shows nothing alone.
    pub(in crate::suite) fn is_compared(&self) -> bool {
        matches!(self.forged, Some(Err(LeftOut::Compared)))
    }

    /// The control, the delivery, and what the control after it is made from, if there is one.
    pub(super) fn prepare(&self, maker: &Maker) -> Option<(Delivery, Delivery, Option<Repeated>)> {
        if explains(&maker.manner, self.respect) {
            return None;
        }
        let plain = maker.plain();
        let event = match &self.member {
            Some(member) => with_raw_member(&plain, member),
            None => plain,
        };
        let control = maker.control(maker.render(&event));
        let delivery = (self.make)(maker, &control)?;
        let repeated = self.is_forged().then(|| control.repeated());
        Some((control.delivery, delivery, repeated))
    }
}

/// Changes a delivery that was signed with this timestamp. What a forgery leaves as it is keeps its place in the head.
fn apply(
    forgery: &Forgery,
    maker: &Maker,
    delivery: &mut Delivery,
    timestamp: &str,
    sent_ms: u64,
) -> Option<()> {
    let signing = Signing { manner: &maker.manner, secret: maker.secret.expose(), sent_ms };
    let before = Parts {
        timestamp: Some(timestamp.into()),
        signature: Some(delivery.headers.single(SIGNATURE_HEADER)?.to_vec()),
        has_nonce: true,
        body: delivery.body.clone(),
    };
    let mut parts = before.clone();
    forgery.apply(&mut parts, &signing)?;
    let values = [
        (TIMESTAMP_HEADER, before.timestamp, parts.timestamp),
        (SIGNATURE_HEADER, before.signature, parts.signature),
    ];
    for (name, _, after) in values.into_iter().filter(|(_, before, after)| before != after) {
        match after {
            Some(value) => delivery.headers.set(name, value),
            None => delivery.headers.remove(name),
        }
    }
    if !parts.has_nonce {
        delivery.headers.remove(NONCE_HEADER);
    }
    delivery.body = parts.body;
    Some(())
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
