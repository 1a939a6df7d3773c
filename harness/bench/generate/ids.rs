//! The record ids of a load: shaped like UUIDs, one after the other, so that a receiver of them can tell lost, doubled
//! and reordered ones by counting.
//!
//! A run carries a check of its own digits and a number is small, so that a UUID from elsewhere is taken for one of these
//! in one of 2^50 cases: random ones have two digits in common with ours and no more.
//!
//! Invariant: two numbers of one run never give the same id, and an id gives its run and its number back.

use std::ops::RangeInclusive;

/// How long an id is, as a UUID is.
pub const ID_LENGTH: usize = 36;
/// The id that stands in a template where each delivery gets its own.
pub(in crate::bench) const PLACEHOLDER: &str = "00000000-0000-4000-8000-000000000000";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    run: u64,
}

/// What an id of a load says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numbered {
    /// The run, 60 bits with their check.
    pub run: u64,
    /// The delivery's number in the run, counted from 0.
    pub number: u64,
}

/// The number of a run's first probe. Probes are counted by themselves: what must be refused leaves no gap among what must
/// arrive.
pub const FIRST_PROBE: u64 = 1 << (NUMBER_BITS - 1);
/// How many bits a number has at most.
const NUMBER_BITS: u32 = 36;
/// How many bits of a run are the check of the others.
const CHECK_BITS: u32 = 24;

/// Where the digits of the run stand in the id, and those of the number. Between them stand the version and the variant.
const RUN: [RangeInclusive<usize>; 3] = [0..=7, 9..=12, 15..=17];
const NUMBER: [RangeInclusive<usize>; 2] = [20..=22, 24..=35];

impl Ids {
    /// The ids of the run with that seed.
    pub fn of(seed: u64) -> Self {
        let digits = spread(seed) >> (64 - (60 - CHECK_BITS));
        Self { run: checked(digits) }
    }

    pub fn of_run(run: u64) -> Self {
        Self { run }
    }

    pub fn id(self, number: u64) -> String {
        let mut id = [0; ID_LENGTH];
        self.write(number, &mut id);
        // Digits and hyphens.
        String::from_utf8_lossy(&id).into_owned()
    }

    /// The run's number, as it comes back from [`Ids::read`].
    pub fn run(self) -> u64 {
        self.run
    }

    /// Writes the id of a number over what stands there.
    pub fn write(self, number: u64, id: &mut [u8; ID_LENGTH]) {
        id.copy_from_slice(PLACEHOLDER.as_bytes());
        digits(self.run, &RUN, id);
        digits(number, &NUMBER, id);
    }

    /// Reads an id. `None` where it is none of a load's.
    pub fn read(id: &[u8]) -> Option<Numbered> {
        let fixed = |at: usize| id[at] == PLACEHOLDER.as_bytes()[at];
        if id.len() != ID_LENGTH || ![8, 13, 14, 18, 19, 23].into_iter().all(fixed) {
            return None;
        }
        let (run, number) = (value(&RUN, id)?, value(&NUMBER, id)?);
        let ours = number >> NUMBER_BITS == 0 && checked(run >> CHECK_BITS) == run;
        ours.then_some(Numbered { run, number })
    }
}

/// A number spread over all bits, so that small ones differ in more than one digit (the finaliser of SplitMix64).
fn spread(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The digits of a run with their check after them.
fn checked(digits: u64) -> u64 {
    digits << CHECK_BITS | (spread(!digits) & ((1 << CHECK_BITS) - 1))
}

/// Writes the last digits of a number into these places, the most significant first.
fn digits(mut number: u64, places: &[RangeInclusive<usize>], id: &mut [u8; ID_LENGTH]) {
    for place in places.iter().rev() {
        for at in place.clone().rev() {
            id[at] = b"0123456789abcdef"[(number & 0xf) as usize];
            number >>= 4;
        }
    }
}

fn value(places: &[RangeInclusive<usize>], id: &[u8]) -> Option<u64> {
    let mut value = 0;
    for at in places.iter().cloned().flatten() {
        let digit = match id[at] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u64::from(digit);
    }
    Some(value)
}
