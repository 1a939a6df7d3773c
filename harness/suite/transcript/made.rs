//! The secrets that a run makes for the webhooks of a sender.
//!
//! They are needed to judge a kept run again. A file has them only sealed with the run's seed, so that no search finds one in it and
//! no one takes one for a real secret.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Transcript;
use crate::webhook::signature::Secret;

/// A secret that only the seed of its run opens, as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(String);

impl SealedSecret {
    fn new(secret: &Secret, seed: u64, number: usize) -> Self {
        Self(const_hex::encode(masked(secret.expose().as_bytes(), seed, number)))
    }

    /// `None` if it was not sealed with this seed and number.
    fn open(&self, seed: u64, number: usize) -> Option<Secret> {
        let bytes = masked(&const_hex::decode(&self.0).ok()?, seed, number);
        String::from_utf8(bytes).ok().map(Secret::new)
    }
}

/// The bytes, changed by a sequence that the seed and the number make. Twice gives the bytes again.
fn masked(bytes: &[u8], seed: u64, number: usize) -> Vec<u8> {
    let block = |at: usize| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&seed.to_le_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(&(number as u64).to_le_bytes());
        mac.update(&(at as u64).to_le_bytes());
        mac.finalize().into_bytes()
    };
    let chunks = bytes.chunks(32).enumerate();
    chunks
        .flat_map(|(at, chunk)| {
            chunk.iter().zip(block(at)).map(|(byte, mask)| byte ^ mask).collect::<Vec<_>>()
        })
        .collect()
}

impl Transcript {
    /// Whether the receiver had a secret.
    pub fn had_secret(&self) -> bool {
        self.secret.is_some() || self.withheld_secret
    }

    /// Takes a secret that the run with this seed made. It is redacted from now on. Returns its number.
    pub(crate) fn make_secret(&mut self, secret: &Secret, seed: u64) -> usize {
        let number = self.made.len();
        self.made.push(SealedSecret::new(secret, seed, number));
        self.hide(secret);
        number
    }

    /// The secrets that the run with this seed made. `None` if they were made with another.
    pub(super) fn open_secrets(&self, seed: u64) -> Option<Vec<Secret>> {
        self.made.iter().enumerate().map(|(number, sealed)| sealed.open(seed, number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::SealedSecret;
    use crate::webhook::signature::Secret;

    #[test]
    fn only_its_seed_and_number_open_a_secret() {
        for text in ["", "s3cr3t", "ключ-鍵", &"0123456789abcdef".repeat(9)] {
            let secret = Secret::new(text);
            let sealed = SealedSecret::new(&secret, 42, 3);
            assert_eq!(sealed.open(42, 3), Some(secret.clone()));
            assert!(
                text.is_empty()
                    || sealed.open(43, 3) != Some(secret.clone()) && sealed.open(42, 4) != Some(secret)
            );
            assert_eq!(sealed.0.len(), 2 * text.len());
        }
        assert_eq!(SealedSecret("not digits".into()).open(42, 3), None);
    }
}
