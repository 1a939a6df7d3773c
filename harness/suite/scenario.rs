//! What is done to a program under test: a name, what is sent, and how.
//!
//! A scenario is a constant in the file of the requirement that it is for, or in a file of its own where it feeds several.

use std::fmt;

use super::receiver::case::Case;
use super::receiver::maker::Maker;
use super::receiver::property::Property;
use super::receiver::stage::Course as ReceiverCourse;
use super::sender::stage::Course as SenderCourse;
use super::transcript::{Capability, ScenarioName};

/// What is done to a program under test, for one requirement or several.
pub struct Scenario {
    pub name: ScenarioName,
    /// What is sent or done, as a noun phrase, for `explain`.
    pub sends: &'static str,
    /// What a sender must have declared for it to be played at all.
    pub needs: Option<Capability>,
    /// When it is played.
    pub turn: Turn,
    pub play: Play,
}

/// When a scenario is played. Within a turn, in the order of the requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// With the others.
    Usual,
    /// After the others: it may end the program.
    Last,
    /// After everything, to find the cause of a failure. It says nothing of a requirement where it breaks down.
    Diagnosis,
}

/// How a scenario is played.
#[derive(Clone, Copy)]
pub enum Play {
    /// A receiver is sent fixed cases, then generated ones.
    Cases {
        /// The fixed cases, made with what the run's deliveries are made with.
        fixed: fn(&Maker) -> Vec<Case>,
        /// What generates the others.
        generated: &'static [fn() -> Property],
    },
    /// In its own way on a receiver.
    Receiver(ReceiverCourse),
    Sender(SenderCourse),
}

impl Scenario {
    /// What is sent to a receiver: fixed cases, then generated ones.
    pub const fn cases(
        name: &'static str,
        sends: &'static str,
        fixed: fn(&Maker) -> Vec<Case>,
        generated: &'static [fn() -> Property],
    ) -> Self {
        let (name, play) = (ScenarioName(name), Play::Cases { fixed, generated });
        Self { name, sends, needs: None, turn: Turn::Usual, play }
    }

    /// What is sent to a receiver in a way of its own.
    pub const fn receiver(name: &'static str, sends: &'static str, course: ReceiverCourse) -> Self {
        let (name, play) = (ScenarioName(name), Play::Receiver(course));
        Self { name, sends, needs: None, turn: Turn::Usual, play }
    }
}

impl PartialEq for Scenario {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Scenario {}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}
