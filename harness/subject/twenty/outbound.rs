//! Which settings keep a Twenty from delivering to an endpoint nearby, and how to change them, by its version.
//!
//! Twenty refuses private addresses silently: the webhook is registered, and nothing arrives.

mod messages;

use super::api::Version;

/// What a version has against deliveries to private addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing.
    Absent,
    /// A switch for all of them.
    SafeMode,
    /// A list of hosts that are allowed.
    AllowedHosts,
    /// The version is not known, or none that was looked at.
    Unknown,
}

impl Guard {
    fn of(version: &Version) -> Self {
        let text = version.0.as_deref().unwrap_or_default().trim_start_matches('v');
        let mut numbers = text.split(['.', '-']).map(|part| part.parse::<u32>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(0), _) => Self::Absent,
            (Some(2), Some(minor)) if minor <= 31 => Self::SafeMode,
            (Some(2), Some(_)) => Self::AllowedHosts,
            (Some(major), _) if major > 2 => Self::AllowedHosts,
            _ => Self::Unknown,
        }
    }
}

/// What to do if no delivery arrives: what helps most often comes first. `host` is how Twenty reaches the endpoints, and `is_loopback`
/// is whether that is this machine alone.
pub fn fixes(version: &Version, host: &str, is_loopback: bool) -> Vec<String> {
    let setting = match Guard::of(version) {
        Guard::Absent => None,
        Guard::SafeMode => Some(messages::switch_off_safe_mode()),
        Guard::AllowedHosts => Some(messages::allow_host(host)),
        Guard::Unknown => Some(messages::either(host)),
    };
    let way = if is_loopback { messages::give_a_host() } else { messages::check_host(host) };
    setting.into_iter().chain([way, messages::start_the_worker()]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Guard, Version, fixes};

    #[test]
    fn settings_are_those_of_the_version() {
        for (version, guard) in [
            (Some("0.50.0"), Guard::Absent),
            (Some("2.31.0"), Guard::SafeMode),
            (Some("v2.31"), Guard::SafeMode),
            (Some("2.32.0-rc.1"), Guard::AllowedHosts),
            (Some("3.0"), Guard::AllowedHosts),
            (Some("1.12.0"), Guard::Unknown),
            (Some("nightly"), Guard::Unknown),
            (None, Guard::Unknown),
        ] {
            assert_eq!(Guard::of(&Version(version.map(str::to_owned))), guard, "{version:?}");
        }
        let of = |version: &str, host| fixes(&Version(Some(version.to_owned())), host, host == "127.0.0.1");
        assert!(of("2.31.0", "127.0.0.1")[0].contains("OUTBOUND_HTTP_SAFE_MODE_ENABLED=false"));
        assert!(of("2.40.0", "10.0.0.7")[0].contains("OUTBOUND_HTTP_ALLOWED_INTERNAL_HOSTS=10.0.0.7"));
        assert!(of("2.31.0", "127.0.0.1")[1].contains("--endpoint-host"));
        assert!(of("0.50.0", "10.0.0.7").iter().all(|fix| !fix.contains("OUTBOUND_HTTP")));
    }
}
