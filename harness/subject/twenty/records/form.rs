//! The forms of members that Twenty stores, and which values keep theirs.
//!
//! Invariant: the normal form of a normal form is the same.

use jiff::Timestamp;

use crate::webhook::dialect::rfc3339;
use crate::webhook::json::{Json, Text};

/// The longest text that is set.
const LONGEST_TEXT: usize = 4096;

/// What a member holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Text,
    /// A first and a last name.
    FullName,
    /// A primary address and others. No two people may have the same primary address.
    Emails,
    Phones,
    /// A primary link and others. Of some members, no two records may have the same primary link.
    Links {
        unique: bool,
    },
    Address,
    /// A whole number.
    Whole,
    /// An amount in millionths, and its currency.
    Money,
    /// Rich text, as Markdown.
    Body,
    /// A date and time.
    Time,
    /// One of the options of a standard workspace.
    Choice(&'static [&'static str]),
}

impl Form {
    /// The value as Twenty stores it; `None` if it cannot be stored, or is not known to be unchanged. What must be unique gets a part of
    /// the id.
    pub(super) fn normal(self, value: &Json, id: &str) -> Option<Json> {
        let tail = id.get(id.len().checked_sub(12)?..)?;
        match self {
            Self::Text => text(value).map(|_| value.clone()),
            Self::FullName => {
                object(value, &["firstName", "lastName"], |_, value| text(value).map(|_| value.clone()))
            }
            Self::Emails => object(value, &["primaryEmail", "additionalEmails"], |name, value| match name {
                "primaryEmail" => email(value, tail),
                _ => array(value, |value| email(value, tail)),
            }),
            Self::Phones => phones(value),
            Self::Links { unique } => {
                let own = if unique { Some(tail) } else { None };
                object(value, &["primaryLinkLabel", "primaryLinkUrl", "secondaryLinks"], |name, value| {
                    match name {
                        "primaryLinkLabel" => text(value).map(|_| value.clone()),
                        "primaryLinkUrl" => link(value, own),
                        _ => array(value, |value| {
                            object(value, &["url", "label"], |name, value| match name {
                                "url" => link(value, None),
                                _ => text(value).map(|_| value.clone()),
                            })
                        }),
                    }
                })
            }
            Self::Address => address(value),
            Self::Whole => whole(value, 9),
            Self::Money => object(value, &["amountMicros", "currencyCode"], |name, value| match name {
                // Beyond 2^53 a number would be rounded.
                "amountMicros" => whole(value, 15),
                _ => matching(value, |code| {
                    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
                }),
            }),
            Self::Body => {
                let markdown = matching(value.get("markdown")?, is_plain)?;
                Some(Json::Object(vec![(Text::from("markdown"), markdown)]))
            }
            Self::Time => matching(value, |time| {
                let parsed: Option<Timestamp> = time.parse().ok();
                let ms = parsed.and_then(|time| u64::try_from(time.as_millisecond()).ok());
                ms.is_some_and(|ms| rfc3339(ms) == time)
            }),
            Self::Choice(options) => matching(value, |choice| options.contains(&choice)),
        }
    }
}

/// A text that is stored unchanged.
fn text(value: &Json) -> Option<String> {
    let Json::Text(text) = value else { return None };
    let text = text.to_unicode()?;
    (text.len() <= LONGEST_TEXT && !text.contains('\0')).then_some(text)
}

/// A text with this property.
fn matching(value: &Json, is_right: impl Fn(&str) -> bool) -> Option<Json> {
    text(value).filter(|text| is_right(text)).map(|_| value.clone())
}

fn as_json(text: &str) -> Json {
    Json::Text(Text::from(text))
}

/// An object with exactly these members, in this order, each of which has a normal form.
fn object(value: &Json, names: &[&str], normal: impl Fn(&str, &Json) -> Option<Json>) -> Option<Json> {
    let member = |name: &&str| Some((Text::from(*name), normal(name, value.get(name)?)?));
    names.iter().map(member).collect::<Option<_>>().map(Json::Object)
}

fn array(value: &Json, normal: impl Fn(&Json) -> Option<Json>) -> Option<Json> {
    let Json::Array(elements) = value else { return None };
    elements.iter().map(normal).collect::<Option<_>>().map(Json::Array)
}

/// A whole number with a limited number of digits.
fn whole(value: &Json, digits: usize) -> Option<Json> {
    let Json::Number(number) = value else { return None };
    let all = number.strip_prefix('-').unwrap_or(number);
    let is_whole = all.len() <= digits && all.bytes().all(|byte| byte.is_ascii_digit()) && number != "-0";
    is_whole.then(|| value.clone())
}

/// An address in lower case, with a part of the record's id before its `@`.
fn email(value: &Json, tail: &str) -> Option<Json> {
    let text = text(value)?;
    let (name, domain) = text.split_once('@')?;
    let is_name = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
            && part.starts_with(|first: char| first.is_ascii_alphanumeric())
    };
    (is_name(name) && is_name(domain) && domain.contains('.'))
        .then(|| as_json(&format!("{name}.{tail}@{domain}")))
}

/// A link whose address has its normal form: no upper case in the host, nothing that is escaped, no `/` at the end. With `own`, its
/// host begins with that.
fn link(value: &Json, own: Option<&str>) -> Option<Json> {
    let text = text(value)?;
    let (scheme, rest) = text.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_host = host.contains('.')
        && host
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
    let is_path = !path.ends_with('/')
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/?=&._-".contains(&byte));
    if !matches!(scheme, "http" | "https") || !is_host || !is_path {
        return None;
    }
    let host = own.map_or_else(|| host.to_owned(), |own| format!("{own}.{host}"));
    Some(as_json(&format!("{scheme}://{host}{path}")))
}

fn phones(value: &Json) -> Option<Json> {
    let digits = |value: &Json| {
        matching(value, |number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let country = |value: &Json| {
        matching(value, |code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
    };
    let calling = |value: &Json| {
        matching(value, |code| {
            let digits = code.strip_prefix('+').unwrap_or_default();
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let part = |name: &str, value: &Json| match name {
        "primaryPhoneNumber" | "number" => digits(value),
        "primaryPhoneCountryCode" | "countryCode" => country(value),
        _ => calling(value),
    };
    let names =
        ["primaryPhoneNumber", "primaryPhoneCountryCode", "primaryPhoneCallingCode", "additionalPhones"];
    object(value, &names, |name, value| match name {
        "additionalPhones" => {
            array(value, |value| object(value, &["number", "callingCode", "countryCode"], part))
        }
        _ => part(name, value),
    })
}

/// An address. What is not known is an empty text, or no coordinate.
fn address(value: &Json) -> Option<Json> {
    const TEXTS: [&str; 6] = [
        "addressStreet1",
        "addressStreet2",
        "addressCity",
        "addressPostcode",
        "addressState",
        "addressCountry",
    ];
    const PLACES: [&str; 2] = ["addressLat", "addressLng"];
    let mut members = Vec::new();
    for name in TEXTS {
        let value = match value.get(name) {
            None | Some(Json::Null) => as_json(""),
            Some(value) => text(value).map(|_| value.clone())?,
        };
        members.push((Text::from(name), value));
    }
    for name in PLACES {
        let value = match value.get(name) {
            None | Some(Json::Null) => Json::Null,
            Some(Json::Number(number)) if number.len() <= 12 && number.parse::<f64>().is_ok() => {
                Json::Number(number.clone())
            }
            Some(_) => return None,
        };
        members.push((Text::from(name), value));
    }
    Some(Json::Object(members))
}

/// Whether a text means the same in Markdown, and is stored unchanged: words with single spaces.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.split(' ').all(|word| !word.is_empty() && word.chars().all(char::is_alphabetic))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const ID: &str = "7477636f-6e66-4000-8000-0123456789ab";

    fn normal(form: Form, value: &str) -> Option<String> {
        form.normal(&Json::parse(value.as_bytes()).unwrap(), ID).map(|value| value.compact())
    }

    #[test]
    fn links_are_set_only_in_their_normal_form() {
        let links =
            |url: &str| format!(r#"{{"primaryLinkUrl":"{url}","primaryLinkLabel":"L","secondaryLinks":[]}}"#);
        let set =
            |url: &str| format!(r#"{{"primaryLinkLabel":"L","primaryLinkUrl":"{url}","secondaryLinks":[]}}"#);
        for url in
            ["https://tanaka.example", "https://shop.tanaka.example/?q=1&lang=ja", "http://a.example/b"]
        {
            assert_eq!(normal(Form::Links { unique: false }, &links(url)), Some(set(url)), "{url}");
        }
        for url in [
            "",
            "https://Tanaka.example",
            "https://tanaka.example/",
            "https://tanaka.example/in/ł",
            "https://tanaka.example/%E2%98%84",
            "ftp://tanaka.example",
            "tanaka.example",
        ] {
            assert_eq!(normal(Form::Links { unique: false }, &links(url)), None, "{url}");
        }
        assert_eq!(
            normal(Form::Links { unique: true }, &links("https://tanaka.example/a")),
            Some(set("https://0123456789ab.tanaka.example/a"))
        );
    }

    #[test]
    fn values_of_each_form() {
        for (form, value, expected) in [
            (Form::Text, r#""a\n b ""#, Some(r#""a\n b ""#)),
            (Form::Text, r#""\u0000""#, None),
            (Form::Text, r#""\ud800""#, None),
            (Form::Text, "null", None),
            (Form::Whole, "1348", Some("1348")),
            (Form::Whole, "1.0", None),
            (Form::Whole, "-0", None),
            (Form::Whole, "12345678901", None),
            (
                Form::Money,
                r#"{"currencyCode":"JPY","amountMicros":1250000500000}"#,
                Some(r#"{"amountMicros":1250000500000,"currencyCode":"JPY"}"#),
            ),
            (Form::Money, r#"{"currencyCode":"JPY","amountMicros":9007199254740993}"#, None),
            (Form::Money, r#"{"currencyCode":"","amountMicros":1}"#, None),
            (Form::Body, r#"{"blocknote":"[]","markdown":"do it"}"#, Some(r#"{"markdown":"do it"}"#)),
            (Form::Body, r##"{"markdown":"# hi"}"##, None),
            (Form::Body, r#"{"markdown":""}"#, None),
            (Form::Time, r#""2027-01-01T10:00:00.000Z""#, Some(r#""2027-01-01T10:00:00.000Z""#)),
            (Form::Time, r#""2027-01-01T10:00:00Z""#, None),
            (Form::Time, r#""2027-01-01T10:00:00.000+01:00""#, None),
            (Form::Choice(&["NEW"]), r#""NEW""#, Some(r#""NEW""#)),
            (Form::Choice(&["NEW"]), r#""new""#, None),
            (Form::Emails, r#"{"primaryEmail":"A@example.com","additionalEmails":[]}"#, None),
            (
                Form::Emails,
                r#"{"primaryEmail":"a@example.com","additionalEmails":[]}"#,
                Some(r#"{"primaryEmail":"a.0123456789ab@example.com","additionalEmails":[]}"#),
            ),
        ] {
            assert_eq!(normal(form, value).as_deref(), expected, "{form:?} {value}");
        }
    }

    #[test]
    fn phones_and_addresses_are_whole() {
        let phones = r#"{"primaryPhoneNumber":"600100200","primaryPhoneCountryCode":"PL","primaryPhoneCallingCode":"+48","additionalPhones":[{"number":"221002003","callingCode":"+48","countryCode":"PL"}]}"#;
        assert_eq!(normal(Form::Phones, phones).as_deref(), Some(phones));
        let empty = phones.replace("600100200", "");
        assert_eq!(normal(Form::Phones, &empty), None);
        let address = r#"{"addressCity":"Paris","addressStreet2":null,"addressLat":35.6852}"#;
        assert_eq!(
            normal(Form::Address, address).as_deref(),
            Some(
                r#"{"addressStreet1":"","addressStreet2":"","addressCity":"Paris","addressPostcode":"","addressState":"","addressCountry":"","addressLat":35.6852,"addressLng":null}"#
            )
        );
        assert_eq!(normal(Form::Address, r#"{"addressLat":"north"}"#), None);
    }
}
