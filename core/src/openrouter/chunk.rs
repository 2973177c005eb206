//! Chunks of a streamed answer: the data of one server-sent event each.

use std::borrow::Cow;

use super::choices;
use super::failure::{Failure, failure_in_answer};
use super::usage::{cost, read_usage, write_usage};
use super::visible::Visible;
use super::wire::Wire;
use crate::error::{ApiError, ErrorCode};
use crate::json::{ObjectWriter, Raw};
use crate::money::Nanos;
use crate::usage::Usage;

/// The data of the event that ends a stream.
pub const DONE: &str = "[DONE]";

const OBJECT: &str = "chat.completion.chunk";

/// One chunk.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// OpenRouter's id of the call.
    pub provider_id: Option<Cow<'a, str>>,
    /// Who answers behind OpenRouter; never told to the caller.
    pub provider: Option<Cow<'a, str>>,
    /// The model that answers.
    pub model: Option<Cow<'a, str>>,
    /// Unix seconds, as the provider says.
    pub created: Option<u64>,
    /// What the provider says was used so far; `images` and `hour_cache` are not among it.
    pub usage: Option<Usage>,
    /// What OpenRouter says it bills the operator, rounded up.
    pub reported_cost: Option<Nanos>,
    /// A failure in the middle of the stream. Relay `error_chunk` instead of this chunk.
    pub error: Option<Failure>,
    /// Whether there is at least one choice.
    pub has_choices: bool,
    /// Why the answer ended, in the chunk that ends it.
    pub finish_reason: Option<Cow<'a, str>>,
    wire: Wire<'a>,
}

/// Why an event is no chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkFault {
    /// Its data is not a JSON object.
    NotJson,
}

impl From<ChunkFault> for ApiError {
    fn from(fault: ChunkFault) -> Self {
        match fault {
            ChunkFault::NotJson => ErrorCode::ProviderMalformed.into(),
        }
    }
}

/// Reads the data of one event other than `DONE`.
pub fn read_chunk(data: &str) -> Result<Chunk<'_>, ChunkFault> {
    let wire = Wire::read(data).ok_or(ChunkFault::NotJson)?;
    let seen = wire.choices.map(choices::read).unwrap_or_default();
    Ok(Chunk {
        provider_id: wire.id.and_then(Raw::as_str),
        provider: wire.provider.and_then(Raw::as_str),
        model: wire.model.and_then(Raw::as_str),
        created: wire.created.and_then(Raw::as_u64),
        usage: wire.usage.and_then(read_usage),
        reported_cost: wire.usage.and_then(|usage| cost(usage, "cost")),
        error: wire.error.or(seen.error).map(failure_in_answer),
        has_choices: seen.count > 0,
        finish_reason: seen.finish_reason,
        wire,
    })
}

impl Chunk<'_> {
    /// Adds the text of this chunk to what was seen before.
    pub(super) fn count(&self, visible: &mut Visible) {
        if let Some(choices) = self.wire.choices {
            visible.add(choices);
        }
    }

    /// The caller's version: our id, all choices, and usage with its charge when it is given.
    /// `None` when nothing remains, as with a chunk of usage that the caller did not ask for.
    #[must_use]
    pub fn to_caller(&self, id: &str, usage: Option<(&Usage, Nanos)>) -> Option<String> {
        if !self.has_choices && usage.is_none() {
            return None;
        }
        Some(self.wire.write(id, OBJECT, usage))
    }
}

/// What a chunk of ours begins with.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Our id of the answer.
    pub id: &'a str,
    /// The model, as the chunks before named it.
    pub model: &'a str,
    /// Unix seconds.
    pub created: u64,
}

impl Head<'_> {
    fn begin(self) -> ObjectWriter {
        let mut out = ObjectWriter::new();
        out.string("id", self.id);
        out.string("object", OBJECT);
        out.number("created", self.created);
        out.string("model", self.model);
        out
    }
}

/// A last chunk with nothing but usage and charge, for a provider that sent none.
#[must_use]
pub fn usage_chunk(head: Head<'_>, usage: &Usage, charge: Nanos) -> String {
    let mut out = head.begin();
    out.raw("choices", "[]");
    out.raw("usage", &write_usage(usage, charge));
    out.end()
}

/// A chunk that ends a stream whose credit is used up: the answer has its greatest length, as far as
/// any client is concerned, and the reason stands in Tollgate's own member `tollgate`.
#[must_use]
pub fn limit_chunk(
    head: Head<'_>,
    (usage, charge): (&Usage, Nanos),
    reason: &ApiError,
    (request_id, docs_base_url): (&str, &str),
) -> String {
    let mut out = head.begin();
    out.raw(
        "choices",
        "[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]",
    );
    out.raw("usage", &write_usage(usage, charge));
    let mut own = ObjectWriter::new();
    own.raw("error", &reason.object(request_id, docs_base_url));
    out.raw("tollgate", &own.end());
    out.end()
}

/// A chunk that ends a stream with a failure, in OpenRouter's form: the status 200 is sent long
/// since, so the error stands in the chunk and the choice finishes with `error`. The official SDKs
/// raise it.
#[must_use]
pub fn error_chunk(
    head: Head<'_>,
    error: &ApiError,
    request_id: &str,
    docs_base_url: &str,
) -> String {
    let mut out = head.begin();
    out.raw("error", &error.object(request_id, docs_base_url));
    out.raw(
        "choices",
        "[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]",
    );
    out.end()
}
