//! What the processes of a program use: processor time and memory, where the system says it of others: on Linux.

use std::iter::Sum;
use std::time::Duration;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

/// The time that processors spent on these processes since they started, in user and in system mode, including that of threads
/// that have ended. `None` without a process, if one has ended, or where the system does not say it.
pub fn processor_time(processes: &[i32]) -> Option<Duration> {
    sum(processes, system::processor)
}

/// Their resident memory now, in bytes; what several of them share counts several times. `None` as above.
pub fn resident_memory(processes: &[i32]) -> Option<u64> {
    sum(processes, system::memory)
}

fn sum<T: Sum>(processes: &[i32], of: fn(i32) -> Option<T>) -> Option<T> {
    (!processes.is_empty()).then(|| processes.iter().map(|id| of(*id)).sum())?
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

/// Other systems do not say it in one way.
#[cfg(not(target_os = "linux"))]
mod other {
    use std::time::Duration;

    pub(super) fn processor(_id: i32) -> Option<Duration> {
        None
    }

    pub(super) fn memory(_id: i32) -> Option<u64> {
        None
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
        let before = processor_time(&own).unwrap();
        let mut sum = 0_u64;
        while processor_time(&own).unwrap() < before + Duration::from_millis(3) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(resident_memory(&own).unwrap() > 1 << 20);
        assert_eq!((processor_time(&[]), resident_memory(&[])), (None, None));
        // Linux gives no id above 4,194,304.
        let with_other = [own[0], 1 << 23];
        assert_eq!(
            (processor_time(&with_other), resident_memory(&with_other)),
            (None, None),
            "no such process"
        );
    }
}
