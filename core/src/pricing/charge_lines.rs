//! How a charge came about, line by line, at the prices of the account that was charged. The lines add
//! up to the charge to the nano, and nothing in them tells what the levels above paid: unit prices are
//! those of `public_model`, and what any level's minimum adds is one line.

use super::cost::{BilledUnits, billed_units, cost_of};
use super::rule::{PriceRule, charges};
use crate::catalogue::{Cost, Dimension};
use crate::money::{MoneyError, Nanos, Picos};
use crate::usage::Usage;

/// A stored call that was charged.
#[derive(Clone, Copy, Debug)]
pub struct ChargeFacts<'a> {
    /// What the provider bills for the model.
    pub cost: &'a Cost,
    /// The rule of every level, from the level below the root down to the account that is charged.
    pub rules_from_root: &'a [PriceRule],
    /// The moment whose prices hold, in Unix milliseconds.
    pub at_ms: i64,
    /// The tokens that are stored; `None` when the call used nothing. Images and the hour's cache are not
    /// stored: they are found again from `bill`.
    pub usage: Option<Usage>,
    /// What the provider bills for the call, by the cost table.
    pub bill: Nanos,
    /// What was held at the account's level.
    pub hold: Nanos,
    /// What the account was charged in the end, true-up included.
    pub charge: Nanos,
}

/// What a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeItem {
    /// So many units at a price.
    Units {
        /// Of what.
        dimension: Dimension,
        /// How many.
        units: u64,
        /// The account's price for one, as it is told in the list of models.
        unit_price: Picos,
    },
    /// Units whose number was not kept.
    OtherUnits,
    /// The difference between lines that are rounded each and a charge that is rounded as a whole.
    Rounding,
    /// What a minimum charge adds.
    Minimum,
    /// What the price is above the hold, which is not charged.
    AboveHold,
    /// What a later correction could not take, which is not charged.
    NotTaken,
}

/// One line; below zero it takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargeLine {
    /// What it is for.
    pub item: ChargeItem,
    /// How much.
    pub amount: Nanos,
}

/// The lines of a charge; their sum is the charge. None when nothing was charged for nothing used.
#[must_use]
pub fn charge_lines(facts: &ChargeFacts<'_>) -> Vec<ChargeLine> {
    // A usage beyond all amounts was charged its hold, of which no line can say more.
    let unknown = vec![ChargeLine {
        item: ChargeItem::OtherUnits,
        amount: facts.charge,
    }];
    let mut lines = explained(facts).unwrap_or(unknown);
    lines.retain(|line| {
        let shown = matches!(line.item, ChargeItem::Units { .. });
        shown || line.amount != Nanos::ZERO
    });
    lines
}

fn explained(facts: &ChargeFacts<'_>) -> Result<Vec<ChargeLine>, MoneyError> {
    let mut lines = Vec::new();
    let Some(stored) = facts.usage else {
        return Ok(vec![ChargeLine {
            item: ChargeItem::NotTaken,
            amount: facts.charge,
        }]);
    };
    let usage = find_usage(facts, stored);
    for billed in billed_units(facts.cost, &usage, facts.at_ms) {
        let free_request = billed.dimension == Dimension::Request && billed.price == Picos::ZERO;
        if billed.units > 0 && !free_request {
            lines.push(units_line(facts, billed)?);
        }
    }
    let without_minimum: Vec<PriceRule> = facts
        .rules_from_root
        .iter()
        .map(|rule| PriceRule {
            min_charge: Nanos::ZERO,
            ..rule.clone()
        })
        .collect();
    let known = price(cost_of(facts.cost, &usage, facts.at_ms)?, &without_minimum)?;
    let marked_up = price(facts.bill, &without_minimum)?;
    let whole = price(facts.bill, facts.rules_from_root)?;
    let within_hold = whole.min(facts.hold);
    let units = lines
        .iter()
        .try_fold(Nanos::ZERO, |sum, line| sum.plus(line.amount))?;
    let rest = [
        (ChargeItem::OtherUnits, marked_up.minus(known)?),
        (ChargeItem::Rounding, known.minus(units)?),
        (ChargeItem::Minimum, whole.minus(marked_up)?),
        (ChargeItem::AboveHold, within_hold.minus(whole)?),
        (ChargeItem::NotTaken, facts.charge.minus(within_hold)?),
    ];
    lines.extend(rest.map(|(item, amount)| ChargeLine { item, amount }));
    Ok(lines)
}

/// What the last level pays for a bill.
fn price(bill: Nanos, rules_from_root: &[PriceRule]) -> Result<Nanos, MoneyError> {
    let rules: Vec<&PriceRule> = rules_from_root.iter().collect();
    Ok(charges(bill, &rules)?.last().copied().unwrap_or(bill))
}

/// The line of units at the account's own price, to the nearest nano.
fn units_line(facts: &ChargeFacts<'_>, billed: BilledUnits) -> Result<ChargeLine, MoneyError> {
    let mut rules = facts.rules_from_root.iter();
    let unit_price = rules.try_fold(billed.price, |price, rule| rule.unit_price(price))?;
    let nanos = unit_price
        .times(billed.units)
        .saturating_add(500)
        .div_euclid(1_000);
    Ok(ChargeLine {
        item: ChargeItem::Units {
            dimension: billed.dimension,
            units: billed.units,
            unit_price,
        },
        amount: Nanos::new(i64::try_from(nanos).map_err(|_| MoneyError::Overflow)?),
    })
}

/// The stored tokens with the number of images and the kind of cache that make up the bill; without
/// them, if none do.
fn find_usage(facts: &ChargeFacts<'_>, stored: Usage) -> Usage {
    let fits = |usage: &Usage| cost_of(facts.cost, usage, facts.at_ms) == Ok(facts.bill);
    for hour_cache in [false, true] {
        let tokens = Usage {
            hour_cache,
            ..stored
        };
        if fits(&tokens) {
            return tokens;
        }
        let images = images_for(facts, &tokens).map(|images| Usage { images, ..tokens });
        if let Some(usage) = images.filter(fits) {
            return usage;
        }
    }
    stored
}

/// How many images would make up what of the bill is not in the tokens.
fn images_for(facts: &ChargeFacts<'_>, tokens: &Usage) -> Option<u64> {
    let units = billed_units(facts.cost, tokens, facts.at_ms);
    let image = units
        .iter()
        .find(|unit| unit.dimension == Dimension::Image)?;
    let bill = i128::from(facts.bill.get()).checked_mul(1_000)?;
    let rest = units.iter().try_fold(bill, |rest, unit| {
        rest.checked_sub(unit.price.times(unit.units))
    })?;
    let images = rest.checked_div(i128::from(image.price.get()))?;
    u64::try_from(images).ok()
}

#[cfg(test)]
mod tests;
