//! How much of its exchanges a failure may show, so that the page of a run with any number of failures stays small.

/// How long the page may be, in bytes.
pub(super) const PAGE: usize = 950 * 1000;

/// How much all failures may show together.
const EXCHANGES: usize = 420 * 1000;

/// How many bytes each part of a failure shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Of a message as text.
    pub(super) text: usize,
    /// Of a message as hexadecimal digits, which take about five times as much of the page.
    pub(super) digits: usize,
    /// Of a body in which differences are marked.
    pub(super) compared: usize,
    /// How long a command may be that is shown.
    pub(super) command: usize,
    /// How many further exchanges are shown.
    pub(super) further: usize,
}

impl Room {
    /// The room of each of so many failures. With every `attempt` it is half of the last one.
    pub(super) fn of(failures: usize, attempt: u32) -> Self {
        let each = (EXCHANGES >> attempt) / failures.max(1);
        let share = |part: usize, least: usize, most: usize| (each / part).clamp(least, most);
        Self {
            text: share(8, 200, 16 * 1024),
            digits: share(16, 64, 4 * 1024),
            compared: share(8, 160, 4 * 1024),
            command: share(2, 400, 4000),
            further: share(4000, 0, 6),
        }
    }
}
