//! The record ids of a load: numbered UUIDs, so that lost, duplicated and reordered deliveries are found by counting.
//!
//! An id contains a run, which includes a check of its own digits, and a small number. A random UUID passes for such an id
//! in one of 2^50 cases.
//!
//! Two numbers of a run never give the same id, and an id gives back its run and number.

use std::ops::RangeInclusive;

/// The length of a UUID in text.
pub const ID_LENGTH: usize = 36;
/// The id in a template, replaced for each delivery.
pub(in crate::bench) const PLACEHOLDER: &str = "00000000-0000-4000-8000-000000000000";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    run: u64,
}

/// The content of an id of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numbered {
    /// The run: 60 bits, with their check.
    pub run: u64,
    /// The delivery's number in the run, counted from 0.
    pub number: u64,
}

/// The number of a run's first probe. Probes have their own range: a rejected probe leaves no gap among valid deliveries.
pub const FIRST_PROBE: u64 = 1 << (NUMBER_BITS - 1);
/// The most bits of a number.
const NUMBER_BITS: u32 = 36;
/// How many bits of a run check the others.
const CHECK_BITS: u32 = 24;

/// The places of the run's digits in the id, and of the number's. The version and the variant are between them.
const RUN: [RangeInclusive<usize>; 3] = [0..=7, 9..=12, 15..=17];
const NUMBER: [RangeInclusive<usize>; 2] = [20..=22, 24..=35];

impl Ids {
    /// The ids of the run of a seed.
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
        // Only digits and hyphens, so nothing is lost.
        String::from_utf8_lossy(&id).into_owned()
    }

    /// The run, as [`Ids::read`] returns it.
    pub fn run(self) -> u64 {
        self.run
    }

    /// Overwrites an id with that of a number.
    pub fn write(self, number: u64, id: &mut [u8; ID_LENGTH]) {
        id.copy_from_slice(PLACEHOLDER.as_bytes());
        digits(self.run, &RUN, id);
        digits(number, &NUMBER, id);
    }

    /// Reads an id; `None` if it is not an id of a load.
    pub fn read(id: &[u8]) -> Option<Numbered> {
        let fixed = |at: usize| id[at] == PLACEHOLDER.as_bytes()[at];
        if id.len() != ID_LENGTH || ![8, 13, 14, 18, 19, 23].into_iter().all(fixed) {
            return None;
        }
        let (run, number) = (value(&RUN, id)?, value(&NUMBER, id)?);
        let valid = number >> NUMBER_BITS == 0 && checked(run >> CHECK_BITS) == run;
        valid.then_some(Numbered { run, number })
    }
}

/// Spreads a number over all bits, so that small numbers differ in many digits (the finaliser of SplitMix64).
fn spread(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The digits of a run, followed by their check.
fn checked(digits: u64) -> u64 {
    digits << CHECK_BITS | (spread(!digits) & ((1 << CHECK_BITS) - 1))
}

/// Writes the last digits of a number into these places.
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
