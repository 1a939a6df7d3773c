//! A sender that asks an endpoint with HEAD before each delivery passes everything, and its probes are counted.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use twenty_conform::clock::Clock;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{Sender, Transport};
use twenty_conform::random::Random;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::wire::exchange::{Delivery, Headers, Outcome};
use url::Url;

use super::{MUTANT_WAIT, assert_all_pass, check_sender, options};

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
    let transport = Arc::new(Probes(Pooled::new(MUTANT_WAIT).unwrap()));
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport);
    let run = async |limits| check_sender(&sender, &options(&DOCUMENTED, limits)).await;
    let run = assert_all_pass("a sender that probes", run).await;
    let remarks = &run.transcript.remarks;
    let is_told = |one: &String| one.contains("requests were no deliveries") && one.contains("HEAD ");
    assert!(remarks.iter().any(is_told), "{remarks:?}");
}
