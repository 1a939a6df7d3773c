//! Visits a receiver: looks at its address, and sends few deliveries, one after another.
//!
//! Invariant: what was seen until an interruption or the end of the time is kept. Never more than [`MOST_REQUESTS`] are sent.

use std::time::Duration;

use bytes::Bytes;

use super::Cut;
use crate::clock::Clock;
use crate::random::Random;
use crate::suite::cause::receiver::of_obstacle;
use crate::suite::max_time::MaxTime;
use crate::suite::receiver::maker::{BEYOND_ASCII, Maker, with_raw_member};
use crate::webhook::dialect::{self, Dialect};
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::client::look::{self, Accepts, Looker, Place, Shown, Told};
use crate::wire::client::{Scheme, Target};
use crate::wire::exchange::{Delivery, Outcome, Transfer};

/// The most requests of a visit.
pub const MOST_REQUESTS: usize = 12;
/// The sizes of the large deliveries, the smallest first.
pub const SIZES: [usize; 4] = [96 * 1024, 128 * 1024, 1024 * 1024, 10 * 1024 * 1024];
/// Where no program has a route.
const NOWHERE: &str = "/no-route-of-any-program";
/// The longest wait for a connection or a handshake.
const LOOK_WAIT: Duration = Duration::from_secs(3);
/// The length of a chunk.
const CHUNK: usize = 100;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A valid delivery of this dialect, on its own connection.
    Valid(&'static str),
    /// The same, signed with another key.
    Forged,
    Unsigned,
    /// A valid delivery to a path that no program has.
    Nowhere,
    /// A valid delivery on the connection of the one before.
    Again,
    /// A valid delivery with characters beyond ASCII.
    Text,
    Chunked,
    Expecting,
    /// A valid delivery of this many bytes.
    Sized(usize),
}

/// A request and its outcome.
#[derive(Debug, Clone)]
pub struct Sent {
    pub asked: Asked,
    /// When it was sent, in milliseconds since the epoch.
    pub at_ms: u64,
    pub path: String,
    pub told: Told,
    /// Whether the connection is kept after it.
    pub keeps: bool,
}

/// What a port speaks that is not what the URL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaks {
    Tls,
    /// Without TLS; these are its first bytes.
    Plain(Vec<u8>),
}

/// What was seen around a receiver.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub target: Target,
    /// When the visit began, in milliseconds since the epoch.
    pub at_ms: u64,
    pub place: Option<Place>,
    /// The handshake of an `https` URL.
    pub tls: Option<Result<Shown, Outcome>>,
    pub speaks: Option<Speaks>,
    pub sent: Vec<Sent>,
    /// The length of the longest sample of Twenty's events.
    pub usual_size: usize,
    pub cut: Option<Cut>,
}

/// What a visit needs.
#[derive(Debug)]
pub struct Plan {
    pub target: Target,
    pub secret: Secret,
    pub dialect: &'static Dialect,
    /// Whether other dialects are tried if a delivery of this one is not accepted.
    pub is_auto: bool,
    /// The longest wait for an answer.
    pub timeout: Duration,
    pub max_time: MaxTime,
    pub clock: Clock,
    pub seed: u64,
}

impl Surroundings {
    /// Nothing was seen yet.
    pub fn of(plan: &Plan) -> Self {
        let samples = dialect::ALL.iter().flat_map(|dialect| {
            let maker = plan.maker(dialect);
            dialect.samples().into_iter().map(move |event| maker.render(&event).len()).collect::<Vec<_>>()
        });
        Self {
            target: plan.target.clone(),
            at_ms: plan.clock.now_ms(),
            place: None,
            tls: None,
            speaks: None,
            sent: Vec::new(),
            usual_size: samples.max().unwrap_or_default(),
            cut: None,
        }
    }

    /// The answer to the first request of this kind.
    pub(super) fn sent(&self, asked: Asked) -> Option<&Sent> {
        self.sent.iter().find(|sent| sent.asked == asked)
    }

    /// The valid delivery that was accepted, or else the first.
    pub(super) fn valid(&self) -> Option<&Sent> {
        let mut valid = self.sent.iter().filter(|sent| matches!(sent.asked, Asked::Valid(_)));
        valid.clone().find(|sent| sent.told.outcome.acknowledges()).or_else(|| valid.next())
    }

    /// Whether a plain valid delivery was accepted.
    pub(super) fn accepts(&self) -> bool {
        self.valid().is_some_and(|sent| sent.told.outcome.acknowledges())
    }

    pub(super) fn is_secure(&self) -> bool {
        matches!(self.target.scheme, Scheme::Https(_))
    }
}

impl Plan {
    fn maker(&self, dialect: &'static Dialect) -> Maker {
        let place = (self.target.url(), self.target.path.clone());
        Maker::new(dialect, self.secret.clone(), self.clock.clone(), Random::from_seed(self.seed), place)
    }
}

/// Visits a receiver and adds what is seen to `seen`.
pub async fn visit(plan: &Plan, seen: &mut Surroundings) {
    if reach(plan, seen).await && !plan.is_over(seen) {
        let looker = Looker::new(plan.target.clone(), plan.timeout);
        let mut visitor = Visitor { plan, looker, maker: plan.maker(plan.dialect), seen };
        visitor.deliver().await;
    }
}

impl Plan {
    /// Whether the time is used up, which is noted then.
    fn is_over(&self, seen: &mut Surroundings) -> bool {
        if self.max_time.is_over() {
            seen.cut = Some(Cut::Time);
        }
        self.max_time.is_over()
    }

    fn look_wait(&self) -> Duration {
        LOOK_WAIT.min(self.timeout).min(self.max_time.left())
    }
}

/// Looks at the address. Returns whether requests can be sent to it.
pub(super) async fn reach(plan: &Plan, seen: &mut Surroundings) -> bool {
    let place = look::place(&plan.target, plan.look_wait()).await;
    let accepts = place.addresses.iter().any(|address| matches!(address.accepts, Accepts::Yes(_)));
    seen.place = Some(place);
    if !accepts || !seen.is_secure() {
        return accepts;
    }
    if plan.is_over(seen) {
        return false;
    }
    let shown = look::secured(&plan.target, plan.look_wait()).await;
    let is_fine = shown.as_ref().is_ok_and(|shown| shown.rejected.is_none());
    if shown.is_err() && !plan.is_over(seen) {
        let begin = look::unsecured(&plan.target, plan.look_wait()).await;
        if begin.starts_with(b"HTTP/") {
            seen.speaks = Some(Speaks::Plain(begin));
        }
    }
    seen.tls = Some(shown);
    is_fine
}

struct Visitor<'a> {
    plan: &'a Plan,
    looker: Looker,
    maker: Maker,
    seen: &'a mut Surroundings,
}

impl Visitor<'_> {
    async fn deliver(&mut self) {
        let valid = self.maker.deliver(&self.maker.plain());
        let Some(outcome) = self.send(Asked::Valid(self.plan.dialect.name), valid).await else { return };
        let Outcome::Answered(answer) = &outcome else {
            return self.look_for_tls().await;
        };
        if answer.status == 400 && !self.seen.is_secure() {
            self.look_for_tls().await;
            if self.seen.speaks.is_some() {
                return;
            }
        }
        if !outcome.acknowledges() {
            let obstacle = of_obstacle(answer);
            if answer.limits_rate() {
                return;
            }
            if obstacle.is_none() && self.plan.is_auto && self.try_other_dialects().await.is_none() {
                return;
            }
            if !self.seen.accepts() {
                if self.compare(obstacle.is_some()).await.is_none() {
                    return;
                }
                // What answers everything alike shows nothing about the receiver.
                if obstacle.is_some() {
                    return;
                }
            }
        }
        // Ends early if the time is over.
        let _ = self.try_forms().await;
    }

    /// Sends valid deliveries of the other dialects until one is accepted.
    async fn try_other_dialects(&mut self) -> Option<()> {
        for other in dialect::ALL.into_iter().filter(|one| one.name != self.maker.dialect.name) {
            let maker = self.plan.maker(other);
            self.looker.close();
            let valid = maker.deliver(&maker.plain());
            if self.send(Asked::Valid(other.name), valid).await?.acknowledges() {
                self.maker = maker;
                break;
            }
        }
        Some(())
    }

    /// Sends what no receiver accepts, to see whether it is answered in the same way.
    async fn compare(&mut self, is_obstacle: bool) -> Option<()> {
        let mut forged = self.maker.deliver(&self.maker.plain());
        let other = Secret::new(self.maker.random.secret());
        let timestamp = forged.headers.single(TIMESTAMP_HEADER).cloned().unwrap_or_default();
        let value = self.maker.signature_under(&other, &timestamp, &forged.body);
        forged.headers.set(SIGNATURE_HEADER, value.unwrap_or_default());
        self.send(Asked::Forged, forged).await?;
        let mut unsigned = self.maker.deliver(&self.maker.plain());
        for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
            unsigned.headers.remove(name);
        }
        self.send(Asked::Unsigned, unsigned).await?;
        if is_obstacle {
            let mut nowhere = self.maker.deliver(&self.maker.plain());
            NOWHERE.clone_into(&mut nowhere.target);
            self.send(Asked::Nowhere, nowhere).await?;
        }
        Some(())
    }

    /// Sends deliveries in other forms. `None`: the time is over.
    async fn try_forms(&mut self) -> Option<()> {
        let usual = self.seen.valid().and_then(|sent| sent.told.outcome.status());
        // This goes over the connection of the last one.
        self.send(Asked::Again, self.maker.deliver(&self.maker.plain())).await?;
        let body = self.maker.render(&with_raw_member(&self.maker.plain(), BEYOND_ASCII));
        self.send(Asked::Text, self.maker.sign(body)).await?;
        let mut chunked = self.maker.deliver(&self.maker.plain());
        chunked.transfer = Transfer::Chunks(vec![CHUNK; chunked.body.len() / CHUNK]);
        self.send(Asked::Chunked, chunked).await?;
        let mut expecting = self.maker.deliver(&self.maker.plain());
        expecting.transfer = Transfer::Expecting;
        self.send(Asked::Expecting, expecting).await?;
        for size in SIZES {
            let body: Bytes = self.maker.padded(size);
            self.looker.close();
            let outcome = self.send(Asked::Sized(size), self.maker.sign(body)).await?;
            if outcome.status() != usual {
                break;
            }
        }
        Some(())
    }

    /// Whether the port of an `http` URL speaks TLS.
    async fn look_for_tls(&mut self) {
        if self.seen.is_secure() || self.plan.is_over(self.seen) {
            return;
        }
        if look::secured(&self.plan.target, self.plan.look_wait()).await.is_ok() {
            self.seen.speaks = Some(Speaks::Tls);
        }
    }

    /// Sends a request and records its outcome. `None`: the time is over, so nothing was sent.
    async fn send(&mut self, asked: Asked, delivery: Delivery) -> Option<Outcome> {
        if self.plan.is_over(self.seen) || self.seen.sent.len() >= MOST_REQUESTS {
            return None;
        }
        self.looker.wait(self.plan.timeout.min(self.plan.max_time.left()));
        let (at_ms, path) = (self.plan.clock.now_ms(), delivery.target.clone());
        let told = self.looker.send(&delivery).await;
        let outcome = told.outcome.clone();
        if outcome == Outcome::TimedOut && self.plan.is_over(self.seen) {
            return None;
        }
        self.seen.sent.push(Sent { asked, at_ms, path, told, keeps: self.looker.keeps() });
        Some(outcome)
    }
}
