//! What `rejudge` says.

use std::path::Path;

/// A requirement whose verdict differs from the run's own.
pub(crate) fn other_verdict(id: &str, own: Option<String>, again: Option<String>) -> String {
    match (own, again) {
        (Some(own), Some(again)) => {
            format!("{id} is judged otherwise than in the run: {own} in the run, {again} now")
        }
        (Some(own), None) => format!("{id} is not judged now; it was {own} in the run"),
        (None, again) => format!("{id} was not judged in the run; it is {} now", again.unwrap_or_default()),
    }
}

pub(crate) fn agrees() -> &'static str {
    "every verdict and every cause is the run's own"
}

/// The saved run of a program that was not there to be tested.
pub(crate) fn nothing_to_judge(folder: &Path) -> String {
    format!(
        "{}: the program was not started or reached in this run, so there is nothing to judge",
        folder.display()
    )
}

/// A folder that `merge` made.
pub(crate) fn joined(folder: &Path) -> String {
    format!(
        "{} is joined from shards, whose exchanges are in their own folders; judge the folder of each shard again",
        folder.display()
    )
}

pub(crate) fn differs(count: usize) -> String {
    let verdicts = if count == 1 { "verdict differs" } else { "verdicts differ" };
    format!(
        "{count} {verdicts} from the run's own: the files were changed after the run, or this is a fault of the suite; the notes name \
         each"
    )
}

/// Why the verdicts are not compared with the run's own.
pub(crate) fn not_compared(why: &str) -> String {
    format!("the verdicts are not compared with the run's own: {why}")
}

pub(crate) fn other_version(path: &Path, own: &str, this: &str) -> String {
    format!("version {own} made {}, and this is version {this}", path.display())
}
