//! Tables for the provider's bill of a usage: rates, parts of a whole, overrides, and counts that
//! are beyond all sense.

use super::*;

const NOON_MS: i64 = 12 * 3_600_000;
const NIGHT_MS: i64 = 2 * 3_600_000;

#[test]
fn every_unit_is_billed_once_at_its_own_rate() {
    let check = |prices: UnitPrices, usage: Usage, nanos: i64| {
        let got = cost_of(&cost(prices, vec![]), &usage, NOON_MS);
        assert_eq!(got.map(Nanos::get), Ok(nanos), "{usage:?}");
    };
    check(base(), usage(0, 0), 0);
    check(base(), usage(100, 10), 120);
    check(UnitPrices::new(picos(1), picos(0)), usage(1, 0), 1);
    check(UnitPrices::new(picos(1), picos(0)), usage(1_001, 9), 2);
    check(full(), usage(0, 0), 10_000);
    check(full(), usage(100, 10), 10_120);
    check(
        full(),
        Usage {
            images: 3,
            ..usage(100, 10)
        },
        11_620,
    );
    check(
        full(),
        Usage {
            cached_tokens: 40,
            ..usage(100, 0)
        },
        10_064,
    );
    check(
        full(),
        Usage {
            cache_write_tokens: 40,
            ..usage(100, 0)
        },
        10_110,
    );
    check(
        full(),
        Usage {
            cache_write_tokens: 40,
            hour_cache: true,
            ..usage(100, 0)
        },
        10_140,
    );
    check(
        full(),
        Usage {
            prompt_audio_tokens: 1,
            ..usage(100, 0)
        },
        10_139,
    );
    check(
        full(),
        Usage {
            reasoning_tokens: 4,
            ..usage(0, 10)
        },
        10_024,
    );
    check(
        full(),
        Usage {
            cached_tokens: 10,
            cache_write_tokens: 20,
            prompt_audio_tokens: 30,
            reasoning_tokens: 10,
            ..usage(100, 10)
        },
        10_000 + 1 + 25 + 1_200 + 40 + 30,
    );
}

#[test]
fn a_token_kind_without_a_price_is_billed_like_any_other_token() {
    let parts = Usage {
        cached_tokens: 10,
        cache_write_tokens: 20,
        prompt_audio_tokens: 30,
        reasoning_tokens: 5,
        ..usage(100, 10)
    };
    let check = |prices: UnitPrices, usage: Usage, nanos: i64| {
        let got = cost_of(&cost(prices, vec![]), &usage, NOON_MS);
        assert_eq!(got.map(Nanos::get), Ok(nanos), "{usage:?}");
    };
    let hour = Usage {
        hour_cache: true,
        ..parts
    };
    check(base(), parts, 120);
    check(base(), hour, 120);
    let zeros = Dimension::ALL
        .into_iter()
        .filter(|dimension| dimension.falls_back())
        .fold(base(), |all, dimension| all.with(dimension, Picos::ZERO));
    check(zeros, parts, 120);
    // Without a price for an hour, an hour's write costs what a write costs.
    check(
        base().with(Dimension::InputCacheWrite, picos(2_000)),
        hour,
        140,
    );
}

#[test]
fn parts_beyond_their_whole_are_cut_dearest_first() {
    let check = |parts: Usage, nanos: i64| {
        let got = cost_of(&cost(full(), vec![]), &parts, NOON_MS);
        assert_eq!(got.map(Nanos::get), Ok(10_000 + nanos), "{parts:?}");
    };
    let max = u64::MAX;
    check(
        Usage {
            cached_tokens: max,
            ..usage(10, 0)
        },
        1,
    );
    check(
        Usage {
            cache_write_tokens: max,
            cached_tokens: max,
            ..usage(100, 0)
        },
        125,
    );
    check(
        Usage {
            prompt_audio_tokens: max,
            cached_tokens: max,
            ..usage(10, 0)
        },
        400,
    );
    check(
        Usage {
            reasoning_tokens: max,
            ..usage(0, 10)
        },
        30,
    );
    let all = Usage {
        cached_tokens: max,
        cache_write_tokens: max,
        prompt_audio_tokens: max,
        reasoning_tokens: max,
        ..usage(0, 0)
    };
    check(all, 0);
    check(
        Usage {
            cached_tokens: 60,
            cache_write_tokens: 80,
            ..usage(100, 0)
        },
        102,
    );
}

#[test]
fn long_prompts_and_hours_of_the_day_have_the_prices_of_their_overrides() {
    let overrides = vec![
        over(
            Some(100),
            None,
            &[(Dimension::Prompt, 2_000), (Dimension::Completion, 4_000)],
        ),
        over(Some(1_000), None, &[(Dimension::Prompt, 3_000)]),
        over(None, Some((100, 400)), &[(Dimension::Completion, 1_000)]),
        over(
            Some(1_000),
            Some((2300, 130)),
            &[(Dimension::InputCacheRead, 500)],
        ),
    ];
    let cost = cost(base(), overrides);
    let check = |usage: Usage, at_ms: i64, nanos: i64| {
        let got = cost_of(&cost, &usage, at_ms).map(Nanos::get);
        assert_eq!(got, Ok(nanos), "{usage:?} {at_ms}");
    };
    check(usage(100, 10), NOON_MS, 120);
    check(usage(101, 10), NOON_MS, 242);
    check(usage(1_000, 10), NOON_MS, 2_040);
    check(usage(1_001, 10), NOON_MS, 3_043);
    check(usage(100, 10), NIGHT_MS, 110);
    check(usage(1_001, 10), NIGHT_MS, 3_013);
    check(usage(1_001, 0), 0, 3_003);
    let cached = Usage {
        cached_tokens: 1_000,
        ..usage(1_001, 0)
    };
    check(cached, NIGHT_MS, 3_003);
    check(cached, 0, 503);
    check(
        Usage {
            cached_tokens: 1_000,
            ..usage(1_000, 0)
        },
        0,
        2_000,
    );
}

#[test]
fn a_reasoning_price_that_repeats_the_answer_price_follows_it() {
    let long = vec![over(Some(100), None, &[(Dimension::Completion, 4_000)])];
    let check = |reasoning: i64, prompt_tokens: u64, nanos: i64| {
        let prices = base().with(Dimension::InternalReasoning, picos(reasoning));
        let usage = Usage {
            reasoning_tokens: 10,
            ..usage(prompt_tokens, 10)
        };
        let got = cost_of(&cost(prices, long.clone()), &usage, NOON_MS);
        assert_eq!(got.map(Nanos::get), Ok(nanos));
    };
    check(2_000, 100, 120);
    check(2_000, 101, 141);
    check(3_000, 100, 130);
    check(3_000, 101, 131);
}

#[test]
fn absurd_counts_are_an_overflow_and_never_cheap() {
    let check = |parts: Usage| {
        let got = cost_of(&cost(full(), vec![]), &parts, NOON_MS);
        assert_eq!(got, Err(MoneyError::Overflow), "{parts:?}");
    };
    check(usage(u64::MAX, 0));
    check(usage(0, u64::MAX));
    check(Usage {
        images: u64::MAX,
        ..usage(0, 0)
    });
    check(Usage {
        cached_tokens: u64::MAX,
        ..usage(u64::MAX, u64::MAX)
    });
    let dearest = UnitPrices::new(picos(i64::MAX), picos(i64::MAX));
    let got = cost_of(
        &cost(dearest.clone(), vec![]),
        &usage(u64::MAX, u64::MAX),
        0,
    );
    assert_eq!(got, Err(MoneyError::Overflow));
    let bound = UsageBound {
        text_tokens: u64::MAX,
        output_tokens: u64::MAX,
        ..UsageBound::default()
    };
    let got = cost_bound(&cost(dearest, vec![]), &model(None), &bound);
    assert_eq!(got, Err(BoundRefusal::Money(MoneyError::Overflow)));
    let images = UsageBound {
        images: u64::MAX,
        ..bound
    };
    let got = cost_bound(&cost(base(), vec![]), &model(Some(2)), &images);
    assert_eq!(got, Err(BoundRefusal::Money(MoneyError::Overflow)));
}
