-- Money that cannot leak: budgets, holds that grow, idempotency keys, true-ups, alarms, roll-ups.

-- Budgets: what a key's calls may charge its account, in all and in a UTC day, week (from Monday)
-- and month. NULL is no budget. What its open calls hold counts as spent.
ALTER TABLE keys ADD COLUMN budget_total_nanos INTEGER CHECK (budget_total_nanos >= 0);
ALTER TABLE keys ADD COLUMN budget_day_nanos INTEGER CHECK (budget_day_nanos >= 0);
ALTER TABLE keys ADD COLUMN budget_week_nanos INTEGER CHECK (budget_week_nanos >= 0);
ALTER TABLE keys ADD COLUMN budget_month_nanos INTEGER CHECK (budget_month_nanos >= 0);
ALTER TABLE keys ADD COLUMN held_nanos INTEGER NOT NULL DEFAULT 0 CHECK (held_nanos >= 0);

-- Spend limits: the same for an account, whatever its keys and the accounts below it.
ALTER TABLE accounts ADD COLUMN spend_limit_total_nanos INTEGER CHECK (spend_limit_total_nanos >= 0);
ALTER TABLE accounts ADD COLUMN spend_limit_day_nanos INTEGER CHECK (spend_limit_day_nanos >= 0);
ALTER TABLE accounts ADD COLUMN spend_limit_week_nanos INTEGER CHECK (spend_limit_week_nanos >= 0);
ALTER TABLE accounts ADD COLUMN spend_limit_month_nanos INTEGER CHECK (spend_limit_month_nanos >= 0);
-- As in `keys`: charges of the UTC day, week and month that the number names.
ALTER TABLE accounts ADD COLUMN charged_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN charged_day_nanos INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN charged_week INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN charged_week_nanos INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN charged_month INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN charged_month_nanos INTEGER NOT NULL DEFAULT 0;

-- Output tokens that the Worker had counted when it last wrote: what a crash charges at least.
ALTER TABLE requests ADD COLUMN progress_tokens INTEGER NOT NULL DEFAULT 0;
-- What the provider says it bills the operator; `cost_nanos` is what our cost table says.
ALTER TABLE requests ADD COLUMN reported_cost_nanos INTEGER;
-- When the provider's own record corrected the usage of a call that was settled by an estimate. The
-- difference in money is in the ledger; `levels` keeps what was charged at settlement.
ALTER TABLE requests ADD COLUMN trued_up_at_ms INTEGER;

DROP TRIGGER requests_resolve_once;

CREATE TRIGGER requests_resolve_once BEFORE UPDATE ON requests
WHEN OLD.state <> 'held' AND (OLD.trued_up_at_ms IS NOT NULL OR NEW.trued_up_at_ms IS NULL
  OR NEW.id <> OLD.id OR NEW.account_id <> OLD.account_id OR NEW.key_id <> OLD.key_id
  OR NEW.state <> OLD.state OR NEW.levels <> OLD.levels)
BEGIN
  SELECT RAISE(ABORT, 'a resolved request only takes the usage of its true-up, once');
END;

-- The first call of an account with an `Idempotency-Key`. Kept for 24 hours.
CREATE TABLE idempotency_keys (
  account_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  -- SHA-256 of the body: the same key with another body is refused.
  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
  request_id INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, idempotency_key)
) STRICT;

-- Calls that were settled by an estimate and whose provider record is still to be asked for.
CREATE TABLE true_ups (
  request_id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  due_at_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What an account's people must know, one row for each kind; it stays until they say that they saw it.
CREATE TABLE alarms (
  account_id TEXT NOT NULL REFERENCES accounts (id),
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  times INTEGER NOT NULL CHECK (times >= 1),
  first_at_ms INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, kind)
) STRICT;

-- Usage by the UTC day of the call, charged account, key and model, made from `requests` after the
-- fact. `base_nanos` is what the account's parent was charged, its true-ups included, or at the top what
-- the provider bills, so that `charge_nanos + true_up_nanos - base_nanos` is the parent's margin.
CREATE TABLE usage_days (
  account_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  model TEXT NOT NULL,
  -- The account whose key it is.
  caller_id TEXT NOT NULL,
  settled INTEGER NOT NULL,
  voided INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  charge_nanos INTEGER NOT NULL,
  base_nanos INTEGER NOT NULL,
  -- What true-ups took (above zero) or gave back.
  true_up_nanos INTEGER NOT NULL,
  PRIMARY KEY (account_id, day, key_id, model)
) STRICT;

-- One row. Requests below `rolled_to_id` are all resolved and counted in `usage_days`; those below
-- `pruned_to_id` are gone. The books were last reconciled on the UTC day `reconciled_day`.
CREATE TABLE usage_marks (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  rolled_to_id INTEGER NOT NULL,
  pruned_to_id INTEGER NOT NULL CHECK (pruned_to_id <= rolled_to_id),
  reconciled_day INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO usage_marks (id, rolled_to_id, pruned_to_id) VALUES (1, 0, 0);

CREATE TRIGGER requests_end_before_they_go BEFORE DELETE ON requests
WHEN OLD.state = 'held' OR OLD.id >= (SELECT rolled_to_id FROM usage_marks WHERE id = 1)
BEGIN
  SELECT RAISE(ABORT, 'only requests that are counted in usage_days may go');
END;
