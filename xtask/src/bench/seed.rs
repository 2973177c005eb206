//! Who calls in the benchmark: a customer of the operator and a customer of a reseller, with every
//! limit set and none that binds, and with credit that does not run out.

use tollgate_core::accounts::NewKey;
use tollgate_core::ids::AccountId;
use tollgate_core::key::ApiKey;
use tollgate_core::ledger::{EntryKind, LedgerEntry};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;

use crate::admin::Session;
use crate::catalogue;
use crate::demo;
use crate::failure::Failure;
use crate::random;
use crate::stack::Stack;

/// A limit that is tested in every call and binds none.
const NEVER_BINDS: Option<u64> = Some(1_000_000_000_000);

/// A million dollars in nanos.
const CREDIT: Nanos = Nanos::new(1_000_000_000_000_000);

/// Who calls.
pub struct Callers {
    /// A customer of the operator: a call charges one level.
    pub one_level: ApiKey,
    /// A customer of a reseller: a call charges two.
    pub two_levels: ApiKey,
}

/// Fills the stack's fresh database.
///
/// # Errors
/// When the database refuses something.
pub fn seed(stack: &Stack) -> Result<Callers, Failure> {
    let unusable = || Failure::new("the benchmark's database is not a fresh one");
    let simulated = catalogue::fetch(&format!("{}/api/v1/models", stack.simulator_url()))?;
    let demo = demo::seed(stack.database(), &[(&simulated, "simulator")])?.ok_or_else(unusable)?;
    let session = Session::of(stack.database(), "admin:bench".to_owned());
    let account = |id: &str| {
        let id = AccountId::parse(id).ok_or_else(unusable)?;
        grant(&session, &id)?;
        Ok::<_, Failure>(id)
    };
    account(&demo.reseller_id)?;
    Ok(Callers {
        one_level: key(&session, &account(&demo.account_id)?)?,
        two_levels: key(&session, &account(&demo.reseller_customer_id)?)?,
    })
}

fn grant(session: &Session<'_>, account: &AccountId) -> Result<(), Failure> {
    let entry = LedgerEntry {
        account: account.clone(),
        kind: EntryKind::Grant,
        amount: CREDIT,
        reference: format!("grant:{}", random::reference()?),
        reason: "benchmark".to_owned(),
    };
    let post = entry.to_batch(&session.change(account));
    session.database.execute(&post.batch).map(drop)
}

fn key(session: &Session<'_>, account: &AccountId) -> Result<ApiKey, Failure> {
    let key = NewKey {
        id: random::key_id()?,
        account: account.clone(),
        key: random::api_key()?,
        name: "bench".to_owned(),
        expires_at_ms: None,
        limits: Limits {
            requests_per_minute: NEVER_BINDS,
            requests_per_hour: NEVER_BINDS,
            requests_per_day: NEVER_BINDS,
            tokens_per_minute: NEVER_BINDS,
            parallel_calls: NEVER_BINDS,
            max_tokens: NEVER_BINDS,
            default_max_tokens: None,
            allowed_models: None,
        },
    };
    session.commit(&key.to_batch(&session.change(account)))?;
    Ok(key.key)
}
