//! Varied JSON values: one part of a tree replaced, renamed or left out.

use super::Feature;
use crate::webhook::json::{Json, Text};

pub(super) fn value_at<'a>(json: &'a Json, path: &[usize]) -> Option<&'a Json> {
    let Some((first, rest)) = path.split_first() else { return Some(json) };
    match json {
        Json::Array(elements) => value_at(elements.get(*first)?, rest),
        Json::Object(members) => value_at(&members.get(*first)?.1, rest),
        _ => None,
    }
}

fn value_at_mut<'a>(json: &'a mut Json, path: &[usize]) -> Option<&'a mut Json> {
    let Some((first, rest)) = path.split_first() else { return Some(json) };
    match json {
        Json::Array(elements) => value_at_mut(elements.get_mut(*first)?, rest),
        Json::Object(members) => value_at_mut(&mut members.get_mut(*first)?.1, rest),
        _ => None,
    }
}

/// The tree with the value at a path changed; `None` if there is nothing to change.
pub(super) fn in_tree(json: &Json, path: &[usize], change: &dyn Fn(&Json) -> Option<Json>) -> Option<Json> {
    let changed = change(value_at(json, path)?)?;
    let mut tree = json.clone();
    *value_at_mut(&mut tree, path)? = changed;
    Some(tree)
}

/// The tree without the member or element at a path.
pub(super) fn without(json: &Json, path: &[usize]) -> Option<Json> {
    let (last, parent) = path.split_last()?;
    let mut tree = json.clone();
    match value_at_mut(&mut tree, parent)? {
        Json::Array(elements) if *last < elements.len() => drop(elements.remove(*last)),
        Json::Object(members) if *last < members.len() => drop(members.remove(*last)),
        _ => return None,
    }
    Some(tree)
}

/// The name of the member at a path; `None` for an element.
pub(super) fn name_at<'a>(json: &'a Json, path: &[usize]) -> Option<&'a Text> {
    let (last, parent) = path.split_last()?;
    match value_at(json, parent)? {
        Json::Object(members) => members.get(*last).map(|(name, _)| name),
        _ => None,
    }
}

/// The tree with the name of the member at a path changed, which is given as a value; `None` if there is nothing to change.
pub(super) fn with_name(json: &Json, path: &[usize], change: impl Fn(&Json) -> Option<Json>) -> Option<Json> {
    let Some(Json::Text(changed)) = change(&Json::Text(name_at(json, path)?.clone())) else { return None };
    let (last, parent) = path.split_last()?;
    let mut tree = json.clone();
    let Json::Object(members) = value_at_mut(&mut tree, parent)? else { return None };
    members.get_mut(*last)?.0 = changed;
    Some(tree)
}

/// The tree with a plain name for the member at a path; `None` for an element.
pub(super) fn renamed(json: &Json, path: &[usize]) -> Option<Json> {
    let (last, parent) = path.split_last()?;
    let mut tree = json.clone();
    let Json::Object(members) = value_at_mut(&mut tree, parent)? else { return None };
    let is_free = |name: &&str| members.iter().all(|(other, _)| *other != Text::from(*name));
    let name = ["other", "another", "further"].into_iter().find(is_free)?;
    members.get_mut(*last)?.0 = Text::from(name);
    Some(tree)
}

/// The plain value instead of this one.
pub(super) fn plain(value: &Json) -> Option<Json> {
    Some(match value {
        Json::Number(_) => Json::Number("1".to_owned()),
        _ => Json::Text(Text::from("x")),
    })
}

/// What is in the only element or member of a value.
pub(super) fn unwrapped(value: &Json) -> Option<Json> {
    match value {
        Json::Array(elements) => (elements.len() == 1).then(|| elements[0].clone()),
        Json::Object(members) => (members.len() == 1).then(|| members[0].1.clone()),
        _ => None,
    }
}

pub(super) fn depth(value: &Json) -> usize {
    match value {
        Json::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// A text with some of its characters replaced.
pub(super) fn replaced(value: &Json, by: impl Fn(char) -> Option<char>) -> Option<Json> {
    let Json::Text(text) = value else { return None };
    let mut units = Vec::new();
    for character in text.characters() {
        match character {
            Ok(old) => units.extend_from_slice(by(old).unwrap_or(old).encode_utf16(&mut [0; 2])),
            Err(lone) => units.push(lone),
        }
    }
    Some(Json::Text(Text::from(units)))
}

/// The different characters of a text that are neither letters nor digits of ASCII nor blanks.
pub(super) fn special(text: &Text) -> Vec<char> {
    let mut found = Vec::new();
    for character in text.characters().flatten() {
        if !character.is_ascii_alphanumeric() && character != ' ' && !found.contains(&character) {
            found.push(character);
        }
    }
    found
}

pub(super) fn has_lone(text: &Text) -> bool {
    text.characters().any(|one| one.is_err())
}

/// Another character that is like this one: beyond ASCII, or a control character. Punctuation has none.
pub(super) fn sibling(character: char) -> Option<char> {
    match character {
        '\u{1}' => Some('\u{2}'),
        '\0'..='\u{1f}' => Some('\u{1}'),
        'é' => Some('ü'),
        '🚀' => Some('🎈'),
        '\u{10000}'.. => Some('🚀'),
        '\u{80}'.. => Some('é'),
        _ => None,
    }
}

/// The kind of a value, with its article.
pub(super) fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(true) => "true",
        Json::Bool(false) => "false",
        Json::Number(_) => "a number",
        Json::Text(_) => "a text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

pub(super) mod features {
    use super::{Feature, Json};

    /// A number without one of its parts; `None` if it has no such part.
    pub(in super::super) fn without(value: &Json, feature: Feature) -> Option<Json> {
        let Json::Number(number) = value else { return None };
        let (mantissa, exponent) = match number.find(['e', 'E']) {
            Some(at) => number.split_at(at),
            None => (number.as_str(), ""),
        };
        let (whole, fraction) = match mantissa.find('.') {
            Some(at) => mantissa.split_at(at),
            None => (mantissa, ""),
        };
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
        let changed = match feature {
            Feature::Exponent => format!("{sign}{whole}{fraction}"),
            Feature::Fraction => format!("{sign}{whole}{exponent}"),
            Feature::Sign => format!("{whole}{fraction}{exponent}"),
            Feature::Length => {
                let (whole, fraction) = (&whole[..whole.len().min(3)], &fraction[..fraction.len().min(3)]);
                format!("{sign}{whole}{fraction}{exponent}")
            }
            Feature::Digits => {
                let other = |digit: char| match digit {
                    '1'..='8' => char::from(digit as u8 + 1),
                    '9' => '1',
                    other => other,
                };
                format!(
                    "{sign}{}{exponent}",
                    format!("{whole}{fraction}").chars().map(other).collect::<String>()
                )
            }
        };
        (changed != *number).then_some(Json::Number(changed))
    }
}
