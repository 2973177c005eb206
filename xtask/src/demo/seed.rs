//! Fills a fresh database with the demo's accounts, prices, credit and keys. Nothing else is created
//! without a person's command.

use tollgate_core::accounts::{AccountKind, NewAccount, NewKey, NewRule, revoke_key};
use tollgate_core::ids::AccountId;
use tollgate_core::ledger::{EntryKind, LedgerEntry, Posted};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;
use tollgate_core::people::{EmailAddress, NewPerson};

use super::{Demo, DemoPerson};
use crate::admin::Session;
use crate::catalogue::{self, SEED, SEED_SOURCE};
use crate::database::{Database, readable};
use crate::failure::Failure;
use crate::random;

const USD: i64 = 1_000_000_000;

/// The simulator bills $0.01 for a call of this model, and nothing for tokens. With a markup of
/// 900 % a call is charged $0.10, so that the credit of `low_balance_key` is for exactly ten.
pub(super) const PER_REQUEST_MODEL: &str = "sim/per-request";
const PER_REQUEST_MARKUP_BPS: i64 = 90_000;

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
        end_user: person(&session, &below, "user@demo.test")?,
        reseller: person(&session, &reseller, "reseller@demo.test")?,
        operator: person(&session, &operator, "operator@demo.test")?,
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

fn person(session: &Session<'_>, account: &AccountId, email: &str) -> Result<DemoPerson, Failure> {
    let address = EmailAddress::parse(email)
        .ok_or_else(|| Failure::new(format!("`{email}` is no e-mail address")))?;
    let person = NewPerson {
        id: random::person_id()?,
        account: account.clone(),
        email: address,
    };
    session.commit(&person.to_batch(&session.change(account)))?;
    Ok(DemoPerson {
        person_id: person.id.to_string(),
        email: email.to_owned(),
        sign_in_url: String::new(),
    })
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
        refused => Err(Failure::new(format!(
            "the database refused the demo credit of `{account}`: {refused:?}"
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
