//! Why a delivery got no answer.

/// Declares the kinds of errors: the name of the variant, the name in reports, what it means.
macro_rules! failures {
    ($($name:ident: $word:literal, $text:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum DeliveryFailure { $(#[doc = $text] $name,)* }

        impl DeliveryFailure {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            pub fn describe(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

failures! {
    Refused: "refused", "the connection was refused";
    Unconnected: "unconnected", "no connection came about for another reason than being refused";
    TimedOut: "timed-out", "no whole answer came within the wait";
    Reset: "reset", "the connection was reset before the answer was whole";
    Closed: "closed", "the connection was closed before the answer was whole";
    Malformed: "malformed", "what came was no HTTP answer";
    TooLong: "too-long", "the answer was longer than any that is read";
    Unsent: "unsent", "it was due, and no connection became free for it before the end";
    Untaken: "untaken", "the sender did not take the event";
    Lost: "lost", "the event was asked for, and the delivery did not arrive";
    Late: "late", "the delivery arrived when it was not waited for any more";
}
