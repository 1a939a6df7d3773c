//! The scripted endpoints, byte for byte: what they record, what they do to a connection, and their limits.
//!
//! Invariant: tests use plain sockets, so that no HTTP library hides what happens.

mod framing;
mod tls;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use twenty_conform::clock::Clock;
use twenty_conform::wire::endpoint::scripted::{
    Answer, Before, Broken, Budget, Endpoint, MOST_REQUESTS, Manner, Place, Script, Seen, Settings, Strays,
};
use twenty_conform::wire::exchange::{LONGEST_BODY, Outcome, Transfer};

const WAIT: Duration = Duration::from_secs(20);
const RECORD: &str = "20202020-1c25-4d02-bf25-6aeccf7ea419";
const OTHER: &str = "20202020-1c25-4d02-bf25-6aeccf7ea420";

fn settings(patience: Duration) -> Settings {
    let (clock, budget, strays) = (Clock::system(), Budget::of_a_run(), Strays::default());
    Settings { clock, budget, strays, patience, place: Place::default() }
}

async fn endpoint(script: Script) -> Endpoint {
    let endpoint = Endpoint::start(settings(WAIT)).await.unwrap();
    endpoint.follow(script);
    endpoint
}

async fn connect(endpoint: &Endpoint) -> TcpStream {
    let url = endpoint.url("");
    TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap()
}

fn post(body: &str) -> String {
    format!(
        "POST /hook?x=1 HTTP/1.1\r\nHost: a\r\nX-SpElLeD: As Is\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends bytes and reads until the connection ends. Returns the answer and the error at the end.
async fn talk(endpoint: &Endpoint, request: impl AsRef<[u8]>) -> (String, Option<ErrorKind>) {
    let mut stream = connect(endpoint).await;
    // The connection may be reset before all of it is sent.
    let _ = stream.write_all(request.as_ref()).await;
    let mut reply = Vec::new();
    let ended = tokio::time::timeout(WAIT, stream.read_to_end(&mut reply)).await.expect("it hung");
    (String::from_utf8_lossy(&reply).into_owned(), ended.err().map(|why| why.kind()))
}

/// The same with a request that closes the connection.
async fn ask(endpoint: &Endpoint, body: &str) -> (String, Option<ErrorKind>) {
    talk(endpoint, post(body).replacen("Host", "Connection: close\r\nHost", 1)).await
}

/// Waits until what the endpoint has seen is enough.
async fn seen(endpoint: &Endpoint, enough: impl Fn(&Seen) -> bool) -> Seen {
    let began = Instant::now();
    loop {
        let seen = endpoint.seen(WAIT);
        if enough(&seen) {
            return seen;
        }
        assert!(began.elapsed() < WAIT, "{seen:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn records_requests_unchanged() {
    let endpoint = endpoint(Script::default()).await;
    let chunked = "PUT /a%20b?c= HTTP/1.1\r\nzebra: 1\r\nALPHA:  2 \r\nzebra: 3\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\
         Connection: close\r\nX-Twenty-Webhook-Nonce: 1\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\nTrailer: 1\r\n\r\n";
    let both = format!("{}{chunked}", post("first"));
    let (reply, ended) = talk(&endpoint, both).await;
    assert_eq!(reply.matches("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").count(), 2, "{reply:?}");
    assert_eq!(ended, None);
    let received = endpoint.received();
    let [first, second] = &received[..] else { panic!("{received:?}") };
    assert_eq!((&first.delivery.method[..], &first.delivery.target[..]), ("POST", "/hook?x=1"));
    let names = |headers: &twenty_conform::wire::exchange::Headers| {
        headers
            .0
            .iter()
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first.delivery.headers), ["Host=a", "X-SpElLeD=As Is", "Content-Length=5"]);
    assert_eq!(
        names(&second.delivery.headers),
        [
            "zebra=1",
            "ALPHA=2",
            "zebra=3",
            "Transfer-Encoding=chunked",
            "Host=a",
            "Connection=close",
            "X-Twenty-Webhook-Nonce=1",
        ]
    );
    assert_eq!((&*second.delivery.body, second.body_length), (&b"{\"a\":1}"[..], 7));
    assert_eq!(second.delivery.transfer, Transfer::Chunks(vec![3, 4]));
    assert!(first.began_ms <= first.at_ms);
}

#[tokio::test]
async fn answers_each_record_by_its_own_script() {
    let by_record = [
        (RECORD.to_owned(), vec![Answer::status(500), Answer::status(503), Answer::status(200)]),
        (OTHER.to_owned(), vec![Answer::status(302).header("Location", "/moved")]),
    ];
    let by_target = vec![("/moved".to_owned(), Answer::status(204))];
    let script = Script { by_record: by_record.into(), by_target, ..Script::always(Answer::status(404)) };
    let endpoint = endpoint(script).await;
    let mut statuses = Vec::new();
    for body in [RECORD, OTHER, RECORD, "none", RECORD, OTHER, RECORD] {
        let (reply, _) = ask(&endpoint, body).await;
        statuses.push(reply["HTTP/1.1 ".len()..][..3].to_owned());
        assert_eq!(reply.contains("Location: /moved\r\n"), body == OTHER, "{reply}");
    }
    assert_eq!(statuses, ["500", "302", "503", "404", "200", "302", "200"]);
    let (reply, _) = talk(&endpoint, format!("GET /moved/{RECORD} HTTP/1.0\r\n\r\n")).await;
    assert!(reply.starts_with("HTTP/1.1 204"), "{reply}");
}

#[tokio::test]
async fn cuts_closes_and_resets_answers() {
    let empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for (manner, expected, reset, outcome) in [
        (Manner::Whole, empty, false, None),
        (Manner::Dripped(Duration::from_millis(1)), empty, false, None),
        (Manner::CutInStatusLine, "HTTP/1.1 2", false, Some(Outcome::ClosedEarly)),
        (Manner::CutInHeaders, "HTTP/1.1 200 OK\r\nContent-L", false, Some(Outcome::ClosedEarly)),
        (Manner::Closes, "", false, Some(Outcome::ClosedEarly)),
        (Manner::Resets, "", true, Some(Outcome::Reset)),
    ] {
        let endpoint = endpoint(Script::always(Answer::with_manner(manner))).await;
        let (reply, ended) = ask(&endpoint, RECORD).await;
        assert_eq!(reply, expected, "{manner:?}");
        assert_eq!(ended == Some(ErrorKind::ConnectionReset), reset, "{manner:?}: {ended:?}");
        let received = endpoint.received();
        assert_eq!(received.len(), 1);
        assert_eq!(
            outcome.as_ref().unwrap_or(&Answer::default().outcome()),
            &received[0].outcome,
            "{manner:?}"
        );
    }
}

#[tokio::test]
async fn sends_interim_answers_before_the_final_one() {
    let script = Script::always(Answer { interim: vec![102, 103], ..Answer::status(204) });
    let (reply, _) = ask(&endpoint(script).await, RECORD).await;
    let expected =
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(reply, expected);
}

#[tokio::test]
async fn sends_100_continue_to_an_expecting_sender() {
    let endpoint = endpoint(Script::default()).await;
    let mut stream = connect(&endpoint).await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .await
        .unwrap();
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").await.unwrap();
    let mut answered = [0; 15];
    stream.read_exact(&mut answered).await.unwrap();
    assert_eq!(&answered, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn answers_before_the_body_if_scripted() {
    let endpoint = endpoint(Script::before(Before::Answers(Answer::status(202)))).await;
    let mut stream = connect(&endpoint).await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\n").await.unwrap();
    let mut answered = [0; 12];
    stream.read_exact(&mut answered).await.unwrap();
    assert_eq!(&answered, b"HTTP/1.1 202");
    assert_eq!(endpoint.count(), 0, "the body is not sent yet");
    stream.write_all(RECORD.as_bytes()).await.unwrap();
    assert!(endpoint.wait(WAIT, |received| received.len() == 1).await);
    let received = endpoint.received();
    assert_eq!((&*received[0].delivery.body, received[0].outcome.status()), (RECORD.as_bytes(), Some(202)));
}

#[tokio::test]
async fn closes_resets_and_refuses_connections() {
    let closing = endpoint(Script::before(Before::Closes)).await;
    assert_eq!(talk(&closing, "").await, (String::new(), None));
    let resetting = endpoint(Script::before(Before::Resets)).await;
    // The endpoint does not wait for the body, and keeps the part that arrived.
    let cut = post(RECORD).replace("Content-Length: 36", "Content-Length: 100000");
    let (reply, ended) = talk(&resetting, cut).await;
    assert_eq!((&reply[..], ended), ("", Some(ErrorKind::ConnectionReset)));
    let received = resetting.received();
    assert_eq!((received.len(), &received[0].outcome), (1, &Outcome::Reset));
    let refusing = Endpoint::refusing(settings(WAIT)).unwrap();
    let refused = TcpStream::connect(refusing.url("").strip_prefix("http://").unwrap()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn notices_when_the_sender_gives_up() {
    let late = Answer { delay: WAIT, ..Answer::default() };
    for answer in [Answer::with_manner(Manner::Hangs), late] {
        let endpoint = endpoint(Script::always(answer)).await;
        let mut stream = connect(&endpoint).await;
        stream.write_all(post(RECORD).as_bytes()).await.unwrap();
        assert!(endpoint.wait(WAIT, |received| received.len() == 1).await);
        assert_eq!(endpoint.received()[0].given_up_after, None);
        drop(stream);
        assert!(endpoint.wait(WAIT, |received| received[0].given_up_after.is_some()).await);
        assert!(endpoint.received()[0].given_up_after.unwrap() < WAIT);
    }
}

#[tokio::test]
async fn sends_an_endless_body() {
    let endpoint = endpoint(Script::always(Answer::with_manner(Manner::Endless))).await;
    let mut stream = connect(&endpoint).await;
    stream.write_all(post(RECORD).as_bytes()).await.unwrap();
    let mut reply = vec![0; 64 * 1024];
    stream.read_exact(&mut reply).await.unwrap();
    assert!(reply.starts_with(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n    "));
}

#[tokio::test]
async fn retired_endpoint_answers_and_records_nothing() {
    let endpoint = endpoint(Script::always(Answer::status(500))).await;
    endpoint.retire();
    let (reply, _) = ask(&endpoint, RECORD).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert_eq!(endpoint.count(), 0);
}

fn only(seen: &Seen) -> &Broken {
    assert_eq!((seen.received.len(), seen.dropped, seen.broken.len()), (0, 0, 1), "{seen:?}");
    &seen.broken[0]
}

#[tokio::test]
async fn rejects_and_quotes_invalid_requests() {
    for (rubbish, words) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello \r\n\r\n"[..], "not valid HTTP (not HTTP/1)"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "beginning \"PRI * HTTP/2.0"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
            "Content-Length that is not a number",
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "chunk size: \"xyz"),
        (b"hello\r\n\r\n", "beginning \"hello"),
    ] {
        let endpoint = endpoint(Script::default()).await;
        let (reply, _) = talk(&endpoint, rubbish).await;
        assert!(reply.starts_with("HTTP/1.1 400"), "{rubbish:?}: {reply}");
        let seen = endpoint.seen(WAIT);
        assert!(only(&seen).what.contains(words), "{seen:?}");
        // It stays up.
        assert!(ask(&endpoint, RECORD).await.0.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn records_cut_off_requests_but_not_empty_connections() {
    for begun in ["P", "POST / HTTP/1.1\r\nHost: a\r\n", &post(RECORD)[..90]] {
        let endpoint = endpoint(Script::default()).await;
        let mut stream = connect(&endpoint).await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        drop(stream);
        let seen = seen(&endpoint, |seen| !seen.broken.is_empty()).await;
        let broken = only(&seen);
        assert_eq!(broken.bytes, begun.len() as u64);
        assert!(broken.what.contains("arrived") && broken.what.contains(" \"P"), "{broken:?}");
    }
    let endpoint = endpoint(Script::default()).await;
    drop(connect(&endpoint).await);
    assert!(ask(&endpoint, RECORD).await.0.starts_with("HTTP/1.1 200"));
    assert_eq!(endpoint.seen(Duration::ZERO).broken, []);
}

#[tokio::test]
async fn rejects_endless_and_slow_heads() {
    let endpoint = Endpoint::start(settings(Duration::from_millis(200))).await.unwrap();
    let endless = format!("POST / HTTP/1.1\r\nX: {}", "y".repeat(200_000));
    talk(&endpoint, endless).await;
    let seen = endpoint.seen(WAIT);
    assert!(only(&seen).what.contains("header section longer than 65536 bytes"), "{seen:?}");

    let endpoint = Endpoint::start(settings(Duration::from_millis(200))).await.unwrap();
    let mut stream = connect(&endpoint).await;
    // One byte at a time, with time for the endpoint to read it, until the endpoint stops reading.
    while stream.write_all(b"x").await.is_ok() {
        let mut answered = [0; 12];
        let pause = Duration::from_millis(20);
        if let Ok(reply) = tokio::time::timeout(pause, stream.read_exact(&mut answered)).await {
            assert!(reply.is_err() || &answered == b"HTTP/1.1 400");
            break;
        }
    }
    let seen = endpoint.seen(WAIT);
    assert!(only(&seen).what.contains("it was not complete 0.2 s after its first byte"), "{seen:?}");

    let endpoint = Endpoint::start(settings(WAIT)).await.unwrap();
    let mut stream = connect(&endpoint).await;
    stream.write_all(b"POST").await.unwrap();
    let under_way = |seen: &Seen| seen.broken.iter().any(|one| one.what.ends_with("beginning \"POST\""));
    let began = Instant::now();
    while !under_way(&endpoint.seen(Duration::ZERO)) {
        assert!(began.elapsed() < WAIT);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn keeps_the_beginning_of_a_long_body() {
    let endpoint = endpoint(Script::default()).await;
    let length = 3 * LONGEST_BODY;
    let (reply, _) = ask(&endpoint, &"x".repeat(length)).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let received = endpoint.received();
    assert_eq!((received[0].delivery.body.len(), received[0].body_length), (LONGEST_BODY, length as u64));
}

/// A UUID that ends with this number.
fn record(number: usize) -> String {
    format!("20202020-0000-4000-8000-{number:012x}")
}

/// Sends these requests over one connection without waiting, and reads as many answers.
async fn pipeline(endpoint: &Endpoint, requests: Vec<String>) {
    let mut stream = connect(endpoint).await;
    let (mut answers, mut sink) = stream.split();
    let mut reply = vec![0; "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".len() * requests.len()];
    let sent = requests.concat();
    let (read, written) = tokio::join!(answers.read_exact(&mut reply), sink.write_all(sent.as_bytes()));
    read.unwrap();
    written.unwrap();
}

#[tokio::test]
async fn keeps_the_first_requests_and_counts_all() {
    let endpoint = endpoint(Script::default()).await;
    let (connections, each) = (8, 400);
    let mut senders = JoinSet::new();
    let endpoint = std::sync::Arc::new(endpoint);
    for connection in 0..connections {
        let requests = (0..each).map(|number| post(&record(connection * each + number))).collect();
        let endpoint = endpoint.clone();
        senders.spawn(async move { pipeline(&endpoint, requests).await });
    }
    senders.join_all().await;
    let seen = endpoint.seen(WAIT);
    assert_eq!((seen.received.len(), seen.overflowed), (MOST_REQUESTS, true));
    assert_eq!(seen.dropped as usize, connections * each - MOST_REQUESTS);
    assert_eq!(endpoint.count() as usize, connections * each);
}

#[tokio::test]
async fn flood_with_one_event_leaves_room_for_others() {
    let endpoint = endpoint(Script::default()).await;
    let both = format!("{OTHER} {RECORD}");
    for body in [RECORD, "none", &both] {
        pipeline(&endpoint, vec![post(body); 2000]).await;
    }
    let seen = endpoint.seen(WAIT);
    assert_eq!((seen.received.len(), seen.dropped, seen.overflowed), (3 * 64, 6000 - 3 * 64, false));
    pipeline(&endpoint, (0..10).map(|number| post(&format!("{RECORD} {}", record(number)))).collect()).await;
    assert_eq!(endpoint.received().len(), 3 * 64 + 10);
}

#[tokio::test]
async fn endpoints_of_a_run_share_one_budget() {
    let settings = settings(WAIT);
    let body = "x".repeat(LONGEST_BODY);
    let (mut kept, mut sent) = (0, 0);
    for _ in 0..4 {
        let endpoint = Endpoint::start(settings.clone()).await.unwrap();
        for _ in 0..20 {
            ask(&endpoint, &body).await;
        }
        let seen = endpoint.seen(WAIT);
        kept += seen.received.iter().map(|one| one.delivery.body.len()).sum::<usize>();
        sent += seen.received.len() + seen.dropped as usize;
    }
    assert_eq!(sent, 80);
    assert!(kept > 40 * LONGEST_BODY && kept <= 48 * LONGEST_BODY, "{kept}");
}
