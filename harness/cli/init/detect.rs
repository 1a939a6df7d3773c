//! What the files of a folder suggest: how its program is started, and where its CI runs.

use std::path::Path;

use serde_json::Value;

use super::RoleName;
use crate::budget::SMALL_FILE;
use crate::input;

/// A folder's suggestions.
pub(super) struct Found {
    receiver: Option<String>,
    sender: Option<String>,
    /// The name of the service.
    pub(super) ci: Option<&'static str>,
}

/// Scripts that look like receivers, the likeliest first.
const RECEIVERS: [&str; 9] = [
    "server.mjs",
    "server.js",
    "receiver.mjs",
    "receiver.js",
    "index.mjs",
    "index.js",
    "server.py",
    "app.py",
    "main.py",
];

/// Scripts that look like senders.
const SENDERS: [&str; 3] = ["sender.mjs", "sender.js", "sender.py"];

impl Found {
    pub(super) fn of(folder: &Path) -> Self {
        let has = |name: &str| folder.join(name).exists();
        let first = |names: &[&str]| names.iter().find(|name| has(name)).map(|name| script(name));
        let by_project = || {
            [
                ("manage.py", "python3 manage.py runserver --noreload {port}"),
                ("bin/rails", "bin/rails server --port {port}"),
                ("config.ru", "rackup --port {port}"),
                ("go.mod", "go run ."),
                ("Cargo.toml", "cargo run --quiet"),
                ("index.php", "php -S 127.0.0.1:{port} index.php"),
            ]
            .into_iter()
            .find(|(file, _)| has(file))
            .map(|(_, command)| command.to_owned())
        };
        let package = package(&folder.join("package.json"));
        Self {
            receiver: package.or_else(|| first(&RECEIVERS)).or_else(by_project),
            sender: first(&SENDERS),
            ci: [(".github", "github"), (".gitlab-ci.yml", "gitlab")]
                .into_iter()
                .find(|(file, _)| has(file))
                .map(|(_, service)| service),
        }
    }

    /// The command that starts a program of this role.
    pub(super) fn command(&self, role: RoleName) -> Option<String> {
        match role {
            RoleName::Receiver => self.receiver.clone(),
            RoleName::Sender => self.sender.clone(),
        }
    }

    /// The same, for a shell that knows no `{port}`.
    pub(super) fn background(&self, role: RoleName) -> Option<String> {
        self.command(role).map(|command| command.replace("{port}", "\"$PORT\""))
    }
}

/// The command of a script, by its ending.
fn script(name: &str) -> String {
    let program = if name.ends_with(".py") { "python3" } else { "node" };
    format!("{program} {name}")
}

/// What package.json starts: its script `start`, or its main file.
fn package(path: &Path) -> Option<String> {
    // Nothing waits for the writer of a pipe.
    let text = path.is_file().then(|| input::text(path, SMALL_FILE).ok())??;
    let package: Value = serde_json::from_str(&text).ok()?;
    if package["scripts"]["start"].is_string() {
        return Some("npm start".to_owned());
    }
    let main = package["main"].as_str()?;
    let is_plain = main.chars().all(|one| one.is_ascii_alphanumeric() || "./_-".contains(one));
    (is_plain && path.parent()?.join(main).is_file()).then(|| format!("node {main}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::fs;

    use super::{Found, RoleName};

    #[test]
    fn files_suggest_how_a_program_is_started() {
        let start = r#"{"scripts":{"start":"node x"},"main":"a.js"}"#;
        for (files, command) in [
            (&[][..], None),
            (&[("package.json", start), ("server.mjs", "")], Some("npm start")),
            (&[("package.json", r#"{"main":"lib/a.js"}"#), ("lib/a.js", "")], Some("node lib/a.js")),
            (&[("package.json", r#"{"main":"gone.js"}"#), ("index.js", "")], Some("node index.js")),
            (&[("package.json", "{"), ("server.js", "")], Some("node server.js")),
            (&[("package.json", r#"{"main":"a b.js"}"#), ("a b.js", "")], None),
            (&[("manage.py", "")], Some("python3 manage.py runserver --noreload {port}")),
            (&[("app.py", ""), ("go.mod", "")], Some("python3 app.py")),
            (&[("go.mod", "")], Some("go run .")),
            (&[("Cargo.toml", "")], Some("cargo run --quiet")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            let found = Found::of(folder.path());
            assert_eq!(found.command(RoleName::Receiver).as_deref(), command, "{files:?}");
            assert_eq!((found.command(RoleName::Sender), found.ci), (None, None), "{files:?}");
        }
    }
}
