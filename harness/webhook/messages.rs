//! Every sentence that this folder says to users: how a signature was made, and disagreements with the vectors.

// How a signature was made: each is the end of "signed …".

pub(super) fn as_documented() -> &'static str {
    "as documented"
}

pub(super) fn over_contract() -> &'static str {
    "over timestamp, colon and body"
}

pub(super) fn over_body_alone() -> &'static str {
    "over the body alone"
}

pub(super) fn over_timestamp_alone() -> &'static str {
    "over the timestamp alone"
}

pub(super) fn with_separator(separator: &str) -> String {
    match separator {
        "" => "with nothing between timestamp and body".to_owned(),
        _ => format!("with {separator:?} instead of the colon between timestamp and body"),
    }
}

pub(super) fn over_body_stringified_twice(is_ascii: bool) -> &'static str {
    if is_ascii {
        "over the body stringified twice, the second time as ASCII"
    } else {
        "over the body stringified twice"
    }
}

pub(super) fn with_seconds() -> &'static str {
    "with the timestamp in seconds"
}

pub(super) fn over_record() -> &'static str {
    "over the record instead of the whole body"
}

pub(super) fn with_line_feed() -> &'static str {
    "with a line feed after the body"
}

pub(super) fn over_reserialised(serialiser: &str) -> String {
    format!("over the body re-serialised by {serialiser}")
}

pub(super) fn without_secret_member() -> &'static str {
    "over the body without its member `secret`"
}

pub(super) fn and_nothing_before(what: &str) -> String {
    format!("{what}, without the timestamp")
}

// The vectors.

pub(super) fn vector_disagrees(vector: &str, program: &str, theirs: &str, ours: &str) -> String {
    format!("vector {vector}: {program} gives {theirs}, this program gives {ours}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_adapt_to_their_arguments() {
        assert_eq!(with_separator(""), "with nothing between timestamp and body");
        assert_eq!(with_separator("\n"), r#"with "\n" instead of the colon between timestamp and body"#);
        assert_eq!(
            over_body_stringified_twice(true),
            "over the body stringified twice, the second time as ASCII"
        );
    }
}
