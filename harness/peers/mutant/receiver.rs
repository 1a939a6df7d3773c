//! Faulty receivers. Some have a gate in front of the reference receiver that accepts or rejects wrongly. Others change what
//! the reference receiver answers or processes.
//!
//! Invariant: what the gate accepts is signed again for the reference receiver, which does the rest.

mod acts;
mod body;
mod incoming;
mod processing;
mod wanting;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::sleep;

use self::acts::Act;
use self::incoming::{Incoming, Memory};
use crate::clock::Clock;
use crate::peers::fault::ReceiverFault;
use crate::peers::receiver::{self, Observer, Receiver, Settings};
use crate::webhook::manner::Manner;
use crate::webhook::signature::{Key, Secret};
use crate::wire::endpoint::Handler;
use crate::wire::exchange::{Delivery, Headers, Response};

/// How long each request takes a receiver that works on only a few at a time.
const WORK: Duration = Duration::from_millis(10);

/// The manner in which a receiver with this fault wants deliveries, if it is another one than the contract's.
pub fn manner(fault: ReceiverFault) -> Option<Manner> {
    acts::manner(fault)
}

pub struct Mutant {
    /// The manner in which it wants deliveries.
    manner: Manner,
    act: Act,
    inner: Receiver,
    secret: Secret,
    clock: Clock,
    /// How long a late answer takes.
    late: Duration,
    busy: AtomicUsize,
    memory: Memory,
    observer: Observer,
    /// Whether it behaves like a process that ended.
    ended: AtomicBool,
}

enum Gate {
    /// The reference receiver judges the request unchanged.
    Judge,
    /// Accepts this body, whatever the signature.
    Accept(Bytes),
    /// Accepts this body with any method.
    AcceptAsPost(Bytes),
    Reject,
    Answer(u16),
}

impl Mutant {
    /// A reference receiver with one fault. `late` is how long `AnswersLate` takes to answer one kind of event.
    pub fn new(
        fault: ReceiverFault,
        settings: Settings,
        clock: Clock,
        late: Duration,
        observer: Observer,
    ) -> Self {
        let manner = acts::manner(fault).unwrap_or(Manner::CONTRACT);
        Self { manner, ..Self::acting(acts::act(fault), settings, clock, late, observer) }
    }

    /// A reference receiver without a fault.
    pub fn sound(settings: Settings, clock: Clock, observer: Observer) -> Self {
        Self::acting(Act::Wants, settings, clock, Duration::ZERO, observer)
    }

    fn acting(act: Act, settings: Settings, clock: Clock, late: Duration, observer: Observer) -> Self {
        let manner = Manner::CONTRACT;
        let secret = settings.secret.clone();
        let settings = match act {
            Act::Forgets(_) => Settings { remembered: 0, ..settings },
            _ => settings,
        };
        let processing = match act {
            Act::Processes(wrongly) => wrongly(observer.clone()),
            _ => observer.clone(),
        };
        let inner = Receiver::new(settings, clock.clone(), processing);
        let (busy, memory) = (AtomicUsize::new(0), Memory::default());
        let ended = AtomicBool::new(false);
        Self { manner, act, inner, secret, clock, late, busy, memory, observer, ended }
    }

    /// The same with another fault before this one, which rejects every valid delivery: it wants them in another manner.
    #[must_use]
    pub fn wanting(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    async fn answer(&self, delivery: Delivery) -> Option<Response> {
        if self.ended.load(Ordering::SeqCst) {
            return None;
        }
        let delivery = match self.manner {
            Manner::CONTRACT => delivery,
            manner => match wanting::translated(&manner, &delivery, &self.secret) {
                Some(delivery) => delivery,
                None => return Some(Response::text(401, "rejected\n")),
            },
        };
        let event = body::event_name(&delivery.body);
        let request = Incoming::new(&delivery, &event, self.clock.now_ms(), &self.secret, &self.memory);
        match self.act {
            Act::Delays(these) if these(&request) => sleep(self.late).await,
            Act::AnswersAll(status, header, body) => {
                let mut response = Response::text(status, body);
                if let Some((name, value)) = header.split_once(": ") {
                    response.headers.add(name, value);
                }
                return Some(response);
            }
            Act::Works(most, status) if !self.works(most).await => {
                return Some(Response::text(status, "busy\n"));
            }
            _ => {}
        }
        let mut judged = delivery.clone();
        match self.gate(&request) {
            Gate::Reject => return Some(Response::text(401, "rejected\n")),
            Gate::Answer(status) => return Some(Response::text(status, "")),
            Gate::Judge => {}
            Gate::Accept(body) => self.sign(&mut judged, body),
            Gate::AcceptAsPost(body) => {
                self.sign(&mut judged, body);
                "POST".clone_into(&mut judged.method);
            }
        }
        let response = self.inner.answer(&judged);
        if response.status == 200 {
            self.memory.accept(request.credentials(), delivery.body.clone());
        }
        match (&self.act, response.status) {
            (Act::Rewrites(rewrite), 400..) => rewrite(&request, response),
            (Act::ProcessesRejected, 400..) => {
                if let Ok(observed) = receiver::read(&judged.body) {
                    (self.observer)(observed);
                }
                Some(response)
            }
            _ => Some(response),
        }
    }

    /// Works on a request, unless too many are in progress. Returns whether it did. It takes longer the more there are.
    async fn works(&self, most: usize) -> bool {
        let others = self.busy.fetch_add(1, Ordering::SeqCst);
        let has_room = others < most;
        if has_room {
            sleep(WORK * u32::try_from(others + 1).unwrap_or(1)).await;
        }
        self.busy.fetch_sub(1, Ordering::SeqCst);
        has_room
    }

    fn gate(&self, request: &Incoming<'_>) -> Gate {
        let accept = || Gate::Accept(request.body().clone());
        let (applies, then, otherwise) = match self.act {
            Act::Rejects(these) => (these(request), Gate::Reject, Gate::Judge),
            Act::Accepts(these) => (these(request), accept(), Gate::Judge),
            Act::AcceptsOnly(these) => (these(request), accept(), Gate::Reject),
            Act::AcceptsRecipe(recipe) => (request.is_signed_by(recipe), accept(), Gate::Judge),
            Act::Hashes(serialiser) => (request.is_signed_reprinted(serialiser), accept(), Gate::Reject),
            Act::Answers(status, these) => (these(request), Gate::Answer(status), Gate::Judge),
            Act::Forgets(repeated) => (repeated(request), Gate::Answer(200), Gate::Judge),
            Act::AcceptsAs(body) => return body(request).map_or(Gate::Judge, Gate::Accept),
            Act::AcceptsAsPost(body) => return body(request).map_or(Gate::Judge, Gate::AcceptAsPost),
            Act::Compares => {
                acts::compare_slowly(request);
                return Gate::Judge;
            }
            Act::Wants
            | Act::Delays(_)
            | Act::AnswersAll(..)
            | Act::Works(..)
            | Act::Rewrites(_)
            | Act::ProcessesRejected
            | Act::EndsWhenCutOff
            | Act::Processes(_) => return Gate::Judge,
        };
        if applies { then } else { otherwise }
    }

    fn sign(&self, delivery: &mut Delivery, body: Bytes) {
        let key = Key::new(&self.secret);
        delivery.headers = Headers::of_delivery(Some(&key), self.clock.now_ms(), None, &body);
        delivery.body = body;
    }
}

impl Handler for Mutant {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        self.answer(delivery).boxed()
    }

    fn cut_off(&self) {
        if matches!(self.act, Act::EndsWhenCutOff) {
            self.ended.store(true, Ordering::SeqCst);
        }
    }
}
