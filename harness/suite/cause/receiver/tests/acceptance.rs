//! Why negatives are accepted.

use super::{
    OTHER_KEY, Sent, accepted, message, negative, record, refused, rejected, signed, transcript, words,
};
use crate::subject::observed::Observed;
use crate::suite::cause::Code;
use crate::suite::cause::receiver::of_acceptance;
use crate::suite::requirement::Role;
use crate::suite::transcript::{
    Age, Part, ProcessingKind, ProcessingTrial, Redating, Respect, ScenarioName, Surrounding, TimestampForm,
    Transcript,
};
use crate::webhook::recipe::{KeyForm, Message, Recipe};
use crate::webhook::serialiser::Serialiser;
use crate::wire::exchange::Response;

#[test]
fn acceptance_of_a_negative_has_the_cause_of_its_respect() {
    let hex = Recipe::key(KeyForm::HexDecoded);
    let cases = [
        (signed(hex), "accepts.alternative (key.hex-decoded)", "key.hex-decoded"),
        (Respect::Unsigned, "accepts.unsigned", "accepts.unsigned"),
        (Respect::UnsignedMalformed, "accepts.unsigned", "accepts.unsigned"),
        (Respect::Undated, "accepts.unsigned", "accepts.unsigned"),
        (
            Respect::Surrounded(Surrounding::Prefixed),
            "accepts.alternative (digest.trailing (`sha256=` before the digits))",
            "digest.prefix (sha256=)",
        ),
        (
            Respect::Surrounded(Surrounding::Other("letters")),
            "accepts.alternative (digest.trailing (letters))",
            "accepts.alternative (digest.trailing (letters))",
        ),
        (Respect::SecondSignature, "header.duplicate", "header.duplicate"),
        (
            Respect::TimestampForm(TimestampForm::Empty),
            "accepts.timestamp-format (empty)",
            "accepts.timestamp-format (empty)",
        ),
        (Respect::Stale(Age::Day), "accepts.stale (a day)", "accepts.stale (a day)"),
        (Respect::Future, "accepts.future", "accepts.future"),
        (Respect::Malformed("null"), "accepts.malformed (null)", "accepts.malformed (null)"),
        (Respect::WrongType("data"), "accepts.malformed (data)", "accepts.malformed (data)"),
        (
            Respect::Method,
            "answer.status (another method is accepted)",
            "answer.status (another method is accepted)",
        ),
        (Respect::BackDoor("ping"), "accepts.back-door (ping)", "accepts.back-door (ping)"),
        (Respect::Borrowed, "accepts.replayed", "accepts.replayed"),
        (Respect::Timestamp(Redating::Later), "accepts.replayed", "accepts.replayed"),
        (Respect::Header("X-Signature", Recipe::CONTRACT), "-", "header.name (X-Signature)"),
        (Respect::Aborted, "-", "-"),
        (Respect::Shifted(1), "-", "-"),
        (Respect::Valid, "-", "-"),
    ];
    for (respect, while_valid, instead) in cases {
        let of = |controls| {
            // Something that is rejected: otherwise everything is accepted.
            let t = transcript(vec![negative(respect, controls), refused(Respect::Digits("one digit"))]);
            words(of_acceptance(&t, &t.trials[0]))
        };
        assert_eq!((&*of(200), &*of(401)), (while_valid, instead), "{respect:?}");
    }
    for (respect, expected) in [
        (Respect::Content(Part::Values), "accepts.alternative (message.part (without values))"),
        (Respect::SecretMember, "accepts.alternative (message.secret-member)"),
        (
            Respect::Timestamp(Redating::Zeros),
            "accepts.alternative (message.timestamp-differs (parsed as a number and printed again))",
        ),
        (Respect::Key("lower"), "accepts.alternative (key.prefix (lower))"),
        (Respect::Digits("one digit"), "accepts.alternative (digest.truncated (one digit))"),
        (
            Respect::DefaultSecret("changeme", Recipe::CONTRACT),
            "accepts.alternative (key.other-webhook (the default secret \"changeme\"))",
        ),
        (Respect::Reformatted("spaces"), "accepts.alternative (message.reserialised (spaces))"),
    ] {
        let t = transcript(vec![negative(respect, 200), refused(signed(hex))]);
        assert_eq!(words(of_acceptance(&t, &t.trials[0])), expected);
    }
}

#[test]
fn fix_of_what_is_accepted_in_addition_is_the_concrete_one() {
    for (respect, expected) in [
        (Respect::Content(Part::Values), Code::MessagePart),
        (Respect::Reformatted("spaces"), Code::MessageReserialised),
        (Respect::SecretMember, Code::MessageSecretMember),
        (Respect::Digits("one digit"), Code::DigestTruncated),
        // The right one is there: what is left is to remove the other.
        (Respect::Key("lower"), Code::AcceptsAlternative),
    ] {
        let t = transcript(vec![negative(respect, 200), refused(OTHER_KEY)]);
        assert_eq!(of_acceptance(&t, &t.trials[0]).map(|cause| cause.to_fix()), Some(expected));
    }
}

#[test]
fn acceptance_depends_on_what_else_is_accepted() {
    let of_first = |sent: Vec<Sent>| {
        let t = transcript(sent);
        words(of_acceptance(&t, &t.trials[0]))
    };
    let other = || refused(Respect::Digits("one digit"));
    let first = |respect| negative(respect, 200);
    let borrowed = || first(Respect::Borrowed);
    for respect in [Respect::Content(Part::Values), Respect::Reformatted("spaces")] {
        assert_eq!(of_first(vec![first(respect), borrowed(), other()]), "accepts.replayed");
    }
    let unsigned = vec![first(Respect::BackDoor("ping")), first(Respect::Unsigned), other()];
    assert_eq!(of_first(unsigned), "accepts.unsigned");
    let ignored = vec![first(Respect::Reformatted("spaces")), first(Respect::Content(Part::End)), other()];
    assert_eq!(of_first(ignored), "accepts.alternative (message.part (without the end))");
    let covered = vec![first(Respect::Reformatted("spaces")), refused(Respect::Content(Part::End)), other()];
    assert_eq!(of_first(covered), "accepts.alternative (message.reserialised (spaces))");
    let python = message(Message::Reserialised(Serialiser::PythonDefault));
    let printed = || first(python);
    let spaces = || first(Respect::Reformatted("spaces"));
    assert_eq!(
        of_first(vec![spaces(), printed(), other()]),
        "accepts.alternative (message.reserialised (python))"
    );
    let formatting = || rejected(Respect::Formatting("spaces"));
    assert_eq!(of_first(vec![spaces(), printed(), formatting(), other()]), "message.reserialised (python)");
    assert_eq!(of_first(vec![printed(), formatting(), other()]), "message.reserialised (python)");
    assert_eq!(of_first(vec![printed(), other()]), "accepts.alternative (message.reserialised (python))");
}

#[test]
fn acceptance_of_everything_is_one_cause() {
    let first = |respect| negative(respect, 200);
    let forged = || vec![first(OTHER_KEY), first(Respect::Digits("one digit"))];
    let of_first = |sent: Vec<Sent>| {
        let t = transcript(sent);
        words(of_acceptance(&t, &t.trials[0]))
    };
    let with = |more: Sent| of_first(forged().into_iter().chain([more]).collect());
    assert_eq!(of_first(forged()), "accepts.everything");
    assert_eq!(with(first(Respect::Unsigned)), "accepts.everything");
    assert_eq!(with(refused(Respect::Unsigned)), "accepts.everything (any signature, but not a missing one)");
    assert_eq!(
        with(refused(Respect::Key("lower"))),
        "accepts.alternative (key.other-webhook (an unknown secret))"
    );
    // One kind of forgery alone is not everything.
    assert_eq!(of_first(vec![first(Respect::Key("lower"))]), "accepts.alternative (key.prefix (lower))");
    assert_eq!(of_first(vec![first(Respect::Key("lower")), first(Respect::Unsigned)]), "accepts.everything");
    // A trial of the diagnosis has no controls.
    let diagnosed = vec![negative(Respect::Key("lower"), 200), accepted(OTHER_KEY)];
    assert_eq!(of_first(diagnosed), "accepts.alternative (key.prefix (lower))");
    // What is no JSON may be rejected by a parser that stands before the receiver.
    assert_eq!(with(refused(Respect::Content(Part::End))), "accepts.everything");
    assert_eq!(with(refused(Respect::UnsignedMalformed)), "accepts.everything");
    let says_error = Sent(OTHER_KEY, Response::text(200, "{\"error\":\"invalid\"}"), Some(200));
    assert_eq!(of_first(vec![says_error]), "accepts.everything (an error in the body of a 2xx)");
}

#[test]
fn page_that_answers_everything_is_no_receiver() {
    let page = |html| {
        let answers = |respect| Sent(respect, Response::text(200, html), Some(200));
        let t = transcript(vec![
            answers(Respect::Unsigned),
            answers(OTHER_KEY),
            answers(Respect::Digits("one digit")),
        ]);
        words(of_acceptance(&t, &t.trials[0]))
    };
    assert_eq!(
        page("<!doctype html><form><input type=\"password\"></form>"),
        "route.login (200 and a login page to everything)"
    );
    assert_eq!(
        page("\n<HTML><title>Welcome</title>"),
        "accepts.everything (200 and a page for people to everything: is this the path of the receiver?)"
    );
    assert_eq!(page("thank you for <html>"), "accepts.everything");
}

/// A run in which everything is accepted with this answer, valid deliveries too.
fn all_answered(answer: &Response) -> Transcript {
    let mut t = transcript(vec![]);
    for respect in [OTHER_KEY, Respect::Digits("one digit"), Respect::Unsigned] {
        let one = Sent(respect, answer.clone(), None);
        let mut sent = transcript(vec![one]).trials;
        let (control, exchange) =
            (record(&mut t, super::PLAIN, answer.clone()), record(&mut t, super::PLAIN, answer.clone()));
        sent.iter_mut().for_each(|trial| (trial.exchange, trial.controls) = (exchange, vec![control]));
        t.trials.append(&mut sent);
    }
    t
}

/// Adds what was sent to see what is processed; whether it was.
fn processed(t: &mut Transcript, kind: ProcessingKind, answer: &Response, is_processed: bool) {
    let id = format!("{kind:?}");
    let observed = Observed { event: "person.created".to_owned(), id: Some(id) };
    let exchange = record(t, super::PLAIN, answer.clone());
    let scenario = ScenarioName("processing");
    let what = "a delivery".to_owned();
    if is_processed {
        t.observed.add(observed.clone());
    }
    t.processing.push(ProcessingTrial { scenario, what, observed, kind, exchanges: vec![exchange] });
}

#[test]
fn verification_that_the_answer_does_not_show_is_told_from_none() {
    let of = |answer: &Response| {
        let t = all_answered(answer);
        of_acceptance(&t, &t.trials[0])
    };
    let usual = Code::AcceptsEverything.fix(Role::Receiver);
    for (status, body, expected) in [
        (200, "ok", "accepts.everything"),
        (202, "ok", "accepts.everything (202 to everything: verified after the answer, or not at all)"),
        (
            200,
            "{\"error\":\"x\"}",
            "accepts.everything (an error in the body of a 2xx, to valid deliveries too)",
        ),
        (
            200,
            "{\"error\":\"missing signature\"}",
            "accepts.everything (a 2xx whose body says that a header is missing, to valid deliveries too)",
        ),
        (200, "{\"warning\":\"a secret is required for a signature\"}", "accepts.everything"),
    ] {
        let cause = of(&Response::text(status, body));
        let fix = cause.as_ref().map(|cause| cause.fix(Role::Receiver));
        assert_eq!(words(cause), expected);
        assert_eq!(fix == Some(usual), expected == "accepts.everything", "{expected}");
    }
}

#[test]
fn what_is_processed_shows_whether_anything_is_verified() {
    let late = "accepts.everything (answered before it is verified: forged deliveries are accepted, but not processed)";
    let unseen = "accepts.everything (202 to everything: verified after the answer, or not at all)";
    for (status, valid, forged, expected) in [
        (202, Some(true), Some(false), late),
        (200, Some(true), Some(false), late),
        (202, Some(true), Some(true), "accepts.everything"),
        (200, Some(true), Some(true), "accepts.everything"),
        // If valid deliveries are not seen either, that forged ones are not seen means nothing.
        (202, Some(false), Some(false), unseen),
        (200, Some(false), Some(false), "accepts.everything"),
        (202, Some(true), None, unseen),
    ] {
        let answer = Response::text(status, "ok");
        let mut t = all_answered(&answer);
        for (kind, is_processed) in [(ProcessingKind::Valid, valid), (ProcessingKind::Forged, forged)] {
            if let Some(is_processed) = is_processed {
                processed(&mut t, kind, &answer, is_processed);
            }
        }
        assert_eq!(words(of_acceptance(&t, &t.trials[0])), expected, "{status} {valid:?} {forged:?}");
    }
}
