//! The progress of a run, redrawn in place on a terminal and cleared before the report.
//!
//! Invariant: nothing is drawn where it cannot be cleared, or is not watched: in a file, on a terminal without a cursor, on CI, with `-q`.

use std::env;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::messages;
use crate::suite::requirement::group_of;
use crate::suite::requirements;
use crate::suite::run::Progress;
use crate::suite::scenario::Scenario;

/// How often the time and the count of requests are redrawn.
const PACE: Duration = Duration::from_millis(100);

/// How many requests the runs of this process have recorded.
static REQUESTS: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// The counter of requests that the progress shows, for the options of a run.
pub(super) fn requests() -> Arc<AtomicUsize> {
    REQUESTS.clone()
}

/// The progress of a run, on terminals only: a line for each group of requirements that was tried, and one with the time, the count of
/// requests and what is sent now.
pub(super) struct ProgressLine(Option<Shown>);

struct Shown {
    lines: MultiProgress,
    /// The last line.
    now: ProgressBar,
    tried: Mutex<Tried>,
}

/// What was tried until now.
#[derive(Default)]
struct Tried {
    /// The scenarios that began. All but the last are over.
    scenarios: Vec<&'static Scenario>,
    /// The lines of the groups, in the order in which they appeared.
    groups: Vec<(&'static str, ProgressBar)>,
}

impl ProgressLine {
    pub(super) fn new(what: &'static str, quiet: bool) -> Self {
        Self((!quiet && is_watched()).then(|| Shown::new(what)))
    }

    pub(super) fn show(&self, progress: Progress) {
        let Some(shown) = &self.0 else { return };
        match progress.scenario {
            Some(scenario) => shown.begin(scenario, progress),
            None => shown.clear(),
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        // A run may end with an error.
        self.0.iter().for_each(Shown::clear);
    }
}

/// Whether stderr is a terminal that is watched.
pub(super) fn is_watched() -> bool {
    let is = |name: &str, value: &str| env::var_os(name).is_some_and(|found| found == value);
    let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0");
    !MultiProgress::new().is_hidden() && !is("TERM", "dumb") && !is_ci
}

impl Shown {
    fn new(what: &'static str) -> Self {
        let (lines, before) = (MultiProgress::new(), REQUESTS.load(Ordering::Relaxed));
        let now = lines.add(ProgressBar::new(0));
        let time = |state: &ProgressState, text: &mut dyn fmt::Write| {
            // A line that cannot be drawn is drawn again soon.
            let _ = write!(text, "{:.1}", state.elapsed().as_secs_f64());
        };
        let count = move |_: &ProgressState, text: &mut dyn fmt::Write| {
            let _ = write!(text, "{}", REQUESTS.load(Ordering::Relaxed).saturating_sub(before));
        };
        let style = ProgressStyle::with_template(messages::PROGRESS).ok();
        let style = style.map(|style| style.with_key("seconds", time).with_key("requests", count));
        now.set_style(style.unwrap_or_else(ProgressStyle::default_bar).progress_chars("=> "));
        now.set_prefix(what);
        now.enable_steady_tick(PACE);
        Self { lines, now, tried: Mutex::default() }
    }

    fn begin(&self, scenario: &'static Scenario, progress: Progress) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.now.set_length(count(progress.of));
        self.now.set_position(count(progress.done));
        self.now.set_message(scenario.sends);
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let mut groups = groups_of(&tried.scenarios);
        tried.scenarios.push(scenario);
        for (group, line) in &tried.groups {
            if let Some(at) = groups.iter().position(|(name, _)| name == group) {
                line.set_message(messages::group_tried(group, groups.remove(at).1));
            }
        }
        for (group, count) in groups {
            let line = self.lines.insert_before(&self.now, ProgressBar::new(0));
            line.set_style(
                ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            line.set_message(messages::group_tried(group, count));
            tried.groups.push((group, line));
        }
    }

    fn clear(&self) {
        self.now.finish_and_clear();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        tried.groups.drain(..).for_each(|(_, line)| line.finish_and_clear());
        // If stderr is gone there is nothing to clear.
        let _ = self.lines.clear();
    }
}

/// The groups of requirements with how many of each have had all their scenarios among these, in the order of the contract.
fn groups_of(scenarios: &[&'static Scenario]) -> Vec<(&'static str, usize)> {
    let mut groups: Vec<(&'static str, usize)> = Vec::new();
    let is_tried = |one: &&'static Scenario| scenarios.contains(one);
    for requirement in requirements::all().filter(|one| one.scenarios.iter().all(is_tried)) {
        let group = group_of(requirement.check_id);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, count)) => *count += 1,
            None => groups.push((group, 1)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::groups_of;
    use crate::suite::requirement::Role;
    use crate::suite::requirements;
    use crate::suite::scenario::Scenario;

    #[test]
    fn group_counts_requirements_whose_scenarios_are_all_over() {
        assert_eq!(groups_of(&[]), []);
        let scenarios: Vec<&'static Scenario> =
            requirements::of(Role::Receiver).flat_map(|one| one.scenarios).copied().collect();
        let groups = groups_of(&scenarios);
        let of_all: usize = groups.iter().map(|(_, count)| count).sum();
        assert_eq!(of_all, requirements::of(Role::Receiver).count());
        assert!(groups.iter().all(|(name, _)| name.starts_with("receiver/")), "{groups:?}");
        let fewer: usize = groups_of(&scenarios[1..]).iter().map(|(_, count)| count).sum();
        assert!(fewer < of_all || scenarios[1..].contains(&scenarios[0]));
    }
}
