//! A property: what generates cases that all come out the same way.

use std::fmt;

use proptest::strategy::{BoxedStrategy, Strategy};

use super::case::Case;

/// A rule that holds for every case that a strategy generates: forged ones are rejected, the others accepted.
pub struct Property {
    /// What is generated, in a few words.
    pub(super) name: &'static str,
    pub(super) cases: BoxedStrategy<Case>,
}

impl Property {
    /// The property that every case made from what the strategy generates comes out as it should.
    pub(super) fn of<T: fmt::Debug + 'static>(
        name: &'static str,
        strategy: impl Strategy<Value = T> + 'static,
        case: fn(&T) -> Case,
    ) -> Self {
        Self { name, cases: strategy.prop_map(move |generated| case(&generated).generated()).boxed() }
    }
}
