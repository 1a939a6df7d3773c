//! Reports of parts of a run: of one shard, and of the two roles of a demo.

use serde::{Deserialize, Serialize};

use super::{Latency, Report, messages};
use crate::suite::shard::Shard;

/// One of several parts of a run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Which one, from 1.
    pub index: usize,
    /// How many there are.
    pub of: usize,
    /// How many requirements all of them have.
    pub selected: usize,
}

impl ShardEntry {
    /// What a report says of it that has this many requirements.
    fn note(self, count: usize) -> String {
        messages::is_shard((self.index, self.of), (count, self.selected))
    }
}

impl Report {
    /// One report of two runs at the same time, one per role.
    #[must_use]
    pub fn merged(mut self, mut other: Self) -> Self {
        self.role = "both".into();
        let shard = self.unmark_shard();
        other.unmark_shard();
        self.duration_ms = self.duration_ms.max(other.duration_ms);
        self.waited_ms = self.waited_ms.max(other.waited_ms);
        self.add_part(&mut other);
        self.absent.extend(other.absent);
        self.stopped_by.extend(other.stopped_by);
        self.notes.extend(other.notes);
        self.shard = shard;
        self.notes.splice(0..0, shard.map(|entry| entry.note(self.requirements.len())));
        self.conclude();
        self
    }

    /// Adds another part of the same run: what is counted, what happened in it, and its requirements. Its times and notes are left
    /// in it.
    pub(super) fn add_part(&mut self, other: &mut Self) {
        self.exchanges += other.exchanges;
        self.latency_us = Latency::of_both(self.latency_us.take(), other.latency_us.take());
        self.interrupted |= other.interrupted;
        self.lacks_evidence |= other.lacks_evidence;
        self.ended |= other.ended;
        self.unreached |= other.unreached;
        self.stopped |= other.stopped;
        self.out_of_time |= other.out_of_time;
        self.requirements.append(&mut other.requirements);
        self.checks.append(&mut other.checks);
    }

    /// Marks it as one of several shards, which have this many requirements together.
    pub fn mark_shard(&mut self, shard: Shard, selected: usize) {
        let entry = ShardEntry { index: shard.index, of: shard.of, selected };
        self.notes.insert(0, entry.note(self.requirements.len()));
        self.shard = Some(entry);
        self.conclude();
    }

    /// Undoes that, and returns which shard it was.
    pub(super) fn unmark_shard(&mut self) -> Option<ShardEntry> {
        let entry = self.shard.take()?;
        let note = entry.note(self.requirements.len());
        self.notes.retain(|other| *other != note);
        Some(entry)
    }
}
