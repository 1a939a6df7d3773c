//! VER-3: a signature under another key is rejected.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::Index;

use super::case::Case;
use super::forgery::{Forgery, LeftOut, Step};
use super::judge::rejects_all;
use super::property::Property;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::suite::requirement::{Binds, Level, Requirement};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::Respect;
use crate::webhook::recipe::{KeyForm, Recipe};
use crate::webhook::signature::{SIGNATURE_HEADER, Secret};

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_3];

pub(crate) const VER_3: Requirement = Requirement {
    id: "VER-3",
    title: "rejects wrong keys",
    binds: Binds::Receiver,
    level: Level::Must,
    check_id: "receiver/verification/wrong-key",
    text: "A signature under another key is rejected: another secret, the empty key, the \
          secret hex-decoded, trimmed, or in other case.",
    source: "D",
    why: "With a default secret in the code, or an empty one when none is configured, anyone can sign a delivery. 15 \
          of 57 public receivers have this fault.",
    scenarios: &[&WRONG_KEY],
    needs: None,
    check: rejects_all,
    counterexamples: Faults::Receiver(&[
        ReceiverFault::AcceptsDefaultSecret,
        ReceiverFault::VerifiesDefaultSecret,
        ReceiverFault::VerifiesKeyWithNewline,
        ReceiverFault::AcceptsEmptyKey,
        ReceiverFault::AcceptsHexDecodedKey,
        ReceiverFault::AcceptsCaseFoldedKey,
        ReceiverFault::VerifiesHexDecodedKey,
        ReceiverFault::AcceptsEverything,
        ReceiverFault::RejectsInBody,
    ]),
};

/// What is sent for VER-3.
pub(super) const WRONG_KEY: Scenario = Scenario::cases(
    "wrong-key",
    "deliveries signed with another secret, a default secret, the empty key, and the \
          secret decoded, trimmed or in other case",
    |_| {
        WRONG_KEYS
            .map(Recipe::key)
            .map(Case::signed)
            .into_iter()
            .chain(DEFAULT_SECRETS.map(default))
            .collect()
    },
    &[rekeyings],
);

const WRONG_KEYS: [KeyForm; 8] = [
    KeyForm::TrailingNewline,
    KeyForm::Other,
    KeyForm::Empty,
    KeyForm::HexDecoded,
    KeyForm::Base64Decoded,
    KeyForm::Trimmed,
    KeyForm::Uppercase,
    KeyForm::Lowercase,
];

/// Secrets that programs use if none is configured. The last two are the text of a missing variable.
pub(super) const DEFAULT_SECRETS: [&str; 12] = [
    "secret",
    "changeme",
    "change-me",
    "test",
    "test-secret",
    "dev-secret",
    "default-secret",
    "webhook-secret",
    "your-webhook-secret",
    "your_webhook_secret",
    "undefined",
    "None",
];

/// A delivery signed with a secret that programs fall back to; nothing to try if that is the secret.
fn default(secret: &'static str) -> Case {
    let what = format!("a delivery signed with the default secret {secret:?}");
    let name = format!("default-secret-{secret}");
    let forgery = Forgery { name: name.into(), steps: vec![Step::SignUnder(secret)].into() };
    Case::forged(what, Respect::DefaultSecret(secret, Recipe::CONTRACT), forgery)
}

/// A key other than the secret.
#[derive(Debug, Clone)]
enum Rekeying {
    /// Any other text.
    Other(String),
    Appended(String),
    Without(Index),
    OtherCase(Index),
    Twice,
}

/// VER-3: the key.
fn rekeyings() -> Property {
    let strategy = prop_oneof![
        3 => text(1..48).prop_map(Rekeying::Other),
        2 => text(1..8).prop_map(Rekeying::Appended),
        2 => any::<Index>().prop_map(Rekeying::Without),
        2 => any::<Index>().prop_map(Rekeying::OtherCase),
        1 => Just(Rekeying::Twice),
    ];
    Property::of("other keys", strategy, rekeyed)
}

/// Text in any script, without NUL: HMAC pads a key with zeros, so a NUL at its end changes nothing.
fn text(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(any::<char>().prop_map(|character| if character == '\0' { 'a' } else { character }), length)
        .prop_map(|characters| characters.into_iter().collect())
}

fn rekeyed(rekeying: &Rekeying) -> Case {
    let (which, what) = match rekeying {
        Rekeying::Other(_) => ("another secret", "another secret"),
        Rekeying::Appended(_) => ("characters appended", "the secret with characters appended"),
        Rekeying::Without(_) => ("a character missing", "the secret without one of its characters"),
        Rekeying::OtherCase(_) => ("another case", "the secret with one letter in the other case"),
        Rekeying::Twice => ("twice", "the secret repeated twice"),
    };
    let rekeying = rekeying.clone();
    Case::forged_by(
        LeftOut::Generated,
        format!("a delivery signed with {what}"),
        Respect::Key(which),
        move |maker, delivery, timestamp| {
            let secret = maker.secret.expose();
            let characters: Vec<char> = secret.chars().collect();
            let other: String = match &rekeying {
                Rekeying::Other(other) => other.clone(),
                Rekeying::Appended(more) => format!("{secret}{more}"),
                Rekeying::Without(at) => {
                    let mut characters = characters;
                    characters.remove(at.index(characters.len()));
                    characters.into_iter().collect()
                }
                Rekeying::OtherCase(at) => {
                    let mut characters = characters;
                    let at = at.index(characters.len());
                    let letter = characters[at];
                    characters[at] = if letter.is_ascii_lowercase() {
                        letter.to_ascii_uppercase()
                    } else {
                        letter.to_ascii_lowercase()
                    };
                    characters.into_iter().collect()
                }
                Rekeying::Twice => format!("{secret}{secret}"),
            };
            if other == secret {
                return None;
            }
            let other = Secret::new(other);
            let signature = maker.signature_under(&other, timestamp.as_bytes(), &delivery.body)?;
            delivery.headers.set(SIGNATURE_HEADER, signature);
            Some(())
        },
    )
}
