//! `sender --twenty` on the command line: what it refuses, announces, lists, removes and leaves. The Twenty is a fake one.
//!
//! Invariant: after every run, nothing that it made is left.

use std::fs;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::program::{Ran, Report, finish, judged, run, twenty};
use crate::peers::servers::{ClosedPort, always};
use crate::peers::twenty::{FakeTwenty, Permissions, RateLimit, Settings};

/// A few requirements, so that a run is short.
const SHORT: [&str; 4] = ["--run", "SIG-4", "--cases", "0"];

/// A fake Twenty that limits no rate, so that tests do not wait.
fn quick() -> Settings {
    let rate_limit = RateLimit { per_second: None, per_minute: None, says_when: false };
    Settings { rate_limit, ..Settings::default() }
}

/// A fake Twenty with the file of its key.
struct Place {
    fake: Arc<FakeTwenty>,
    folder: TempDir,
}

impl Place {
    async fn new(settings: Settings) -> Self {
        let place =
            Self { fake: Arc::new(FakeTwenty::start(settings).await), folder: TempDir::new().unwrap() };
        fs::write(place.file(), format!("{}\n", place.fake.key())).unwrap();
        place
    }

    fn file(&self) -> String {
        self.folder.path().join("key.txt").to_str().unwrap().to_owned()
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let (url, file) = (self.fake.url(), self.file());
        let own = ["sender", "--twenty", &url, "--api-key-file", &file, "--calls-per-minute", "100000"];
        own.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    async fn run(&self, more: &[&str]) -> Ran {
        let arguments = self.arguments(more);
        spawn_blocking(move || run(arguments)).await.unwrap()
    }

    async fn judged(&self, more: &[&str]) -> (Ran, Report) {
        let arguments = self.arguments(more);
        spawn_blocking(move || judged(arguments)).await.unwrap()
    }

    /// Fails if a webhook, a record or an object is left that a run may have made.
    #[track_caller]
    fn assert_clean(&self) {
        assert!(self.fake.webhooks().is_empty(), "{:#?}", self.fake.webhooks());
        assert!(self.fake.objects().is_empty(), "{:#?}", self.fake.objects());
        for object in ["person", "company", "note", "task", "opportunity"] {
            let left: Vec<_> =
                self.fake.records(object).into_iter().filter(|one| is_marked(&one["id"])).collect();
            assert!(left.is_empty(), "{object}: {left:#?}");
        }
    }
}

/// How many calls a run announced.
fn announced(ran: &Ran) -> usize {
    let number = ran.stderr.split("the run makes about ").nth(1).and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{ran:#?}"))
}

fn is_marked(id: &serde_json::Value) -> bool {
    id.as_str().is_some_and(|id| id.starts_with("7477636f-6e66-4"))
}

#[test]
fn twenty_needs_a_key_and_excludes_other_senders() {
    let sender = ["sender", "--twenty", "http://127.0.0.1:9/"];
    let with = |more: &[&str]| run([&sender[..], more].concat());
    with(&[]).expect(2).complains_of(&["the API key is missing", "--api-key-file", "TWENTY_API_KEY"]);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("key.txt");
    let path = file.to_str().unwrap();
    for (text, complaint) in [
        ("", "the API key is empty"),
        ("\n", "the API key is empty"),
        ("two words\n", "write the key alone"),
        ("key\r\n\r\n", "write the key alone"),
        ("кл\n", "write the key alone"),
    ] {
        fs::write(&file, text).unwrap();
        with(&["--api-key-file", path]).expect(2).complains_of(&[complaint]);
    }
    with(&["--api-key-file", "no-such-file"]).expect(2).complains_of(&["cannot read no-such-file"]);
    fs::write(&file, "key\r\n").unwrap();
    for other in [["--exec", "true"], ["--control", "http://127.0.0.1:9/"], ["--transcript", "-"]] {
        with(&[&other[..], &["--api-key-file", path]].concat())
            .expect(2)
            .complains_of(&["--twenty", other[0]]);
    }
    for (option, complaint) in [
        (&["--dialect", "documented"][..], "sends the dialect shipped"),
        (&["--secret", "x"], "--transcript"),
        (&["--cwd", "."], "--exec"),
        (&["--endpoint-host", "http://host"], "is not a host"),
        (&["--endpoint-host", "0.0.0.0"], "127.0.0.1"),
        (&["--calls-per-minute", "0"], "--calls-per-minute"),
    ] {
        with(&[option, &["--api-key-file", path]].concat()).expect(2).complains_of(&[complaint]);
    }
    run(["sender", "--twenty", "http://192.0.2.1/", "--api-key-file", path])
        .expect(2)
        .complains_of(&["--allow-remote"]);
    for option in [&["--dry-run"][..], &["--cleanup"], &["--api-key-file", path], &["--endpoint-host", "x"]] {
        run([&["sender", "--exec", "true"], option].concat()).expect(2).complains_of(&["--twenty"]);
    }
}

#[test]
fn configuration_hides_the_key_and_takes_it_from_its_variable() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("twenty-conform.toml");
    fs::write(
        &file,
        "[sender]\ntwenty = \"http://127.0.0.1:9/\"\nendpoint-host = \"host.docker.internal\"\n",
    )
    .unwrap();
    let config = format!("--config={}", file.display());
    let mut command = twenty(["sender", &config, "--print-config"]);
    command.env("TWENTY_API_KEY", "eyJhbGciOi-secret");
    let ran = finish(command).expect(0);
    assert!(!ran.stdout.contains("eyJhbGciOi"), "{ran:#?}");
    for line in [
        "twenty = \"http://127.0.0.1:9/\"",
        "# api-key = [hidden]",
        "endpoint-host = \"host.docker.internal\"",
    ] {
        assert!(ran.stdout.contains(line), "{line}: {ran:#?}");
    }
    // What is on the command line excludes it.
    let mut command = twenty(["sender", &config, "--exec", "true", "--print-config"]);
    command.env("TWENTY_API_KEY", "eyJhbGciOi-secret");
    assert!(finish(command).expect(0).stdout.contains("# twenty = "));
    fs::write(&file, "[sender]\napi-key = \"eyJhbGciOi-secret\"\n").unwrap();
    let ran = run(["sender", &config]).expect(2);
    ran.complains_of(&["api-key-file", "TWENTY_API_KEY"]);
    assert!(!ran.stderr.contains("eyJhbGciOi"), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_lists_every_call_and_makes_none() {
    let place = Place::new(quick()).await;
    let ran = place.run(&[&["--dry-run"][..], &SHORT].concat()).await.expect(0);
    assert!(place.fake.calls().is_empty(), "{:#?}", place.fake.calls());
    for call in ["POST /rest/metadata/webhooks {", "POST /rest/people", "DELETE /rest/metadata/webhooks/"] {
        assert!(ran.stdout.contains(call), "{call}: {ran:#?}");
    }
    assert!(!ran.stdout.contains(place.fake.key()), "{ran:#?}");
    ran.says(&["calls of Twenty's API at http://127.0.0.1:", "removes them at its end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_announces_itself_and_leaves_nothing() {
    let place = Place::new(quick()).await;
    let other = place
        .fake
        .add_record("people", &json!({ "name": { "firstName": "twenty-conform", "lastName": "" } }));
    let (ran, report) = place.judged(&SHORT).await;
    let ran = ran.expect(0);
    ran.complains_of(&["calls of Twenty's API", "less than a minute", "webhook", "record", "custom object"]);
    let announced = announced(&ran);
    let made = place.fake.calls().len();
    assert!(announced.abs_diff(made) <= announced / 10, "{announced} calls were announced, and {made} made");
    assert_eq!(report.with("pass").into_iter().collect::<Vec<_>>(), ["SIG-4"], "{report:?}");
    assert_eq!(report.0["dialect"], "shipped");
    place.assert_clean();
    assert!(place.fake.records("person").iter().any(|one| one["id"] == other.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn command_that_repeats_a_failure_attaches_the_same_twenty() {
    let place = Place::new(Settings { rounds_integers: true, ..quick() }).await;
    let (ran, report) =
        place.judged(&["--run", "PAY-7", "--cases", "0", "--endpoint-host", "localhost"]).await;
    let again = report.check("PAY-7")["rerun"].as_str().unwrap_or_else(|| panic!("{ran:#?}")).to_owned();
    let expected = format!(
        "sender --twenty {} --api-key-file {} --endpoint-host localhost --calls-per-minute 100000",
        place.fake.url(),
        place.file()
    );
    assert!(again.contains(&expected) && again.contains("--dialect shipped"), "{again}");
    place.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn cleanup_removes_what_a_crash_left_and_nothing_else() {
    let place = Place::new(quick()).await;
    place.run(&["--cleanup"]).await.expect(0).says(&["nothing is left"]);
    let ours = "7477636f-6e66-4abc-9abc-0123456789ab";
    let person = |id: Option<&str>| match id {
        Some(id) => json!({ "id": id, "name": { "firstName": "Ann", "lastName": "" } }),
        None => json!({ "name": { "firstName": "Ann", "lastName": "" } }),
    };
    place.fake.add_record("people", &person(Some(ours)));
    let other = place.fake.add_record("people", &person(None));
    let webhook = |path: &str, description: &str| {
        let url = format!("http://127.0.0.1:9{path}");
        json!({ "targetUrl": url, "operations": ["*.*"], "secret": "", "description": description })
    };
    place.fake.add_webhook(&webhook("/hooks/1", "twenty-conform run 1"));
    place.fake.add_webhook(&webhook("/other", "twenty-conform run 1"));
    place.fake.add_webhook(&webhook("/hooks/1", "somebody else"));

    let listed = place.run(&["--cleanup", "--dry-run"]).await.expect(0);
    listed.says(&["would remove", ours]);
    assert!(!listed.stdout.contains(&other) && place.fake.webhooks().len() == 3, "{listed:#?}");

    let removed = place.run(&["--cleanup"]).await.expect(0);
    removed.says(&["removed", ours, "1 webhook, 1 record"]);
    let people = place.fake.records("person");
    assert!(people.len() == 1 && people[0]["id"] == other.as_str(), "{people:#?}");
    assert_eq!(place.fake.webhooks().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_cannot_be_driven_are_named_with_the_fix() {
    let no_webhooks = Permissions { webhooks: false, ..Permissions::ALL };
    let no_records = Permissions { records: false, ..Permissions::ALL };
    for (settings, words) in [
        (Settings { permissions: no_webhooks, ..quick() }, &["403", "API Keys & Webhooks"][..]),
        (Settings { permissions: no_records, ..quick() }, &["403", "Edit Records"]),
        (
            Settings { missing_routes: vec!["POST /rest/metadata/webhooks".to_owned()], ..quick() },
            &["upgrade Twenty"],
        ),
    ] {
        let place = Place::new(settings).await;
        place.run(&SHORT).await.expect(3).says(words);
        place.assert_clean();
    }
    let place = Place::new(quick()).await;
    fs::write(place.file(), "eyJ-another-key\n").unwrap();
    let ran = place.run(&SHORT).await.expect(3);
    ran.says(&["does not accept the API key (401)", "make a new key"]);
    assert!(!ran.stdout.contains("another-key") && !ran.stderr.contains("another-key"), "{ran:#?}");
    place.assert_clean();
    let file = place.file();
    spawn_blocking(move || {
        let closed = ClosedPort::new();
        for (url, word) in [(closed.url(), "cannot be reached"), (always(200), "does not look like a Twenty")]
        {
            let ran = run(["sender", "--twenty", &url, "--api-key-file", &file]).expect(3);
            ran.says(&[word]);
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_explained_by_the_settings_of_the_version() {
    let cases = [
        ("2.31.0", "OUTBOUND_HTTP_SAFE_MODE_ENABLED=false"),
        ("2.40.0", "OUTBOUND_HTTP_ALLOWED_INTERNAL_HOSTS=127.0.0.1"),
    ];
    join_all(cases.map(async |(version, setting)| {
        let version = Some(version.to_owned());
        let place = Place::new(Settings { version, refuses_private_addresses: true, ..quick() }).await;
        let ran = place.run(&[&SHORT[..], &["--deadline", "200ms"]].concat()).await.expect(3);
        ran.says(&["no delivery arrived at 127.0.0.1", setting, "--endpoint-host"]);
        place.assert_clean();
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_removed_is_named_with_the_command_that_does() {
    let permissions = Permissions { destroying: false, ..Permissions::ALL };
    let place = Place::new(Settings { permissions, ..quick() }).await;
    let (ran, report) = place.judged(&["--run", "SUB-4", "--cases", "0"]).await;
    let command = format!("sender --twenty {} --api-key-file {}", place.fake.url(), place.file());
    ran.complains_of(&["could not remove", "Destroy Records", &command, "--cleanup"]);
    let notes = report.0["notes"].to_string();
    assert!(notes.contains("could not remove") && notes.contains("--cleanup"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_that_is_out_of_time_leaves_nothing() {
    let place = Place::new(quick()).await;
    let ran = place.run(&["--max-time", "2s", "--timeout", "2s"]).await;
    ran.says(&["out of time"]);
    place.assert_clean();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_run_leaves_nothing() {
    use std::process::Stdio;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let place = Place::new(quick()).await;
    let mut command = twenty(place.arguments(&[]));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = Pid::from_raw(child.id().try_into().unwrap());
    let waiting = spawn_blocking(move || Ran::new(child.wait_with_output().unwrap()));
    while place.fake.records("person").is_empty() && !waiting.is_finished() {
        tokio::task::yield_now().await;
    }
    kill(id, Signal::SIGINT).unwrap();
    let ran = waiting.await.unwrap().expect(130);
    ran.complains_of(&["interrupted; removing", "A second Ctrl-C leaves them there", "--cleanup"]);
    place.assert_clean();
}
