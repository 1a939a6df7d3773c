//! Shows deliveries as they are judged, remembers the last one for the keys, and notices when what is waited for has come.

use std::sync::Arc;
use std::time::Instant;

use super::ends::{Until, Wanted};
use super::messages as words;
use super::printer::Printer;
use crate::cli::console::Console;
use crate::cli::messages;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::report::watched::DeliveryEntry;
use crate::report::watched::details::details;
use crate::report::watched::keeping::Verdicts;
use crate::report::watched::kinds::Kinds;
use crate::report::watched::seen::Seen;
use crate::report::watched::show::Show;
use crate::report::watched::wanted::are_met;
use crate::suite::requirement::Level;
use crate::suite::traffic::listening::{Judge, Notices, Storage, Watched, Wish};
use crate::terminal::clean;
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::FRESH_MS;
use crate::wire::client::forwarding::{Forwarded, Forwarding};
use crate::wire::exchange::Exchange;

pub(super) struct Watching<'a> {
    pub(super) console: &'a mut Console,
    pub(super) show: Show,
    pub(super) until: Until,
    pub(super) wanted: &'a [Wanted],
    pub(super) fail_on: Level,
    pub(super) dialect: &'static Dialect,
    pub(super) out: Printer,
    pub(super) err: Printer,
    pub(super) verdicts: Option<Verdicts>,
    pub(super) kinds: Kinds,
    pub(super) forwarding: Option<Arc<Forwarding>>,
    pub(super) notices: Notices,
    /// The status of the delivery that was waited for, if it came.
    pub(super) matched: Option<ExitStatus>,
    pub(super) told: Told,
    pub(super) last: Option<Last>,
}

/// What has been said, which is said once.
#[derive(Default)]
pub(super) struct Told {
    not_saved: bool,
    not_forwarded: bool,
}

/// The last delivery.
pub(super) struct Last {
    exchange: Box<Exchange>,
    storage: Storage,
    forwarded: Option<Forwarded>,
    judged: DeliveryEntry,
}

impl Last {
    fn seen(&self) -> Seen<'_> {
        let Self { exchange, storage, forwarded, judged } = self;
        Seen { exchange, storage, forwarded: forwarded.as_ref(), judged }
    }
}

impl Watching<'_> {
    /// Shows what has arrived. Returns whether what is waited for has come. Errors: it cannot be printed.
    pub(super) async fn show(&mut self, arrived: Vec<Watched>, judge: &Judge) -> Result<bool, Error> {
        let mut text = String::new();
        for one in arrived {
            match one {
                Watched::Delivery { exchange, storage, findings, forwarded } => {
                    let judged = DeliveryEntry::new(
                        self.dialect,
                        &exchange.delivery.body,
                        &findings,
                        &judge.redaction,
                    );
                    let last = Last { exchange, storage, forwarded, judged };
                    text.push_str(&self.delivery(&last, judge).await?);
                    self.last = Some(last);
                }
                Watched::Broken(what, cause) => text.push_str(&self.show.broken(&what, cause.as_ref())),
                Watched::Scrap(what) => text.push_str(&self.show.scrap(&what)),
                Watched::Stray(method, target) => text.push_str(&self.show.stray(&method, &target)),
                Watched::Loop => {
                    let to = self.forwarding.as_ref().map(|one| one.url()).unwrap_or_default();
                    self.console.note(&messages::forwards_in_a_loop(&to));
                }
                Watched::Asked(wish) => {
                    let answer = self.answer(wish, judge);
                    self.err.offer(answer);
                }
                Watched::SentAgain(number, forwarded, took) => {
                    let outcome = judge.redaction.text(&forwarded.describe());
                    let said = words::sent_again(number.0, &outcome, took);
                    self.err.offer(format!("{}\n", clean(&said)));
                }
            }
        }
        self.verdicts.iter_mut().for_each(Verdicts::flush);
        match self.until {
            // The one line on stdout is that of the delivery which is waited for.
            Until::Match => self.err.offer(text),
            _ => self.out.print(text).await?,
        }
        Ok(self.has_come())
    }

    /// Whether what is waited for has come. Deliveries are counted elsewhere.
    pub(super) fn has_come(&self) -> bool {
        match self.until {
            Until::Asked | Until::Count(_) => false,
            Until::Match => self.matched.is_some(),
            Until::Covered => self.kinds.are_covered(),
        }
    }

    /// Notes a delivery, and returns its line.
    async fn delivery(&mut self, last: &Last, judge: &Judge) -> Result<String, Error> {
        let seen = last.seen();
        if let Storage::Failed(why) = seen.storage
            && !std::mem::replace(&mut self.told.not_saved, true)
        {
            self.console.note(&messages::not_saved(why));
        }
        if let (Some(forwarded), Some(forwarding)) = (seen.forwarded, &self.forwarding)
            && !forwarded.is_taken()
            && !std::mem::replace(&mut self.told.not_forwarded, true)
        {
            let why = judge.redaction.text(&forwarded.describe());
            self.console.note(&words::not_forwarded(&forwarding.url(), forwarded, &why));
        }
        self.kinds.add(seen.judged);
        let conditions = self.wanted.iter().flat_map(|one| &one.conditions).cloned().collect::<Vec<_>>();
        if self.until == Until::Match
            && self.matched.is_none()
            && are_met(&conditions, seen.judged, seen.exchange)
        {
            self.matched = Some(seen.exit(self.fail_on));
            let line = self.show.awaited(&seen, self.fail_on, &judge.redaction);
            self.out.print(line).await?;
        }
        if let (Some(verdicts), Storage::Stored) = (&mut self.verdicts, seen.storage) {
            verdicts.keep(seen.exchange.id.0, seen.judged);
        }
        Ok(self.show.delivery(&seen, &judge.redaction))
    }

    /// Does what was asked at the terminal, and returns what to say now.
    fn answer(&self, wish: Wish, judge: &Judge) -> String {
        let Some(last) = &self.last else { return format!("{}\n", words::no_delivery_yet()) };
        match (wish, &self.forwarding) {
            (Wish::Details, _) => details(&last.seen(), &judge.redaction),
            (Wish::SendAgain, None) => format!("{}\n", words::nowhere_to_send()),
            (Wish::SendAgain, Some(forwarding)) => {
                let (forwarding, notices) = (forwarding.clone(), self.notices.clone());
                let (number, delivery) = (last.exchange.id, last.exchange.delivery.clone());
                tokio::spawn(async move {
                    let began = Instant::now();
                    let (_, forwarded) = forwarding.pass(&delivery).await;
                    notices.show(Watched::SentAgain(number, forwarded, began.elapsed())).await;
                });
                let age = Clock::system().now_ms().saturating_sub(last.exchange.at_ms);
                if age > FRESH_MS { format!("{}\n", words::sends_old(number.0, age)) } else { String::new() }
            }
        }
    }
}
