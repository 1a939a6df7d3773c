//! What the API says of a wrong signature, unusable arguments and a missing port.

pub(super) fn signature_mismatch() -> &'static str {
    "the signature does not match"
}

pub(super) fn empty_secret() -> String {
    "the secret is empty".to_owned()
}

pub(super) fn no_secret() -> String {
    "the receiver has no secret; give the one that it verifies with: Receiver::at(url).secret(secret)"
        .to_owned()
}

pub(super) fn the_reference_receiver() -> &'static str {
    "the reference receiver"
}

pub(super) fn path_without_command() -> String {
    "a path is for a receiver that a command starts; with a URL, make it part of it: Receiver::at(\"http://127.0.0.1:3000/webhooks\")"
        .to_owned()
}

/// A path that a receiver cannot have. `why` is a fragment without its subject.
pub(super) fn unusable_path(why: &str) -> String {
    format!("the path {why}")
}

/// The same without its subject, which is the path or the option that gives it.
pub(super) fn path_needs_slash(path: &str) -> String {
    format!(
        "{path:?} must begin with a slash and contain only characters that are valid in a URL; percent-encode others, such as %20 \
         for a space"
    )
}

pub(super) fn no_free_port(why: &std::io::Error) -> String {
    format!("cannot listen on a port of 127.0.0.1: {why}")
}

/// A CRM that took every event and delivered none. `host` is how it reaches this machine.
pub(super) fn nothing_arrived(server: &str, version: Option<&str>, host: &str) -> String {
    let name = version.map_or_else(|| "Twenty".to_owned(), |version| format!("Twenty {version}"));
    format!(
        "{name} at {server} registered the webhooks and changed records, but no delivery arrived at {host}"
    )
}

#[cfg(test)]
mod tests {
    use super::{path_needs_slash, unusable_path};

    #[test]
    fn path_is_named_in_quotes() {
        let words = unusable_path(&path_needs_slash("hooks"));
        assert!(words.starts_with("the path \"hooks\" must begin with a slash"), "{words}");
    }
}
