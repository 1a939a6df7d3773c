//! What the help of `sign` ends with, and what it says of timestamps.

pub(crate) const SIGN: &str = "\
Examples:
  # Sign a body with the current time
  $ twenty-conform sign --secret-file secret.txt body.json
  # Sign with a given timestamp
  $ twenty-conform sign --secret-file secret.txt --timestamp 1767323045678 body.json
  # Print a whole delivery for a test
  $ twenty-conform sign --secret-file secret.txt --event person.created
  # Print one that a receiver must reject
  $ twenty-conform sign --secret-file secret.txt --event person.created --broken accepts.stale";

pub(in crate::cli) fn timestamp_is_not_a_number(text: &str) -> String {
    format!(
        "--timestamp {text:?} is not a number of milliseconds, such as 1735066639761; --any-timestamp signs it as it is"
    )
}

/// The time of a whole delivery.
pub(in crate::cli) fn timestamp_is_no_time(text: &str) -> String {
    format!("the time {text:?} is not a number of milliseconds since the epoch, such as 1735066639761")
}

pub(in crate::cli) fn timestamp_is_no_value(text: &str) -> String {
    format!("--timestamp {text:?} has control characters, which no header can have")
}
