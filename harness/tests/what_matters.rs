//! Generated cases that fail say which parts of the record matter. Each program here fails for one thing, which is known.
//!
//! Invariant: what matters is named, and nothing that does not.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use twenty_conform::clock::Clock;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::peers::sender::pooled::Pooled;
use twenty_conform::peers::sender::{ANSWER_WAIT, Sender};
use twenty_conform::random::Random;
use twenty_conform::report::{Heading, Report};
use twenty_conform::subject::protocol::{Op, Reply};
use twenty_conform::subject::{self, SubjectError};
use twenty_conform::suite::requirement::Level;
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{self, Options, Run};
use twenty_conform::suite::transcript::Limits;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::event::Event;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::endpoint::Handler;
use twenty_conform::wire::exchange::{Delivery, Response};

use crate::mutants;
use crate::peers::plain;

/// The reference receiver, except that it rejects some valid deliveries by what is in their bodies.
struct Picky(Receiver, fn(&str) -> bool);

impl Handler for Picky {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        let text = String::from_utf8_lossy(&delivery.body).into_owned();
        let rejects = self.1(&text);
        async move {
            let answer = self.0.handle(delivery).await?;
            Some(if rejects { Response::text(400, "no") } else { answer })
        }
        .boxed()
    }
}

/// The reference sender, except that it changes the text of records.
struct Changing(Sender, fn(&str) -> String);

impl subject::sender::Sender for Changing {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        let changed = match op {
            Op::Emit(Event { record, name, updated_fields }) => {
                let record = RawValue::from_string((self.1)(record.get())).unwrap();
                Op::Emit(Event { record, name, updated_fields })
            }
            other => other,
        };
        subject::sender::Sender::call(&self.0, changed)
    }
}

fn options() -> Options {
    Options { cases: 128, ..mutants::options(&DOCUMENTED, Limits::default()) }
}

/// What the report says of a requirement.
fn said(run: &Run, id: &str) -> String {
    let heading = Heading {
        subject: "it".to_owned(),
        seed: 7,
        attached: None,
        fail_on: Level::Must,
        out: None,
        required: Vec::new(),
    };
    let report = Report::new(run, &heading);
    let check = report.checks.iter().find(|check| check.requirements == [id]).unwrap();
    check.what_matters.clone().unwrap_or_else(|| format!("nothing: {:?}", check.message))
}

/// The text from the generated member on.
fn generated(text: &str) -> &str {
    text.split_once("\"generated\":").map_or("", |(_, rest)| rest)
}

async fn of_receiver(id: &str, rejects: fn(&str) -> bool) -> String {
    let secret = Secret::new(Random::from_seed(7).secret());
    let reference = Receiver::new(Settings::new(secret.clone()), Clock::system(), Arc::new(|_| {}));
    let server = plain::serve(Arc::new(Picky(reference, rejects))).await.unwrap();
    let mut receiver = subject::receiver::Receiver::here(server, "/", secret);
    let selected: Vec<_> = requirements::all().filter(|one| one.id == id).collect();
    said(&run::receiver(&mut receiver, &selected, &options(), &|_| {}).await.unwrap(), id)
}

async fn of_sender(id: &str, change: fn(&str) -> String) -> String {
    let transport = Arc::new(Pooled::new(ANSWER_WAIT).unwrap());
    let sender = Sender::new(&DOCUMENTED, Clock::system(), Random::from_seed(1), transport);
    let selected: Vec<_> = requirements::all().filter(|one| one.id == id).collect();
    said(&run::sender(&Changing(sender, change), &selected, &options(), &|_| {}).await.unwrap(), id)
}

/// Whether there is a run of digits that long.
fn has_digits(text: &str, least: usize) -> bool {
    text.split(|one: char| !one.is_ascii_digit()).any(|run| run.len() >= least)
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_that_rejects_some_records_is_told_which_part_matters() {
    let (slash, beyond, big, nested) = tokio::join!(
        of_receiver("VER-8", |text| generated(text).contains('/')),
        of_receiver("VER-8", |text| generated(text).contains('日')),
        of_receiver("VER-8", |text| has_digits(generated(text), 17)),
        of_receiver("VER-8", |text| generated(text).matches('[').count() > 20),
    );
    assert!(slash.starts_with("any record: only the `/` in "), "{slash}");
    assert!(beyond.starts_with("any record: only the `日` in "), "{beyond}");
    assert!(big.contains("how many digits the number `data.generated"), "{big}");
    assert!(nested.contains("the nesting of `data.generated` (21 levels)"), "{nested}");
    assert!(slash.contains("may be anything") && big.contains("may be anything"), "{slash}, {big}");
}

#[tokio::test(flavor = "multi_thread")]
async fn receiver_that_rejects_a_formatting_is_told_which_of_its_parts_matter() {
    let (escape, space) = tokio::join!(
        of_receiver("VER-16", |text| text.contains("\\u00")),
        of_receiver("VER-16", |text| text.contains('\n')),
    );
    assert!(escape.starts_with("unneeded escapes, whatever it looks like: "), "{escape}");
    assert!(escape.contains("which string has the escape"), "{escape}");
    assert!(space.contains(", and the kind of white space matters"), "{space}");
}

/// Another last digit for every negative number that is longer than a double; the fixed events have none.
fn rounded(text: &str) -> String {
    let mut changed = String::new();
    let (mut run, mut is_negative) = (0, false);
    for one in text.chars() {
        if !one.is_ascii_digit() {
            if is_negative && run >= 17 {
                let last = changed.pop();
                changed.push(if last == Some('5') { '6' } else { '5' });
            }
            is_negative = one == '-' && changed.ends_with([':', '[', ',']);
        }
        run = if one.is_ascii_digit() { run + 1 } else { 0 };
        changed.push(one);
    }
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_that_changes_some_records_is_told_which_part_matters() {
    let (character, digits) =
        tokio::join!(of_sender("PAY-2", |text| text.replace('~', "-")), of_sender("PAY-7", rounded));
    assert!(character.starts_with("any record: only the `~` in "), "{character}");
    for part in ["how many digits the number `data.", "the sign of the number `data."] {
        assert!(digits.starts_with("any record: only ") && digits.contains(part), "{digits}");
    }
}
