//! Everything that a command under test started, in other groups and sessions too, and how it is ended.
//!
//! On Linux, three things tell whose a process is: its ancestors, its group, and a mark in its environment. The command-line
//! program also adopts orphans (it is their subreaper), so a process that detaches and clears its environment is found too. Other
//! Unix systems show ancestors and groups only.
//!
//! Invariant: only processes of this tree are ended, never those of another, and no one waits for a child but its own parent.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
#[cfg(target_os = "linux")]
use std::{thread, time::Duration};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;

use super::ending::end_each;
use super::leader::Leader;
use super::table::{self, Entry, MARK, with_descendants};
use super::watchdog::Watchdog;

/// No process has this id.
const NONE: i32 = -1;
/// How often adopted processes are looked after, which takes less than 0.1 ms.
#[cfg(target_os = "linux")]
const ADOPTION_PACE: Duration = Duration::from_millis(250);

/// A command's processes. They are ended at the latest when it is dropped.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) leader: Leader,
    /// The leader's id, which remains the group's id after the leader ended.
    id: i32,
    mark: String,
    has_ended: bool,
}

/// The trees of this process whose processes may run.
#[derive(Debug, Default)]
struct Living {
    trees: Vec<(i32, String)>,
    started: u64,
    watchdog: Option<Watchdog>,
    /// Orphans that run.
    adopted: BTreeSet<i32>,
    /// Whether orphans become children of this process; `None` before the first command.
    is_adopting: Option<bool>,
}

static LIVING: Mutex<Living> = Mutex::new(Living {
    trees: Vec::new(),
    started: 0,
    watchdog: None,
    adopted: BTreeSet::new(),
    is_adopting: None,
});

/// What only a program may do that owns its process: adopt orphans, and start itself as a watchdog.
#[derive(Debug)]
struct Owner {
    program: PathBuf,
    /// The mark of this process itself, if it is under test.
    outer: Option<String>,
}

static OWNER: OnceLock<Owner> = OnceLock::new();

/// Lets the first command adopt orphans and start `program`, this program, as a watchdog. `outer` is the value of the variable
/// [`table::MARK`] of this process.
pub fn own(program: PathBuf, outer: Option<String>) {
    // The first call decides.
    let _ = OWNER.set(Owner { program, outer });
}

/// Ends the processes of all commands.
pub fn end_all() {
    let trees = std::mem::take(&mut living().trees);
    if !trees.is_empty() {
        let is_adopted = living().adopted_ones();
        end_each(table::own_start(), |table| {
            with_descendants(table, |one| {
                trees.iter().any(|(leader, mark)| belongs(one, *leader, mark)) || is_adopted(one)
            })
        });
    }
    let mut living = living();
    living.adopt();
    // It ends at once.
    living.watchdog = None;
}

impl Tree {
    /// Starts a command in a group of its own. Errors: it cannot be started.
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        // Held until the leader is known, so that it is not mistaken for an orphan.
        let mut living = living();
        let owner = OWNER.get();
        living.guard(owner);
        living.started += 1;
        let mark = format!("{}{}", marks(), living.started);
        let outer = owner.and_then(|owner| owner.outer.as_deref());
        command.env(MARK, outer.map_or_else(|| mark.clone(), |outer| format!("{outer} {mark}")));
        // The watchdog looks for the mark if this process is killed before it knows the leader.
        living.tell(NONE, true);
        let leader = Leader::start(command);
        let id = leader.as_ref().ok().and_then(Leader::id).and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id {
            living.trees.push((id, mark.clone()));
            living.tell(id, true);
        }
        living.tell(NONE, false);
        Ok(Self { leader: leader?, id: id.unwrap_or(NONE), mark, has_ended: false })
    }

    /// Asks the leader's group to end.
    pub(super) fn terminate(&self) {
        self.signal_group(Signal::SIGTERM);
    }

    /// Ends the leader's group.
    pub(super) fn kill(&self) {
        self.signal_group(Signal::SIGKILL);
    }

    /// Ends what is left of it. The leader is still to be waited for.
    pub(super) fn end(&mut self) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        self.kill();
        end_each(table::own_start(), |table| self.members(table));
        let mut living = living();
        living.adopt();
        living.trees.retain(|(_, mark)| *mark != self.mark);
        living.tell(self.id, false);
        // A library leaves nothing of its own in the process that uses it.
        if OWNER.get().is_none() && living.trees.is_empty() {
            living.watchdog = None;
        }
    }

    /// The ids of its processes that run.
    pub(super) fn processes(&self) -> Vec<i32> {
        self.members(&table::processes(table::own_start()))
    }

    fn members(&self, table: &[Entry]) -> Vec<i32> {
        let living = living();
        // Among several trees, an orphan without a mark could be of any. It ends with the last of them.
        let is_alone = living.trees.iter().all(|(_, mark)| *mark == self.mark);
        let is_adopted = living.adopted_ones();
        with_descendants(table, |one| belongs(one, self.id, &self.mark) || is_alone && is_adopted(one))
    }

    fn signal_group(&self, signal: Signal) {
        if self.id > 0 {
            // An error means that the group has ended already.
            let _ = killpg(Pid::from_raw(self.id), signal);
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.end();
    }
}

impl Living {
    /// Prepares for processes that detach, and for the end of this one.
    fn guard(&mut self, owner: Option<&Owner>) {
        #[cfg(target_os = "linux")]
        if owner.is_some() {
            self.is_adopting.get_or_insert_with(begin_to_adopt);
        }
        if self.watchdog.is_none() {
            let of_program = |owner: &Owner| Watchdog::start(&owner.program, &marks());
            self.watchdog = owner.map_or_else(Watchdog::start_shell, of_program);
            let told: Vec<i32> =
                self.trees.iter().map(|(leader, _)| *leader).chain(self.adopted.clone()).collect();
            told.into_iter().for_each(|id| self.tell(id, true));
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn adopt(&mut self) {}

    /// Takes note of the orphans that this process has adopted, and waits for those that ended, since no one else does.
    #[cfg(target_os = "linux")]
    fn adopt(&mut self) {
        use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
        let (Some(true), Some(children)) = (self.is_adopting, table::children()) else { return };
        let known = self.known();
        let orphans = children.into_iter().filter(|child| !known.contains(child));
        // Never any child: others wait for the leaders.
        let runs =
            |id: &i32| waitpid(Pid::from_raw(*id), Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive);
        let now: BTreeSet<i32> = orphans.filter(runs).collect();
        let before = std::mem::replace(&mut self.adopted, now.clone());
        before.difference(&now).for_each(|id| self.tell(*id, false));
        now.difference(&before).for_each(|id| self.tell(*id, true));
    }

    /// Tells an orphan that this process adopted.
    fn adopted_ones(&self) -> impl Fn(&Entry) -> bool + use<> {
        let (own, known, adopts) = (own_id(), self.known(), self.is_adopting == Some(true));
        move |one| adopts && one.parent == own && !known.contains(&one.id)
    }

    /// The children that this process started itself.
    fn known(&self) -> BTreeSet<i32> {
        let leaders = self.trees.iter().map(|(leader, _)| *leader);
        leaders.chain(self.watchdog.as_ref().map(Watchdog::id)).collect()
    }

    fn tell(&mut self, leader: i32, is_living: bool) {
        if self.watchdog.as_mut().is_some_and(|watchdog| watchdog.tell(leader, is_living).is_err()) {
            // Something killed it. The next command starts another.
            self.watchdog = None;
        }
    }
}

/// Makes orphans children of this process. Not if it has children already, which the program left that started this one in its
/// own place: theirs could not be told from those of a command. Orphans are then found by their mark alone.
#[cfg(target_os = "linux")]
fn begin_to_adopt() -> bool {
    let is_alone = table::children().is_some_and(|children| children.is_empty());
    let begins = is_alone && nix::sys::prctl::set_child_subreaper(true).is_ok();
    if begins {
        // Without the thread, ended orphans stay in the table until the command ends.
        drop(thread::Builder::new().name("orphans".to_owned()).spawn(look_after));
    }
    begins
}

/// Looks after adopted processes while a command runs.
#[cfg(target_os = "linux")]
fn look_after() {
    loop {
        thread::sleep(ADOPTION_PACE);
        let mut living = living();
        if !living.trees.is_empty() {
            living.adopt();
        }
    }
}

fn belongs(one: &Entry, leader: i32, mark: &str) -> bool {
    one.id == leader || one.group == leader || one.marks.iter().any(|word| word == mark)
}

/// The beginning of the marks of this process. No other has the same id and start.
fn marks() -> String {
    format!("{}-{}.", own_id(), table::own_start())
}

fn own_id() -> i32 {
    i32::try_from(std::process::id()).unwrap_or_default()
}

fn living() -> MutexGuard<'static, Living> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}
