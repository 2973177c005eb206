//! What a stream costs when it is closed early: it depends on who answers behind OpenRouter.
//! The list is OpenRouter's own (openrouter.ai/docs/api-reference/streaming, "Stream Cancellation",
//! read in autumn 2026). Who is not on it is taken for one that bills the whole answer.

/// Providers at which closing a stream ends the work and the bill, without case and punctuation.
const STOPS: [&str; 25] = [
    "anthropic",
    "anyscale",
    "avian",
    "azure",
    "chutes",
    "cloudflare",
    "cohere",
    "deepinfra",
    "deepseek",
    "fireworks",
    "friendli",
    "hyperbolic",
    "infermatic",
    "lepton",
    "liquid",
    "mancer",
    "nineteen",
    "novita",
    "novitaai",
    "octoai",
    "openai",
    "recursal",
    "sfcompute",
    "together",
    "xai",
];

/// What to do with a stream that its caller has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Close it: that stops the bill.
    Cancel,
    /// Read it to its end: the whole answer is billed anyway, and only its end tells how much.
    Drain,
}

impl Departure {
    /// The policy for the provider that a chunk names, such as `OpenAI` or `Amazon Bedrock`.
    #[must_use]
    pub fn of(provider: &str) -> Self {
        let plain: String = provider
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if STOPS.contains(&plain.as_str()) {
            Self::Cancel
        } else {
            Self::Drain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_providers_that_are_known_to_stop_are_cancelled() {
        let check = |provider: &str, expect: Departure| {
            assert_eq!(Departure::of(provider), expect, "{provider}");
        };
        check("OpenAI", Departure::Cancel);
        check("xAI", Departure::Cancel);
        check("SF Compute", Departure::Cancel);
        check("DeepInfra", Departure::Cancel);
        check("Amazon Bedrock", Departure::Drain);
        check("AWS Bedrock", Departure::Drain);
        check("Google AI Studio", Departure::Drain);
        check("Groq", Departure::Drain);
        check("Mistral", Departure::Drain);
        check("Somebody New", Departure::Drain);
        check("", Departure::Drain);
        check("OpenAI (fork)", Departure::Drain);
    }
}
