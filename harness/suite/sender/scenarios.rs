//! The scenarios of senders.

use futures_util::FutureExt as _;

use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::transcript::{Capability, ScenarioName};

/// EveryEvent.
pub const EVERY_EVENT: Scenario = Scenario {
    name: ScenarioName("every-event"),
    sends: "one webhook without a filter; every sample event and a record with every kind of value is emitted",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.every_event().boxed_local()),
};

/// SeveralWebhooks.
pub const SEVERAL_WEBHOOKS: Scenario = Scenario {
    name: ScenarioName("several-webhooks"),
    sends: "three webhooks with secrets of their own; several events are emitted",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.several_webhooks().boxed_local()),
};

/// Generated.
pub const GENERATED: Scenario = Scenario {
    name: ScenarioName("generated"),
    sends: "three webhooks, two of them with generated secrets; bursts of events whose records are generated: text \
                 in any script, numbers at the edges of 2^53 and beyond, nesting, empty and integer-like names, lone \
                 surrogates, up to 64 KiB",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.generated().boxed_local()),
};

/// Filtered.
pub const FILTERED: Scenario = Scenario {
    name: ScenarioName("filtered"),
    sends: "webhooks with the filters person.created, person.*, *.created, *.* and a list, and one without; \
                 several events are emitted",
    needs: Some(Capability::Filters),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.filtered().boxed_local()),
};

/// Deletion.
pub const DELETION: Scenario = Scenario {
    name: ScenarioName("deletion"),
    sends: "two webhooks, one of which is deleted between two events",
    needs: Some(Capability::Delete),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.deletion().boxed_local()),
};

/// Unsigned.
pub const UNSIGNED: Scenario = Scenario {
    name: ScenarioName("unsigned"),
    sends: "a webhook without a secret; several events are emitted",
    needs: Some(Capability::Unsigned),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.unsigned().boxed_local()),
};

/// Https.
pub const HTTPS: Scenario = Scenario {
    name: ScenarioName("https"),
    sends: "an endpoint behind HTTPS, with a certificate of the authority that the sender was told of",
    needs: Some(Capability::Https),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.https().boxed_local()),
};

/// Acknowledged.
pub const ACKNOWLEDGED: Scenario = Scenario {
    name: ScenarioName("acknowledged"),
    sends: "an endpoint that answers each event with another status from 200 to 299",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.acknowledged().boxed_local()),
};

/// NotAcknowledged.
pub const NOT_ACKNOWLEDGED: Scenario = Scenario {
    name: ScenarioName("not-acknowledged"),
    sends: "an endpoint that answers with redirects (to another host, and to itself), client errors and \
                 server errors",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.not_acknowledged().boxed_local()),
};

/// AnswerForms.
pub const ANSWER_FORMS: Scenario = Scenario {
    name: ScenarioName("answer-forms"),
    sends: "an endpoint that answers 200 with an empty body, one of 4 MiB, one without end, no JSON, and words \
                 of an error, or behind 100, 102 and 103; and one that answers before it has read the body",
    needs: None,
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.answer_forms().boxed_local()),
};

/// Unanswered.
pub const UNANSWERED: Scenario = Scenario {
    name: ScenarioName("unanswered"),
    sends: "side by side: endpoints that refuse, close, reset in the middle of the request, break off inside \
                 the status line and the headers, never answer, answer late, byte by byte, 500 always, and 500 \
                 twice; and one that is well",
    needs: None,
    turn: Turn::Last,
    play: Play::Sender(|stage| stage.unanswered().boxed_local()),
};

/// BadCertificates.
pub const BAD_CERTIFICATES: Scenario = Scenario {
    name: ScenarioName("bad-certificates"),
    sends: "side by side: endpoints behind HTTPS whose certificates have expired, are self-signed and are for \
                 another host; and one whose certificate is good",
    needs: Some(Capability::Https),
    turn: Turn::Last,
    play: Play::Sender(|stage| stage.bad_certificates().boxed_local()),
};
