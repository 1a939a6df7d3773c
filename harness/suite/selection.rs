//! Selects the requirements to run, by role, level and patterns of ids.
//!
//! A pattern that matches nothing is an error, never an empty selection.

use crate::suite::messages;
use crate::suite::requirement::{Level, Requirement, Role, group_of};
use crate::suite::requirements;

#[derive(Debug, Clone)]
pub struct Filter {
    /// The lowest level to run.
    pub level: Level,
    /// If not empty, only requirements that match one of these run.
    pub run: Vec<String>,
    /// Requirements that match one of these do not run.
    pub skip: Vec<String>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { level: Level::Advice, run: Vec::new(), skip: Vec::new() }
    }
}

/// The requirements for the given roles that pass a filter, in the order of the contract.
///
/// Errors: a pattern that matches no requirement for these roles.
pub fn select(roles: &[Role], filter: &Filter) -> Result<Vec<&'static Requirement>, String> {
    let candidates: Vec<_> =
        requirements::all().filter(|requirement| roles.contains(&requirement.role())).collect();
    for pattern in filter.run.iter().chain(&filter.skip) {
        if !candidates.iter().any(|requirement| matches(pattern, requirement)) {
            let whose = match roles {
                [role] => format!(" of a {role}"),
                _ => String::new(),
            };
            return Err(messages::pattern_without_match(pattern, &whose));
        }
    }
    let any = |patterns: &[String], requirement| patterns.iter().any(|pattern| matches(pattern, requirement));
    Ok(candidates
        .into_iter()
        .filter(|requirement| requirement.level <= filter.level)
        .filter(|requirement| filter.run.is_empty() || any(&filter.run, requirement))
        .filter(|requirement| !any(&filter.skip, requirement))
        .collect())
}

/// Whether a pattern matches a requirement's id, its check's id, or that id with the group that reports show. `*` stays within
/// a path component, `**` does not.
pub fn matches(pattern: &str, requirement: &Requirement) -> bool {
    let (id, name) = (requirement.check_id, requirement.check_id.rsplit('/').next().unwrap_or_default());
    let shown = format!("{}/{name}", group_of(id));
    [requirement.id, id, &shown].iter().any(|text| glob(pattern.as_bytes(), text.as_bytes()))
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        [b'*', rest @ ..] => {
            let end = text.iter().position(|&byte| byte == b'/').unwrap_or(text.len());
            (0..=end).any(|at| glob(rest, &text[at..]))
        }
        [first, rest @ ..] => {
            text.split_first().is_some_and(|(byte, text)| byte == first && glob(rest, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{glob, matches};
    use crate::suite::requirements;

    #[test]
    fn matches_the_group_that_reports_show() {
        for pattern in ["receiver/processing/*", "receiver/intake/*"] {
            let ids: Vec<_> =
                requirements::all().filter(|one| matches(pattern, one)).map(|one| one.id).collect();
            assert_eq!(ids, ["PRC-1", "PRC-2", "PRC-3"], "{pattern}");
        }
    }

    #[test]
    fn star_stays_within_a_component_and_double_star_does_not() {
        for (pattern, text, expected) in [
            ("VER-1", "VER-1", true),
            ("VER-*", "VER-12", true),
            ("VER-1", "VER-12", false),
            ("receiver/*/binary", "receiver/reception/binary", true),
            ("receiver/*", "receiver/reception/binary", false),
            ("receiver/**", "receiver/reception/binary", true),
            ("**/binary", "receiver/reception/binary", true),
            ("**", "anything/at/all", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} on {text}");
        }
    }
}
