//! The accounts of what has arrived: by webhook how many deliveries were right, wrong, doubled, out of order, and which are
//! missing.
//!
//! Invariant: pure, and bounded whatever arrives. Each arrival is counted once, as verified or as wrong; and of those that were
//! verified each is the first of its kind, doubled, without an id, or untracked.

use std::collections::BTreeMap;
use std::fmt;

use crate::bench::accounts::entry::{LedgerEntry, RunEntry, SampleEntry, WebhookEntry, WrongEntry};
use crate::bench::accounts::seen::{Mark, SeenIds};
use crate::bench::generate::ids::{Ids, Numbered};
use crate::redaction::Redaction;
use crate::webhook::dialect::rfc3339;

/// How many webhooks have an account of their own.
pub const MOST_WEBHOOKS: usize = 256;
/// How many bytes are kept of the first of each kind of wrong ones.
pub const KEPT: usize = 4096;
/// How many characters of them are shown. What follows could be half a secret, which is not found.
const SHOWN: usize = 3072;
/// How many characters of an event and its id are kept.
const LONGEST_NAME: usize = 200;
const SHOWN_RUNS: usize = 64;
/// What the account is called of webhooks that have none of their own.
const REST: &str = "(others)";

/// Declares the kinds of wrong arrivals: the name of the variant, the name in reports, the answer's status, what it means.
macro_rules! wrongs {
    ($($name:ident: $word:literal, $status:literal, $text:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Defect { $(#[doc = $text] $name,)* }

        impl Defect {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            pub fn describe(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

wrongs! {
    Signature: "bad-signature", 401, "the signature is not that of the timestamp and the body under the secret";
    MissingSignature: "missing-signature", 401, "there is no signature header";
    MissingTimestamp: "missing-timestamp", 401, "there is no timestamp header";
    TwoHeaders: "two-headers", 401, "the signature or the timestamp header stands twice";
    Stale: "stale", 401, "the timestamp is no decimal milliseconds, or too far from the present";
    NotJson: "not-json", 400, "the body is not JSON in UTF-8";
    Shape: "wrong-shape", 400, "the body's members are not those of the dialect, or have other JSON types";
    Path: "unknown-path", 404, "no webhook has this path";
    Method: "method", 405, "the method is not POST";
    TooLarge: "too-large", 413, "the body is longer than any that is taken";
    Malformed: "malformed", 400, "it is no HTTP/1.1 request";
    Slow: "timed-out", 408, "it did not come to its end in time";
    CutOff: "cut-off", 400, "the connection ended before the request was whole";
}

/// What tells a delivery apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    Numbered(Numbered),
    /// The event, the record's id and the time: two updates of one record are no doubles.
    Other(&'a str, &'a str, Option<&'a str>),
    /// It has no id.
    None,
}

#[derive(Debug, Clone, Copy)]
pub struct VerifiedArrival<'a> {
    pub webhook: usize,
    pub identity: Identity<'a>,
    /// The event, and the record's id where it has one, to be shown.
    pub what: fmt::Arguments<'a>,
    /// How long it was, head and body.
    pub bytes: usize,
    /// When it came, in milliseconds since the epoch.
    pub at_ms: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct WrongArrival<'a> {
    /// The number of its webhook, where it belongs to one.
    pub webhook: Option<usize>,
    pub wrong: Defect,
    /// What is wrong exactly, where there is more to say.
    pub detail: &'a str,
    pub request: &'a [u8],
    pub bytes: usize,
    /// When it came, in milliseconds since the epoch.
    pub at_ms: u64,
}

#[derive(Debug, Default)]
pub struct Ledger {
    webhooks: Vec<WebhookAccount>,
    paths: BTreeMap<Box<[u8]>, usize>,
    seen: SeenIds,
    wrong: [u64; Defect::ALL.len()],
    astray: u64,
    bytes: u64,
    first_ms: Option<u64>,
    last_ms: u64,
    samples: BTreeMap<Defect, KeptArrival>,
    first_duplicated: Option<String>,
}

#[derive(Debug, Default)]
struct WebhookAccount {
    /// What is counted as it comes; the rest is filled in when it is shown.
    counts: WebhookEntry,
    without_id: u64,
    untracked: u64,
}

#[derive(Debug)]
struct KeptArrival {
    webhook: Option<usize>,
    detail: String,
    request: Box<[u8]>,
    at_ms: u64,
}

impl Ledger {
    /// The number of the webhook with that path, which gets one where it has none. Behind [`MOST_WEBHOOKS`] all others share
    /// one account.
    pub fn webhook(&mut self, path: &[u8]) -> usize {
        if let Some(&known) = self.paths.get(path) {
            return known;
        }
        if self.webhooks.len() > MOST_WEBHOOKS {
            return MOST_WEBHOOKS;
        }
        let number = self.webhooks.len();
        let rest = number == MOST_WEBHOOKS;
        let path_text = if rest { REST.to_owned() } else { String::from_utf8_lossy(path).into_owned() };
        self.webhooks.push(WebhookAccount {
            counts: WebhookEntry { path: path_text, ..WebhookEntry::default() },
            ..WebhookAccount::default()
        });
        if !rest {
            self.paths.insert(path.into(), number);
        }
        number
    }

    /// The number of the webhook with that path, where it has one.
    pub fn known(&self, path: &[u8]) -> Option<usize> {
        self.paths.get(path).copied()
    }

    /// Counts an arrival that was right, and says what it is among the others.
    pub fn verified(&mut self, arrival: &VerifiedArrival<'_>) -> Option<Mark> {
        self.arrived(arrival.bytes, arrival.at_ms);
        let mark = match arrival.identity {
            Identity::Numbered(id) => Some(self.seen.number(arrival.webhook, id)),
            Identity::Other(event, id, time) => Some(self.seen.other(arrival.webhook, &(event, id, time))),
            Identity::None => None,
        };
        let webhook = self.webhooks.get_mut(arrival.webhook)?;
        webhook.counts.received += 1;
        webhook.counts.verified += 1;
        webhook.counts.bytes += arrival.bytes as u64;
        match mark {
            Some(Mark::New { late }) => {
                webhook.counts.distinct += 1;
                webhook.counts.out_of_order += u64::from(late);
            }
            Some(Mark::Again) => {
                webhook.counts.duplicated += 1;
                self.first_duplicated
                    .get_or_insert_with(|| arrival.what.to_string().chars().take(LONGEST_NAME).collect());
            }
            Some(Mark::Untracked) => webhook.untracked += 1,
            None => webhook.without_id += 1,
        }
        mark
    }

    /// Counts an arrival that was wrong, and keeps the first of its kind.
    pub fn mistaken(&mut self, mistake: &WrongArrival<'_>) {
        self.arrived(mistake.bytes, mistake.at_ms);
        self.wrong[mistake.wrong as usize] += 1;
        match mistake.webhook.and_then(|number| self.webhooks.get_mut(number)) {
            Some(webhook) => {
                webhook.counts.received += 1;
                webhook.counts.bytes += mistake.bytes as u64;
            }
            None => self.astray += 1,
        }
        self.samples.entry(mistake.wrong).or_insert_with(|| KeptArrival {
            webhook: mistake.webhook,
            detail: mistake.detail.to_owned(),
            request: mistake.request[..mistake.request.len().min(KEPT)].into(),
            at_ms: mistake.at_ms,
        });
    }

    fn arrived(&mut self, bytes: usize, at_ms: u64) {
        self.bytes += bytes as u64;
        self.first_ms.get_or_insert(at_ms);
        self.last_ms = self.last_ms.max(at_ms);
    }

    pub fn received(&self) -> u64 {
        self.astray + self.webhooks.iter().map(|webhook| webhook.counts.received).sum::<u64>()
    }

    /// All of it, without the secrets. `settled` where nothing is under way any more: what is missing then is lost.
    pub fn entry(&self, settled: bool, redaction: &Redaction) -> LedgerEntry {
        let sum = |count: fn(&WebhookAccount) -> u64| self.webhooks.iter().map(count).sum::<u64>();
        let webhook = |(number, webhook): (usize, &WebhookAccount)| {
            let runs = self.seen.runs().filter(|(of, ..)| *of == number);
            let gaps = runs.map(|(.., run)| run.gaps()).sum();
            let counts = &webhook.counts;
            WebhookEntry {
                path: redaction.text(&counts.path),
                wrong: counts.received - counts.verified,
                gaps,
                lost: settled.then_some(gaps),
                ..counts.clone()
            }
        };
        let webhooks: Vec<WebhookEntry> = self.webhooks.iter().enumerate().map(webhook).collect();
        let gaps = webhooks.iter().map(|webhook| webhook.gaps).sum();
        let wrong = Defect::ALL.iter().map(|&wrong| (wrong, self.wrong[wrong as usize]));
        let kinds = wrong.filter(|(_, count)| *count > 0).map(|(wrong, count)| WrongEntry {
            kind: wrong.name().to_owned(),
            text: wrong.describe().to_owned(),
            status: wrong.status(),
            count,
            first: self.samples.get(&wrong).map(|sample| self.sample(sample, redaction)),
        });
        let runs = self.seen.runs().take(SHOWN_RUNS).map(|(webhook, run, counts)| RunEntry {
            webhook: redaction.text(self.path(webhook).unwrap_or_default()),
            run: format!("{run:015x}"),
            distinct: counts.distinct(),
            highest: counts.highest(),
            gaps: counts.gaps(),
            first_missing: counts.first_gap().map(|number| Ids::of_run(run).id(number)),
        });
        LedgerEntry {
            received: self.received(),
            verified: sum(|webhook| webhook.counts.verified),
            wrong: self.wrong.iter().sum(),
            distinct: sum(|webhook| webhook.counts.distinct),
            duplicated: sum(|webhook| webhook.counts.duplicated),
            out_of_order: sum(|webhook| webhook.counts.out_of_order),
            without_id: sum(|webhook| webhook.without_id),
            untracked: sum(|webhook| webhook.untracked),
            gaps,
            lost: settled.then_some(gaps),
            bytes: self.bytes,
            first_at: self.first_ms.map(rfc3339),
            last_at: self.first_ms.map(|_| rfc3339(self.last_ms)),
            span_ms: self.last_ms.saturating_sub(self.first_ms.unwrap_or(self.last_ms)),
            first_duplicated: self.first_duplicated.as_ref().map(|what| redaction.text(what)),
            kinds: kinds.collect(),
            webhooks,
            runs: runs.collect(),
        }
    }

    fn path(&self, webhook: usize) -> Option<&str> {
        self.webhooks.get(webhook).map(|webhook| webhook.counts.path.as_str())
    }

    fn sample(&self, sample: &KeptArrival, redaction: &Redaction) -> SampleEntry {
        let clean = redaction.text(&String::from_utf8_lossy(&sample.request));
        SampleEntry {
            at: rfc3339(sample.at_ms),
            webhook: sample.webhook.and_then(|number| self.path(number)).map(|path| redaction.text(path)),
            detail: redaction.text(&sample.detail),
            request: match clean.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", &clean[..end]),
                None => clean,
            },
        }
    }
}
