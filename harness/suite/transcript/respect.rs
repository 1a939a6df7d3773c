//! How a delivery differs from a valid one.

use serde::{Deserialize, Serialize};

use crate::constant::{self, Constant};
use crate::webhook::recipe::Recipe;

/// The single way in which a trial differs from a valid delivery. Causes depend on the variants; the texts in some of them are
/// for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respect {
    /// None: the delivery is valid, and must be accepted.
    Valid,
    /// It arrives together with many others. It is valid.
    Concurrent,
    /// Its form, which HTTP and the documentation leave open. It is valid.
    Form(#[serde(deserialize_with = "constant::read")] Constant),
    /// It is split inside a multi-byte character. It is valid.
    SplitCharacter(#[serde(deserialize_with = "constant::read")] Constant),
    /// The JSON in its record, as `JSON.stringify` writes it. It is valid.
    Javascript(#[serde(deserialize_with = "constant::read")] Constant),
    /// Its JSON formatting, which is not that of `JSON.stringify`. It is valid.
    Formatting(#[serde(deserialize_with = "constant::read")] Constant),
    /// Something next to the digits of its signature, or their number.
    Surrounded(Surrounding),
    /// A second signature header.
    SecondSignature,
    /// The form of its timestamp, with a correct signature.
    TimestampForm(TimestampForm),
    Stale(Age),
    /// Its timestamp, which is this many minutes ahead of the clock; negative if it is dated back.
    Shifted(i32),
    /// Its timestamp, which is in the future.
    Future,
    /// It is not a delivery: what it is instead.
    Malformed(#[serde(deserialize_with = "constant::read")] Constant),
    /// The type of its event or data.
    WrongType(#[serde(deserialize_with = "constant::read")] Constant),
    /// Its request method.
    Method,
    /// It is unsigned and tries to bypass verification: how.
    BackDoor(#[serde(deserialize_with = "constant::read")] Constant),
    /// The formatting of its body, with the control's signature.
    Reformatted(#[serde(deserialize_with = "constant::read")] Constant),
    /// A part of its body, with the control's signature.
    Content(Part),
    /// An extra member `secret` in its body, with the control's signature.
    SecretMember,
    /// Its timestamp header, with the control's signature.
    Timestamp(Redating),
    Signed(Recipe),
    /// The key that it is signed with.
    Key(#[serde(deserialize_with = "constant::read")] Constant),
    /// The key, which is a default of some programs, and how it is signed with it.
    DefaultSecret(#[serde(deserialize_with = "constant::read")] Constant, Recipe),
    /// The name of its signature or timestamp header, and how it is signed.
    Header(#[serde(deserialize_with = "constant::read")] Constant, Recipe),
    /// The digits of its signature.
    Digits(#[serde(deserialize_with = "constant::read")] Constant),
    /// Its timestamp and signature, which belong to another delivery.
    Borrowed,
    /// It has no signature, or an empty one.
    Unsigned,
    /// It has neither signature nor timestamp, and its body may be malformed.
    UnsignedMalformed,
    /// It has no timestamp.
    Undated,
    /// It is cut off before its end.
    Aborted,
}

/// What is next to the digits of a signature, or wrong with their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surrounding {
    /// `sha256=` before them.
    Prefixed,
    /// Non-ASCII bytes instead of them.
    BeyondAscii,
    /// Something else.
    Other(#[serde(deserialize_with = "constant::read")] Constant),
}

/// The form of a timestamp that is not digits only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampForm {
    /// An RFC 3339 date.
    IsoDate,
    /// Nothing.
    Empty,
    /// Text of the body, moved across the colon.
    MovedColon,
    /// Something else.
    Other(#[serde(deserialize_with = "constant::read")] Constant),
}

/// How old a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    /// A day or more.
    Day,
    /// Its timestamp is in seconds; read as milliseconds, it is decades old.
    Seconds,
}

/// A part of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Values,
    AddedMembers,
    /// A removed member.
    MissingMembers,
    /// The end, which is cut off.
    End,
}

/// How a timestamp header differs from the one that was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redating {
    Later,
    Earlier,
    /// It has leading zeros.
    Zeros,
    /// One of its digits is different.
    Digit,
}

impl Respect {
    /// Whether the delivery is still valid.
    pub fn is_valid(self) -> bool {
        matches!(
            self,
            Self::Valid
                | Self::Concurrent
                | Self::Form(_)
                | Self::SplitCharacter(_)
                | Self::Javascript(_)
                | Self::Formatting(_)
        )
    }
}
