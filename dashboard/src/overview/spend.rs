//! What was spent in the last days: by day, by model and by key.

use maud::{Markup, html};
use tollgate_core::money::Nanos;
use tollgate_core::spending::{Overview, Share};

use crate::language::Language;
use crate::page::{
    Days, Rank, Tone, Zone, card, card_with, day_bars, empty_state, link_button, moment, ranking,
};
use crate::place::Person;
use crate::requests::link_to;

const DAY_MS: i64 = 86_400_000;

/// The chart and the two rankings.
pub fn cards(language: Language, person: &Person, overview: &Overview) -> Markup {
    let title = language.tr("Spend per day by model, the last 30 UTC days");
    let requests = link_button(language.tr("All requests"), "/requests", Tone::Quiet);
    let models = ranks(language, &overview.models, "model");
    let keys = ranks(language, &overview.keys, "key");
    let (by_model, by_key) = (language.tr("By model"), language.tr("By key"));
    let chart = if overview.parts.iter().all(|part| part.spend == Nanos::ZERO) {
        empty_state(
            language.tr("Nothing was spent in these days"),
            language.tr("What your calls cost is drawn here, day by day."),
            html! {},
        )
    } else {
        day_bars(language, "spend", title, &days(language, overview))
    };
    html! {
        (card_with(title, requests, chart))
        div class="grid gap-4 lg:grid-cols-2" {
            @if !models.is_empty() { (card(by_model, ranking(by_model, &models))) }
            @if !keys.is_empty() { (card(by_key, ranking(by_key, &keys))) }
        }
        @if person.session.role == tollgate_core::people::Role::Reseller {
            p class="muted" { (counted(language, person, overview.counted_to_ms)) }
        }
    }
}

/// How far the calls of a reseller's customers are in its spend.
fn counted(language: Language, person: &Person, to_ms: Option<i64>) -> Markup {
    html! {
        @match to_ms {
            Some(to_ms) => {
                (language.tr("The spend includes what the calls of your customers cost you, counted until"))
                " " (moment(language, to_ms, &Zone::named(&person.session.time_zone))) "."
            },
            None => {
                (language.tr("The spend includes what the calls of your customers cost you, some minutes after each call."))
            },
        }
    }
}

fn days(language: Language, overview: &Overview) -> Days {
    let utc = Zone::named("UTC");
    let date = |day: i64| utc.date(day.saturating_mul(DAY_MS));
    let first = overview.days.first().map_or(0, |day| day.day);
    let last = overview.days.last().map_or(0, |day| day.day);
    let other = language.tr("Other models");
    let rows = overview.parts.iter().map(|part| {
        let name = part.model.as_deref().unwrap_or(other);
        (date(part.day), name.to_owned(), part.spend)
    });
    Days::from_rows(date(first), date(last), rows).with_last(other)
}

/// `filter` is the filter of the request log by which a share is found again.
fn ranks(language: Language, shares: &[Share], filter: &str) -> Vec<Rank> {
    let shares = shares.iter();
    shares
        .map(|share| Rank {
            label: Some(share.name.as_str())
                .filter(|name| !name.is_empty())
                .unwrap_or(&share.id)
                .to_owned(),
            href: Some(link_to(&[(filter, &share.id)])),
            value: share.spend,
            note: Some(language.fill("{n} calls", &[("n", &share.calls)])),
        })
        .collect()
}
