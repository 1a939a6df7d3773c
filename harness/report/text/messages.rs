//! What the text report says, in its order.

use crate::plural::counted;
use crate::suite::requirement::Level;

pub(super) use crate::report::messages::also_explained_by;

pub(super) fn payloads(dialect: &str) -> String {
    format!("{dialect} payloads")
}

/// Why these payloads were chosen, in the first line.
pub(super) fn chosen(refused: Option<(&str, &str)>) -> String {
    refused.map_or_else(
        || " (auto)".to_owned(),
        |(dialect, answer)| format!(" (auto: {dialect} ones are {answer})"),
    )
}

pub(super) fn rejects_every_valid_delivery() -> &'static str {
    "Your receiver rejects every valid delivery"
}

/// The chosen payloads, for the short form.
pub(super) fn payloads_in_short(chosen: &str, refused: &str, answer: &str) -> String {
    format!("payloads: {chosen} ({refused} ones were {answer})")
}

pub(super) fn note(note: &str) -> String {
    format!("note: {note}")
}

/// The beginning of a line about requirements that are open for the same reason.
pub(super) fn not_judged(count: usize) -> String {
    counted(count, "requirement", "requirements")
}

pub(super) fn cases(count: usize) -> String {
    format!("({})", counted(count, "case", "cases"))
}

/// The numbers of the requests that show a failure, at most `most` of them.
pub(super) fn shown_by(exchanges: &[usize], most: usize) -> String {
    let shown: Vec<String> = exchanges.iter().take(most).map(|id| format!("#{id}")).collect();
    let name = if exchanges.len() == 1 { "exchange" } else { "exchanges" };
    match exchanges.len().saturating_sub(shown.len()) {
        0 => format!("{name} {}", shown.join(" ")),
        more => format!("{name} {} and {more} more", shown.join(" ")),
    }
}

/// Every case that fails. What successive cases have in common but for the last word is said once.
pub(super) fn cases_that_fail(cases: &[String]) -> String {
    /// How many words two cases must share to be joined.
    const FEW: usize = 3;
    let mut shown = String::new();
    let mut before: &[&str] = &[];
    let words: Vec<Vec<&str>> = cases.iter().map(|case| case.split(' ').collect()).collect();
    for words in &words {
        let same = words.iter().zip(before).take_while(|(one, other)| one == other).count();
        let usual = words.starts_with(&["a", "delivery"]) && before.starts_with(&["a", "delivery"]);
        let (joint, from) = match same {
            _ if before.is_empty() => ("", 0),
            FEW.. if same + 1 == words.len() && words.len() == before.len() => (", ", same),
            _ if usual => ("; ", 2),
            _ => ("; ", 0),
        };
        shown.push_str(joint);
        shown.push_str(&words[from..].join(" "));
        before = words;
    }
    shown
}

/// The title of a page in an answer.
pub(super) fn page_titled(title: &str) -> String {
    format!("page \"{title}\"")
}

pub(super) fn explain_command(code: &str) -> String {
    format!("{} explain {code}", env!("CARGO_PKG_NAME"))
}

/// Requirements that are open because no valid delivery is accepted.
pub(super) fn depend_on_it(count: usize) -> String {
    if count == 1 {
        "1 requirement depends on it".to_owned()
    } else {
        format!("{count} requirements depend on it")
    }
}

pub(super) fn would_fail_too() -> &'static str {
    "After this fix, these would fail too:"
}

/// One of them in a line.
pub(super) fn would_fail(level: Level, id: &str, code: Option<&str>, what: &str) -> String {
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    format!("after this fix {level} {id} would fail too{code}: {what}")
}

/// How open requirements came out with deliveries made in the way that the receiver wants.
pub(super) fn provisional_counts(passed: usize, failed: usize) -> String {
    match failed {
        0 => format!("provisional: {passed} pass"),
        1 => format!("provisional: {passed} pass, 1 fails"),
        _ => format!("provisional: {passed} pass, {failed} fail"),
    }
}

pub(super) fn not_applicable(count: usize) -> String {
    format!("{count} not applicable")
}

/// Further requirements that are inconclusive, in the short form.
pub(super) fn more_open(count: usize) -> String {
    format!("{count} more; -v shows why")
}

/// The same of a run that stopped early.
pub(super) fn stopped_after(requests: usize) -> String {
    format!("Stopped after {requests} requests.")
}

/// The last line but one.
pub(super) fn requests_in(requests: usize, took_ms: u64, waited_ms: u64) -> String {
    let requests = grouped(requests);
    let noun = if requests == "1" { "request" } else { "requests" };
    match waited_ms {
        0 => format!("{requests} {noun} in {}", seconds(took_ms)),
        _ => format!("{requests} {noun} in {}, of which it waited {}", seconds(took_ms), seconds(waited_ms)),
    }
}

/// Seconds with one digit after the point.
fn seconds(ms: u64) -> String {
    let tenths = ms.saturating_add(50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// A number with a comma between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_depend_on_the_count() {
        assert_eq!([cases(1), cases(2)], ["(1 case)", "(2 cases)"]);
        assert_eq!(shown_by(&[3, 4], 2), "exchanges #3 #4");
        assert_eq!(shown_by(&[3, 4, 5], 2), "exchanges #3 #4 and 1 more");
        assert_eq!(requests_in(3462, 1149, 0), "3,462 requests in 1.1 s");
        assert_eq!(requests_in(1, 1000, 500), "1 request in 1.0 s, of which it waited 0.5 s");
        let cases = ["a delivery without a".to_owned(), "a delivery with b".to_owned()];
        assert_eq!(cases_that_fail(&cases), "a delivery without a; with b");
        let cases = ["a", "b"].map(|key| format!("a delivery signed with {key}"));
        assert_eq!(cases_that_fail(&cases), "a delivery signed with a, b");
    }
}
