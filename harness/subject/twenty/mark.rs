//! The marks on everything that a run makes in a CRM, by which leftovers are found and nothing else is touched.
//!
//! Invariant: a name that people can see is no mark. A record of somebody else with the same name is not ours.

/// How the id of each record begins: 48 fixed bits, and the version of a random UUID.
pub const RECORD_PREFIX: &str = "7477636f-6e66-4";
/// The first id with the mark, for a filter on a range of ids.
pub const FIRST_ID: &str = "7477636f-6e66-4000-8000-000000000000";
/// The last id with the mark.
pub const LAST_ID: &str = "7477636f-6e66-4fff-bfff-ffffffffffff";

/// How the name of a custom object begins. [`OBJECT_LETTERS`] random letters follow.
pub const OBJECT_PREFIX: &str = "conformRocket";
/// How many random letters the name of a custom object has.
pub const OBJECT_LETTERS: usize = 6;
/// How the descriptions of webhooks and custom objects begin.
pub const DESCRIPTION_PREFIX: &str = "twenty-conform ";
/// How the path of each webhook begins.
pub const WEBHOOK_PATH: &str = "/hooks/";

/// The marked id that keeps the random part of a UUID.
pub fn record_id(random: &str) -> String {
    let rest = random.get(RECORD_PREFIX.len()..).unwrap_or_default();
    format!("{RECORD_PREFIX}{rest}")
}

/// Whether an id has the mark: a lowercase UUID of version 4 that begins with [`RECORD_PREFIX`].
pub fn is_our_record(id: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let bytes = id.as_bytes();
    bytes.len() == FIRST_ID.len()
        && id.starts_with(RECORD_PREFIX)
        && matches!(bytes[19], b'8' | b'9' | b'a' | b'b')
        && bytes.iter().enumerate().all(|(at, &byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is_digit(byte),
        })
}

/// The singular name of a custom object with the mark, from 32 random hexadecimal digits.
pub fn object_name(random: &str) -> String {
    let letter = |digit: char| {
        char::from(b'a' + u8::try_from(digit.to_digit(16).unwrap_or_default()).unwrap_or_default())
    };
    let letters: String =
        random.chars().filter(char::is_ascii_hexdigit).take(OBJECT_LETTERS).map(letter).collect();
    format!("{OBJECT_PREFIX}{letters}")
}

/// Whether a custom object is ours: both its name and its description have the mark.
pub fn is_our_object(name: &str, description: &str) -> bool {
    let letters = name.strip_prefix(OBJECT_PREFIX);
    let is_named = letters.is_some_and(|letters| {
        letters.len() == OBJECT_LETTERS && letters.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    is_named && description.starts_with(DESCRIPTION_PREFIX)
}

/// Whether a webhook is ours: both its description and the path of its URL have the mark.
pub fn is_our_webhook(target_url: &str, description: &str) -> bool {
    let path = target_url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    path.is_some_and(|path| path.starts_with(WEBHOOK_PATH)) && description.starts_with(DESCRIPTION_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn marked_ids_are_recognised_and_random() {
        let random = Random::from_seed(1);
        let ids = [record_id(&random.uuid()), record_id(&random.uuid())];
        assert_ne!(ids[0], ids[1]);
        for id in &ids {
            assert!(is_our_record(id) && FIRST_ID <= id.as_str() && id.as_str() <= LAST_ID, "{id}");
        }
        assert!(is_our_record(FIRST_ID) && is_our_record(LAST_ID));
        for other in [
            random.uuid(),
            String::new(),
            ids[0].to_uppercase(),
            format!("{}0", ids[0]),
            "7477636f-6e66-5000-8000-000000000000".to_owned(),
            "7477636f-6e66-4000-c000-000000000000".to_owned(),
            "7477636f-6e66-4000-80000-00000000000".to_owned(),
            "7477636f-6e66-4000-8000-00000000000é".to_owned(),
        ] {
            assert!(!is_our_record(&other), "{other}");
        }
    }

    #[test]
    fn object_needs_name_and_description() {
        let name = object_name(&Random::from_seed(1).nonce());
        assert_eq!(name.len(), OBJECT_PREFIX.len() + OBJECT_LETTERS);
        assert!(is_our_object(&name, "twenty-conform made this object"), "{name}");
        assert!(!is_our_object(&name, "Our rockets") && !is_our_object(&name, ""));
        for other in ["rocket", "conformRocket", "conformRocketABCDEF", "conformRocketabcdefg"] {
            assert!(!is_our_object(other, "twenty-conform made this object"), "{other}");
        }
    }

    #[test]
    fn webhook_needs_path_and_description() {
        let url = "http://127.0.0.1:4000/hooks/0f?x=1";
        assert!(is_our_webhook(url, "twenty-conform run"));
        assert!(!is_our_webhook(url, "crm sync") && !is_our_webhook(url, ""));
        for other in ["http://127.0.0.1/other", "http://127.0.0.1", "http://a/b/hooks/", "/hooks/0f"] {
            assert!(!is_our_webhook(other, "twenty-conform run"), "{other}");
        }
    }
}
