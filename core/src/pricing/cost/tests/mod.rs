//! Tests of the provider's bill and of its bound, one file a behaviour. Here are only the models,
//! prices and usages that the files share.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]

use super::*;
use crate::catalogue::{ClockWindow, Override, UnitPrices};

mod bill;
mod hold;
mod seeded_search;

fn picos(value: i64) -> Picos {
    Picos::new(value).unwrap()
}

fn model(max_image_tokens: Option<u64>) -> Model {
    Model {
        slug: "maker/model".to_owned(),
        name: "Model".to_owned(),
        context_length: None,
        max_completion_tokens: None,
        max_image_tokens,
        hidden_reasoning: false,
        free: false,
        details: "{}".to_owned(),
    }
}

fn cost(prices: UnitPrices, overrides: Vec<Override>) -> Cost {
    Cost {
        effective_from_ms: 0,
        prices,
        overrides,
    }
}

/// One nano per prompt token and two per answer token, so that tables are read at sight.
fn base() -> UnitPrices {
    UnitPrices::new(picos(1_000), picos(2_000))
}

/// Every price distinct.
fn full() -> UnitPrices {
    base()
        .with(Dimension::Request, picos(10_000_000))
        .with(Dimension::Image, picos(500_000))
        .with(Dimension::Audio, picos(40_000))
        .with(Dimension::InputCacheRead, picos(100))
        .with(Dimension::InputCacheWrite, picos(1_250))
        .with(Dimension::InputCacheWrite1h, picos(2_000))
        .with(Dimension::InternalReasoning, picos(3_000))
        .with(Dimension::WebSearch, picos(99_000_000))
}

fn usage(prompt_tokens: u64, completion_tokens: u64) -> Usage {
    Usage {
        prompt_tokens,
        completion_tokens,
        ..Usage::default()
    }
}

fn over(min: Option<u64>, window: Option<(u16, u16)>, prices: &[(Dimension, i64)]) -> Override {
    Override {
        min_prompt_tokens: min,
        window: window.map(|(start, end)| ClockWindow::new(start, end).unwrap()),
        prices: prices
            .iter()
            .map(|(dimension, price)| (*dimension, picos(*price)))
            .collect(),
    }
}
