//! The options that say whose certificate a peer behind `https` may show.
//!
//! Invariant: the certificate is looked at unless `--insecure` was asked for, and that is said on stderr.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::environment::variable;
use crate::error::Error;
use crate::wire::client::Target;
use crate::wire::exchange::Trust;

/// Whose certificate is taken.
#[derive(Debug, Default, Args)]
pub(super) struct TrustOptions {
    /// A PEM file of the certificates that are trusted in the place of the system's, for https
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Do not look at the certificate, for https
    #[arg(long)]
    insecure: bool,
}

impl TrustOptions {
    /// Whether any of them stands on the command line.
    pub(super) fn given(&self) -> bool {
        self.ca.is_some() || self.insecure
    }

    /// The target of a URL. Errors: a malformed URL, a file without certificates, one of these options for a URL that is
    /// not `https`.
    pub(super) fn target(&self, url: &str, console: &mut Console) -> Result<Target, Error> {
        let trust = match (&self.ca, self.insecure) {
            (Some(path), _) => Trust::File(path.clone()),
            (None, true) => Trust::Any,
            // Variables may be set for many runs, those that have no certificate to look at among them.
            (None, false) if !is_https(url) => Trust::System,
            (None, false) => from_environment()?,
        };
        let target = Target::trusting(url, trust).map_err(Error::Usage)?;
        if target.trust() == Trust::Any {
            console.tell(&format!("the certificate of {} is not looked at (--insecure)", target.address()));
        }
        Ok(target)
    }
}

fn is_https(url: &str) -> bool {
    url.split(':').next().is_some_and(|scheme| scheme.trim_start().eq_ignore_ascii_case("https"))
}

fn from_environment() -> Result<Trust, Error> {
    let insecure = match variable("insecure").map(|value| value.to_string_lossy().to_lowercase()) {
        None => false,
        Some(value) => match value.as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => true,
            "0" | "false" | "f" | "no" | "n" | "off" => false,
            _ => {
                return Err(Error::Usage(format!(
                    "TWENTY_CONFORM_INSECURE is {value:?}; it must be true or false"
                )));
            }
        },
    };
    match (variable("ca"), insecure) {
        (Some(_), true) => Err(Error::Usage(
            "TWENTY_CONFORM_CA and TWENTY_CONFORM_INSECURE exclude each other; unset one of them".to_owned(),
        )),
        (Some(path), false) => Ok(Trust::File(path.into())),
        (None, true) => Ok(Trust::Any),
        (None, false) => Ok(Trust::System),
    }
}
