//! The words for the contents of a transcript: what an endpoint did with a delivery, and how a delivery differs from a valid
//! one.

use std::borrow::Cow;

use super::{Age, Certificate, Conduct, Part, Redating, Respect, Surrounding, TimestampForm};
use crate::webhook::recipe::Recipe;

impl Conduct {
    /// What happened to a delivery at this endpoint, as the end of "a delivery that ...".
    pub fn what_happened(self) -> &'static str {
        match self {
            Self::Answers => "was answered",
            Self::AnswersEarly => "was answered before its body was read",
            Self::AnswersLate => "was answered late",
            Self::Drips => "was answered byte by byte",
            Self::AnswersWithoutEnd => "was answered with a body that never ends",
            Self::ClosesIdle => "was answered, and whose connection was closed after that",
            Self::ResetsIdle => "was answered, and whose connection was reset after that",
            Self::Fails | Self::FailsTwice => "was answered 500",
            Self::Refuses => "had its connection refused",
            Self::ClosesAtOnce => "had its connection closed at once",
            Self::Closes => "had its connection closed without an answer",
            Self::Resets => "had its connection reset",
            Self::CutsStatusLine => "got an answer cut off in the status line",
            Self::CutsHeaders => "got an answer cut off in the headers",
            Self::Hangs => "was never answered",
            Self::Secured(Certificate::Good) => "was answered over HTTPS",
            Self::Secured(Certificate::Expired) => "was presented with an expired certificate",
            Self::Secured(Certificate::SelfSigned) => "was presented with a self-signed certificate",
            Self::Secured(Certificate::OtherHost) => "was presented with a certificate for another host",
        }
    }

    /// The same in a cause's detail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answered",
            Self::AnswersEarly => "answered early",
            Self::AnswersLate => "answered late",
            Self::Drips => "answered slowly",
            Self::AnswersWithoutEnd => "answered without end",
            Self::ClosesIdle => "closed when idle",
            Self::ResetsIdle => "reset when idle",
            Self::Fails | Self::FailsTwice => "answered 500",
            Self::Refuses => "refused",
            Self::ClosesAtOnce => "closed at once",
            Self::Closes => "closed",
            Self::Resets => "reset",
            Self::CutsStatusLine => "cut inside the status line",
            Self::CutsHeaders => "cut inside the headers",
            Self::Hangs => "timed out",
            Self::Secured(Certificate::Good) => "answered over HTTPS",
            Self::Secured(Certificate::Expired) => "certificate expired",
            Self::Secured(Certificate::SelfSigned) => "certificate self-signed",
            Self::Secured(Certificate::OtherHost) => "certificate of another host",
        }
    }
}

impl Respect {
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
            Self::Shifted(minutes) => return shifted(minutes).into(),
            Self::Future => "a day ahead",
            Self::Method => "the method",
            Self::Content(part) => part.describe(),
            Self::SecretMember => "a member `secret`",
            Self::Timestamp(redating) => redating.describe(),
            Self::Signed(recipe) => return recipe.describe().into(),
            Self::DefaultSecret(which, Recipe::CONTRACT) => {
                return format!("the default secret {which:?}").into();
            }
            Self::DefaultSecret(which, recipe) => {
                return format!("the default secret {which:?}, signed {}", recipe.describe()).into();
            }
            Self::Header(name, recipe) => return format!("{name}, signed {}", recipe.describe()).into(),
            Self::Borrowed => "timestamp and signature of another delivery",
            Self::Unsigned => "no signature",
            Self::UnsignedMalformed => "no signature, and a malformed body",
            Self::Undated => "no timestamp",
            Self::Aborted => "cut off before its end",
        };
        fixed.into()
    }
}

/// How far a timestamp is from the clock: `10 min ahead`.
pub fn shifted(minutes: i32) -> String {
    let direction = if minutes < 0 { "back" } else { "ahead" };
    let text = match minutes.unsigned_abs() {
        minutes if minutes >= 60 && minutes % 60 == 0 => format!("{} h", minutes / 60),
        minutes if minutes >= 60 => format!("{} h {} min", minutes / 60, minutes % 60),
        minutes => format!("{minutes} min"),
    };
    format!("{text} {direction}")
}

impl Surrounding {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Prefixed => "`sha256=` before the digits",
            Self::BeyondAscii => "a signature of 64 non-ASCII bytes",
            Self::Other(which) => which,
        }
    }
}

impl TimestampForm {
    pub fn describe(self) -> &'static str {
        match self {
            Self::IsoDate => "an ISO date",
            Self::Empty => "empty",
            Self::MovedColon => "text moved across the colon",
            Self::Other(which) => which,
        }
    }
}

impl Age {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Day => "a day",
            Self::Seconds => "seconds",
        }
    }
}

impl Part {
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
    pub fn describe(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Earlier => "earlier",
            Self::Zeros => "zeros",
            Self::Digit => "digit",
        }
    }
}
