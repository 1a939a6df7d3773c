//! The receivers of `docs/receivers.md`.
//!
//! Invariant: each block is run unchanged, as the page shows it, and passes every requirement, advice too. What a receiver processes
//! is not judged, because the blocks do not report it. Instead each stored file must have the hash of its content as its name.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::cli::program::judged;
use crate::readme::pages::blocks;
use crate::skip::skip;

/// What the blocks share: the path of their route.
const ROUTE: &str = "/webhooks/twenty";

/// The jars of Debian's packages libspring-web-servlet-java, libtomcat9-java and libjackson2-databind-java.
const JARS: &[&str] = &[
    "commons-logging",
    "jackson-annotations",
    "jackson-core",
    "jackson-databind",
    "spring3-aop",
    "spring3-beans",
    "spring3-context",
    "spring3-core",
    "spring3-expression",
    "spring3-web",
    "spring3-web.servlet",
    "tomcat9-annotations-api",
    "tomcat9-api",
    "tomcat9-catalina",
    "tomcat9-coyote",
    "tomcat9-jaspic-api",
    "tomcat9-jni",
    "tomcat9-juli",
    "tomcat9-servlet-api",
    "tomcat9-util",
    "tomcat9-util-scan",
];

/// A section of the page.
struct Section {
    name: String,
    /// What its first comment names.
    file: String,
    code: String,
    /// The command that it gives for `--exec`.
    exec: Option<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sections() -> Vec<Section> {
    let text = fs::read_to_string(root().join("docs/receivers.md")).unwrap();
    let sections = text.split("\n## ").skip(1).map(|section| {
        let name = section.lines().next().unwrap().to_owned();
        let blocks = blocks(section);
        let [(_, code)] = blocks[..] else { panic!("{name} has {} blocks", blocks.len()) };
        let comment =
            code.lines().find_map(|line| line.strip_prefix("// ").or(line.strip_prefix("# "))).unwrap();
        let file = comment.split([' ', ':', ',']).next().unwrap().to_owned();
        let exec =
            section.split_once("`--exec '").map(|(_, rest)| rest.split_once("'`").unwrap().0.to_owned());
        Section { name, file, code: code.to_owned(), exec }
    });
    sections.collect()
}

/// A section, written to a folder as its file.
fn written(name: &str) -> (Section, TempDir) {
    let section = sections().into_iter().find(|section| section.name == name).unwrap();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(Path::new(&section.file).file_name().unwrap()), &section.code).unwrap();
    (section, folder)
}

/// Whether a command cannot be run here that must end with status 0. Then the skipped test is reported.
fn is_missing(name: &str, command: &[&str], setup: &str) -> bool {
    let mut tried = Command::new(command[0]);
    tried.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_there = tried.status().is_ok_and(|status| status.success());
    if !is_there {
        skip(&format!("{name} in docs/receivers.md"), &format!("`{}` fails; {setup}", command.join(" ")));
    }
    !is_there
}

/// Runs the suite on the program that a command starts in a folder, with a folder of programs before the others.
fn assert_passes(section: &Section, exec: &str, folder: &Path, programs: Option<PathBuf>) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(programs.into_iter().chain(std::env::split_paths(&path))).unwrap();
    let path = format!("PATH={}", path.display());
    let folder_name = folder.display().to_string();
    let mut arguments =
        vec!["receiver", "--exec", exec, "--path", ROUTE, "--cwd", &folder_name, "--env", &path];
    arguments.extend(["--fail-on", "should", "--cases", "16"]);
    let (ran, report) = judged(arguments);
    let name = &section.name;
    let not_passed: BTreeSet<(&str, &str)> =
        report.verdicts().into_iter().filter(|(_, verdict)| *verdict != "pass").collect();
    let not_visible = ["PRC-1", "PRC-2", "PRC-3"].map(|id| (id, "not-applicable"));
    assert_eq!(not_passed, BTreeSet::from(not_visible), "{name}: {ran:#?}");
    assert_eq!(ran.status, Some(0), "{name}: {ran:#?}");
    // Not with `eprintln!`: libtest hides its output if the test passes.
    let _ = writeln!(std::io::stderr(), "{name} in docs/receivers.md: {}", ran.result_line());
    // A repeated delivery has the name of the first, so it is stored once.
    let stored: Vec<PathBuf> =
        fs::read_dir(folder.join("inbox")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(stored.len() > 100, "{name} has stored {} deliveries", stored.len());
    for path in stored {
        let hash: String =
            Sha256::digest(fs::read(&path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(path.file_name().unwrap().to_string_lossy(), format!("{hash}.json"), "{name}");
    }
}

/// Runs a block whose packages an example implementation has.
fn assert_node_block_passes(name: &str) {
    let (section, folder) = written(name);
    let packages = format!("fixtures/implementations/receivers/{}/node_modules", name.to_lowercase());
    symlink(root().join(packages), folder.path().join("node_modules")).unwrap();
    let resolve =
        format!("require.resolve('{}/node_modules/{}')", folder.path().display(), name.to_lowercase());
    if is_missing(name, &["node", "-e", &resolve], "run .ci/run once") {
        return;
    }
    assert_passes(&section, section.exec.as_ref().unwrap(), folder.path(), None);
}

fn assert_python_block_passes(name: &str, venv: &str, package: &str) {
    let programs = root().join(venv).join("bin");
    let python = programs.join("python").display().to_string();
    if is_missing(name, &[&python, "-c", &format!("import {package}")], "run .ci/run once") {
        return;
    }
    let (section, folder) = written(name);
    assert_passes(&section, section.exec.as_ref().unwrap(), folder.path(), Some(programs));
}

#[test]
fn every_section_has_a_test() {
    let names: Vec<String> = sections().into_iter().map(|section| section.name).collect();
    let tested =
        ["Express", "Next.js", "Fastify", "FastAPI", "Flask", "Django", "Go", "PHP", "Rails", "Spring"];
    assert_eq!(names, tested);
}

#[test]
fn express_block_passes() {
    assert_node_block_passes("Express");
}

#[test]
fn fastify_block_passes() {
    assert_node_block_passes("Fastify");
}

#[test]
fn next_js_block_passes() {
    if is_missing("Next.js", &["node", "--version"], "install Node") {
        return;
    }
    let (section, folder) = written("Next.js");
    // Without Next.js: `serve.mjs` calls `POST` with Node's own `Request`.
    fs::rename(folder.path().join("route.js"), folder.path().join("route.mjs")).unwrap();
    let serve = "fixtures/implementations/receivers/next-style/serve.mjs";
    fs::copy(root().join(serve), folder.path().join("serve.mjs")).unwrap();
    assert_passes(&section, "node serve.mjs", folder.path(), None);
}

#[test]
fn fastapi_block_passes() {
    assert_python_block_passes("FastAPI", "fixtures/implementations/receivers/fastapi/.venv", "fastapi");
}

#[test]
fn flask_block_passes() {
    assert_python_block_passes("Flask", "fixtures/frameworks/.venv", "flask, waitress");
}

#[test]
fn django_block_passes() {
    assert_python_block_passes("Django", "fixtures/frameworks/.venv", "django, waitress");
}

#[test]
fn go_block_passes() {
    if is_missing("Go", &["go", "version"], "install Go") {
        return;
    }
    let (section, folder) = written("Go");
    assert_passes(&section, section.exec.as_ref().unwrap(), folder.path(), None);
}

#[test]
fn php_block_passes() {
    if is_missing("PHP", &["php", "--version"], "install PHP") {
        return;
    }
    let (section, folder) = written("PHP");
    assert_passes(&section, section.exec.as_ref().unwrap(), folder.path(), None);
}

#[test]
fn rails_block_passes() {
    let packages = "require 'action_controller/railtie'; require 'puma'";
    if is_missing("Rails", &["ruby", "-e", packages], "install Rails and Puma") {
        return;
    }
    let (section, folder) = written("Rails");
    assert_passes(&section, section.exec.as_ref().unwrap(), folder.path(), None);
}

#[test]
fn spring_block_passes() {
    let jars: Vec<String> = JARS.iter().map(|name| format!("/usr/share/java/{name}.jar")).collect();
    let mut there = vec!["ls"];
    there.extend(jars.iter().map(String::as_str));
    if is_missing("Spring", &["javac", "--version"], "install a JDK")
        || is_missing("Spring", &there, "install Debian's packages of Spring MVC, Tomcat 9 and Jackson")
    {
        return;
    }
    let (section, folder) = written("Spring");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (classes, jars) = (at("classes"), jars.join(":"));
    // Class files of Java 8: Spring 4.3 reads no newer ones.
    let mut compile = Command::new("javac");
    compile.args([
        "-nowarn",
        "-source",
        "8",
        "-target",
        "8",
        "-d",
        &classes,
        "-cp",
        &jars,
        &at(&section.file),
    ]);
    let compiled = compile.arg(root().join("fixtures/frameworks/Serve.java")).output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let serve = format!("java -cp '{classes}:{jars}' Serve com.example.TwentyController");
    assert_passes(&section, &serve, folder.path(), None);
}
