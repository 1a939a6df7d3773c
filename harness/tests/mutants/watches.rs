//! Watches run while the next scenarios run. What a sender sends again in that time counts, and what it sends for another scenario
//! does not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use twenty_conform::clock::Clock;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{Sender, Transport};
use twenty_conform::random::Random;
use twenty_conform::suite::run::Run;
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::wire::exchange::{Delivery, Outcome};
use url::Url;

use super::{check_sender, failed, longer, options, short};

/// How long a sender waits for an answer: longer than a busy machine takes for one.
const WAIT: Duration = Duration::from_secs(3);
const QUIET: Duration = Duration::from_millis(1500);
/// The scenarios that end with a watch.
const WATCHED: [&str; 5] = ["several-webhooks", "deletion", "filtered", "acknowledged", "answer-forms"];

/// Sends each delivery again after this time, unless it is zero.
#[derive(Clone)]
struct Again(Arc<Pooled>, Duration);

impl Transport for Again {
    fn trust(&self, ca: &Path) -> Result<(), String> {
        self.0.trust(ca)
    }

    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        if !self.1.is_zero() {
            let (Self(pooled, after), url, delivery) = (self.clone(), url.clone(), delivery.clone());
            tokio::spawn(async move {
                // A pause that nothing ends early.
                let _ = timeout(after, std::future::pending::<()>()).await;
                pooled.send(url, delivery).await;
            });
        }
        self.0.send(url, delivery)
    }
}

async fn check(after: Duration, patience: u32) -> Run {
    let transport = Again(Arc::new(Pooled::new(WAIT).unwrap()), after);
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), Arc::new(transport));
    let limits = Limits { quiet: QUIET, ..longer(short(), patience) };
    check_sender(&sender, &options(&DOCUMENTED, limits)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_run_together() {
    let run = check(Duration::ZERO, 4).await;
    let (t, quiet_ms) = (&run.transcript, u64::try_from(QUIET.as_millis()).unwrap());
    assert_eq!(failed(&run), [].into());
    // One watch after the usual scenarios; the others take the time of the next ones. One after another they would be seven.
    let most = QUIET * 3 + WAIT + Duration::from_secs(1);
    assert!(t.waited < most, "it waited {:?}", t.waited);
    for webhook in t.webhooks.iter().filter(|one| WATCHED.contains(&one.scenario.0)) {
        let emitted = t.emissions_of(webhook.scenario).map(|one| one.asked_at_ms).max().unwrap();
        let watched = webhook.watched_until_ms - emitted;
        assert!(watched >= quiet_ms, "{} was watched for {watched} ms", webhook.scenario.0);
    }
    for arrival in &t.arrivals {
        let Some(webhook) = arrival.webhook.map(|at| &t.webhooks[at]) else { continue };
        let foreign = t.carried(arrival).find(|emission| emission.scenario != webhook.scenario);
        assert!(foreign.is_none(), "{} got {foreign:?}", webhook.scenario.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_during_a_watch_counts() {
    let run = check(QUIET / 3, 1).await;
    let failed = failed(&run);
    assert!(failed.is_superset(&["SUB-2", "ACK-1"].into()), "{failed:?}");
}
