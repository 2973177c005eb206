//! Races at the one place where they are lost: an admission has read that all is well, and before its
//! transaction begins something changes. Chance alone finds this too seldom.

use tollgate_core::accounts::{LimitEdit, edit_key_limits};
use tollgate_core::hrana::Statement;

use super::Simulation;
use super::travel::Fate;

/// What changes in the meantime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rival {
    Suspension,
    Revocation,
    Rule,
    Credit,
    SpendLimit,
    Budget,
    Parallel,
    Window,
}

const RIVALS: [Rival; 8] = [
    Rival::Suspension,
    Rival::Revocation,
    Rival::Rule,
    Rival::Credit,
    Rival::SpendLimit,
    Rival::Budget,
    Rival::Parallel,
    Rival::Window,
];

impl Simulation {
    /// A call comes up to its transaction, its rival is faster, and the transaction begins.
    pub(super) fn race(&mut self) -> Result<(), String> {
        let key = self.some_key();
        let mut wanted = self.wanted();
        wanted.max_tokens = Some(*self.chance.pick(&[1, 50, 1_000]));
        let call = self.call_for(key, wanted.clone());
        self.step_of(call, Fate::Clean)?;
        let Some(hold) = self.asked_by(call) else {
            return Ok(());
        };
        let rival = *self.chance.pick(&RIVALS);
        let level = self.chance.below(hold.len());
        let (account, nanos) = hold[level].clone();
        let id = self.people.keys[key].id.to_string();
        // There is room for exactly this call.
        match rival {
            Rival::Suspension | Rival::Revocation | Rival::Rule | Rival::Credit => {}
            Rival::SpendLimit => self.limit_spending(&account, nanos)?,
            Rival::Budget => self.limit_budget(&id, hold[0].1)?,
            Rival::Parallel | Rival::Window => self.limit_calls(key, rival)?,
        }
        if !matches!(rival, Rival::SpendLimit) {
            self.price_again(call);
            self.step_of(call, Fate::Clean)?;
        }
        self.step_of(call, Fate::BeforeTransaction)?;
        if !self.is_paused(call) {
            return Ok(());
        }
        self.tell(format!("  meanwhile: {rival:?}"));
        self.auditor.note(&format!("race: {rival:?}"));
        match rival {
            Rival::Suspension => self.suspend_one(&account)?,
            Rival::Revocation => self.revoke_one(&id)?,
            Rival::Rule => self.change_rules_above(&account)?,
            Rival::Credit => self.tune_to(&account, nanos.saturating_sub(1))?,
            Rival::SpendLimit | Rival::Budget | Rival::Parallel | Rival::Window => {
                let other = self.call_for(key, wanted);
                self.step_of(other, Fate::Clean)?;
                self.step_of(other, Fate::Clean)?;
            }
        }
        self.step_of(call, Fate::Clean)
    }

    fn limit_spending(
        &mut self,
        account: &tollgate_core::ids::AccountId,
        hold: i64,
    ) -> Result<(), String> {
        let row = self.auditor.state.accounts.get(&account.to_string());
        let gone = row.map_or(0, |row| row.purse.charged[0].saturating_add(row.purse.held));
        let sql = "UPDATE accounts SET spend_limit_total_nanos = ?2 WHERE id = ?1";
        let limit = gone.saturating_add(hold);
        self.statement(Statement::new(sql).bind(account.as_str()).bind(limit))
    }

    fn limit_budget(&mut self, key: &String, hold: i64) -> Result<(), String> {
        let row = self.auditor.state.keys.get(key);
        let gone = row.map_or(0, |row| row.purse.charged[0].saturating_add(row.purse.held));
        let sql = "UPDATE keys SET version = version + 1, budget_total_nanos = ?2 WHERE id = ?1";
        let limit = gone.saturating_add(hold);
        self.statement(Statement::new(sql).bind(key.as_str()).bind(limit))
    }

    fn limit_calls(&mut self, key: usize, rival: Rival) -> Result<(), String> {
        let person = self.people.keys[key].clone();
        let id = person.id.to_string();
        let open = self
            .auditor
            .state
            .keys
            .get(&id)
            .map_or(0, |row| row.open_holds);
        let edit = if rival == Rival::Parallel {
            LimitEdit::ParallelCalls(u64::try_from(open + 1).ok())
        } else {
            let used = self.auditor.counted(&id, self.clock.now_ms);
            LimitEdit::RequestsPerMinute(u64::try_from(used + 1).ok())
        };
        let change = self.change();
        self.commit(edit_key_limits(
            &person.account,
            &person.id,
            &[edit],
            &change,
        ))
    }
}
