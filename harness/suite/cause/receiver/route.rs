//! What stands before a receiver that rejects every valid delivery: found from answers that are the same whatever is signed.

use super::messages;
use crate::suite::cause::{Cause, Code};
use crate::suite::transcript::{Leaks, Respect, Transcript, Trial};
use crate::webhook::recipe::Digest;
use crate::wire::exchange::{Outcome, Response};

/// How much of the place of a redirect is shown.
const SHOWN: usize = 100;

/// What answers in the place of the receiver, if valid and forged deliveries are all answered alike. Nothing is concluded before
/// there are both.
pub(super) fn of_answers(t: &Transcript) -> Option<Cause> {
    let valid = answers(t, |respect| respect.is_valid())?;
    let forged = answers(t, is_forged)?;
    let first = valid.first()?;
    let all = || valid.iter().chain(&forged);
    let everywhere = |holds: fn(&Response) -> bool| all().all(|(_, answer)| holds(answer));
    let cause = if everywhere(|answer| answer.status / 100 == 5 && !is_gateway(answer) && !is_limit(answer)) {
        Cause::detailed(Code::CrashEverything, messages::status_to_everything(first.1.status))
    } else {
        let unsigned = answers(t, |respect| matches!(respect, Respect::Unsigned | Respect::Undated));
        let unsigned = unsigned.unwrap_or_default();
        let everywhere = |holds: fn(&Response) -> bool| {
            everywhere(holds) && unsigned.iter().all(|(_, answer)| holds(answer))
        };
        if everywhere(is_limit) {
            Cause::new(Code::RouteRateLimit)
        } else if everywhere(is_csrf) {
            Cause::new(Code::RouteCsrf)
        } else if everywhere(is_login) {
            Cause::new(Code::RouteLogin)
        } else if everywhere(|answer| matches!(answer.status, 301 | 302 | 303 | 307 | 308)) {
            let place = location(first.1).filter(|_| t.leaks(first.0.exchange) == Leaks::default());
            Cause { detail: place, ..Cause::new(Code::RouteRedirect) }
        } else if everywhere(|answer| answer.status == 404) {
            Cause::new(Code::RouteNotFound)
        } else if everywhere(|answer| answer.status == 405) {
            Cause::new(Code::RouteMethod)
        } else if everywhere(is_gateway) {
            Cause::detailed(Code::RouteProxy, first.1.status.to_string())
        } else {
            return None;
        }
    };
    Some(cause.shown_by([first.0.exchange]))
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
        _ => matches!(respect, Respect::Key(_) | Respect::DefaultSecret(_)),
    }
}

fn is_limit(answer: &Response) -> bool {
    answer.status == 429 || answer.status == 503 && answer.headers.all("retry-after").next().is_some()
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
    let has_form = text(answer).contains("type=\"password\"") || text(answer).contains("type='password'");
    let demands = answer.status == 401 && answer.headers.all("www-authenticate").next().is_some();
    let place = location(answer).unwrap_or_default().to_lowercase();
    let leads_to_login = answer.status / 100 == 3
        && ["login", "signin", "sign-in", "sign_in", "/auth", "sso"].iter().any(|name| place.contains(name));
    has_form && matches!(answer.status, 401 | 403) || demands || leads_to_login
}

/// A gateway's own page: it has no answer of a receiver to pass on.
fn is_gateway(answer: &Response) -> bool {
    let page = text(answer);
    matches!(answer.status, 502..=504)
        && !is_limit(answer)
        && (answer.status != 503
            || ["gateway", "nginx", "cloudflare", "haproxy", "no server is available", "upstream", "proxy"]
                .iter()
                .any(|name| page.contains(name)))
}

fn text(answer: &Response) -> String {
    String::from_utf8_lossy(&answer.body).to_lowercase()
}

/// Where a redirect leads, as far as it can be shown.
fn location(answer: &Response) -> Option<String> {
    let value = answer.headers.all("location").next()?;
    let text = std::str::from_utf8(value).ok()?;
    Some(text.chars().filter(char::is_ascii_graphic).take(SHOWN).collect())
}
