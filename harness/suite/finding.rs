//! Judges what happened in a run: one finding for each selected requirement.
//!
//! Judging is a pure function of the transcript. If the harness or the attachment breaks down, the subject neither fails nor passes.

use super::{messages, receiver as on_receiver};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Evidence, Requirement, Role, Verdict};
use crate::suite::scenario::{Scenario, Turn};
use crate::suite::transcript::{Capability, Ending, Transcript};
use crate::suite::verdict::{Judgement, Provisional};
use crate::wire::exchange::ExchangeId;

/// The judgement on one requirement.
#[derive(Debug, Clone)]
pub struct Finding {
    pub requirement: &'static Requirement,
    pub judgement: Judgement,
    /// What it came to with deliveries made in the way that a receiver wants which rejects valid ones.
    pub provisional: Option<Provisional>,
}

impl Finding {
    /// Why it failed, if that is known.
    pub fn cause(&self) -> Option<&Cause> {
        match &self.judgement {
            Judgement::Judged(Verdict::Fail(evidence)) => evidence.cause.as_ref(),
            _ => None,
        }
    }
}

/// The findings, of which those on these requirements are inconclusive if they do not apply. Returns the ids of those too.
pub fn required(findings: &[Finding], required: &[&'static str]) -> (Vec<Finding>, Vec<&'static str>) {
    let mut absent = Vec::new();
    let mut findings = findings.to_vec();
    for finding in findings.iter_mut().filter(|one| required.contains(&one.requirement.id)) {
        if let Judgement::Judged(verdict) = &mut finding.judgement
            && let Verdict::NotApplicable(reason) = verdict
        {
            *verdict = Verdict::Inconclusive(messages::required_but_absent(reason));
            absent.push(finding.requirement.id);
        }
    }
    (findings, absent)
}

/// Judges a transcript. It needs no subject and can be repeated.
pub fn judge(transcript: &Transcript, selected: &[&'static Requirement]) -> Vec<Finding> {
    let finding = |requirement: &&'static Requirement| Finding {
        requirement,
        judgement: judge_one(transcript, requirement),
        provisional: None,
    };
    let mut findings: Vec<Finding> = selected.iter().map(finding).collect();
    limit_is_the_reason(transcript, &mut findings);
    fail_for_end(transcript, &mut findings);
    findings
}

/// Where a rate limit answered and nothing else is wrong, it is the reason of everything that is inconclusive.
fn limit_is_the_reason(transcript: &Transcript, findings: &mut [Finding]) {
    if transcript.role != Role::Receiver || transcript.stopped {
        return;
    }
    let Some(answer) = transcript.limited() else { return };
    let is_rejected = |finding: &Finding| {
        finding.requirement.id == "RCV-1" && matches!(finding.judgement, Judgement::Judged(Verdict::Fail(_)))
    };
    if findings.iter().any(is_rejected) {
        return;
    }
    for finding in findings {
        if let Judgement::Judged(Verdict::Inconclusive(why)) = &mut finding.judgement {
            *why = on_receiver::messages::rate_limited(answer);
        }
    }
}

/// If the receiver's process ended and no failure shows it, fails the requirement whose delivery was tried then. If that one is
/// not selected or fails already, another one: an end is never without a failure.
fn fail_for_end(transcript: &Transcript, findings: &mut [Finding]) {
    let of_scenario = |finding: &Finding, at: &ExchangeId| {
        let scenario = transcript.scenario_of(*at);
        finding.requirement.scenarios.iter().any(|one| Some(one.name) == scenario)
    };
    // A failure shows the first of several ends.
    let shown = |at: &ExchangeId| {
        findings.iter().any(|finding| match &finding.judgement {
            Judgement::Judged(Verdict::Fail(evidence)) => {
                let shows_end = evidence.exchanges.iter().any(|one| transcript.death_at(*one).is_some());
                evidence.exchanges.contains(at) || shows_end && of_scenario(finding, at)
            }
            _ => false,
        })
    };
    let Some((at, how)) = transcript.deaths.iter().find(|(at, _)| !shown(at)) else { return };
    let open =
        findings.iter_mut().filter(|one| !matches!(one.judgement, Judgement::Judged(Verdict::Fail(_))));
    let chosen = open.min_by_key(|finding| {
        let requirement = finding.requirement;
        let tried = of_scenario(finding, at);
        let applies = !matches!(finding.judgement, Judgement::Judged(Verdict::NotApplicable(_)));
        (!applies, !tried, requirement.level)
    });
    if let Some(finding) = chosen {
        finding.judgement = Judgement::Judged(on_receiver::ended(transcript, *at, how));
    }
}

fn judge_one(transcript: &Transcript, requirement: &Requirement) -> Judgement {
    if let Some(capability) = requirement.needs.filter(|needed| !transcript.capabilities.contains(needed)) {
        let reason = match capability {
            Capability::Observations => messages::observations_missing(),
            other => messages::capability_missing(other.as_str()),
        };
        return Judgement::Judged(Verdict::NotApplicable(reason));
    }
    let verdict = (requirement.check)(requirement, transcript);
    // A diagnosis that breaks down does not affect the verdict, nor does a scenario that was not meant to run.
    let played =
        |scenario: &Scenario| scenario.needs.is_none_or(|one| transcript.capabilities.contains(&one));
    let judging = requirement.scenarios.iter();
    let judging = judging.filter(|scenario| scenario.turn != Turn::Diagnosis && played(scenario));
    let broken = judging.copied().find_map(|scenario| match transcript.ending(scenario.name)? {
        Ending::Complete => None,
        other => Some(other),
    });
    match (broken, verdict) {
        // Not applicable stays not applicable when the subject breaks down, unless a trial would have shown that it applies.
        (None, verdict @ Verdict::NotApplicable(_)) => Judgement::Judged(verdict),
        (_, verdict @ Verdict::NotApplicable(_)) if transcript.role == Role::Sender => {
            Judgement::Judged(verdict)
        }
        // A failure that was seen before the scenario broke down counts.
        (
            None
            | Some(
                Ending::Died(_)
                | Ending::RequestFailed(_)
                | Ending::BrokenCapability(_)
                | Ending::Skipped(_)
                | Ending::OutOfTime(_),
            ),
            verdict @ Verdict::Fail(_),
        ) => Judgement::Judged(verdict),
        (None, verdict) => Judgement::Judged(verdict),
        (Some(Ending::ProtocolViolation(why)), _) => Judgement::Error(why.clone()),
        (Some(Ending::Died(why)), _) if transcript.role == Role::Sender => {
            let (expected, actual) = messages::exited();
            let evidence = Evidence::new(expected, actual, why.clone());
            Judgement::Judged(evidence.because(Cause::new(Code::SendCrash)).fail())
        }
        (Some(Ending::BrokenCapability(why)), _) => {
            let (expected, actual) = messages::capability_broken();
            let evidence = Evidence::new(expected, actual, why.clone());
            Judgement::Judged(evidence.fail())
        }
        (Some(Ending::Died(why) | Ending::RequestFailed(why) | Ending::Skipped(why)), _) => {
            Judgement::Judged(Verdict::Inconclusive(why.clone()))
        }
        (Some(Ending::OutOfTime(whole)), _) => {
            Judgement::Judged(Verdict::Inconclusive(messages::out_of_time(*whole)))
        }
        (Some(Ending::Complete), verdict) => Judgement::Judged(verdict),
    }
}
