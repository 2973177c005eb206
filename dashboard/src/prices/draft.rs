//! The form of a rule that is not saved yet. Its fields are a query, so that trying a rule changes
//! nothing; what is previewed is saved by a form of its own.

use maud::{Markup, html};
use tollgate_core::ids::RuleId;
use tollgate_core::selling::{RuleDraft, RuleInput, RuleProblem};
use tollgate_core::usage::Usage;

use crate::form::Form;
use crate::language::Language;
use crate::page::{Field, Tone, Zone, busy, form, link_button, submit};
use crate::place::Seller;

/// The fields that make a draft.
pub(super) const FIELDS: [&str; 6] = [
    "pattern",
    "markup",
    "min_charge",
    "priority",
    "starts_at",
    "replaces",
];

/// The most tokens of a reference call.
const MAX_TOKENS: u64 = 100_000_000;

/// What stands in the form.
pub(super) struct Typed<'a> {
    pub form: &'a Form,
    pub search: &'a str,
    pub after: &'a str,
    /// Which rule the draft is to replace.
    pub replaces: Option<RuleId>,
    /// The call whose price is shown.
    pub usage: Usage,
    starts_at: Result<Option<i64>, ()>,
}

/// Whether there is a rule to preview.
pub(super) enum Draft {
    /// Nothing is filled in, or not enough yet.
    None,
    /// Something is wrong: the field, and what to do about it.
    Wrong(Vec<(&'static str, &'static str)>),
    /// It could be saved.
    Rule(RuleDraft),
}

impl Draft {
    pub(super) fn rule(&self) -> Option<&RuleDraft> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::None | Self::Wrong(_) => None,
        }
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Wrong(problems) => problems.clone(),
            Self::None | Self::Rule(_) => Vec::new(),
        }
    }
}

impl<'a> Typed<'a> {
    pub(super) fn of(form: &'a Form, zone: &Zone) -> Self {
        let tokens = |name, usual: u64| {
            let typed = form.get(name).parse().unwrap_or(usual);
            typed.min(MAX_TOKENS)
        };
        Self {
            form,
            search: form.get("search"),
            after: form.get("after"),
            replaces: RuleId::parse(form.get("replaces")),
            usage: Usage {
                prompt_tokens: tokens("prompt_tokens", 1_000),
                completion_tokens: tokens("completion_tokens", 500),
                ..Usage::default()
            },
            starts_at: form
                .given("starts_at")
                .map(|text| zone.moment_of(text).ok_or(()))
                .transpose(),
        }
    }

    /// The draft, once its pattern and its markup are there.
    pub(super) fn draft(&self, language: Language, now_ms: i64) -> Draft {
        if self.form.given("pattern").is_none() || self.form.given("markup").is_none() {
            return Draft::None;
        }
        self.read(language, now_ms)
            .map_or_else(Draft::Wrong, Draft::Rule)
    }

    /// The rule, or what is wrong with the fields.
    pub(super) fn read(
        &self,
        language: Language,
        now_ms: i64,
    ) -> Result<RuleDraft, Vec<(&'static str, &'static str)>> {
        let input = RuleInput {
            pattern: self.form.get("pattern"),
            markup: self.form.get("markup"),
            min_charge: self.form.get("min_charge"),
            priority: self.form.get("priority"),
            starts_at_ms: self.starts_at.unwrap_or(None),
        };
        let told = |problem: RuleProblem| (problem.field(), problem_text(language, problem));
        let read = input
            .read(now_ms)
            .map_err(|problems| problems.into_iter().map(told).collect());
        match (read, self.starts_at) {
            (Ok(rule), Ok(_)) => Ok(rule),
            (Err(problems), Ok(_)) => Err(problems),
            (read, Err(())) => {
                let mut problems: Vec<_> = read.err().unwrap_or_default();
                problems.push(("starts_at", language.tr("This is not a day and time.")));
                Err(problems)
            }
        }
    }
}

/// The fields, sent as a query.
pub(super) fn fields(
    language: Language,
    typed: &Typed<'_>,
    problems: &[(&'static str, &'static str)],
) -> Markup {
    let error = |field: &str| {
        let found = problems.iter().find(|(known, _)| *known == field);
        found.map(|(_, text)| *text)
    };
    let form = typed.form;
    let prompt = typed.usage.prompt_tokens.to_string();
    let completion = typed.usage.completion_tokens.to_string();
    html! {
        form id="what-if" method="get" action="/prices" class="fields" hx-get="/prices"
            hx-target="#preview" hx-trigger="input delay:400ms, change" hx-sync="this:replace"
            hx-indicator="#previewing" {
            @if let Some(rule) = &typed.replaces {
                input type="hidden" name="replaces" value=(rule);
                p class="muted" { (language.tr("This will replace a rule: the old one ends where the new one starts.")) }
            }
            div class="grid gap-5 sm:grid-cols-2 lg:grid-cols-3" {
                (Field::text("pattern", language.tr("Models")).value(form.get("pattern"))
                    .error(error("pattern")).max_length(200).placeholder("openai/*")
                    .hint(language.tr("A model's name; * stands for any text.")))
                (Field::decimal("markup", language.tr("Markup")).value(form.get("markup")).suffix("%")
                    .error(error("markup")).placeholder("20")
                    .hint(language.tr("Added to what the call costs you.")))
                (Field::usd("min_charge", language.tr("Minimum for a call")).value(form.get("min_charge"))
                    .error(error("min_charge")).placeholder("0")
                    .hint(language.tr("Empty: no minimum.")))
                (Field::number("priority", language.tr("Priority")).value(form.get("priority"))
                    .error(error("priority")).placeholder("0")
                    .hint(language.tr("The highest wins, then the longest name.")))
                (Field::datetime("starts_at", language.tr("Starts")).value(form.get("starts_at"))
                    .error(error("starts_at"))
                    .hint(language.tr("In your time zone. Empty: at once.")))
                (Field::search("search", language.tr("Show only models with")).value(typed.search)
                    .max_length(100))
                (Field::number("prompt_tokens", language.tr("Tokens of the example's prompt"))
                    .value(&prompt).min("0").step("1"))
                (Field::number("completion_tokens", language.tr("Tokens of the example's answer"))
                    .value(&completion).min("0").step("1"))
            }
            div class="actions" {
                (submit(language.tr("Show what it does"), Tone::Plain))
                (link_button(language.tr("Start over"), "/prices", Tone::Quiet))
                (busy(language, "previewing"))
            }
        }
    }
}

/// The form that saves what is previewed.
pub(super) fn save_form(seller: &Seller, typed: &Typed<'_>, once: &RuleId) -> Markup {
    let language = seller.language();
    let label = if typed.replaces.is_some() {
        language.tr("Save this rule in place of the other")
    } else {
        language.tr("Save this rule")
    };
    form(
        "/prices/rules",
        seller.place.csrf(),
        Some(once.as_str()),
        html! {
            @for name in FIELDS {
                @if let Some(value) = typed.form.given(name) {
                    input type="hidden" name=(name) value=(value);
                }
            }
            div class="actions" { (submit(label, Tone::Primary)) }
        },
    )
}

const fn problem_text(language: Language, problem: RuleProblem) -> &'static str {
    match problem {
        RuleProblem::PatternMissing => language.tr("Say which models: a name, or * for all."),
        RuleProblem::PatternTooLong => language.tr("The name has more than 200 characters."),
        RuleProblem::PatternNotPlain => {
            language.tr("Names of models have no spaces and no letters beyond A to Z.")
        }
        RuleProblem::MarkupNotANumber => language.tr("Type a percentage such as 20 or 12.5."),
        RuleProblem::MarkupTooPrecise => language.tr("A markup has at most two decimals."),
        RuleProblem::MarkupNegative => {
            language.tr("A markup below zero would sell below cost. Type 0 or more.")
        }
        RuleProblem::MarkupTooHigh => language.tr("The highest markup is 100,000%."),
        RuleProblem::MinChargeNotAnAmount => {
            language.tr("Type an amount of US dollars such as 0.001.")
        }
        RuleProblem::MinChargeTooPrecise => language.tr("An amount has at most nine decimals."),
        RuleProblem::MinChargeNegative => language.tr("A minimum is zero or more."),
        RuleProblem::MinChargeTooHigh => language.tr("The highest minimum of a call is $1,000."),
        RuleProblem::PriorityOutOfRange => {
            language.tr("Type a whole number from \u{2212}1,000,000 to 1,000,000.")
        }
        RuleProblem::StartInThePast => {
            language.tr("The start is in the past, where calls were charged already.")
        }
        RuleProblem::StartTooFar => language.tr("The start is more than ten years ahead."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_348_800_000;

    #[test]
    fn a_half_typed_rule_is_no_mistake_yet() {
        let check = |query: &str, expect: &str| {
            let form = Form::parse(query.as_bytes());
            let zone = Zone::named("Europe/Berlin");
            let found = match Typed::of(&form, &zone).draft(Language::English, NOW_MS) {
                Draft::None => "none".to_owned(),
                Draft::Rule(rule) => format!("{} {}", rule.pattern, rule.markup_bps),
                Draft::Wrong(problems) => {
                    let fields: Vec<&str> = problems.iter().map(|(field, _)| *field).collect();
                    fields.join(" ")
                }
            };
            assert_eq!(found, expect, "{query}");
        };
        check("", "none");
        check("pattern=a", "none");
        check("markup=5", "none");
        check("pattern=a*&markup=5", "a* 500");
        check("pattern=a*&markup=-5", "markup");
        check("pattern=a*&markup=5&starts_at=soon", "starts_at");
        check(
            "pattern=a*&markup=5&starts_at=2020-01-01T00:00",
            "starts_at",
        );
        check("pattern=a*&markup=5&starts_at=2026-12-01T00:00", "a* 500");
        check(
            "pattern=a+b&markup=x&starts_at=soon",
            "pattern markup starts_at",
        );
    }
}
