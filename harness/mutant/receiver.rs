//! Wrong receivers: a gate before the reference receiver that lets in what it should not, or keeps out what it should let
//! in.
//!
//! Invariant: what a gate lets in is signed anew for the reference receiver behind it, which does the rest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::dialect::{self, Members};
use crate::endpoint::Handler;
use crate::exchange::{Delivery, Headers, Response};
use crate::fault::ReceiverFault;
use crate::receiver::Receiver;
use crate::recipe::{Digest, KeyForm, Message, OTHER_SECRET, Recipe};
use crate::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};

/// A receiver with one fault.
pub struct Mutant {
    fault: ReceiverFault,
    inner: Receiver,
    secret: Secret,
    clock: Clock,
    /// How long an answer that comes late takes.
    late: Duration,
    busy: AtomicUsize,
    /// The body of each delivery that was let in, by timestamp and signature.
    seen: Mutex<HashMap<(Bytes, Bytes), Bytes>>,
}

/// What the gate does with a request.
enum Gate {
    /// Hands it on as it is: the reference receiver judges.
    Judge,
    /// Lets this body in, whatever the signature.
    Admit(Bytes),
    /// Keeps it out.
    Refuse,
}

impl Mutant {
    /// Wraps a reference receiver that has the same secret. `late` is what `AnswersLate` takes for one kind of event.
    pub fn new(fault: ReceiverFault, inner: Receiver, secret: Secret, clock: Clock, late: Duration) -> Self {
        Self { fault, inner, secret, clock, late, busy: AtomicUsize::new(0), seen: Mutex::default() }
    }

    async fn answer(&self, mut delivery: Delivery) -> Response {
        let event = event_name(&delivery.body);
        if self.fault == ReceiverFault::AnswersLate && event.starts_with("note.created") {
            sleep(self.late).await;
        }
        if self.fault == ReceiverFault::OneAtATime {
            // The work takes a moment, in which others come.
            let others = self.busy.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_millis(20)).await;
            self.busy.fetch_sub(1, Ordering::SeqCst);
            if others > 0 {
                return Response::text(503, "busy\n");
            }
        }
        let presented = (header(&delivery, TIMESTAMP_HEADER), header(&delivery, SIGNATURE_HEADER));
        let original = delivery.body.clone();
        match self.gate(&delivery, &event) {
            Gate::Refuse => return Response::text(401, "refused\n"),
            Gate::Judge => {}
            Gate::Admit(body) => {
                let key = Key::new(&self.secret);
                delivery.headers = Headers::of_delivery(Some(&key), self.clock.now_ms(), None, &body);
                delivery.body = body;
                "POST".clone_into(&mut delivery.method);
            }
        }
        let response = self.inner.answer(&delivery);
        if let ((Some(timestamp), Some(signature)), 200) = (presented, response.status) {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert((timestamp, signature), original);
        }
        response
    }

    fn gate(&self, delivery: &Delivery, event: &str) -> Gate {
        use Gate::{Admit, Judge, Refuse};
        let body = &delivery.body;
        let (timestamp, signature) = (header(delivery, TIMESTAMP_HEADER), header(delivery, SIGNATURE_HEADER));
        let admit_if = |condition: bool| if condition { Admit(body.clone()) } else { Judge };
        let signed_by = |recipe: Recipe| {
            let given = signature.as_ref().zip(timestamp.as_ref());
            given.is_some_and(|(signature, timestamp)| {
                let value = recipe.compute(self.secret.expose(), timestamp, body);
                value.is_some_and(|value| value.as_bytes() == &**signature)
            })
        };
        let instead = |recipe: Recipe| if signed_by(recipe) { Admit(body.clone()) } else { Refuse };
        let besides = |recipe: Recipe| admit_if(signed_by(recipe));
        // A body that was let in before under the same timestamp and signature, and what this one is to it.
        let before = |same: &dyn Fn(&[u8], &[u8]) -> bool| {
            let presented = timestamp.clone().zip(signature.clone());
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            match presented.and_then(|presented| seen.get(&presented).cloned()) {
                Some(old) if same(&old, body) => Admit(old),
                _ => Judge,
            }
        };
        match self.fault {
            ReceiverFault::RefusesEverything => Refuse,
            ReceiverFault::RefusesDeletions => {
                if event.ends_with(".deleted") {
                    Refuse
                } else {
                    Judge
                }
            }
            ReceiverFault::VerifiesBodyAlone => instead(Recipe::message(Message::BodyAlone)),
            ReceiverFault::VerifiesWithDot => instead(Recipe::message(Message::Separator("."))),
            ReceiverFault::VerifiesTwiceStringified => {
                instead(Recipe::message(Message::DoubleStringified { ascii: false }))
            }
            ReceiverFault::VerifiesHexDecodedKey => instead(Recipe::key(KeyForm::HexDecoded)),
            ReceiverFault::VerifiesSha1 => instead(Recipe::digest(Digest::Sha1)),
            ReceiverFault::VerifiesSeconds => instead(Recipe::message(Message::Seconds)),
            ReceiverFault::RefusesUnknownEvents => {
                let known = dialect::ALL.iter().flat_map(|dialect| dialect.samples()).any(|sample| {
                    sample.name.as_str() == event
                        && sample.name.object() != "rocket"
                        && !sample.name.is_metadata()
                });
                if known { Judge } else { Refuse }
            }
            ReceiverFault::RefusesUnknownMembers => {
                let unknown = body.windows(21).any(|window| window == b"memberOfALaterVersion");
                if unknown { Refuse } else { Judge }
            }
            ReceiverFault::HeaderNamesCaseSensitive => {
                let exact = |name: &str| delivery.headers.0.iter().any(|(other, _)| other == name);
                if exact(SIGNATURE_HEADER) && exact(TIMESTAMP_HEADER) { Judge } else { Refuse }
            }
            ReceiverFault::IgnoresAlteredValues => before(&|old, new| same_record_other_values(old, new)),
            ReceiverFault::IgnoresAddedMembers => before(&|old, new| holds_all_of(old, new)),
            ReceiverFault::StripsSecretMember => match without_secret(body) {
                Some(stripped) if self.genuine(&timestamp, &signature, &stripped) => Admit(stripped),
                _ => Judge,
            },
            ReceiverFault::AcceptsCutBody => before(&|old, new| old.starts_with(new)),
            ReceiverFault::RemembersSignatures => {
                let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let known =
                    seen.iter().any(|((_, known), old)| Some(known) == signature.as_ref() && old == body);
                admit_if(known && timestamp.is_some_and(|timestamp| timestamp.len() > 1))
            }
            ReceiverFault::ReprintsTimestamp => {
                let number: Option<u64> =
                    timestamp.as_ref().and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
                let printed = number.map(|number| Bytes::from(number.to_string()));
                admit_if(self.genuine(&printed, &signature, body))
            }
            ReceiverFault::AcceptsOtherSecret => {
                let key = Key::new(&Secret::new(OTHER_SECRET));
                let given = timestamp.zip(signature);
                admit_if(given.is_some_and(|(timestamp, signature)| key.verify(&timestamp, body, &signature)))
            }
            ReceiverFault::AcceptsEmptyKey => besides(Recipe::key(KeyForm::Empty)),
            ReceiverFault::AcceptsHexDecodedKey => besides(Recipe::key(KeyForm::HexDecoded)),
            ReceiverFault::AcceptsCaseFoldedKey => besides(Recipe::key(KeyForm::Lowercase)),
            ReceiverFault::AcceptsMissingSignature => admit_if(signature.is_none()),
            ReceiverFault::AcceptsEmptySignature => {
                admit_if(signature.is_some_and(|signature| signature.is_empty()))
            }
            ReceiverFault::AcceptsMissingTimestamp => admit_if(timestamp.is_none()),
            ReceiverFault::AcceptsBodyAlone => besides(Recipe::message(Message::BodyAlone)),
            ReceiverFault::AcceptsTimestampAlone => besides(Recipe::message(Message::TimestampAlone)),
            ReceiverFault::AcceptsDot => besides(Recipe::message(Message::Separator("."))),
            ReceiverFault::AcceptsTwiceStringified => {
                besides(Recipe::message(Message::DoubleStringified { ascii: false }))
            }
            ReceiverFault::AcceptsAnySignatureOnce => before(&|_, _| true),
            ReceiverFault::AcceptsSha1 => besides(Recipe::digest(Digest::Sha1)),
            ReceiverFault::AcceptsUnkeyed => besides(Recipe::digest(Digest::Unkeyed)),
            ReceiverFault::AcceptsBase64 => besides(Recipe::digest(Digest::Base64)),
            ReceiverFault::AcceptsPrefix => besides(Recipe::digest(Digest::Truncated)),
            ReceiverFault::AcceptsZeros => besides(Recipe::digest(Digest::Zeros)),
            ReceiverFault::AcceptsEverything => {
                Admit(if event.is_empty() { Bytes::from_static(ANY_EVENT) } else { body.clone() })
            }
            ReceiverFault::AnswersLate | ReceiverFault::OneAtATime => Judge,
        }
    }

    fn genuine(&self, timestamp: &Option<Bytes>, signature: &Option<Bytes>, body: &[u8]) -> bool {
        let given = timestamp.as_ref().zip(signature.as_ref());
        given.is_some_and(|(timestamp, signature)| Key::new(&self.secret).verify(timestamp, body, signature))
    }
}

impl Handler for Mutant {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        async { Some(self.answer(delivery).await) }.boxed()
    }
}

const ANY_EVENT: &[u8] = br#"{"event":"any.event","data":{}}"#;

fn header(delivery: &Delivery, name: &str) -> Option<Bytes> {
    delivery.headers.all(name).next().cloned()
}

fn event_name(body: &[u8]) -> String {
    let members = Members::parse(body).ok();
    let of = |members: Members| dialect::ALL.iter().find_map(|dialect| members.text(dialect.event_member));
    members.and_then(of).unwrap_or_default()
}

fn record(body: &Value) -> Option<&Value> {
    dialect::ALL.iter().find_map(|dialect| body.get(dialect.record_member))
}

/// Both have the same members and the same record id: only values differ.
fn same_record_other_values(old: &[u8], new: &[u8]) -> bool {
    let (Ok(old), Ok(new)) = (serde_json::from_slice::<Value>(old), serde_json::from_slice::<Value>(new))
    else {
        return false;
    };
    let keys = |body: &Value| body.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
    let id = |body: &Value| record(body).and_then(|record| record.get("id").cloned());
    keys(&old) == keys(&new) && id(&old) == id(&new)
}

/// The new body has every member of the old one unchanged, and more.
fn holds_all_of(old: &[u8], new: &[u8]) -> bool {
    let (Ok(old), Ok(new)) = (serde_json::from_slice::<Value>(old), serde_json::from_slice::<Value>(new))
    else {
        return false;
    };
    old.as_object().is_some_and(|members| members.iter().all(|(key, value)| new.get(key) == Some(value)))
}

/// The body without its top-level member `secret`, where it has one at its end.
fn without_secret(body: &[u8]) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let at = text.rfind(",\"secret\":")?;
    Some(Bytes::from(format!("{}}}", &text[..at])))
}
