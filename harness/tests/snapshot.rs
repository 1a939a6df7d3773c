//! Snapshots, which live in the top-level folder `snapshots/`.

use std::path::Path;

/// Compares a text with the snapshot of this name; a `/` in the name is a folder.
#[track_caller]
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // A new version must not change every snapshot.
    let text = text.replace(env!("CARGO_PKG_VERSION"), "[version]");
    settings.bind(|| insta::assert_snapshot!(path.file_name().unwrap().to_str().unwrap(), text));
}

#[test]
fn snapshots_name_no_folder_of_this_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join("snapshots")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for folder in [root.to_str().unwrap(), "target/debug", "/home/", "/tmp/"] {
            assert!(!text.contains(folder), "{} names {folder}; mask it", path.display());
        }
    }
}
