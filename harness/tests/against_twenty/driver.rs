//! `sender --twenty` against the fake Twenty, from the command line to the report: a conforming one passes, and each fault is
//! reported as that of the real one.
//!
//! Invariant: after every run nothing is left that it made, and what others made is there.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::cli::program::{Ran, Report, Running, judged, run, twenty};
use crate::peers::twenty::{Call, FakeTwenty, RateLimit, Restore, ServerErrors, Settings};

/// The marked ids of records.
const MARK: &str = "7477636f-6e66-4";
const OBJECTS: [&str; 5] = ["person", "company", "note", "task", "opportunity"];

/// A fake Twenty that others use too, and the file with its key.
struct Place {
    fake: Arc<FakeTwenty>,
    folder: TempDir,
    /// The ids of another user's records, a person and a company, with the names that a run uses.
    records: [String; 2],
    webhook: String,
    object: String,
}

/// A fake Twenty that limits no rate, so that tests do not wait.
fn quick() -> Settings {
    let rate_limit = RateLimit { per_second: None, per_minute: None, says_when: false };
    Settings { rate_limit, ..Settings::default() }
}

impl Place {
    async fn new(settings: Settings) -> Self {
        let fake = Arc::new(FakeTwenty::start(settings).await);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("key"), fake.key()).unwrap();
        let name = json!({ "firstName": "Alice", "lastName": "Doe" });
        let person = fake.add_record("people", &json!({ "name": name, "jobTitle": "twenty-conform" }));
        let company = fake.add_record("companies", &json!({ "name": "twenty-conform" }));
        let url = "http://127.0.0.1:9/hooks/theirs";
        let webhook =
            fake.add_webhook(&json!({ "targetUrl": url, "operations": [], "description": "theirs" }));
        let object = fake.add_object(&json!({
            "nameSingular": "conformRocket", "namePlural": "conformRockets",
            "labelSingular": "Rocket", "labelPlural": "Rockets", "description": "theirs",
        }));
        Self { fake, folder, records: [person, company], webhook, object }
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let key = self.folder.path().join("key").to_str().unwrap().to_owned();
        let url = self.fake.url();
        let own = ["sender", "--twenty", &url, "--api-key-file", &key];
        own.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    async fn judged(&self, more: &[&str]) -> (Ran, Report) {
        let arguments = self.arguments(more);
        spawn_blocking(move || judged(arguments)).await.unwrap()
    }

    async fn run(&self, more: &[&str]) -> Ran {
        let arguments = self.arguments(more);
        spawn_blocking(move || run(arguments)).await.unwrap()
    }

    /// What is there with a mark of a run.
    fn leftovers(&self) -> Vec<String> {
        let ids = |all: Vec<serde_json::Value>| {
            all.into_iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let records = OBJECTS.into_iter().flat_map(|object| ids(self.fake.records(object)));
        let marked = records.filter(|id| id.starts_with(MARK));
        let webhooks = ids(self.fake.webhooks()).into_iter().filter(|id| *id != self.webhook);
        let objects = ids(self.fake.objects()).into_iter().filter(|id| *id != self.object);
        marked.chain(webhooks).chain(objects).collect()
    }

    /// Fails if anything is left, or if something of others is gone or was changed.
    #[track_caller]
    fn assert_clean(&self) {
        assert_eq!(self.leftovers(), Vec::<String>::new());
        let has = |all: Vec<serde_json::Value>, id: &str| {
            all.into_iter().any(|one| one["id"] == id && one["createdAt"] == one["updatedAt"])
        };
        assert!(has(self.fake.records("person"), &self.records[0]));
        assert!(has(self.fake.records("company"), &self.records[1]));
        assert!(has(self.fake.webhooks(), &self.webhook) && has(self.fake.objects(), &self.object));
    }
}

/// How many calls each route had.
fn by_route(calls: &[Call]) -> BTreeMap<String, usize> {
    let mut routes = BTreeMap::new();
    for call in calls {
        let path = call.path.split('?').next().unwrap();
        let route = path.split('/').filter(|segment| segment.len() != 36);
        let route = format!("{} {}", call.method, route.collect::<Vec<_>>().join("/"));
        *routes.entry(route).or_default() += 1;
    }
    routes
}

const FAST: [&str; 2] = ["--calls-per-minute", "100000"];
/// As many generated cases as without the option.
const USUAL: [&str; 2] = ["--cases", "64"];

/// What a run reports about a fake with these faults: each failed requirement with its cause.
#[track_caller]
fn assert_failures(report: &Report, ran: &Ran, expected: &[(&str, &str)]) {
    let failed: Vec<_> = report.with("fail").into_iter().map(|id| (id, report.cause(id))).collect();
    assert_eq!(failed, expected, "{ran:#?}");
    assert!(report.with("error").is_empty() && report.with("inconclusive").is_empty(), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_without_faults_passes_within_a_minute_and_a_hundred_calls() {
    let mut slow = None;
    // On a busy machine a delivery may be late, and then the run makes another event happen.
    for _ in 0..2 {
        let (place, began) = (Place::new(Settings::default()).await, Instant::now());
        let (ran, report) = place.judged(&USUAL).await;
        let (ran, took) = (ran.expect(0), began.elapsed());
        assert_failures(&report, &ran, &[]);
        place.assert_clean();
        let calls = place.fake.calls();
        assert!(calls.iter().all(|call| call.status != 429), "{calls:#?}");
        let calls: Vec<_> = calls.into_iter().filter(|call| call.path.starts_with("/rest/")).collect();
        if calls.len() <= 100 && took < Duration::from_secs(60) {
            return;
        }
        slow = Some(format!("{took:?}, {} calls: {:#?}", calls.len(), by_route(&calls)));
    }
    panic!("{}", slow.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_fails_its_requirement_with_its_cause() {
    let cases: [(Settings, &[(&str, &str)]); 5] = [
        (
            Settings { webhook_cache: Some(Duration::from_secs(4)), ..quick() },
            &[("SUB-1", "send.settling"), ("SUB-3", "send.settling")],
        ),
        (Settings { follows_redirects: true, ..quick() }, &[("ACK-8", "send.redirect")]),
        (
            Settings { drops_members: true, ..quick() },
            &[("PAY-8", "payload.member"), ("SIG-4", "message.members-dropped")],
        ),
        (Settings { rounds_integers: true, ..quick() }, &[("PAY-7", "payload.value")]),
        (
            Settings { one_queue: true, reads_endless_answers: true, ..quick() },
            &[("ACK-9", "send.blocked"), ("DLV-7", "send.blocked")],
        ),
    ];
    // All at the same time: they spend most of their time waiting.
    join_all(cases.map(async |(settings, expected)| {
        let place = Place::new(settings).await;
        let (ran, report) = place.judged(&[FAST, USUAL].concat()).await;
        assert_failures(&report, &ran, expected);
        place.assert_clean();
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn known_failures_of_2_31_are_exactly_its_faults() {
    let rate_limit = quick().rate_limit;
    let place = Place::new(Settings { rate_limit, ..Settings::of_2_31() }).await;
    let known = ["--known-failures", "twenty-2.31"];
    let (ran, report) = place.judged(&[FAST, USUAL, known].concat()).await;
    let ran = ran.expect(0);
    assert_failures(&report, &ran, &[]);
    let expected = ["ACK-8", "ACK-9", "DLV-7", "PAY-7", "PAY-8", "SIG-4", "SUB-1", "SUB-3"];
    assert_eq!(report.with("known-failure").into_iter().collect::<Vec<_>>(), expected, "{ran:#?}");
    place.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_differ_and_pass() {
    let older = Settings {
        version: Some("0.50.0".to_owned()),
        metadata_events: false,
        names_actors: false,
        restore: Restore::Older,
        ..quick()
    };
    let silent = Settings { version: None, restore: Restore::Newer, ..quick() };
    let without_fields =
        Settings { missing_routes: vec!["POST /rest/metadata/fields".to_owned()], ..quick() };
    join_all([older, silent, without_fields].map(async |settings| {
        let place = Place::new(settings.clone()).await;
        let (ran, report) = place.judged(&[FAST, USUAL].concat()).await;
        assert!(report.with("fail").is_empty() && report.with("error").is_empty(), "{settings:?} {ran:#?}");
        assert!(ran.status == Some(0) || ran.status == Some(3), "{settings:?} {ran:#?}");
        place.assert_clean();
    }))
    .await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn cleanup_leaves_nothing_after_a_kill() {
    let place = Place::new(quick()).await;
    for at_least in [3, 20, 40] {
        let before = place.fake.calls().len();
        let mut command = twenty(place.arguments(&FAST));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let killed = Running(command.spawn().unwrap());
        assert!(place.fake.called(before + at_least).await, "it makes no calls");
        // SIGKILL, in the middle of what it does.
        spawn_blocking(move || drop(killed)).await.unwrap();
        assert!(!place.leftovers().is_empty(), "it was killed too early or too late");
        place.run(&["--cleanup", FAST[0], FAST[1]]).await.expect(0);
        place.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limit_is_waited_out() {
    for says_when in [false, true] {
        // Others use the API too, so that the limit is lower than it seems.
        let rate_limit = RateLimit { per_second: Some(3), per_minute: None, says_when };
        let place = Place::new(Settings { rate_limit, ..Settings::default() }).await;
        let only = ["--run", "SIG-4", "--cases", "0"];
        let (ran, report) = place.judged(&[&FAST[..], &only].concat()).await;
        let ran = ran.expect(0);
        assert_failures(&report, &ran, &[]);
        assert!(place.fake.calls().iter().any(|call| call.status == 429));
        place.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_server_makes_a_run_incomplete() {
    for after_work in [false, true] {
        let server_errors = Some(ServerErrors { every: 9, status: 502, after_work });
        let place = Place::new(Settings { server_errors, ..quick() }).await;
        let (ran, report) =
            place.judged(&[&FAST[..], &["--run", "subscription", "--cases", "0"]].concat()).await;
        let ran = ran.expect(3);
        assert!(report.with("fail").is_empty(), "{ran:#?}");
        ran.says(&["Twenty failed at", "read the log of Twenty's server"]);
        // What could not be removed is removed later.
        for _ in 0..10 {
            if place.leftovers().is_empty() {
                break;
            }
            place.run(&["--cleanup", FAST[0], FAST[1]]).await;
        }
        place.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn crashed_server_makes_a_run_incomplete_and_says_what_is_left() {
    let place = Place::new(Settings { crash_after: Some(30), ..quick() }).await;
    let (ran, report) = place.judged(&FAST).await;
    let ran = ran.expect(3);
    assert!(report.with("fail").is_empty(), "{ran:#?}");
    ran.complains_of(&["could not remove webhook", "--cleanup"]);
    assert!(!place.leftovers().is_empty());
}
