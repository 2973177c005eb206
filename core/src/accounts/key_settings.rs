//! What people set of their keys: a new key with all its settings, and edits of one, each in one
//! transaction with one line in the audit log. The forms' texts are read in `key_forms`.

use serde_json::{Map, Value as Json, json};

use super::budgets::BudgetEdit;
use super::change::LimitEdit;
use super::{Commit, NewKey, commit};
use crate::audit::{Change, Entry};
use crate::budget::{Budget, Period};
use crate::hrana::{Batch, Condition, HranaFault, Reply, Statement, StepIndex, Value};
use crate::ids::{AccountId, KeyId};
use crate::money::Nanos;

/// How many keys an account can have that are not revoked.
pub const MOST_LIVE_KEYS: u32 = 100;

/// A key that a person creates, with everything that can be set of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCreation {
    /// The key.
    pub key: NewKey,
    /// What its calls may be charged.
    pub budget: Budget,
}

/// What the database said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCreated {
    /// The key is there now.
    Now,
    /// A key with this id was there before, as after a double click; nothing changed.
    Before,
    /// The account has [`MOST_LIVE_KEYS`] keys that are not revoked; nothing changed.
    TooMany,
    /// There is no such account, or it is the operator's; nothing changed.
    NoAccount,
    /// Nothing changed, though it could have. Try again.
    Contended,
}

/// The batch of a `KeyCreation`, and where its answers stand.
#[derive(Clone, Debug)]
pub struct KeyCreationBatch {
    /// What to execute.
    pub batch: Batch,
    commit: StepIndex,
    why: StepIndex,
}

const ROOM: &str = "\
INSERT INTO guard (ok) SELECT 0 WHERE (SELECT count(*) FROM keys
  WHERE account_id = ?1 AND revoked_at_ms IS NULL) >= ?2";

const SET_BUDGET: &str = "\
UPDATE keys SET budget_total_nanos = ?3, budget_day_nanos = ?4, budget_week_nanos = ?5,
  budget_month_nanos = ?6 WHERE id = ?1 AND account_id = ?2";

const WHY: &str = "\
SELECT EXISTS (SELECT 1 FROM keys WHERE id = ?1 AND account_id = ?2),
  (SELECT count(*) FROM keys WHERE account_id = ?2 AND revoked_at_ms IS NULL) >= ?3,
  EXISTS (SELECT 1 FROM accounts WHERE id = ?2 AND kind <> 'operator')";

impl KeyCreation {
    /// The batch: one transaction, and a read that tells why it did not commit.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> KeyCreationBatch {
        let (id, account) = (self.key.id.as_str(), self.key.account.as_str());
        let most = i64::from(MOST_LIVE_KEYS);
        let mut batch = Batch::new();
        let mut transaction = batch.begin(None);
        transaction.then(Statement::new(ROOM).bind(account).bind(most));
        transaction.then(self.key.insert(change.at_ms));
        transaction.require_change();
        let amounts = Period::ALL.map(|period| self.budget.of(period).map(Nanos::get));
        let identified = Statement::new(SET_BUDGET).bind(id).bind(account);
        transaction.then(amounts.into_iter().fold(identified, Statement::bind));
        transaction.require_change();
        transaction.then(self.key.entry(change, &self.budget));
        transaction.require_change();
        let commit = transaction.commit();
        let why = Statement::new(WHY).bind(id).bind(account).bind(most);
        let why = batch.step(Some(Condition::not_ok(commit)), why);
        KeyCreationBatch { batch, commit, why }
    }
}

impl KeyCreationBatch {
    /// What the reply to the batch says.
    pub fn read(&self, reply: &Reply) -> Result<KeyCreated, HranaFault> {
        if reply.is_ok(self.commit) {
            return Ok(KeyCreated::Now);
        }
        let row = reply.rows(self.why).first().ok_or(HranaFault::Malformed)?;
        let (exists, full, account) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(match (exists, account, full) {
            (true, _, _) => KeyCreated::Before,
            (false, false, _) => KeyCreated::NoAccount,
            (false, true, true) => KeyCreated::TooMany,
            (false, true, false) => KeyCreated::Contended,
        })
    }
}

/// New settings of a key; what is `None` or not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyEdit {
    /// What people call it.
    pub name: Option<String>,
    /// When it ends, in Unix milliseconds; `Some(None)`: never.
    pub expires_at_ms: Option<Option<i64>>,
    /// Its own limits.
    pub limits: Vec<LimitEdit>,
    /// Its budgets.
    pub budgets: Vec<BudgetEdit>,
}

const BEFORE: &str = "\
json_object('name', r.name, 'expires_at_ms', r.expires_at_ms,
  'requests_per_minute', r.requests_per_minute, 'requests_per_hour', r.requests_per_hour,
  'requests_per_day', r.requests_per_day, 'tokens_per_minute', r.tokens_per_minute,
  'parallel_calls', r.parallel_calls, 'max_tokens', r.max_tokens,
  'default_max_tokens', r.default_max_tokens, 'allowed_models', json(r.allowed_models),
  'budget_total_nanos', r.budget_total_nanos, 'budget_day_nanos', r.budget_day_nanos,
  'budget_week_nanos', r.budget_week_nanos, 'budget_month_nanos', r.budget_month_nanos)";

/// Edits a key of the account; its next call sees the change. A revoked key stays as it is, and so does
/// one that has these settings already: then nothing takes place.
#[must_use]
pub fn edit_key(account: &AccountId, key: &KeyId, edit: &KeyEdit, change: &Change) -> Commit {
    let columns = edit.columns();
    let after: Map<String, Json> = columns
        .iter()
        .map(|column| (column.name.clone(), column.json.clone()))
        .collect();
    let entry = change.of(Entry {
        action: "key.edit",
        table: "keys",
        subject: key.as_str(),
        before: BEFORE,
        after: Json::Object(after).to_string(),
    });
    let assignments: String = (3_u32..)
        .zip(&columns)
        .map(|(number, column)| format!(", {} = ?{number}", column.name))
        .collect();
    let differences: String = (3_u32..)
        .zip(&columns)
        .map(|(number, column)| format!(" OR {} IS NOT ?{number}", column.name))
        .collect();
    let update = Statement::new(format!(
        "UPDATE keys SET version = version + 1{assignments} \
         WHERE id = ?1 AND account_id = ?2 AND revoked_at_ms IS NULL AND (0{differences})"
    ))
    .bind(key.as_str())
    .bind(account.as_str());
    let values = columns.into_iter().map(|column| column.value);
    commit([entry, values.fold(update, Statement::bind)])
}

/// A column of `keys` and what it is set to.
struct Column {
    name: String,
    value: Value,
    /// The same for the audit log.
    json: Json,
}

impl KeyEdit {
    fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        if let Some(name) = &self.name {
            columns.push(Column {
                name: "name".to_owned(),
                value: name.as_str().into(),
                json: json!(name),
            });
        }
        if let Some(expires_at_ms) = self.expires_at_ms {
            columns.push(Column {
                name: "expires_at_ms".to_owned(),
                value: expires_at_ms.into(),
                json: json!(expires_at_ms),
            });
        }
        columns.extend(self.limits.iter().map(|edit| Column {
            name: edit.column().to_owned(),
            value: edit.value(),
            json: edit.json(),
        }));
        columns.extend(self.budgets.iter().map(|(period, amount)| Column {
            name: format!("budget_{}_nanos", period.as_str()),
            value: amount.map(Nanos::get).into(),
            json: json!(amount.map(Nanos::get)),
        }));
        columns
    }
}
