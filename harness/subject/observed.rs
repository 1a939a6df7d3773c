//! The deliveries that a receiver says it processed.
//!
//! Invariant: bounded. Repeats are counted, and past the budget only the number of further observations is kept.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::budget::{OBSERVATIONS, OBSERVED_NAME};

/// What a receiver says about a delivery that it processed (interface, section 3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Observed {
    pub event: String,
    /// The record's id, if the receiver found one.
    #[serde(default)]
    pub id: Option<String>,
}

/// An observation in the text that it is read from.
#[derive(Debug, Deserialize)]
pub(super) struct ObservedText<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
}

/// Everything that a receiver observed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Observations {
    /// How often each was observed.
    #[serde(with = "pairs")]
    times: HashMap<Observed, usize>,
    /// How many bytes they take.
    bytes: usize,
    /// How many were observed, including those that are not kept.
    count: u64,
    /// How many are not kept: they are too long, or the budget is used up.
    cut: u64,
}

/// As pairs: in JSON, a name in a map is a text.
mod pairs {
    use std::collections::HashMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Observed;

    pub(super) fn serialize<S: Serializer>(
        times: &HashMap<Observed, usize>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let mut pairs: Vec<_> = times.iter().collect();
        pairs.sort_by(|(one, _), (other, _)| (&one.id, &one.event).cmp(&(&other.id, &other.event)));
        pairs.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<HashMap<Observed, usize>, D::Error> {
        Ok(Vec::<(Observed, usize)>::deserialize(from)?.into_iter().collect())
    }
}

impl Observations {
    /// The memory of an entry without its text.
    const OVERHEAD: usize = 128;

    pub fn add(&mut self, observed: Observed) {
        self.count += 1;
        if let Some(times) = self.times.get_mut(&observed) {
            *times += 1;
            return;
        }
        let id = observed.id.as_ref().map_or(0, String::len);
        let cost = Self::OVERHEAD + observed.event.len() + id;
        let is_short = observed.event.len() <= OBSERVED_NAME && id <= OBSERVED_NAME;
        if is_short && self.bytes + cost <= OBSERVATIONS {
            self.bytes += cost;
            self.times.insert(observed, 1);
        } else {
            self.cut += 1;
        }
    }

    /// The same for text that is copied only if it is kept.
    pub(super) fn add_text(&mut self, text: ObservedText<'_>) {
        let id = text.id.as_ref().map_or(0, |id| id.len());
        if text.event.len() > OBSERVED_NAME || id > OBSERVED_NAME {
            self.count += 1;
            self.cut += 1;
        } else {
            self.add(Observed { event: text.event.into_owned(), id: text.id.map(Cow::into_owned) });
        }
    }

    /// Adds everything of another process of the same receiver.
    pub fn extend(&mut self, other: Self) {
        self.count += other.cut;
        self.cut += other.cut;
        for (observed, times) in other.times {
            for _ in 0..times {
                self.add(observed.clone());
            }
        }
    }

    /// How often this was observed.
    pub fn times(&self, wanted: &Observed) -> usize {
        self.times.get(wanted).copied().unwrap_or_default()
    }

    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many of them are not kept.
    pub fn cut(&self) -> u64 {
        self.cut
    }
}

#[cfg(test)]
mod tests {
    use super::{Observations, Observed};
    use crate::budget::{OBSERVATIONS, OBSERVED_NAME};

    #[test]
    fn keeps_a_bounded_part_and_counts_the_rest() {
        let of = |event: &str, id: usize| Observed { event: event.to_owned(), id: Some(id.to_string()) };
        let mut all = Observations::default();
        for _ in 0..3 {
            all.add(of("person.created", 0));
        }
        all.add(of(&"x".repeat(OBSERVED_NAME + 1), 0));
        assert_eq!((all.times(&of("person.created", 0)), all.count(), all.cut()), (3, 4, 1));
        for id in 0..OBSERVATIONS / Observations::OVERHEAD {
            all.add(of("company.created", id));
        }
        assert!(all.bytes <= OBSERVATIONS && all.cut() > 1, "{} {}", all.bytes, all.cut());
        all.add(of("person.created", 0));
        assert_eq!(all.times(&of("person.created", 0)), 4, "one that is kept is still counted");
    }
}
