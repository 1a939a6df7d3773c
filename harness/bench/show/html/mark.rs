//! The marks of trials in a chart.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkKind {
    Met,
    Missed,
    Stopped,
}

impl MarkKind {
    pub(super) const ALL: [Self; 3] = [Self::Met, Self::Missed, Self::Stopped];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Stopped => "stopped",
        }
    }

    /// A disc, a cross or a square: not the colour alone tells them apart.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Met => "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z",
            Self::Missed => "M-5 -5L5 5M-5 5L5 -5",
            Self::Stopped => "M-4.5 -4.5H4.5V4.5H-4.5Z",
        }
    }
}
