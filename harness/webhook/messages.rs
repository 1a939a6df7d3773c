//! Every sentence of this room: how a signature was made, disagreements with the vectors, errors of the JSON parser.

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

// The vectors.

pub(super) fn vector_disagrees(vector: &str, program: &str, theirs: &str, ours: &str) -> String {
    format!("vector {vector}: {program} gives {theirs}, this program gives {ours}")
}

// The JSON parser: what is wrong, before "at byte …".

pub(super) fn invalid_utf8() -> &'static str {
    "invalid UTF-8"
}

pub(super) fn byte_order_mark() -> &'static str {
    "byte-order mark"
}

pub(super) fn trailing_text() -> &'static str {
    "unexpected text after the value"
}

pub(super) fn expected_value(is_end: bool) -> &'static str {
    if is_end { "unexpected end, expected a value" } else { "expected a value" }
}

pub(super) fn expected_comma_or(close: char) -> &'static str {
    if close == ']' { "expected `,` or `]`" } else { "expected `,` or `}`" }
}

pub(super) fn expected_name() -> &'static str {
    "expected a member name in quotes"
}

pub(super) fn expected_colon() -> &'static str {
    "expected `:` after a member name"
}

pub(super) fn too_deep() -> &'static str {
    "nesting deeper than 512 levels"
}

pub(super) fn expected_digit() -> &'static str {
    "expected a digit"
}

pub(super) fn control_character() -> &'static str {
    "control character in a string"
}

pub(super) fn unterminated_string() -> &'static str {
    "unterminated string"
}

pub(super) fn incomplete_escape() -> &'static str {
    "`\\u` without four hexadecimal digits"
}

pub(super) fn unknown_escape() -> &'static str {
    "unknown escape"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_data() {
        assert_eq!(with_separator(""), "with nothing between timestamp and body");
        assert_eq!(with_separator("\n"), r#"with "\n" instead of the colon between timestamp and body"#);
        assert_eq!(
            over_body_stringified_twice(true),
            "over the body stringified twice, the second time as ASCII"
        );
        assert_eq!(expected_comma_or('}'), "expected `,` or `}`");
    }
}
