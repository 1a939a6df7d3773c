//! The options that decide which certificates are trusted for `https`.
//!
//! Invariant: certificates are verified unless `--insecure` is given, and then a note on stderr says so.

use std::path::PathBuf;

use clap::Args;

use super::console::Console;
use super::headings::TLS;
use super::messages;
use super::outputs::Input;
use crate::error::Error;
use crate::shell::word;
use crate::wire::client::Target;
use crate::wire::exchange::Trust;

/// Which certificates are trusted.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = TLS)]
pub(super) struct TrustOptions {
    /// Trust the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(super) ca: Option<PathBuf>,
    /// Do not verify the certificate of an https URL
    #[arg(long)]
    pub(super) insecure: bool,
}

impl TrustOptions {
    /// Whether the command line has one of them.
    pub(super) fn given(&self) -> bool {
        self.ca.is_some() || self.insecure
    }

    /// The options as words of a command line, each after a blank; `None` if a shell cannot pass them.
    pub(super) fn words(&self) -> Option<String> {
        match &self.ca {
            Some(path) => Some(format!(" --ca {}", word(path.to_str()?.as_bytes())?)),
            None if self.insecure => Some(" --insecure".to_owned()),
            None => Some(String::new()),
        }
    }

    /// The file of the certificates, if one is given.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.ca.iter().map(|path| Input::of("--ca", path)).collect()
    }

    /// The target of a URL. Errors: the URL is malformed, the file has no certificates, or one of these options is given for a
    /// URL that is not `https`.
    pub(super) fn target(&self, url: &str, console: &mut Console) -> Result<Target, Error> {
        let with_scheme = with_scheme(url);
        if let Some(full) = &with_scheme {
            console.note(&messages::scheme_is_missing(url, full));
        }
        let url = with_scheme.as_deref().unwrap_or(url);
        let trust = match (&self.ca, self.insecure) {
            (Some(path), _) => Trust::File(path.clone()),
            (None, true) => Trust::Any,
            (None, false) => Trust::System,
        };
        let target = Target::trusting(url, trust).map_err(Error::Usage)?;
        if target.trust() == Trust::Any {
            console.note(&messages::certificate_is_not_verified(&target.address()));
        }
        Ok(target)
    }
}

/// The URL with `http`, if only a host, and perhaps a port and a path, is given.
fn with_scheme(url: &str) -> Option<String> {
    let url = url.trim();
    let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    // A number alone is a port that lacks its host, not an address.
    let is_host = (host.contains(['.', '[']) || host.starts_with(|first: char| first.is_ascii_alphabetic()))
        && (!host.contains(':') || host.starts_with('['));
    let is_name =
        is_host && (port.is_some() || host.contains(['.', '[']) || host.eq_ignore_ascii_case("localhost"));
    (is_name && port.is_none_or(is_port)).then(|| format!("http://{url}"))
}

#[cfg(test)]
mod tests {
    use super::with_scheme;

    #[test]
    fn scheme_is_added_to_a_host_alone() {
        for url in [
            "localhost:3000/hooks",
            "localhost",
            "LOCALHOST/x",
            "127.0.0.1:80",
            "[::1]:3000/a:b",
            "[::1]",
            "example.com/a?b=c:d",
            "receiver:3000?url=http://x",
        ] {
            assert_eq!(with_scheme(url), Some(format!("http://{url}")), "{url}");
        }
        for url in [
            "http://localhost:3000",
            "HTTPS://localhost",
            "ftp://localhost/",
            "http:/localhost",
            "http:localhost:3000",
            "mailto:a@b.c",
            "3000",
            ":3000",
            "3000/hooks",
            "/hooks",
            "//localhost/",
            "hooks",
            "",
        ] {
            assert_eq!(with_scheme(url), None, "{url}");
        }
    }
}
