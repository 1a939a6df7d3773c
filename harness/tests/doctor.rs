//! `doctor`: each server shows one thing, which its row names, and a plain receiver shows none.

mod command;
mod passage;
mod secured;
mod visit;
mod workspace;

use std::sync::LazyLock;
use std::time::Duration;

use twenty_conform::clock::Clock;
use twenty_conform::suite::doctor::visit::{Plan, Surroundings, visit};
use twenty_conform::suite::doctor::{Findings, Row, State, Topic, rows};
use twenty_conform::suite::max_time::MaxTime;
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::Target;

static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::system);

/// An examination with much time.
fn plan(target: Target) -> Plan {
    Plan {
        target,
        secret: Secret::new("s3cr3t".to_owned()),
        dialect: &DOCUMENTED,
        is_auto: true,
        timeout: Duration::from_secs(20),
        max_time: MaxTime::new(Duration::from_secs(60)),
        clock: CLOCK.clone(),
        seed: 42,
    }
}

async fn examined(plan: &Plan) -> Findings {
    let mut seen = Surroundings::of(plan);
    visit(plan, &mut seen).await;
    rows::of(&seen)
}

async fn examined_at(url: &str) -> Findings {
    examined(&plan(Target::parse(url).unwrap())).await
}

#[track_caller]
fn row(findings: &Findings, topic: Topic) -> &Row {
    findings.rows.iter().find(|row| row.topic == topic).unwrap_or_else(|| panic!("{topic:?}: {findings:#?}"))
}

/// A row has this state, and says this and how to fix it.
#[track_caller]
fn expect(findings: &Findings, topic: Topic, state: State, words: &[&str]) {
    let row = row(findings, topic);
    let said = format!("{} / {}", row.seen, row.fix.as_deref().unwrap_or_default());
    assert!(row.state == state && words.iter().all(|word| said.contains(word)), "{words:?}: {row:#?}");
    assert!(state == State::Ok || state == State::NotKnown || row.fix.is_some(), "no fix: {row:#?}");
}

/// No row but these has anything to say.
#[track_caller]
fn rest_is_fine(findings: &Findings, but: &[Topic]) {
    let others = findings.rows.iter().filter(|row| row.state != State::Ok && !but.contains(&row.topic));
    assert_eq!(others.count(), 0, "{findings:#?}");
}
