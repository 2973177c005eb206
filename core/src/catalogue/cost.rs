//! What the provider bills: unit prices by dimension, and the overrides that replace some of them
//! for long prompts or at hours of the day. How they are applied to a call is in `pricing`.

use std::collections::BTreeMap;

use crate::money::Picos;

const MS_PER_MINUTE: i64 = 60_000;
const MINUTES_PER_DAY: i64 = 1_440;
const MINUTES_PER_HOUR: i64 = 60;

/// A thing that is billed by the unit: the keys of OpenRouter's `PublicPricing`, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// A token of the prompt.
    Prompt,
    /// A token of the answer.
    Completion,
    /// The call itself.
    Request,
    /// An image in the prompt, besides its tokens.
    Image,
    /// A prompt token of an image.
    ImageToken,
    /// An image in the answer.
    ImageOutput,
    /// A prompt token of audio.
    Audio,
    /// A token of audio in the answer.
    AudioOutput,
    /// A prompt token of audio that came from the provider's cache.
    InputAudioCache,
    /// A prompt token that came from the provider's cache.
    InputCacheRead,
    /// A prompt token written to the provider's cache.
    InputCacheWrite,
    /// A prompt token written to the provider's cache for an hour.
    InputCacheWrite1h,
    /// A token of reasoning.
    InternalReasoning,
    /// A web search.
    WebSearch,
}

impl Dimension {
    /// Every dimension, in the order in which prices are shown.
    pub const ALL: [Self; 14] = [
        Self::Prompt,
        Self::Completion,
        Self::Request,
        Self::Image,
        Self::ImageToken,
        Self::ImageOutput,
        Self::Audio,
        Self::AudioOutput,
        Self::InputAudioCache,
        Self::InputCacheRead,
        Self::InputCacheWrite,
        Self::InputCacheWrite1h,
        Self::InternalReasoning,
        Self::WebSearch,
    ];

    /// The key in OpenRouter's `PublicPricing` and in the stored form.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Completion => "completion",
            Self::Request => "request",
            Self::Image => "image",
            Self::ImageToken => "image_token",
            Self::ImageOutput => "image_output",
            Self::Audio => "audio",
            Self::AudioOutput => "audio_output",
            Self::InputAudioCache => "input_audio_cache",
            Self::InputCacheRead => "input_cache_read",
            Self::InputCacheWrite => "input_cache_write",
            Self::InputCacheWrite1h => "input_cache_write_1h",
            Self::InternalReasoning => "internal_reasoning",
            Self::WebSearch => "web_search",
        }
    }

    /// The dimension with that key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|dimension| dimension.key() == key)
    }

    /// Whether the unit is a token that is billed like any other token of the prompt or the answer
    /// when it has no price of its own, or a price of zero. `pricing` applies this rule; the
    /// import drops such a zero, so that nobody is shown a price that is not charged.
    #[must_use]
    pub const fn falls_back(self) -> bool {
        match self {
            Self::ImageToken
            | Self::Audio
            | Self::AudioOutput
            | Self::InputAudioCache
            | Self::InputCacheRead
            | Self::InputCacheWrite
            | Self::InputCacheWrite1h
            | Self::InternalReasoning => true,
            Self::Prompt
            | Self::Completion
            | Self::Request
            | Self::Image
            | Self::ImageOutput
            | Self::WebSearch => false,
        }
    }
}

/// The prices that hold under default conditions, in 1e-12 USD per unit. Prompt and completion
/// always have one; what else has none is not billed by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitPrices {
    prompt: Picos,
    completion: Picos,
    extras: BTreeMap<Dimension, Picos>,
}

impl UnitPrices {
    /// The prices of a prompt token and of an answer token, and none besides.
    #[must_use]
    pub const fn new(prompt: Picos, completion: Picos) -> Self {
        Self {
            prompt,
            completion,
            extras: BTreeMap::new(),
        }
    }

    /// The same prices with one of them set.
    #[must_use]
    pub fn with(mut self, dimension: Dimension, price: Picos) -> Self {
        if dimension == Dimension::Prompt {
            self.prompt = price;
        } else if dimension == Dimension::Completion {
            self.completion = price;
        } else {
            self.extras.insert(dimension, price);
        }
        self
    }

    /// The price of a prompt token.
    #[must_use]
    pub const fn prompt(&self) -> Picos {
        self.prompt
    }

    /// The price of an answer token.
    #[must_use]
    pub const fn completion(&self) -> Picos {
        self.completion
    }

    /// The price listed for a dimension.
    #[must_use]
    pub fn get(&self, dimension: Dimension) -> Option<Picos> {
        if dimension == Dimension::Prompt {
            Some(self.prompt)
        } else if dimension == Dimension::Completion {
            Some(self.completion)
        } else {
            self.extras.get(&dimension).copied()
        }
    }

    /// Every listed price, in the order of `Dimension::ALL`.
    pub fn iter(&self) -> impl Iterator<Item = (Dimension, Picos)> + '_ {
        Dimension::ALL
            .into_iter()
            .filter_map(|dimension| Some((dimension, self.get(dimension)?)))
    }
}

/// A daily window in UTC, half-open, which may wrap past midnight (OpenRouter's `PricingOverride`).
/// Times are clock numbers: 400 is 04:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockWindow {
    utc_start: u16,
    utc_end: u16,
}

impl ClockWindow {
    /// A window from `utc_start` up to `utc_end`. `None` when one is no time of day, or when both
    /// are the same, which could mean always or never.
    #[must_use]
    pub fn new(utc_start: u16, utc_end: u16) -> Option<Self> {
        let is_time = |clock: u16| clock < 2_400 && clock.rem_euclid(100) < 60;
        let end_is_time = is_time(utc_end) || utc_end == 2_400;
        (is_time(utc_start) && end_is_time && utc_start != utc_end)
            .then_some(Self { utc_start, utc_end })
    }

    /// The first minute inside, as a clock number.
    #[must_use]
    pub const fn utc_start(self) -> u16 {
        self.utc_start
    }

    /// The first minute after it, as a clock number.
    #[must_use]
    pub const fn utc_end(self) -> u16 {
        self.utc_end
    }

    /// Whether a moment in Unix milliseconds lies inside.
    #[must_use]
    pub fn contains(self, at_ms: i64) -> bool {
        let minute = at_ms.div_euclid(MS_PER_MINUTE).rem_euclid(MINUTES_PER_DAY);
        let hours = minute.div_euclid(MINUTES_PER_HOUR).saturating_mul(100);
        let clock = hours.saturating_add(minute.rem_euclid(MINUTES_PER_HOUR));
        let (start, end) = (i64::from(self.utc_start), i64::from(self.utc_end));
        if start < end {
            start <= clock && clock < end
        } else {
            start <= clock || clock < end
        }
    }
}

/// Prices that replace the default ones when every condition is met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// Applies to prompts of strictly more tokens.
    pub min_prompt_tokens: Option<u64>,
    /// Applies inside this window.
    pub window: Option<ClockWindow>,
    /// The prices that change; all others stay.
    pub prices: BTreeMap<Dimension, Picos>,
}

impl Override {
    /// Whether it applies to a prompt of that many tokens at that moment in Unix milliseconds.
    #[must_use]
    pub fn applies(&self, prompt_tokens: u64, at_ms: i64) -> bool {
        self.can_apply(prompt_tokens) && self.window.is_none_or(|window| window.contains(at_ms))
    }

    /// Whether it applies at any time of day to a prompt of at most that many tokens.
    #[must_use]
    pub fn can_apply(&self, prompt_tokens: u64) -> bool {
        self.min_prompt_tokens.is_none_or(|min| prompt_tokens > min)
    }
}

/// What the provider bills for a model, from a moment on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Since when, in Unix milliseconds.
    pub effective_from_ms: i64,
    /// The prices under default conditions.
    pub prices: UnitPrices,
    /// Conditional prices; of those that apply, later ones win per dimension.
    pub overrides: Vec<Override>,
}

impl Cost {
    /// The dearest price of a dimension under any conditions; `None` when it is not billed.
    #[must_use]
    pub fn dearest(&self, dimension: Dimension) -> Option<Picos> {
        let conditional = self.overrides.iter();
        let conditional = conditional.filter_map(|entry| entry.prices.get(&dimension).copied());
        self.prices
            .get(dimension)
            .into_iter()
            .chain(conditional)
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_is_found_by_its_key() {
        for dimension in Dimension::ALL {
            assert_eq!(Dimension::from_key(dimension.key()), Some(dimension));
        }
        assert_eq!(Dimension::from_key("video"), None);
    }

    #[test]
    fn the_dearest_price_may_be_a_conditional_one() {
        let picos = |price| Picos::new(price).unwrap();
        let long = |price| Override {
            prices: BTreeMap::from([(Dimension::Prompt, picos(price))]),
            ..Override::default()
        };
        let check = |overrides: Vec<Override>, dimension, expect: Option<i64>| {
            let cost = Cost {
                prices: UnitPrices::new(picos(5), picos(7)),
                overrides,
                ..Cost::default()
            };
            assert_eq!(cost.dearest(dimension), expect.map(picos), "{cost:?}");
        };
        check(vec![], Dimension::Prompt, Some(5));
        check(vec![long(9), long(6)], Dimension::Prompt, Some(9));
        check(vec![long(4)], Dimension::Prompt, Some(5));
        check(vec![long(9)], Dimension::Completion, Some(7));
        check(vec![long(9)], Dimension::Image, None);
    }

    #[test]
    fn a_window_holds_its_first_minute_and_not_its_last_even_past_midnight() {
        let check = |(start, end): (u16, u16), (hour, minute): (i64, i64), expect: bool| {
            let window = ClockWindow::new(start, end).unwrap();
            for day in [-1, 0, 20_000] {
                let at_ms = ((day * 24 + hour) * 60 + minute) * 60_000 + 59_999;
                assert_eq!(window.contains(at_ms), expect, "{window:?} {hour}:{minute}");
            }
        };
        check((100, 400), (0, 59), false);
        check((100, 400), (1, 0), true);
        check((100, 400), (3, 59), true);
        check((100, 400), (4, 0), false);
        check((1630, 30), (16, 29), false);
        check((1630, 30), (16, 30), true);
        check((1630, 30), (23, 59), true);
        check((1630, 30), (0, 29), true);
        check((1630, 30), (0, 30), false);
        check((0, 2400), (23, 59), true);
        check((2200, 2400), (0, 0), false);
    }

    #[test]
    fn a_window_that_is_no_window_is_refused() {
        for (start, end) in [(2400, 100), (100, 2401), (160, 400), (100, 460), (300, 300)] {
            assert_eq!(ClockWindow::new(start, end), None, "{start} {end}");
        }
    }
}
