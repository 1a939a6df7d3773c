//! Splits a selection into shards, for runs on several machines at the same time.
//!
//! Invariant: a shard depends on the selection alone. The shards of a selection have each of its requirements exactly once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::messages;
use super::requirement::{Requirement, Role};
use super::requirements;
use super::run::Run;
use super::scenario::Scenario;

/// The most shards of a run.
const MOST: usize = 1000;

/// The requirements whose scenarios every shard for a receiver plays, because the causes of others follow from them: whether valid
/// deliveries are accepted, and if not, in which way the receiver wants them; and which forged ones are accepted.
const BASIC: [&str; 9] = ["RCV-1", "VER-1", "VER-2", "VER-3", "VER-4", "VER-5", "VER-6", "VER-16", "VER-19"];

/// One of several parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which one, from 1.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

/// Requirements that run together, and the number of scenarios that they need.
struct Cluster {
    /// Their positions in the selection.
    members: Vec<usize>,
    scenarios: usize,
}

impl Shard {
    /// The requirements of this shard, in the order of the selection.
    pub fn part(self, selected: &[&'static Requirement]) -> Vec<&'static Requirement> {
        let mut shards: Vec<(usize, Vec<usize>)> = vec![(0, Vec::new()); self.of];
        for cluster in clusters(selected, self.of) {
            let lightest = shards.iter_mut().min_by_key(|(load, members)| (*load, members.len()));
            if let Some((load, members)) = lightest {
                *load += cluster.scenarios;
                members.extend(cluster.members);
            }
        }
        let mut members =
            shards.into_iter().nth(self.index - 1).map(|(_, members)| members).unwrap_or_default();
        members.sort_unstable();
        members.into_iter().map(|at| selected[at]).collect()
    }

    /// What a shard plays: its requirements, and those of a receiver on which the others depend, if they are selected.
    pub fn played(
        part: &[&'static Requirement],
        selected: &[&'static Requirement],
    ) -> Vec<&'static Requirement> {
        let is_own = |one: &Requirement| part.iter().any(|own| own.id == one.id);
        let needs_basic = part.iter().any(|one| one.role() == Role::Receiver);
        let is_played = |one: &&&Requirement| is_own(one) || needs_basic && BASIC.contains(&one.id);
        selected.iter().filter(is_played).copied().collect()
    }
}

impl Run {
    /// Drops the findings on other requirements than these.
    pub fn keep_only(&mut self, part: &[&'static Requirement]) {
        self.findings.retain(|finding| part.iter().any(|one| one.id == finding.requirement.id));
    }
}

/// The requirements in clusters that share no scenario, those with the most scenarios first. The largest clusters are split if
/// there are fewer than `wanted`.
fn clusters(selected: &[&'static Requirement], wanted: usize) -> Vec<Cluster> {
    let common = common();
    let own = |at: usize| selected[at].scenarios.iter().filter(|one| !common.contains(one));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in 0..selected.len() {
        let shares = |group: &Vec<usize>| {
            group.iter().any(|&other| own(other).any(|one| own(at).any(|own| own == one)))
        };
        let (together, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(shares);
        rest.push(together.into_iter().flatten().chain([at]).collect());
        groups = rest;
    }
    while groups.len() < wanted.min(selected.len()) {
        groups.sort_by_key(|group| (group.len(), std::cmp::Reverse(group.first().copied())));
        let Some(mut largest) = groups.pop() else { break };
        largest.sort_unstable();
        let second = largest.split_off(largest.len().div_ceil(2));
        groups.extend([largest, second]);
    }
    let mut clusters: Vec<Cluster> = groups
        .into_iter()
        .map(|mut members| {
            members.sort_unstable();
            let mut scenarios: Vec<&Scenario> = Vec::new();
            for scenario in members.iter().flat_map(|&at| own(at)) {
                if !scenarios.contains(scenario) {
                    scenarios.push(scenario);
                }
            }
            Cluster { members, scenarios: scenarios.len().max(1) }
        })
        .collect();
    clusters.sort_by_key(|one| (std::cmp::Reverse(one.scenarios), one.members.first().copied()));
    clusters
}

/// The scenarios that every shard plays: the basic ones of a receiver, and the first one of a sender.
fn common() -> Vec<&'static Scenario> {
    let basic = requirements::of(Role::Receiver).filter(|one| BASIC.contains(&one.id));
    let of_receivers = basic.flat_map(|one| one.scenarios.iter().copied());
    let of_senders = requirements::of(Role::Sender).flat_map(|one| one.scenarios.iter().copied());
    of_receivers.chain(of_senders.min_by_key(|one| one.turn)).collect()
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number =
            |text: &str| text.parse::<usize>().ok().filter(|_| text.bytes().all(|one| one.is_ascii_digit()));
        let parts = text.split_once('/').and_then(|(index, of)| Some((number(index)?, number(of)?)));
        let (index, of) = parts.ok_or_else(|| messages::not_a_shard(text))?;
        match (index, of) {
            (_, 0) => Err(messages::no_shards()),
            (_, of) if of > MOST => Err(messages::too_many_shards(MOST)),
            (index, of) if index == 0 || index > of => Err(messages::no_such_shard(index, of)),
            (index, of) => Ok(Self { index, of }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::{BASIC, Shard, common};
    use crate::suite::requirement::{Requirement, Role};
    use crate::suite::requirements;

    fn all() -> Vec<&'static Requirement> {
        requirements::all().collect()
    }

    fn ids(part: &[&Requirement]) -> Vec<&'static str> {
        part.iter().map(|one| one.id).collect()
    }

    #[test]
    fn shards_have_each_requirement_once_and_none_is_empty_without_need() {
        let all = all();
        for selected in [&all[..], &all[..7], &all[40..41], &[]] {
            for of in [1, 2, 3, 5, 16, selected.len().max(1), selected.len() + 2] {
                let parts: Vec<_> = (1..=of).map(|index| Shard { index, of }.part(selected)).collect();
                let mut together: Vec<_> = parts.iter().flat_map(|part| ids(part)).collect();
                let mut whole = ids(selected);
                together.sort_unstable();
                whole.sort_unstable();
                assert_eq!(together, whole, "of {of}");
                let empty = parts.iter().filter(|part| part.is_empty()).count();
                assert_eq!(empty, of.saturating_sub(selected.len()), "of {of}");
            }
        }
    }

    #[test]
    fn two_shards_play_no_scenario_twice_but_those_of_every_shard() {
        for role in [Role::Sender, Role::Receiver] {
            let selected: Vec<_> = requirements::of(role).collect();
            let [one, other] = [1, 2].map(|index| Shard { index, of: 2 }.part(&selected));
            assert!(one.len() > 5 && other.len() > 5, "{role:?}: {} and {}", one.len(), other.len());
            for scenario in one.iter().flat_map(|one| one.scenarios) {
                let is_shared = other.iter().any(|one| one.scenarios.contains(scenario));
                assert!(!is_shared || common().contains(scenario), "{scenario:?} of {role:?}");
            }
        }
    }

    #[test]
    fn every_shard_of_a_receiver_plays_the_basic_requirements() {
        let selected: Vec<_> = requirements::of(Role::Receiver).collect();
        for index in 1..=3 {
            let part = Shard { index, of: 3 }.part(&selected);
            let played = ids(&Shard::played(&part, &selected));
            for id in BASIC {
                assert_eq!(played.iter().filter(|other| **other == id).count(), 1, "{id}");
            }
            assert!(ids(&part).iter().all(|id| played.contains(id)));
        }
        let others: Vec<_> = selected.into_iter().filter(|one| !BASIC.contains(&one.id)).collect();
        assert_eq!(Shard::played(&others[..2], &others).len(), 2, "they are not selected");
        assert!(Shard::played(&[], &others).is_empty());
    }

    #[test]
    fn only_numbers_from_1_to_the_count_are_shards() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, of: 3 }));
        assert_eq!("1000/1000".parse(), Ok(Shard { index: 1000, of: 1000 }));
        for (text, named) in [
            ("0/3", "from 1/3 to 3/3"),
            ("4/3", "from 1/3 to 3/3"),
            ("1/0", "at least 1"),
            ("0/0", "at least 1"),
            ("1/1001", "1000"),
            ("1", "1/3"),
            ("", "1/3"),
            ("/", "1/3"),
            ("+1/3", "1/3"),
            ("1/3/5", "1/3"),
            ("1 / 3", "1/3"),
            ("a/b", "1/3"),
            ("-1/3", "1/3"),
            ("99999999999999999999/3", "1/3"),
        ] {
            let why = text.parse::<Shard>().err().unwrap_or_default();
            assert!(why.contains(named), "{text}: {why}");
        }
    }
}
