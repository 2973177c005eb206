//! Tests of what is said to OpenRouter and heard from it, one file a behaviour. Here are only the
//! words that no caller may see and the usage that the files share.

use super::*;
use crate::error::ErrorCode;
use crate::money::Nanos;
use serde_json::{Value, json};

mod answers;
mod bill;
mod chunks;
mod failures;
mod nonsense;
mod requests;

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

/// Words that would tell a caller about the operator.
const SECRETS: [&str; 12] = [
    "sk-or-",
    "gen-",
    "openrouter",
    "provider_name",
    "OpenAI",
    "is_byok",
    "cost_details",
    "0.0099",
    "credits",
    "@",
    "org-",
    "iad",
];

fn assert_says_nothing_of_the_operator(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "`{secret}` in {text}");
    }
}

const USAGE: &str = r#"{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,
    "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3,"audio_tokens":1,
    "video_tokens":0},"completion_tokens_details":{"reasoning_tokens":7},"cost":0.0099,
    "is_byok":false,"cost_details":{"upstream_inference_cost":0.0099,
    "upstream_inference_prompt_cost":0,"upstream_inference_completions_cost":0.0099}}"#;

fn usage() -> Usage {
    Usage {
        prompt_tokens: 10,
        cached_tokens: 4,
        cache_write_tokens: 3,
        prompt_audio_tokens: 1,
        completion_tokens: 20,
        reasoning_tokens: 7,
        ..Usage::default()
    }
}
