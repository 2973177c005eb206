//! A price rule as a person types it, and what is wrong with it. Nothing is rounded: what cannot be
//! kept exactly is refused.

use crate::ids::{AccountId, RuleId};
use crate::money::{MoneyError, Nanos};
use crate::pattern;
use crate::pricing::PriceRule;

/// The dearest markup, in hundredths of a percent: 100,000 %. The database refuses more.
const MAX_MARKUP_BPS: i64 = 10_000_000;

/// A hundredth of a percent, when a percentage is read as an amount.
const NANOS_PER_BPS: i64 = 10_000_000;

/// The dearest minimum of a call: 1,000 USD.
pub const MAX_MIN_CHARGE: Nanos = Nanos::new(1_000_000_000_000);

/// The highest priority, and below zero the lowest.
pub const MAX_PRIORITY: i64 = 1_000_000;

/// How far a start may lie back, in milliseconds: a form takes a moment to fill in.
const PATIENCE_MS: i64 = 60_000;

/// A start further ahead than this, in milliseconds, is a mistake: ten years.
const MAX_AHEAD_MS: i64 = 10 * 366 * 86_400_000;

/// The fields of a rule, as they were typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleInput<'a> {
    /// A model's name in which `*` stands for any text.
    pub pattern: &'a str,
    /// A percentage such as `20`, `20%` or `12.5`.
    pub markup: &'a str,
    /// US dollars; empty is none.
    pub min_charge: &'a str,
    /// A whole number; empty is zero.
    pub priority: &'a str,
    /// From when on it holds, in Unix milliseconds; `None`: from now on.
    pub starts_at_ms: Option<i64>,
}

/// A rule that can be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDraft {
    /// Which models it prices.
    pub pattern: String,
    /// Added to the base, in hundredths of a percent: 0 to 10,000,000.
    pub markup_bps: i64,
    /// What a call is charged at least: zero to [`MAX_MIN_CHARGE`].
    pub min_charge: Nanos,
    /// The highest priority wins.
    pub priority: i64,
    /// From when on it holds, in Unix milliseconds; never in the past.
    pub starts_at_ms: i64,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleProblem {
    /// There is no pattern.
    PatternMissing,
    /// The pattern is longer than any model's name.
    PatternTooLong,
    /// The pattern has a character that no model's name has.
    PatternNotPlain,
    /// The markup is not a plain percentage.
    MarkupNotANumber,
    /// The markup has more than two decimals.
    MarkupTooPrecise,
    /// The markup is below zero, which would sell below cost.
    MarkupNegative,
    /// The markup is above 100,000 %.
    MarkupTooHigh,
    /// The minimum is not an amount of US dollars.
    MinChargeNotAnAmount,
    /// The minimum has more than nine decimals.
    MinChargeTooPrecise,
    /// The minimum is below zero.
    MinChargeNegative,
    /// The minimum is above [`MAX_MIN_CHARGE`].
    MinChargeTooHigh,
    /// The priority is not a whole number within [`MAX_PRIORITY`].
    PriorityOutOfRange,
    /// The start is in the past, where calls were charged already.
    StartInThePast,
    /// The start is more than ten years ahead.
    StartTooFar,
}

impl RuleProblem {
    /// The name of the field that it is about, as in [`RuleInput`].
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::PatternMissing | Self::PatternTooLong | Self::PatternNotPlain => "pattern",
            Self::MarkupNotANumber
            | Self::MarkupTooPrecise
            | Self::MarkupNegative
            | Self::MarkupTooHigh => "markup",
            Self::MinChargeNotAnAmount
            | Self::MinChargeTooPrecise
            | Self::MinChargeNegative
            | Self::MinChargeTooHigh => "min_charge",
            Self::PriorityOutOfRange => "priority",
            Self::StartInThePast | Self::StartTooFar => "starts_at",
        }
    }
}

impl RuleInput<'_> {
    /// Reads the fields; the problems are in the order of the fields, at most one for each.
    pub fn read(&self, now_ms: i64) -> Result<RuleDraft, Vec<RuleProblem>> {
        let pattern = read_pattern(self.pattern);
        let markup = read_markup(self.markup);
        let min_charge = read_min_charge(self.min_charge);
        let priority = read_priority(self.priority);
        let start = read_start(self.starts_at_ms, now_ms);
        match (pattern, markup, min_charge, priority, start) {
            (Ok(pattern), Ok(markup_bps), Ok(min_charge), Ok(priority), Ok(starts_at_ms)) => {
                Ok(RuleDraft {
                    pattern,
                    markup_bps,
                    min_charge,
                    priority,
                    starts_at_ms,
                })
            }
            (pattern, markup, min_charge, priority, start) => Err([
                pattern.err(),
                markup.err(),
                min_charge.err(),
                priority.err(),
                start.err(),
            ]
            .into_iter()
            .flatten()
            .collect()),
        }
    }
}

impl RuleDraft {
    /// The rule that this will be, under an id that was drawn for it.
    #[must_use]
    pub fn to_rule(&self, id: RuleId) -> PriceRule {
        PriceRule {
            id,
            pattern: self.pattern.clone(),
            markup_bps: self.markup_bps,
            min_charge: self.min_charge,
            priority: self.priority,
            starts_at_ms: self.starts_at_ms,
            ends_at_ms: None,
        }
    }

    /// The rule to create for the seller.
    #[must_use]
    pub fn to_new_rule(&self, id: RuleId, seller: &AccountId) -> crate::accounts::NewRule {
        crate::accounts::NewRule {
            id,
            account: seller.clone(),
            pattern: self.pattern.clone(),
            markup_bps: self.markup_bps,
            min_charge: self.min_charge,
            priority: self.priority,
            starts_at_ms: self.starts_at_ms,
        }
    }
}

fn read_pattern(text: &str) -> Result<String, RuleProblem> {
    let text = text.trim();
    if text.is_empty() {
        Err(RuleProblem::PatternMissing)
    } else if text.len() > pattern::MAX_BYTES {
        Err(RuleProblem::PatternTooLong)
    } else if !pattern::is_pattern(text) {
        Err(RuleProblem::PatternNotPlain)
    } else {
        Ok(text.to_owned())
    }
}

fn read_markup(text: &str) -> Result<i64, RuleProblem> {
    let text = text.trim();
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    // An amount is read exactly, to nine decimals; a hundredth of a percent is two of them.
    let nanos = Nanos::parse_usd(number).map_err(|error| match error {
        MoneyError::Overflow if number.starts_with('-') => RuleProblem::MarkupNegative,
        MoneyError::Overflow => RuleProblem::MarkupTooHigh,
        MoneyError::TooPrecise => RuleProblem::MarkupTooPrecise,
        MoneyError::NotADecimal | MoneyError::Negative => RuleProblem::MarkupNotANumber,
    })?;
    if nanos < Nanos::ZERO {
        return Err(RuleProblem::MarkupNegative);
    }
    if nanos.get().rem_euclid(NANOS_PER_BPS) != 0 {
        return Err(RuleProblem::MarkupTooPrecise);
    }
    let bps = nanos.get().div_euclid(NANOS_PER_BPS);
    if bps > MAX_MARKUP_BPS {
        return Err(RuleProblem::MarkupTooHigh);
    }
    Ok(bps)
}

fn read_min_charge(text: &str) -> Result<Nanos, RuleProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Nanos::ZERO);
    }
    let number = text.strip_prefix('$').unwrap_or(text);
    let amount = Nanos::parse_usd(number).map_err(|error| match error {
        MoneyError::Overflow if number.starts_with('-') => RuleProblem::MinChargeNegative,
        MoneyError::Overflow => RuleProblem::MinChargeTooHigh,
        MoneyError::TooPrecise => RuleProblem::MinChargeTooPrecise,
        MoneyError::NotADecimal | MoneyError::Negative => RuleProblem::MinChargeNotAnAmount,
    })?;
    if amount < Nanos::ZERO {
        Err(RuleProblem::MinChargeNegative)
    } else if amount > MAX_MIN_CHARGE {
        Err(RuleProblem::MinChargeTooHigh)
    } else {
        Ok(amount)
    }
}

fn read_priority(text: &str) -> Result<i64, RuleProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    let priority: i64 = text.parse().map_err(|_| RuleProblem::PriorityOutOfRange)?;
    if priority.saturating_abs() > MAX_PRIORITY {
        return Err(RuleProblem::PriorityOutOfRange);
    }
    Ok(priority)
}

/// A call that began earlier keeps its price, so a start a moment ago means now.
fn read_start(starts_at_ms: Option<i64>, now_ms: i64) -> Result<i64, RuleProblem> {
    let starts_at_ms = starts_at_ms.unwrap_or(now_ms);
    if starts_at_ms < now_ms.saturating_sub(PATIENCE_MS) {
        Err(RuleProblem::StartInThePast)
    } else if starts_at_ms > now_ms.saturating_add(MAX_AHEAD_MS) {
        Err(RuleProblem::StartTooFar)
    } else {
        Ok(starts_at_ms.max(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_348_800_000;

    fn good<'a>() -> RuleInput<'a> {
        RuleInput {
            pattern: "openai/*",
            markup: "20",
            ..RuleInput::default()
        }
    }

    #[test]
    fn a_rule_is_kept_exactly_as_it_was_typed() {
        let draft = RuleInput {
            pattern: " openai/* ",
            markup: " 12.5 % ",
            min_charge: "$0.0001",
            priority: "-3",
            starts_at_ms: Some(NOW_MS + 5),
        };
        let expect = RuleDraft {
            pattern: "openai/*".to_owned(),
            markup_bps: 1_250,
            min_charge: Nanos::new(100_000),
            priority: -3,
            starts_at_ms: NOW_MS + 5,
        };
        assert_eq!(draft.read(NOW_MS), Ok(expect));
        let plain = good().read(NOW_MS).unwrap();
        assert_eq!((plain.markup_bps, plain.priority), (2_000, 0));
        assert_eq!(
            (plain.min_charge, plain.starts_at_ms),
            (Nanos::ZERO, NOW_MS)
        );
    }

    #[test]
    fn a_field_that_cannot_be_kept_is_named() {
        use RuleProblem as P;
        let check = |input: RuleInput<'_>, expect: Option<RuleProblem>| {
            let problems = input.read(NOW_MS).err().unwrap_or_default();
            assert_eq!(problems, Vec::from_iter(expect), "{input:?}");
        };
        let pattern = |pattern, expect| check(RuleInput { pattern, ..good() }, expect);
        let long = "a".repeat(201);
        pattern("", Some(P::PatternMissing));
        pattern("  ", Some(P::PatternMissing));
        pattern(&long, Some(P::PatternTooLong));
        pattern(&long[1..], None);
        pattern("open ai/*", Some(P::PatternNotPlain));
        pattern("über/*", Some(P::PatternNotPlain));
        pattern("a\u{0}b", Some(P::PatternNotPlain));
        pattern("<script>*", None);
        let markup = |markup, expect| check(RuleInput { markup, ..good() }, expect);
        markup("0", None);
        markup("100000%", None);
        markup("100000.01", Some(P::MarkupTooHigh));
        markup("99999999999", Some(P::MarkupTooHigh));
        markup("-0.01", Some(P::MarkupNegative));
        markup("-99999999999", Some(P::MarkupNegative));
        markup("0.001", Some(P::MarkupTooPrecise));
        markup("0.0000000001", Some(P::MarkupTooPrecise));
        for text in ["", "%", "20%%", "1e3", "NaN", "+5", "1,5", "٣"] {
            markup(text, Some(P::MarkupNotANumber));
        }
        let least = |min_charge, expect| {
            check(
                RuleInput {
                    min_charge,
                    ..good()
                },
                expect,
            )
        };
        least("1000", None);
        least("1000.000000001", Some(P::MinChargeTooHigh));
        least("9223372037", Some(P::MinChargeTooHigh));
        least("-0.1", Some(P::MinChargeNegative));
        least("-9223372037", Some(P::MinChargeNegative));
        least("0.0000000001", Some(P::MinChargeTooPrecise));
        least("5 USD", Some(P::MinChargeNotAnAmount));
        let priority = |priority, expect| check(RuleInput { priority, ..good() }, expect);
        priority("1000000", None);
        priority("-1000000", None);
        priority("1000001", Some(P::PriorityOutOfRange));
        priority("-9223372036854775808", Some(P::PriorityOutOfRange));
        priority("9223372036854775808", Some(P::PriorityOutOfRange));
        priority("1.5", Some(P::PriorityOutOfRange));
        let start = |offset_ms: i64, expect| {
            let starts_at_ms = Some(NOW_MS.saturating_add(offset_ms));
            let input = RuleInput {
                starts_at_ms,
                ..good()
            };
            check(input, expect);
        };
        start(-60_000, None);
        start(-60_001, Some(P::StartInThePast));
        start(i64::MIN, Some(P::StartInThePast));
        start(MAX_AHEAD_MS, None);
        start(i64::MAX, Some(P::StartTooFar));
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let input = RuleInput {
            pattern: "",
            markup: "-1",
            min_charge: "-1",
            priority: "high",
            starts_at_ms: Some(0),
        };
        let fields: Vec<&str> = input
            .read(NOW_MS)
            .unwrap_err()
            .into_iter()
            .map(RuleProblem::field)
            .collect();
        assert_eq!(
            fields,
            ["pattern", "markup", "min_charge", "priority", "starts_at"]
        );
    }

    #[test]
    fn a_start_a_moment_ago_means_now() {
        let input = RuleInput {
            starts_at_ms: Some(NOW_MS - 30_000),
            ..good()
        };
        assert_eq!(
            input.read(NOW_MS).map(|draft| draft.starts_at_ms),
            Ok(NOW_MS)
        );
    }
}
