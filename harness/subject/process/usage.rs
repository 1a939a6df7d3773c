//! What the processes of a program use: processor time and memory, where the system says it of others: on Linux.

use std::time::Duration;

/// What some processes have used since they started, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The time that processors spent on them, in user and in system mode, including that of threads that have ended.
    pub processor: Duration,
    /// Their resident memory now, in bytes. What several of them share counts several times.
    pub memory: u64,
}

impl Usage {
    /// What these processes have used; `None` if one of them has ended, or where the system does not say it.
    #[cfg(target_os = "linux")]
    pub fn of(processes: &[i32]) -> Option<Self> {
        let none = Self { processor: Duration::ZERO, memory: 0 };
        let add = |sum: Self, id: &i32| {
            let (processor, memory) = (linux::processor(*id)?, linux::memory(*id)?);
            Some(Self { processor: sum.processor + processor, memory: sum.memory + memory })
        };
        (!processes.is_empty()).then(|| processes.iter().try_fold(none, add))?
    }

    #[cfg(not(target_os = "linux"))]
    pub fn of(_processes: &[i32]) -> Option<Self> {
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::time::Duration;

    use nix::time::clock_getcpuclockid;
    use nix::unistd::Pid;

    /// In nanoseconds. The times in `/proc/PID/stat` have hundredths of a second, which is too coarse for a load.
    pub(super) fn processor(id: i32) -> Option<Duration> {
        Some(clock_getcpuclockid(Pid::from_raw(id)).ok()?.now().ok()?.into())
    }

    pub(super) fn memory(id: i32) -> Option<u64> {
        parse(&fs::read_to_string(format!("/proc/{id}/status")).ok()?)
    }

    /// A process that has ended and whose parent has not asked how has no such line.
    pub(super) fn parse(status: &str) -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn reads_the_resident_memory() {
        assert_eq!(linux::parse("Name:\ta\nVmHWM:\t  9 kB\nVmRSS:\t   12 kB\n"), Some(12 * 1024));
        assert_eq!(linux::parse("Name:\ta\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn processor_time_of_this_process_grows_with_its_work() {
        let own = [i32::try_from(std::process::id()).unwrap()];
        let before = Usage::of(&own).unwrap();
        let mut sum = 0_u64;
        while Usage::of(&own).unwrap().processor < before.processor + Duration::from_millis(3) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(before.memory > 1 << 20, "{before:?}");
        assert_eq!(Usage::of(&[]), None);
        assert_eq!(Usage::of(&[own[0], i32::MAX]), None, "no such process");
    }
}
