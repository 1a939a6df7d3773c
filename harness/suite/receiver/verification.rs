//! VER: a receiver acknowledges nothing that is not genuine.
//!
//! Invariant: every negative differs from a delivery that the receiver acknowledges in exactly one respect, and counts as
//! refused only between two twins that were acknowledged.

use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::receiver::judge::none_acknowledged;
use crate::suite::receiver::scenarios::{
    ALTERED_CONTENT, ALTERED_TIMESTAMP, MISSING_HEADER, OTHER_DIGEST, OTHER_MESSAGE, WRONG_KEY,
};
use crate::suite::requirement::{Binds, Level, Requirement};

/// The requirements of this group.
pub const ALL: &[Requirement] = &[
    Requirement {
        id: "VER-1",
        title: "rejects altered content",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/verification/altered-content",
        text: "Altered content is not acknowledged: a value changed, a member added (`secret` among them) or taken \
               away, the body cut short.",
        source: "D",
        why: "The signature is there to show that the content is what Twenty sent. A check over a part of the body, or \
              over a re-serialised parse, lets the rest be changed on the way.",
        scenarios: &[&ALTERED_CONTENT],
        needs: None,
        check: |_, t| none_acknowledged(t, ALTERED_CONTENT.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::IgnoresAlteredValues,
            ReceiverFault::IgnoresAddedMembers,
            ReceiverFault::StripsSecretMember,
            ReceiverFault::AcceptsCutBody,
            ReceiverFault::AcceptsAnySignatureOnce,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-2",
        title: "rejects an altered timestamp",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/verification/altered-timestamp",
        text: "An altered timestamp header is not acknowledged.",
        source: "D",
        why: "The timestamp is part of the signed text so that an old delivery cannot be sent again as a new one.",
        scenarios: &[&ALTERED_TIMESTAMP],
        needs: None,
        check: |_, t| none_acknowledged(t, ALTERED_TIMESTAMP.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::RemembersSignatures,
            ReceiverFault::ReprintsTimestamp,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-3",
        title: "rejects wrong keys",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/verification/wrong-key",
        text: "A signature under another key is not acknowledged: another secret, the empty key, the secret \
               hex-decoded, trimmed, or in other case.",
        source: "D",
        why: "A default secret left in the code, or an empty one when none is configured, lets everyone in: 15 of 57 \
              public receivers do so.",
        scenarios: &[&WRONG_KEY],
        needs: None,
        check: |_, t| none_acknowledged(t, WRONG_KEY.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::AcceptsDefaultSecret,
            ReceiverFault::VerifiesDefaultSecret,
            ReceiverFault::VerifiesKeyWithNewline,
            ReceiverFault::AcceptsEmptyKey,
            ReceiverFault::AcceptsHexDecodedKey,
            ReceiverFault::AcceptsCaseFoldedKey,
            ReceiverFault::VerifiesHexDecodedKey,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-4",
        title: "rejects missing headers",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/verification/missing-header",
        text: "A missing signature, a missing timestamp, an empty one: not acknowledged.",
        source: "D",
        why: "\"If there is a signature, check it\" is no check: whoever leaves the header out is let in.",
        scenarios: &[&MISSING_HEADER],
        needs: None,
        check: |_, t| none_acknowledged(t, MISSING_HEADER.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::AcceptsMissingSignature,
            ReceiverFault::AcceptsEmptySignature,
            ReceiverFault::AcceptsMissingTimestamp,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-5",
        title: "rejects other signed text",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/verification/other-message",
        text: "A signature over something else is not acknowledged: the body alone, the timestamp alone, another \
               separator, the payload stringified twice, another delivery.",
        source: "D",
        why: "A receiver that hashes the body alone refuses Twenty's deliveries; one that takes it besides can be \
              replayed for ever, since no time is covered.",
        scenarios: &[&OTHER_MESSAGE],
        needs: None,
        check: |_, t| none_acknowledged(t, OTHER_MESSAGE.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::VerifiesBodyAlone,
            ReceiverFault::VerifiesWithDot,
            ReceiverFault::VerifiesTwiceStringified,
            ReceiverFault::AcceptsBodyAlone,
            ReceiverFault::AcceptsTimestampAlone,
            ReceiverFault::AcceptsDot,
            ReceiverFault::AcceptsTwiceStringified,
            ReceiverFault::AcceptsAnySignatureOnce,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
    Requirement {
        id: "VER-6",
        title: "rejects other digests",
        binds: Binds::Receiver,
        level: Level::Must,
        check_id: "receiver/verification/other-digest",
        text: "Another algorithm or form is not acknowledged: SHA-1, SHA-512, plain SHA-256, base64, truncated, all \
               zeros.",
        source: "D",
        why: "A comparison over the shorter of two texts, or of decoded bytes that failed to decode, accepts what \
              nobody signed.",
        scenarios: &[&OTHER_DIGEST],
        needs: None,
        check: |_, t| none_acknowledged(t, OTHER_DIGEST.name),
        counterexamples: Faults::Receiver(&[
            ReceiverFault::VerifiesSha1,
            ReceiverFault::AcceptsSha1,
            ReceiverFault::AcceptsUnkeyed,
            ReceiverFault::AcceptsBase64,
            ReceiverFault::AcceptsPrefix,
            ReceiverFault::ComparesPrefix,
            ReceiverFault::AcceptsZeros,
            ReceiverFault::AcceptsEverything,
            ReceiverFault::RefusesInBody,
        ]),
    },
];
