//! Bodies whose members are in another order than in the signed text, and other marks of a program that printed a body again.

use super::messages;
use crate::budget::PARSED_VALUES;
use crate::webhook::json::{Json, has_at_most};
use crate::webhook::rewriting::{Escapes, Rewriting, Space};

/// The most orders that are tried, each in a few spellings.
pub(super) const MOST: usize = 20_000;
/// The fewest members whose order says something.
const FEWEST: usize = 4;
/// Escapes that printers other than JavaScript's write, with those printers.
const ESCAPES: [(&str, &str); 4] =
    [("\\u0026", "Go or Java"), ("\\u003c", "Go or Java"), ("\\u0027", "Java"), ("\\/", "PHP")];

/// The order of members that was signed, told as what the captured body has; `None` if there are more than `most` orders, or
/// none fits.
pub(super) fn find(body: &[u8], most: usize, fits: &dyn Fn(&[u8]) -> bool) -> Option<String> {
    let parsed = Json::parse(body).ok()?;
    let mut sizes = Vec::new();
    collect(&parsed, &mut sizes);
    let orders = sizes.iter().try_fold(1_usize, |product, &size| {
        let factorial = (2..=size).try_fold(1_usize, usize::checked_mul)?;
        product.checked_mul(factorial)
    })?;
    let spellings = [
        Rewriting::default(),
        Rewriting { space: Space::Spaced, ..Rewriting::default() },
        Rewriting { beyond: Escapes::Escaped, ..Rewriting::default() },
    ];
    let is_affordable = orders > 1 && orders.checked_mul(spellings.len()).is_some_and(|count| count <= most);
    let is_signed = |order: usize| {
        let mut rest = order;
        let text = in_order(&parsed, &mut rest).compact();
        spellings.iter().any(|one| fits(one.of(&text).as_ref().unwrap_or(&text).as_bytes()))
    };
    let found = is_affordable && (1..orders).any(is_signed);
    found.then(|| {
        let text = String::from_utf8_lossy(body);
        let mut what = marks(&text);
        if !what.iter().any(|mark| *mark == messages::sorted()) {
            what.insert(0, messages::other_order().to_owned());
        }
        what.join(", ")
    })
}

/// How many members each object has, from the outside to the inside.
fn collect(value: &Json, sizes: &mut Vec<usize>) {
    match value {
        Json::Object(members) => {
            sizes.push(members.len());
            members.iter().for_each(|(_, value)| collect(value, sizes));
        }
        Json::Array(elements) => elements.iter().for_each(|one| collect(one, sizes)),
        _ => {}
    }
}

/// The value with the members of each object in one of their orders. `rest` is the number of the order.
fn in_order(value: &Json, rest: &mut usize) -> Json {
    match value {
        Json::Object(members) => {
            let mut left: Vec<_> = members.iter().collect();
            let mut ordered = Vec::with_capacity(left.len());
            while !left.is_empty() {
                let at = *rest % left.len();
                *rest /= left.len();
                ordered.push(left.remove(at));
            }
            Json::Object(
                ordered.into_iter().map(|(name, value)| (name.clone(), in_order(value, rest))).collect(),
            )
        }
        Json::Array(elements) => Json::Array(elements.iter().map(|one| in_order(one, rest)).collect()),
        other => other.clone(),
    }
}

/// What shows that another program than the sender printed a body: sorted members, and escapes that JavaScript does not write.
pub(super) fn marks(text: &str) -> Vec<String> {
    if !has_at_most(text.as_bytes(), PARSED_VALUES) {
        return Vec::new();
    }
    let Ok(parsed) = Json::parse(text.as_bytes()) else { return Vec::new() };
    let mut marks = Vec::new();
    let mut members = 0;
    if is_sorted(&parsed, &mut members) && members >= FEWEST {
        marks.push(messages::sorted().to_owned());
    }
    let escape = ESCAPES.iter().find(|(escape, _)| text.contains(escape));
    marks.extend(escape.map(|(escape, printer)| messages::escaped_as(escape, printer)));
    marks
}

/// Whether the members of every object are in order of their names. `members` counts them.
fn is_sorted(value: &Json, members: &mut usize) -> bool {
    match value {
        Json::Object(all) => {
            *members += all.len();
            all.is_sorted_by(|(one, _), (other, _)| one <= other)
                && all.iter().all(|(_, value)| is_sorted(value, members))
        }
        Json::Array(elements) => elements.iter().all(|one| is_sorted(one, members)),
        _ => true,
    }
}
