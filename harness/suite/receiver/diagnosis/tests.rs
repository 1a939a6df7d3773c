//! What is tried on receivers that want another way of signing, and where the search ends.
//!
//! Invariant: each receiver is a condition on its requests, and knows nothing of what is tried.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::*;
use crate::clock::Clock;
use crate::subject::receiver::Receiver;
use crate::suite::cause::receiver::{of_refusal, of_text_encoding};
use crate::suite::max_time::MaxTime;
use crate::suite::property::Extent;
use crate::suite::transcript::{Limits, Role, Transcript};
use crate::webhook::dialect::{DOCUMENTED, Members};
use crate::webhook::signature::Secret;
use crate::wire::client::Client;
use crate::wire::endpoint::{Handler, http};
use crate::wire::exchange::Response;

const NOW_MS: u64 = 1_739_201_450_000;
const SECRET: &str = "5eCr3t-5eCr3t";

type Accepts = Box<dyn Fn(&Delivery) -> bool + Send + Sync>;

struct Written(Accepts);

impl Handler for Written {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        let status = if (self.0)(&delivery) { 200 } else { 401 };
        async move { Some(Response::text(status, "")) }.boxed()
    }
}

/// Lets `steps` try a receiver that accepts what `accepts` says.
async fn tried(accepts: Accepts, steps: impl AsyncFnOnce(&mut ReceiverStage<'_>)) -> Transcript {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = http::serve(address, Arc::new(Written(accepts))).await.unwrap();
    let mut subject = Receiver::here(server, "/hooks", Secret::new(SECRET));
    let mut transcript = Transcript::new(Role::Receiver, &DOCUMENTED, Limits::default());
    let clock = Clock::fixed(NOW_MS);
    let client = Client::new(Duration::from_secs(20), clock.clone());
    let (extent, time) = (Extent { cases: 1, jobs: 1, seed: 3 }, MaxTime::new(Duration::from_secs(100)));
    let mut stage = ReceiverStage::new(&mut subject, &client, &clock, extent, time, &mut transcript);
    steps(&mut stage).await;
    transcript
}

async fn diagnosed(accepts: Accepts) -> Transcript {
    tried(accepts, async |stage| stage.diagnose().await.unwrap()).await
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> &'a [u8] {
    delivery.headers.single(name).map_or(&[], |value| &**value)
}

/// Whether a value is the signature of a delivery with this timestamp, made in this way with this secret.
fn is_made(recipe: Recipe, secret: &str, (value, timestamp, body): (&[u8], &[u8], &Bytes)) -> bool {
    !value.is_empty() && recipe.compute(secret, timestamp, body).is_some_and(|own| own.as_bytes() == value)
}

fn is_signed(recipe: Recipe, secret: &str, delivery: &Delivery) -> bool {
    let (value, timestamp) = (header(delivery, SIGNATURE_HEADER), header(delivery, TIMESTAMP_HEADER));
    is_made(recipe, secret, (value, timestamp, &delivery.body))
}

/// How many milliseconds the timestamp is ahead of the clock.
fn ahead_ms(timestamp: &[u8]) -> Option<i64> {
    let sent: i64 = std::str::from_utf8(timestamp).ok()?.parse().ok()?;
    Some(sent - i64::try_from(NOW_MS).unwrap())
}

fn is_fresh(timestamp: &[u8]) -> bool {
    ahead_ms(timestamp).is_some_and(|ahead| ahead.abs() < 300_000)
}

/// A receiver that wants one of these ways of signing, and fresh timestamps.
fn wants(secret: &'static str, recipes: impl Into<Vec<Recipe>>) -> Accepts {
    let recipes = recipes.into();
    Box::new(move |delivery| {
        is_fresh(header(delivery, TIMESTAMP_HEADER))
            && recipes.iter().any(|&recipe| is_signed(recipe, secret, delivery))
    })
}

/// A receiver that reads signature and timestamp from headers with these names.
fn reads(signature: &'static str, timestamp: &'static str, recipe: Recipe) -> Accepts {
    Box::new(move |delivery| {
        let (value, timestamp) = (header(delivery, signature), header(delivery, timestamp));
        is_fresh(timestamp) && is_made(recipe, SECRET, (value, timestamp, &delivery.body))
    })
}

/// A correct receiver, but for what it expects of a timestamp.
fn expects(is_expected: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Accepts {
    Box::new(move |delivery| {
        is_signed(Recipe::CONTRACT, SECRET, delivery) && is_expected(header(delivery, TIMESTAMP_HEADER))
    })
}

/// A correct receiver whose clock is off: it accepts what is from this to that many minutes ahead.
fn accepts_from_to(from: i64, to: i64) -> Accepts {
    expects(move |timestamp| {
        ahead_ms(timestamp).is_some_and(|ahead| (from * 60_000..=to * 60_000).contains(&ahead))
    })
}

/// The cause in words, with the others that are as near.
fn words(transcript: &Transcript) -> String {
    let Some(cause) = of_refusal(transcript) else { return "-".to_owned() };
    std::iter::once(cause.to_string()).chain(cause.or).collect::<Vec<_>>().join(" or ")
}

/// In how many respects a trial differs from a valid delivery.
fn distance(respect: Respect) -> usize {
    match respect {
        Respect::Signed(recipe) => recipe.distance(),
        Respect::DefaultSecret(_, recipe) | Respect::Header(_, recipe) => 1 + recipe.distance(),
        _ => 1,
    }
}

fn furthest(transcript: &Transcript) -> usize {
    transcript.trials.iter().map(|trial| distance(trial.respect)).max().unwrap_or(0)
}

fn shifts_tried(transcript: &Transcript) -> Vec<(i32, bool)> {
    let shift = |trial: &Trial| match trial.respect {
        Respect::Shifted(minutes) => Some((minutes, transcript.acknowledged(trial.exchange))),
        _ => None,
    };
    transcript.trials.iter().filter_map(shift).collect()
}

const BODY_ALONE: Recipe = Recipe::message(Message::BodyAlone);
const POINT: Recipe = Recipe::message(Message::Separator("."));

#[tokio::test]
async fn search_ends_after_all_ways_that_are_as_near_as_the_one_found() {
    let seconds = |timestamp: &[u8]| timestamp == (NOW_MS / 1000).to_string().as_bytes();
    let name = "X-Webhook-Timestamp";
    let cases: [(Accepts, &str); 10] = [
        (wants(SECRET, [BODY_ALONE]), "message.body-alone"),
        (wants(SECRET, [POINT, BODY_ALONE]), "message.body-alone or message.separator (.)"),
        (wants(SECRET, [Recipe::message(Message::SecretMember)]), "message.secret-member"),
        (
            wants(SECRET, [Recipe::message(Message::Misread(Misread::Promise))]),
            "message.body-consumed ([object Promise])",
        ),
        // Every serialiser prints the member of the probe in its own way.
        (
            wants(SECRET, [Recipe::message(Message::Reserialised(Serialiser::Go))]),
            "message.reserialised (go)",
        ),
        (wants("changeme", [Recipe::CONTRACT]), "key.other-webhook (the default secret \"changeme\")"),
        (expects(seconds), "message.timestamp-unit (the header is read in seconds)"),
        (
            expects(|timestamp| timestamp == rfc3339(NOW_MS).as_bytes()),
            "header.timestamp-format (an ISO date is expected)",
        ),
        (reads("X-Signature", TIMESTAMP_HEADER, Recipe::CONTRACT), "header.name (X-Signature)"),
        (reads(SIGNATURE_HEADER, name, Recipe::CONTRACT), "header.name (X-Webhook-Timestamp)"),
    ];
    for (accepts, cause) in cases {
        let t = diagnosed(accepts).await;
        assert_eq!(words(&t), cause);
        assert_eq!(furthest(&t), 1, "{cause}");
        assert_eq!(shifts_tried(&t), [], "{cause}");
    }
}

#[tokio::test]
async fn two_faults_are_found_before_clocks_and_names_are_doubted() {
    let encoded = Recipe { digest: Digest::Base64, ..BODY_ALONE };
    let quoted = Recipe { key: KeyForm::DoubleQuoted, ..BODY_ALONE };
    for (secret, recipe) in [(SECRET, encoded), (SECRET, quoted), ("changeme", BODY_ALONE), ("test", POINT)] {
        let accepts = Box::new(move |delivery: &Delivery| is_signed(recipe, secret, delivery));
        let t = diagnosed(accepts).await;
        let found = of_refusal(&t).and_then(|cause| cause.detail).unwrap();
        let secret =
            if secret == SECRET { String::new() } else { format!("the default secret \"{secret}\", ") };
        assert!(found.starts_with(&secret) && found.contains(&recipe.describe()), "{found}");
        assert_eq!(furthest(&t), 2, "{found}");
        assert_eq!(shifts_tried(&t), [], "{found}");
        let named = |trial: &&Trial| matches!(trial.respect, Respect::Header(_, recipe) if recipe != Recipe::CONTRACT);
        assert_eq!(t.trials.iter().filter(named).count(), 0, "{found}");
    }
}

#[tokio::test]
async fn receivers_of_other_services_are_found_by_their_headers() {
    let github = Recipe { digest: Digest::Prefixed, ..BODY_ALONE };
    let shopify = Recipe::digest(Digest::Base64);
    for (name, recipe) in [("X-Hub-Signature-256", github), ("X-Signature", shopify)] {
        let accepts = Box::new(move |delivery: &Delivery| {
            let timestamp = header(delivery, TIMESTAMP_NAMES[0]);
            is_made(recipe, SECRET, (header(delivery, name), timestamp, &delivery.body))
        });
        let found = words(&diagnosed(accepts).await);
        assert_eq!(found, format!("header.name ({name}, signed {})", recipe.describe()));
    }
}

#[tokio::test]
async fn form_that_is_accepted_instead_is_the_whole_answer() {
    let shipped = |delivery: &Delivery| {
        let is_own = Members::parse(&delivery.body).is_ok_and(|body| body.get("eventName").is_some());
        is_own && is_signed(Recipe::CONTRACT, SECRET, delivery)
    };
    let t = diagnosed(Box::new(shipped)).await;
    assert!(words(&t).starts_with("refuses.dialect (only shipped payloads"), "{}", words(&t));
    assert_eq!(t.trials.iter().map(|trial| trial.respect).collect::<Vec<_>>(), [Respect::Form("shipped")]);
}

#[tokio::test]
async fn what_tells_nothing_of_this_receiver_is_not_tried() {
    let t = diagnosed(Box::new(|_| false)).await;
    assert_eq!(words(&t), "refuses.everything");
    for trial in &t.trials {
        let Respect::Signed(recipe) = trial.respect else { continue };
        // Who accepts those accepts forgeries, which other scenarios show.
        assert!(recipe.digest != Digest::Zeros, "{}", trial.what);
        assert!(!matches!(recipe.key, KeyForm::Empty | KeyForm::Other), "{}", trial.what);
        // What a program prints instead of the body is the same in every language only for a plain body.
        if let Message::Misread(misread) | Message::MisreadAlone(misread) = recipe.message {
            let body = String::from_utf8_lossy(&t.exchange(trial.exchange).delivery.body);
            assert_eq!(body.contains("\"probe\""), misread.is_encoding(), "{}", trial.what);
        }
    }
}

#[tokio::test]
async fn clock_that_is_off_is_found_last() {
    let t = diagnosed(accepts_from_to(6, 14)).await;
    assert_eq!(words(&t), "clock.off (about 10 min ahead)");
    let named =
        |trial: &&Trial| matches!(trial.respect, Respect::Header(_, recipe) if recipe != Recipe::CONTRACT);
    assert_eq!(t.trials.iter().filter(named).count(), 0);
}

#[tokio::test]
async fn bounds_of_a_window_are_measured_to_the_minute() {
    for (from, to, bounds, cause) in [
        (6, 14, 6..=14, "clock.off (about 10 min ahead)"),
        (-14, -6, -14..=-6, "clock.off (about 10 min back)"),
        (116, 124, 116..=124, "clock.off (about 2 h ahead)"),
        (-124, -116, -124..=-116, "clock.off (about 2 h back)"),
        (329, 331, 329..=331, "clock.off (about 5 h 30 min ahead)"),
        (-346, -344, -346..=-344, "clock.off (about 5 h 45 min back)"),
        (1436, 1444, 1436..=1444, "clock.off (about 24 h ahead)"),
        // A wide one is followed outwards as far as it goes, and inwards for a while.
        (91, 149, 100..=140, "clock.off (about 2 h ahead)"),
        (10, 40, 10..=40, "clock.off (about 25 min ahead)"),
        (6, 2000, 6..=1440, "clock.one-sided (only deliveries dated ahead are accepted)"),
        (-2000, -6, -1440..=-6, "clock.one-sided (only deliveries dated back are accepted)"),
    ] {
        let t = tried(accepts_from_to(from, to), async |stage| {
            assert!(stage.try_clocks().await.unwrap());
        })
        .await;
        assert_eq!(words(&t), cause);
        let accepted =
            shifts_tried(&t).into_iter().filter_map(|(minutes, is_accepted)| is_accepted.then_some(minutes));
        let accepted: Vec<i32> = accepted.collect();
        let different: HashSet<i32> = accepted.iter().copied().collect();
        assert_eq!(different.len(), accepted.len(), "{cause}: one is sent twice");
        assert_eq!(
            different.iter().min()..=different.iter().max(),
            Some(bounds.start())..=Some(bounds.end())
        );
    }
    let none = tried(Box::new(|_| false), async |stage| assert!(!stage.try_clocks().await.unwrap())).await;
    assert_eq!(words(&none), "-");
}

#[tokio::test]
async fn changed_text_is_looked_for_only_where_a_valid_delivery_was_rejected() {
    let ascii = Recipe::message(Message::Misread(Misread::Ascii));
    let is_accepted = move |delivery: &Delivery| {
        let recipe = if delivery.body.is_ascii() { Recipe::CONTRACT } else { ascii };
        is_signed(recipe, SECRET, delivery)
    };
    for (name, respect, expected) in [
        ("Łódź", Respect::Valid, "message.text-encoding (ascii)"),
        ("Lodz", Respect::Valid, "-"),
        ("Łódź", Respect::Unsigned, "-"),
    ] {
        let t = tried(Box::new(is_accepted), async |stage| {
            let event = with_raw_member(&stage.maker.plain(), &format!("\"city\":\"{name}\""));
            let sent = stage.send(stage.maker.deliver(&event)).await.unwrap();
            stage.record_single(ScenarioName("earlier"), String::new(), respect, sent);
            stage.diagnose().await.unwrap();
        })
        .await;
        let cause = of_text_encoding(&t, &t.trials[0]).map(|cause| cause.to_string());
        assert_eq!(cause.as_deref().unwrap_or("-"), expected, "{name}");
        assert_eq!(t.trials.len() > 1, expected != "-", "{name}");
    }
}
