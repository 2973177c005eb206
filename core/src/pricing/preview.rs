//! What a seller's customers would pay for a call, model by model, beside what the seller pays for
//! it; and the same with a rule that is not saved yet. The prices are made by what prices real calls,
//! so a preview cannot differ from a bill. Where models and rules are read is not known here.

use super::cost::cost_of;
use super::rule::{PriceRule, charges, pick};
use crate::catalogue::{Cost, Dimension};
use crate::money::{MoneyError, Nanos, Picos};
use crate::usage::Usage;

/// A model that is on sale, and what the provider bills for it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priceable {
    /// The model's slug.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// The operator's cost; `None`: none holds at the moment, or it cannot be read.
    pub cost: Option<Cost>,
}

/// The rules that price the calls of a seller's customers.
#[derive(Clone, Copy, Debug)]
pub struct Tariff<'a> {
    /// The rules by which the accounts above the seller charge each other, from the root down: the
    /// last are those by which the seller itself is charged. None when the seller is the root.
    pub above: &'a [Vec<PriceRule>],
    /// The seller's own rules.
    pub own: &'a [PriceRule],
}

/// What is previewed: one call at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What the call uses.
    pub usage: Usage,
    /// The moment, in Unix milliseconds.
    pub at_ms: i64,
}

/// What a model is sold for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// What the call costs the seller: the charge of the account above it or, for the root, what the
    /// provider bills.
    pub base: Nanos,
    /// What the call costs the seller's customer.
    pub charge: Nanos,
    /// The seller's rule that made the charge.
    pub rule: &'a PriceRule,
    /// Whether the charge is the rule's minimum, because the markup alone is less.
    pub by_minimum: bool,
    /// What one unit costs the seller and its customer, minimum charges left aside: every unit that
    /// has a price of its own, in the order of `Dimension::ALL`.
    pub units: Vec<UnitOffer>,
}

/// The price of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitOffer {
    /// What is billed.
    pub dimension: Dimension,
    /// What it costs the seller.
    pub base: Picos,
    /// What it costs the customer.
    pub charge: Picos,
}

/// Why a model is not sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSold {
    /// Nobody sells it to the seller.
    NotOffered,
    /// No rule of the seller's own catches it.
    NoRule,
    /// The price is no amount that can be charged.
    NoAmount(MoneyError),
}

impl Offer<'_> {
    /// What is left to the seller of such a call.
    #[must_use]
    pub fn margin(&self) -> Nanos {
        Nanos::new(self.charge.get().saturating_sub(self.base.get()))
    }

    /// What one unit of this kind costs, if it has a price of its own.
    #[must_use]
    pub fn unit(&self, dimension: Dimension) -> Option<&UnitOffer> {
        self.units.iter().find(|unit| unit.dimension == dimension)
    }
}

/// What a seller's customer pays for the model, by the rules of the moment.
pub fn offer<'a>(
    model: &Priceable,
    tariff: Tariff<'a>,
    reference: &Reference,
) -> Result<Offer<'a>, NotSold> {
    let picked = |rules: &'a [PriceRule]| pick(rules, &model.slug, reference.at_ms);
    let cost = model.cost.as_ref().ok_or(NotSold::NotOffered)?;
    let above: Option<Vec<&PriceRule>> = tariff.above.iter().map(|rules| picked(rules)).collect();
    let above = above.ok_or(NotSold::NotOffered)?;
    let rule = picked(tariff.own).ok_or(NotSold::NoRule)?;
    let provider = cost_of(cost, &reference.usage, reference.at_ms).map_err(NotSold::NoAmount)?;
    let to_seller = charges(provider, &above).map_err(NotSold::NoAmount)?;
    let base = to_seller.last().copied().unwrap_or(provider);
    let charge = rule.charge(base).map_err(NotSold::NoAmount)?;
    let without_minimum = PriceRule {
        min_charge: Nanos::ZERO,
        ..rule.clone()
    };
    let marked_up = without_minimum.charge(base).map_err(NotSold::NoAmount)?;
    Ok(Offer {
        base,
        charge,
        rule,
        by_minimum: marked_up < charge,
        units: units(cost, &above, rule).map_err(NotSold::NoAmount)?,
    })
}

fn units(
    cost: &Cost,
    above: &[&PriceRule],
    rule: &PriceRule,
) -> Result<Vec<UnitOffer>, MoneyError> {
    let prices = cost.prices.iter().map(|(dimension, price)| {
        let base = above
            .iter()
            .try_fold(price, |price, rule| rule.unit_price(price))?;
        Ok(UnitOffer {
            dimension,
            base,
            charge: rule.unit_price(base)?,
        })
    });
    prices.collect()
}

/// The rules as they would be with `draft`, which may take the place of one of them from its start
/// on. Look at them at a moment that is not before that start.
#[must_use]
pub fn with_draft(own: &[PriceRule], draft: &PriceRule, replaces: Option<&str>) -> Vec<PriceRule> {
    let kept = own.iter().map(|rule| {
        let mut rule = rule.clone();
        if replaces == Some(rule.id.as_str()) {
            let end_ms = rule.ends_at_ms.unwrap_or(i64::MAX);
            rule.ends_at_ms = Some(end_ms.min(draft.starts_at_ms));
        }
        rule
    });
    kept.chain([draft.clone()]).collect()
}

/// Whether a customer is charged the same by both: whatever the call, not only for the reference.
#[must_use]
pub fn same_price(one: &Result<Offer<'_>, NotSold>, other: &Result<Offer<'_>, NotSold>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            (one.rule.markup_bps, one.rule.min_charge)
                == (other.rule.markup_bps, other.rule.min_charge)
                && one.base == other.base
        }
        (Err(one), Err(other)) => one == other,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

#[cfg(test)]
mod tests;
