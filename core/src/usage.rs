//! What a call used, in the provider's units. Counted by the provider or, where it says nothing,
//! by us; `settlement::Outcome` tells which.

/// Units that one call used. `cached_tokens`, `cache_write_tokens` and `prompt_audio_tokens` are
/// parts of `prompt_tokens`; `reasoning_tokens` are a part of `completion_tokens`
/// (OpenRouter's `ChatUsage`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, all kinds.
    pub prompt_tokens: u64,
    /// Prompt tokens read from the provider's cache.
    pub cached_tokens: u64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Prompt tokens that were audio.
    pub prompt_audio_tokens: u64,
    /// Tokens of the answer, hidden reasoning included.
    pub completion_tokens: u64,
    /// Tokens of hidden or shown reasoning.
    pub reasoning_tokens: u64,
    /// Images in the prompt.
    pub images: u64,
    /// Whether the caller asked for prompt text to be kept in the provider's cache for an hour;
    /// the provider's usage does not tell such writes from others.
    pub hour_cache: bool,
}

/// The most that a call could use: what its hold is computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageBound {
    /// Tokens of text, message and tool overhead in the prompt, at most.
    pub text_tokens: u64,
    /// Images in the prompt, exactly.
    pub images: u64,
    /// Tokens of the answer, at most: the `max_tokens` that is sent upstream.
    pub output_tokens: u64,
    /// Whether the caller asks for prompt text to be written to the provider's cache for an hour.
    pub hour_cache: bool,
}
