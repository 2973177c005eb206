//! Alarms: what an account's people must know and nobody is there to be told. Raised by the gateway
//! and by tasks, read and acknowledged by people. A flood writes one row a minute at most.

use crate::accounts::Commit;
use crate::admission::{Refusal, Snapshot};
use crate::audit::{Change, Entry};
use crate::hrana::{Batch, Condition, HranaFault, Row, Statement};
use crate::ids::AccountId;

/// How long an alarm of one kind and account keeps quiet after it was written, in milliseconds.
const QUIET_MS: i64 = 60_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmKind {
    /// A customer's call was refused because this account above it has too little free credit.
    WalletDry,
    /// A customer's call was refused because this account above it has reached a spend limit.
    SpendLimit,
    /// A call cost more than could be charged: the operator's loss.
    Shortfall,
    /// A balance is not what its entries and calls add up to, or a bill not what it should be.
    Drift,
    /// A hold stays open because it cannot be read or resolved.
    HoldStuck,
    /// The provider never had a record of a call that was settled by an estimate.
    TrueUpLost,
    /// The provider refuses the operator's credential or has no credit of the operator's left.
    ProviderRefuses,
    /// Money came in that does not match an order, so that no credit was given for it.
    PaymentUnmatched,
    /// A payment was over what one card may pay in a day: it is given back.
    CardOverCap,
    /// A payer told the bank that a payment was not right.
    Disputed,
    /// Money could not be sent back.
    RefundFailed,
    /// Automatic top-up was switched off, because the saved card was not charged.
    TopUpStopped,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::WalletDry,
        Self::SpendLimit,
        Self::Shortfall,
        Self::Drift,
        Self::HoldStuck,
        Self::TrueUpLost,
        Self::ProviderRefuses,
        Self::PaymentUnmatched,
        Self::CardOverCap,
        Self::Disputed,
        Self::RefundFailed,
        Self::TopUpStopped,
    ];

    /// The word that the database keeps and people type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WalletDry => "wallet_dry",
            Self::SpendLimit => "spend_limit",
            Self::Shortfall => "shortfall",
            Self::Drift => "drift",
            Self::HoldStuck => "hold_stuck",
            Self::TrueUpLost => "true_up_lost",
            Self::ProviderRefuses => "provider_refuses",
            Self::PaymentUnmatched => "payment_unmatched",
            Self::CardOverCap => "card_over_cap",
            Self::Disputed => "disputed",
            Self::RefundFailed => "refund_failed",
            Self::TopUpStopped => "top_up_stopped",
        }
    }

    /// The kind that the word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that an account's people must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Whose people; `None`: the operator's.
    pub account: Option<AccountId>,
    /// What happened.
    pub kind: AlarmKind,
    /// One line about the last time, without anything of another account's.
    pub detail: String,
}

/// An alarm that nobody has acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedAlarm {
    /// Whose people it concerns.
    pub account: AccountId,
    /// What that account is called.
    pub account_name: String,
    /// What happened.
    pub kind: AlarmKind,
    /// One line about the last time.
    pub detail: String,
    /// How often it was written: at most once a minute.
    pub times: i64,
    /// When it was first written, in Unix milliseconds.
    pub first_at_ms: i64,
    /// When it was last written, in Unix milliseconds.
    pub last_at_ms: i64,
}

// An error where the alarm is quiet, so that a flood never waits for the write lock.
const IS_LOUD: &str = "\
SELECT abs(CASE WHEN EXISTS (SELECT 1 FROM alarms m JOIN accounts a ON a.id = m.account_id
    WHERE (a.id = ?1 OR (?1 IS NULL AND a.kind = 'operator')) AND m.kind = ?2
      AND m.last_at_ms > ?3)
  THEN -9223372036854775807 - 1 ELSE 1 END)";

const RAISE: &str = "\
INSERT INTO alarms (account_id, kind, detail, times, first_at_ms, last_at_ms)
SELECT a.id, ?2, ?4, 1, ?5, ?5 FROM accounts a
WHERE a.id = ?1 OR (?1 IS NULL AND a.kind = 'operator')
ON CONFLICT (account_id, kind) DO UPDATE SET detail = excluded.detail, times = times + 1,
  last_at_ms = excluded.last_at_ms
WHERE last_at_ms <= ?3";

const LIST: &str = "\
SELECT m.account_id, a.name, m.kind, m.detail, m.times, m.first_at_ms, m.last_at_ms
FROM alarms m JOIN accounts a ON a.id = m.account_id
WHERE ?1 IS NULL OR m.account_id = ?1 ORDER BY m.last_at_ms DESC, m.account_id, m.kind";

impl Alarm {
    /// An alarm for the operator.
    #[must_use]
    pub fn for_operator(kind: AlarmKind, detail: impl Into<String>) -> Self {
        Self {
            account: None,
            kind,
            detail: detail.into(),
        }
    }

    /// The batch that writes the alarm, unless one of its kind and account was written less than a
    /// minute before `now_ms`.
    #[must_use]
    pub fn to_batch(&self, now_ms: i64) -> Batch {
        let mut batch = Batch::new();
        let loud = batch.step(None, self.named(IS_LOUD, now_ms));
        batch.step(Some(Condition::ok(loud)), self.raise(now_ms));
        batch
    }

    /// Writes the alarm in a transaction that is open anyway; nothing if one was just written.
    pub(crate) fn raise(&self, now_ms: i64) -> Statement {
        let raise = self.named(RAISE, now_ms);
        raise.bind(self.detail.as_str()).bind(now_ms)
    }

    fn named(&self, sql: &'static str, now_ms: i64) -> Statement {
        Statement::new(sql)
            .bind(self.account.as_ref().map(AccountId::as_str))
            .bind(self.kind.as_str())
            .bind(now_ms.saturating_sub(QUIET_MS))
    }
}

/// The alarm of a call that was refused, or got no more credit while it streamed, because an account
/// above the caller's cannot pay: for that account's people. `None` where the reason is another.
#[must_use]
pub fn alarm_of_refusal(refusal: &Refusal, snapshot: &Snapshot, now_ms: i64) -> Option<Alarm> {
    let Refusal::ResellerUnavailable { dry: Some(dry) } = refusal else {
        return None;
    };
    let level = snapshot.levels.iter().find(|level| level.account == *dry)?;
    let free = level.free();
    let left = level.purse.left(now_ms).filter(|left| *left < free);
    let (kind, why) = match left {
        Some(left) => (
            AlarmKind::SpendLimit,
            format!("its spend limit leaves {left}"),
        ),
        None => (
            AlarmKind::WalletDry,
            format!("{free} of its balance of {} is free", level.balance),
        ),
    };
    Some(Alarm {
        account: Some(dry.clone()),
        kind,
        detail: format!("a call below this account could not be paid for: {why}"),
    })
}

/// Reads the alarms of one account, or of all of them, the latest first.
#[must_use]
pub fn alarms_statement(account: Option<&AccountId>) -> Statement {
    Statement::new(LIST).bind(account.map(AccountId::as_str))
}

/// Reads a row of `alarms_statement`.
pub fn read_alarm(row: &Row) -> Result<RaisedAlarm, HranaFault> {
    let account = row.get::<String>(0)?;
    let kind = row.get::<String>(2)?;
    Ok(RaisedAlarm {
        account: AccountId::parse(&account).ok_or(HranaFault::UnexpectedColumn(0))?,
        account_name: row.get(1)?,
        kind: AlarmKind::parse(&kind).ok_or(HranaFault::UnexpectedColumn(2))?,
        detail: row.get(3)?,
        times: row.get(4)?,
        first_at_ms: row.get(5)?,
        last_at_ms: row.get(6)?,
    })
}

/// Acknowledges an alarm as it was read: it goes, unless it was written again since.
#[must_use]
pub fn acknowledge(alarm: &RaisedAlarm, change: &Change) -> Commit {
    let entry = change.of(Entry {
        action: "alarm.seen",
        table: "accounts",
        subject: alarm.account.as_str(),
        before: "(SELECT json_object('times', m.times, 'detail', m.detail) FROM alarms m \
                 WHERE m.account_id = r.id AND m.kind = ?5 ->> 'kind')",
        after: serde_json::json!({ "kind": alarm.kind.as_str(), "times": 0 }).to_string(),
    });
    let delete = Statement::new(
        "DELETE FROM alarms WHERE account_id = ?1 AND kind = ?2 AND last_at_ms = ?3 AND times = ?4",
    )
    .bind(alarm.account.as_str())
    .bind(alarm.kind.as_str())
    .bind(alarm.last_at_ms)
    .bind(alarm.times);
    let mut batch = Batch::new();
    let mut transaction = batch.begin(None);
    for statement in [entry, delete] {
        transaction.then(statement);
        transaction.require_change();
    }
    let step = transaction.commit();
    (batch, step)
}
