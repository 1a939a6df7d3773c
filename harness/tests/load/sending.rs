//! Load on senders: the reference, mutants of it, and senders that reject events, hang or die.
//!
//! Lost, duplicated and wrong deliveries are found and reported, and the reference passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use twenty_conform::bench::accounts::entry::LedgerFault;
use twenty_conform::bench::generate::plan::{LoadPlan, Mode};
use twenty_conform::bench::measure::machine::{Machine, Tool};
use twenty_conform::bench::measure::report::{BenchReport, BenchRole, Origin, SendingEntry};
use twenty_conform::bench::sending::run::{SenderLoad, SenderOutcome, SenderUnderLoad, run};
use twenty_conform::bench::sending::verdict::SenderFacts;
use twenty_conform::bench::show::text;
use twenty_conform::clock::Clock;
use twenty_conform::error::Error;
use twenty_conform::peers::fault::SenderFault;
use twenty_conform::peers::mutant::sender::Mutant;
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{ANSWER_WAIT, Sender as Reference};
use twenty_conform::random::Random;
use twenty_conform::subject::SubjectError;
use twenty_conform::subject::protocol::{Op, Reply};
use twenty_conform::subject::sender::Sender;
use twenty_conform::webhook::dialect::{DOCUMENTED, Dialect, SHIPPED};

use super::{errors, plan};

fn transport() -> Arc<Pooled> {
    Arc::new(Pooled::new(ANSWER_WAIT).unwrap())
}

fn reference(dialect: &'static Dialect) -> Arc<dyn Sender> {
    Arc::new(Reference::new(dialect, Clock::system(), Random::from_seed(1), transport()))
}

fn mutant(fault: SenderFault) -> Arc<dyn Sender> {
    let random = Random::from_seed(1);
    Arc::new(Mutant::new(fault, &DOCUMENTED, Clock::system(), random, transport(), Duration::ZERO))
}

/// A load of this many events.
fn events(count: u64) -> SenderLoad {
    SenderLoad {
        plan: LoadPlan { duration: Duration::from_secs(60), timeout: Duration::from_millis(300), ..plan(0) },
        events: Some(count),
        webhooks: 1,
        settle: Duration::from_millis(50),
        receiving: 1,
    }
}

async fn run_until(
    task: &SenderLoad,
    sender: Arc<dyn Sender>,
    dialect: &'static Dialect,
    interrupted: &watch::Receiver<bool>,
) -> Result<SenderOutcome, Error> {
    run(task, &SenderUnderLoad { sender, dialect, clock: &Clock::system(), interrupted, live: None }).await
}

fn judged(sent: &SenderOutcome, task: &SenderLoad, allowed: &[LedgerFault]) -> BenchReport {
    let report = sent.report(SenderFacts {
        origin: Origin {
            role: BenchRole::Sender,
            tool: Tool::this(),
            machine: Machine::this(),
            command: Vec::new(),
            subject: "a sender".to_owned(),
            dialect: "documented".to_owned(),
            started_at_ms: 0,
            took_ms: 0,
            seed: Some(task.plan.seed),
        },
        task,
        allowed,
        thresholds: &[],
    });
    assert_eq!(report.exit_status, report.status().code());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(BenchReport::parse(&text).unwrap(), report, "parsing reverses serialising");
    report
}

/// The report of a load that runs to its end.
async fn measure(task: &SenderLoad, sender: Arc<dyn Sender>, dialect: &'static Dialect) -> BenchReport {
    let (_never, interrupted) = watch::channel(false);
    judged(&run_until(task, sender, dialect, &interrupted).await.unwrap(), task, &[])
}

fn sending(report: &BenchReport) -> &SendingEntry {
    report.sending.as_ref().unwrap()
}

fn kinds(report: &BenchReport) -> Vec<(&str, u64)> {
    report.unexpected.iter().map(|one| (one.kind.as_str(), one.count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_delivers_every_event_to_every_webhook() {
    for dialect in [&DOCUMENTED, &SHIPPED] {
        let task = SenderLoad { webhooks: 3, ..events(40) };
        let report = measure(&task, reference(dialect), dialect).await;
        assert_eq!((report.result.describe(), report.role.describe()), ("pass", "sender"), "{report:?}");
        assert_eq!(
            (report.total.sent, report.total.acknowledged, report.total.latency.count),
            (120, 120, 120)
        );
        let sending = sending(&report);
        assert_eq!((sending.ledger.verified, sending.ledger.lost), (120, Some(0)), "{sending:?}");
        assert_eq!((sending.ledger.runs.len(), sending.ledger.webhooks.len(), sending.strange), (3, 3, 0));
        assert!(sending.events_per_s > 0.0 && report.total.rate > sending.events_per_s, "{report:?}");
        assert!(report.total.latency.min_us > 0 && report.total.bytes_received > 0);
        let text = text::render(&report);
        assert!(
            text.contains("deliveries per second to 3 webhooks") && text.contains("reference sender"),
            "{text}"
        );
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("RESULT: pass rate ") && last.contains(" wrong 0 duplicated 0 "), "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_loop_requests_events_at_its_rate() {
    let plan = LoadPlan { mode: Mode::Rates(vec![200.0]), ..plan(250) };
    let task = SenderLoad { plan, events: None, ..events(1) };
    let report = measure(&task, reference(&DOCUMENTED), &DOCUMENTED).await;
    assert_eq!((report.total.sent, report.total.acknowledged), (50, 50), "{report:?}");
    assert_eq!((report.load.mode.describe(), report.load.duration_ms), ("rate", 250));
    assert!(report.total.lateness.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn warm_up_is_in_the_accounts_but_not_measured() {
    let plan = LoadPlan { warm_up: Duration::from_millis(60), ..plan(100) };
    let task = SenderLoad { plan, events: None, ..events(1) };
    let report = measure(&task, reference(&DOCUMENTED), &DOCUMENTED).await;
    assert_eq!(report.result.describe(), "pass", "{report:?}");
    assert!(report.total.acknowledged > 0 && report.total.acknowledged < sending(&report).ledger.verified);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_duplicated_deliveries() {
    let task = events(20);
    let (_never, interrupted) = watch::channel(false);
    let sent =
        run_until(&task, mutant(SenderFault::DeliveredTwice), &DOCUMENTED, &interrupted).await.unwrap();
    let report = judged(&sent, &task, &[]);
    assert_eq!((report.result.describe(), report.exit_status), ("fail", 1));
    assert_eq!(kinds(&report), [("duplicated", 20)], "{report:?}");
    assert_eq!((report.total.acknowledged, report.total.failed), (20, 0));
    let exchange = &report.unexpected[0].exchange;
    assert!(exchange.request.contains("\"op\":\"emit\"") && exchange.answer.contains("/webhooks/1"));
    assert_eq!(judged(&sent, &task, &[LedgerFault::Duplicated]).result.describe(), "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_wrong_signatures() {
    let task = events(20);
    let (_never, interrupted) = watch::channel(false);
    let sent =
        run_until(&task, mutant(SenderFault::SignsBodyAlone), &DOCUMENTED, &interrupted).await.unwrap();
    let report = judged(&sent, &task, &[]);
    assert_eq!((report.result.describe(), report.exit_status), ("fail", 1));
    assert_eq!(kinds(&report), [("bad-signature", 20)], "none of them counts as lost: {report:?}");
    assert_eq!(
        (report.total.acknowledged, report.total.refused, report.total.statuses[0].status),
        (0, 20, 401)
    );
    assert!(report.unexpected[0].exchange.request.starts_with("POST /webhooks/1 HTTP/1.1\r\n"));
    assert!(text::render(&report).contains("bad-signature"));
    assert_eq!(
        judged(&sent, &task, &[LedgerFault::Wrong]).result.describe(),
        "incomplete",
        "nothing was measured"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_lost_deliveries() {
    let all_at_once = |count| {
        let task = events(count);
        SenderLoad { plan: LoadPlan { concurrency: 12, ..task.plan }, ..task }
    };
    let task = SenderLoad { webhooks: 2, ..all_at_once(8) };
    let report = measure(&task, mutant(SenderFault::SecondWebhookForgotten), &DOCUMENTED).await;
    assert_eq!((report.result.describe(), report.exit_status), ("fail", 1));
    assert_eq!(kinds(&report), [("lost", 8)], "{report:?}");
    assert_eq!((report.total.acknowledged, errors(&report, "lost")), (8, 8));
    assert_eq!(sending(&report).events_per_s, 0.0, "no event reached both webhooks");
    let lost: Vec<_> = sending(&report).ledger.webhooks.iter().map(|webhook| webhook.lost).collect();
    assert_eq!(lost, [Some(0), Some(8)]);
    assert!(report.unexpected[0].exchange.answer.contains("/webhooks/2"));

    let report = measure(&all_at_once(12), mutant(SenderFault::DeletionsNotSent), &DOCUMENTED).await;
    assert_eq!((report.total.acknowledged, kinds(&report)), (8, vec![("lost", 4)]), "{report:?}");
    assert!(report.unexpected[0].exchange.request.contains(".deleted\""), "{report:?}");
}

/// The reference, with a function that intercepts requests.
struct Intercepted {
    inner: Arc<dyn Sender>,
    requests: AtomicU64,
    intercept: fn(u64, Op) -> Action,
}

enum Action {
    Pass(Op),
    Reply(Result<Reply, SubjectError>),
    Hang,
}

impl Sender for Intercepted {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        let number = match &op {
            Op::Emit(_) => self.requests.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        match (self.intercept)(number, op) {
            Action::Pass(op) => self.inner.call(op),
            Action::Reply(reply) => std::future::ready(reply).boxed(),
            Action::Hang => std::future::pending().boxed(),
        }
    }
}

fn intercepted(intercept: fn(u64, Op) -> Action) -> Arc<Intercepted> {
    Arc::new(Intercepted { inner: reference(&DOCUMENTED), requests: AtomicU64::new(0), intercept })
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_that_dies_leaves_a_partial_report() {
    let dies = intercepted(|number, op| match op {
        Op::Emit(_) if number >= 10 => {
            Action::Reply(Err(SubjectError::Died("no reply to `emit`: it ended with status 3".to_owned())))
        }
        op => Action::Pass(op),
    });
    let report = measure(&events(1000), dies, &DOCUMENTED).await;
    assert_eq!((report.result.describe(), report.exit_status), ("fail", 1), "{report:?}");
    assert!(report.total.acknowledged > 0 && report.total.sent < 20, "{report:?}");
    assert!(report.notes.iter().any(|note| note.contains("stopped answering requests")), "{report:?}");
    assert!(report.notes.iter().any(|note| note.contains("ended with status 3")), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_events_that_the_sender_rejects() {
    let refuses = intercepted(|number, op| match op {
        Op::Emit(_) if number % 4 == 1 => Action::Reply(Ok(Reply::Error("not today".to_owned()))),
        op => Action::Pass(op),
    });
    let report = measure(&events(20), refuses, &DOCUMENTED).await;
    assert_eq!((report.result.describe(), kinds(&report)), ("fail", vec![("untaken", 5)]), "{report:?}");
    assert_eq!((report.total.acknowledged, errors(&report, "untaken")), (15, 5));
    assert_eq!(report.unexpected[0].exchange.answer, "not today");
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_that_accepts_events_but_sends_nothing_ends_in_time() {
    let says = intercepted(|_, op| match op {
        Op::Emit(_) => Action::Reply(Ok(Reply::ok(&serde_json::json!({})))),
        op => Action::Pass(op),
    });
    let begun = Instant::now();
    let report = measure(&events(6), says, &DOCUMENTED).await;
    assert_eq!((report.result.describe(), kinds(&report)), ("fail", vec![("lost", 6)]), "{report:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "each times out after 300 ms, four at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_load_counts_nothing_as_lost() {
    let hangs = intercepted(|number, op| match op {
        Op::Emit(_) if number >= 5 => Action::Hang,
        op => Action::Pass(op),
    });
    let (stop, interrupted) = watch::channel(false);
    let task =
        SenderLoad { plan: LoadPlan { timeout: Duration::from_secs(60), ..events(1).plan }, ..events(1000) };
    let load = run_until(&task, hangs.clone(), &DOCUMENTED, &interrupted);
    let interrupting = async {
        // Until each of the four tasks hangs.
        while hangs.requests.load(Ordering::Relaxed) < 9 {
            tokio::task::yield_now().await;
        }
        stop.send_replace(true);
    };
    let (sent, ()) = tokio::join!(load, interrupting);
    let report = judged(&sent.unwrap(), &task, &[]);
    assert_eq!((report.result.describe(), report.exit_status), ("interrupted", 130), "{report:?}");
    assert_eq!(report.total.failed, 0, "deliveries in flight are not lost");
}

#[tokio::test]
async fn sender_that_cannot_begin_is_an_error() {
    let (_never, interrupted) = watch::channel(false);
    for (intercept, words) in [
        (
            (|_, op| match op {
                Op::Hello { .. } => Action::Reply(Ok(Reply::Error("who are you".to_owned()))),
                op => Action::Pass(op),
            }) as fn(u64, Op) -> Action,
            "who are you",
        ),
        (
            |_, op| match op {
                Op::CreateWebhook { .. } => Action::Reply(Ok(Reply::ok(&serde_json::json!({"id": 1})))),
                op => Action::Pass(op),
            },
            "has no string `webhook`",
        ),
    ] {
        let Err(why) = run_until(&events(1), intercepted(intercept), &DOCUMENTED, &interrupted).await else {
            panic!("{words}: the load began")
        };
        assert!(why.to_string().contains(words), "{why}");
    }
}
