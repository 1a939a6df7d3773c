//! Why a delivery got no answer.

described! {
    /// Why a delivery got no answer or, from a sender, did not arrive.
    pub enum DeliveryFailure {
        Refused: "the connection was refused",
        Unconnected: "the connection could not be opened",
        TimedOut: "no complete answer arrived before the timeout",
        Reset: "the connection was reset before the answer was complete",
        Closed: "the connection was closed before the answer was complete",
        Malformed: "the answer was not HTTP",
        TooLong: "the answer was too long",
        Unsent: "the delivery was due, but no connection became free before the end",
        NotAccepted: "the sender did not accept the event",
        Lost: "the event was requested, but its delivery did not arrive",
        Late: "the delivery arrived after the timeout",
    }
}

impl DeliveryFailure {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unconnected => "unconnected",
            Self::TimedOut => "timed-out",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Malformed => "malformed",
            Self::TooLong => "too-long",
            Self::Unsent => "unsent",
            Self::NotAccepted => "untaken",
            Self::Lost => "lost",
            Self::Late => "late",
        }
    }
}
