//! The rows of a measured passage: what is different on the other side.

pub(super) mod change;
mod compared;

use super::messages::passage as said;
use super::passage::{LARGE, MARK, Passage, Passed, Probe};
use super::{Findings, Row, State, Topic, between, reached};
use crate::suite::cause::receiver::of_obstacle;
use crate::suite::requirement::Role;
use crate::terminal::{clipped, text};
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::client::look::SLOW_PAUSE;
use crate::wire::exchange::{Headers, Outcome, Transfer};
use compared::{Changes, bodies, headers};

/// How much of a header is shown.
const SHOWN: usize = 80;
/// How many names of headers that are added to answers are shown.
const MOST: usize = 12;
/// Headers that name the client to what a proxy passes on to.
const OF_CLIENT: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"];

/// Judges what was seen.
pub fn of(seen: &Passage) -> Findings {
    let mut rows = reached::rows(&seen.around);
    if let Some(plain) = seen.passed(Probe::Plain) {
        let arrival = arrival(seen, plain);
        let arrives = arrival.state == State::Ok;
        rows.push(arrival);
        if arrives {
            rows.extend(arrived(seen, plain));
        }
    }
    Findings { subject: seen.around.target.url(), rows, requests: seen.passed.len(), cut: seen.around.cut }
}

fn arrived(seen: &Passage, plain: &Passed) -> Vec<Row> {
    let changes = headers(plain);
    let rows = [
        Some(between::measured(seen.passed.iter().map(|passed| &passed.told.outcome))),
        Some(path(plain)),
        Some(twenty_headers(plain, &changes)),
        Some(other_headers(&changes)),
        Some(names(&changes)),
        header_bytes(seen),
        Some(body(seen)),
        chunks(seen),
        expect(seen),
        streaming(seen),
        size(seen),
        Some(answers(seen)),
        Some(repeats(seen)),
        kept(seen),
        Some(client(plain)),
    ];
    rows.into_iter().flatten().collect()
}

fn arrival(seen: &Passage, plain: &Passed) -> Row {
    if let Some(first) = plain.first() {
        let took = first.began.saturating_duration_since(plain.began);
        return Row::new(Topic::Arrival, State::Ok, said::arrives(&seen.listens, took, seen.strays));
    }
    let row = |told: String| Row::new(Topic::Arrival, State::Unreachable, told);
    if let Some(malformed) = plain.malformed.first() {
        return row(said::arrives_malformed(&seen.listens, malformed)).fixed_by(said::speak_http());
    }
    let told = said::nothing_arrives(&seen.listens, &plain.told.outcome);
    let obstacle = match &plain.told.outcome {
        Outcome::Answered(answer) => of_obstacle(answer),
        _ => None,
    };
    match obstacle {
        Some(code) => {
            let fix = said::lead_here_or(&seen.listens, code.fix(Role::Receiver));
            Row { cause: Some(code), ..row(told).fixed_by(fix) }
        }
        None => row(told).fixed_by(said::lead_here(&seen.listens)),
    }
}

fn path(plain: &Passed) -> Row {
    let Some(first) = plain.first() else { return missing(Topic::Path) };
    let sent = (&plain.delivery.method, &plain.delivery.target);
    let arrived = (&first.delivery.method, &first.delivery.target);
    if sent == arrived {
        return Row::new(Topic::Path, State::Ok, said::path_kept(arrived.0, arrived.1));
    }
    let told = said::path_changed(sent.1, &clipped(arrived.0, SHOWN), &clipped(arrived.1, SHOWN));
    if sent.0 == arrived.0 {
        Row::new(Topic::Path, State::Warning, told).fixed_by(said::serve_that_path())
    } else {
        Row::new(Topic::Path, State::Problem, told).fixed_by(said::keep_method())
    }
}

fn missing(topic: Topic) -> Row {
    Row::new(topic, State::NotKnown, said::not_arrived())
}

fn is_of_twenty(name: &str) -> bool {
    let own = [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER, "Content-Type"];
    own.iter().any(|one| one.eq_ignore_ascii_case(name))
}

fn twenty_headers(plain: &Passed, changes: &Changes) -> Row {
    let lost: Vec<&str> =
        changes.removed.iter().map(String::as_str).filter(|name| is_of_twenty(name)).collect();
    let changed: Vec<&str> =
        changes.changed.iter().map(|one| one.name.as_str()).filter(|name| is_of_twenty(name)).collect();
    if lost.is_empty() && changed.is_empty() && plain.first().is_some() {
        return Row::new(Topic::TwentyHeaders, State::Ok, said::twenty_headers_arrive());
    }
    Row::new(Topic::TwentyHeaders, State::Problem, said::twenty_headers_lost(&lost, &changed))
        .fixed_by(said::pass_headers())
}

fn other_headers(changes: &Changes) -> Row {
    let removed: Vec<&String> = changes.removed.iter().filter(|name| !is_of_twenty(name)).collect();
    let changed: Vec<_> = changes.changed.iter().filter(|one| !is_of_twenty(&one.name)).collect();
    let told = said::headers(&changes.added, &removed, &changed, changes.host.as_ref());
    if removed.is_empty() && changed.is_empty() {
        Row::new(Topic::Headers, State::Ok, told)
    } else {
        Row::new(Topic::Headers, State::Warning, told).fixed_by(said::pass_headers())
    }
}

fn names(changes: &Changes) -> Row {
    if changes.renamed.is_empty() && !changes.reordered {
        return Row::new(Topic::HeaderNames, State::Ok, said::names_kept());
    }
    Row::new(Topic::HeaderNames, State::Warning, said::names_changed(&changes.renamed, changes.reordered))
        .fixed_by(said::judges_the_proxy(said::CHECKS_OF_HEADERS))
}

fn header_bytes(seen: &Passage) -> Option<Row> {
    let passed = seen.passed(Probe::HeaderBytes)?;
    let row = |told: String| {
        Row::new(Topic::HeaderBytes, State::Warning, told)
            .fixed_by(said::judges_the_proxy(said::CHECKS_OF_HEADERS))
    };
    if passed.first().is_none() {
        return Some(row(said::odd_headers_stopped(&passed.told.outcome)));
    }
    let (twice, bytes) = compared::odd(passed);
    Some(match (twice, bytes) {
        (true, true) => Row::new(Topic::HeaderBytes, State::Ok, said::odd_headers_arrive()),
        _ => row(said::odd_headers_changed(twice, bytes)),
    })
}

/// The first request whose body arrived changed.
fn body(seen: &Passage) -> Row {
    let mut arrived = 0;
    for passed in &seen.passed {
        let Some(first) = passed.first() else { continue };
        arrived += 1;
        if let Some(change) = bodies(passed, first) {
            let told = said::body_changed(&change);
            return Row::new(Topic::Body, State::Problem, told).fixed_by(said::pass_body());
        }
    }
    Row::new(Topic::Body, State::Ok, said::bodies_kept(arrived))
}

fn stopped(topic: Topic, what: &str, outcome: &Outcome) -> Row {
    Row::new(topic, State::Warning, said::stopped(what, outcome))
        .fixed_by(said::judges_the_proxy(said::CHECKS_OF_FORMS))
}

fn chunks(seen: &Passage) -> Option<Row> {
    let passed = seen.passed(Probe::Chunked)?;
    let Some(first) = passed.first() else {
        return Some(stopped(Topic::Chunks, said::chunked(), &passed.told.outcome));
    };
    let is_chunked = matches!(first.delivery.transfer, Transfer::Chunks(_));
    Some(match is_chunked {
        true => Row::new(Topic::Chunks, State::Ok, said::chunks_arrive()),
        false => Row::new(Topic::Chunks, State::Warning, said::chunks_joined())
            .fixed_by(said::judges_the_proxy(said::CHECKS_OF_FORMS)),
    })
}

fn expect(seen: &Passage) -> Option<Row> {
    let passed = seen.passed(Probe::Expecting)?;
    let Some(first) = passed.first() else {
        return Some(stopped(Topic::Expect, said::expecting(), &passed.told.outcome));
    };
    Some(match (first.expects, passed.told.continued) {
        (true, _) => Row::new(Topic::Expect, State::Ok, said::expect_passed()),
        (false, true) => Row::new(Topic::Expect, State::Ok, said::expect_answered()),
        (false, false) => Row::new(Topic::Expect, State::Warning, said::expect_lost())
            .fixed_by(said::judges_the_proxy(said::CHECKS_OF_FORMS)),
    })
}

fn streaming(seen: &Passage) -> Option<Row> {
    let passed = seen.passed(Probe::Slow)?;
    let Some(first) = passed.first() else {
        return Some(stopped(Topic::Streaming, said::slow(), &passed.told.outcome));
    };
    // How long the way takes alone, without opening a connection.
    let ways =
        seen.passed.iter().filter_map(|one| Some(one.first()?.began.saturating_duration_since(one.began)));
    let usual = ways.min()?;
    let head = first.began.saturating_duration_since(passed.began).saturating_sub(usual);
    let body = first.body_began.unwrap_or(first.began).saturating_duration_since(passed.began);
    let body = body.saturating_sub(usual);
    // What arrives earlier was not complete yet.
    let late = SLOW_PAUSE * 9 / 10;
    Some(match (head > late, body > late) {
        (false, false) => Row::new(Topic::Streaming, State::Ok, said::streams()),
        (head_late, _) => Row::new(Topic::Streaming, State::Warning, said::buffers(head_late))
            .fixed_by(said::judges_the_proxy(said::CHECKS_OF_CUT)),
    })
}

fn size(seen: &Passage) -> Option<Row> {
    let passed = seen.passed(Probe::Large)?;
    Some(match passed.first() {
        // A program that prints it again leaves out some bytes, which the row about the body says.
        Some(first) if first.whole && first.length * 10 > LARGE as u64 * 9 => {
            Row::new(Topic::Size, State::Ok, said::large_arrives(LARGE))
        }
        Some(first) => Row::new(Topic::Size, State::Warning, said::large_changed(LARGE, first.length))
            .fixed_by(said::raise_limit()),
        None => Row::new(Topic::Size, State::Warning, said::large_stopped(LARGE, &passed.told.outcome))
            .fixed_by(said::raise_limit()),
    })
}

/// Whether what this machine answers is what comes back.
fn answers(seen: &Passage) -> Row {
    let (mut replaced, mut rewritten, mut added) = (Vec::new(), false, Vec::new());
    for passed in seen.passed.iter().filter(|passed| passed.first().is_some_and(|first| first.whole)) {
        match &passed.told.outcome {
            Outcome::Answered(answer) if answer.status == passed.given.status => {
                let mark = |headers: &Headers| headers.single(MARK).cloned();
                rewritten |=
                    answer.body != passed.given.body || mark(&answer.headers) != mark(&passed.given.headers);
                for name in compared::added(&passed.given.headers, &answer.headers) {
                    if !added.contains(&name) && added.len() < MOST {
                        added.push(name);
                    }
                }
            }
            outcome => replaced.push((passed.given.status, outcome.to_string())),
        }
    }
    if !replaced.is_empty() {
        return Row::new(Topic::Answers, State::Problem, said::answers_replaced(&replaced))
            .fixed_by(said::pass_answers());
    }
    if rewritten {
        return Row::new(Topic::Answers, State::Warning, said::answers_rewritten())
            .fixed_by(said::pass_answers());
    }
    Row::new(Topic::Answers, State::Ok, said::answers_kept(&added))
}

fn repeats(seen: &Passage) -> Row {
    match seen.passed.iter().find(|passed| passed.arrived.len() > 1) {
        Some(passed) => Row::new(
            Topic::Repeats,
            State::Problem,
            said::repeated(passed.arrived.len(), passed.given.status),
        )
        .fixed_by(said::do_not_repeat()),
        None => Row::new(Topic::Repeats, State::Ok, said::not_repeated()),
    }
}

fn kept(seen: &Passage) -> Option<Row> {
    let again = seen.passed(Probe::Again)?;
    let inner = seen.passed.iter().filter_map(Passed::first).any(|first| first.again);
    let told = said::kept(again.told.again, inner);
    Some(match (&again.told.outcome, again.told.again) {
        (Outcome::Answered(_), _) => Row::new(Topic::KeepAlive, State::Ok, told),
        (outcome, true) => Row::new(Topic::KeepAlive, State::Warning, said::kept_and_lost(outcome))
            .fixed_by(super::messages::say_close()),
        (outcome, false) => stopped(Topic::KeepAlive, said::second(), outcome),
    })
}

fn client(plain: &Passed) -> Row {
    let Some(first) = plain.first() else { return missing(Topic::Client) };
    let headers = &first.delivery.headers.0;
    let named: Vec<String> = headers
        .iter()
        .filter(|(name, _)| OF_CLIENT.iter().any(|one| name.eq_ignore_ascii_case(one)))
        .map(|(name, value)| format!("{}: {}", clipped(name, SHOWN), clipped(&text(value), SHOWN)))
        .collect();
    Row::new(Topic::Client, State::Ok, said::client(first.from, &named))
}
