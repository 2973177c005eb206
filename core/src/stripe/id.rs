//! Ids that Stripe gave: text that goes into paths and columns, checked where it comes in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Stripe says that an id has at most 255 characters; those that exist have less than a third.
const MAX_LENGTH: usize = 100;

/// An id such as `cs_test_…`. What it names is said by where it stands: Stripe changes prefixes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StripeId(String);

impl StripeId {
    /// Takes letters, digits and underscores; `None` for anything else, which has no place in a path.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let valid = !text.is_empty() && text.len() <= MAX_LENGTH && text.bytes().all(known);
        valid.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StripeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for StripeId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an id of Stripe's")
    }
}

impl From<StripeId> for String {
    fn from(id: StripeId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_stand_in_a_path_is_an_id() {
        let check = |text: &str, valid: bool| {
            assert_eq!(StripeId::parse(text).is_some(), valid, "{text}");
        };
        check("cs_test_a1B2", true);
        check("pi_3", true);
        check("", false);
        check("cs/../refunds", false);
        check("cs_1?expand", false);
        check("{CHECKOUT_SESSION_ID}", false);
        check("é", false);
        check(&"a".repeat(100), true);
        check(&"a".repeat(101), false);
    }
}
