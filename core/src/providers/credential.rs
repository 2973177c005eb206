//! A credential in the clear, as briefly as possible: read from a form or opened from its row, and sealed
//! for it. It has no `Display`, and its `Debug` shows nothing.

use std::fmt;

use crate::ids::ProviderAccountId;
use crate::sealing::{Place, Purpose, Sealed, SealingKeys};

const MIN_BYTES: usize = 8;
const MAX_BYTES: usize = 512;

/// How much of a credential people are shown, to tell it from others.
const HINT_BYTES: usize = 4;

/// From this length on the hint leaves enough to guess.
const HINTED_FROM_BYTES: usize = 16;

/// A key that a provider gave to the operator.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Takes what was typed or set; spaces around it do not count. `None` for what can be no key: it goes
    /// into a header.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let length = text.len();
        (plain && (MIN_BYTES..=MAX_BYTES).contains(&length)).then(|| Self(text.to_owned()))
    }

    /// The setting of a Worker, whatever its form.
    #[must_use]
    pub const fn from_setting(text: String) -> Self {
        Self(text)
    }

    /// The key itself, for the header of a request to the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters; nothing of a key that is too short to spare them.
    #[must_use]
    pub fn hint(&self) -> &str {
        if self.0.len() < HINTED_FROM_BYTES {
            return "";
        }
        let from = self.0.len().saturating_sub(HINT_BYTES);
        self.0.get(from..).unwrap_or_default()
    }

    /// Encrypts it for its row; see [`SealingKeys::seal`] about the nonce.
    #[must_use]
    pub fn seal(
        &self,
        keys: &SealingKeys,
        account: &ProviderAccountId,
        nonce: [u8; 12],
    ) -> Option<Sealed> {
        keys.seal(place(account), nonce, self.0.as_bytes())
    }

    /// Decrypts what was sealed for this row; `None` when none of the keys opens it.
    #[must_use]
    pub fn open(keys: &SealingKeys, account: &ProviderAccountId, sealed: &[u8]) -> Option<Self> {
        let opened = keys.open(place(account), sealed)?;
        String::from_utf8(opened).ok().map(Self)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

fn place(account: &ProviderAccountId) -> Place<'_> {
    Place {
        purpose: Purpose::ProviderCredential,
        row: account.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_stand_in_a_header_is_a_credential() {
        let check = |text: &str, expect: Option<&str>| {
            let credential = Credential::parse(text);
            assert_eq!(
                credential.as_ref().map(Credential::expose),
                expect,
                "{text:?}"
            );
        };
        check(
            "sk-or-v1-0123456789abcdef",
            Some("sk-or-v1-0123456789abcdef"),
        );
        check(" sk-or-v1\n", Some("sk-or-v1"));
        check("", None);
        check("short", None);
        check("sk-or v1-x", None);
        check("sk-or\r\nX: y", None);
        check("schlüssel", None);
        check(&"k".repeat(512), Some(&"k".repeat(512)));
        check(&"k".repeat(513), None);
    }

    #[test]
    fn a_credential_is_never_printed_and_its_hint_leaves_enough_to_guess() {
        let check = |text: &str, hint: &str| {
            let credential = Credential::parse(text).unwrap();
            assert_eq!(credential.hint(), hint);
            assert_eq!(format!("{credential:?}"), "Credential(…)");
        };
        check("sk-or-v1-0123456789abcdef", "cdef");
        check("0123456789abcdef", "cdef");
        check("0123456789abcde", "");
    }

    #[test]
    fn a_credential_opens_only_in_its_own_row() {
        let keys = SealingKeys::parse("k:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        let [own, other] = [1, 2].map(|byte| ProviderAccountId::from_random([byte; 10]));
        let credential = Credential::parse("sk-or-v1-secret").unwrap();
        let sealed = credential.seal(&keys, &own, [3; 12]).unwrap();
        assert_eq!(
            Credential::open(&keys, &own, &sealed.bytes),
            Some(credential)
        );
        assert_eq!(Credential::open(&keys, &other, &sealed.bytes), None);
    }
}
