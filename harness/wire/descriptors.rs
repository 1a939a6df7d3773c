//! How many sockets the system allows this process, and how to get more.

#[cfg(unix)]
use super::messages;

/// Files that the process opens in addition to these sockets.
#[cfg(unix)]
const OTHER_FILES: usize = 64;

/// Raises the limit on open files for this many sockets, as far as the system allows.
///
/// Errors: the system does not allow that many.
#[cfg(unix)]
pub fn allow(sockets: usize) -> Result<(), String> {
    match raise(sockets) {
        Some((needed, soft, hard)) if soft < needed => Err(messages::too_many_files(needed, soft, hard)),
        _ => Ok(()),
    }
}

/// Raises the limit on open files for this many sockets. Returns how many of them the system allows, at least one.
#[cfg(unix)]
pub fn allowed(sockets: usize) -> usize {
    match raise(sockets) {
        Some((needed, soft, _)) if soft < needed => {
            let soft = usize::try_from(soft).unwrap_or(usize::MAX);
            soft.saturating_sub(OTHER_FILES).clamp(1, sockets)
        }
        _ => sockets,
    }
}

/// Raises the limit for this many sockets, or to the hard limit. Returns how many files are needed, and both limits; `None` if
/// the limits cannot be read: opening a socket will show them.
#[cfg(unix)]
fn raise(sockets: usize) -> Option<(u64, u64, u64)> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let needed = (sockets.saturating_add(OTHER_FILES)) as u64;
    let wanted = needed.min(hard);
    if soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() {
        return Some((needed, wanted, hard));
    }
    Some((needed, soft, hard))
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub fn allow(_sockets: usize) -> Result<(), String> {
    Ok(())
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub fn allowed(sockets: usize) -> usize {
    sockets
}
