//! Signing in with GitHub (OAuth 2 with state and PKCE, RFC 7636). A person is known by the number of
//! the GitHub account, which never changes; only an address that GitHub verified may connect a GitHub
//! account with somebody who is known by address. Requests to GitHub belong to the dashboard.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::arrival::{Arrival, SignInBatch};
use super::proof::Proof;
use super::{LocalPath, NetworkHash, NewSession, Newcomer, Token};
use crate::hrana::{Batch, HranaFault, Reply, Statement};
use crate::ids::AccountId;
use crate::people::{EmailAddress, PersonName};

/// How long a person may take at GitHub, in milliseconds.
const STATE_MS: i64 = 10 * 60_000;

/// How many sign-ins of one network may be at GitHub at a time.
const OPEN_PER_NETWORK: i64 = 30;

/// A person is about to be sent to GitHub.
#[derive(Clone, Debug)]
pub struct GoToGithub {
    /// At whose pages.
    pub seller: AccountId,
    /// A new token, for GitHub and for the browser's cookie.
    pub state: Token,
    /// Another new token, of which GitHub first sees the hash only.
    pub verifier: Token,
    /// Where the request came from.
    pub network: NetworkHash,
    /// Where the person goes after signing in.
    pub next: LocalPath,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

impl GoToGithub {
    /// Stores the state, unless too many of the network are open.
    #[must_use]
    pub fn to_batch(&self) -> Batch {
        let insert = Statement::new(
            "INSERT INTO oauth_states (hash, seller_id, network_hash, verifier, next, expires_at_ms) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM oauth_states \
               WHERE network_hash = ?3 AND expires_at_ms > ?7) < ?8 RETURNING 1",
        )
        .bind(self.state.hash().as_bytes())
        .bind(self.seller.as_str())
        .bind(self.network.as_bytes())
        .bind(self.verifier.reveal())
        .bind(self.next.as_str())
        .bind(self.now_ms.saturating_add(STATE_MS))
        .bind(self.now_ms)
        .bind(OPEN_PER_NETWORK);
        let mut batch = Batch::new();
        batch.step(None, insert);
        batch
    }

    /// Reads whether the person may go; otherwise the network asked too often.
    ///
    /// # Errors
    /// When the database did not say.
    pub fn read(reply: &Reply) -> Result<bool, HranaFault> {
        Ok(!reply.rows_of(0)?.is_empty())
    }

    /// The query of `https://github.com/login/oauth/authorize`, not encoded.
    #[must_use]
    pub fn query(&self, client_id: &str, redirect_uri: &str) -> [(&'static str, String); 6] {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.reveal()));
        [
            ("client_id", client_id.to_owned()),
            ("redirect_uri", redirect_uri.to_owned()),
            ("scope", "user:email".to_owned()),
            ("state", self.state.reveal()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256".to_owned()),
        ]
    }
}

/// A person comes back from GitHub.
#[derive(Clone, Debug)]
pub struct BackFromGithub {
    seller: AccountId,
    state: Token,
    now_ms: i64,
}

/// What was kept while the person was at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubTrip {
    /// The `code_verifier` of the request for the access token.
    pub verifier: Token,
    /// Where the person wanted to go.
    pub next: LocalPath,
}

impl BackFromGithub {
    /// Compares the state that GitHub sent back with the one in the browser's cookie; `None`: the
    /// sign-in was begun in another browser.
    #[must_use]
    pub fn new(seller: &AccountId, (cookie, state): (&Token, &str), now_ms: i64) -> Option<Self> {
        // Hashes are compared, so that the time that it takes tells nothing of the state.
        let same = Token::parse(state)?.hash() == cookie.hash();
        same.then(|| Self {
            seller: seller.clone(),
            state: cookie.clone(),
            now_ms,
        })
    }

    /// Uses the state up.
    #[must_use]
    pub fn to_batch(&self) -> Batch {
        let take = Statement::new(
            "DELETE FROM oauth_states WHERE hash = ?1 AND seller_id = ?2 AND expires_at_ms > ?3 \
             RETURNING verifier, next",
        )
        .bind(self.state.hash().as_bytes())
        .bind(self.seller.as_str())
        .bind(self.now_ms);
        let mut batch = Batch::new();
        batch.step(None, take);
        batch
    }

    /// Reads what was kept; `None`: the state is unknown here, was used or is too old.
    ///
    /// # Errors
    /// When the database did not say.
    pub fn read(reply: &Reply) -> Result<Option<GithubTrip>, HranaFault> {
        let Some(row) = reply.rows_of(0)?.first() else {
            return Ok(None);
        };
        let verifier = row.get::<String>(0)?;
        Ok(Some(GithubTrip {
            verifier: Token::parse(&verifier).ok_or(HranaFault::UnexpectedColumn(0))?,
            next: LocalPath::or_home(Some(&row.get::<String>(1)?)),
        }))
    }
}

/// A person whom GitHub vouches for.
#[derive(Clone, Debug)]
pub struct SignInWithGithub {
    /// At whose pages.
    pub seller: AccountId,
    /// The number of the GitHub account.
    pub github_id: i64,
    /// The primary address there, if GitHub verified it.
    pub email: Option<EmailAddress>,
    /// What the person is called there.
    pub name: PersonName,
    /// Where the person wanted to go.
    pub next: LocalPath,
    /// The session that begins.
    pub session: NewSession,
    /// Ids for a person who is new here.
    pub newcomer: Newcomer,
    /// Now, in Unix milliseconds.
    pub now_ms: i64,
}

impl SignInWithGithub {
    /// The batch that lets in whoever has this GitHub account; or else connects it with the person
    /// who has the address and no other GitHub account; or else makes a new person.
    #[must_use]
    pub fn to_batch(&self) -> SignInBatch {
        let arrival = Arrival {
            seller: &self.seller,
            proof: Proof::Github {
                id: self.github_id,
                email: self.email.as_ref(),
                name: &self.name,
            },
            session: &self.session,
            next: Some(&self.next),
            newcomer: Some(&self.newcomer),
            now_ms: self.now_ms,
        };
        arrival.to_batch()
    }
}
