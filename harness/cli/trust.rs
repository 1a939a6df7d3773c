//! The options that say whose certificate a peer behind `https` may show.
//!
//! Invariant: the certificate is looked at unless `--insecure` was asked for, and that is said on stderr.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::environment::{set, variable};
use crate::error::Error;
use crate::wire::client::Target;
use crate::wire::endpoint::certificates::Authority;
use crate::wire::exchange::Trust;

/// The variable that names a file of certificates: of receivers to this program, and of its endpoints to a sender.
pub(super) const AUTHORITY: &str = "TWENTY_CONFORM_CA";
/// Where systems keep the certificates that they trust, as OpenSSL and what follows its variable look for them.
const SYSTEM_STORES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

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
            (None, true) => Trust::Anybody,
            // Variables may be set for many runs, those that have no certificate to look at among them.
            (None, false) if !is_https(url) => Trust::System,
            (None, false) => from_environment()?,
        };
        let target = Target::trusting(url, trust).map_err(Error::Usage)?;
        if target.trust() == Trust::Anybody {
            console.tell(&format!("the certificate of {} is not looked at (--insecure)", target.address()));
        }
        Ok(target)
    }
}

/// What a sender that is started finds in its environment, so that it trusts the endpoints behind HTTPS: the authority's
/// file under our own name, and under the names that runtimes look at by themselves. Those stand for what was trusted
/// before, too: the command may fetch its dependencies, or talk to others, before it sends anything to us.
///
/// Where the authority cannot be made nothing is set; the run says so itself.
pub(super) fn environment(authority: &Authority) -> Vec<(&'static str, String)> {
    let Ok(file) = authority.file() else { return Vec::new() };
    // Node adds these to its own.
    let node = match set("NODE_EXTRA_CA_CERTS").map(PathBuf::from) {
        None => Some(file.to_owned()),
        Some(known) => authority.behind(&known, "node.pem").ok(),
    };
    // OpenSSL (Python, PHP, Ruby), Go and rustls read this one in the place of the system's.
    let system = || SYSTEM_STORES.into_iter().map(Path::new).find(|file| file.is_file()).map(Path::to_owned);
    let openssl = set("SSL_CERT_FILE").map(PathBuf::from).or_else(system);
    let openssl = openssl.and_then(|known| authority.behind(&known, "system.pem").ok());
    let all = [(AUTHORITY, Some(file.to_owned())), ("NODE_EXTRA_CA_CERTS", node), ("SSL_CERT_FILE", openssl)];
    all.into_iter().filter_map(|(name, file)| Some((name, file?.to_str()?.to_owned()))).collect()
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
        (None, true) => Ok(Trust::Anybody),
        (None, false) => Ok(Trust::System),
    }
}
