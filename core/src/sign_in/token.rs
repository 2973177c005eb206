//! Tokens that a browser keeps in a cookie or a person gets as a link. Only the SHA-256 is stored, so
//! that whoever reads the database can sign in as nobody.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::mac::hmac_sha256;

/// 256 random bits. `Debug` shows nothing of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// SHA-256 of a token: what the database stores and looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl Token {
    /// A new token.
    #[must_use]
    pub const fn from_random(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Reads the 43 characters of a cookie or link; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read_32(text).map(Self)
    }

    /// The token as 43 characters that need no escaping in a cookie or URL.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What the database stores.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }

    /// An HMAC-SHA256 under this token: what only somebody who has the token can make or check.
    pub(super) fn mac(&self, purpose: &str) -> Hmac<Sha256> {
        hmac_sha256(&self.0, purpose)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl TokenHash {
    /// Reads the 43 characters by which a form names a session; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read_32(text).map(Self)
    }

    /// Takes back a hash that the database kept.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes that the database keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hash as 43 characters. It names a session to its owner; nobody can sign in with it.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// 32 bytes from base64url in its one canonical form.
fn read_32(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// What every form carries, so that another site cannot send it: derived from the token in the
/// browser's cookie, which other sites cannot read. The key is the token itself, 256 random bits, so
/// it needs no secret of the Worker's and nothing stored, and it changes whenever the session does.
#[derive(Clone, PartialEq, Eq)]
pub struct FormToken(String);

impl FormToken {
    /// The token for the forms of a session, or of a browser that is about to sign in.
    #[must_use]
    pub fn of(cookie: &Token) -> Self {
        let mac = cookie.mac("form").finalize();
        Self(URL_SAFE_NO_PAD.encode(mac.into_bytes()))
    }

    /// Whether a form carried the token of this cookie; takes the same time whatever it carried.
    #[must_use]
    pub fn is_right(cookie: &Token, carried: &str) -> bool {
        let carried = URL_SAFE_NO_PAD.decode(carried).unwrap_or_default();
        cookie.mac("form").verify_slice(&carried).is_ok()
    }

    /// The value of the hidden field.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for FormToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_hides_itself_and_is_not_what_is_stored() {
        for random in [[0; 32], [255; 32], [62; 32]] {
            let token = Token::from_random(random);
            assert_eq!(token.reveal().len(), 43);
            assert_eq!(Token::parse(&token.reveal()), Some(token.clone()));
            assert_eq!(format!("{token:?}"), "Token(…)");
            assert_ne!(token.hash().to_text(), token.reveal());
            assert_eq!(
                TokenHash::parse(&token.hash().to_text()),
                Some(token.hash())
            );
            let stored = TokenHash::from_stored(token.hash().as_bytes());
            assert_eq!(stored, Some(token.hash()));
        }
        let right = Token::from_random([7; 32]).reveal();
        for text in [
            "",
            "a",
            &right[1..],
            &format!("{right}A"),
            &right.replace('B', "="),
        ] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
        assert_eq!(TokenHash::from_stored(&[1; 31]), None);
    }

    #[test]
    fn a_form_of_another_session_is_refused() {
        let [own, other] = [[1; 32], [2; 32]].map(Token::from_random);
        let form = FormToken::of(&own);
        let check = |cookie: &Token, carried: &str, expect: bool| {
            assert_eq!(FormToken::is_right(cookie, carried), expect, "{carried}");
        };
        check(&own, form.as_str(), true);
        check(&other, form.as_str(), false);
        check(&own, "", false);
        check(&own, &form.as_str()[..42], false);
        check(&own, &form.as_str().to_lowercase(), false);
        check(&own, "not base64!", false);
        check(&own, &own.reveal(), false);
        check(&own, &own.hash().to_text(), false);
        assert_eq!(format!("{form:?}"), "FormToken(…)");
    }
}
