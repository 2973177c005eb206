//! The simulator's models as data: what each does wrong, what it costs, what it would bill. The
//! README has the same table for people; a test holds the two together. How a fault is carried out
//! stands in `chat` and `stream`.

use super::fault::Fault;
use super::host::{Host, SIM_CLOUD};
use super::pricing::{LongContext, Price};

/// One model. Times and lengths are defaults that knobs change.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The name that a request carries.
    pub slug: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// What OpenRouter would bill, in one line.
    pub billed: &'static str,
    /// What it does wrong.
    pub fault: Fault,
    /// Who answers.
    pub host: Host,
    /// What it costs.
    pub price: Price,
    /// Output tokens when the request does not limit them; `None` is the simulator's default.
    pub tokens: Option<u64>,
    /// Output tokens a second; `None` is the simulator's default.
    pub tokens_per_second: Option<u64>,
    /// Whether images are listed as an input.
    pub sees_images: bool,
}

/// The context length of every model, in tokens.
pub const CONTEXT_LENGTH: u64 = 131_072;
/// The most output tokens that any model produces in a call, and reports unless it is made to lie.
pub const MAX_COMPLETION_TOKENS: u64 = 65_536;

/// The price of `sim/echo`, and of every model that the simulator does not list.
const PLAIN: Price = Price::per_token(150_000, 600_000);
const CACHED: Price = Price {
    input_cache_read: Some(300_000),
    input_cache_write: Some(3_750_000),
    ..Price::per_token(3_000_000, 15_000_000)
};
const REASONING: Price = Price {
    internal_reasoning: Some(5_000_000),
    ..Price::per_token(1_100_000, 4_400_000)
};
const PER_REQUEST: Price = Price {
    request: 10_000_000_000,
    ..Price::per_token(0, 0)
};
const PER_IMAGE: Price = Price {
    image: 1_000_000_000,
    ..Price::per_token(500_000, 1_500_000)
};
const LONG_CONTEXT: Price = Price {
    long_context: Some(LongContext {
        min_prompt_tokens: 1_000,
        prompt: 2_500_000,
        completion: 15_000_000,
    }),
    ..Price::per_token(1_250_000, 10_000_000)
};

const FULL: &str = "in full";
const NOTHING: &str = "nothing";
const WHILE_HEARD: &str = "in full, or as far as the client stays";
const SO_FAR: &str = "streamed: the tokens sent so far; one-shot: in full";

const fn model(slug: &'static str, fault: Fault, about: &'static str) -> Model {
    Model {
        slug,
        about,
        billed: FULL,
        fault,
        host: SIM_CLOUD,
        price: PLAIN,
        tokens: None,
        tokens_per_second: None,
        sees_images: false,
    }
}

const fn refusing(slug: &'static str, fault: Fault, about: &'static str) -> Model {
    Model {
        billed: NOTHING,
        ..model(slug, fault, about)
    }
}

const fn at(slug: &'static str, host: Host, about: &'static str) -> Model {
    Model {
        host,
        billed: if host.stops { WHILE_HEARD } else { FULL },
        ..model(slug, Fault::None, about)
    }
}

/// Every model of the simulator. The first answers for models that are not listed.
pub static MODELS: &[Model] = &[
    Model {
        sees_images: true,
        ..model(
            "sim/echo",
            Fault::None,
            "repeats the words of the last user message",
        )
    },
    Model {
        tokens: Some(50),
        tokens_per_second: Some(10),
        ..model("sim/slow", Fault::None, "50 tokens at 10 tokens a second")
    },
    Model {
        tokens: Some(2_000),
        ..model("sim/long", Fault::None, "2,000 tokens")
    },
    Model {
        price: PER_REQUEST,
        ..model(
            "sim/per-request",
            Fault::None,
            "priced per request only: $0.01",
        )
    },
    Model {
        price: PER_IMAGE,
        sees_images: true,
        ..model(
            "sim/per-image",
            Fault::None,
            "has a price per input image besides tokens",
        )
    },
    Model {
        price: LONG_CONTEXT,
        ..model(
            "sim/long-context",
            Fault::None,
            "dearer above 1,000 prompt tokens",
        )
    },
    Model {
        price: CACHED,
        ..model(
            "sim/cached",
            Fault::Cached,
            "half of the prompt read from a cache, a quarter written to it",
        )
    },
    Model {
        price: REASONING,
        ..model(
            "sim/reasoning",
            Fault::Reasoning,
            "64 hidden reasoning tokens before the text",
        )
    },
    refusing("sim/status-400", Fault::Status(400), "answers 400"),
    refusing("sim/status-401", Fault::Status(401), "answers 401"),
    refusing("sim/status-402", Fault::Status(402), "answers 402"),
    refusing("sim/status-403", Fault::Status(403), "answers 403"),
    refusing("sim/status-404", Fault::Status(404), "answers 404"),
    refusing("sim/status-408", Fault::Status(408), "answers 408"),
    refusing(
        "sim/status-429",
        Fault::Status(429),
        "answers 429 with `Retry-After: 30`",
    ),
    refusing("sim/status-500", Fault::Status(500), "answers 500"),
    refusing("sim/status-502", Fault::Status(502), "answers 502"),
    refusing("sim/status-503", Fault::Status(503), "answers 503"),
    refusing("sim/status-529", Fault::Status(529), "answers 529"),
    Model {
        billed: "the first call nothing, then in full",
        ..model(
            "sim/status-429-once",
            Fault::StatusOnce(429),
            "answers 429 with `Retry-After: 1` to the first call with a text, then behaves",
        )
    },
    Model {
        billed: "the first call nothing, then in full",
        ..model(
            "sim/status-503-once",
            Fault::StatusOnce(503),
            "answers 503 to the first call with a text, then behaves",
        )
    },
    refusing(
        "sim/error-in-200",
        Fault::ErrorIn200,
        "answers 200 with an error as the body",
    ),
    Model {
        billed: "the half that was generated",
        ..model(
            "sim/error-mid-stream",
            Fault::ErrorMidStream,
            "half an answer, then an error chunk with finish_reason `error`, no usage, no `[DONE]`",
        )
    },
    refusing("sim/timeout", Fault::Timeout, "never answers"),
    model(
        "sim/slow-head",
        Fault::SlowHead,
        "sends its response head after 3 s (`head_ms`)",
    ),
    refusing(
        "sim/drop-before",
        Fault::DropBefore,
        "closes the connection unanswered",
    ),
    Model {
        billed: SO_FAR,
        ..model(
            "sim/drop-mid",
            Fault::DropMid,
            "closes the connection half-way through the body",
        )
    },
    Model {
        billed: SO_FAR,
        ..model(
            "sim/reset-mid",
            Fault::ResetMid,
            "resets the connection half-way through the body",
        )
    },
    model(
        "sim/malformed-sse",
        Fault::MalformedSse,
        "broken events half-way, then the rest of the stream; one-shot: broken JSON",
    ),
    model(
        "sim/comments",
        Fault::Comments,
        "many comments and fields that are not data",
    ),
    model("sim/no-done", Fault::NoDone, "leaves out `[DONE]`"),
    model(
        "sim/split-utf8",
        Fault::SplitUtf8,
        "multi-byte text, writes apart inside characters and fields, CRLF line ends",
    ),
    model("sim/no-usage", Fault::NoUsage, "leaves out the usage"),
    model(
        "sim/usage-last",
        Fault::None,
        "usage in the last chunk only, as `sim/echo`",
    ),
    model(
        "sim/usage-every",
        Fault::UsageEvery,
        "the usage so far in every chunk",
    ),
    Model {
        billed: "ten times the allowed tokens",
        ..model(
            "sim/usage-huge",
            Fault::UsageHuge,
            "reports ten times the allowed tokens",
        )
    },
    model(
        "sim/huge",
        Fault::Huge,
        "34 MiB of text, streamed in chunks of 4 KiB",
    ),
    model(
        "sim/huge-event",
        Fault::HugeEvent,
        "9 MiB of text in one event",
    ),
    refusing(
        "sim/redirect",
        Fault::Redirect,
        "307 to `/api/v1/redirected/chat/completions`",
    ),
    model(
        "sim/gzip",
        Fault::Gzip,
        "compressed with gzip when the client accepts it",
    ),
    refusing("sim/html", Fault::Html, "200 with a page of HTML"),
    refusing("sim/empty", Fault::Empty, "200 with an empty body"),
    model(
        "sim/pause",
        Fault::Pause,
        "says nothing for 3 s (`pause_ms`) half-way through the stream",
    ),
    at(
        "sim/no-cancel",
        Host::going_on("SimCloud"),
        "goes on when the client leaves a stream",
    ),
    model(
        "sim/late-record",
        Fault::LateRecord,
        "its generation is 404 for two look-ups",
    ),
    at(
        "sim/at-openai",
        Host::stopping("OpenAI"),
        "answered by OpenAI",
    ),
    at(
        "sim/at-anthropic",
        Host::stopping("Anthropic"),
        "answered by Anthropic",
    ),
    at("sim/at-azure", Host::stopping("Azure"), "answered by Azure"),
    at(
        "sim/at-together",
        Host::stopping("Together"),
        "answered by Together",
    ),
    at(
        "sim/at-deepinfra",
        Host::stopping("DeepInfra"),
        "answered by DeepInfra",
    ),
    at(
        "sim/at-fireworks",
        Host::stopping("Fireworks"),
        "answered by Fireworks",
    ),
    at("sim/at-groq", Host::going_on("Groq"), "answered by Groq"),
    at(
        "sim/at-google",
        Host::going_on("Google"),
        "answered by Google",
    ),
    at(
        "sim/at-bedrock",
        Host::going_on("Amazon Bedrock"),
        "answered by Amazon Bedrock",
    ),
    at(
        "sim/at-mistral",
        Host::going_on("Mistral"),
        "answered by Mistral",
    ),
];

/// The model of that name; names that are not listed behave as `sim/echo`, except that an unlisted
/// `sim/…` is `None`, so that a misspelt fault does not pass for a good answer.
#[must_use]
pub fn find(slug: &str) -> Option<&'static Model> {
    let listed = MODELS.iter().find(|model| model.slug == slug);
    if slug.starts_with("sim/") {
        listed
    } else {
        MODELS.first()
    }
}
