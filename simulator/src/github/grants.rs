//! Codes and tokens that were given out. A code works once, for ten minutes. Bounded: the oldest go.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::people::Person;

const CODE_LIFE: Duration = Duration::from_mins(10);
const MOST_CODES: usize = 1_000;
const MOST_TOKENS: usize = 1_000;

/// What an app asks for when it sends a browser here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Where the browser goes with the answer.
    pub redirect_uri: Url,
    /// Handed back as it came.
    pub state: String,
    /// Words separated by spaces.
    pub scope: String,
    /// Base64 of the SHA-256 of the verifier that the app will show.
    pub challenge: String,
}

/// What a token allows.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who agreed.
    pub person: Person,
    /// Words separated by spaces.
    pub scope: String,
}

impl Grant {
    /// Whether one of these scopes was asked for.
    #[must_use]
    pub fn covers(&self, scopes: &[&str]) -> bool {
        let mut words = self.scope.split([' ', ',']);
        words.any(|word| scopes.contains(&word))
    }
}

/// Why a code is not exchanged. GitHub's names, in its order of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Unknown, used, too old, or not the verifier of its challenge.
    BadVerificationCode,
    /// Made for another address.
    RedirectUriMismatch,
}

#[derive(Debug)]
struct Code {
    code: String,
    made: Instant,
    wish: Wish,
    person: Person,
}

/// All codes and tokens that are still kept.
#[derive(Debug, Default)]
pub struct Grants {
    codes: VecDeque<Code>,
    tokens: VecDeque<(String, Grant)>,
}

impl Grants {
    /// Notes that `person` agreed to `wish`.
    pub fn agree(&mut self, code: String, wish: Wish, person: Person, now: Instant) {
        self.codes.push_back(Code {
            code,
            made: now,
            wish,
            person,
        });
        if self.codes.len() > MOST_CODES {
            self.codes.pop_front();
        }
    }

    /// Takes a code back, whether it works or not. The address may be left out, as at GitHub.
    pub fn redeem(
        &mut self,
        code: &str,
        redirect_uri: Option<&str>,
        verifier: &str,
        now: Instant,
    ) -> Result<Grant, Refused> {
        let found = self.codes.iter().position(|kept| kept.code == code);
        let kept = found.and_then(|index| self.codes.remove(index));
        let kept = kept.ok_or(Refused::BadVerificationCode)?;
        if now.duration_since(kept.made) > CODE_LIFE {
            return Err(Refused::BadVerificationCode);
        }
        let wish = kept.wish;
        if redirect_uri.is_some_and(|uri| Url::parse(uri).ok() != Some(wish.redirect_uri)) {
            return Err(Refused::RedirectUriMismatch);
        }
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != wish.challenge {
            return Err(Refused::BadVerificationCode);
        }
        Ok(Grant {
            person: kept.person,
            scope: wish.scope,
        })
    }

    /// Notes what a new token allows.
    pub fn hand_out(&mut self, token: String, grant: Grant) {
        self.tokens.push_back((token, grant));
        if self.tokens.len() > MOST_TOKENS {
            self.tokens.pop_front();
        }
    }

    /// What a token allows, if it was given out here.
    #[must_use]
    pub fn of_token(&self, token: &str) -> Option<&Grant> {
        let mut kept = self.tokens.iter();
        kept.find(|(known, _)| known == token)
            .map(|(_, grant)| grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";
    const CALLBACK: &str = "http://127.0.0.1:8788/sign-in/github/callback";

    fn wish() -> Wish {
        Wish {
            redirect_uri: Url::parse(CALLBACK).unwrap(),
            state: "s".to_owned(),
            scope: "read:user user:email".to_owned(),
            challenge: URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER)),
        }
    }

    #[test]
    fn a_code_works_once_in_time_for_its_address_and_verifier() {
        let check = |code: &str, uri: Option<&str>, verifier: &str, age_s: u64, expect| {
            let mut grants = Grants::default();
            let (person, _) = super::super::people::samples()[0].clone();
            let now = Instant::now();
            grants.agree("c".to_owned(), wish(), person, now);
            let later = now + Duration::from_secs(age_s);
            let redeemed = grants.redeem(code, uri, verifier, later);
            let who = redeemed.map(|grant| grant.person.login);
            assert_eq!(who.as_deref().map_err(|e| *e), expect, "{code} {uri:?}");
            let again = grants.redeem("c", Some(CALLBACK), VERIFIER, now);
            assert_eq!(again.is_ok(), code != "c", "one try for each code");
        };
        let (bad, other) = (Refused::BadVerificationCode, Refused::RedirectUriMismatch);
        check("c", Some(CALLBACK), VERIFIER, 0, Ok("octo-tester"));
        check("c", None, VERIFIER, 600, Ok("octo-tester"));
        check("c", Some(CALLBACK), VERIFIER, 601, Err(bad));
        check("d", Some(CALLBACK), VERIFIER, 0, Err(bad));
        check("c", Some(CALLBACK), "another", 0, Err(bad));
        check("c", Some(CALLBACK), "", 0, Err(bad));
        check("c", Some("http://127.0.0.1:8788/"), VERIFIER, 0, Err(other));
        check("c", Some("nothing"), VERIFIER, 0, Err(other));
    }

    #[test]
    fn memory_stays_bounded() {
        let mut grants = Grants::default();
        let (person, _) = super::super::people::samples()[0].clone();
        let now = Instant::now();
        for number in 0..=MOST_CODES {
            grants.agree(number.to_string(), wish(), person.clone(), now);
            let grant = Grant {
                person: person.clone(),
                scope: String::new(),
            };
            grants.hand_out(number.to_string(), grant);
        }
        assert!(grants.redeem("0", None, VERIFIER, now).is_err());
        assert!(grants.redeem("1", None, VERIFIER, now).is_ok());
        assert!(grants.of_token("0").is_none() && grants.of_token("1").is_some());
    }
}
