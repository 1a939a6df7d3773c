//! Ids, secrets and nonces from the run's seed.
//!
//! The same seed gives the same sequence. Nothing here reads the system's randomness.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A seeded source, shared by all code that creates deliveries.
#[derive(Debug)]
pub struct Random(Mutex<StdRng>);

/// Changes a seed to that of its secret.
const SECRETS: u64 = 0x7477_656e_7479_2121;

impl Random {
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random()
    }

    /// The seed of a separate sequence, for concurrent work.
    pub(crate) fn seed(&self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// 32 lowercase hexadecimal digits.
    pub(crate) fn nonce(&self) -> String {
        const_hex::encode(self.bytes::<16>())
    }

    pub fn uuid(&self) -> String {
        let mut bytes = self.bytes::<16>();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = const_hex::encode(bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The secret that a seed makes. It shares nothing with the values of [`Random::from_seed`], which reports show.
    pub fn secret_of(seed: u64) -> String {
        Self::from_seed(seed ^ SECRETS).secret()
    }

    /// 64 hexadecimal digits in mixed case, to find subjects that decode the key or fold its case.
    pub fn secret(&self) -> String {
        let digits = const_hex::encode(self.bytes::<32>());
        let mixed: String = digits
            .chars()
            .enumerate()
            .map(|(at, digit)| if at % 2 == 0 { digit.to_ascii_uppercase() } else { digit })
            .collect();
        // A letter of each case at a fixed place, for every seed.
        format!("Aa{}", &mixed[2..])
    }
}
