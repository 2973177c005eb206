//! How many tokens a text plausibly is, counted while it arrives, for calls whose provider reports
//! no usage and for holds that grow. What a text is made of is in `shape`, what each part of it
//! costs in `weights`; the error against real tokenizers is measured in `docs/TOKENS.md`.

mod shape;
mod weights;

use shape::Shape;
use weights::MILLI;

/// Counts the tokens of a text that is pushed piece by piece. The counts do not depend on where
/// the text is split, and never fall while it grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    shape: Shape,
    plausible_milli: u64,
    cautious_milli: u64,
    bytes: u64,
}

impl Counter {
    /// Takes the next piece of the text.
    pub fn push(&mut self, text: &str) {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
        let (mut plausible, mut cautious) = (self.plausible_milli, self.cautious_milli);
        for c in text.chars() {
            self.shape.next(c, |event| {
                let weight = event.weight();
                plausible = plausible.saturating_add(weight.plausible_milli);
                cautious = cautious.saturating_add(weight.cautious_milli);
            });
        }
        (self.plausible_milli, self.cautious_milli) = (plausible, cautious);
    }

    /// The plausible number of tokens: what current tokenizers make of such a text on average.
    /// At least one for a text that is not empty, at most `at_most`.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        let tokens = self.plausible_milli.div_ceil(MILLI);
        tokens.max(u64::from(self.bytes > 0)).min(self.at_most())
    }

    /// A cautious number of tokens: above what any measured tokenizer, old ones included, made of
    /// any text of the sample. It is no bound, for a text can be made to cost more; the bytes of
    /// the text are one, and this number is never above them.
    #[must_use]
    pub fn at_most(&self) -> u64 {
        self.cautious_milli
            .div_ceil(MILLI)
            .clamp(u64::from(self.bytes > 0), self.bytes)
    }
}

/// The plausible number of tokens of a whole text, as `Counter::tokens` has it.
#[must_use]
pub fn estimate(text: &str) -> u64 {
    let mut counter = Counter::default();
    counter.push(text);
    counter.tokens()
}
