//! Which price rules of a seller stand in each other's way, so that a person sees why a rule does not
//! do what its pattern says. It is worked out from the patterns alone: models that come later count.

use crate::pattern;
use crate::pricing::PriceRule;

/// A rule that is not reached, at least for some names, because another wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap<'a> {
    /// The rule that wins.
    pub winner: &'a PriceRule,
    /// The rule that is not reached.
    pub loser: &'a PriceRule,
    /// How much of it is not.
    pub extent: Extent,
}

/// How much of a rule another one covers while both hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every name that it could catch: it prices nothing.
    All,
    /// Some names, as exceptions from a wide rule do.
    Some,
}

/// Every pair of rules that can catch the same name at the same moment, the winner's rank first.
#[must_use]
pub fn overlaps(rules: &[PriceRule]) -> Vec<Overlap<'_>> {
    let mut ranked: Vec<&PriceRule> = rules.iter().collect();
    ranked.sort_by(|one, other| other.rank().cmp(&one.rank()));
    let mut found = Vec::new();
    for (place, loser) in ranked.iter().enumerate() {
        let winners = ranked.iter().take(place);
        let winners = winners.filter(|winner| hold_together(winner, loser));
        found.extend(winners.filter_map(|winner| {
            let extent = extent(winner, loser)?;
            Some(Overlap {
                winner,
                loser,
                extent,
            })
        }));
    }
    found
}

fn extent(winner: &PriceRule, loser: &PriceRule) -> Option<Extent> {
    // No name has a `*`, so one that is taken for a letter is covered only by another `*`.
    if pattern::matches(&winner.pattern, &loser.pattern) && covers_in_time(winner, loser) {
        Some(Extent::All)
    } else {
        pattern::intersect(&winner.pattern, &loser.pattern).then_some(Extent::Some)
    }
}

fn hold_together(one: &PriceRule, other: &PriceRule) -> bool {
    let ends_after = |rule: &PriceRule, at_ms: i64| rule.ends_at_ms.is_none_or(|end| end > at_ms);
    let last_start = one.starts_at_ms.max(other.starts_at_ms);
    ends_after(one, last_start) && ends_after(other, last_start)
}

fn covers_in_time(winner: &PriceRule, loser: &PriceRule) -> bool {
    let ends_first = match (winner.ends_at_ms, loser.ends_at_ms) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(winner), Some(loser)) => winner < loser,
    };
    winner.starts_at_ms <= loser.starts_at_ms && !ends_first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RuleId;
    use crate::money::Nanos;

    fn rule(name: &str, pattern: &str, priority: i64) -> PriceRule {
        PriceRule {
            id: RuleId::parse(&format!("rul_{name}")).unwrap(),
            pattern: pattern.to_owned(),
            markup_bps: 0,
            min_charge: Nanos::ZERO,
            priority,
            starts_at_ms: 100,
            ends_at_ms: None,
        }
    }

    fn within(mut rule: PriceRule, starts_at_ms: i64, ends_at_ms: Option<i64>) -> PriceRule {
        (rule.starts_at_ms, rule.ends_at_ms) = (starts_at_ms, ends_at_ms);
        rule
    }

    #[test]
    fn a_rule_that_prices_nothing_is_found_and_by_what() {
        let check = |rules: &[PriceRule], expect: &[(&str, &str, Extent)]| {
            let found: Vec<_> = overlaps(rules)
                .iter()
                .map(|overlap| {
                    let name = |rule: &PriceRule| rule.id.as_str()[4..].to_owned();
                    (name(overlap.winner), name(overlap.loser), overlap.extent)
                })
                .collect();
            let found: Vec<_> = found
                .iter()
                .map(|(winner, loser, extent)| (winner.as_str(), loser.as_str(), *extent))
                .collect();
            assert_eq!(found, expect, "{rules:?}");
        };
        let all = || rule("all", "*", 0);
        let maker = || rule("maker", "openai/*", 0);
        let model = || rule("model", "openai/gpt-4o", 0);
        let other = || rule("other", "google/*", 0);
        let urgent = || rule("urgent", "openai/*", 5);
        check(&[], &[]);
        check(&[all()], &[]);
        check(&[maker(), other()], &[]);
        check(&[all(), maker()], &[("maker", "all", Extent::Some)]);
        check(&[maker(), urgent()], &[("urgent", "maker", Extent::All)]);
        check(
            &[model(), urgent(), all()],
            &[
                ("urgent", "model", Extent::All),
                ("urgent", "all", Extent::Some),
                ("model", "all", Extent::Some),
            ],
        );
        let twin = rule("a_twin", "openai/*", 0);
        check(&[maker(), twin], &[("a_twin", "maker", Extent::All)]);
        // Equal but for the start: the later one wins, and only from then on.
        let later = within(rule("later", "openai/*", 0), 500, None);
        check(&[maker(), later], &[("later", "maker", Extent::Some)]);
        let soon_over = within(urgent(), 100, Some(500));
        check(&[maker(), soon_over], &[("urgent", "maker", Extent::Some)]);
        let replaced = within(maker(), 100, Some(500));
        let new = within(rule("new", "openai/*", 0), 500, None);
        check(&[replaced, new], &[]);
    }
}
