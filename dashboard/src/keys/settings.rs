//! What can be set of a key, as a form sends it; `fields` shows it. What a name or a pattern may be is decided by
//! `core::accounts`.

use tollgate_core::accounts::{
    KeyEdit, KeyLine, KeyNameError, LONGEST_KEY_NAME, LimitEdit, MOST_MODEL_PATTERNS,
    ModelPatternsError, key_name, model_patterns,
};
use tollgate_core::budget::{Budget, Period};
use tollgate_core::limits::Limits;
use tollgate_core::money::Nanos;

use crate::form::Form;
use crate::language::Language;
use crate::utc_day;

/// The largest limit that is taken; no key comes near it.
const MOST: u64 = 1_000_000_000_000;

/// Everything that can be set of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What people call it.
    pub name: String,
    /// When it ends, in Unix milliseconds; `None`: never.
    pub expires_at_ms: Option<i64>,
    /// Its own limits.
    pub limits: Limits,
    /// Its budgets.
    pub budget: Budget,
}

/// The texts in the fields, and what is wrong with some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    values: Vec<(&'static str, String)>,
    errors: Vec<(&'static str, String)>,
}

impl Filled {
    /// As a form was sent.
    fn sent(form: &Form) -> Self {
        let budgets = Period::ALL.map(budget_field);
        let names = ["name", "expires", "models"];
        let names = names.into_iter().chain(limit_names()).chain(budgets);
        Self {
            values: names
                .map(|name| (name, form.get(name).to_owned()))
                .collect(),
            errors: Vec::new(),
        }
    }

    /// As a key is now.
    pub fn of(settings: &Settings) -> Self {
        let limits = &settings.limits;
        let numbers = limits.numbers().into_iter();
        let numbers = numbers.map(|(name, limit)| {
            let text = limit.map_or_else(String::new, |limit| limit.to_string());
            (name, text)
        });
        let mut values = vec![
            ("name", settings.name.clone()),
            (
                "expires",
                settings
                    .expires_at_ms
                    .map_or_else(String::new, utc_day::of_end),
            ),
            (
                "models",
                limits
                    .allowed_models
                    .as_deref()
                    .unwrap_or_default()
                    .join("\n"),
            ),
        ];
        values.extend(numbers);
        values.extend(Period::ALL.map(|period| {
            let amount = settings.budget.of(period);
            (
                budget_field(period),
                amount.map_or_else(String::new, Nanos::to_usd),
            )
        }));
        Self {
            values,
            errors: Vec::new(),
        }
    }

    pub(super) fn value(&self, name: &str) -> &str {
        let named = self.values.iter().find(|(known, _)| *known == name);
        named.map_or("", |(_, value)| value)
    }

    pub(super) fn error(&self, name: &str) -> Option<&str> {
        let named = self.errors.iter().find(|(known, _)| *known == name);
        named.map(|(_, error)| error.as_str())
    }

    fn fault<T: Default>(&mut self, name: &'static str, error: impl Into<String>) -> T {
        self.errors.push((name, error.into()));
        T::default()
    }
}

impl Settings {
    /// The settings of a key.
    pub fn of(line: &KeyLine) -> Self {
        Self {
            name: line.key.name.clone(),
            expires_at_ms: line.key.expires_at_ms,
            limits: line.key.limits.clone(),
            budget: line.purse.budget,
        }
    }

    /// Reads a form; what was typed comes back with what is wrong with it. `before` are the settings of
    /// the key that is edited: an expiry that was not touched stays, also in the middle of a day.
    pub fn read(
        language: Language,
        form: &Form,
        before: Option<&Self>,
        now_ms: i64,
    ) -> Result<Self, Filled> {
        let mut filled = Filled::sent(form);
        let mut settings = Self {
            name: read_name(language, &mut filled),
            expires_at_ms: read_expiry(language, &mut filled, before, now_ms),
            ..Self::default()
        };
        let limits = limit_names().map(|name| read_number(language, &mut filled, name));
        let [
            minute,
            hour,
            day,
            tokens,
            parallel,
            most_tokens,
            usual_tokens,
        ] = limits;
        settings.limits = Limits {
            requests_per_minute: minute,
            requests_per_hour: hour,
            requests_per_day: day,
            tokens_per_minute: tokens,
            parallel_calls: parallel,
            max_tokens: most_tokens,
            default_max_tokens: usual_tokens,
            allowed_models: read_models(language, &mut filled),
        };
        let [total, day, week, month] =
            Period::ALL.map(|period| read_amount(language, &mut filled, budget_field(period)));
        settings.budget = Budget {
            total,
            day,
            week,
            month,
        };
        if filled.errors.is_empty() {
            Ok(settings)
        } else {
            Err(filled)
        }
    }

    /// What has to be edited so that a key with the settings `before` has these; `None` when nothing.
    pub fn edit(&self, before: &Self) -> Option<KeyEdit> {
        let (new, old) = (&self.limits, &before.limits);
        let edits: [fn(Option<u64>) -> LimitEdit; 7] = [
            LimitEdit::RequestsPerMinute,
            LimitEdit::RequestsPerHour,
            LimitEdit::RequestsPerDay,
            LimitEdit::TokensPerMinute,
            LimitEdit::ParallelCalls,
            LimitEdit::MaxTokens,
            LimitEdit::DefaultMaxTokens,
        ];
        let changed = new.numbers().into_iter().zip(old.numbers()).zip(edits);
        let changed = changed.filter(|((new, old), _)| new != old);
        let mut limits: Vec<LimitEdit> = changed.map(|(((_, new), _), edit)| edit(new)).collect();
        if new.allowed_models != old.allowed_models {
            limits.push(LimitEdit::AllowedModels(new.allowed_models.clone()));
        }
        let budgets = Period::ALL.into_iter();
        let budgets = budgets.filter(|period| self.budget.of(*period) != before.budget.of(*period));
        let expiry = (self.expires_at_ms != before.expires_at_ms).then_some(self.expires_at_ms);
        let edit = KeyEdit {
            name: (self.name != before.name).then(|| self.name.clone()),
            expires_at_ms: expiry,
            limits,
            budgets: budgets
                .map(|period| (period, self.budget.of(period)))
                .collect(),
        };
        (edit != KeyEdit::default()).then_some(edit)
    }
}

/// The names of the limits that are numbers, in the order of [`Limits::numbers`].
pub(super) fn limit_names() -> [&'static str; 7] {
    Limits::default().numbers().map(|(name, _)| name)
}

pub(super) const fn budget_field(period: Period) -> &'static str {
    match period {
        Period::Total => "budget_total",
        Period::Day => "budget_day",
        Period::Week => "budget_week",
        Period::Month => "budget_month",
    }
}

fn read_name(language: Language, filled: &mut Filled) -> String {
    match key_name(filled.value("name")) {
        Ok(name) => name,
        Err(KeyNameError::Empty) => filled.fault("name", language.tr("Give the key a name.")),
        Err(KeyNameError::TooLong) => {
            let most: &dyn std::fmt::Display = &LONGEST_KEY_NAME;
            let error = language.fill("Use at most {most} characters.", &[("most", most)]);
            filled.fault("name", error)
        }
        Err(KeyNameError::Control) => filled.fault(
            "name",
            language.tr("There is an invisible character in this name. Type it anew."),
        ),
    }
}

fn read_expiry(
    language: Language,
    filled: &mut Filled,
    before: Option<&Settings>,
    now_ms: i64,
) -> Option<i64> {
    let typed = filled.value("expires").to_owned();
    let old = before.and_then(|before| before.expires_at_ms);
    if typed.is_empty() {
        return None;
    }
    if old.is_some_and(|old| utc_day::of_end(old) == typed) {
        return old;
    }
    match utc_day::end_ms(&typed) {
        Some(end_ms) if end_ms > now_ms => Some(end_ms),
        Some(_) => filled.fault(
            "expires",
            language.tr("This day is over. Choose today or a later day."),
        ),
        None => filled.fault(
            "expires",
            language.tr("This is not a day. Type it as in 2026-12-31."),
        ),
    }
}

fn read_number(language: Language, filled: &mut Filled, name: &'static str) -> Option<u64> {
    let typed = filled.value(name);
    if typed.is_empty() {
        return None;
    }
    let least = if name.ends_with("max_tokens") { 1 } else { 0 };
    match typed.parse() {
        Ok(number) if (least..=MOST).contains(&number) => Some(number),
        _ => filled.fault(
            name,
            language.fill(
                "Type a whole number, {least} or more, or leave it empty.",
                &[("least", &least)],
            ),
        ),
    }
}

fn read_amount(language: Language, filled: &mut Filled, name: &'static str) -> Option<Nanos> {
    let typed = filled.value(name);
    if typed.is_empty() {
        return None;
    }
    match Nanos::parse_usd(typed.trim_start_matches('$')) {
        Ok(amount) if amount >= Nanos::ZERO => Some(amount),
        Ok(_) | Err(_) => filled.fault(
            name,
            language.tr("Type an amount in dollars, such as 5 or 0.50, or leave it empty."),
        ),
    }
}

fn read_models(language: Language, filled: &mut Filled) -> Option<Vec<String>> {
    match model_patterns(filled.value("models")) {
        Ok(patterns) => patterns,
        Err(ModelPatternsError::TooMany) => {
            let most: &dyn std::fmt::Display = &MOST_MODEL_PATTERNS;
            let error = language.fill("Name at most {most} models or patterns.", &[("most", most)]);
            filled.fault("models", error)
        }
        Err(ModelPatternsError::TooLong) => filled.fault(
            "models",
            language.tr("One of these is too long for a model."),
        ),
        Err(ModelPatternsError::Character(_)) => filled.fault(
            "models",
            language.tr("There is an invisible character in one of these. Type it anew."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 November 2026, 10:15 UTC, and the end of that day.
    const NOW_MS: i64 = 1_793_700_900_000;
    const TODAY_ENDS_MS: i64 = 1_793_750_400_000;

    fn read(body: &str) -> Result<Settings, Filled> {
        let form = Form::parse(body.as_bytes());
        Settings::read(Language::English, &form, None, NOW_MS)
    }

    #[test]
    fn what_was_typed_is_what_the_key_gets() {
        let settings = read(
            "name=+ci+&budget_day=%240.50&budget_total=5&requests_per_minute=60&max_tokens=100\
             &models=openai/*%0d%0agoogle/x&expires=2026-11-03",
        )
        .unwrap();
        assert_eq!(settings.name, "ci");
        assert_eq!(settings.budget.day, Some(Nanos::new(500_000_000)));
        assert_eq!(settings.budget.total, Some(Nanos::new(5_000_000_000)));
        assert_eq!(settings.budget.month, None);
        assert_eq!(settings.limits.requests_per_minute, Some(60));
        assert_eq!(settings.limits.max_tokens, Some(100));
        assert_eq!(settings.expires_at_ms, Some(TODAY_ENDS_MS));
        let models = settings.limits.allowed_models.clone().unwrap();
        assert_eq!(models, ["openai/*", "google/x"]);
        let shown = Filled::of(&settings);
        assert_eq!(shown.value("expires"), "2026-11-03");
        assert_eq!(shown.value("budget_day"), "0.5");
        assert_eq!(shown.value("models"), "openai/*\ngoogle/x");
    }

    #[test]
    fn what_cannot_be_is_told_at_its_field_and_kept() {
        let check = |body: &str, field: &str| {
            let body = format!("name=x&{body}");
            let filled = read(&body).unwrap_err();
            assert!(filled.error(field).is_some(), "{body}");
            assert_eq!(filled.errors.len(), 1, "{body}");
            let typed = Form::parse(body.as_bytes());
            assert_eq!(filled.value(field), typed.get(field), "{body}");
        };
        check("budget_day=-1", "budget_day");
        check("budget_week=1e3", "budget_week");
        check("budget_month=99999999999999999999", "budget_month");
        check("requests_per_minute=-1", "requests_per_minute");
        check("requests_per_hour=1.5", "requests_per_hour");
        check("tokens_per_minute=1000000000001", "tokens_per_minute");
        check("max_tokens=0", "max_tokens");
        check("default_max_tokens=0", "default_max_tokens");
        check("expires=2026-11-02", "expires");
        check("expires=soon", "expires");
        check("models=a%00b", "models");
        assert!(read("name=+").unwrap_err().error("name").is_some());
    }

    #[test]
    fn an_edit_has_only_what_changed() {
        let before = Settings {
            name: "ci".to_owned(),
            // Set from the command line, in the middle of a day.
            expires_at_ms: Some(NOW_MS - 1),
            ..Settings::default()
        };
        let check = |body: &str, expect: Option<KeyEdit>| {
            let form = Form::parse(body.as_bytes());
            let new = Settings::read(Language::English, &form, Some(&before), NOW_MS).unwrap();
            assert_eq!(new.edit(&before), expect, "{body}");
        };
        check("name=ci&expires=2026-11-03", None);
        check(
            "name=ci",
            Some(KeyEdit {
                expires_at_ms: Some(None),
                ..KeyEdit::default()
            }),
        );
        check(
            "name=cd&expires=2026-11-03&parallel_calls=2&budget_week=1",
            Some(KeyEdit {
                name: Some("cd".to_owned()),
                limits: vec![LimitEdit::ParallelCalls(Some(2))],
                budgets: vec![(Period::Week, Some(Nanos::new(1_000_000_000)))],
                ..KeyEdit::default()
            }),
        );
    }
}
