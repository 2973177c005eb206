//! `GET /billing`: what there is, the form to buy more, automatic top-up, and the orders.

use maud::{Markup, html};
use tollgate_core::accounts::{Account, account_statement, read_account};
use tollgate_core::hrana::Batch;
use tollgate_core::ids::OrderId;
use tollgate_core::money::Nanos;
use tollgate_core::orders::{
    KeptTopUp, Order, OrderKind, Pack, StripeCustomer, customer_statement, orders_statement,
    packs_statement, read_order, read_pack, read_stripe_customer, read_top_up, top_up_statement,
};

use super::words::{failure, order_badge};
use super::{buy, card as saved_card, first, outside, seller, top_up, zone};
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{
    ButtonForm, Column, Field, Kind, Stat, Table, Tone, alert, button_form, card, empty_state,
    link_button, moment, money, page_head, pager, table, tiles,
};
use crate::place::Buyer;
use crate::visit::Visit;

/// How many orders a page lists.
const ORDERS: u32 = 20;

/// What was wrong with a form of this page: the field's name, and why.
pub struct Wrong {
    /// The field at which it is told.
    pub field: &'static str,
    /// Why, in words.
    pub why: String,
}

/// Everything that the page shows.
pub(super) struct Desk {
    pub account: Account,
    pub packs: Vec<Pack>,
    pub customer: Option<StripeCustomer>,
    pub top_up: Option<KeptTopUp>,
    orders: Vec<Order>,
    /// Whether there are older ones.
    more: bool,
}

/// What a form is filled with: what was typed if it was refused, or what is kept.
pub(super) struct Typed<'a> {
    visit: &'a Visit,
    wrong: Option<&'a Wrong>,
}

impl<'a> Typed<'a> {
    /// The value of a field.
    pub fn value<'b>(&'b self, name: &str, kept: &'b str) -> &'b str {
        match self.wrong {
            Some(_) => self.visit.asked.form.given(name).unwrap_or(kept),
            None => kept,
        }
    }

    /// Whether a box of the form is ticked that is sent to this path.
    pub fn ticked(&self, (path, name): (&str, &str), kept: bool) -> bool {
        // A box that is not ticked is not sent, so it must be known which form was.
        if self.wrong.is_some() && self.visit.asked.path == path {
            return self.visit.asked.form.is_ticked(name);
        }
        kept
    }

    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&'a str> {
        let wrong = self.wrong.filter(|wrong| wrong.field == name)?;
        Some(wrong.why.as_str())
    }
}

/// The page.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    show(visit, buyer, None).await
}

/// The page, with what was wrong with one of its forms.
pub(super) async fn show(visit: &Visit, buyer: &Buyer, wrong: Option<Wrong>) -> Outcome<Answer> {
    let language = buyer.language();
    let desk = read(visit, buyer).await?;
    let typed = Typed {
        visit,
        wrong: wrong.as_ref(),
    };
    let body = html! {
        (head(buyer, &desk))
        (notices(language, &desk))
        @if let Some(text) = typed.error("card") { (alert(Kind::Danger, text)) }
        (wallet(language, &desk.account))
        (buy::form(visit, buyer, (&desk, &typed))?)
        (saved_card::section(buyer, &desk)?)
        (top_up::form(buyer, &desk, &typed))
        (orders(visit, buyer, &desk))
    };
    let answer = buyer.page(visit, (language.tr("Billing"), "/billing"), body);
    Ok(answer.status(if wrong.is_some() { 422 } else { 200 }))
}

async fn read(visit: &Visit, buyer: &Buyer) -> Outcome<Desk> {
    let account = buyer.account();
    let after = visit.asked.query.given("before").and_then(parse_place);
    let mut batch = Batch::new();
    let wallet = batch.step(None, account_statement(account));
    let packs = batch.step(None, packs_statement(seller(buyer)?, visit.now_ms));
    let customer = batch.step(None, customer_statement(account));
    let top_up = batch.step(None, top_up_statement(account));
    let after = after.as_ref().map(|(at_ms, id)| (*at_ms, id));
    let list = orders_statement(account, after, ORDERS.saturating_add(1));
    let orders = batch.step(None, list);
    let reply = visit.execute(&batch).await?;
    let packs = reply.rows_of(packs)?.iter().map(read_pack);
    let orders = reply.rows_of(orders)?.iter().map(read_order);
    let mut orders: Vec<Order> = orders.collect::<Result<_, _>>()?;
    let page = usize::try_from(ORDERS).unwrap_or(usize::MAX);
    let more = orders.len() > page;
    orders.truncate(page);
    Ok(Desk {
        account: first(reply.rows_of(wallet)?, read_account)?.ok_or(Fault::NotFound)?,
        packs: packs.collect::<Result<_, _>>()?,
        customer: first(reply.rows_of(customer)?, read_stripe_customer)?,
        top_up: first(reply.rows_of(top_up)?, read_top_up)?,
        orders,
        more,
    })
}

/// The place in the list after which a page begins, as `place_text` writes it.
fn parse_place(text: &str) -> Option<(i64, OrderId)> {
    let (at_ms, id) = text.split_once('.')?;
    Some((at_ms.parse().ok()?, OrderId::parse(id)?))
}

fn place_text(order: &Order) -> String {
    format!("{}.{}", order.created_at_ms, order.id)
}

fn head(buyer: &Buyer, desk: &Desk) -> Markup {
    let language = buyer.language();
    let text = language.tr("Credit is bought before it is used. One credit is one US dollar.");
    let portal = ButtonForm {
        action: "/billing/portal",
        csrf: buyer.place.csrf(),
        label: language.tr("Cards and invoices"),
        tone: Tone::Plain,
        values: &[],
        confirm: None,
    };
    page_head(
        language.tr("Billing"),
        text,
        html! {
            (link_button(language.tr("Statement"), "/billing/statement", Tone::Plain))
            @if desk.customer.is_some() { (button_form(language, &portal)) }
        },
    )
}

fn notices(language: Language, desk: &Desk) -> Markup {
    let stopped = desk.top_up.as_ref().and_then(|it| it.stopped_by.as_deref());
    html! {
        @if !desk.account.active {
            (alert(Kind::Danger, language.tr("This account is suspended: its calls are refused. Ask the support.")))
        }
        @if desk.account.debt > Nanos::ZERO {
            (alert(Kind::Warning, language.tr("A refund or a dispute took more than there was. The next credit pays what is owed first.")))
        }
        @if let Some(word) = stopped {
            (alert(Kind::Warning, &language.fill(
                "Automatic top-up was switched off: {why}",
                &[("why", &failure(language, word))],
            )))
        }
    }
}

fn wallet(language: Language, account: &Account) -> Markup {
    let free = account.balance.minus(account.held).unwrap_or(Nanos::ZERO);
    let free = free.minus(account.debt).unwrap_or(Nanos::ZERO);
    let stat = |label, amount, hint| Stat {
        label,
        value: money(amount),
        hint,
        trend: None,
    };
    let mut stats = vec![
        stat(
            language.tr("Free credit"),
            free,
            Some(language.tr("What new calls can use.")),
        ),
        stat(
            language.tr("Held"),
            account.held,
            Some(language.tr("Set aside for calls in flight.")),
        ),
        stat(
            language.tr("Spent so far"),
            account.charged,
            Some(language.tr("Since the account exists.")),
        ),
    ];
    if account.debt > Nanos::ZERO {
        stats.push(stat(language.tr("Owed"), account.debt, None));
    }
    tiles(&stats)
}

fn orders(visit: &Visit, buyer: &Buyer, desk: &Desk) -> Markup {
    let language = buyer.language();
    let columns = [
        Column::text(language.tr("Ordered")),
        Column::number(language.tr("Price")),
        Column::number(language.tr("Credit")),
        Column::text(language.tr("State")),
        Column::text(language.tr("How")).wide_only(),
        Column::text(language.tr("Papers")),
    ];
    let lines = desk.orders.iter();
    let rows: Vec<Vec<Markup>> = lines.map(|order| row(visit, buyer, order)).collect();
    let older = desk.orders.last().filter(|_| desk.more);
    let older = older.map(|order| format!("/billing?before={}", place_text(order)));
    let newer = visit.asked.query.given("before").map(|_| "/billing");
    let body = html! {
        @if rows.is_empty() {
            (empty_state(
                language.tr("No orders yet"),
                language.tr("What you buy is listed here, with its receipt and invoice."),
                html! {},
            ))
        } @else {
            (table(&Table { caption: language.tr("Orders"), columns: &columns, rows: &rows, body_id: None }))
        }
        (pager(language, newer, older.as_deref()))
    };
    card(language.tr("Orders"), body)
}

fn row(visit: &Visit, buyer: &Buyer, order: &Order) -> Vec<Markup> {
    let language = buyer.language();
    let how = match order.kind {
        OrderKind::Checkout => language.tr("On Stripe's page"),
        OrderKind::AutoTopUp => language.tr("Automatic top-up"),
    };
    vec![
        html! {
            a class="link" href={ "/billing/orders/" (order.id) } {
                (moment(language, order.created_at_ms, &zone(buyer)))
            }
        },
        html! { (order.price) },
        money(order.credit),
        order_badge(language, order),
        html! { (how) },
        papers(visit, language, order),
    ]
}

/// Links to Stripe's receipt and invoice of an order.
pub(super) fn papers(visit: &Visit, language: Language, order: &Order) -> Markup {
    let receipt = order.receipt_url.as_deref();
    let invoice = order.invoice_url.as_deref();
    let papers = [
        (language.tr("Receipt"), receipt),
        (language.tr("Invoice"), invoice),
    ];
    html! {
        span class="inline-flex flex-wrap gap-3" {
            @for (name, url) in papers {
                @if let Some(url) = url.and_then(|url| outside(visit, url)) {
                    a class="link" href=(url) target="_blank" rel="noopener noreferrer" { (name) }
                }
            }
        }
    }
}

/// An amount field of a form of this page.
pub(super) fn amount<'a>(
    typed: &'a Typed<'a>,
    (name, label): (&'a str, &'a str),
    kept: &'a str,
) -> Field<'a> {
    Field::usd(name, label)
        .value(typed.value(name, kept))
        .error(typed.error(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_orders_goes_on_where_the_one_before_ended() {
        let id = OrderId::from_random([7; 10]);
        let text = format!("1795348800000.{id}");
        assert_eq!(parse_place(&text), Some((1_795_348_800_000, id)));
        for wrong in ["", ".", "1", "x.ord_1", "1.acc_1", "99999999999999999999.x"] {
            assert_eq!(parse_place(wrong), None, "{wrong}");
        }
    }
}
