//! A handwritten transport that keeps its connections, and never looks whether they are still open.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use url::Url;

use super::careless::{ended, final_head};
use crate::peers::sender::Transport;
use crate::wire::client::Target;
use crate::wire::client::address::{Connection, connect};
use crate::wire::codec::{Framing, Step, encode_request};
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};

/// The longest body of an answer after which a connection is kept.
const LONGEST: usize = 16 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Kept {
    wait: Duration,
    /// An idle connection for each URL.
    idle: Mutex<HashMap<String, Connection>>,
}

impl Kept {
    pub(super) fn new(wait: Duration) -> Self {
        Self { wait, idle: Mutex::default() }
    }

    async fn post(&self, url: String, mut delivery: Delivery) -> Outcome {
        let target = match Target::parse(&url) {
            Ok(target) => target,
            Err(why) => return Outcome::Malformed(why),
        };
        delivery.target.clone_from(&target.path);
        match timeout(self.wait, self.attempt(&url, &target, &delivery)).await {
            Ok(outcome) => outcome.unwrap_or_else(|why| ended(&why)),
            Err(_) => Outcome::TimedOut,
        }
    }

    async fn attempt(&self, url: &str, target: &Target, delivery: &Delivery) -> io::Result<Outcome> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).remove(url);
        let mut stream = match idle {
            Some(idle) => idle,
            None => connect(&target.host, target.port).await?,
        };
        for step in encode_request(delivery, &target.authority()) {
            // Deliveries that are sent whole have no other steps.
            if let Step::Write(parts) = step {
                stream.write_all(&parts.concat()).await?;
            }
        }
        let mut received = Vec::new();
        let (facts, end) = loop {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(Outcome::ClosedEarly);
            }
            if let Some(head) = final_head(&received) {
                break head;
            }
        };
        if let Framing::Length(length) = facts.framing
            && length <= LONGEST as u64
        {
            while ((received.len() - end) as u64) < length {
                if stream.read_buf(&mut received).await? == 0 {
                    return Ok(Outcome::ClosedEarly);
                }
            }
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned(), stream);
        }
        let (headers, body) = (Headers::default(), Bytes::new());
        Ok(Outcome::Answered(Response { status: facts.status, headers, body, cut: 0 }))
    }
}

impl Transport for Kept {
    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.post(url.into(), delivery).boxed()
    }
}
