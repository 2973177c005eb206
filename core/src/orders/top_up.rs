//! What an account sets for its automatic top-up. Who is due, and what follows, is in `due_top_up`.

use serde_json::json;

use super::terms::Caps;
use crate::accounts::Commit;
use crate::audit::{Change, Entry};
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::AccountId;
use crate::money::Nanos;
use crate::stripe::Cents;

/// What an account set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// Whether it works.
    pub enabled: bool,
    /// It buys when less than this is free.
    pub threshold: Nanos,
    /// What it buys.
    pub amount: Cents,
    /// The most of a UTC month.
    pub month_limit: Cents,
}

/// What an account set, and why it was switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTopUp {
    /// What it set.
    pub top_up: TopUp,
    /// The word for why it was switched off; `None` when a person did.
    pub stopped_by: Option<String>,
}

/// Why settings are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopUpRefusal {
    /// The amount is not between these two.
    Amount {
        /// The least.
        min: Cents,
        /// The most.
        max: Cents,
    },
    /// The threshold is below zero.
    Threshold,
    /// The limit of the month is below the amount.
    MonthLimit,
}

const READ: &str = "\
SELECT enabled, threshold_nanos, amount_cents, month_limit_cents, stopped_by FROM auto_top_ups
WHERE account_id = ?1";

// It works only with a card that is saved.
const EDIT: &str = "\
INSERT INTO auto_top_ups (account_id, enabled, threshold_nanos, amount_cents, month_limit_cents,
  updated_at_ms)
SELECT a.id, ?2, ?3, ?4, ?5, ?6 FROM accounts a WHERE a.id = ?1 AND a.kind <> 'operator'
  AND (?2 = 0 OR EXISTS (SELECT 1 FROM stripe_customers c WHERE c.account_id = a.id
    AND c.payment_method_id IS NOT NULL))
ON CONFLICT (account_id) DO UPDATE SET enabled = excluded.enabled,
  threshold_nanos = excluded.threshold_nanos, amount_cents = excluded.amount_cents,
  month_limit_cents = excluded.month_limit_cents, stopped_by = NULL, untold = 0,
  updated_at_ms = excluded.updated_at_ms";

const BEFORE: &str = "\
coalesce((SELECT json_object('enabled', t.enabled, 'threshold_nanos', t.threshold_nanos,
  'amount_cents', t.amount_cents, 'month_limit_cents', t.month_limit_cents)
  FROM auto_top_ups t WHERE t.account_id = r.id), '{}')";

/// Switches it off without a payment having failed, for this reason in a word; the account's page tells.
pub(crate) fn switch_off_top_up(account: &AccountId, why: &'static str, at_ms: i64) -> Statement {
    Statement::new(
        "UPDATE auto_top_ups SET enabled = 0, stopped_by = ?2, updated_at_ms = ?3 \
         WHERE account_id = ?1 AND enabled = 1",
    )
    .bind(account.as_str())
    .bind(why)
    .bind(at_ms)
}

/// Reads what an account set; no row: nothing.
#[must_use]
pub fn top_up_statement(account: &AccountId) -> Statement {
    Statement::new(READ).bind(account.as_str())
}

/// Reads the row of what an account set.
pub fn read_top_up(row: &Row) -> Result<KeptTopUp, HranaFault> {
    Ok(KeptTopUp {
        top_up: TopUp {
            enabled: row.get(0)?,
            threshold: Nanos::new(row.get(1)?),
            amount: Cents::new(row.get(2)?),
            month_limit: Cents::new(row.get(3)?),
        },
        stopped_by: row.get(4)?,
    })
}

impl TopUp {
    /// Sets it for an account. The transaction does not take place where it is to be switched on and
    /// no card is saved.
    pub fn edit(
        &self,
        account: &AccountId,
        caps: &Caps,
        change: &Change,
    ) -> Result<Commit, TopUpRefusal> {
        self.check(caps)?;
        let entry = change.of(Entry {
            action: "top_up.edit",
            table: "accounts",
            subject: account.as_str(),
            before: BEFORE,
            after: json!({
                "enabled": i64::from(self.enabled),
                "threshold_nanos": self.threshold.get(),
                "amount_cents": self.amount.get(),
                "month_limit_cents": self.month_limit.get(),
            })
            .to_string(),
        });
        let edit = Statement::new(EDIT)
            .bind(account.as_str())
            .bind(self.enabled)
            .bind(self.threshold.get())
            .bind(self.amount.get())
            .bind(self.month_limit.get())
            .bind(change.at_ms);
        Ok(crate::accounts::commit([entry, edit]))
    }

    fn check(&self, caps: &Caps) -> Result<(), TopUpRefusal> {
        if self.amount < caps.min_amount || self.amount > caps.max_amount {
            return Err(TopUpRefusal::Amount {
                min: caps.min_amount,
                max: caps.max_amount,
            });
        }
        if self.threshold < Nanos::ZERO {
            return Err(TopUpRefusal::Threshold);
        }
        if self.month_limit < self.amount {
            return Err(TopUpRefusal::MonthLimit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let caps = Caps::default();
        let check = |(threshold, amount, month): (i64, i64, i64), expect| {
            let top_up = TopUp {
                enabled: true,
                threshold: Nanos::new(threshold),
                amount: Cents::new(amount),
                month_limit: Cents::new(month),
            };
            assert_eq!(top_up.check(&caps), expect, "{threshold} {amount} {month}");
        };
        let range = Err(TopUpRefusal::Amount {
            min: caps.min_amount,
            max: caps.max_amount,
        });
        check((0, 500, 500), Ok(()));
        check((i64::MAX, 100_000, i64::MAX), Ok(()));
        check((0, 499, 500), range);
        check((0, 100_001, 200_000), range);
        check((-1, 500, 500), Err(TopUpRefusal::Threshold));
        check((0, 500, 499), Err(TopUpRefusal::MonthLimit));
    }
}
