//! Scenarios: what is done to a program under test.
//!
//! A scenario is a constant in the file of its requirement, or in its own file if several requirements use it.

use std::fmt;

use super::receiver::case::Case;
use super::receiver::maker::Maker;
use super::receiver::property::Property;
use super::receiver::stage::Steps as ReceiverSteps;
use super::sender::stage::Steps as SenderSteps;
use super::transcript::{Capability, ScenarioName};

/// What is done to a program under test, for one requirement or several.
pub struct Scenario {
    pub name: ScenarioName,
    /// What is sent or done, as a noun phrase, for `explain`.
    pub sends: &'static str,
    /// The capability that a sender must declare for the scenario to run.
    pub needs: Option<Capability>,
    pub turn: Turn,
    pub play: Play,
}

/// When a scenario runs. Within a turn, scenarios run in the order of the requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// With the others.
    Usual,
    /// After the fixed cases of the others: it generates cases, as many as the time allows.
    Generated,
    /// After the others: it may end the program.
    Last,
    /// After those: it may hold up everything that follows.
    Stalling,
    /// At the end, to find the cause of a failure. If it breaks down, no requirement is affected.
    Diagnosis,
}

/// How a scenario runs.
#[derive(Clone, Copy)]
pub enum Play {
    /// A receiver is sent fixed cases and, after those of all scenarios, generated ones.
    Cases {
        fixed: fn(&Maker) -> Vec<Case>,
        generated: &'static [fn() -> Property],
    },
    /// A receiver is driven by code of the scenario.
    Receiver(ReceiverSteps),
    Sender(SenderSteps),
}

impl Scenario {
    /// A receiver scenario of fixed cases, then generated ones.
    pub const fn cases(
        name: &'static str,
        sends: &'static str,
        fixed: fn(&Maker) -> Vec<Case>,
        generated: &'static [fn() -> Property],
    ) -> Self {
        let (name, play) = (ScenarioName(name), Play::Cases { fixed, generated });
        Self { name, sends, needs: None, turn: Turn::Usual, play }
    }

    /// A receiver scenario with its own code.
    pub const fn receiver(name: &'static str, sends: &'static str, steps: ReceiverSteps) -> Self {
        let (name, play) = (ScenarioName(name), Play::Receiver(steps));
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
