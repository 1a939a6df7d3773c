//! Remembers which deliveries have arrived, in little memory: a bit for an id of a load, eight bytes for any other.
//!
//! A million deliveries with ids of a load need 124 KiB per webhook. A million others need 9 to 19 MiB, depending on how full
//! the table is, and 28 MiB while it grows. Among n others, two are confused with a probability of n² in 2^65: one in
//! 37 million for a million of them.
//!
//! Memory is bounded: past a limit, deliveries are counted as untracked, not guessed to be new or duplicated.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::bench::generate::ids::{FIRST_PROBE, Numbered};

/// Words per page: 4 KiB.
const WORDS: usize = 512;
/// Numbers per page.
const PAGE: u64 = WORDS as u64 * 64;
/// The most pages of all runs together: 16 MiB, or 134 million numbers.
const MOST_PAGES: usize = 4096;
/// The most runs of all webhooks together.
const MOST_RUNS: usize = 1024;
/// The most other deliveries: 72 MiB.
const MOST_OTHERS: usize = 7_000_000;

/// Whether a delivery arrived before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    New {
        /// Whether a delivery with a higher number arrived before it.
        late: bool,
    },
    Again,
    /// Unknown: the memory limit is reached.
    Untracked,
}

#[derive(Debug, Default)]
pub struct SeenIds {
    runs: BTreeMap<(usize, u64), NumberedRun>,
    pages: usize,
    others: HashSet<u64, BuildHasherDefault<Identical>>,
}

/// The numbers of one run at one webhook.
#[derive(Debug, Default)]
pub struct NumberedRun {
    pages: BTreeMap<u64, Box<[u64; WORDS]>>,
    highest: u64,
    distinct: u64,
    untracked: u64,
    /// Whether some numbers are remembered outside of the pages.
    has_overflow: bool,
}

impl NumberedRun {
    pub fn highest(&self) -> u64 {
        self.highest
    }

    pub fn distinct(&self) -> u64 {
        self.distinct
    }

    /// How many numbers below the highest have not arrived.
    pub fn gaps(&self) -> u64 {
        (self.highest + 1).saturating_sub(self.distinct + self.untracked)
    }

    /// The first number below the highest that has not arrived, if known.
    pub fn first_gap(&self) -> Option<u64> {
        if self.has_overflow || self.gaps() == 0 {
            return None;
        }
        for (expected, (&page, words)) in (0..).zip(&self.pages) {
            if page != expected {
                return Some(expected * PAGE);
            }
            if let Some(word) = words.iter().position(|word| *word != u64::MAX) {
                return Some(page * PAGE + word as u64 * 64 + u64::from(words[word].trailing_ones()));
            }
        }
        None
    }
}

impl SeenIds {
    /// Adds a delivery with an id of a load.
    pub fn number(&mut self, webhook: usize, id: Numbered) -> Mark {
        if id.number >= FIRST_PROBE {
            // An accepted probe: it must not open a gap among valid deliveries.
            return self.other(webhook, &(id.run, id.number));
        }
        let full = self.runs.len() >= MOST_RUNS;
        let key = (webhook, id.run);
        if full && !self.runs.contains_key(&key) {
            return self.other(webhook, &(id.run, id.number));
        }
        let run = self.runs.entry(key).or_default();
        let late = run.distinct + run.untracked > 0 && id.number < run.highest;
        let page = id.number / PAGE;
        let bits = match run.pages.get_mut(&page) {
            Some(bits) => Some(bits),
            None if self.pages < MOST_PAGES => {
                self.pages += 1;
                Some(run.pages.entry(page).or_insert_with(|| Box::new([0; WORDS])))
            }
            None => None,
        };
        let mark = match bits {
            Some(bits) => {
                let (word, bit) = ((id.number % PAGE / 64) as usize, 1 << (id.number % 64));
                let again = bits[word] & bit != 0;
                bits[word] |= bit;
                if again { Mark::Again } else { Mark::New { late } }
            }
            None => {
                run.has_overflow = true;
                remember(&mut self.others, digest(&(webhook, id.run, id.number)), late)
            }
        };
        match mark {
            Mark::New { .. } => run.distinct += 1,
            Mark::Untracked => run.untracked += 1,
            Mark::Again => {}
        }
        run.highest = run.highest.max(id.number);
        mark
    }

    /// Adds a delivery that is identified in another way.
    pub fn other(&mut self, webhook: usize, what: &impl Hash) -> Mark {
        remember(&mut self.others, digest(&(webhook, what)), false)
    }

    /// The runs, each with its webhook and its digits.
    pub fn runs(&self) -> impl Iterator<Item = (usize, u64, &NumberedRun)> {
        self.runs.iter().map(|(&(webhook, run), counts)| (webhook, run, counts))
    }
}

fn remember(others: &mut HashSet<u64, BuildHasherDefault<Identical>>, digest: u64, late: bool) -> Mark {
    if others.contains(&digest) {
        Mark::Again
    } else if others.len() >= MOST_OTHERS {
        Mark::Untracked
    } else {
        others.insert(digest);
        Mark::New { late }
    }
}

/// A hash of a delivery's identity.
fn digest(what: &impl Hash) -> u64 {
    // The keys are constant: a sender that forces collisions only spoils its own accounts.
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Uses a number as its own hash, since it is a hash already.
#[derive(Debug, Default)]
struct Identical(u64);

impl Hasher for Identical {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
