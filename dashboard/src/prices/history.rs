//! Rules that have ended, the latest first: who made them and who ended them.

use maud::{Markup, html};
use tollgate_core::hrana::{Batch, HranaFault};
use tollgate_core::ids::RuleId;
use tollgate_core::selling::{RuleLine, ended_rules_statement, read_rule_line};

use super::views;
use crate::answer::Answer;
use crate::fault::Outcome;
use crate::page::{
    Column, Table, Tone, Zone, card, empty_state, link_button, moment, money, page_head, pager,
    percent, table,
};
use crate::place::Seller;
use crate::visit::Visit;

const ROWS: u32 = 50;

/// `GET /prices/history`.
pub async fn page(visit: &Visit, seller: &Seller) -> Outcome<Answer> {
    let after = RuleId::parse(visit.asked.query.get("after"));
    let mut batch = Batch::new();
    let page = (after.as_ref(), ROWS + 1);
    let statement = ended_rules_statement(seller.account(), page, visit.now_ms);
    let step = batch.step(None, statement);
    let reply = visit.execute(&batch).await?;
    let mut lines: Vec<RuleLine> = reply
        .rows_of(step)?
        .iter()
        .map(read_rule_line)
        .collect::<Result<_, HranaFault>>()?;
    let shown = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = lines.len() > shown;
    lines.truncate(shown);
    let older = lines.last().filter(|_| more);
    let older = older.map(|line| format!("/prices/history?after={}", line.rule.id));
    let newer = after.is_some().then_some("/prices/history");
    let language = seller.language();
    let title = language.tr("Prices");
    let body = html! {
        (page_head(title, language.tr("Rules that no longer hold. A charge of the past still names the rule that made it."), html! {}))
        (views(language, false))
        (card(language.tr("History"), html! {
            @if lines.is_empty() {
                (empty_state(language.tr("No rule has ended"),
                    language.tr("When a rule is ended or replaced, it stands here with who did it."),
                    link_button(language.tr("To the rules"), "/prices", Tone::Plain)))
            } @else {
                (rows(seller, &lines))
                (pager(language, newer, older.as_deref()))
            }
        }))
    };
    Ok(seller.page(visit, (title, "/prices"), body))
}

fn rows(seller: &Seller, lines: &[RuleLine]) -> Markup {
    let language = seller.language();
    let zone = Zone::named(&seller.session.time_zone);
    let by = |who: &Option<String>| html! { (who.as_deref().unwrap_or("–")) };
    let rows: Vec<Vec<Markup>> = lines
        .iter()
        .map(|line| {
            vec![
                html! { code { (line.rule.pattern) } },
                html! { (percent(line.rule.markup_bps)) },
                money(line.rule.min_charge),
                html! { (line.rule.priority) },
                moment(language, line.rule.starts_at_ms, &zone),
                html! { @if let Some(end) = line.rule.ends_at_ms { (moment(language, end, &zone)) } },
                by(&line.created_by),
                by(&line.ended_by),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Rules that have ended"),
        columns: &[
            Column::text(language.tr("Models")),
            Column::number(language.tr("Markup")),
            Column::number(language.tr("Minimum")),
            Column::number(language.tr("Priority")).wide_only(),
            Column::text(language.tr("From")),
            Column::text(language.tr("To")),
            Column::text(language.tr("Made by")).wide_only(),
            Column::text(language.tr("Ended by")).wide_only(),
        ],
        rows: &rows,
        body_id: None,
    })
}
