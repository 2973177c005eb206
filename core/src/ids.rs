//! Ids with a prefix that says what they name. Time and random bytes come from the caller.

use std::fmt;

const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 2024-01-01T00:00:00Z, from which request ids count.
const EPOCH_MS: i64 = 1_704_067_200_000;
const RANDOM_BITS: u32 = 22;
const REQUEST_DIGITS: usize = 13;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A new id from 80 random bits.
            #[must_use]
            pub fn from_random(random: [u8; 10]) -> Self {
                let mut text = String::from($prefix);
                for chunk in random.chunks(5) {
                    let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
                    push_base32(&mut text, bits, 8);
                }
                Self(text)
            }

            /// Takes an id that was stored or typed; `None` unless it has the prefix.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix($prefix)?;
                let valid = !rest.is_empty()
                    && rest.len() <= 64
                    && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                valid.then(|| Self(text.to_owned()))
            }

            /// The id as text, prefix included.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// An account: the operator, a reseller or a customer.
    AccountId,
    "acc_"
);
text_id!(
    /// An API key's id, not the key itself.
    KeyId,
    "key_"
);
text_id!(
    /// A price rule.
    RuleId,
    "rul_"
);
text_id!(
    /// A person who signs in at the dashboard.
    PersonId,
    "per_"
);
text_id!(
    /// A purchase of credit.
    OrderId,
    "ord_"
);
text_id!(
    /// Money that goes back to who paid.
    RefundId,
    "rfd_"
);

impl RefundId {
    /// The one id of the refund that belongs to something else with an id, such as Stripe's `re_…`.
    #[must_use]
    pub fn named(id: &str) -> Self {
        Self(format!("rfd_{id}"))
    }
}

text_id!(
    /// A credit pack that a seller offers.
    PackId,
    "pck_"
);

/// One call: 41 bits of milliseconds since 2024, then 22 random bits, so that ids sort by time and
/// fit SQLite's integer key. Two calls may draw the same id; the request's nonce tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(i64);

impl RequestId {
    /// The id of a call that began at `now_ms`.
    #[must_use]
    pub fn new(now_ms: i64, random: u32) -> Self {
        let low = i64::from(random) & ((1 << RANDOM_BITS) - 1);
        Self(Self::first_at(now_ms).0 | low)
    }

    /// The least id of that millisecond: the border of a range of time.
    #[must_use]
    pub fn first_at(now_ms: i64) -> Self {
        let since = now_ms.saturating_sub(EPOCH_MS).clamp(0, (1 << 41) - 1);
        Self(since << RANDOM_BITS)
    }

    /// The moment in the id, in Unix milliseconds. A call may begin a little later than its id says.
    #[must_use]
    pub const fn at_ms(self) -> i64 {
        (self.0 >> RANDOM_BITS).saturating_add(EPOCH_MS)
    }

    /// The number that the database keeps.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Takes back a number that the database kept.
    #[must_use]
    pub const fn from_stored(id: i64) -> Self {
        Self(id)
    }

    /// The `id` of the answer, in the form that OpenRouter's clients know: `gen-…`.
    #[must_use]
    pub fn generation_id(self) -> String {
        self.with_prefix("gen-")
    }

    /// Reads `req_…` (the `x-request-id`) or `gen-…` (the answer's `id`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix("req_")
            .or_else(|| text.strip_prefix("gen-"))?;
        if digits.len() != REQUEST_DIGITS {
            return None;
        }
        let value = digits.bytes().try_fold(0_u64, |value, byte| {
            let digit = BASE32.iter().position(|known| *known == byte)?;
            value
                .checked_mul(32)?
                .checked_add(u64::try_from(digit).ok()?)
        })?;
        i64::try_from(value).ok().map(Self)
    }

    fn with_prefix(self, prefix: &str) -> String {
        let mut text = String::from(prefix);
        push_base32(&mut text, self.0.unsigned_abs(), REQUEST_DIGITS);
        text
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_prefix("req_"))
    }
}

/// Appends the low `digits` × 5 bits, highest first.
fn push_base32(text: &mut String, bits: u64, digits: usize) {
    for place in (0..digits).rev() {
        let shift = u32::try_from(place.saturating_mul(5)).unwrap_or(u32::MAX);
        let index = usize::try_from(bits.checked_shr(shift).unwrap_or(0) & 31).unwrap_or_default();
        text.push(BASE32.get(index).copied().map_or('0', char::from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_sort_by_time_and_read_back() {
        let check = |now_ms: i64, random: u32| {
            let id = RequestId::new(now_ms, random);
            assert_eq!(RequestId::parse(&id.to_string()), Some(id));
            assert_eq!(RequestId::parse(&id.generation_id()), Some(id));
            assert!(id >= RequestId::first_at(now_ms));
            assert_eq!(id.at_ms(), now_ms);
            assert!(id < RequestId::first_at(now_ms + 1));
        };
        check(EPOCH_MS, 0);
        check(1_795_000_000_000, u32::MAX);
        check(1_795_000_000_001, 12_345);
    }

    #[test]
    fn a_mistyped_request_id_is_no_id() {
        for text in [
            "",
            "req_",
            "req_0",
            "req_zzzzzzzzzzzzzz",
            "gen_0000000000000",
            "req_000000000000l",
            "req_zzzzzzzzzzzzz",
            "req_00000000000é",
        ] {
            assert_eq!(RequestId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn text_ids_carry_their_prefix() {
        let id = AccountId::from_random([255; 10]);
        assert_eq!(id.as_str(), "acc_zzzzzzzzzzzzzzzz");
        assert_eq!(AccountId::parse(id.as_str()), Some(id));
        assert_eq!(KeyId::parse("acc_zz"), None);
        assert_eq!(AccountId::parse("acc_a'b"), None);
        assert_eq!(AccountId::parse("acc_"), None);
    }
}
