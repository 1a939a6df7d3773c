//! Null senders: each always does the same thing, whatever it is asked to do.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::time::Duration;
use twenty_conform::clock::Clock;
use twenty_conform::subject::SubjectError;
use twenty_conform::subject::protocol::{Op, Reply};
use twenty_conform::subject::sender::Sender;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::exchange::{Delivery, Headers, Transfer};

/// What a null sender does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Null {
    /// Agrees to everything and sends nothing.
    SendsNothing,
    /// Sends an empty object, unsigned, to every webhook at every event.
    SendsOnce,
    /// The same twice.
    SendsTwice,
    /// Exits at the first request.
    Dies,
    /// Exits at the first event.
    DiesAtEvent,
    /// Never replies.
    IsSilent,
    /// Refuses everything.
    Refuses,
}

pub(crate) struct NullSender {
    null: Null,
    /// The URLs of its webhooks, by name.
    webhooks: Mutex<BTreeMap<String, String>>,
}

impl NullSender {
    pub(crate) fn new(null: Null) -> Self {
        Self { null, webhooks: Mutex::default() }
    }

    async fn send(&self, url: &str) {
        // A null sender skips HTTPS endpoints, because it has no TLS.
        let Ok(target) = Target::parse(url) else { return };
        let mut headers = Headers::default();
        headers.add("Content-Type", "application/json");
        let delivery = Delivery {
            method: "POST".to_owned(),
            target: target.path.clone(),
            headers,
            body: Bytes::from_static(b"{}"),
            transfer: Transfer::Whole,
        };
        Client::new(Duration::from_secs(3), Clock::system()).send(&target, &delivery).await;
    }

    fn urls(&self) -> Vec<String> {
        self.webhooks.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    async fn reply(&self, op: Op) -> Result<Reply, SubjectError> {
        match (self.null, &op) {
            (Null::Dies, _) | (Null::DiesAtEvent, Op::Emit(_)) => {
                return Err(SubjectError::Died("it ended".to_owned()));
            }
            (Null::IsSilent, _) => return Err(SubjectError::RequestFailed("it did not reply".to_owned())),
            (Null::Refuses, _) => return Ok(Reply::Error("no".to_owned())),
            _ => {}
        }
        let mut reply = json!({});
        match op {
            Op::CreateWebhook { url, .. } => {
                let mut webhooks = self.webhooks.lock().unwrap_or_else(PoisonError::into_inner);
                let name = format!("w{}", webhooks.len());
                webhooks.insert(name.clone(), url);
                reply = json!({ "webhook": name });
            }
            Op::Emit(_) => {
                let times = match self.null {
                    Null::SendsOnce => 1,
                    Null::SendsTwice => 2,
                    _ => 0,
                };
                for url in self.urls() {
                    for _ in 0..times {
                        self.send(&url).await;
                    }
                }
            }
            Op::Hello { .. } => reply = json!({ "name": "null", "version": "1", "capabilities": [] }),
            Op::Outcomes { .. } | Op::DeleteWebhook { .. } | Op::Shutdown => {}
        }
        Ok(Reply::ok(&reply))
    }
}

impl Sender for NullSender {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.reply(op).boxed()
    }
}
