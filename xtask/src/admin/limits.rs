//! The flags for limits, which accounts and keys share: eight limits to begin with, or some to
//! change.

use clap::Args;
use serde_json::{Value, json};
use tollgate_core::accounts::LimitEdit;
use tollgate_core::limits::Limits;

use crate::arguments;
use crate::failure::Failure;

const MAX_PATTERNS: usize = 100;

/// Flags for limits. A number, or `none` for no limit.
#[derive(Args)]
pub(super) struct LimitFlags {
    /// Calls a minute
    #[arg(long, value_name = "N|none", allow_negative_numbers = true)]
    requests_per_minute: Option<String>,
    /// Calls an hour
    #[arg(long, value_name = "N|none", allow_negative_numbers = true)]
    requests_per_hour: Option<String>,
    /// Calls a day
    #[arg(long, value_name = "N|none", allow_negative_numbers = true)]
    requests_per_day: Option<String>,
    /// Tokens a minute
    #[arg(long, value_name = "N|none", allow_negative_numbers = true)]
    tokens_per_minute: Option<String>,
    /// Calls at the same time
    #[arg(long, value_name = "N|none", allow_negative_numbers = true)]
    parallel_calls: Option<String>,
    /// The most that a call may ask for as `max_tokens`
    #[arg(long, value_name = "N|none", allow_negative_numbers = true)]
    max_tokens: Option<String>,
    /// The `max_tokens` of a call that names none, at most
    #[arg(long, value_name = "N|none", allow_negative_numbers = true)]
    default_max_tokens: Option<String>,
    /// Models that may be called, such as `openai/*`; repeat it for more, `none` allows all
    #[arg(long, value_name = "PATTERN|none")]
    allow_model: Vec<String>,
}

impl LimitFlags {
    /// The limits that were named, in the order of `Limits`.
    ///
    /// # Errors
    /// When one of them is no limit.
    pub fn edits(&self) -> Result<Vec<LimitEdit>, Failure> {
        type Edit = fn(Option<u64>) -> LimitEdit;
        let numbers: [(&str, &Option<String>, u64, Edit); 7] = [
            (
                "requests-per-minute",
                &self.requests_per_minute,
                0,
                LimitEdit::RequestsPerMinute,
            ),
            (
                "requests-per-hour",
                &self.requests_per_hour,
                0,
                LimitEdit::RequestsPerHour,
            ),
            (
                "requests-per-day",
                &self.requests_per_day,
                0,
                LimitEdit::RequestsPerDay,
            ),
            (
                "tokens-per-minute",
                &self.tokens_per_minute,
                0,
                LimitEdit::TokensPerMinute,
            ),
            (
                "parallel-calls",
                &self.parallel_calls,
                0,
                LimitEdit::ParallelCalls,
            ),
            ("max-tokens", &self.max_tokens, 1, LimitEdit::MaxTokens),
            (
                "default-max-tokens",
                &self.default_max_tokens,
                1,
                LimitEdit::DefaultMaxTokens,
            ),
        ];
        let mut edits = Vec::new();
        for (flag, text, least, edit) in numbers {
            if let Some(text) = text {
                edits.push(edit(arguments::limit(flag, text, least)?));
            }
        }
        if !self.allow_model.is_empty() {
            edits.push(LimitEdit::AllowedModels(patterns(&self.allow_model)?));
        }
        Ok(edits)
    }

    /// As [`Self::edits`], for a command that does nothing else.
    ///
    /// # Errors
    /// When none was named.
    pub fn some_edits(&self) -> Result<Vec<LimitEdit>, Failure> {
        let edits = self.edits()?;
        if edits.is_empty() {
            return Err(Failure::new("no limit is named")
                .hint("name at least one, such as `--requests-per-minute 60`"));
        }
        Ok(edits)
    }

    /// The limits of something new: those that were named, and none besides.
    ///
    /// # Errors
    /// As [`Self::edits`].
    pub fn limits(&self) -> Result<Limits, Failure> {
        let mut limits = Limits::default();
        for edit in self.edits()? {
            match edit {
                LimitEdit::RequestsPerMinute(limit) => limits.requests_per_minute = limit,
                LimitEdit::RequestsPerHour(limit) => limits.requests_per_hour = limit,
                LimitEdit::RequestsPerDay(limit) => limits.requests_per_day = limit,
                LimitEdit::TokensPerMinute(limit) => limits.tokens_per_minute = limit,
                LimitEdit::ParallelCalls(limit) => limits.parallel_calls = limit,
                LimitEdit::MaxTokens(limit) => limits.max_tokens = limit,
                LimitEdit::DefaultMaxTokens(limit) => limits.default_max_tokens = limit,
                LimitEdit::AllowedModels(patterns) => limits.allowed_models = patterns,
            }
        }
        Ok(limits)
    }
}

fn patterns(texts: &[String]) -> Result<Option<Vec<String>>, Failure> {
    if texts == ["none"] {
        return Ok(None);
    }
    if texts.len() > MAX_PATTERNS {
        return Err(
            Failure::new(format!("there are more than {MAX_PATTERNS} patterns"))
                .hint("use `*` to allow many models with one pattern"),
        );
    }
    if texts.iter().any(|text| text == "none") {
        return Err(
            Failure::new("`--allow-model none` stands beside other patterns")
                .hint("`none` alone allows every model"),
        );
    }
    let patterns: Result<_, _> = texts.iter().map(|text| arguments::pattern(text)).collect();
    patterns.map(Some)
}

/// Limits on one line, those that are set.
pub(super) fn to_text(limits: &Limits) -> String {
    let numbers = limits
        .numbers()
        .into_iter()
        .filter_map(|(name, limit)| Some(format!("{} {}", name.replace('_', " "), limit?)));
    let models = limits
        .allowed_models
        .as_ref()
        .map(|patterns| format!("only {}", patterns.join(" ")));
    let parts: Vec<String> = numbers.chain(models).collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Limits as JSON, `null` where there is none.
pub(super) fn to_json(limits: &Limits) -> Value {
    let mut object: serde_json::Map<String, Value> = limits
        .numbers()
        .into_iter()
        .map(|(name, limit)| (name.to_owned(), json!(limit)))
        .collect();
    object.insert("allowed_models".to_owned(), json!(limits.allowed_models));
    Value::Object(object)
}
