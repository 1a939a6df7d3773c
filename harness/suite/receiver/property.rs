//! Properties: what should be true for every generated case.

use std::fmt;

use proptest::strategy::{BoxedStrategy, Strategy};

use super::case::Case;

/// Cases from a strategy: forged ones should be rejected, all others accepted.
pub struct Property {
    /// What is generated, in a few words. The cases of a seed depend on it.
    pub(super) name: &'static str,
    pub(super) cases: BoxedStrategy<Case>,
}

impl Property {
    pub(super) fn of<T: fmt::Debug + 'static>(
        name: &'static str,
        strategy: impl Strategy<Value = T> + 'static,
        case: fn(&T) -> Case,
    ) -> Self {
        Self { name, cases: strategy.prop_map(move |generated| case(&generated).generated()).boxed() }
    }
}
