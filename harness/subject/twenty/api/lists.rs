//! The lists of an API, page by page: webhooks, objects, and the records with our mark.
//!
//! Invariant: a list that the server does not end is ended here.

use serde_json::{Map, Value};

use super::{Api, ApiError, answer, is_path_segment};
use crate::subject::twenty::error::ApiFault;
use crate::subject::twenty::mark::{FIRST_ID, LAST_ID, is_our_record};
use crate::subject::twenty::messages;
use crate::subject::twenty::permission::Permission;
use crate::subject::twenty::transport::Call;

/// The most records on a page. It is the most that Twenty allows.
const PAGE: usize = 60;
/// The most pages of one list.
const PAGES: usize = 1000;

/// A webhook of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWebhook {
    pub id: String,
    pub target_url: String,
    pub description: String,
}

/// An object of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundObject {
    pub id: String,
    /// The singular name.
    pub name: String,
    pub description: String,
}

impl Api {
    /// Every webhook of the workspace.
    pub async fn webhooks(&self) -> Result<Vec<FoundWebhook>, ApiError> {
        let webhook = |members: &Map<String, Value>| FoundWebhook {
            id: answer::text(members, "id"),
            target_url: answer::text(members, "targetUrl"),
            description: answer::text(members, "description"),
        };
        self.pages("/rest/metadata/webhooks", &[], Permission::Webhooks, webhook).await
    }

    /// Every object of the workspace.
    pub async fn objects(&self) -> Result<Vec<FoundObject>, ApiError> {
        let object = |members: &Map<String, Value>| FoundObject {
            id: answer::text(members, "id"),
            name: answer::text(members, "nameSingular"),
            description: answer::text(members, "description"),
        };
        self.pages("/rest/metadata/objects", &[], Permission::DataModel, object).await
    }

    /// The ids of the records with our mark, deleted ones included.
    pub async fn marked_records(&self, plural: &str) -> Result<Vec<String>, ApiError> {
        let range = format!("id[gte]:{FIRST_ID},id[lte]:{LAST_ID}");
        let mut found = Vec::new();
        // Deleted records are in no list unless they are asked for.
        for deleted in ["", "deletedAt[is]:NOT_NULL"] {
            let both = if deleted.is_empty() { range.clone() } else { format!("{range},{deleted}") };
            let ids = match self.ids(plural, &both).await {
                Err(error) if error.fault == ApiFault::Refused => self.ids(plural, deleted).await?,
                ids => ids?,
            };
            // Whatever the filter did, nothing else is ours.
            found.extend(ids.into_iter().filter(|id| is_our_record(id)));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    async fn ids(&self, plural: &str, filter: &str) -> Result<Vec<String>, ApiError> {
        let limit = format!("limit={PAGE}");
        let filter = format!("filter={filter}");
        let query: &[&str] = if filter == "filter=" { &[&limit] } else { &[&limit, &filter] };
        let id = |members: &Map<String, Value>| answer::text(members, "id");
        self.pages(&format!("/rest/{plural}"), query, Permission::SeeRecords, id).await
    }

    /// Every item of a list.
    async fn pages<T>(
        &self,
        path: &str,
        query: &[&str],
        permission: Permission,
        item: impl Fn(&Map<String, Value>) -> T,
    ) -> Result<Vec<T>, ApiError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let after = cursor.as_ref().map(|cursor| format!("starting_after={}", encoded(cursor)));
            let all: Vec<&str> = query.iter().copied().chain(after.as_deref()).collect();
            let query = if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) };
            let call = Call::new("GET", format!("{path}{query}"), permission);
            let answer = self.make(&call).await?;
            let (items, next) =
                answer::list(&answer).ok_or_else(|| self.unreadable(&call, "data", &answer))?;
            let is_usable = |members: &&&Map<String, Value>| is_path_segment(&answer::text(members, "id"));
            found.extend(items.iter().filter(is_usable).map(|members| item(members)));
            // A page without items, or the same cursor again, is the end whatever it says.
            if next.is_none() || items.is_empty() || next == cursor {
                return Ok(found);
            }
            cursor = next;
        }
        let call = Call::new("GET", path, permission);
        Err(ApiError::new(ApiFault::Unreadable, &self.server(), &call, &messages::pages_without_end(PAGES)))
    }
}

/// A cursor as a value in a query.
fn encoded(cursor: &str) -> String {
    url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect()
}
