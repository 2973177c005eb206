//! API keys: their form, their checksum and their hash. A key is shown once and never stored.

use sha2::{Digest, Sha256};

const PREFIX: &str = "tg_live_";
const BODY_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
const SHOWN: usize = 12;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key whose form and checksum are right. `Debug` shows the display prefix only.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// SHA-256 of a key: what the database stores and looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub [u8; 32]);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormatError {
    /// It does not look like `tg_live_` and 49 letters or digits.
    Malformed,
    /// It has the form, but was mistyped or cut.
    WrongChecksum,
}

impl ApiKey {
    /// A new key from 256 random bits.
    #[must_use]
    pub fn from_random(random: [u8; 32]) -> Self {
        let mut text = String::from(PREFIX);
        push_base62(&mut text, &random, BODY_DIGITS);
        let checksum = checksum(&text);
        Self(text + &checksum)
    }

    /// Reads a key that a caller sent, without any look-up.
    pub fn parse(text: &str) -> Result<Self, KeyFormatError> {
        let rest = text.strip_prefix(PREFIX).ok_or(KeyFormatError::Malformed)?;
        let in_form = rest.len() == BODY_DIGITS.saturating_add(CHECKSUM_DIGITS)
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !in_form {
            return Err(KeyFormatError::Malformed);
        }
        let (body, given) = text.split_at(text.len().saturating_sub(CHECKSUM_DIGITS));
        if checksum(body) == given {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyFormatError::WrongChecksum)
        }
    }

    /// What the database stores.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The first characters, for people to tell their keys apart: `tg_live_aB3d`.
    #[must_use]
    pub fn display_prefix(&self) -> &str {
        self.0.get(..SHOWN).unwrap_or_default()
    }

    /// The whole secret, to show it once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKey({}…)", self.display_prefix())
    }
}

/// Six base-62 digits of the SHA-256's first four bytes: catches typos, keeps no secret.
fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut digits = String::new();
    push_base62(
        &mut digits,
        digest.get(..4).unwrap_or_default(),
        CHECKSUM_DIGITS,
    );
    digits
}

/// Appends a big-endian number as exactly `digits` base-62 digits.
fn push_base62(text: &mut String, bytes: &[u8], digits: usize) {
    let mut number = bytes.to_vec();
    let mut reversed = Vec::with_capacity(digits);
    for _ in 0..digits {
        let remainder = number.iter_mut().fold(0_u32, |carry, byte| {
            let value = carry << 8 | u32::from(*byte);
            *byte = u8::try_from(value.div_euclid(62)).unwrap_or_default();
            value.rem_euclid(62)
        });
        let index = usize::try_from(remainder).unwrap_or_default();
        reversed.push(BASE62.get(index).copied().map_or('0', char::from));
    }
    text.extend(reversed.iter().rev());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_hides_itself() {
        for random in [[0; 32], [255; 32], [7; 32]] {
            let key = ApiKey::from_random(random);
            assert_eq!(key.reveal().len(), 8 + 43 + 6);
            assert_eq!(ApiKey::parse(key.reveal()), Ok(key.clone()));
            assert!(!format!("{key:?}").contains(&key.reveal()[13..]));
        }
        assert_ne!(ApiKey::from_random([1; 32]), ApiKey::from_random([2; 32]));
    }

    #[test]
    fn every_mistyped_character_is_caught_without_a_look_up() {
        let key = ApiKey::from_random([42; 32]);
        for place in 8..key.reveal().len() {
            let mut typed = key.reveal().to_owned();
            let other = if &typed[place..=place] == "a" {
                "b"
            } else {
                "a"
            };
            typed.replace_range(place..=place, other);
            assert_eq!(
                ApiKey::parse(&typed),
                Err(KeyFormatError::WrongChecksum),
                "{place}"
            );
        }
    }

    #[test]
    fn other_texts_are_malformed() {
        let key = ApiKey::from_random([42; 32]);
        let cut = &key.reveal()[..56];
        let long = format!("{}a", key.reveal());
        for text in [
            "",
            "sk-or-v1-abc",
            "tg_live_",
            "tg_test_",
            cut,
            &long,
            "tg_live_é",
        ] {
            assert_eq!(
                ApiKey::parse(text),
                Err(KeyFormatError::Malformed),
                "{text}"
            );
        }
    }
}
