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
    /// The same after one or two letters, as in base64.
    ScrambledWord,
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
    /// The same for those of German, which stand for longer words.
    Umlaut,
    /// The same for letters outside Latin-1, whose languages tokenizers know less well.
    RareAccent,
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
    /// The second character of a run of punctuation, if it differs from the first.
    SecondPunctuation,
    /// Characters from the third on that differ from the one before.
    FurtherPunctuation,
    /// Punctuation after itself.
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
    /// The first letter of a word costs this in addition.
    CyrillicWord,
    /// A letter.
    Cyrillic,
    /// A letter that Russian does not have costs this in addition.
    RareCyrillic,
    /// The first letter of a word costs this in addition.
    GreekWord,
    /// A letter.
    Greek,
    /// The first letter of a word costs this in addition.
    ArabicWord,
    /// A letter.
    Arabic,
    /// The first letter of a word costs this in addition.
    HebrewWord,
    /// A letter.
    Hebrew,
    /// The first letter of a word costs this in addition.
    DevanagariWord,
    /// A letter or sign.
    Devanagari,
    /// A letter or sign.
    Thai,
    /// A character.
    Han,
    /// A character.
    Kana,
    /// The first letter of a word costs this in addition.
    HangulWord,
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
            Self::SpacedWord => weight(920, 1_540),
            Self::GluedWord => weight(730, 1_020),
            Self::WordAfterApostrophe => weight(280, 850),
            Self::CamelWord => weight(1_250, 1_440),
            Self::ScrambledWord => weight(2_830, 3_280),
            Self::Letter => weight(40, 140),
            Self::FarLetter => weight(50, 230),
            Self::FurthestLetter => weight(100, 270),
            Self::AccentedWord => weight(170, 360),
            Self::AccentedLetter => weight(70, 240),
            Self::AccentedFarLetter => weight(130, 300),
            Self::AccentedFurthestLetter => weight(180, 330),
            Self::Accent => weight(80, 690),
            Self::Umlaut => weight(870, 1_060),
            Self::RareAccent => weight(1_110, 1_460),
            Self::Capital => weight(70, 510),
            Self::DigitGroup => weight(1_290, 1_520),
            Self::Digit => weight(230, 880),
            Self::SpacedNumber => weight(540, 870),
            Self::SecondSpace => weight(900, 1_040),
            Self::FurtherSpace => weight(0, 130),
            Self::Newline => weight(860, 1_000),
            Self::NewlineAfterMark => weight(420, 850),
            Self::FurtherNewline => weight(50, 850),
            Self::Punctuation => weight(600, 900),
            Self::SpacedPunctuation => weight(1_140, 1_320),
            Self::SecondPunctuation => weight(350, 830),
            Self::FurtherPunctuation => weight(300, 840),
            Self::RepeatedPunctuation => weight(140, 510),
            Self::WidePunctuation => weight(1_080, 1_700),
            Self::EastPunctuation => weight(1_130, 1_300),
            Self::Symbol => weight(1_540, 2_550),
            Self::Emoji => weight(2_540, 3_400),
            Self::EmojiPart => weight(1_030, 2_550),
            Self::CyrillicWord => weight(890, 1_040),
            Self::Cyrillic => weight(150, 520),
            Self::RareCyrillic => weight(840, 980),
            Self::GreekWord => weight(570, 680),
            Self::Greek => weight(340, 1_350),
            Self::ArabicWord => weight(540, 640),
            Self::Arabic => weight(290, 1_180),
            Self::HebrewWord => weight(560, 660),
            Self::Hebrew => weight(550, 1_220),
            Self::DevanagariWord => weight(570, 680),
            Self::Devanagari => weight(420, 1_350),
            Self::Thai => weight(390, 1_970),
            Self::Han => weight(630, 1_710),
            Self::Kana => weight(600, 1_230),
            Self::HangulWord => weight(550, 640),
            Self::Hangul => weight(600, 2_140),
            Self::OtherByte => weight(500, 1_000),
        }
    }
}
