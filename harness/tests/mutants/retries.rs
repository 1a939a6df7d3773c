//! A sender that retries with care passes everything, and its retries are judged.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::timeout;
use twenty_conform::clock::Clock;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{Sender, Transport};
use twenty_conform::random::Random;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::wire::exchange::{Delivery, Outcome};
use url::Url;

use super::{MUTANT_WAIT, assert_all_pass, check_sender, options, passed};

/// Retries failed deliveries as a careful sender does: unchanged, a few times, with growing pauses.
struct Retries(Pooled);

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
    let transport = Arc::new(Retries(Pooled::new(MUTANT_WAIT).unwrap()));
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport);
    let run = async |limits| check_sender(&sender, &options(&DOCUMENTED, limits)).await;
    let run = assert_all_pass("a sender that retries", run).await;
    assert!(passed(&run).is_superset(&["SIG-7", "ACK-4"].into()), "{:?}", passed(&run));
}
