//! Whether valid deliveries in other forms end like the plain one: text beyond ASCII, chunks, `Expect`, a kept connection.
//!
//! Invariant: what rejects the plain delivery shows nothing about another form, unless the answers differ.

use std::time::Duration;

use super::messages;
use super::visit::{Asked, Sent, Surroundings};
use super::{Row, State, Topic};
use crate::wire::exchange::Outcome;

/// How long the client waits for `100 Continue` before it sends the body.
const CONTINUE_WAIT: Duration = Duration::from_secs(1);

pub(super) fn rows(seen: &Surroundings) -> Vec<Row> {
    let rows = [text(seen), chunks(seen), expect(seen), kept(seen), version(seen)];
    rows.into_iter().flatten().collect()
}

/// Whether a form ended like the plain delivery.
fn same(seen: &Surroundings, sent: &Sent) -> bool {
    seen.valid().is_some_and(|valid| valid.told.outcome.status() == sent.told.outcome.status())
        && sent.told.outcome.status().is_some()
}

/// The row about a form: fine, rejected although the plain delivery was not, or unknown.
fn form(seen: &Surroundings, asked: Asked, topic: Topic, fine: &str, what: &str, fix: String) -> Option<Row> {
    let sent = seen.sent(asked)?;
    Some(match (same(seen, sent), seen.accepts()) {
        (true, true) => Row::new(topic, State::Ok, fine),
        (true, false) => Row::new(topic, State::NotKnown, messages::plain_rejected_too(what)),
        (false, _) => {
            let plain = seen.valid().map(|valid| &valid.told.outcome);
            let told = messages::differs(what, &sent.told.outcome, plain);
            Row::new(topic, State::Warning, told).fixed_by(fix)
        }
    })
}

fn text(seen: &Surroundings) -> Option<Row> {
    let (fine, what) = (messages::text_arrives(), messages::text_delivery());
    form(seen, Asked::Text, Topic::Text, fine, what, messages::measure_text())
}

fn chunks(seen: &Surroundings) -> Option<Row> {
    let (fine, what) = (messages::chunks_arrive(), messages::chunked_delivery());
    form(seen, Asked::Chunked, Topic::Chunks, fine, what, messages::allow_chunks())
}

fn expect(seen: &Surroundings) -> Option<Row> {
    let sent = seen.sent(Asked::Expecting)?;
    if !same(seen, sent) {
        let (fine, what) = ("", messages::expecting_delivery());
        return form(seen, Asked::Expecting, Topic::Expect, fine, what, messages::answer_expect());
    }
    Some(match sent.told.continued {
        true => Row::new(Topic::Expect, State::Ok, messages::continued()),
        false if sent.told.took >= CONTINUE_WAIT => {
            Row::new(Topic::Expect, State::Warning, messages::never_continued(sent.told.took))
                .fixed_by(messages::answer_expect())
        }
        false => Row::new(Topic::Expect, State::Ok, messages::answered_before_body()),
    })
}

fn kept(seen: &Surroundings) -> Option<Row> {
    let again = seen.sent(Asked::Again)?;
    let closes = seen.valid().is_some_and(|valid| !valid.keeps);
    Some(match (again.told.again, &again.told.outcome) {
        (true, Outcome::Answered(_)) => Row::new(Topic::KeepAlive, State::Ok, messages::kept()),
        (true, outcome) => Row::new(Topic::KeepAlive, State::Warning, messages::kept_and_closed(outcome))
            .fixed_by(messages::say_close()),
        (false, _) if closes => Row::new(Topic::KeepAlive, State::Ok, messages::closes_each()),
        (false, _) => Row::new(Topic::KeepAlive, State::Warning, messages::closed_at_once())
            .fixed_by(messages::say_close()),
    })
}

fn version(seen: &Surroundings) -> Option<Row> {
    let mut versions = seen.sent.iter().filter_map(|sent| sent.told.minor);
    let first = versions.next()?;
    Some(match (first, versions.all(|other| other == first)) {
        (1, true) => Row::new(Topic::Version, State::Ok, messages::version(1)),
        (other, true) => Row::new(Topic::Version, State::Warning, messages::version(other))
            .fixed_by(messages::use_http_11()),
        (_, false) => Row::new(Topic::Version, State::Warning, messages::versions_differ())
            .fixed_by(messages::use_http_11()),
    })
}
