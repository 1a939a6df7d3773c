//! How many connections the system lets this process have.

/// What the process has open besides the connections of a load.
#[cfg(unix)]
const BESIDE: usize = 64;

/// Makes sure that there may be so many sockets, raising the limit as far as the system allows.
///
/// Errors: it does not allow that many.
#[cfg(unix)]
pub fn allow(sockets: usize) -> Result<(), String> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // Where the limit cannot be read, whatever it does will show.
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    let needed = (sockets + BESIDE) as u64;
    if soft >= needed {
        return Ok(());
    }
    if hard >= needed && setrlimit(Resource::RLIMIT_NOFILE, needed, hard).is_ok() {
        return Ok(());
    }
    Err(too_low(needed, soft, hard))
}

/// Elsewhere there is no such limit to be raised.
#[cfg(not(unix))]
pub fn allow(_sockets: usize) -> Result<(), String> {
    Ok(())
}

#[cfg(unix)]
fn too_low(needed: u64, soft: u64, hard: u64) -> String {
    format!(
        "the system allows this process {soft} open files, and at most {hard}; the load needs {needed}: give fewer \
         connections (--concurrency), or raise the limit (ulimit -n {needed}, as root for more than {hard})"
    )
}
