-- The spine: accounts and their tree, keys, prices, requests, ledger, audit.
--
-- Amounts are integers in 1e-9 USD (`_nanos`), times are Unix milliseconds (`_ms`).
-- A call writes each of its rows once at admission and once at settlement, so nothing that changes
-- with a call is indexed: an index entry is a written row, too.

-- A step that must abort its transaction inserts a 0 here (see `core/src/hrana.rs`). Always empty.
CREATE TABLE guard (
  ok INTEGER NOT NULL CHECK (ok = 1)
) STRICT;

-- Every account has a parent; the operator is the root, owns the prices of its children and is
-- itself charged by nobody.
CREATE TABLE accounts (
  id TEXT PRIMARY KEY NOT NULL,
  parent_id TEXT REFERENCES accounts (id),
  kind TEXT NOT NULL CHECK (kind IN ('operator', 'reseller', 'customer')),
  -- The levels that one call charges, from this account up to the child of the root: a JSON array
  -- of account ids. Empty for the operator.
  chain TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  balance_nanos INTEGER NOT NULL DEFAULT 0,
  held_nanos INTEGER NOT NULL DEFAULT 0,
  debt_nanos INTEGER NOT NULL DEFAULT 0 CHECK (debt_nanos >= 0),
  charged_nanos INTEGER NOT NULL DEFAULT 0 CHECK (charged_nanos >= 0),
  -- Counts changes to the price rules that this account sets for its children.
  rules_version INTEGER NOT NULL DEFAULT 0,
  -- Defaults for keys that set no limit of their own; NULL is no limit.
  requests_per_minute INTEGER CHECK (requests_per_minute >= 0),
  requests_per_hour INTEGER CHECK (requests_per_hour >= 0),
  requests_per_day INTEGER CHECK (requests_per_day >= 0),
  tokens_per_minute INTEGER CHECK (tokens_per_minute >= 0),
  parallel_calls INTEGER CHECK (parallel_calls >= 0),
  max_tokens INTEGER CHECK (max_tokens >= 1),
  default_max_tokens INTEGER CHECK (default_max_tokens >= 1),
  allowed_models TEXT,
  created_at_ms INTEGER NOT NULL,
  CHECK (0 <= held_nanos AND held_nanos <= balance_nanos),
  CHECK ((kind = 'operator') = (parent_id IS NULL))
) STRICT;

CREATE INDEX accounts_by_parent ON accounts (parent_id, id);
CREATE UNIQUE INDEX accounts_one_root ON accounts (kind) WHERE kind = 'operator';

-- The chain is derived from the parent and never edited by hand.
CREATE TRIGGER accounts_chain_follows_parent BEFORE INSERT ON accounts
WHEN NEW.chain IS NOT CASE
    WHEN NEW.parent_id IS NULL THEN '[]'
    ELSE (SELECT CASE p.chain WHEN '[]' THEN '["' || NEW.id || '"]'
                 ELSE '["' || NEW.id || '",' || substr(p.chain, 2) END
            FROM accounts p WHERE p.id = NEW.parent_id AND p.kind <> 'customer')
  END
BEGIN
  SELECT RAISE(ABORT, 'the chain of an account is its id before the chain of its parent');
END;

CREATE TRIGGER accounts_stay_in_place BEFORE UPDATE OF id, parent_id, chain, kind ON accounts
BEGIN
  SELECT RAISE(ABORT, 'an account keeps its id, kind and place in the tree');
END;

CREATE TABLE keys (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  -- SHA-256 of the key; the key itself is never stored.
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  -- What people see to tell keys apart, such as `tg_live_aB3d`.
  prefix TEXT NOT NULL,
  name TEXT NOT NULL,
  revoked_at_ms INTEGER,
  expires_at_ms INTEGER,
  -- Counts changes to everything above and to the limits below, the account's defaults included:
  -- a call that was priced with older settings is priced again.
  version INTEGER NOT NULL DEFAULT 1,
  -- NULL takes the account's default.
  requests_per_minute INTEGER CHECK (requests_per_minute >= 0),
  requests_per_hour INTEGER CHECK (requests_per_hour >= 0),
  requests_per_day INTEGER CHECK (requests_per_day >= 0),
  tokens_per_minute INTEGER CHECK (tokens_per_minute >= 0),
  parallel_calls INTEGER CHECK (parallel_calls >= 0),
  max_tokens INTEGER CHECK (max_tokens >= 1),
  default_max_tokens INTEGER CHECK (default_max_tokens >= 1),
  allowed_models TEXT,
  -- Sliding windows: JSON objects from bucket number to count (see `core/src/limits.rs`).
  minute_requests TEXT NOT NULL DEFAULT '{}',
  hour_requests TEXT NOT NULL DEFAULT '{}',
  day_requests TEXT NOT NULL DEFAULT '{}',
  minute_tokens TEXT NOT NULL DEFAULT '{}',
  open_holds INTEGER NOT NULL DEFAULT 0 CHECK (open_holds >= 0),
  charged_nanos INTEGER NOT NULL DEFAULT 0 CHECK (charged_nanos >= 0),
  -- Charges of the UTC day, week (from Monday) and month that the number names, counted since 1970.
  charged_day INTEGER NOT NULL DEFAULT 0,
  charged_day_nanos INTEGER NOT NULL DEFAULT 0,
  charged_week INTEGER NOT NULL DEFAULT 0,
  charged_week_nanos INTEGER NOT NULL DEFAULT 0,
  charged_month INTEGER NOT NULL DEFAULT 0,
  charged_month_nanos INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX keys_by_hash ON keys (hash);
CREATE INDEX keys_by_account ON keys (account_id, id);

-- One row: counts changes to models and costs.
CREATE TABLE catalogue (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
) STRICT;

INSERT INTO catalogue (id, version) VALUES (1, 1);

CREATE TABLE models (
  slug TEXT PRIMARY KEY NOT NULL,
  provider TEXT NOT NULL CHECK (provider IN ('openrouter')),
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  name TEXT NOT NULL,
  context_length INTEGER,
  max_completion_tokens INTEGER,
  -- NULL: images are refused.
  max_image_tokens INTEGER,
  hidden_reasoning INTEGER NOT NULL CHECK (hidden_reasoning IN (0, 1)),
  free INTEGER NOT NULL CHECK (free IN (0, 1)),
  -- The public model object as JSON, without prices.
  details TEXT NOT NULL,
  imported_at_ms INTEGER NOT NULL
) STRICT;

-- What the provider bills, from `effective_from_ms` until the next row of the model.
CREATE TABLE costs (
  id INTEGER PRIMARY KEY,
  model TEXT NOT NULL REFERENCES models (slug),
  effective_from_ms INTEGER NOT NULL,
  -- `catalogue::Cost` as JSON, unit prices in 1e-12 USD.
  prices TEXT NOT NULL,
  source TEXT NOT NULL,
  recorded_at_ms INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX costs_by_model ON costs (model, effective_from_ms);

-- What an account charges its children: the first rule that matches wins.
CREATE TABLE price_rules (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  pattern TEXT NOT NULL,
  markup_bps INTEGER NOT NULL CHECK (markup_bps BETWEEN 0 AND 10000000),
  min_charge_nanos INTEGER NOT NULL CHECK (min_charge_nanos >= 0),
  priority INTEGER NOT NULL,
  starts_at_ms INTEGER NOT NULL,
  ends_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX price_rules_by_account ON price_rules (account_id);

-- The request row is the hold, and later the usage log. The id starts with the time, so that a
-- range of ids is a range of time and the table needs no index.
CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  -- Tells a retry of the same request from another one that drew the same id.
  nonce INTEGER NOT NULL,
  account_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('held', 'settled', 'voided')),
  -- One object a level, from the caller up: `{"account","rule","hold"}`, with `"charge"` once
  -- resolved; amounts in nanos.
  levels TEXT NOT NULL,
  lease_until_ms INTEGER NOT NULL,
  model TEXT NOT NULL,
  provider TEXT NOT NULL,
  -- The provider's own id of the call, for its record of what it billed.
  provider_id TEXT,
  cost_id INTEGER NOT NULL,
  streamed INTEGER NOT NULL CHECK (streamed IN (0, 1)),
  max_tokens INTEGER NOT NULL,
  prompt_estimate INTEGER NOT NULL,
  reserved_tokens INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- How the hold was resolved (`settlement::Outcome`); NULL while held.
  outcome TEXT CHECK (outcome IN ('exact', 'at_least', 'not_sent', 'unknown')),
  prompt_tokens INTEGER,
  cached_tokens INTEGER,
  cache_write_tokens INTEGER,
  completion_tokens INTEGER,
  reasoning_tokens INTEGER,
  -- What the provider bills by our cost table, and what of the price the hold did not cover.
  cost_nanos INTEGER,
  shortfall_nanos INTEGER,
  status INTEGER,
  error_code TEXT,
  finish_reason TEXT,
  first_byte_ms INTEGER,
  total_ms INTEGER,
  resolved_at_ms INTEGER,
  CHECK ((state = 'held') = (outcome IS NULL))
) STRICT;

CREATE TRIGGER requests_resolve_once BEFORE UPDATE ON requests
WHEN OLD.state <> 'held'
BEGIN
  SELECT RAISE(ABORT, 'a resolved request never changes');
END;

-- One row: the sweep looks for open holds from this id on.
CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  from_request_id INTEGER NOT NULL
) STRICT;

INSERT INTO sweeps (id, from_request_id) VALUES (1, 0);

-- Everything that moves credit and is not usage. Append-only.
CREATE TABLE ledger_entries (
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  kind TEXT NOT NULL CHECK (kind IN
    ('purchase', 'refund', 'dispute', 'grant', 'adjustment', 'transfer', 'true_up')),
  amount_nanos INTEGER NOT NULL CHECK (amount_nanos <> 0),
  -- The business event, such as `grant:grt_…`: the same event enters once.
  reference TEXT NOT NULL UNIQUE,
  reason TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX ledger_entries_by_account ON ledger_entries (account_id, id);

CREATE TRIGGER ledger_entries_never_change BEFORE UPDATE ON ledger_entries
BEGIN
  SELECT RAISE(ABORT, 'ledger entries are append-only');
END;

CREATE TRIGGER ledger_entries_never_vanish BEFORE DELETE ON ledger_entries
BEGIN
  SELECT RAISE(ABORT, 'ledger entries are append-only');
END;

-- Every change that a person makes, with before and after as JSON. Append-only.
CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_log_by_account ON audit_log (account_id, id);

CREATE TRIGGER audit_log_never_changes BEFORE UPDATE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_log_never_vanishes BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
