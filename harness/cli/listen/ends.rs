//! What ends `listen`, and with which status.

use std::fmt;

use super::messages;
use crate::exit::ExitStatus;
use crate::report::watched::wanted::Condition;
use crate::webhook::dialect::SHIPPED;

/// How alike two actions must be for one to be meant by the other.
const LIKE: f64 = 0.4;

/// The conditions of one `--wait-for`.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    text: String,
    pub(super) conditions: Vec<Condition>,
}

impl Wanted {
    /// Reads the value of the option. Errors: it is no condition.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), conditions: Condition::parse_all(text)? })
    }

    /// Notes on conditions that no event of Twenty meets.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.conditions.iter().filter_map(unusual_event)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Nothing: a signal or a key ends it.
    Asked,
    /// A number of deliveries.
    Count(u64),
    /// A delivery that meets the conditions.
    Match,
    /// Every kind of event.
    Covered,
}

/// Why it ended before what it waited for came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Early {
    Signal,
    /// The key for the end.
    Key,
    TimedOut,
}

impl Until {
    /// The exit status, given that of the deliveries and whether what it waited for has come.
    pub(super) fn exit(self, of_deliveries: ExitStatus, came: bool, early: Option<Early>) -> ExitStatus {
        let is_due = match self {
            Self::Asked => false,
            Self::Count(_) => early == Some(Early::TimedOut),
            Self::Match | Self::Covered => true,
        };
        if of_deliveries == ExitStatus::Passed && is_due && !came {
            ExitStatus::Incomplete
        } else {
            of_deliveries
        }
    }
}

/// The note on a condition that no event of Twenty meets: it may be a slip, or the sender has events of its own.
fn unusual_event(condition: &Condition) -> Option<String> {
    let pattern = condition.event()?;
    let actions: Vec<&str> = SHIPPED.actions.to_vec();
    let (object, action) = pattern.rsplit_once('.').unwrap_or((pattern, ""));
    if action.contains('*') || (action.is_empty() && object.contains('*')) || actions.contains(&action) {
        return None;
    }
    let likeness = |one: &&str| strsim::normalized_damerau_levenshtein(action, one);
    let nearest = actions.iter().copied().filter(|one| likeness(one) >= LIKE);
    let nearest = nearest.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let nearest = nearest.map(|nearest| format!("{object}.{nearest}"));
    Some(messages::no_such_event(pattern, &actions, nearest.as_deref()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::Wanted;

    #[test]
    fn events_that_twenty_does_not_send_are_noted() {
        for (condition, words) in [
            ("event=person.update", "did you mean person.updated?"),
            ("event=*.delted", "did you mean *.deleted?"),
            ("event=person", "names end in .created, "),
            ("record=r1&event=person.merged", "no event of Twenty is named person.merged"),
        ] {
            let notes: Vec<String> = Wanted::parse(condition).unwrap().notes().collect();
            assert!(matches!(&notes[..], [note] if note.contains(words)), "{condition}: {notes:?}");
        }
        for condition in ["event=person.updated", "event=*.restored", "event=person.*", "event=*", "record=x"]
        {
            assert_eq!(Wanted::parse(condition).unwrap().notes().count(), 0, "{condition}");
        }
    }
}
