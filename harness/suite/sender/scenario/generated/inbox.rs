//! Which requests at an endpoint carry which record.
//!
//! Invariant: each request is searched once, however often the endpoint is asked.

use std::collections::HashMap;

use crate::wire::coding::record_ids;
use crate::wire::endpoint::scripted::Received;

/// How many ids of one request are kept: far more than any event of the suite has.
const MOST_IDS: usize = 256;

/// The requests of one endpoint, by the records that they carry.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    places: HashMap<String, Vec<usize>>,
    /// The ids in each request.
    carried: Vec<Vec<String>>,
}

impl Inbox {
    /// Reads new arrivals.
    pub(super) fn read(&mut self, received: &[Received]) {
        for (place, one) in received.iter().enumerate().skip(self.carried.len()) {
            let mut carried = Vec::new();
            for id in record_ids(&one.delivery).into_iter().take(MOST_IDS) {
                let places = self.places.entry(id.clone()).or_default();
                // A body may contain an id more than once.
                if places.last() != Some(&place) {
                    places.push(place);
                    carried.push(id);
                }
            }
            self.carried.push(carried);
        }
    }

    /// How many requests were read.
    pub(super) fn count(&self) -> usize {
        self.carried.len()
    }

    /// The places of the requests that carry a record.
    pub(super) fn of(&self, id: &str) -> &[usize] {
        self.places.get(id).map_or(&[], Vec::as_slice)
    }

    /// All ids in the requests that carry a record, including its own.
    pub(super) fn ids_with<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let places = self.of(id).to_vec();
        places.into_iter().flat_map(|place| self.carried(place)).map(String::as_str)
    }

    /// The UUIDs in a request, including those of records.
    pub(super) fn carried(&self, place: usize) -> &[String] {
        self.carried.get(place).map_or(&[], Vec::as_slice)
    }
}
