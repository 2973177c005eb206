//! `GET /generation`: what a call used and would be billed, in OpenRouter's shape, and the ids that
//! calls get. The numbers come from `answer` and `pricing`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::answer::Extent;
use super::fault::Fault;
use super::models::Model;
use super::pricing::{Cost, Usage, Usd};
use crate::World;
use crate::record::Entry;

/// How often `sim/late-record` answers 404 first.
const LATE_LOOKUPS: u32 = 2;

/// One generation, under way or ended.
#[derive(Clone, Debug)]
pub struct Generation {
    /// `gen-…`
    pub id: Arc<str>,
    /// The model's name as the caller wrote it, without knobs.
    pub slug: Arc<str>,
    /// The model that answers.
    pub model: &'static Model,
    /// How much is generated in the end.
    pub extent: Extent,
    /// Whether it is streamed.
    pub streamed: bool,
    /// Output tokens generated so far.
    pub tokens: u64,
    /// When it began.
    pub created: Timestamp,
    /// How long it takes to its end.
    pub takes: Duration,
    /// How long after its end it is on record.
    pub record_after: Duration,
    started: Instant,
    took: Duration,
    recorded: Option<Instant>,
    cancelled: bool,
}

impl Generation {
    /// A generation that begins now. A one-shot call counts as generated in full from the start,
    /// because OpenRouter stops a generation only when a stream is closed.
    #[must_use]
    pub fn new(id: Arc<str>, slug: &str, model: &'static Model, extent: Extent) -> Self {
        Self {
            id,
            slug: slug.into(),
            model,
            tokens: extent.generated,
            extent,
            streamed: false,
            created: Timestamp::now(),
            takes: Duration::ZERO,
            record_after: Duration::ZERO,
            started: Instant::now(),
            took: Duration::ZERO,
            recorded: None,
            cancelled: false,
        }
    }

    /// The same, streamed: nothing is generated yet.
    #[must_use]
    pub fn streamed(self) -> Self {
        Self {
            streamed: true,
            tokens: 0,
            ..self
        }
    }

    /// The answer is complete, or the client left it. Where that does not stop the generation it goes
    /// on unheard: all of it is billed, and on record once it would have ended.
    pub fn end(&mut self, client_gone: bool) {
        self.took = self.started.elapsed();
        if client_gone && self.streamed && !self.model.host.stops {
            self.tokens = self.extent.generated;
        }
        if client_gone && self.tokens == self.extent.generated {
            self.took = self.took.max(self.takes);
        }
        self.recorded = Some(self.started + self.took + self.record_after);
        self.cancelled = client_gone && self.streamed && self.tokens < self.extent.generated;
    }

    /// Whether the provider's record of it is there.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recorded.is_some_and(|since| since <= Instant::now())
    }

    /// What is used so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.extent.usage_after(self.tokens)
    }

    /// What that costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.model.price.cost(&self.usage())
    }

    fn finish_reason(&self) -> Option<&'static str> {
        let complete = self.tokens == self.extent.generated;
        match (complete, self.cancelled) {
            (true, _) => Some(self.extent.finish_reason),
            (false, true) => None,
            (false, false) => Some("error"),
        }
    }
}

/// The id of request `seq`: the process, the request's hash, and the number that makes it unique.
#[must_use]
pub fn id(epoch: u64, hash: u64, seq: u64) -> Arc<str> {
    format!("gen-{epoch}-{hash:016x}-{seq}").into()
}

/// The JSON of `GET /generation?id=`; `None` is a 404: unknown, or not ended, or recorded late.
#[must_use]
pub fn look_up(world: &World, id: &str) -> Option<Vec<u8>> {
    let seq = id.rsplit_once('-')?.1.parse().ok()?;
    let mut log = world.log();
    let entry = log.entry_mut(seq)?;
    let generation = entry.outcome.as_ref()?.generation.as_ref()?;
    if *generation.id != *id || !generation.is_recorded() {
        return None;
    }
    if generation.model.fault == Fault::LateRecord && entry.lookups < LATE_LOOKUPS {
        entry.lookups += 1;
        return None;
    }
    serde_json::to_vec(&Envelope {
        data: wire(generation, entry),
    })
    .ok()
}

#[derive(Serialize)]
struct Envelope<'a> {
    data: Wire<'a>,
}

#[derive(Serialize)]
struct Wire<'a> {
    id: &'a str,
    upstream_id: String,
    total_cost: Usd,
    cache_discount: Option<Usd>,
    upstream_inference_cost: Option<Usd>,
    created_at: String,
    model: &'a str,
    app_id: Option<u64>,
    streamed: bool,
    cancelled: bool,
    provider_name: &'static str,
    latency: u128,
    moderation_latency: Option<u64>,
    generation_time: u128,
    finish_reason: Option<&'static str>,
    service_tier: Option<&'static str>,
    tokens_prompt: u64,
    tokens_completion: u64,
    native_tokens_prompt: u64,
    native_tokens_completion: u64,
    native_tokens_completion_images: u64,
    native_tokens_reasoning: u64,
    native_tokens_cached: u64,
    num_media_prompt: u64,
    num_input_audio_prompt: u64,
    num_media_completion: u64,
    num_search_results: u64,
    num_fetches: u64,
    web_search_engine: Option<&'static str>,
    origin: &'a str,
    usage: Usd,
    is_byok: bool,
    native_finish_reason: Option<&'static str>,
    external_user: Option<String>,
    api_type: &'static str,
    preset_id: Option<&'static str>,
    router: Option<&'static str>,
    provider_responses: Value,
    user_agent: Option<&'a str>,
    http_referer: Option<&'a str>,
    data_region: &'static str,
    workspace_id: Option<&'static str>,
    request_id: String,
    session_id: Option<&'static str>,
}

fn wire<'a>(generation: &'a Generation, entry: &'a Entry) -> Wire<'a> {
    let usage = generation.usage();
    let cost = generation.cost();
    let caches = usage.cached + usage.cache_write > 0;
    let finish_reason = generation.finish_reason();
    let body: Value = serde_json::from_slice(&entry.body).unwrap_or_default();
    Wire {
        id: &generation.id,
        upstream_id: format!("chatcmpl-{}", entry.seq),
        total_cost: cost.total(),
        cache_discount: caches.then_some(cost.cache_discount),
        upstream_inference_cost: None,
        created_at: generation.created.to_string(),
        model: &generation.slug,
        app_id: None,
        streamed: generation.streamed,
        cancelled: generation.cancelled,
        provider_name: generation.model.host.name,
        latency: generation.took.as_millis(),
        moderation_latency: None,
        generation_time: generation.took.as_millis(),
        finish_reason,
        service_tier: None,
        tokens_prompt: usage.prompt,
        tokens_completion: usage.completion,
        native_tokens_prompt: usage.prompt,
        native_tokens_completion: usage.completion,
        native_tokens_completion_images: 0,
        native_tokens_reasoning: usage.reasoning,
        native_tokens_cached: usage.cached,
        num_media_prompt: usage.images,
        num_input_audio_prompt: 0,
        num_media_completion: 0,
        num_search_results: 0,
        num_fetches: 0,
        web_search_engine: None,
        origin: header(entry, "origin").unwrap_or_default(),
        usage: cost.total(),
        is_byok: false,
        native_finish_reason: finish_reason,
        external_user: body.get("user").and_then(Value::as_str).map(str::to_owned),
        api_type: "completions",
        preset_id: None,
        router: None,
        provider_responses: Value::Null,
        user_agent: header(entry, "user-agent"),
        http_referer: header(entry, "http-referer"),
        data_region: "global",
        workspace_id: None,
        request_id: format!("req-{}", entry.seq),
        session_id: None,
    }
}

fn header<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    let mut lines = entry
        .headers
        .lines()
        .filter_map(|line| line.split_once(": "));
    lines
        .find(|(header, _)| *header == name)
        .map(|(_, value)| value)
}
