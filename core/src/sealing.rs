//! Secrets that the Worker must read again, encrypted with AES-256-GCM: the credentials of providers
//! and the secrets of second factors. What is sealed opens only in the place that it was sealed for.
//! Nonces are arguments; where the keys come from is the Worker's business.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;

use crate::mac::hmac_sha256;

const NONCE_BYTES: usize = 12;

/// The keys of the Worker's secret. The first seals, all open, so that a new key can be put before
/// the old one. `Debug` shows their ids only.
#[derive(Clone)]
pub struct SealingKeys {
    first: SealingKey,
    older: Vec<SealingKey>,
}

#[derive(Clone)]
struct SealingKey {
    id: String,
    secret: [u8; 32],
}

/// Why a setting is not a list of sealing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealingKeysError {
    /// An entry is not `id:` and the base64 of 32 bytes.
    Malformed,
    /// Two entries have the same id.
    SameId,
}

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The second factor of a person.
    Totp,
    /// The credential of a provider account.
    ProviderCredential,
}

/// Where a secret is kept: it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// The id of the row that has it.
    pub row: &'a str,
}

/// An encrypted secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The id of the key that it is encrypted under.
    pub key: String,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl SealingKeys {
    /// Reads the setting: `id:base64,id2:base64`, where an id is at most 32 letters, digits, `-` or `_`.
    pub fn parse(setting: &str) -> Result<Self, SealingKeysError> {
        let mut keys = setting
            .split(',')
            .map(|entry| SealingKey::parse(entry.trim()).ok_or(SealingKeysError::Malformed));
        let first = keys.next().ok_or(SealingKeysError::Malformed)??;
        let mut older: Vec<SealingKey> = Vec::new();
        for key in keys {
            let key = key?;
            if key.id == first.id || older.iter().any(|known| known.id == key.id) {
                return Err(SealingKeysError::SameId);
            }
            older.push(key);
        }
        Ok(Self { first, older })
    }

    /// Encrypts a secret for its place under the first key. A nonce must never be used twice: 12
    /// random bytes. `None` only for a secret of gigabytes.
    #[must_use]
    pub fn seal(
        &self,
        place: Place<'_>,
        nonce: [u8; NONCE_BYTES],
        secret: &[u8],
    ) -> Option<Sealed> {
        let payload = Payload {
            msg: secret,
            aad: &place.associated_data(),
        };
        let sealed = self.first.cipher().encrypt(&Nonce::from(nonce), payload);
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.ok()?);
        Some(Sealed {
            key: self.first.id.clone(),
            bytes,
        })
    }

    /// Decrypts what was sealed for this place under any of the keys; `None` for anything else.
    #[must_use]
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let aad = place.associated_data();
        std::iter::once(&self.first)
            .chain(&self.older)
            .find_map(|key| {
                let payload = Payload {
                    msg: sealed,
                    aad: &aad,
                };
                key.cipher().decrypt(&Nonce::from(*nonce), payload).ok()
            })
    }

    /// The id of the key that seals: what is sealed under another one is to be sealed again before
    /// that key goes.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.first.id
    }

    /// A secret of its own for a purpose, made from the first key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mac = hmac_sha256(&self.first.secret, purpose);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = std::iter::once(&self.first).chain(&self.older);
        f.debug_list().entries(ids.map(|key| &key.id)).finish()
    }
}

impl SealingKey {
    fn parse(entry: &str) -> Option<Self> {
        let (id, secret) = entry.split_once(':')?;
        let in_form = !id.is_empty()
            && id.len() <= 32
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let secret = STANDARD.decode(secret).ok()?.try_into().ok()?;
        in_form.then(|| Self {
            id: id.to_owned(),
            secret,
        })
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.secret.into())
    }
}

impl Place<'_> {
    /// Purpose and row, so that no two places are alike.
    fn associated_data(&self) -> Vec<u8> {
        let purpose: &[u8] = match self.purpose {
            Purpose::Totp => b"totp\0",
            Purpose::ProviderCredential => b"provider credential\0",
        };
        [purpose, self.row.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const NEW: &str = "2026-11:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    const TOTP: Place<'_> = Place {
        purpose: Purpose::Totp,
        row: "per_a",
    };

    fn keys(settings: &[&str]) -> SealingKeys {
        SealingKeys::parse(&settings.join(",")).unwrap()
    }

    #[test]
    fn a_new_key_seals_while_the_old_one_still_opens() {
        let before = keys(&[OLD]);
        let after = keys(&[NEW, OLD]);
        let old = before.seal(TOTP, [1; 12], b"secret").unwrap();
        let new = after.seal(TOTP, [2; 12], b"secret").unwrap();
        assert_eq!((old.key.as_str(), new.key.as_str()), ("old", "2026-11"));
        assert_eq!(after.current(), "2026-11");
        let check = |keys: &SealingKeys, sealed: &Sealed, opens: bool| {
            let opened = keys.open(TOTP, &sealed.bytes);
            assert_eq!(opened, opens.then(|| b"secret".to_vec()), "{keys:?}");
        };
        check(&before, &old, true);
        check(&after, &old, true);
        check(&after, &new, true);
        check(&before, &new, false);
        check(&keys(&[NEW]), &old, false);
    }

    #[test]
    fn a_secret_opens_nowhere_but_in_its_place_and_only_whole() {
        let keys = keys(&[OLD]);
        let sealed = keys.seal(TOTP, [1; 12], b"secret").unwrap().bytes;
        assert_eq!(sealed.len(), 12 + 6 + 16);
        let elsewhere = |purpose, row| keys.open(Place { purpose, row }, &sealed);
        assert_eq!(elsewhere(Purpose::Totp, "per_a"), Some(b"secret".to_vec()));
        assert_eq!(elsewhere(Purpose::Totp, "per_b"), None);
        assert_eq!(elsewhere(Purpose::Totp, ""), None);
        assert_eq!(elsewhere(Purpose::ProviderCredential, "per_a"), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(keys.open(TOTP, &changed), None, "{place}");
            assert_eq!(keys.open(TOTP, &sealed[..place]), None, "{place}");
        }
    }

    #[test]
    fn a_mistyped_setting_is_refused_and_no_key_is_ever_printed() {
        use SealingKeysError::{Malformed, SameId};
        let check = |setting: &str, expect: SealingKeysError| {
            let parsed = SealingKeys::parse(setting).map(|keys| keys.current().to_owned());
            assert_eq!(parsed, Err(expect), "{setting}");
        };
        check("", Malformed);
        check("old", Malformed);
        check("old:", Malformed);
        check(":AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", Malformed);
        check(
            "o d:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
            Malformed,
        );
        check("old:AQEB", Malformed);
        check(&format!("{OLD},"), Malformed);
        check(&format!("{OLD},{NEW},{OLD}"), SameId);
        check(&format!("{NEW},{OLD},{OLD}"), SameId);
        let spaced = SealingKeys::parse(&format!(" {OLD} , {NEW} ")).unwrap();
        assert_eq!(format!("{spaced:?}"), r#"["old", "2026-11"]"#);
    }

    #[test]
    fn what_is_derived_differs_by_purpose_and_key() {
        let [old, new] = [keys(&[OLD]), keys(&[NEW, OLD])];
        assert_eq!(old.derive("a"), keys(&[OLD, NEW]).derive("a"));
        assert_ne!(old.derive("a"), old.derive("b"));
        assert_ne!(old.derive("a"), new.derive("a"));
    }
}
