//! What the suite says of receivers that reject deliveries: what answers instead of them, clocks that are off, and ways of signing.
//!
//! Invariant: each receiver here is written for its test, and knows nothing of the suite but the contract.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant;
use twenty_conform::peers::receiver::Settings;
use twenty_conform::random::Random;
use twenty_conform::subject::receiver::Receiver;
use twenty_conform::suite::cause::Cause;
use twenty_conform::suite::requirement::{Role, Verdict};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Judgement, Options, Run};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::recipe::{Message, Misread, Recipe};
use twenty_conform::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use twenty_conform::wire::endpoint::Handler;
use twenty_conform::wire::exchange::{Delivery, Response};

use crate::mutants::options;
use crate::peers::plain;

type Answer = dyn Fn(&Delivery) -> Response + Send + Sync;

struct Written(Box<Answer>);

impl Handler for Written {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        let answer = (self.0)(&delivery);
        async { Some(answer) }.boxed()
    }

    fn body_limit(&self) -> usize {
        32 * 1024 * 1024
    }
}

fn secret() -> Secret {
    Secret::new(Random::from_seed(11).secret())
}

/// A run that finds out the dialect, as the command does.
fn few() -> Options {
    Options { auto: true, cases: 2, ..options(&DOCUMENTED, Limits::default()) }
}

async fn run_on(handler: Arc<dyn Handler>) -> Run {
    // The time of a comparison can only be measured while nothing else runs.
    run_of(handler, |id| id != "VER-15").await
}

/// A run of some requirements.
async fn run_of(handler: Arc<dyn Handler>, is_selected: impl Fn(&str) -> bool) -> Run {
    let selected: Vec<_> = requirements::of(Role::Receiver).filter(|one| is_selected(one.id)).collect();
    let server = plain::serve(handler).await.unwrap();
    let mut receiver = Receiver::here(server, "/hooks", secret());
    run::receiver(&mut receiver, &selected, &few(), &|_| {}).await.unwrap()
}

async fn run_written(answer: impl Fn(&Delivery) -> Response + Send + Sync + 'static) -> Run {
    run_on(Arc::new(Written(Box::new(answer)))).await
}

/// The cause that a run of RCV-1 alone names.
async fn cause_of_rejection(answer: impl Fn(&Delivery) -> Response + Send + Sync + 'static) -> String {
    rejects_valid(&run_of(Arc::new(Written(Box::new(answer))), |id| id == "RCV-1").await)
}

/// The header's value.
fn header<'a>(delivery: &'a Delivery, name: &str) -> &'a [u8] {
    delivery.headers.single(name).map_or(&[], |value| &**value)
}

/// Whether the signature is that of the contract, for this body.
fn is_signed(delivery: &Delivery, body: &[u8]) -> bool {
    let key = Key::new(&secret());
    key.verify(header(delivery, TIMESTAMP_HEADER), body, header(delivery, SIGNATURE_HEADER))
}

/// How many minutes the timestamp is ahead of the clock.
fn minutes_ahead(delivery: &Delivery) -> Option<f64> {
    let sent: i64 = std::str::from_utf8(header(delivery, TIMESTAMP_HEADER)).ok()?.parse().ok()?;
    let now = i64::try_from(Clock::system().now_ms()).unwrap();
    Some((sent - now) as f64 / 60_000.0)
}

fn is_fresh(delivery: &Delivery) -> bool {
    minutes_ahead(delivery).is_some_and(|minutes| minutes.abs() < 5.0)
}

fn accepted_if(accepted: bool) -> Response {
    if accepted { Response::text(200, "ok") } else { Response::text(401, "unauthorised") }
}

fn cause(run: &Run, id: &str) -> Option<Cause> {
    let finding = run.findings.iter().find(|one| one.requirement.id == id).unwrap();
    match &finding.judgement {
        Judgement::Judged(Verdict::Fail(evidence)) => evidence.cause.clone(),
        other => panic!("{id} does not fail: {other:?}"),
    }
}

/// The cause of RCV-1 in words.
fn rejects_valid(run: &Run) -> String {
    cause(run, "RCV-1").map_or_else(String::new, |cause| cause.to_string())
}

/// The requirements that fail, and the reasons of the others.
fn failures_and_reasons(run: &Run) -> (Vec<&'static str>, BTreeSet<String>) {
    let (mut failed, mut reasons) = (Vec::new(), BTreeSet::new());
    for finding in &run.findings {
        match &finding.judgement {
            Judgement::Judged(Verdict::Fail(_)) => failed.push(finding.requirement.id),
            Judgement::Judged(Verdict::Inconclusive(why)) => {
                reasons.insert(why.clone());
            }
            Judgement::Judged(Verdict::Pass | Verdict::NotApplicable(_)) => {}
            other => panic!("{}: {other:?}", finding.requirement.id),
        }
    }
    (failed, reasons)
}

/// Checks that a run stopped after a few requests, with RCV-1 alone failing, and one reason for the rest.
fn assert_stopped(run: &Run, what: &str) {
    let (failed, reasons) = failures_and_reasons(run);
    assert!(run.transcript.stopped, "{what}");
    assert!(run.transcript.exchanges.count() <= 6, "{what}: {} requests", run.transcript.exchanges.count());
    assert_eq!(failed, ["RCV-1"], "{what}");
    assert_eq!(reasons.len(), 1, "{what}: {reasons:?}");
}

#[tokio::test]
async fn run_stops_where_nothing_reaches_the_receiver() {
    for (fault, code) in [
        (ReceiverFault::RoutesElsewhere, "route.not-found"),
        (ReceiverFault::RoutesOtherMethods, "route.method"),
        (ReceiverFault::RedirectsEverything, "route.redirect (/hooks/)"),
        (ReceiverFault::AsksForLogin, "route.login"),
        (ReceiverFault::GuardsAgainstForms, "route.csrf"),
        (ReceiverFault::FailsAtGateway, "route.proxy (502)"),
    ] {
        let late = Limits::default().timeout;
        let (settings, clock) = (Settings::new(secret()), Clock::system());
        let mutant = mutant::receiver::Mutant::new(fault, settings, clock, late, Arc::new(|_| {}));
        let run = run_on(Arc::new(mutant)).await;
        assert_eq!(rejects_valid(&run), code);
        assert_stopped(&run, code);
    }
}

#[tokio::test]
async fn pages_and_redirects_that_ask_for_a_login_are_told_from_a_wrong_signature() {
    let page = "<form action=/login><input type=\"password\" name=\"password\"></form>";
    let to = |place: &str| {
        let mut answer = Response::text(302, "");
        answer.headers.add("Location", place.to_owned());
        answer
    };
    for (answer, code) in [
        (Response::text(403, page), "route.login"),
        (to("https://example.com/oauth/authorize/login?next=/hooks"), "route.login"),
        (to("https://example.com/hooks"), "route.redirect (https://example.com/hooks)"),
        (Response::text(419, "Page Expired"), "route.csrf"),
        (Response::text(422, "Can't verify CSRF token authenticity."), "route.csrf"),
        (Response::text(503, "<h1>upstream connect error</h1>"), "route.proxy (503)"),
        (Response::text(504, ""), "route.proxy (504)"),
    ] {
        let run = run_written(move |_| answer.clone()).await;
        assert_eq!(rejects_valid(&run), code);
        assert_stopped(&run, code);
    }
}

#[tokio::test]
async fn statuses_of_a_router_that_depend_on_the_signature_are_the_receivers_own() {
    let credentials = {
        let mut answer = Response::text(401, "invalid signature");
        answer.headers.add("WWW-Authenticate", "Signature");
        answer
    };
    let own = [Response::text(404, ""), Response::text(405, "no"), credentials, Response::text(403, "csrf?")];
    for rejection in own {
        let status = rejection.status;
        let run = run_written(move |delivery| {
            let body_alone = Recipe { message: Message::BodyAlone, ..Recipe::CONTRACT };
            let value = body_alone.compute(secret().expose(), b"", &delivery.body).unwrap();
            let is_here = delivery.target == "/hooks";
            let is_signed = header(delivery, SIGNATURE_HEADER) == value.as_bytes();
            match (is_here, is_signed) {
                (false, _) => Response::text(404, "<h1>Not Found</h1>".repeat(9)),
                (true, true) => Response::text(200, "ok"),
                // Without any signature it answers like most.
                (true, false) if header(delivery, SIGNATURE_HEADER).is_empty() => {
                    Response::text(401, "unsigned")
                }
                (true, false) => rejection.clone(),
            }
        })
        .await;
        assert_eq!(rejects_valid(&run), "message.body-alone", "{status}");
        assert!(!run.transcript.stopped, "{status}");
    }
}

#[tokio::test]
async fn receiver_that_answers_404_to_a_wrong_signature_is_still_diagnosed() {
    let found = cause_of_rejection(|delivery| {
        let recipe = Recipe { message: Message::Separator("."), ..Recipe::CONTRACT };
        let value = recipe.compute(secret().expose(), header(delivery, TIMESTAMP_HEADER), &delivery.body);
        match delivery.target.as_str() {
            "/hooks" if value.is_some_and(|value| value.as_bytes() == header(delivery, SIGNATURE_HEADER)) => {
                Response::text(204, "")
            }
            "/hooks" => Response { headers: Default::default(), ..Response::text(404, "") },
            other => Response::text(404, format!("Cannot POST {other}")),
        }
    })
    .await;
    assert_eq!(found, "message.separator (.)");
}

#[tokio::test]
async fn limit_of_every_request_is_no_failure() {
    for status in [429, 503] {
        let run = run_written(move |_| {
            let mut answer = Response::text(status, "slow down");
            answer.headers.add("Retry-After", "60");
            answer
        })
        .await;
        let (failed, reasons) = failures_and_reasons(&run);
        assert!(failed.is_empty(), "{failed:?}");
        assert!(run.transcript.stopped && run.transcript.exchanges.count() <= 6);
        let reasons: Vec<_> = reasons.into_iter().collect();
        assert!(
            matches!(&*reasons, [one] if one.contains(&format!("{status}, Retry-After: 60"))),
            "{reasons:?}"
        );
    }
}

#[tokio::test]
async fn limit_after_some_requests_is_one_reason() {
    for most in [40, 120, 300] {
        let hits = AtomicUsize::new(0);
        let run = run_written(move |delivery| {
            if hits.fetch_add(1, Ordering::SeqCst) >= most {
                return Response::text(429, "Too many requests");
            }
            accepted_if(is_signed(delivery, &delivery.body) && is_fresh(delivery))
        })
        .await;
        let (failed, reasons) = failures_and_reasons(&run);
        let of_limit = |id: &&&str| id.starts_with("RCV") || ["VER-8", "VER-9", "VER-16"].contains(*id);
        assert_eq!(failed.iter().find(of_limit), None, "{most}");
        assert_eq!(reasons.len(), 1, "{most}: {reasons:?}");
        assert!(run.transcript.stopped, "{most}");
    }
}

#[tokio::test]
async fn clocks_that_are_off_are_measured() {
    for (offset, window, words) in [
        (10.0, 5.0, "clock.off (about 10 min ahead)"),
        (-10.0, 5.0, "clock.off (about 10 min back)"),
        (7.0, 1.0, "clock.off (about 7 min ahead)"),
        (-120.0, 5.0, "clock.off (about 2 h back)"),
        (330.0, 5.0, "clock.off (about 5 h 30 min ahead)"),
    ] {
        let found = cause_of_rejection(move |delivery| {
            let fresh = minutes_ahead(delivery).is_some_and(|ahead: f64| (ahead - offset).abs() < window);
            accepted_if(is_signed(delivery, &delivery.body) && fresh)
        })
        .await;
        assert_eq!(found, words);
    }
}

#[tokio::test]
async fn clock_that_is_compared_in_one_direction_is_named() {
    let run = run_written(|delivery| {
        let fresh = minutes_ahead(delivery).is_some_and(|ahead| (-5.0..0.05).contains(&ahead));
        accepted_if(is_signed(delivery, &delivery.body) && fresh)
    })
    .await;
    let found = cause(&run, "VER-11").unwrap().to_string();
    assert_eq!(found, "clock.one-sided (deliveries 59 s ahead are rejected)");
}

#[tokio::test]
async fn receiver_that_misses_the_headers_says_so() {
    for words in ["Missing X-Twenty-Webhook-Signature header", "{\"error\":\"timestamp is required\"}"] {
        let found = cause_of_rejection(move |_| Response::text(400, words)).await;
        assert_eq!(found, "header.not-forwarded");
    }
    // A platform answers 500 to an error that is thrown, with its text.
    let thrown = "{\"statusCode\":500,\"messages\":[\"missing signature\"]}";
    assert_eq!(cause_of_rejection(move |_| Response::text(500, thrown)).await, "header.not-forwarded");
    // A secret that is missing is no header.
    let found = cause_of_rejection(|_| Response::text(500, "the signature's secret is missing")).await;
    assert_eq!(found, "crash.everything (500 to every delivery)");
    // It tells a missing header from a wrong signature, so both arrive.
    let found = cause_of_rejection(|delivery| match header(delivery, SIGNATURE_HEADER) {
        [] => Response::text(401, "missing signature"),
        _ => Response::text(401, "invalid signature"),
    })
    .await;
    assert_eq!(found, "refuses.everything");
}

/// What accepts everything: answers that say that a delivery was verified, and a parser that stands before it.
#[tokio::test]
async fn acceptance_of_everything_tells_a_wrong_answer_from_a_missing_verification() {
    let ids = ["VER-1", "VER-2", "VER-3", "VER-4", "VER-5", "VER-10", "VER-11", "VER-17"];
    let late = "accepts.everything (202 to everything: verified after the answer, or not at all)";
    let body = "accepts.everything (an error in the body of a 2xx)";
    for (status, says_error, words) in
        [(200, false, "accepts.everything"), (202, false, late), (200, true, body)]
    {
        let answer = move |delivery: &Delivery| {
            let is_parsed = serde_json::from_slice::<serde_json::Value>(&delivery.body).is_ok();
            let is_valid = is_signed(delivery, &delivery.body) && is_fresh(delivery);
            match (is_parsed, is_valid || !says_error) {
                (false, _) => Response::text(400, "no JSON"),
                (true, true) => Response::text(status, "taken"),
                (true, false) => Response::text(status, "{\"error\":\"bad signature\"}"),
            }
        };
        let run = run_of(Arc::new(Written(Box::new(answer))), |id| ids.contains(&id)).await;
        for id in ids {
            assert_eq!(cause(&run, id).unwrap().to_string(), words, "{id}");
        }
    }
}

#[tokio::test]
async fn changed_text_is_told_from_what_the_samples_have() {
    for (misread, words) in [
        (Misread::Ascii, "message.text-encoding (ascii)"),
        (Misread::AsciiDropped, "message.text-encoding (dropped)"),
        (Misread::DecodedAsLatin1, "message.text-encoding (latin-1)"),
        (Misread::Replaced, "message.text-encoding (replacement)"),
        (Misread::EscapedControls, "message.reserialised (escaped)"),
    ] {
        let run = run_written(move |delivery| {
            let text = misread.of(&delivery.body);
            accepted_if(text.is_some_and(|text| is_signed(delivery, &text)) && is_fresh(delivery))
        })
        .await;
        assert_eq!(rejects_valid(&run), words);
        let refused = run.transcript.chosen.and_then(|chosen| chosen.refused);
        assert_eq!(refused, None, "{words}: both payloads are accepted where they have no such text");
        for finding in &run.findings {
            if let Judgement::Judged(Verdict::Fail(evidence)) = &finding.judgement {
                let cause = evidence.cause.as_ref().map(ToString::to_string).unwrap_or_default();
                let own = ["VER-10", "VER-12", "VER-13", "VER-20"].contains(&finding.requirement.id);
                assert!(own || cause == words, "{}: {cause}", finding.requirement.id);
            }
        }
    }
}

#[tokio::test]
async fn texts_that_programs_print_instead_of_the_body_are_named() {
    for (misread, words) in [
        (Misread::Promise, "message.body-consumed ([object Promise])"),
        (Misread::BufferJson, "message.body-consumed (the JSON of a buffer)"),
        (Misread::BlankNumbers, "message.body-consumed (the numbers of its bytes)"),
        (Misread::Dictionary, "message.body-consumed (the parsed body as Python prints it)"),
        (Misread::None, "message.body-consumed (None)"),
    ] {
        let found = cause_of_rejection(move |delivery| {
            let text = misread.of(&delivery.body);
            accepted_if(text.is_some_and(|text| is_signed(delivery, &text)) && is_fresh(delivery))
        })
        .await;
        assert_eq!(found, words);
    }
}
