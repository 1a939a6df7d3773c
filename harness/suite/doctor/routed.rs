//! What answers at the path: the receiver, or something before it.

use super::messages::{routed as messages, wait_longer};
use super::visit::{Asked, Sent, Speaks, Surroundings};
use super::{Row, State, Topic};
use crate::suite::cause::Code;
use crate::suite::cause::receiver::{location, of_obstacle, page_instead, says_the_same};
use crate::suite::requirement::Role;
use crate::terminal::{clipped, text};
use crate::wire::exchange::{Outcome, Response};

/// How much of a header is shown.
const SHOWN: usize = 100;

pub(super) fn row(seen: &Surroundings) -> Option<Row> {
    let valid = seen.valid()?;
    match &valid.told.outcome {
        // The row about TLS says it.
        _ if seen.speaks == Some(Speaks::Tls) => None,
        Outcome::Answered(answer) if valid.told.outcome.acknowledges() => Some(accepted(valid, answer)),
        Outcome::Answered(answer) => Some(rejected(seen, valid, answer)),
        outcome => Some(unanswered(outcome)),
    }
}

fn accepted(valid: &Sent, answer: &Response) -> Row {
    if let Some(cause) = page_instead(answer) {
        let seen = messages::page(answer.status);
        let row = Row::new(Topic::Route, State::Problem, seen).fixed_by(messages::use_path_of_receiver());
        return Row { cause: Some(cause.code), ..row };
    }
    let dialect = match valid.asked {
        Asked::Valid(dialect) => dialect,
        _ => "",
    };
    Row::new(Topic::Route, State::Ok, messages::accepted(answer.status, dialect, valid.told.took))
}

fn rejected(seen: &Surroundings, valid: &Sent, answer: &Response) -> Row {
    let others: Vec<&Response> = [Asked::Forged, Asked::Unsigned]
        .into_iter()
        .filter_map(|asked| match &seen.sent(asked)?.told.outcome {
            Outcome::Answered(answer) => Some(answer),
            _ => None,
        })
        .collect();
    let obstacle =
        of_obstacle(answer).filter(|code| others.iter().all(|one| of_obstacle(one) == Some(*code)));
    let compared = others.len() == 2 || answer.limits_rate();
    let obstacle = obstacle.filter(|_| compared).filter(|code| is_everywhere(seen, valid, answer, *code));
    if let Some(code) = obstacle {
        return instead(seen, valid, answer, code);
    }
    if answer.status == 501 {
        let told = messages::not_implemented();
        return Row::new(Topic::Route, State::Problem, told).fixed_by(Code::RouteMethod.fix(Role::Receiver));
    }
    let alike = others.len() == 2 && others.iter().all(|other| other.status == answer.status);
    if alike && is_page(answer) {
        let told = messages::page_to_all(answer.status, answered_by(answer));
        return Row::new(Topic::Route, State::Warning, told).fixed_by(messages::check_access_rules());
    }
    if answer.status / 100 == 5 && others.iter().all(|other| other.status == answer.status) {
        return Row::new(Topic::Route, State::NotKnown, messages::fails(answer.status, answered_by(answer)))
            .fixed_by(messages::run_receiver());
    }
    let statuses: Vec<u16> = others.iter().map(|other| other.status).collect();
    let told = messages::rejects_valid(answer.status, &statuses);
    Row::new(Topic::Route, State::NotKnown, told).fixed_by(messages::check_secret_by_run())
}

/// Whether an answer is a page for people, as servers and firewalls write.
fn is_page(answer: &Response) -> bool {
    let begin = text(&answer.body[..answer.body.len().min(SHOWN)]).trim_start().to_ascii_lowercase();
    begin.starts_with("<!doctype html") || begin.starts_with("<html")
}

/// A receiver may answer 404 to a wrong signature, so another path must be answered alike.
fn is_everywhere(seen: &Surroundings, valid: &Sent, answer: &Response, code: Code) -> bool {
    if code != Code::RouteNotFound {
        return true;
    }
    seen.sent(Asked::Nowhere).is_some_and(|nowhere| match &nowhere.told.outcome {
        Outcome::Answered(other) => says_the_same((answer, &valid.path), (other, &nowhere.path)),
        _ => false,
    })
}

/// Something answers instead of the receiver.
fn instead(seen: &Surroundings, valid: &Sent, answer: &Response, code: Code) -> Row {
    let place = location(answer);
    let header = |name: &str| answer.headers.all(name).next().map(|value| clipped(&text(value), SHOWN));
    let by = answered_by(answer);
    let told = match code {
        Code::RouteRedirect | Code::RouteLogin if answer.status / 100 == 3 => {
            messages::redirects(answer.status, place.as_deref().unwrap_or_default())
        }
        Code::RouteMethod => messages::method(answer.status, header("allow").as_deref()),
        Code::RouteLogin => messages::login(answer.status, header("www-authenticate").as_deref()),
        Code::RouteRateLimit => messages::limited(answer.status, header("retry-after").as_deref()),
        Code::RouteNotFound => messages::not_found(&valid.path),
        _ => messages::instead(answer.status, code.text(), by),
    };
    let fix = match (code, &place) {
        (Code::RouteRedirect, Some(place)) => redirect_fix(seen, place),
        _ => code.fix(Role::Receiver).to_owned(),
    };
    Row { cause: Some(code), ..Row::new(Topic::Route, State::Problem, told).fixed_by(fix) }
}

/// What to do about a redirect, by what it changes.
fn redirect_fix(seen: &Surroundings, place: &str) -> String {
    let own = seen.target.url();
    let Some(to) = url::Url::parse(&own).ok().and_then(|url| url.join(place).ok()) else {
        return Code::RouteRedirect.fix(Role::Receiver).to_owned();
    };
    let (from_path, to_path) = (seen.target.path.as_str(), to.path());
    let same_host =
        to.host_str().map(|host| host.trim_matches(['[', ']'])) == Some(seen.target.host.as_str());
    let is_slash = from_path.trim_end_matches('/') == to_path.trim_end_matches('/') && from_path != to_path;
    let what = match same_host {
        false => messages::other_host(),
        true if to.scheme() == "https" && !seen.is_secure() => messages::to_https(),
        true if is_slash => messages::trailing_slash(),
        true => messages::other_path(),
    };
    messages::follow_redirect(what, to.as_str())
}

/// The server that an answer names.
fn answered_by(answer: &Response) -> Option<String> {
    answer.headers.all("server").next().map(|value| clipped(&text(value), SHOWN))
}

/// No answer of HTTP to a valid delivery.
fn unanswered(outcome: &Outcome) -> Row {
    let row = |told: String| Row::new(Topic::Route, State::Unreachable, told);
    match outcome {
        Outcome::Malformed(why) => row(messages::no_http(why)).fixed_by(messages::check_port_of_http()),
        Outcome::TimedOut => row(messages::no_answer_in_time().to_owned()).fixed_by(wait_longer()),
        other => row(messages::no_answer(other)).fixed_by(messages::check_log()),
    }
}
