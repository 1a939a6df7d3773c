//! How many connections the system allows this process.

#[cfg(unix)]
use crate::bench::generate::messages;

/// Files that the process opens in addition to the connections of a load.
#[cfg(unix)]
const OTHER_FILES: usize = 64;

/// Raises the limit on open files for this many sockets, as far as the system allows.
///
/// Errors: the system does not allow that many.
#[cfg(unix)]
pub fn allow(sockets: usize) -> Result<(), String> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // If the limit cannot be read, opening a socket will show it.
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    let needed = (sockets + OTHER_FILES) as u64;
    if soft >= needed {
        return Ok(());
    }
    if hard >= needed && setrlimit(Resource::RLIMIT_NOFILE, needed, hard).is_ok() {
        return Ok(());
    }
    Err(messages::too_many_files(needed, soft, hard))
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub fn allow(_sockets: usize) -> Result<(), String> {
    Ok(())
}
