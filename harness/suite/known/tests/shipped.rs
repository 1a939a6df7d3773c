//! The lists that come with the tool, and what their entries say.

use std::collections::BTreeSet;

use super::*;

#[test]
fn lists_that_come_with_the_tool_are_right() {
    for name in names() {
        let entries = parse(name, shipped(name).unwrap()).unwrap_or_else(|faults| panic!("{faults:#?}"));
        assert!(!entries.is_empty() && contradictions(&entries).is_empty(), "{name}");
        assert!(entries.iter().all(|entry| entry.cause.code.is_some()), "{name}");
    }
}

/// The cells of the rows of a table, which begins with this line.
fn rows<'a>(page: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let (_, table) = page.split_once(head).unwrap_or_else(|| panic!("no table {head}"));
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The ids in a cell, linked or not.
fn ids(cell: &str) -> Vec<&str> {
    let names =
        cell.split(", ").map(|name| name.trim_start_matches('[').split(']').next().unwrap_or_default());
    names.collect()
}

#[test]
fn lists_of_twenty_have_what_their_page_has() {
    let page = include_str!("../../../../docs/real-twenty.md");
    let versions = rows(page, "| requirement | what happens | 2.31.0 | December 2025 | 0.50.0 |");
    let effects = rows(page, "| requirement | effect |");
    let mut known = BTreeSet::new();
    for (name, column) in [("twenty-2.31", 2), ("twenty-2025-12", 3), ("twenty-0.50", 4)] {
        let entries = list(shipped(name).unwrap());
        let fails: Vec<&Vec<&str>> = versions.iter().filter(|row| row[column] == "fails").collect();
        assert_eq!(entries.len(), fails.len(), "{name}");
        for entry in entries {
            let own: Vec<&str> = entry.requirements.iter().map(|one| one.id).collect();
            let row =
                fails.iter().find(|row| ids(row[0]) == own).unwrap_or_else(|| panic!("{name}: {own:?}"));
            assert_eq!(row[1].replace('`', ""), entry.reason, "{name}");
            let effect = effects.iter().find(|row| ids(row[0]) == own).unwrap_or_else(|| panic!("{own:?}"));
            assert_eq!(Some(effect[1]), entry.effect.as_deref(), "{name}");
            assert!(entry.since.is_some(), "{name}: {own:?}");
            known.insert(own);
        }
    }
    assert_eq!(effects.len(), known.len());
    let cells = versions.iter().flat_map(|row| &row[2..]);
    assert!(cells.clone().all(|cell| ["fails", "passes", "–"].contains(cell)), "{versions:?}");
    // A row that fails nowhere is no known failure.
    assert!(versions.iter().all(|row| row[2..].contains(&"fails")), "{versions:?}");
}

#[test]
fn an_entry_may_say_what_it_means_and_since_when() {
    let with = |line: &str| {
        parse(
            "k.toml",
            &format!("[[known]]\ncheck = \"ACK-8\"\ncause = \"unknown\"\nreason = \"r\"\n{line}\n"),
        )
    };
    let entry = with("effect = \"a delivery\\n is lost\"\nsince = \"2.31.0\"").unwrap().remove(0);
    assert_eq!(
        (entry.effect.as_deref(), entry.since.as_deref()),
        (Some("a delivery is lost"), Some("2.31.0"))
    );
    let entry = with("").unwrap().remove(0);
    assert_eq!((entry.effect, entry.since), (None, None));
    for (line, why) in [
        ("effect = \"\"", "effect is empty; write for example effect = "),
        ("since = 2.31", "since is a float; write since = \"2.31.0\""),
        ("sinse = \"2.31.0\"", "did you mean \"since\"?"),
    ] {
        let faults = with(line).unwrap_err();
        assert!(matches!(&*faults, [fault] if fault.line == 5 && fault.why.contains(why)), "{faults:?}");
    }
}

#[test]
fn title_of_a_list_is_its_first_sentence() {
    for (text, expected) in [
        ("# What a program\n#  fails. Then more.\n[[known]]", "What a program fails."),
        ("# No end\n\n# Another comment.", "No end"),
        ("[[known]]\n# later", ""),
        ("", ""),
    ] {
        assert_eq!(title(text), expected);
    }
    for name in names() {
        assert!(title(shipped(name).unwrap()).ends_with('.'), "{name}");
    }
}
