//! `replay --as`: failures as tests in another language.
//!
//! Invariant: no file is replaced.

use std::collections::HashSet;
use std::iter;
use std::path::Path;

use super::Arguments;
use super::source::{Batch, Item, Sent};
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
    let mut files = HashSet::new();
    for item in &batch.items {
        let name = unique(&item.stem, |name| files.insert(language.file(name)));
        match test(item, &name, secret.as_ref(), (arguments, language), console)? {
            Ok(text) => tests.push((language.file(&name), text.into_bytes())),
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

/// The test of this name, or why there is none. Errors: there is no secret.
fn test(
    item: &Item,
    name: &str,
    given: Option<&Secret>,
    (arguments, language): (&Arguments, Language),
    console: &mut Console,
) -> Result<Result<String, String>, Error> {
    let now_ms = Clock::system().now_ms();
    let mut left_out = Vec::new();
    let (case, requirement, secret) = match (&item.sent, given) {
        (Sent::Case(case, requirement), given) => {
            let secret = given.cloned().unwrap_or_else(|| Secret::new(Random::secret_of(case.seed)));
            ((**case).clone().with_secret(&secret), Some(*requirement), secret)
        }
        (Sent::Captured(_), None) => return Err(Error::Usage(secret_is_missing().to_owned())),
        (Sent::Captured(recorded), Some(secret)) => {
            let delivery;
            (delivery, left_out) = recorded.without_credentials(secret);
            (Case::of_captured(delivery, secret, false, now_ms), None, secret.clone())
        }
    };
    let path = arguments.path.as_deref().unwrap_or(case.path());
    let url = arguments.attach.url().map_or_else(|| format!("{ORIGIN}{path}"), str::to_owned);
    if Redaction::new([&secret]).text(&url) != url {
        return Ok(Err(messages::url_has_the_secret().to_owned()));
    }
    let heading = Heading { requirement, url: &url, name };
    let written = case.as_test(&secret, now_ms, language, &heading);
    if written.is_ok() && !left_out.is_empty() {
        console.note(&messages::without_credentials(&item.name, &left_out));
    }
    Ok(written)
}

/// The first name that is new: a folder may have several cases of a requirement.
fn unique(stem: &str, mut is_new: impl FnMut(&str) -> bool) -> String {
    let others = (2..).map(|number| format!("{stem} case {number}"));
    iter::once(stem.to_owned()).chain(others).find(|name| is_new(name)).unwrap_or_default()
}

/// Why a test cannot have this path, if so: another file is there, or one that was edited.
fn in_the_way(path: &Path, text: &[u8]) -> Option<String> {
    outputs::is_other(path, text).then(|| messages::other_file(path))
}
