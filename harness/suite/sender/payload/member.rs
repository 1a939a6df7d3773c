//! A member that is missing from a body.

use crate::suite::cause::{Cause, Code};
use crate::webhook::dialect::{self, Dialect, Members};

/// The cause of a missing member: the other dialect, if the body has its member for the same purpose.
pub(super) fn missing(own: &Dialect, members: &Members, name: fn(&Dialect) -> &'static str) -> Cause {
    let other =
        dialect::ALL.into_iter().find(|other| name(other) != name(own) && members.get(name(other)).is_some());
    match other {
        Some(other) => Cause::detailed(Code::PayloadDialect, other.name),
        None => Cause::detailed(Code::PayloadMember, name(own)),
    }
}
