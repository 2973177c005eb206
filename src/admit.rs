//! Prices a call and takes its hold. Warm, this is one round trip.

use std::rc::Rc;

use tollgate_core::admission::{
    Admission, Ask, Help, Refusal, Snapshot, rate_limit_headers, wallet_headers,
};
use tollgate_core::alarm::alarm_of_refusal;
use tollgate_core::call::{Call, Identity, Wanted, price_call};
use tollgate_core::error::{ApiError, ErrorCode};
use tollgate_core::ids::RequestId;
use tollgate_core::key::KeyHash;
use tollgate_core::money::Nanos;
use tollgate_edge::clock::{now_ms, sleep_ms};

use crate::alarm;
use crate::credentials::ProviderAccount;
use crate::facts::{self, Facts};
use crate::gateway::Gateway;
use crate::log;
use crate::respond::{Extra, Refused};
use crate::settle::void_in_doubt;

/// How often a call is priced or asked again before the gateway gives up.
const MAX_ATTEMPTS: u32 = 8;

/// How long before its admission a request's id may be drawn, in milliseconds.
const OLDEST_ID_MS: i64 = 10_000;

/// A call whose hold is committed.
#[derive(Debug)]
pub struct Admitted {
    /// The call's id, told in `x-request-id`.
    pub request: RequestId,
    /// The call.
    pub call: Call,
    /// What was asked.
    pub ask: Ask,
    /// The key and its accounts just before.
    pub snapshot: Snapshot,
    /// Through which of the operator's accounts it goes.
    pub account: Rc<ProviderAccount>,
}

impl Admitted {
    /// How the key's rate limits and the account's wallet stand with this call.
    pub fn headers(&self) -> Extra {
        let mut headers = rate_limit_headers(&self.snapshot.key, Some(&self.ask), self.ask.now_ms);
        headers.extend(wallet_headers(&self.snapshot, self.ask.own_hold()));
        headers
    }
}

/// Takes the hold, or says why not; then nothing is held.
pub async fn admit(
    gateway: &Rc<Gateway>,
    hash: KeyHash,
    wanted: Wanted,
) -> Result<Admitted, Refused> {
    let begun_ms = now_ms();
    // The sweep relies on an id that is hardly older than its hold; a body may take its time.
    if begun_ms - gateway.started_ms > OLDEST_ID_MS {
        gateway
            .draw_request_id()
            .map_err(|_| ApiError::new(ErrorCode::Internal))?;
    }
    let result = try_admit(gateway, hash, wanted).await;
    gateway.timings.admission_ms.set(Some(now_ms() - begun_ms));
    result
}

async fn try_admit(
    gateway: &Rc<Gateway>,
    hash: KeyHash,
    wanted: Wanted,
) -> Result<Admitted, Refused> {
    let mut identity = Identity {
        request: gateway.request(),
        nonce: gateway.nonce,
        key_hash: hash,
        provider_account: None,
        lease_until_ms: now_ms() + gateway.config.lease_ms,
    };
    let mut known = match facts::remembered(&hash, &wanted.model) {
        Some(known) => known,
        None => facts::read(gateway, &hash, &wanted.model).await?,
    };
    let mut gave_up = ErrorCode::PricesChanged;
    // An attempt under the present id that nobody answered.
    let mut in_doubt: Option<Ask> = None;
    for attempt in 0..MAX_ATTEMPTS {
        let call = match price_call(wanted.clone(), &known.caller, &known.model, now_ms()) {
            Ok(call) => call,
            // What is remembered may only make a call dearer to ask for, never refuse it.
            Err(_) if known.remembered => {
                known = facts::read(gateway, &hash, &wanted.model).await?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        identity.provider_account = known.account.id.clone();
        let ask = call.ask(&identity);
        let (admission, unanswered) = execute(gateway, &ask).await;
        if unanswered {
            in_doubt = Some(ask.clone());
        }
        // Another try under the same id finds the hold that this one may have taken; what else is
        // answered, or is tried under other prices, gives it back.
        let same_again = matches!(
            admission,
            Some(Admission::Admitted(_) | Admission::Contended)
        );
        if !same_again && let Some(ask) = in_doubt.take() {
            give_back_in_doubt(gateway, ask, &known.caller.snapshot);
            draw_id(gateway, &mut identity)?;
        }
        match admission {
            Some(Admission::Admitted(snapshot)) => {
                facts::refresh(&hash, snapshot.clone());
                return Ok(Admitted {
                    request: identity.request,
                    call,
                    ask,
                    snapshot,
                    account: known.account,
                });
            }
            Some(Admission::Refused(refusal, snapshot)) => {
                if is_worth_pricing_again(&refusal, &known, &wanted) {
                    known = facts::read(gateway, &hash, &wanted.model).await?;
                    continue;
                }
                return Err(explain(gateway, &refusal, &snapshot, &call));
            }
            Some(Admission::Reprice(_)) => {
                known = facts::read(gateway, &hash, &wanted.model).await?;
            }
            Some(Admission::UnknownKey) => return Err(ErrorCode::InvalidApiKey.into()),
            Some(Admission::IdTaken) => draw_id(gateway, &mut identity)?,
            Some(Admission::Contended) => {
                gave_up = ErrorCode::DatabaseUnavailable;
                sleep_ms(5 << attempt).await;
            }
            None => return Err(ErrorCode::DatabaseUnavailable.into()),
        }
    }
    if let Some(ask) = in_doubt {
        give_back_in_doubt(gateway, ask, &known.caller.snapshot);
    }
    Err(gave_up.into())
}

fn draw_id(gateway: &Gateway, identity: &mut Identity) -> Result<(), ApiError> {
    gateway
        .draw_request_id()
        .map_err(|_| ApiError::new(ErrorCode::Internal))?;
    identity.request = gateway.request();
    Ok(())
}

/// The hold of this attempt may be committed or still on its way, but the call is not sent under its
/// id.
fn give_back_in_doubt(gateway: &Rc<Gateway>, ask: Ask, snapshot: &Snapshot) {
    let (gateway, snapshot) = (gateway.clone(), snapshot.clone());
    gateway.clone().run_beyond_response(async move {
        void_in_doubt(&gateway, &ask, &snapshot).await;
    });
}

/// Sends the same batch until a reply says what happened; `None`: none of the replies does. Besides,
/// whether a try went unanswered that may still commit.
async fn execute(gateway: &Gateway, ask: &Ask) -> (Option<Admission>, bool) {
    const TRIES: u32 = 2;
    let admit = ask.to_batch();
    let mut in_doubt = false;
    for attempt in 0..TRIES {
        let read = match gateway.database.execute(&admit.batch).await {
            Ok(reply) => admit.read(ask, &reply).map_err(Into::into),
            Err(fault) => Err(fault),
        };
        match read {
            Ok(admission) => return (Some(admission), in_doubt),
            Err(fault) => log::fault(gateway, "admit", &fault),
        }
        in_doubt = true;
        sleep_ms(50 << attempt).await;
    }
    (None, in_doubt)
}

/// A default `max_tokens` that was chosen by an older balance may be too high for the present one.
fn is_worth_pricing_again(refusal: &Refusal, known: &Facts, wanted: &Wanted) -> bool {
    let for_credit = matches!(
        refusal,
        Refusal::InsufficientCredits { .. }
            | Refusal::KeyBudgetExceeded(_)
            | Refusal::SpendLimitExceeded(_)
    );
    for_credit && known.remembered && wanted.max_tokens.is_none()
}

fn explain(gateway: &Gateway, refusal: &Refusal, snapshot: &Snapshot, call: &Call) -> Refused {
    if let Some(alarm) = alarm_of_refusal(refusal, snapshot, call.prices.at_ms) {
        alarm::raise_beyond_response(gateway, alarm);
    }
    let lacks_money = matches!(
        refusal,
        Refusal::InsufficientCredits { .. }
            | Refusal::KeyBudgetExceeded(_)
            | Refusal::SpendLimitExceeded(_)
    );
    let help = Help {
        affordable_max_tokens: lacks_money.then(|| call.affordable_max_tokens(snapshot)),
        top_up_url: gateway.config.top_up_url.as_deref(),
    };
    let mut headers = rate_limit_headers(&snapshot.key, None, call.prices.at_ms);
    headers.extend(wallet_headers(snapshot, Nanos::ZERO));
    Refused {
        error: Box::new(refusal.to_error(help)),
        headers,
        logged: false,
    }
}
