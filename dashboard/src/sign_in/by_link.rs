//! Signing in with a one-time link, which only somebody who can write to the database can make.

use tollgate_core::sign_in::{Token, UseLink};

use super::{arrived, new_session};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::place::Place;
use crate::visit::Visit;

/// `GET /sign-in/link/{token}`: lets the person in. Whatever looks at a link before a person opens it uses
/// nothing up.
pub async fn use_link(visit: &Visit, place: &Place) -> Outcome<Answer> {
    let token = Token::parse(visit.param("token")).ok_or(Fault::NotFound)?;
    if visit.asked.is_head {
        return Ok(Answer::empty(200));
    }
    if visit.header("sec-purpose").contains("prefetch") {
        // The browser throws a failure away, and asks again when the person goes there.
        return Ok(Answer::empty(503));
    }
    let used = UseLink {
        seller: place.site.seller.clone(),
        token,
        session: new_session(visit)?,
        now_ms: visit.now_ms,
    };
    let batch = used.to_batch();
    let sign_in = batch.read(&visit.execute(&batch.batch).await?)?;
    arrived(visit, place, &used.session, sign_in)
}
