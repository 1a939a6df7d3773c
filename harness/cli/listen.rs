//! `listen`: stands as an endpoint for a sender that cannot be driven, and judges each delivery as it comes.
//!
//! Invariant: nothing is lost. Each request that is answered has been queued before, and is judged, printed and kept before
//! the command ends; where that is slower than the sender, the sender waits for its answer.

mod keeping;
mod output;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::console::Console;
use super::options::{DialectOption, Gate, ListenOptions, SecretOptions};
use super::signals::asked_to_end;
use super::trust::TrustOptions;
use super::values::duration;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::suite::run;
use crate::suite::traffic::Traffic;
use crate::suite::traffic::tally::{Judged, Tally};
use crate::suite::transcript::Limits;
use crate::wire::client::forwarding::{Forwarding, leads_to};
use crate::wire::endpoint::capture::{Came, Capture, Catcher};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome, Response};
use keeping::Keeping;
use output::{Counts, Output};

/// How many requests wait to be judged.
const QUEUED: usize = 1024;
/// How many KiB of them.
const QUEUED_KIB: usize = 64 * 1024;
/// How many are judged before what was said of them is printed.
const TOGETHER: usize = 64;
/// How long a request that is being answered may hold up the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Options of `listen`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    listen: ListenOptions,
    #[command(flatten)]
    secret: SecretOptions,
    #[command(flatten)]
    dialect: DialectOption,
    /// The status that deliveries are answered with
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u16).range(200..=599), conflicts_with = "forward")]
    status: u16,
    /// Pass each request on, and answer what comes back; a path other than / takes the place of the request's
    #[arg(long, value_name = "URL")]
    forward: Option<String>,
    /// How long the answer to a request that was passed on is waited for
    #[arg(long, default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Pass requests on to an address that is not this machine's
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    trust: TrustOptions,
    /// Keep each delivery in this folder, which must be new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// End behind the first delivery
    #[arg(long, conflicts_with = "count")]
    once: bool,
    /// End behind so many deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Print JSON lines: one when it is ready, one for each delivery, and a summary
    #[arg(long)]
    json: bool,
    /// The weakest level whose failures fail the run
    #[arg(long, value_enum, default_value = "must")]
    fail_on: Gate,
}

pub(super) async fn run(arguments: Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    run::check_oracles()?;
    let secret = arguments.secret.read()?;
    secret.iter().for_each(|secret| console.conceal(secret));
    let keeping = arguments.out.as_deref().map(Keeping::claim).transpose()?;
    let (queue, queued) = mpsc::channel(QUEUED);
    let taken = Arc::new(AtomicU64::new(0));
    let catcher = Arc::new(Queueing {
        clock: Clock::system(),
        status: arguments.status,
        forwarding: forwarding(&arguments, console).await?,
        room: Arc::new(Semaphore::new(QUEUED_KIB)),
        queue,
        taken: taken.clone(),
        most: if arguments.once { Some(1) } else { arguments.count },
    });
    let most = catcher.most;
    let asked = asked_to_end();
    let address = arguments.listen.address();
    let capture = Capture::serve(address, catcher.clone()).await.map_err(|why| {
        Error::Usage(format!("{address} cannot be listened on: {why}; choose another --host or --port"))
    })?;
    // What the server and its connections hold is now all that keeps the queue open.
    let forwarding = catcher.forwarding.is_some();
    if let Some(forward) = arguments.forward.as_ref().filter(|_| forwarding) {
        refuse_itself(forward, &arguments, &capture, console).await?;
    }
    drop(catcher);
    let selected: Vec<&'static Requirement> = requirements::of(Role::Sender).collect();
    let mut judging = Judging {
        traffic: Traffic {
            dialect: arguments.dialect.dialect(),
            limits: Limits::default(),
            secret: secret.clone(),
        },
        redaction: Redaction::new(secret.as_ref()),
        tally: Tally::new(&selected),
        selected,
        output: Output { json: arguments.json },
        keeping,
    };
    let began = Instant::now();
    match judging.output.ready(&capture.url("/")) {
        Some(line) => console.print(&line)?,
        None => console.tell(&format!("listening on {}", capture.url("/"))),
    }
    judging.judge_all(queued, capture, asked, most, console).await?;
    let fail_on = arguments.fail_on.level();
    let came = taken.load(Ordering::Relaxed);
    let counts = Counts {
        received: most.map_or(came, |most| came.min(most)),
        stored: judging.keeping.as_ref().map(Keeping::stored),
    };
    console.print(&judging.output.summary(&judging.tally, counts, fail_on, began.elapsed()))?;
    Ok(judging.tally.exit(fail_on))
}

/// The way on, where there is one. Errors: a URL that is none, or that may not be sent to.
async fn forwarding(arguments: &Arguments, console: &mut Console) -> Result<Option<Forwarding>, Error> {
    let Some(url) = &arguments.forward else {
        return if arguments.trust.given() {
            Err(Error::Usage("--ca and --insecure are for --forward to an https URL".to_owned()))
        } else {
            Ok(None)
        };
    };
    let target = arguments.trust.target(url, console)?;
    target.check_allowed(arguments.allow_remote).map_err(Error::Usage)?;
    Ok(Some(Forwarding::new(target, arguments.timeout, Clock::system())))
}

/// Errors: what is passed on would come back here, for ever.
async fn refuse_itself(
    url: &str,
    arguments: &Arguments,
    capture: &Capture,
    console: &mut Console,
) -> Result<(), Error> {
    let target = arguments.trust.target(url, console)?;
    match leads_to(&target, capture.address()).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Usage(format!(
            "--forward {url} leads to this endpoint itself ({}); give another URL or another --port",
            capture.url("/")
        ))),
        Err(why) => Err(Error::Usage(format!("--forward {url}: its host cannot be resolved: {why}"))),
    }
}

/// What was caught, on its way to being judged. It holds its room in the queue for as long as it lives.
enum Queued {
    Whole(Box<Exchange>, OwnedSemaphorePermit),
    Broken(String),
}

/// Answers requests, or passes them on, and queues them.
struct Queueing {
    clock: Clock,
    status: u16,
    forwarding: Option<Forwarding>,
    room: Arc<Semaphore>,
    queue: mpsc::Sender<Queued>,
    /// How many came, and how many of them are taken at most.
    taken: Arc<AtomicU64>,
    most: Option<u64>,
}

impl Queueing {
    async fn take(&self, delivery: Delivery) -> Option<Response> {
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        if self.most.is_some_and(|most| before >= most) {
            return None;
        }
        let (at_ms, began) = (self.clock.now_ms(), Instant::now());
        let response = match &self.forwarding {
            Some(forwarding) => forwarding.pass(&delivery).await,
            None => Response::text(self.status, ""),
        };
        let kib = u32::try_from(delivery.body.len() / 1024 + 1).unwrap_or(u32::MAX);
        let exchange = Exchange {
            id: ExchangeId(0),
            delivery,
            outcome: Outcome::Answered(response.clone()),
            at_ms,
            took: began.elapsed(),
        };
        let room = self.room.clone().acquire_many_owned(kib).await.ok()?;
        self.queue.send(Queued::Whole(Box::new(exchange), room)).await.ok()?;
        Some(response)
    }
}

impl Catcher for Queueing {
    fn catch(&self, came: Came) -> BoxFuture<'_, Option<Response>> {
        match came {
            Came::Whole(delivery) => self.take(delivery).boxed(),
            Came::Broken(what) => async {
                // Nobody judges any more where the queue is gone.
                let _ = self.queue.send(Queued::Broken(what)).await;
                None
            }
            .boxed(),
        }
    }
}

/// Judges what is queued, says what came of it, and keeps it.
struct Judging {
    traffic: Traffic,
    redaction: Redaction,
    selected: Vec<&'static Requirement>,
    tally: Tally,
    output: Output,
    keeping: Option<Keeping>,
}

impl Judging {
    /// Until the queue is closed: behind the last of so many, or behind what was caught before the end was asked for.
    async fn judge_all(
        &mut self,
        mut queued: mpsc::Receiver<Queued>,
        capture: Capture,
        asked: impl Future<Output = ()>,
        most: Option<u64>,
        console: &mut Console,
    ) -> Result<(), Error> {
        let mut capture = Some(capture);
        let mut asked = std::pin::pin!(asked);
        let (mut batch, mut text) = (Vec::with_capacity(TOGETHER), String::new());
        loop {
            let ends = tokio::select! {
                biased;
                () = &mut asked, if capture.is_some() => true,
                count = queued.recv_many(&mut batch, TOGETHER) => {
                    if count == 0 {
                        return Ok(());
                    }
                    for one in batch.drain(..) {
                        self.judge(one, &mut text)?;
                    }
                    self.keeping.as_mut().map_or(Ok(()), Keeping::flush)?;
                    console.print(&text)?;
                    text.clear();
                    most.is_some_and(|most| self.tally.judged >= most)
                }
            };
            if let Some(capture) = capture.take_if(|_| ends) {
                // Beside what goes on here: its last requests may wait for room in the queue.
                tokio::spawn(capture.end(LAST_ANSWERS));
            }
        }
    }

    fn judge(&mut self, queued: Queued, text: &mut String) -> Result<(), Error> {
        let (mut exchange, _room) = match queued {
            Queued::Whole(exchange, room) => (exchange, room),
            Queued::Broken(what) => {
                self.tally.broken += 1;
                text.push_str(&self.output.broken(&self.redaction.text(&what)));
                return Ok(());
            }
        };
        let number = usize::try_from(self.tally.judged).unwrap_or(usize::MAX).saturating_add(1);
        exchange.id = ExchangeId(number);
        let transcript = self.traffic.transcript([(*exchange).clone()]);
        let findings = self.traffic.judge(&transcript, &self.selected);
        let judged = Judged::new(self.traffic.dialect, &exchange.delivery.body, &findings, &self.redaction);
        self.tally.add(number, &findings, &judged);
        text.push_str(&self.output.delivery(&exchange, &judged, &self.redaction));
        if let Some(keeping) = &mut self.keeping {
            keeping.keep(*exchange, &judged, &self.redaction)?;
        }
        Ok(())
    }
}
