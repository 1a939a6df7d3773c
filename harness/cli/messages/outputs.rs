//! Files that are to be written, and are found wrong before anything runs.

use std::fmt::Display;
use std::path::Path;

pub(in crate::cli) fn mixed_on_stdout(first: &str, second: &str) -> String {
    format!("--report {first} and --report {second} would be mixed on stdout; give one of them a path")
}

pub(in crate::cli) fn same_file(output: &str, other: &str) -> String {
    format!("{output} and {other} are the same file; give the report another path")
}

pub(in crate::cli) fn file_of_evidence(output: &str, out: &str) -> String {
    format!("{output} is a file that {out} writes itself; give the report another path")
}

pub(in crate::cli) fn output_is_folder(output: &str) -> String {
    format!("{output} is a folder; give the path of a file")
}

pub(in crate::cli) fn no_folder(folder: &Path, why: impl Display) -> String {
    format!("cannot create the folder {}: {why}; give another folder", folder.display())
}

pub(in crate::cli) fn no_folder_of_output(output: &str, folder: &Path) -> String {
    format!("cannot write {output}: there is no folder {}; create it, or give another path", folder.display())
}

pub(in crate::cli) fn output_folder_refuses(output: &str, folder: &Path, why: impl Display) -> String {
    format!("cannot write {output}: no file can be created in {}: {why}; give another path", folder.display())
}

pub(in crate::cli) fn output_refuses(output: &str, why: impl Display) -> String {
    format!("cannot write {output}: {why}; give another path")
}
