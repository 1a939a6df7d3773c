//! In which one respect a delivery differs from a plain valid one.

use std::borrow::Cow;

use serde::Serialize;

use crate::webhook::recipe::Recipe;

/// In which one respect a trial differs from a plain valid delivery. Causes are found by the variants; the words that some
/// of them carry are for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respect {
    /// In none: it is correctly signed, and to be accepted.
    Valid,
    /// In that it comes together with many others. It is valid.
    Concurrent,
    /// In its form, which HTTP and the documentation leave open. It is valid.
    Form(&'static str),
    /// In that it is split inside a character of several bytes. It is valid.
    SplitCharacter(&'static str),
    /// In the JSON that its record holds, as `JSON.stringify` writes it. It is valid.
    Javascript(&'static str),
    /// In its JSON formatting, which is not that of `JSON.stringify`. It is valid.
    Formatting(&'static str),
    /// In something next to the digits of its signature, or in their number.
    Surrounded(Surrounding),
    /// In a second signature header.
    SecondSignature,
    /// In the form of its timestamp, under which it is correctly signed.
    TimestampForm(TimestampForm),
    Stale(Age),
    /// In its age, which is negative.
    Future,
    /// In that it is no delivery: what it is.
    Malformed(&'static str),
    /// In the type of its event or data.
    WrongType(&'static str),
    /// In its request method.
    Method,
    /// In that it is unsigned and tries another way in: which.
    BackDoor(&'static str),
    /// In the formatting of its body, under the control's signature.
    Reformatted(&'static str),
    /// In its body, under the control's signature: in which part of it.
    Content(Part),
    /// In a further member `secret` of its body, under the control's signature.
    SecretMember,
    /// In its timestamp header, under the control's signature.
    Timestamp(Redating),
    Signed(Recipe),
    /// In the key that it is signed with: which.
    Key(&'static str),
    /// In the key, which is one that programs fall back to: which.
    DefaultSecret(&'static str),
    /// In the header that its signature or timestamp has, and in how it is signed.
    Header(&'static str, Recipe),
    /// In the digits of its signature: how.
    Digits(&'static str),
    /// In timestamp and signature, which are those of another delivery.
    Borrowed,
    /// In that it has no signature, or an empty one.
    Unsigned,
    /// In that it has neither signature nor timestamp, and a body that may be malformed.
    UnsignedMalformed,
    /// In that it has no timestamp.
    Undated,
}

/// What is next to the digits of a signature, or wrong with their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surrounding {
    /// `sha256=` before them.
    Prefixed,
    /// Bytes beyond ASCII in place of them.
    BeyondAscii,
    /// Something else.
    Other(&'static str),
}

/// The form of a timestamp that is not digits only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampForm {
    /// An RFC 3339 date.
    IsoDate,
    /// Nothing.
    Empty,
    /// Text of the body that was moved across the colon.
    MovedColon,
    /// Something else.
    Other(&'static str),
}

/// How old a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    /// A day or more.
    Day,
    /// Its timestamp is in seconds, which is decades in milliseconds.
    Seconds,
}

/// A part of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Values,
    AddedMembers,
    /// A member that was removed.
    MissingMembers,
    /// Its end, which was cut off.
    End,
}

/// How a timestamp header differs from the one that was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redating {
    Later,
    Earlier,
    /// It has zeros before it.
    Zeros,
    /// One of its digits is another one.
    Digit,
}

impl Respect {
    /// Whether the delivery is valid all the same.
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

    /// The words for people.
    pub fn describe(self) -> Cow<'static, str> {
        let fixed = match self {
            Self::Valid => "nothing",
            Self::Concurrent => "many at the same time",
            Self::Form(which)
            | Self::SplitCharacter(which)
            | Self::Javascript(which)
            | Self::Formatting(which)
            | Self::Malformed(which)
            | Self::WrongType(which)
            | Self::BackDoor(which)
            | Self::Reformatted(which)
            | Self::Key(which)
            | Self::Digits(which) => which,
            Self::Surrounded(surrounding) => surrounding.describe(),
            Self::SecondSignature => "a second signature header",
            Self::TimestampForm(form) => form.describe(),
            Self::Stale(age) => age.describe(),
            Self::Future => "a day ahead",
            Self::Method => "the method",
            Self::Content(part) => part.describe(),
            Self::SecretMember => "a member `secret`",
            Self::Timestamp(redating) => redating.describe(),
            Self::Signed(recipe) => return recipe.describe().into(),
            Self::DefaultSecret(which) => return format!("the default secret {which:?}").into(),
            Self::Header(name, recipe) => return format!("{name}, signed {}", recipe.describe()).into(),
            Self::Borrowed => "timestamp and signature of another delivery",
            Self::Unsigned => "no signature",
            Self::UnsignedMalformed => "no signature, and a malformed body",
            Self::Undated => "no timestamp",
        };
        fixed.into()
    }
}

impl Surrounding {
    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Prefixed => "`sha256=` before the digits",
            Self::BeyondAscii => "a signature of 64 bytes beyond ASCII",
            Self::Other(which) => which,
        }
    }
}

impl TimestampForm {
    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::IsoDate => "an ISO date",
            Self::Empty => "empty",
            Self::MovedColon => "text moved over the colon",
            Self::Other(which) => which,
        }
    }
}

impl Age {
    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Day => "a day",
            Self::Seconds => "seconds",
        }
    }
}

impl Part {
    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::AddedMembers => "added members",
            Self::MissingMembers => "missing members",
            Self::End => "the end",
        }
    }
}

impl Redating {
    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Earlier => "earlier",
            Self::Zeros => "zeros",
            Self::Digit => "digit",
        }
    }
}
