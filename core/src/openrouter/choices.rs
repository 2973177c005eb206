//! The `choices` of an answer or chunk: how many, how they finished, and their copy for the caller.
//! What of them is visible text is in `visible`.

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
