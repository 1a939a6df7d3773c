//! Pages in a real Chromium: `fixtures/browser/check.mjs` opens them and uses them as a reader would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::Command as Limited;
use serde_json::Value;
use tempfile::TempDir;
use twenty_conform::bench;
use twenty_conform::report::{Report, html};
use twenty_conform::suite::verdict::VerdictName;

use super::hostile::hostile;
use super::{all_failing, passing, stored};
use crate::cli::program::{finish, twenty};
use crate::load::formats::full;
use crate::load::page::search;
use crate::peers::servers::always;
use crate::skip::skip;

/// Names of the browser.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/browser")
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The browser, or why the test cannot run.
fn browser() -> Result<PathBuf, &'static str> {
    if !runs("node") {
        return Err("`node` cannot be run");
    }
    if !fixtures().join("node_modules").exists() {
        return Err("run `npm ci --prefix fixtures/browser` first");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut names = std::env::split_paths(&path).flat_map(|folder| BROWSERS.map(|name| folder.join(name)));
    names.find(|program| program.is_file()).ok_or("there is no Chromium")
}

/// A text as the page's hexadecimal digits.
fn hex_of(text: &str) -> String {
    text.bytes().take(16).map(|byte| format!("\u{a0}{byte:02x}")).collect()
}

#[test]
fn pages_work_in_a_browser() {
    let browser = match browser() {
        Ok(browser) => browser,
        Err(why) => return skip("HTML reports in a browser", why),
    };
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, report) in
        [("stored", stored()), ("hostile", hostile()), ("all-failing", all_failing()), ("passing", passing())]
    {
        fs::write(path(&format!("{name}.html")), html::render(&report)).unwrap();
    }
    for (name, report) in [("bench", full()), ("bench-search", search())] {
        fs::write(path(&format!("{name}.html")), bench::show::html::render(&report)).unwrap();
    }
    // A full run, from the command line. Parts of such a secret occur by chance in digits.
    let secret = "0123456789abcdef".repeat(4);
    let (page, json) = (path("accepts-everything.html"), path("accepts-everything.json"));
    let mut command =
        twenty(["receiver", "--url", &always(200), "--secret", &secret, "--cases", "8", "--seed", "1"]);
    command.arg("--report").arg(format!("html={}", page.display()));
    command.arg("--report").arg(format!("json={}", json.display()));
    finish(command).expect(1);
    let text = fs::read_to_string(&page).unwrap();
    assert!(!text.contains("[redacted:part:hex"), "digits are whole");
    assert!(!text.contains(&secret) && !text.contains(&hex_of(&secret)), "the secret");
    let pages =
        ["stored", "hostile", "passing", "all-failing", "bench", "bench-search", "accepts-everything"];
    let mut check = Limited::new("node");
    check
        .arg(fixtures().join("check.mjs"))
        .arg(browser)
        .args(pages.map(|name| path(&format!("{name}.html"))));
    let output = check.timeout(std::time::Duration::from_secs(120)).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report: Report = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    for verdict in VerdictName::ALL {
        let shown =
            seen["accepts-everything.html"]["verdicts"][verdict.as_str()].as_u64().unwrap_or_default();
        assert_eq!(shown, report.count(verdict) as u64, "{verdict:?}");
    }
    assert_eq!(seen.as_object().unwrap().len(), pages.len());
}
