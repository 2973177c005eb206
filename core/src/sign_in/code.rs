//! Codes of six digits that are sent by e-mail. A code is bound to the browser that asked for it,
//! holds for 15 minutes, is tried five times at most and used once. Asking writes the same whether
//! anybody has the address or not, so that nobody learns who is a customer.
//!
//! Whoever asks for codes of an address that is another's sends mail to its owner and may guess. That is
//! bounded without giving anybody a way to keep the owner out:
//!
//! - A browser that is known for the address (`KnownBrowser`) has a share of its own: 5 codes in 15 minutes, 20
//!   in a day. Strangers cannot use it up, and nobody but this browser can guess these codes.
//! - Everybody else, whom nobody vouches for: one network gets 5 codes of an address in 15 minutes, 10 in a day.
//!   All networks together get 10 in a day at once, and from then on one in half an hour: the address gets
//!   slower and is never shut. An address is counted without what follows a `+`.
//! - A network asks for 30 codes in an hour, whatever the addresses.
//!
//! Strangers who do all they can from many networks thus send at most 10 + 48 mails in a day to one address of a
//! seller. The first ten of these codes are tried five times, the slow ones once: 10 × 5 + 48 = 98 guesses of a
//! million in the worst day, less than one chance in 10,000, and none of it depends on whether anybody has the
//! address.

use hmac::Mac;
use sha2::{Digest, Sha256};

use super::arrival::{Arrival, SignInBatch};
use super::proof::Proof;
use super::{LocalPath, NetworkHash, NewSession, Newcomer, Token};
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement};
use crate::ids::AccountId;
use crate::mac::hmac_sha256;
use crate::people::EmailAddress;

/// How long a code holds, in milliseconds.
pub const CODE_MS: i64 = 15 * 60_000;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// How many codes of one address a known browser gets in 15 minutes, and in a day.
const KNOWN_PER_QUARTER: i64 = 5;
const KNOWN_PER_DAY: i64 = 20;
/// The same for a network that nobody vouches for.
const NETWORK_PER_QUARTER: i64 = 5;
const NETWORK_PER_DAY: i64 = 10;
/// How many codes of one address all such networks get in a day at once, and what is between the ones after.
const STRANGE_PER_DAY: i64 = 10;
const STRANGE_GAP_MS: i64 = 30 * 60_000;
/// How often a code after those may be tried less: once is left of five.
const SLOW_TRIES: i64 = 4;
/// How many codes one network asks for in an hour, whatever the addresses and sellers.
const ASKED_PER_HOUR: i64 = 30;

/// The largest multiple of a million that fits 32 bits: below it every code is as likely.
const FAIR_BELOW: u32 = 4_294_000_000;

/// Six digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// A new code, each as likely as any other.
    #[must_use]
    pub fn from_random(random: [u8; 32]) -> Self {
        let mut random = random;
        loop {
            let fair = random
                .chunks_exact(4)
                .filter_map(|chunk| chunk.try_into().ok().map(u32::from_be_bytes))
                .find(|number| *number < FAIR_BELOW);
            if let Some(number) = fair {
                return Self(format!("{:06}", number.rem_euclid(1_000_000)));
            }
            // Once in 10^29 codes: go on from what the bytes lead to.
            random = Sha256::digest(random).into();
        }
    }

    /// Reads what a person typed; spaces and hyphens in it do not count. `None` unless it is six
    /// digits: that is no try.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: String = typed
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .collect();
        let in_form = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        in_form.then_some(Self(digits))
    }

    /// The digits, to send them.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored. Without the browser's token nobody can find the code by trying all.
    fn hash(&self, browser: &Token) -> [u8; 32] {
        let mut mac = browser.mac("code");
        mac.update(self.0.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

/// What a form gets that asks for a code: the same when it comes twice, as after a double click, so that
/// there is one code and one mail. Each quarter of an hour it is another, so that an old mail opens nothing.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// For the browser's cookie.
    pub browser: Token,
    /// For the mail.
    pub code: Code,
}

impl Attempt {
    /// The attempt of a browser that shows this token, or of one with a token that was just drawn, made
    /// under a secret of the Worker's.
    #[must_use]
    pub fn of(secret: &[u8; 32], (before, email): (&Token, &EmailAddress), now_ms: i64) -> Self {
        let period = now_ms.div_euclid(CODE_MS);
        let made = |purpose: &str| -> [u8; 32] {
            let mut mac = hmac_sha256(secret, purpose);
            mac.update(before.hash().as_bytes());
            mac.update(&period.to_be_bytes());
            mac.update(email.as_str().as_bytes());
            mac.finalize().into_bytes().into()
        };
        Self {
            browser: Token::from_random(made("sign-in browser")),
            code: Code::from_random(made("sign-in code")),
        }
    }
}

/// A person asks for a code.
#[derive(Clone, Debug)]
pub struct AskForCode {
    /// At whose pages.
    pub seller: AccountId,
    /// Where the code is to be sent.
    pub email: EmailAddress,
    /// Where the request came from.
    pub network: NetworkHash,
    /// Whether the browser is known for the address (`KnownBrowser`).
    pub known: bool,
    /// The token for the browser's cookie, as [`Attempt`] has it.
    pub browser: Token,
    /// The code.
    pub code: Code,
    /// Where the person goes after signing in.
    pub next: LocalPath,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

/// What is to be done with a code. The person is told only of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Send it.
    Send,
    /// It was asked for before by the same form: send nothing more.
    Before,
    /// Send nothing, and answer as if it were sent: the address was asked for too often, by this network or
    /// by strangers.
    Silently,
    /// Nothing was stored: the network asked too often. Answer that, whatever the address.
    TooOften,
}

// One statement, so that requests at the same moment cannot all find room.
// A code of the known browser's share is `known`; when that is used up, it is a stranger like others.
const ASK: &str = "\
WITH lately AS (
  SELECT known, network_hash = ?4 AS here, created_at_ms > ?8 AS quarter, created_at_ms > ?9 AS gap
  FROM sign_in_codes
  WHERE seller_id = ?2 AND mailbox = ?10 AND created_at_ms > ?11 AND sent = 1),
room AS (
  SELECT ?12 AND count(*) FILTER (WHERE known) < ?13
      AND count(*) FILTER (WHERE known AND quarter) < ?14 AS own,
    count(*) FILTER (WHERE NOT known AND here) < ?15
      AND count(*) FILTER (WHERE NOT known AND here AND quarter) < ?16 AS here,
    count(*) FILTER (WHERE NOT known) < ?17 AS free,
    count(*) FILTER (WHERE NOT known AND gap) = 0 AS rested
  FROM lately)
INSERT INTO sign_in_codes
  (browser_hash, seller_id, email, mailbox, network_hash, code_hash, next, known, sent, tries,
   expires_at_ms, created_at_ms)
SELECT ?1, ?2, ?3, ?10, ?4, ?5, ?6, own, own OR (here AND (free OR rested)),
  CASE WHEN own OR free THEN 0 ELSE ?18 END, ?19, ?7
FROM room
WHERE own OR (SELECT count(*) FROM sign_in_codes WHERE network_hash = ?4 AND created_at_ms > ?20) < ?21
ON CONFLICT (browser_hash) DO NOTHING RETURNING sent";

const ASKED: &str = "\
SELECT 1 FROM sign_in_codes
WHERE browser_hash = ?1 AND seller_id = ?2 AND email = ?3";

impl AskForCode {
    /// Stores the code if it may be asked for and was not before.
    #[must_use]
    pub fn to_batch(&self) -> Batch {
        let known = Statement::new(ASKED)
            .bind(self.browser.hash().as_bytes())
            .bind(self.seller.as_str())
            .bind(self.email.as_str());
        let mut batch = Batch::new();
        batch.step(None, self.statement());
        batch.step(None, known);
        batch
    }

    /// Reads what is to be done.
    ///
    /// # Errors
    /// When the database did not say.
    pub fn read(reply: &Reply) -> Result<Asked, HranaFault> {
        Ok(match reply.rows_of(0)?.first() {
            Some(row) if row.get(0)? => Asked::Send,
            Some(_) => Asked::Silently,
            None if reply.rows_of(1)?.is_empty() => Asked::TooOften,
            None => Asked::Before,
        })
    }

    fn statement(&self) -> Statement {
        let ago = |ms: i64| self.now_ms.saturating_sub(ms);
        Statement::new(ASK)
            .bind(self.browser.hash().as_bytes())
            .bind(self.seller.as_str())
            .bind(self.email.as_str())
            .bind(self.network.as_bytes())
            .bind(&self.code.hash(&self.browser)[..])
            .bind(self.next.as_str())
            .bind(self.now_ms)
            .bind(ago(CODE_MS))
            .bind(ago(STRANGE_GAP_MS))
            .bind(self.email.mailbox())
            .bind(ago(DAY_MS))
            .bind(self.known)
            .bind(KNOWN_PER_DAY)
            .bind(KNOWN_PER_QUARTER)
            .bind(NETWORK_PER_DAY)
            .bind(NETWORK_PER_QUARTER)
            .bind(STRANGE_PER_DAY)
            .bind(SLOW_TRIES)
            .bind(self.now_ms.saturating_add(CODE_MS))
            .bind(ago(HOUR_MS))
            .bind(ASKED_PER_HOUR)
    }
}

/// A person gives the code.
#[derive(Clone, Debug)]
pub struct EnterCode {
    /// At whose pages.
    pub seller: AccountId,
    /// The token in the browser's cookie since the code was asked for.
    pub browser: Token,
    /// What the person typed.
    pub code: Code,
    /// The session that begins when it is right.
    pub session: NewSession,
    /// Ids for a person who is new here.
    pub newcomer: Newcomer,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

impl EnterCode {
    /// The batch that counts the try and lets the person in if the code is right.
    #[must_use]
    pub fn to_batch(&self) -> SignInBatch {
        let code_hash = self.code.hash(&self.browser);
        let arrival = Arrival {
            seller: &self.seller,
            proof: Proof::Code {
                browser: self.browser.hash(),
                code_hash: &code_hash,
            },
            session: &self.session,
            next: None,
            newcomer: Some(&self.newcomer),
            now_ms: self.now_ms,
        };
        arrival.to_batch()
    }
}

/// What the page that takes a code knows from the browser's cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCode {
    /// The address that it was asked for with.
    pub email: EmailAddress,
    /// Until when it may be given, in Unix milliseconds.
    pub expires_at_ms: i64,
}

impl PendingCode {
    /// Reads the code that this browser asked for and did not use yet; no row if there is none.
    #[must_use]
    pub fn statement(seller: &AccountId, browser: &Token) -> Statement {
        Statement::new(
            "SELECT email, expires_at_ms FROM sign_in_codes \
             WHERE seller_id = ?1 AND browser_hash = ?2 AND ended_at_ms IS NULL",
        )
        .bind(seller.as_str())
        .bind(browser.hash().as_bytes())
    }

    /// Reads its row.
    pub fn read(row: &Row) -> Result<Self, HranaFault> {
        let email = row.get::<String>(0)?;
        Ok(Self {
            email: EmailAddress::parse(&email).ok_or(HranaFault::UnexpectedColumn(0))?,
            expires_at_ms: row.get(1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_as_likely_as_any_other() {
        let check = |chunks: [u32; 8], expect: &str| {
            let mut random = [0; 32];
            for (place, number) in random.chunks_mut(4).zip(chunks) {
                place.copy_from_slice(&number.to_be_bytes());
            }
            assert_eq!(Code::from_random(random).reveal(), expect);
        };
        check([0; 8], "000000");
        check([7; 8], "000007");
        check([1_999_999; 8], "999999");
        check([FAIR_BELOW - 1; 8], "999999");
        // What would make the first codes likelier is passed over.
        check([FAIR_BELOW, u32::MAX, 42, 1, 1, 1, 1, 1], "000042");
        let digest = Sha256::digest([255; 32]);
        let next = u32::from_be_bytes(digest[..4].try_into().unwrap());
        check([u32::MAX; 8], &format!("{:06}", next % 1_000_000));
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let check = |typed: &str, expect: Option<&str>| {
            let code = Code::parse(typed);
            assert_eq!(code.as_ref().map(Code::reveal), expect, "{typed:?}");
        };
        check("012345", Some("012345"));
        check(" 012 345\n", Some("012345"));
        check("012-345", Some("012345"));
        check("012\u{a0}345", Some("012345"));
        check("", None);
        check("12345", None);
        check("1234567", None);
        check("12345a", None);
        check("+12345", None);
        check("١٢٣٤٥٦", None);
        check("12345６", None);
        assert_eq!(format!("{:?}", Code::parse("012345")), "Some(Code(…))");
    }
}
