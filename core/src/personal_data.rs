//! "Download my data": everything that is kept of an account and of the person who asks, as one JSON
//! document that is written piece by piece. Secrets are not in it, not even as hashes, and nothing that
//! tells of the accounts above or below.
//!
//! Amounts are `_nanos` (1e-9 US dollars) or `_cents`, moments `_at_ms` (Unix milliseconds).

use crate::accounts::View;
use crate::hrana::{HranaFault, Row, Statement};
use crate::ids::AccountId;
use crate::request_log::{Export, Filter, Format};

/// How many rows are read at once.
const PART: u32 = 1_000;

/// A member of the document: an array with an object for each row.
struct Section {
    name: &'static str,
    rows: Rows,
}

/// Where the rows of a section are.
enum Rows {
    /// A `SELECT`, complete but for its `LIMIT`, of each row's place in their order and of a JSON object.
    /// `?1` is the account, `?2` the person, `?3` the place after which to begin.
    Table(&'static str),
    /// The account's own calls, as their export writes them.
    Requests,
}

// The plus keeps the database from looking through a whole table for the sake of the order.
const SECTIONS: [Section; 13] = [
    table(
        "person",
        "SELECT rowid, json_object('id', id, 'email', email, 'name', name, 'github_id', github_id,
  'time_zone', time_zone, 'language', language, 'second_factor', json(iif(totp_sealed IS NULL, 'false', 'true')),
  'created_at_ms', created_at_ms)
FROM people WHERE account_id = ?1 AND id = ?2 AND +rowid > ?3 ORDER BY +rowid",
    ),
    table(
        "sessions",
        "SELECT s.rowid, json_object('agent', s.agent, 'created_at_ms', s.created_at_ms,
  'seen_at_ms', s.seen_at_ms, 'expires_at_ms', s.expires_at_ms)
FROM sessions s JOIN people p ON p.id = s.person_id
WHERE p.account_id = ?1 AND s.person_id = ?2 AND +s.rowid > ?3 ORDER BY +s.rowid",
    ),
    table(
        "account",
        "SELECT rowid, json_object('id', id, 'kind', kind, 'name', name, 'status', status,
  'balance_nanos', balance_nanos, 'held_nanos', held_nanos, 'debt_nanos', debt_nanos,
  'charged_nanos', charged_nanos, 'created_at_ms', created_at_ms)
FROM accounts WHERE id = ?1 AND +rowid > ?3 ORDER BY +rowid",
    ),
    table(
        "keys",
        "SELECT rowid, json_object('id', id, 'prefix', prefix, 'name', name,
  'revoked_at_ms', revoked_at_ms, 'expires_at_ms', expires_at_ms,
  'requests_per_minute', requests_per_minute, 'requests_per_hour', requests_per_hour,
  'requests_per_day', requests_per_day, 'tokens_per_minute', tokens_per_minute,
  'parallel_calls', parallel_calls, 'max_tokens', max_tokens,
  'default_max_tokens', default_max_tokens, 'allowed_models', json(allowed_models),
  'budget_total_nanos', budget_total_nanos, 'budget_day_nanos', budget_day_nanos,
  'budget_week_nanos', budget_week_nanos, 'budget_month_nanos', budget_month_nanos,
  'charged_nanos', charged_nanos, 'last_used_at_ms', last_used_at_ms, 'created_at_ms', created_at_ms)
FROM keys WHERE account_id = ?1 AND +rowid > ?3 ORDER BY +rowid",
    ),
    table(
        "orders",
        "SELECT rowid, json_object('id', id, 'kind', kind, 'price_cents', price_cents,
  'currency', currency, 'credit_nanos', credit_nanos, 'state', state, 'receipt_url', receipt_url,
  'invoice_url', invoice_url, 'failure', failure, 'refunded_cents', refunded_cents,
  'paid_at_ms', paid_at_ms, 'created_at_ms', created_at_ms)
FROM orders WHERE account_id = ?1 AND +rowid > ?3 ORDER BY +rowid",
    ),
    table(
        "refunds",
        "SELECT r.rowid, json_object('order_id', r.order_id, 'amount_cents', r.amount_cents,
  'credit_nanos', r.credit_nanos, 'state', r.state, 'created_at_ms', r.created_at_ms)
FROM orders o JOIN refunds r ON r.order_id = o.id
WHERE o.account_id = ?1 AND +r.rowid > ?3 ORDER BY +r.rowid",
    ),
    table(
        "disputes",
        "SELECT d.rowid, json_object('order_id', d.order_id, 'amount_cents', d.amount_cents,
  'credit_nanos', d.credit_nanos, 'reason', d.reason, 'state', d.state,
  'created_at_ms', d.created_at_ms)
FROM orders o JOIN disputes d ON d.order_id = o.id
WHERE o.account_id = ?1 AND +d.rowid > ?3 ORDER BY +d.rowid",
    ),
    table(
        "card",
        "SELECT rowid, json_object('stripe_customer', stripe_id, 'card', card, 'card_expires', card_expires,
  'created_at_ms', created_at_ms)
FROM stripe_customers WHERE account_id = ?1 AND +rowid > ?3 ORDER BY +rowid",
    ),
    table(
        "automatic_top_up",
        "SELECT rowid, json_object('enabled', json(iif(enabled, 'true', 'false')), 'threshold_nanos', threshold_nanos,
  'amount_cents', amount_cents, 'month_limit_cents', month_limit_cents, 'stopped_by', stopped_by,
  'updated_at_ms', updated_at_ms)
FROM auto_top_ups WHERE account_id = ?1 AND +rowid > ?3 ORDER BY +rowid",
    ),
    table(
        "ledger",
        "SELECT id, json_object('kind', kind, 'amount_nanos', amount_nanos, 'reference', reference,
  'reason', reason, 'created_at_ms', created_at_ms)
FROM ledger_entries WHERE account_id = ?1 AND id > ?3 ORDER BY id",
    ),
    table(
        "usage_days",
        "SELECT rowid, json_object('day', strftime('%Y-%m-%d', day * 86400, 'unixepoch'),
  'key_id', key_id, 'model', model, 'settled', settled, 'voided', voided,
  'prompt_tokens', prompt_tokens, 'completion_tokens', completion_tokens,
  'charge_nanos', charge_nanos, 'true_up_nanos', true_up_nanos)
FROM usage_days WHERE account_id = ?1 AND caller_id = ?1 AND +rowid > ?3 ORDER BY +rowid",
    ),
    Section {
        name: "requests",
        rows: Rows::Requests,
    },
    // Other people are not named.
    table(
        "audit_log",
        "SELECT id, json_object('actor', iif(actor = 'person:' || ?2, actor, 'somebody else'),
  'action', action, 'subject', subject, 'before', json(before),
  'after', json_remove(after, '$.parent'), 'created_at_ms', created_at_ms)
FROM audit_log WHERE account_id = ?1 AND id > ?3 ORDER BY id",
    ),
];

const fn table(name: &'static str, sql: &'static str) -> Section {
    Section {
        name,
        rows: Rows::Table(sql),
    }
}

/// A document that is being written. As long as there is a [`Download::statement`], its rows go to
/// [`Download::take`], which returns the next piece of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    account: AccountId,
    /// The person's id.
    person: String,
    section: usize,
    /// The row of the section after which the next part begins; `None` at its beginning.
    after: Option<i64>,
    requests: Export,
}

impl Download {
    /// The data of an account, and of this person of it (`per_…`).
    #[must_use]
    pub fn new(account: AccountId, person: String) -> Self {
        Self {
            account,
            person,
            section: 0,
            after: None,
            requests: Export::new(Filter::default(), Format::Json),
        }
    }

    /// Reads the next part; `None` when the document is complete.
    #[must_use]
    pub fn statement(&self) -> Option<Statement> {
        match SECTIONS.get(self.section)?.rows {
            Rows::Table(sql) => Some(
                Statement::new(format!("{sql} LIMIT {PART}"))
                    .bind(self.account.as_str())
                    .bind(self.person.as_str())
                    .bind(self.after.unwrap_or_default()),
            ),
            Rows::Requests => self.requests.statement(View::own(&self.account)),
        }
    }

    /// The next piece of the document.
    pub fn take(&mut self, rows: &[Row]) -> Result<String, HranaFault> {
        let Some(section) = SECTIONS.get(self.section) else {
            return Ok(String::new());
        };
        let mut piece = String::new();
        if self.after.is_none() {
            piece.push_str(if self.section == 0 { "{\n" } else { ",\n" });
            piece.push_str(&format!("\"{}\": ", section.name));
        }
        let ended = match section.rows {
            Rows::Table(_) => self.take_table(&mut piece, rows)?,
            Rows::Requests => {
                let view = View::own(&self.account);
                piece.push_str(self.requests.take(view, rows)?.trim_end());
                self.after = Some(0);
                self.requests.statement(view).is_none()
            }
        };
        if ended {
            self.section = self.section.saturating_add(1);
            self.after = None;
            if self.section == SECTIONS.len() {
                piece.push_str("\n}\n");
            }
        }
        Ok(piece)
    }

    /// Whether these rows are the section's last.
    fn take_table(&mut self, piece: &mut String, rows: &[Row]) -> Result<bool, HranaFault> {
        if self.after.is_none() {
            piece.push('[');
        }
        for row in rows {
            piece.push_str(if self.after.is_some() { ",\n" } else { "\n" });
            piece.push_str(&row.get::<String>(1)?);
            self.after = Some(row.get(0)?);
        }
        let ended = rows.len() < usize::try_from(PART).unwrap_or(usize::MAX);
        if ended {
            piece.push_str("\n]");
        }
        Ok(ended)
    }
}
