//! Causes of receivers from transcripts that are written by hand, one arm after another.

mod acceptance;
mod obstacles;

use std::time::Duration;

use bytes::Bytes;

use super::{
    accepted_instead, of_exit, of_processing, of_refusal, of_reserialising, of_text_encoding, reformatted,
};
use crate::suite::transcript::{
    Age, Limits, Observed, Part, ProcessingKind, ProcessingTrial, Respect, Role, ScenarioName, Surrounding,
    TimestampForm, Transcript, Trial,
};
use crate::webhook::dialect::{DOCUMENTED, Dialect, SHIPPED};
use crate::webhook::recipe::{Digest, KeyForm, Message, Misread, Recipe};
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response};

const PLAIN: &str = r#"{"event":"person.created","data":{}}"#;
const BEYOND_ASCII: &str = r#"{"event":"person.created","data":{"name":"Łódź"}}"#;

/// What was sent, and what was answered; for a negative also what its controls were answered.
struct Sent(Respect, Response, Option<u16>);

fn accepted(respect: Respect) -> Sent {
    Sent(respect, Response::text(200, "ok"), None)
}

fn rejected(respect: Respect) -> Sent {
    Sent(respect, Response::text(401, "no"), None)
}

/// A negative that was accepted, between controls with this answer.
fn negative(respect: Respect, controls: u16) -> Sent {
    Sent(respect, Response::text(200, "ok"), Some(controls))
}

fn refused(respect: Respect) -> Sent {
    Sent(respect, Response::text(401, "no"), Some(200))
}

fn exchange(body: &'static str, outcome: Outcome) -> Exchange {
    Exchange {
        id: ExchangeId(0),
        at_ms: 0,
        took: Duration::ZERO,
        delivery: Delivery::new("POST", "/", Headers::default(), Bytes::from_static(body.as_bytes())),
        outcome,
    }
}

fn record(t: &mut Transcript, body: &'static str, answer: Response) -> ExchangeId {
    t.record(exchange(body, Outcome::Answered(answer)))
}

fn transcript_of(body: &'static str, sent: Vec<Sent>) -> Transcript {
    let mut t = Transcript::new(Role::Receiver, &DOCUMENTED, Limits::default());
    t.secret = Some(Secret::new("s3cr3t"));
    for Sent(respect, answer, controls) in sent {
        let control = controls.map(|status| record(&mut t, PLAIN, Response::text(status, "")));
        let exchange = record(&mut t, body, answer);
        t.trials.push(Trial {
            scenario: ScenarioName("diagnosis"),
            what: "a delivery".to_owned(),
            respect,
            generated: false,
            exchange,
            controls: control.into_iter().collect(),
        });
    }
    t
}

fn transcript(sent: Vec<Sent>) -> Transcript {
    transcript_of(PLAIN, sent)
}

fn words(cause: Option<super::Cause>) -> String {
    cause.map_or_else(|| "-".to_owned(), |cause| [vec![cause.to_string()], cause.or].concat().join(" or "))
}

fn signed(recipe: Recipe) -> Respect {
    Respect::Signed(recipe)
}

fn message(message: Message) -> Respect {
    Respect::Signed(Recipe::message(message))
}

const OTHER_KEY: Respect = Respect::Signed(Recipe::key(KeyForm::Other));

#[test]
fn refusal_is_explained_by_what_is_accepted_instead() {
    let body_alone = Recipe::message(Message::BodyAlone);
    let both = Recipe { key: KeyForm::DoubleQuoted, ..body_alone };
    for (instead, expected) in [
        (vec![signed(body_alone)], "message.body-alone"),
        (
            vec![Respect::Form("shipped")],
            "refuses.dialect (only shipped payloads are accepted; check those with --dialect shipped)",
        ),
        (vec![Respect::Stale(Age::Seconds)], "message.timestamp-unit (the header is read in seconds)"),
        // A date is no number, and no comparison rejects it.
        (
            vec![Respect::TimestampForm(TimestampForm::IsoDate), Respect::Stale(Age::Seconds)],
            "message.timestamp-unit (the header is read in seconds)",
        ),
        (vec![Respect::Stale(Age::Day)], "-"),
        (
            vec![Respect::TimestampForm(TimestampForm::IsoDate)],
            "header.timestamp-format (an ISO date is expected)",
        ),
        (vec![Respect::TimestampForm(TimestampForm::Empty)], "-"),
        (
            vec![Respect::DefaultSecret("changeme", Recipe::CONTRACT)],
            "key.other-webhook (the default secret \"changeme\")",
        ),
        (vec![Respect::Header("X-Signature", Recipe::CONTRACT)], "header.name (X-Signature)"),
        (
            vec![Respect::Header("X-Signature", body_alone)],
            "header.name (X-Signature, signed over the body alone)",
        ),
        (vec![signed(both)], "message.body-alone (over the body alone, with the secret in double quotes)"),
        // The nearest explains it; of two that are equally near, both are named.
        (vec![signed(both), signed(body_alone)], "message.body-alone"),
        (
            vec![message(Message::Separator(".")), signed(Recipe::key(KeyForm::HexDecoded))],
            "message.separator (.) or key.hex-decoded",
        ),
        // Each is named once.
        (
            vec![
                message(Message::Separator(".")),
                signed(Recipe::key(KeyForm::HexDecoded)),
                signed(Recipe::key(KeyForm::HexDecoded)),
                message(Message::Separator(".")),
            ],
            "message.separator (.) or key.hex-decoded",
        ),
        // What differs in one respect more explains less.
        (vec![Respect::DefaultSecret("changeme", body_alone), signed(body_alone)], "message.body-alone"),
        (vec![Respect::Header("X-Signature", body_alone), signed(body_alone)], "message.body-alone"),
        (
            vec![Respect::Shifted(6), Respect::Shifted(14)],
            "clock.one-sided (only deliveries dated ahead are accepted)",
        ),
        (vec![Respect::Shifted(-6)], "clock.one-sided (only deliveries dated back are accepted)"),
    ] {
        let sent = [rejected(Respect::Valid)].into_iter().chain(instead.into_iter().map(accepted));
        assert_eq!(words(of_refusal(&transcript(sent.collect()))), expected);
    }
}

#[test]
fn clock_needs_a_bound_in_its_direction() {
    let shifts = |accepted_ones: &[i32], rejected_ones: &[i32]| {
        let accepted_ones = accepted_ones.iter().map(|&one| accepted(Respect::Shifted(one)));
        let rejected_ones = rejected_ones.iter().map(|&one| rejected(Respect::Shifted(one)));
        words(of_refusal(&transcript(accepted_ones.chain(rejected_ones).collect())))
    };
    assert_eq!(shifts(&[6, 10, 14], &[1, 16, -1]), "clock.off (about 10 min ahead)");
    assert_eq!(shifts(&[-6, -14], &[-1, -16]), "clock.off (about 10 min back)");
    assert_eq!(shifts(&[-120], &[-90, -150]), "clock.off (about 2 h back)");
    assert_eq!(shifts(&[6], &[1, -10]), "clock.one-sided (only deliveries dated ahead are accepted)");
    assert_eq!(shifts(&[-6], &[-1, 10]), "clock.one-sided (only deliveries dated back are accepted)");
    assert_eq!(shifts(&[], &[1, -1]), "-");
}

#[test]
fn form_explains_a_refusal_only_where_it_was_diagnosed() {
    let mut t = transcript(vec![rejected(Respect::Valid), accepted(Respect::Form("shipped"))]);
    t.trials[1].scenario = ScenarioName("other-dialect");
    assert_eq!(words(of_refusal(&t)), "-");
}

#[test]
fn way_to_go_on_is_the_nearest_that_was_diagnosed() {
    let body_alone = Recipe::message(Message::BodyAlone);
    let both = signed(Recipe { key: KeyForm::DoubleQuoted, ..body_alone });
    let renamed = Respect::Header("X-Signature", Recipe::CONTRACT);
    let sent = vec![
        rejected(Respect::Valid),
        accepted(both),
        accepted(Respect::Shifted(6)),
        rejected(message(Message::Separator("."))),
        accepted(renamed),
        accepted(signed(Recipe::key(KeyForm::HexDecoded))),
    ];
    let mut t = transcript(sent);
    t.trials[5].scenario = ScenarioName("other-keys");
    assert_eq!(accepted_instead(&t), [renamed, both]);
}

#[test]
fn everything_is_refused_only_if_other_ways_were_tried() {
    let valid = || rejected(Respect::Valid);
    assert_eq!(words(of_refusal(&transcript(vec![valid()]))), "-");
    assert_eq!(words(of_refusal(&transcript(vec![valid(), rejected(OTHER_KEY)]))), "refuses.everything");
    let some = vec![valid(), rejected(OTHER_KEY), accepted(Respect::Valid)];
    assert_eq!(words(of_refusal(&transcript(some))), "-");
}

fn headed(status: u16, header: (&'static str, &'static str), body: &'static str) -> Response {
    let mut answer = Response::text(status, body);
    answer.headers.add(header.0, header.1);
    answer
}

#[test]
fn answers_that_do_not_depend_on_the_signature_are_not_the_receivers() {
    let plain = Response::text;
    for (answer, expected) in [
        (plain(404, "Cannot POST /"), "route.not-found"),
        (plain(405, ""), "route.method"),
        (headed(308, ("Location", "https://x.example/a b"), ""), "route.redirect (https://x.example/ab)"),
        (headed(302, ("Location", "/users/sign_in"), ""), "route.login"),
        (headed(304, ("Location", "/elsewhere"), ""), "refuses.everything"),
        (headed(401, ("WWW-Authenticate", "Bearer"), ""), "route.login"),
        (plain(403, "<input type='password'>"), "route.login"),
        (plain(401, "<input type=\"password\">"), "route.login"),
        (plain(403, "XSRF cookie"), "route.csrf"),
        (plain(419, ""), "route.csrf"),
        (plain(401, "csrf"), "refuses.everything"),
        (plain(502, ""), "route.proxy (502)"),
        (plain(503, "no server is available to handle this request"), "route.proxy (503)"),
        (plain(503, "later"), "crash.everything (503 to every delivery)"),
        (headed(503, ("Retry-After", "9"), ""), "route.rate-limit"),
        (plain(429, ""), "route.rate-limit"),
        (plain(500, ""), "crash.everything (500 to every delivery)"),
        (plain(400, "missing signature"), "header.not-forwarded"),
        (plain(400, "signature"), "refuses.everything"),
        (plain(400, "missing field"), "refuses.everything"),
        (plain(401, "no"), "refuses.everything"),
    ] {
        let sent = |respect| Sent(respect, answer.clone(), None);
        let all = vec![sent(Respect::Valid), sent(OTHER_KEY), sent(Respect::Unsigned)];
        assert_eq!(words(of_refusal(&transcript(all))), expected, "{answer:?}");
        // Where only the signed ones are answered so, the receiver itself does, unless it fails.
        let unsigned = Sent(Respect::Unsigned, plain(400, "unsigned"), None);
        let own = vec![sent(Respect::Valid), sent(OTHER_KEY), unsigned];
        let expected = if expected.starts_with("crash") { expected } else { "refuses.everything" };
        assert_eq!(words(of_refusal(&transcript(own))), expected, "{answer:?}");
    }
}

/// A transcript of deliveries that came to these ends, the first of them valid and the second forged.
fn ended(outcomes: [Outcome; 2]) -> Transcript {
    let mut t = transcript(Vec::new());
    for (respect, outcome) in [Respect::Valid, OTHER_KEY].into_iter().zip(outcomes) {
        let exchange = t.record(exchange(PLAIN, outcome));
        let (scenario, what) = (ScenarioName("diagnosis"), "a delivery".to_owned());
        t.trials.push(Trial { scenario, what, respect, generated: false, exchange, controls: Vec::new() });
    }
    t
}

#[test]
fn silence_is_no_refusal() {
    let crash = "crash.everything (no answer to any delivery)";
    let late = "answer.none (no answer in time to any delivery)";
    for (valid, forged, expected) in [
        (Outcome::ClosedEarly, Outcome::ClosedEarly, crash),
        (Outcome::Reset, Outcome::Reset, crash),
        (Outcome::TimedOut, Outcome::TimedOut, late),
        // What becomes of the valid one decides.
        (Outcome::TimedOut, Outcome::Reset, late),
        (Outcome::Reset, Outcome::TimedOut, crash),
        // A receiver that answers something, or that cannot be understood, is not silent.
        (Outcome::Malformed("no status".into()), Outcome::Reset, "refuses.everything"),
    ] {
        let t = ended([valid.clone(), forged.clone()]);
        assert_eq!(words(of_refusal(&t)), expected);
        for (status, expected) in [(401, "refuses.everything"), (200, "-")] {
            let mut t = ended([valid.clone(), forged.clone()]);
            record(&mut t, PLAIN, Response::text(status, ""));
            assert_eq!(words(of_refusal(&t)), expected);
        }
    }
}

#[test]
fn place_of_a_redirect_is_not_shown_if_it_has_the_secret() {
    let sent = |respect| Sent(respect, headed(301, ("Location", "/?k=s3cr3t"), ""), None);
    let t = transcript(vec![sent(Respect::Valid), sent(OTHER_KEY)]);
    assert_eq!(words(of_refusal(&t)), "route.redirect");
}

#[test]
fn text_is_changed_only_where_it_has_something_to_change() {
    let ascii = message(Message::Misread(Misread::Ascii));
    let of_last = |body, respect: Respect| {
        let t = transcript_of(body, vec![accepted(respect), rejected(Respect::Valid)]);
        words(of_text_encoding(&t, &t.trials[1]))
    };
    assert_eq!(of_last(BEYOND_ASCII, ascii), "message.text-encoding (ascii)");
    assert_eq!(of_last(PLAIN, ascii), "-");
    assert_eq!(of_last(BEYOND_ASCII, message(Message::Misread(Misread::Base64))), "-");
    assert_eq!(
        of_last("{\"a\":\n1}", message(Message::Misread(Misread::EscapedControls))),
        "message.reserialised (escaped)"
    );
    let keyed = Recipe { key: KeyForm::Empty, ..Recipe::message(Message::Misread(Misread::Ascii)) };
    assert_eq!(of_last(BEYOND_ASCII, signed(keyed)), "-");
    let t = transcript_of(BEYOND_ASCII, vec![rejected(ascii), rejected(Respect::Valid)]);
    assert_eq!(words(of_text_encoding(&t, &t.trials[1])), "-");
}

#[test]
fn serialiser_is_named_if_other_formattings_are_rejected() {
    let printed = |serialiser| accepted(message(Message::Reserialised(serialiser)));
    let of = |sent| words(of_reserialising(&transcript(sent)));
    let (golang, php) = (Serialiser::Go, Serialiser::Php);
    assert_eq!(
        of(vec![printed(golang), printed(php)]),
        "message.reserialised (go) or message.reserialised (php)"
    );
    assert_eq!(
        of(vec![printed(golang), rejected(Respect::Formatting("spaces"))]),
        "message.reserialised (go)"
    );
    assert_eq!(of(vec![printed(golang), accepted(Respect::Formatting("spaces"))]), "-");
    assert_eq!(of(vec![accepted(message(Message::BodyAlone))]), "-");
    assert_eq!(
        reformatted("a trailing newline").to_string(),
        "message.reserialised (trimmed: white space at the ends is cut off before it is hashed)"
    );
    assert_eq!(reformatted("spaces").to_string(), "message.reserialised (spaces)");
}

#[test]
fn exit_has_the_cause_of_what_was_unusual() {
    for (respect, expected) in [
        (Respect::Surrounded(Surrounding::BeyondAscii), "crash.header-bytes"),
        (Respect::Surrounded(Surrounding::Prefixed), "crash.signature-length"),
        (signed(Recipe::digest(Digest::Sha1)), "crash.signature-length"),
        (signed(Recipe::digest(Digest::Sha512)), "crash.signature-length"),
        (signed(Recipe::digest(Digest::Base64)), "crash.signature-length"),
        (signed(Recipe::digest(Digest::Base64Url)), "crash.signature-length"),
        (signed(Recipe::digest(Digest::Truncated)), "crash.signature-length"),
        (signed(Recipe::digest(Digest::Unkeyed)), "answer.none"),
        (Respect::Malformed("null"), "crash.malformed-json"),
        (Respect::Content(Part::End), "crash.malformed-json"),
        (Respect::Content(Part::Values), "answer.none"),
        (Respect::TimestampForm(TimestampForm::MovedColon), "crash.malformed-json"),
        (Respect::TimestampForm(TimestampForm::Empty), "answer.none"),
        (Respect::Valid, "answer.none"),
    ] {
        assert_eq!(of_exit(respect).to_string(), expected, "{respect:?}");
    }
}

/// The cause of the first trial; each has its kind, and how often it was processed.
fn processed(dialect: &'static Dialect, trials: &[(ProcessingKind, usize)]) -> String {
    let mut t = transcript(Vec::new());
    t.dialect = dialect;
    for (at, &(kind, times)) in trials.iter().enumerate() {
        let observed = Observed { event: "person.created".to_owned(), id: Some(at.to_string()) };
        (0..times).for_each(|_| t.observed.add(observed.clone()));
        let (scenario, what) = (ScenarioName("processing"), "a delivery".to_owned());
        t.processing.push(ProcessingTrial { scenario, what, observed, kind, exchanges: Vec::new() });
    }
    words(of_processing(&t, &t.processing[0]))
}

#[test]
fn processing_has_the_cause_of_its_kind() {
    use ProcessingKind as K;
    let once = (K::Valid, 1);
    for (dialect, trials, expected) in [
        (&DOCUMENTED, vec![(K::Same, 2), once], "dedupe.none"),
        (&DOCUMENTED, vec![(K::Same, 1), once], "-"),
        (&DOCUMENTED, vec![(K::SignedAnew, 2), (K::Same, 2), once], "dedupe.none"),
        (&DOCUMENTED, vec![(K::SignedAnew, 2), (K::Same, 1), once], "dedupe.nonce (timestamp or signature)"),
        (&SHIPPED, vec![(K::SignedAnew, 2), (K::Same, 1), once], "dedupe.nonce"),
        (&DOCUMENTED, vec![(K::SameRecord, 1), once], "dedupe.too-coarse (record)"),
        (&DOCUMENTED, vec![(K::AfterForged, 0), once], "dedupe.before-success"),
        (&DOCUMENTED, vec![(K::OtherDialect, 0), once], "misreads.dialect"),
        (&DOCUMENTED, vec![(K::Valid, 0), (K::Same, 1)], "-"),
        (&DOCUMENTED, vec![(K::Same, 0), once, (K::Valid, 0)], "dedupe.too-coarse (constant)"),
        (&DOCUMENTED, vec![(K::AfterForged, 0), (K::Valid, 0)], "-"),
        // As often as it should be, whatever became of the others.
        (&DOCUMENTED, vec![once, (K::Valid, 0)], "-"),
        (&DOCUMENTED, vec![(K::SignedAnew, 1), once], "-"),
        (&DOCUMENTED, vec![(K::SameRecord, 2), once], "-"),
        (&DOCUMENTED, vec![(K::AfterForged, 1), once], "-"),
        (&DOCUMENTED, vec![(K::OtherDialect, 1), once], "-"),
    ] {
        assert_eq!(processed(dialect, &trials), expected, "{trials:?}");
    }
}
