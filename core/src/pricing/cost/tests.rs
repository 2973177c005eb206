//! Tables for the provider's bill and its bound, and a seeded search for a usage that is dearer
//! than what was held for it.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, as it should"
)]

use super::*;
use crate::catalogue::{ClockWindow, Override, UnitPrices};
use crate::ids::RuleId;
use crate::pricing::{PriceRule, Quote, affordable_output_tokens, charges};

const NOON_MS: i64 = 12 * 3_600_000;
const NIGHT_MS: i64 = 2 * 3_600_000;

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

#[test]
fn a_hold_takes_the_dearest_rate_that_could_apply() {
    let check = |cost: &Cost, bound: UsageBound, nanos: i64| {
        let got = cost_bound(cost, &model(Some(1_000)), &bound).map(Nanos::get);
        assert_eq!(got, Ok(nanos), "{bound:?}");
    };
    let text = |text_tokens, output_tokens| UsageBound {
        text_tokens,
        output_tokens,
        ..UsageBound::default()
    };
    let plain = cost(base(), vec![]);
    check(&plain, text(0, 0), 0);
    check(&plain, text(100, 10), 120);
    check(
        &plain,
        UsageBound {
            images: 2,
            ..text(100, 10)
        },
        2_120,
    );
    let full = cost(full(), vec![]);
    check(&full, text(100, 10), 10_000 + 125 + 30);
    check(
        &full,
        UsageBound {
            hour_cache: true,
            ..text(100, 10)
        },
        10_000 + 200 + 30,
    );
    check(
        &full,
        UsageBound {
            images: 1,
            ..text(100, 0)
        },
        10_000 + 500 + 1_375,
    );
    let long = cost(
        base(),
        vec![
            over(
                Some(100),
                None,
                &[(Dimension::Prompt, 5_000), (Dimension::Completion, 9_000)],
            ),
            over(None, Some((100, 400)), &[(Dimension::Completion, 3_000)]),
            over(None, Some((500, 600)), &[(Dimension::Prompt, 1)]),
        ],
    );
    check(&long, text(100, 10), 130);
    check(&long, text(101, 10), 505 + 90);
}

#[test]
fn images_are_refused_unless_their_tokens_are_bounded_and_billed_like_text() {
    let check = |prices: UnitPrices, max: Option<u64>, images: u64, refused: bool| {
        let bound = UsageBound {
            images,
            ..UsageBound::default()
        };
        let got = cost_bound(&cost(prices, vec![]), &model(max), &bound);
        let expect = Err(BoundRefusal::ImagesNotPriced);
        assert_eq!(got == expect, refused, "{max:?} {images} {got:?}");
    };
    check(base(), None, 0, false);
    check(base(), None, 1, true);
    check(base(), Some(10), 1, false);
    check(
        base().with(Dimension::ImageToken, Picos::ZERO),
        Some(10),
        1,
        false,
    );
    check(
        base().with(Dimension::ImageToken, picos(1_000)),
        Some(10),
        1,
        false,
    );
    check(
        base().with(Dimension::ImageToken, picos(1_001)),
        Some(10),
        1,
        true,
    );
    check(
        base().with(Dimension::ImageToken, picos(999)),
        Some(10),
        0,
        false,
    );
}

#[test]
fn the_affordable_answer_is_the_longest_whose_hold_fits_every_level() {
    let rule = |bps: i64, min: i64| PriceRule {
        id: RuleId::from_random([0; 10]),
        pattern: "*".to_owned(),
        markup_bps: bps,
        min_charge: Nanos::new(min),
        priority: 0,
        starts_at_ms: 0,
        ends_at_ms: None,
    };
    let check = |prices: UnitPrices, rules: &[PriceRule], budgets: &[i64], expect: u64| {
        let (model, cost) = (model(None), cost(prices, vec![]));
        let chain: Vec<&PriceRule> = rules.iter().collect();
        let quote = Quote {
            model: &model,
            cost: &cost,
            rules_from_root: &chain,
        };
        let bound = UsageBound {
            text_tokens: 100,
            output_tokens: 7,
            ..UsageBound::default()
        };
        let budgets: Vec<Nanos> = budgets.iter().copied().map(Nanos::new).collect();
        let got = affordable_output_tokens(&quote, &bound, &budgets);
        assert_eq!(got, expect, "{budgets:?}");
        if got > 0 && got < u64::MAX {
            let fits = |output_tokens| {
                let hold = quote.hold(&UsageBound {
                    output_tokens,
                    ..bound
                });
                hold.is_ok_and(|hold| hold.iter().zip(&budgets).all(|(hold, max)| hold <= max))
            };
            assert!(fits(got) && !fits(got + 1), "{budgets:?} {got}");
        }
    };
    check(base(), &[rule(0, 0)], &[99], 0);
    check(base(), &[rule(0, 0)], &[100], 0);
    check(base(), &[rule(0, 0)], &[101], 0);
    check(base(), &[rule(0, 0)], &[102], 1);
    check(base(), &[rule(0, 0)], &[1_000_000_100], 500_000_000);
    check(base(), &[rule(10_000, 0)], &[1_000], 200);
    check(base(), &[rule(10_000, 0), rule(0, 0)], &[1_000, 600], 100);
    check(base(), &[rule(0, 0), rule(10_000, 0)], &[1_000, 600], 100);
    check(base(), &[rule(0, 500)], &[499], 0);
    check(base(), &[rule(0, 500)], &[500], 200);
    check(
        base(),
        &[rule(0, 0)],
        &[i64::MAX],
        4_611_686_018_427_387_853,
    );
    check(base(), &[rule(0, 0)], &[], 0);
    check(base(), &[rule(0, 0)], &[1_000, 1_000], 0);
    check(
        UnitPrices::new(picos(1), picos(0)),
        &[rule(0, 0)],
        &[1],
        u64::MAX,
    );
}

/// A linear congruential generator (Knuth's MMIX constants): the search is the same on every run.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Biased to the edges, where mistakes live.
    fn up_to(&mut self, max: u64) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => max,
            2 => max.saturating_sub(1),
            3 => max / 2,
            _ => self.below(max + 1),
        }
    }

    fn price(&mut self) -> Picos {
        let price = match self.below(5) {
            0 => 0,
            1 => 1,
            2 => self.below(1_000),
            _ => self.below(100_000_000),
        };
        picos(i64::try_from(price).unwrap())
    }

    fn prices(&mut self) -> UnitPrices {
        let mut prices = UnitPrices::new(self.price(), self.price());
        for dimension in Dimension::ALL {
            // Image tokens with a price of their own refuse every image: tested above.
            if dimension != Dimension::ImageToken && self.one_in(2) {
                prices = prices.with(dimension, self.price());
            }
        }
        prices
    }

    fn clock(&mut self) -> u16 {
        u16::try_from(self.below(24) * 100 + self.below(60)).unwrap()
    }

    fn overrides(&mut self, threshold: u64) -> Vec<Override> {
        let entry = |random: &mut Self| Override {
            min_prompt_tokens: random.one_in(2).then(|| random.up_to(threshold)),
            window: ClockWindow::new(random.clock(), random.clock()).filter(|_| random.one_in(2)),
            prices: Dimension::ALL
                .into_iter()
                .filter(|dimension| *dimension != Dimension::ImageToken && random.one_in(3))
                .collect::<Vec<_>>()
                .into_iter()
                .map(|dimension| (dimension, random.price()))
                .collect(),
        };
        (0..self.below(4)).map(|_| entry(self)).collect()
    }

    fn rules(&mut self) -> Vec<PriceRule> {
        let rule = |random: &mut Self| PriceRule {
            id: RuleId::from_random([0; 10]),
            pattern: "*".to_owned(),
            markup_bps: i64::try_from(random.up_to(20_000)).unwrap(),
            min_charge: Nanos::new(i64::try_from(random.up_to(1_000_000)).unwrap()),
            priority: 0,
            starts_at_ms: 0,
            ends_at_ms: None,
        };
        (0..self.below(4)).map(|_| rule(self)).collect()
    }

    /// A usage within the bound, with parts that may well exceed their whole.
    fn usage(&mut self, prompt_max: u64, bound: &UsageBound) -> Usage {
        let prompt_tokens = self.up_to(prompt_max);
        let completion_tokens = self.up_to(bound.output_tokens);
        Usage {
            prompt_tokens,
            cached_tokens: self.up_to(prompt_tokens * 2),
            cache_write_tokens: self.up_to(prompt_tokens * 2),
            prompt_audio_tokens: 0,
            completion_tokens,
            reasoning_tokens: self.up_to(completion_tokens * 2),
            images: self.up_to(bound.images),
            hour_cache: bound.hour_cache && self.one_in(2),
        }
    }
}

#[test]
fn no_usage_within_its_bound_is_ever_dearer_than_its_hold() {
    const PER_IMAGE: u64 = 700;
    for seed in 0..4_000 {
        let mut random = Lcg(seed);
        let bound = UsageBound {
            text_tokens: random.up_to(300_000),
            images: random.up_to(4),
            output_tokens: random.up_to(100_000),
            hour_cache: random.one_in(2),
        };
        let prompt_max = bound.text_tokens + bound.images * PER_IMAGE;
        let cost = cost(random.prices(), random.overrides(prompt_max));
        let model = model(Some(PER_IMAGE));
        let rules = random.rules();
        let chain: Vec<&PriceRule> = rules.iter().collect();
        let held = cost_bound(&cost, &model, &bound).unwrap();
        let hold = charges(held, &chain).unwrap();
        for _ in 0..20 {
            let usage = random.usage(prompt_max, &bound);
            let at_ms = i64::try_from(random.below(200_000_000)).unwrap();
            let billed = cost_of(&cost, &usage, at_ms).unwrap();
            let case = format!("seed {seed}: {cost:?} {bound:?} {usage:?} at {at_ms}");
            assert!(
                Nanos::ZERO <= billed && billed <= held,
                "{billed} > {held}, {case}"
            );
            let charged = charges(billed, &chain).unwrap();
            let fits = charged
                .iter()
                .zip(&hold)
                .all(|(charge, hold)| charge <= hold);
            assert!(fits, "{charged:?} > {hold:?}, {case} {rules:?}");
        }
    }
}
