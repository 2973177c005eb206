//! `GET /models`: the table of `models` in OpenRouter's shape. Prices are strings there, exact.

use serde_json::{Value, json};

use super::fault::Fault;
use super::models::{CONTEXT_LENGTH, MAX_COMPLETION_TOKENS, MODELS, Model};
use super::pricing::{Price, unit_price_text};

/// When the simulator's models claim to have been added, in Unix seconds.
const CREATED: i64 = 1_760_000_000;

/// The JSON of `GET /models`.
#[must_use]
pub fn models() -> Value {
    let data: Vec<Value> = MODELS.iter().map(entry).collect();
    json!({"total_count": data.len(), "data": data, "links": {"next": null}})
}

fn entry(model: &Model) -> Value {
    let inputs = if model.sees_images {
        vec!["text", "image"]
    } else {
        vec!["text"]
    };
    let mut parameters = vec![
        "frequency_penalty",
        "max_completion_tokens",
        "max_tokens",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "structured_outputs",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
    ];
    let mut entry = json!({
        "id": model.slug,
        "canonical_slug": model.slug,
        "hugging_face_id": null,
        "name": format!("Simulator: {}", model.slug.trim_start_matches("sim/")),
        "created": CREATED,
        "description": format!("{}; billed: {}", model.about, model.billed),
        "context_length": CONTEXT_LENGTH,
        "architecture": {
            "modality": format!("{}->text", inputs.join("+")),
            "input_modalities": inputs,
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": null,
        },
        "pricing": pricing(&model.price),
        "top_provider": {
            "context_length": CONTEXT_LENGTH,
            "max_completion_tokens": MAX_COMPLETION_TOKENS,
            "is_moderated": false,
        },
        "per_request_limits": null,
        "default_parameters": null,
        "supported_voices": null,
        "knowledge_cutoff": null,
        "expiration_date": null,
        "links": {"details": format!("/api/v1/models/{}/endpoints", model.slug)},
    });
    if model.fault == Fault::Reasoning {
        parameters.extend(["include_reasoning", "reasoning"]);
        entry["reasoning"] = json!({
            "mandatory": true,
            "default_enabled": true,
            "default_effort": "medium",
            "supported_efforts": ["high", "medium", "low"],
        });
    }
    entry["supported_parameters"] = json!(parameters);
    entry
}

fn pricing(price: &Price) -> Value {
    let mut listed = json!({
        "prompt": unit_price_text(price.prompt),
        "completion": unit_price_text(price.completion),
        "request": unit_price_text(price.request),
        "image": unit_price_text(price.image),
    });
    let optional = [
        ("input_cache_read", price.input_cache_read),
        ("input_cache_write", price.input_cache_write),
        ("internal_reasoning", price.internal_reasoning),
    ];
    for (name, picos) in optional {
        if let Some(picos) = picos {
            listed[name] = json!(unit_price_text(picos));
        }
    }
    if let Some(long) = price.long_context {
        listed["overrides"] = json!([{
            "min_prompt_tokens": long.min_prompt_tokens,
            "prompt": unit_price_text(long.prompt),
            "completion": unit_price_text(long.completion),
        }]);
    }
    listed
}
