//! Which deliveries have come, in little memory: a bit for each number of a load's own ids, eight bytes for any other.
//!
//! What it costs: a million deliveries with ids of a load take 124 KiB for each webhook. A million others take 9 to 19 MiB,
//! by how full the table is, and 28 MiB while it grows. Two different ones of n are taken for one another with a probability
//! of n² in 2^65: one in 37 million for a million of them.
//!
//! Invariant: bounded. Where a bound is reached, what comes further is counted as untracked, and never as something that it
//! may not be.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::bench::generate::ids::{FIRST_PROBE, Numbered};

/// How many words of bits a page has: 4 KiB.
const WORDS: usize = 512;
/// How many numbers a page is for.
const PAGE: u64 = WORDS as u64 * 64;
/// How many pages there are at most, of all runs together: 16 MiB, or 134 million numbers.
const MOST_PAGES: usize = 4096;
/// How many runs there are at most, of all webhooks together.
const MOST_RUNS: usize = 1024;
/// How many others are kept at most: 72 MiB.
const MOST_OTHERS: usize = 7_000_000;

/// What a delivery is among those that came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The first of its kind; `late` where one with a higher number came before it.
    New {
        /// Whether it is out of order.
        late: bool,
    },
    Again,
    /// There is no room left to tell.
    Untracked,
}

#[derive(Debug, Default)]
pub struct SeenIds {
    runs: BTreeMap<(usize, u64), NumberedRun>,
    pages: usize,
    others: HashSet<u64, BuildHasherDefault<AsItIs>>,
}

/// The numbers of one run at one webhook.
#[derive(Debug, Default)]
pub struct NumberedRun {
    pages: BTreeMap<u64, Box<[u64; WORDS]>>,
    highest: u64,
    distinct: u64,
    untracked: u64,
    /// Whether some are remembered elsewhere than in pages.
    beside: bool,
}

impl NumberedRun {
    pub fn highest(&self) -> u64 {
        self.highest
    }

    pub fn distinct(&self) -> u64 {
        self.distinct
    }

    /// How many numbers below the highest have not come.
    pub fn gaps(&self) -> u64 {
        (self.highest + 1).saturating_sub(self.distinct + self.untracked)
    }

    /// The first number below the highest that has not come, where that is known.
    pub fn first_gap(&self) -> Option<u64> {
        if self.beside || self.gaps() == 0 {
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
    /// Takes a delivery with an id of a load.
    pub fn number(&mut self, webhook: usize, id: Numbered) -> Mark {
        if id.number >= FIRST_PROBE {
            // What must be refused was not: that leaves no gap among the others.
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
                run.beside = true;
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

    /// Takes a delivery that something else tells apart.
    pub fn other(&mut self, webhook: usize, what: &impl Hash) -> Mark {
        remember(&mut self.others, digest(&(webhook, what)), false)
    }

    /// The runs, each with its webhook and its number.
    pub fn runs(&self) -> impl Iterator<Item = (usize, u64, &NumberedRun)> {
        self.runs.iter().map(|(&(webhook, run), counts)| (webhook, run, counts))
    }
}

fn remember(others: &mut HashSet<u64, BuildHasherDefault<AsItIs>>, digest: u64, late: bool) -> Mark {
    if others.contains(&digest) {
        Mark::Again
    } else if others.len() >= MOST_OTHERS {
        Mark::Untracked
    } else {
        others.insert(digest);
        Mark::New { late }
    }
}

/// 64 bits of what tells a delivery apart.
fn digest(what: &impl Hash) -> u64 {
    // Its keys are constants: a sender that is out for collisions would deceive itself alone.
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Takes a number that is spread over all bits already for its own hash.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
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
