//! Loads for locust and wrk: exported files, imported results, and locust itself.
//!
//! Everything is sent to this machine. Tests that need locust are skipped visibly if it is missing, and fail on CI.

mod accounts;
mod distributed;
mod exports;
mod imports;
mod probes;
mod workers;

use std::path::{Path, PathBuf};

const SECRET: &str = "s3cr3t-of-the-exports";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/locust").join(name)
}
