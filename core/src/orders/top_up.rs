//! Automatic top-up.

use crate::alarm::{Alarm, AlarmKind};
use crate::hrana::Statement;
use crate::ids::AccountId;

const STOP: &str = "\
UPDATE auto_top_ups SET enabled = 0, stopped_by = ?2, updated_at_ms = ?3
WHERE account_id = ?1 AND enabled = 1";

/// Switches it off because a payment failed, and tells the account's people.
pub(super) fn stop(account: &AccountId, why: &str, now_ms: i64) -> [Statement; 2] {
    let stop = Statement::new(STOP)
        .bind(account.as_str())
        .bind(why)
        .bind(now_ms);
    let alarm = Alarm {
        account: Some(account.clone()),
        kind: AlarmKind::TopUpStopped,
        detail: format!("automatic top-up was switched off: {why}"),
    };
    [stop, alarm.raise(now_ms)]
}
