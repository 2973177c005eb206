//! The demo: an operator, a reseller and a customer of each, with prices, credit and keys, so that a
//! fresh local stack answers its first call. Nothing else is created without a person's command.

use serde::{Deserialize, Serialize};
use tollgate_core::accounts::{AccountKind, NewAccount, NewKey, NewRule, revoke_key};
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;

use crate::admin::Session;
use crate::catalogue::{self, SEED, SEED_SOURCE};
use crate::database::{Database, readable};
use crate::failure::Failure;
use crate::random;

const USD: i64 = 1_000_000_000;

/// The simulator bills $0.01 for a call of this model, and nothing for tokens. With a markup of
/// 900 % a call is charged $0.10, so that the credit of `low_balance_key` is for exactly ten.
const PER_REQUEST_MODEL: &str = "sim/per-request";
const PER_REQUEST_MARKUP_BPS: i64 = 90_000;

/// Who lives in the demo. The keys are secrets, and are shown nowhere else.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
pub struct Demo {
    /// The key of a customer of the operator, with $100.
    pub key: String,
    /// That customer.
    pub account_id: String,
    /// The key of a customer of the operator, with $1.00 and no limits.
    pub low_balance_key: String,
    /// A key of the first customer that was revoked.
    pub revoked_key: String,
    /// The reseller, with a wholesale wallet of $1,000.
    pub reseller_id: String,
    /// The key of a customer of the reseller, with $50.
    pub reseller_customer_key: String,
    /// That customer.
    pub reseller_customer_id: String,
    /// The operator.
    pub operator_id: String,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo")
            .field("operator_id", &self.operator_id)
            .finish_non_exhaustive()
    }
}

impl Demo {
    /// What a person needs to know to use it, in lines; the keys are in it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self {
            key,
            account_id,
            low_balance_key,
            revoked_key,
            reseller_id,
            reseller_customer_key,
            reseller_customer_id,
            operator_id,
        } = self;
        format!(
            "\
operator             {operator_id}
                     charges its cost and 20 %
customer             {account_id}, with $100
  key                {key}
  revoked key        {revoked_key}
another customer     with $1.00: exactly ten calls of `{PER_REQUEST_MODEL}`, which costs $0.01
                     and is charged $0.10, since its rule adds 900 %
  low balance key    {low_balance_key}
reseller             {reseller_id}, with $1,000
                     charges its cost and 25 %
reseller's customer  {reseller_customer_id}, with $50
  key                {reseller_customer_key}
"
        )
    }
}

/// Fills a migrated database: the seed's models and those of `models` (documents in the shape of
/// OpenRouter's `GET /models`, each with where it is from), then the accounts. `None`, and nothing
/// changed, when there is an operator already.
///
/// # Errors
/// When the database refuses something. What came before stays, so that the state must be made
/// anew.
pub fn seed(database: &Database, models: &[(&[u8], &str)]) -> Result<Option<Demo>, Failure> {
    let session = Session::of(database, "admin:demo".to_owned());
    if session.find_operator()?.is_some() {
        return Ok(None);
    }
    let operator = account(&session, AccountKind::Operator, None, "Demo operator")?;
    for (document, source) in [(SEED, SEED_SOURCE)].iter().chain(models) {
        catalogue::import(&session, document, source)?;
    }
    rule(&session, &operator, "*", 2_000)?;
    rule(
        &session,
        &operator,
        PER_REQUEST_MODEL,
        PER_REQUEST_MARKUP_BPS,
    )?;

    let reseller = account(
        &session,
        AccountKind::Reseller,
        Some(&operator),
        "Demo reseller",
    )?;
    grant(&session, &reseller, 1_000 * USD)?;
    rule(&session, &reseller, "*", 2_500)?;

    let customer = |parent: &AccountId, name: &str, credit: i64| {
        let id = account(&session, AccountKind::Customer, Some(parent), name)?;
        grant(&session, &id, credit)?;
        Ok::<_, Failure>(id)
    };
    let rich = customer(&operator, "Demo customer", 100 * USD)?;
    let poor = customer(&operator, "Demo customer with one dollar", USD)?;
    let below = customer(&reseller, "Demo customer of the reseller", 50 * USD)?;
    Ok(Some(Demo {
        key: key(&session, &rich, "demo")?.key.reveal().to_owned(),
        low_balance_key: key(&session, &poor, "low balance")?.key.reveal().to_owned(),
        revoked_key: revoked(&session, &rich)?,
        reseller_customer_key: key(&session, &below, "demo")?.key.reveal().to_owned(),
        account_id: rich.to_string(),
        reseller_id: reseller.to_string(),
        reseller_customer_id: below.to_string(),
        operator_id: operator.to_string(),
    }))
}

fn account(
    session: &Session<'_>,
    kind: AccountKind,
    parent: Option<&AccountId>,
    name: &str,
) -> Result<AccountId, Failure> {
    let account = NewAccount {
        id: random::account_id()?,
        kind,
        parent: parent.cloned(),
        name: name.to_owned(),
        limits: Limits::default(),
    };
    session.commit(&account.to_batch(&session.change(&account.id)))?;
    Ok(account.id)
}

fn rule(
    session: &Session<'_>,
    owner: &AccountId,
    pattern: &str,
    markup_bps: i64,
) -> Result<(), Failure> {
    let rule = NewRule {
        id: random::rule_id()?,
        account: owner.clone(),
        pattern: pattern.to_owned(),
        markup_bps,
        min_charge: Nanos::ZERO,
        priority: 0,
        starts_at_ms: session.now_ms,
    };
    session.commit(&rule.to_batch(&session.change(owner)))
}

fn grant(session: &Session<'_>, account: &AccountId, nanos: i64) -> Result<(), Failure> {
    let entry = LedgerEntry {
        account: account.clone(),
        kind: EntryKind::Grant,
        amount: Nanos::new(nanos),
        reference: format!("grant:{}", random::reference()?),
        reason: "demo credit".to_owned(),
    };
    let post = entry.to_batch(&session.change(account));
    match readable(post.read(&session.database.execute(&post.batch)?))? {
        Posted::Now | Posted::Before => Ok(()),
        Posted::ReferenceTaken | Posted::Impossible => Err(Failure::new(format!(
            "the database refused the demo credit of `{account}`"
        ))
        .hint("start over with a new state")),
    }
}

fn key(session: &Session<'_>, account: &AccountId, name: &str) -> Result<NewKey, Failure> {
    let key = NewKey {
        id: random::key_id()?,
        account: account.clone(),
        key: random::api_key()?,
        name: name.to_owned(),
        expires_at_ms: None,
        limits: Limits::default(),
    };
    session.commit(&key.to_batch(&session.change(account)))?;
    Ok(key)
}

fn revoked(session: &Session<'_>, account: &AccountId) -> Result<String, Failure> {
    let key = key(session, account, "revoked")?;
    session.commit(&revoke_key(account, &key.id, &session.change(account)))?;
    Ok(key.key.reveal().to_owned())
}
