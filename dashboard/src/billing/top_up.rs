//! Automatic top-up: its settings, and the form for them. The scheduled task buys.

use maud::{Markup, html};
use tollgate_core::money::Nanos;
use tollgate_core::orders::TopUp;
use tollgate_core::stripe::Cents;

use super::page::{Desk, Typed, Wrong, amount, show};
use super::words::top_up_refusal;
use crate::answer::Answer;
use crate::fault::Outcome;
use crate::language::Language;
use crate::page::{Field, Kind, Tone, alert, card, form as form_of, submit};
use crate::payments::terms;
use crate::place::Buyer;
use crate::visit::Visit;

const PATH: &str = "/billing/top-up";

const FIELDS: [&str; 4] = ["enabled", "threshold", "top_up_amount", "month_limit"];

/// The form with what is set.
pub(super) fn form(buyer: &Buyer, desk: &Desk, typed: &Typed<'_>) -> Markup {
    let language = buyer.language();
    let saved = desk.customer.as_ref().and_then(|it| it.card.as_ref());
    let kept = desk.top_up.as_ref().map(|it| &it.top_up);
    let dollars = |cents: Cents| cents.to_nanos().map_or(String::new(), Nanos::to_usd);
    let threshold = kept.map_or("5".to_owned(), |it| it.threshold.to_usd());
    let each = kept.map_or("20".to_owned(), |it| dollars(it.amount));
    let month = kept.map_or("100".to_owned(), |it| dollars(it.month_limit));
    let is_on = kept.is_some_and(|it| it.enabled);
    let enabled = typed.ticked((PATH, "enabled"), is_on);
    let switch = Field::checkbox(
        "enabled",
        language.tr("Buy credit by itself when it runs low"),
        enabled,
    );
    let body = html! {
        (switch.error(typed.error("enabled")))
        (amount(typed, ("threshold", language.tr("When less than this is free")), &threshold).required())
        (amount(typed, ("top_up_amount", language.tr("Buy for")), &each).required())
        (amount(typed, ("month_limit", language.tr("At most in a month")), &month).required()
            .hint(language.tr("Of a calendar month in UTC; only automatic top-ups count.")))
        (submit(language.tr("Save"), Tone::Primary))
    };
    card(
        language.tr("Automatic top-up"),
        html! {
            @match saved {
                Some(card) => {
                    p class="muted" {
                        (language.fill(
                            "Pays with the saved card {card}. A payment that fails switches it off.",
                            &[("card", &card.label)],
                        ))
                    }
                    (form_of(PATH, buyer.place.csrf(), None, body))
                }
                None => {
                    @for error in FIELDS.iter().filter_map(|name| typed.error(name)) {
                        (alert(Kind::Warning, error))
                    }
                    (no_card(language))
                },
            }
        },
    )
}

fn no_card(language: Language) -> Markup {
    let text = language.tr(
        "There is no saved card yet. Save one above, or with your next purchase; then you can switch it on here.",
    );
    alert(Kind::Info, text)
}

/// What the form says, or the field that says nothing.
fn parse(form: &crate::form::Form) -> Result<TopUp, &'static str> {
    let cents = |name: &'static str| Cents::parse_usd(form.get(name)).ok_or(name);
    let threshold = cents("threshold")?.to_nanos().ok_or("threshold")?;
    Ok(TopUp {
        enabled: form.is_ticked("enabled"),
        threshold,
        amount: cents("top_up_amount")?,
        month_limit: cents("month_limit")?,
    })
}

/// `POST /billing/top-up`: sets it.
pub async fn set(visit: &Visit, buyer: &Buyer) -> Outcome<Answer> {
    let language = buyer.language();
    let wrong = |field, why: String| show(visit, buyer, Some(Wrong { field, why }));
    let top_up = match parse(&visit.asked.form) {
        Ok(top_up) => top_up,
        Err(field) => {
            let why = language.tr("Type an amount in dollars, such as 15 or 15.50.");
            return wrong(field, why.to_owned()).await;
        }
    };
    let caps = terms(visit)?.caps;
    let edit = top_up.edit(buyer.account(), &caps, &buyer.change(visit));
    let (batch, commit) = match edit {
        Ok(commit) => commit,
        Err(refusal) => {
            let (field, why) = top_up_refusal(language, refusal);
            return wrong(field, why).await;
        }
    };
    let reply = visit.execute(&batch).await?;
    if !reply.is_ok(commit) {
        let why = language.tr(
            "It was not saved: there is no saved card any more, or the database was busy. Try again.",
        );
        return wrong("enabled", why.to_owned()).await;
    }
    Ok(Answer::see_other("/billing?done=saved"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Form;

    #[test]
    fn what_is_typed_is_set_and_nothing_else() {
        let check = |body: &str, expect: Result<(bool, i64, i64, i64), &str>| {
            let got = parse(&Form::parse(body.as_bytes())).map(|it| {
                let (amount, month) = (it.amount.get(), it.month_limit.get());
                (it.enabled, it.threshold.get(), amount, month)
            });
            assert_eq!(got, expect, "{body}");
        };
        check(
            "enabled=on&threshold=5&top_up_amount=20&month_limit=100",
            Ok((true, 5_000_000_000, 2_000, 10_000)),
        );
        check(
            "threshold=0&top_up_amount=20.5&month_limit=%24100",
            Ok((false, 0, 2_050, 10_000)),
        );
        check(
            "threshold=x&top_up_amount=20&month_limit=100",
            Err("threshold"),
        );
        check(
            "threshold=5&top_up_amount=&month_limit=100",
            Err("top_up_amount"),
        );
        check("threshold=5&top_up_amount=20", Err("month_limit"));
    }
}
