//! Finds and removes what runs made in a CRM: by its marks, or from a list.
//!
//! Invariant: nothing without a mark is removed. Webhooks go first, so that the removal of the rest is not delivered; a custom
//! object goes last, with its records.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::api::Api;
use super::error::{ApiError, ApiFault};
use super::records::STANDARD;
use super::{mark, messages};

/// Something that a run made. The order is that of the removal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Made {
    Webhook {
        id: String,
        url: String,
    },
    Record {
        /// The plural name of its object.
        plural: String,
        id: String,
    },
    /// A custom object with its records.
    Object {
        id: String,
        name: String,
    },
}

/// What was found by its mark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// In the order of the removal.
    pub made: Vec<Made>,
    /// Where nothing could be looked for: what and why, as sentences.
    pub unseen: Vec<String>,
}

/// What was removed, and what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    pub removed: Vec<Made>,
    /// What could not be removed, or looked for: sentences.
    pub left: Vec<String>,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Webhook { id, url } => messages::webhook(id, url),
            Self::Record { plural, id } => messages::record(plural, id),
            Self::Object { id, name } => messages::custom_object(name, id),
        })
    }
}

impl Removal {
    /// Whether nothing is left.
    pub fn is_complete(&self) -> bool {
        self.left.is_empty()
    }

    /// One line about what was removed.
    pub fn summary(&self) -> String {
        if self.removed.is_empty() {
            return messages::nothing_to_remove().to_owned();
        }
        messages::removed(&counts(&self.removed))
    }

    /// What is left and how to remove it, one line each; empty if nothing is left.
    pub fn complaints(&self) -> Vec<String> {
        let advice = (!self.left.is_empty()).then(|| messages::clean_up_later().to_owned());
        self.left.iter().cloned().chain(advice).collect()
    }
}

/// How many webhooks, records and custom objects these are.
pub fn counts(made: &[Made]) -> String {
    let count = |is: fn(&Made) -> bool| made.iter().filter(|one| is(one)).count();
    messages::counts(
        count(|one| matches!(one, Made::Webhook { .. })),
        count(|one| matches!(one, Made::Record { .. })),
        count(|one| matches!(one, Made::Object { .. })),
    )
}

/// Finds everything with a mark, of this run and of others.
///
/// Errors: webhooks cannot be listed, so the server is no Twenty, cannot be reached, or does not accept the key.
pub async fn find(api: &Api) -> Result<Leftovers, ApiError> {
    let mut found = Leftovers::default();
    for webhook in api.webhooks().await? {
        if mark::is_our_webhook(&webhook.target_url, &webhook.description) {
            found.made.push(Made::Webhook { id: webhook.id, url: webhook.target_url });
        }
    }
    for object in STANDARD {
        match api.marked_records(object.plural).await {
            Ok(ids) => {
                let record = |id| Made::Record { plural: object.plural.to_owned(), id };
                found.made.extend(ids.into_iter().map(record));
            }
            // A workspace may have deactivated the object.
            Err(error) if matches!(error.fault, ApiFault::NotFound | ApiFault::NoRoute) => {}
            Err(error) => found.unseen.push(messages::could_not_look(object.plural, error)),
        }
    }
    match api.objects().await {
        Ok(objects) => {
            let ours = objects.into_iter().filter(|one| mark::is_our_object(&one.name, &one.description));
            found.made.extend(ours.map(|one| Made::Object { id: one.id, name: one.name }));
        }
        Err(error) => found.unseen.push(messages::could_not_look("objects", error)),
    }
    found.made.sort();
    Ok(found)
}

/// Removes these, in the right order, within this time. What cannot be removed does not keep the rest.
pub async fn remove(api: &Api, made: Vec<Made>, within: Duration) -> Removal {
    let deadline = Instant::now() + within;
    let mut removal = Removal::default();
    let mut made = made;
    made.sort();
    let mut rest = made.into_iter();
    while let Some(one) = rest.next() {
        let removed = async {
            match remove_one(api, &one).await {
                // It may work a moment later, and the run has no later chance.
                Err(error) if error.fault == ApiFault::ServerFailed => remove_one(api, &one).await,
                other => other,
            }
        };
        match timeout_at(deadline, removed).await {
            Ok(Ok(())) => removal.removed.push(one),
            Ok(Err(why)) => {
                let is_gone = why.fault == ApiFault::Unreachable;
                removal.left.push(messages::not_removed(&one, why));
                let others: Vec<Made> = if is_gone { rest.by_ref().collect() } else { Vec::new() };
                if !others.is_empty() {
                    removal.left.push(messages::rest_not_removed(&counts(&others)));
                }
            }
            Err(_) => removal.left.push(messages::not_removed(&one, messages::no_time_left())),
        }
    }
    removal
}

async fn remove_one(api: &Api, one: &Made) -> Result<(), ApiError> {
    match one {
        Made::Webhook { id, .. } => api.delete_webhook(id).await,
        // Marks are checked once more where something is removed permanently.
        Made::Record { id, .. } if !mark::is_our_record(id) => Ok(()),
        Made::Record { plural, id } => api.destroy_record(plural, id).await.map(drop),
        Made::Object { id, .. } => api.delete_object(id).await,
    }
}

/// Finds everything with a mark and removes it. `removing` is called with how many things will be removed.
///
/// Errors: as those of [`find`].
pub async fn clean_up(api: &Api, removing: &(dyn Fn(usize) + Sync)) -> Result<Removal, ApiError> {
    let Leftovers { made, unseen } = find(api).await?;
    removing(made.len());
    let within = time_to_remove(api, made.len());
    let mut removal = remove(api, made, within).await;
    removal.left.extend(unseen);
    Ok(removal)
}

/// The longest time that the removal of `count` things takes, with the calls before it.
pub fn time_to_remove(api: &Api, count: usize) -> Duration {
    /// How long the calls themselves may take.
    const AT_LEAST: Duration = Duration::from_secs(30);
    let limits = api.pace().limits();
    AT_LEAST + limits.time_for(count + limits.per_minute)
}
