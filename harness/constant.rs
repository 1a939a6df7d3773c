//! Names that are constants of the program, also where they come from a file.
//!
//! What a transcript refers to by name (a scenario, a property, a way to differ) is a constant in the code. A transcript that is read
//! back gets the same text from here. Such a text is never freed; all of them together are bounded.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::de::{self, Deserialize, Deserializer};

/// A constant text. Serde takes it for no borrowed text, as it does `&'static str`.
pub(crate) type Constant = &'static str;

/// How many bytes all texts may have that were read.
const MOST: usize = 1024 * 1024;

/// What is wrong if there are more.
pub(crate) const TOO_MANY: &str = "too many names";

/// What was read so far, and how many bytes that is.
static READ: LazyLock<Mutex<(HashSet<Constant>, usize)>> = LazyLock::new(Mutex::default);

/// Reads a constant. Errors: it is no text, or there are too many different ones.
pub(crate) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Constant, D::Error> {
    of(String::deserialize(from)?).ok_or_else(|| de::Error::custom(TOO_MANY))
}

/// The same for one that may be missing.
pub(crate) fn read_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Constant>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| of(text).ok_or_else(|| de::Error::custom(TOO_MANY))).transpose()
}

/// The constant with this text. `None` if there are too many different ones.
pub(crate) fn of(text: String) -> Option<Constant> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let (known, bytes) = &mut *read;
    if let Some(constant) = known.get(text.as_str()) {
        return Some(constant);
    }
    *bytes += text.len();
    if *bytes > MOST {
        return None;
    }
    let constant: Constant = Box::leak(text.into_boxed_str());
    known.insert(constant);
    Some(constant)
}
