//! The fields in which everything that can be set of a key is typed.

use maud::{Markup, html};
use tollgate_core::budget::Period;

use super::settings::{Filled, budget_field, limit_names};
use crate::language::Language;
use crate::page::Field;

/// The fields, for a form to put around.
pub fn fields(language: Language, filled: &Filled) -> Markup {
    html! {
        (Field::text("name", language.tr("Name")).value(filled.value("name")).error(filled.error("name"))
            .hint(language.tr("So that you tell your keys apart, such as the program that uses it."))
            .required().max_length(64).autocomplete("off"))
        (budget_fields(language, filled))
        (limit_fields(language, filled))
        (Field::textarea("models", language.tr("Allowed models"), 3).value(filled.value("models"))
            .error(filled.error("models"))
            .hint(language.tr("One a line; * stands for any text, as in openai/*. Empty: every model.")))
        (Field::date("expires", language.tr("Last day")).value(filled.value("expires"))
            .error(filled.error("expires"))
            .hint(language.tr("The key works until this UTC day is over. Empty: for ever.")))
    }
}

fn budget_fields(language: Language, filled: &Filled) -> Markup {
    let fields = [
        (Period::Day, language.tr("A UTC day")),
        (Period::Week, language.tr("A UTC week, from Monday")),
        (Period::Month, language.tr("A UTC month")),
        (Period::Total, language.tr("In all")),
    ];
    html! {
        fieldset {
            legend class="font-semibold" { (language.tr("Budgets: the most that its calls may cost")) }
            div class="grid gap-4 sm:grid-cols-2" {
                @for (period, label) in fields {
                    @let name = budget_field(period);
                    (Field::usd(name, label).value(filled.value(name)).error(filled.error(name))
                        .placeholder(language.tr("No budget")).autocomplete("off"))
                }
            }
        }
    }
}

fn limit_fields(language: Language, filled: &Filled) -> Markup {
    let labels = [
        language.tr("Requests a minute"),
        language.tr("Requests an hour"),
        language.tr("Requests a day"),
        language.tr("Tokens a minute"),
        language.tr("Calls at the same time"),
        language.tr("Most tokens of an answer"),
        language.tr("Tokens of an answer when a call does not say"),
    ];
    html! {
        fieldset {
            legend class="font-semibold" { (language.tr("Limits")) }
            p class="muted" { (language.tr("An empty field takes the account's default.")) }
            div class="grid gap-4 sm:grid-cols-2" {
                @for (name, label) in limit_names().into_iter().zip(labels) {
                    (Field::number(name, label).value(filled.value(name)).error(filled.error(name))
                        .min(if name.ends_with("max_tokens") { "1" } else { "0" }).autocomplete("off"))
                }
            }
        }
    }
}
