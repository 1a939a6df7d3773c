//! Measured passages: through a proxy of our own that changes one thing, and through one that changes nothing.

use std::net::SocketAddr;
use std::sync::Mutex;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::join;
use twenty_conform::suite::cause::Code;
use twenty_conform::suite::doctor::passage::{Passage, measure};
use twenty_conform::suite::doctor::{Findings, State, Topic, passed};
use twenty_conform::wire::client::Target;
use twenty_conform::wire::endpoint::witness::Witness;

use super::{expect, plan, rest_is_fine, row};
use crate::peers::proxy::{Message, Proxy};

/// What a proxy always shows that reads whole messages.
const READS_WHOLE: [Topic; 2] = [Topic::Chunks, Topic::Streaming];

async fn measured(proxy: &Proxy) -> Findings {
    let witness = Witness::start(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    proxy.leads_to(witness.address());
    let plan = plan(Target::parse(&format!("{}hooks?a=b", proxy.url)).unwrap());
    let mut seen = Passage::of(&plan, &witness);
    measure(&plan, &witness, &mut seen).await;
    passed::of(&seen)
}

/// Measures a proxy that changes requests.
async fn changing(change: impl Fn(Message) -> Message + Send + Sync + 'static) -> Findings {
    measured(&Proxy::of_messages(change, |answer| answer)).await
}

#[tokio::test]
async fn bytes_that_pass_are_fine() {
    let findings = measured(&Proxy::of_bytes()).await;
    rest_is_fine(&findings, &[]);
    assert_eq!((findings.result(), findings.requests, findings.rows.len()), ("ok", 7, 18), "{findings:#?}");
    expect(&findings, Topic::Arrival, State::Ok, &["arrives at 127.0.0.1:"]);
    expect(&findings, Topic::Path, State::Ok, &["POST /hooks?a=b"]);
    expect(&findings, Topic::Expect, State::Ok, &["100-continue arrives"]);
}

#[tokio::test]
async fn proxies_that_read_whole_messages_are_told() {
    let findings = changing(|request| request).await;
    expect(&findings, Topic::Streaming, State::Warning, &["buffered", "cut-off"]);
    expect(&findings, Topic::Chunks, State::Warning, &["with its length instead"]);
    expect(&findings, Topic::Expect, State::Ok, &["answered before this machine"]);
    rest_is_fine(&findings, &READS_WHOLE);
}

#[tokio::test]
async fn changed_headers_are_told() {
    let lower = changing(|mut request| {
        request.headers.iter_mut().for_each(|(name, _)| *name = name.to_ascii_lowercase());
        request.headers.reverse();
        request
    });
    let added = changing(|request| request.with("X-Forwarded-For", "10.0.0.7").with("Via", "1.1 own"));
    let stripped = changing(|request| request.without("X-Twenty-Webhook-Signature").without("x-conform-odd"));
    let (lower, added, stripped) = join!(lower, added, stripped);
    let findings = lower;
    expect(&findings, Topic::HeaderNames, State::Warning, &["change their case", "order changes"]);
    let reversed = [READS_WHOLE[0], READS_WHOLE[1], Topic::HeaderNames, Topic::HeaderBytes];
    rest_is_fine(&findings, &reversed);

    let findings = added;
    expect(&findings, Topic::Headers, State::Ok, &["added: X-Forwarded-For, Via"]);
    expect(&findings, Topic::Client, State::Ok, &["X-Forwarded-For: 10.0.0.7"]);
    rest_is_fine(&findings, &READS_WHOLE);

    let findings = stripped;
    expect(&findings, Topic::TwentyHeaders, State::Problem, &["removed: X-Twenty-Webhook-Signature"]);
    expect(&findings, Topic::Headers, State::Warning, &["removed: x-CONFORM-Odd"]);
    assert_eq!(findings.exit_status().code(), 1);
}

#[tokio::test]
async fn changed_values_and_lines_of_headers_are_told() {
    let emptied =
        changing(|request| Message { body: Vec::new(), ..request.without("X-Twenty-Webhook-Nonce") });
    let typed = changing(|request| request.without("Content-Type").with("Content-Type", "text/plain"));
    let once = changing(|mut request| {
        let mut seen = Vec::new();
        request.headers.retain(|(name, _)| {
            let is_new = !seen.contains(name);
            seen.push(name.clone());
            is_new
        });
        request
    });
    let (emptied, typed, once) = join!(emptied, typed, once);
    expect(&emptied, Topic::TwentyHeaders, State::Problem, &["removed: X-Twenty-Webhook-Nonce"]);
    expect(&emptied, Topic::Body, State::Problem, &["arrives as 0"]);
    expect(&typed, Topic::TwentyHeaders, State::Problem, &["changed: Content-Type"]);
    expect(&once, Topic::HeaderBytes, State::Warning, &["sent twice arrives otherwise"]);
}

#[tokio::test]
async fn changed_bodies_are_told() {
    let cases = [
        (
            (|body| Value::to_string(&serde_json::from_slice(body).unwrap()).into_bytes())
                as fn(&[u8]) -> Vec<u8>,
            &["a body of", "arrives as"][..],
        ),
        (|body| body.trim_ascii().to_vec(), &["trimmed"]),
        (|body| body[..body.len() / 2].to_vec(), &["arrives as"]),
        (|_| Vec::new(), &["arrives as 0"]),
    ];
    let measuring = cases.map(|(change, words)| async move {
        let findings = changing(move |request| {
            let body = change(&request.body);
            Message { body, ..request }
        });
        (findings.await, words)
    });
    for (findings, words) in join_all(measuring).await {
        expect(&findings, Topic::Body, State::Problem, words);
        assert_eq!(findings.result(), "problem");
        let is_cut = ["arrives as 0", "arrives as"].contains(&words[0]);
        assert_eq!(row(&findings, Topic::Size).state == State::Ok, !is_cut, "{findings:#?}");
    }
}

#[tokio::test]
async fn changed_paths_are_told() {
    let stripped = changing(|mut request| {
        request.start = request.start.replace("/hooks?a=b", "/");
        request
    });
    let got = changing(|mut request| {
        request.start = request.start.replace("POST", "PUT");
        request
    });
    let (stripped, got) = join!(stripped, got);
    expect(&stripped, Topic::Path, State::Warning, &["POST /hooks?a=b arrives as POST /"]);
    expect(&got, Topic::Path, State::Problem, &["arrives as PUT"]);
}

#[tokio::test]
async fn changed_answers_are_told() {
    let replaced = Proxy::of_messages(
        |request| request,
        |answer| match answer.start.contains("401") {
            true => Message::answer(403, "<html>denied</html>"),
            false => answer,
        },
    );
    let rewritten = Proxy::of_messages(
        |request| request,
        |answer| match answer.body.is_empty() {
            true => answer,
            false => Message { body: b"ok".to_vec(), ..answer },
        },
    );
    let added = Proxy::of_messages(|request| request, |answer| answer.with("Server", "own"));
    let (replaced, rewritten, added) = join!(measured(&replaced), measured(&rewritten), measured(&added));
    expect(&replaced, Topic::Answers, State::Problem, &["401 comes back as: 403", "unchanged"]);
    expect(&rewritten, Topic::Answers, State::Warning, &["another body"]);
    expect(&added, Topic::Answers, State::Ok, &["added: Server"]);
    expect(&added, Topic::Between, State::Ok, &["pass through own"]);
}

#[tokio::test]
async fn requests_that_arrive_twice_are_told() {
    let repeating = Proxy::answering(|request, pass| {
        let answer = pass(request.clone());
        if answer.start.contains(" 500") { pass(request) } else { answer }
    });
    expect(&measured(&repeating).await, Topic::Repeats, State::Problem, &["arrives 2 times", "500"]);
}

#[tokio::test]
async fn requests_that_are_answered_before_are_told() {
    let limiting = Proxy::answering(|request, pass| match request.body.len() {
        ..100_000 => pass(request),
        _ => Message::answer(413, "too large"),
    });
    let elsewhere = Proxy::answering(|_, _| Message::answer(502, "Bad Gateway"));
    let findings = measured(&elsewhere).await;
    expect(&findings, Topic::Arrival, State::Unreachable, &["nothing arrives", "502", "point the proxy"]);
    assert_eq!(row(&findings, Topic::Arrival).cause, Some(Code::RouteProxy));
    assert_eq!((findings.result(), findings.requests), ("unreachable", 1));
    let once = Mutex::new(false);
    let losing = Proxy::answering(move |request, pass| {
        let is_second = std::mem::replace(&mut *once.lock().unwrap(), true);
        if is_second { Message::answer(504, "late") } else { pass(request) }
    });
    let (limited, lost) = join!(measured(&limiting), measured(&losing));
    expect(&limited, Topic::Size, State::Warning, &["1 MiB does not arrive: 413", "client_max_body_size"]);
    rest_is_fine(&limited, &[READS_WHOLE[0], READS_WHOLE[1], Topic::Size]);
    expect(&lost, Topic::Streaming, State::Warning, &["does not arrive: 504"]);
}

#[tokio::test]
async fn what_is_no_request_is_told() {
    let prefixing = Proxy::of_bytes_after(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
    let findings = measured(&prefixing).await;
    expect(
        &findings,
        Topic::Arrival,
        State::Unreachable,
        &["no request of HTTP/1.1", "PROXY TCP4", "PROXY protocol"],
    );
}

#[tokio::test]
async fn requests_of_others_are_told_apart() {
    let checking = Proxy::answering(|request, pass| {
        let health =
            Message { start: "GET /health HTTP/1.1".to_owned(), headers: Vec::new(), body: Vec::new() };
        pass(health.with("Host", "own"));
        pass(request)
    });
    let findings = measured(&checking).await;
    expect(&findings, Topic::Arrival, State::Ok, &["7 requests of others too"]);
    expect(&findings, Topic::Repeats, State::Ok, &["once"]);
    rest_is_fine(&findings, &READS_WHOLE);
}
