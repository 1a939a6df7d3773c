//! The table of processes, as the system shows it: who started whom, and who is in which group.
//!
//! Invariant: a process that ends or may not be read while the table is made is left out.

use std::collections::BTreeSet;

/// The variable that marks the processes of a command. Children inherit it, in other groups and sessions too.
pub const MARK: &str = "TWENTY_CONFORM_SUBJECT";

/// A running process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// It has ended, and its parent has not asked how.
    pub(super) has_ended: bool,
    /// The words of its variable [`MARK`].
    pub(super) marks: Vec<String>,
}

/// The running processes among `roots` and all that they started, directly or not.
pub(super) fn with_descendants(table: &[Entry], is_root: impl Fn(&Entry) -> bool) -> Vec<i32> {
    let mut found: BTreeSet<i32> = table.iter().filter(|one| is_root(one)).map(|one| one.id).collect();
    loop {
        let known = found.len();
        found.extend(
            table.iter().filter(|one| found.contains(&one.parent)).map(|one| one.id).collect::<Vec<_>>(),
        );
        if found.len() == known {
            break;
        }
    }
    let is_found = |one: &&Entry| !one.has_ended && found.contains(&one.id);
    table.iter().filter(is_found).map(|one| one.id).collect()
}

#[cfg(target_os = "linux")]
pub(super) use linux::{children, own_start, processes};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{own_start, processes};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::sync::OnceLock;

    use super::{Entry, MARK};

    /// When this process started, in ticks since the system did. With its id, this names it among all processes.
    pub(in super::super) fn own_start() -> u64 {
        static START: OnceLock<u64> = OnceLock::new();
        *START.get_or_init(|| stat("self").map_or(0, |(_, start)| start))
    }

    /// The processes that did not start before `since`, in the same ticks.
    pub(in super::super) fn processes(since: u64) -> Vec<Entry> {
        let Ok(folders) = fs::read_dir("/proc") else { return Vec::new() };
        let names = folders.flatten().filter_map(|folder| folder.file_name().into_string().ok());
        let ids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        ids.filter_map(|id| {
            let (mut entry, start) = stat(&id)?;
            if start < since {
                return None;
            }
            entry.marks = marks(&fs::read(format!("/proc/{id}/environ")).unwrap_or_default());
            Some(entry)
        })
        .collect()
    }

    /// The processes whose parent is this one, ended ones too. `None`: this kernel does not say.
    pub(in super::super) fn children() -> Option<Vec<i32>> {
        fs::metadata("/proc/thread-self/children").ok()?;
        let threads = fs::read_dir("/proc/self/task").ok()?;
        let of = |thread: fs::DirEntry| {
            // A thread that ends meanwhile gives its children to another.
            fs::read_to_string(thread.path().join("children")).unwrap_or_default()
        };
        let text: String = threads.flatten().map(of).collect();
        Some(text.split_whitespace().filter_map(|id| id.parse().ok()).collect())
    }

    /// A process and when it started.
    fn stat(id: &str) -> Option<(Entry, u64)> {
        parse(&fs::read(format!("/proc/{id}/stat")).ok()?)
    }

    pub(super) fn parse(stat: &[u8]) -> Option<(Entry, u64)> {
        let stat = String::from_utf8_lossy(stat);
        let (id, _) = stat.split_once(' ')?;
        // The name in parentheses may contain spaces and parentheses.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse().ok();
        let has_ended = matches!(*fields.first()?, "Z" | "X");
        let entry = Entry {
            id: id.parse().ok()?,
            parent: number(1)?,
            group: number(2)?,
            has_ended,
            marks: Vec::new(),
        };
        Some((entry, fields.get(19)?.parse().ok()?))
    }

    pub(super) fn marks(environment: &[u8]) -> Vec<String> {
        let value = |variable: &[u8]| {
            let text = variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
            Some(String::from_utf8_lossy(text).into_owned())
        };
        let value = environment.split(|byte| *byte == 0).find_map(value).unwrap_or_default();
        value.split_whitespace().map(str::to_owned).collect()
    }
}

#[cfg(any(not(target_os = "linux"), test))]
mod other {
    use std::process::{Command, Stdio};

    use super::Entry;

    /// Other systems do not say it in a way that is worth reading; ids are not reused soon.
    #[cfg(not(target_os = "linux"))]
    pub(in super::super) fn own_start() -> u64 {
        0
    }

    /// All processes. The environment of others cannot be read in one way on all systems, so none has a mark.
    pub(in super::super) fn processes(_since: u64) -> Vec<Entry> {
        let columns = ["-A", "-o", "pid=", "-o", "ppid=", "-o", "pgid=", "-o", "stat="];
        let output = Command::new("ps").args(columns).stdin(Stdio::null()).stderr(Stdio::null()).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.unwrap_or_default().lines().filter_map(parse).collect()
    }

    fn parse(line: &str) -> Option<Entry> {
        let mut words = line.split_whitespace();
        let mut number = || words.next()?.parse().ok();
        let (id, parent, group) = (number()?, number()?, number()?);
        let has_ended = words.next()?.starts_with('Z');
        Some(Entry { id, parent, group, has_ended, marks: Vec::new() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn entry(id: i32, parent: i32, group: i32) -> Entry {
        Entry { id, parent, group, ..Entry::default() }
    }

    #[test]
    fn descendants_are_found_in_any_order_and_ended_ones_are_not_named() {
        let mut table = vec![entry(9, 8, 9), entry(8, 5, 5), entry(5, 1, 5), entry(6, 1, 6), entry(7, 5, 5)];
        table[4].has_ended = true;
        assert_eq!(with_descendants(&table, |one| one.id == 5), [9, 8, 5]);
        assert_eq!(with_descendants(&table, |_| false), [0; 0]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn reads_names_with_parentheses_and_words_of_marks() {
        let stat = b"41 (a) Z 9 (b)) S 40 39 38 0 -1 4 5 6 7 8 9 10 11 12 13 14 15 16 1234 18";
        assert_eq!(linux::parse(stat), Some((entry(41, 40, 39), 1234)));
        assert_eq!(linux::parse(b"41 (cut) S 40"), None);
        let environment = b"A=1\0TWENTY_CONFORM_SUBJECTS=x\0TWENTY_CONFORM_SUBJECT=1-2.3 4-5.6\0B=\0";
        assert_eq!(linux::marks(environment), ["1-2.3", "4-5.6"]);
        assert_eq!(linux::marks(b""), [""; 0]);
    }

    /// The way of other systems, on every system that has `ps`.
    #[cfg(unix)]
    #[test]
    fn ps_shows_this_process() {
        let own = i32::try_from(std::process::id()).unwrap();
        let table = other::processes(0);
        let group = nix::unistd::getpgrp().as_raw();
        let parent = nix::unistd::getppid().as_raw();
        assert!(table.is_empty() || table.contains(&entry(own, parent, group)), "{own} is not in {table:?}");
    }
}
