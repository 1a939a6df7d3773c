//! Answers of something that stands before a receiver.

use super::super::{of_obstacle, of_refusal, says_the_same};
use super::{OTHER_KEY, Sent, headed, transcript, words};
use crate::suite::transcript::Respect;
use crate::wire::exchange::Response;

#[test]
fn one_answer_shows_an_obstacle_unless_a_receiver_may_give_it_too() {
    let plain = Response::text;
    let demands = |scheme| headed(401, ("WWW-Authenticate", scheme), "");
    for (answer, expected) in [
        (plain(404, ""), Some("route.not-found")),
        (plain(403, "<input type='password'>"), Some("route.login")),
        (plain(401, "<input type='password'>"), Some("route.login")),
        (demands("Basic realm=\"staging\""), Some("route.login")),
        (demands("NTLM"), Some("route.login")),
        (demands("Bearer"), None),
        (demands("Signature"), None),
        (headed(200, ("WWW-Authenticate", "Basic"), ""), None),
        (plain(200, "<input type='password'>"), None),
        (plain(401, "basic"), None),
        (plain(503, "later"), None),
    ] {
        assert_eq!(of_obstacle(&answer).map(|code| code.as_str()), expected, "{answer:?}");
    }
}

#[test]
fn answers_say_the_same_if_only_the_path_differs() {
    let same = |one: &Response, other: &Response| says_the_same((one, "/api/hooks"), (other, "/nowhere"));
    let page = |path: &str| Response::text(404, format!("Cannot POST {path}"));
    assert!(same(&page("/api/hooks"), &page("/nowhere")));
    // A path that stands there often makes up a good part of the page.
    let often = |path: &str| page(&format!("{path} ").repeat(40));
    assert!(same(&often("/API/hooks"), &often("/nowhere")));
    assert!(!same(&often("/api/hooks"), &page("/nowhere")));
    let root = |one: &Response, other: &Response| says_the_same((one, "/"), (other, "/"));
    assert!(root(&page(&"/a".repeat(30)), &page(&"/a".repeat(30))));
    let with_id = Response::text(404, "no such route, request 01890a5d-ac96-774b-bcce-b302099a8057");
    assert!(same(&Response::text(404, "no such route"), &with_id));
    assert!(!same(&Response::text(404, "unknown signature. ".repeat(9)), &page("/nowhere")));
    assert!(!same(&Response::text(401, "Cannot POST /nowhere"), &page("/nowhere")));
    let mut json = page("/nowhere");
    json.headers.set("Content-Type", "application/json");
    assert!(!same(&json, &page("/nowhere")));
}

/// What every delivery is answered, signed or not.
fn of_all(answer: &Response) -> String {
    let sent = |respect| Sent(respect, answer.clone(), None);
    words(of_refusal(&transcript(vec![sent(Respect::Valid), sent(OTHER_KEY), sent(Respect::Unsigned)])))
}

#[test]
fn page_about_something_else_is_no_missing_header() {
    let long = format!("{:1000}", "a signature is required");
    assert_eq!(of_all(&Response::text(400, long)), "refuses.everything");
    assert_eq!(of_all(&Response::text(400, "no timestamp")), "header.not-forwarded");
    // Not every 4xx with such words is said by a program that misses a header.
    assert_eq!(of_all(&Response::text(301, "missing signature header")), "route.redirect");
    // A platform answers 500 to what a program throws, with its words.
    assert_eq!(of_all(&Response::text(500, "missing signature header")), "header.not-forwarded");
    let crash = "crash.everything (500 to every delivery)";
    assert_eq!(of_all(&Response::text(500, "the secret for the signature is missing")), crash);
}

#[test]
fn redirect_leads_to_a_login_by_its_place() {
    let to = |place| headed(302, ("Location", place), "");
    for place in ["https://id.example/SSO", "/auth/begin", "/users/sign-in", "/signin"] {
        assert_eq!(of_all(&to(place)), "route.login", "{place}");
    }
    // A place without a redirect leads nowhere.
    assert_eq!(of_all(&headed(404, ("Location", "/login"), "")), "route.not-found");
    assert_eq!(of_all(&headed(403, ("WWW-Authenticate", "Bearer"), "")), "refuses.everything");
    assert_eq!(of_all(&Response::text(404, "<input type=password>")), "route.not-found");
}

#[test]
fn answers_of_each_kind_count_only_if_all_of_them_are_given() {
    let proxy = || Response::text(502, "");
    let failure = || Response::text(500, "");
    let own = || Response::text(401, "no");
    for (valid, forged, expected) in [
        (proxy(), proxy(), "route.proxy (502)"),
        (proxy(), Response::text(404, ""), "refuses.everything"),
        (failure(), failure(), "crash.everything (500 to every delivery)"),
        (failure(), own(), "refuses.everything"),
        (own(), failure(), "refuses.everything"),
        (failure(), proxy(), "refuses.everything"),
    ] {
        let t = transcript(vec![Sent(Respect::Valid, valid, None), Sent(OTHER_KEY, forged, None)]);
        assert_eq!(words(of_refusal(&t)), expected);
    }
}

#[test]
fn deliveries_that_may_be_refused_for_another_reason_do_not_count() {
    let page = || Response::text(404, "Cannot POST /");
    for other in [Respect::Concurrent, Respect::Form("shipped")] {
        let sent = vec![
            Sent(Respect::Valid, page(), None),
            Sent(OTHER_KEY, page(), None),
            Sent(other, Response::text(413, ""), None),
        ];
        assert_eq!(words(of_refusal(&transcript(sent))), "route.not-found", "{other:?}");
    }
}
