//! OpenRouter's dialect: what is sent to it, how its answers and failures are read, and what of
//! them a caller may see. Bytes in, values out; the gateway does the fetching.

mod answer;
mod cancellation;
mod choices;
mod chunk;
mod failure;
mod generation;
mod scrub;
mod transcript;
mod usage;
mod visible;
mod wire;

pub use answer::{Answer, AnswerFault, read_answer};
pub use cancellation::Departure;
pub use chunk::{Chunk, ChunkFault, DONE, Head, error_chunk, read_chunk, usage_chunk};
pub use failure::{Cause, Failure, failure};
pub use generation::{GenerationFault, GenerationRecord, read_generation};
pub use transcript::{Closing, Seen, Transcript, cut_off};

use crate::json::ObjectWriter;
use crate::money::Picos;
use crate::usage::Usage;

/// Chat completions, streamed or not; paths are relative to the API's base, such as
/// `https://openrouter.ai/api/v1`.
pub const CHAT_PATH: &str = "/chat/completions";

/// What OpenRouter knows of the credential itself; asking costs nothing.
pub const KEY_PATH: &str = "/key";
/// The response header with the provider's id of the call, sent before any body
/// (openrouter.ai/docs/api-reference/streaming). With it a call can be looked up even if nothing
/// of its body arrived.
pub const GENERATION_ID_HEADER: &str = "x-generation-id";

/// Every header that a request to OpenRouter may carry. Nothing of the caller's is copied.
pub const REQUEST_HEADERS: [&str; 5] = [
    "authorization",
    "content-type",
    "accept",
    "http-referer",
    "x-title",
];

/// What a call is made on behalf of, as OpenRouter shows it in the operator's own statistics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attribution<'a> {
    /// The operator's site.
    pub site_url: Option<&'a str>,
    /// The operator's name.
    pub title: Option<&'a str>,
}

/// The headers of a request, all of them from `REQUEST_HEADERS`.
#[must_use]
pub fn request_headers(
    credential: &str,
    stream: bool,
    attribution: Attribution<'_>,
) -> Vec<(&'static str, String)> {
    let [authorization, content_type, accept, referer, title] = REQUEST_HEADERS;
    let accepted = if stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    let mut headers = vec![
        (authorization, format!("Bearer {credential}")),
        (content_type, "application/json".to_owned()),
        (accept, accepted.to_owned()),
    ];
    headers.extend(attribution.site_url.map(|url| (referer, url.to_owned())));
    headers.extend(attribution.title.map(|name| (title, name.to_owned())));
    headers
}

/// The path that tells what a call cost. `None` for an id that is not one of OpenRouter's, which
/// consist of letters, digits, `-` and `_`.
#[must_use]
pub fn generation_path(provider_id: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = !provider_id.is_empty() && provider_id.len() <= 128;
    (fits && provider_id.bytes().all(plain)).then(|| format!("/generation?id={provider_id}"))
}

/// The dearest prices that a call may be served at: the ones that its hold was computed from.
/// OpenRouter leaves out providers above them (`ProviderPreferences.max_price`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaxPrice {
    /// Per prompt token.
    pub prompt: Picos,
    /// Per completion token.
    pub completion: Picos,
    /// Per request; zero is not sent.
    pub request: Picos,
    /// Per image; zero is not sent.
    pub image: Picos,
}

impl MaxPrice {
    /// The `max_price` object: strings, USD per million tokens, per request and per image.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut object = ObjectWriter::new();
        object.string("prompt", &self.prompt.to_usd_per_million());
        object.string("completion", &self.completion.to_usd_per_million());
        for (name, price) in [("request", self.request), ("image", self.image)] {
            if price > Picos::ZERO {
                object.string(name, &price.to_usd());
            }
        }
        object.end()
    }
}

/// Whether "zero completion insurance" covers an answer that did begin, so that OpenRouter bills
/// no tokens: it finished with an error, or without a reason and without completion tokens. Where
/// no usage was reported this is not certain, hence `false`.
#[must_use]
pub fn is_insured(finish_reason: Option<&str>, usage: Option<&Usage>) -> bool {
    match finish_reason {
        Some(reason) => reason == "error",
        None => usage.is_some_and(|usage| usage.completion_tokens == 0),
    }
}

#[cfg(test)]
mod tests;
