//! How the states of orders and refunds, the reasons of refusals and the lines of a statement are called.

use maud::Markup;
use tollgate_core::orders::{
    ChoiceRefused, Order, OrderRefusal, OrderState, RefundRefusal, RefundState, TopUpRefusal,
};
use tollgate_core::stripe::Cents;

use crate::language::Language;
use crate::page::{Kind, badge};

/// Where an order is, in a word or two.
pub fn order_badge(language: Language, order: &Order) -> Markup {
    let (kind, text) = match order.state {
        OrderState::New => (Kind::Info, language.tr("Not begun")),
        OrderState::Open => (Kind::Info, language.tr("Not paid yet")),
        OrderState::Pending => (Kind::Info, language.tr("On its way")),
        OrderState::Paid if order.refunded == Cents::ZERO => (Kind::Success, language.tr("Paid")),
        OrderState::Paid if order.refunded < order.price => {
            (Kind::Success, language.tr("Partly refunded"))
        }
        OrderState::Paid => (Kind::Neutral, language.tr("Refunded")),
        OrderState::Failed => (Kind::Danger, language.tr("Failed")),
        OrderState::Expired => (Kind::Neutral, language.tr("Canceled")),
        OrderState::Refused => (Kind::Warning, language.tr("Sent back")),
    };
    badge(kind, text)
}

/// Where a refund is.
pub fn refund_badge(language: Language, state: RefundState) -> Markup {
    let (kind, text) = match state {
        RefundState::Asked | RefundState::Pending => (Kind::Info, language.tr("On its way")),
        RefundState::Succeeded => (Kind::Success, language.tr("Sent")),
        RefundState::Failed => (Kind::Danger, language.tr("Failed")),
    };
    badge(kind, text)
}

/// Why a payment did not come about, by the word that the database keeps.
pub fn failure(language: Language, word: &str) -> &'static str {
    match word {
        "authentication_required" => language.tr(
            "The card's bank wants you to confirm the payment yourself. Buy the credit on the billing page.",
        ),
        "insufficient_funds" => {
            language.tr("There is not enough money on the card. Try another one.")
        }
        "expired_card" => language.tr("The card has expired. Use another one."),
        "card_declined" => {
            language.tr("The card's bank refused the payment. Try another card, or ask the bank.")
        }
        "card_cap" => language.tr(
            "This card has reached what it may pay in a day. The whole amount goes back to it.",
        ),
        "canceled" => language.tr("The payment was canceled. Nothing was charged."),
        "missing" => {
            language.tr("The saved card is no longer there. Save one on the billing page.")
        }
        "card_removed" => language.tr("The saved card was removed."),
        "refund" => language.tr("A payment was sent back, so that it is not charged again at once."),
        "unknown" => language.tr(
            "Stripe did not tell in a day what became of the payment. If it was charged, the credit still comes by itself.",
        ),
        _ => language.tr("The payment failed. Nothing was charged; try again."),
    }
}

/// Why an order is not taken.
pub fn order_refusal(language: Language, refusal: OrderRefusal) -> String {
    match refusal {
        OrderRefusal::NoAccount => language
            .tr("This account cannot buy credit.")
            .to_owned(),
        OrderRefusal::Suspended => language
            .tr("This account is suspended, so it cannot buy credit. Ask the support.")
            .to_owned(),
        OrderRefusal::PackGone => language
            .tr("This pack is no longer offered. Choose another one.")
            .to_owned(),
        OrderRefusal::Unprofitable => language
            .tr("This amount is too small to be sold. Choose a larger one.")
            .to_owned(),
        OrderRefusal::OverCap { left } if left == Cents::ZERO => language
            .tr("You have bought as much as one account may in a day. Come back tomorrow (UTC); unpaid orders count until they are canceled.")
            .to_owned(),
        OrderRefusal::OverCap { left } => language.fill(
            "You can buy for {left} more today (UTC). Choose a smaller amount, or cancel an order that is not paid.",
            &[("left", &left)],
        ),
    }
}

/// Why a choice is none.
pub fn choice_refusal(language: Language, refusal: ChoiceRefused) -> String {
    match refusal {
        ChoiceRefused::NoSuchPack => order_refusal(language, OrderRefusal::PackGone),
        ChoiceRefused::OutOfRange { min, max } => between(language, (min, max)),
    }
}

/// Why settings of automatic top-up are not taken, and the field that is wrong.
pub fn top_up_refusal(language: Language, refusal: TopUpRefusal) -> (&'static str, String) {
    match refusal {
        TopUpRefusal::Amount { min, max } => ("top_up_amount", between(language, (min, max))),
        TopUpRefusal::Threshold => (
            "threshold",
            language.tr("Type an amount of at least $0.").to_owned(),
        ),
        TopUpRefusal::MonthLimit => (
            "month_limit",
            language
                .tr("The limit must be at least what one top-up buys.")
                .to_owned(),
        ),
    }
}

fn between(language: Language, (min, max): (Cents, Cents)) -> String {
    language.fill(
        "Type an amount from {min} to {max}.",
        &[("min", &min), ("max", &max)],
    )
}

/// Why nothing of an order can come back.
pub fn refund_refusal(language: Language, refusal: RefundRefusal) -> String {
    match refusal {
        RefundRefusal::NotPaid => language.tr("It is not paid.").to_owned(),
        RefundRefusal::NothingLeft => language.tr("All of it was refunded.").to_owned(),
        RefundRefusal::Spent => language
            .tr("Nothing can come back now: the credit is spent, or held by calls in flight.")
            .to_owned(),
        RefundRefusal::SpentBySeller => language
            .tr("Nothing can come back from here now. Ask the support: they can send it back.")
            .to_owned(),
        RefundRefusal::Disputed => language
            .tr("You dispute this payment at your bank, so it cannot be refunded here.")
            .to_owned(),
        RefundRefusal::Suspended => language
            .tr("This account is suspended, so nothing can be refunded. Ask the support.")
            .to_owned(),
        RefundRefusal::Amount { most } => language.fill(
            "At most {most} can come back now. Look at the amount and press the button again.",
            &[("most", &most)],
        ),
    }
}

/// Why credit moved, by the word that the ledger keeps.
pub fn entry_kind(language: Language, word: &str) -> &'static str {
    match word {
        "purchase" => language.tr("Purchase"),
        "refund" => language.tr("Refund"),
        "dispute" => language.tr("Dispute"),
        "grant" => language.tr("Granted credit"),
        "adjustment" => language.tr("Adjustment"),
        "transfer" => language.tr("Transfer"),
        "true_up" => language.tr("Correction"),
        _ => language.tr("Other"),
    }
}
