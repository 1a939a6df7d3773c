//! The REST API: who may call it, which route a request is for, and its answer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tokio::sync::watch;
use twenty_conform::clock::Clock;
use twenty_conform::random::Random;
use twenty_conform::webhook::dialect::rfc3339;
use twenty_conform::webhook::json::Json;
use twenty_conform::wire::endpoint::Handler;
use twenty_conform::wire::exchange::{Delivery, Headers, Response};

use super::json::{number, object, text};
use super::limit::Limit;
use super::settings::Settings;
use super::worker::Worker;
use super::workspace::{Refusal, Workspace};

/// How many calls are remembered.
const REMEMBERED: usize = 10_000;

/// A request that was answered, or that was not because of a crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// 0 if there was no answer.
    pub(crate) status: u16,
}

/// The answer to a request that is not refused: its status and its body.
pub(super) type Answer = Result<(u16, Json), Refusal>;

pub(super) struct Api {
    pub(super) settings: Settings,
    pub(super) key: String,
    pub(super) worker: Worker,
    workspace: Mutex<Workspace>,
    limit: Mutex<Limit>,
    calls: Mutex<VecDeque<Call>>,
    /// How many calls there were.
    pub(super) called: watch::Sender<usize>,
    /// How many API requests were let through.
    requests: AtomicUsize,
    /// How many are answered before the crash.
    until_crash: AtomicUsize,
}

impl Api {
    pub(super) fn new(settings: Settings) -> Self {
        let random = Arc::new(Random::from_seed(settings.seed));
        let made = || format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", random.secret(), random.secret());
        Self {
            key: settings.api_key.clone().unwrap_or_else(made),
            worker: Worker::start(settings.clone(), random.clone()),
            workspace: Mutex::new(Workspace::new(random, &now())),
            limit: Mutex::new(Limit::new(settings.rate_limit)),
            calls: Mutex::default(),
            called: watch::Sender::new(0),
            requests: AtomicUsize::new(0),
            until_crash: AtomicUsize::new(settings.crash_after.unwrap_or(usize::MAX)),
            settings,
        }
    }

    pub(super) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        self.workspace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.remembered().iter().cloned().collect()
    }

    fn remembered(&self) -> MutexGuard<'_, VecDeque<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every connection without an answer from now on, and sends nothing.
    pub(super) fn crash(&self) {
        self.until_crash.store(0, Ordering::SeqCst);
        self.worker.stop();
    }

    /// The answer; `None` after a crash.
    fn answer(&self, request: &Delivery) -> Option<Response> {
        if self.requests.load(Ordering::SeqCst) >= self.until_crash.load(Ordering::SeqCst) {
            self.worker.stop();
            return None;
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        Some(match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["healthz"]) => json(200, &object([("status", text("ok"))])),
            ("GET", ["client-config"]) => json(200, &self.client_config()),
            (_, ["rest", route @ ..]) => self.rest(request, path, route, query),
            ("GET" | "HEAD", _) => Response::text(200, "<!DOCTYPE html><title>Twenty</title>"),
            (method, _) => refused(&no_route(method, path)),
        })
    }

    fn client_config(&self) -> Json {
        let version = self.settings.version.as_deref().map_or(Json::Null, text);
        object([
            ("appVersion", version),
            ("authProviders", object([("password", Json::Bool(true))])),
            ("signInPrefilled", Json::Bool(false)),
        ])
    }

    fn rest(&self, request: &Delivery, path: &str, route: &[&str], query: &str) -> Response {
        if let Err(refusal) = self.authorise(request) {
            return refused(&refusal);
        }
        let counted = self.limit.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
        if let Err(wait) = counted {
            let mut answer = refused(&Refusal::new(429, "LIMIT_REACHED", "Limit reached"));
            if self.settings.rate_limit.says_when {
                answer.headers.add("Retry-After", wait.as_secs_f64().ceil().to_string());
            }
            return answer;
        }
        let count = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let errors = self.settings.server_errors.filter(|errors| count.is_multiple_of(errors.every));
        if let Some(errors) = errors.filter(|errors| !errors.after_work) {
            return refused(&Refusal::new(errors.status, "INTERNAL_SERVER_ERROR", "Internal server error"));
        }
        let answer = self.routed(request, path, route, query);
        match (errors, answer) {
            (Some(errors), _) => {
                refused(&Refusal::new(errors.status, "INTERNAL_SERVER_ERROR", "Internal server error"))
            }
            (None, Ok((status, body))) => json(status, &body),
            (None, Err(refusal)) => refused(&refusal),
        }
    }

    fn authorise(&self, request: &Delivery) -> Result<(), Refusal> {
        let given = request.headers.single("authorization");
        match given.and_then(|given| given.strip_prefix(b"Bearer ")) {
            None => Err(Refusal::new(403, "FORBIDDEN_EXCEPTION", "Missing authentication token")),
            Some(key) if key == self.key.as_bytes() => Ok(()),
            Some(_) => Err(Refusal::new(401, "UNAUTHENTICATED", "Token invalid.")),
        }
    }

    fn routed(&self, request: &Delivery, path: &str, route: &[&str], query: &str) -> Answer {
        let called = format!("{} {path}", request.method);
        let is_below = |missing: &String| {
            called.strip_prefix(missing.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.settings.missing_routes.iter().any(is_below) {
            return Err(no_route(&request.method, path));
        }
        let body = match &*request.body {
            [] => Json::Null,
            body => Json::parse(body)
                .map_err(|why| Refusal::new(400, "BAD_REQUEST", format!("Invalid JSON body: {why}")))?,
        };
        self.route(&request.method, path, route, query, &body)
    }
}

impl Handler for Api {
    fn handle(&self, request: Delivery) -> BoxFuture<'_, Option<Response>> {
        let answer = self.answer(&request);
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let mut remembered = self.remembered();
        if remembered.len() == REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back(Call { method: request.method, path: request.target, status });
        drop(remembered);
        self.called.send_modify(|called| *called += 1);
        ready(answer).boxed()
    }
}

pub(super) fn now() -> String {
    rfc3339(Clock::system().now_ms())
}

fn no_route(method: &str, path: &str) -> Refusal {
    Refusal::new(404, "NotFoundException", format!("Cannot {method} {path}"))
}

fn json(status: u16, body: &Json) -> Response {
    let mut headers = Headers::default();
    headers.add("Content-Type", "application/json; charset=utf-8");
    Response { status, headers, body: body.compact().into(), cut: 0 }
}

fn refused(refusal: &Refusal) -> Response {
    let body = object([
        ("statusCode", number(refusal.status)),
        ("error", text(refusal.code)),
        ("messages", Json::Array(vec![text(&refusal.message)])),
        ("code", text(refusal.code)),
    ]);
    json(refusal.status, &body)
}
