//! What a command reads and writes, compared and tried before its run.
//!
//! Invariant: no output overwrites an input, another output or the evidence, and nothing is created or changed before a run.

use std::fs;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::messages;
use crate::error::Error;
use crate::files::{self, Folders, NotWritable, Place};
use crate::report::evidence;
use crate::shell;

/// A file that a command writes.
#[derive(Debug)]
pub(super) struct OutputFile {
    /// The option that names it, as a user would write it.
    option: String,
    path: PathBuf,
    folders: Folders,
}

/// A file or folder that a command reads.
#[derive(Debug, Clone)]
pub(super) struct Input {
    option: String,
    path: PathBuf,
    /// Whether the files in a folder are read.
    contents: bool,
}

impl OutputFile {
    pub(super) fn new(option: String, path: &Path) -> Self {
        Self { option, path: path.to_owned(), folders: Folders::Exist }
    }

    /// The same, if its folder is created when it is written.
    pub(super) fn in_created_folder(self) -> Self {
        Self { folders: Folders::AreCreated, ..self }
    }
}

impl Input {
    /// The value of an option. Standard input is compared in any case.
    pub(super) fn of(option: &str, path: &Path) -> Self {
        Self { option: format!("{option} {}", path.display()), path: path.to_owned(), contents: false }
    }

    /// An argument without an option, or a file that is read without being named.
    pub(super) fn named(path: &Path) -> Self {
        Self { option: path.display().to_string(), path: path.to_owned(), contents: false }
    }

    /// A file, or a folder whose files are read.
    pub(super) fn with_contents(option: &str, path: &Path) -> Self {
        Self { contents: true, ..Self::of(option, path) }
    }

    /// A saved run: a folder whose files are read, or a file.
    pub(super) fn saved(path: &Path) -> Self {
        Self { contents: true, ..Self::named(path) }
    }

    /// The files that a command line names: a program and its scripts.
    pub(super) fn of_command(option: &str, command: &str) -> Vec<Self> {
        let words = shell::split(command).unwrap_or_default();
        let files = words.iter().map(Path::new).filter(|path| path.is_file());
        files.map(|path| Self::of(option, path)).collect()
    }

    /// The pattern files among patterns.
    pub(super) fn of_patterns<'a>(
        option: &'a str,
        patterns: &'a [String],
    ) -> impl Iterator<Item = Self> + 'a {
        let files = patterns.iter().filter_map(|pattern| Some((pattern, pattern.strip_prefix('@')?)));
        files.map(move |(pattern, path)| Self {
            option: format!("{option} {pattern}"),
            ..Self::named(Path::new(path))
        })
    }
}

/// Writes files into a folder, which is created if missing, and prints their paths. `in_the_way` says why a file cannot be written at
/// its path, if so; nothing is then written.
///
/// Errors: a file is in the way, or cannot be written.
pub(super) fn write_all(
    folder: &Path,
    written: &[(String, Vec<u8>)],
    in_the_way: impl Fn(&Path, &[u8]) -> Option<String>,
    console: &mut Console,
) -> Result<(), Error> {
    let paths: Vec<PathBuf> = written.iter().map(|(name, _)| folder.join(name)).collect();
    let files = || paths.iter().zip(written.iter().map(|(_, bytes)| &**bytes));
    if let Some(why) = files().find_map(|(path, bytes)| in_the_way(path, bytes)) {
        return Err(Error::Usage(why));
    }
    fs::create_dir_all(folder).map_err(|why| Error::Usage(messages::outputs::no_folder(folder, why)))?;
    for (path, bytes) in files() {
        files::write(path, bytes).map_err(|source| Error::File { path: path.clone(), source })?;
    }
    console.print(&paths.iter().map(|path| format!("{}\n", path.display())).collect::<String>())
}

/// Whether something else than these bytes is at this path.
pub(super) fn is_other(path: &Path, bytes: &[u8]) -> bool {
    fs::symlink_metadata(path).is_ok() && !fs::read(path).is_ok_and(|there| there == bytes)
}

/// Checks that every output can be written, and that it is none of the inputs and no other output. `evidence` is the folder of
/// the run's evidence.
///
/// Errors: an output that is not so, with the options.
pub(super) fn check(outputs: &[OutputFile], inputs: &[Input], evidence: Option<&Path>) -> Result<(), Error> {
    let mut known: Vec<(&str, Place)> = Vec::new();
    let read: Vec<(&Input, Place)> = inputs.iter().map(|input| (input, Place::of(&input.path))).collect();
    let folder = evidence.map(|path| (path, Place::of(path)));
    for output in outputs {
        let place = Place::of(&output.path);
        let refused = |other: &str| Err(Error::Usage(messages::outputs::same_file(&output.option, other)));
        if let Some((input, _)) = read.iter().find(|(input, other)| reads(input, other, &place)) {
            return refused(&input.option);
        }
        if let Some((other, _)) = known.iter().find(|(_, other)| other.is(&place)) {
            return refused(other);
        }
        if let Some(stream) = stream_at(&place) {
            return refused(stream);
        }
        let mut folders = output.folders;
        if let Some((path, folder)) = &folder {
            let option = format!("--out {}", path.display());
            if place.is(folder) || folder.within(&place).is_some() {
                return refused(&option);
            }
            if let Some(inside) = place.within(folder) {
                if evidence::has(inside) {
                    return Err(Error::Usage(messages::outputs::file_of_evidence(&output.option, &option)));
                }
                if inside.parent().is_some_and(|folder| folder.as_os_str().is_empty()) {
                    folders = Folders::AreCreated;
                }
            }
        }
        files::check(&output.path, folders).map_err(|why| unwritable(&output.option, &why))?;
        known.push((&output.option, place));
    }
    Ok(())
}

/// The error for an output that cannot be written.
pub(super) fn unwritable(option: &str, why: &NotWritable) -> Error {
    Error::Usage(match why {
        NotWritable::IsFolder => messages::outputs::output_is_folder(option),
        NotWritable::NoFolder(folder) => messages::outputs::no_folder_of_output(option, folder),
        NotWritable::Folder(folder, why) => messages::outputs::output_folder_refuses(option, folder, why),
        NotWritable::File(why) => messages::outputs::output_refuses(option, why),
    })
}

/// Whether an input has this file.
fn reads(input: &Input, place: &Place, file: &Place) -> bool {
    place.is(file) || input.contents && file.within(place).is_some() && fs::metadata(file.path()).is_ok()
}

/// The standard stream that is this file.
#[cfg(unix)]
fn stream_at(place: &Place) -> Option<&'static str> {
    use std::io::{stderr, stdin, stdout};
    use std::os::fd::{AsFd, BorrowedFd};
    let is = |stream: BorrowedFd<'_>| {
        let file = stream.try_clone_to_owned().ok().map(fs::File::from);
        file.and_then(|file| files::place_of_open(&file)).is_some_and(|stream| stream.is(place))
    };
    let streams =
        [("stdin", is(stdin().as_fd())), ("stdout", is(stdout().as_fd())), ("stderr", is(stderr().as_fd()))];
    streams.into_iter().find(|(_, is)| *is).map(|(name, _)| name)
}

#[cfg(not(unix))]
fn stream_at(_: &Place) -> Option<&'static str> {
    None
}
