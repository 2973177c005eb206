//! The cards of the hosted page and what they do, after Stripe's test cards. Numbers are never sent.

use serde_json::{Value, json};

/// What happens when a saved card is charged while its owner is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// It is charged.
    Charged,
    /// The bank wants its owner to authenticate.
    NeedsOwner,
    /// The bank declines.
    Declined,
}

/// One card.
#[derive(Debug)]
pub struct Card {
    /// What the form of the page sends: the digits of Stripe's test card.
    pub name: &'static str,
    /// What the page calls it.
    pub about: &'static str,
    /// `visa`, `mastercard`
    pub brand: &'static str,
    /// The same for the same card number, in all customers.
    pub fingerprint: &'static str,
    /// Stripe's decline code when it is declined while its owner is there.
    pub declined: Option<&'static str>,
    /// What an off-session charge does.
    pub later: Later,
    /// Whether refunds to it stay pending until told otherwise.
    pub refunds_pending: bool,
}

impl Card {
    /// The last four digits.
    #[must_use]
    pub fn last4(&self) -> &'static str {
        self.name.get(12..).unwrap_or_default()
    }

    /// What a payment method says of it.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "brand": self.brand,
            "checks": {
                "address_line1_check": null, "address_postal_code_check": "pass",
                "cvc_check": "pass",
            },
            "country": "US",
            "display_brand": self.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": self.fingerprint,
            "funding": "credit",
            "generated_from": null,
            "last4": self.last4(),
            "networks": {"available": [self.brand], "preferred": null},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": true},
            "wallet": null,
        })
    }

    /// What a charge says of it.
    #[must_use]
    pub fn charged(&self, amount: i64) -> Value {
        json!({
            "amount_authorized": amount,
            "authorization_code": "123456",
            "brand": self.brand,
            "checks": {
                "address_line1_check": null, "address_postal_code_check": "pass",
                "cvc_check": "pass",
            },
            "country": "US",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": self.fingerprint,
            "electronic_commerce_indicator": null,
            "funding": "credit",
            "installments": null,
            "last4": self.last4(),
            "mandate": null,
            "network": self.brand,
            "network_transaction_id": null,
            "regulated_status": "unregulated",
            "three_d_secure": null,
            "transaction_link_id": null,
            "wallet": null,
        })
    }
}

const PLAIN: Card = Card {
    name: "4242424242424242",
    about: "Visa 4242: pays",
    brand: "visa",
    fingerprint: "SimPrintVisa4242",
    declined: None,
    later: Later::Charged,
    refunds_pending: false,
};

/// All cards; the first is chosen unless another is.
pub static CARDS: &[Card] = &[
    PLAIN,
    Card {
        name: "5555555555554444",
        about: "Mastercard 4444: pays, another fingerprint",
        brand: "mastercard",
        fingerprint: "SimPrintMast4444",
        ..PLAIN
    },
    Card {
        name: "4000002760003184",
        about: "Visa 3184: pays now, needs its owner when charged later",
        fingerprint: "SimPrintVisa3184",
        later: Later::NeedsOwner,
        ..PLAIN
    },
    Card {
        name: "4000000000000341",
        about: "Visa 0341: pays now, is declined when charged later",
        fingerprint: "SimPrintVisa0341",
        later: Later::Declined,
        ..PLAIN
    },
    Card {
        name: "4000000000000002",
        about: "Visa 0002: is declined",
        fingerprint: "SimPrintVisa0002",
        declined: Some("generic_decline"),
        ..PLAIN
    },
    Card {
        name: "4000000000009995",
        about: "Visa 9995: is declined, insufficient funds",
        fingerprint: "SimPrintVisa9995",
        declined: Some("insufficient_funds"),
        ..PLAIN
    },
    Card {
        name: "4000000000007726",
        about: "Visa 7726: pays, refunds stay pending",
        fingerprint: "SimPrintVisa7726",
        refunds_pending: true,
        ..PLAIN
    },
];

/// The card of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Card> {
    CARDS.iter().find(|card| card.name == name)
}
