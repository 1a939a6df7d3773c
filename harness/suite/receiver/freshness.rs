//! VER-11: what is old or from the future is rejected, what is up to a minute off accepted.

use bytes::Bytes;
use futures_util::FutureExt as _;
use proptest::prelude::any;

use super::case::Case;
use super::judge::{accepts, rejects};
use super::property::Property;
use super::stage::ReceiverStage;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::subject::SubjectError;
use crate::suite::cause::{Cause, Code};
use crate::suite::judge::of_all;
use crate::suite::requirement::{Binds, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Age, Respect, Transcript, Trial};

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_11];

pub(crate) const VER_11: Requirement = Requirement {
    id: "VER-11",
    title: "freshness",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/verification/freshness",
    text: "A correctly signed delivery that is one day old, one day ahead, or in seconds is \
          rejected; one that is up to 60 s off is accepted.",
    source: "S",
    why: "A delivery that was recorded once can be sent again for ever, unless its time is looked at.",
    scenarios: &[&STALE, &RECENT, &WINDOW],
    needs: None,
    check: freshness,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::NoWindow,
        ReceiverFault::WindowOnPastOnly,
        ReceiverFault::AcceptsSeconds,
        ReceiverFault::ReadsSeconds,
        ReceiverFault::WindowTooSmall,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What is sent for VER-11, to be rejected.
pub(super) const STALE: Scenario = Scenario::cases(
    "stale",
    "deliveries correctly signed for a day ago, for tomorrow, and in seconds",
    |_| stale(),
    &[stale_or_ahead],
);

/// Another time: in which respect it is, how it is called, and how it is made of the present one.
type Time = (Respect, &'static str, fn(u64) -> u64);

fn stale() -> Vec<Case> {
    let times: [Time; 3] = [
        (Respect::Stale(Age::Day), "for a day ago", |now_ms| now_ms.saturating_sub(DAY_MS)),
        (Respect::Future, "for tomorrow", |now_ms| now_ms + DAY_MS),
        (Respect::Stale(Age::Seconds), "in seconds", |now_ms| now_ms / 1000),
    ];
    let case = |(respect, what, time): Time| {
        Case::forged(format!("a delivery correctly signed {what}"), respect, move |maker, delivery, _| {
            maker.date(delivery, time(maker.clock.now_ms()).to_string().as_bytes());
            Some(())
        })
    };
    times.into_iter().map(case).collect()
}

/// VER-11: a day off or more, up to forty years, in both directions.
fn stale_or_ahead() -> Property {
    Property::of("old and future deliveries", (any::<bool>(), DAY_MS..40 * 365 * DAY_MS), |&(ahead, ms)| {
        let respect = if ahead { Respect::Future } else { Respect::Stale(Age::Day) };
        let days = ms / DAY_MS;
        let what = if ahead { format!("{days} days ahead") } else { format!("{days} days ago") };
        Case::forged(format!("a delivery correctly signed for {what}"), respect, move |maker, delivery, _| {
            let now_ms = maker.clock.now_ms();
            let sent_ms = if ahead { now_ms + ms } else { now_ms.saturating_sub(ms) };
            maker.date(delivery, sent_ms.to_string().as_bytes());
            Some(())
        })
    })
}

/// What is sent for VER-11, to be accepted.
const RECENT: Scenario = Scenario::cases(
    "recent",
    "deliveries correctly signed for up to a minute ago or ahead",
    |_| MINUTES.iter().map(recent).collect(),
    &[up_to_a_minute_off],
);

const MINUTES: &[(&str, i64)] =
    &[("a minute ago", -59_000), ("a minute ahead", 59_000), ("ten seconds ago", -10_000)];

fn recent(&(what, offset_ms): &(&'static str, i64)) -> Case {
    Case::valid(format!("a valid delivery signed for {what}"), Respect::Form(what), move |maker| {
        let sent_ms = maker.clock.now_ms().saturating_add_signed(offset_ms);
        Some(maker.sign_at(maker.render(&maker.plain()), sent_ms))
    })
}

/// VER-11: up to a minute off.
fn up_to_a_minute_off() -> Property {
    Property::of("deliveries up to a minute off", -59_000..=59_000_i64, |&offset_ms| {
        let what = format!("a valid delivery signed for {offset_ms} ms from now");
        Case::valid(what, Respect::Form("up to a minute off"), move |maker| {
            let sent_ms = maker.clock.now_ms().saturating_add_signed(offset_ms);
            Some(maker.sign_at(maker.render(&maker.plain()), sent_ms))
        })
    })
}

/// What is sent to tell how large the window is.
const WINDOW: Scenario =
    Scenario::receiver("window", "deliveries of several ages, to find how old one may be", |stage| {
        stage.window().boxed_local()
    });

/// How far the bounds of the window are sought.
const LONGEST_MS: u64 = 40 * 365 * 24 * 60 * 60 * 1000;

impl ReceiverStage<'_> {
    /// Finds out how old a delivery may be, and how far ahead, to within a tenth.
    async fn window(&mut self) -> Result<(), SubjectError> {
        let plain = self.send(self.maker.deliver(&self.maker.plain())).await?;
        if !self.transcript.acknowledged(plain) {
            return Ok(());
        }
        let mut bounds = Vec::new();
        for ahead in [false, true] {
            let Some(any) = self.takes_age(LONGEST_MS, ahead).await? else { return Ok(()) };
            let bound = if any {
                None
            } else {
                let (mut taken, mut refused) = (0, LONGEST_MS);
                while refused - taken > 1000 && refused - taken > taken / 10 {
                    // By the square root where the bounds are orders of magnitude apart.
                    let middle = if refused / 100 > taken {
                        (taken.max(1000) * refused).isqrt()
                    } else {
                        u64::midpoint(taken, refused)
                    };
                    match self.takes_age(middle, ahead).await? {
                        Some(true) => taken = middle,
                        Some(false) => refused = middle,
                        None => return Ok(()),
                    }
                }
                Some(taken)
            };
            bounds.push(match bound {
                None => "of any age".to_owned(),
                Some(ms) => format!("up to about {}", human(ms)),
            });
        }
        self.transcript.remarks.push(format!(
            "the receiver takes deliveries that are {} old, and {} ahead",
            bounds[0], bounds[1]
        ));
        Ok(())
    }

    async fn takes_age(&mut self, age_ms: u64, ahead: bool) -> Result<Option<bool>, SubjectError> {
        let now_ms = self.maker.clock.now_ms();
        let sent_ms = if ahead { now_ms + age_ms } else { now_ms.saturating_sub(age_ms) };
        let body: Bytes = self.maker.render(&self.maker.plain());
        let id = self.send_forgery(self.maker.sign_at(body, sent_ms)).await?;
        let outcome = self.transcript.outcome(id);
        // Who hangs on what is old would take its time over each.
        Ok(outcome.status().map(|_| outcome.acknowledges()))
    }
}

fn human(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        7200..=172_799 => format!("{} h", seconds.div_ceil(3600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

fn freshness(_: &Requirement, t: &Transcript) -> Verdict {
    let too_small = |_: &Trial| Some(Cause::detailed(Code::AnswerStatus, "a window of less than a minute"));
    let both = [rejects(&[&STALE], t), accepts(&[&RECENT], t, too_small)];
    of_all(both.into_iter(), "nothing was tried", "directions")
}
