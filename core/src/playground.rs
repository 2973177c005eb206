//! The playground of the dashboard: which models an account can try there, and the key that pays. The
//! key is one of the account's own, but its secret is made from the Worker's, so that it is stored
//! nowhere. When it is revoked, the next one takes its place. Calls are the gateway's.

use serde_json::json;

use crate::accounts::{Account, KeyCreation, NewKey, account_statement, read_account};
use crate::budget::Budget;
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement, StepIndex};
use crate::ids::{AccountId, KeyId};
use crate::key::ApiKey;
use crate::limits::Limits;
use crate::pattern;
use crate::sealing::SealingKeys;

/// What people see the key called.
pub const KEY_NAME: &str = "Playground";

/// How many keys an account can use up; after that many were revoked, somebody means it.
const GENERATIONS: u32 = 64;

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

/// A model that can be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its slug, which calls name.
    pub slug: String,
    /// What people call it.
    pub name: String,
}

/// The batch that reads what an account can try, and where its answers stand.
#[derive(Clone, Debug)]
pub struct Choices {
    /// What to execute.
    pub batch: Batch,
    account: StepIndex,
    rules: StepIndex,
    models: StepIndex,
}

const RULES: &str = "\
SELECT c.key, r.pattern
FROM accounts l JOIN json_each(l.chain) c JOIN accounts a ON a.id = c.value
  LEFT JOIN price_rules r ON r.account_id = a.parent_id AND r.starts_at_ms <= ?2
    AND (r.ends_at_ms IS NULL OR r.ends_at_ms > ?2)
WHERE l.id = ?1 ORDER BY c.key";

const MODELS: &str = "\
SELECT m.slug, m.name FROM models m
WHERE m.enabled = 1
  AND EXISTS (SELECT 1 FROM costs c WHERE c.model = m.slug AND c.effective_from_ms <= ?1)
  AND NOT EXISTS (SELECT 1 FROM providers p WHERE p.name = m.provider AND p.enabled = 0)
ORDER BY m.slug";

impl Choices {
    /// Reads what an account can try now.
    #[must_use]
    pub fn of(account: &AccountId, now_ms: i64) -> Self {
        let mut batch = Batch::new();
        let rules = Statement::new(RULES).bind(account.as_str()).bind(now_ms);
        Self {
            account: batch.step(None, account_statement(account)),
            rules: batch.step(None, rules),
            models: batch.step(None, Statement::new(MODELS).bind(now_ms)),
            batch,
        }
    }

    /// The account, and the models that every level above it has a price for and that its limits
    /// allow, by slug. `None`: no such account.
    ///
    /// # Errors
    /// When the database did not say.
    pub fn read(&self, reply: &Reply) -> Result<Option<(Account, Vec<Choice>)>, HranaFault> {
        let Some(account) = reply.rows_of(self.account)?.first() else {
            return Ok(None);
        };
        let account = read_account(account)?;
        let rules = reply
            .rows_of(self.rules)?
            .iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?)))
            .collect::<Result<Vec<(i64, Option<String>)>, HranaFault>>()?;
        let models = reply
            .rows_of(self.models)?
            .iter()
            .map(|row| {
                Ok(Choice {
                    slug: row.get(0)?,
                    name: row.get(1)?,
                })
            })
            .collect::<Result<Vec<_>, HranaFault>>()?;
        let sold = models
            .into_iter()
            .filter(|model| account.limits.allows_model(&model.slug) && is_priced(&rules, model))
            .collect();
        Ok(Some((account, sold)))
    }
}

/// Whether every level has a rule for the model.
fn is_priced(rules: &[(i64, Option<String>)], model: &Choice) -> bool {
    let catches = |pattern: &Option<String>| {
        pattern
            .as_ref()
            .is_some_and(|pattern| pattern::matches(pattern, &model.slug))
    };
    rules.iter().all(|(level, _)| {
        let mut of_level = rules.iter().filter(|(other, _)| other == level);
        of_level.any(|(_, pattern)| catches(pattern))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(slug: &str) -> Choice {
        Choice {
            slug: slug.to_owned(),
            name: String::new(),
        }
    }

    #[test]
    fn a_model_without_a_price_at_any_level_is_not_offered() {
        let check = |rules: &[(i64, Option<&str>)], expect: bool| {
            let rules: Vec<_> = rules
                .iter()
                .map(|(level, pattern)| (*level, pattern.map(str::to_owned)))
                .collect();
            assert_eq!(
                is_priced(&rules, &model("openai/gpt-4o")),
                expect,
                "{rules:?}"
            );
        };
        check(&[(0, Some("*"))], true);
        check(&[(0, Some("openai/*")), (1, Some("*"))], true);
        check(&[(0, Some("sim/*")), (0, Some("openai/*"))], true);
        check(&[(0, Some("sim/*"))], false);
        check(&[(0, None)], false);
        check(&[(0, Some("*")), (1, None)], false);
        check(&[(0, Some("*")), (1, Some("sim/*"))], false);
    }

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
