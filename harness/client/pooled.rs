//! The reference sender's way out: reqwest with a pool, a bounded wait, and no redirects.
//!
//! Invariant: what reqwest reports is an `Outcome`; only a client that cannot be built at all is an error.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::exchange::{Delivery, Headers, Outcome, Response};
use crate::sender::Transport;

/// A pool of connections.
#[derive(Debug, Clone)]
pub struct Pooled(reqwest::Client);

impl Pooled {
    /// A pool that waits that long for each answer.
    ///
    /// Errors: the TLS library cannot be set up; its words.
    pub fn new(wait: Duration) -> Result<Self, String> {
        let provider = rustls::crypto::ring::default_provider();
        // Set once for the process; that it is set already is as good.
        let _ = provider.install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(wait)
            // A proxy from the environment is none of a webhook's business.
            .no_proxy()
            .build();
        client.map(Self).map_err(|why| why.to_string())
    }

    async fn post(&self, url: String, delivery: Delivery) -> Outcome {
        let Ok(method) = reqwest::Method::from_bytes(delivery.method.as_bytes()) else {
            return Outcome::Malformed(format!("{:?} is no request method", delivery.method));
        };
        let mut request = self.0.request(method, url).body(delivery.body);
        for (name, value) in &delivery.headers.0 {
            request = request.header(name, &**value);
        }
        match request.send().await {
            Ok(answer) => Outcome::Answered(Response {
                status: answer.status().as_u16(),
                headers: Headers(
                    answer
                        .headers()
                        .iter()
                        .map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())))
                        .collect(),
                ),
                // Only the status counts (contract ACK-5), so the body is never read.
                body: Bytes::new(),
            }),
            Err(why) if why.is_timeout() => Outcome::TimedOut,
            Err(why) => ended(&why),
        }
    }
}

impl Transport for Pooled {
    fn send(&self, url: String, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.post(url, delivery).boxed()
    }
}

fn ended(why: &reqwest::Error) -> Outcome {
    let mut source = why.source();
    while let Some(error) = source {
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return Outcome::Refused,
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => return Outcome::Reset,
            _ => source = error.source(),
        }
    }
    if why.is_request() { Outcome::ClosedEarly } else { Outcome::Malformed(why.to_string()) }
}
