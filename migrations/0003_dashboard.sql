-- The dashboard: people and how they sign in, brands and domains, payments, provider accounts.
--
-- Secrets are never stored as they are: sessions, codes and links by their SHA-256, credentials
-- encrypted under a key that only the Workers have.

-- The request log of an account, which people page through. The one index on `requests`: it costs a
-- written row a call, and nothing in it changes with the call.
CREATE INDEX requests_by_account ON requests (account_id, id);

-- The customers of a seller, which people page through and search. Nothing in them changes with a call.
CREATE INDEX accounts_by_name ON accounts (parent_id, name COLLATE NOCASE, id);
CREATE INDEX accounts_by_age ON accounts (parent_id, created_at_ms, id);

-- Who changed a rule, a customer or a model.
CREATE INDEX audit_log_by_subject ON audit_log (subject, id);

-- When the last call of a key was admitted; the row is written then in any case.
ALTER TABLE keys ADD COLUMN last_used_at_ms INTEGER;

-- Who signs in. The same e-mail address at two sellers is two people.
CREATE TABLE people (
  id TEXT PRIMARY KEY NOT NULL,
  -- At whose pages the person signs in: the parent of `account_id`, or the operator for its own.
  seller_id TEXT NOT NULL REFERENCES accounts (id),
  account_id TEXT NOT NULL REFERENCES accounts (id),
  email TEXT NOT NULL CHECK (email = lower(email)),
  name TEXT NOT NULL DEFAULT '',
  github_id INTEGER,
  -- Both decide only how pages look: an IANA name, and a language tag.
  time_zone TEXT NOT NULL DEFAULT 'UTC',
  language TEXT NOT NULL DEFAULT 'en',
  -- The secret of the second factor, encrypted, and under which of the Worker's sealing keys; NULL
  -- until it is set up. A step is used once.
  totp_sealed BLOB,
  totp_sealing_key TEXT,
  totp_step INTEGER NOT NULL DEFAULT 0,
  -- How often a code of it was tried on the UTC day that the number names, counted since 1970.
  totp_day INTEGER NOT NULL DEFAULT 0,
  totp_tries INTEGER NOT NULL DEFAULT 0 CHECK (totp_tries BETWEEN 0 AND 20),
  closed_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL,
  CHECK ((totp_sealed IS NULL) = (totp_sealing_key IS NULL))
) STRICT;

CREATE UNIQUE INDEX people_by_email ON people (seller_id, email);
CREATE UNIQUE INDEX people_by_github ON people (seller_id, github_id) WHERE github_id IS NOT NULL;
CREATE INDEX people_by_account ON people (account_id);

-- At whose pages a person signs in is derived from the account.
CREATE TRIGGER people_sign_in_at_their_seller BEFORE INSERT ON people
WHEN NEW.seller_id IS NOT (SELECT coalesce(a.parent_id, a.id) FROM accounts a WHERE a.id = NEW.account_id)
BEGIN
  SELECT RAISE(ABORT, 'people sign in at the account above their own');
END;

CREATE TRIGGER people_stay_in_place BEFORE UPDATE OF id, seller_id, account_id ON people
BEGIN
  SELECT RAISE(ABORT, 'a person keeps its id, account and seller');
END;

-- One attempt to sign in by e-mail. The code is bound to the browser that asked for it.
CREATE TABLE sign_in_codes (
  -- SHA-256 of the token in the browser's cookie.
  browser_hash BLOB PRIMARY KEY NOT NULL CHECK (length(browser_hash) = 32),
  seller_id TEXT NOT NULL REFERENCES accounts (id),
  email TEXT NOT NULL,
  -- Where the request came from: an IPv4 address or an IPv6 /64, hashed.
  network_hash BLOB NOT NULL,
  -- SHA-256 of the token and the code.
  code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
  -- Whether it was sent: not when the address was asked for too often, which nobody is told.
  sent INTEGER NOT NULL CHECK (sent IN (0, 1)),
  next TEXT NOT NULL,
  -- When the right code was given.
  ended_at_ms INTEGER,
  expires_at_ms INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_in_codes_by_email ON sign_in_codes (seller_id, email, created_at_ms);
CREATE INDEX sign_in_codes_by_network ON sign_in_codes (network_hash, created_at_ms);

-- One-time links, made on the command line by whoever can write to the database.
CREATE TABLE sign_in_links (
  hash BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
  person_id TEXT NOT NULL REFERENCES people (id),
  -- Whether it also counts as the second factor: only a demo on one machine makes such links.
  second_factor INTEGER NOT NULL DEFAULT 0 CHECK (second_factor IN (0, 1)),
  used_at_ms INTEGER,
  expires_at_ms INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

-- A sign-in that is at GitHub now.
CREATE TABLE oauth_states (
  -- SHA-256 of the state, which the browser's cookie holds, too.
  hash BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
  seller_id TEXT NOT NULL REFERENCES accounts (id),
  -- As in `sign_in_codes`.
  network_hash BLOB NOT NULL,
  -- The PKCE verifier.
  verifier TEXT NOT NULL,
  next TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX oauth_states_by_network ON oauth_states (network_hash, expires_at_ms);

CREATE TABLE sessions (
  -- SHA-256 of the token in the browser's cookie.
  hash BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
  person_id TEXT NOT NULL REFERENCES people (id),
  seller_id TEXT NOT NULL,
  -- What the person sees to tell sessions apart.
  agent TEXT NOT NULL,
  -- When the second factor was given in this session; NULL: not yet.
  second_factor_at_ms INTEGER,
  expires_at_ms INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_person ON sessions (person_id);

-- Which host shows whose brand. A host counts once the operator verified it.
CREATE TABLE domains (
  host TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  -- Scheme, host and port of every link that is made for it.
  origin TEXT NOT NULL,
  verified_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX domains_by_account ON domains (account_id);

CREATE TABLE brands (
  account_id TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id),
  name TEXT NOT NULL,
  -- `#rrggbb`.
  color TEXT NOT NULL,
  support_url TEXT,
  logo BLOB CHECK (length(logo) <= 102400),
  logo_type TEXT CHECK (logo_type IN ('image/png', 'image/jpeg', 'image/webp')),
  updated_at_ms INTEGER NOT NULL,
  CHECK ((logo IS NULL) = (logo_type IS NULL))
) STRICT;

-- What a seller sells: credit for a price. A pack never changes; it ends. The credit is a whole
-- number of nanos for each cent, so that any part of the price can be given back exactly.
CREATE TABLE packs (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  price_cents INTEGER NOT NULL CHECK (price_cents > 0),
  credit_nanos INTEGER NOT NULL CHECK (credit_nanos > 0 AND credit_nanos % price_cents = 0),
  ends_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX packs_by_account ON packs (account_id);

-- An account as a customer at Stripe, and its saved card.
CREATE TABLE stripe_customers (
  account_id TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id),
  stripe_id TEXT NOT NULL UNIQUE,
  payment_method_id TEXT,
  -- Such as `visa 4242`.
  card TEXT,
  card_fingerprint TEXT,
  created_at_ms INTEGER NOT NULL
) STRICT;

-- One purchase. What is granted, and what the reseller gets, is decided here when it is made, and
-- never by what Stripe sends. Both are whole numbers of nanos for each cent of the price.
CREATE TABLE orders (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  -- The account above it.
  seller_id TEXT NOT NULL REFERENCES accounts (id),
  kind TEXT NOT NULL CHECK (kind IN ('checkout', 'auto_top_up')),
  -- Which of the account's automatic top-ups, counted from 1: names the payment at Stripe.
  attempt INTEGER,
  -- Who ordered it; NULL for an automatic top-up.
  person_id TEXT REFERENCES people (id),
  pack_id TEXT REFERENCES packs (id),
  -- What is paid, taxes included.
  price_cents INTEGER NOT NULL CHECK (price_cents > 0),
  currency TEXT NOT NULL CHECK (currency = 'usd'),
  credit_nanos INTEGER NOT NULL CHECK (credit_nanos > 0 AND credit_nanos % price_cents = 0),
  -- What the reseller above earns: the receipts less the fees. NULL when the operator sells.
  proceeds_nanos INTEGER CHECK (proceeds_nanos > 0 AND proceeds_nanos % price_cents = 0),
  state TEXT NOT NULL CHECK (state IN ('new', 'open', 'pending', 'paid', 'failed', 'expired', 'refused')),
  -- The session of a checkout, the payment of an automatic top-up; NULL until Stripe answered.
  session_id TEXT UNIQUE,
  checkout_url TEXT,
  -- Whether the card is saved for automatic top-up.
  saves_card INTEGER NOT NULL DEFAULT 0 CHECK (saves_card IN (0, 1)),
  -- Known once it is paid.
  payment_intent_id TEXT UNIQUE,
  card_fingerprint TEXT,
  receipt_url TEXT,
  invoice_url TEXT,
  -- Why it failed or was refused, in a word.
  failure TEXT,
  -- What refunds took that did not fail.
  refunded_cents INTEGER NOT NULL DEFAULT 0 CHECK (refunded_cents BETWEEN 0 AND price_cents),
  livemode INTEGER NOT NULL CHECK (livemode IN (0, 1)),
  paid_at_ms INTEGER,
  expires_at_ms INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  CHECK ((kind = 'auto_top_up') = (attempt IS NOT NULL)),
  CHECK (state NOT IN ('paid', 'refused') OR payment_intent_id IS NOT NULL)
) STRICT;

CREATE INDEX orders_by_account ON orders (account_id, created_at_ms, id);
CREATE UNIQUE INDEX orders_by_attempt ON orders (account_id, attempt) WHERE attempt IS NOT NULL;
CREATE INDEX orders_by_fingerprint ON orders (card_fingerprint, paid_at_ms) WHERE card_fingerprint IS NOT NULL;
CREATE INDEX orders_unfinished ON orders (created_at_ms) WHERE state IN ('new', 'open', 'pending');

-- Money that goes back. A refund that a person asks for has a row before Stripe knows of it. The
-- credit is taken when the row is made, and given back when the refund fails.
CREATE TABLE refunds (
  id TEXT PRIMARY KEY NOT NULL,
  order_id TEXT NOT NULL REFERENCES orders (id),
  account_id TEXT NOT NULL REFERENCES accounts (id),
  -- Stripe's own id; NULL until it answered.
  stripe_id TEXT UNIQUE,
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  -- Nothing for an order that was refused.
  credit_nanos INTEGER NOT NULL CHECK (credit_nanos >= 0),
  proceeds_nanos INTEGER CHECK (proceeds_nanos > 0),
  state TEXT NOT NULL CHECK (state IN ('asked', 'pending', 'succeeded', 'failed')),
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX refunds_by_account ON refunds (account_id, created_at_ms, id);
CREATE INDEX refunds_asked ON refunds (created_at_ms) WHERE state = 'asked';

CREATE TABLE disputes (
  -- Stripe's own id.
  id TEXT PRIMARY KEY NOT NULL,
  order_id TEXT NOT NULL REFERENCES orders (id),
  account_id TEXT NOT NULL REFERENCES accounts (id),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  credit_nanos INTEGER NOT NULL CHECK (credit_nanos >= 0),
  proceeds_nanos INTEGER CHECK (proceeds_nanos > 0),
  reason TEXT NOT NULL,
  -- `won` is also one that ended before it became serious.
  state TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')),
  -- What was heard of it so far, in whatever order: that it is more than a question of the bank's,
  -- that the bank took the money, that it came back.
  serious INTEGER NOT NULL CHECK (serious IN (0, 1)),
  withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
  returned INTEGER NOT NULL CHECK (returned IN (0, 1)),
  -- Whether the account is suspended because of it.
  froze INTEGER NOT NULL DEFAULT 0 CHECK (froze IN (0, 1)),
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX disputes_by_order ON disputes (order_id);
CREATE INDEX disputes_by_account ON disputes (account_id);

-- Events that Stripe sent, so that each counts once. One that came before its order was paid waits.
CREATE TABLE stripe_events (
  id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,
  -- The payment that a waiting event is about; NULL once it was applied or left aside.
  waits_for TEXT,
  -- What of the event will be applied, as JSON; empty once it was.
  body TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  received_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX stripe_events_waiting ON stripe_events (waits_for) WHERE waits_for IS NOT NULL;

-- Buys credit by itself when the free balance falls below the threshold.
CREATE TABLE auto_top_ups (
  account_id TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  threshold_nanos INTEGER NOT NULL CHECK (threshold_nanos >= 0),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  -- The most of a UTC month.
  month_limit_cents INTEGER NOT NULL CHECK (month_limit_cents >= amount_cents),
  -- How many were tried: names the next one.
  attempts INTEGER NOT NULL DEFAULT 0,
  -- Why it was switched off, in a word; NULL when a person did.
  stopped_by TEXT,
  updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX auto_top_ups_enabled ON auto_top_ups (account_id) WHERE enabled = 1;

-- The operator's own credentials at providers, encrypted. `sealed` is nonce, ciphertext and tag.
CREATE TABLE provider_accounts (
  id TEXT PRIMARY KEY NOT NULL,
  provider TEXT NOT NULL CHECK (provider IN ('openrouter')),
  name TEXT NOT NULL,
  sealed BLOB NOT NULL,
  -- Which of the Worker's sealing keys it is encrypted under.
  sealing_key TEXT NOT NULL,
  -- The last four characters, for people to tell credentials apart.
  hint TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  tested_at_ms INTEGER,
  test_result TEXT,
  created_at_ms INTEGER NOT NULL
) STRICT;

-- Through which of them a call went; NULL: the credential in the gateway's settings. A call's record is
-- told only to the account that made it.
ALTER TABLE requests ADD COLUMN provider_account_id TEXT;

-- The kill switch of a provider: no row, or `enabled`, is on.
CREATE TABLE providers (
  name TEXT PRIMARY KEY NOT NULL CHECK (name IN ('openrouter')),
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT;

INSERT INTO providers (name, enabled) VALUES ('openrouter', 1);

-- Models that the operator refuses to sell, whatever an import brings.
CREATE TABLE refused_models (
  pattern TEXT PRIMARY KEY NOT NULL,
  reason TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
