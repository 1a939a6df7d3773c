//! Selects the requirements to run, by role, level and patterns of ids.
//!
//! A pattern that matches nothing is an error, never an empty selection.

use crate::nearest;
use crate::suite::messages;
use crate::suite::requirement::{Level, Requirement, Role, group_of};
use crate::suite::requirements;

/// How much of a pattern is shown and compared with names: more than any name has.
const SHOWN: usize = 100;

/// The longest pattern that is tried. Longer ones match nothing.
const LONGEST: usize = 1000;

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
    let (run, skip) = (matched(roles, &filter.run)?, matched(roles, &filter.skip)?);
    let is_in = |list: &[&Requirement], one: &Requirement| list.iter().any(|other| other.id == one.id);
    Ok(candidates(roles)
        .filter(|requirement| requirement.level <= filter.level)
        .filter(|requirement| filter.run.is_empty() || is_in(&run, requirement))
        .filter(|requirement| !is_in(&skip, requirement))
        .collect())
}

/// The requirements for the given roles that match one of these patterns.
///
/// Errors: a pattern that matches none of them.
pub fn matched(roles: &[Role], patterns: &[String]) -> Result<Vec<&'static Requirement>, String> {
    let is_matched = |pattern: &String, one: &Requirement| matches(pattern, one);
    for pattern in patterns {
        if !candidates(roles).any(|one| is_matched(pattern, one)) {
            return Err(unmatched(roles, pattern));
        }
    }
    Ok(candidates(roles).filter(|one| patterns.iter().any(|pattern| is_matched(pattern, one))).collect())
}

fn candidates(roles: &[Role]) -> impl Iterator<Item = &'static Requirement> {
    requirements::all().filter(|requirement| roles.contains(&requirement.role()))
}

/// Why a pattern selects nothing: it is about the other role, or it is like some other name.
fn unmatched(roles: &[Role], pattern: &str) -> String {
    if let Some(other) = requirements::all().find(|one| matches(pattern, one)) {
        return messages::pattern_of_other_role(pattern, other.role());
    }
    let names = candidates(roles).flat_map(|one| {
        let name = one.check_id.rsplit('/').next().unwrap_or_default();
        let group = group_of(one.check_id);
        let area = group.rsplit('/').next().unwrap_or_default();
        let [id, check, group] = [one.id, one.check_id, group].map(str::to_owned);
        [
            (id.clone(), id.clone()),
            (check.clone(), check.clone()),
            (name.to_owned(), check),
            (area.to_owned(), group.clone()),
            (group.clone(), group),
            (family_of(one.id).to_owned(), format!("{}-*", family_of(one.id))),
        ]
    });
    let whose = match roles {
        [role] => Some(*role),
        _ => None,
    };
    let shown: String = pattern.chars().take(SHOWN).collect();
    // A star is like nothing, and stands for what may be right.
    let bare = shown.trim_matches(['*', '/', ' ']);
    messages::pattern_without_match(&shown, whose, &nearest::several(bare, names))
}

/// The letters of an id: `VER` of `VER-1`.
fn family_of(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// Whether a pattern matches a requirement's id, its check's id, or that id with the group that reports show, in any case. `*`
/// stays within a path component, `**` does not. A name of a group alone, with or without the role, means the group.
pub fn matches(pattern: &str, requirement: &Requirement) -> bool {
    if pattern.len() > LONGEST {
        return false;
    }
    let (id, name) = (requirement.check_id, requirement.check_id.rsplit('/').next().unwrap_or_default());
    let group = group_of(id);
    let shown = format!("{group}/{name}");
    let pattern = pattern.to_lowercase();
    let is = |text: &str| glob(pattern.as_bytes(), text.to_lowercase().as_bytes());
    if [requirement.id, id, &shown].iter().any(|text| is(text)) {
        return true;
    }
    let (role, area) = group.split_once('/').unwrap_or((group, ""));
    let own = id.rsplit_once('/').map_or(id, |(own, _)| own);
    let names = [role, group, area, own, own.rsplit('/').next().unwrap_or(own), family_of(requirement.id)];
    !pattern.is_empty() && names.iter().any(|name| name.eq_ignore_ascii_case(pattern.trim_end_matches('/')))
}

/// Tried at all places of the text at the same time, so that many stars take no longer.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // Whether what precedes this place of the text is matched.
    let mut matched = vec![false; text.len() + 1];
    matched[0] = true;
    let mut rest = pattern;
    while let Some((&first, after)) = rest.split_first() {
        let is_double = first == b'*' && after.first() == Some(&b'*');
        rest = if is_double { &after[1..] } else { after };
        let mut before = false;
        let bytes = [None].into_iter().chain(text.iter().copied().map(Some));
        for (here, byte) in matched.iter_mut().zip(bytes) {
            let is_reached = *here;
            *here = match first {
                b'*' => is_reached || before && (is_double || byte != Some(b'/')),
                _ => before && byte == Some(first),
            };
            before = if first == b'*' { *here } else { is_reached };
        }
    }
    matched[text.len()]
}

#[cfg(test)]
mod tests {
    use super::{Filter, glob, matched, matches, select};
    use crate::suite::requirement::{Role, group_of};
    use crate::suite::requirements;

    #[test]
    fn a_group_alone_means_the_group_and_case_does_not_matter() {
        for (pattern, group) in [
            ("receiver/verification", "receiver/verification"),
            ("Verification", "receiver/verification"),
            ("receiver/intake", "receiver/processing"),
            ("Receiver/Processing/", "receiver/processing"),
        ] {
            let found = matched(&[Role::Receiver], &[pattern.to_owned()]).unwrap_or_default();
            let all = requirements::of(Role::Receiver).filter(|one| group_of(one.check_id) == group);
            let own: Vec<_> = all.map(|one| one.id).collect();
            assert!(
                own.iter().all(|id| found.iter().any(|one| one.id == *id)) && !own.is_empty(),
                "{pattern}"
            );
        }
        let of = |pattern: &str| matched(&[Role::Receiver], &[pattern.to_owned()]).unwrap_or_default();
        assert_eq!(of("VER").len(), requirements::all().filter(|one| one.id.starts_with("VER-")).count());
        assert_eq!(of("ver-1").iter().map(|one| one.id).collect::<Vec<_>>(), ["VER-1"]);
        assert_eq!(of("RECEIVER/**").len(), requirements::of(Role::Receiver).count());
        assert_eq!(of("receiver").len(), requirements::of(Role::Receiver).count());
        assert!(of("receiver/*").is_empty(), "a star stays within a component");
    }

    #[test]
    fn pattern_without_match_names_the_nearest() {
        for (role, pattern, named) in [
            (Role::Receiver, "verfication", "receiver/verification"),
            (Role::Receiver, "receiver/verfication/**", "receiver/verification"),
            (Role::Receiver, "altered-contents", "receiver/verification/altered-content"),
            (Role::Receiver, "VRE-1", "VER-1"),
            (Role::Receiver, "SIG-1", "\"SIG-1\" is a requirement of senders"),
            (Role::Receiver, "sig", "\"sig\" matches requirements of senders"),
            (Role::Sender, "ver-*", "\"ver-*\" matches requirements of receivers"),
            (Role::Sender, "zzzzzzzzzz", "twenty-conform list"),
            (Role::Sender, "", "twenty-conform list"),
        ] {
            let filter = Filter { run: vec![pattern.to_owned()], ..Filter::default() };
            let why = select(&[role], &filter).err().unwrap_or_default();
            assert!(why.contains(named), "{pattern}: {why}");
        }
    }

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
            ("", "", true),
            ("*", "", true),
            ("a*c/**", "abc/", true),
            ("a*c", "ab/c", false),
            ("a**c", "ab/c", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} on {text}");
        }
        // Without an end, if each star were tried after each other.
        let many = "**a".repeat(40);
        assert!(!glob(format!("{many}b").as_bytes(), "a".repeat(80).as_bytes()));
    }
}
