//! The list of rules in the order in which they win, what can be done to each, and where two of them stand
//! in each other's way.

use maud::{Markup, html};
use tollgate_core::pricing::PriceRule;
use tollgate_core::selling::{Extent, RuleLine, overlaps};

use crate::language::Language;
use crate::page::{
    ButtonForm, Column, Confirm, Kind, Table, Tone, Zone, alert_with, badge, button_form,
    empty_state, link_button, moment, money, percent, table,
};
use crate::place::Seller;

/// How many pairs of rules are told.
const MOST_TOLD: usize = 20;

pub(super) fn list(seller: &Seller, rules: &[RuleLine], zone: &Zone, now_ms: i64) -> Markup {
    let language = seller.language();
    if rules.is_empty() {
        return empty_state(
            language.tr("No rules yet"),
            language.tr("Without a rule nothing is sold. Try one below, such as * with a markup of 20%, and save it."),
            link_button(language.tr("Try a rule"), "#what-if", Tone::Primary),
        );
    }
    let rows: Vec<Vec<Markup>> = rules
        .iter()
        .map(|line| {
            let rule = &line.rule;
            vec![
                html! { code { (rule.pattern) } },
                html! { (percent(rule.markup_bps)) },
                money(rule.min_charge),
                html! { (rule.priority) },
                period(language, rule, zone, now_ms),
                html! { (line.created_by.as_deref().unwrap_or("–")) },
                actions(seller, rule, now_ms),
            ]
        })
        .collect();
    table(&Table {
        caption: language.tr("Rules, the first that catches a model wins"),
        columns: &[
            Column::text(language.tr("Models")),
            Column::number(language.tr("Markup")),
            Column::number(language.tr("Minimum")),
            Column::number(language.tr("Priority")),
            Column::text(language.tr("Since")),
            Column::text(language.tr("Made by")).wide_only(),
            Column::text(language.tr("Actions")),
        ],
        rows: &rows,
        body_id: None,
    })
}

fn period(language: Language, rule: &PriceRule, zone: &Zone, now_ms: i64) -> Markup {
    html! {
        (moment(language, rule.starts_at_ms, zone))
        @if rule.starts_at_ms > now_ms { " " (badge(Kind::Info, language.tr("announced"))) }
        @if let Some(end) = rule.ends_at_ms {
            br; span class="muted" { (language.tr("ends")) " " (moment(language, end, zone)) }
        }
    }
}

fn actions(seller: &Seller, rule: &PriceRule, now_ms: i64) -> Markup {
    let language = seller.language();
    let markup = rule.markup_bps;
    let markup = format!("{}.{:02}", markup / 100, markup % 100);
    let priority = rule.priority.to_string();
    let min_charge = rule.min_charge.to_usd();
    let replace: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("replaces", rule.id.as_str())
        .append_pair("pattern", &rule.pattern)
        .append_pair("markup", &markup)
        .append_pair("min_charge", &min_charge)
        .append_pair("priority", &priority)
        .finish();
    let mut text = language.fill(
        "Calls of models that match {pattern} are then priced by the next rule that catches them, or refused if there is none. A rule that has ended does not come back.",
        &[("pattern", &rule.pattern)],
    );
    if rule.starts_at_ms > now_ms {
        text.push(' ');
        text.push_str(
            language.tr(
                "A rule that it was to replace ends all the same when this one would have begun.",
            ),
        );
    }
    html! {
        div class="actions" {
            (link_button(language.tr("Replace"), &format!("/prices?{replace}#what-if"), Tone::Quiet))
            (button_form(language, &ButtonForm {
                action: &format!("/prices/rules/{}/end", rule.id),
                csrf: seller.place.csrf(),
                label: language.tr("End"),
                tone: Tone::Quiet,
                values: &[],
                confirm: Some(Confirm {
                    id: &format!("end-{}", rule.id),
                    title: language.tr("End this rule now?"),
                    text: &text,
                }),
            }))
        }
    }
}

/// Rules that are not reached, told before anybody wonders.
pub(super) fn overlap_warnings(language: Language, rules: &[PriceRule]) -> Markup {
    let found = overlaps(rules);
    let told = |extent: Extent, say: &dyn Fn(&str, &str) -> String| -> Vec<String> {
        found
            .iter()
            .filter(|overlap| overlap.extent == extent)
            .take(MOST_TOLD)
            .map(|overlap| say(&overlap.winner.pattern, &overlap.loser.pattern))
            .collect()
    };
    let dead = told(Extent::All, &|winner, loser| {
        language.fill(
            "{loser} prices nothing: {winner} wins for every model that it could catch.",
            &[("winner", &winner), ("loser", &loser)],
        )
    });
    let partly = told(Extent::Some, &|winner, loser| {
        language.fill(
            "{winner} wins over {loser} for models that both could catch.",
            &[("winner", &winner), ("loser", &loser)],
        )
    });
    html! {
        @if !dead.is_empty() {
            (alert_with(Kind::Warning, language.tr("Some rules are never reached"), html! {
                ul { @for text in &dead { li { (text) } } }
            }))
        }
        @if !partly.is_empty() {
            details {
                summary { (language.tr("Rules that overlap")) }
                ul class="muted" { @for text in &partly { li { (text) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::ids::RuleId;
    use tollgate_core::money::Nanos;

    fn rule(pattern: &str, priority: i64) -> PriceRule {
        PriceRule {
            id: RuleId::from_random([7; 10]),
            pattern: pattern.to_owned(),
            markup_bps: 0,
            min_charge: Nanos::ZERO,
            priority,
            starts_at_ms: 0,
            ends_at_ms: None,
        }
    }

    #[test]
    fn a_rule_that_prices_nothing_is_told_with_its_winner() {
        let check = |rules: &[PriceRule], expect: &[&str]| {
            let page = overlap_warnings(Language::English, rules).into_string();
            for text in expect {
                assert!(page.contains(text), "{page}");
            }
            assert_eq!(expect.is_empty(), page.is_empty(), "{page}");
        };
        check(&[], &[]);
        check(&[rule("a/*", 0), rule("b/*", 0)], &[]);
        check(
            &[rule("a/<b>", 0), rule("a/*", 1)],
            &["never reached", "a/&lt;b&gt; prices nothing: a/* wins"],
        );
        check(&[rule("*", 0), rule("a/*", 0)], &["a/* wins over * for"]);
    }
}
