//! What does a whole run of the suite cost, against the reference peers?
//!
//! It tells whether the suite itself has become slower: what it generates, sends, waits for without need, and judges.
//! `receiver` is a run of every requirement, `sender` the same without the time in which the suite waits on purpose to see
//! that nothing more comes, and `judge` what the checks take by themselves over what such a run has written. It cannot
//! tell how long a run against another implementation takes, most of which is that one's own time. Searching for the
//! cause of one mismatch is in `signing`.
//!
//! Invariant: a run in which the reference does not pass everything stops the benchmark.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

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
        dialect: &DOCUMENTED,
        limits: Limits::default(),
        seed: 7,
        cases: 64,
        jobs: 4,
        clock: Clock::system(),
        interrupted,
        keeper: None,
        authority: Arc::new(Authority::new(Clock::system())),
    }
}

/// Refuses a run in which something did not pass.
fn whole(run: Run) -> Run {
    for finding in &run.findings {
        let good = matches!(finding.judgement, Judgement::Judged(Verdict::Pass | Verdict::NotApplicable(_)));
        assert!(good, "{}: {:?}", finding.requirement.id, finding.judgement);
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
    whole(run::receiver(&mut receiver, &selected, options, &|_| {}).await.unwrap())
}

async fn sender(options: &Options) -> Run {
    let transport = Arc::new(Pooled::new(ANSWER_WAIT).unwrap());
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport);
    let selected: Vec<_> = requirements::of(Role::Sender).collect();
    whole(run::sender(&sender, &selected, options, &|_| {}).await.unwrap())
}

fn suite_runs(criterion: &mut Criterion) {
    let runtime: Runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let (_never, interrupted) = watch::channel(false);
    let options = options(interrupted);
    let mut group = criterion.benchmark_group("suite");
    // Each run takes seconds; criterion takes no fewer than ten.
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
