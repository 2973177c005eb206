//! The header `Stripe-Signature`: HMAC-SHA256 over the time, a dot and the body, keyed with the whole
//! secret. Checked by the receiver, never here.

use std::fmt::Write as _;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What is wrong with a signature on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Made with another secret.
    WrongSignature,
    /// Of an hour ago, and right for that time.
    OldTimestamp,
}

impl Flaw {
    /// Its name in the control.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongSignature => "wrong_signature",
            Self::OldTimestamp => "old_timestamp",
        }
    }
}

const OLD_S: i64 = 3_600;
/// Stripe adds a worthless signature of another scheme in test mode: receivers have to ignore it.
const FAKE_V0: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The value of the header for a body sent at a Unix time.
#[must_use]
pub fn header(secret: &str, now: i64, body: &str, flaw: Option<Flaw>) -> String {
    let (secret, at) = match flaw {
        None => (secret.to_owned(), now),
        Some(Flaw::WrongSignature) => (format!("{secret}x"), now),
        Some(Flaw::OldTimestamp) => (secret.to_owned(), now - OLD_S),
    };
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let mut header = format!("t={at},v1=");
    for byte in mac.finalize().into_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(header, "{byte:02x}");
    }
    let _ = write!(header, ",v0={FAKE_V0}");
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_what_stripes_own_library_makes() {
        let check = |flaw: Option<Flaw>, expect: &str| {
            let seen = header(
                "whsec_test_secret",
                1_700_000_000,
                "{\"id\":\"evt_1\"}",
                flaw,
            );
            assert_eq!(seen.rsplit_once(",v0="), Some((expect, FAKE_V0)));
        };
        check(
            None,
            "t=1700000000,v1=248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9a",
        );
        check(
            Some(Flaw::WrongSignature),
            "t=1700000000,v1=72adcafdec15354a52adb6536c83099c6d8d47775033714af75b815dad922f49",
        );
        check(
            Some(Flaw::OldTimestamp),
            "t=1699996400,v1=71b41ac9e7365fb9b2c0bdfae5d36015ce46850027bdba74155c06738e4247b1",
        );
    }
}
