//! A sender that retries with care passes everything, and its retries are judged.

use std::path::Path;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::timeout;
use twenty_conform::peers::sender::Transport;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::wire::exchange::{Delivery, Outcome};
use url::Url;

use super::{MUTANT_WAIT, assert_sender_passes, passed};

/// Retries failed deliveries as a careful sender does: unchanged, a few times, with growing pauses.
pub(super) struct Retries(pub(super) Pooled);

impl Transport for Retries {
    fn trust(&self, ca: &Path) -> Result<(), String> {
        self.0.trust(ca)
    }

    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        async move {
            let mut outcome = self.0.send(url.clone(), delivery.clone()).await;
            for pause in [100, 200, 400].map(Duration::from_millis) {
                let again = outcome.status().is_none_or(|status| status >= 500);
                if !again {
                    break;
                }
                // A pause that nothing ends early.
                let _ = timeout(pause, std::future::pending::<()>()).await;
                outcome = self.0.send(url.clone(), delivery.clone()).await;
            }
            outcome
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_with_careful_retries_passes_everything() {
    let run = assert_sender_passes("a sender that retries", Retries(Pooled::new(MUTANT_WAIT).unwrap())).await;
    assert!(passed(&run).is_superset(&["SIG-7", "ACK-4"].into()), "{:?}", passed(&run));
}
