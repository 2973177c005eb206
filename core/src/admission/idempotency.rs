//! `Idempotency-Key`: the first call with a key takes it, in the transaction that takes the hold. A
//! later call of the same account with the same key and body is told what became of the first one
//! instead of being billed again. A first call that was not billed gives its key back.

use sha2::{Digest, Sha256};

use super::decide::Refusal;
use crate::error::{ApiError, ErrorCode};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::RequestId;
use crate::key::KeyHash;
use crate::money::Nanos;

/// How long a key is kept, in milliseconds.
pub const IDEMPOTENCY_MS: i64 = 86_400_000;

/// The longest key, as at Stripe.
const MAX_LENGTH: usize = 255;

/// What the header says, and of which body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    key: String,
    fingerprint: [u8; 32],
}

/// An earlier call with the same `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstCall {
    /// The call.
    pub request: RequestId,
    /// Whether it had the same body.
    pub same_body: bool,
    /// `held`, `settled` or `voided`.
    pub state: String,
    /// What it was charged; `None` while it runs.
    pub charge: Option<Nanos>,
}

impl Idempotency {
    /// Reads the header of a request with this body.
    pub fn parse(header: &str, body: &[u8]) -> Result<Self, ApiError> {
        let readable = header.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        if header.is_empty() || header.len() > MAX_LENGTH || !readable {
            return Err(ErrorCode::InvalidIdempotencyKey.into());
        }
        Ok(Self {
            key: header.to_owned(),
            fingerprint: Sha256::digest(body).into(),
        })
    }

    /// Takes the key for a call; nothing changes when another call has it.
    pub(super) fn take(&self, caller: &KeyHash, (request, now_ms): (RequestId, i64)) -> Statement {
        let blocks = blocks_sql("idempotency_keys", ["?6", "?3"]);
        Statement::new(format!(
            "INSERT INTO idempotency_keys (account_id, idempotency_key, fingerprint, request_id, \
             created_at_ms) SELECT k.account_id, ?2, ?3, ?4, ?5 FROM keys k WHERE k.hash = ?1 \
             ON CONFLICT (account_id, idempotency_key) DO UPDATE SET \
             fingerprint = excluded.fingerprint, request_id = excluded.request_id, \
             created_at_ms = excluded.created_at_ms WHERE NOT ({blocks})"
        ))
        .bind(&caller.0[..])
        .bind(self.key.as_str())
        .bind(&self.fingerprint[..])
        .bind(request.get())
        .bind(now_ms)
        .bind(now_ms.saturating_sub(IDEMPOTENCY_MS))
    }

    /// Reads the call that has the key, if it keeps this one from running.
    pub(super) fn first_call(&self, caller: &KeyHash, now_ms: i64) -> Statement {
        let blocks = blocks_sql("i", ["?4", "?3"]);
        Statement::new(format!(
            "SELECT i.request_id, i.fingerprint = ?3, r.state, json_extract(r.levels, '$[0].charge') \
             FROM keys k JOIN idempotency_keys i ON i.account_id = k.account_id \
             LEFT JOIN requests r ON r.id = i.request_id AND r.account_id = i.account_id \
             WHERE k.hash = ?1 AND i.idempotency_key = ?2 AND {blocks}"
        ))
        .bind(&caller.0[..])
        .bind(self.key.as_str())
        .bind(&self.fingerprint[..])
        .bind(now_ms.saturating_sub(IDEMPOTENCY_MS))
    }
}

/// SQL that is true when a row keeps a call with this fingerprint from running: it is not too old,
/// and its call was billed or may still be.
fn blocks_sql(row: &str, [kept_since, fingerprint]: [&str; 2]) -> String {
    format!(
        "{row}.created_at_ms > {kept_since} AND NOT ({row}.fingerprint = {fingerprint} AND EXISTS \
         (SELECT 1 FROM requests v WHERE v.id = {row}.request_id AND v.state = 'voided'))"
    )
}

impl FirstCall {
    /// Reads the row of `Idempotency::first_call`.
    pub(super) fn read(row: &Row) -> Result<Self, HranaFault> {
        Ok(Self {
            request: RequestId::from_stored(row.get(0)?),
            same_body: row.get(1)?,
            state: row
                .get::<Option<String>>(2)?
                .unwrap_or_else(|| "settled".to_owned()),
            charge: row.get::<Option<i64>>(3)?.map(Nanos::new),
        })
    }

    /// Why the later call is refused.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        if self.same_body {
            Refusal::DuplicateRequest(self)
        } else {
            Refusal::IdempotencyKeyReused(self.request)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_up_to_255_visible_characters() {
        let check = |header: &str, expect: bool| {
            assert_eq!(
                Idempotency::parse(header, b"{}").is_ok(),
                expect,
                "{header}"
            );
        };
        check("a", true);
        check("6f1c2a9e-7b0d-4c8e-9a55-3f6d2b1e0c47", true);
        check(&"x".repeat(255), true);
        check(&"x".repeat(256), false);
        check("", false);
        check("two words", false);
        check("schlüssel", false);
        check("tab\t", false);
    }

    #[test]
    fn another_body_has_another_fingerprint() {
        let of = |body: &[u8]| Idempotency::parse("k", body).unwrap();
        assert_eq!(of(b"{}"), of(b"{}"));
        assert_ne!(of(b"{}"), of(b"{ }"));
    }
}
