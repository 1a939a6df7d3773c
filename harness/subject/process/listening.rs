//! The ports that processes listen on, where the system shows them as files: on Linux.

/// The ports that these processes listen on, in ascending order.
#[cfg(not(target_os = "linux"))]
pub(super) fn ports(_processes: &[i32]) -> Vec<u16> {
    Vec::new()
}

#[cfg(target_os = "linux")]
pub(super) use linux::ports;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::fs;

    /// The state of a socket that listens, in the tables of sockets.
    const LISTENS: &str = "0A";

    pub(in super::super) fn ports(processes: &[i32]) -> Vec<u16> {
        let sockets: BTreeSet<String> = processes.iter().flat_map(|id| sockets(*id)).collect();
        let table = |name: &str| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
        let found: BTreeSet<u16> =
            [table("tcp"), table("tcp6")].iter().flat_map(|table| listening(table, &sockets)).collect();
        found.into_iter().collect()
    }

    /// The inodes of a process's sockets.
    fn sockets(process: i32) -> Vec<String> {
        let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
        let links = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        links
            .filter_map(|link| {
                let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                Some(inode.to_owned())
            })
            .collect()
    }

    /// The ports of the sockets in a table that listen and are among these.
    pub(super) fn listening(table: &str, sockets: &BTreeSet<String>) -> Vec<u16> {
        let port = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_one = fields.get(3) == Some(&LISTENS) && sockets.contains(*fields.get(9)?);
            let (_, port) = fields.get(1)?.rsplit_once(':')?;
            u16::from_str_radix(port, 16).ok().filter(|_| is_one)
        };
        table.lines().skip(1).filter_map(port).collect()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::linux::listening;
    use super::ports;

    #[test]
    fn finds_the_ports_of_a_process() {
        let own = i32::try_from(std::process::id()).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let found = ports(&[own]);
        assert!(found.contains(&port), "{found:?} has no {port}");
        assert!(!found.contains(&client.local_addr().unwrap().port()), "{found:?} has the client's port");
        assert_eq!(ports(&[]), [0_u16; 0]);
    }

    #[test]
    fn reads_the_tables_of_both_versions() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 42 1 0 100 0\n   \
                     1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 43 1 0 100 0\n   \
                     2: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 \
                     00:00000000 00000000  1000        0 44 1 0 100 0\n   \
                     3: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 45 1 0 100 0\n";
        let sockets = ["42", "43", "44"].map(str::to_owned).into();
        assert_eq!(listening(table, &sockets), [8080, 3000]);
    }
}
