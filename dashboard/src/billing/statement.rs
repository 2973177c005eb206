//! `GET /billing/statement` and its file: a month of an account, line by line, with what there was after
//! each. Months and days are those of UTC, as the ledger has them.

use maud::{Markup, html};
use tollgate_core::accounts::{View, account_statement, read_account};
use tollgate_core::calendar::Periods;
use tollgate_core::hrana::Batch;
use tollgate_core::month_statement::{MonthQuery, MonthStatement, StatementEvent, StatementLine};

use super::first;
use super::words::entry_kind;
use crate::answer::Answer;
use crate::fault::{Fault, Outcome};
use crate::language::Language;
use crate::page::{
    Column, Stat, Table, Tone, Zone, card_with, day, empty_state, exact_money, exact_signed_money,
    link_button, moment, money, page_head, pager, table, tiles,
};
use crate::place::Buyer;
use crate::visit::Visit;

/// The page of a month.
pub async fn page(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let (statement, first_month) = read(visit, buyer).await?;
    let now = Periods::of(visit.now_ms).month;
    let link = |month: i64| {
        let text = month_text(month);
        format!("/billing/statement?month={text}")
    };
    let newer = (statement.month < now).then(|| link(statement.month.saturating_add(1)));
    let older = (statement.month > first_month).then(|| link(statement.month.saturating_sub(1)));
    let month = statement.month_text();
    let file = format!("/billing/statement.csv?month={month}");
    let text = language.tr("Every payment and every day of usage, in UTC, to the nano.");
    let title = language.fill("Statement of {month}", &[("month", &month)]);
    let body = html! {
        (page_head(&title, text, html! {
            (link_button(language.tr("Back to billing"), "/billing", Tone::Plain))
            (link_button(language.tr("Download as CSV"), &file, Tone::Plain))
        }))
        (sums(language, &statement))
        (card_with(language.tr("What happened"), html! {}, html! {
            (lines(language, &statement))
            (pager(language, newer.as_deref(), older.as_deref()))
        }))
    };
    Ok(buyer.page(visit, (language.tr("Statement"), "/billing"), body))
}

/// The same month as a file.
pub async fn file(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let (statement, _) = read(visit, buyer).await?;
    let name = format!("statement-{}.csv", statement.month_text());
    let saved = format!("attachment; filename=\"{name}\"");
    Ok(Answer::text("text/csv; charset=utf-8", statement.to_csv())
        .with("content-disposition", saved))
}

/// The statement of the month in the address, or of this one, and the account's first month.
async fn read(visit: &Visit, buyer: &Buyer) -> Outcome<(MonthStatement, i64)> {
    let now = Periods::of(visit.now_ms).month;
    let month = match visit.asked.query.given("month") {
        Some(text) => parse_month(text).filter(|month| *month <= now),
        None => Some(now),
    };
    let query = month.and_then(MonthQuery::new).ok_or(Fault::NotFound)?;
    let account = buyer.account();
    let mut batch = Batch::new();
    let statement = batch.step(None, query.statement(View::own(account)));
    let since = batch.step(None, account_statement(account));
    let reply = visit.execute(&batch).await?;
    let statement = query.read(reply.rows_of(statement)?)?;
    let account = first(reply.rows_of(since)?, read_account)?.ok_or(Fault::NotFound)?;
    let first_month = Periods::of(account.created_at_ms).month;
    Ok((statement.ok_or(Fault::NotFound)?, first_month))
}

/// A month as `2026-11`, counted since January 1970.
fn parse_month(text: &str) -> Option<i64> {
    let (year, month) = text.split_once('-')?;
    let digits = |part: &str, length: usize| {
        let all = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (year, month) = (digits(year, 4)?, digits(month, 2)?);
    let of_year = (1..=12).contains(&month).then_some(month - 1)?;
    Some((year - 1970) * 12 + of_year)
}

fn month_text(month: i64) -> String {
    let (year, of_year) = (month.div_euclid(12) + 1970, month.rem_euclid(12) + 1);
    format!("{year:04}-{of_year:02}")
}

fn sums(language: Language, statement: &MonthStatement) -> Markup {
    let stat = |label, amount| Stat {
        label,
        value: money(amount),
        hint: None,
        trend: None,
    };
    tiles(&[
        stat(language.tr("At the beginning"), statement.opening),
        stat(language.tr("At the end"), statement.closing),
    ])
}

fn lines(language: Language, statement: &MonthStatement) -> Markup {
    if statement.lines.is_empty() {
        return empty_state(
            language.tr("Nothing happened"),
            language.tr("There were no payments and no calls in this month."),
            link_button(language.tr("Buy credit"), "/billing", Tone::Plain),
        );
    }
    let columns = [
        Column::text(language.tr("When")),
        Column::text(language.tr("What")),
        Column::text(language.tr("Details")).wide_only(),
        Column::number(language.tr("Amount")),
        Column::number(language.tr("Credit after it")),
    ];
    let zone = Zone::named("UTC");
    let row = |line: &StatementLine| {
        let (at, what, details) = event(language, line, &zone);
        let (amount, balance) = (exact_signed_money(line.amount), exact_money(line.balance));
        vec![at, html! { (what) }, html! { (details) }, amount, balance]
    };
    let rows: Vec<Vec<Markup>> = statement.lines.iter().map(row).collect();
    table(&Table {
        caption: language.tr("Statement"),
        columns: &columns,
        rows: &rows,
        body_id: None,
    })
}

fn event(language: Language, line: &StatementLine, zone: &Zone) -> (Markup, &'static str, String) {
    let of_day = || day(language, line.at_ms, zone);
    match &line.event {
        StatementEvent::Entry { kind, reason, .. } => (
            moment(language, line.at_ms, zone),
            entry_kind(language, kind),
            reason.clone(),
        ),
        StatementEvent::MoreEntries => (
            of_day(),
            language.tr("More entries"),
            language
                .tr("Too many to list; this is their sum.")
                .to_owned(),
        ),
        StatementEvent::Usage { calls } => (
            of_day(),
            language.tr("Usage"),
            language.fill("Calls: {n}", &[("n", calls)]),
        ),
        StatementEvent::TrueUps { calls } => (
            of_day(),
            language.tr("Corrections"),
            language.fill("Calls: {n}", &[("n", calls)]),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_in_the_address_is_the_month_on_the_page() {
        let check = |text: &str, expect: Option<i64>| {
            assert_eq!(parse_month(text), expect, "{text}");
            if let Some(month) = expect {
                assert_eq!(month_text(month), text);
            }
        };
        check("1970-01", Some(0));
        check("2026-11", Some(682));
        check("2026-12", Some(683));
        check("2027-01", Some(684));
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "26-11",
            "2026-1",
            "+026-11",
            "2026-11-01",
        ] {
            check(wrong, None);
        }
    }
}
