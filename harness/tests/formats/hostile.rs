//! Reports on a program that writes text to break out of a report.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;
use twenty_conform::report::{Report, annotations, json, junit, markdown, sarif, tap};

use super::github::{commands_in, parsed};
use super::readers::READERS;
use crate::cli::program::judged;
use crate::peers::servers::always;

/// What would be markup, a command or another line, in some format.
const HOSTILE: [&str; 12] = [
    "| a | b |\n|---|---|\n| c | d |",
    "`</code></pre></details></summary></td>` ``` \n```\n# heading\n- list\n> quote\n1. one",
    "<img src=x onerror=alert(1)><script>alert(1)</script><!-- -->&lt;b&gt;]]>",
    "[link](javascript:alert(1)) ![image](http://example.com/x.png) <http://example.com> http://example.com www.example.com",
    "@everyone @org/team #1 GH-1 owner/repo#2 a@example.com :+1: $x$ $$y$$",
    "::error file=a::b\n::add-mask::c\n  ::stop-commands::d\n\u{a0}::warning::e",
    "##[error]a ##[add-mask]b ###[group]c",
    "ok 1 - x\nnot ok 2 - y\n1..9\nBail out! z\n  ...\n  ---\n# SKIP\n# TODO",
    "\u{1b}[31m\u{1b}]0;x\u{7}\r\u{0}\u{202e}\u{2028}\u{e0041}\u{feff}",
    "{0} {1:x} {{2}} \\{3} %0A %25 %3A a,b:c",
    "\\ \\| \\` \\* __x__ **y** ~~z~~ &#124; &amp;",
    "\"; , = ' & < > \\\" key: value\n- item\n? complex\n!!str tag",
];

/// Members that are words of the format, or numbers of requirements.
const WORDS: [&str; 14] = [
    "format",
    "role",
    "dialect",
    "dialect_chosen_by",
    "result",
    "level",
    "verdict",
    "provisional",
    "fail_on",
    "id",
    "code",
    "checks",
    "requirements",
    "absent",
];

/// A JSON report of a run with failures and inconclusive requirements.
fn report() -> Value {
    let url = always(200);
    let run = "RCV-1,VER-1,VER-4,VER-9,VER-11,VER-21,PRC-1";
    let (_, report) = judged(["receiver", "--url", &url, "--secret", "s", "--run", run, "--cases", "2"]);
    report.0
}

/// The report with this text wherever a program may have written it.
fn with(report: &Value, text: &str) -> Report {
    fn replace(value: &mut Value, text: &str) {
        match value {
            Value::String(old) => text.clone_into(old),
            Value::Array(values) => values.iter_mut().for_each(|value| replace(value, text)),
            Value::Object(members) => {
                for (name, value) in members {
                    let is_word =
                        WORDS.contains(&name.as_str()) && !(value.is_array() && value[0].is_object());
                    if !is_word {
                        replace(value, text);
                    }
                }
            }
            _ => {}
        }
    }
    let mut report = report.clone();
    replace(&mut report, text);
    report["notes"] = vec![text; 3].into();
    serde_json::from_value(report).unwrap()
}

/// The blocks and tags of a page, without its texts.
fn structure(page: &str) -> Vec<String> {
    let events = Parser::new_ext(page, Options::all() - Options::ENABLE_SMART_PUNCTUATION);
    let mut found: Vec<String> = Vec::new();
    for event in events {
        let part = match event {
            Event::Text(_) | Event::SoftBreak => "text".to_owned(),
            other => format!("{other:?}"),
        };
        if found.last().is_none_or(|last| part != "text" || last != "text") {
            found.push(part);
        }
    }
    found
}

/// The texts of a page that are not code: in them, GitHub finds mentions.
fn outside_code(page: &str) -> Vec<String> {
    let (mut found, mut inside) = (Vec::new(), false);
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::InlineHtml(tag) => inside = &*tag == "<code>",
            Event::Start(Tag::CodeBlock(_)) => inside = true,
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if !inside => found.push(text.into_string()),
            _ => {}
        }
    }
    found
}

#[test]
fn markdown_keeps_its_structure_whatever_a_program_wrote() {
    let report = report();
    let harmless = structure(&markdown::render(&with(&report, "a\nb\nc")));
    assert!(harmless.len() > 100);
    for text in HOSTILE {
        let page = markdown::render(&with(&report, text));
        let shown = structure(&page);
        if !text.contains("::") && !text.contains("##[") {
            assert_eq!(shown, harmless, "{text:?}\n{page}");
        } else {
            // What would be a command is in another kind of block.
            let others = |parts: &[String]| -> Vec<String> {
                let is_block = |part: &&String| {
                    part.contains("CodeBlock")
                        || part.contains("HtmlBlock")
                        || part.starts_with("Html(")
                        || *part == "text"
                };
                parts.iter().filter(|part| !is_block(part)).cloned().collect()
            };
            assert_eq!(others(&shown), others(&harmless), "{text:?}\n{page}");
        }
        for words in outside_code(&page) {
            let is_mention = |(at, _)| words[at + 1..].starts_with(|next: char| next.is_ascii_alphanumeric());
            assert!(!words.match_indices(['@', '#']).any(is_mention), "{words}");
        }
    }
}

#[test]
fn long_texts_leave_a_page_that_is_shown() {
    let report = report();
    for text in ["|".repeat(1_000_000), "`\n".repeat(500_000), "@a ".repeat(300_000), "é".repeat(500_000)] {
        let page = markdown::render(&with(&report, &text));
        assert!(page.len() < 64 * 1024, "{} bytes", page.len());
        assert!(page.contains("\n| must | "), "the counts are there");
        let tags = |name: &str| page.matches(name).count();
        assert_eq!(tags("<details>"), tags("</details>"));
    }
}

#[test]
fn many_failures_leave_a_page_that_is_shown_and_says_how_many_are_missing() {
    let mut report = report();
    let repeated = |value: &Value| -> Value {
        let all = value.as_array().unwrap();
        all.iter().cycle().take(all.len() * 60).cloned().collect::<Vec<_>>().into()
    };
    for name in ["requirements", "checks", "findings"] {
        report[name] = repeated(&report[name]);
    }
    let page = markdown::render(&with(&report, &"<".repeat(300)));
    assert!(page.len() < 64 * 1024, "{} bytes", page.len());
    for words in ["more findings are in the JSON report", "more failures are", "more requirements are"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn readers_read_what_a_program_wrote_as_text() {
    let report = report();
    for text in HOSTILE {
        let report = with(&report, text);
        let rendered: [(&str, String); 4] = [
            ("json", json::render(&report)),
            ("junit", junit::render(&report)),
            ("tap", tap::render(&report)),
            ("sarif", sarif::render(&report)),
        ];
        let counts = rendered.iter().map(|(format, rendered)| {
            let (_, read) = READERS.iter().find(|(name, _)| name == format).unwrap();
            read(rendered)
        });
        let counts: Vec<_> = counts.collect();
        assert!(
            counts.iter().all(|one| *one == counts[0] && !one.passes && one.others >= 5),
            "{text:?}: {counts:?}"
        );
        let others = rendered.into_iter().chain([("markdown", markdown::render(&report))]);
        for (format, rendered) in others {
            assert_eq!(commands_in(&rendered), Vec::<String>::new(), "{format}: {text:?}");
        }
    }
}

#[test]
fn json_and_sarif_keep_the_text() {
    let report = report();
    for text in HOSTILE.iter().filter(|text| !text.contains(['\u{1b}', '{', '\\'])) {
        let report = with(&report, text);
        let read: Value = serde_json::from_str(&json::render(&report)).unwrap();
        assert_eq!(read["notes"][0], *text);
        let read: Value = serde_json::from_str(&sarif::render(&report)).unwrap();
        let note = &read["runs"][0]["invocations"][0]["toolExecutionNotifications"];
        let note = note.as_array().unwrap().last().unwrap()["message"]["text"].as_str().unwrap();
        // A bracket of a link is escaped, and what is invisible is shown.
        assert_eq!(note.replace("\\[", "[").replace("\\]", "]").replace("\\u{a0}", "\u{a0}"), *text);
    }
}

#[test]
fn annotations_have_no_command_and_no_property_of_a_program() {
    let report = report();
    let kinds = |report: &Report| -> Vec<(String, Vec<String>)> {
        commands_in(&annotations::render(report))
            .iter()
            .map(|line| parsed(line))
            .map(|one| (one.name, one.properties.into_keys().collect()))
            .collect()
    };
    let harmless = kinds(&with(&report, "text"));
    assert!(harmless.len() >= 2, "{harmless:?}");
    for text in HOSTILE {
        let report = with(&report, text);
        assert_eq!(kinds(&report), harmless, "{text:?}");
        assert!(!annotations::render(&report).contains("##["), "{text:?}");
    }
}
