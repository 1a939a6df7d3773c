//! A fake Twenty: the REST API and the webhooks of a Twenty server, with faults that can be switched on.
//!
//! It has no code in common with the checks, so that it shows what they find. Without a fault it does what the documentation
//! says. It also runs as a program: `cargo run --example fake-twenty`.
//!
//! Invariant: bounded in memory, and ended when its value is dropped.

mod api;
mod events;
mod filter;
mod json;
mod limit;
mod metadata;
mod objects;
mod routes;
mod sending;
mod settings;
mod values;
mod webhooks;
mod worker;
mod workspace;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use twenty_conform::wire::endpoint::{Server, http};

use api::{Api, now};
use events::Actor;
use json::{member_text, tree, value};

pub(crate) use api::Call;
pub(crate) use settings::{Permissions, RateLimit, Restore, ServerErrors, Settings};
pub(crate) use worker::Sent;

/// A running fake Twenty.
pub(crate) struct FakeTwenty {
    api: Arc<Api>,
    server: Server,
}

impl FakeTwenty {
    /// Starts one on a port that the system chooses.
    pub(crate) async fn start(settings: Settings) -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), settings).await.unwrap()
    }

    /// Errors: the address cannot be listened on.
    pub(crate) async fn start_at(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let api = Arc::new(Api::new(settings));
        let server = http::serve(address, api.clone()).await?;
        Ok(Self { api, server })
    }

    /// Its address, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        self.server.url("")
    }

    /// The API key.
    pub(crate) fn key(&self) -> &str {
        &self.api.key
    }

    /// Its webhooks, as the API shows them.
    pub(crate) fn webhooks(&self) -> Vec<Value> {
        self.api.workspace().webhooks.iter().map(|webhook| value(&webhook.shown())).collect()
    }

    /// The records of an object, by its singular name; deleted ones too, destroyed ones not.
    pub(crate) fn records(&self, object: &str) -> Vec<Value> {
        self.api.workspace().records(object).iter().map(value).collect()
    }

    /// The custom objects.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let workspace = self.api.workspace();
        workspace.objects.iter().filter(|object| object.custom).map(|object| value(&object.shown())).collect()
    }

    /// The last 10,000 requests, in their order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.api.calls()
    }

    /// Waits until there were this many requests. Returns `false` after a minute.
    pub(crate) async fn called(&self, count: usize) -> bool {
        let mut called = self.api.called.subscribe();
        let enough = called.wait_for(|called| *called >= count);
        tokio::time::timeout(Duration::from_secs(60), enough).await.is_ok()
    }

    /// The last 10,000 deliveries that ended.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.api.worker.sent()
    }

    /// Waits until no delivery is underway. Returns `false` after a minute.
    pub(crate) async fn settled(&self) -> bool {
        self.api.worker.settled(Duration::from_secs(60)).await
    }

    /// Adds the record of another user, which emits its event. Returns its id.
    pub(crate) fn add_record(&self, plural: &str, record: &Value) -> String {
        let mut workspace = self.api.workspace();
        let object = workspace.object(plural).unwrap();
        let changes = workspace.create(&object, &[tree(record)], Actor::User, &now()).unwrap();
        self.api.emit(&workspace, &changes);
        changes[0].id()
    }

    /// Adds another user's webhook, as its API would. Returns its id.
    pub(crate) fn add_webhook(&self, webhook: &Value) -> String {
        let made = self.api.workspace().create_webhook(&tree(webhook), &now()).unwrap();
        member_text(&made, "id")
    }

    /// Adds another user's custom object, as its API would, without events. Returns its id.
    pub(crate) fn add_object(&self, object: &Value) -> String {
        let (made, _) = self.api.workspace().create_object(&tree(object), &now()).unwrap();
        member_text(&made, "id")
    }

    /// Crashes: connections end without an answer from now on, and nothing is sent.
    pub(crate) fn crash(&self) {
        self.api.crash();
    }
}

impl Drop for FakeTwenty {
    fn drop(&mut self) {
        // Connections that are still open keep the API alive for a moment.
        self.api.worker.stop();
    }
}
