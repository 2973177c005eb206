//! How many tokens a prompt plausibly is, for calls whose provider reports no usage and for limits
//! in tokens. The bound that is held is another matter (`ChatRequest::text_tokens`).

use crate::json::{Kind, Raw};
use crate::tokens::Counter;

/// Tokens of an image in a prompt, about one high-detail tile set of OpenAI's.
const TOKENS_PER_IMAGE: u64 = 1_000;

/// Tokens that a chat template plausibly puts around a message: its role and its ends.
const TOKENS_PER_MESSAGE: u64 = 4;

/// The plausible tokens of checked `messages` with so many images, and of `tools` and
/// `response_format`, which models read as JSON and which are counted as they are written.
pub(super) fn estimate<'a>(
    messages: Raw<'_>,
    images: u64,
    json: impl IntoIterator<Item = Raw<'a>>,
) -> u64 {
    let mut tokens = images.saturating_mul(TOKENS_PER_IMAGE);
    let mut text = Counter::default();
    for message in messages.elements() {
        tokens = tokens.saturating_add(TOKENS_PER_MESSAGE);
        for (name, value) in message.members() {
            if is_shown(&name) {
                count(value, &mut text);
            }
        }
    }
    for value in json {
        text.push(value.text());
    }
    tokens.saturating_add(text.tokens())
}

/// Whether a model reads this member of a message, a part, a tool call or a function.
/// `reasoning_details` is not among them, since it repeats `reasoning`.
fn is_shown(name: &str) -> bool {
    matches!(
        name,
        "content"
            | "text"
            | "name"
            | "refusal"
            | "tool_calls"
            | "function"
            | "arguments"
            | "reasoning"
            | "reasoning_content"
    )
}

/// Counts a string, or what is shown of an array or object; messages were checked, so they nest a
/// few levels deep.
fn count(value: Raw<'_>, text: &mut Counter) {
    match value.kind() {
        Kind::String => value.each_text(|piece| text.push(piece)),
        Kind::Array => value.elements().for_each(|inner| count(inner, text)),
        Kind::Object => {
            for (name, inner) in value.members() {
                if is_shown(&name) {
                    count(inner, text);
                }
            }
        }
        Kind::Null | Kind::Boolean | Kind::Number => {}
    }
}
