//! The options of commands that drive a Twenty by its REST API.
//!
//! Invariant: the key is treated as a secret: it is in no output, and a command that is printed has its file at most.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::headings::TARGET;
use super::messages;
use super::messages::SecretWord;
use super::options;
use super::outputs::Input;
use crate::error::Error;
use crate::shell::word;
use crate::webhook::signature::Secret;
use crate::wire::endpoint::scripted::Place;

/// How a Twenty is reached, and how it reaches this machine.
#[derive(Debug, Args)]
#[command(next_help_heading = TARGET)]
pub(super) struct TwentyOptions {
    /// With --twenty, use this API key, which Twenty makes in its settings [env: TWENTY_API_KEY]
    #[arg(long, value_name = "KEY", requires = "twenty", conflicts_with = "api_key_file")]
    api_key: Option<String>,
    /// With --twenty, read the API key from a file; a line break at its end is ignored
    #[arg(long, value_name = "FILE", requires = "twenty")]
    api_key_file: Option<PathBuf>,
    /// With --twenty, the host by which Twenty reaches this machine; unless it is loopback, endpoints listen on all addresses
    #[arg(long, value_name = "HOST", requires = "twenty", default_value = "127.0.0.1")]
    endpoint_host: Place,
}

impl TwentyOptions {
    /// The host by which Twenty reaches this machine.
    pub(super) fn place(&self) -> &Place {
        &self.endpoint_host
    }

    /// The key. It is redacted in all later output of the console.
    ///
    /// Errors: none is given, its file cannot be read, it is empty, or no header can have it.
    pub(super) fn key(&self, console: &mut Console) -> Result<Secret, Error> {
        let given = (self.api_key.as_deref(), self.api_key_file.as_deref());
        let key = options::read_secret(given, SecretWord::Key, console)?;
        let key = key.ok_or_else(|| Error::Usage(messages::twenty::key_is_missing().to_owned()))?;
        if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Usage(messages::twenty::key_is_no_token(self.file())));
        }
        Ok(key)
    }

    /// Errors: one of them is given without --twenty.
    pub(super) fn refused(&self) -> Result<(), Error> {
        let key = self.api_key.as_ref().map(|_| "--api-key");
        let file = || self.api_key_file.as_ref().map(|_| "--api-key-file");
        let host = || (self.endpoint_host != Place::default()).then_some("--endpoint-host");
        refuse(key.or_else(file).or_else(host))
    }

    fn file(&self) -> Option<&Path> {
        self.api_key_file.as_deref().filter(|_| self.api_key.is_none())
    }

    /// The options as words of a command line, each after a blank, without a key that stands on it; `None` if a shell cannot pass
    /// them.
    pub(super) fn words(&self) -> Option<String> {
        let mut words = String::new();
        if let Some(file) = self.file() {
            words.push_str(&format!(" --api-key-file {}", word(file.to_str()?.as_bytes())?));
        }
        if self.endpoint_host != Place::default() {
            words.push_str(&format!(" --endpoint-host {}", word(self.endpoint_host.host().as_bytes())?));
        }
        Some(words)
    }

    /// The file of the key, if one is given.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.api_key_file.iter().map(|path| Input::of("--api-key-file", path)).collect()
    }
}

/// Errors: this option is given, and is about a Twenty.
pub(super) fn refuse(option: Option<&str>) -> Result<(), Error> {
    option.map_or(Ok(()), |option| Err(Error::Usage(messages::twenty::needs_twenty(option))))
}
