//! RCV-1 and RCV-2: valid deliveries of every kind of event are accepted.

use futures_util::FutureExt as _;
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::sample::select;
use serde_json::json;

use super::case::Case;
use super::diagnosis::DIAGNOSIS;
use super::judge::accepts;
use super::maker::{PLAIN_EVENT, with_member};
use super::property::Property;
use super::stage::ReceiverStage;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::subject::SubjectError;
use crate::suite::cause::receiver::{of_refusal, of_reserialising, of_text_encoding};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Binds, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Transcript};
use crate::webhook::dialect::Dialect;
use crate::webhook::event::{Event, EventName};

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[RCV_1, RCV_2];

const RCV_1: Requirement = Requirement {
    id: "RCV-1",
    title: "accepts valid deliveries",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/reception/genuine",
    text: "A valid delivery is answered 2xx: created, updated and deleted of every standard \
          object, with text in any script.",
    source: "D",
    why: "A receiver that rejects valid deliveries loses every event, because Twenty never sends them again. 15 of 57 \
          public receivers reject every delivery; most of them hash different bytes from the ones that were signed.",
    scenarios: &[&VALID, &DIAGNOSIS],
    needs: None,
    check: accepts_samples,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::RejectsEverything,
        ReceiverFault::RoutesElsewhere,
        ReceiverFault::RoutesOtherMethods,
        ReceiverFault::RedirectsEverything,
        ReceiverFault::AsksForLogin,
        ReceiverFault::GuardsAgainstForms,
        ReceiverFault::FailsAtGateway,
        ReceiverFault::ThrowsOnEverything,
        ReceiverFault::MissesHeaders,
        ReceiverFault::ClockAhead,
        ReceiverFault::ClockBack,
        ReceiverFault::OnlyTheFuture,
        ReceiverFault::RejectsDeletions,
        ReceiverFault::VerifiesBodyAlone,
        ReceiverFault::VerifiesWithDot,
        ReceiverFault::VerifiesTwiceStringified,
        ReceiverFault::VerifiesHexDecodedKey,
        ReceiverFault::VerifiesSha1,
        ReceiverFault::VerifiesSeconds,
        ReceiverFault::VerifiesHexKeyBodyAlone,
        ReceiverFault::VerifiesKeyWithNewline,
        ReceiverFault::VerifiesQuotedKey,
        ReceiverFault::VerifiesTextAsAscii,
        ReceiverFault::VerifiesEscapedText,
        ReceiverFault::VerifiesQuotedKeyBodyAlone,
        ReceiverFault::VerifiesConsumedBody,
        ReceiverFault::VerifiesBase64Body,
        ReceiverFault::VerifiesBytesLiteral,
        ReceiverFault::VerifiesDefaultSecret,
        ReceiverFault::RejectsDocumented,
        ReceiverFault::RejectsShipped,
        ReceiverFault::RequiresShaPrefix,
        ReceiverFault::ExpectsUppercase,
        ReceiverFault::ReadsSeconds,
        ReceiverFault::ReadsOtherHeader,
        ReceiverFault::HashesAsPython,
        ReceiverFault::HashesAsPythonCompact,
        ReceiverFault::HashesAsGo,
        ReceiverFault::HashesAsPhp,
        ReceiverFault::HashesSorted,
        ReceiverFault::HashesPretty,
    ]),
};

/// What is sent for RCV-1, RCV-7 and RCV-12.
pub(super) const VALID: Scenario =
    Scenario::receiver("valid", "valid deliveries of every sample event of the dialect", |stage| {
        stage.send_samples().boxed_local()
    });

impl ReceiverStage<'_> {
    async fn send_samples(&mut self) -> Result<(), SubjectError> {
        let standard = |event: &Event| {
            ["created", "updated", "deleted"].contains(&event.name.action())
                && ["person", "company", "note", "task", "opportunity"].contains(&event.name.object())
        };
        let events: Vec<Event> = self.transcript.dialect.samples().into_iter().filter(standard).collect();
        // The plain event first: if it is rejected, the report begins with the simplest case.
        let (plain, others): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| event.name.as_str() == PLAIN_EVENT);
        for event in plain.into_iter().chain(others) {
            let id = self.send(self.maker.deliver(&event.with_id(&self.maker.random.uuid()))).await?;
            let what = format!("a valid delivery of {}", event.name);
            self.record_single(VALID.name, what, Respect::Valid, id);
            self.find_obstacle(id).await?;
        }
        Ok(())
    }
}

fn accepts_samples(_: &Requirement, t: &Transcript) -> Verdict {
    match accepts(&[&VALID], t, |trial| {
        of_text_encoding(t, trial).or_else(|| of_reserialising(t)).or_else(|| of_refusal(t))
    }) {
        Verdict::Fail(mut evidence) if evidence.cause.is_none() => {
            // If some are accepted, the signature is right, and the event is the reason for a rejection.
            let any_accepted = t.trials_of(VALID.name).any(|trial| t.acknowledged(trial.exchange));
            evidence.cause = any_accepted.then(|| Cause::new(Code::RefusesUnknownEvent));
            Verdict::Fail(evidence)
        }
        verdict => verdict,
    }
}

const RCV_2: Requirement = Requirement {
    id: "RCV-2",
    title: "accepts unknown events",
    binds: Binds::Receiver,
    level: Level::Should,
    check_id: "receiver/reception/unfamiliar",
    text: "So is a valid delivery of an event or object that the receiver does not know \
          (metadata events among them in dialect `shipped`), and one with unknown members.",
    source: "D (\"other events\")",
    why: "A webhook without a filter gets every kind of event, including those of custom objects and of later versions \
          of Twenty.",
    scenarios: &[&UNFAMILIAR],
    needs: None,
    check: |r, t| {
        accepts(r.scenarios, t, |trial| {
            let misread = of_text_encoding(t, trial).or_else(|| of_reserialising(t));
            misread.or_else(|| Some(Cause::new(Code::RefusesUnknownEvent)))
        })
    },
    counterexamples: Faults::Receiver(&[
        ReceiverFault::RejectsDeletions,
        ReceiverFault::RejectsUnknownEvents,
        ReceiverFault::RejectsUnknownMembers,
        ReceiverFault::VerifiesTextAsAscii,
        ReceiverFault::VerifiesEscapedText,
        ReceiverFault::HashesAsPythonCompact,
        ReceiverFault::HashesAsPhp,
    ]),
};

/// What is sent for RCV-2.
const UNFAMILIAR: Scenario = Scenario::cases(
    "unfamiliar",
    "valid deliveries of an unknown event, of an unknown object, and with unknown members",
    |maker| unfamiliar(maker.dialect),
    &[event_names],
);

fn unfamiliar(dialect: &'static Dialect) -> Vec<Case> {
    let mut cases = vec![
        named("a valid delivery of an unknown event (person.merged)", "person.merged"),
        named("a valid delivery of an unknown object (starship.created)", "starship.created"),
        Case::valid("a valid delivery whose record has an unknown member", Respect::Valid, |maker| {
            let event = maker.plain().edit(|record| {
                record["memberOfALaterVersion"] = json!({ "nested": [1, null, "text"] });
            });
            Some(maker.deliver(&event))
        }),
    ];
    let special = dialect.samples().into_iter().filter(|event| {
        event.name.is_metadata()
            || event.name.object() == "rocket"
            || !["created", "updated", "deleted"].contains(&event.name.action())
    });
    cases.extend(special.map(|event| {
        Case::valid(format!("a valid delivery of {}", event.name), Respect::Valid, move |maker| {
            Some(maker.deliver(&event.with_id(&maker.random.uuid())))
        })
    }));
    let what = "a valid delivery whose body has an unknown member";
    cases.push(Case::valid(what, Respect::Valid, |maker| {
        let body = maker.render(&maker.plain());
        Some(maker.sign(with_member(&body, "memberOfALaterVersion", &json!("text"))))
    }));
    cases
}

fn named(what: &str, name: &'static str) -> Case {
    Case::valid(what, Respect::Valid, move |maker| {
        Some(maker.deliver(&Event { name: EventName::new(name), ..maker.plain() }))
    })
}

/// RCV-2: events of any object and action.
fn event_names() -> Property {
    let word = || {
        let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
        (select(('a'..='z').collect::<Vec<_>>()), vec(select(letters), 0..24))
            .prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect::<String>())
    };
    Property::of("events of any name", (word(), word()), |(object, action)| {
        let name = format!("{object}.{action}");
        Case::valid(format!("a valid delivery of {name}"), Respect::Valid, move |maker| {
            Some(maker.deliver(&Event { name: EventName::new(name.clone()), ..maker.plain() }))
        })
    })
}
