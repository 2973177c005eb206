//! How many tokens a text plausibly is, for calls whose provider reports no usage. The bound for
//! holds is another matter: a token covers at least one byte (`ChatRequest::text_tokens`).

/// Bytes in a token of ordinary text, the common rule of thumb for English. It guesses low for
/// other scripts, which is to the caller's advantage.
pub const BYTES_PER_TOKEN: u64 = 4;

/// Tokens of an image in a prompt, about one high-detail tile set of OpenAI's.
pub const TOKENS_PER_IMAGE: u64 = 1_000;

/// A plausible number of tokens for so many bytes of text: a quarter, rounded up.
#[must_use]
pub const fn tokens_from_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}
