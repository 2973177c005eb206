//! The second factor: time-based one-time passwords (RFC 6238) of six digits and 30 seconds, by
//! HMAC-SHA-1, which is what authenticator apps know. A code holds half a minute around its own, and
//! each is used once.

use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::Code;
use crate::ids::PersonId;
use crate::people::EmailAddress;
use crate::sealing::{Place, Purpose, Sealed, SealingKeys};

const STEP_MS: i64 = 30_000;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the person's app and the Worker both know. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; 20]);

impl TotpSecret {
    /// A new secret.
    #[must_use]
    pub const fn from_random(random: [u8; 20]) -> Self {
        Self(random)
    }

    /// The secret as people type it into an app: base 32, 32 characters.
    #[must_use]
    pub fn reveal(&self) -> String {
        // 20 bytes are four groups of 40 bits, eight digits each.
        let mut text = String::with_capacity(32);
        for group in self.0.chunks_exact(5) {
            let bits = group
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for shift in [35_u32, 30, 25, 20, 15, 10, 5, 0] {
                let digit = usize::try_from(bits >> shift & 31).unwrap_or_default();
                text.push(BASE32.get(digit).copied().map_or('A', char::from));
            }
        }
        text
    }

    /// The `otpauth` URI that an app reads from a QR code: `issuer` is what the site is called.
    #[must_use]
    pub fn uri(&self, issuer: &str, email: &EmailAddress) -> String {
        let (issuer, account) = (percent_encode(issuer), percent_encode(email.as_str()));
        format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6\
             &period=30",
            self.reveal()
        )
    }

    /// The step whose code this is: the current one, or one next to it, later than the step that was
    /// used last. `None`: it is not right now.
    #[must_use]
    pub fn step_of(&self, code: &Code, now_ms: i64, used_step: i64) -> Option<i64> {
        let now = now_ms.div_euclid(STEP_MS);
        [now.saturating_sub(1), now, now.saturating_add(1)]
            .into_iter()
            .rfind(|step| *step > used_step && *step >= 0 && self.is_code_of(code, *step))
    }

    /// Encrypts it for its person. The nonce is 12 random bytes, never used before.
    #[must_use]
    pub fn seal(&self, keys: &SealingKeys, person: &PersonId, nonce: [u8; 12]) -> Option<Sealed> {
        keys.seal(place(person), nonce, &self.0)
    }

    /// Decrypts what was sealed for this person.
    #[must_use]
    pub fn open(keys: &SealingKeys, person: &PersonId, sealed: &[u8]) -> Option<Self> {
        let secret = keys.open(place(person), sealed)?;
        secret.try_into().ok().map(Self)
    }

    /// Whether the code is that of a step; takes the same time for every code.
    fn is_code_of(&self, code: &Code, step: i64) -> bool {
        let expected = self.code_of(step);
        let pairs = expected.bytes().zip(code.reveal().bytes());
        pairs.fold(0, |difference, (one, other)| difference | (one ^ other)) == 0
    }

    /// RFC 4226, section 5.3.
    fn code_of(&self, step: i64) -> String {
        let mut key = [0; 64];
        for (place, byte) in key.iter_mut().zip(self.0) {
            *place = byte;
        }
        let mut mac = <Hmac<Sha1> as Mac>::new(&key.into());
        mac.update(&step.to_be_bytes());
        let digest: [u8; 20] = mac.finalize().into_bytes().into();
        let [.., last] = digest;
        let bytes = digest.iter().skip(usize::from(last & 15)).take(4);
        let number = bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let number = (number & 0x7fff_ffff).rem_euclid(1_000_000);
        format!("{number:06}")
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

fn place(person: &PersonId) -> Place<'_> {
    Place {
        purpose: Purpose::Totp,
        row: person.as_str(),
    }
}

/// RFC 3986: everything but unreserved characters.
fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: TotpSecret = TotpSecret(*b"12345678901234567890");

    fn code(digits: &str) -> Code {
        Code::parse(digits).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_standard() {
        let check = |at_s: i64, digits: &str| {
            assert_eq!(SECRET.code_of(at_s / 30), digits, "{at_s}");
            let step = SECRET.step_of(&code(digits), at_s * 1_000, 0);
            assert_eq!(step, Some(at_s / 30), "{at_s}");
        };
        check(59, "287082");
        check(1_111_111_109, "081804");
        check(1_111_111_111, "050471");
        check(1_234_567_890, "005924");
        check(2_000_000_000, "279037");
        check(20_000_000_000, "353130");
    }

    #[test]
    fn a_code_is_right_around_its_time_and_only_after_the_one_used_last() {
        let step = 1_111_111_109 / 30;
        let check = |now_step: i64, used_step: i64, expect: bool| {
            let found = SECRET.step_of(&code("081804"), now_step * 30_000, used_step);
            assert_eq!(found, expect.then_some(step), "{now_step} {used_step}");
        };
        check(step, 0, true);
        check(step - 1, 0, true);
        check(step + 1, 0, true);
        check(step - 2, 0, false);
        check(step + 2, 0, false);
        check(step, step - 1, true);
        check(step, step, false);
        check(step, step + 1, false);
        assert_eq!(SECRET.step_of(&code("081805"), step * 30_000, 0), None);
        assert_eq!(SECRET.step_of(&code("081804"), i64::MAX, 0), None);
        assert_eq!(SECRET.step_of(&code("081804"), i64::MIN, 0), None);
    }

    #[test]
    fn an_app_reads_the_secret_and_a_log_does_not() {
        assert_eq!(SECRET.reveal(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let email = EmailAddress::parse("ada+x@example.com").unwrap();
        assert_eq!(
            SECRET.uri("Acme & Söhne: AI", &email),
            "otpauth://totp/Acme%20%26%20S%C3%B6hne%3A%20AI:ada%2Bx%40example.com?\
             secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme%20%26%20S%C3%B6hne%3A%20AI\
             &algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{SECRET:?}"), "TotpSecret(…)");
    }

    #[test]
    fn a_secret_is_kept_for_its_person_alone() {
        let keys = "a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let keys = SealingKeys::parse(keys).unwrap();
        let [ada, bob] = [[1; 10], [2; 10]].map(PersonId::from_random);
        let sealed = SECRET.seal(&keys, &ada, [3; 12]).unwrap().bytes;
        assert_eq!(TotpSecret::open(&keys, &ada, &sealed), Some(SECRET));
        assert_eq!(TotpSecret::open(&keys, &bob, &sealed), None);
    }
}
