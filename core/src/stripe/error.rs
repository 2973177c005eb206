//! Why Stripe did not do what it was asked. Stripe's own text is for the log at most: people read what
//! the pages say of each of these.

use serde::Deserialize;

/// What Stripe said, or did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StripeError {
    /// The card was not charged.
    Declined(Decline),
    /// The payment was given back in full before.
    AlreadyRefunded,
    /// The payment is disputed, so that it cannot be given back.
    Disputed,
    /// What the request is about does not exist.
    Missing,
    /// The request itself is wrong, which is a fault of Tollgate's: the parameter, if Stripe named one.
    Invalid {
        /// Such as `line_items[0][quantity]`.
        param: Option<String>,
        /// Such as `parameter_unknown`.
        code: Option<String>,
    },
    /// The same idempotency key came with another request, or is in use right now.
    Conflict,
    /// The credential is wrong or may not do this.
    Forbidden,
    /// Too many requests.
    Busy,
    /// Stripe failed.
    Unavailable,
    /// The answer is not as Stripe's reference says.
    Unreadable,
}

/// Why a card was not charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// Its bank wants its holder to be there.
    AuthenticationRequired,
    /// It has not enough money.
    InsufficientFunds,
    /// It is expired.
    Expired,
    /// Its bank, or Stripe, refuses it without a reason that helps.
    Refused,
}

impl StripeError {
    /// Whether the request had no effect, and will have none if it is sent again. Otherwise nobody
    /// knows, and the same request may be sent again with the same idempotency key.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Declined(_)
            | Self::AlreadyRefunded
            | Self::Disputed
            | Self::Missing
            | Self::Invalid { .. } => true,
            Self::Conflict
            | Self::Forbidden
            | Self::Busy
            | Self::Unavailable
            | Self::Unreadable => false,
        }
    }

    /// One word for the log and for an order that failed.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Declined(decline) => decline.word(),
            Self::AlreadyRefunded => "already_refunded",
            Self::Disputed => "disputed",
            Self::Missing => "missing",
            Self::Invalid { .. } => "invalid",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Decline {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::AuthenticationRequired,
        Self::InsufficientFunds,
        Self::Expired,
        Self::Refused,
    ];

    /// The word that the database keeps.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AuthenticationRequired => "authentication_required",
            Self::InsufficientFunds => "insufficient_funds",
            Self::Expired => "expired_card",
            Self::Refused => "card_declined",
        }
    }

    /// What Stripe's codes mean.
    #[must_use]
    pub fn of(code: Option<&str>, decline_code: Option<&str>) -> Self {
        let codes = [code, decline_code];
        let says = |word: &str| codes.contains(&Some(word));
        if says("authentication_required") {
            Self::AuthenticationRequired
        } else if says("insufficient_funds") {
            Self::InsufficientFunds
        } else if says("expired_card") {
            Self::Expired
        } else {
            Self::Refused
        }
    }
}

#[derive(Deserialize)]
struct WireAnswer {
    error: WireError,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(rename = "type")]
    kind: String,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
}

/// Reads an answer whose status is not 200.
pub(super) fn read_error(status: u16, body: &[u8]) -> StripeError {
    let error = serde_json::from_slice(body).ok();
    let Some(WireAnswer { error }) = error else {
        return match status {
            401 | 403 => StripeError::Forbidden,
            409 => StripeError::Conflict,
            429 => StripeError::Busy,
            500.. => StripeError::Unavailable,
            _ => StripeError::Unreadable,
        };
    };
    let code = error.code.as_deref();
    match (status, error.kind.as_str()) {
        (401 | 403, _) => StripeError::Forbidden,
        (429, _) => StripeError::Busy,
        (409, _) | (_, "idempotency_error") => StripeError::Conflict,
        (_, "card_error") => {
            StripeError::Declined(Decline::of(code, error.decline_code.as_deref()))
        }
        (_, "invalid_request_error") => match code {
            Some("charge_already_refunded") => StripeError::AlreadyRefunded,
            Some("charge_disputed") => StripeError::Disputed,
            Some("resource_missing") => StripeError::Missing,
            _ => StripeError::Invalid {
                param: error.param,
                code: error.code,
            },
        },
        (500.., _) | (_, "api_error") => StripeError::Unavailable,
        _ => StripeError::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_stripe_s_has_one_meaning() {
        let check = |status: u16, body: &str, expect: StripeError| {
            assert_eq!(
                read_error(status, body.as_bytes()),
                expect,
                "{status} {body}"
            );
        };
        let error = |kind: &str, rest: &str| {
            format!(r#"{{"error":{{"type":"{kind}","message":"secret"{rest}}}}}"#)
        };
        let declined = |decline| StripeError::Declined(decline);
        check(
            402,
            &error("card_error", r#","code":"authentication_required""#),
            declined(Decline::AuthenticationRequired),
        );
        check(
            402,
            &error(
                "card_error",
                r#","code":"card_declined","decline_code":"insufficient_funds""#,
            ),
            declined(Decline::InsufficientFunds),
        );
        check(
            402,
            &error("card_error", r#","code":"expired_card""#),
            declined(Decline::Expired),
        );
        check(402, &error("card_error", ""), declined(Decline::Refused));
        check(
            400,
            &error(
                "invalid_request_error",
                r#","code":"charge_already_refunded""#,
            ),
            StripeError::AlreadyRefunded,
        );
        check(
            400,
            &error("invalid_request_error", r#","code":"charge_disputed""#),
            StripeError::Disputed,
        );
        check(
            404,
            &error("invalid_request_error", r#","code":"resource_missing""#),
            StripeError::Missing,
        );
        check(
            400,
            &error(
                "invalid_request_error",
                r#","code":"parameter_unknown","param":"x[y]""#,
            ),
            StripeError::Invalid {
                param: Some("x[y]".to_owned()),
                code: Some("parameter_unknown".to_owned()),
            },
        );
        check(400, &error("idempotency_error", ""), StripeError::Conflict);
        check(409, "", StripeError::Conflict);
        check(
            401,
            &error("invalid_request_error", ""),
            StripeError::Forbidden,
        );
        check(403, "", StripeError::Forbidden);
        check(429, &error("invalid_request_error", ""), StripeError::Busy);
        check(500, &error("api_error", ""), StripeError::Unavailable);
        check(502, "<html>", StripeError::Unavailable);
        check(418, "", StripeError::Unreadable);
        check(400, &error("new_error", ""), StripeError::Unreadable);
    }

    #[test]
    fn only_a_certain_refusal_is_final() {
        for decline in Decline::ALL {
            assert!(StripeError::Declined(decline).is_final());
            assert_eq!(Decline::of(Some(decline.word()), None), decline);
        }
        assert!(StripeError::AlreadyRefunded.is_final());
        assert!(!StripeError::Unavailable.is_final());
        assert!(!StripeError::Unreadable.is_final());
        assert!(!StripeError::Forbidden.is_final());
    }
}
