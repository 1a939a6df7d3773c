//! Options from variables, profiles and `twenty-conform.toml`, patterns, and what programs read about requirements.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::suite::cause::Code;
use twenty_conform::suite::requirements;

use super::program::{Ran, Report, as_given, finish, reference, run};

/// Runs a command in a folder.
fn within(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = as_given(arguments);
    command.current_dir(folder).envs(variables.iter().copied());
    finish(command)
}

fn folder_with(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("twenty-conform.toml"), text).unwrap();
    folder
}

/// The value and the source that `--print-config` prints for an option.
fn printed(ran: &Ran, long: &str) -> (String, String) {
    let line = ran.stdout.lines().find(|line| {
        let rest = line.trim_start_matches("# ").strip_prefix(long);
        rest.is_some_and(|rest| rest.starts_with(' '))
    });
    let line = line.unwrap_or_else(|| panic!("no {long} in {ran:#?}"));
    let (value, source) = line.rsplit_once("  # ").unwrap();
    (value.trim().to_owned(), source.to_owned())
}

/// The only configuration in a page.
fn example() -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")).unwrap();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn example_of_the_page_configures_commands() {
    let text = example()
        .replace("node server.mjs", &reference("receiver"))
        .replace("skip =", "run = \"VER-1\"\nskip =");
    let text = text.replace("\"VER-*\"", "\"VER-1\"");
    let folder = folder_with(&text);
    fs::write(folder.path().join("secret.txt"), "s3cr3t\n").unwrap();
    let inner = folder.path().join("a/b");
    fs::create_dir_all(&inner).unwrap();
    let ran = within(&inner, &["receiver", "--profile", "ci"], &[]).expect(0);
    assert!(ran.result_line().contains("must 1/1") && ran.result_line().ends_with("seed 42"), "{ran:#?}");
    assert!(folder.path().join("junit.xml").is_file(), "paths are relative to the file");
    let shown = within(&inner, &["bench", "receiver", "--print-config"], &[]).expect(0);
    assert_eq!(printed(&shown, "threshold").0, "threshold = [\"p99<50ms\"]");
    assert_eq!(printed(&shown, "max-regression").0, "max-regression = [\"p99=10%\", \"rate=5%\"]");
    let shown = within(&inner, &["listen", "--print-config"], &[]).expect(0);
    assert_eq!(printed(&shown, "port").0, "port = 4000");
}

#[cfg(unix)]
#[test]
fn print_config_names_the_source_of_each_value() {
    let folder = folder_with(
        "timeout = \"5s\"\nsecret-file = \"s.txt\"\n[receiver]\ncases = 9\nexec = \"x\"\nenv = { API_KEY = \"k3y\" }\n\
         [profile.ci]\nseed = 7\n[profile.ci.receiver]\ncases = 8\n",
    );
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let shown = within(
        &inner,
        &["receiver", "--print-config", "--profile", "ci", "--level", "must"],
        &[
            ("TWENTY_CONFORM_JOBS", "2"),
            ("TWENTY_WEBHOOK_SECRET", "s3cr3t-value"),
            ("TWENTY_CONFORM_DEADLINE", ""),
        ],
    )
    .expect(0);
    for (long, value, source) in [
        ("level", "level = \"must\"", "flag"),
        ("jobs", "jobs = 2", "variable TWENTY_CONFORM_JOBS"),
        ("secret", "# secret = [hidden]", "variable TWENTY_WEBHOOK_SECRET"),
        ("seed", "seed = 7", "profile ci in ../twenty-conform.toml:8"),
        ("cases", "cases = 8", "profile ci in ../twenty-conform.toml:10"),
        ("timeout", "timeout = \"5s\"", "../twenty-conform.toml:1"),
        ("env", "env = [\"API_KEY=[hidden]\"]", "../twenty-conform.toml:6"),
        ("deadline", "deadline = \"5s\"", "default"),
        ("skip", "# skip", "not set"),
        // The secret itself has precedence.
        ("secret-file", "# secret-file = \"../s.txt\"", "../twenty-conform.toml:2, not used here"),
    ] {
        assert_eq!(printed(&shown, long), (value.to_owned(), source.to_owned()), "{shown:#?}");
    }
    assert!(!shown.stdout.contains("s3cr3t-value") && !shown.stdout.contains("k3y"), "{shown:#?}");
    // What is printed is a configuration, except for hidden values.
    let again = shown.stdout.replace("[hidden]", "x");
    toml::from_str::<toml::Table>(&again).unwrap_or_else(|why| panic!("{why}: {again}"));
    // What the command line has excludes what the file has.
    let shown =
        within(&inner, &["receiver", "--url", "http://127.0.0.1:1/", "--print-config"], &[]).expect(0);
    assert!(printed(&shown, "exec").1.contains("not used") && printed(&shown, "env").1.contains("not used"));
    let none = within(&inner, &["receiver", "--config", "none", "--print-config"], &[]).expect(0);
    assert_eq!(printed(&none, "timeout").1, "default");
    let by_variable = within(&inner, &["receiver"], &[("TWENTY_CONFORM_PRINT_CONFIG", "1")]).expect(0);
    assert_eq!(printed(&by_variable, "cases").0, "cases = 9");
    // Nothing is needed for it.
    run(["send", "--print-config"]).expect(0);
}

#[test]
fn wrong_configuration_is_told_with_its_line_and_the_fix() {
    for (text, words) in [
        ("\n\n\n\n\n\ntimeout = 10s\n", &["toml:7: ", "7 | timeout = 10s", "timeout = \"10s\""][..]),
        ("[receiver]\nexec = \"node server.mjs\n", &["toml:2: ", "2 | exec", "close the quotation mark"]),
        ("[receiver\nurl = \"x\"\n", &["toml:1: ", "1 | [receiver", "[receiver]"]),
        ("timeuot = \"10s\"\n", &["toml:1: ", "\"timeuot\"", "did you mean \"timeout\"?"]),
        ("fail_on = \"must\"\n", &["toml:1: ", "did you mean \"fail-on\"?"]),
        ("listen = \"x\"\n", &["toml:1: ", "below [listen]"]),
        ("[sendr]\n", &["toml:1: ", "did you mean \"sender\"?"]),
        ("[profile.ci.receivr]\n", &["toml:1: ", "did you mean \"receiver\"?"]),
        ("[receiver]\nevents = 5\n", &["toml:2: ", "not an option of `receiver`", "[bench.sender]"]),
        (
            "[receiver]\njobs = \"many\"\n",
            &["toml:2: ", "invalid value 'many' for '--jobs <N>'", "from 1 to 64"],
        ),
        (
            "level = true\n",
            &["toml:1: ", "invalid value 'true' for '--level <LEVEL>'", "must, should, advice"],
        ),
        ("[demo]\nrun = [\n\"VER-1\",\n[\"x\"]]\n", &["toml:4: ", "list of values"]),
        ("seed = [1, 2]\n", &["toml:1: ", "seed takes one value"]),
        ("quiet = \"perhaps\"\n", &["toml:1: ", "quiet is \"perhaps\"", "true or false"]),
        ("[receiver]\nsecret = \"s3cr3t\"\n", &["toml:2: ", "secret-file", "TWENTY_WEBHOOK_SECRET"]),
        ("[receiver]\nsecret = s3cr3t\n", &["toml:2: ", "2 | secret = [hidden]", "secret-file"]),
        ("profile = \"ci\"\n", &["toml:1: ", "--profile"]),
        (
            "[demo]\nquiet = true\nverbose = true\n",
            &["cannot be used with", "--quiet is set by", "--verbose is set by"],
        ),
    ] {
        let folder = folder_with(text);
        let ran = within(folder.path(), &["demo", "--run", "VER-1"], &[]).expect(2);
        ran.complains_of(words);
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("s3cr3t"), "{ran:#?}");
        // Help is there in any case.
        within(folder.path(), &["demo", "--help"], &[]).expect(0);
    }
    let folder = folder_with("[profile.ci]\nseed = 1\n[profile.nightly]\nseed = 2\n");
    let unknown = within(folder.path(), &["demo", "--profile", "c1"], &[]).expect(2);
    unknown.complains_of(&["no profile \"c1\"", "ci and nightly"]);
    let unknown = within(folder.path(), &["demo"], &[("TWENTY_CONFORM_PROFILE", "x")]).expect(2);
    unknown.complains_of(&["no profile \"x\"", "TWENTY_CONFORM_PROFILE"]);
    run(["demo", "--config", "no/such.toml"]).expect(2).complains_of(&["no/such.toml"]);
    let wrong = within(folder.path(), &["demo"], &[("TWENTY_CONFORM_JOBS", "many")]).expect(2);
    wrong.complains_of(&["invalid value 'many' for '--jobs <N>'", "variable TWENTY_CONFORM_JOBS"]);
}

#[test]
fn command_line_wins_over_variable_profile_and_file() {
    let folder = folder_with("quiet = true\nseed = 1\n[profile.ci]\nseed = 2\nquiet = false\n");
    let seed = |arguments: &[&str], variables: &[(&str, &str)]| {
        let call = [&["demo", "--run", "RCV-1"], arguments].concat();
        within(folder.path(), &call, variables).expect(0).result_line().rsplit(' ').next().unwrap().to_owned()
    };
    let variable = [("TWENTY_CONFORM_SEED", "3")];
    assert_eq!(seed(&[], &[]), "1");
    assert_eq!(seed(&["--profile", "ci"], &[]), "2");
    assert_eq!(seed(&["--profile", "ci"], &variable), "3");
    assert_eq!(seed(&["--profile", "ci", "--seed", "4"], &variable), "4");
    // A flag of higher precedence turns one off, or excludes it.
    let prints = |arguments: &[&str]| {
        within(folder.path(), &[&["demo", "--run", "RCV-1"], arguments].concat(), &[]).expect(0)
    };
    assert!(!prints(&[]).stdout.contains("reception"));
    assert!(prints(&["--profile", "ci"]).stdout.contains("reception"));
    assert!(prints(&["--verbose"]).stdout.contains("reception"));
}

#[test]
fn patterns_are_told_with_the_nearest_names() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("patterns"), "# none\n\n").unwrap();
    fs::write(folder.path().join("typo"), "ver-1\nverfication\n").unwrap();
    let complains = |arguments: &[&str], words: &[&str]| {
        let call = [&["receiver", "--exec", "no-such-command"], arguments].concat();
        within(folder.path(), &call, &[]).expect(2).complains_of(words);
    };
    complains(&["--run", "verfication"], &["\"verfication\"", "did you mean receiver/verification?"]);
    complains(&["--skip", "SIG-1"], &["\"SIG-1\" is a requirement of senders"]);
    complains(&["--require", "VER-99"], &["\"VER-99\"", "did you mean VER-9"]);
    complains(&["--run", "@typo"], &["\"verfication\""]);
    complains(&["--run", "@patterns"], &["@patterns has no pattern"]);
    let ran = run(["demo", "--run", "receiver/Processing", "--seed", "1"]).expect(0);
    assert!(ran.result_line().contains("must 2/2 should 1/1"), "{ran:#?}");
}

#[test]
fn required_capability_that_is_missing_is_inconclusive() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.json");
    let report = format!("json={}", path.display());
    let exec = reference("receiver");
    let call = ["receiver", "--exec", &exec, "--run", "PRC-1,RCV-1", "--report", &report];
    let missing = run(call.iter().chain(&["--require", "prc-*"])).expect(3);
    assert!(missing.result_line().contains("inconclusive 1 n/a 0"), "{missing:#?}");
    missing.says(&["PRC-1", "it is required (--require), but does not apply", "--observe"]);
    missing.says(&["PRC-2, PRC-3 are required (--require), but were not selected to run"]);
    let Report(json) = Report::read(&path).unwrap();
    let verdict = json["requirements"].as_array().unwrap().iter().find(|one| one["id"] == "PRC-1").unwrap();
    assert_eq!(verdict["verdict"], "inconclusive", "{json}");
    run(call.iter().chain(&["--require", "prc-1", "--observe", "stdout"])).expect(0);
    let passed = run(call).expect(0);
    assert!(passed.result_line().contains("inconclusive 0 n/a 1"), "{passed:#?}");
}

#[test]
fn list_and_explain_print_json_for_programs() {
    let json =
        |arguments: &[&str]| -> Value { serde_json::from_str(&run(arguments).expect(0).stdout).unwrap() };
    let list = json(&["list", "--json"]);
    assert_eq!(list["format"], "twenty-conform-list/1");
    let listed = list["requirements"].as_array().unwrap();
    assert_eq!(listed.len(), requirements::all().count());
    for (entry, requirement) in listed.iter().zip(requirements::all()) {
        assert_eq!(entry["id"], requirement.id);
        assert_eq!(entry["role"], requirement.role().as_str());
        assert_eq!(entry["checks"][0], requirement.check_id);
        for member in ["title", "level", "group", "text", "source", "why"] {
            assert!(entry[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {entry}");
        }
        for member in ["sends", "catches", "causes"] {
            assert!(entry[member].is_array(), "{member} of {entry}");
        }
    }
    let causes = list["causes"].as_array().unwrap();
    assert_eq!(causes.len(), Code::ALL.len());
    let named: Vec<&str> = listed
        .iter()
        .flat_map(|one| one["causes"].as_array().unwrap())
        .map(|one| one.as_str().unwrap())
        .collect();
    assert!(named.contains(&"message.body-alone") && named.contains(&"send.crash"), "{named:?}");
    let one = json(&["explain", "ver-16", "--json"]);
    assert_eq!(one["format"], "twenty-conform-explain/1");
    assert_eq!(&one["requirement"], listed.iter().find(|one| one["id"] == "VER-16").unwrap());
    let one = json(&["explain", "message.body-alone", "--json"]);
    assert_eq!(one["cause"], *causes.iter().find(|one| one["code"] == "message.body-alone").unwrap());
    for member in ["fix", "avoid"] {
        assert!(
            one["cause"][member]["receiver"].is_string() && one["cause"][member]["sender"].is_string(),
            "{one}"
        );
    }
    assert!(json(&["list", "sender", "--json"])["requirements"].as_array().unwrap().len() < listed.len());
    run(["explain", "mesage.body-alone"]).expect(2).complains_of(&["did you mean message.body-alone?"]);
}

#[test]
fn reports_that_cannot_be_written_are_refused_before_the_run() {
    for command in [&["demo"][..], &["bench", "receiver", "--duration", "10m"]] {
        let reports = ["--report", "json=-", "--report", "text=-"];
        run(command.iter().chain(&reports)).expect(2).complains_of(&["json=-", "text=-", "mixed on stdout"]);
        let reports = ["--report", "json=/no/such/folder/x"];
        run(command.iter().chain(&reports)).expect(2).complains_of(&["/no/such/folder"]);
    }
}
