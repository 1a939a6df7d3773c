//! The accounts of each webhook: how many deliveries were verified, wrong, duplicated or out of order, and which are missing.
//!
//! Memory is bounded whatever arrives. Each arrival is counted once, as verified or as wrong. A verified delivery is either
//! new, duplicated, without an id, or untracked.

use std::collections::BTreeMap;
use std::fmt;

use crate::bench::accounts::entry::{LedgerEntry, RunEntry, SampleEntry, WebhookEntry, WrongEntry};
use crate::bench::accounts::seen::{Mark, SeenIds};
use crate::bench::generate::ids::{Ids, Numbered};
use crate::redaction::Redaction;
use crate::terminal::text;
use crate::webhook::dialect::rfc3339;

/// How many webhooks have their own account.
pub const MOST_WEBHOOKS: usize = 256;
/// How many bytes are kept of the first arrival with each defect.
pub const KEPT: usize = 4096;
/// How many characters of them are shown. Redaction misses a secret that is cut off at the end of the kept bytes.
const SHOWN: usize = 3072;
/// How many characters of an event and its id are kept.
const LONGEST_NAME: usize = 200;
const SHOWN_RUNS: usize = 64;
/// The name of the account that further webhooks share.
const REST: &str = "(others)";

described! {
    /// What is wrong with an arrival.
    pub enum Defect {
        Signature: "the signature does not match the timestamp and the body",
        MissingSignature: "the signature header is missing",
        MissingTimestamp: "the timestamp header is missing",
        TwoHeaders: "there are two signature or timestamp headers",
        Stale: "the timestamp is not decimal milliseconds, or too far from the current time",
        NotJson: "the body is not JSON in UTF-8",
        Shape: "the members of the body are not those of the dialect, or have other JSON types",
        Path: "no webhook has this path",
        Method: "the method is not POST",
        TooLarge: "the body exceeds the limit",
        Malformed: "the request is not HTTP/1.1",
        Slow: "the request was not complete before the timeout",
        CutOff: "the connection ended before the request was complete",
    }
}

impl Defect {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signature => "bad-signature",
            Self::MissingSignature => "missing-signature",
            Self::MissingTimestamp => "missing-timestamp",
            Self::TwoHeaders => "two-headers",
            Self::Stale => "stale",
            Self::NotJson => "not-json",
            Self::Shape => "wrong-shape",
            Self::Path => "unknown-path",
            Self::Method => "method",
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::Slow => "timed-out",
            Self::CutOff => "cut-off",
        }
    }

    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::Signature
            | Self::MissingSignature
            | Self::MissingTimestamp
            | Self::TwoHeaders
            | Self::Stale => 401,
            Self::NotJson | Self::Shape | Self::Malformed | Self::CutOff => 400,
            Self::Path => 404,
            Self::Method => 405,
            Self::TooLarge => 413,
            Self::Slow => 408,
        }
    }
}

/// What distinguishes a delivery from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    Numbered(Numbered),
    /// The event, the record's id and the time: two updates of one record are not duplicates.
    Other(&'a str, &'a str, Option<&'a str>),
    /// The delivery has no id.
    None,
}

#[derive(Debug, Clone, Copy)]
pub struct VerifiedArrival<'a> {
    pub webhook: usize,
    pub identity: Identity<'a>,
    /// The event, and the record's id if it has one, for reports.
    pub what: fmt::Arguments<'a>,
    /// The length of head and body.
    pub bytes: usize,
    /// When it arrived, in milliseconds since the epoch.
    pub at_ms: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct WrongArrival<'a> {
    /// The number of its webhook, if it has one.
    pub webhook: Option<usize>,
    pub defect: Defect,
    /// More about the defect, or empty.
    pub detail: &'a str,
    pub request: &'a [u8],
    pub bytes: usize,
    /// When it arrived, in milliseconds since the epoch.
    pub at_ms: u64,
}

#[derive(Debug, Default)]
pub struct Ledger {
    webhooks: Vec<WebhookAccount>,
    paths: BTreeMap<Box<[u8]>, usize>,
    seen: SeenIds,
    wrong: [u64; Defect::ALL.len()],
    without_webhook: u64,
    bytes: u64,
    first_ms: Option<u64>,
    last_ms: u64,
    samples: BTreeMap<Defect, KeptArrival>,
    first_duplicated: Option<String>,
}

#[derive(Debug, Default)]
struct WebhookAccount {
    /// Counted on arrival; the other members are filled in for a report.
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
    /// The number of the webhook with that path; a new path gets the next number. After [`MOST_WEBHOOKS`] all others share
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
        let path_text = if rest { REST.to_owned() } else { text(path).into_owned() };
        self.webhooks.push(WebhookAccount {
            counts: WebhookEntry { path: path_text, ..WebhookEntry::default() },
            ..WebhookAccount::default()
        });
        if !rest {
            self.paths.insert(path.into(), number);
        }
        number
    }

    /// The number of the webhook with that path, if it has one.
    pub fn known(&self, path: &[u8]) -> Option<usize> {
        self.paths.get(path).copied()
    }

    /// Counts a verified arrival, and says whether it arrived before.
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

    /// Counts a wrong arrival, and keeps the first with its defect.
    pub fn wrong(&mut self, arrival: &WrongArrival<'_>) {
        self.arrived(arrival.bytes, arrival.at_ms);
        self.wrong[arrival.defect as usize] += 1;
        match arrival.webhook.and_then(|number| self.webhooks.get_mut(number)) {
            Some(webhook) => {
                webhook.counts.received += 1;
                webhook.counts.bytes += arrival.bytes as u64;
            }
            None => self.without_webhook += 1,
        }
        self.samples.entry(arrival.defect).or_insert_with(|| KeptArrival {
            webhook: arrival.webhook,
            detail: arrival.detail.to_owned(),
            request: arrival.request[..arrival.request.len().min(KEPT)].into(),
            at_ms: arrival.at_ms,
        });
    }

    fn arrived(&mut self, bytes: usize, at_ms: u64) {
        self.bytes += bytes as u64;
        self.first_ms.get_or_insert(at_ms);
        self.last_ms = self.last_ms.max(at_ms);
    }

    pub fn received(&self) -> u64 {
        self.without_webhook + self.webhooks.iter().map(|webhook| webhook.counts.received).sum::<u64>()
    }

    /// The accounts without secrets. `settled` says that nothing is in flight, so that gaps are losses.
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
        let defects = Defect::ALL.iter().map(|&defect| (defect, self.wrong[defect as usize]));
        let kinds = defects.filter(|(_, count)| *count > 0).map(|(defect, count)| WrongEntry {
            kind: defect.name().to_owned(),
            text: defect.describe().to_owned(),
            status: defect.status(),
            count,
            first: self.samples.get(&defect).map(|sample| self.sample(sample, redaction)),
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
        let clean = redaction.text(&text(&sample.request));
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
