//! What the suite says of a run as a whole, in the order of a run: selection, scenarios, verdicts.

use std::time::Duration;

use crate::suite::requirement::Role;

pub(in crate::suite) mod parts;

/// How often something happened: `once`, `3 times`.
pub(in crate::suite) fn times_in_words(count: usize) -> String {
    match count {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// The value of `--shard` is no shard.
pub(super) fn not_a_shard(text: &str) -> String {
    format!("{text:?} is not a shard; write its number and the number of shards, from 1/3 to 3/3")
}

pub(super) fn no_shards() -> String {
    "a run has at least 1 shard; write 1/3 for the first of three".to_owned()
}

pub(super) fn too_many_shards(most: usize) -> String {
    format!("a run has at most {most} shards")
}

pub(super) fn no_such_shard(index: usize, of: usize) -> String {
    format!("there is no shard {index} of {of}; they are numbered from 1/{of} to {of}/{of}")
}

/// A pattern of `--run`, `--skip` or `--require` that selects nothing. `whose` requirements were searched; `nearest` are like it.
pub(super) fn pattern_without_match(pattern: &str, whose: Option<Role>, nearest: &[String]) -> String {
    let whose = whose.map(|role| format!(" of a {role}")).unwrap_or_default();
    let hint = match nearest {
        [] => String::new(),
        [one] => format!("did you mean {one}? "),
        [before @ .., last] => format!("did you mean {} or {last}? ", before.join(", ")),
    };
    format!(
        "the pattern {pattern:?} matches no requirement or check{whose}; {hint}`twenty-conform list` shows them all"
    )
}

/// A pattern that selects nothing here, but something of the other role.
pub(super) fn pattern_of_other_role(pattern: &str, role: Role) -> String {
    let is_id = !pattern.contains(['*', '/']) && pattern.contains('-');
    let what = if is_id { "is a requirement" } else { "matches requirements" };
    format!("{pattern:?} {what} of {role}s, not of what is tested here; `twenty-conform list` shows both")
}

/// A requirement that must apply, and does not.
pub(super) fn required_but_absent(reason: &str) -> String {
    format!("it is required (--require), but does not apply: {reason}")
}

/// A harness fault: the signatures of the test vectors are not those that the suite computes.
pub(super) fn signatures_disagree(first: &str) -> String {
    format!("the suite's signatures differ from those of its test vectors: {first}")
}

pub(super) fn not_passed_again() -> &'static str {
    "there was too little time to look for everything that the first fault hides"
}

pub(super) fn interrupted() -> String {
    "the run was interrupted".to_owned()
}

/// A requirement some of whose cases could not be tried within the run's time.
pub(super) fn out_of_time(whole: Duration) -> String {
    format!("out of time: not all of its cases were tried in {}; raise --max-time", in_words(whole))
}

/// How many of the generated cases were tried within the run's time.
pub(super) fn fewer_generated(tried: usize, cases: usize, whole: Duration) -> String {
    let (tried, whole) = (if tried == 0 { "none".to_owned() } else { tried.to_string() }, in_words(whole));
    format!("{tried} of {cases} generated cases per property were tried in {whole}; raise --max-time")
}

fn in_words(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 120.0 && seconds % 60.0 == 0.0 => format!("{} min", seconds / 60.0),
        seconds if seconds < 1.0 => format!("{} ms", time.as_millis()),
        seconds => format!("{} s", (seconds * 10.0).round() / 10.0),
    }
}

/// A scenario that is skipped because the program under test ended in an earlier one.
pub(super) fn skipped_after(why: &str) -> String {
    format!("skipped after an earlier failure: {why}")
}

/// A scenario that is skipped because the sender delivers nothing at all.
pub(super) fn skipped_without_deliveries() -> String {
    "skipped: no delivery arrived in earlier scenarios".to_owned()
}

pub(super) fn observations_missing() -> String {
    "what the receiver processes is not visible without --observe".to_owned()
}

pub(super) fn capability_missing(capability: &str) -> String {
    format!("the sender does not declare the capability `{capability}`")
}

/// What is expected of a sender that exited during a scenario, and what it did.
pub(super) fn exited() -> (&'static str, &'static str) {
    ("the sender keeps running", "it exited")
}

/// What is expected of a sender whose declared capability does not work, and what it did.
pub(super) fn capability_broken() -> (&'static str, &'static str) {
    ("the declared capability works", "it does not")
}

/// The first of several findings, with how many of all deliveries (or other things) show one.
pub(super) fn first_of(finding: &str, failed: usize, of: usize, things: &str) -> String {
    match failed {
        1 => finding.to_owned(),
        _ => format!("{finding} ({failed} of {of} {things})"),
    }
}

/// What a test vector is.
pub(super) fn note_of_a_vector(what: &str, title: &str) -> String {
    format!("{what}: {title}")
}

pub(super) fn sample_of_the_documentation() -> &'static str {
    "the documentation's sample delivery, with the signature that the documentation's code computes: it stringifies the payload a \
     second time"
}

pub(super) fn large_body() -> &'static str {
    "a body of a mebibyte"
}

pub(super) fn unknown_vector(id: &str) -> String {
    format!("{id}: this version has no such vector")
}

pub(super) fn changed_vector(id: &str) -> String {
    format!("{id}: it was changed")
}

pub(super) fn missing_vector(id: &str) -> String {
    format!("{id}: it is missing")
}

// Single deliveries.

pub(super) fn no_sample(event: &str, known: &[String]) -> String {
    format!("there is no sample of the event {event:?}; give the body itself, or one of {}", known.join(", "))
}

pub(super) fn no_such_cause(name: &str, nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!("{name:?} is no cause; did you mean {nearest}?"),
        None => format!("{name:?} is no cause; those with a delivery are {}", known.join(", ")),
    }
}

/// There is no delivery that a receiver with this cause accepts wrongly.
pub(super) fn shown_by_valid_deliveries(code: &str) -> String {
    format!(
        "no delivery that must be rejected shows {code}; those that must be accepted do, so sign a valid one"
    )
}

pub(super) fn before_the_epoch() -> &'static str {
    "no delivery of that time is older than a day; give a time of this century"
}

/// The cause has such deliveries, but not of this secret or this body.
pub(super) fn not_with_this(code: &str) -> String {
    format!(
        "with this secret and this body, no delivery is wrong in the way of {code}: it may need a secret of hexadecimal digits, base64 \
         or letters, or a body that is a JSON object"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{first_of, out_of_time};

    #[test]
    fn time_of_a_run_is_in_plain_units() {
        for (ms, words) in [(120_000, "2 min"), (90_000, "90 s"), (2_500, "2.5 s"), (300, "300 ms")] {
            let reason = out_of_time(Duration::from_millis(ms));
            assert!(reason.contains(&format!(" in {words};")), "{reason}");
        }
    }

    #[test]
    fn first_finding_says_how_many_there_are() {
        assert_eq!(first_of("rejected (401) a delivery", 1, 9, "cases"), "rejected (401) a delivery");
        assert_eq!(
            first_of("rejected (401) a delivery", 2, 9, "cases"),
            "rejected (401) a delivery (2 of 9 cases)"
        );
    }
}
