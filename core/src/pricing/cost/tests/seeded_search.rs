//! A seeded search for a usage that is dearer than what was held for it: random prices, overrides,
//! rules and usages, biased to the edges. Examples are in `bill.rs` and `hold.rs`.

use super::*;
use crate::ids::RuleId;
use crate::pricing::{PriceRule, charges};

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
            // Image tokens with a price of their own refuse every image, as `hold.rs` tests.
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
