//! A CRM in memory, which knows the routes and can fail on one of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::subject::twenty::transport::{Call, Transport};
use crate::wire::exchange::{Outcome, Response};

/// How the CRM answers the calls whose names begin so.
type Fault = (&'static str, fn() -> Outcome);

/// A CRM in memory.
#[derive(Default)]
pub(super) struct Memory {
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) calls: Vec<String>,
    pub(super) webhooks: BTreeMap<String, Value>,
    pub(super) objects: BTreeMap<String, Value>,
    /// Records by plural name and id; deleted ones have `deletedAt`.
    pub(super) records: BTreeMap<(String, String), Value>,
    made: usize,
    pub(super) has_newer_restore: bool,
    pub(super) refuses_filters: bool,
}

pub(super) fn answer(status: u16, body: &Value) -> Outcome {
    Outcome::Answered(Response { status, body: body.to_string().into(), ..Response::default() })
}

fn no_such(what: &str) -> Outcome {
    answer(400, &json!({ "statusCode": 400, "messages": [format!("{what} not found")] }))
}

impl State {
    fn id(&mut self) -> String {
        self.made += 1;
        format!("00000000-0000-4000-8000-{:012}", self.made)
    }

    pub(super) fn create(&mut self, plural: &str, mut record: Value) -> Result<Value, Outcome> {
        let id = record["id"].as_str().map_or_else(|| self.id(), str::to_owned);
        record["id"] = json!(id);
        let key = (plural.to_owned(), id);
        if self.records.contains_key(&key) {
            return Err(answer(400, &json!({ "messages": ["A duplicate entry was detected"] })));
        }
        self.records.insert(key, record.clone());
        Ok(record)
    }

    fn page(&self, plural: &str, query: &str) -> Outcome {
        if self.refuses_filters && query.contains("id[gte]") {
            return answer(400, &json!({ "messages": ["invalid filter"] }));
        }
        let wants_deleted = query.contains("deletedAt[is]:NOT_NULL");
        let after = query.split("starting_after=").nth(1).unwrap_or_default();
        let mut all = self.records.iter().filter(|((of, id), record)| {
            of == plural && id.as_str() > after && record["deletedAt"].is_null() != wants_deleted
        });
        let page: Vec<Value> = all.by_ref().take(2).map(|(_, record)| record.clone()).collect();
        let end = page.last().map(|record| record["id"].clone());
        let page_info = json!({ "hasNextPage": all.next().is_some(), "endCursor": end });
        answer(200, &json!({ "data": { plural: page }, "pageInfo": page_info }))
    }

    fn play(&mut self, call: &Call) -> Outcome {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let body: Value =
            call.body.as_deref().map(|body| serde_json::from_str(body).unwrap()).unwrap_or_default();
        let all = |map: &BTreeMap<String, Value>| map.values().cloned().collect::<Vec<Value>>();
        match (call.method, parts.as_slice()) {
            ("GET", ["client-config"]) => answer(200, &json!({ "appVersion": "2.31.0" })),
            ("GET", ["rest", "metadata", "webhooks"]) => answer(200, &json!({ "data": all(&self.webhooks) })),
            ("GET", ["rest", "metadata", "objects"]) => {
                answer(200, &json!({ "data": { "objects": all(&self.objects) } }))
            }
            ("GET", ["rest", plural]) => self.page(plural, query),
            ("POST", ["rest", "metadata", kind]) => {
                let mut made = body;
                made["id"] = json!(self.id());
                let id = made["id"].as_str().unwrap().to_owned();
                match *kind {
                    "webhooks" => drop(self.webhooks.insert(id, made.clone())),
                    "objects" => drop(self.objects.insert(id, made.clone())),
                    _ => {}
                }
                answer(201, &if *kind == "webhooks" { made } else { json!({ "data": { "made": made } }) })
            }
            ("DELETE", ["rest", "metadata", "webhooks", id]) => match self.webhooks.remove(*id) {
                Some(_) => answer(200, &json!(true)),
                None => no_such("webhook"),
            },
            ("DELETE", ["rest", "metadata", "objects", id]) => match self.objects.remove(*id) {
                Some(object) => {
                    let plural = object["namePlural"].clone();
                    self.records.retain(|(of, _), _| plural != of.as_str());
                    answer(200, &json!({ "data": { "deleted": object } }))
                }
                None => no_such("object"),
            },
            ("POST", ["rest", "batch", plural]) => {
                let made: Result<Vec<Value>, Outcome> =
                    body.as_array().unwrap().iter().map(|one| self.create(plural, one.clone())).collect();
                made.map_or_else(|why| why, |made| answer(201, &json!({ "data": { "created": made } })))
            }
            ("POST", ["rest", plural]) => {
                let made = self.create(plural, body);
                made.map_or_else(|why| why, |made| answer(201, &json!({ "data": { "created": made } })))
            }
            ("PATCH", ["rest", "restore", plural]) => {
                let id = query.split("id[eq]:").nth(1).unwrap();
                self.patch(plural, id, &json!({ "deletedAt": null }))
            }
            ("PATCH", ["rest", plural, id, "restore"]) if self.has_newer_restore => {
                self.patch(plural, id, &json!({ "deletedAt": null }))
            }
            ("PATCH", ["rest", plural, id]) => self.patch(plural, id, &body),
            ("DELETE", ["rest", plural, id]) if query == "soft_delete=true" => {
                self.patch(plural, id, &json!({ "deletedAt": "2026-01-01T00:00:00.000Z" }))
            }
            ("DELETE", ["rest", plural, id]) => {
                match self.records.remove(&((*plural).to_owned(), (*id).to_owned())) {
                    Some(_) => answer(200, &json!({ "data": { "deleted": { "id": id } } })),
                    None => no_such("record"),
                }
            }
            _ => answer(404, &json!({ "message": format!("Cannot {} {path}", call.method) })),
        }
    }

    fn patch(&mut self, plural: &str, id: &str, body: &Value) -> Outcome {
        let Some(record) = self.records.get_mut(&(plural.to_owned(), id.to_owned())) else {
            return no_such("record");
        };
        for (name, value) in body.as_object().unwrap() {
            record[name] = value.clone();
        }
        answer(200, &json!({ "data": { "updated": record } }))
    }
}

impl Memory {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn fail(&self, call: &'static str, how: fn() -> Outcome) {
        self.faults.lock().unwrap().push((call, how));
    }

    pub(super) fn recover(&self) {
        self.faults.lock().unwrap().clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.state();
        state.webhooks.is_empty() && state.objects.is_empty() && state.records.is_empty()
    }

    pub(super) fn count(&self, begin: &str) -> usize {
        self.state().calls.iter().filter(|call| call.starts_with(begin)).count()
    }
}

impl Transport for Memory {
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Outcome> {
        let name = format!("{} {}", call.method, call.path);
        self.state().calls.push(name.clone());
        let fault = self.faults.lock().unwrap().iter().find(|(begin, _)| name.starts_with(begin)).copied();
        let outcome = match fault {
            // Such a call is carried out.
            Some((_, how)) if matches!(how(), Outcome::TimedOut) => {
                self.state().play(call);
                Outcome::TimedOut
            }
            Some((_, how)) => how(),
            None => self.state().play(call),
        };
        std::future::ready(outcome).boxed()
    }

    fn server(&self) -> String {
        "http://127.0.0.1:3000/".to_owned()
    }
}
