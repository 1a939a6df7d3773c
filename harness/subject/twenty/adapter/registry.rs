//! Everything that a run made in a CRM and has not removed yet.
//!
//! Invariant: something is noted before the call that makes it, because the call may be carried out without an answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::subject::twenty::cleanup::Made;
use crate::subject::twenty::records::SetMembers;

/// What a run made.
#[derive(Debug, Default)]
pub(super) struct Registry {
    /// The webhooks by id, with their URLs.
    pub(super) webhooks: BTreeMap<String, String>,
    /// How many registrations have no answer.
    pub(super) unanswered_webhooks: usize,
    /// The records by id.
    pub(super) records: BTreeMap<String, MadeRecord>,
    pub(super) custom: Option<CustomObject>,
    /// Members that this version refuses, with their objects.
    pub(super) refused: BTreeSet<(String, &'static str)>,
    /// How many updates there were.
    pub(super) updates: usize,
}

/// A record that was made.
#[derive(Debug, Clone)]
pub(super) struct MadeRecord {
    /// The singular name of its object.
    pub(super) object: String,
    pub(super) plural: String,
    pub(super) members: SetMembers,
    pub(super) life: Life,
}

/// Where a record is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Its creation was not answered.
    Unknown,
    Live,
    /// Deleted, and can be restored.
    Deleted,
}

/// The custom object of a run.
#[derive(Debug, Clone)]
pub(super) struct CustomObject {
    /// `None` if its creation was not answered.
    pub(super) id: Option<String>,
    /// `None` until the field is made.
    pub(super) field: Option<String>,
    pub(super) singular: String,
    pub(super) plural: String,
}

impl Registry {
    /// What is to be removed. The records of the custom object go with it.
    pub(super) fn made(&self) -> Vec<Made> {
        let webhook = |(id, url): (&String, &String)| Made::Webhook { id: id.clone(), url: url.clone() };
        let mut made: Vec<Made> = self.webhooks.iter().map(webhook).collect();
        let custom = self.custom.as_ref().map(|custom| custom.plural.as_str());
        let singly = self.records.iter().filter(|(_, record)| Some(record.plural.as_str()) != custom);
        made.extend(singly.map(|(id, one)| Made::Record { plural: one.plural.clone(), id: id.clone() }));
        if let Some(CustomObject { id: Some(id), singular, .. }) = &self.custom {
            made.push(Made::Object { id: id.clone(), name: singular.clone() });
        }
        made
    }

    /// Forgets what was removed.
    pub(super) fn forget(&mut self, removed: &[Made]) {
        for one in removed {
            match one {
                Made::Webhook { id, .. } => {
                    self.webhooks.remove(id);
                }
                Made::Record { id, .. } => {
                    self.records.remove(id);
                }
                Made::Object { .. } => {
                    let gone = self.custom.take().map(|custom| custom.plural);
                    self.records.retain(|_, record| Some(&record.plural) != gone.as_ref());
                }
            }
        }
    }
}
