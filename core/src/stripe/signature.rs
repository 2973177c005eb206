//! The signature of a webhook. Source: Stripe, "Verify webhook signatures manually".

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How far a signature's time may be from now, in either direction, in milliseconds.
pub const TOLERANCE_MS: i64 = 300_000;

/// A header has one signature, or one for each secret while secrets are exchanged.
const MAX_SIGNATURES: usize = 16;

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// The header is not `t=…,v1=…`.
    Malformed,
    /// No signature is by any of the secrets, or there is no secret.
    Forged,
    /// The signature is right, and older or newer than the tolerance.
    OutOfTime,
}

/// Checks the header `Stripe-Signature` over the raw body with every secret. A secret is used whole,
/// `whsec_` included.
pub fn verify_signature(
    header: &str,
    body: &[u8],
    secrets: &[&str],
    now_ms: i64,
) -> Result<(), SignatureFault> {
    let signed = Signed::parse(header).ok_or(SignatureFault::Malformed)?;
    // Every pair is compared, so that the time tells nothing about which was near.
    let mut genuine = false;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        for signature in &signed.signatures {
            genuine |= signed.is_by(secret, body, signature);
        }
    }
    if !genuine {
        return Err(SignatureFault::Forged);
    }
    let at_ms = signed.at_s.saturating_mul(1_000);
    if now_ms.saturating_sub(at_ms).saturating_abs() > TOLERANCE_MS {
        return Err(SignatureFault::OutOfTime);
    }
    Ok(())
}

/// What the header says.
struct Signed<'a> {
    /// The time as text: that is what was signed.
    at: &'a str,
    at_s: i64,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Signed<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let mut at = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            match name {
                "t" if at.is_none() => at = Some(value),
                "t" => return None,
                // One that is no SHA-256 cannot be right, and spoils no other.
                "v1" if signatures.len() < MAX_SIGNATURES => signatures.extend(from_hex(value)),
                "v1" => return None,
                // `v0` is for tests, and what comes later is unknown.
                _ => {}
            }
        }
        let at = at?;
        let digits = !at.is_empty() && at.bytes().all(|byte| byte.is_ascii_digit());
        let at_s = digits.then(|| at.parse().ok()).flatten()?;
        (!signatures.is_empty()).then_some(Self {
            at,
            at_s,
            signatures,
        })
    }

    fn is_by(&self, secret: &str, body: &[u8], signature: &[u8; 32]) -> bool {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
            return false;
        };
        mac.update(self.at.as_bytes());
        mac.update(b".");
        mac.update(body);
        // Compares in constant time.
        mac.verify_slice(signature).is_ok()
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_348_800_000;
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn sign(secret: &str, at: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        let bytes = mac.finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn check(header: &str, expect: Result<(), SignatureFault>) {
        let secrets = ["whsec_new", "", "whsec_old"];
        let got = verify_signature(header, BODY, &secrets, NOW_MS);
        assert_eq!(got, expect, "{header}");
    }

    #[test]
    fn only_stripe_can_say_that_somebody_paid() {
        use SignatureFault::{Forged, Malformed, OutOfTime};
        let now = "1795348800";
        let new = sign("whsec_new", now, BODY);
        let old = sign("whsec_old", now, BODY);
        let forged = sign("whsec_other", now, BODY);
        let bare = sign("new", now, BODY);
        let empty = sign("", now, BODY);
        let other_body = sign("whsec_new", now, b"{}");
        check(&format!("t={now},v1={new}"), Ok(()));
        check(&format!("t={now},v1={old}"), Ok(()));
        check(&format!("v1={new},t={now}"), Ok(()));
        check(&format!("t={now}, v1={forged}, v1={old}, v0=x"), Ok(()));
        check(&format!("t={now},v1=zz,v1={new}"), Ok(()));
        check(&format!("t={now},v1={}", new.to_uppercase()), Ok(()));
        for wrong in [&forged, &bare, &empty, &other_body] {
            check(&format!("t={now},v1={wrong}"), Err(Forged));
        }
        check(&format!("t=1795348801,v1={new}"), Err(Forged));
        check(&format!("t=01795348800,v1={new}"), Err(Forged));
        check(&format!("t={now},v0={new}"), Err(Malformed));
        check(&format!("t={now},t={now},v1={new}"), Err(Malformed));
        check(&format!("t=-5,v1={new}"), Err(Malformed));
        check(&format!("t=,v1={new}"), Err(Malformed));
        check(&format!("v1={new}"), Err(Malformed));
        check(&format!("t={now},v1={}", &new[..62]), Err(Malformed));
        check(
            &format!("t={now}{}", format!(",v1={new}").repeat(17)),
            Err(Malformed),
        );
        check("", Err(Malformed));
        check("t", Err(Malformed));
        for (at, expect) in [
            ("1795348500", Ok(())),
            ("1795349100", Ok(())),
            ("1795348499", Err(OutOfTime)),
            ("1795349101", Err(OutOfTime)),
            ("9223372036854775807", Err(OutOfTime)),
            ("9223372036854775808", Err(Malformed)),
        ] {
            check(
                &format!("t={at},v1={}", sign("whsec_new", at, BODY)),
                expect,
            );
        }
        let none = verify_signature(&format!("t={now},v1={empty}"), BODY, &[""], NOW_MS);
        assert_eq!(none, Err(Forged));
    }
}
