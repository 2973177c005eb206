//! The list of accounts right below a seller, a page at a time.

use maud::{Markup, html};
use tollgate_core::accounts::AccountKind;
use tollgate_core::hrana::{Batch, HranaFault};
use tollgate_core::ids::AccountId;
use tollgate_core::selling::{CustomerLine, CustomerOrder, CustomersQuery, read_customer_line};

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{
    Choice, Column, Field, Kind, Table, Tone, Zone, badge, busy, card, day, empty_state, forward,
    link_button, money, page_head, share, submit, table,
};
use crate::place::Seller;
use crate::visit::Visit;

const ROWS: u32 = 50;
const PATH: &str = "/customers";

/// `GET /customers`. htmx asks for the table alone.
pub async fn page(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let language = seller.language();
    let (lines, more) = read_page(visit, seller.account(), AccountKind::Customer).await?;
    let query = &visit.asked.query;
    let list = html! {
        @if !lines.is_empty() {
            (lines_table(language, &lines, &Zone::named(&seller.session.time_zone)))
        } @else if query.given("search").is_some() {
            (empty_state(language.tr("Nobody was found"),
                language.tr("Search for the beginning of a name or of an e-mail address."),
                link_button(language.tr("Show all customers"), "/customers", Tone::Plain)))
        } @else {
            (empty_state(language.tr("No customers yet"),
                language.tr("Whoever signs up at your pages stands here, with what they have, spend and leave you."),
                link_button(language.tr("Set your prices"), "/prices", Tone::Primary)))
        }
        (pages(language, visit, PATH, &lines, more))
    };
    if visit.wants_part() {
        return Ok(Answer::html(list));
    }
    let title = language.tr("Customers");
    let body = html! {
        (page_head(title, language.tr("Who buys from you. Spend and margin are those of the last 30 days."), html! {}))
        (card("", html! {
            (search_form(language, visit))
            div id="customers" { (list) }
        }))
    };
    Ok(seller.page(visit, (title, "/customers"), body))
}

/// The page that the query asks for, and whether another follows.
pub async fn read_page(
    visit: &Visit,
    seller: &AccountId,
    kind: AccountKind,
) -> Outcome<(Vec<CustomerLine>, bool)> {
    let query = &visit.asked.query;
    let after = AccountId::parse(query.get("after"));
    let page = CustomersQuery {
        seller,
        kind: Some(kind),
        search: query.get("search"),
        order: match query.get("order") {
            "newest" => CustomerOrder::Newest,
            _ => CustomerOrder::Name,
        },
        after: after.as_ref(),
        count: ROWS + 1,
        now_ms: visit.now_ms,
    };
    let mut batch = Batch::new();
    let step = batch.step(None, page.statement());
    let reply = visit.execute(&batch).await?;
    let mut lines: Vec<CustomerLine> = reply
        .rows_of(step)?
        .iter()
        .map(read_customer_line)
        .collect::<Result<_, HranaFault>>()?;
    let shown = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = lines.len() > shown;
    lines.truncate(shown);
    Ok((lines, more))
}

fn search_form(language: Language, visit: &Visit) -> Markup {
    let query = &visit.asked.query;
    let newest = query.get("order") == "newest";
    let orders = [
        ("name", language.tr("By name"), !newest),
        ("newest", language.tr("Newest first"), newest),
    ]
    .map(|(value, label, chosen)| Choice {
        value,
        label,
        chosen,
    });
    html! {
        form method="get" action="/customers" class="filters" role="search" hx-get="/customers"
            hx-target="#customers" hx-trigger="input delay:300ms, change" hx-sync="this:replace"
            hx-indicator="#searching" {
            (Field::search("search", language.tr("Name or e-mail address begins with"))
                .value(query.get("search")).max_length(200))
            (Field::select("order", language.tr("Order"), &orders))
            (submit(language.tr("Show"), Tone::Plain))
            (busy(language, "searching"))
        }
    }
}

fn pages(
    language: Language,
    visit: &Visit,
    path: &str,
    lines: &[CustomerLine],
    more: bool,
) -> Markup {
    let query = &visit.asked.query;
    let href = |after: &[(&str, &str)]| query.address(path, &["search", "order"], after);
    let first = query.given("after").map(|_| href(&[]));
    let last = lines.last().filter(|_| more);
    let next = last.map(|line| href(&[("after", line.id.as_str())]));
    forward(language, first.as_deref(), next.as_deref())
}

/// The accounts, each with a way to its page.
pub fn lines_table(language: Language, lines: &[CustomerLine], zone: &Zone) -> Markup {
    let rows: Vec<Vec<Markup>> = lines
        .iter()
        .map(|line| {
            vec![
                html! {
                    a class="link" href={ "/customers/" (line.id) } { (line.name) }
                    @if let Some(email) = &line.email { br; span class="muted" { (email) } }
                },
                state(language, line),
                html! {
                    (money(line.balance))
                    @if line.debt.get() > 0 { br; span class="text-error" { (language.tr("owes")) " " (money(line.debt)) } }
                },
                money(line.spent),
                html! {
                    (money(line.margin))
                    @if let Some(share) = share(line.margin, line.spent) { " " span class="muted" { (share) } }
                },
                day(language, line.created_at_ms, zone),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Customers"),
        columns: &[
            Column::text(language.tr("Name")),
            Column::text(language.tr("State")),
            Column::number(language.tr("Balance")),
            Column::number(language.tr("Spend")),
            Column::number(language.tr("Margin")),
            Column::text(language.tr("Since")).wide_only(),
        ],
        rows: &rows,
        body_id: None,
    })
}

fn state(language: Language, line: &CustomerLine) -> Markup {
    if line.active {
        badge(Kind::Success, language.tr("active"))
    } else {
        badge(Kind::Danger, language.tr("suspended"))
    }
}
