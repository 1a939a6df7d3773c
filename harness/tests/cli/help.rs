//! The help of every command, as the reviewed snapshot has it: headings, examples and short sentences.

use twenty_conform::cli;

const SNAPSHOT: &str = include_str!("../../../snapshots/help.snap");

/// The headings of options, in the order of every command.
const HEADINGS: [&str; 14] = [
    "Endpoint:",
    "Target:",
    "Secret:",
    "TLS:",
    "Payload:",
    "Selection:",
    "Generated cases:",
    "Load:",
    "Verdict:",
    "Limits:",
    "Comparison:",
    "Reports:",
    "Output:",
    "Configuration:",
];

/// Other lines that are not indented.
const OTHER_HEADINGS: [&str; 5] =
    ["Commands:", "Arguments:", "Examples:", "Exit status:", "Environment and configuration:"];

const LONGEST_SENTENCE: usize = 30;

/// The commands with their help.
fn pages() -> Vec<(&'static str, &'static str)> {
    let pages: Vec<_> = SNAPSHOT.split("\n$ ").skip(1).map(|page| page.split_once('\n').unwrap()).collect();
    assert!(pages.len() > 20, "{}", pages.len());
    pages
}

/// The lines of a page that begin with a heading's indentation, without the description and the usage.
fn headings(page: &str) -> Vec<&str> {
    let is_heading = |line: &&str| !line.starts_with(' ') && line.ends_with(':');
    page.lines().filter(is_heading).collect()
}

fn examples(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("  $ ")).collect()
}

#[test]
fn options_are_grouped_under_the_same_headings_in_the_same_order() {
    for (command, page) in pages() {
        let given: Vec<&str> =
            headings(page).into_iter().filter(|line| !OTHER_HEADINGS.contains(line)).collect();
        let mut expected = HEADINGS.to_vec();
        expected.retain(|heading| given.contains(heading));
        assert_eq!(given, expected, "{command}");
        assert_eq!(given.last(), Some(&"Configuration:"), "{command}");
    }
}

#[test]
fn help_ends_with_examples_and_exit_statuses() {
    for (command, page) in pages() {
        let count = examples(page).len();
        assert!((2..=5).contains(&count), "{command} has {count} examples");
        let headings = headings(page);
        let after = headings.iter().skip_while(|line| **line != "Examples:").skip(1).copied();
        let after: Vec<&str> = after.collect();
        let expected: &[&str] = match command.trim_start_matches("twenty-conform ") {
            "--help" => &["Exit status:", "Environment and configuration:"],
            // These only print, write or serve.
            "list --help" | "explain --help" | "sign --help" | "bench --help" | "bench export --help" => &[],
            serve if serve.starts_with("serve ") => &[],
            _ => &["Exit status:"],
        };
        assert_eq!(after, expected, "{command}");
    }
}

#[test]
fn examples_in_help_parse() {
    for (command, page) in pages() {
        for example in examples(page) {
            let words = shlex::split(example).unwrap_or_else(|| panic!("a quote is open: {example}"));
            assert_eq!(words[0], "twenty-conform", "{command}");
            let parsed = cli::parse(words.into_iter().map(Into::into));
            assert!(parsed.is_ok(), "{command}: {example}");
        }
    }
}

/// Whether a line begins a text of its own, instead of continuing the line before it.
fn begins_text(line: &str) -> bool {
    let text = line.trim_start();
    let is_row = text.split_once("  ").is_some_and(|(first, _)| !first.contains(' '));
    !line.starts_with(' ') || is_row || text.starts_with(['-', '#', '$'])
}

/// The sentences of a page, without `[default: …]` and the like.
fn sentences(page: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut previous_is_empty = true;
    for line in page.lines() {
        match texts.last_mut() {
            Some(text) if !previous_is_empty && !begins_text(line) => {
                text.push(' ');
                text.push_str(line.trim());
            }
            _ => texts.push(line.trim().to_owned()),
        }
        previous_is_empty = line.is_empty();
    }
    let prose = texts.iter().map(|text| text.split(" [").next().unwrap_or_default());
    prose.flat_map(|text| text.split(". ")).map(str::to_owned).collect()
}

#[test]
fn sentences_in_help_are_short() {
    for (command, page) in pages() {
        for sentence in sentences(page) {
            let words = sentence.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
            let count = words.count();
            assert!(count <= LONGEST_SENTENCE, "{command}: {count} words: {sentence}");
        }
    }
}

#[test]
fn sentences_span_wrapped_lines() {
    let page = "Options:\n  -a  Do this and\n      that. Then stop [default: 1]\n\n  --b\n      Go on\n      and on\n";
    assert_eq!(
        sentences(page),
        ["Options:", "-a  Do this and that", "Then stop", "", "--b Go on and on"].map(str::to_owned)
    );
}
