//! What a fake Twenty does otherwise than a conforming one, and the limits that it sets.

use std::time::Duration;

/// The faults of a fake Twenty. The default has none.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What `/client-config` gives as `appVersion`; `None` leaves it out.
    pub(crate) version: Option<String>,
    /// The API key; `None` makes one.
    pub(crate) api_key: Option<String>,
    pub(crate) permissions: Permissions,
    /// The worker looks its webhooks up once in this time, so that registrations and deletions are in force late.
    pub(crate) webhook_cache: Option<Duration>,
    /// Works one job after another, each of up to 20 deliveries, so that a hanging endpoint delays all others.
    pub(crate) one_queue: bool,
    pub(crate) restore: Restore,
    pub(crate) rate_limit: RateLimit,
    /// Sends nothing to private and loopback addresses, and does not say so.
    pub(crate) refuses_private_addresses: bool,
    /// Emits `metadata.*` events. Versions before 2026 do not.
    pub(crate) metadata_events: bool,
    /// Names who did something, in `userId`, `workspaceMemberId` and `apiKeyId`. Versions before 2026 do not.
    pub(crate) names_actors: bool,
    /// Follows redirects as axios does: 301, 302 and 303 become GET, the others stay POST.
    pub(crate) follows_redirects: bool,
    /// Leaves members named `__proto__`, `constructor` and `prototype` out after the body was signed.
    pub(crate) drops_members: bool,
    /// Rounds integers beyond 2^53.
    pub(crate) rounds_integers: bool,
    /// Reads an answer until the endpoint ends it, however long that is.
    pub(crate) reads_endless_answers: bool,
    /// How long it waits for the head of an answer; `None` is for ever, as version 0.50 does.
    pub(crate) answer_wait: Option<Duration>,
    /// Routes that this version lacks, as `POST /rest/metadata/fields`; a path also covers what is below it.
    pub(crate) missing_routes: Vec<String>,
    pub(crate) server_errors: Option<ServerErrors>,
    /// Crashes after this many API requests: connections end without an answer from then on, and nothing is sent.
    pub(crate) crash_after: Option<usize>,
    /// The seed of its ids and secrets.
    pub(crate) seed: u64,
}

/// What the API key may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permissions {
    /// Create, change, delete and restore records.
    pub(crate) records: bool,
    /// Delete records permanently.
    pub(crate) destroying: bool,
    /// Create and delete custom objects and their fields.
    pub(crate) objects: bool,
    /// Use webhooks.
    pub(crate) webhooks: bool,
}

/// Which route restores records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restore {
    /// `PATCH /rest/restore/companies?filter=id[eq]:{id}`
    Older,
    /// `PATCH /rest/companies/{id}/restore`
    Newer,
    Both,
}

/// How many API requests are answered in a sliding window. The others are answered 429.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimit {
    pub(crate) per_second: Option<usize>,
    pub(crate) per_minute: Option<usize>,
    /// Whether a 429 says when to try again.
    pub(crate) says_when: bool,
}

/// Answers with an error of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerErrors {
    /// Every N-th API request gets one.
    pub(crate) every: usize,
    pub(crate) status: u16,
    /// Whether the request was carried out nevertheless, as where a proxy gives up waiting.
    pub(crate) after_work: bool,
}

impl Permissions {
    pub(crate) const ALL: Self = Self { records: true, destroying: true, objects: true, webhooks: true };
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: Some("2.31.0".to_owned()),
            api_key: None,
            permissions: Permissions::ALL,
            webhook_cache: None,
            one_queue: false,
            restore: Restore::Both,
            rate_limit: RateLimit::default(),
            refuses_private_addresses: false,
            metadata_events: true,
            names_actors: true,
            follows_redirects: false,
            drops_members: false,
            rounds_integers: false,
            reads_endless_answers: false,
            answer_wait: Some(Duration::from_secs(5)),
            missing_routes: Vec::new(),
            server_errors: None,
            crash_after: None,
            seed: 1,
        }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { per_second: Some(100), per_minute: Some(100), says_when: false }
    }
}

impl Settings {
    /// The faults that version 2.31 was seen to have, with private addresses allowed.
    pub(crate) fn of_2_31() -> Self {
        Self {
            webhook_cache: Some(Duration::from_secs(10)),
            one_queue: true,
            restore: Restore::Older,
            follows_redirects: true,
            drops_members: true,
            rounds_integers: true,
            reads_endless_answers: true,
            ..Self::default()
        }
    }

    /// A version before 2026: no metadata events, no actors, and no cache.
    pub(crate) fn before_2026() -> Self {
        Self {
            version: Some("0.50.0".to_owned()),
            metadata_events: false,
            names_actors: false,
            webhook_cache: None,
            ..Self::of_2_31()
        }
    }
}
