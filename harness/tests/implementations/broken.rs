//! Every conforming example rejects each delivery that is broken in the way of a cause, and accepts the valid one.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use twenty_conform::clock::Clock;
use twenty_conform::suite::receiver::single::{Signed, codes};
use twenty_conform::webhook::dialect::DOCUMENTED;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::client::{Client, Target};
use twenty_conform::wire::exchange::Outcome;

use super::{Manifest, walk};
use crate::skip::skip;

/// Hexadecimal digits, which are base64 too, in both cases of letters.
const SECRET: &str = "Aa6b2D9c41f0Ee73b85c0D1a2F3b4C5d";
const PATIENCE: Duration = Duration::from_secs(60);

/// An example that runs, with everything that it started.
struct Started(Child);

impl Started {
    fn new(manifest: &Manifest, port: u16) -> Self {
        let mut words = manifest.command.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env("PORT", port.to_string()).env("TWENTY_WEBHOOK_SECRET", SECRET);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut started = Self(command.spawn().unwrap());
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(started.0.try_wait().unwrap().is_none(), "{} ended", manifest.command);
            assert!(begun.elapsed() < PATIENCE, "{} does not listen", manifest.command);
            std::thread::park_timeout(Duration::from_millis(10));
        }
        started
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        // It may have ended already.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn every_conforming_example_rejects_broken_deliveries() {
    let clock = Clock::system();
    let mut wrong = Vec::new();
    for (folder, manifest) in walk("receivers") {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !manifest.fails.is_empty() {
            continue;
        }
        if let Some(why) = manifest.missing(&folder) {
            skip(&name, &why);
            continue;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let started = Started::new(&manifest, port);
        let path = manifest.path.as_deref().unwrap_or("/");
        let target = Target::http("127.0.0.1".to_owned(), port, path);
        let signed = Signed { dialect: &DOCUMENTED, secret: Secret::new(SECRET), now_ms: clock.now_ms() };
        let body = signed.sample("person.created").unwrap();
        let valid = std::iter::once(("valid", signed.valid(body.clone())));
        let broken = codes().map(|code| (code.as_str(), signed.broken(code, body.clone()).unwrap()));
        let client = Client::new(Duration::from_secs(10), clock.clone());
        for (which, mut delivery) in valid.chain(broken) {
            path.clone_into(&mut delivery.target);
            let exchange = client.send(&target, &delivery).await;
            let expected = if which == "valid" { 200..300 } else { 400..500 };
            match exchange.outcome {
                Outcome::Answered(answer) if expected.contains(&answer.status) => {}
                other => wrong.push(format!("{name}, {which}: {other}")),
            }
        }
        drop(started);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
