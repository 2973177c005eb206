//! What each part of a text costs in tokens, in thousandths. Fitted to the counts of real
//! tokenizers as `docs/TOKENS.md` tells.

/// Thousandths in a token.
pub(super) const MILLI: u64 = 1_000;

/// Something in a text that costs tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The first letter of a Latin word after a space.
    SpacedWord,
    /// The same after a newline, a digit or punctuation.
    GluedWord,
    /// The same after an apostrophe, as in `don't`.
    WordAfterApostrophe,
    /// A capital after a small letter, as in `camelCase`.
    CamelWord,
    /// Letters 2 to 4 of a word.
    Letter,
    /// Letters 5 to 8.
    FarLetter,
    /// Letters from the ninth on.
    FurthestLetter,
    /// A Latin word in a text with accents costs this in addition.
    AccentedWord,
    /// Letters 2 to 4 of a word in a text with accents.
    AccentedLetter,
    /// Letters 5 to 8.
    AccentedFarLetter,
    /// Letters from the ninth on.
    AccentedFurthestLetter,
    /// A letter with an accent costs this in addition.
    Accent,
    /// A capital after a capital.
    Capital,
    /// The first of at most three digits.
    DigitGroup,
    /// The second or third of them.
    Digit,
    /// A number after a space costs this in addition.
    SpacedNumber,
    /// The second space of a run.
    SecondSpace,
    /// Spaces from the third on.
    FurtherSpace,
    /// The first line break of a run.
    Newline,
    /// The same after punctuation.
    NewlineAfterMark,
    /// Line breaks from the second on.
    FurtherNewline,
    /// ASCII punctuation after something else than a space or punctuation.
    Punctuation,
    /// The same after a space.
    SpacedPunctuation,
    /// The same after another punctuation character.
    FurtherPunctuation,
    /// The same after itself.
    RepeatedPunctuation,
    /// Dashes, curly quotes and the like.
    WidePunctuation,
    /// Punctuation of Chinese, Japanese and Korean.
    EastPunctuation,
    /// Arrows, boxes, mathematics.
    Symbol,
    /// An emoji.
    Emoji,
    /// A part of an emoji.
    EmojiPart,
    /// The first letter of a run in a script other than Latin costs this in addition.
    ScriptWord,
    /// A letter.
    Cyrillic,
    /// A letter.
    Greek,
    /// A letter.
    Arabic,
    /// A letter.
    Hebrew,
    /// A letter or sign.
    Devanagari,
    /// A letter or sign.
    Thai,
    /// A character.
    Han,
    /// A character.
    Kana,
    /// A syllable.
    Hangul,
    /// A byte of a letter in a script that the sample does not have.
    OtherByte,
}

/// What an event costs, in thousandths of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) plausible_milli: u64,
    pub(super) cautious_milli: u64,
}

const fn weight(plausible_milli: u64, cautious_milli: u64) -> Weight {
    Weight {
        plausible_milli,
        cautious_milli,
    }
}

impl Event {
    /// What this costs.
    pub(super) const fn weight(self) -> Weight {
        match self {
            Self::SpacedWord => weight(1_000, 1_300),
            Self::GluedWord => weight(900, 1_300),
            Self::WordAfterApostrophe => weight(300, 1_000),
            Self::CamelWord => weight(900, 1_300),
            Self::Letter => weight(10, 150),
            Self::FarLetter => weight(50, 250),
            Self::FurthestLetter => weight(100, 300),
            Self::AccentedWord => weight(200, 400),
            Self::AccentedLetter => weight(80, 250),
            Self::AccentedFarLetter => weight(150, 300),
            Self::AccentedFurthestLetter => weight(200, 350),
            Self::Accent => weight(300, 800),
            Self::Capital => weight(300, 600),
            Self::DigitGroup => weight(1_000, 1_000),
            Self::Digit => weight(250, 1_000),
            Self::SpacedNumber => weight(600, 1_000),
            Self::SecondSpace => weight(1_000, 1_000),
            Self::FurtherSpace => weight(20, 150),
            Self::Newline => weight(1_000, 1_000),
            Self::NewlineAfterMark => weight(400, 1_000),
            Self::FurtherNewline => weight(50, 1_000),
            Self::Punctuation => weight(900, 1_100),
            Self::SpacedPunctuation => weight(900, 1_100),
            Self::FurtherPunctuation => weight(500, 1_000),
            Self::RepeatedPunctuation => weight(150, 600),
            Self::WidePunctuation => weight(900, 2_000),
            Self::EastPunctuation => weight(900, 1_500),
            Self::Symbol => weight(1_500, 3_000),
            Self::Emoji => weight(1_900, 4_000),
            Self::EmojiPart => weight(1_000, 3_000),
            Self::ScriptWord => weight(200, 500),
            Self::Cyrillic => weight(270, 600),
            Self::Greek => weight(400, 1_200),
            Self::Arabic => weight(320, 1_200),
            Self::Hebrew => weight(400, 1_300),
            Self::Devanagari => weight(350, 1_300),
            Self::Thai => weight(400, 1_300),
            Self::Han => weight(700, 2_000),
            Self::Kana => weight(650, 1_500),
            Self::Hangul => weight(600, 2_500),
            Self::OtherByte => weight(500, 1_000),
        }
    }
}
