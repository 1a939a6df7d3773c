//! How a program under test is started: its command as written, and its environment, folder and port.
//!
//! Invariant: what is shown is the command as it was written, never the secret that it gets.

use std::path::{Path, PathBuf};

use super::heard::Listener;
use crate::shell::{line, split};

/// What is replaced by the port, and by the secret.
const PORT: &str = "{port}";
const SECRET: &str = "{secret}";

/// Programs that replace `$PORT` themselves.
const SHELLS: [&str; 11] =
    ["sh", "bash", "dash", "zsh", "ksh", "fish", "ash", "busybox", "cmd", "powershell", "pwsh"];

/// A command with what it is started with.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    command: String,
    environment: Vec<(String, String)>,
    folder: Option<PathBuf>,
    port: Option<u16>,
    listener: Option<Listener>,
}

impl Launch {
    /// A command that is split into words by the rules of this system, without expansion.
    pub fn of(command: impl Into<String>) -> Self {
        Self { command: command.into(), ..Self::default() }
    }

    /// Adds variables to its environment.
    #[must_use]
    pub fn with_environment(self, environment: &[(String, String)]) -> Self {
        Self { environment: environment.to_owned(), ..self }
    }

    /// Starts it in this folder, if there is one.
    #[must_use]
    pub fn in_folder(self, folder: Option<&Path>) -> Self {
        Self { folder: folder.map(Path::to_owned), ..self }
    }

    /// Has it listen on this port, if there is one, or else on a free one.
    #[must_use]
    pub fn on_port(self, port: Option<u16>) -> Self {
        Self { port, ..self }
    }

    /// Has this listener hear what it writes, if there is one.
    #[must_use]
    pub fn heard_by(self, listener: Option<Listener>) -> Self {
        Self { listener, ..self }
    }

    /// Who hears what it writes.
    pub(super) fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// The port that was asked for.
    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The folder to start it in, if not the current one.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Its variables, with their values as `filled` returns them, after these, which they override.
    pub(super) fn environment<'a>(
        &'a self,
        usual: &[(&'a str, String)],
        filled: &dyn Fn(&str) -> String,
    ) -> Vec<(&'a str, String)> {
        let own = self.environment.iter().map(|(name, value)| (name.as_str(), filled(value)));
        // Of two values of a variable, the last one counts.
        usual.iter().cloned().chain(own).collect()
    }

    /// The command line that starts the receiver by hand; `None` if it cannot be written. It has neither the secret nor the values
    /// of variables.
    pub(super) fn by_hand(&self, port: u16) -> Option<String> {
        let words = split(&self.command)?;
        let words: Vec<String> = words.iter().map(|word| fill(word, &port.to_string(), "…")).collect();
        let port = port.to_string();
        let usual = [("PORT", &*port), ("TWENTY_WEBHOOK_SECRET", "…")];
        let own = self.environment.iter().map(|(name, _)| (name.as_str(), "…"));
        let folder = match &self.folder {
            Some(folder) => Some(folder.to_str()?),
            None => None,
        };
        line(folder, usual.into_iter().chain(own), &words)
    }

    /// The names of the files that its arguments may be.
    pub(super) fn names(&self) -> Vec<String> {
        let words = split(&self.command).unwrap_or_default();
        let arguments = words.iter().skip(1).filter(|word| !word.starts_with('-'));
        let names = arguments.filter_map(|word| Path::new(word).file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    /// The first variable of the shell in the command, such as `$PORT`, that nothing replaces.
    pub(super) fn unreplaced(&self) -> Option<&'static str> {
        let words = split(&self.command)?;
        let is_shell = |word: &String| {
            let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
            SHELLS.contains(&name.trim_end_matches(".exe"))
        };
        if words.iter().any(is_shell) {
            return None;
        }
        let variables = ["$PORT", "${PORT}", "$TWENTY_WEBHOOK_SECRET", "${TWENTY_WEBHOOK_SECRET}"];
        variables.into_iter().find(|name| words.iter().any(|word| word.contains(name)))
    }
}

/// A text with the port and the secret in their places. What is put in is not searched again.
pub(super) fn fill(text: &str, port: &str, secret: &str) -> String {
    let parts: Vec<String> = text.split(SECRET).map(|part| part.replace(PORT, port)).collect();
    parts.join(secret)
}

#[cfg(test)]
mod tests {
    use super::{Launch, fill};

    #[test]
    fn fills_in_the_port_and_the_secret_once() {
        assert_eq!(
            fill("--port={port} -s {secret}{secret}", "1234", "{port}'x"),
            "--port=1234 -s {port}'x{port}'x"
        );
        assert_eq!(fill("{ports} {Port} $PORT", "1", "2"), "{ports} {Port} $PORT");
    }

    #[test]
    fn variables_of_a_shell_are_found_where_no_shell_runs() {
        for (command, expected) in [
            ("node app.js --port $PORT", Some("$PORT")),
            ("node app.js --port=${PORT}", Some("${PORT}")),
            ("app -s '$TWENTY_WEBHOOK_SECRET'", Some("$TWENTY_WEBHOOK_SECRET")),
            ("sh -c 'node app.js $PORT'", None),
            ("env A=1 /bin/bash -c 'node app.js $PORT'", None),
            ("node app.js {port}", None),
        ] {
            assert_eq!(Launch::of(command).unreplaced(), expected, "{command}");
        }
    }

    #[test]
    fn command_by_hand_has_no_secret_and_no_value() {
        let launch = Launch::of("app '{port}' -s {secret}")
            .with_environment(&[("DATABASE".to_owned(), "hidden".to_owned())])
            .in_folder(Some("my app".as_ref()));
        let again = launch.by_hand(1234);
        assert_eq!(
            again.as_deref(),
            Some("cd 'my app' && PORT=1234 TWENTY_WEBHOOK_SECRET=… DATABASE=… app 1234 -s '…'")
        );
    }
}
