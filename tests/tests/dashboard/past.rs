//! Calls of the past, written into the database as the gateway would have left them: more of them, and
//! older ones, than a test could make.

use tollgate_core::hrana::Statement;
use tollgate_core::ids::{KeyId, RequestId};
use xtask::clock::now_ms;

use crate::people::{Customer, Shop, change};
use crate::stage::Stage;

/// A day.
pub const DAY_MS: i64 = 86_400_000;

/// The customer pays this many nanos for the first call, twice as many for the second, and so on.
pub const CHARGE: i64 = 1_250;

/// The same of what its reseller pays.
pub const BASE: i64 = 1_000;

/// Which calls.
pub struct Past<'a> {
    /// Who made them.
    pub customer: &'a Customer,
    /// Who sold them.
    pub shop: &'a Shop,
    /// Which other key made every tenth of them.
    pub tenth: &'a KeyId,
    /// How many.
    pub calls: i64,
}

const INSERT: &str = "\
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
INSERT INTO requests (id, nonce, account_id, key_id, state, levels, lease_until_ms, model, provider,
  cost_id, streamed, max_tokens, prompt_estimate, reserved_tokens, created_at_ms, outcome, prompt_tokens,
  completion_tokens, cost_nanos, shortfall_nanos, status, error_code, first_byte_ms, total_ms, resolved_at_ms)
SELECT ?2 + i * ?3, i, ?4, iif(i % 10 = 3, ?5, ?6), 'settled',
  json_array(json_object('account', ?4, 'rule', 'rul_1', 'hold', ?8 * (i + 1) + 9, 'charge', ?8 * (i + 1)),
             json_object('account', ?7, 'rule', 'rul_2', 'hold', ?9 * (i + 1) + 9, 'charge', ?9 * (i + 1))),
  0, 'sim/model-' || (i % 3), 'openrouter', 1, i % 2, 10, 5, 5, ?10 + i * ?11, 'exact', 10 + i, 20 + i,
  800 * (i + 1), 0, iif(i % 7 = 5, 502, 200), iif(i % 7 = 5, 'provider_unavailable', NULL), 5, 9,
  ?10 + i * ?11 FROM n";

impl Past<'_> {
    /// Calls of the last days, so many of each, the latest a quarter of an hour ago.
    pub fn over_days(&self, stage: &Stage, days: i64) {
        let begin_ms = now_ms() - 900_000 - days * DAY_MS;
        let step_ms = days * DAY_MS / self.calls;
        let id_step =
            RequestId::first_at(begin_ms + step_ms).get() - RequestId::first_at(begin_ms).get();
        self.write(
            stage,
            (RequestId::first_at(begin_ms).get(), id_step),
            (begin_ms, step_ms),
        );
    }

    /// Calls of these days as far as sums know, all of which the next roll-up adds: it takes those whose
    /// ids are older than ten minutes, and not before what it took last.
    pub fn for_sums(&self, stage: &Stage, days: i64) {
        let at_ms = now_ms() - 600_050;
        let begin_ms = at_ms - days * DAY_MS;
        let ids = (RequestId::first_at(at_ms).get(), 1);
        self.write(stage, ids, (begin_ms, days * DAY_MS / self.calls));
    }

    fn write(&self, stage: &Stage, (id, id_step): (i64, i64), (at_ms, step_ms): (i64, i64)) {
        let (buyer, seller) = (&self.customer.member.account, &self.shop.reseller.account);
        let insert = Statement::new(INSERT)
            .bind(self.calls)
            .bind(id)
            .bind(id_step)
            .bind(buyer.as_str())
            .bind(self.tenth.as_str())
            .bind(self.customer.key_id.as_str())
            .bind(seller.as_str())
            .bind(CHARGE)
            .bind(BASE)
            .bind(at_ms)
            .bind(step_ms);
        change(stage, insert);
        // What they charged is gone from the balances.
        let sum = self.calls * (self.calls + 1) / 2;
        for (account, charge) in [(buyer, CHARGE), (seller, BASE)] {
            let paid = "UPDATE accounts SET charged_nanos = charged_nanos + ?2, \
                        balance_nanos = balance_nanos - ?2 WHERE id = ?1";
            change(
                stage,
                Statement::new(paid)
                    .bind(account.as_str())
                    .bind(sum * charge),
            );
        }
    }
}
