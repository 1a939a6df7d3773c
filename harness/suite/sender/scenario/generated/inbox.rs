//! Which requests of an endpoint carry which record.
//!
//! Invariant: each request is looked through once, however often the endpoint is asked.

use std::collections::HashMap;

use crate::suite::transcript::uuids;
use crate::wire::endpoint::scripted::Received;

/// The requests of one endpoint, by the records that they carry.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    places: HashMap<String, Vec<usize>>,
    /// What each request carries.
    carried: Vec<Vec<String>>,
}

impl Inbox {
    /// Looks through what has come since.
    pub(super) fn read(&mut self, received: &[Received]) {
        for (place, one) in received.iter().enumerate().skip(self.carried.len()) {
            let mut carried = Vec::new();
            for id in uuids(&one.delivery.body) {
                let places = self.places.entry(id.to_owned()).or_default();
                // An id may stand in a body more than once.
                if places.last() != Some(&place) {
                    places.push(place);
                    carried.push(id.to_owned());
                }
            }
            self.carried.push(carried);
        }
    }

    /// Where the requests stand that carry a record.
    pub(super) fn of(&self, id: &str) -> &[usize] {
        self.places.get(id).map_or(&[], Vec::as_slice)
    }

    /// What else stands in the requests that carry a record, that record included.
    pub(super) fn along<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let places = self.of(id).to_vec();
        places.into_iter().flat_map(|place| self.carried(place)).map(String::as_str)
    }

    /// The UUIDs that stand in a request, those of records among them.
    pub(super) fn carried(&self, place: usize) -> &[String] {
        self.carried.get(place).map_or(&[], Vec::as_slice)
    }
}
