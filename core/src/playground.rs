//! The playground of the dashboard: which models an account can try there and for what, and the key that pays. The
//! key is one of the account's own, but its secret is made from the Worker's, so that it is stored
//! nowhere. When it is revoked, the next one takes its place. Calls are the gateway's.

use serde_json::json;

use crate::accounts::{Account, KeyCreation, NewKey, account_statement, read_account};
use crate::budget::Budget;
use crate::catalogue::Dimension;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, KeyId};
use crate::key::ApiKey;
use crate::limits::Limits;
use crate::money::{Nanos, Picos};
use crate::pricing::Reference;
use crate::sealing::SealingKeys;
use crate::selling::{MarketBatch, MarketQuery, preview};
use crate::usage::Usage;

/// What people see the key called.
pub const KEY_NAME: &str = "Playground";

/// How many keys an account can use up; after that many were revoked, somebody means it.
const GENERATIONS: u32 = 64;

/// How many models are offered at most.
const MOST_CHOICES: u32 = 2_000;

/// The playground's key of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaygroundKey {
    /// Its id.
    pub id: KeyId,
    /// The secret.
    pub key: ApiKey,
    account: AccountId,
}

impl PlaygroundKey {
    fn of(keys: &SealingKeys, account: &AccountId, generation: u32) -> Self {
        let derived =
            |what: &str| keys.derive(&format!("playground {what} {account} {generation}"));
        let [a, b, c, d, e, f, g, h, i, j, ..] = derived("id");
        Self {
            id: KeyId::from_random([a, b, c, d, e, f, g, h, i, j]),
            key: ApiKey::from_random(derived("key")),
            account: account.clone(),
        }
    }

    /// What creates it, with the account's default limits.
    #[must_use]
    pub fn creation(&self) -> KeyCreation {
        KeyCreation {
            key: NewKey {
                id: self.id.clone(),
                account: self.account.clone(),
                key: self.key.clone(),
                name: KEY_NAME.to_owned(),
                expires_at_ms: None,
                limits: Limits::default(),
            },
            budget: Budget::default(),
        }
    }
}

/// The keys that an account's playground may have had.
#[derive(Clone, Debug)]
pub struct PlaygroundKeys(Vec<PlaygroundKey>);

/// Which of them is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This one, which is there.
    Ready(PlaygroundKey),
    /// This one, which is to be created first.
    New(PlaygroundKey),
    /// None: too many were revoked.
    UsedUp,
}

impl PlaygroundKeys {
    /// The keys of an account, made from the Worker's secret. Under another first sealing key they
    /// are other keys.
    #[must_use]
    pub fn of(keys: &SealingKeys, account: &AccountId) -> Self {
        let generations = 0..GENERATIONS;
        Self(
            generations
                .map(|generation| PlaygroundKey::of(keys, account, generation))
                .collect(),
        )
    }

    /// Reads which of them there are, and whether they work.
    #[must_use]
    pub fn statement(&self, account: &AccountId, now_ms: i64) -> Statement {
        let ids: Vec<&str> = self.0.iter().map(|key| key.id.as_str()).collect();
        Statement::new(
            "SELECT id, revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?3) \
             FROM keys WHERE account_id = ?1 AND id IN (SELECT value FROM json_each(?2))",
        )
        .bind(account.as_str())
        .bind(json!(ids).to_string())
        .bind(now_ms)
    }

    /// Reads the rows of that statement.
    ///
    /// # Errors
    /// When they are not its rows.
    pub fn read(self, rows: &[Row]) -> Result<Standing, HranaFault> {
        let known = rows
            .iter()
            .map(|row| Ok((row.get::<String>(0)?, row.get::<bool>(1)?)))
            .collect::<Result<Vec<_>, HranaFault>>()?;
        for key in self.0 {
            match known.iter().find(|(id, _)| id == key.id.as_str()) {
                Some((_, true)) => return Ok(Standing::Ready(key)),
                Some((_, false)) => {}
                None => return Ok(Standing::New(key)),
            }
        }
        Ok(Standing::UsedUp)
    }
}

/// A model that can be tried, and what it costs whoever tries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its slug, which calls name.
    pub slug: String,
    /// A token of the prompt.
    pub prompt: Picos,
    /// A token of the answer.
    pub completion: Picos,
    /// The call itself, besides its tokens.
    pub request: Picos,
    /// The least that a call costs.
    pub least: Nanos,
}

/// The batch that reads what an account can try, and where its answers stand.
#[derive(Clone, Debug)]
pub struct Choices {
    market: MarketBatch,
    account: StepIndex,
    at_ms: i64,
}

impl Choices {
    /// Reads what an account can try now, of what the account right above it sells.
    #[must_use]
    pub fn of(account: &AccountId, seller: &AccountId, now_ms: i64) -> Self {
        let query = MarketQuery {
            seller,
            now_ms,
            at_ms: now_ms,
            search: "",
            after: "",
            count: MOST_CHOICES,
        };
        let mut market = query.to_batch();
        let account = market.batch.step(None, account_statement(account));
        Self {
            market,
            account,
            at_ms: now_ms,
        }
    }

    /// What to execute: reads only.
    #[must_use]
    pub const fn batch(&self) -> &Batch {
        &self.market.batch
    }

    /// The account, and the models that it has a price for and that its limits allow, by slug. `None`: no
    /// such account, or its seller sells nothing.
    ///
    /// # Errors
    /// When the database did not say.
    pub fn read(&self, reply: &Reply) -> Result<Option<(Account, Vec<Choice>)>, HranaFault> {
        let Some(account) = reply.rows_of(self.account)?.first() else {
            return Ok(None);
        };
        let account = read_account(account)?;
        let Some(market) = self.market.read(reply)? else {
            return Ok(None);
        };
        let nothing_used = Reference {
            usage: Usage::default(),
            at_ms: self.at_ms,
        };
        let sold = preview(&market, None, &nothing_used).into_iter();
        let sold = sold
            .filter(|line| account.limits.allows_model(line.slug))
            .filter_map(|line| Some((line.slug, line.now.ok()?)))
            .map(|(slug, offer)| {
                let unit = |dimension| offer.unit(dimension).map_or(Picos::ZERO, |it| it.charge);
                Choice {
                    slug: slug.to_owned(),
                    prompt: unit(Dimension::Prompt),
                    completion: unit(Dimension::Completion),
                    request: unit(Dimension::Request),
                    least: offer.charge,
                }
            })
            .collect();
        Ok(Some((account, sold)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_another_for_every_account_and_generation() {
        let keys = "a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let keys = SealingKeys::parse(keys).unwrap();
        let accounts = [[1; 10], [2; 10]].map(AccountId::from_random);
        let mut all: Vec<String> = accounts
            .iter()
            .flat_map(|account| PlaygroundKeys::of(&keys, account).0)
            .flat_map(|key| [key.id.to_string(), key.key.reveal().to_owned()])
            .collect();
        let number = all.len();
        all.sort();
        all.dedup();
        assert_eq!((all.len(), number), (256, 256));
        let again = PlaygroundKey::of(&keys, &accounts[0], 0);
        assert_eq!(again, PlaygroundKeys::of(&keys, &accounts[0]).0[0]);
    }
}
