//! A sender that asks an endpoint with HEAD before each delivery passes everything, and its probes are counted.

use std::path::Path;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use twenty_conform::peers::sender::Transport;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::wire::exchange::{Delivery, Headers, Outcome};
use url::Url;

use super::{MUTANT_WAIT, assert_sender_passes};

/// Delivers only where a HEAD is answered 2xx.
struct Probes(Pooled);

impl Transport for Probes {
    fn trust(&self, ca: &Path) -> Result<(), String> {
        self.0.trust(ca)
    }

    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        async move {
            let (method, headers, body) = ("HEAD".to_owned(), Headers::default(), Bytes::new());
            let probe = Delivery { method, headers, body, ..delivery.clone() };
            match self.0.send(url.clone(), probe).await {
                Outcome::Answered(answer) if answer.status == 200 => self.0.send(url, delivery).await,
                other => other,
            }
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_that_probes_first_passes_everything() {
    let run = assert_sender_passes("a sender that probes", Probes(Pooled::new(MUTANT_WAIT).unwrap())).await;
    let remarks = &run.transcript.remarks;
    let is_told = |one: &String| one.contains("requests were no deliveries") && one.contains("HEAD ");
    assert!(remarks.iter().any(is_told), "{remarks:?}");
}
