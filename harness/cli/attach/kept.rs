//! How the receiver of a run was attached, for a replay that is not told it.
//!
//! Invariant: what the command line of the replay says counts more, and no secret is kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{AttachOptions, Attached};
use crate::cli::console::Console;
use crate::cli::messages::replay as messages;
use crate::cli::trust::TrustOptions;
use crate::duration::milliseconds;
use crate::error::Error;
use crate::redaction::Redaction;
use crate::report::last_runs::{Attached as Kept, SecretOrigin};

impl AttachOptions {
    /// What to keep of them.
    pub(in crate::cli) fn kept(&self, trust: &TrustOptions) -> Kept {
        let (url, exec) = match self.attached() {
            Some(Attached::Url(url)) => (Some(url), None),
            Some(Attached::Exec(exec)) => (None, Some(exec)),
            None => (None, None),
        };
        Kept {
            url,
            exec,
            env: self.launch.env.clone(),
            cwd: self.launch.cwd.as_deref().map(absolute),
            port: self.port,
            ready_timeout_ms: milliseconds(self.ready_timeout),
            allow_remote: self.allow_remote,
            ca: trust.ca.as_deref().map(absolute),
            insecure: trust.insecure,
            secret: self.secret.origin(),
        }
    }

    /// Takes the receiver of the run, unless the command line names another one.
    ///
    /// Errors: the secret is needed again, or cannot be read.
    pub(in crate::cli) fn keep_to(
        &mut self,
        kept: &Kept,
        trust: &mut TrustOptions,
        console: &mut Console,
    ) -> Result<(), Error> {
        if self.url.is_some() || self.exec.is_some() {
            return Ok(());
        }
        if let (SecretOrigin::File(path), false) = (&kept.secret, self.secret.given()) {
            self.secret.use_file(path);
        }
        let secret = self.secret.read(console)?;
        if secret.is_none() && kept.secret != SecretOrigin::Made {
            return Err(Error::Usage(messages::give_the_secret_again().to_owned()));
        }
        let Kept { url, exec, env, cwd, port, .. } = kept.clone().restored(&Redaction::new(&secret));
        (self.url, self.exec) = (url, exec);
        if self.exec.is_some() {
            if self.launch.env.is_empty() {
                self.launch.env = env;
            }
            self.launch.cwd = self.launch.cwd.take().or(cwd);
            self.port = self.port.or(port);
        }
        // At least as long as the run waited.
        self.ready_timeout = self.ready_timeout.max(Duration::from_millis(kept.ready_timeout_ms));
        self.allow_remote |= kept.allow_remote;
        if !trust.given() {
            (trust.ca, trust.insecure) = (kept.ca.clone(), kept.insecure);
        }
        Ok(())
    }
}

/// The path from anywhere, so that it is the same for a later replay.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
