//! The cost of an exchange of the wire-exact client with the reference receiver, over loopback.
//!
//! It shows whether a step that a run against a receiver repeats thousands of times got slower: write a delivery as exact bytes,
//! wait, and read the answer. `one` is a single small exchange. `lanes/4` is small exchanges in four parallel lanes, as the suite
//! sends them. `16MiB` is a single large body. The receiver runs in the same process and uses processor time for verifying,
//! hashing and parsing, so the client alone is faster than these figures.
//!
//! Deliveries are made before measuring. If the receiver does not accept one, the benchmark stops.

#![allow(clippy::unwrap_used, reason = "a benchmark stops when it cannot continue")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};
use twenty_conform::clock::Clock;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::webhook::signature::{Key, Secret};
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::endpoint::{Server, http};
use twenty_conform::wire::exchange::{Delivery, Headers, Transfer};

const NOW: u64 = 1_735_066_639_761;
const LANES: usize = 4;
const IN_EACH_LANE: usize = 64;
const LARGE: usize = 16 * 1024 * 1024;

/// A client and its receiver.
struct Pair {
    client: Client,
    target: Target,
    key: Key,
    _server: Server,
}

impl Pair {
    async fn start() -> Self {
        let secret = Secret::new("benchmark");
        let settings = Settings { body_limit: 2 * LARGE, ..Settings::new(secret.clone()) };
        let receiver = Receiver::new(settings, Clock::fixed(NOW), Arc::new(|_| {}));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = http::serve(address, Arc::new(receiver)).await.unwrap();
        let target = Target::parse(&server.url("/")).unwrap();
        let client = Client::new(Duration::from_secs(10), Clock::fixed(NOW));
        Self { client, target, key: Key::new(&secret), _server: server }
    }

    fn delivery(&self, id: usize, padding: usize) -> Delivery {
        let padding = "x".repeat(padding);
        let body = format!(r#"{{"event":"person.created","data":{{"id":"{id}","padding":"{padding}"}}}}"#);
        let body = Bytes::from(body);
        let headers = Headers::of_delivery(Some(&self.key), NOW, None, &body);
        Delivery {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers,
            body,
            transfer: Transfer::Whole,
        }
    }

    async fn send(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let exchange = self.client.send(&self.target, delivery).await;
            assert_eq!(exchange.outcome.status(), Some(200), "{}", exchange.outcome);
        }
    }
}

fn client(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let pair = runtime.block_on(Pair::start());
    let mut group = criterion.benchmark_group("client");
    group.measurement_time(Duration::from_secs(5));

    let small: Vec<Delivery> = (0..LANES * IN_EACH_LANE).map(|id| pair.delivery(id, 512)).collect();
    group.throughput(Throughput::Elements(1));
    group.bench_function("one", |bencher| {
        bencher.to_async(&runtime).iter(|| pair.send(&small[..1]));
    });
    group.throughput(Throughput::Elements(small.len() as u64));
    group.bench_function(format!("lanes/{LANES}"), |bencher| {
        bencher.to_async(&runtime).iter(|| join_all(small.chunks(IN_EACH_LANE).map(|lane| pair.send(lane))));
    });

    let large = [pair.delivery(0, LARGE)];
    group.throughput(Throughput::Bytes(LARGE as u64)).sample_size(10);
    group.bench_function("16MiB", |bencher| {
        bencher.to_async(&runtime).iter(|| pair.send(&large));
    });
    group.finish();
}

criterion_group!(benches, client);
criterion_main!(benches);
