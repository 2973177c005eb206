//! What a model says, in the pieces that a stream sends one at a time: the user's own words over and
//! over, JSON that fits a schema, or bulk. How much of it counts as what is in `answer`.

use std::borrow::Cow;

use super::fault::Fault;
use super::instance::instance;
use super::request::{Chat, Form};

const CHARS_PER_TOKEN: usize = 4;
const MAX_WORDS: usize = 4_096;
const HUGE_BLOCKS: u64 = 34 * 256;
const HUGE_BLOCK_BYTES: usize = 4_096;
const HUGE_EVENT_BYTES: usize = 9 * 1_024 * 1_024;
const HUGE_TOKENS: u64 = 8_192;
const MULTI_BYTE_WORDS: [&str; 6] = ["żółć", "東京", "🦀", "naïve", "Ελλάδα", "שלום"];

/// The visible text in pieces.
#[derive(Debug)]
pub enum Pieces {
    /// Words over and over, one token each.
    Words {
        /// What is repeated; never empty.
        words: Vec<String>,
        /// How many words are said.
        count: u64,
    },
    /// A text in slices of a token each.
    Slices(Vec<String>),
    /// The letter `x`, in blocks that share out the tokens.
    Blocks {
        /// How many blocks.
        count: u64,
        /// Bytes in each.
        bytes: usize,
        /// Tokens of all blocks together.
        tokens: u64,
    },
}

impl Pieces {
    /// What the model says to `chat`: `wanted` words, or what the form or the model makes of them, in
    /// `limit` tokens at most as far as it is counted here.
    #[must_use]
    pub fn new(chat: &Chat, wanted: u64, limit: u64) -> Self {
        let words = |count| Pieces::Words {
            words: words(chat),
            count,
        };
        match (&chat.form, chat.model.fault) {
            (Form::Tool { parameters, .. }, _) => {
                Pieces::slices(&instance(parameters, &chat.last_user_text).to_string())
            }
            (Form::Json(schema), _) => {
                let text = words(wanted.min(limit)).text();
                Pieces::slices(&instance(schema, &text).to_string())
            }
            (Form::Text, Fault::Huge) => Pieces::Blocks {
                count: HUGE_BLOCKS,
                bytes: HUGE_BLOCK_BYTES,
                tokens: chat.knobs.tokens.unwrap_or(HUGE_TOKENS).min(limit),
            },
            (Form::Text, Fault::HugeEvent) => Pieces::Blocks {
                count: 1,
                bytes: HUGE_EVENT_BYTES,
                tokens: chat.knobs.tokens.unwrap_or(HUGE_TOKENS).min(limit),
            },
            (Form::Text, _) => words(wanted),
        }
    }

    /// How many pieces there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Words { count, .. } | Self::Blocks { count, .. } => *count,
            Self::Slices(slices) => u64::try_from(slices.len()).unwrap_or(u64::MAX),
        }
    }

    /// Tokens of the first `pieces` pieces.
    #[must_use]
    pub fn tokens_of(&self, pieces: u64) -> u64 {
        match self {
            Self::Words { .. } | Self::Slices(_) => pieces,
            Self::Blocks { count, tokens, .. } => pieces * tokens / count,
        }
    }

    /// The text of piece `index`; words carry the space before them.
    #[must_use]
    pub fn text_of(&self, index: u64) -> Cow<'_, str> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        match self {
            Self::Words { words, .. } => {
                let word = words
                    .get(index % words.len().max(1))
                    .map_or("", String::as_str);
                if index == 0 {
                    Cow::Borrowed(word)
                } else {
                    Cow::Owned(format!(" {word}"))
                }
            }
            Self::Slices(slices) => Cow::Borrowed(slices.get(index).map_or("", String::as_str)),
            Self::Blocks { bytes, .. } => Cow::Owned("x".repeat(*bytes)),
        }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_through(self.count())
    }

    /// The text of the first `pieces` pieces.
    #[must_use]
    pub fn text_through(&self, pieces: u64) -> String {
        let mut text = String::with_capacity(512);
        for index in 0..pieces {
            text.push_str(&self.text_of(index));
        }
        text
    }

    /// Leaves out what is beyond so many tokens.
    pub fn cut_to(&mut self, tokens: u64) {
        match self {
            Self::Words { count, .. } => *count = tokens.min(*count),
            Self::Slices(slices) => slices.truncate(usize::try_from(tokens).unwrap_or(usize::MAX)),
            // Its length is the point of it, and its tokens were counted within the limit.
            Self::Blocks { .. } => {}
        }
    }

    fn slices(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        Self::Slices(
            chars
                .chunks(CHARS_PER_TOKEN)
                .map(|slice| slice.iter().collect())
                .collect(),
        )
    }
}

/// The words that are repeated: the user's, or the model's name when the user said nothing.
fn words(chat: &Chat) -> Vec<String> {
    if chat.model.fault == Fault::SplitUtf8 {
        return MULTI_BYTE_WORDS.map(str::to_owned).to_vec();
    }
    let said = chat.last_user_text.split_whitespace().take(MAX_WORDS);
    let words: Vec<String> = said.map(|word| word.chars().take(64).collect()).collect();
    if words.is_empty() {
        vec![chat.slug.clone()]
    } else {
        words
    }
}
