//! What stands before a receiver that rejects every valid delivery: found from answers that are the same whatever is signed.

use super::messages;
use crate::suite::cause::{Cause, Code};
use crate::suite::transcript::{Leaks, Respect, Transcript, Trial};
use crate::webhook::recipe::Digest;
use crate::wire::exchange::{Outcome, Response};

/// How much of the place of a redirect is shown.
const SHOWN: usize = 100;

/// What answers instead of the receiver, if valid and forged deliveries are all answered alike. Nothing is concluded before
/// there are both.
pub(super) fn of_answers(t: &Transcript) -> Option<Cause> {
    if let Some(cause) = of_silence(t) {
        return Some(cause);
    }
    let valid = answers(t, |respect| respect.is_valid())?;
    let forged = answers(t, is_forged)?;
    let first = valid.first()?;
    let all = || valid.iter().chain(&forged);
    let everywhere = |holds: fn(&Response) -> bool| all().all(|(_, answer)| holds(answer));
    let unsigned = answers(t, |respect| matches!(respect, Respect::Unsigned | Respect::Undated));
    let unsigned = unsigned.unwrap_or_default();
    // What misses the headers of a valid delivery misses them always; a receiver tells them apart from a wrong signature.
    let misses = |answer: &Response| matches!(answer.status / 100, 4 | 5) && says_missing(answer);
    if everywhere(misses) && unsigned.iter().all(|(_, answer)| misses(answer)) {
        return Some(Cause::new(Code::HeaderNotForwarded).shown_by([first.0.exchange]));
    }
    let cause =
        if everywhere(|answer| answer.status / 100 == 5 && !is_gateway(answer) && !answer.limits_rate()) {
            Cause::detailed(Code::CrashEverything, messages::status_to_everything(first.1.status))
        } else {
            let code = of_answer(first.1).filter(|code| {
                let same = |(_, answer): &(&Trial, &Response)| of_answer(answer) == Some(*code);
                all().all(same) && unsigned.iter().all(same)
            })?;
            let detail = match code {
                Code::RouteRedirect => {
                    location(first.1).filter(|_| t.leaks(first.0.exchange) == Leaks::default())
                }
                Code::RouteProxy => Some(first.1.status.to_string()),
                _ => None,
            };
            Cause { detail, ..Cause::new(code) }
        };
    Some(cause.shown_by([first.0.exchange]))
}

/// The cause if no delivery at all was answered.
fn of_silence(t: &Transcript) -> Option<Cause> {
    let plain = |trial: &&Trial| trial.respect == Respect::Valid;
    let first = t.trials.iter().find(plain)?;
    let silent = |trial: &Trial| {
        matches!(t.outcome(trial.exchange), Outcome::ClosedEarly | Outcome::Reset | Outcome::TimedOut)
    };
    if t.exchanges.answered() > 0 || !t.trials.iter().filter(plain).all(silent) {
        return None;
    }
    let cause = match t.outcome(first.exchange) {
        Outcome::TimedOut => Cause::detailed(Code::AnswerNone, messages::no_answer_in_time()),
        _ => Cause::detailed(Code::CrashEverything, messages::no_answer()),
    };
    Some(cause.shown_by([first.exchange]))
}

/// What gives such an answer instead of a receiver, if something may.
fn of_answer(answer: &Response) -> Option<Code> {
    Some(match answer.status {
        _ if answer.limits_rate() => Code::RouteRateLimit,
        _ if is_csrf(answer) => Code::RouteCsrf,
        _ if is_login(answer) => Code::RouteLogin,
        301 | 302 | 303 | 307 | 308 => Code::RouteRedirect,
        404 => Code::RouteNotFound,
        405 => Code::RouteMethod,
        _ if is_gateway(answer) => Code::RouteProxy,
        _ => return None,
    })
}

/// The same if the answer alone shows it. A demand for credentials does not: a receiver may make it too.
pub fn of_obstacle(answer: &Response) -> Option<Code> {
    let is_open = answer.status == 401 && !is_form(answer) && !demands_password(answer);
    of_answer(answer).filter(|_| !is_open)
}

/// Whether two answers say the same, apart from the paths that were asked for.
pub fn says_the_same((one, here): (&Response, &str), (other, there): (&Response, &str)) -> bool {
    /// How much longer the one may be, with an id of the request in it.
    const SLACK: usize = 64;
    let without = |answer: &Response, path: &str| text(answer).replace(&path.to_lowercase(), "/").len();
    let kind = |answer: &Response| answer.headers.all("content-type").next().cloned();
    one.status == other.status
        && kind(one) == kind(other)
        && without(one, here).abs_diff(without(other, there)) <= SLACK
}

/// The answers to these trials; `None` if there are none, or if one was not answered.
fn answers(t: &Transcript, these: impl Fn(Respect) -> bool) -> Option<Vec<(&Trial, &Response)>> {
    // A body of another size or form may be rejected before anything is routed.
    let asked = |trial: &&Trial| {
        these(trial.respect)
            && trial.respect != Respect::Concurrent
            && !matches!(trial.respect, Respect::Form(_))
    };
    let answers: Option<Vec<_>> = t
        .trials
        .iter()
        .filter(asked)
        .map(|trial| match t.outcome(trial.exchange) {
            Outcome::Answered(answer) => Some((trial, answer)),
            _ => None,
        })
        .collect();
    answers.filter(|answers| !answers.is_empty())
}

/// Whether only the signature distinguishes it from a valid delivery, and the signature has the form of a valid one. Others may be rejected
/// before the secret is read.
fn is_forged(respect: Respect) -> bool {
    match respect {
        Respect::Signed(recipe) => recipe.digest == Digest::Hex,
        _ => matches!(respect, Respect::Key(_) | Respect::DefaultSecret(..)),
    }
}

/// Whether an answer says that signature or timestamp are missing. A secret that is missing is another matter.
pub(super) fn says_missing(answer: &Response) -> bool {
    let page = text(answer);
    let is_missing =
        ["missing", "required", "not found", "not present", "absent", "no signature", "no timestamp"];
    page.len() < 1000
        && !page.contains("secret")
        && is_missing.iter().any(|word| page.contains(word))
        && ["signature", "timestamp", "header"].iter().any(|name| page.contains(name))
}

fn is_csrf(answer: &Response) -> bool {
    let page = text(answer);
    matches!(answer.status, 400 | 403 | 419 | 422)
        && (answer.status == 419
            || ["csrf", "xsrf", "authenticity token", "cross-site request"]
                .iter()
                .any(|name| page.contains(name)))
}

/// A page or a redirect that asks for a login, or a demand for credentials.
fn is_login(answer: &Response) -> bool {
    let demands = answer.status == 401 && answer.headers.all("www-authenticate").next().is_some();
    let place = location(answer).unwrap_or_default().to_lowercase();
    let leads_to_login = answer.status / 100 == 3
        && ["login", "signin", "sign-in", "sign_in", "/auth", "sso"].iter().any(|name| place.contains(name));
    is_form(answer) || demands || leads_to_login
}

/// A page with a login form that refuses what was asked for.
fn is_form(answer: &Response) -> bool {
    matches!(answer.status, 401 | 403) && asks_for_password(answer)
}

/// A page with a field for a password, whatever its status.
fn asks_for_password(answer: &Response) -> bool {
    let page = text(answer);
    ["type=\"password\"", "type='password'", "type=password"].iter().any(|field| page.contains(field))
}

/// What answers 2xx with a page for people to everything, instead of a receiver.
pub fn of_page(answer: &Response) -> Option<Cause> {
    let page = text(answer);
    let begin = page.trim_start();
    if asks_for_password(answer) {
        return Some(Cause::detailed(Code::RouteLogin, messages::login_page()));
    }
    let is_page = begin.starts_with("<!doctype html") || begin.starts_with("<html");
    is_page.then(|| Cause::detailed(Code::AcceptsEverything, messages::page_for_people()))
}

/// Whether an answer demands a user's name and password, which no receiver of webhooks expects.
fn demands_password(answer: &Response) -> bool {
    let demands = answer.headers.all("www-authenticate");
    let demands: Vec<String> = demands.map(|value| String::from_utf8_lossy(value).to_lowercase()).collect();
    demands
        .iter()
        .any(|scheme| ["basic", "digest", "negotiate", "ntlm"].iter().any(|one| scheme.starts_with(one)))
}

/// A gateway's own page: it has no answer of a receiver to pass on.
fn is_gateway(answer: &Response) -> bool {
    let page = text(answer);
    matches!(answer.status, 502..=504)
        && (answer.status != 503
            || ["gateway", "nginx", "cloudflare", "haproxy", "server is available", "upstream", "proxy"]
                .iter()
                .any(|name| page.contains(name)))
}

fn text(answer: &Response) -> String {
    String::from_utf8_lossy(&answer.body).to_lowercase()
}

/// Where a redirect leads, as far as it can be shown.
pub fn location(answer: &Response) -> Option<String> {
    let value = answer.headers.all("location").next()?;
    let text = std::str::from_utf8(value).ok()?;
    Some(text.chars().filter(char::is_ascii_graphic).take(SHOWN).collect())
}
