//! What a seller's price page shows: every model on sale, with what the seller pays and takes, now and
//! if a rule that is not saved yet were saved. One round trip reads all of it. A reseller is told what
//! it pays itself, never what the provider bills.

use crate::accounts::price_rule;
use crate::catalogue::{Cost, on_sale_sql};
use crate::hrana::{Batch, HranaFault, Reply, Row, Statement};
use crate::ids::{AccountId, RuleId};
use crate::pricing::{
    NotSold, Offer, PriceRule, Priceable, Reference, Tariff, offer, same_price, with_draft,
};

/// Which models are shown, and when.
#[derive(Clone, Copy, Debug)]
pub struct MarketQuery<'a> {
    /// Whose prices.
    pub seller: &'a AccountId,
    /// Now, in Unix milliseconds: rules that have ended by now are left out.
    pub now_ms: i64,
    /// The moment whose prices are shown, in Unix milliseconds: now, or the start of a draft.
    pub at_ms: i64,
    /// A part of the slug or the name, in any case; empty finds all.
    pub search: &'a str,
    /// The slug after which the page begins; empty begins with the first.
    pub after: &'a str,
    /// How many models.
    pub count: u32,
}

/// The batch that reads a market.
#[derive(Clone, Debug)]
pub struct MarketBatch {
    /// What to execute: reads only.
    pub batch: Batch,
}

/// A seller's rules, those above it, and models. What the provider bills is in it, so it is not for
/// pages: they show what [`preview`] makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// The seller's own rules that have not ended, announced ones included.
    pub own: Vec<PriceRule>,
    above: Vec<Vec<PriceRule>>,
    models: Vec<Priceable>,
}

/// A model on the price page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewLine<'a> {
    /// The model's slug.
    pub slug: &'a str,
    /// The name that people read.
    pub name: &'a str,
    /// What it is sold for by the rules that there are.
    pub now: Result<Offer<'a>, NotSold>,
    /// What it would be sold for by the other rules; `None` without any.
    pub then: Option<Result<Offer<'a>, NotSold>>,
    /// Whether some call of it would be charged something else.
    pub changed: bool,
}

const SELLER: &str = "\
SELECT json_array_length(chain) FROM accounts WHERE id = ?1 AND kind <> 'customer'";

// The seller's own rules have no depth; those of the parent of a level have the level's.
const RULES: &str = "\
SELECT NULL, r.id, r.pattern, r.markup_bps, r.min_charge_nanos, r.priority, r.starts_at_ms,
  r.ends_at_ms
FROM price_rules r WHERE r.account_id = ?1 AND (r.ends_at_ms IS NULL OR r.ends_at_ms > ?2)
UNION ALL
SELECT c.key, r.id, r.pattern, r.markup_bps, r.min_charge_nanos, r.priority, r.starts_at_ms,
  r.ends_at_ms
FROM accounts s JOIN json_each(s.chain) c JOIN accounts a ON a.id = c.value
  JOIN price_rules r ON r.account_id = a.parent_id
WHERE s.id = ?1 AND (r.ends_at_ms IS NULL OR r.ends_at_ms > ?2)";

const MODELS: &str = "\
SELECT m.slug, m.name, c.effective_from_ms, c.prices
FROM models m LEFT JOIN costs c ON c.model = m.slug AND c.effective_from_ms = (SELECT
  max(d.effective_from_ms) FROM costs d WHERE d.model = m.slug AND d.effective_from_ms <= ?1)
WHERE m.slug > ?2 AND (?3 = '' OR instr(lower(m.slug), ?3) OR instr(lower(m.name), ?3))
  AND {on_sale} ORDER BY m.slug LIMIT ?4";

impl MarketQuery<'_> {
    /// The batch that reads it.
    #[must_use]
    pub fn to_batch(&self) -> MarketBatch {
        let rules = Statement::new(RULES)
            .bind(self.seller.as_str())
            .bind(self.now_ms);
        let models = Statement::new(MODELS.replace("{on_sale}", &on_sale_sql()))
            .bind(self.at_ms)
            .bind(self.after)
            .bind(self.search.trim().to_lowercase())
            .bind(i64::from(self.count));
        let mut batch = Batch::new();
        for statement in [
            Statement::new(SELLER).bind(self.seller.as_str()),
            rules,
            models,
        ] {
            batch.step(None, statement);
        }
        MarketBatch { batch }
    }
}

impl MarketBatch {
    /// What the reply to the batch says; `None`: the account sells nothing.
    pub fn read(&self, reply: &Reply) -> Result<Option<Market>, HranaFault> {
        let [seller, rules, models] = [0, 1, 2];
        if ![seller, rules, models]
            .iter()
            .all(|step| reply.is_ok(*step))
        {
            return Err(HranaFault::Malformed);
        }
        let Some(row) = reply.rows(seller).first() else {
            return Ok(None);
        };
        let levels: u64 = row.get(0)?;
        let mut above: Vec<Vec<PriceRule>> = (0..levels).map(|_| Vec::new()).collect();
        let mut own = Vec::new();
        for row in reply.rows(rules) {
            let rules = match row.get::<Option<u64>>(0)? {
                None => &mut own,
                Some(depth) => usize::try_from(depth)
                    .ok()
                    .and_then(|depth| above.get_mut(depth))
                    .ok_or(HranaFault::UnexpectedColumn(0))?,
            };
            rules.push(price_rule(row)?);
        }
        // The chain goes from the seller up, prices from the root down.
        above.reverse();
        let models = reply.rows(models).iter().map(read_priceable);
        Ok(Some(Market {
            own,
            above,
            models: models.collect::<Result<_, _>>()?,
        }))
    }
}

fn read_priceable(row: &Row) -> Result<Priceable, HranaFault> {
    let since: Option<i64> = row.get(2)?;
    let prices: Option<String> = row.get(3)?;
    let cost = prices.zip(since);
    Ok(Priceable {
        slug: row.get(0)?,
        name: row.get(1)?,
        cost: cost.and_then(|(prices, since)| Cost::from_json(&prices, since).ok()),
    })
}

impl Market {
    /// The seller's rules as they would be with `draft`, which may replace one of them.
    #[must_use]
    pub fn with_draft(&self, draft: &PriceRule, replaces: Option<&RuleId>) -> Vec<PriceRule> {
        with_draft(&self.own, draft, replaces.map(RuleId::as_str))
    }

    /// The slug after which the next page begins.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.models.last().map(|model| model.slug.as_str())
    }
}

/// Prices the reference call by the seller's rules and, beside it, by `others`: what
/// [`Market::with_draft`] made of them. One line a model, in the order of the slugs.
#[must_use]
pub fn preview<'a>(
    market: &'a Market,
    others: Option<&'a [PriceRule]>,
    reference: &Reference,
) -> Vec<PreviewLine<'a>> {
    let tariff = |own: &'a [PriceRule]| Tariff {
        above: &market.above,
        own,
    };
    let lines = market.models.iter().map(|model| {
        let now = offer(model, tariff(&market.own), reference);
        let then = others.map(|own| offer(model, tariff(own), reference));
        let changed = then.as_ref().is_some_and(|then| !same_price(&now, then));
        PreviewLine {
            slug: &model.slug,
            name: &model.name,
            now,
            then,
            changed,
        }
    });
    lines.collect()
}
