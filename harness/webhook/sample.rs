//! The sample events under `fixtures/events/`, compiled in.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::webhook::event::{EventName, raw};

include!(concat!(env!("OUT_DIR"), "/events.rs"));

/// The custom object of the samples. A receiver may not know custom objects.
pub(crate) const CUSTOM_OBJECT: &str = "rocket";

/// A sample event of `fixtures/events/`: one file, with a record for each dialect that has the event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Sample {
    pub(crate) event: EventName,
    /// Of dialect `documented`.
    pub(crate) updated_fields: Option<Vec<String>>,
    pub(crate) documented: Option<Box<RawValue>>,
    pub(crate) shipped_updated_fields: Option<Vec<String>>,
    pub(crate) shipped: Option<Box<RawValue>>,
}

/// Every sample event, by name.
pub(crate) fn samples() -> &'static [Sample] {
    static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
        let parse = |(file, text): &(&str, &str)| {
            // Compiled in, and parsed by a test: a malformed file never ships.
            let sample = serde_json::from_str(text);
            let mut sample: Sample = sample.unwrap_or_else(|e| unreachable!("fixtures/events/{file}: {e}"));
            for record in [&mut sample.documented, &mut sample.shipped].into_iter().flatten() {
                // The file is formatted for people. On the wire, it is as `JSON.stringify` prints it.
                let value: Value = serde_json::from_str(record.get()).unwrap_or_default();
                *record = raw(&value);
            }
            sample
        };
        EVENT_FILES.iter().map(parse).collect()
    });
    &SAMPLES
}

/// Whether an event is about a standard object, not a custom one or metadata.
pub(crate) fn is_standard(event: &EventName) -> bool {
    !event.is_metadata() && event.object() != CUSTOM_OBJECT
}
