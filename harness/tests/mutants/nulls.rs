//! Null subjects always do the same thing. They pass nothing by accident: a list says what each may pass, and why.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use twenty_conform::subject;
use twenty_conform::suite::requirement::Role;
use twenty_conform::suite::requirements;
use twenty_conform::suite::run;
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::wire::endpoint::Handler;
use twenty_conform::wire::exchange::{Delivery, Response};

use super::{check_receiver, failed, options, passed, secret, short};
use crate::peers::plain;
use crate::peers::senders::{Null as NullSend, NullSender};

/// A receiver that always does the same thing.
#[derive(Clone, Copy, Debug)]
enum Null {
    Status(u16),
    Echo,
    Closes,
    Silent,
}

impl Handler for Null {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        async move {
            match self {
                Self::Status(status) => Some(Response::text(*status, "")),
                Self::Echo => Some(Response { status: 200, body: delivery.body, ..Response::default() }),
                Self::Closes => None,
                Self::Silent => std::future::pending().await,
            }
        }
        .boxed()
    }
}

/// A receiver that answers 401 to everything.
pub(super) async fn rejecting() -> subject::receiver::Receiver {
    let server = plain::serve(Arc::new(Null::Status(401))).await.unwrap();
    subject::receiver::Receiver::here(server, "/", secret())
}

#[tokio::test(flavor = "multi_thread")]
async fn null_receivers_pass_nothing_by_accident() {
    // A receiver that accepts everything accepts what is valid; nothing else may pass.
    // RCV-11 passes because of the server's own limit.
    let accepts = [
        "RCV-1", "RCV-2", "RCV-3", "RCV-4", "RCV-5", "RCV-6", "RCV-7", "RCV-8", "RCV-9", "RCV-10", "RCV-11",
        "RCV-12", "RCV-13", "VER-8", "VER-16", "VER-18", "DIA-1",
    ];
    for (null, may_pass) in [
        (Null::Status(200), &accepts[..]),
        (Null::Echo, &accepts[..]),
        (Null::Status(204), &accepts[..]),
        (Null::Status(302), &[]),
        (Null::Status(401), &[]),
        (Null::Status(500), &[]),
        (Null::Closes, &[]),
        (Null::Silent, &[]),
    ] {
        let server = plain::serve(Arc::new(null)).await.unwrap();
        let receiver = subject::receiver::Receiver::here(server, "/", secret());
        let limits = Limits { timeout: Duration::from_millis(20), ..short() };
        let limits = if matches!(null, Null::Silent) { limits } else { short() };
        let run = check_receiver(receiver, &options(&DOCUMENTED, limits)).await;
        assert_eq!(passed(&run), may_pass.iter().copied().collect(), "{null:?}");
        let must_fail = if may_pass.is_empty() { "RCV-1" } else { "VER-1" };
        assert!(failed(&run).contains(must_fail), "{null:?}: {:?}", failed(&run));
    }
}

/// What a null sender may pass, and why.
type MayPass = &'static [(&'static str, &'static str)];

const UNSIGNED: MayPass = &[
    ("DLV-1", "what it sends is a POST"),
    ("DLV-2", "it goes to the URL that was registered"),
    ("DLV-3", "`{}` is one JSON text"),
    ("DLV-4", "it is sent as application/json"),
    ("SIG-8", "an unsigned request contains no secret"),
];

#[tokio::test(flavor = "multi_thread")]
async fn null_senders_pass_nothing_by_accident() {
    let nulls = [
        (NullSend::SendsNothing, &[][..]),
        (NullSend::SendsOnce, UNSIGNED),
        (NullSend::SendsTwice, UNSIGNED),
        (NullSend::DiesAtEvent, &[]),
    ];
    // All at the same time: they spend most of their time waiting.
    let runs = stream::iter(nulls).map(async |(null, may_pass)| {
        let limits = Limits { deadline: Duration::from_millis(600), ..short() };
        let selected: Vec<_> = requirements::of(Role::Sender).collect();
        let run =
            run::sender(&NullSender::new(null), &selected, &options(&DOCUMENTED, limits), &|_| {}).await;
        (null, may_pass, run.unwrap())
    });
    let mut wrong = String::new();
    for (null, may_pass, run) in runs.buffered(nulls.len()).collect::<Vec<_>>().await {
        let passed = passed(&run);
        let expected: BTreeSet<&str> = may_pass.iter().map(|(id, _)| *id).collect();
        if passed != expected || failed(&run).is_empty() {
            wrong +=
                &format!("{null:?}: passed {passed:?}, may pass {expected:?}, failed {:?}\n", failed(&run));
        }
    }
    assert_eq!(wrong, "", "a null sender passes what is not listed with a reason, or not what is listed");
}

#[tokio::test(flavor = "multi_thread")]
async fn null_senders_that_fail_hello_are_not_tested() {
    for null in [NullSend::Dies, NullSend::IsSilent, NullSend::Refuses] {
        let selected: Vec<_> = requirements::of(Role::Sender).collect();
        let run =
            run::sender(&NullSender::new(null), &selected, &options(&DOCUMENTED, short()), &|_| {}).await;
        assert!(run.is_err(), "{null:?}: {:?}", run.map(|run| passed(&run)));
    }
}
