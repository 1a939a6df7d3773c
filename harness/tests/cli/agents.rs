//! The short report: for `-q`, for `--agent`, and where a coding agent runs the command.

use super::program::{Ran, finish, twenty};
use crate::peers::servers::always;

/// The report on a receiver that accepts everything, with these options and variables.
fn reported(options: &[&str], variables: &[(&str, &str)]) -> String {
    let url = always(200);
    let usual = ["receiver", "--url", &url, "--secret", "s3cr3t", "--run", "VER-4", "--seed", "1"];
    let mut command = twenty(usual.iter().chain(options));
    command.envs(variables.iter().copied());
    let Ran { stdout, stderr, .. } = finish(command).expect(1);
    assert_eq!(stderr, "");
    stdout
}

fn is_short(text: &str) -> bool {
    text.starts_with("must VER-4 accepts.")
}

#[test]
fn agents_and_quiet_runs_get_the_short_report() {
    for (options, variables) in [
        (&["-q"][..], &[][..]),
        (&["--agent"], &[]),
        (&[], &[("AI_AGENT", "some-agent@1")]),
        (&[], &[("CLAUDECODE", "1")]),
        (&[], &[("TWENTY_CONFORM_AGENT", "1")]),
        (&["--color", "auto"], &[("AGENT", "x"), ("CLICOLOR_FORCE", "1")]),
    ] {
        let text = reported(options, variables);
        assert!(is_short(&text), "{options:?} {variables:?}: {text}");
        let lines: Vec<&str> = text.lines().collect();
        let begins: Vec<&str> = lines.iter().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(begins[2..], ["  fix", "  do not", "  rerun", "RESULT"], "{text}");
        assert!(begins[1] == "  cases" && text.len() <= 1500, "{text}");
    }
}

#[test]
fn options_count_more_than_the_environment() {
    let agent = [("AI_AGENT", "some-agent")];
    for options in [&["--no-agent"][..], &["-v"]] {
        let text = reported(options, &agent);
        assert!(text.starts_with("twenty-conform "), "{options:?}: {text}");
    }
    for variables in [[("AGENT", "0")], [("CLAUDECODE", "")], [("TWENTY_CONFORM_AGENT", "false")]] {
        assert!(!is_short(&reported(&[], &variables)), "{variables:?}");
    }
    let coloured = reported(&["--color", "always"], &agent);
    assert!(coloured.contains("\u{1b}[31mmust") && coloured.contains(" VER-4 accepts."), "{coloured:?}");
}
