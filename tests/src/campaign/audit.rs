//! Holds the books against the provider's bills, call by call and level by level.

use std::collections::{BTreeMap, BTreeSet};

use super::bills::Bill;
use super::books::{self, Call};
use super::stage::{Chain, rules};
use crate::price::{Rule, charges};
use crate::stage::Stage;

/// What a campaign allows that another does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniency {
    /// Processes died: a call of which the books never learned the provider's id may be charged by
    /// the documented default instead of the bill.
    pub crashes: bool,
    /// Wallets run dry: a true-up takes what is free, and the rest is a recorded shortfall.
    pub dry_wallets: bool,
}

/// What the books and the bills say.
#[derive(Debug, Default)]
pub struct Audit {
    /// Every rule that was broken, in words.
    pub violations: Vec<String>,
    /// Calls by how they were resolved.
    pub outcomes: BTreeMap<String, u64>,
    /// What the provider bills for everything, in 1e-12 USD.
    pub billed_picos: i128,
    /// What the provider bills for calls that the books charge by the default, in 1e-12 USD.
    pub unmatched_picos: i128,
    /// What all accounts paid, in nanos.
    pub paid: i128,
    /// What of the callers' prices no hold and no wallet covered, in nanos.
    pub shortfall: i128,
}

struct Auditor<'a> {
    leniency: Leniency,
    markups: BTreeMap<&'a str, Rule>,
    bills: BTreeMap<&'a str, &'a Bill>,
    matched: BTreeSet<&'a str>,
    defaults: BTreeMap<&'a str, u64>,
    audit: Audit,
}

/// Compares everything, once nothing is under way. The chains are all whose callers made calls.
#[must_use]
pub fn audit(stage: &Stage, chains: &[Chain], leniency: Leniency) -> Audit {
    let calls = books::calls(&stage.world.database);
    let bills = stage.provider.bills();
    let mut auditor = Auditor {
        leniency,
        markups: chains
            .iter()
            .map(|chain| (chain.caller.account.as_str(), chain.rule))
            .collect(),
        bills: bills
            .iter()
            .map(|bill| (bill.generation.as_str(), bill))
            .collect(),
        matched: BTreeSet::new(),
        defaults: BTreeMap::new(),
        audit: Audit::default(),
    };
    for call in &calls {
        auditor.check_call(call);
    }
    auditor.check_unmatched(&bills);
    let mut audit = auditor.audit;
    audit
        .violations
        .extend(books::violations(&stage.world.database));
    audit
}

impl<'a> Auditor<'a> {
    fn check_call(&mut self, call: &'a Call) {
        let late = if call.trued_up { " by true-up" } else { "" };
        let how = format!("{} {}{late}", call.state, call.outcome);
        *self.audit.outcomes.entry(how).or_default() += 1;
        self.audit.paid += call
            .levels
            .iter()
            .map(|level| i128::from(level.paid))
            .sum::<i128>();
        self.audit.shortfall += i128::from(call.shortfall);
        let bill = call.generation.as_deref().and_then(|id| self.bills.get(id));
        match (bill.copied(), call.state.as_str(), call.outcome.as_str()) {
            (_, "held", _) => self.broken(call, "is still held"),
            (Some(bill), _, _) => self.check_bill(call, bill),
            (None, "voided", "not_sent") => {}
            (None, "settled", "unknown" | "at_least") if self.leniency.crashes => {
                *self.defaults.entry(&call.account).or_default() += 1;
                if call.levels.iter().any(|level| level.paid <= 0) {
                    self.broken(call, "is free by accident");
                }
            }
            (None, _, _) => self.broken(call, "was charged for something the provider never did"),
        }
    }

    fn check_bill(&mut self, call: &Call, bill: &'a Bill) {
        if !self.matched.insert(&bill.generation) {
            self.broken(call, "has the bill of another call");
        }
        let Some(rule) = self.markups.get(call.account.as_str()).copied() else {
            return self.broken(call, "is of an account that makes no calls");
        };
        if call.tokens != bill.tokens {
            self.broken(
                call,
                &format!("does not have the tokens of its bill: {bill:?}"),
            );
        }
        let mut due = charges(bill.picos, &rules(&bill.model, rule));
        // The books name the caller first.
        due.reverse();
        let mut short = i128::from(call.shortfall);
        for (index, (level, due)) in call.levels.iter().zip(&due).enumerate() {
            let expect = level.hold.min(*due);
            let short_of_credit = self.leniency.dry_wallets && call.trued_up;
            let fits = match short_of_credit {
                true => (0..=expect).contains(&level.paid),
                false => level.paid == expect,
            };
            if !fits {
                let why = format!("level {index}: paid {}, due {due}: {bill:?}", level.paid);
                self.broken(call, &why);
            }
            if index == 0 {
                short -= i128::from(due - level.paid);
            }
        }
        if short != 0 {
            self.broken(
                call,
                &format!("has a shortfall that is wrong by {short}: {bill:?}"),
            );
        }
        if due.len() != call.levels.len() {
            self.broken(call, "does not charge every level");
        }
    }

    /// The provider worked, and no call of the books knows its id: never free either.
    fn check_unmatched(&mut self, bills: &'a [Bill]) {
        let mut unmatched: BTreeMap<&str, u64> = BTreeMap::new();
        for bill in bills {
            self.audit.billed_picos += bill.picos;
            if bill.picos > 0 && !self.matched.contains(bill.generation.as_str()) {
                self.audit.unmatched_picos += bill.picos;
                *unmatched.entry(&bill.user).or_default() += 1;
                if !self.leniency.crashes {
                    let text = format!("billed and in no book: {bill:?}");
                    self.audit.violations.push(text);
                }
            }
        }
        for (account, count) in unmatched {
            let defaults = self.defaults.get(account).copied().unwrap_or(0);
            if self.leniency.crashes && count > defaults {
                let text = format!(
                    "{account}: {count} generations that no call names, {defaults} default charges"
                );
                self.audit.violations.push(text);
            }
        }
    }

    fn broken(&mut self, call: &Call, why: &str) {
        self.audit.violations.push(format!("{why}: {call:?}"));
    }
}
