//! The values of fields: their defaults, which values the API accepts, and how it normalises them.

use jiff::Timestamp;
use url::Url;

use super::json::{Members, as_text, object, set, text};
use super::objects::{Kind, nothing};
use twenty_conform::webhook::dialect::rfc3339;
use twenty_conform::webhook::json::Json;

/// The value of a field that is not set.
pub(super) fn default(kind: Kind) -> Json {
    let empty = || text("");
    match kind {
        Kind::Text => empty(),
        Kind::Boolean => Json::Bool(false),
        Kind::Currency => object([("amountMicros", Json::Null), ("currencyCode", Json::Null)]),
        Kind::Links => object([
            ("primaryLinkLabel", empty()),
            ("primaryLinkUrl", empty()),
            ("secondaryLinks", nothing()),
        ]),
        Kind::Address => object([
            ("addressStreet1", empty()),
            ("addressStreet2", empty()),
            ("addressCity", empty()),
            ("addressPostcode", empty()),
            ("addressState", empty()),
            ("addressCountry", empty()),
            ("addressLat", Json::Null),
            ("addressLng", Json::Null),
        ]),
        Kind::FullName => object([("firstName", empty()), ("lastName", empty())]),
        Kind::Emails => object([("primaryEmail", empty()), ("additionalEmails", nothing())]),
        Kind::Phones(country, calling) => object([
            ("primaryPhoneNumber", empty()),
            ("primaryPhoneCountryCode", text(country)),
            ("primaryPhoneCallingCode", text(calling)),
            ("additionalPhones", nothing()),
        ]),
        Kind::RichText => object([("blocknote", Json::Null), ("markdown", empty())]),
        Kind::Select(options, true) => text(options[0]),
        Kind::MultiSelect => nothing(),
        Kind::Number
        | Kind::DateTime
        | Kind::Select(_, false)
        | Kind::Rating
        | Kind::Files
        | Kind::RawJson
        | Kind::Relation(_)
        | Kind::System(_) => Json::Null,
    }
}

/// The value that a field has after a client has set it. Members that it does not give keep their value.
///
/// Errors: the value is not one of this kind.
pub(super) fn set_to(kind: Kind, before: &Json, given: &Json) -> Result<Json, String> {
    let wrong = || format!("Invalid value {} for a field of type {}", given.compact(), kind.name());
    match (kind, given) {
        (Kind::RawJson, _) => Ok(stored(given)),
        (_, Json::Null) => Ok(default(kind)),
        (Kind::Text, Json::Text(_)) | (Kind::Number, Json::Number(_)) | (Kind::Boolean, Json::Bool(_)) => {
            Ok(given.clone())
        }
        (Kind::Rating, Json::Text(_)) | (Kind::MultiSelect | Kind::Files, Json::Array(_)) => {
            Ok(given.clone())
        }
        (Kind::DateTime, Json::Text(time)) => {
            moment(&time.to_string()).map(|time| text(&time)).ok_or_else(wrong)
        }
        (Kind::Relation(_), Json::Text(id)) => {
            is_uuid(&id.to_string()).then(|| given.clone()).ok_or_else(wrong)
        }
        (Kind::Select(options, _), Json::Text(option)) => {
            options.contains(&option.to_string().as_str()).then(|| given.clone()).ok_or_else(wrong)
        }
        (
            Kind::Currency
            | Kind::Links
            | Kind::Address
            | Kind::FullName
            | Kind::Emails
            | Kind::Phones(..)
            | Kind::RichText,
            Json::Object(members),
        ) => {
            let mut after = before.clone();
            for (name, value) in members {
                let name = name.to_string();
                let known = default(kind);
                let Some(empty) = known.get(&name) else {
                    return Err(format!("Object of type {} has no member {name:?}", kind.name()));
                };
                let value = part(&name, empty, value).ok_or_else(wrong)?;
                set(&mut after, &name, value);
            }
            if kind == Kind::RichText {
                complete_rich_text(&mut after, given);
            }
            Ok(after)
        }
        _ => Err(wrong()),
    }
}

/// JSON as PostgreSQL keeps it: shorter names first, and the last of equal names.
fn stored(json: &Json) -> Json {
    match json {
        Json::Array(elements) => Json::Array(elements.iter().map(stored).collect()),
        Json::Object(members) => {
            let mut kept = Members::new();
            for (name, value) in members {
                kept.retain(|(known, _)| known != name);
                kept.push((name.clone(), stored(value)));
            }
            kept.sort_by_key(|(name, _)| (name.to_string().len(), name.to_string()));
            Json::Object(kept)
        }
        other => other.clone(),
    }
}

/// Whether PostgreSQL can keep this JSON: it has no NUL, and no half of a surrogate pair.
pub(super) fn can_be_stored(json: &Json) -> bool {
    let written = json.compact();
    let mut rest = written.as_str();
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at + 1..];
        if escape.starts_with("u0000") || escape.starts_with("ud") {
            return false;
        }
        rest = &escape[1..];
    }
    true
}

/// The value of a member of a composite field, or `None` if it is of the wrong type.
fn part(name: &str, empty: &Json, given: &Json) -> Option<Json> {
    Some(match (name, given) {
        (_, Json::Null) => empty.clone(),
        ("primaryLinkUrl", Json::Text(url)) => text(&link(&url.to_string())?),
        ("secondaryLinks", Json::Array(links)) => {
            let mut normal = Vec::new();
            for given in links {
                let url = link(&given.get("url").and_then(as_text)?)?;
                let label = given.get("label").cloned().unwrap_or_else(|| text(""));
                normal.push(object([("url", text(&url)), ("label", label)]));
            }
            Json::Array(normal)
        }
        ("primaryEmail", Json::Text(address)) => text(&address.to_string().to_lowercase()),
        ("amountMicros" | "addressLat" | "addressLng", Json::Number(_)) => given.clone(),
        ("amountMicros" | "addressLat" | "addressLng", _) => return None,
        (_, Json::Array(_)) if matches!(empty, Json::Array(_)) => given.clone(),
        (_, Json::Text(_)) if !matches!(empty, Json::Array(_)) => given.clone(),
        _ => return None,
    })
}

/// An address of a link as the API keeps it: in lower case where case does not matter, without a last slash.
fn link(given: &str) -> Option<String> {
    if given.is_empty() {
        return Some(String::new());
    }
    let whole = if given.contains("://") { given.to_owned() } else { format!("https://{given}") };
    let url = Url::parse(&whole).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    Some(if is_bare { url.as_str().trim_end_matches('/').to_owned() } else { url.to_string() })
}

/// Text in one form makes the other.
fn complete_rich_text(body: &mut Json, given: &Json) {
    let is_given = |name| given.get(name).is_some_and(|value| *value != Json::Null);
    if !is_given("markdown") || is_given("blocknote") {
        return;
    }
    let words = text(&body.get("markdown").and_then(as_text).unwrap_or_default()).compact();
    let props = r#"{"backgroundColor":"default","textColor":"default","textAlignment":"left"}"#;
    let content = format!(r#"[{{"type":"text","text":{words},"styles":{{}}}}]"#);
    let block = format!(
        r#"[{{"id":"d51a8042-21e1-47f6-ba68-3a6664e3025f","type":"paragraph","props":{props},"content":{content},"children":[]}}]"#
    );
    set(body, "blocknote", text(&block));
}

/// A time as the API keeps it.
pub(super) fn moment(given: &str) -> Option<String> {
    let whole = if given.contains('T') { given.to_owned() } else { format!("{given}T00:00:00Z") };
    let time: Timestamp = whole.parse().ok()?;
    Some(rfc3339(u64::try_from(time.as_millisecond()).ok()?))
}

pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, character)| match at {
            8 | 13 | 18 | 23 => character == '-',
            _ => character.is_ascii_hexdigit(),
        })
}

/// The words of a record, as a full text search keeps them: each with its position, in the order of the alphabet.
pub(super) fn search_vector(record: &Json) -> Json {
    let mut words: Vec<(String, usize)> = Vec::new();
    for name in ["name", "title", "emails", "jobTitle", "domainName", "bodyV2"] {
        let Some(value) = record.get(name) else { continue };
        let mut texts = Vec::new();
        collect(value, &mut texts);
        for word in texts.iter().flat_map(|text| text.split_whitespace()) {
            let word = word.to_lowercase().replace('\'', "''");
            words.push((word, words.len() + 1));
        }
    }
    words.sort();
    let shown: Vec<String> = words.iter().map(|(word, at)| format!("'{word}':{at}")).collect();
    text(&shown.join(" "))
}

fn collect(value: &Json, texts: &mut Vec<String>) {
    match value {
        Json::Text(text) => texts.push(text.to_string()),
        Json::Array(elements) => elements.iter().for_each(|one| collect(one, texts)),
        Json::Object(members) => {
            let shown = members.iter().filter(|(name, _)| name.to_string() != "blocknote");
            shown.for_each(|(_, value)| collect(value, texts));
        }
        _ => {}
    }
}
