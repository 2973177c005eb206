//! Reads OpenRouter's `GET /models` into models and costs. One model that cannot be sold safely is
//! refused with its reason and never spoils the rest. Fetching and storing happen elsewhere.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Model;
use super::cost::{Cost, Dimension};
use super::images;
use super::model_pricing::{self, RawObject};
use crate::money::Picos;

const MAX_SLUG_BYTES: usize = 200;

/// The public fields of a model that `GET /models` shows besides its prices: OpenRouter's `Model`
/// without links into OpenRouter's own pages, benchmarks and `per_request_limits`.
const SHOWN: [&str; 15] = [
    "id",
    "canonical_slug",
    "name",
    "created",
    "description",
    "context_length",
    "architecture",
    "top_provider",
    "supported_parameters",
    "default_parameters",
    "supported_voices",
    "hugging_face_id",
    "knowledge_cutoff",
    "expiration_date",
    "reasoning",
];

/// Models that search the web on every call. Usage does not count searches, so they cannot be
/// billed where a search has a price.
const ALWAYS_SEARCH: [&str; 4] = [
    "perplexity/",
    "-search-preview",
    "-search-api",
    "deep-research",
];

/// What a models document held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The models that can be sold, with what the provider bills.
    pub models: Vec<(Model, Cost)>,
    /// The models that cannot.
    pub refused: Vec<Refused>,
}

/// A model that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its slug, or its place in the document such as `data[3]` when it has none.
    pub slug: String,
    /// Why, in words: lower case, no full stop.
    pub reason: String,
}

/// Why a document was not read at all. The text says where it differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError(String);

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(why) = self;
        writeln!(f, "not a list of models: {why}")?;
        f.write_str("hint: expected OpenRouter's `GET /models`, an object with an array `data`")
    }
}

impl std::error::Error for ImportError {}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    id: String,
    name: Option<String>,
    context_length: Option<u64>,
    architecture: Option<Architecture>,
    top_provider: Option<TopProvider>,
    supported_parameters: Option<Vec<String>>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    pricing: Option<RawObject<'a>>,
}

#[derive(Default, Deserialize)]
struct Architecture {
    #[serde(default)]
    input_modalities: Vec<String>,
    #[serde(default)]
    output_modalities: Vec<String>,
}

#[derive(Default, Deserialize)]
struct TopProvider {
    max_completion_tokens: Option<u64>,
}

/// Reads a models document; its prices hold from `effective_from_ms` (Unix milliseconds).
pub fn import(json: &[u8], effective_from_ms: i64) -> Result<Import, ImportError> {
    let document: Document =
        serde_json::from_slice(json).map_err(|error| ImportError(error.to_string()))?;
    let mut seen = BTreeSet::new();
    let mut import = Import::default();
    for (index, raw) in document.data.into_iter().enumerate() {
        let mut slug = slug_of(raw).unwrap_or_else(|| format!("data[{index}]"));
        let read = read_model(raw.get(), effective_from_ms);
        match read {
            Ok((model, _)) if !seen.insert(model.slug.clone()) => import.refused.push(Refused {
                slug: model.slug,
                reason: "the document lists it twice".to_owned(),
            }),
            Ok(sold) => import.models.push(sold),
            Err(reason) => {
                slug.truncate(slug.floor_char_boundary(MAX_SLUG_BYTES));
                import.refused.push(Refused { slug, reason });
            }
        }
    }
    Ok(import)
}

fn slug_of(raw: &RawValue) -> Option<String> {
    let model: Value = serde_json::from_str(raw.get()).ok()?;
    Some(model.get("id")?.as_str()?.to_owned())
}

fn read_model(text: &str, effective_from_ms: i64) -> Result<(Model, Cost), String> {
    let listed: Listed =
        serde_json::from_str(text).map_err(|error| format!("cannot be read: {error}"))?;
    check_slug(&listed.id)?;
    let architecture = listed.architecture.unwrap_or_default();
    if let Some(other) = architecture
        .output_modalities
        .iter()
        .find(|kind| *kind != "text")
    {
        return Err(format!("it answers with `{other}`, which is not metered"));
    }
    let free = listed.id.ends_with(":free");
    let pricing = listed.pricing.ok_or("no `pricing`")?;
    let cost = model_pricing::read(&pricing, effective_from_ms, free)?;
    let bills_searches = cost
        .prices
        .get(Dimension::WebSearch)
        .is_some_and(|price| price > Picos::ZERO);
    if bills_searches && ALWAYS_SEARCH.iter().any(|part| listed.id.contains(part)) {
        return Err("it bills the searches of every call, which are not metered".to_owned());
    }
    let parameters = listed.supported_parameters.unwrap_or_default();
    let reasons = parameters
        .iter()
        .any(|name| name == "reasoning" || name == "include_reasoning");
    let takes_images = architecture
        .input_modalities
        .iter()
        .any(|kind| kind == "image");
    let provider = listed.top_provider.unwrap_or_default();
    let model = Model {
        name: listed.name.unwrap_or_else(|| listed.id.clone()),
        context_length: listed.context_length.filter(|tokens| *tokens > 0),
        max_completion_tokens: provider.max_completion_tokens.filter(|tokens| *tokens > 0),
        max_image_tokens: images::max_tokens(&listed.id).filter(|_| takes_images),
        hidden_reasoning: reasons
            || listed.reasoning.is_some()
            || cost.prices.get(Dimension::InternalReasoning).is_some(),
        free,
        details: details(text)?,
        slug: listed.id,
    };
    Ok((model, cost))
}

/// A slug is matched against patterns and written into logs and pages.
fn check_slug(slug: &str) -> Result<(), String> {
    let plain = slug
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'*');
    if slug.is_empty() || slug.len() > MAX_SLUG_BYTES || !plain {
        return Err("its id is not a plain name".to_owned());
    }
    Ok(())
}

fn details(text: &str) -> Result<String, String> {
    let mut listed: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("cannot be read: {error}"))?;
    let mut shown: Map<String, Value> = SHOWN
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), listed.remove(key)?)))
        .collect();
    // OpenRouter's own limits are for the operator's credential, not for Tollgate's callers.
    shown.insert("per_request_limits".to_owned(), Value::Null);
    Ok(Value::Object(shown).to_string())
}

#[cfg(test)]
mod tests;
