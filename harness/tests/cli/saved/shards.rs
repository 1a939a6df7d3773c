//! `--shard` and `merge`: the joined shards are the whole run.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{Folder, always, assert_valid, run};
use crate::cli::program::{Ran, reference};
use crate::goldens::masked;

/// Members that differ from run to run: times, numbers of exchanges, and how many there were.
const VARYING: [&str; 13] = [
    "duration_ms",
    "waited_ms",
    "duration_us",
    "latency_us",
    "exchanges",
    "exchanges_per_s",
    "controls",
    "shown_by",
    "notes",
    "curl",
    "emit",
    "answer",
    "output",
];

/// A text with what differs from run to run masked, and times in seconds.
fn words(text: &str) -> String {
    let text = masked(text);
    let mut words: Vec<&str> = text.split(' ').collect();
    for at in 1..words.len() {
        if words[at].trim_end_matches([',', ';']) == "s" && words[at - 1].parse::<f64>().is_ok() {
            words[at - 1] = "[seconds]";
        }
    }
    words.join(" ")
}

/// What must be equal in a whole run and in its joined shards.
fn comparable(mut report: Value) -> Value {
    fn mask(value: &mut Value) {
        match value {
            Value::Object(members) => {
                // The search for causes tries as many deliveries as it has to.
                let searches = members.get("id").is_some_and(|id| id == "receiver/reception/genuine");
                members.retain(|name, _| !(VARYING.contains(&name.as_str()) || searches && name == "cases"));
                members.values_mut().for_each(mask);
            }
            Value::Array(values) => values.iter_mut().for_each(mask),
            Value::String(text) => *text = words(text),
            _ => {}
        }
    }
    mask(&mut report);
    report
}

/// The first members that differ, to be read.
fn difference(at: &str, one: &Value, other: &Value) -> String {
    match (one, other) {
        (Value::Object(own), Value::Object(others)) => {
            let names: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
            let of = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
            names
                .iter()
                .map(|name| difference(&format!("{at}.{name}"), &of(one, name), &of(other, name)))
                .collect()
        }
        (Value::Array(own), Value::Array(others)) if own.len() == others.len() => {
            let both = own.iter().zip(others).enumerate();
            both.map(|(index, (one, other))| difference(&format!("{at}[{index}]"), one, other)).collect()
        }
        _ if one == other => String::new(),
        _ => format!("{at}: whole {one}, joined {other}\n"),
    }
}

/// Runs it whole and in shards, and fails unless the joined report is that of the whole run. Returns what `merge` printed.
fn assert_joins(run_options: &[&str], status: i32, counts: &[usize]) -> Ran {
    let folder = Folder::new();
    folder.keep("whole", run_options).expect(status);
    let mut merged = None;
    for of in counts {
        let names: Vec<String> = (1..=*of).map(|index| format!("{index}-of-{of}")).collect();
        std::thread::scope(|scope| {
            for (index, name) in (1..).zip(&names) {
                let folder = &folder;
                scope.spawn(move || {
                    let shard = format!("{index}/{of}");
                    let ran = folder.keep(name, &[run_options, &["--shard", &shard]].concat());
                    assert!([0, 1, 3].contains(&ran.status.unwrap()), "{ran:#?}");
                    ran.says(&[&format!("shard {index} of {of}")]);
                });
            }
        });
        let out = folder.path(&format!("joined-{of}"));
        // In any order.
        let folders: Vec<String> = names.iter().rev().map(|name| folder.path(name)).collect();
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        merged = Some(run([&["merge", "--out", &out], &folders[..]].concat()).expect(status));
        let joined = folder.json(&format!("joined-{of}/report.json"));
        assert_valid(&joined);
        let (whole, joined) = (comparable(folder.json("whole/report.json")), comparable(joined));
        assert_eq!(difference("", &whole, &joined), "", "{of} shards");
        let again = run(["report", &out]).expect(0);
        assert_eq!(again.stdout, merged.as_ref().unwrap().stdout);
        run(["diff", &folder.path("whole"), &out])
            .expect(0)
            .says(&["newly-failing 0", "failing-otherwise 0"]);
    }
    merged.unwrap()
}

#[test]
fn joined_shards_of_the_reference_receiver_are_the_whole_run() {
    let exec = reference("receiver");
    let options = ["receiver", "--exec", &exec, "--seed", "7", "--cases", "2"];
    assert_joins(&[&options[..], &["--skip", "VER-15"]].concat(), 0, &[2, 3]);
}

#[test]
fn joined_shards_of_faulty_receivers_are_the_whole_run() {
    for (answer, of) in [(200, 2), (401, 3)] {
        let url = format!("{}hook", always(answer));
        let options = ["receiver", "--url", &url, "--secret", "s3cr3t", "--seed", "7", "--cases", "2"];
        let merged = assert_joins(&[&options[..], &["--skip", "VER-15"]].concat(), 1, &[of]);
        if answer == 401 {
            // Said once, as in a whole run.
            assert_eq!(merged.stdout.matches("  answered  401").count(), 1, "{}", merged.stdout);
        }
    }
}

#[test]
fn joined_shards_of_senders_are_the_whole_run() {
    let exec = reference("sender");
    let group = ["--run", "signing", "--run", "payload", "--run", "ACK-1"];
    assert_joins(
        &[&["sender", "--exec", &exec, "--seed", "7", "--cases", "2"], &group[..]].concat(),
        0,
        &[3],
    );
}

#[test]
fn joined_shards_of_a_demo_are_the_whole_run() {
    let group = ["--run", "VER-1,VER-4,RCV-1", "--run", "SIG-*"];
    assert_joins(&[&["demo", "--seed", "7", "--cases", "2"], &group[..]].concat(), 0, &[2, 5]);
}

#[test]
fn shards_without_a_requirement_pass() {
    let folder = Folder::new();
    for (index, requirements) in [("1/3", 1), ("2/3", 1), ("3/3", 0)] {
        folder.receiver(
            &index[..1],
            200,
            &["--run", "VER-1,VER-4", "--shard", index],
            i32::from(requirements > 0),
        );
        let report = folder.json(&format!("{}/report.json", &index[..1]));
        assert_valid(&report);
        assert_eq!(report["requirements"].as_array().unwrap().len(), requirements, "{index}");
        assert_eq!(report["shard"]["selected"], 2);
    }
    let ran = run(["report", &folder.path("3")]).expect(0);
    ran.says(&["shard 3 of 3 has nothing to do", "RESULT: pass must 0/0"]);
    let [one, two, three] = ["1", "2", "3"].map(|name| folder.path(name));
    run(["merge", &one, &two, &three]).expect(1).says(&["VER-1", "VER-4", "different programs or addresses"]);
}

#[test]
fn shard_that_does_not_exist_is_refused() {
    for (shard, words) in [
        ("0/3", &["no shard 0 of 3", "1/3 to 3/3"][..]),
        ("4/3", &["no shard 4 of 3", "1/3 to 3/3"]),
        ("1/0", &["at least 1 shard"]),
        ("a/b", &["is not a shard", "1/3"]),
        ("1/1000000", &["at most 1000"]),
    ] {
        for command in ["receiver", "sender", "demo"] {
            let ran = run([command, "--seed", "1", "--shard", shard]).expect(2);
            ran.complains_of(&[&["--shard"], words].concat());
        }
    }
    // Shards of different seeds cannot be joined.
    run(["demo", "--shard", "1/2"]).expect(2).complains_of(&["--seed"]);
}

/// Two shards of a quick run.
fn two() -> Folder {
    let folder = Folder::new();
    for (name, shard) in [("1", "1/2"), ("2", "2/2")] {
        folder.receiver(name, 200, &["--run", "VER-1,VER-4", "--shard", shard], 1);
    }
    folder
}

#[test]
fn shards_of_different_runs_are_refused() {
    let folder = two();
    let (one, two) = (folder.path("1"), folder.path("2"));
    let refused = |shards: &[&str], words: &[&str]| {
        let out = folder.path("out");
        let ran = run([&["merge", "--out", &out], shards].concat()).expect(2);
        ran.complains_of(words);
        assert_eq!(ran.stdout, "");
        assert!(!folder.at("out").exists());
    };
    refused(&[&one], &["missing shard 2/2"]);
    refused(&[&one, &one], &["shard 1/2 is there twice", &one]);
    refused(&[&one, &two, &two], &["shard 2/2 is there twice"]);
    let report = folder.path("1/report.json");
    refused(&[&report, &two], &["report alone", "--out"]);
    let further: &[(&str, &[&str], &[&str])] = &[
        ("seed", &["--seed", "2"], &["--seed is 1", "2 in the second"]),
        ("cases", &["--cases", "3"], &["--cases is 2", "3 in the second"]),
        ("limits", &["--timeout", "9s"], &["limits", "10000ms", "9000ms"]),
        ("gate", &["--fail-on", "should"], &["--fail-on is must"]),
        ("dialect", &["--dialect", "shipped"], &["dialect is documented", "shipped"]),
        ("level", &["--level", "should"], &["--level is advice"]),
        ("selection", &["--run", "VER-3"], &["selection is 2 requirements", "3 requirements with VER-3"]),
    ];
    for (name, options, words) in further {
        let url = always(200);
        let mut all =
            vec!["receiver", "--url", &url, "--secret", "s3cr3t", "--run", "VER-1,VER-4", "--shard", "2/2"];
        for (option, value) in [("--seed", "1"), ("--cases", "2")] {
            if !options.contains(&option) {
                all.extend([option, value]);
            }
        }
        folder.keep(name, &[&all[..], options].concat());
        refused(&[&one, &folder.path(name)], &[&["different runs"], *words].concat());
    }
    folder.recorded("whole");
    refused(&[&one, &folder.path("whole")], &["whole", "is a whole run, not a shard"]);
    fs::create_dir(folder.at("killed")).unwrap();
    fs::copy(folder.at("2/run.json"), folder.at("killed/run.json")).unwrap();
    refused(&[&one, &folder.path("killed")], &["killed", "did not end"]);
    folder.change("2/report.json", |report| report["interrupted"] = true.into());
    refused(&[&one, &two], &["shard 2/2", "was interrupted", "run it again"]);
    for file in ["2/report.json", "2/run.json"] {
        folder.change(file, |value| value["tool"]["version"] = "0.0.7".into());
    }
    folder.change("2/report.json", |report| report["interrupted"] = false.into());
    refused(&[&one, &two], &["version is", "0.0.7"]);
}

#[test]
fn joined_run_is_no_shard_and_overwrites_none() {
    let folder = two();
    let (one, two, out) = (folder.path("1"), folder.path("2"), folder.path("out"));
    run(["merge", &one, &two, "--out", &out]).expect(1);
    let ran = run(["merge", &out, &two]).expect(2);
    ran.complains_of(&["already joined from 2 shards", "not a shard"]);
    run(["merge", &one, &two, "--out", &out]).expect(2).complains_of(&["out", "not empty"]);
    let option = format!("json={}", folder.path("1/report.json"));
    run(["merge", &one, &two, "--report", &option]).expect(2).complains_of(&["--report json="]);
    run(["merge"]).expect(2).complains_of(&["DIR"]);
}
