//! Writes all files, or none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::messages::init as messages;
use crate::cli::outputs::unwritable;
use crate::error::Error;
use crate::files::{self, Folders, Place};

/// A file that is to be written.
#[derive(Debug)]
pub(super) struct NewFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl NewFile {
    pub(super) fn new(path: PathBuf, text: String) -> Self {
        Self { path, text }
    }
}

/// What has been done and can be undone.
#[derive(Default)]
struct Done {
    /// Files, each with its content before, if it existed.
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    /// Folders that were created, the outermost first.
    folders: Vec<PathBuf>,
}

impl Done {
    fn undo(self) {
        // Whatever cannot be undone is left: the error that led here is more important.
        for (path, before) in self.files.into_iter().rev() {
            let _ = match before {
                Some(content) => files::write(&path, &content),
                None => fs::remove_file(&path),
            };
        }
        self.folders.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

/// Errors: the file exists.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Error> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(Error::Usage(messages::exists(path)));
    }
    Ok(())
}

/// Errors: a file exists and must not be replaced, or one cannot be written. Nothing is changed then.
pub(super) fn all(files: &[NewFile], force: bool) -> Result<(), Error> {
    for (at, file) in files.iter().enumerate() {
        if !force {
            refuse_existing(&file.path)?;
        }
        if files[..at].iter().any(|other| Place::of(&other.path).is(&Place::of(&file.path))) {
            return Err(Error::Usage(messages::same_file(&file.path)));
        }
        if is_pipe(&file.path) {
            return Err(Error::Usage(messages::pipe(&file.path)));
        }
        files::check(&file.path, Folders::AreCreated)
            .map_err(|why| unwritable(&file.path.display().to_string(), &why))?;
    }
    let mut done = Done::default();
    for file in files {
        if let Err(why) = one(file, &mut done) {
            done.undo();
            return Err(why);
        }
    }
    Ok(())
}

/// Whether a write would wait for a reader.
#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo() || found.file_type().is_socket())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

fn one(file: &NewFile, done: &mut Done) -> Result<(), Error> {
    let failed = |source| Error::File { path: file.path.clone(), source };
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let mut folders: Vec<&Path> = folder.ancestors().filter(|one| !one.as_os_str().is_empty()).collect();
    folders.reverse();
    for folder in folders {
        // One that is named with `..` exists once the folder before it is created.
        if !folder.exists() {
            fs::create_dir(folder).map_err(failed)?;
            done.folders.push(folder.to_owned());
        }
    }
    let is_file = fs::metadata(&file.path).is_ok_and(|found| found.is_file());
    let before = if is_file { Some(fs::read(&file.path).map_err(failed)?) } else { None };
    let existed = fs::symlink_metadata(&file.path).is_ok();
    let content = file.text.as_bytes();
    // A file that has come since the check is not replaced.
    let written =
        if existed { files::write(&file.path, content) } else { files::write_new(&file.path, content) };
    written.map_err(failed)?;
    if before.is_some() || !existed {
        done.files.push((file.path.clone(), before));
    }
    Ok(())
}
