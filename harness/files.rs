//! Writes files as a whole, and finds before a run whether a file can be written and which paths name the same file.
//!
//! Invariant: a file keeps its old content until the new one is complete, and a failed write leaves no other file. Devices, pipes
//! and open descriptors cannot be replaced and are written directly.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// The beginning of the name of a file that is not complete. Names that begin with a dot are skipped by watches and globs.
const UNFINISHED: &str = ".twenty-conform-";
/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// Why a file cannot be written.
#[derive(Debug)]
pub enum NotWritable {
    /// The path is a folder.
    IsFolder,
    /// Its folder does not exist.
    NoFolder(PathBuf),
    /// Its folder cannot get a new file.
    Folder(PathBuf, io::Error),
    /// The file that has the path cannot be changed.
    File(io::Error),
}

/// Whether missing folders of a file are created when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folders {
    Exist,
    AreCreated,
}

/// Which file a path names, also before the file exists.
#[derive(Debug, Clone)]
pub struct Place {
    /// Without links, as far as it exists.
    path: PathBuf,
    /// The device and the number of the file, if it exists and the system tells them.
    file: Option<(u64, u64)>,
}

enum Destination {
    /// It can be replaced.
    File(PathBuf),
    Direct,
}

/// Writes a file, or replaces its content.
///
/// Errors: it cannot be written. A file that existed is then unchanged, unless its folder cannot get a new file.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match destination(path)? {
        // A descriptor can lead to a regular file. What it has already is kept, as in every write to a descriptor.
        Destination::Direct => OpenOptions::new().append(true).open(path)?.write_all(content),
        Destination::File(path) => replace(&path, content),
    }
}

/// Writes a file that must not exist yet.
///
/// Errors: it exists, or it cannot be written.
pub fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let file = filled(&folder_of(path), content)?;
    file.persist_noclobber(path).map(drop).map_err(|failed| failed.error)
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let old = fs::metadata(path).ok();
    // Replacing a file needs no right to change it, so a protected file is found by opening it.
    if old.is_some() {
        OpenOptions::new().write(true).open(path)?;
    }
    let changed = || OpenOptions::new().write(true).truncate(true).open(path)?.write_all(content);
    let file = match filled(&folder_of(path), content) {
        Err(why) if old.is_some() && is_denied(&why) => return changed(),
        file => file?,
    };
    if let Some(old) = &old {
        // On a file system without them there is nothing to keep.
        let _ = keep_owner(file.as_file(), old);
        let _ = file.as_file().set_permissions(old.permissions());
    }
    match file.persist(path) {
        // The file is a mount of its own, as in containers.
        Err(failed) if old.is_some() && is_mount(&failed.error) => changed(),
        persisted => persisted.map(drop).map_err(|failed| failed.error),
    }
}

/// A complete file without its name. It is removed unless it gets one.
fn filled(folder: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = unfinished(folder)?;
    file.write_all(content)?;
    // Some file systems report a full disk only now.
    file.as_file().sync_all()?;
    Ok(file)
}

fn unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(UNFINISHED).suffix(".tmp");
    if let Some(permissions) = usual_permissions() {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder).map_err(|why| {
        // Without the path of the file, which means nothing to a user.
        why.raw_os_error().map_or_else(|| io::Error::from(why.kind()), io::Error::from_raw_os_error)
    })
}

/// The permissions of a new file before the process's mask; a temporary file would be private.
#[cfg(unix)]
fn usual_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<Permissions> {
    None
}

#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(file, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

fn is_denied(why: &io::Error) -> bool {
    matches!(why.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

fn is_mount(why: &io::Error) -> bool {
    matches!(why.kind(), ErrorKind::ResourceBusy | ErrorKind::CrossesDevices)
}

/// Where a path leads, with links followed. Errors: it cannot be looked up.
fn destination(path: &Path) -> io::Result<Destination> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => return Ok(Destination::Direct),
        Err(why) if why.kind() != ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if is_descriptor(&path) {
            return Ok(Destination::Direct);
        }
        let Ok(link) = fs::read_link(&path) else { break };
        path = folder_of(&path).join(link);
    }
    Ok(Destination::File(path))
}

/// Whether a path names an open descriptor of a process.
fn is_descriptor(path: &Path) -> bool {
    ["/proc", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"]
        .iter()
        .any(|start| path.starts_with(start))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether a file can be written, found without changing it: a file is created next to it and removed, since permissions alone
/// do not show a read-only file system, and root passes them.
///
/// Errors: it cannot.
pub fn check(path: &Path, folders: Folders) -> Result<(), NotWritable> {
    if path.to_string_lossy().ends_with(std::path::is_separator) {
        return Err(NotWritable::IsFolder);
    }
    let path = match destination(path) {
        Err(why) if why.kind() == ErrorKind::IsADirectory => return Err(NotWritable::IsFolder),
        Err(why) => return Err(NotWritable::File(why)),
        // Opening a pipe would wait for its reader.
        Ok(Destination::Direct) => return Ok(()),
        Ok(Destination::File(path)) => path,
    };
    if fs::metadata(&path).is_ok() {
        return OpenOptions::new().write(true).open(&path).map(drop).map_err(NotWritable::File);
    }
    let folder = folder_of(&path);
    check_folder(&folder, folders)
}

/// Whether a folder can get a new file.
///
/// Errors: it cannot.
pub fn check_folder(folder: &Path, folders: Folders) -> Result<(), NotWritable> {
    let existing = match folders {
        Folders::Exist if !folder.is_dir() => return Err(NotWritable::NoFolder(folder.to_owned())),
        Folders::Exist => folder,
        Folders::AreCreated => {
            let exists = |folder: &&Path| fs::symlink_metadata(folder).is_ok();
            let existing = folder.ancestors().find(exists);
            existing.filter(|found| !found.as_os_str().is_empty()).unwrap_or(Path::new("."))
        }
    };
    unfinished(existing).map(drop).map_err(|why| NotWritable::Folder(existing.to_owned(), why))
}

impl Place {
    pub fn of(path: &Path) -> Self {
        let path = match destination(path) {
            Ok(Destination::File(path)) => path,
            _ => path.to_owned(),
        };
        Self { file: fs::metadata(&path).ok().and_then(|found| number(&found)), path: resolved(&path) }
    }

    /// Whether both name the same file.
    pub fn is(&self, other: &Self) -> bool {
        if self.file.is_some() && self.file == other.file || self.path == other.path {
            return true;
        }
        let folded = |path: &Path| path.to_string_lossy().to_lowercase();
        // Neither exists, or the file's number would tell.
        folded(&self.path) == folded(&other.path)
            && self.file.is_none()
            && other.file.is_none()
            && ignores_case(&folder_of(&self.path))
    }

    /// The path, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path from a folder, if it is inside.
    pub fn within(&self, folder: &Self) -> Option<&Path> {
        self.path.strip_prefix(&folder.path).ok().filter(|rest| !rest.as_os_str().is_empty())
    }
}

/// The number of an open file, to compare with [`Place`]s. `None` unless it is a regular file.
pub fn place_of_open(file: &File) -> Option<Place> {
    let found = file.metadata().ok().filter(Metadata::is_file)?;
    number(&found).map(|number| Place { path: PathBuf::new(), file: Some(number) })
}

#[cfg(unix)]
fn number(found: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// The path without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for existing in absolute.ancestors() {
        let Ok(found) = fs::canonicalize(existing) else { continue };
        let rest = absolute.strip_prefix(existing).unwrap_or(Path::new(""));
        return if rest.as_os_str().is_empty() { found } else { found.join(rest) };
    }
    absolute
}

/// Whether names in a folder differ only by more than their case. Tried, because it is a property of each file system.
fn ignores_case(folder: &Path) -> bool {
    let Ok(file) = unfinished(folder) else { return false };
    let name = file.path().file_name().map(|name| name.to_string_lossy().to_uppercase());
    name.is_some_and(|name| folder.join(name).exists())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_content_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        for content in ["a long first content", "short"] {
            write(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(write_new(&path, b"new").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(write(folder.path(), b"").is_err() && write(&folder.path().join("no/file"), b"").is_err());
        assert_eq!(
            (names(folder.path()), fs::read(&path).unwrap()),
            (vec!["report".to_owned()], b"short".to_vec())
        );
    }

    #[cfg(unix)]
    #[test]
    fn keeps_permissions_links_and_devices() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("usual"), "").unwrap();
        write(&at("new"), b"").unwrap();
        let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode("new"), mode("usual"));
        fs::set_permissions(at("usual"), Permissions::from_mode(0o640)).unwrap();
        write(&at("usual"), b"x").unwrap();
        assert_eq!(mode("usual"), 0o640);
        // Links stay links, even to a file that does not exist yet.
        fs::create_dir(at("deep")).unwrap();
        symlink("deep/real", at("link")).unwrap();
        symlink("link", at("second")).unwrap();
        for content in ["one", "two"] {
            write(&at("second"), content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(at("deep/real")).unwrap(), content);
        }
        assert!(fs::symlink_metadata(at("second")).unwrap().is_symlink());
        symlink("circle", at("circle")).unwrap();
        assert!(write(&at("circle"), b"").is_err());
        let device = fs::metadata("/dev/null").unwrap().ino();
        write(Path::new("/dev/null"), b"x").unwrap();
        assert_eq!(fs::metadata("/dev/null").unwrap().ino(), device);
    }

    #[test]
    fn check_names_what_is_in_the_way_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old"), "kept").unwrap();
        check(&at("old"), Folders::Exist).unwrap();
        check(&at("new"), Folders::Exist).unwrap();
        check(&at("a/b/new"), Folders::AreCreated).unwrap();
        assert!(matches!(check(folder.path(), Folders::Exist), Err(NotWritable::IsFolder)));
        assert!(matches!(check(&at("new/"), Folders::Exist), Err(NotWritable::IsFolder)));
        assert!(matches!(check(&at("a/new"), Folders::Exist), Err(NotWritable::NoFolder(_))));
        for folders in [Folders::Exist, Folders::AreCreated] {
            assert!(check(&at("old/new"), folders).is_err(), "{folders:?}");
        }
        assert_eq!(
            (names(folder.path()), fs::read(at("old")).unwrap()),
            (vec!["old".to_owned()], b"kept".to_vec())
        );
    }

    #[test]
    fn place_is_the_same_by_every_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let is = |one: &str, other: &str| Place::of(&at(one)).is(&Place::of(&at(other)));
        fs::create_dir(at("deep")).unwrap();
        assert!(is("new", "./new") && is("new", "deep/../new") && is("a/new", "a/./new"));
        assert!(!is("new", "other") && !is("deep/new", "new"));
        fs::write(at("old"), "").unwrap();
        assert!(is("old", "deep/../old") && !is("old", "new"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            fs::hard_link(at("old"), at("hard")).unwrap();
            symlink("old", at("soft")).unwrap();
            symlink("new", at("dangling")).unwrap();
            symlink("deep", at("folder")).unwrap();
            assert!(is("hard", "old") && is("soft", "old") && is("hard", "soft") && is("dangling", "new"));
            assert!(is("folder/new", "deep/new"));
        }
        let within = |path: &str| Place::of(&at(path)).within(&Place::of(&at("out"))).map(Path::to_owned);
        assert_eq!(within("out/run.json"), Some("run.json".into()));
        assert_eq!((within("out"), within("other"), within("outer")), (None, None, None));
        assert_eq!(is("NAME", "name"), ignores_case(folder.path()));
    }
}
