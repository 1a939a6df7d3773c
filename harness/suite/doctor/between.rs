//! What stands between, as far as the headers of answers name it.

use super::messages::routed as messages;
use super::visit::Surroundings;
use super::{Row, State, Topic};
use crate::terminal::{clipped, text};
use crate::wire::exchange::{Headers, Outcome};

/// How much of a header is shown, and how many names.
const SHOWN: usize = 60;
const MOST: usize = 6;

/// Headers that only a service or a proxy adds, with its name.
const OF_SERVICES: &[(&str, &str)] = &[
    ("cf-ray", "Cloudflare"),
    ("x-amz-cf-id", "Amazon CloudFront"),
    ("x-amz-apigw-id", "Amazon API Gateway"),
    ("apigw-requestid", "Amazon API Gateway"),
    ("x-amzn-requestid", "Amazon Web Services"),
    ("x-amzn-trace-id", "Amazon Web Services"),
    ("x-vercel-id", "Vercel"),
    ("x-nf-request-id", "Netlify"),
    ("fly-request-id", "Fly.io"),
    ("x-render-origin-server", "Render"),
    ("rndr-id", "Render"),
    ("x-railway-request-id", "Railway"),
    ("x-railway-edge", "Railway"),
    ("ngrok-trace-id", "ngrok"),
    ("ngrok-error-code", "ngrok"),
    ("x-azure-ref", "Azure Front Door"),
    ("x-ms-proxy-app-id", "Microsoft Entra proxy"),
    ("x-cloud-trace-context", "Google Cloud"),
    ("x-envoy-upstream-service-time", "Envoy"),
    ("x-kong-upstream-latency", "Kong"),
    ("x-kong-proxy-latency", "Kong"),
    ("x-varnish", "Varnish"),
    ("x-fastly-request-id", "Fastly"),
    ("x-served-by", "a cache (X-Served-By)"),
    ("x-cache", "a cache (X-Cache)"),
    ("x-github-request-id", "GitHub"),
    ("x-localtunnel-agent", "localtunnel"),
    ("x-tunnel-id", "a tunnel"),
];

/// Names in `Server` of programs that pass requests on to others.
const PROXIES: &[(&str, &str)] = &[
    ("cloudflare", "Cloudflare"),
    ("awselb", "Amazon load balancer"),
    ("cloudfront", "Amazon CloudFront"),
    ("akamaighost", "Akamai"),
    ("envoy", "Envoy"),
    ("istio-envoy", "Envoy"),
    ("google frontend", "Google Cloud"),
    ("gfe", "Google Cloud"),
    ("traefik", "Traefik"),
    ("haproxy", "HAProxy"),
    ("varnish", "Varnish"),
    ("vercel", "Vercel"),
    ("netlify", "Netlify"),
    ("railway-edge", "Railway"),
];

pub(super) fn row(seen: &Surroundings) -> Option<Row> {
    let answers = answers(seen.sent.iter().map(|sent| &sent.told.outcome));
    if answers.is_empty() {
        return None;
    }
    let names = names(&answers);
    let servers = servers(&answers);
    let fine = |told: String| Row::new(Topic::Between, State::Ok, told);
    let doubtful =
        |told: String| Row::new(Topic::Between, State::Warning, told).fixed_by(messages::go_around());
    Some(match (&names[..], &servers[..]) {
        ([], []) => fine(messages::nothing_named()),
        ([], [server]) => fine(messages::server_named(server)),
        // The receiver gives some answers, and another program gives others.
        ([], several) => doubtful(messages::several_servers(several)),
        (names, _) => doubtful(messages::between(names)),
    })
}

/// The same where requests are measured, and the receiver names no server: what the answers name is between.
pub(super) fn measured<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Row {
    let answers = answers(outcomes);
    let named = names(&answers).into_iter().chain(servers(&answers));
    let all: Vec<String> = named.collect();
    let told = if all.is_empty() { messages::nothing_named() } else { messages::between(&all) };
    Row::new(Topic::Between, State::Ok, told)
}

fn answers<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Vec<&'a Headers> {
    let headers = outcomes.filter_map(|outcome| match outcome {
        Outcome::Answered(answer) => Some(&answer.headers),
        _ => None,
    });
    headers.collect()
}

/// What answers name, each once.
fn names(answers: &[&Headers]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in answers.iter().flat_map(|headers| of_headers(headers)) {
        if !names.contains(&name) && names.len() < MOST {
            names.push(name);
        }
    }
    names
}

/// What these headers of an answer name.
fn of_headers(headers: &Headers) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, value) in &headers.0 {
        let name = name.to_ascii_lowercase();
        let shown = clipped(&text(value), SHOWN);
        if let Some((_, service)) = OF_SERVICES.iter().find(|(header, _)| *header == name) {
            names.push((*service).to_owned());
        }
        if name == "via" {
            names.push(messages::via(&shown));
        }
        if name == "server" {
            let lower = shown.to_ascii_lowercase();
            let proxy = PROXIES.iter().find(|(server, _)| lower.starts_with(server));
            names.extend(proxy.map(|(_, proxy)| (*proxy).to_owned()));
        }
    }
    names
}

/// The different servers that answers name.
fn servers(answers: &[&Headers]) -> Vec<String> {
    let mut servers: Vec<String> = Vec::new();
    for headers in answers {
        for value in headers.all("server") {
            let shown = clipped(&text(value), SHOWN);
            if !servers.contains(&shown) && servers.len() < MOST {
                servers.push(shown);
            }
        }
    }
    servers
}
