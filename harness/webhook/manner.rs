//! The manner in which a program wants its deliveries, as far as that differs from the contract.
//!
//! Invariant: everything made in the manner [`Manner::CONTRACT`] is as the contract says.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::constant::{self, Constant};
use crate::webhook::dialect::rfc3339;
use crate::webhook::recipe::{Digest, Recipe};
use crate::webhook::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// A way of making deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// How signatures are computed.
    pub recipe: Recipe,
    /// The secret, if it is not the one that was agreed on.
    #[serde(default, deserialize_with = "constant::read_option")]
    pub secret: Option<Constant>,
    /// The names of the headers.
    #[serde(deserialize_with = "constant::read")]
    pub signature_name: Constant,
    #[serde(deserialize_with = "constant::read")]
    pub timestamp_name: Constant,
    /// How a time is written in the timestamp header.
    pub unit: Unit,
    /// By how much timestamps are ahead.
    pub offset_ms: i64,
    /// The name of the dialect, if it is not that of the run.
    #[serde(default, deserialize_with = "constant::read_option")]
    pub dialect: Option<Constant>,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Milliseconds,
    Seconds,
    /// As an RFC 3339 date.
    IsoDate,
}

impl Manner {
    pub const CONTRACT: Self = Self {
        recipe: Recipe::CONTRACT,
        secret: None,
        signature_name: SIGNATURE_HEADER,
        timestamp_name: TIMESTAMP_HEADER,
        unit: Unit::Milliseconds,
        offset_ms: 0,
        dialect: None,
    };

    /// The text of the timestamp header for this time.
    pub fn stamp(&self, ms: u64) -> String {
        match self.unit {
            Unit::IsoDate => rfc3339(ms.saturating_add_signed(self.offset_ms)),
            Unit::Milliseconds | Unit::Seconds => self.number(ms).to_string(),
        }
    }

    /// The same as a number.
    pub fn number(&self, ms: u64) -> u64 {
        let ms = ms.saturating_add_signed(self.offset_ms);
        if self.unit == Unit::Seconds { ms / 1000 } else { ms }
    }

    /// The least time after which a timestamp is another one.
    pub fn step_ms(&self) -> u64 {
        if self.unit == Unit::Seconds { 1000 } else { 1 }
    }

    /// The signature header's value.
    pub fn signature(&self, secret: &str, timestamp: &[u8], body: &[u8]) -> String {
        // A recipe that changes nothing in this body or key gives what the contract gives.
        self.recipe.value(secret, timestamp, body)
    }

    /// The same with signatures in hexadecimal digits, if they are of the right algorithm.
    #[must_use]
    pub fn in_digits(self) -> Self {
        let is_other_form = matches!(
            self.recipe.digest,
            Digest::Uppercase | Digest::Base64 | Digest::Base64Url | Digest::Prefixed
        );
        let digest = if is_other_form { Digest::Hex } else { self.recipe.digest };
        Self { recipe: Recipe { digest, ..self.recipe }, ..self }
    }

    /// The value that this recipe gives, in what it differs from the contract, and that is not a valid one.
    pub fn forged(&self, recipe: Recipe, secret: &str, timestamp: &[u8], body: &[u8]) -> Option<String> {
        let value = recipe.over(self.recipe).compute(secret, timestamp, body)?;
        (value != self.signature(secret, timestamp, body)).then_some(value)
    }

    /// Where the digits are in a signature header's value of this length.
    pub fn digits(&self, length: usize) -> Range<usize> {
        self.recipe.digest.digits(length)
    }

    /// The name of this manner for a header, in the same case; `None` if the name stays.
    pub fn renamed(&self, name: &str) -> Option<String> {
        let names = [(SIGNATURE_HEADER, self.signature_name), (TIMESTAMP_HEADER, self.timestamp_name)];
        let (contract, own) = names.into_iter().find(|(contract, _)| name.eq_ignore_ascii_case(contract))?;
        (contract != own).then(|| match name {
            same if same == contract => own.to_owned(),
            upper if upper == contract.to_ascii_uppercase() => own.to_ascii_uppercase(),
            _ => own.to_ascii_lowercase(),
        })
    }
}
