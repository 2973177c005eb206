//! What every level must have paid for a bill, worked out a second time, without a line of the
//! gateway's pricing.

/// What an account adds to its own cost for a call of an account right below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// In hundredths of a percent.
    pub markup_bps: i64,
    /// What a call costs at least, in nanos.
    pub min_charge: i64,
}

impl Rule {
    /// A markup, in hundredths of a percent, without a minimum.
    #[must_use]
    pub const fn markup(markup_bps: i64) -> Self {
        Self {
            markup_bps,
            min_charge: 0,
        }
    }
}

/// What each level pays by these rules for a bill in 1e-12 USD, in nanos. Both the rules and the
/// charges are from the root down: the account below the operator first.
///
/// # Panics
/// When an amount is beyond all bounds.
#[must_use]
pub fn charges(bill_picos: i128, rules_from_root: &[Rule]) -> Vec<i64> {
    let mut base = divide_up(bill_picos, 1_000);
    let levels = rules_from_root.iter().map(|rule| {
        let marked_up = divide_up(base * (10_000 + i128::from(rule.markup_bps)), 10_000);
        base = marked_up.max(i128::from(rule.min_charge));
        i64::try_from(base).expect("an amount")
    });
    levels.collect()
}

/// A decimal number of US dollars in 1e-12 USD, exactly.
///
/// # Panics
/// When it is none, or has parts of that.
#[must_use]
pub fn picos(usd: &str) -> i128 {
    let (whole, rest) = usd.split_once('.').unwrap_or((usd, ""));
    assert!(rest.len() <= 12, "{usd}");
    format!("{whole}{rest:0<12}").parse().expect("an amount")
}

/// A decimal number of US dollars in nanos, exactly.
///
/// # Panics
/// As [`picos`].
#[must_use]
pub fn nanos(usd: &str) -> i64 {
    let picos = picos(usd);
    assert_eq!(picos % 1_000, 0, "parts of a nano: {usd}");
    i64::try_from(picos / 1_000).expect("an amount")
}

fn divide_up(value: i128, by: i128) -> i128 {
    (value + by - 1).div_euclid(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_rounds_up_and_pays_its_minimum() {
        let check = |bill, rules: &[(i64, i64)], expect: &[i64]| {
            let rules: Vec<Rule> = rules
                .iter()
                .map(|&(markup_bps, min_charge)| Rule {
                    markup_bps,
                    min_charge,
                })
                .collect();
            assert_eq!(charges(bill, &rules), expect, "{bill} {rules:?}");
        };
        check(1_000, &[(0, 0)], &[1]);
        check(1_001, &[(0, 0)], &[2]);
        check(3_000, &[(5_000, 0), (5_000, 0)], &[5, 8]);
        check(3_000, &[(0, 100), (10_000, 0)], &[100, 200]);
    }
}
