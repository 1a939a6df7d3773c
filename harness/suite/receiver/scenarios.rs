//! The scenarios of receivers.

use futures_util::FutureExt as _;

use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::transcript::ScenarioName;

/// Valid.
pub const VALID: Scenario = Scenario {
    name: ScenarioName("valid"),
    sends: "every sample event of the dialect, correctly signed",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.valid().boxed_local()),
};

/// Unfamiliar.
pub const UNFAMILIAR: Scenario = Scenario {
    name: ScenarioName("unfamiliar"),
    sends: "correctly signed deliveries of an unknown event, an unknown object, and with unknown members",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(UNFAMILIAR.name).boxed_local()),
};

/// HeaderCase.
pub const HEADER_CASE: Scenario = Scenario {
    name: ScenarioName("header-case"),
    sends: "a genuine delivery with its header names in lower, upper and mixed case",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(HEADER_CASE.name).boxed_local()),
};

/// Concurrent.
pub const CONCURRENT: Scenario = Scenario {
    name: ScenarioName("concurrent"),
    sends: "64 genuine deliveries at the same time, each on a connection of its own",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.concurrent().boxed_local()),
};

/// ContentType.
pub const CONTENT_TYPE: Scenario = Scenario {
    name: ScenarioName("content-type"),
    sends: "a genuine delivery with Content-Type: application/json; charset=utf-8",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(CONTENT_TYPE.name).boxed_local()),
};

/// Framing.
pub const FRAMING: Scenario = Scenario {
    name: ScenarioName("framing"),
    sends: "genuine deliveries in chunks, in segments, split inside a character, and several on one connection",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(FRAMING.name).boxed_local()),
};

/// Body256KiB.
pub const BODY_256_KIB: Scenario = Scenario {
    name: ScenarioName("body-256-kib"),
    sends: "a genuine delivery of 256 KiB",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(BODY_256_KIB.name).boxed_local()),
};

/// Body1MiB.
pub const BODY_1_MIB: Scenario = Scenario {
    name: ScenarioName("body-1-mib"),
    sends: "a genuine delivery of 1 MiB",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(BODY_1_MIB.name).boxed_local()),
};

/// BodyLimit.
pub const BODY_LIMIT: Scenario = Scenario {
    name: ScenarioName("body-limit"),
    sends: "genuine deliveries that double in size up to 16 MiB, and the first that is refused again in chunks",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.body_limit().boxed_local()),
};

/// Repeated.
pub const REPEATED: Scenario = Scenario {
    name: ScenarioName("repeated"),
    sends: "the same content again under a new timestamp and signature",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(REPEATED.name).boxed_local()),
};

/// JavascriptJson.
pub const JAVASCRIPT_JSON: Scenario = Scenario {
    name: ScenarioName("javascript-json"),
    sends: "genuine deliveries with whatever JSON.stringify can write",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(JAVASCRIPT_JSON.name).boxed_local()),
};

/// LoneSurrogate.
pub const LONE_SURROGATE: Scenario = Scenario {
    name: ScenarioName("lone-surrogate"),
    sends: "a genuine delivery with the escape of a lone surrogate",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(LONE_SURROGATE.name).boxed_local()),
};

/// OtherSpelling.
pub const OTHER_SPELLING: Scenario = Scenario {
    name: ScenarioName("other-spelling"),
    sends: "genuine deliveries with white space, other orders, other escapes, other numbers, duplicate keys",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(OTHER_SPELLING.name).boxed_local()),
};

/// OtherDialect.
pub const OTHER_DIALECT: Scenario = Scenario {
    name: ScenarioName("other-dialect"),
    sends: "a genuine delivery in the other dialect's form",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(OTHER_DIALECT.name).boxed_local()),
};

/// Comparison.
pub const COMPARISON: Scenario = Scenario {
    name: ScenarioName("comparison"),
    sends: "300 forged deliveries in turns, with the first or the last digit of their signatures wrong",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.comparison().boxed_local()),
};

/// Intake.
pub const INTAKE: Scenario = Scenario {
    name: ScenarioName("intake"),
    sends: "genuine and forged deliveries, the same one twice (byte for byte, signed anew, behind a forged copy), \
                 two events of one record, and the other dialect, each of a record of its own",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.intake().boxed_local()),
};

/// AlteredContent.
pub const ALTERED_CONTENT: Scenario = Scenario {
    name: ScenarioName("altered-content"),
    sends: "a genuine delivery whose body was changed behind the signature: a value, a member more, \
                 a member less, cut short",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(ALTERED_CONTENT.name).boxed_local()),
};

/// AlteredTimestamp.
pub const ALTERED_TIMESTAMP: Scenario = Scenario {
    name: ScenarioName("altered-timestamp"),
    sends: "a genuine delivery whose timestamp header was changed behind the signature: a millisecond later, \
                 a minute earlier, with a zero before it",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(ALTERED_TIMESTAMP.name).boxed_local()),
};

/// WrongKey.
pub const WRONG_KEY: Scenario = Scenario {
    name: ScenarioName("wrong-key"),
    sends: "deliveries signed under another secret, the empty key, and the secret decoded or in other case",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(WRONG_KEY.name).boxed_local()),
};

/// MissingHeader.
pub const MISSING_HEADER: Scenario = Scenario {
    name: ScenarioName("missing-header"),
    sends: "deliveries whose signature, timestamp or both are missing or empty",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(MISSING_HEADER.name).boxed_local()),
};

/// OtherMessage.
pub const OTHER_MESSAGE: Scenario = Scenario {
    name: ScenarioName("other-message"),
    sends: "deliveries signed over the body alone, the timestamp alone, with another separator, \
                 over the payload stringified twice, and with the signature of another delivery",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(OTHER_MESSAGE.name).boxed_local()),
};

/// OtherDigest.
pub const OTHER_DIGEST: Scenario = Scenario {
    name: ScenarioName("other-digest"),
    sends: "deliveries signed with SHA-1, SHA-512, plain SHA-256, in base64, cut short, and with zeros",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(OTHER_DIGEST.name).boxed_local()),
};

/// Surrounded.
pub const SURROUNDED: Scenario = Scenario {
    name: ScenarioName("surrounded"),
    sends: "the right digits with something before or behind them, and beside a second signature header",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(SURROUNDED.name).boxed_local()),
};

/// SignatureLength.
pub const SIGNATURE_LENGTH: Scenario = Scenario {
    name: ScenarioName("signature-length"),
    sends: "signatures of 0, 1, 63, 65 and 200 digits, and of 64 bytes beyond ASCII",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(SIGNATURE_LENGTH.name).boxed_local()),
};

/// TimestampForm.
pub const TIMESTAMP_FORM: Scenario = Scenario {
    name: ScenarioName("timestamp-form"),
    sends: "deliveries correctly signed under timestamps that are not digits only, and text moved over the colon",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(TIMESTAMP_FORM.name).boxed_local()),
};

/// Stale.
pub const STALE: Scenario = Scenario {
    name: ScenarioName("stale"),
    sends: "deliveries correctly signed for a day ago, for tomorrow, and in seconds",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(STALE.name).boxed_local()),
};

/// Recent.
pub const RECENT: Scenario = Scenario {
    name: ScenarioName("recent"),
    sends: "deliveries correctly signed for up to a minute ago or ahead",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(RECENT.name).boxed_local()),
};

/// Malformed.
pub const MALFORMED: Scenario = Scenario {
    name: ScenarioName("malformed"),
    sends: "correctly signed bodies that are no deliveries",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(MALFORMED.name).boxed_local()),
};

/// UnsignedMalformed.
pub const UNSIGNED_MALFORMED: Scenario = Scenario {
    name: ScenarioName("unsigned-malformed"),
    sends: "unsigned requests, malformed beside well-formed",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(UNSIGNED_MALFORMED.name).boxed_local()),
};

/// OtherMethod.
pub const OTHER_METHOD: Scenario = Scenario {
    name: ScenarioName("other-method"),
    sends: "a signed delivery by GET, PUT, PATCH and DELETE",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(OTHER_METHOD.name).boxed_local()),
};

/// BackDoor.
pub const BACK_DOOR: Scenario = Scenario {
    name: ScenarioName("back-door"),
    sends: "unsigned deliveries that claim a local address, carry the secret itself, or are called a ping",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(BACK_DOOR.name).boxed_local()),
};

/// Reformatted.
pub const REFORMATTED: Scenario = Scenario {
    name: ScenarioName("reformatted"),
    sends: "the same content in another spelling under the old signature",
    needs: None,
    turn: Turn::Usual,
    play: Play::Receiver(|stage| stage.cases_and_properties(REFORMATTED.name).boxed_local()),
};

/// Diagnosis.
pub const DIAGNOSIS: Scenario = Scenario {
    name: ScenarioName("diagnosis"),
    sends: "deliveries signed in every known wrong way, to find the one that is expected",
    needs: None,
    turn: Turn::Last,
    play: Play::Receiver(|stage| stage.diagnose().boxed_local()),
};
