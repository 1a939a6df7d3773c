//! `listen`: stands as an endpoint for a sender that cannot be driven, and judges each delivery as it comes.
//!
//! Invariant: nothing is lost. Each request that is answered has been queued before, and is judged, printed and kept before
//! the command ends; where that is slower than the sender, the sender waits for its answer.

mod keeping;
mod output;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::BoolishValueParser;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::console::Console;
use super::options::{DialectName, Gate, SecretOptions, asked_to_end, duration};
use super::trust::TrustOptions;
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
use crate::wire::codec::{encode_response, quote};
use crate::wire::endpoint::intake::{self, Broken, Intake, Request, Service, Taken};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Outcome, Response};
use keeping::Keeping;
use output::{Counts, Output};

/// How many requests wait to be judged.
const QUEUED: usize = 1024;
/// How many KiB of them.
const QUEUED_KIB: usize = 64 * 1024;
/// How many are judged before what was said of them is printed.
const TOGETHER: usize = 64;
/// What the endpoint allows. It has one thread: requests wait for their judgement and not for the endpoint.
const ENDPOINT: intake::Limits =
    intake::Limits { threads: 1, connections: 512, body: 8 * 1024 * 1024, patience: Duration::from_secs(75) };
/// How long a request that is being answered may hold up the end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Options of `listen`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The port; 0 lets the system choose
    #[arg(long, default_value_t = 0, env = "PORT")]
    port: u16,
    /// The address to listen at
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), env = "TWENTY_CONFORM_HOST", hide_env = true)]
    host: IpAddr,
    #[command(flatten)]
    secret: SecretOptions,
    /// The form of body
    #[arg(long, value_enum, default_value = "documented", env = "TWENTY_CONFORM_DIALECT", hide_env = true)]
    dialect: DialectName,
    /// The status that deliveries are answered with
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u16).range(200..=599), conflicts_with = "forward", env = "TWENTY_CONFORM_STATUS", hide_env = true)]
    status: u16,
    /// Pass each request on, and answer what comes back; a path other than / takes the place of the request's
    #[arg(long, value_name = "URL", env = "TWENTY_CONFORM_FORWARD", hide_env = true)]
    forward: Option<String>,
    /// How long the answer to a request that was passed on is waited for
    #[arg(long, default_value = "10s", value_parser = duration, env = "TWENTY_CONFORM_TIMEOUT", hide_env = true)]
    timeout: Duration,
    /// Pass requests on to an address that is not this machine's
    #[arg(long, env = "TWENTY_CONFORM_ALLOW_REMOTE", value_parser = BoolishValueParser::new(), hide_env = true)]
    allow_remote: bool,
    #[command(flatten)]
    trust: TrustOptions,
    /// Keep each delivery in this folder, which must be new or empty
    #[arg(long, value_name = "DIR", env = "TWENTY_CONFORM_OUT", hide_env = true)]
    out: Option<PathBuf>,
    /// End behind the first delivery
    #[arg(long, conflicts_with = "count", env = "TWENTY_CONFORM_ONCE", value_parser = BoolishValueParser::new(), hide_env = true)]
    once: bool,
    /// End behind so many deliveries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), env = "TWENTY_CONFORM_COUNT", hide_env = true)]
    count: Option<u64>,
    /// Print JSON lines: one when it is ready, one for each delivery, and a summary
    #[arg(long, env = "TWENTY_CONFORM_JSON", value_parser = BoolishValueParser::new(), hide_env = true)]
    json: bool,
    /// The weakest level whose failures fail the run
    #[arg(long, value_enum, default_value = "must", env = "TWENTY_CONFORM_FAIL_ON", hide_env = true)]
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
    let address = SocketAddr::new(arguments.host, arguments.port);
    let service = Service::start(address, ENDPOINT, catcher.clone()).await.map_err(|why| {
        Error::Usage(format!("{address} cannot be listened on: {why}; choose another --host or --port"))
    })?;
    // What the server and its connections hold is now all that keeps the queue open.
    let forwarding = catcher.forwarding.is_some();
    if let Some(forward) = arguments.forward.as_ref().filter(|_| forwarding) {
        refuse_itself(forward, &arguments, &service, console).await?;
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
    match judging.output.ready(&service.url("/")) {
        Some(line) => console.print(&line)?,
        None => console.tell(&format!("listening on {}", service.url("/"))),
    }
    judging.judge_all(queued, service, asked, most, console).await?;
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
    service: &Service,
    console: &mut Console,
) -> Result<(), Error> {
    let target = arguments.trust.target(url, console)?;
    match leads_to(&target, service.address()).await {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::Usage(format!(
            "--forward {url} leads to this endpoint itself ({}); give another URL or another --port",
            service.url("/")
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
    async fn answer(&self, delivery: Delivery) -> Option<Vec<u8>> {
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        if self.most.is_some_and(|most| before >= most) {
            return None;
        }
        let (at_ms, began) = (self.clock.now_ms(), Instant::now());
        let response = match &self.forwarding {
            Some(forwarding) => forwarding.pass(&delivery).await,
            None => Response::text(self.status, ""),
        };
        let answer = encode_response(&response);
        let kib = u32::try_from(delivery.body.len() / 1024 + 1).unwrap_or(u32::MAX);
        let exchange = Exchange {
            id: ExchangeId(0),
            delivery,
            outcome: Outcome::Answered(response),
            at_ms,
            took: began.elapsed(),
        };
        let room = self.room.clone().acquire_many_owned(kib).await.ok()?;
        self.queue.send(Queued::Whole(Box::new(exchange), room)).await.ok()?;
        Some(answer)
    }
}

impl Intake for Queueing {
    fn take(&self, request: &Request<'_>) -> Taken<'_> {
        Taken::Later(self.answer(request.to_delivery()).boxed())
    }

    fn broken(&self, what: Broken, came: &[u8]) -> Option<BoxFuture<'_, ()>> {
        let words = format!("{what}; it begins {}", quote(came));
        let told = async move {
            // Nothing is judged any more where the queue is gone.
            let _ = self.queue.send(Queued::Broken(words)).await;
        };
        Some(told.boxed())
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
        service: Service,
        asked: impl Future<Output = ()>,
        most: Option<u64>,
        console: &mut Console,
    ) -> Result<(), Error> {
        let mut service = Some(service);
        let mut asked = std::pin::pin!(asked);
        let (mut batch, mut text) = (Vec::with_capacity(TOGETHER), String::new());
        loop {
            let ends = tokio::select! {
                biased;
                () = &mut asked, if service.is_some() => true,
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
            if let Some(service) = service.take_if(|_| ends) {
                // Beside what goes on here: its last requests may wait for room in the queue.
                tokio::spawn(service.end_answered(LAST_ANSWERS));
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
