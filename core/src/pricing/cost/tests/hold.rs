//! Tables for what is held before a call: the dearest rate that could apply, images, and the longest
//! answer that a budget affords.

use super::*;
use crate::ids::RuleId;
use crate::pricing::{PriceRule, Quote, affordable_output_tokens};

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
