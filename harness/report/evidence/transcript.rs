//! The transcript of a run on disk: what a judgement needs in addition to the exchanges and the generated cases.
//!
//! `transcript.json` is written when the run has ended:
//!
//! ```json
//! {"format":"twenty-conform-transcript/1","heading":{"subject":"node server.mjs","seed":42,"fail_on":"must"},
//!  "requirements":["RCV-1"],"duration_us":812000,"interrupted":false,
//!  "first":{"transcript":{"role":"receiver","trials":[]},"exchanges":{"first":1,"last":3462}}}
//! ```

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::constant::Constant;
use crate::report::Heading;
use crate::suite::requirement::Level;
use crate::suite::requirements;
use crate::suite::run::Run;
use crate::suite::transcript::{ReadTranscript, WrittenTranscript};

/// The name and version of the format of `transcript.json`.
pub(in crate::report) const FORMAT: &str = "twenty-conform-transcript/1";

/// The file as it is written.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    format: Constant,
    heading: KeptHeading,
    requirements: Vec<Constant>,
    duration_us: u64,
    interrupted: bool,
    first: WrittenTranscript<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<WrittenTranscript<'a>>,
}

/// What a file has of a run, without its exchanges.
#[derive(Debug, Deserialize)]
pub(in crate::report) struct ReadRun {
    pub(in crate::report) heading: KeptHeading,
    pub(in crate::report) requirements: Vec<String>,
    pub(in crate::report) duration_us: u64,
    pub(in crate::report) interrupted: bool,
    pub(in crate::report) first: ReadTranscript,
    pub(in crate::report) after: Option<ReadTranscript>,
}

/// A heading without the folder.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::report) struct KeptHeading {
    subject: String,
    pub(in crate::report) seed: u64,
    attached: Option<String>,
    fail_on: Level,
    required: Vec<Cow<'static, str>>,
}

impl KeptHeading {
    fn of(heading: &Heading) -> Self {
        Self {
            subject: heading.subject.clone(),
            seed: heading.seed,
            attached: heading.attached.clone(),
            fail_on: heading.fail_on,
            required: heading.required.iter().copied().map(Cow::Borrowed).collect(),
        }
    }

    /// The heading of a run whose evidence is in this folder. Requirements that this version does not have are left out.
    pub(in crate::report) fn within(self, out: PathBuf) -> Heading {
        let known = |id: Cow<'static, str>| requirements::all().find(|one| one.id == id).map(|one| one.id);
        Heading {
            subject: self.subject,
            seed: self.seed,
            attached: self.attached,
            fail_on: self.fail_on,
            required: self.required.into_iter().filter_map(known).collect(),
            out: Some(out),
        }
    }
}

/// What a later judgement of a run needs.
pub(super) fn written<'a>(run: &'a Run, heading: &Heading) -> Written<'a> {
    let following = run.transcript.exchanges.count() + 1;
    Written {
        format: FORMAT,
        heading: KeptHeading::of(heading),
        requirements: run.findings.iter().map(|finding| finding.requirement.id).collect(),
        duration_us: u64::try_from(run.duration.as_micros()).unwrap_or(u64::MAX),
        interrupted: run.interrupted,
        first: WrittenTranscript::new(&run.transcript, 1),
        after: run.after.as_ref().map(|after| WrittenTranscript::new(after, following)),
    }
}
