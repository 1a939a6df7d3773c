//! Every run on a mutant is saved and judged again, which must give the same report.

use tempfile::TempDir;
use twenty_conform::report::evidence::{Folder, Manifest, RunEvidence};
use twenty_conform::report::rejudge::{Rejudged, rejudge};
use twenty_conform::report::{Heading, Report, json};
use twenty_conform::suite::requirement::{Level, Role};
use twenty_conform::suite::requirements;
use twenty_conform::suite::run::{Options, Run};

use super::secret;

/// The evidence of a run, which goes when it is dropped.
pub(super) struct Saved {
    folder: TempDir,
    evidence: RunEvidence,
    seed: u64,
}

impl Saved {
    /// Begins the evidence of a run, and returns options with which it is kept.
    pub(super) fn begin(role: Role, options: &Options) -> (Self, Options) {
        let folder = TempDir::new().unwrap();
        let all: Vec<_> = requirements::of(role).collect();
        let manifest = Manifest::new(role, "a mutant", options, (Level::Advice, Level::Must), &all);
        let secret = secret();
        let secret = (role == Role::Receiver).then_some(&secret);
        let evidence = Folder::claim(folder.path()).unwrap().begin(&manifest, secret);
        let options = Options { keeper: Some(evidence.keeper()), ..options.clone() };
        (Self { folder, evidence, seed: options.seed }, options)
    }

    /// Judges the run again from its files.
    pub(super) fn assert_judged_alike(&self, run: &Run) {
        let heading = Heading {
            subject: "a mutant".to_owned(),
            seed: self.seed,
            attached: None,
            fail_on: Level::Must,
            required: Vec::new(),
            out: Some(self.folder.path().to_owned()),
        };
        let mut own = Report::new(run, &heading);
        self.evidence.finish(run, &heading, &mut own);
        let Rejudged { run, heading, notes } = rejudge(self.folder.path(), Some(&secret())).unwrap();
        assert_eq!(notes, Vec::<String>::new());
        let again = json::render(&Report::new(&run, &heading));
        let own = json::render(&own);
        let differing = own.lines().zip(again.lines()).find(|(own, again)| own != again);
        assert_eq!((differing, own.len()), (None, again.len()));
    }
}
