//! Browsers in which somebody signed in with an address before. Such a browser keeps a cookie that says so, and
//! asks for codes from a share of its own (`code`), so that strangers who ask for the same address cannot use
//! up what its owner needs. The cookie proves nothing else and opens nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::ids::AccountId;
use crate::mac::hmac_sha256;
use crate::people::EmailAddress;

/// How long a browser is known after a sign-in, in milliseconds.
const KNOWN_MS: i64 = 90 * 86_400_000;

/// Whom a browser is known for.
#[derive(Clone, Copy, Debug)]
pub struct KnownBrowser<'a> {
    /// A secret of the Worker's.
    pub secret: &'a [u8; 32],
    /// At whose pages the person signed in.
    pub seller: &'a AccountId,
    /// The person's address.
    pub email: &'a EmailAddress,
}

impl KnownBrowser<'_> {
    /// The value of the cookie, for a browser in which the person signs in now. It tells nothing of the person.
    #[must_use]
    pub fn cookie(&self, now_ms: i64) -> String {
        let until_ms = now_ms.saturating_add(KNOWN_MS);
        let mac = self.mac(until_ms).finalize().into_bytes();
        format!("{until_ms}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// Whether a browser with this cookie is known for the person still.
    #[must_use]
    pub fn is(&self, cookie: &str, now_ms: i64) -> bool {
        let parts = cookie.split_once('.');
        let Some((until_ms, mac)) = parts.and_then(|(until_ms, mac)| {
            let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
            Some((until_ms.parse::<i64>().ok()?, mac))
        }) else {
            return false;
        };
        until_ms > now_ms && self.mac(until_ms).verify_slice(&mac).is_ok()
    }

    fn mac(&self, until_ms: i64) -> Hmac<Sha256> {
        let mut mac = hmac_sha256(self.secret, "known browser");
        // Neither an id nor an address has a space in it.
        mac.update(format!("{} {} {until_ms}", self.seller, self.email).as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_for_one_person_at_one_seller_for_a_while() {
        let seller = [[1; 10], [2; 10]].map(AccountId::from_random);
        let email = ["ada@example.com", "bob@example.com"]
            .map(|address| EmailAddress::parse(address).unwrap());
        let known = |seller, email, secret| KnownBrowser {
            secret,
            seller,
            email,
        };
        let ada = known(&seller[0], &email[0], &[7; 32]);
        let cookie = ada.cookie(1_000);
        assert!(!cookie.contains("ada"));
        let check = |by: KnownBrowser<'_>, cookie: &str, now_ms: i64, expect: bool| {
            assert_eq!(by.is(cookie, now_ms), expect, "{cookie} {now_ms}");
        };
        check(ada, &cookie, 1_000, true);
        check(ada, &cookie, KNOWN_MS + 999, true);
        check(ada, &cookie, KNOWN_MS + 1_000, false);
        check(
            known(&seller[1], &email[0], &[7; 32]),
            &cookie,
            1_000,
            false,
        );
        check(
            known(&seller[0], &email[1], &[7; 32]),
            &cookie,
            1_000,
            false,
        );
        check(
            known(&seller[0], &email[0], &[8; 32]),
            &cookie,
            1_000,
            false,
        );
        // Nobody makes it last longer.
        let (until_ms, mac) = cookie.split_once('.').unwrap();
        check(ada, &format!("9{until_ms}.{mac}"), 1_000, false);
        for broken in [
            "",
            ".",
            until_ms,
            mac,
            &cookie[1..],
            &format!("{cookie}A"),
            "x.y",
        ] {
            check(ada, broken, 1_000, false);
        }
    }
}
