//! How a case becomes a test: the expressions that give, at any time, what a replay sends then.
//!
//! Invariant: the expressions are found from replays at two times, and compared with a replay at a third.

use bytes::Bytes;

use super::signing::{digest, key};
use crate::redaction::Redaction;
use crate::report::case::Case;
use crate::report::case::edited::{MANY_DIGITS, edited};
use crate::report::case::expression::{Expression, Unit, Values, Which};
use crate::report::case::resign::{Resigned, default_secret, read_rfc3339, resigned};
use crate::report::messages::written as messages;
use crate::suite::replay::ReplayDeliveries;
use crate::webhook::recipe::{Digest, Messages, Recipe};
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, Transfer};

/// The longest body that stands in a test, without a long run of one byte.
const LONGEST: usize = 48 * 1024;
/// How much later the other two replays are than the first. No digit of a time in seconds or milliseconds stays by chance.
const LATER_MS: [u64; 2] = [1_111_111_111, 98_765_432_109];

/// What a test sends.
pub(super) struct Plan {
    /// The valid delivery before, if there is one.
    pub(super) control: Option<Request>,
    pub(super) trial: Request,
}

pub(super) struct Request {
    pub(super) which: Which,
    pub(super) method: String,
    pub(super) body: Expression,
    /// That of its first timestamp header, if it has one.
    pub(super) timestamp: Option<Expression>,
    /// In the order of the wire. The first timestamp is [`Expression::Timestamp`].
    pub(super) headers: Vec<(String, Expression)>,
}

/// One time at which the case is replayed.
struct Replay {
    now_ms: u64,
    control: Option<Delivery>,
    trial: Delivery,
}

impl Plan {
    /// Errors: why no test can send what a replay sends, as a clause.
    pub(super) fn of(case: &Case, secret: &Secret, now_ms: u64) -> Result<Self, String> {
        let at = |now_ms: u64| {
            let Resigned { deliveries, doubt } = resigned(case, secret, now_ms);
            let ReplayDeliveries { before, trial, .. } = deliveries;
            (Replay { now_ms, control: before, trial }, doubt)
        };
        let (first, doubt) = at(now_ms);
        if let Some(doubt) = doubt {
            return Err(doubt.to_string());
        }
        // A test has one URL.
        if case.trial.target != case.path() {
            return Err(messages::not_written().to_owned());
        }
        if case.trial.transfer != Transfer::Whole {
            return Err(messages::needs_the_wire().to_owned());
        }
        let [(second, _), (third, _)] = LATER_MS.map(|later_ms| at(now_ms + later_ms));
        let mut nonces = Vec::new();
        let other_key = default_secret(case);
        let mut request = |which| {
            let (first, second) = (&first, &second);
            Finding { which, first, second, secret, other_key }.request(&mut nonces)
        };
        let control = if first.control.is_some() { Some(request(Which::Control)?) } else { None };
        let mut plan = Self { control, trial: request(Which::Trial)? };
        plan.share();
        match plan.gives(&third, secret) {
            _ if plan.has_secret(secret) => Err(messages::has_the_secret().to_owned()),
            true => Ok(plan),
            false => Err(messages::not_written().to_owned()),
        }
    }

    /// In the order in which they are sent.
    pub(super) fn requests(&self) -> impl Iterator<Item = &Request> {
        self.control.iter().chain([&self.trial])
    }

    /// Every expression of it.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.requests().flat_map(|request| {
            let values = request.headers.iter().map(|(_, value)| value);
            values.chain([&request.body]).chain(&request.timestamp)
        })
    }

    /// Whether something fixed in it has the secret, in another form too, or a part of it.
    fn has_secret(&self, secret: &Secret) -> bool {
        let redaction = Redaction::new([secret]);
        let has_it = |text: &str| redaction.text(text) != text;
        let mut found = self.requests().any(|request| {
            let mut names = request.headers.iter().map(|(name, _)| name);
            has_it(&request.method) || names.any(|name| has_it(name) || has_it(&name.to_ascii_lowercase()))
        });
        for one in self.expressions() {
            one.visit(&mut |one| {
                if let Expression::Fixed(bytes) = one {
                    found |= redaction.bytes(&Bytes::from(bytes.clone())) != bytes[..];
                }
            });
        }
        found
    }

    /// What both deliveries have is the control's.
    fn share(&mut self) {
        let Some(control) = &self.control else { return };
        if control.body == self.trial.body {
            self.trial.body = Expression::Body(Which::Control);
        }
        if control.timestamp.is_some() && control.timestamp == self.trial.timestamp {
            self.trial.timestamp = Some(Expression::Timestamp(Which::Control));
        }
    }

    /// Whether the expressions give what is replayed at this time. Nonces are new in any case.
    fn gives(&self, replay: &Replay, secret: &Secret) -> bool {
        let values = replay.values(secret);
        let is_same = |request: &Request, delivery: &Delivery| {
            let headers = request.headers.iter().zip(&delivery.headers.0);
            let mut same = headers.map(|((_, made), (_, sent))| match made {
                Expression::Nonce(_) => true,
                Expression::Timestamp(_) => {
                    let made = request.timestamp.as_ref().and_then(|one| one.value(&values));
                    made.is_some_and(|made| made == *sent)
                }
                made => made.value(&values).is_some_and(|made| made == *sent),
            });
            request.headers.len() == delivery.headers.0.len()
                && same.all(|same| same)
                && request.body.value(&values).is_some_and(|body| body == delivery.body)
        };
        let control = self.control.as_ref().zip(replay.control.as_ref());
        control.is_none_or(|(request, delivery)| is_same(request, delivery))
            && is_same(&self.trial, &replay.trial)
    }
}

impl Replay {
    fn delivery(&self, which: Which) -> Option<&Delivery> {
        match which {
            Which::Control => self.control.as_ref(),
            Which::Trial => Some(&self.trial),
        }
    }

    /// The body and the timestamp of a delivery.
    fn parts(&self, which: Which) -> (&[u8], &[u8]) {
        let Some(delivery) = self.delivery(which) else { return (&[], &[]) };
        let timestamp = delivery.headers.all(TIMESTAMP_HEADER).next().map(|value| &value[..]);
        (&delivery.body, timestamp.unwrap_or_default())
    }

    fn values<'a>(&'a self, secret: &'a Secret) -> Values<'a> {
        let (control, trial) = (self.parts(Which::Control), self.parts(Which::Trial));
        Values { now_ms: self.now_ms, secret: secret.expose(), control, trial }
    }
}

/// Finds the expressions of a delivery.
struct Finding<'a> {
    which: Which,
    first: &'a Replay,
    second: &'a Replay,
    secret: &'a Secret,
    /// A default secret that it may be signed under.
    other_key: Option<&'a str>,
}

impl Finding<'_> {
    /// Errors: why a value cannot be computed, or the body is too long.
    fn request(&self, nonces: &mut Vec<Vec<u8>>) -> Result<Request, String> {
        let not_written = || messages::not_written().to_owned();
        let (first, second) =
            self.first.delivery(self.which).zip(self.second.delivery(self.which)).ok_or_else(not_written)?;
        let mut timestamp = None;
        let mut headers = Vec::new();
        for ((name, value), (_, later)) in first.headers.0.iter().zip(&second.headers.0) {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            let expression = if is(TIMESTAMP_HEADER) && timestamp.is_none() {
                timestamp = Some(self.stamp(value, later).ok_or_else(not_written)?);
                Expression::Timestamp(self.which)
            } else if is(TIMESTAMP_HEADER) {
                self.stamp(value, later).ok_or_else(not_written)?
            } else if is(SIGNATURE_HEADER) {
                self.signature(value, later).ok_or_else(not_written)?
            } else if is(NONCE_HEADER) && value != later {
                let number = nonces.iter().position(|known| known == value).unwrap_or_else(|| {
                    nonces.push(value.to_vec());
                    nonces.len() - 1
                });
                Expression::Nonce(number)
            } else if value == later {
                Expression::without(value, self.secret.expose())
            } else {
                return Err(not_written());
            };
            headers.push((name.clone(), expression));
        }
        let body = Expression::without(&first.body, self.secret.expose());
        let written = match &body {
            Expression::Join(_) => first.body.len().saturating_sub(longest(&body)),
            _ => first.body.len(),
        };
        if written > LONGEST {
            return Err(messages::body_is_too_long(LONGEST));
        }
        Ok(Request { which: self.which, method: first.method.clone(), body, timestamp, headers })
    }

    /// The expression of a timestamp: fixed, or with a time in it.
    fn stamp(&self, value: &[u8], later: &[u8]) -> Option<Expression> {
        if value == later {
            return Some(Expression::fixed(value));
        }
        let (text, later) = (std::str::from_utf8(value).ok()?, std::str::from_utf8(later).ok()?);
        if let (Some(first), Some(_)) = (read_rfc3339(text), read_rfc3339(later)) {
            return Some(Expression::Time(self.offset(first)?, Unit::Date));
        }
        // The digits that begin after the zeros, and what stands around them.
        let from = text.find(|one: char| ('1'..='9').contains(&one))?;
        let digits: usize = text[from..].bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = text[from..from + digits].parse().ok()?;
        let number_later: u64 =
            later.get(from..)?.split(|one: char| !one.is_ascii_digit()).next()?.parse().ok()?;
        let around = |time| {
            let (before, after) = (&value[..from], &value[from + digits..]);
            Expression::join(vec![Expression::fixed(before), time, Expression::fixed(after)])
        };
        let passed = self.second.now_ms - self.first.now_ms;
        if number_later.checked_sub(number) == Some(passed) {
            return Some(around(Expression::Time(self.offset(number)?, Unit::Milliseconds)));
        }
        let seconds = i64::try_from(number).ok()? - i64::try_from(self.first.now_ms / 1000).ok()?;
        Some(around(Expression::Time(seconds.checked_mul(1000)?, Unit::Seconds)))
    }

    /// How far a time is from the first replay.
    fn offset(&self, ms: u64) -> Option<i64> {
        i64::try_from(i128::from(ms) - i128::from(self.first.now_ms)).ok()
    }

    /// The expression of a signature.
    fn signature(&self, value: &[u8], later: &[u8]) -> Option<Expression> {
        let over =
            [self.which, Which::Control].into_iter().filter(|which| self.first.delivery(*which).is_some());
        let by_recipe = over.clone().find_map(|which| self.by_recipe(value, which));
        // The valid one with something done to it.
        let by_edit = || {
            over.clone().find_map(|which| {
                let (body, timestamp) = self.first.parts(which);
                let valid = Key::new(self.secret).sign(timestamp, body).to_hex();
                edited(value, valid.as_bytes(), &self.signed(Recipe::CONTRACT, which)?)
            })
        };
        // What does not depend on the time may still depend on the secret, so this is last.
        let fixed = || (value == later).then(|| Expression::fixed(value));
        by_recipe.or_else(by_edit).or_else(|| self.by_other_key(value)).or_else(fixed)
    }

    fn by_recipe(&self, value: &[u8], which: Which) -> Option<Expression> {
        let (body, timestamp) = self.first.parts(which);
        let secret = self.secret.expose();
        let known = Messages::of(timestamp, body).recipes(secret, value, |_| true).next();
        let tried = || {
            Recipe::misreadings().into_iter().find(|recipe| {
                recipe.compute(secret, timestamp, body).is_some_and(|other| other.as_bytes() == value)
            })
        };
        self.signed(known.or_else(tried)?, which)
    }

    /// Signed under the default secret that the case names.
    fn by_other_key(&self, value: &[u8]) -> Option<Expression> {
        let key = self.other_key?;
        let (body, timestamp) = self.first.parts(self.which);
        let signed = Key::new(&Secret::new(key)).sign(timestamp, body).to_hex();
        let text = [Expression::Timestamp(self.which), Expression::fixed(b":"), Expression::Body(self.which)];
        (signed.as_bytes() == value)
            .then(|| digest(Digest::Hex, Expression::fixed(key.as_bytes()), Expression::join(text.to_vec())))
            .flatten()
    }

    /// The signature that a recipe gives, over the timestamp and the body of a delivery.
    fn signed(&self, recipe: Recipe, which: Which) -> Option<Expression> {
        let (body, timestamp) = self.first.parts(which);
        let message = recipe.message.bytes(timestamp, body)?;
        let seconds = timestamp.len().checked_sub(3).map(|length| &timestamp[..length]);
        let rest = |from: usize| {
            let rest = &message[from..];
            match rest.strip_suffix(body).filter(|_| !body.is_empty()) {
                Some(before) => Expression::join(vec![Expression::fixed(before), Expression::Body(which)]),
                None => Expression::fixed(rest),
            }
        };
        let text = if !timestamp.is_empty() && message.starts_with(timestamp) {
            Expression::join(vec![Expression::Timestamp(which), rest(timestamp.len())])
        } else if let Some(seconds) =
            seconds.filter(|text| text.len() >= MANY_DIGITS && message.starts_with(text))
        {
            let cut = Expression::Timestamp(which).part(0, seconds.len());
            Expression::join(vec![cut, rest(seconds.len())])
        } else {
            rest(0)
        };
        digest(recipe.digest, key(recipe.key, self.secret.expose())?, text)
    }
}

/// The length of the run of one byte in fixed bytes.
fn longest(fixed: &Expression) -> usize {
    let Expression::Join(parts) = fixed else { return 0 };
    let runs = parts.iter().map(|part| if let Expression::Repeated(_, times) = part { *times } else { 0 });
    runs.max().unwrap_or_default()
}
