//! The shape of a JSON value: its members and their JSON types. Implementations are compared with the reviewed snapshots under
//! `snapshots/shapes/`.
//!
//! Invariant: a shape contains no values, so all bodies of one event have the same shape. The order of members is shown but
//! not compared.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::webhook::dialect::Dialect;
use crate::webhook::event::EventName;

include!(concat!(env!("OUT_DIR"), "/shapes.rs"));

/// The members and JSON types of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `null`, `boolean`, `number` or `text`.
    Scalar(&'static str),
    /// An array, with each different shape of its elements once.
    Array(Vec<Shape>),
    /// An object, with its members in order.
    Object(Vec<(String, Shape)>),
}

/// One place where two shapes differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The path of the place: `data.emails.primaryEmail`; empty for the whole value.
    pub path: String,
    /// The type in the snapshot; `None` for a member that the snapshot does not have.
    pub expected: Option<String>,
    /// The type in the body; `None` for a missing member.
    pub actual: Option<String>,
}

/// How many different shapes of an array's elements are kept. No event has more than a few.
const MOST_SHAPES: usize = 1000;

/// How many further members are differences. Missing members and other types always are.
const MOST_FURTHER: usize = 1000;

/// How many differences a diff shows.
const SHOWN: usize = 100;

const SCALARS: [&str; 4] = ["null", "boolean", "number", "text"];

impl Shape {
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Scalar("null"),
            Value::Bool(_) => Self::Scalar("boolean"),
            Value::Number(_) => Self::Scalar("number"),
            Value::String(_) => Self::Scalar("text"),
            Value::Array(elements) => {
                let (mut shapes, mut known) = (Vec::new(), HashSet::new());
                for shape in elements.iter().map(Self::of) {
                    // Most arrays have elements of one shape.
                    if shapes.last() == Some(&shape) {
                        continue;
                    }
                    if shapes.len() < MOST_SHAPES && known.insert(shape.clone()) {
                        shapes.push(shape);
                    }
                }
                Self::Array(shapes)
            }
            Value::Object(members) => {
                Self::Object(members.iter().map(|(key, value)| (key.clone(), Self::of(value))).collect())
            }
        }
    }

    /// The snapshot of an event's body, if there is one.
    pub fn snapshot(dialect: &Dialect, event: &EventName) -> Option<Self> {
        let file = snapshot_name(dialect, event) + ".snap";
        // `listen` needs the same few shapes thousands of times.
        static SNAPSHOTS: LazyLock<HashMap<&str, Shape>> = LazyLock::new(|| {
            let parse = |(name, text): &(&'static str, &str)| Some((*name, Shape::parse_snapshot(text)?));
            SHAPE_FILES.iter().filter_map(parse).collect()
        });
        SNAPSHOTS.get(file.as_str()).cloned()
    }

    /// Parses the output of [`Shape::to_json`], after the head that the snapshot tool adds.
    fn parse_snapshot(text: &str) -> Option<Self> {
        let (_, shape) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
        Self::from_json(&serde_json::from_str(shape).ok()?)
    }

    /// The shape as JSON, for review: types instead of values.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Scalar(name) => Value::from(*name),
            Self::Array(shapes) => shapes.iter().map(Self::to_json).collect(),
            Self::Object(members) => Value::Object(
                members.iter().map(|(key, shape)| (key.clone(), shape.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    fn from_json(json: &Value) -> Option<Self> {
        match json {
            Value::String(name) => SCALARS.into_iter().find(|scalar| scalar == name).map(Self::Scalar),
            Value::Array(shapes) => {
                shapes.iter().map(Self::from_json).collect::<Option<_>>().map(Self::Array)
            }
            Value::Object(members) => members
                .iter()
                .map(|(key, shape)| Some((key.clone(), Self::from_json(shape)?)))
                .collect::<Option<_>>()
                .map(Self::Object),
            _ => None,
        }
    }

    /// Every place where `actual` differs from this shape.
    pub fn differences(&self, actual: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare(actual, "", &mut found);
        found
    }

    fn compare(&self, actual: &Self, path: &str, found: &mut Vec<Difference>) {
        match (self, actual) {
            (Self::Object(expected), Self::Object(actual)) => {
                for (key, shape) in expected {
                    let path = join(path, named(key));
                    match find(actual, key) {
                        Some(other) => shape.compare(other, &path, found),
                        None => found.push(Difference { path, expected: Some(shape.name()), actual: None }),
                    }
                }
                for (key, shape) in actual.iter().filter(|(key, _)| find(expected, key).is_none()) {
                    if found.len() >= MOST_FURTHER {
                        break;
                    }
                    found.push(Difference {
                        path: join(path, named(key)),
                        expected: None,
                        actual: Some(shape.name()),
                    });
                }
            }
            // An empty array matches every array.
            (Self::Array(expected), Self::Array(actual)) => {
                for shape in actual.iter().filter(|_| !expected.is_empty()) {
                    let closest = expected.iter().map(|known| known.differences(shape)).min_by_key(Vec::len);
                    for difference in closest.unwrap_or_default() {
                        let path = join(&format!("{path}[]"), &difference.path);
                        found.push(Difference { path, ..difference });
                    }
                }
            }
            (expected, actual) if expected == actual => {}
            (expected, actual) => found.push(Difference {
                path: path.to_owned(),
                expected: Some(expected.name()),
                actual: Some(actual.name()),
            }),
        }
    }

    /// Whether the value at a path of members is an object with members.
    pub(crate) fn has_parts(&self, path: &str) -> bool {
        let member = |shape: &Self, name: &str| match shape {
            Self::Object(members) => find(members, name).cloned(),
            _ => None,
        };
        let found = path.split('.').try_fold(self.clone(), |shape, name| member(&shape, name));
        matches!(found, Some(Self::Object(members)) if !members.is_empty())
    }

    /// The JSON type.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Scalar(name) => (*name).to_owned(),
            Self::Array(_) => "array".to_owned(),
            Self::Object(_) => "object".to_owned(),
        }
    }
}

/// The file name of an event's snapshot, without its extension.
pub fn snapshot_name(dialect: &Dialect, event: &EventName) -> String {
    format!("{}.{event}", dialect.name)
}

/// Differences as a diff: `-` for the snapshot, `+` for the body.
pub fn diff(differences: &[Difference]) -> String {
    let mut text = String::new();
    for Difference { path, expected, actual } in differences.iter().take(SHOWN) {
        let path = if path.is_empty() { "(the whole body)" } else { path };
        for (sign, side) in [('-', expected), ('+', actual)] {
            if let Some(side) = side {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{sign} {path}: {side}");
            }
        }
    }
    if let Some(more) = differences.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "… and {more} more");
    }
    text.truncate(text.trim_end().len());
    text
}

fn find<'a>(members: &'a [(String, Shape)], key: &str) -> Option<&'a Shape> {
    members.iter().find(|(name, _)| name == key).map(|(_, shape)| shape)
}

/// A member's name in a path: the empty one would be the path of what contains it.
fn named(key: &str) -> &str {
    if key.is_empty() { "\"\"" } else { key }
}

fn join(path: &str, key: &str) -> String {
    match (path.is_empty(), key.is_empty()) {
        (true, _) => key.to_owned(),
        (_, true) => path.to_owned(),
        _ => format!("{path}.{key}"),
    }
}
