//! `replay --as`: failures as tests in another language.
//!
//! Invariant: no file is replaced.

use std::path::Path;

use super::Arguments;
use super::source::{Batch, Sent};
use crate::cli::console::Console;
use crate::cli::messages::replay as messages;
use crate::cli::messages::secret_is_missing;
use crate::cli::outputs;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::report::case::Case;
use crate::report::case::written::{Heading, Language};
use crate::webhook::signature::Secret;

/// Where a receiver is by default.
const ORIGIN: &str = "http://127.0.0.1:3000";

/// Errors: there is nothing to write, a captured request has no secret, or a file is in the way.
pub(super) fn write(
    batch: &Batch,
    language: Language,
    arguments: &Arguments,
    console: &mut Console,
) -> Result<ExitStatus, Error> {
    let secret = arguments.attach.given_secret(console)?;
    let mut tests = Vec::new();
    let mut unusable = batch.unusable.clone();
    for item in &batch.items {
        match test(&item.sent, &item.name, secret.as_ref(), arguments, language)? {
            Ok(text) => tests.push((language.file(&name(&item.name)), text.into_bytes())),
            Err(why) => unusable.push((item.name.clone(), why)),
        }
    }
    let mut reasons = unusable.iter().map(|(name, why)| messages::cannot_be_a_test(name, why));
    match (&arguments.into, &tests[..]) {
        (_, []) => return Err(Error::Usage(reasons.next().unwrap_or_default())),
        (Some(folder), tests) => outputs::write_all(folder, tests, in_the_way, console)?,
        (None, [(_, text)]) => console.print_code(&String::from_utf8_lossy(text))?,
        (None, several) => return Err(Error::Usage(messages::several_tests(several.len()))),
    }
    let reasons: Vec<String> = reasons.collect();
    reasons.iter().for_each(|why| console.note(why));
    Ok(if reasons.is_empty() { ExitStatus::Passed } else { ExitStatus::Incomplete })
}

/// A test, or why there is none. Errors: there is no secret.
fn test(
    sent: &Sent,
    name_of_item: &str,
    given: Option<&Secret>,
    arguments: &Arguments,
    language: Language,
) -> Result<Result<String, String>, Error> {
    let now_ms = Clock::system().now_ms();
    let (case, requirement, secret) = match (sent, given) {
        (Sent::Case(case, requirement), given) => {
            let secret = given.cloned().unwrap_or_else(|| Secret::new(Random::secret_of(case.seed)));
            ((**case).clone().with_secret(&secret), Some(*requirement), secret)
        }
        (Sent::Captured(_), None) => return Err(Error::Usage(secret_is_missing().to_owned())),
        (Sent::Captured(delivery), Some(secret)) => {
            (Case::of_captured(delivery.clone(), secret, false, now_ms), None, secret.clone())
        }
    };
    let path = arguments.path.as_deref().unwrap_or(case.path());
    let url = arguments.attach.url().map_or_else(|| format!("{ORIGIN}{path}"), str::to_owned);
    if Redaction::new([&secret]).text(&url) != url {
        return Ok(Err(messages::url_has_the_secret().to_owned()));
    }
    let heading = Heading { requirement, url: &url, name: &name(name_of_item) };
    Ok(case.as_test(&secret, now_ms, language, &heading))
}

/// What the file of a test is called after.
fn name(item: &str) -> String {
    Path::new(item).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Why a test cannot have this path, if so: another file is there, or one that was edited.
fn in_the_way(path: &Path, text: &[u8]) -> Option<String> {
    outputs::is_other(path, text).then(|| messages::other_file(path))
}
