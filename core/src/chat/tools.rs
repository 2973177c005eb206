//! Tools: only functions that the caller runs. OpenRouter's server tools (web search, image
//! generation, …) cost money per use that no hold could bound.

use super::check::{invalid, known, missing, object, under};
use super::fields::Check;
use super::messages::{Facts, cache_control};
use crate::error::{ApiError, ErrorCode};
use crate::json::{Kind, Raw, shown_name};

const NAME: Check = Check::Text(64);

/// Reads the `tools` array.
pub(super) fn read(tools: Raw<'_>, facts: &mut Facts) -> Result<(), ApiError> {
    if tools.kind() != Kind::Array {
        return Err(invalid("tools", &Check::Tools.describe()));
    }
    for (index, tool) in tools.elements().enumerate() {
        facts.tools = facts.tools.saturating_add(1);
        let place = format!("tools[{index}]");
        only_function(tool).map_err(|error| under(&place, error))?;
        object(&place, tool, |key, value| match key {
            "type" => Ok(true),
            "function" => function(value),
            "cache_control" => cache_control(value, facts),
            _ => Ok(false),
        })?;
        if tool.get("function").is_none() {
            return Err(under(&place, missing("function")));
        }
    }
    Ok(())
}

/// Reads `tool_choice`.
pub(super) fn read_choice(choice: Raw<'_>) -> Result<(), ApiError> {
    match choice.kind() {
        Kind::String => {
            let word = choice.as_str().unwrap_or_default();
            if matches!(&*word, "none" | "auto" | "required") {
                return Ok(());
            }
            Err(invalid("tool_choice", &Check::ToolChoice.describe()))
        }
        Kind::Object => {
            only_function(choice).map_err(|error| under("tool_choice", error))?;
            object("tool_choice", choice, |key, value| match key {
                "type" => Ok(true),
                "function" => {
                    object(key, value, |key, value| match key {
                        "name" => known(key, NAME, value),
                        _ => Ok(false),
                    })?;
                    Ok(true)
                }
                _ => Ok(false),
            })
        }
        Kind::Null | Kind::Boolean | Kind::Number | Kind::Array => {
            Err(invalid("tool_choice", &Check::ToolChoice.describe()))
        }
    }
}

fn only_function(tool: Raw<'_>) -> Result<(), ApiError> {
    if tool.kind() != Kind::Object {
        return Err(invalid("type", "`function`"));
    }
    let kind = tool.get("type").ok_or_else(|| missing("type"))?;
    let kind = kind.as_str().ok_or_else(|| invalid("type", "`function`"))?;
    if kind == "function" {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::UnsupportedParameter)
        .with_message(format!(
            "a tool of the type {} is not supported",
            shown_name(&kind)
        ))
        .with_hint("server tools cost extra; offer a `function` tool and run it on your side")
        .with_param("type"))
}

fn function(function: Raw<'_>) -> Result<bool, ApiError> {
    object("function", function, |key, value| match key {
        "name" => known(key, NAME, value),
        "description" => known(key, Check::Text(usize::MAX), value),
        "strict" => known(key, Check::Boolean, value),
        "parameters" if value.is_null() || value.kind() == Kind::Object => Ok(true),
        "parameters" => Err(invalid(key, "an object")),
        _ => Ok(false),
    })?;
    if function.get("name").is_none() {
        return Err(under("function", missing("name")));
    }
    Ok(true)
}
