//! A client of the REST API, and an endpoint that keeps what arrives.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Value, json};
use tokio::sync::watch;
use twenty_conform::clock::Clock;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::endpoint::{Handler, Server};
use twenty_conform::wire::exchange::{Delivery, Headers, Outcome, Response, Transfer};

use crate::peers::plain;
use crate::peers::twenty::{FakeTwenty, Settings};

/// A fake Twenty with a client that has its key.
pub(super) struct Workspace {
    pub(super) fake: FakeTwenty,
    client: Client,
}

impl Workspace {
    pub(super) async fn new(settings: Settings) -> Self {
        let client = Client::new(Duration::from_secs(10), Clock::system());
        Self { fake: FakeTwenty::start(settings).await, client }
    }

    /// The answer to a request with this value of `Authorization`.
    pub(super) async fn request(
        &self,
        authorization: Option<&str>,
        line: &str,
        body: &str,
    ) -> Option<Response> {
        let (method, path) = line.split_once(' ').unwrap();
        let target = Target::parse(&self.fake.url()).unwrap();
        let mut headers = Headers::default();
        headers.add("Content-Type", "application/json");
        if let Some(authorization) = authorization {
            headers.add("Authorization", authorization.to_owned());
        }
        let delivery = Delivery {
            method: method.to_owned(),
            target: path.to_owned(),
            headers,
            body: Bytes::from(body.to_owned()),
            transfer: Transfer::Whole,
        };
        match self.client.send(&target, &delivery).await.outcome {
            Outcome::Answered(answer) => Some(answer),
            _ => None,
        }
    }

    /// The status and the body of the answer to a request with the key.
    pub(super) async fn call(&self, line: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.call_text(line, &body).await
    }

    pub(super) async fn call_text(&self, line: &str, body: &str) -> (u16, Value) {
        let key = format!("Bearer {}", self.fake.key());
        let answer = self.request(Some(&key), line, body).await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// The body of an answer that is a success.
    pub(super) async fn done(&self, line: &str, body: Value) -> Value {
        let (status, answer) = self.call(line, &body).await;
        assert!((200..300).contains(&status), "{line}: {status} {answer}");
        answer
    }

    /// The code of an answer that is a refusal, with its status.
    pub(super) async fn refused(&self, line: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(line, &body).await;
        assert!(status >= 400, "{line}: {status} {answer}");
        (status, answer["code"].as_str().unwrap().to_owned())
    }

    /// Registers a webhook for all events with the secret `s`. Returns its id.
    pub(super) async fn webhook(&self, url: &str) -> String {
        self.webhook_for(url, json!(["*.*"])).await
    }

    pub(super) async fn webhook_for(&self, url: &str, operations: Value) -> String {
        let body = json!({ "targetUrl": url, "operations": operations, "secret": "s" });
        let made = self.done("POST /rest/metadata/webhooks", body).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Creates a record. Returns it.
    pub(super) async fn create(&self, plural: &str, record: Value) -> Value {
        let made = self.done(&format!("POST /rest/{plural}"), record).await;
        made["data"].as_object().unwrap().values().next().unwrap().clone()
    }

    /// Creates a company of this name. Returns its id.
    pub(super) async fn company(&self, name: &str) -> String {
        let made = self.create("companies", json!({ "name": name })).await;
        made["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn settle(&self) {
        assert!(self.fake.settled().await, "a delivery did not end");
    }
}

/// An endpoint that answers 200 and keeps what arrives.
pub(super) struct Endpoint {
    pub(super) server: Server,
    kept: Arc<Kept>,
}

struct Kept {
    arrived: Mutex<Vec<Delivery>>,
    count: watch::Sender<usize>,
    answer: Box<dyn Fn(&Delivery) -> Response + Send + Sync>,
}

impl Handler for Kept {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        let answer = (self.answer)(&delivery);
        self.arrived.lock().unwrap().push(delivery);
        self.count.send_modify(|count| *count += 1);
        ready(Some(answer)).boxed()
    }
}

impl Endpoint {
    pub(super) async fn new() -> Self {
        Self::answering(|_| Response::text(200, "ok")).await
    }

    pub(super) async fn answering(answer: impl Fn(&Delivery) -> Response + Send + Sync + 'static) -> Self {
        let (arrived, count) = (Mutex::default(), watch::Sender::new(0));
        let kept = Arc::new(Kept { arrived, count, answer: Box::new(answer) });
        Self { server: plain::serve(kept.clone()).await.unwrap(), kept }
    }

    pub(super) fn url(&self) -> String {
        self.server.url("/hook?x=1")
    }

    pub(super) fn arrived(&self) -> Vec<Delivery> {
        self.kept.arrived.lock().unwrap().clone()
    }

    /// Waits until this many requests have arrived.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Delivery> {
        let mut seen = self.kept.count.subscribe();
        let enough = seen.wait_for(|seen| *seen >= count);
        let waited = tokio::time::timeout(Duration::from_secs(20), enough).await;
        assert!(waited.is_ok(), "{} of {count} requests arrived", self.arrived().len());
        self.arrived()
    }

    /// The bodies of what has arrived.
    pub(super) fn bodies(&self) -> Vec<Value> {
        self.arrived().iter().map(|one| serde_json::from_slice(&one.body).unwrap()).collect()
    }

    /// The names of the events that have arrived.
    pub(super) fn events(&self) -> Vec<String> {
        self.bodies().iter().map(|body| body["eventName"].as_str().unwrap().to_owned()).collect()
    }
}

/// Begins an answer and goes on with it until the peer closes the connection.
pub(super) fn endless(mut stream: TcpStream) -> std::io::Result<()> {
    crate::peers::servers::read_request(&mut stream)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut byte = [0];
    loop {
        stream.write_all(b"1\r\n.\r\n")?;
        match std::io::Read::read(&mut stream, &mut byte) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(why)
                if matches!(why.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(why) => return Err(why),
        }
    }
}
