//! ACK: how a sender treats an answer, and the lack of one.
//!
//! `answer` is the answer to a delivery, such as `204` or `200 with an empty body`. `conduct` is the end of "a delivery that ...":
//! what happened to it at an endpoint.

use std::fmt::Display;

use crate::suite::messages::times_in_words;
use crate::webhook::event::EventName;

pub(crate) fn delivered_once() -> &'static str {
    "delivered, without a retry"
}

pub(crate) fn reported_delivered() -> &'static str {
    "reported as delivered"
}

pub(crate) fn reported_not_delivered() -> &'static str {
    "reported as not delivered"
}

pub(crate) fn no_outcomes() -> &'static str {
    "the sender reported no outcome of any delivery"
}

pub(crate) fn answered_not_arrived(answer: impl Display) -> String {
    format!("the delivery that was to be answered {answer} did not arrive")
}

// ACK-1

pub(crate) fn answered_too_late(answer: &str) -> String {
    format!("the delivery that was answered {answer} arrived too late to be settled")
}

pub(crate) fn outcome_missing(answer: &str) -> String {
    format!("a delivery that was answered {answer} is not among the reported outcomes")
}

pub(crate) fn acknowledgement_unreported(answer: &str) -> String {
    format!("a delivery that was answered {answer} was reported as not delivered")
}

pub(crate) fn sent(count: usize) -> String {
    format!("sent {}", times_in_words(count))
}

pub(crate) fn acknowledged_and_resent(answer: &str, count: usize) -> String {
    format!("a delivery that was answered {answer} was sent {}", times_in_words(count))
}

// ACK-2

pub(crate) fn meant_to_be_acknowledged() -> &'static str {
    "the delivery was answered with a 2xx"
}

pub(crate) fn failure_acknowledged(answer: impl Display) -> String {
    silence_acknowledged(&format!("was answered {answer}"))
}

// ACK-3

pub(crate) fn silence_acknowledged(conduct: &str) -> String {
    format!("a delivery that {conduct} was reported as delivered")
}

/// The detail of a cause. `endpoint` says what the endpoint did.
pub(crate) fn after_failure(endpoint: &str) -> String {
    format!("by a failure: {endpoint}")
}

/// The detail of a cause. Each of `endpoints` says what an endpoint did.
pub(crate) fn unanswered(endpoints: &[&str]) -> String {
    format!("no answer: {}", endpoints.join(", "))
}

pub(crate) fn next_delivery() -> &'static str {
    "the next delivery is sent"
}

pub(crate) fn nothing_sent() -> &'static str {
    "nothing is sent"
}

pub(crate) fn endpoint_given_up(event: &EventName, conduct: &str) -> String {
    format!("after a delivery that {conduct}, the sender sent no delivery of {event} to that endpoint")
}

pub(crate) fn endpoint_not_reached(conduct: &str) -> String {
    format!("no request reached the endpoint where a delivery {conduct}")
}

/// `certificate` ends "a certificate that ...".
pub(crate) fn endpoint_not_contacted(certificate: &str) -> String {
    format!("the sender did not connect to the endpoint whose certificate {certificate}")
}

pub(crate) fn certificate_accepted(certificate: &str) -> String {
    format!("the sender accepts a certificate that {certificate}")
}

// ACK-4

pub(crate) fn attempts_within(count: usize, span_ms: u64) -> String {
    format!("{count} times within {span_ms} ms")
}

pub(crate) fn retried_too_often(event: &EventName, attempts: &str) -> String {
    format!("the delivery of {event} was sent {attempts} to an endpoint that fails")
}

pub(crate) fn at_most_attempts(most: usize) -> String {
    format!("at most {most} attempts while the endpoint was watched")
}

pub(crate) fn pauses_of(shortest_ms: u64) -> String {
    format!("pauses of {shortest_ms} ms or more")
}

pub(crate) fn retry_differs(event: &EventName, what: &str) -> String {
    format!("a retry of the delivery of {event} differs from the first attempt in its {what}")
}

/// The detail of a cause.
pub(crate) fn of_a_retry(what: &str) -> String {
    format!("{what} of a retry")
}

pub(crate) fn same(what: &str) -> String {
    format!("the same {what}")
}

pub(crate) fn different(what: &str) -> String {
    format!("a different {what}")
}

// ACK-5 and ACK-7

pub(crate) fn with_body(body: &str) -> String {
    format!("200 with {body}")
}

pub(crate) fn after_interim(statuses: &str) -> String {
    format!("200 after {statuses}")
}

pub(crate) fn before_body_read() -> &'static str {
    "200 before the body was read"
}

pub(crate) fn plain_answer_misread(message: &str) -> String {
    format!("{message} (see ACK-1)")
}

// ACK-6

pub(crate) fn wait_between(timeout_s: f64) -> String {
    format!("between 1 s and {timeout_s:.1} s")
}

pub(crate) fn gave_up(wait_ms: u128) -> String {
    format!("the sender gave up after {wait_ms} ms without an answer")
}

/// The detail of a cause.
pub(crate) fn no_answer_in_time() -> &'static str {
    "no answer within a second"
}

/// The detail of a cause.
pub(crate) fn endless_wait() -> &'static str {
    "by an answer that never comes"
}

pub(crate) fn still_waiting(seconds: f64) -> String {
    format!("still waiting after {seconds:.1} s")
}

pub(crate) fn waits_without_end(seconds: f64) -> String {
    format!("the sender was still waiting after {seconds:.1} s for an answer that never comes")
}

pub(crate) fn watched_too_briefly(seconds: f64) -> String {
    format!("the endpoint that hangs was watched for only {seconds:.1} s")
}

pub(crate) fn no_delivery_that(conduct: &str) -> String {
    format!("no delivery arrived that {conduct}")
}

pub(crate) fn given_up_after(wait_ms: u128) -> String {
    format!("given up after {wait_ms} ms")
}

/// `end` says how the sender treated it: "was given up".
pub(crate) fn wait_too_short(conduct: &str, end: &str) -> String {
    format!("a delivery that {conduct}, but within a second, {end}")
}

pub(crate) fn was_not_delivered() -> &'static str {
    "was reported as not delivered"
}

pub(crate) fn was_given_up() -> &'static str {
    "was given up before the answer"
}

// ACK-9

pub(crate) fn given_up_within(timeout_s: f64) -> String {
    format!("the connection closed within {timeout_s:.1} s")
}

pub(crate) fn still_open(seconds: f64) -> String {
    format!("still open after {seconds:.1} s")
}

pub(crate) fn read_without_end(seconds: f64) -> String {
    format!(
        "the sender did not give up an answer whose body never ends: its connection was still open after {seconds:.1} s"
    )
}

pub(crate) fn endless_watched_too_briefly(seconds: f64) -> String {
    format!("the endpoint whose answer never ends was watched for only {seconds:.1} s")
}

/// `took_ms` is `None` if the delivery did not arrive.
pub(crate) fn waits_for_body(event: &EventName, took_ms: Option<u64>) -> String {
    let how =
        took_ms.map_or("did not arrive".to_owned(), |took| format!("started only {took} ms after its event"));
    format!("the delivery of {event} {how}: the one before it was answered with a body that never ends")
}

/// The detail of a cause.
pub(crate) fn endless_answer() -> &'static str {
    "by an answer that never ends"
}

// ACK-8

pub(crate) fn followed_to_another_host(answer: u16, method: &str) -> String {
    format!("a delivery that was answered {answer} was sent on to another host with {method}")
}

/// The detail of a cause.
pub(crate) fn to_another_host(method: &str) -> String {
    format!("to another host with {method}")
}

pub(crate) fn followed_and_counted(answer: u16, method: &str) -> String {
    format!("a delivery that was answered {answer} became a {method} that was reported as delivered")
}

/// The detail of a cause.
pub(crate) fn counts_as_delivered(method: &str) -> String {
    format!("a {method} that counts as delivered")
}

pub(crate) fn followed_with(method: &str) -> String {
    format!("followed with {method}")
}
