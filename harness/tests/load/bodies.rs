//! What a load sends, as a receiver sees it: bodies from files and samples, ids, signatures, and probes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};

use tempfile::TempDir;
use twenty_conform::bench::generate::corpus::Corpus;
use twenty_conform::bench::generate::ids::{FIRST_PROBE, ID_LENGTH, Ids};
use twenty_conform::bench::generate::probe::{self, ProbeMaker};
use twenty_conform::bench::generate::request::{HeadTemplate, Marks, RequestBuffer};
use twenty_conform::clock::Clock;
use twenty_conform::peers::receiver::{Receiver, Settings};
use twenty_conform::random::Random;
use twenty_conform::suite::requirement::{Level, Role};
use twenty_conform::suite::scenario::Play;
use twenty_conform::suite::{requirements, under_load};
use twenty_conform::webhook::dialect::{DOCUMENTED, SHIPPED};
use twenty_conform::webhook::signature::{Key, NONCE_HEADER, Secret};
use twenty_conform::wire::client::Target;
use twenty_conform::wire::codec::{Reader, RequestHead};
use twenty_conform::wire::exchange::Delivery;

use super::{SECRET, corpus};

const NOW_MS: u64 = 1_735_066_639_761;

#[test]
fn ids_are_unique_and_give_back_their_number() {
    let mut seen = HashSet::new();
    for seed in [0, 1, u64::MAX] {
        for number in [0, 1, 15, 16, 0xffff_ffff, FIRST_PROBE, 2 * FIRST_PROBE - 1] {
            let mut id = [0; ID_LENGTH];
            Ids::of(seed).write(number, &mut id);
            let read = Ids::read(&id).unwrap();
            assert_eq!((read.run, read.number), (Ids::of(seed).run(), number));
            assert!(seen.insert(id));
        }
    }
    for other in ["", "0", "00000000-0000-4000-9000-000000000000", "g0000000-0000-4000-8000-000000000000"] {
        assert_eq!(Ids::read(other.as_bytes()), None, "{other}");
    }
    let random = Random::from_seed(3);
    for _ in 0..100_000 {
        let other = random.uuid();
        assert_eq!(Ids::read(other.as_bytes()), None, "{other} passed for an id of a load");
    }
}

/// A body of a corpus, with the placeholder id.
fn body(corpus: &Corpus, at: usize) -> String {
    String::from_utf8(corpus.bodies()[at].bytes.to_vec()).unwrap()
}

#[test]
fn replaces_or_inserts_the_record_id() {
    let id = "00000000-0000-4000-8000-000000000000";
    for (text, expected) in [
        (
            r#"{"event":"a.b", "data":{"x":[1e3],"id": "abc","y":2} }"#,
            format!(r#"{{"event":"a.b", "data":{{"x":[1e3],"id": "{id}","y":2}} }}"#),
        ),
        (r#"{"data":{"id":17}}"#, format!(r#"{{"data":{{"id":"{id}"}}}}"#)),
        (r#"{"data":{"n":{"id":1}}}"#, format!(r#"{{"data":{{"id":"{id}","n":{{"id":1}}}}}}"#)),
        (r#"{"record":{ }}"#, format!(r#"{{"record":{{"id":"{id}" }}}}"#)),
        (r#"{"event":{"recordId":null}}"#, format!(r#"{{"event":{{"recordId":"{id}"}}}}"#)),
        (r#"{"data":[1]}"#, r#"{"data":[1]}"#.to_owned()),
        ("[1, 2]", "[1, 2]".to_owned()),
    ] {
        let corpus = corpus(text);
        assert_eq!(body(&corpus, 0), expected);
        assert_eq!(corpus.bodies()[0].id.is_some(), expected.contains(id), "{text}");
    }
}

#[test]
fn reads_a_corpus_from_files_and_lines() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("b.jsonl"), "\n{\"n\":1}\n\n{\"n\":2}\r\n").unwrap();
    fs::write(folder.path().join("a.json"), "{\n \"n\": 0\n}\n").unwrap();
    fs::write(folder.path().join(".hidden"), "no JSON").unwrap();
    let corpus = Corpus::read(folder.path()).unwrap();
    let bodies: Vec<String> = (0..corpus.bodies().len()).map(|at| body(&corpus, at)).collect();
    assert_eq!(bodies, ["{\n \"n\": 0\n}", "{\"n\":1}", "{\"n\":2}"]);
}

#[test]
fn names_what_is_wrong_with_a_corpus() {
    let folder = TempDir::new().unwrap();
    let fails = |name: &str, content: &[u8], words: &[&str]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let why = Corpus::read(&path).unwrap_err();
        for word in words.iter().chain(&[name]) {
            assert!(why.contains(word), "{word:?} is not in {why:?}");
        }
    };
    fails("empty.json", b" \n ", &["empty"]);
    fails("broken.jsonl", b"{\"n\":1}\n\n{\"n\":\n", &["broken", "line 3"]);
    fails("first.jsonl", b"\n{\"n\":\n{\"n\":1}\n", &["broken", "line"]);
    fails("pretty.json", b"{\n \"n\": 1\n,}\n", &["broken", "line 3"]);
    fails("binary", b"\xff\xfe\x00", &["broken", "line 1"]);
    let mut long = vec![b'a'; 16 * 1024 * 1024];
    long[0] = b'"';
    long.extend_from_slice(b"\"\n1\n");
    fails("long.jsonl", &long, &["too large", "line 1", "16 MiB"]);
    let large = folder.path().join("large");
    File::create(&large).unwrap().set_len(65 << 20).unwrap();
    assert!(Corpus::read(&large).unwrap_err().contains("64 MiB"));
    let missing = folder.path().join("missing");
    assert!(Corpus::read(&missing).unwrap_err().contains("missing"));
    let nothing = TempDir::new().unwrap();
    assert!(Corpus::read(nothing.path()).unwrap_err().contains("empty"));
}

fn target() -> Target {
    Target::http("127.0.0.1", 4711, "/hook?x=1")
}

async fn parsed(request: &RequestBuffer) -> Delivery {
    let mut bytes = request.bytes.as_slice();
    let (mut reader, mut body) = (Reader::default(), Vec::new());
    let RequestHead { mut delivery, facts } = reader.request_head(&mut bytes).await.unwrap();
    reader.request_body(&mut bytes, facts.framing, &mut |part| body.extend_from_slice(part)).await.unwrap();
    delivery.body = body.into();
    assert!(reader.is_empty());
    assert!(bytes.is_empty(), "nothing follows the request");
    delivery
}

#[tokio::test]
async fn reference_accepts_every_valid_delivery() {
    let (secret, clock) = (Secret::new(SECRET), Clock::fixed(NOW_MS));
    let mut nonces = HashSet::new();
    for dialect in [&DOCUMENTED, &SHIPPED] {
        let receiver = Receiver::new(Settings::new(secret.clone()), clock.clone(), std::sync::Arc::new(drop));
        let corpus = Corpus::samples(dialect, "http://127.0.0.1:4711/hook?x=1", NOW_MS);
        assert!(corpus.bodies().iter().all(|body| body.id.is_some()));
        let (mut request, mut number) = (RequestBuffer::default(), 0);
        for template in HeadTemplate::new(&target(), dialect).templates(&corpus) {
            for _ in 0..2 {
                let marks = Marks { number, nonce: u128::from(number), now_ms: NOW_MS };
                template.fill(Ids::of(7), &marks, &mut request);
                template.sign(&Key::new(&secret), &mut request);
                let delivery = parsed(&request).await;
                assert_eq!(receiver.answer(&delivery).status, 200, "{delivery:?}");
                assert_eq!(delivery.target, "/hook?x=1");
                let id = &delivery.body[template.id_in_body().unwrap()];
                assert_eq!(Ids::read(id).unwrap().number, number);
                match delivery.headers.single(NONCE_HEADER) {
                    Some(nonce) => assert!(nonce.len() == 32 && nonces.insert(nonce.clone())),
                    None => assert_eq!(dialect.name, "documented"),
                }
                number += 1;
            }
        }
        assert!(number > 10);
    }
    assert!(!nonces.is_empty());
}

#[tokio::test]
async fn reference_rejects_every_probe() {
    let (secret, clock) = (Secret::new(SECRET), Clock::fixed(NOW_MS));
    let receiver = Receiver::new(Settings::new(secret.clone()), clock, std::sync::Arc::new(drop));
    let head = HeadTemplate::new(&target(), &DOCUMENTED);
    let maker = ProbeMaker { head: head.clone(), key: Key::new(&secret), secret: secret.clone() };
    let corpus = corpus("{\"event\":\"a.created\",\"data\":{}}\n{\"event\":\"a.created\"}\n[]");
    let mut made = HashSet::new();
    for template in head.templates(&corpus) {
        for first in 0..probe::all().len() {
            let (mut request, marks) =
                (RequestBuffer::default(), Marks { number: 3, nonce: 0, now_ms: NOW_MS });
            template.fill(Ids::of(7), &marks, &mut request);
            let body = bytes::Bytes::copy_from_slice(&request.bytes[request.body..]);
            let kind = maker.make_next(first, &marks, &body, &mut request);
            made.insert(kind);
            let answer = receiver.answer(&parsed(&request).await);
            let (name, sent) = (probe::all()[kind].name(), String::from_utf8_lossy(&request.bytes));
            assert!((400..500).contains(&answer.status), "{name}: {} {sent:?}", answer.status);
        }
    }
    // This secret is neither hexadecimal nor base64, and has no white space.
    let missing = (0..probe::all().len()).filter(|kind| !made.contains(kind));
    let missing: Vec<&str> = missing.map(|kind| probe::all()[kind].name()).collect();
    assert_eq!(missing, ["hex-decoded-key", "base64-decoded-key", "trimmed-key"]);
}

#[test]
fn probes_have_unique_names_and_describe_several_deliveries() {
    let mut names = HashSet::new();
    for kind in probe::all() {
        assert!(names.insert(kind.name()), "{}", kind.name());
        assert!(!kind.what.starts_with("a ") && !kind.what.starts_with("an "), "{}", kind.what);
        assert!(kind.name().bytes().all(|byte| byte != b' '), "{}", kind.name());
        assert_eq!(probe::named(kind.name()).unwrap().requirement.id, kind.requirement.id);
    }
    let has = |level| probe::all().iter().any(|kind| kind.requirement.level == level);
    assert!(has(Level::Must) && has(Level::Should));
}

#[test]
fn documented_probes_keep_their_requirements() {
    let known = [
        ("VER-1", "body-altered body-cut"),
        ("VER-2", "timestamp-altered"),
        ("VER-3", "other-key empty-key"),
        ("VER-4", "signature-missing signature-empty timestamp-missing"),
        ("VER-5", "body-alone timestamp-alone other-separator double-stringified other-delivery"),
        ("VER-6", "sha1 sha512 unkeyed base64 truncated zeros"),
        ("VER-9", "no-digits"),
        ("VER-10", "timestamp-empty"),
        ("VER-11", "stale future"),
        ("VER-12", "signed-array"),
    ];
    for (id, names) in known {
        for name in names.split(' ') {
            assert_eq!(probe::named(name).map(|kind| kind.requirement.id), Some(id), "{name}");
        }
    }
}

/// The scenarios with code of their own. They need an order, many requests or a broken connection, or send valid deliveries only.
const OWN_CODE: [&str; 10] = [
    "aborted",
    "body-limit",
    "comparison",
    "concurrent",
    "concurrent-64",
    "diagnosis",
    "one-connection",
    "processing",
    "valid",
    "window",
];

/// What a load cannot send of what receivers must reject, and why. A new case has steps, or names its reason where it is made; a
/// new scenario with code of its own is added here.
#[test]
fn every_rejected_case_is_a_probe_or_has_a_reason() {
    let mut left_out: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut sent = BTreeSet::new();
    for case in under_load::rejected() {
        match case.forgery {
            Ok(_) => _ = sent.insert(case.requirement.id),
            Err(why) => _ = left_out.entry(case.requirement.id).or_default().insert(why.describe()),
        }
    }
    let without: Vec<&str> = left_out.keys().filter(|id| !sent.contains(**id)).copied().collect();
    // Other methods, other formattings, unsigned bodies that are not parsed, wrong types, and a second signature.
    assert_eq!(without, ["VER-13", "VER-17", "VER-19", "VER-20", "VER-21"], "{left_out:#?}");

    let scenarios = requirements::of(Role::Receiver).flat_map(|requirement| requirement.scenarios);
    let own = scenarios.filter(|scenario| !matches!(scenario.play, Play::Cases { .. }));
    let own: BTreeSet<&str> = own.map(|scenario| scenario.name.0).collect();
    assert_eq!(own, BTreeSet::from(OWN_CODE));
}
