//! Billing of who has a wallet: what there is, buying more, orders and refunds, automatic top-up, the
//! statement. What a payment means is decided by `core::orders` and made true by `payments`; nothing here
//! grants credit.

mod buy;
mod card;
mod order;
mod page;
mod refund;
mod statement;
mod stripe_pages;
mod top_up;
mod words;

use tollgate_core::hrana::{HranaFault, Row};
use tollgate_core::ids::AccountId;
use tollgate_core::money::Nanos;

use crate::fault::{Fault, Outcome};
use crate::page::{Zone, usd};
use crate::place::{Buyer, Person};
use crate::visit::Visit;

pub use buy::{buy, pay};
pub use card::{done as card_done, remove as remove_card, save as save_card};
pub use order::{cancel, canceled, done, page as order};
pub use page::page;
pub use refund::refund;
pub use statement::{file as statement_file, page as statement};
pub use stripe_pages::portal;
pub use top_up::set as set_top_up;
pub use words::failure;

/// What Stripe's pages, receipts and invoices call a purchase. It follows from the order alone, so that
/// asking Stripe again asks for the same.
pub fn receipt_name(credit: Nanos) -> String {
    format!("Credit of {}", usd(credit))
}

/// Whose packs a buyer buys.
fn seller(buyer: &Buyer) -> Outcome<&AccountId> {
    let parent = buyer.session.parent.as_ref();
    parent.ok_or(Fault::Bug("a buyer without a seller"))
}

fn zone(person: &Person) -> Zone {
    Zone::named(&person.session.time_zone)
}

/// The row of something that may not be there.
fn first<T>(rows: &[Row], read: fn(&Row) -> Result<T, HranaFault>) -> Outcome<Option<T>> {
    Ok(rows.first().map(read).transpose()?)
}

/// An address outside that a page may lead to: one of HTTPS, or of the pages that Stripe shows.
fn outside<'a>(visit: &Visit, url: &'a str) -> Option<&'a str> {
    is_outside(&visit.config.stripe_page_origins, url).then_some(url)
}

fn is_outside(origins: &str, url: &str) -> bool {
    let at = |origin: &str| {
        let path = url.strip_prefix(origin);
        path.is_some_and(|path| path.is_empty() || path.starts_with('/'))
    };
    url.starts_with("https://") || origins.split_whitespace().any(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_only_to_where_stripe_is() {
        let check = |url: &str, expect: bool| {
            let origins = "https://checkout.stripe.com http://127.0.0.1:8080";
            assert_eq!(is_outside(origins, url), expect, "{url}");
        };
        check("https://checkout.stripe.com/c/pay/cs_1", true);
        check("https://pay.shop.example/x", true);
        check("http://127.0.0.1:8080/stripe/pay/cs_1", true);
        check("http://127.0.0.1:80801/stripe", false);
        check("http://127.0.0.1:8080.evil.example/", false);
        check("http://checkout.stripe.com/", false);
        check("javascript:alert(1)", false);
        check("//evil.example", false);
        check("", false);
    }

    #[test]
    fn a_receipt_says_what_was_bought() {
        assert_eq!(receipt_name(Nanos::new(11_000_000_000)), "Credit of $11.00");
    }
}
