//! Reads a chat request: which model and knobs, how many prompt tokens by the documented rule, what
//! form of answer is wanted. Lenient where OpenRouter is lenient; what to answer is decided elsewhere.

use serde_json::Value;

use super::knobs::{Knobs, split_model};
use super::models::{self, Model};
use super::price_limit;

/// Prompt tokens that each message adds to its text.
pub const TOKENS_PER_MESSAGE: u64 = 3;
/// Prompt tokens that each image counts as.
pub const TOKENS_PER_IMAGE: u64 = 85;
const BYTES_PER_TOKEN: usize = 4;

/// What a chat request says, as far as the simulator cares.
#[derive(Debug)]
pub struct Chat {
    /// The model's name without knobs, as the answer repeats it.
    pub slug: String,
    /// The model that answers.
    pub model: &'static Model,
    /// What this call changes.
    pub knobs: Knobs,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// The output limit, if any.
    pub max_tokens: Option<u64>,
    /// The text of the last user message, without knobs.
    pub last_user_text: String,
    /// Prompt tokens: a quarter of the text's bytes, rounded up, plus 3 per message and 85 per image.
    pub prompt_tokens: u64,
    /// Input images.
    pub images: u64,
    /// The form of the answer.
    pub form: Form,
    /// Whether the model is as cheap as the request demands.
    pub affordable: bool,
    /// A number that follows from the request's bytes.
    pub hash: u64,
}

/// The form of an answer.
#[derive(Debug, PartialEq)]
pub enum Form {
    /// Plain text.
    Text,
    /// JSON, an instance of this schema.
    Json(Value),
    /// A call of this function with arguments of this schema.
    Tool {
        /// The function's name.
        name: String,
        /// The schema of its arguments.
        parameters: Value,
    },
}

/// Why a request gets 400, in OpenRouter's words.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

impl Chat {
    /// Reads a request body.
    pub fn read(body: &[u8]) -> Result<Self, Invalid> {
        let invalid = |message: &str| Invalid(message.to_owned());
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| Invalid(format!("Invalid JSON: {error}")))?;
        let name = value.get("model").and_then(Value::as_str);
        let (slug, knobs_text) = split_model(name.ok_or_else(|| invalid("No models provided"))?);
        let model =
            models::find(slug).ok_or_else(|| Invalid(format!("{slug} is not a valid model ID")))?;
        let messages = value.get("messages").and_then(Value::as_array);
        let messages = messages
            .filter(|messages| !messages.is_empty())
            .ok_or_else(|| invalid("Input required: specify \"prompt\" or \"messages\""))?;
        let mut knobs = Knobs::default();
        knobs.read(knobs_text);
        let last_user_text = knobs.take_from(&last_user_text(messages));
        let images: u64 = messages.iter().map(count_images).sum();
        Ok(Self {
            slug: slug.to_owned(),
            model,
            knobs,
            stream: value
                .get("stream")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            max_tokens: max_tokens(&value)?,
            prompt_tokens: prompt_tokens(&value, messages, images),
            images,
            form: form(&value, &last_user_text),
            last_user_text,
            // The prices of a model that only passes for `sim/echo` are not known here.
            affordable: model.slug != slug || price_limit::allows(&value, &model.price)?,
            hash: hash(body),
        })
    }
}

/// FNV-1a: the same bytes give the same number in every build.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn max_tokens(request: &Value) -> Result<Option<u64>, Invalid> {
    let mut limit = None;
    for name in ["max_tokens", "max_completion_tokens"] {
        match request.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                let tokens = value.as_u64().ok_or_else(|| {
                    Invalid(format!(
                        "{name}: Invalid input: expected a whole number, zero or more"
                    ))
                })?;
                limit = Some(limit.map_or(tokens, |limit: u64| limit.min(tokens)));
            }
        }
    }
    Ok(limit)
}

fn prompt_tokens(request: &Value, messages: &[Value], images: u64) -> u64 {
    let tools = request
        .get("tools")
        .map_or(0, |tools| tools.to_string().len());
    let bytes = tools + messages.iter().map(text_bytes).sum::<usize>();
    count(bytes.div_ceil(BYTES_PER_TOKEN))
        + TOKENS_PER_MESSAGE * count(messages.len())
        + TOKENS_PER_IMAGE * images
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn text_bytes(message: &Value) -> usize {
    let calls = message
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let arguments = calls.filter_map(|call| call.pointer("/function/arguments")?.as_str());
    texts(message).chain(arguments).map(str::len).sum()
}

/// The text of a message: its content string, or the text parts of its content.
fn texts(message: &Value) -> impl Iterator<Item = &str> {
    let content = message.get("content");
    let parts = content.and_then(Value::as_array).into_iter().flatten();
    let parts = parts.filter_map(|part| part.get("text")?.as_str());
    content.and_then(Value::as_str).into_iter().chain(parts)
}

fn count_images(message: &Value) -> u64 {
    let parts = message
        .get("content")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    count(
        parts
            .filter(|part| part.get("type").is_some_and(|kind| kind == "image_url"))
            .count(),
    )
}

fn last_user_text(messages: &[Value]) -> String {
    let is_user = |message: &&Value| message.get("role").is_some_and(|role| role == "user");
    let last = messages.iter().rev().find(is_user);
    last.map(|message| texts(message).collect::<Vec<_>>().join("\n"))
        .unwrap_or_default()
}

fn form(request: &Value, last_user_text: &str) -> Form {
    if let Some(tool) = wanted_tool(request, last_user_text) {
        return tool;
    }
    match request
        .pointer("/response_format/type")
        .and_then(Value::as_str)
    {
        Some("json_schema") => {
            let schema = request.pointer("/response_format/json_schema/schema");
            Form::Json(schema.cloned().unwrap_or(Value::Null))
        }
        Some("json_object") => Form::Json(Value::Null),
        _ => Form::Text,
    }
}

/// The tool to call: the named one, or the first when a call is required or the user says `tool`.
fn wanted_tool(request: &Value, last_user_text: &str) -> Option<Form> {
    let tools = request.get("tools")?.as_array()?;
    let choice = request.get("tool_choice");
    let named = choice.and_then(|choice| choice.pointer("/function/name")?.as_str());
    let asked = match choice.and_then(Value::as_str) {
        Some("none") => false,
        Some("required") => true,
        _ => last_user_text.contains("tool"),
    };
    let mut functions = tools.iter().filter_map(|tool| tool.get("function"));
    let function = match named {
        Some(name) => functions.find(|function| function.get("name").is_some_and(|n| n == name)),
        None if asked => functions.next(),
        None => None,
    }?;
    Some(Form::Tool {
        name: function.get("name")?.as_str()?.to_owned(),
        parameters: function.get("parameters").cloned().unwrap_or(Value::Null),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Chat, Invalid> {
        Chat::read(value.to_string().as_bytes())
    }

    #[test]
    fn prompt_tokens_follow_from_text_messages_tools_and_images() {
        let check = |extra: Value, messages: Value, expect: (u64, u64)| {
            let mut body = json!({"model": "sim/echo", "messages": messages});
            body.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            let chat = read(&body).unwrap();
            assert_eq!((chat.prompt_tokens, chat.images), expect, "{body}");
        };
        let user = |content: Value| json!([{"role": "user", "content": content}]);
        check(json!({}), user(json!("")), (3, 0));
        check(json!({}), user(json!("abcd")), (4, 0));
        check(json!({}), user(json!("abcde")), (5, 0));
        check(json!({}), user(json!("é€🦀")), (6, 0));
        let parts = json!([
            {"type": "text", "text": "abcd"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        ]);
        check(json!({}), user(parts), (89, 1));
        check(
            json!({}),
            json!([{"role": "system", "content": "abcd"}, {"role": "user", "content": "abcd"}]),
            (8, 0),
        );
        check(json!({"tools": ["12345"]}), user(json!("abc")), (6, 0));
        let call = json!({"function": {"name": "f", "arguments": "{\"a\":1}"}});
        check(
            json!({}),
            json!([{"role": "assistant", "tool_calls": [call]}]),
            (5, 0),
        );
    }

    #[test]
    fn the_form_of_the_answer_is_what_the_request_asks_for() {
        let check = |extra: Value, text: &str, expect: Form| {
            let mut body = json!({"model": "m", "messages": [{"role": "user", "content": text}]});
            body.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            assert_eq!(read(&body).unwrap().form, expect, "{body}");
        };
        let schema = json!({"type": "object"});
        let tools = json!([
            {"type": "function", "function": {"name": "first", "parameters": schema}},
            {"type": "function", "function": {"name": "second"}},
        ]);
        let first = || Form::Tool {
            name: "first".to_owned(),
            parameters: schema.clone(),
        };
        let second = || Form::Tool {
            name: "second".to_owned(),
            parameters: Value::Null,
        };
        let with = |choice: Value| json!({"tools": tools, "tool_choice": choice});
        check(json!({}), "use a tool", Form::Text);
        check(json!({"tools": tools}), "hello", Form::Text);
        check(json!({"tools": tools}), "use a tool", first());
        check(with(json!("auto")), "hello", Form::Text);
        check(with(json!("none")), "use a tool", Form::Text);
        check(with(json!("required")), "hello", first());
        let named = json!({"type": "function", "function": {"name": "second"}});
        check(with(named), "hello", second());
        let json_mode = |format: Value| json!({"response_format": format});
        check(
            json_mode(json!({"type": "json_object"})),
            "hello",
            Form::Json(Value::Null),
        );
        let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}});
        check(json_mode(format), "hello", Form::Json(schema.clone()));
        check(json_mode(json!({"type": "text"})), "hello", Form::Text);
    }

    #[test]
    fn a_request_that_openrouter_would_refuse_is_refused() {
        let check = |body: &str, expect: &str| {
            let message = Chat::read(body.as_bytes()).unwrap_err().0;
            assert!(message.contains(expect), "{body}: {message}");
        };
        check("{", "Invalid JSON");
        check("{}", "No models provided");
        check(
            r#"{"model":"sim/nope","messages":[{}]}"#,
            "sim/nope is not a valid model ID",
        );
        check(r#"{"model":"m"}"#, "Input required");
        check(r#"{"model":"m","messages":[]}"#, "Input required");
        check(
            r#"{"model":"m","messages":[{}],"max_tokens":-1}"#,
            "max_tokens",
        );
        check(
            r#"{"model":"m","messages":[{}],"max_tokens":1.5}"#,
            "max_tokens",
        );
    }
}
