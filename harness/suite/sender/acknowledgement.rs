//! ACK: what a sender makes of an answer, and of none.
//!
//! Invariant: only what was delivered is judged; an answer that no delivery met does not tell.

mod answers;
mod silence;

use super::attempts;
use super::https::and_over_https;
use crate::peers::fault::{Faults, SenderFault};
use crate::suite::requirement::{Binds, Level, Recorded, Requirement};
use crate::suite::sender::scenarios::{
    ACKNOWLEDGED, ANSWER_FORMS, BAD_CERTIFICATES, HTTPS, NOT_ACKNOWLEDGED, UNANSWERED,
};
use crate::suite::transcript::{Capability, Form};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "ACK-1",
        title: "every 2xx acknowledges",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Must,
        check_id: "sender/acknowledgement/2xx",
        text: "Every status from 200 to 299 acknowledges: the delivery is not sent again, and is reported as delivered \
               where outcomes are reported.",
        source: "D",
        why: "Endpoints answer 202 or 204 as often as 200; a sender that waits for 200 alone sends again what was taken.",
        scenarios: &[&ACKNOWLEDGED, &HTTPS],
        needs: None,
        check: |_, t| and_over_https(t, answers::acknowledged(t), answers::acknowledged_over_https),
        counterexamples: Faults::Sender(&[
            SenderFault::ResentAfterAcknowledgement,
            SenderFault::Only200Acknowledges,
            SenderFault::OnlyCommon2xxAcknowledge,
            SenderFault::DeliveredTwice,
        ]),
    },
    Requirement {
        id: "ACK-2",
        title: "nothing else acknowledges",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Must,
        check_id: "sender/acknowledgement/not-2xx",
        text: "A final status outside 200 to 299 does not acknowledge, a redirect included.",
        source: "D",
        why: "A delivery that an error page or a login redirect answered was not taken in by anybody.",
        scenarios: &[&NOT_ACKNOWLEDGED],
        needs: Some(Capability::Outcomes),
        check: |_, t| answers::not_acknowledged(t),
        counterexamples: Faults::Sender(&[
            SenderFault::RedirectAcknowledges,
            SenderFault::RedirectFollowed,
            SenderFault::RedirectFollowedAsGet,
            SenderFault::ErrorsAcknowledge,
            SenderFault::ClientErrorsAcknowledge,
        ]),
    },
    Requirement {
        id: "ACK-3",
        title: "no answer is no acknowledgement",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Must,
        check_id: "sender/acknowledgement/no-answer",
        text: "No answer (refused, reset, closed early, cut off inside the header, timed out) does not acknowledge; the \
               sender goes on with the next delivery.",
        source: "D",
        why: "What nobody answered for was taken in by nobody; and an endpoint that was down for a moment misses \
              everything from then on where the sender gives it up.",
        scenarios: &[&UNANSWERED, &BAD_CERTIFICATES],
        needs: None,
        check: |_, t| and_over_https(t, silence::not_acknowledged(t), silence::bad_certificates),
        counterexamples: Faults::Sender(&[
            SenderFault::ResetAcknowledges,
            SenderFault::ClosingAcknowledges,
            SenderFault::FirstLineAcknowledges,
            SenderFault::RefusalAcknowledges,
            SenderFault::SilenceAcknowledges,
            SenderFault::StopsAfterFailure,
            SenderFault::CrashesOnRefusal,
            SenderFault::HandshakeAcknowledges,
            SenderFault::CrashesOnCertificate,
        ]),
    },
    Requirement {
        id: "ACK-4",
        title: "sane retries",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Should,
        check_id: "sender/acknowledgement/further-attempts",
        text: "If it sends again: same event, same data, bounded number, not in a tight loop.",
        source: "D",
        why: "A receiver tells a further attempt from another event by its content, and an endpoint that fails under \
              load does not recover under more of it.",
        scenarios: &[&UNANSWERED, &NOT_ACKNOWLEDGED],
        needs: None,
        check: |_, t| attempts::bounded(t),
        counterexamples: Faults::Sender(&[
            SenderFault::RetriesWithoutEnd,
            SenderFault::RetriesWithoutPause,
            SenderFault::RetriesWithOtherData,
        ]),
    },
    Requirement {
        id: "ACK-5",
        title: "only the status counts",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Should,
        check_id: "sender/acknowledgement/status-alone",
        text: "Only the status counts: an empty, huge, non-JSON or error-looking body under a 2xx is still an \
               acknowledgement.",
        source: "D",
        why: "The documentation asks for a status and for nothing else; frameworks answer with whatever body they like.",
        scenarios: &[&ANSWER_FORMS],
        needs: None,
        check: |_, t| answers::in_forms(t, |form| matches!(form, Form::Body(_)), true),
        counterexamples: Faults::Sender(&[
            SenderFault::AnswerMustBeJson,
            SenderFault::ErrorInAnswerIsFailure,
            SenderFault::AnswerReadToItsEnd,
        ]),
    },
    Requirement {
        id: "ACK-6",
        title: "bounded wait",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Should,
        check_id: "sender/acknowledgement/wait",
        text: "The wait for an answer is bounded (S: 5 s) and is at least 1 s.",
        source: "S",
        why: "A wait without end holds a connection for each delivery to an endpoint that hangs; one that is too short \
              calls deliveries failed that were taken in. Bounded is what ends within --timeout.",
        scenarios: &[&UNANSWERED],
        needs: None,
        check: |_, t| silence::waits(t),
        counterexamples: Faults::Sender(&[
            SenderFault::WaitsTooShort,
            SenderFault::WaitsForEver,
            SenderFault::CrashesOnRefusal,
        ]),
    },
    Requirement {
        id: "ACK-7",
        title: "interim answers",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Should,
        check_id: "sender/acknowledgement/interim",
        text: "An interim 1xx before a 2xx is not the answer.",
        source: "R (RFC 9110, section 15.2)",
        why: "Proxies send 100 and 103 of their own accord; the answer comes behind them.",
        scenarios: &[&ANSWER_FORMS],
        needs: None,
        check: |_, t| answers::in_forms(t, |form| matches!(form, Form::Interim(_)), false),
        counterexamples: Faults::Sender(&[
            SenderFault::InterimIsTheAnswer,
            SenderFault::FirstLineAcknowledges,
        ]),
    },
    Requirement {
        id: "ACK-8",
        title: "redirects not followed",
        binds: Binds::Sender(Recorded::Cannot(
            "traffic alone does not show what the sender makes of an answer",
        )),
        level: Level::Advice,
        check_id: "sender/acknowledgement/redirect",
        text: "A redirect is not followed to another host, and never turns the POST into a GET that counts as delivered.",
        source: "W",
        why: "Another host was never registered, and gets the record and its signature; a GET delivers nothing.",
        scenarios: &[&NOT_ACKNOWLEDGED],
        needs: None,
        check: |_, t| answers::redirects(t),
        counterexamples: Faults::Sender(&[
            SenderFault::RedirectFollowed,
            SenderFault::RedirectFollowedAsGet,
            SenderFault::RedirectFollowedUncounted,
        ]),
    },
];
