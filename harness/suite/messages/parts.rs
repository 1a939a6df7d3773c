//! What a search for the parts that matter says. Labels are paths such as `data.url`.

use crate::webhook::json::Text;

/// How much of a name is shown.
const LONGEST_NAME: usize = 32;
/// How many parts are listed.
const MOST_LISTED: usize = 4;

/// The step from an object to a member.
pub(in crate::suite) fn step_to(name: &Text) -> String {
    let name = name.to_string();
    let short: String = name.chars().take(LONGEST_NAME).collect();
    let cut = if short.len() < name.len() { "…" } else { "" };
    let is_word = |one: char| one.is_alphanumeric() || "_-$".contains(one);
    if !name.is_empty() && name.chars().all(is_word) {
        format!(".{short}{cut}")
    } else {
        format!("[\"{}{cut}\"]", short.escape_debug())
    }
}

fn shown(character: char) -> String {
    if character.is_control() || character.is_whitespace() {
        format!("U+{:04X}", u32::from(character))
    } else {
        format!("`{character}`")
    }
}

pub(in crate::suite) fn whole(label: &str) -> String {
    format!("`{label}`")
}

pub(in crate::suite) fn value_of(label: &str) -> String {
    format!("the value of `{label}`")
}

pub(in crate::suite) fn name_of(label: &str) -> String {
    format!("the name of `{label}`")
}

pub(in crate::suite) fn rest_of(label: &str) -> String {
    format!("the rest of `{label}`")
}

pub(in crate::suite) fn rest_of_name(label: &str) -> String {
    format!("the rest of the name of `{label}`")
}

pub(in crate::suite) fn character_of_name(character: char, label: &str) -> String {
    format!("the {} in the name of `{label}`", shown(character))
}

pub(in crate::suite) fn presence_of(label: &str) -> String {
    format!("that there is `{label}`")
}

pub(in crate::suite) fn that_it_is(label: &str, kind: &str) -> String {
    format!("that `{label}` is {kind}")
}

pub(in crate::suite) fn nesting_of(label: &str, depth: usize) -> String {
    format!("the nesting of `{label}` ({depth} levels)")
}

pub(in crate::suite) fn letters_of(label: &str) -> String {
    format!("the letters and digits in `{label}`")
}

pub(in crate::suite) fn length_of(label: &str) -> String {
    format!("the length of `{label}`")
}

pub(in crate::suite) fn character_of(character: char, label: &str) -> String {
    format!("the {} in `{label}`", shown(character))
}

/// Another character that is like it makes no difference.
pub(in crate::suite) fn characters_like(character: char, other: char, label: &str) -> String {
    let class = match character {
        '\0'..='\u{1f}' => "a control character",
        '\u{10000}'.. => "a character beyond the basic plane",
        _ => "a character beyond ASCII",
    };
    format!("{class} in `{label}` ({} and {} alike)", shown(character), shown(other))
}

pub(in crate::suite) fn number_of(label: &str) -> String {
    format!("the number `{label}`")
}

pub(in crate::suite) fn exponent_of(label: &str) -> String {
    format!("the exponent of the number `{label}`")
}

pub(in crate::suite) fn fraction_of(label: &str) -> String {
    format!("the fraction of the number `{label}`")
}

pub(in crate::suite) fn sign_of(label: &str) -> String {
    format!("the sign of the number `{label}`")
}

pub(in crate::suite) fn length_of_number(label: &str) -> String {
    format!("how many digits the number `{label}` has")
}

pub(in crate::suite) fn digits_of(label: &str) -> String {
    format!("which digits the number `{label}` has")
}

/// `is_only`: everything else was varied too. `is_any`: so was the rest of the record.
pub(in crate::suite) fn what_matters(
    matters: &[String],
    free: &[String],
    is_only: bool,
    is_any: bool,
) -> String {
    let (any, only) = (if is_any { "any record: " } else { "" }, if is_only { "only " } else { "" });
    let verb = if matters.len() == 1 { "matters" } else { "matter" };
    let free = if free.is_empty() { String::new() } else { format!("; {} may be anything", listed(free)) };
    format!("{any}{only}{} {verb}{free}", listed(matters))
}

pub(in crate::suite) fn no_part_alone(free: &[String]) -> String {
    format!("no part alone matters: it fails still with another value for {}", listed(free))
}

fn listed(parts: &[String]) -> String {
    let more = parts.len().saturating_sub(MOST_LISTED);
    let mut shown: Vec<String> = parts.iter().take(MOST_LISTED).cloned().collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => shown.concat(),
    }
}

/// The same for a change of formatting, of which some parts were varied.
pub(in crate::suite) fn what_matters_of(kind: &str, matters: &[String], free: &[String]) -> String {
    let verb = if free.len() == 1 { "makes" } else { "make" };
    let free_parts = format!("{} {verb} no difference", listed(free));
    match (matters.len(), free.is_empty()) {
        (0, _) => format!("{kind}, whatever it looks like: {free_parts}"),
        (1, true) => format!("{kind}, and {} matters", listed(matters)),
        (_, true) => format!("{kind}, and {} matter", listed(matters)),
        (1, false) => format!("{kind}, and {} matters; {free_parts}", listed(matters)),
        (_, false) => format!("{kind}, and {} matter; {free_parts}", listed(matters)),
    }
}

/// Parts of a change of formatting.
pub(in crate::suite) mod formatting {
    pub(in crate::suite) fn place_of_space() -> &'static str {
        "the place of the white space"
    }

    pub(in crate::suite) fn kind_of_space() -> &'static str {
        "the kind of white space"
    }

    pub(in crate::suite) fn escaped() -> &'static str {
        "which character is escaped"
    }

    pub(in crate::suite) fn string() -> &'static str {
        "which string has the escape"
    }

    pub(in crate::suite) fn escape_case() -> &'static str {
        "the case of the escape's digits"
    }

    pub(in crate::suite) fn number() -> &'static str {
        "which number it is"
    }

    pub(in crate::suite) fn form_of_number() -> &'static str {
        "the form of the number"
    }

    pub(in crate::suite) fn members() -> &'static str {
        "which members they are"
    }

    pub(in crate::suite) fn object() -> &'static str {
        "which object they are in"
    }
}
