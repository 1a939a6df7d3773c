//! Which requirements run: by role, by level, by patterns of ids.
//!
//! Invariant: a pattern that matches nothing is an error, never an empty selection.

use crate::suite::requirement::{Level, Requirement, Role};
use crate::suite::requirements;

/// What to choose by.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The weakest level that runs.
    pub level: Level,
    /// Where not empty, only what one of these matches runs.
    pub run: Vec<String>,
    /// What one of these matches does not run.
    pub skip: Vec<String>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { level: Level::Advice, run: Vec::new(), skip: Vec::new() }
    }
}

/// The requirements on the given roles that a filter leaves, in the order of the contract.
///
/// Errors: a pattern that matches no requirement of these roles, with the way to see what there is.
pub fn select(roles: &[Role], filter: &Filter) -> Result<Vec<&'static Requirement>, String> {
    let candidates: Vec<_> =
        requirements::all().filter(|requirement| roles.contains(&requirement.role())).collect();
    for pattern in filter.run.iter().chain(&filter.skip) {
        if !candidates.iter().any(|requirement| matches(pattern, requirement)) {
            return Err(format!(
                "the pattern {pattern:?} matches no requirement and no check; `twenty-conform list` shows them"
            ));
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

/// Whether a pattern names a requirement, by its id or its check's id. `*` stands for anything within a component, `**`
/// for anything across components.
pub fn matches(pattern: &str, requirement: &Requirement) -> bool {
    glob(pattern.as_bytes(), requirement.id.as_bytes())
        || glob(pattern.as_bytes(), requirement.check_id.as_bytes())
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
    use super::glob;

    #[test]
    fn stars_stay_within_a_component_and_double_stars_do_not() {
        for (pattern, text, expected) in [
            ("VER-1", "VER-1", true),
            ("VER-*", "VER-12", true),
            ("VER-1", "VER-12", false),
            ("receiver/*/genuine", "receiver/reception/genuine", true),
            ("receiver/*", "receiver/reception/genuine", false),
            ("receiver/**", "receiver/reception/genuine", true),
            ("**/genuine", "receiver/reception/genuine", true),
            ("**", "anything/at/all", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} on {text}");
        }
    }
}
