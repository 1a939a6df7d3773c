//! The cost of a whole run of the suite against the reference peers.
//!
//! It shows whether the suite itself got slower: generating, sending, needless waiting and judging. `receiver` is a run of every
//! receiver requirement. `sender` is the same for senders, without the deliberate waits for deliveries that should not come.
//! `judge` is only the judging of a recorded sender run. A run against another implementation mostly takes that implementation's
//! time, which this does not show. The search for the cause of one mismatch is in `signing`.
//!
//! If the reference fails a requirement, the benchmark stops.

#![allow(clippy::unwrap_used, reason = "a benchmark stops when it cannot continue")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use twenty_conform::clock::Clock;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{ANSWER_WAIT, Sender};
use twenty_conform::random::Random;
use twenty_conform::subject;
use twenty_conform::suite::max_time::MaxTime;
use twenty_conform::suite::requirement::{Role, Verdict};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Judgement, Options, Run};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::endpoint::certificates::Authority;
use twenty_conform::wire::endpoint::http;

fn options(interrupted: watch::Receiver<bool>) -> Options {
    Options {
        auto: false,
        dialect: &DOCUMENTED,
        limits: Limits::default(),
        max_time: MaxTime::new(Duration::from_secs(86_400)),
        seed: 7,
        cases: 64,
        jobs: 4,
        clock: Clock::system(),
        interrupted,
        requests: Arc::default(),
        keeper: None,
        authority: Arc::new(Authority::new(Clock::system())),
        place: Default::default(),
        hidden: None,
        rehearses: false,
    }
}

/// Stops the benchmark if a requirement did not pass.
fn passed(run: Run) -> Run {
    for finding in &run.findings {
        let passed =
            matches!(finding.judgement, Judgement::Judged(Verdict::Pass | Verdict::NotApplicable(_)));
        assert!(passed, "{}: {:?}", finding.requirement.id, finding.judgement);
    }
    run
}

async fn receiver(options: &Options) -> Run {
    let secret = Secret::new(Random::from_seed(7).secret());
    let reference = Receiver::new(Settings::new(secret.clone()), Clock::system(), Arc::new(|_| {}));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = http::serve(address, Arc::new(reference)).await.unwrap();
    let mut receiver = subject::receiver::Receiver::here(server, "/", secret);
    let selected: Vec<_> = requirements::of(Role::Receiver).collect();
    passed(run::receiver(&mut receiver, &selected, options, &|_| {}).await.unwrap())
}

async fn sender(options: &Options) -> Run {
    let transport = Arc::new(Pooled::new(ANSWER_WAIT).unwrap());
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport);
    let selected: Vec<_> = requirements::of(Role::Sender).collect();
    passed(run::sender(&sender, &selected, options, &|_| {}).await.unwrap())
}

fn suite_runs(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let (_never, interrupted) = watch::channel(false);
    let options = options(interrupted);
    let mut group = criterion.benchmark_group("suite");
    // Each run takes seconds, and 10 is criterion's minimum.
    group.sample_size(10);
    group.bench_function("receiver", |bencher| bencher.to_async(&runtime).iter(|| receiver(&options)));
    group.bench_function("sender", |bencher| {
        bencher.to_async(&runtime).iter_custom(async |runs| {
            let mut took = Duration::ZERO;
            for _ in 0..runs {
                let run = sender(&options).await;
                took += run.duration.saturating_sub(run.transcript.waited);
            }
            took
        });
    });
    let run = runtime.block_on(sender(&options));
    let selected: Vec<_> = requirements::of(Role::Sender).collect();
    group.bench_function("judge", |bencher| bencher.iter(|| run::judge(&run.transcript, &selected)));
    group.finish();
}

criterion_group!(benches, suite_runs);
criterion_main!(benches);
