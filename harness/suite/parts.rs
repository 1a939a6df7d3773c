//! Finds out which parts of a record make a case fail, by varying one part after the other.
//!
//! The caller sends each varied record and says what happened. What is said not to matter was varied, and the case failed still; what
//! is said to matter was varied, and then the case passed. Nothing is sent here.

mod candidates;

use self::candidates::{features, in_tree, kind, replaced};
use super::messages::parts as messages;
use crate::webhook::json::{Json, Text};

/// How many varied records there are at most.
pub(crate) const MOST: usize = 36;
/// How many different characters of a text are varied.
const MOST_CHARACTERS: usize = 10;
/// From this depth on, a value is unwrapped level by level.
const DEEP: usize = 8;

/// What happened with a varied record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It fails like the case.
    Fails,
    Passes,
    /// Neither.
    Unclear,
}

/// The search. The record that it has reached still fails; it has as few parts of the case as possible.
#[derive(Debug)]
pub(crate) struct Parts {
    current: Json,
    tasks: Vec<Task>,
    pending: Option<(Task, Json)>,
    /// The record without the case, while it is not known whether that passes.
    matters: Vec<String>,
    free: Vec<String>,
    tried: usize,
    /// Whether every part was varied, with a clear result.
    is_whole: bool,
    /// Whether it fails with no other members.
    is_any: bool,
}

#[derive(Debug, Clone)]
struct Task {
    path: Vec<usize>,
    /// The path in words.
    label: String,
    step: Step,
}

/// One variation, or what follows several.
#[derive(Debug, Clone)]
enum Step {
    /// Without the members that the control has too.
    Others(Vec<Text>),
    /// The same without those of the case: it must pass, or the others were needed for something else. Then they are put back.
    Bare(Json),
    Remove,
    Value,
    Name,
    /// Letters and digits of the name, all of them another letter.
    NamePlain,
    /// This character of the name as a letter.
    NameCharacter(char),
    /// One level of nesting less.
    Unwrap,
    /// Letters, digits and blanks, all of them another letter.
    Plain,
    /// This character as a letter.
    Character(char),
    /// This character as another one like it.
    Sibling(char, char),
    Number(Feature),
    /// Nothing to send: if nothing in it matters, this does.
    Settle(usize, String),
}

/// A part of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feature {
    Exponent,
    Fraction,
    Sign,
    Length,
    Digits,
}

impl Parts {
    /// The parts of a record, which is the member `content` of a body. The members that are `known` are those of its control; its id is
    /// never varied.
    pub(crate) fn new(record: Json, content: &str, known: &[Text]) -> Self {
        let id = Text::from("id");
        let own = |name: &Text| *name != id && !known.contains(name);
        let mut tasks = Vec::new();
        if let Json::Object(members) = &record {
            let of_case = members.iter().enumerate().filter(|(_, (name, _))| own(name));
            tasks.extend(of_case.map(|(at, (name, _))| Task {
                path: vec![at],
                label: format!("{content}{}", messages::step_to(name)),
                step: Step::Remove,
            }));
            let others: Vec<Text> = members
                .iter()
                .map(|(name, _)| name)
                .filter(|name| **name != id && !own(name))
                .cloned()
                .collect();
            if !others.is_empty() {
                // Last on the stack, so first: it changes the places of the others.
                tasks.push(Task { path: Vec::new(), label: content.to_owned(), step: Step::Others(others) });
            }
        }
        let is_any = !tasks.iter().any(|task| matches!(task.step, Step::Others(_)));
        Self {
            current: record,
            tasks,
            pending: None,
            matters: Vec::new(),
            free: Vec::new(),
            tried: 0,
            is_whole: true,
            is_any,
        }
    }

    /// The next record to send; `None` if there is nothing more to find out.
    pub(crate) fn next(&mut self) -> Option<Json> {
        while let Some(task) = self.tasks.pop() {
            if let Step::Settle(before, what) = &task.step {
                if self.matters.len() == *before && self.is_whole {
                    self.matters.push(what.clone());
                }
                continue;
            }
            if self.tried >= MOST {
                self.is_whole = false;
                self.tasks.clear();
                return None;
            }
            let Some(candidate) = self.candidate(&task).filter(|one| *one != self.current) else {
                self.without_candidate(task);
                continue;
            };
            self.tried += 1;
            self.pending = Some((task, candidate.clone()));
            return Some(candidate);
        }
        None
    }

    /// What happened with the record that `next` returned.
    pub(crate) fn answer(&mut self, seen: Seen) {
        let Some((task, candidate)) = self.pending.take() else { return };
        match seen {
            Seen::Unclear => self.is_whole = false,
            Seen::Fails => self.still_fails(task, candidate),
            Seen::Passes => self.passes(task),
        }
    }

    /// The search was cut short.
    pub(crate) fn stop(&mut self) {
        self.tasks.clear();
        self.pending = None;
        self.is_whole = false;
    }

    /// What was found, in a sentence; `None` if nothing was.
    pub(crate) fn sentence(&self) -> Option<String> {
        match (&self.matters[..], self.is_whole) {
            ([], true) if !self.free.is_empty() => Some(messages::no_part_alone(&self.free)),
            ([], _) => None,
            (matters, is_whole) => {
                Some(messages::what_matters(matters, &self.free, is_whole, is_whole && self.is_any))
            }
        }
    }

    fn candidate(&self, task: &Task) -> Option<Json> {
        let at = |change: &dyn Fn(&Json) -> Option<Json>| in_tree(&self.current, &task.path, change);
        match &task.step {
            Step::Others(names) => {
                let Json::Object(members) = &self.current else { return None };
                Some(Json::Object(
                    members.iter().filter(|(name, _)| !names.contains(name)).cloned().collect(),
                ))
            }
            Step::Bare(_) => {
                let Json::Object(members) = &self.current else { return None };
                let id = Text::from("id");
                Some(Json::Object(members.iter().filter(|(name, _)| *name == id).cloned().collect()))
            }
            Step::Remove => candidates::without(&self.current, &task.path),
            Step::Name => candidates::renamed(&self.current, &task.path),
            Step::NamePlain => candidates::with_name(&self.current, &task.path, |name| {
                replaced(name, |one| one.is_ascii_alphanumeric().then_some('x'))
            }),
            Step::NameCharacter(old) => candidates::with_name(&self.current, &task.path, |name| {
                replaced(name, |one| (one == *old).then_some('x'))
            }),
            Step::Value => at(&candidates::plain),
            Step::Unwrap => at(&candidates::unwrapped),
            Step::Plain => {
                at(&|value| replaced(value, |one| (one.is_ascii_alphanumeric() || one == ' ').then_some('x')))
            }
            Step::Character(old) => at(&|value| replaced(value, |one| (one == *old).then_some('x'))),
            Step::Sibling(old, new) => at(&|value| replaced(value, |one| (one == *old).then_some(*new))),
            Step::Number(feature) => at(&|value| features::without(value, *feature)),
            Step::Settle(..) => None,
        }
    }

    /// Some parts are as plain as they can be.
    fn without_candidate(&mut self, task: Task) {
        match task.step {
            Step::Value => self.is_whole = false,
            Step::NamePlain => self.each_character_of_name(&task.path, &task.label),
            // There is nothing but the id and the case.
            Step::Others(_) => self.is_any = true,
            _ => {}
        }
    }

    fn still_fails(&mut self, task: Task, candidate: Json) {
        let Task { path, label, step } = task;
        let free = match &step {
            Step::Others(_) => {
                let before = std::mem::replace(&mut self.current, candidate);
                self.tasks.push(Task { path, label, step: Step::Bare(before) });
                return;
            }
            Step::Bare(before) => {
                // Without the others a record fails anyway.
                self.current = before.clone();
                return;
            }
            Step::Sibling(old, new) => {
                self.matters.push(messages::characters_like(*old, *new, &label));
                return;
            }
            Step::Unwrap => {
                self.current = candidate;
                self.descend(path, label);
                return;
            }
            Step::Remove => messages::whole(&label),
            Step::Value => messages::value_of(&label),
            Step::Name => messages::name_of(&label),
            Step::NamePlain => {
                self.each_character_of_name(&path, &label);
                messages::rest_of_name(&label)
            }
            Step::NameCharacter(_) => messages::rest_of_name(&label),
            _ => messages::rest_of(&label),
        };
        self.current = candidate;
        if !self.free.contains(&free) {
            self.free.push(free);
        }
    }

    fn passes(&mut self, task: Task) {
        let Task { path, label, step } = task;
        let mut push = |step: Step| self.tasks.push(Task { path: path.clone(), label: label.clone(), step });
        match step {
            Step::Others(_) | Step::Settle(..) => {}
            Step::Bare(_) => {
                self.is_any = true;
                self.re_place();
            }
            Step::Remove => {
                push(Step::Settle(self.matters.len(), messages::presence_of(&label)));
                push(Step::Name);
                push(Step::Value);
            }
            Step::Value => self.descend(path, label),
            Step::Name => push(Step::NamePlain),
            Step::NamePlain => self.matters.push(messages::name_of(&label)),
            Step::NameCharacter(old) => self.matters.push(messages::character_of_name(old, &label)),
            Step::Unwrap => {
                let depth = candidates::value_at(&self.current, &path).map_or(0, candidates::depth);
                self.matters.push(messages::nesting_of(&label, depth));
            }
            Step::Plain => self.matters.push(messages::letters_of(&label)),
            Step::Character(old) => match candidates::sibling(old) {
                Some(new) => push(Step::Sibling(old, new)),
                None => self.matters.push(messages::character_of(old, &label)),
            },
            Step::Sibling(old, _) => self.matters.push(messages::character_of(old, &label)),
            Step::Number(feature) => self.matters.push(match feature {
                Feature::Exponent => messages::exponent_of(&label),
                Feature::Fraction => messages::fraction_of(&label),
                Feature::Sign => messages::sign_of(&label),
                Feature::Length => messages::length_of_number(&label),
                Feature::Digits => messages::digits_of(&label),
            }),
        }
    }

    /// The members have other places without those of the control.
    fn re_place(&mut self) {
        let Json::Object(members) = &self.current else { return };
        let places: Vec<usize> = (0..members.len()).filter(|at| members[*at].0 != Text::from("id")).collect();
        for (task, place) in self.tasks.iter_mut().zip(places) {
            task.path = vec![place];
        }
    }

    /// The letters of this name do not matter: which other characters do?
    fn each_character_of_name(&mut self, path: &[usize], label: &str) {
        let special = candidates::name_at(&self.current, path).map(candidates::special).unwrap_or_default();
        let mut push = |step| self.tasks.push(Task { path: path.to_vec(), label: label.to_owned(), step });
        push(Step::Settle(self.matters.len(), messages::name_of(label)));
        special.into_iter().take(MOST_CHARACTERS).for_each(|one| push(Step::NameCharacter(one)));
    }

    /// This value matters: which parts of it do?
    fn descend(&mut self, path: Vec<usize>, label: String) {
        let Some(value) = candidates::value_at(&self.current, &path) else { return };
        let value = value.clone();
        let mut push =
            |path: Vec<usize>, label: String, step: Step| self.tasks.push(Task { path, label, step });
        let settled = |what: String| Step::Settle(self.matters.len(), what);
        match &value {
            Json::Array(_) | Json::Object(_) if candidates::depth(&value) > DEEP => {
                push(path, label, Step::Unwrap)
            }
            Json::Array(elements) => {
                push(path.clone(), label.clone(), settled(messages::that_it_is(&label, kind(&value))));
                for at in 0..elements.len() {
                    push([&path[..], &[at]].concat(), format!("{label}[{at}]"), Step::Remove);
                }
            }
            Json::Object(members) => {
                push(path.clone(), label.clone(), settled(messages::that_it_is(&label, kind(&value))));
                for (at, (name, _)) in members.iter().enumerate() {
                    let label = format!("{label}{}", messages::step_to(name));
                    push([&path[..], &[at]].concat(), label, Step::Remove);
                }
            }
            Json::Text(text) => {
                let characters = candidates::special(text);
                push(path.clone(), label.clone(), settled(messages::length_of(&label)));
                if characters.len() > MOST_CHARACTERS || candidates::has_lone(text) {
                    self.is_whole = false;
                }
                let mut push =
                    |step: Step| self.tasks.push(Task { path: path.clone(), label: label.clone(), step });
                characters.iter().take(MOST_CHARACTERS).for_each(|one| push(Step::Character(*one)));
                push(Step::Plain);
            }
            Json::Number(_) => {
                push(path.clone(), label.clone(), settled(messages::number_of(&label)));
                use Feature::{Digits, Exponent, Fraction, Length, Sign};
                for feature in [Digits, Length, Sign, Fraction, Exponent] {
                    push(path.clone(), label.clone(), Step::Number(feature));
                }
            }
            Json::Null | Json::Bool(_) => self.matters.push(messages::that_it_is(&label, kind(&value))),
        }
    }
}

#[cfg(test)]
mod tests;
