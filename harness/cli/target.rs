//! Where the reports of a command go: `FORMAT=PATH`, of the formats that the command has.
//!
//! Invariant: a report that cannot be written is an error, and the others are written all the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::console::Console;
use crate::error::Error;
use crate::exit::ExitStatus;

#[derive(Debug, Clone)]
pub(super) struct ReportTarget<F> {
    pub(super) format: F,
    path: PathBuf,
}

impl<F: ValueEnum> FromStr for ReportTarget<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) =
            text.split_once('=').ok_or("it must have the form FORMAT=PATH, such as json=report.json")?;
        let format = F::from_str(format, false).map_err(|_| {
            format!("there is no report format {format:?}; there are {}", names(F::value_variants()))
        })?;
        if path.is_empty() {
            return Err("the path is empty".to_owned());
        }
        Ok(Self { format, path: path.into() })
    }
}

impl<F> ReportTarget<F> {
    /// The file; `-` is stdout.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn is_stdout(&self) -> bool {
        self.path.as_os_str() == "-"
    }
}

/// The names of formats, as a list in a sentence.
pub(super) fn names<F: ValueEnum>(formats: &[F]) -> String {
    let names: Vec<String> = formats.iter().map(name).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => "none".to_owned(),
    }
}

pub(super) fn name<F: ValueEnum>(format: &F) -> String {
    format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Writes the reports; where none of them goes to stdout, what `otherwise` gives is printed there. Returns why one of them
/// could not be written.
///
/// Errors: one that cannot be rendered.
pub(super) fn write<F: Copy>(
    targets: &[ReportTarget<F>],
    render: impl Fn(F) -> Result<String, Error>,
    otherwise: impl FnOnce() -> Result<String, Error>,
    console: &mut Console,
) -> Result<Option<Error>, Error> {
    let mut failed = None;
    for target in targets {
        let rendered = render(target.format)?;
        let written = if target.is_stdout() {
            console.print(&rendered)
        } else {
            let failed = |source| Error::Report { path: target.path.clone(), source };
            fs::write(&target.path, rendered).map_err(failed)
        };
        failed = failed.or(written.err());
    }
    if !targets.iter().any(ReportTarget::is_stdout) {
        failed = console.print(&otherwise()?).err().or(failed);
    }
    Ok(failed)
}

/// The status of a command whose reports were written, but for what has `failed`.
///
/// Errors: that, unless the command was interrupted: that comes first among the statuses, and what could not be written is said
/// all the same.
pub(super) fn settle(
    failed: Option<Error>,
    status: ExitStatus,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    match failed {
        Some(why) if status == ExitStatus::Interrupted => {
            console.complain(&why.to_string());
            Ok(status)
        }
        Some(why) => Err(why),
        None => Ok(status),
    }
}
