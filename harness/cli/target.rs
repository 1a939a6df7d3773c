//! Where a command writes its reports: `--report FORMAT=PATH`.
//!
//! Invariant: if one report cannot be written, the others still are.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::console::Console;
use super::messages;
use super::outputs::OutputFile;
use super::signals::writing;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::files;
use crate::page;

/// Names of stdout. A second descriptor of a redirected stdout would overwrite its beginning.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

#[derive(Debug, Clone)]
pub(super) struct ReportTarget<F> {
    pub(super) format: F,
    path: PathBuf,
}

impl<F: ValueEnum> FromStr for ReportTarget<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or_else(messages::not_a_report_option)?;
        let format = F::from_str(format, false)
            .map_err(|_| messages::unknown_report_format(format, &names(F::value_variants())))?;
        if path.is_empty() {
            return Err(messages::empty_report_path().to_owned());
        }
        Ok(Self { format, path: path.into() })
    }
}

impl<F> ReportTarget<F> {
    pub(super) fn format(&self) -> &F {
        &self.format
    }

    /// The file; `-` is stdout.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_stdout(&self) -> bool {
        STDOUT.iter().any(|name| self.path.as_os_str() == *name)
    }
}

impl<F: ValueEnum> ReportTarget<F> {
    /// The file to check before a run; `None` for stdout.
    pub(super) fn output(&self) -> Option<OutputFile> {
        let option = || format!("--report {}={}", name(&self.format), self.path.display());
        (!self.is_stdout()).then(|| OutputFile::new(option(), &self.path))
    }
}

/// Errors: two reports would be mixed on stdout.
pub(super) fn check_stdout<F: ValueEnum>(targets: &[ReportTarget<F>]) -> Result<(), Error> {
    let option = |target: &ReportTarget<F>| format!("{}={}", name(&target.format), target.path.display());
    let printed: Vec<String> = targets.iter().filter(|one| one.is_stdout()).map(option).collect();
    match &printed[..] {
        [first, second, ..] => Err(Error::Usage(messages::outputs::mixed_on_stdout(first, second))),
        _ => Ok(()),
    }
}

pub(super) fn names<F: ValueEnum>(formats: &[F]) -> Vec<String> {
    formats.iter().map(name).collect()
}

pub(super) fn name<F: ValueEnum>(format: &F) -> String {
    format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Writes the reports. If none of them goes to stdout, prints `text`. Returns why a report could not be
/// written.
///
/// Errors: a report cannot be rendered.
pub(super) fn write<F: Copy>(
    targets: &[ReportTarget<F>],
    render: impl Fn(F) -> Result<String, Error>,
    text: impl FnOnce() -> Result<String, Error>,
    console: &mut Console,
) -> Result<Option<Error>, Error> {
    let _writing = writing();
    let mut failed = None;
    for target in targets {
        let rendered = page::redacted(&render(target.format)?, |text| console.redacted(text));
        let written = if target.is_stdout() {
            console.print(&rendered)
        } else {
            let failed = |source| Error::Report { path: target.path.clone(), source };
            files::write(&target.path, rendered.as_bytes()).map_err(failed)
        };
        failed = failed.or(written.err());
    }
    if !targets.iter().any(ReportTarget::is_stdout) {
        failed = console.print(&text()?).err().or(failed);
    }
    Ok(failed)
}

/// The status of a command after its reports were written; `failed` is why one was not.
///
/// Errors: `failed`, unless the command was interrupted. That status comes first, so the reason is only printed.
pub(super) fn settle(
    failed: Option<Error>,
    status: ExitStatus,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    match failed {
        Some(why) if status == ExitStatus::Interrupted => {
            console.error(&why.to_string());
            Ok(status)
        }
        Some(why) => Err(why),
        None => Ok(status),
    }
}
