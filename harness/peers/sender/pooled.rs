//! The reference sender's transport: reqwest with a pool, a bounded wait, and no redirects.
//!
//! Invariant: reqwest's errors become an `Outcome`. Only a client that cannot be built is an error.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::peers::sender::{Transport, messages};
use crate::wire::client::address::addresses;
use crate::wire::client::tls;
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};
use crate::wire::messages::not_a_method;

#[derive(Debug)]
pub struct Pooled {
    wait: Duration,
    verifies: bool,
    /// Replaced when an authority is added.
    client: RwLock<reqwest::Client>,
}

impl Pooled {
    /// A pool that waits this long for each answer.
    ///
    /// Errors: the TLS library's error if it cannot be set up.
    pub fn new(wait: Duration) -> Result<Self, String> {
        Self::verifying(wait, true)
    }

    /// The same without verification of certificates, as in careless senders.
    ///
    /// Errors: the TLS library's error if it cannot be set up.
    pub(crate) fn without_verification(wait: Duration) -> Result<Self, String> {
        Self::verifying(wait, false)
    }

    fn verifying(wait: Duration, verifies: bool) -> Result<Self, String> {
        let client = client(wait, verifies, &[]).map_err(|why| why.to_string())?;
        Ok(Self { wait, verifies, client: RwLock::new(client) })
    }

    fn client(&self) -> reqwest::Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn post(&self, url: Url, delivery: Delivery) -> Outcome {
        let Ok(method) = reqwest::Method::from_bytes(delivery.method.as_bytes()) else {
            return Outcome::Malformed(not_a_method(&delivery.method));
        };
        let mut request = self.client().request(method, url).body(delivery.body);
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
                cut: 0,
            }),
            Err(why) if why.is_timeout() => Outcome::TimedOut,
            Err(why) => ended(&why),
        }
    }
}

impl Transport for Pooled {
    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.post(url, delivery).boxed()
    }

    fn trust(&self, ca: &Path) -> Result<(), String> {
        let client = client(self.wait, self.verifies, &tls::read(ca)?);
        let client = client.map_err(|why| messages::ca_unusable(ca, why))?;
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        Ok(())
    }
}

/// Resolves names as the client of the suite does: `localhost` is this machine.
struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The URL's port replaces this one.
            let found = addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A client that trusts these authorities and the system's. Where the system has none, as in a container with one program, it trusts
/// these alone.
fn client(
    wait: Duration,
    verifies: bool,
    trusted: &[CertificateDer<'static>],
) -> Result<reqwest::Client, reqwest::Error> {
    let provider = rustls::crypto::ring::default_provider();
    // The provider is set once for the process; it may be set already.
    let _ = provider.install_default();
    let trusted: Vec<_> =
        trusted.iter().map(|one| reqwest::Certificate::from_der(one)).collect::<Result<_, _>>()?;
    let plain = || {
        reqwest::Client::builder()
            .dns_resolver(Resolver)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(wait)
            .tls_danger_accept_invalid_certs(!verifies)
            // Deliveries must not go through a proxy from the environment.
            .no_proxy()
    };
    let with_those_of_the_system = plain().tls_certs_merge(trusted.iter().cloned()).build();
    with_those_of_the_system.or_else(|_| plain().tls_certs_only(trusted).build())
}

fn ended(why: &reqwest::Error) -> Outcome {
    let mut source = why.source();
    while let Some(error) = source {
        let broken: Option<&io::Error> = error.downcast_ref();
        if let Some(words) = broken.and_then(tls::refusal) {
            return Outcome::Tls(words);
        }
        match broken.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return Outcome::Refused,
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => return Outcome::Reset,
            _ => source = error.source(),
        }
    }
    if why.is_request() { Outcome::ClosedEarly } else { Outcome::Malformed(why.to_string()) }
}
