//! Where the program under test is in its project, for reports that point at a line of code: `--source FILE[:LINE]`.

use std::env;
use std::path::{Component, Path, PathBuf};

use super::messages::github::{line_is_zero, no_such_line, no_such_source, source_is_folder};
use crate::budget::SMALL_FILE;
use crate::error::Error;
use crate::input;
use crate::report::Place;

/// What the top folder of a repository has.
const TOP: &str = ".git";

/// The file that the value of `--source` names, and the line, if it has one.
pub(super) fn split(given: &Path) -> (PathBuf, Option<usize>) {
    let whole = (given.to_owned(), None);
    if given.exists() {
        return whole;
    }
    let Some((file, line)) = given.to_str().and_then(|text| text.rsplit_once(':')) else { return whole };
    line.parse().map_or(whole, |line| (PathBuf::from(file), Some(line)))
}

/// The place that the value of `--source` names.
///
/// Errors: there is no such file, or it has no such line.
pub(super) fn place(given: &Path) -> Result<Place, Error> {
    let wrong = |why: String| Err(Error::Usage(why));
    let (file, line) = split(given);
    if file.is_dir() {
        return wrong(source_is_folder(&file));
    }
    if !file.is_file() {
        return wrong(no_such_source(&file));
    }
    match line {
        Some(0) => return wrong(line_is_zero(given)),
        Some(line) => {
            // A file that is longer, or no text, may have any line.
            let lines = input::text(&file, SMALL_FILE).map_or(usize::MAX, |text| text.lines().count());
            if line > lines {
                return wrong(no_such_line(&file, line, lines));
            }
        }
        None => {}
    }
    Ok(Place { file: from_top(&file), line })
}

/// The path from the top folder of the project, with slashes: that of the repository, or else the current folder. A file elsewhere keeps
/// its whole path.
pub(super) fn from_top(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let top = whole.ancestors().skip(1).find(|folder| folder.join(TOP).exists()).map(Path::to_owned);
    let top = top.or_else(|| env::current_dir().ok()?.canonicalize().ok());
    let inside = top.and_then(|top| whole.strip_prefix(top).ok().map(Path::to_owned));
    let Some(inside) = inside else { return whole.to_string_lossy().replace('\\', "/") };
    let parts = inside.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}
