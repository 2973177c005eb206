//! `admin budget`: what a key's calls, or all calls of an account, may be charged in a period.

use clap::Args;
use serde_json::{Map, Value, json};
use tollgate_core::accounts::{
    BudgetEdit, account_purse_statement, edit_key_budget, edit_spend_limit, key_purse_statement,
    read_purse,
};
use tollgate_core::budget::{Period, Purse};
use tollgate_core::ids::AccountId;
use tollgate_core::money::Nanos;

use super::Session;
use crate::arguments;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Args)]
pub(super) struct Budget {
    /// A key's id, or an account's for its spend limit
    #[arg(value_name = "KEY|ACC")]
    subject: String,
    /// US dollars in all
    #[arg(long, value_name = "USD|none")]
    total: Option<String>,
    /// US dollars in a UTC day
    #[arg(long, value_name = "USD|none")]
    day: Option<String>,
    /// US dollars in a UTC week, from Monday
    #[arg(long, value_name = "USD|none")]
    week: Option<String>,
    /// US dollars in a UTC month
    #[arg(long, value_name = "USD|none")]
    month: Option<String>,
}

impl Budget {
    /// Sets what is named, and shows how all of it stands.
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        let edits = self.edits()?;
        let read = if self.subject.starts_with("key_") {
            let key = session.key(&arguments::key(&self.subject)?)?;
            if !edits.is_empty() {
                let change = session.change(&key.account);
                session.commit(&edit_key_budget(&key.account, &key.id, &edits, &change))?;
            }
            key_purse_statement(&key.account, &key.id)
        } else {
            let account: AccountId = arguments::account(&self.subject)?;
            let account = session.charged_account(&account)?.id;
            if !edits.is_empty() {
                let change = session.change(&account);
                session.commit(&edit_spend_limit(&account, &edits, &change))?;
            }
            account_purse_statement(&account)
        };
        let purse = session.list(read, read_purse)?;
        let purse = purse.first().copied().unwrap_or_default();
        Ok(self.report(&purse, session.now_ms))
    }

    fn edits(&self) -> Result<Vec<BudgetEdit>, Failure> {
        let named = [
            (Period::Total, &self.total),
            (Period::Day, &self.day),
            (Period::Week, &self.week),
            (Period::Month, &self.month),
        ];
        let mut edits = Vec::new();
        for (period, text) in named {
            match text.as_deref() {
                None => {}
                Some("none") => edits.push((period, None)),
                Some(text) => edits.push((period, Some(amount(text)?))),
            }
        }
        Ok(edits)
    }

    fn report(&self, purse: &Purse, now_ms: i64) -> Report {
        let mut text = format!("{}\n", self.subject);
        let mut periods = Map::new();
        for period in Period::ALL {
            let budget = purse.budget.of(period);
            let spent = purse.spent.within(period, now_ms);
            let shown = budget.map_or_else(|| "none".to_owned(), |budget| budget.to_string());
            text.push_str(&format!(
                "  {:<6} {shown}, of it spent {spent}\n",
                period.as_str()
            ));
            let numbers = json!({
                "budget_nanos": budget.map(Nanos::get),
                "spent_nanos": spent.get(),
                "resets_at_ms": period.resets_at_ms(now_ms),
            });
            periods.insert(period.as_str().to_owned(), numbers);
        }
        text.push_str(&format!("  held   {} by calls in flight\n", purse.held));
        let json = json!({
            "id": self.subject,
            "held_nanos": purse.held.get(),
            "periods": Value::Object(periods),
        });
        Report { text, json }
    }
}

fn amount(text: &str) -> Result<Nanos, Failure> {
    let amount = arguments::usd(text)?;
    if amount < Nanos::ZERO {
        return Err(Failure::new(format!("`{text}` is below zero"))
            .hint("name an amount from 0 on, or `none` for no budget"));
    }
    Ok(amount)
}
