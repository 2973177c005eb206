//! The rows of the public error table: one per code, in the order of a request's way through the
//! gateway. `docs/API.md` is rendered from it.

/// OpenAI's coarse `type` of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is at fault.
    InvalidRequest,
    /// The key is at fault.
    Authentication,
    /// The key or account may not do this.
    Permission,
    /// Credit is used up; OpenAI's word for it is `insufficient_quota`.
    InsufficientCredits,
    /// A limit is reached.
    RateLimit,
    /// The provider is at fault.
    Provider,
    /// Tollgate is at fault.
    Server,
}

impl ErrorKind {
    /// The `type` as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Authentication => "authentication_error",
            Self::Permission => "permission_error",
            Self::InsufficientCredits => "insufficient_quota",
            Self::RateLimit => "rate_limit_error",
            Self::Provider => "provider_error",
            Self::Server => "server_error",
        }
    }
}

/// What every error with one code has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The `code` as it is written.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The `type`.
    pub kind: ErrorKind,
    /// Whether `x-should-retry: false` is always sent: the official SDKs retry 408, 409, 429 and
    /// 5xx, and some of those may have cost money or will not pass soon.
    pub never_retry: bool,
    /// The default message.
    pub message: &'static str,
    /// The default hint.
    pub hint: &'static str,
    /// When it happens, for the documentation.
    pub when: &'static str,
}

macro_rules! error_table {
    ($($variant:ident $status:literal $kind:ident $(($never_retry:ident))? $code:literal {
        $when:literal,
        $message:literal,
        $hint:literal $(,)?
    })*) => {
        /// Every error that a caller can meet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $when] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The row of this code.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => &Row {
                        code: $code,
                        status: $status,
                        kind: ErrorKind::$kind,
                        never_retry: error_table!(@ $($never_retry)?),
                        message: $message,
                        hint: $hint,
                        when: $when,
                    },)*
                }
            }
        }
    };
    (@ never_retry) => { true };
    (@) => { false };
}

error_table! {
    UnknownRoute 404 InvalidRequest "unknown_route" {
        "No route has this path.",
        "this path does not exist",
        "the routes are listed at `/v1/openapi.json`; the base URL ends in `/v1` or `/api/v1`",
    }
    MethodNotAllowed 405 InvalidRequest "method_not_allowed" {
        "The path exists, but not with this method.",
        "this method is not allowed here",
        "see the `Allow` header of this answer",
    }
    MissingKey 401 Authentication "missing_key" {
        "No API key was sent.",
        "no API key was sent",
        "send it in the header `Authorization: Bearer tg_live_…`",
    }
    MalformedKey 401 Authentication "malformed_key" {
        "The text that was sent is not a key: wrong prefix, length or checksum.",
        "this is not a Tollgate key",
        "copy the whole key again; it starts with `tg_live_`",
    }
    InvalidApiKey 401 Authentication "invalid_api_key" {
        "The key is well-formed, but nobody has it.",
        "this key does not exist",
        "check that this is the right gateway, or ask whoever runs it for a key",
    }
    KeyExpired 401 Authentication "key_expired" {
        "The key's expiry date has passed.",
        "this key has expired",
        "ask whoever runs this gateway for a new key",
    }
    KeyRevoked 401 Authentication "key_revoked" {
        "The key was revoked.",
        "this key was revoked",
        "ask whoever runs this gateway for a new key",
    }
    InvalidIdempotencyKey 400 InvalidRequest "invalid_idempotency_key" {
        "The header `Idempotency-Key` is empty, longer than 255 characters, or has others than visible ASCII.",
        "the `Idempotency-Key` cannot be used",
        "send up to 255 visible ASCII characters, such as a UUID",
    }
    DuplicateRequest 409 InvalidRequest (never_retry) "duplicate_request" {
        "The account made this call before, with the same `Idempotency-Key` and body; `details` tell its id, state and charge.",
        "this call was made before",
        "nothing was charged again; `GET /v1/generation?id=` tells of the first call, a new `Idempotency-Key` makes another",
    }
    IdempotencyKeyReused 422 InvalidRequest "idempotency_key_reused" {
        "Another call of the account, with another body, has this `Idempotency-Key`.",
        "this `Idempotency-Key` belongs to another call",
        "send a new `Idempotency-Key` with a new body",
    }
    AccountSuspended 403 Permission "account_suspended" {
        "The account that owns the key is suspended.",
        "this account is suspended",
        "ask whoever sold you the credit",
    }
    BodyTooLarge 413 InvalidRequest "body_too_large" {
        "The body is larger than 20 MiB, or its text is larger than 1 MiB.",
        "the request is too large",
        "send at most 1 MiB of text and 20 MiB with images",
    }
    BodyTimeout 408 InvalidRequest "body_timeout" {
        "The body stopped coming for 30 seconds.",
        "the request's body did not arrive in time",
        "send the whole body without long pauses",
    }
    GatewayBusy 503 Server "gateway_busy" {
        "The gateway holds as many large requests as it can at once.",
        "too many large requests at the same time",
        "nothing was charged; try again in a second",
    }
    EncodedBody 415 InvalidRequest "encoded_body" {
        "The body has a `Content-Encoding`.",
        "compressed bodies are not read",
        "send the body without `Content-Encoding`",
    }
    UnsupportedMediaType 415 InvalidRequest "unsupported_media_type" {
        "The `Content-Type` is not JSON.",
        "the body must be JSON",
        "send `Content-Type: application/json`",
    }
    InvalidJson 400 InvalidRequest "invalid_json" {
        "The body is not one JSON object in UTF-8, or is nested more than 64 deep.",
        "the body is not a JSON object",
        "send exactly one JSON object in UTF-8",
    }
    DuplicateField 400 InvalidRequest "duplicate_field" {
        "An object in the body has the same key twice; readers disagree on which one counts.",
        "a field appears twice",
        "send each field once",
    }
    MissingField 400 InvalidRequest "missing_field" {
        "A field that the route needs is absent or null.",
        "a required field is missing",
        "add the field named in `param`",
    }
    InvalidValue 400 InvalidRequest "invalid_value" {
        "A field has the wrong type or is out of range.",
        "a field has a value that is not allowed",
        "see the field table in the documentation",
    }
    UnsupportedParameter 400 InvalidRequest "unsupported_parameter" {
        "A field is not in the field table, or is refused because its price is not known beforehand.",
        "this field is not supported",
        "leave the field out; the field table in the documentation lists what is accepted",
    }
    UnsupportedContent 400 InvalidRequest "unsupported_content" {
        "A message holds media that has no known price, such as audio, video or a file.",
        "this kind of content is not supported",
        "send `text` and `image_url` parts",
    }
    ModelNotFound 404 InvalidRequest "model_not_found" {
        "The model does not exist here, or has no price.",
        "this model is not available",
        "`GET /v1/models` lists the models you can use",
    }
    ModelNotAllowed 403 Permission "model_not_allowed" {
        "The key may not use this model.",
        "this key may not use this model",
        "use an allowed model, or ask for a key that may use this one",
    }
    MaxTokensTooLarge 400 InvalidRequest "max_tokens_too_large" {
        "`max_tokens` is above the limit of the key or of the model.",
        "`max_tokens` is above the limit",
        "lower `max_tokens`, or leave it out",
    }
    ContextLengthExceeded 400 InvalidRequest "context_length_exceeded" {
        "Prompt and `max_tokens` together do not fit the model's context.",
        "the prompt and `max_tokens` do not fit this model's context",
        "shorten the prompt, lower `max_tokens`, or use a model with a longer context",
    }
    InsufficientCredits 402 InsufficientCredits "insufficient_credits" {
        "The free credit does not cover what this call could cost at most.",
        "not enough credit for this call",
        "buy credit, lower `max_tokens`, or wait until running calls release their holds",
    }
    KeyBudgetExceeded 402 InsufficientCredits "key_budget_exceeded" {
        "The key's budget does not cover what this call could cost at most.",
        "this key's budget does not cover this call",
        "lower `max_tokens`, or ask for a larger budget",
    }
    SpendLimitExceeded 402 InsufficientCredits "spend_limit_exceeded" {
        "The account's spend limit does not cover what this call could cost at most.",
        "this account's spend limit does not cover this call",
        "lower `max_tokens`, or ask for a higher limit",
    }
    ResellerUnavailable 503 Server (never_retry) "reseller_unavailable" {
        "Whoever sells you the credit cannot serve calls at the moment; your credit is untouched.",
        "calls are not served at the moment",
        "nothing was charged; ask whoever sold you the credit",
    }
    RateLimitRequests 429 RateLimit "rate_limit_requests" {
        "The key made its allowed number of requests in the window.",
        "too many requests",
        "wait for the seconds in `Retry-After`; the limits are in the `x-ratelimit-*` headers",
    }
    RateLimitTokens 429 RateLimit "rate_limit_tokens" {
        "The key used its allowed number of tokens in the window.",
        "too many tokens",
        "wait for the seconds in `Retry-After`; the limits are in the `x-ratelimit-*` headers",
    }
    TooManyParallel 429 RateLimit "too_many_parallel" {
        "The key has its allowed number of calls running.",
        "too many calls at the same time",
        "wait until a running call has ended",
    }
    DatabaseUnavailable 503 Server "database_unavailable" {
        "The ledger cannot be reached; nothing was sent to the provider and nothing was charged.",
        "the ledger cannot be reached",
        "nothing was charged; try again in a few seconds",
    }
    PricesChanged 503 Server "prices_changed" {
        "Prices changed again and again while this call was priced; nothing was charged.",
        "prices changed while this call was priced",
        "nothing was charged; try again",
    }
    ProviderRejected 400 Provider "provider_rejected" {
        "The provider refused the request as invalid; its reason is in `message` when it can be shown.",
        "the provider refused this request",
        "check the request against the model's documentation",
    }
    ContentRefused 403 Provider "content_refused" {
        "The provider refused the content of the request.",
        "the provider refused the content of this request",
        "change the prompt, or use another model",
    }
    ProviderUnavailable 502 Provider "provider_unavailable" {
        "The provider did not answer, or failed.",
        "the provider is not available",
        "try again in a few seconds, or use another model",
    }
    ProviderTimeout 504 Provider (never_retry) "provider_timeout" {
        "The provider took too long; the call may have been charged up to what it used.",
        "the provider took too long",
        "lower `max_tokens`, stream the answer, or use another model",
    }
    ProviderOverloaded 503 Provider "provider_overloaded" {
        "The provider has more calls than it can serve.",
        "the provider is overloaded",
        "try again in a few seconds, or use another model",
    }
    ProviderMalformed 502 Provider (never_retry) "provider_malformed" {
        "The provider's answer could not be read; it may have been charged up to what it used.",
        "the provider's answer could not be read",
        "`GET /v1/generation?id=` tells what was charged",
    }
    AnswerTooLarge 502 Provider (never_retry) "answer_too_large" {
        "The provider's answer is larger than the gateway relays; it may have been charged.",
        "the provider's answer is too large",
        "lower `max_tokens`, or stream the answer",
    }
    GenerationNotFound 404 InvalidRequest "generation_not_found" {
        "The account has no call with this id.",
        "no call has this id",
        "use the `id` or the `x-request-id` of an answer to this account",
    }
    Internal 500 Server (never_retry) "internal" {
        "Something failed inside Tollgate; the call may have been charged up to what it used.",
        "something failed inside the gateway",
        "tell support the `request_id`",
    }
}
