//! What a seller offers: its packs, or the built-in ones, and free amounts.

use serde_json::json;

use super::order::word;
use super::terms::Caps;
use crate::accounts::{Commit, commit};
use crate::audit::{Change, Entry};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::{AccountId, PackId};
use crate::money::Nanos;
use crate::stripe::Cents;

/// What is offered where the seller has no packs: these amounts, and as much credit.
pub const DEFAULT_PACKS: [Cents; 4] = [
    Cents::new(1_000),
    Cents::new(2_500),
    Cents::new(5_000),
    Cents::new(10_000),
];

/// Packs that a seller may have at a time.
const MAX_PACKS: i64 = 12;

/// A seller's pack that can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its id.
    pub id: PackId,
    /// What it costs.
    pub price: Cents,
    /// What it gives.
    pub credit: Nanos,
}

/// What somebody wants to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A pack of the seller's.
    Pack(PackId),
    /// Credit for as much money; the built-in packs are such amounts.
    Amount(Cents),
}

/// What will be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The seller's pack; `None` for a free amount.
    pub pack: Option<PackId>,
    /// What it costs.
    pub price: Cents,
    /// What it gives: a whole number of nanos for each cent.
    pub credit: Nanos,
}

/// Why a choice cannot be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChoiceRefused {
    /// The seller has no such pack, or no longer.
    NoSuchPack,
    /// The amount is not between these two.
    OutOfRange {
        /// The least.
        min: Cents,
        /// The most.
        max: Cents,
    },
}

/// A pack to offer. It never changes: it ends, and another takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPack {
    /// Its id.
    pub id: PackId,
    /// Who offers it to the accounts right below.
    pub seller: AccountId,
    /// What it costs.
    pub price: Cents,
    /// What it gives at least.
    pub credit: Nanos,
}

const INSERT: &str = "\
INSERT INTO packs (id, account_id, price_cents, credit_nanos, created_at_ms)
SELECT ?1, a.id, ?3, ?4, ?5 FROM accounts a WHERE a.id = ?2 AND a.kind <> 'customer'
  AND (SELECT count(*) FROM packs WHERE account_id = ?2 AND ends_at_ms IS NULL) < ?6";

/// Reads the packs that a seller offers now, the cheapest first.
#[must_use]
pub fn packs_statement(seller: &AccountId, now_ms: i64) -> Statement {
    Statement::new(
        "SELECT id, price_cents, credit_nanos FROM packs WHERE account_id = ?1 \
         AND (ends_at_ms IS NULL OR ends_at_ms > ?2) ORDER BY price_cents, id",
    )
    .bind(seller.as_str())
    .bind(now_ms)
}

/// Reads the row of a pack.
pub fn read_pack(row: &Row) -> Result<Pack, HranaFault> {
    Ok(Pack {
        id: word(row, 0, PackId::parse)?,
        price: Cents::new(row.get(1)?),
        credit: Nanos::new(row.get(2)?),
    })
}

/// What a page offers: the seller's packs, or the built-in ones when it has none.
#[must_use]
pub fn offered(packs: &[Pack]) -> Vec<(Choice, Cents, Nanos)> {
    if packs.is_empty() {
        let built_in = DEFAULT_PACKS.iter();
        return built_in
            .filter_map(|price| Some((Choice::Amount(*price), *price, price.to_nanos()?)))
            .collect();
    }
    let own = packs.iter();
    own.map(|pack| (Choice::Pack(pack.id.clone()), pack.price, pack.credit))
        .collect()
}

/// What a choice buys of a seller that offers these packs. The order checks the pack once more.
pub fn choose(packs: &[Pack], choice: &Choice, caps: &Caps) -> Result<Item, ChoiceRefused> {
    let range = ChoiceRefused::OutOfRange {
        min: caps.min_amount,
        max: caps.max_amount,
    };
    match choice {
        Choice::Pack(id) => {
            let pack = packs.iter().find(|pack| pack.id == *id);
            let pack = pack.ok_or(ChoiceRefused::NoSuchPack)?;
            Ok(Item {
                pack: Some(pack.id.clone()),
                price: pack.price,
                credit: pack.credit,
            })
        }
        Choice::Amount(price) => {
            if *price < caps.min_amount || *price > caps.max_amount {
                return Err(range);
            }
            Ok(Item {
                pack: None,
                price: *price,
                credit: price.to_nanos().ok_or(range)?,
            })
        }
    }
}

impl NewPack {
    /// Offers the pack; refused for a customer, and beyond twelve packs. Its credit is rounded up to a
    /// whole number of nanos for each cent of its price: by less than a nano for each cent.
    #[must_use]
    pub fn to_batch(&self, change: &Change) -> Commit {
        let credit = self.whole_credit();
        let insert = Statement::new(INSERT)
            .bind(self.id.as_str())
            .bind(self.seller.as_str())
            .bind(self.price.get())
            .bind(credit.get())
            .bind(change.at_ms)
            .bind(MAX_PACKS);
        let entry = change.of(Entry {
            action: "pack.create",
            table: "packs",
            subject: self.id.as_str(),
            before: "'{}'",
            after: json!({
                "price_cents": self.price.get(),
                "credit_nanos": credit.get(),
            })
            .to_string(),
        });
        commit([insert, entry])
    }

    fn whole_credit(&self) -> Nanos {
        let price = self.price.get();
        let rest = self.credit.get().checked_rem(price).unwrap_or(0);
        let missing = if rest > 0 {
            price.saturating_sub(rest)
        } else {
            0
        };
        Nanos::new(self.credit.get().saturating_add(missing))
    }
}

/// Ends a pack of the seller's now.
#[must_use]
pub fn end_pack(seller: &AccountId, pack: &PackId, change: &Change) -> Commit {
    let entry = change.of(Entry {
        action: "pack.end",
        table: "packs",
        subject: pack.as_str(),
        before: "json_object('ends_at_ms', r.ends_at_ms)",
        after: json!({ "ends_at_ms": change.at_ms }).to_string(),
    });
    let end = Statement::new(
        "UPDATE packs SET ends_at_ms = ?3 WHERE id = ?1 AND account_id = ?2 AND ends_at_ms IS NULL",
    )
    .bind(pack.as_str())
    .bind(seller.as_str())
    .bind(change.at_ms);
    commit([entry, end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(number: u8, price: i64, credit: i64) -> Pack {
        Pack {
            id: PackId::from_random([number; 10]),
            price: Cents::new(price),
            credit: Nanos::new(credit),
        }
    }

    #[test]
    fn what_is_chosen_costs_what_the_seller_says_and_never_what_the_browser_says() {
        let own = [pack(1, 1_000, 11_000_000_000)];
        let caps = Caps::default();
        let check = |choice: Choice, expect: Result<(i64, i64), ChoiceRefused>| {
            let got = choose(&own, &choice, &caps);
            let got = got.map(|item| (item.price.get(), item.credit.get()));
            assert_eq!(got, expect, "{choice:?}");
        };
        let range = Err(ChoiceRefused::OutOfRange {
            min: Cents::new(500),
            max: Cents::new(100_000),
        });
        check(Choice::Pack(own[0].id.clone()), Ok((1_000, 11_000_000_000)));
        let other = PackId::from_random([2; 10]);
        check(Choice::Pack(other), Err(ChoiceRefused::NoSuchPack));
        check(Choice::Amount(Cents::new(500)), Ok((500, 5_000_000_000)));
        check(
            Choice::Amount(Cents::new(100_000)),
            Ok((100_000, 1_000_000_000_000)),
        );
        check(Choice::Amount(Cents::new(499)), range);
        check(Choice::Amount(Cents::new(100_001)), range);
        check(Choice::Amount(Cents::new(-1)), range);
        check(Choice::Amount(Cents::new(i64::MAX)), range);
    }

    #[test]
    fn a_seller_without_packs_offers_the_built_in_ones() {
        let prices = |packs: &[Pack]| -> Vec<i64> {
            offered(packs)
                .iter()
                .map(|(_, price, _)| price.get())
                .collect()
        };
        assert_eq!(prices(&[]), [1_000, 2_500, 5_000, 10_000]);
        assert_eq!(prices(&[pack(1, 700, 7)]), [700]);
    }

    #[test]
    fn a_pack_s_credit_is_whole_for_each_cent() {
        let check = |price: i64, credit: i64, expect: i64| {
            let new = NewPack {
                id: PackId::from_random([1; 10]),
                seller: AccountId::from_random([1; 10]),
                price: Cents::new(price),
                credit: Nanos::new(credit),
            };
            assert_eq!(new.whole_credit().get(), expect);
        };
        check(1_000, 11_000_000_000, 11_000_000_000);
        check(999, 10_000_000_000, 10_000_000_989);
        check(999, 1, 999);
        check(0, 5, 5);
    }
}
