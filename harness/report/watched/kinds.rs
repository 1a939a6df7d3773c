//! Which kinds of event have come: created, updated, deleted and so on, by the dialect of each delivery.
//!
//! Invariant: memory is bounded, whatever deliveries name.

use std::collections::{BTreeMap, BTreeSet};

use super::DeliveryEntry;
use crate::webhook::dialect::{self, Dialect};
use crate::webhook::event::EventName;

/// How many names of events are counted one by one.
const MOST_NAMES: usize = 200;
/// How changes of the data model are counted. Older versions of Twenty do not send them, so no coverage waits for them.
const METADATA: &str = "metadata";

/// What has come so far.
#[derive(Debug)]
pub struct Kinds {
    /// The dialect that is expected before a delivery shows its own.
    expected: &'static Dialect,
    /// Whether all deliveries must have the expected dialect.
    fixed: bool,
    /// By the name of the dialect: its kinds that have come, with how often.
    seen: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// How often each event came.
    names: BTreeMap<String, u64>,
    /// How many deliveries came whose event is not among these names.
    others: u64,
}

impl Kinds {
    /// Nothing has come. With `fixed`, only kinds of this dialect are expected.
    pub fn new(expected: &'static Dialect, fixed: bool) -> Self {
        Self { expected, fixed, seen: BTreeMap::new(), names: BTreeMap::new(), others: 0 }
    }

    pub fn add(&mut self, judged: &DeliveryEntry) {
        let Some(event) = &judged.event else {
            self.others += 1;
            return;
        };
        if self.names.len() < MOST_NAMES || self.names.contains_key(event) {
            *self.names.entry(event.clone()).or_default() += 1;
        } else {
            self.others += 1;
        }
        let Some(dialect) = judged.dialect else { return };
        let name = EventName::new(event.as_str());
        let kind = if name.is_metadata() {
            Some(METADATA)
        } else {
            dialect.actions.iter().copied().find(|action| *action == name.action())
        };
        if let Some(kind) = kind {
            *self.seen.entry(dialect.name).or_default().entry(kind).or_default() += 1;
        }
    }

    /// The kinds that have come, in their order, with how often.
    pub fn seen(&self) -> Vec<(&'static str, u64)> {
        let mut kinds: Vec<&'static str> = Vec::new();
        for kind in dialect::ALL.iter().flat_map(|one| one.actions).copied().chain([METADATA]) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let count = |kind: &'static str| self.seen.values().filter_map(|seen| seen.get(kind)).sum();
        kinds.into_iter().map(|kind| (kind, count(kind))).filter(|(_, count)| *count > 0).collect()
    }

    /// The kinds that have not come, of the dialects that have.
    pub fn missing(&self) -> Vec<&'static str> {
        let shown = |one: &&&'static Dialect| self.seen.contains_key(one.name);
        let mut dialects: Vec<&'static Dialect> = dialect::ALL.iter().filter(shown).copied().collect();
        if self.fixed || dialects.is_empty() {
            dialects = vec![self.expected];
        }
        let mut missing = BTreeSet::new();
        let mut ordered = Vec::new();
        for dialect in dialects {
            let seen = self.seen.get(dialect.name);
            for &action in dialect.actions {
                if !seen.is_some_and(|seen| seen.contains_key(action)) && missing.insert(action) {
                    ordered.push(action);
                }
            }
        }
        ordered
    }

    /// Whether every kind has come.
    pub fn are_covered(&self) -> bool {
        self.missing().is_empty()
    }

    /// How often each event came, and how many deliveries named none, or came after too many names.
    pub fn events(&self) -> (&BTreeMap<String, u64>, u64) {
        (&self.names, self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::Kinds;
    use crate::redaction::Redaction;
    use crate::report::watched::DeliveryEntry;
    use crate::webhook::dialect::{DOCUMENTED, Dialect, SHIPPED};

    fn add(kinds: &mut Kinds, dialect: &'static Dialect, event: &str) {
        let body = format!("{{\"{}\":\"{event}\"}}", dialect.event_member);
        kinds.add(&DeliveryEntry::new(dialect, body.as_bytes(), &[], &Redaction::default()));
    }

    #[test]
    fn every_kind_of_the_dialect_that_came_must_come() {
        let mut kinds = Kinds::new(&DOCUMENTED, false);
        assert_eq!(kinds.missing(), ["created", "updated", "deleted"]);
        for event in ["person.created", "company.updated", "person.gone", "note.deleted"] {
            assert!(!kinds.are_covered(), "{event}");
            add(&mut kinds, &DOCUMENTED, event);
        }
        assert!(kinds.are_covered());
        assert_eq!(kinds.seen(), [("created", 1), ("updated", 1), ("deleted", 1)]);
        add(&mut kinds, &SHIPPED, "person.created");
        add(&mut kinds, &SHIPPED, "metadata.fieldMetadata.updated");
        assert_eq!(kinds.missing(), ["updated", "deleted", "destroyed", "restored"]);
        assert_eq!(kinds.seen()[3], ("metadata", 1));
        assert_eq!(kinds.events().0["person.created"], 2);
    }

    #[test]
    fn fixed_dialect_alone_counts_and_names_are_bounded() {
        let mut kinds = Kinds::new(&SHIPPED, true);
        for event in ["a.created", "a.updated", "a.deleted"] {
            add(&mut kinds, &DOCUMENTED, event);
        }
        assert_eq!(kinds.missing().len(), 5);
        for number in 0..1000 {
            add(&mut kinds, &SHIPPED, &format!("x{number}.created"));
        }
        let (names, others) = kinds.events();
        assert_eq!((names.len(), names.values().sum::<u64>() + others), (200, 1003));
    }
}
