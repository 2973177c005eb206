//! What an account has and how long it lasts: tiles that stay current by themselves, and the message
//! when credit runs out.

use maud::{Markup, html};
use tollgate_core::accounts::Account;
use tollgate_core::money::Nanos;
use tollgate_core::spending::{DAYS, Overview};

use crate::language::Language;
use crate::page::{Kind, Stat, alert_with, money, tiles, usd};

/// With fewer days than these left, the page says so.
const FEW_DAYS: i64 = 3;

/// The tiles. htmx asks for them again while the page is open.
pub fn wallet(language: Language, overview: &Overview) -> Markup {
    let account = &overview.account;
    let held = language.fill(
        "{held} of it is held by calls in flight",
        &[("held", &usd(account.held))],
    );
    let today = language.fill(
        "Today so far: {today}",
        &[("today", &usd(overview.spend_of_last(1)))],
    );
    let (rate, left) = rate(language, overview);
    let mut stats = vec![
        Stat {
            label: language.tr("Balance"),
            value: money(account.balance),
            hint: Some(&held),
            trend: None,
        },
        Stat {
            label: language.tr("Spent in 30 days"),
            value: money(overview.spend_of_last(DAYS)),
            hint: Some(&today),
            trend: None,
        },
        Stat {
            label: language.tr("Burn rate"),
            value: rate,
            hint: Some(language.tr("A day, the average of up to 7 full days")),
            trend: None,
        },
        Stat {
            label: language.tr("Days left"),
            value: left,
            hint: Some(language.tr("At that rate, without what is held")),
            trend: None,
        },
    ];
    if account.debt > Nanos::ZERO {
        stats.push(Stat {
            label: language.tr("Debt"),
            value: money(account.debt),
            hint: Some(language.tr("Your next credit repays it first")),
            trend: None,
        });
    }
    html! {
        div id="wallet" class="grid gap-4" hx-get="/" hx-trigger="every 15s" hx-swap="outerHTML" {
            (warning(language, overview))
            (tiles(&stats))
        }
    }
}

/// The burn rate and the days that are left, or a dash while nothing is known.
fn rate(language: Language, overview: &Overview) -> (Markup, Markup) {
    match overview.burn {
        Some(burn) => (money(burn.per_day), html! { (burn.days_left) }),
        None => {
            let unknown = html! {
                span aria-hidden="true" { "–" }
                span class="sr-only" { (language.tr("Not known yet")) }
            };
            (unknown.clone(), unknown)
        }
    }
}

fn warning(language: Language, overview: &Overview) -> Markup {
    let account = &overview.account;
    let has_called = account.charged > Nanos::ZERO;
    let (kind, text) = if free(account) <= 0 && (has_called || account.debt > Nanos::ZERO) {
        let text = if account.held > Nanos::ZERO {
            language.tr("All of your credit is held by calls in flight. The next call is refused until one of them ends.")
        } else {
            language.tr("Your credit is used up. The next call is refused.")
        };
        (Kind::Danger, text.to_owned())
    } else if let Some(burn) = overview.burn.filter(|burn| burn.days_left < FEW_DAYS) {
        let text = language.fill(
            "At the rate of the last days, your credit lasts for {days} more full days.",
            &[("days", &burn.days_left)],
        );
        (Kind::Warning, text)
    } else {
        return html! {};
    };
    let link = html! { a href="/billing" { (language.tr("Buy credit")) } };
    alert_with(kind, "", html! { (text) " " (link) })
}

const fn free(account: &Account) -> i64 {
    account.balance.get().saturating_sub(account.held.get())
}
