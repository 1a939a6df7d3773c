//! Judges a saved run again, from its exchanges: the same checks, on what `--out` has written.
//!
//! Invariant: every verdict comes from the files. Which generated cases deviated is determined again from the answers, and what the run
//! concluded is not read.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Heading;
use super::evidence::transcript::{self, ReadRun};
use super::evidence::{EXCHANGES, GENERATED, TRANSCRIPT};
use super::messages::rejudge as messages;
use crate::budget::LARGE_FILE;
use crate::error::Error;
use crate::input;
use crate::redaction::Redaction;
use crate::suite::rejudge::judged_again;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::suite::run::Run;
use crate::suite::transcript::{Answers, GeneratedCase, ReadTranscript, Transcript};
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Exchange, ExchangeId, Outcome};

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// A saved run, judged again.
pub struct Rejudged {
    pub run: Run,
    pub heading: Heading,
    /// What is different from the time of the run, such as a requirement that this version does not have.
    pub notes: Vec<String>,
}

/// Judges the run again whose evidence is in a folder. `secret` is the one that recorded traffic was signed with; other runs need none.
///
/// Errors: a file is missing, damaged or of another version, or the secret is needed.
pub fn rejudge(folder: &Path, secret: Option<&Secret>) -> Result<Rejudged, Error> {
    let ReadRun { heading, requirements, duration_us, interrupted, first, after } = read(folder)?;
    // A run that made its secrets has no other.
    let secret = secret.filter(|_| first.has_given_secret());
    if first.needs_given_secret() && secret.is_none() {
        return Err(Error::Usage(messages::secret_needed(folder)));
    }
    let (selected, unknown) = selected(&requirements);
    let not_made = || Error::Usage(messages::damaged(&folder.join(TRANSCRIPT), &messages::other_seed()));
    let made = first.made_secrets(heading.seed).ok_or_else(not_made)?;
    let mut redaction = Redaction::default();
    secret.into_iter().chain(&made).for_each(|secret| redaction.add_numbered(secret));
    let mut files = Exchanges { folder, redaction, answers: Vec::new() };
    files.read_answers()?;
    files.check_count(after.as_ref().unwrap_or(&first).last())?;
    let mut parts = [Some(first), after].into_iter().flatten().collect::<Vec<_>>();
    let changed = files.count_generated(&mut parts)?;
    let mut transcripts = files.read_kept(parts, secret, &made)?.into_iter();
    let first = transcripts.next().ok_or_else(not_made)?;
    let mut notes = Vec::new();
    if changed > 0 {
        notes.push(messages::generated_differ(changed));
    }
    if !unknown.is_empty() {
        notes.push(messages::unknown_requirements(&unknown));
    }
    let duration = Duration::from_micros(duration_us);
    let run = judged_again(first, transcripts.next(), &selected, duration, interrupted);
    Ok(Rejudged { run, heading: heading.within(folder.to_owned()), notes })
}

/// The requirements with these ids, and the ids that this version does not have.
fn selected(ids: &[String]) -> (Vec<&'static Requirement>, Vec<&str>) {
    let (mut selected, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        match requirements::all().find(|one| one.id == id) {
            Some(requirement) => selected.push(requirement),
            None => unknown.push(id.as_str()),
        }
    }
    (selected, unknown)
}

fn read(folder: &Path) -> Result<ReadRun, Error> {
    #[derive(Deserialize)]
    struct Format {
        format: Option<String>,
    }

    let path = folder.join(TRANSCRIPT);
    let damaged = |why: &dyn std::fmt::Display| Error::Usage(messages::damaged(&path, why));
    if !path.exists() {
        return Err(Error::Usage(messages::no_transcript(folder)));
    }
    let text = input::text(&path, 4 * LARGE_FILE).map_err(|why| damaged(&why))?;
    let Format { format } = serde_json::from_str(&text).map_err(|why| damaged(&why))?;
    match format.as_deref() {
        Some(transcript::FORMAT) => {}
        Some(other) => {
            return Err(Error::Usage(messages::other_transcript_format(&path, other, transcript::FORMAT)));
        }
        None => return Err(damaged(&messages::no_format())),
    }
    serde_json::from_str(&text).map_err(|why| damaged(&why))
}

/// The exchanges of a run, in its folder.
struct Exchanges<'a> {
    folder: &'a Path,
    redaction: Redaction,
    /// The status of each answer and how long it took, by number.
    answers: Vec<Option<(u16, Duration)>>,
}

/// What is read of an exchange that is not kept.
#[derive(Deserialize)]
struct Answered {
    number: usize,
    took_us: u64,
    outcome: Outcome,
}

/// An exchange with its mark.
#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    exchange: Exchange,
    /// Whether the secret was redacted from it.
    #[serde(default)]
    redacted: bool,
}

impl Exchanges<'_> {
    fn path(&self) -> PathBuf {
        self.folder.join(EXCHANGES)
    }

    /// Reads the answers, of which every verdict on a generated case is made.
    fn read_answers(&mut self) -> Result<(), Error> {
        let (path, mut answers) = (self.path(), Vec::new());
        each_line(&path, |line, text| {
            let Answered { number, took_us, outcome } = parsed(&path, line, text)?;
            if number != answers.len() + 1 {
                return Err(damaged_at(&path, line, &messages::out_of_order(number, answers.len() + 1)));
            }
            answers.push(outcome.status().map(|status| (status, Duration::from_micros(took_us))));
            Ok(())
        })?;
        self.answers = answers;
        Ok(())
    }

    /// Errors: there are more exchanges, or fewer.
    fn check_count(&self, wanted: usize) -> Result<(), Error> {
        let found = self.answers.len();
        if found == wanted {
            return Ok(());
        }
        Err(Error::Usage(messages::damaged(&self.path(), &messages::other_number(found, wanted))))
    }

    fn answer(&self, id: ExchangeId) -> Option<(u16, Duration)> {
        *self.answers.get(id.0.checked_sub(1)?)?
    }

    fn status(&self, id: ExchangeId) -> Option<u16> {
        self.answer(id).map(|(status, _)| status)
    }

    /// Counts the generated cases again. Returns how many deviate in another way than during the run.
    fn count_generated(&self, parts: &mut [ReadTranscript]) -> Result<usize, Error> {
        let of_receiver = parts.first().is_some_and(|first| first.role() == Role::Receiver);
        if !of_receiver {
            return Ok(0);
        }
        let wanted: usize = parts.iter_mut().map(ReadTranscript::forget_tallies).sum();
        let (path, mut changed, mut found) = (self.folder.join(GENERATED), 0, 0);
        each_line(&path, |line, text| {
            let case: GeneratedCase = parsed(&path, line, text)?;
            let unknown = |id: &&ExchangeId| id.0 == 0 || id.0 > self.answers.len();
            if let Some(id) = case.controls.iter().chain([&case.exchange]).find(unknown) {
                return Err(damaged_at(&path, line, &messages::no_such_exchange(id.0)));
            }
            let part = parts.iter_mut().find(|part| part.has(case.exchange));
            let part =
                part.ok_or_else(|| damaged_at(&path, line, &messages::no_such_exchange(case.exchange.0)))?;
            changed += usize::from(part.count_again(case, |id| self.status(id)));
            found += 1;
            Ok(())
        })?;
        if found != wanted {
            return Err(Error::Usage(messages::damaged(&path, &messages::other_count(found, wanted))));
        }
        Ok(changed)
    }

    /// Reads the exchanges that the transcripts refer to.
    fn read_kept(
        &self,
        parts: Vec<ReadTranscript>,
        secret: Option<&Secret>,
        made: &[Secret],
    ) -> Result<Vec<Transcript>, Error> {
        let path = self.path();
        let wanted: Vec<HashSet<ExchangeId>> = parts.iter().map(ReadTranscript::kept).collect();
        let mut kept: Vec<Vec<Exchange>> = parts.iter().map(|_| Vec::new()).collect();
        each_line(&path, |line, text| {
            let id = ExchangeId(line);
            let Some(at) = wanted.iter().position(|wanted| wanted.contains(&id)) else { return Ok(()) };
            let Line { mut exchange, redacted } = parsed(&path, line, text)?;
            if redacted {
                exchange.delivery = self.redaction.restored(&exchange.delivery);
            }
            kept[at].push(exchange);
            Ok(())
        })?;
        let all = |part: &ReadTranscript| {
            let own = (1..=self.answers.len()).map(ExchangeId).filter(|&id| part.has(id));
            let mut all = Answers::default();
            own.filter_map(|id| self.answer(id)).for_each(|(status, took)| all.add(status, took));
            all
        };
        let parts = parts.into_iter().zip(kept);
        let read = parts.map(|(part, kept)| {
            let answers = all(&part);
            let missing =
                |id: ExchangeId| Error::Usage(messages::damaged(&path, &messages::missing_exchange(id.0)));
            part.with(kept, answers, secret.cloned(), made).map_err(missing)
        });
        read.collect()
    }
}

/// Calls `read` with each line of a file and its number. A last line without an end was cut off.
fn each_line(path: &Path, mut read: impl FnMut(usize, &str) -> Result<(), Error>) -> Result<(), Error> {
    let damaged = |why: &dyn std::fmt::Display| Error::Usage(messages::damaged(path, why));
    let is_file = path.metadata().map_err(|why| damaged(&why))?.is_file();
    if !is_file {
        return Err(damaged(&messages::no_file()));
    }
    let mut file = BufReader::new(File::open(path).map_err(|why| damaged(&why))?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length =
            (&mut file).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|why| damaged(&why))?;
        if length == 0 {
            break;
        }
        if line.pop() != Some(b'\n') {
            return Err(damaged_at(path, number, &messages::cut_off()));
        }
        let text = std::str::from_utf8(&line).map_err(|why| damaged_at(path, number, &why))?;
        read(number, text)?;
    }
    Ok(())
}

fn parsed<T: DeserializeOwned>(path: &Path, line: usize, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|why| {
        // Its end names a line and a column; the line is always 1.
        let words = why.to_string();
        damaged_at(path, line, &words.rsplit_once(" at line ").map_or(&*words, |(words, _)| words))
    })
}

fn damaged_at(path: &Path, line: usize, why: &dyn std::fmt::Display) -> Error {
    Error::Usage(messages::damaged_line(path, line, why))
}
