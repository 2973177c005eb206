//! What people change while calls run: keys, suspensions, price rules, costs, limits and budgets. Each
//! is one transaction that is not disturbed; what it races with is.

use tollgate_core::accounts::{
    LimitEdit, edit_account_limits, edit_key_limits, end_rule, revoke_key, set_suspended,
};
use tollgate_core::hrana::Statement;
use tollgate_core::ids::{AccountId, RuleId};

use super::Simulation;

/// The columns of budgets.
const PERIODS: [&str; 4] = ["total", "day", "week", "month"];

impl Simulation {
    /// A person changes something.
    pub(super) fn office(&mut self) -> Result<(), String> {
        let (what, result) = match self.chance.below(20) {
            0..2 => ("revokes a key", self.revoke()),
            2..5 => ("suspends an account", self.suspend()),
            5..9 => ("changes price rules", self.change_rules()),
            9..11 => ("changes a cost", self.change_cost()),
            11..14 => ("changes limits", self.change_limits()),
            14..18 => ("changes a budget", self.change_budget()),
            _ => ("makes a key", self.make_key()),
        };
        self.tell(format!("somebody {what}"));
        self.auditor.note(&format!("somebody {what}"));
        result
    }

    fn revoke(&mut self) -> Result<(), String> {
        let key = self.chance.pick(&self.people.keys).id.to_string();
        self.revoke_one(&key)
    }

    /// Revokes a key, and mostly makes another.
    pub(super) fn revoke_one(&mut self, id: &str) -> Result<(), String> {
        let mut keys = self.people.keys.iter();
        let key = keys.find(|key| key.id.as_str() == id).cloned();
        let key = key.ok_or("no such key")?;
        let known = self.auditor.state.keys.get(&id.to_owned());
        if known.is_some_and(|known| known.revoked_at_ms.is_some()) {
            return Ok(());
        }
        let change = self.change();
        self.commit(revoke_key(&key.account, &key.id, &change))?;
        if self.chance.percent(70) {
            self.add_key(&key.account)?;
        }
        Ok(())
    }

    fn make_key(&mut self) -> Result<(), String> {
        let customer = self.chance.pick(&self.people.customers).clone();
        self.add_key(&customer)
    }

    fn suspend(&mut self) -> Result<(), String> {
        let account = self.chance.pick(&self.people.payers).clone();
        self.suspend_one(&account)
    }

    /// A suspended account works again, if there is one.
    pub(super) fn resume_one(&mut self) -> Result<(), String> {
        let accounts = self.auditor.state.accounts.iter();
        let suspended: Vec<String> = accounts
            .filter(|(_, account)| account.status == "suspended")
            .map(|(id, _)| id.clone())
            .collect();
        if suspended.is_empty() {
            return Ok(());
        }
        let id: &String = self.chance.pick(&suspended);
        let account = AccountId::parse(id).ok_or("no account id")?;
        self.tell(format!("somebody resumes {account}"));
        let change = self.change();
        self.commit(set_suspended(&account, false, &change))
    }

    pub(super) fn suspend_one(&mut self, account: &AccountId) -> Result<(), String> {
        let known = self.auditor.state.accounts.get(&account.to_string());
        if known.is_some_and(|known| known.status == "suspended") {
            return Ok(());
        }
        let change = self.change();
        self.commit(set_suspended(account, true, &change))
    }

    /// Another rule for an account and its siblings.
    pub(super) fn change_rules_above(&mut self, account: &AccountId) -> Result<(), String> {
        let row = self.auditor.state.accounts.get(&account.to_string());
        let parent = row.and_then(|row| AccountId::parse(row.parent.as_deref()?));
        let parent = parent.ok_or("no parent")?;
        let starts_at_ms = self.clock.now_ms;
        self.add_rule(&parent, "*", starts_at_ms)
    }

    fn change_rules(&mut self) -> Result<(), String> {
        let seller = self.chance.pick(&self.people.sellers).clone();
        let rules = self.auditor.state.rules.iter();
        let open: Vec<String> = rules
            .filter(|(_, rule)| rule.account == seller.as_str() && rule.ends_at_ms.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        if open.len() > 1 && self.chance.percent(40) {
            let id = self.chance.pick(&open);
            let rule = RuleId::parse(id).ok_or("no rule id")?;
            let change = self.change();
            return self.commit(end_rule(&seller, &rule, &change));
        }
        let pattern = *self.chance.pick(&["*", "sim/*", "sim/a", "other/c"]);
        let soon = *self.chance.pick(&[0, 0, 1, 5_000]);
        let starts_at_ms = self.clock.now_ms + soon;
        self.add_rule(&seller, pattern, starts_at_ms)
    }

    fn change_cost(&mut self) -> Result<(), String> {
        let slug = *self.chance.pick(&["sim/a", "sim/b", "other/c"]);
        let from_ms = self.clock.now_ms + *self.chance.pick(&[0, 1, 5_000]);
        self.reprice_model(slug, from_ms)
    }

    fn change_limits(&mut self) -> Result<(), String> {
        let edit = match self.chance.below(4) {
            0 => LimitEdit::RequestsPerMinute(self.perhaps(&[0, 1, 3, 10])),
            1 => LimitEdit::ParallelCalls(self.perhaps(&[0, 1, 3, 10])),
            2 => LimitEdit::TokensPerMinute(self.perhaps(&[100, 5_000])),
            _ => LimitEdit::RequestsPerHour(self.perhaps(&[2, 10])),
        };
        let change = self.change();
        if self.chance.percent(30) {
            let account = self.chance.pick(&self.people.customers).clone();
            return self.commit(edit_account_limits(&account, &[edit], &change));
        }
        let key = self.chance.pick(&self.people.keys).clone();
        self.commit(edit_key_limits(&key.account, &key.id, &[edit], &change))
    }

    /// Budgets near what was charged already, so that they bind.
    pub(super) fn change_budget(&mut self) -> Result<(), String> {
        let period = self.chance.below(4);
        let state = &self.auditor.state;
        if self.chance.percent(50) {
            let key = self.chance.pick(&self.people.keys).id.to_string();
            let charged = state
                .keys
                .get(&key)
                .map_or(0, |key| key.purse.charged[period]);
            let budget = self.budget(charged);
            let sql = format!(
                "UPDATE keys SET version = version + 1, budget_{}_nanos = ?2 WHERE id = ?1",
                PERIODS[period]
            );
            return self.statement(Statement::new(sql).bind(key).bind(budget));
        }
        let account = self.chance.pick(&self.people.payers).to_string();
        let charged = state
            .accounts
            .get(&account)
            .map_or(0, |account| account.purse.charged[period]);
        let budget = self.budget(charged);
        let sql = format!(
            "UPDATE accounts SET spend_limit_{}_nanos = ?2 WHERE id = ?1",
            PERIODS[period]
        );
        self.statement(Statement::new(sql).bind(account).bind(budget))
    }

    /// A budget that is gone, or that one call or two fit.
    fn budget(&mut self, charged: i64) -> Option<i64> {
        let requests = self.auditor.state.requests.iter();
        let holds: Vec<i64> = requests
            .map(|(_, request)| request.levels[0].hold)
            .collect();
        let more = if holds.is_empty() || self.chance.percent(40) {
            *self.chance.pick(&[-1, 0, 1, 1_000, 1_000_000_000])
        } else {
            let hold = *self.chance.pick(&holds);
            hold.saturating_add(*self.chance.pick(&[0, 1, hold / 2, hold]))
        };
        let budget = charged.saturating_add(more).max(0);
        self.chance.percent(75).then_some(budget)
    }
}
