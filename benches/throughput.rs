//! The cost of a delivery over loopback.
//!
//! - `delivery` goes from the reference sender to the reference receiver: render, sign, send, verify, parse, process. It shows
//!   whether a path that every scenario takes many times got slower. `one` is the latency of a single delivery, `batch/64` the
//!   time of 64 at once. The answer's way back to the sender counts towards the next delivery.
//! - `endpoint` is a request to an endpoint of the sender scenarios and its answer, compared with wiremock.
//! - `load` is the generator of `bench receiver` against the endpoint of `bench endpoint`, with one thread each: sign, send,
//!   verify, account for, judge. Either of the two may be the bottleneck.
//!
//! Both sides share this machine's processors, so this does not show the highest load of either. It does not show the speed of
//! Twenty or of another receiver.
//!
//! Each event has another record, or the receiver would ignore it as a duplicate. A delivery that does not arrive stops the
//! benchmark.

#![allow(clippy::unwrap_used, reason = "a benchmark stops when it cannot continue")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use twenty_conform::bench::accounts::arrivals::{Accounts, Webhooks};
use twenty_conform::bench::accounts::entry::LedgerFault;
use twenty_conform::bench::generate::corpus::Corpus;
use twenty_conform::bench::generate::plan::{LoadPlan, Mode};
use twenty_conform::bench::measure::load::LoadTarget;
use twenty_conform::clock::Clock;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{ANSWER_WAIT, Sender};
use twenty_conform::random::Random;
use twenty_conform::redaction::Redaction;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::event::Event;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::endpoint::intake::{Limits, Service};
use twenty_conform::wire::endpoint::scripted::{Budget, Endpoint, Settings as EndpointSettings};
use twenty_conform::wire::endpoint::{Server, http};
use twenty_conform::wire::exchange::{Delivery, Headers, Transfer};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const BATCH: u32 = 64;
/// The duration of each load.
const LOAD: Duration = Duration::from_millis(250);

/// A sender with one webhook, and a receiver that counts what it processes.
struct Pair {
    sender: Sender,
    observed: Arc<Semaphore>,
    ids: Random,
    sample: Event,
    _server: Server,
}

impl Pair {
    async fn start() -> Self {
        let (observed, secret) = (Arc::new(Semaphore::new(0)), Secret::new("benchmark"));
        let count = observed.clone();
        let observer = Arc::new(move |_| count.add_permits(1));
        let receiver = Receiver::new(Settings::new(secret.clone()), Clock::system(), observer);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = http::serve(address, Arc::new(receiver)).await.unwrap();
        let transport = Arc::new(Pooled::new(ANSWER_WAIT).unwrap());
        let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport);
        sender.create_webhook(&server.url("/"), Some(&secret), None).unwrap();
        let sample = DOCUMENTED.sample("person.created").unwrap();
        Self { sender, observed, ids: Random::from_seed(2), sample, _server: server }
    }

    fn events(&self, count: u32) -> Vec<Event> {
        (0..count).map(|_| self.sample.with_id(&self.ids.uuid())).collect()
    }

    /// Emits the events and waits until the receiver has processed as many.
    async fn deliver(&self, events: Vec<Event>) {
        for event in &events {
            self.sender.emit(event);
        }
        let count = u32::try_from(events.len()).unwrap();
        let all = timeout(2 * ANSWER_WAIT, self.observed.acquire_many(count)).await;
        all.expect("a delivery did not arrive").unwrap().forget();
    }
}

fn throughput(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let pair = runtime.block_on(Pair::start());
    let mut group = criterion.benchmark_group("delivery");
    group.measurement_time(Duration::from_secs(5));
    for (id, count) in [(BenchmarkId::from_parameter("one"), 1), (BenchmarkId::new("batch", BATCH), BATCH)] {
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(id, |bencher| {
            let events = || pair.events(count);
            bencher.to_async(&runtime).iter_batched(events, |all| pair.deliver(all), BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn endpoints(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let client = Client::new(ANSWER_WAIT, Clock::system());
    let body = bytes::Bytes::from_static(br#"{"event":"person.created","data":{"id":"abc12345"}}"#);
    let delivery = Delivery {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: Headers::of_delivery(None, 0, None, &body),
        body,
        transfer: Transfer::Whole,
    };
    let settings = EndpointSettings {
        clock: Clock::system(),
        budget: Budget::of_a_run(),
        patience: ANSWER_WAIT,
        strays: Default::default(),
        place: Default::default(),
    };
    let (scripted, mock) = runtime.block_on(async {
        let mock = MockServer::builder().disable_request_recording().start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&mock).await;
        (Endpoint::start(settings).await.unwrap(), mock)
    });
    // Neither records requests, so only the round trip is compared.
    scripted.retire();
    let mut group = criterion.benchmark_group("endpoint");
    for (name, url) in [("scripted", scripted.url("/")), ("wiremock", mock.uri())] {
        let target = Target::parse(&url).unwrap();
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(async || {
                let exchange = client.send(&target, &delivery).await;
                assert_eq!(exchange.outcome.status(), Some(200), "no answer");
            });
        });
    }
    group.finish();
}

/// The load generator against the accounting endpoint: the time of a delivery in a closed loop of 64 connections.
fn load(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let (secret, clock) = (Secret::new("benchmark"), Clock::system());
    let webhooks = Webhooks::Anywhere(secret.clone());
    let accounts = Accounts::new(webhooks, &DOCUMENTED, clock.clone(), None, Redaction::new([&secret]));
    let accounts = Arc::new(accounts);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let limits = Limits { threads: 1, ..Limits::default() };
    let service = runtime.block_on(Service::start(address, limits, accounts.clone())).unwrap();
    let target = Target::parse(&service.url("/")).unwrap();
    let corpus = Corpus::samples(&DOCUMENTED, &target.url(), clock.now_ms());
    let (_keep, interrupted) = watch::channel(false);
    let mut sent = 0;
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10).throughput(Throughput::Elements(1));
    group.bench_function(format!("saturation/{BATCH}"), |bencher| {
        bencher.iter_custom(|times| {
            let subject = LoadTarget {
                target: &target,
                secret: &secret,
                dialect: &DOCUMENTED,
                corpus: &corpus,
                clock: &clock,
                interrupted: &interrupted,
                live: None,
                idle: None,
            };
            let plan = LoadPlan {
                mode: Mode::Saturation,
                concurrency: BATCH as usize,
                threads: 1,
                duration: LOAD,
                warm_up: Duration::ZERO,
                ..LoadPlan::default()
            };
            let outcome =
                runtime.block_on(twenty_conform::bench::measure::load::run(&plan, &subject, sent)).unwrap();
            sent = outcome.numbers;
            let total = outcome.total();
            assert_eq!(total.refused + total.failed, 0, "a delivery was not accepted");
            Duration::from_secs_f64(times as f64 / total.rate)
        });
    });
    group.finish();
    runtime.block_on(service.end());
    let entry = accounts.entry(true);
    // Probes count as wrong deliveries. There must be no other fault.
    assert!(entry.faults(&[LedgerFault::Wrong]).is_empty(), "the endpoint found a fault: {entry:?}");
}

criterion_group!(benches, throughput, endpoints, load);
criterion_main!(benches);
