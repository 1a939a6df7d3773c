//! `run.json`: what was run, and with which options.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::duration::milliseconds;
use crate::report::Tool;
use crate::suite::requirement::{Level, Requirement, Role};
use crate::suite::run::Options;
use crate::suite::shard::Shard;
use crate::suite::transcript::Limits;

/// The name and version of the format of `run.json`.
pub const FORMAT: &str = "twenty-conform-run/2";

/// The options of a run, as `run.json` has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: Cow<'static, str>,
    pub tool: Tool,
    pub role: Role,
    /// The dialect of the run; under `auto`, the one that was found out, if any was.
    pub dialect: Cow<'static, str>,
    /// What named the dialect: `auto`, or an option.
    pub dialect_chosen_by: Cow<'static, str>,
    pub subject: String,
    pub seed: u64,
    pub cases: u32,
    pub jobs: usize,
    pub level: Level,
    pub fail_on: Level,
    pub limits: SavedLimits,
    /// The requirements that were judged.
    pub requirements: Vec<Cow<'static, str>>,
    /// The requirements that must apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<Cow<'static, str>>,
    /// Which part of a run it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The requirements of all shards, of this role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selection: Vec<Cow<'static, str>>,
    /// How many shards were joined to this run. Their exchanges are in their own folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<usize>,
    /// In milliseconds since the epoch.
    pub began_at_ms: u64,
}

/// The time limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedLimits {
    pub timeout_ms: u64,
    pub deadline_ms: u64,
    pub prompt_ms: u64,
    pub quick_ms: u64,
    pub quiet_ms: u64,
    pub skew_ms: u64,
}

impl Manifest {
    pub fn new(
        role: Role,
        subject: &str,
        options: &Options,
        (level, fail_on): (Level, Level),
        requirements: &[&Requirement],
    ) -> Self {
        Self {
            format: FORMAT.into(),
            tool: Tool::THIS,
            role,
            dialect: options.dialect.name.into(),
            dialect_chosen_by: if options.auto { "auto" } else { "option" }.into(),
            subject: subject.to_owned(),
            seed: options.seed,
            cases: options.cases,
            jobs: options.jobs,
            level,
            fail_on,
            limits: (&options.limits).into(),
            requirements: ids(requirements),
            required: Vec::new(),
            shard: None,
            selection: Vec::new(),
            merged_from: None,
            began_at_ms: options.clock.now_ms(),
        }
    }

    /// The same with the requirements that must apply.
    #[must_use]
    pub fn requiring(self, required: &[&Requirement]) -> Self {
        Self { required: ids(required), ..self }
    }

    /// The same for a shard of this selection.
    #[must_use]
    pub fn of_shard(self, shard: Shard, selection: &[&Requirement]) -> Self {
        Self { shard: Some(shard), selection: ids(selection), ..self }
    }
}

impl From<&Limits> for SavedLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            timeout_ms: milliseconds(limits.timeout),
            deadline_ms: milliseconds(limits.deadline),
            prompt_ms: milliseconds(limits.prompt),
            quick_ms: milliseconds(limits.quick),
            quiet_ms: milliseconds(limits.quiet),
            skew_ms: milliseconds(limits.skew),
        }
    }
}

fn ids(requirements: &[&Requirement]) -> Vec<Cow<'static, str>> {
    requirements.iter().map(|one| one.id.into()).collect()
}
