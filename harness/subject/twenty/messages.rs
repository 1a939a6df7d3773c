//! Every sentence about a CRM's API: what failed and what to do about it, what was removed, and what is left.

use std::fmt::Display;
use std::time::Duration;

use super::permission::Permission;
use crate::plural::counted;

/// `: said`, unless nothing was said.
fn quoting(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

// Why a call failed. `call` is method and path, `said` is what the server said.

pub(super) fn wrong_key(server: &str, said: &str) -> String {
    format!("{server} does not accept the API key (401){}", quoting(said))
}

pub(super) fn make_a_key() -> &'static str {
    "make a new key in Twenty under Settings, APIs & Webhooks, and check that the file has the key and nothing else"
}

pub(super) fn forbidden(server: &str, call: &str, said: &str) -> String {
    format!("{server} does not allow the API key to {call} (403){}", quoting(said))
}

pub(super) fn allow(permission: Permission) -> String {
    match permission {
        Permission::Public => "check what stands between this machine and Twenty, such as a proxy".to_owned(),
        permission => format!(
            "give the role of the key the permission \"{}\" in Twenty under Settings, Roles, or make a key with another role \
             under Settings, APIs & Webhooks",
            permission.name()
        ),
    }
}

pub(super) fn not_twenty(server: &str, call: &str, said: &str) -> String {
    format!("{server} does not look like a Twenty: it answered {call} with {said}")
}

pub(super) fn give_the_server() -> &'static str {
    "check the URL: it is the address of Twenty's server without a path, such as http://127.0.0.1:3000"
}

/// What a server said that is no Twenty: its status, and how its answer begins.
pub(super) fn answer_begins(status: u16, quoted: &str) -> String {
    format!("{status} and {quoted}")
}

pub(super) fn redirects_to(status: u16, location: &str) -> String {
    format!("{status} and a redirect to {location}, which is not followed")
}

pub(super) fn no_route(server: &str, call: &str) -> String {
    format!("the version of Twenty at {server} does not have {call} (404)")
}

pub(super) fn upgrade() -> &'static str {
    "check the URL, and upgrade Twenty: this needs a version with the routes of 2.31, as docs/real-twenty.md lists them"
}

pub(super) fn not_found(call: &str, said: &str) -> String {
    format!("Twenty has nothing there for {call}{}", quoting(said))
}

pub(super) fn refused(call: &str, said: &str) -> String {
    format!("Twenty refused {call}{}", quoting(said))
}

pub(super) fn rate_limited(server: &str, call: &str, said: &str) -> String {
    format!("{server} still limits the rate (429) of {call}{}", quoting(said))
}

/// What a server said that asks for a longer wait than there is time for.
pub(super) fn asks_to_wait(pause: Duration) -> String {
    format!("it asks to wait {} s", pause.as_secs())
}

pub(super) fn waited_in_vain(waited: Duration) -> String {
    format!("it was still refused after {} s", waited.as_secs())
}

pub(super) fn wait_or_raise() -> &'static str {
    "wait a minute, end other programs that use the API, or raise API_RATE_LIMITING_SHORT_LIMIT and \
     API_RATE_LIMITING_LONG_LIMIT in the settings of Twenty's server"
}

pub(super) fn server_failed(call: &str, said: &str) -> String {
    format!("Twenty failed at {call} ({said})")
}

pub(super) fn read_the_log() -> &'static str {
    "read the log of Twenty's server"
}

pub(super) fn unreachable(server: &str, outcome: impl Display) -> String {
    format!("Twenty at {server} cannot be reached: {outcome}")
}

pub(super) fn start_it() -> &'static str {
    "check that it is running and that this is its URL"
}

pub(super) fn timed_out(server: &str, call: &str) -> String {
    format!("{server} did not answer {call} in time")
}

pub(super) fn is_it_busy() -> &'static str {
    "check that Twenty's server, its database and its Redis are running and not busy"
}

pub(super) fn lost(server: &str, call: &str, outcome: impl Display) -> String {
    format!("{server} did not answer {call}: {outcome}")
}

pub(super) fn unreadable(server: &str, call: &str, said: &str) -> String {
    format!("{server} answered {call} in an unknown form: {said}")
}

pub(super) fn answer_too_long(most: usize) -> String {
    format!("the answer is longer than {} MiB", most >> 20)
}

pub(super) fn no_member_in(name: &str, quoted: &str) -> String {
    format!("there is no `{name}` in {quoted}")
}

pub(super) fn pages_without_end(pages: usize) -> String {
    format!("the list does not end after {pages} pages")
}

// What an event needs, and is not there. These are reasons why an event is not emitted.

pub(super) fn unknown_object(object: &str) -> String {
    format!("Twenty has no object {object:?} that can be changed through its API here")
}

pub(super) fn unknown_action(action: &str) -> String {
    format!("Twenty's API has nothing that emits {action:?}")
}

pub(super) fn no_record_id() -> String {
    "the record has no `id` with the mark of this suite, so Twenty could not be cleaned up".to_owned()
}

pub(super) fn not_created_before(id: &str) -> String {
    format!("the record {id} was not created before in this run")
}

pub(super) fn is_soft_deleted(id: &str) -> String {
    format!("the record {id} is deleted")
}

pub(super) fn is_not_soft_deleted(id: &str) -> String {
    format!("the record {id} is not deleted")
}

pub(super) fn not_an_object() -> String {
    "the record is not a JSON object".to_owned()
}

pub(super) fn no_outcomes() -> String {
    "Twenty's API does not tell the outcomes of deliveries".to_owned()
}

pub(super) fn refuses_record(said: &str) -> String {
    format!("Twenty refuses this record{}", quoting(said))
}

pub(super) fn is_there_already(id: &str) -> String {
    format!("the record {id} was created before in this run")
}

pub(super) fn not_our_webhook(id: &str) -> String {
    format!("the webhook {id} was not registered by this run")
}

/// The description of each webhook of a run. It begins with the mark.
pub(super) fn webhook_description(prefix: &str, run: &str) -> String {
    format!("{prefix}run {run}; sender --cleanup removes it")
}

/// The description of the custom object. It begins with the mark.
pub(super) fn object_description(prefix: &str) -> String {
    format!("{prefix}made this object for a run; sender --cleanup removes it")
}

// What a run made.

pub(super) fn webhook(id: &str, url: &str) -> String {
    if url.is_empty() { format!("webhook {id}") } else { format!("webhook {id} to {url}") }
}

pub(super) fn record(object: &str, id: &str) -> String {
    format!("{object} {id}")
}

pub(super) fn custom_object(name: &str, id: &str) -> String {
    format!("custom object {name} ({id}) with its records")
}

/// How much a run left, or how much was removed.
pub(super) fn counts(webhooks: usize, records: usize, objects: usize) -> String {
    format!(
        "{}, {} and {}",
        counted(webhooks as u64, "webhook", "webhooks"),
        counted(records as u64, "record", "records"),
        counted(objects as u64, "custom object", "custom objects"),
    )
}

pub(super) fn removed(counts: &str) -> String {
    format!("removed {counts} from Twenty")
}

pub(super) fn nothing_to_remove() -> &'static str {
    "nothing to remove from Twenty"
}

/// What was not tried because the server is gone.
pub(super) fn rest_not_removed(counts: &str) -> String {
    format!("{counts} more could not be removed either")
}

/// One thing that could not be removed.
pub(super) fn not_removed(what: impl Display, why: impl Display) -> String {
    format!("could not remove {what}: {why}")
}

pub(super) fn no_time_left() -> &'static str {
    "there was no time left"
}

pub(super) fn could_not_look(what: &str, why: impl Display) -> String {
    format!("could not look for {what}: {why}")
}

pub(super) fn clean_up_later() -> &'static str {
    "remove the rest with sender --twenty URL --api-key-file FILE --cleanup"
}
