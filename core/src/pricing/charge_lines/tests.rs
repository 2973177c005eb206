use super::*;
use crate::catalogue::{Override, UnitPrices};
use crate::ids::RuleId;

fn picos(value: i64) -> Picos {
    Picos::new(value).unwrap()
}

fn rule((markup_bps, min): (i64, i64)) -> PriceRule {
    PriceRule {
        id: RuleId::from_random([0; 10]),
        pattern: "*".to_owned(),
        markup_bps,
        min_charge: Nanos::new(min),
        priority: 0,
        starts_at_ms: 0,
        ends_at_ms: None,
    }
}

/// A prompt token for 1,500 picos and an answer token for 6,000, an image for a million.
fn listed() -> Cost {
    Cost {
        prices: UnitPrices::new(picos(1_500), picos(6_000))
            .with(Dimension::Image, picos(1_000_000))
            .with(Dimension::InputCacheRead, picos(150))
            .with(Dimension::InputCacheWrite, picos(2_000))
            .with(Dimension::InputCacheWrite1h, picos(3_000)),
        overrides: vec![Override {
            min_prompt_tokens: Some(10_000),
            window: None,
            prices: [(Dimension::Prompt, picos(3_000))].into(),
        }],
        ..Cost::default()
    }
}

fn tokens(prompt: u64, cached: u64, cache_write: u64, completion: u64) -> Usage {
    Usage {
        prompt_tokens: prompt,
        cached_tokens: cached,
        cache_write_tokens: cache_write,
        completion_tokens: completion,
        ..Usage::default()
    }
}

/// A call as it is stored: what was used besides the tokens is only in the bill.
struct Stored {
    cost: Cost,
    rules: Vec<PriceRule>,
    usage: Usage,
    hold: i64,
    not_taken: i64,
}

impl Stored {
    fn of(usage: Usage, rules: &[(i64, i64)]) -> Self {
        Self {
            cost: listed(),
            rules: rules.iter().copied().map(rule).collect(),
            usage,
            hold: i64::MAX,
            not_taken: 0,
        }
    }

    /// The lines in short, after it is made sure that they add up to the charge.
    fn lines(&self) -> Vec<String> {
        let bill = cost_of(&self.cost, &self.usage, 0).unwrap_or(Nanos::new(i64::MAX));
        let rules: Vec<&PriceRule> = self.rules.iter().collect();
        let price = charges(bill, &rules)
            .map_or(i64::MAX, |all| all.last().map_or(bill, |last| *last).get());
        let charge = price.min(self.hold).saturating_sub(self.not_taken);
        let facts = ChargeFacts {
            cost: &self.cost,
            rules_from_root: &self.rules,
            at_ms: 0,
            usage: Some(Usage {
                images: 0,
                hour_cache: false,
                ..self.usage
            }),
            bill,
            hold: Nanos::new(self.hold),
            charge: Nanos::new(charge),
        };
        let lines = charge_lines(&facts);
        let sum: i64 = lines.iter().map(|line| line.amount.get()).sum();
        assert_eq!(sum, charge, "{lines:?}");
        lines.iter().map(short).collect()
    }
}

fn short(line: &ChargeLine) -> String {
    let amount = line.amount.get();
    let ChargeItem::Units {
        dimension,
        units,
        unit_price,
    } = line.item
    else {
        return format!("{:?}: {amount}", line.item);
    };
    format!(
        "{units} {} at {}: {amount}",
        dimension.key(),
        unit_price.get()
    )
}

#[test]
fn a_charge_is_told_at_the_prices_that_the_account_was_shown() {
    let check = |usage: Usage, rules: &[(i64, i64)], expect: &[&str]| {
        assert_eq!(
            Stored::of(usage, rules).lines(),
            expect,
            "{usage:?} {rules:?}"
        );
    };
    let call = tokens(1_000, 0, 0, 100);
    check(
        call,
        &[],
        &["1000 prompt at 1500: 1500", "100 completion at 6000: 600"],
    );
    check(
        call,
        &[(2_000, 0)],
        &["1000 prompt at 1800: 1800", "100 completion at 7200: 720"],
    );
    // Two levels are one price: nothing tells the middle one.
    check(
        call,
        &[(2_000, 0), (5_000, 0)],
        &["1000 prompt at 2700: 2700", "100 completion at 10800: 1080"],
    );
    check(
        tokens(1_000, 400, 100, 0),
        &[(0, 0)],
        &[
            "100 input_cache_write at 2000: 200",
            "400 input_cache_read at 150: 60",
            "500 prompt at 1500: 750",
        ],
    );
    let reasoning = Usage {
        reasoning_tokens: 30,
        ..call
    };
    check(
        reasoning,
        &[(0, 0)],
        &[
            "1000 prompt at 1500: 1500",
            "30 internal_reasoning at 6000: 180",
            "70 completion at 6000: 420",
        ],
    );
    // A long prompt at its own price.
    check(
        tokens(10_001, 0, 0, 0),
        &[(0, 0)],
        &["10001 prompt at 3000: 30003"],
    );
    check(tokens(0, 0, 0, 0), &[(2_000, 0)], &[]);
}

#[test]
fn what_is_rounded_has_a_line_of_its_own() {
    let check = |usage: Usage, rules: &[(i64, i64)], expect: &[&str]| {
        assert_eq!(
            Stored::of(usage, rules).lines(),
            expect,
            "{usage:?} {rules:?}"
        );
    };
    // 4.5 nanos are shown as 5, 450 picos as 0; the charge rounds 4.95 up.
    check(tokens(3, 0, 0, 0), &[], &["3 prompt at 1500: 5"]);
    check(
        tokens(6, 3, 0, 0),
        &[],
        &["3 input_cache_read at 150: 0", "3 prompt at 1500: 5"],
    );
    // A unit price is rounded up to a pico, which a charge never is.
    check(
        tokens(9_999, 0, 0, 0),
        &[(1, 0), (1, 0)],
        &["9999 prompt at 1502: 15018", "Rounding: -15"],
    );
}

#[test]
fn a_minimum_of_any_level_is_one_line() {
    let check = |rules: &[(i64, i64)], expect: &[&str]| {
        assert_eq!(
            Stored::of(tokens(1_000, 0, 0, 0), rules).lines(),
            expect,
            "{rules:?}"
        );
    };
    check(&[(2_000, 1_800)], &["1000 prompt at 1800: 1800"]);
    check(
        &[(2_000, 1_801)],
        &["1000 prompt at 1800: 1800", "Minimum: 1"],
    );
    check(
        &[(0, 5_000), (10_000, 0)],
        &["1000 prompt at 3000: 3000", "Minimum: 7000"],
    );
    check(
        &[(0, 5_000), (10_000, 12_000)],
        &["1000 prompt at 3000: 3000", "Minimum: 9000"],
    );
}

#[test]
fn what_is_not_charged_is_taken_off() {
    let call = || Stored::of(tokens(1_000, 0, 0, 0), &[(10_000, 0)]);
    let capped = Stored {
        hold: 2_500,
        ..call()
    };
    assert_eq!(
        capped.lines(),
        ["1000 prompt at 3000: 3000", "AboveHold: -500"]
    );
    let untaken = Stored {
        not_taken: 100,
        ..call()
    };
    assert_eq!(
        untaken.lines(),
        ["1000 prompt at 3000: 3000", "NotTaken: -100"]
    );
    let both = Stored {
        hold: 2_500,
        not_taken: 100,
        ..call()
    };
    let expect = [
        "1000 prompt at 3000: 3000",
        "AboveHold: -500",
        "NotTaken: -100",
    ];
    assert_eq!(both.lines(), expect);
}

#[test]
fn images_and_the_hour_s_cache_are_found_again_from_the_bill() {
    let check = |usage: Usage, expect: &[&str]| {
        assert_eq!(
            Stored::of(usage, &[(10_000, 0)]).lines(),
            expect,
            "{usage:?}"
        );
    };
    let prompt = tokens(1_000, 0, 0, 0);
    check(
        Usage {
            images: 3,
            ..prompt
        },
        &["3 image at 2000000: 6000", "1000 prompt at 3000: 3000"],
    );
    let written = tokens(1_000, 0, 500, 0);
    check(
        written,
        &[
            "500 input_cache_write at 4000: 2000",
            "500 prompt at 3000: 1500",
        ],
    );
    check(
        Usage {
            hour_cache: true,
            images: 1,
            ..written
        },
        &[
            "1 image at 2000000: 2000",
            "500 input_cache_write_1h at 6000: 3000",
            "500 prompt at 3000: 1500",
        ],
    );
}

#[test]
fn what_cannot_be_told_apart_is_still_in_the_sum() {
    let mut unlike = Stored::of(tokens(1_000, 0, 0, 0), &[(10_000, 0)]);
    // Audio is not among the stored counts; its price is another.
    unlike.cost.prices = unlike.cost.prices.with(Dimension::Audio, picos(1_700));
    unlike.usage.prompt_audio_tokens = 10;
    let rules = unlike.rules.clone();
    let bill = cost_of(&unlike.cost, &unlike.usage, 0).unwrap();
    let facts = ChargeFacts {
        cost: &unlike.cost,
        rules_from_root: &rules,
        at_ms: 0,
        usage: Some(tokens(1_000, 0, 0, 0)),
        bill,
        hold: Nanos::new(i64::MAX),
        charge: Nanos::new(bill.get() * 2),
    };
    let lines: Vec<String> = charge_lines(&facts).iter().map(short).collect();
    assert_eq!(lines, ["1000 prompt at 3000: 3000", "OtherUnits: 4"]);
    // Beyond all amounts.
    let absurd = Stored {
        hold: 700,
        ..Stored::of(tokens(u64::MAX, 0, 0, 0), &[(10_000, 0)])
    };
    assert_eq!(absurd.lines(), ["OtherUnits: 700"]);
}

#[test]
fn lines_add_up_for_any_call() {
    let mut state = 1_u64;
    let mut draw = |most: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    for _ in 0..2_000 {
        let prompt = draw(20_000);
        let mut usage = tokens(prompt, draw(prompt + 10), draw(prompt + 10), draw(5_000));
        usage.images = draw(4);
        usage.hour_cache = draw(2) == 1;
        usage.reasoning_tokens = draw(usage.completion_tokens + 5);
        let small = |n: u64| i64::try_from(n).unwrap();
        let rules: Vec<_> = (0..draw(4))
            .map(|_| (small(draw(30_000)), small(draw(9_000))))
            .collect();
        let call = Stored {
            hold: [i64::MAX, small(draw(100_000))][usize::from(draw(2) == 1)],
            ..Stored::of(usage, &rules)
        };
        let other = call
            .lines()
            .iter()
            .any(|line| line.starts_with("OtherUnits"));
        assert!(!other, "{usage:?}");
    }
}
