//! `admin rule`: what an account charges the accounts right below it. A rule never changes, so that a
//! charge can name it: it ends, and another one begins.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_core::accounts::{NewRule, Rule, end_rule, read_rule, rules_statement};
use tollgate_core::money::Nanos;

use super::Session;
use crate::arguments;
use crate::failure::Failure;
use crate::random;
use crate::report::{Report, Table, moment, or_dash};

/// Priorities beyond this are a typing error.
const MAX_PRIORITY: i64 = 1_000_000;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Creates a rule; of those that match a model, the highest priority wins, then the longest pattern
    Create(Create),
    /// Lists an account's rules, the oldest first
    List {
        /// Whose rules [default: the operator's]
        #[arg(long, value_name = "OWNER")]
        account: Option<String>,
    },
    /// Ends a rule now
    End {
        /// The rule
        #[arg(value_name = "RULE")]
        rule: String,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// The account that charges by it: the operator or a reseller
    #[arg(long, value_name = "OWNER")]
    account: String,
    /// Which models it prices, such as `*` or `openai/*`
    #[arg(long)]
    pattern: String,
    /// What is added to the cost, such as `20%`
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true)]
    markup: String,
    /// What a call is charged at least, in US dollars
    #[arg(
        long,
        value_name = "USD",
        default_value = "0",
        allow_hyphen_values = true
    )]
    min_charge: String,
    /// The highest wins
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i64,
    /// From when on it holds: a date such as `2027-01-01` [default: now]
    #[arg(long, value_name = "DATE")]
    starts: Option<String>,
}

impl Command {
    pub fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        match self {
            Self::Create(order) => order.run(session),
            Self::List { account } => list(session, account.as_deref()),
            Self::End { rule } => end(session, rule),
        }
    }
}

impl Create {
    fn run(&self, session: &Session<'_>) -> Result<Report, Failure> {
        if self.priority.saturating_abs() > MAX_PRIORITY {
            return Err(
                Failure::new(format!("the priority `{}` is absurd", self.priority)).hint(format!(
                    "a priority is between `-{MAX_PRIORITY}` and `{MAX_PRIORITY}`"
                )),
            );
        }
        let pattern = arguments::pattern(&self.pattern)?;
        let markup_bps = arguments::markup(&self.markup)?;
        let min_charge = arguments::usd_from_zero(&self.min_charge)?;
        let starts_at_ms = match &self.starts {
            // A call that began earlier keeps its price, so an earlier start means now.
            Some(text) => arguments::moment(text)?.max(session.now_ms),
            None => session.now_ms,
        };
        let owner = session.parent_account(&arguments::account(&self.account)?)?;
        let rule = NewRule {
            id: random::rule_id()?,
            account: owner.id,
            pattern,
            markup_bps,
            min_charge,
            priority: self.priority,
            starts_at_ms,
        };
        session.commit(&rule.to_batch(&session.change(&rule.account)))?;
        let rule = session.rule(&rule.id)?;
        Ok(Report::line(
            format!(
                "created {}: {} charges {}% and at least {} for `{}` from {}",
                rule.rule.id,
                rule.account,
                percent(rule.rule.markup_bps),
                rule.rule.min_charge,
                rule.rule.pattern,
                moment(starts_at_ms)
            ),
            to_json(&rule),
        ))
    }
}

fn list(session: &Session<'_>, account: Option<&str>) -> Result<Report, Failure> {
    let owner = match account {
        Some(text) => session.parent_account(&arguments::account(text)?)?,
        None => session.operator()?,
    };
    let rules = session.list(rules_statement(&owner.id), read_rule)?;
    Ok(Report {
        text: table(&rules, session.now_ms).to_text(),
        json: rules.iter().map(to_json).collect(),
    })
}

fn end(session: &Session<'_>, rule: &str) -> Result<Report, Failure> {
    let rule = session.rule(&arguments::rule(rule)?)?;
    if let Some(end_ms) = rule
        .rule
        .ends_at_ms
        .filter(|end_ms| *end_ms <= session.now_ms)
    {
        return Ok(Report::line(
            format!(
                "{} ended at {}; nothing was changed",
                rule.rule.id,
                moment(end_ms)
            ),
            to_json(&rule),
        ));
    }
    let change = session.change(&rule.account);
    session.commit(&end_rule(&rule.account, &rule.rule.id, &change))?;
    Ok(Report::line(
        format!(
            "{} has ended: calls from now on are not charged by it",
            rule.rule.id
        ),
        to_json(&session.rule(&rule.rule.id)?),
    ))
}

/// Rules as a table.
pub(super) fn table(rules: &[Rule], now_ms: i64) -> Table {
    let mut table = Table::new(&[
        "rule",
        "pattern",
        ">markup",
        ">at least",
        ">priority",
        "state",
        "starts",
        "ends",
    ]);
    for Rule { rule, .. } in rules {
        let state = if rule.ends_at_ms.is_some_and(|end| end <= now_ms) {
            "ended"
        } else if rule.starts_at_ms > now_ms {
            "announced"
        } else {
            "active"
        };
        table.row([
            rule.id.to_string(),
            rule.pattern.clone(),
            format!("{}%", percent(rule.markup_bps)),
            rule.min_charge.to_string(),
            rule.priority.to_string(),
            state.to_owned(),
            moment(rule.starts_at_ms),
            or_dash(rule.ends_at_ms.map(moment)),
        ]);
    }
    table
}

/// A rule in the words of the database.
pub(super) fn to_json(Rule { account, rule }: &Rule) -> Value {
    json!({
        "id": rule.id.as_str(),
        "account_id": account.as_str(),
        "pattern": rule.pattern,
        "markup_bps": rule.markup_bps,
        "min_charge_nanos": rule.min_charge.get(),
        "priority": rule.priority,
        "starts_at_ms": rule.starts_at_ms,
        "ends_at_ms": rule.ends_at_ms,
    })
}

/// Hundredths of a percent as a percentage without trailing zeros.
fn percent(bps: i64) -> String {
    Nanos::new(bps.saturating_mul(10_000_000)).to_usd()
}
