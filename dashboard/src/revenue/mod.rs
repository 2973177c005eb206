//! What a seller earns, by day, model and customer, in a range of days; and the same as a file. The sums
//! are the core's roll-ups.

mod export;
mod range;

use maud::{Markup, html};
use tollgate_core::money::Nanos;
use tollgate_core::people::Role;
use tollgate_core::selling::{CustomerEarnings, Earnings, MOST_EARNERS, Revenue, revenue_batch};

use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{
    Column, Days, Field, Kind, Stat, Tab, Table, Tone, alert, card, card_with, count, day_bars,
    empty_state, filter_form, link_button, money, page_head, share, submit, table, tabs, tiles,
};
use crate::place::Seller;
use crate::visit::Visit;
use range::Range;

pub use export::export;

/// `GET /revenue`.
pub async fn page(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let language = seller.language();
    let range = Range::of(&visit.asked.query, visit.now_ms);
    let batch = revenue_batch(seller.account(), range.days);
    let revenue = batch.read(&visit.execute(&batch.batch).await?)?;
    let title = language.tr("Revenue");
    let download = format!("/revenue/export?from={}&to={}", range.from(), range.to());
    let actions = link_button(language.tr("Download CSV"), &download, Tone::Plain);
    let body = html! {
        (page_head(title, language.tr("What your customers' calls brought and cost, by days of UTC. Calls of the last minutes are not in it yet."), actions))
        (choose(language, &range))
        @if range.corrected {
            (alert(Kind::Warning, language.tr("These days cannot be shown: a range has at most 366 days and ends after it begins. Shown are the last 30 days.")))
        }
        @if revenue.total.calls == 0 {
            (card("", empty_state(language.tr("No calls in these days"),
                language.tr("As soon as your customers call models, their charges and your margin stand here."),
                link_button(language.tr("Look at your prices"), "/prices", Tone::Primary))))
        } @else {
            (earned(seller, &revenue, &range))
        }
    };
    Ok(seller.page(visit, (title, "/revenue"), body))
}

fn choose(language: Language, range: &Range) -> Markup {
    let names = [
        (7, language.tr("7 days"), "/revenue?days=7"),
        (30, language.tr("30 days"), "/revenue?days=30"),
        (90, language.tr("90 days"), "/revenue?days=90"),
        (366, language.tr("A year"), "/revenue?days=366"),
    ]
    .map(|(days, label, href)| Tab {
        label,
        href,
        active: range.until_today == Some(days),
    });
    let (from, to) = (range.from().to_string(), range.to().to_string());
    html! {
        (tabs(language.tr("Range"), &names))
        (filter_form("/revenue", html! {
            (Field::date("from", language.tr("From")).value(&from))
            (Field::date("to", language.tr("To")).value(&to))
            (submit(language.tr("Show"), Tone::Plain))
        }))
    }
}

fn earned(seller: &Seller, revenue: &Revenue, range: &Range) -> Markup {
    let language = seller.language();
    let total = &revenue.total;
    let cost = match seller.session.role {
        Role::Operator => language.tr("What the providers bill"),
        Role::Reseller | Role::EndUser => language.tr("What you are charged"),
    };
    let tokens = language.fill(
        "{prompt} tokens in, {answer} out",
        &[
            ("prompt", &count(total.prompt_tokens)),
            ("answer", &count(total.completion_tokens)),
        ],
    );
    let stat = |label, value, hint| Stat {
        label,
        value,
        hint,
        trend: None,
    };
    let part = share(total.margin(), total.charges);
    let models: Vec<(Markup, &Earnings)> = revenue
        .models
        .iter()
        .map(|(slug, earnings)| (html! { (slug) }, earnings))
        .collect();
    html! {
        (tiles(&[
            stat(language.tr("Charges"), money(total.charges), None),
            stat(language.tr("Cost"), money(total.cost), Some(cost)),
            stat(language.tr("Margin"), money(total.margin()), part.as_deref()),
            stat(language.tr("Calls"), html! { (count(total.calls)) }, Some(&tokens)),
        ]))
        (card(language.tr("Charges per day: your cost, and your margin on top"),
            day_bars(language, "revenue", language.tr("Charges per day"), &chart(language, revenue, range))))
        (card(language.tr("Charges per day by model"),
            day_bars(language, "models", language.tr("Charges per day by model"), &by_model(language, revenue, range))))
        (card(language.tr("By model"), earners(language, language.tr("Model"), &models)))
        (card_with(language.tr("By customer"),
            link_button(language.tr("All customers"), "/customers", Tone::Quiet),
            earners(language, language.tr("Customer"), &customers(&revenue.customers))))
    }
}

fn customers(all: &[CustomerEarnings]) -> Vec<(Markup, &Earnings)> {
    let named = all.iter().map(|customer| {
        let name = html! {
            a class="link" href={ "/customers/" (customer.id) } { (customer.name) }
        };
        (name, &customer.earnings)
    });
    named.collect()
}

/// Cost and margin stand on each other; a day that lost money has its charges as cost and no margin.
fn chart(language: Language, revenue: &Revenue, range: &Range) -> Days {
    let rows = revenue.days.iter().flat_map(|(day, earnings)| {
        let cost = earnings.cost.min(earnings.charges);
        let margin = earnings.margin().max(Nanos::ZERO);
        let date = range::date(*day);
        [
            (date, language.tr("Cost").to_owned(), cost),
            (date, language.tr("Margin").to_owned(), margin),
        ]
    });
    Days::from_rows(range.from(), range.to(), rows)
}

fn by_model(language: Language, revenue: &Revenue, range: &Range) -> Days {
    let other = language.tr("Other models");
    let rows = revenue.parts.iter().map(|part| {
        let name = part.model.as_deref().unwrap_or(other);
        (range::date(part.day), name.to_owned(), part.charges)
    });
    Days::from_rows(range.from(), range.to(), rows).with_last(other)
}

fn earners(language: Language, what: &str, earners: &[(Markup, &Earnings)]) -> Markup {
    let rows: Vec<Vec<Markup>> = earners
        .iter()
        .map(|(name, earnings)| {
            vec![
                name.clone(),
                html! { (count(earnings.calls)) },
                money(earnings.charges),
                money(earnings.cost),
                html! {
                    (money(earnings.margin()))
                    @if let Some(share) = share(earnings.margin(), earnings.charges) {
                        " " span class="muted" { (share) }
                    }
                },
            ]
        })
        .collect();
    let full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= MOST_EARNERS);
    html! {
        (table(&Table {
            caption: what,
            columns: &[
                Column::text(what),
                Column::number(language.tr("Calls")),
                Column::number(language.tr("Charges")),
                Column::number(language.tr("Cost")),
                Column::number(language.tr("Margin")),
            ],
            rows: &rows,
            body_id: None,
        }))
        @if full {
            p class="muted" { (language.tr("These are the 100 with the highest charges. The file has all of them.")) }
        }
    }
}
