//! The `choices` of an answer or chunk: what of them is visible text, how they finished, and their
//! copy for the caller.

use std::borrow::Cow;

use crate::json::{Kind, ObjectWriter, Raw};

/// Members of a choice that pass. A choice can also hold an `error` that names the provider and
/// quotes its raw words, so what is not listed stays behind.
const PASSED: [&str; 6] = [
    "index",
    "message",
    "delta",
    "finish_reason",
    "native_finish_reason",
    "logprobs",
];

/// What choices tell.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    pub(super) count: usize,
    /// Bytes of text, refusal, reasoning and tool calls after decoding.
    pub(super) visible_bytes: u64,
    /// The first that is given.
    pub(super) finish_reason: Option<Cow<'a, str>>,
    /// The first that is given.
    pub(super) error: Option<Raw<'a>>,
}

/// Reads choices.
pub(super) fn read(choices: Raw<'_>) -> Seen<'_> {
    let mut seen = Seen::default();
    for choice in choices
        .elements()
        .filter(|choice| choice.kind() == Kind::Object)
    {
        seen.count = seen.count.saturating_add(1);
        for (name, value) in choice.members() {
            match &*name {
                "message" | "delta" => {
                    let bytes = visible_bytes(value);
                    seen.visible_bytes = seen.visible_bytes.saturating_add(bytes);
                }
                "finish_reason" if seen.finish_reason.is_none() => {
                    seen.finish_reason = value.as_str();
                }
                "error" if seen.error.is_none() && !value.is_null() => seen.error = Some(value),
                _ => {}
            }
        }
    }
    seen
}

/// Writes choices for the caller.
pub(super) fn write(choices: Raw<'_>) -> String {
    let mut out = String::with_capacity(choices.text().len());
    out.push('[');
    for choice in choices
        .elements()
        .filter(|choice| choice.kind() == Kind::Object)
    {
        if out.len() > 1 {
            out.push(',');
        }
        let mut copy = ObjectWriter::with_capacity(choice.text().len());
        for (name, value) in choice
            .members()
            .filter(|(name, _)| PASSED.contains(&&**name))
        {
            copy.raw(&name, value.text());
        }
        out.push_str(&copy.end());
    }
    out.push(']');
    out
}

/// OpenRouter repeats `reasoning` in `reasoning_details`, so the longer of the two counts.
fn visible_bytes(message: Raw<'_>) -> u64 {
    let (mut spoken, mut reasoning, mut details) = (0_u64, 0_u64, 0_u64);
    for (name, value) in message.members() {
        match &*name {
            "content" | "refusal" => spoken = spoken.saturating_add(value.str_len()),
            "reasoning" | "reasoning_content" => reasoning = reasoning.max(value.str_len()),
            "reasoning_details" => {
                details = sum(value, |detail| {
                    let text = detail.get("text").map_or(0, Raw::str_len);
                    text.saturating_add(detail.get("summary").map_or(0, Raw::str_len))
                })
            }
            "tool_calls" => {
                spoken = spoken.saturating_add(sum(value, |call| {
                    let function = call.get("function");
                    let part = |name| {
                        function
                            .and_then(|call| call.get(name))
                            .map_or(0, Raw::str_len)
                    };
                    part("name").saturating_add(part("arguments"))
                }));
            }
            _ => {}
        }
    }
    spoken.saturating_add(reasoning.max(details))
}

fn sum(list: Raw<'_>, each: impl Fn(Raw<'_>) -> u64) -> u64 {
    list.elements().map(each).fold(0, u64::saturating_add)
}
