//! The cases of receivers that a load sends too: deliveries that a receiver must reject.

use crate::clock::Clock;
use crate::random::Random;
use crate::suite::receiver::case::Case;
use crate::suite::receiver::forgery::{Forgery, LeftOut};
use crate::suite::receiver::maker::Maker;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::suite::scenario::{Play, Scenario};
use crate::webhook::dialect::DOCUMENTED;
use crate::webhook::signature::Secret;

/// A delivery that a receiver must reject, and the requirement that says so.
#[derive(Debug, Clone)]
pub struct Rejected {
    pub requirement: &'static Requirement,
    /// What is sent, as a noun phrase with its article.
    pub what: String,
    /// How a load sends it, or why it does not.
    pub forgery: Result<Forgery, LeftOut>,
}

/// Every fixed case that a receiver must reject, in the order of the contract.
pub fn rejected() -> Vec<Rejected> {
    // The steps of a forgery do not depend on the secret or the dialect.
    let place = (String::new(), String::new());
    let maker =
        Maker::new(&DOCUMENTED, Secret::new("a secret"), Clock::fixed(0), Random::from_seed(0), place);
    let mut all = Vec::new();
    for requirement in requirements::of(Role::Receiver) {
        let cases = fixed_cases(requirement, &maker).flatten();
        all.extend(cases.filter_map(|case| of(requirement, &case)));
    }
    all
}

/// The fixed cases of each scenario that is for this requirement.
pub(super) fn fixed_cases(
    requirement: &'static Requirement,
    maker: &Maker,
) -> impl Iterator<Item = Vec<Case>> {
    let own = requirement.scenarios.iter().filter(|scenario| is_of(scenario, requirement));
    own.filter_map(|scenario| match scenario.play {
        Play::Cases { fixed, .. } => Some(fixed(maker)),
        _ => None,
    })
}

fn of(requirement: &'static Requirement, case: &Case) -> Option<Rejected> {
    let forgery = case.under_load()?.cloned();
    Some(Rejected { requirement, what: case.what().to_owned(), forgery })
}

fn is_of(scenario: &Scenario, requirement: &Requirement) -> bool {
    owner(scenario).is_some_and(|owner| owner.id == requirement.id)
}

/// The requirement that a scenario is for, among those that it is judged by: the first one that names it before all others or, if
/// none does, the first one that names it.
fn owner(scenario: &Scenario) -> Option<&'static Requirement> {
    let naming = |first: bool| {
        requirements::of(Role::Receiver).find(|requirement| {
            let named = if first {
                requirement.scenarios.get(..1).unwrap_or_default()
            } else {
                requirement.scenarios
            };
            named.contains(&scenario)
        })
    };
    naming(true).or_else(|| naming(false))
}
