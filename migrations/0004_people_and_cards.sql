-- People who come back, codes that nobody else can use up, cards that are saved without a purchase.

-- Whether the account was suspended when it was closed: its address then signs up no more.
ALTER TABLE people ADD COLUMN barred INTEGER NOT NULL DEFAULT 0 CHECK (barred IN (0, 1));

-- Who closed an account may come back as somebody else.
DROP INDEX people_by_email;
DROP INDEX people_by_github;
CREATE INDEX people_by_email ON people (seller_id, email);
CREATE UNIQUE INDEX people_once_by_email ON people (seller_id, email) WHERE closed_at_ms IS NULL;
CREATE UNIQUE INDEX people_once_by_github ON people (seller_id, github_id)
  WHERE github_id IS NOT NULL AND closed_at_ms IS NULL;

-- The address without what follows a plus: what the limits count. Codes hold for minutes, so those that
-- are there count for themselves.
ALTER TABLE sign_in_codes ADD COLUMN mailbox TEXT NOT NULL DEFAULT '';
UPDATE sign_in_codes SET mailbox = email;
-- Whether it is of the share of a browser in which its owner signed in before.
ALTER TABLE sign_in_codes ADD COLUMN known INTEGER NOT NULL DEFAULT 0 CHECK (known IN (0, 1));

DROP INDEX sign_in_codes_by_email;
CREATE INDEX sign_in_codes_by_mailbox ON sign_in_codes (seller_id, mailbox, created_at_ms) WHERE sent = 1;

-- The month with which the saved card ends, such as `12/2034`; NULL where it was saved before this was kept.
ALTER TABLE stripe_customers ADD COLUMN card_expires TEXT;
-- When the page was made on which the card was saved: of several, the card of the latest page stays, in
-- whatever order they are heard of.
ALTER TABLE stripe_customers ADD COLUMN card_from_ms INTEGER NOT NULL DEFAULT 0;

-- The card of an automatic top-up: what is asked of Stripe again must be the same.
ALTER TABLE orders ADD COLUMN payment_method_id TEXT;
UPDATE orders SET payment_method_id = coalesce(
  (SELECT c.payment_method_id FROM stripe_customers c WHERE c.account_id = orders.account_id), 'unknown')
WHERE kind = 'auto_top_up';

CREATE TRIGGER orders_of_top_ups_name_their_card BEFORE INSERT ON orders
WHEN (NEW.kind = 'auto_top_up') <> (NEW.payment_method_id IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'an automatic top-up names its card, and only that');
END;

-- Whether a payment switched it off and the account's people have no mail of that yet.
ALTER TABLE auto_top_ups ADD COLUMN untold INTEGER NOT NULL DEFAULT 0 CHECK (untold IN (0, 1));
CREATE INDEX auto_top_ups_untold ON auto_top_ups (updated_at_ms) WHERE untold = 1;
