//! `docs/requirements.md`, which is generated from the code: every requirement and every cause, with an anchor for each.

use std::fmt::Write as _;

use twenty_conform::suite::cause::Code;
use twenty_conform::suite::requirement::{Requirement, Role, group_of};
use twenty_conform::suite::requirements;
use twenty_conform::suite::transcript::Capability;

use super::REWRITE;
use super::generated::{assert_page, marked_up};

const HEAD: &str = "\
What `twenty-conform` checks, and the causes that it names. `twenty-conform explain ID` also prints what is sent for a
requirement and which faults its check finds.

A **must** is required by Twenty's documentation or an internet standard. A **should** is recommended there, or
learned from Twenty's server and real programs. **Advice** is good practice. By default only failed musts fail a run. With
`--fail-on should`, failed shoulds do too. Advice never fails a run.

The source says where a requirement comes from. If sources differ, the documentation decides.

| source | meaning |
|---|---|
| documentation | Twenty's webhook documentation |
| shipped server | the server that Twenty ships |
| standards | HTTP, JSON, HMAC and dates |
| public code | what receivers and senders in use do |

Each requirement is one sentence about a correct program. If it continues the sentence of another requirement, that sentence is
quoted before it. The *snapshot* of an event is the reviewed form of its body: members and their JSON types. The *skew allowance* is
5 s, by which clocks may differ.

[Receivers](#receivers) · [Senders](#senders) · [Causes](#causes)
";

/// The letters of sources, in words.
const SOURCES: [(&str, &str); 4] =
    [("D", "documentation"), ("S", "shipped server"), ("R", "standards"), ("W", "public code")];

/// Requirements whose sentence continues that of another one.
const CONTINUES: [(&str, &str); 10] = [
    ("RCV-2", "RCV-1"),
    ("RCV-13", "RCV-8"),
    ("VER-16", "VER-8"),
    ("VER-17", "VER-16"),
    ("VER-18", "VER-8"),
    ("VER-20", "VER-12"),
    ("PAY-7", "PAY-2"),
    ("PAY-8", "PAY-2"),
    ("SIG-4", "SIG-3"),
    ("SIG-10", "SIG-3"),
];

/// `D (sample), S` as `documentation (sample), shipped server`.
fn sources(source: &str) -> String {
    let word_of = |part: &str| {
        let (letter, rest) = part.split_at(part.find(' ').unwrap_or(part.len()));
        match SOURCES.iter().find(|(short, _)| *short == letter) {
            Some((_, word)) => format!("{word}{rest}"),
            // A comma within parentheses.
            None => part.to_owned(),
        }
    };
    source.split(", ").map(word_of).collect::<Vec<_>>().join(", ")
}

/// A heading with an anchor that does not depend on its words.
fn heading(depth: usize, anchor: &str, words: &str) -> String {
    format!("\n<a id=\"{anchor}\"></a>\n\n{} {words}\n", "#".repeat(depth))
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace('.', "-")
}

/// The requirements on a role, by group, in the order in which groups first appear.
fn groups(role: Role) -> Vec<(&'static str, Vec<&'static Requirement>)> {
    let mut groups: Vec<(&str, Vec<&Requirement>)> = Vec::new();
    for requirement in requirements::of(role) {
        let group = group_of(requirement.check_id);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, members)) => members.push(requirement),
            None => groups.push((group, vec![requirement])),
        }
    }
    groups
}

fn section(requirement: &Requirement) -> String {
    let mut text =
        heading(4, &anchor(requirement.id), &format!("{}: {}", requirement.id, marked_up(requirement.title)));
    let (level, source) = (requirement.level, marked_up(&sources(requirement.source)));
    writeln!(text, "\n**{level}** · source: {source} · check: `{}`", requirement.check_id).unwrap();
    if let Some((_, earlier)) = CONTINUES.iter().find(|(id, _)| *id == requirement.id) {
        let earlier = requirements::all().find(|other| other.id == *earlier).unwrap();
        let (id, sentence) = (earlier.id, marked_up(earlier.text));
        writeln!(text, "\nContinues [{id}](#{}): *{sentence}*", anchor(id)).unwrap();
    }
    writeln!(text, "\n{}", marked_up(requirement.text)).unwrap();
    writeln!(text, "\nWhy: {}", marked_up(requirement.why)).unwrap();
    if requirement.id == "NON-1" {
        text.push_str("\nApplies with `--dialect shipped`.\n");
    }
    match requirement.needs {
        None => {}
        Some(Capability::Observations) => text.push_str("\nApplies with `--observe`.\n"),
        Some(capability) => {
            let name = serde_json::json!(capability);
            writeln!(text, "\nApplies to senders that declare `{}`.", name.as_str().unwrap()).unwrap();
        }
    }
    text
}

/// Ids, levels and titles of a group.
fn index(members: &[&Requirement]) -> String {
    let mut text = String::from("\n| id | level | title |\n|---|---|---|\n");
    for requirement in members {
        let (id, level, title) = (requirement.id, requirement.level, marked_up(requirement.title));
        writeln!(text, "| [{id}](#{}) | {level} | {title} |", anchor(id)).unwrap();
    }
    text
}

fn document() -> String {
    let mut text =
        format!("# Requirements and causes\n\n<!-- Generated: `{REWRITE}` rewrites it. -->\n\n{HEAD}");
    for (role, words) in [(Role::Receiver, "Receivers"), (Role::Sender, "Senders")] {
        text.push_str(&heading(2, &anchor(words), words));
        for (group, members) in groups(role) {
            let name = group.rsplit('/').next().unwrap();
            let words = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            text.push_str(&heading(3, &group.replace('/', "-"), &words));
            text.push_str(&index(&members));
            text.extend(members.into_iter().map(section));
        }
    }
    text.push_str(&heading(2, "causes", "Causes"));
    for code in Code::ALL {
        text.push_str(&heading(3, &anchor(code.as_str()), &format!("`{}`", code.as_str())));
        writeln!(text, "\nWhat happens: {}.", marked_up(code.text())).unwrap();
        let (receiver, sender) = (code.fix(Role::Receiver), code.fix(Role::Sender));
        if receiver == sender {
            writeln!(text, "\nFix: {}.", marked_up(receiver)).unwrap();
        } else {
            writeln!(text, "\nFix of a receiver: {}.", marked_up(receiver)).unwrap();
            writeln!(text, "\nFix of a sender: {}.", marked_up(sender)).unwrap();
        }
        let (receiver, sender) = (code.avoid(Role::Receiver), code.avoid(Role::Sender));
        writeln!(text, "\nDo not {}.", marked_up(receiver)).unwrap();
        if sender != receiver {
            writeln!(text, "\nIn a sender, do not {}.", marked_up(sender)).unwrap();
        }
    }
    text
}

#[test]
fn requirements_page_matches_the_code() {
    assert_page("docs/requirements.md", &document());
}

#[test]
fn requirements_page_has_an_anchor_for_each_id_and_code() {
    let text = document();
    let ids = requirements::all().map(|requirement| requirement.id);
    for name in ids.chain(Code::ALL.iter().map(|code| code.as_str())) {
        let anchor = format!("<a id=\"{}\"></a>", anchor(name));
        assert_eq!(text.matches(&anchor).count(), 1, "{anchor}");
    }
    assert!(text.contains("<a id=\"ver-16\"></a>") && text.contains("<a id=\"message-body-alone\"></a>"));
}

#[test]
fn sentences_that_continue_another_name_it() {
    for requirement in requirements::all() {
        let continues = ["So ", "It ", "The digits "].iter().any(|begin| requirement.text.starts_with(begin));
        let named = CONTINUES.iter().any(|(id, _)| *id == requirement.id);
        assert!(named || !continues, "add {} to CONTINUES: {}", requirement.id, requirement.text);
    }
}
