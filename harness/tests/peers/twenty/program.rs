//! Runs a fake Twenty until it is interrupted, to try `twenty-conform sender --twenty URL` on.
//!
//! `cargo run --example fake-twenty -- --help` lists its faults.

#![allow(clippy::unwrap_used, reason = "a program for tests that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "it shows its address and its key")]

#[path = "mod.rs"]
#[expect(dead_code, reason = "tests look inside")]
mod twenty;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use twenty::{FakeTwenty, Permissions, RateLimit, Restore, ServerErrors, Settings};

/// Runs a fake Twenty, without faults unless they are asked for.
#[derive(Debug, Parser)]
#[command(name = "fake-twenty")]
struct Options {
    /// Port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Start with the faults of a released version
    #[arg(long, value_enum)]
    like: Option<Released>,
    /// Version that /client-config gives
    #[arg(long)]
    app_version: Option<String>,
    /// API key; one is made if none is given
    #[arg(long)]
    key: Option<String>,
    /// Write the API key to this file
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Seconds for which the worker remembers its webhooks
    #[arg(long)]
    cache: Option<u64>,
    /// Work one job after another
    #[arg(long)]
    one_queue: bool,
    /// Which route restores records
    #[arg(long, value_enum)]
    restore: Option<Route>,
    /// Requests that are answered in a minute; 0 is no limit
    #[arg(long)]
    per_minute: Option<usize>,
    /// Requests that are answered in a second; 0 is no limit
    #[arg(long)]
    per_second: Option<usize>,
    /// Say in a 429 when to try again
    #[arg(long)]
    retry_after: bool,
    /// Send nothing to private addresses
    #[arg(long)]
    refuse_private: bool,
    /// Emit no metadata events
    #[arg(long)]
    no_metadata_events: bool,
    /// Follow redirects
    #[arg(long)]
    follow_redirects: bool,
    /// Leave out __proto__, constructor and prototype after signing
    #[arg(long)]
    drop_members: bool,
    /// Round integers beyond 2^53
    #[arg(long)]
    round_integers: bool,
    /// Read answers that never end
    #[arg(long)]
    read_endless: bool,
    /// Lack a route, as "POST /rest/metadata/fields" (repeatable)
    #[arg(long, value_name = "ROUTE")]
    missing: Vec<String>,
    /// Answer every N-th request 502
    #[arg(long, value_name = "N")]
    errors: Option<usize>,
    /// Crash after N requests
    #[arg(long, value_name = "N")]
    crash_after: Option<usize>,
    /// What the key may not do (repeatable)
    #[arg(long, value_enum)]
    forbid: Vec<Forbidden>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Released {
    #[value(name = "2.31")]
    V2_31,
    #[value(name = "0.50")]
    V0_50,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Route {
    Older,
    Newer,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Forbidden {
    Records,
    Destroying,
    Objects,
    Webhooks,
}

impl Options {
    fn settings(&self) -> Settings {
        let base = match self.like {
            None => Settings::default(),
            Some(Released::V2_31) => Settings::of_2_31(),
            Some(Released::V0_50) => Settings::before_2026(),
        };
        let limit =
            |given: Option<usize>, usual| given.map_or(usual, |given| Some(given).filter(|most| *most > 0));
        let may = |what| !self.forbid.contains(&what);
        Settings {
            version: self.app_version.clone().or(base.version),
            api_key: self.key.clone(),
            permissions: Permissions {
                records: may(Forbidden::Records),
                destroying: may(Forbidden::Destroying),
                objects: may(Forbidden::Objects),
                webhooks: may(Forbidden::Webhooks),
            },
            webhook_cache: self.cache.map(Duration::from_secs).or(base.webhook_cache),
            one_queue: self.one_queue || base.one_queue,
            restore: match self.restore {
                None => base.restore,
                Some(Route::Older) => Restore::Older,
                Some(Route::Newer) => Restore::Newer,
                Some(Route::Both) => Restore::Both,
            },
            rate_limit: RateLimit {
                per_second: limit(self.per_second, base.rate_limit.per_second),
                per_minute: limit(self.per_minute, base.rate_limit.per_minute),
                says_when: self.retry_after,
            },
            refuses_private_addresses: self.refuse_private,
            metadata_events: base.metadata_events && !self.no_metadata_events,
            follows_redirects: self.follow_redirects || base.follows_redirects,
            drops_members: self.drop_members || base.drops_members,
            rounds_integers: self.round_integers || base.rounds_integers,
            reads_endless_answers: self.read_endless || base.reads_endless_answers,
            missing_routes: self.missing.clone(),
            server_errors: self.errors.map(|every| ServerErrors { every, status: 502, after_work: false }),
            crash_after: self.crash_after,
            ..base
        }
    }
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let fake = FakeTwenty::start_at(address, options.settings()).await.unwrap();
    if let Some(file) = &options.key_file {
        std::fs::write(file, fake.key()).unwrap();
    }
    println!("url {}\nkey {}", fake.url(), fake.key());
    tokio::signal::ctrl_c().await.unwrap();
}
