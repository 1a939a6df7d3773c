//! A delivery that was judged, with all that is known of it: as an object for programs, and its exit status.

use serde_json::{Map, Value, json};

use super::DeliveryEntry;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::suite::requirement::Level;
use crate::suite::traffic::listening::Storage;
use crate::webhook::dialect::rfc3339;
use crate::wire::client::forwarding::Forwarded;
use crate::wire::exchange::Exchange;

/// A delivery that was judged.
#[derive(Debug)]
pub struct Seen<'a> {
    pub exchange: &'a Exchange,
    pub storage: &'a Storage,
    /// How its forwarding ended, if it was forwarded.
    pub forwarded: Option<&'a Forwarded>,
    pub judged: &'a DeliveryEntry,
}

impl Seen<'_> {
    /// The delivery as an object for programs.
    pub(super) fn json(&self, redaction: &Redaction) -> Map<String, Value> {
        let Self { exchange, storage, forwarded, judged } = self;
        let delivery = &exchange.delivery;
        let mut object = Map::new();
        object.insert("number".to_owned(), exchange.id.0.into());
        object.insert("at".to_owned(), rfc3339(exchange.at_ms).into());
        object.insert("at_ms".to_owned(), exchange.at_ms.into());
        object.insert("method".to_owned(), redaction.text(&delivery.method).into());
        object.insert("target".to_owned(), redaction.text(&delivery.target).into());
        object.insert("bytes".to_owned(), delivery.body.len().into());
        object.insert("status".to_owned(), exchange.outcome.status().into());
        match forwarded {
            Some(Forwarded::Answered(status)) => {
                object.insert("forwarded".to_owned(), json!({ "status": status }));
            }
            Some(Forwarded::Lost(why)) => {
                object.insert("forwarded".to_owned(), json!({ "failed": redaction.text(why) }));
            }
            None => {}
        }
        if **storage != Storage::Unasked {
            object.insert("stored".to_owned(), (**storage == Storage::Stored).into());
        }
        if let Ok(Value::Object(judged)) = serde_json::to_value(judged) {
            object.extend(judged);
        }
        object
    }

    /// The exit status for it alone.
    pub fn exit(&self, fail_on: Level) -> ExitStatus {
        if matches!(self.storage, Storage::Failed(_)) {
            ExitStatus::Harness
        } else if self.forwarded.is_some_and(|forwarded| !forwarded.is_taken()) {
            ExitStatus::Failed
        } else {
            self.judged.exit(fail_on)
        }
    }
}
