//! How long a run may take.
//!
//! Invariant: once the time is used up, nothing more is sent. What is under way may end within one timeout.

use std::time::Duration;

use tokio::time::Instant;

use crate::suite::requirement::Role;

/// The longest time of a run, counted from its start.
#[derive(Debug, Clone, Copy)]
pub struct MaxTime {
    whole: Duration,
    began: Instant,
}

impl MaxTime {
    /// A run that begins now.
    pub fn new(whole: Duration) -> Self {
        Self { whole, began: Instant::now() }
    }

    /// The usual time for a role.
    pub(crate) fn usual(role: Role) -> Duration {
        match role {
            Role::Receiver => Duration::from_secs(120),
            Role::Sender => Duration::from_secs(180),
        }
    }

    /// The usual time for a sender that is a CRM: the rate of its API is limited.
    pub(crate) fn of_crm() -> Duration {
        Duration::from_secs(600)
    }

    /// The same for another run, which begins now.
    #[must_use]
    pub(crate) fn again(self) -> Self {
        Self::new(self.whole)
    }

    pub(crate) fn whole(self) -> Duration {
        self.whole
    }

    pub(crate) fn end(self) -> Instant {
        self.began + self.whole
    }

    pub(crate) fn left(self) -> Duration {
        self.whole.saturating_sub(self.began.elapsed())
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }

    /// What is left for generated cases: scenarios that come after them need some time too.
    pub(crate) fn left_for_generated(self, after: Duration) -> Duration {
        self.left().saturating_sub(after.min(self.whole / 3).max(self.whole / 10))
    }
}
