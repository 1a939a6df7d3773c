//! Filters and pages of the REST API: `filter=id[in]:["…"],deletedAt[is]:NOT_NULL`, `limit` and `starting_after`.

use url::form_urlencoded;

use super::json::{as_text, member_text, number, object, text};
use super::workspace::Refusal;
use twenty_conform::webhook::json::Json;

/// How many records a page has at most.
pub(super) const LONGEST_PAGE: usize = 60;

/// Conditions that must all be true.
#[derive(Debug, Default)]
pub(super) struct Filter(Vec<Condition>);

#[derive(Debug)]
struct Condition {
    field: String,
    comparison: Comparison,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    In,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Is,
}

const COMPARISONS: &[(&str, Comparison)] = &[
    ("eq", Comparison::Equal),
    ("neq", Comparison::NotEqual),
    ("in", Comparison::In),
    ("gt", Comparison::Greater),
    ("gte", Comparison::GreaterOrEqual),
    ("lt", Comparison::Less),
    ("lte", Comparison::LessOrEqual),
    ("is", Comparison::Is),
];

/// The parameter of this name in a query.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

impl Filter {
    /// The filter of a query; without one everything.
    pub(super) fn of(query: &str) -> Result<Self, Refusal> {
        let written = parameter(query, "filter").unwrap_or_default();
        let mut conditions = Vec::new();
        read(&written, &mut conditions)
            .ok_or_else(|| Refusal::input(format!("'filter' invalid: {written}")))?;
        Ok(Self(conditions))
    }

    /// The record of this id.
    pub(super) fn id(id: &str) -> Self {
        let (field, values) = ("id".to_owned(), vec![id.to_owned()]);
        Self(vec![Condition { field, comparison: Comparison::Equal, values }])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn asks_for_deleted(&self) -> bool {
        self.0.iter().any(|condition| condition.field == "deletedAt")
    }

    pub(super) fn has(&self, record: &Json) -> bool {
        self.0.iter().all(|condition| condition.is_true_of(record))
    }
}

/// Reads conditions, which commas separate; `None` if they cannot be read.
fn read(written: &str, conditions: &mut Vec<Condition>) -> Option<()> {
    for part in divided(written) {
        let part = part.trim();
        if let Some(inner) = part.strip_prefix("and(") {
            read(inner.strip_suffix(')')?, conditions)?;
            continue;
        }
        let (field, rest) = part.split_once('[')?;
        let (comparison, value) = rest.split_once("]:")?;
        let comparison = COMPARISONS.iter().find(|(name, _)| *name == comparison)?.1;
        let values = match value.strip_prefix('[') {
            Some(list) => divided(list.strip_suffix(']')?).into_iter().map(unquoted).collect(),
            None => vec![unquoted(value)],
        };
        conditions.push(Condition { field: field.to_owned(), comparison, values });
    }
    Some(())
}

/// The parts between commas that are not inside brackets.
fn divided(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}

impl Condition {
    fn is_true_of(&self, record: &Json) -> bool {
        let value = self.field.split('.').try_fold(record, |value, name| value.get(name));
        let value = value.unwrap_or(&Json::Null);
        let own = as_text(value).unwrap_or_else(|| value.compact());
        let first = self.values.first().map(String::as_str).unwrap_or_default();
        match self.comparison {
            Comparison::Is => (first == "NULL") == (*value == Json::Null),
            Comparison::NotEqual => own != first,
            Comparison::Equal => own == first,
            Comparison::In => self.values.contains(&own),
            _ if *value == Json::Null => false,
            Comparison::Greater => own.as_str() > first,
            Comparison::GreaterOrEqual => own.as_str() >= first,
            Comparison::Less => own.as_str() < first,
            Comparison::LessOrEqual => own.as_str() <= first,
        }
    }
}

/// One page of a list: its items, its `pageInfo`, and the number of all items.
pub(super) fn page(query: &str, all: Vec<Json>, most: usize) -> Result<(Vec<Json>, Json, Json), Refusal> {
    let limit = match parameter(query, "limit") {
        None => most,
        Some(written) => match written.parse::<usize>() {
            Ok(limit) => limit.min(most),
            Err(_) => {
                return Err(Refusal::input(format!("limit '{written}' is invalid. Should be an integer")));
            }
        },
    };
    let total = number(all.len());
    let from = match parameter(query, "starting_after") {
        None => 0,
        Some(cursor) => {
            let at = all.iter().position(|record| member_text(record, "id") == cursor);
            at.ok_or_else(|| Refusal::input(format!("Invalid cursor: {cursor}")))? + 1
        }
    };
    let has_next = all.len() > from.saturating_add(limit);
    let shown: Vec<Json> = all.into_iter().skip(from).take(limit).collect();
    let cursor = |record: Option<&Json>| record.map_or(Json::Null, |one| text(&member_text(one, "id")));
    let info = object([
        ("startCursor", cursor(shown.first())),
        ("endCursor", cursor(shown.last())),
        ("hasNextPage", Json::Bool(has_next)),
    ]);
    Ok((shown, info, total))
}
