//! How people get into the demo's pages: each seller's host, and a one-time link for each person. Both
//! name the ports of this start.

use tollgate_core::brand::NewDomain;
use tollgate_core::ids::{AccountId, PersonId};
use tollgate_core::sign_in::NewLink;

use super::{Demo, DemoPerson};
use crate::admin::Session;
use crate::failure::Failure;
use crate::random;
use crate::stack::Stack;

/// How long a link may be used, in milliseconds.
const LINK_MS: i64 = 24 * 3_600_000;

/// Gives the operator and the reseller their hosts on this machine, and everybody a link.
pub fn open_doors(stack: &Stack, demo: &mut Demo) -> Result<(), Failure> {
    let session = Session::of(stack.database(), "admin:demo".to_owned());
    let (own, reseller) = (stack.dashboard_url(), stack.reseller_url());
    host(&session, &demo.operator_id, &own)?;
    host(&session, &demo.reseller_id, &reseller)?;
    link(&session, &demo.operator_id, &own, &mut demo.operator)?;
    // A reseller is a customer of the operator's, and signs in where the operator's customers do.
    link(&session, &demo.reseller_id, &own, &mut demo.reseller)?;
    link(
        &session,
        &demo.reseller_customer_id,
        &reseller,
        &mut demo.end_user,
    )
}

fn host(session: &Session<'_>, account: &str, origin: &str) -> Result<(), Failure> {
    let domain = NewDomain {
        host: origin.trim_start_matches("http://").to_owned(),
        account: account_id(account)?,
        origin: origin.to_owned(),
    };
    // Refused when it is there already, from an earlier start on the same ports.
    let change = session.change(&domain.account);
    session.database.commit(&domain.to_batch(&change)).map(drop)
}

fn link(
    session: &Session<'_>,
    account: &str,
    origin: &str,
    person: &mut DemoPerson,
) -> Result<(), Failure> {
    let link = NewLink {
        person: PersonId::parse(&person.person_id)
            .ok_or_else(|| Failure::new("the demo's people have no ids"))?,
        token: random::token()?,
        expires_at_ms: session.now_ms.saturating_add(LINK_MS),
    };
    session.commit(&link.to_batch(&session.change(&account_id(account)?)))?;
    person.sign_in_url = format!("{origin}/sign-in/link/{}", link.token.reveal());
    Ok(())
}

fn account_id(text: &str) -> Result<AccountId, Failure> {
    AccountId::parse(text).ok_or_else(|| Failure::new("the demo's accounts have no ids"))
}
