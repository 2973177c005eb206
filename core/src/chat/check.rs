//! Runs the checks of the field table on single values, and words the refusals.

use super::fields::Check;
use crate::error::{ApiError, ErrorCode};
use crate::json::{Kind, Raw, shown_name};

const EFFORTS: Check = Check::OneOf(super::fields::EFFORTS);
const SUMMARIES: Check = Check::OneOf(&["auto", "concise", "detailed"]);
const FORMATS: Check = Check::OneOf(&["text", "json_object", "json_schema", "grammar", "python"]);

/// Whether a value passes. The checks with a reader of their own (messages, tools, cache control
/// and token limits) are only tested for their outer shape here.
pub(super) fn check(name: &str, check: Check, value: Raw<'_>) -> Result<(), ApiError> {
    let fits = match check {
        Check::Boolean => value.as_bool().is_some(),
        Check::Integer(low, high) => {
            value.kind() == Kind::Number
                && value
                    .text()
                    .parse()
                    .is_ok_and(|number: i64| low <= number && number <= high)
        }
        Check::Number(low, high) => value.as_decimal().is_some_and(|n| n.is_within(low, high)),
        Check::Text(most) => is_text(value, most),
        Check::Texts(most) => {
            let mut texts = value.elements();
            value.kind() == Kind::String
                || value.kind() == Kind::Array
                    && texts.clone().count() <= most
                    && texts.all(|text| text.kind() == Kind::String)
        }
        Check::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&&*word)),
        Check::Only(text) => value.text() == text,
        Check::TextModality => {
            value.kind() == Kind::Array && value.elements().all(|kind| kind.text() == "\"text\"")
        }
        Check::Metadata => {
            value.kind() == Kind::Object
                && value.members().count() <= 16
                && value
                    .members()
                    .all(|(key, note)| key.chars().count() <= 64 && is_text(note, 512))
        }
        Check::LogitBias => {
            value.kind() == Kind::Object
                && value.members().all(|(_, bias)| {
                    bias.as_decimal()
                        .is_some_and(|bias| bias.is_within(-100, 100))
                })
        }
        Check::Model => value.as_str().is_some_and(|model| {
            !model.is_empty() && model.chars().count() <= 256 && !model.contains(char::is_control)
        }),
        Check::Messages | Check::Tools => value.kind() == Kind::Array,
        Check::ToolChoice => matches!(value.kind(), Kind::String | Kind::Object),
        Check::TokenLimit => value.as_u64().is_some_and(|tokens| tokens > 0),
        Check::ResponseFormat => return response_format(name, value),
        Check::Reasoning => return reasoning(name, value),
        Check::StreamOptions => {
            return only_booleans(name, value, &["include_usage", "include_obfuscation"]);
        }
        Check::UsageOptions => return only_booleans(name, value, &["include"]),
        Check::CacheControl | Check::CacheOptions => value.kind() == Kind::Object,
        Check::Nothing => false,
    };
    if fits {
        Ok(())
    } else {
        Err(invalid(name, &check.describe()))
    }
}

/// `invalid_value`: `name` must be what is expected.
pub(super) fn invalid(name: &str, expected: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidValue)
        .with_message(format!("{} must be {expected}", shown_name(name)))
        .with_param(name)
}

/// `unsupported_parameter` for a key that has no place where it stands.
pub(super) fn unknown(name: &str) -> ApiError {
    let shown = shown_name(name);
    ApiError::new(ErrorCode::UnsupportedParameter)
        .with_message(format!("{shown} is not supported here"))
        .with_param(shown.trim_matches('`'))
}

/// `missing_field`.
pub(super) fn missing(name: &str) -> ApiError {
    ApiError::new(ErrorCode::MissingField)
        .with_message(format!("{} is missing", shown_name(name)))
        .with_param(name)
}

/// The same error, told of a place inside `parent`.
pub(super) fn under(parent: &str, mut error: ApiError) -> ApiError {
    error.param = Some(match error.param {
        Some(inner) if inner.starts_with('[') => format!("{parent}{inner}"),
        Some(inner) => format!("{parent}.{inner}"),
        None => parent.to_owned(),
    });
    error
}

/// Calls `each` for every member of an object that is not null; it answers `false` for a key that
/// has no place there. Errors are told of their place inside `name`.
pub(super) fn object<'a>(
    name: &str,
    value: Raw<'a>,
    mut each: impl FnMut(&str, Raw<'a>) -> Result<bool, ApiError>,
) -> Result<(), ApiError> {
    if value.kind() != Kind::Object {
        return Err(invalid(name, "an object"));
    }
    for (key, member) in value.members() {
        let known = each(&key, member).map_err(|error| under(name, error))?;
        if !known {
            return Err(under(name, unknown(&key)));
        }
    }
    Ok(())
}

/// Checks a member that may be null; always `true`, so that it can end an arm of `object`.
pub(super) fn known(name: &str, rule: Check, value: Raw<'_>) -> Result<bool, ApiError> {
    if !value.is_null() {
        check(name, rule, value)?;
    }
    Ok(true)
}

fn is_text(value: Raw<'_>, most: usize) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.chars().count() <= most)
}

fn only_booleans(name: &str, value: Raw<'_>, keys: &[&str]) -> Result<(), ApiError> {
    object(name, value, |key, flag| {
        if keys.contains(&key) {
            known(key, Check::Boolean, flag)
        } else {
            Ok(false)
        }
    })
}

fn response_format(name: &str, value: Raw<'_>) -> Result<(), ApiError> {
    object(name, value, |key, member| match key {
        "type" => known(key, FORMATS, member),
        "grammar" => known(key, Check::Text(usize::MAX), member),
        "json_schema" => {
            if member.is_null() || member.kind() == Kind::Object {
                return Ok(true);
            }
            Err(invalid(key, "an object"))
        }
        _ => Ok(false),
    })?;
    if value.get("type").is_none() {
        return Err(under(name, missing("type")));
    }
    Ok(())
}

fn reasoning(name: &str, value: Raw<'_>) -> Result<(), ApiError> {
    object(name, value, |key, member| match key {
        "effort" => known(key, EFFORTS, member),
        "summary" => known(key, SUMMARIES, member),
        "max_tokens" => known(key, Check::Integer(0, i64::MAX), member),
        "exclude" | "enabled" => known(key, Check::Boolean, member),
        _ => Ok(false),
    })
}
