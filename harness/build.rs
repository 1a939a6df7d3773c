//! Embeds the data folders, so that a new sample event or shape needs no code, and the level of optimisation.
//!
//! It copies names and contents only. The modules that include them interpret them.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    for (folder, ending, constant, file) in [
        ("fixtures/events", ".json", "EVENT_FILES", "events.rs"),
        ("fixtures/vectors", "signing.json", "VECTOR_FILES", "vectors.rs"),
        ("snapshots/shapes", ".snap", "SHAPE_FILES", "shapes.rs"),
    ] {
        println!("cargo:rerun-if-changed={folder}");
        let table = table(&Path::new(&root).join(folder), ending, constant)?;
        fs::write(Path::new(&out).join(file), table)?;
    }
    // `cfg!(debug_assertions)` does not tell it, since a profile can switch those off alone.
    println!("cargo:rustc-env=OPTIMISATION={}", env::var("OPT_LEVEL").map_err(io::Error::other)?);
    Ok(())
}

/// A constant with (file name, contents) pairs, sorted by name.
fn table(folder: &Path, ending: &str, constant: &str) -> io::Result<String> {
    let mut names = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if name.ends_with(ending) {
                names.push((name, path));
            }
        }
    }
    names.sort();
    let mut text = format!("const {constant}: &[(&str, &str)] = &[\n");
    for (name, path) in names {
        writeln!(text, "    ({name:?}, include_str!({:?})),", path.display().to_string())
            .map_err(io::Error::other)?;
    }
    text.push_str("];\n");
    Ok(text)
}
