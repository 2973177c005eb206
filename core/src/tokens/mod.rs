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

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "Don't  stop!\n\n\tfn caféÜber(x: u32) -> Vec<u8> {} // 12,345.6 \
        Привет ґанок Γειά مرحبا שלום नमस्ते สวัสดี 你好，こんにちは 안녕 👨‍👩‍👧 ❤️ → — \u{10d0}\u{10d1} aGVsbG8=";

    #[test]
    fn the_count_is_the_same_wherever_a_stream_is_split() {
        let mut whole = Counter::default();
        whole.push(MIXED);
        for (at, _) in MIXED.char_indices() {
            let (first, second) = MIXED.split_at(at);
            let mut counter = Counter::default();
            counter.push(first);
            counter.push("");
            counter.push(second);
            assert_eq!(counter, whole, "split at {at}");
        }
    }

    #[test]
    fn the_counts_never_fall_and_stay_between_one_and_the_bytes() {
        let mut counter = Counter::default();
        assert_eq!((counter.tokens(), counter.at_most()), (0, 0));
        let (mut before, mut bytes) = ((0, 0), 0);
        for c in MIXED.chars() {
            counter.push(c.encode_utf8(&mut [0; 4]));
            bytes += u64::try_from(c.len_utf8()).unwrap();
            let now = (counter.tokens(), counter.at_most());
            assert!(before.0 <= now.0 && before.1 <= now.1, "{c:?}");
            assert!(1 <= now.0 && now.0 <= now.1 && now.1 <= bytes, "{c:?}");
            before = now;
        }
    }

    #[test]
    fn a_text_costs_what_its_shape_suggests() {
        let check = |text: &str, low: u64, high: u64| {
            let found = estimate(text);
            assert!((low..=high).contains(&found), "{text:?}: {found}");
        };
        check("", 0, 0);
        check(" ", 1, 1);
        check("a", 1, 1);
        check("hello world", 2, 3);
        check("Donaudampfschifffahrtsgesellschaft", 3, 9);
        check("Don't stop!", 3, 5);
        check("readTheWholeFile(path)", 5, 8);
        check("1234567890", 4, 8);
        check("2024-11-03", 5, 9);
        check(&" ".repeat(64), 1, 3);
        check(&"-".repeat(64), 1, 12);
        check(&"\n".repeat(64), 1, 5);
        check("Привет, как дела?", 5, 8);
        check("你好，世界", 3, 5);
        check("안녕하세요", 2, 5);
        check("👍", 2, 3);
        check("👨‍👩‍👧‍👦", 8, 14);
        check("\u{10d2}\u{10d0}\u{10db}\u{10d0}\u{10e0}", 5, 10);
    }
}
