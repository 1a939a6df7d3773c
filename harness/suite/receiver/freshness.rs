//! VER-11: an old or future delivery is rejected; one that is up to a minute off is accepted.

use bytes::Bytes;
use futures_util::FutureExt as _;
use proptest::prelude::any;

use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::judge::{accepts, rejects};
use super::messages;
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
    source: "S (\"to prevent replay\")",
    why: "Without a check of the timestamp, a recorded delivery can be sent again at any time.",
    scenarios: &[&STALE, &RECENT, &WINDOW],
    needs: None,
    check: freshness,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::NoWindow,
        ReceiverFault::WindowOnPastOnly,
        ReceiverFault::OnlyTheFuture,
        ReceiverFault::AcceptsSeconds,
        ReceiverFault::ReadsSeconds,
        ReceiverFault::WindowTooSmall,
        ReceiverFault::WindowOnAgeOnly,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What is sent for VER-11 and should be rejected.
pub(super) const STALE: Scenario = Scenario::cases(
    "stale",
    "correctly signed deliveries that are one day old, one day ahead, and in seconds",
    |_| stale(),
    &[stale_or_ahead],
);

/// Another time: its respect, the end of "a correctly signed delivery ...", the name of its probe, and the steps that make it.
type Time = (Respect, &'static str, &'static str, &'static [Step]);

const TIMES: &[Time] = &[
    (Respect::Stale(Age::Day), "that is one day old", "stale", &[Step::StampLater(-DAY_MS), Step::Sign]),
    (Respect::Future, "that is one day ahead", "future", &[Step::StampLater(DAY_MS), Step::Sign]),
    (
        Respect::Stale(Age::Seconds),
        "whose timestamp is in seconds",
        "seconds",
        &[Step::StampSeconds, Step::Sign],
    ),
];

fn stale() -> Vec<Case> {
    let case = |&(respect, what, name, steps): &Time| {
        Case::forged(format!("a correctly signed delivery {what}"), respect, Forgery::new(name, steps))
    };
    TIMES.iter().map(case).collect()
}

/// VER-11: one day to forty years off, in both directions.
fn stale_or_ahead() -> Property {
    const DAY: u64 = DAY_MS.unsigned_abs();
    Property::of("old and future deliveries", (any::<bool>(), DAY..40 * 365 * DAY), |&(ahead, ms)| {
        let respect = if ahead { Respect::Future } else { Respect::Stale(Age::Day) };
        let days = ms / DAY;
        let what = if ahead { format!("{days} days ahead") } else { format!("{days} days old") };
        Case::forged_by(
            LeftOut::Generated,
            format!("a correctly signed delivery that is {what}"),
            respect,
            move |maker, delivery, _| {
                let now_ms = maker.clock.now_ms();
                let sent_ms = if ahead { now_ms + ms } else { now_ms.saturating_sub(ms) };
                maker.date(delivery, maker.manner.stamp(sent_ms).as_bytes());
                Some(())
            },
        )
    })
}

/// What is sent for VER-11 and should be accepted.
const RECENT: Scenario = Scenario::cases(
    "recent",
    "correctly signed deliveries that are up to a minute old or ahead",
    |_| MINUTES.iter().map(recent).collect(),
    &[up_to_a_minute_off],
);

const MINUTES: &[(&str, i64)] = &[("59 s old", -59_000), ("59 s ahead", 59_000), ("10 s old", -10_000)];

fn recent(&(what, offset_ms): &(&'static str, i64)) -> Case {
    Case::valid(format!("a valid delivery that is {what}"), Respect::Form(what), move |maker| {
        let sent_ms = maker.clock.now_ms().saturating_add_signed(offset_ms);
        Some(maker.sign_at(maker.render(&maker.plain()), sent_ms))
    })
}

/// VER-11: up to a minute off.
fn up_to_a_minute_off() -> Property {
    Property::of("deliveries up to a minute off", -59_000..=59_000_i64, |&offset_ms| {
        let direction = if offset_ms < 0 { "old" } else { "ahead" };
        let what = format!("a valid delivery that is {} ms {direction}", offset_ms.abs());
        Case::valid(what, Respect::Form("up to a minute off"), move |maker| {
            let sent_ms = maker.clock.now_ms().saturating_add_signed(offset_ms);
            Some(maker.sign_at(maker.render(&maker.plain()), sent_ms))
        })
    })
}

/// What is sent to find the size of the window.
const WINDOW: Scenario = Scenario::receiver(
    "window",
    "deliveries of several ages, to find the oldest that is accepted",
    |stage| stage.window().boxed_local(),
);

/// The search for the bounds of the window ends at this age.
const LONGEST_MS: u64 = 40 * 365 * 24 * 60 * 60 * 1000;

impl ReceiverStage<'_> {
    /// Finds how old a delivery may be, and how far ahead, to within a tenth.
    async fn window(&mut self) -> Result<(), SubjectError> {
        let plain = self.send(self.maker.deliver(&self.maker.plain())).await?;
        if !self.transcript.acknowledged(plain) {
            return Ok(());
        }
        let mut bounds = Vec::new();
        for ahead in [false, true] {
            let Some(any_age) = self.accepts_age(LONGEST_MS, ahead).await? else { return Ok(()) };
            bounds.push(if any_age {
                None
            } else {
                let (mut accepted, mut rejected) = (0, LONGEST_MS);
                while rejected - accepted > 1000 && rejected - accepted > accepted / 10 {
                    // The geometric mean while the bounds are orders of magnitude apart.
                    let middle = if rejected / 100 > accepted {
                        accepted.max(1000).isqrt() * rejected.isqrt()
                    } else {
                        u64::midpoint(accepted, rejected)
                    };
                    match self.accepts_age(middle, ahead).await? {
                        Some(true) => accepted = middle,
                        Some(false) => rejected = middle,
                        None => return Ok(()),
                    }
                }
                Some(accepted)
            });
        }
        self.transcript.remarks.push(messages::window(bounds[0], bounds[1]));
        Ok(())
    }

    async fn accepts_age(&mut self, age_ms: u64, ahead: bool) -> Result<Option<bool>, SubjectError> {
        let now_ms = self.maker.clock.now_ms();
        let sent_ms = if ahead { now_ms + age_ms } else { now_ms.saturating_sub(age_ms) };
        let body: Bytes = self.maker.render(&self.maker.plain());
        let id = self.send_forgery(self.maker.sign_at(body, sent_ms)).await?;
        let outcome = self.transcript.outcome(id);
        // `None` ends the search: a receiver that hangs on old deliveries would hang on each.
        Ok(outcome.status().map(|_| outcome.acknowledges()))
    }
}

fn freshness(_: &Requirement, t: &Transcript) -> Verdict {
    // In both directions the window is too small; in one, it is in the wrong place.
    let is_rejected = |trial: &&Trial| !t.acknowledged(trial.exchange);
    let rejected = t.trials_of(RECENT.name).filter(is_rejected).filter_map(|trial| match trial.respect {
        Respect::Form(what) => Some(what),
        _ => None,
    });
    let rejected: Vec<&str> = rejected.collect();
    let is_old = rejected.iter().any(|what| what.ends_with("old"));
    let is_ahead = rejected.iter().any(|what| what.ends_with("ahead"));
    let too_small = |trial: &Trial| match trial.respect {
        Respect::Form(what) if is_old != is_ahead => {
            Some(Cause::detailed(Code::ClockOneSided, messages::rejects_only(what)))
        }
        _ => Some(Cause::detailed(Code::AnswerStatus, messages::small_window())),
    };
    let both = [rejects(&[&STALE], t), accepts(&[&RECENT], t, too_small)];
    of_all(both.into_iter(), messages::nothing_tried(), "checks")
}
