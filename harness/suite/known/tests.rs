//! Lists of known failures: what is read, what a run says about an entry, and how a list is changed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod shipped;

use jiff::civil::{Date, date};

use super::*;

const TODAY: Date = date(2026, 11, 29);

/// What a run found, as `VER-1 fail accepts.stale (detail)`, each in a line.
fn seen(text: &'static str) -> Vec<Seen<'static>> {
    let one = |line: &'static str| {
        let mut words = line.trim().splitn(3, ' ');
        let (id, verdict) = (words.next().unwrap(), words.next().unwrap());
        let verdict = VerdictName::ALL.into_iter().find(|one| one.as_str() == verdict).unwrap();
        let cause = words.next().map(|cause| match cause.split_once(" (") {
            Some((code, detail)) => (code, Some(detail.trim_end_matches(')'))),
            None => (cause, None),
        });
        Seen { id, verdict, cause }
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(one).collect()
}

fn list(text: &str) -> Vec<Entry> {
    parse("k.toml", text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[test]
fn every_verdict_meets_every_entry() {
    let entry = |cause: &str, expires: &str| {
        let expires = if expires.is_empty() { String::new() } else { format!("expires = {expires}\n") };
        list(&format!("[[known]]\ncheck = \"VER-4\"\ncause = \"{cause}\"\nreason = \"r\"\n{expires}"))
            .remove(0)
    };
    for (verdict, cause, expected, unexpired, expired) in [
        ("pass", None, "accepts.stale", Standing::Passes, Standing::Passes),
        ("fail", Some(("accepts.stale", None)), "accepts.stale", Standing::Fails, Standing::Expired),
        ("fail", Some(("accepts.stale", Some("a"))), "accepts.stale", Standing::Fails, Standing::Expired),
        ("fail", Some(("accepts.stale", Some("a"))), "accepts.stale (a)", Standing::Fails, Standing::Expired),
        ("fail", Some(("accepts.stale", Some("a"))), "accepts.stale (b)", Standing::Drifts, Standing::Drifts),
        ("fail", Some(("accepts.stale", None)), "accepts.stale (b)", Standing::Drifts, Standing::Drifts),
        ("fail", Some(("accepts.future", None)), "accepts.stale", Standing::Drifts, Standing::Drifts),
        ("fail", None, "accepts.stale", Standing::Drifts, Standing::Drifts),
        ("fail", None, "unknown", Standing::Fails, Standing::Expired),
        ("fail", Some(("accepts.stale", None)), "unknown", Standing::Drifts, Standing::Drifts),
        ("inconclusive", None, "accepts.stale", Standing::Open, Standing::Open),
        ("not-applicable", None, "accepts.stale", Standing::Open, Standing::Open),
        ("error", None, "accepts.stale", Standing::Open, Standing::Open),
        // A run that was judged with a list is judged again in the same way.
        ("known-failure", Some(("accepts.stale", None)), "accepts.stale", Standing::Fails, Standing::Expired),
        ("drift", Some(("accepts.future", None)), "accepts.stale", Standing::Drifts, Standing::Drifts),
        ("unexpected-pass", None, "accepts.stale", Standing::Passes, Standing::Passes),
    ] {
        let verdict = VerdictName::ALL.into_iter().find(|one| one.as_str() == verdict).unwrap();
        let seen = Seen { id: "VER-4", verdict, cause };
        for (expires, wanted) in [
            ("", unexpired),
            ("2026-11-29", unexpired),
            ("2027-01-01", unexpired),
            ("2026-11-28", expired),
            ("\"2026-11-28\"", expired),
        ] {
            let found = entry(expected, expires).standing(&seen, TODAY);
            assert_eq!(found, wanted, "{seen:?} with {expected} until {expires:?}");
        }
    }
}

#[test]
fn patterns_are_those_of_run() {
    let entries = list(
        "[[known]]\ncheck = \"receiver/verification/altered-*\"\ncause = \"accepts.everything\"\nreason = \"a\"\n\
         [[known]]\ncheck = [\"sig-*\", \"DLV-7\"]\ncause = \"unknown\"\nreason = \"b\"\nlink = \"https://x\"\nowner = \"o\"\n",
    );
    assert!(entries[0].matches("VER-1") && !entries[0].matches("VER-4"));
    assert!(entries[1].matches("SIG-4") && entries[1].matches("DLV-7") && !entries[1].matches("VER-1"));
    assert_eq!((entries[0].line, entries[1].line), (1, 5));
    assert_eq!((entries[1].link.as_deref(), entries[1].owner.as_deref()), (Some("https://x"), Some("o")));
    assert!(list("").is_empty() && list("# nothing\n").is_empty());
}

#[test]
fn faults_are_named_with_their_line() {
    let entry = |lines: &str| {
        format!("# one\n\n[[known]]\ncheck = \"VER-4\"\ncause = \"accepts.stale\"\nreason = \"r\"\n{lines}\n")
    };
    for (text, line, words) in [
        (entry("expires = 2026-13-01"), 7, &["7 | expires"][..]),
        (entry("expires = \"soon\""), 7, &["\"soon\" is not a date", "2027-03-31"]),
        (entry("expires = 2026-12-01T10:00:00"), 7, &["is not a date"]),
        (entry("expires = 20261201"), 7, &["expires is an integer"]),
        (entry("exipres = 2026-12-01"), 7, &["\"exipres\"", "did you mean \"expires\"?"]),
        (entry("colour = 1"), 7, &["known are check, cause, reason"]),
        (entry("owner = 3"), 7, &["owner is an integer; write owner = "]),
        (entry("owner = \" \""), 7, &["owner is empty"]),
        (entry("link = [\"a\"]"), 7, &["link is an array"]),
        (entry("reason = \"twice\""), 7, &["7 | reason"]),
        (entry("owner = \"open"), 7, &["7 | owner"]),
        (entry("[[known]]"), 7, &["has no check"]),
        (entry("[other]"), 7, &["\"other\" is not known here"]),
        (entry("[[knwon]]"), 7, &["did you mean \"known\"?"]),
        ("known = 3".to_owned(), 1, &["[[known]]"]),
        ("[known]\ncheck = \"VER-4\"\n".to_owned(), 1, &["below a line [[known]]"]),
        ("\nknown = [{ check = \"VER-4\" }]".to_owned(), 2, &["below a line [[known]]"]),
        (
            "[[known]]\ncheck = \"VRE-4\"\ncause = \"unknown\"\nreason = \"r\"".to_owned(),
            2,
            &["VRE-4", "VER-4"],
        ),
        (
            "[[known]]\ncheck = [\"VER-4\", 3]\ncause = \"unknown\"\nreason = \"r\"".to_owned(),
            2,
            &["check is a mixed array"],
        ),
        ("[[known]]\ncheck = []\ncause = \"unknown\"\nreason = \"r\"".to_owned(), 2, &["check is empty"]),
        (
            "[[known]]\ncheck = \"VER-4\"\ncause = \"accept.stale\"\nreason = \"r\"".to_owned(),
            3,
            &["\"accept.stale\" is not the code of a cause", "did you mean \"accepts.stale\"?"],
        ),
        ("[[known]]\ncheck = \"VER-4\"\nreason = \"r\"".to_owned(), 1, &["has no cause", "cause = "]),
        ("[[known]]\ncheck = \"VER-4\"\ncause = \"unknown\"".to_owned(), 1, &["has no reason"]),
    ] {
        let faults = parse("k.toml", &text).unwrap_err();
        let Fault { line: found, why } = &faults[0];
        assert_eq!(*found, line, "{text}\n{why}");
        for word in words {
            assert!(why.contains(word), "{word} is not in {why}\n{text}");
        }
    }
    let text = "[[known]]\ncheck = \"NO-1\"\ncause = \"no.cause\"\nreason = 1\nx = 2\n";
    assert_eq!(parse("k", text).unwrap_err().iter().map(|one| one.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
}

#[test]
fn requirement_has_one_entry() {
    let entry = |check: &str, cause: &str| {
        format!("[[known]]\ncheck = \"{check}\"\ncause = \"{cause}\"\nreason = \"r\"\n")
    };
    let clashes = |texts: &[String]| contradictions(&list(&texts.concat()));
    assert!(clashes(&[entry("VER-4", "unknown"), entry("VER-5", "accepts.stale")]).is_empty());
    let found = clashes(&[entry("VER-4", "unknown"), entry("VER-4", "accepts.stale")]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("k.toml:5: VER-4 has an entry at k.toml:1 already with different causes"),
        "{found:?}"
    );
    let found = clashes(&[
        entry("VER-*", "unknown"),
        entry("ver-4", "unknown"),
        entry("**/altered-content", "unknown"),
    ]);
    assert!(found.len() == 2 && !found[0].contains("different"), "{found:?}");
    let found = clashes(&[entry("VER-*", "unknown"), entry("verification", "unknown")]);
    assert!(found.len() == 1 && found[0].contains("more have an entry at k.toml:1"), "{found:?}");
}

const LIST: &str = "\u{feff}# Known failures of the payments team.

# Ask Ann first.
[[known]]
check = \"VER-4\"   # the age
cause = \"accepts.stale\"     # since March
reason = 'it has no clock'
expires = 2026-12-31 # then it is fixed

# Bob fixes it.
[[known]] # the body
reason = \"the framework parses the body\"
check = [
  \"VER-16\", # spaces
  \"VER-17\",
]
cause = \"message.reserialised (javascript)\"

[[known]]
check = \"VER-11\"
cause = \"accepts.future\"
reason = \"no clock\"
# The end.
";

fn changed(text: &str, run: &'static str, add: bool) -> Fixed {
    let entries = list(text);
    let fixed = fixed(text, &entries, &seen(run), TODAY, add).unwrap();
    // What is written can be read, and the run has nothing more to say about it.
    let (entries, again) = (list(&fixed.text), fixed.text.clone());
    let settled = super::fixed(&again, &entries, &seen(run), TODAY, add).unwrap();
    assert_eq!((settled.text, settled.changes), (again, Vec::new()));
    fixed
}

#[test]
fn list_that_is_right_stays_byte_for_byte() {
    let run = "VER-4 fail accepts.stale\nVER-16 fail message.reserialised (javascript)\n\
               VER-17 inconclusive\nVER-11 known-failure accepts.future\nVER-1 pass";
    for text in [LIST.to_owned(), LIST.replace('\n', "\r\n"), LIST.trim_end().to_owned()] {
        let fixed = changed(&text, run, true);
        assert_eq!(fixed, Fixed { text, changes: Vec::new(), left: Vec::new() });
    }
}

#[test]
fn entries_that_pass_are_removed_and_other_comments_stay() {
    let run = "VER-4 pass\nVER-16 fail message.reserialised (javascript)\nVER-17 fail message.reserialised (javascript)\n\
               VER-11 unexpected-pass";
    let (_, rest) = LIST.split_once("# Bob").unwrap();
    let (middle, _) = rest.split_once("\n[[known]]\ncheck = \"VER-11\"").unwrap();
    let expected = format!(
        "\u{feff}# Known failures of the payments team.\n\n# Ask Ann first.\n\n# Bob{middle}# The end.\n"
    );
    let fixed = changed(LIST, run, false);
    assert_eq!(fixed.text, expected);
    assert_eq!(
        fixed.changes,
        [
            "k.toml:4: removed VER-4, which passes now",
            "k.toml:4: the comment above it stays; remove it if it is about this entry alone",
            "k.toml:19: removed VER-11, which passes now",
        ]
    );
    // All line ends stay as they are.
    let crlf = changed(&LIST.replace('\n', "\r\n"), run, false);
    assert_eq!(crlf.text, expected.replace('\n', "\r\n"));
    let all = "VER-4 pass\nVER-16 pass\nVER-17 pass\nVER-11 pass";
    let empty = changed(LIST, all, false).text;
    assert_eq!(
        empty,
        "\u{feff}# Known failures of the payments team.\n\n# Ask Ann first.\n\n# Bob fixes it.\n# The end.\n"
    );
}

#[test]
fn causes_change_and_patterns_become_narrow() {
    let run =
        "VER-4 drift accepts.everything (x)\nVER-16 pass\nVER-17 fail message.reserialised (go)\nVER-11 fail";
    let fixed = changed(LIST, run, false);
    for line in [
        "cause = \"accepts.everything\"     # since March\n",
        // The comment on the removed line stays with those of the next.
        "check = [ # spaces\n  \"VER-17\",\n]\ncause = \"message.reserialised (go)\"\n",
        "check = \"VER-11\"\ncause = \"unknown\"\n",
        "check = \"VER-4\"   # the age\n",
        "[[known]] # the body\nreason = \"the framework parses the body\"\n",
    ] {
        assert!(fixed.text.contains(line), "{line}: {}", fixed.text);
    }
    assert_eq!(fixed.changes.len(), 4, "{fixed:#?}");
    for (check, run, left) in [
        ("[\"VER-1\", \"VER-4\", \"VER-5\"]", "VER-4 pass\nVER-1 fail\nVER-5 fail", "[\"VER-1\", \"VER-5\"]"),
        ("[\"VER-1\", \"VER-4\"]", "VER-1 pass\nVER-4 fail", "[\"VER-4\"]"),
        ("[\"VER-1\", # a\n \"VER-4\", # b\n]", "VER-4 pass\nVER-1 fail", "[\"VER-1\", # a # b\n]"),
        ("[ # a\n \"**/altered-content\", \"VER-4\"]", "VER-1 pass\nVER-4 fail", "[ # a\n \"VER-4\"]"),
        (
            "[\"receiver/verification/altered-*\", \"VER-4\"]",
            "VER-1 pass\nVER-2 fail\nVER-4 fail",
            "[\"VER-4\", \"VER-2\"]",
        ),
    ] {
        let text =
            |check: &str| format!("[[known]]\ncheck = {check} # c\ncause = \"unknown\"\nreason = \"r\"\n");
        assert_eq!(changed(&text(check), run, false).text, text(left));
    }
    let text = "[[known]]\ncheck = \"VER-1*\" # all\ncause = \"accepts.everything\"\nreason = \"r\"\nowner = \"o\" # x\n";
    let ids: Vec<&str> = list(text)[0].requirements.iter().map(|one| one.id).collect();
    assert!(ids.len() >= 3, "{ids:?}");
    // One passes, one fails for another cause, and the others were not judged or still fail.
    let run =
        format!("{} pass\n{} fail accepts.stale (y)\n{} fail accepts.everything", ids[0], ids[1], ids[2]);
    let fixed = changed(text, run.leak(), false);
    let rest: Vec<String> = ids[2..].iter().map(|id| format!("{id:?}")).collect();
    let rest = if let [one] = &rest[..] { one.clone() } else { format!("[{}]", rest.join(", ")) };
    assert_eq!(
        fixed.text,
        format!(
            "[[known]]\ncheck = {rest} # all\ncause = \"accepts.everything\"\nreason = \"r\"\nowner = \"o\" # x\n\n\
             [[known]]\ncheck = {:?}\ncause = \"accepts.stale\"\nreason = \"r\"\nowner = \"o\"\n",
            ids[1]
        )
    );
}

#[test]
fn failures_are_added_only_if_asked() {
    let run = "VER-1 fail\nVER-4 fail accepts.stale (a day)\nVER-5 pass\nVER-6 inconclusive";
    assert_eq!(changed("", run, false).changes, Vec::<String>::new());
    let entry = |id: &str, cause: &str| {
        format!("[[known]]\ncheck = \"{id}\"\ncause = \"{cause}\"\nreason = \"TODO\"\n")
    };
    let both = [entry("VER-1", "unknown"), entry("VER-4", "accepts.stale")].join("\n");
    assert_eq!(changed("", run, true).text, both);
    assert_eq!(changed("# Ours.\n", run, true).text, format!("# Ours.\n\n{both}"));
    let end = "[[known]]\ncheck = \"VER-5\"\ncause = \"unknown\"\nreason = \"r\"\n# The end.\n";
    assert_eq!(changed(end, run, true).text, format!("# The end.\n\n{both}"));
    let one = "[[known]]\ncheck = \"VER-1\"\ncause = \"unknown\"\nreason = \"kept\"\n";
    assert_eq!(changed(one, run, true).text, format!("{one}\n{}", entry("VER-4", "accepts.stale")));
}

#[test]
fn expired_entries_are_left_to_people() {
    let text =
        "[[known]]\ncheck = \"VER-4\"\ncause = \"accepts.stale\"\nreason = \"r\"\nexpires = 2026-01-01\n";
    let fixed = changed(text, "VER-4 fail accepts.stale", false);
    assert_eq!((fixed.text.as_str(), fixed.changes.len(), fixed.left.len()), (text, 0, 1));
    assert!(changed(text, "VER-4 pass", false).left.is_empty());
}

#[test]
fn day_is_that_of_utc() {
    assert_eq!(day(0).unwrap(), date(1970, 1, 1));
    assert_eq!(day(1_795_996_799_999).unwrap().to_string(), "2026-11-29");
    assert_eq!(day(1_795_996_800_000).unwrap().to_string(), "2026-11-30");
    assert!(day(u64::MAX).is_err());
}
