//! Price rules: which one catches a model, and what it makes of a base. Where rules are kept and
//! whose rules apply to which account is not known here.

use std::cmp::Reverse;

use crate::ids::RuleId;
use crate::money::{MoneyError, Nanos, Picos, round_up_to_nanos};
use crate::pattern;

const BPS_PER_ONE: i128 = 10_000;
/// `nanos × bps` counts tenths of a pico, since a nano is 1,000 picos and one is 10,000 bps.
const NANO_BPS_PER_PICO: i128 = 10;

/// What an account charges the accounts right below it for models that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRule {
    /// The rule's id.
    pub id: RuleId,
    /// A model's slug; `*` stands for any text, also in the middle and more than once.
    pub pattern: String,
    /// Markup in 1/100 %, at least 0.
    pub markup_bps: i64,
    /// The least that a call costs, at least 0.
    pub min_charge: Nanos,
    /// Higher wins.
    pub priority: i64,
    /// First moment, in Unix milliseconds.
    pub starts_at_ms: i64,
    /// First moment after the last one. `None`: without end.
    pub ends_at_ms: Option<i64>,
}

impl PriceRule {
    /// What the level below pays for a call that costs `base` here: marked up, rounded up to a
    /// nano, and at least the minimum. `Negative` when the base or the rule is below zero.
    pub fn charge(&self, base: Nanos) -> Result<Nanos, MoneyError> {
        if base < Nanos::ZERO || self.min_charge < Nanos::ZERO {
            return Err(MoneyError::Negative);
        }
        let tenths = i128::from(base.get())
            .checked_mul(self.factor_bps()?)
            .ok_or(MoneyError::Overflow)?;
        let marked_up = round_up_to_nanos(divide_up(tenths, NANO_BPS_PER_PICO))?;
        Ok(marked_up.max(self.min_charge))
    }

    /// A unit price with the markup on it, rounded up to a pico.
    pub(super) fn unit_price(&self, price: Picos) -> Result<Picos, MoneyError> {
        let bps = i128::from(price.get())
            .checked_mul(self.factor_bps()?)
            .ok_or(MoneyError::Overflow)?;
        let picos = divide_up(bps, BPS_PER_ONE);
        Picos::new(i64::try_from(picos).map_err(|_| MoneyError::Overflow)?)
    }

    fn factor_bps(&self) -> Result<i128, MoneyError> {
        if self.markup_bps < 0 {
            return Err(MoneyError::Negative);
        }
        Ok(BPS_PER_ONE.saturating_add(i128::from(self.markup_bps)))
    }

    /// Which of two rules that catch the same model wins: the greater.
    #[must_use]
    pub fn rank(&self) -> impl Ord + '_ {
        (
            self.priority,
            self.pattern.len(),
            self.starts_at_ms,
            Reverse(self.id.as_str()),
        )
    }

    /// Whether the rule prices the model at a moment in Unix milliseconds, unless another wins.
    #[must_use]
    pub fn catches(&self, slug: &str, at_ms: i64) -> bool {
        self.starts_at_ms <= at_ms
            && self.ends_at_ms.is_none_or(|end| at_ms < end)
            && pattern::matches(&self.pattern, slug)
    }
}

/// The rule for a model at a moment in Unix milliseconds: of those active and matching, the one
/// with the highest priority, then the longest pattern, the latest start, the first id. `None`:
/// the model is not sold.
#[must_use]
pub fn pick<'a>(rules: &'a [PriceRule], slug: &str, at_ms: i64) -> Option<&'a PriceRule> {
    rules
        .iter()
        .filter(|rule| rule.catches(slug, at_ms))
        .max_by_key(|rule| rule.rank())
}

/// What each level pays, from the level below the root down to the caller: the root's base is the
/// provider's cost, every other level's is the charge above it.
pub fn charges(base: Nanos, rules_from_root: &[&PriceRule]) -> Result<Vec<Nanos>, MoneyError> {
    let mut above = base;
    rules_from_root
        .iter()
        .map(|rule| {
            above = rule.charge(above)?;
            Ok(above)
        })
        .collect()
}

fn divide_up(value: i128, by: i128) -> i128 {
    let whole = value.div_euclid(by);
    whole.saturating_add(i128::from(value.rem_euclid(by) != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, pattern: &str) -> PriceRule {
        PriceRule {
            id: RuleId::parse(&format!("rul_{id}")).unwrap(),
            pattern: pattern.to_owned(),
            markup_bps: 0,
            min_charge: Nanos::ZERO,
            priority: 0,
            starts_at_ms: 0,
            ends_at_ms: None,
        }
    }

    #[test]
    fn the_rule_that_wins_is_the_same_whatever_their_order() {
        let check = |mut rules: Vec<PriceRule>, at_ms: i64, expect: Option<&str>| {
            for _ in 0..rules.len() {
                rules.rotate_left(1);
                let won = pick(&rules, "openai/gpt-4o", at_ms).map(|rule| rule.id.as_str());
                let won = won.and_then(|id| id.strip_prefix("rul_"));
                assert_eq!(won, expect, "{rules:?}");
            }
        };
        let with = |rule: PriceRule, change: fn(&mut PriceRule)| {
            let mut rule = rule;
            change(&mut rule);
            rule
        };
        let all = rule("all", "*");
        let openai = rule("openai", "openai/*");
        let exact = rule("exact", "openai/gpt-4o");
        let other = rule("other", "google/*");
        let urgent = with(rule("urgent", "*"), |rule| rule.priority = 1);
        let later = with(rule("later", "openai/*"), |rule| rule.starts_at_ms = 500);
        let ended = with(rule("ended", "openai/gpt-4o"), |rule| {
            rule.ends_at_ms = Some(1_000);
        });
        let twin = rule("a_twin", "openai/*");
        check(vec![], 1_000, None);
        check(vec![other.clone()], 1_000, None);
        check(vec![all.clone(), other], 1_000, Some("all"));
        check(vec![all.clone(), openai.clone()], 1_000, Some("openai"));
        check(
            vec![all.clone(), openai.clone(), exact.clone()],
            1_000,
            Some("exact"),
        );
        check(vec![urgent, openai.clone(), exact], 1_000, Some("urgent"));
        check(vec![openai.clone(), later.clone()], 500, Some("later"));
        check(vec![openai.clone(), later], 499, Some("openai"));
        check(vec![openai.clone(), ended.clone()], 999, Some("ended"));
        check(vec![openai.clone(), ended], 1_000, Some("openai"));
        check(vec![openai, twin], 1_000, Some("a_twin"));
        check(vec![all], -1, None);
    }

    #[test]
    fn a_charge_is_marked_up_then_rounded_up_then_at_least_the_minimum() {
        let check = |base: i64, bps: i64, min: i64, expect: Result<i64, MoneyError>| {
            let rule = PriceRule {
                markup_bps: bps,
                min_charge: Nanos::new(min),
                ..rule("r", "*")
            };
            let charge = rule.charge(Nanos::new(base)).map(Nanos::get);
            assert_eq!(charge, expect, "{base} {bps} {min}");
        };
        check(0, 2_000, 0, Ok(0));
        check(0, 0, 500, Ok(500));
        check(1_000, 0, 0, Ok(1_000));
        check(1_000, 2_000, 0, Ok(1_200));
        check(1, 1, 0, Ok(2));
        check(10_000, 1, 0, Ok(10_001));
        check(9_999, 1, 0, Ok(10_000));
        check(3, 3_333, 0, Ok(4));
        check(100, 5_000, 149, Ok(150));
        check(100, 5_000, 150, Ok(150));
        check(100, 5_000, 151, Ok(151));
        check(i64::MAX, 0, 0, Ok(i64::MAX));
        check(i64::MAX, 1, 0, Err(MoneyError::Overflow));
        check(2, i64::MAX, 0, Ok(1_844_674_407_370_958));
        check(i64::MAX, i64::MAX, 0, Err(MoneyError::Overflow));
        check(-1, 0, 0, Err(MoneyError::Negative));
        check(1, -1, 0, Err(MoneyError::Negative));
        check(1, 0, -1, Err(MoneyError::Negative));
    }

    #[test]
    fn every_level_is_charged_on_the_charge_above_it() {
        let level = |bps, min| PriceRule {
            markup_bps: bps,
            min_charge: Nanos::new(min),
            ..rule("r", "*")
        };
        let check = |base: i64, levels: &[PriceRule], expect: &[i64]| {
            let chain: Vec<&PriceRule> = levels.iter().collect();
            let got: Vec<i64> = charges(Nanos::new(base), &chain)
                .unwrap()
                .into_iter()
                .map(Nanos::get)
                .collect();
            assert_eq!(got, expect);
        };
        check(1_001, &[], &[]);
        check(1_001, &[level(1_000, 0)], &[1_102]);
        check(1_001, &[level(1_000, 0), level(2_000, 0)], &[1_102, 1_323]);
        check(
            1_001,
            &[level(1_000, 5_000), level(2_000, 0)],
            &[5_000, 6_000],
        );
        check(
            0,
            &[level(1_000, 0), level(0, 7), level(10_000, 0)],
            &[0, 7, 14],
        );
        let overflow = charges(Nanos::new(i64::MAX), &[&level(0, 0), &level(1, 0)]);
        assert_eq!(overflow, Err(MoneyError::Overflow));
    }
}
