//! `verify` and `send` with captured requests: faults of the capture, of the file with the secret, and what is sent again.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use twenty_conform::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use twenty_conform::wire::endpoint::Handler;
use twenty_conform::wire::exchange::{Delivery, Response};

use super::program::{Ran, run, run_on, serve_receiver};
use crate::peers::plain;

const SECRET: &str = "s3cr3t";
const TIMESTAMP: &str = "1795880619500";
const BODY: &str = r#"{"event":"person.created","data":{"id":"p-1","firstName":"Zoë"},"timestamp":"2026-01-02T03:04:05.000Z"}"#;

/// A captured request without a length.
fn request(target: &str, body: &str) -> String {
    let signature = Key::new(&Secret::new(SECRET)).sign(TIMESTAMP.as_bytes(), BODY.as_bytes()).to_hex();
    format!(
        "POST {target} HTTP/1.1\r\nHost: hooks.example.com\r\nContent-Type: application/json\r\n\
         x-twenty-webhook-timestamp: {TIMESTAMP}\r\nX-Twenty-Webhook-Signature: {signature}\r\n\
         X-Twenty-Webhook-Nonce: 0123456789abcdef0123456789abcdef\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-Own: kept\r\n\r\n{body}"
    )
}

fn explanation(ran: &Ran) -> String {
    let lines =
        ran.stdout.lines().filter(|line| !line.contains("expected  ") && !line.contains("captured  "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn verify_tells_faults_of_the_capture() {
    let of = |body: &str| run_on(["verify", "--secret", SECRET], request("/hooks", body));
    of(BODY).expect(0);
    let newline = of(&format!("{BODY}\n")).expect(1);
    assert_eq!(
        explanation(&newline),
        "the signature does not match\n  cause     capture.newline (one line feed more at its end than was signed): the captured body has \
         white space at its ends that was not signed, or lacks what was signed\n  fix       save the body without a line break at its \
         end: `printf %s` instead of `echo`, `curl --data-binary @FILE`, no final newline in the editor"
    );
    of("").expect(1).says(&["capture.body-missing (there is no body)"]);
    of(&BODY.replace('ë', "Ã«")).expect(1).says(&["capture.text-encoding (UTF-8 that was read as Latin-1)"]);
    let several = BODY.replace("Zoë", "???? ????");
    of(&several).expect(1).says(&["unknown", "  perhaps   capture.text-encoding (`?` in its strings"]);
    let printed = of(&BODY.replace("\":", "\": ")).expect(1);
    printed.says(&[
        "message.reserialised",
        "sign exactly the bytes",
        "or, if a proxy or the tool that captured the request",
    ]);
}

#[test]
fn verify_names_what_is_wrong_with_the_file_of_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret.txt");
    let of = |text: &str, body: &str| {
        fs::write(&file, text).unwrap();
        run_on([Path::new("verify"), Path::new("--secret-file"), &file], request("/hooks", body))
    };
    for right in ["s3cr3t", "s3cr3t\n", "s3cr3t\r\n"] {
        of(right, BODY).expect(0);
    }
    for (text, what) in [
        ("\"s3cr3t\"\n", "has quotes around it"),
        ("'s3cr3t'\n", "has quotes around it"),
        ("\u{feff}s3cr3t\n", "begins with a byte order mark"),
        ("s3cr3t\n\n", "has a line break in it or more than one at its end"),
        (" s3cr3t \n", "has a blank at an end"),
        ("TWENTY_WEBHOOK_SECRET=s3cr3t\n", "begins with a name and an equals sign"),
        ("export SECRET=\"s3cr3t\"\r\n", "begins with a name and an equals sign and has quotes around it"),
        ("OTHER=x\nTWENTY_WEBHOOK_SECRET=s3cr3t\n", "begins with a name and an equals sign"),
        ("s3cr3t # of the webhook\n", "has a comment after it"),
        ("s3cr3t\\n", "has a backslash and an n at its end"),
    ] {
        let ran = of(text, BODY).expect(1);
        let told = explanation(&ran);
        assert!(told.contains("  cause     the secret in ") && told.contains(what), "{text:?}: {told}");
        assert!(
            told.contains("; without that, the signature matches\n") && !told.contains("key."),
            "{text:?}: {told}"
        );
        assert!(!told.contains(SECRET), "{told}");
    }
    // Together with a fault of the capture.
    let both = of("\"s3cr3t\"\n", &format!("{BODY}\n")).expect(1);
    both.says(&[
        "  secret    the secret in ",
        "has quotes around it, and there is another cause",
        "capture.newline",
    ]);
    let given = run_on(["verify", "--secret", "'s3cr3t'"], request("/hooks", BODY)).expect(1);
    given.says(&["the secret that is given has quotes around it", "give the secret alone"]);
    of("\n", BODY).expect(2).complains_of(&["the secret is empty"]);
}

/// Keeps what arrives.
#[derive(Default)]
struct Keeping(Mutex<Vec<Delivery>>);

impl Handler for Keeping {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        self.0.lock().unwrap().push(delivery);
        async { Some(Response::text(204, "")) }.boxed()
    }
}

/// What arrives if this request is sent with these options. The captured target is `/hooks` or, for `None`, the endpoint's URL.
async fn arrived(target: Option<&str>, body: &str, options: &[&str]) -> (Delivery, Ran) {
    let keeping = std::sync::Arc::new(Keeping::default());
    let server = plain::serve(keeping.clone()).await.unwrap();
    let url = format!("http://{}/in?x=1", server.address());
    let request = request(target.unwrap_or(&url), body);
    let mut arguments = vec!["send".to_owned(), "-".to_owned(), "--secret".to_owned(), SECRET.to_owned()];
    arguments.extend(options.iter().map(|&option| option.to_owned()));
    if target.is_some() {
        arguments.extend(["--url".to_owned(), url]);
    }
    let ran = tokio::task::spawn_blocking(move || run_on(arguments, request)).await.unwrap();
    let delivery = keeping.0.lock().unwrap().pop().unwrap_or_else(|| panic!("nothing arrived: {ran:#?}"));
    (delivery, ran)
}

fn header(delivery: &Delivery, name: &str) -> String {
    String::from_utf8(delivery.headers.single(name).unwrap().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resign_keeps_the_body_and_renews_what_is_signed() {
    // What follows is no valid body, and stays so.
    for body in [BODY, "{\"event\": \"x\",\n \"n\": 1.0}\n", "", "\u{feff}rubbish"] {
        let (delivery, ran) = arrived(Some("/hooks"), body, &["--resign"]).await;
        ran.expect(0).says(&["captured POST, signed again, to http://", ": 204 in "]);
        assert_eq!(delivery.body, body.as_bytes());
        assert_eq!((delivery.method.as_str(), delivery.target.as_str()), ("POST", "/in?x=1"));
        let (timestamp, signature) =
            (header(&delivery, TIMESTAMP_HEADER), header(&delivery, SIGNATURE_HEADER));
        assert_ne!(timestamp, TIMESTAMP);
        assert_eq!(signature, twenty_conform::sign(SECRET, timestamp, body));
        assert_ne!(header(&delivery, NONCE_HEADER), "0123456789abcdef0123456789abcdef");
        assert_eq!(header(&delivery, "X-Own"), "kept");
        assert!(delivery.headers.single("X-Hop").is_none());
        assert_ne!(header(&delivery, "Host"), "hooks.example.com");
        // The names are written as in the capture.
        let names: Vec<&str> = delivery.headers.0.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"x-twenty-webhook-timestamp"), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_captured_request_is_sent_unchanged_without_resign() {
    let (delivery, ran) = arrived(None, BODY, &[]).await;
    let ran = ran.expect(0);
    ran.says(&["captured POST, unchanged, to http://"]);
    ran.complains_of(&["the captured timestamp is more than 5 minutes from now", "--resign"]);
    assert_eq!(header(&delivery, TIMESTAMP_HEADER), TIMESTAMP);
    assert_eq!(header(&delivery, SIGNATURE_HEADER), twenty_conform::sign(SECRET, TIMESTAMP, BODY));
    assert_eq!(header(&delivery, NONCE_HEADER), "0123456789abcdef0123456789abcdef");
    assert_eq!(delivery.body, BODY.as_bytes());
    let (_, ran) = arrived(None, &format!("{BODY}\n"), &["--resign"]).await;
    ran.complains_of(&["the captured signature does not match with this secret", "verify"]);
    let (_, ran) = arrived(None, "", &["--resign"]).await;
    ran.complains_of(&["capture.body-missing"]);
}

#[test]
fn send_accepts_a_captured_request_that_the_receiver_would_reject_for_its_age() {
    let receiver = serve_receiver(SECRET);
    let send = |options: &[&str]| {
        let all = ["send", "-", "--secret", SECRET, "--url", &receiver.url];
        run_on(all.iter().chain(options), request("/hooks", BODY))
    };
    send(&["--resign"]).expect(0);
    send(&[]).expect(1);
    send(&["--resign", "--chunks", "7"]).expect(0);
}

#[test]
fn send_tells_what_is_missing_for_a_captured_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("captured.http");
    let path = file.to_str().unwrap();
    let of = |text: String, options: &[&str]| {
        fs::write(&file, text).unwrap();
        run(["send", path].iter().chain(options)).expect(2)
    };
    let resign = ["--resign", "--secret", SECRET];
    let without_host = request("/hooks", BODY).replace("Host: hooks.example.com\r\n", "");
    of(without_host, &resign).complains_of(&["has no URL, only the path /hooks", "--url"]);
    of(request("/hooks", BODY), &resign).complains_of(&[
        "hooks.example.com/hooks",
        "not this machine",
        "--url",
    ]);
    of(request("https://crm.example/h", BODY), &resign).complains_of(&[
        "https://crm.example/h",
        "not this machine",
        "--url",
    ]);
    let local = request("http://127.0.0.1:1/h", BODY);
    of(local.clone(), &["--resign"]).complains_of(&["the secret is missing"]);
    of(local.clone(), &["--entry", "2"]).complains_of(&["has 1 request, so there is none with the number 2"]);
    of(local.clone(), &["--entry", "0"]).complains_of(&["--entry"]);
    of(local.clone(), &["--event", "a.b"]).complains_of(&["--event"]);
    of(local, &["--dialect", "shipped"]).complains_of(&["--dialect"]);
    of("rubbish".to_owned(), &resign).complains_of(&["known form", "forms: raw HTTP"]);
    run(["send", "--resign", "--url", "http://127.0.0.1:1/", "--secret", SECRET])
        .expect(2)
        .complains_of(&["FILE"]);
    run(["send", "no-such-file", "--url", "http://127.0.0.1:1/"])
        .expect(2)
        .complains_of(&["cannot read no-such-file"]);
    run(["send", "--secret", SECRET]).expect(2).complains_of(&["--url"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entry_chooses_one_of_several_requests() {
    let with_length = |body: &str| {
        request("/hooks", body).replace("X-Own", &format!("Content-Length: {}\r\nX-Own", body.len()))
    };
    let two = with_length(BODY) + "\r\n" + &with_length("{\"second\":true}");
    let keeping = std::sync::Arc::new(Keeping::default());
    let server = plain::serve(keeping.clone()).await.unwrap();
    let url = format!("http://{}/", server.address());
    for (options, name, body) in
        [(&[][..], "1 of 2", BODY), (&["--entry", "2"], "2 of 2", "{\"second\":true}")]
    {
        let mut arguments = vec!["send".to_owned(), "-".to_owned(), "--url".to_owned(), url.clone()];
        arguments.extend(options.iter().map(|&option: &&str| option.to_owned()));
        let request = two.clone();
        let ran = tokio::task::spawn_blocking(move || run_on(arguments, request)).await.unwrap().expect(0);
        ran.says(&[name]);
        assert_eq!(keeping.0.lock().unwrap().pop().unwrap().body, body.as_bytes());
    }
}
