//! Messages and their parts: what they may hold, how many images and how much text that is not
//! text. Whatever is not known here is refused, because it could be media that costs money.

use super::check::{check, invalid, known, missing, object, under, unknown};
use super::fields::Check;
use crate::error::{ApiError, ErrorCode};
use crate::json::{Kind, Raw, shown_name};

/// What messages and tools add to the price besides their text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) messages: u64,
    pub(super) tools: u64,
    pub(super) images: u64,
    /// Bytes of `data:` URLs: pixels, not text.
    pub(super) data_url_bytes: u64,
    pub(super) hour_cache: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
    Tool,
}

const ANY_TEXT: Check = Check::Text(usize::MAX);
const DETAILS: Check = Check::OneOf(&["auto", "low", "high", "original"]);
/// Kinds of `reasoning_details` that are text (OpenRouter's `ReasoningDetailUnion` has a fourth,
/// the calls of server tools).
const REASONING_KINDS: Check =
    Check::OneOf(&["reasoning.text", "reasoning.summary", "reasoning.encrypted"]);

/// Reads the `messages` array.
pub(super) fn read(messages: Raw<'_>, facts: &mut Facts) -> Result<(), ApiError> {
    for (index, message) in messages.elements().enumerate() {
        facts.messages = facts.messages.saturating_add(1);
        let place = || format!("messages[{index}]");
        if message.kind() != Kind::Object {
            return Err(invalid(&place(), "an object"));
        }
        read_message(message, facts).map_err(|error| under(&place(), error))?;
    }
    if facts.messages == 0 {
        return Err(invalid("messages", &Check::Messages.describe()));
    }
    Ok(())
}

fn read_message(message: Raw<'_>, facts: &mut Facts) -> Result<(), ApiError> {
    let role = role(message)?;
    // Looking a member up again would run through the whole message, images included.
    let (mut has_content, mut has_call_id) = (false, false);
    for (key, value) in message.members() {
        let known = match (&*key, role) {
            ("role", _) => true,
            ("content", _) => {
                has_content = !value.is_null();
                !has_content || content(value, role, facts)?
            }
            ("name", _) => known("name", ANY_TEXT, value)?,
            ("cache_control", _) => cache_control(value, facts)?,
            ("tool_call_id", Role::Tool) => {
                has_call_id = !value.is_null();
                known("tool_call_id", ANY_TEXT, value)?
            }
            (_, Role::Assistant) => assistant_member(&key, value)?,
            (_, Role::System | Role::User | Role::Tool) => false,
        };
        if !known {
            return Err(unknown(&key));
        }
    }
    if role != Role::Assistant && !has_content {
        return Err(missing("content"));
    }
    if role == Role::Tool && !has_call_id {
        return Err(missing("tool_call_id"));
    }
    Ok(())
}

fn role(message: Raw<'_>) -> Result<Role, ApiError> {
    let role = message.get("role").ok_or_else(|| missing("role"))?;
    match role.as_str().as_deref() {
        Some("system" | "developer") => Ok(Role::System),
        Some("user") => Ok(Role::User),
        Some("assistant") => Ok(Role::Assistant),
        Some("tool") => Ok(Role::Tool),
        _ => Err(invalid(
            "role",
            "one of `system`, `developer`, `user`, `assistant`, `tool`",
        )),
    }
}

/// What an answer's message may hold besides content, since callers send answers back as they are.
fn assistant_member(key: &str, value: Raw<'_>) -> Result<bool, ApiError> {
    if value.is_null() {
        let keys = [
            "audio",
            "images",
            "function_call",
            "tool_calls",
            "annotations",
        ];
        let texts = [
            "refusal",
            "reasoning",
            "reasoning_content",
            "reasoning_details",
            "model",
        ];
        return Ok(keys.contains(&key) || texts.contains(&key));
    }
    match key {
        "refusal" | "reasoning" | "reasoning_content" | "model" => known(key, ANY_TEXT, value),
        "tool_calls" => each(key, value, tool_call),
        "reasoning_details" => each(key, value, |detail| {
            let kind = detail.get("type").ok_or_else(|| missing("type"))?;
            check("type", REASONING_KINDS, kind)
        }),
        "annotations" => each(key, value, |note| {
            let kind = note.get("type").and_then(Raw::as_str);
            if kind.as_deref() == Some("url_citation") {
                Ok(())
            } else {
                Err(media(key))
            }
        }),
        "images" | "audio" if value.text() != "[]" => Err(media(key)),
        "images" => Ok(true),
        _ => Ok(false),
    }
}

fn each<'a>(
    name: &str,
    list: Raw<'a>,
    mut read: impl FnMut(Raw<'a>) -> Result<(), ApiError>,
) -> Result<bool, ApiError> {
    if list.kind() != Kind::Array {
        return Err(invalid(name, "an array"));
    }
    for (index, item) in list.elements().enumerate() {
        read(item).map_err(|error| under(&format!("{name}[{index}]"), error))?;
    }
    Ok(true)
}

fn tool_call(call: Raw<'_>) -> Result<(), ApiError> {
    if call.kind() != Kind::Object {
        return Err(invalid("type", "`function`"));
    }
    for (key, value) in call.members() {
        let known = match &*key {
            "id" => known("id", ANY_TEXT, value)?,
            "index" => known("index", Check::Integer(0, i64::MAX), value)?,
            "type" => known("type", Check::OneOf(&["function"]), value)?,
            "function" => {
                object("function", value, |key, value| match key {
                    "name" | "arguments" => known(key, ANY_TEXT, value),
                    _ => Ok(false),
                })?;
                true
            }
            _ => false,
        };
        if !known {
            return Err(unknown(&key));
        }
    }
    Ok(())
}

fn content(value: Raw<'_>, role: Role, facts: &mut Facts) -> Result<bool, ApiError> {
    match value.kind() {
        Kind::String => Ok(true),
        Kind::Array => each("content", value, |part| read_part(part, role, facts)),
        Kind::Null | Kind::Boolean | Kind::Number | Kind::Object => {
            Err(invalid("content", "a string or an array of parts"))
        }
    }
}

fn read_part(part: Raw<'_>, role: Role, facts: &mut Facts) -> Result<(), ApiError> {
    let kind = part.get("type").ok_or_else(|| missing("type"))?;
    let kind = kind.as_str().ok_or_else(|| invalid("type", "a string"))?;
    let is_image = match &*kind {
        "text" => false,
        "image_url" if role != Role::System => true,
        _ => return Err(media(&kind)),
    };
    let mut has_body = false;
    for (key, value) in part.members() {
        let known = match &*key {
            "type" => true,
            "text" if !is_image => {
                has_body = true;
                check("text", ANY_TEXT, value)?;
                true
            }
            "image_url" if is_image => {
                has_body = true;
                image_url(value, facts)?
            }
            "cache_control" => cache_control(value, facts)?,
            "prompt_cache_breakpoint" => {
                value.is_null() || {
                    object("prompt_cache_breakpoint", value, |key, mode| match key {
                        "mode" => known("mode", Check::OneOf(&["explicit"]), mode),
                        _ => Ok(false),
                    })?;
                    true
                }
            }
            _ => false,
        };
        if !known {
            return Err(unknown(&key));
        }
    }
    if !has_body {
        return Err(missing(if is_image { "image_url" } else { "text" }));
    }
    Ok(())
}

fn image_url(image: Raw<'_>, facts: &mut Facts) -> Result<bool, ApiError> {
    let mut has_url = false;
    object("image_url", image, |key, value| match key {
        "url" => {
            has_url = true;
            let url = value.as_str().ok_or_else(|| invalid("url", "a string"))?;
            let starts = |prefix: &str| {
                let head = url.get(..prefix.len());
                head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
            };
            if starts("data:image/") {
                let bytes = u64::try_from(url.len()).unwrap_or(u64::MAX);
                facts.data_url_bytes = facts.data_url_bytes.saturating_add(bytes);
            } else if starts("data:") {
                let kind = url.split([';', ',']).next().unwrap_or_default();
                return Err(media(kind).with_param("url"));
            } else if !starts("https://") {
                return Err(invalid("url", "an `https://` or `data:image/` URL"));
            }
            Ok(true)
        }
        "detail" => known(key, DETAILS, value),
        _ => Ok(false),
    })?;
    if !has_url {
        return Err(under("image_url", missing("url")));
    }
    facts.images = facts.images.saturating_add(1);
    Ok(true)
}

/// Anthropic's cache breakpoint; a `ttl` of an hour has a price of its own.
pub(super) fn cache_control(value: Raw<'_>, facts: &mut Facts) -> Result<bool, ApiError> {
    if value.is_null() {
        return Ok(true);
    }
    object("cache_control", value, |key, member| match key {
        "type" => known(key, Check::OneOf(&["ephemeral"]), member),
        "ttl" => known(key, Check::OneOf(&["5m", "1h"]), member),
        _ => Ok(false),
    })?;
    let ttl = value.get("ttl").and_then(Raw::as_str);
    facts.hour_cache |= ttl.as_deref() == Some("1h");
    Ok(true)
}

fn media(kind: &str) -> ApiError {
    ApiError::new(ErrorCode::UnsupportedContent)
        .with_message(format!(
            "content of the kind {} is not supported here",
            shown_name(kind)
        ))
        .with_param("type")
}
