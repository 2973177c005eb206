//! What is done with a stored credential: asking the provider whether it knows it, and encrypting it under
//! the newest key. It is in the clear only in here.

use tollgate_core::audit::Changed;
use tollgate_core::hrana::Batch;
use tollgate_core::ids::ProviderAccountId;
use tollgate_core::providers::{
    Credential, Replacement, StoredAccount, TestResult, operators_account_statement,
    read_stored_account, record_test,
};
use worker::Method;

use super::{done, sealing_keys};
use crate::answer::Answer;
use crate::change::make;
use crate::fault::{Fault, Outcome};
use crate::outbound::{Outbound, send};
use crate::place::Operator;
use crate::visit::Visit;
use tollgate_edge::clock::random_bytes;

async fn stored(visit: &Visit, operator: &Operator) -> Outcome<StoredAccount> {
    let id = visit.id(ProviderAccountId::parse)?;
    let mut batch = Batch::new();
    let step = batch.step(None, operators_account_statement(operator.account(), &id));
    let reply = visit.execute(&batch).await?;
    let row = reply.rows_of(step)?.first().ok_or(Fault::NotFound)?;
    Ok(read_stored_account(row)?)
}

fn open(visit: &Visit, account: &StoredAccount) -> Outcome<Credential> {
    Credential::open(&sealing_keys(visit)?, &account.id, &account.sealed.bytes)
        .ok_or(Fault::Bug("no sealing key opens a provider account"))
}

/// `POST /provider-accounts/{id}/test`: asks the provider for its record of the key, which costs nothing.
pub async fn test(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let account = stored(visit, operator).await?;
    let credential = open(visit, &account)?;
    let asked = send(Outbound {
        service: "OpenRouter",
        method: Method::Get,
        url: format!("{}/key", visit.config.openrouter_base_url),
        headers: &[("authorization", format!("Bearer {}", credential.expose()))],
        body: None,
    })
    .await;
    let result = asked.map_or(TestResult::Unreachable, |inbound| {
        TestResult::of_status(inbound.status)
    });
    let change = operator.change(visit);
    let batch = record_test(operator.account(), (&account.id, result), &change);
    done(make(visit, &batch).await?, "tested")
}

/// `POST /provider-accounts/{id}/reseal`: encrypts the same credential under the newest key.
pub async fn reseal(visit: &Visit, operator: &Operator) -> Outcome<Answer> {
    let account = stored(visit, operator).await?;
    let keys = sealing_keys(visit)?;
    // A second click finds that it is done.
    if account.sealed.key == keys.current() {
        return done(Changed::Refused, "saved");
    }
    let credential = open(visit, &account)?;
    let sealed = credential
        .seal(&keys, &account.id, random_bytes()?)
        .ok_or(Fault::Bug("a credential could not be sealed"))?;
    let replacement = Replacement {
        old: &account.sealed,
        new: &sealed,
        hint: None,
    };
    let change = operator.change(visit);
    let batch = replacement.to_batch(operator.account(), &account.id, &change);
    done(make(visit, &batch).await?, "saved")
}
