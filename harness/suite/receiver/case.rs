//! A test case for a receiver: how its delivery is made from the control before it.
//!
//! A forged delivery differs from that control in one respect. The control after it is the same valid delivery, signed again.

use std::borrow::Cow;
use std::fmt;

use super::explained::explains;
use super::maker::{Control, Maker, Repeated, with_raw_member};
use crate::suite::transcript::Respect;
use crate::webhook::recipe::Recipe;
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER};
use crate::wire::exchange::Delivery;

/// Makes a delivery from the control before it; `None` if there is nothing to try with this secret or body.
type Make = Box<dyn Fn(&Maker, &Control) -> Option<Delivery> + Send + Sync>;

/// Changes a control in one respect, given the timestamp that it was signed with; `None` if that is not possible.
pub(super) type Change = fn(&Maker, &mut Delivery, &str) -> Option<()>;

pub struct Case {
    /// What is sent, as a noun phrase with its article.
    pub(super) what: String,
    pub(super) respect: Respect,
    pub(super) generated: bool,
    /// Whether it should be rejected. If so, it has a control after it too.
    forged: bool,
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
            forged: false,
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
            forged: false,
            member: None,
            make: Box::new(make),
            variants: Vec::new(),
        }
    }

    /// A delivery to reject: the control, changed.
    pub(super) fn forged(
        what: impl Into<String>,
        respect: Respect,
        change: impl Fn(&Maker, &mut Delivery, &str) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        let make = move |maker: &Maker, control: &Control| {
            let mut delivery = control.delivery.clone();
            if maker.dialect.nonce {
                // The nonce is not signed. A receiver that remembers nonces would reject the control's nonce as a repeat.
                delivery.headers.set(NONCE_HEADER, maker.random.nonce());
            }
            change(maker, &mut delivery, &control.timestamp)?;
            Some(delivery)
        };
        Self {
            what: what.into(),
            respect,
            generated: false,
            forged: true,
            member: None,
            make: Box::new(make),
            variants: Vec::new(),
        }
    }

    /// A delivery to reject: the control, signed by a recipe. There is nothing to try if the recipe does not apply to the
    /// secret; for example, one that is not hexadecimal cannot be decoded.
    pub(super) fn signed(recipe: Recipe) -> Self {
        let what = format!("a delivery signed {}", recipe.describe());
        Self::forged(what, Respect::Signed(recipe), move |maker, delivery, timestamp| {
            let value = maker.signature_by(recipe, timestamp.as_bytes(), &delivery.body)?;
            delivery.headers.set(SIGNATURE_HEADER, value);
            Some(())
        })
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

    /// The same as a delivery to reject, with a control after it too.
    pub(super) fn must_be_rejected(self) -> Self {
        Self { forged: true, ..self }
    }

    pub(super) fn is_forged(&self) -> bool {
        self.forged
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
        let repeated = self.forged.then(|| control.repeated());
        Some((control.delivery, delivery, repeated))
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
